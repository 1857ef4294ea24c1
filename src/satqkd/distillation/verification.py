r"""Verification: do both parties hold the same bits? A tag from a universal hash, not a checksum.

References
----------
.. [1] M. N. Wegman, J. L. Carter, "New hash functions and their use in authentication and set equality",
   J. Comput. Syst. Sci. 22, 265 (1981).
.. [2] B. den Boer, "A simple and key-economical unconditional authentication scheme", J. Comput. Secur. 2, 65 (1993).
"""

from __future__ import annotations

import hmac
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["KEY_BYTES", "as_bits", "collision_bound", "tag_bits", "tags_equal", "verification_tag"]

KEY_BYTES = 16
"""Length of the hash function's random name, which is public. [byte]"""

_WORD_BITS = 128


def as_bits(bits: ArrayLike, name: str = "bits") -> NDArray[np.uint8]:
    """Array of zeros and ones of type uint8, shape (n,); anything else is an InputError that names ``name``."""
    array = np.asarray(bits)
    if array.ndim != 1 or array.dtype.kind not in "bui" or (array.size and not np.isin(array, (0, 1)).all()):
        raise InputError(f"{name}: must be one row of zeros and ones")
    return array.astype(np.uint8, copy=False)


def _words(packet_bits: int) -> int:
    """Field elements that are hashed for a packet: its bits, and its length."""
    return -(-packet_bits // _WORD_BITS) + 1


def collision_bound(*, packet_bits: int, tag_bits: int) -> float:
    r"""Largest probability that two different packets of one length have the same tag.

    Parameters
    ----------
    packet_bits : int
        Length of a packet, positive. [bit]
    tag_bits : int
        Length of a tag, 1 to 128. [bit]

    Returns
    -------
    float
        :math:`w\,2^{-t}` with :math:`w = \lceil n/128 \rceil + 1`: over the random key, for any pair of packets. [1]

    Raises
    ------
    InputError
        If a length is outside its range.

    Notes
    -----
    The difference of two hashes is a polynomial of degree at most *w* in the key, without constant term; tags agree
    if it takes one of :math:`2^{128-t}` values, each at no more than *w* of the :math:`2^{128}` keys.

    Examples
    --------
    >>> round(-math.log2(collision_bound(packet_bits=100_000, tag_bits=64)), 2)
    54.39
    """
    if packet_bits < 1:
        raise InputError(f"packet_bits = {packet_bits}: must be at least 1")
    if not 1 <= tag_bits <= _WORD_BITS:
        raise InputError(f"tag_bits = {tag_bits}: must be from 1 to {_WORD_BITS}")
    return math.ldexp(_words(packet_bits), -tag_bits)


def tag_bits(*, packets: int, packet_bits: int, eps_correctness: float) -> int:
    r"""Length of each tag so that all of the packets together fail at most with a given probability.

    Parameters
    ----------
    packets : int
        Number of packets, positive. [1]
    packet_bits : int
        Length of a packet, positive. [bit]
    eps_correctness : float
        Probability that any packet differs unnoticed, in (0, 1). [1]

    Returns
    -------
    int
        :math:`\lceil\log_2(\mathrm{packets}\cdot w/\varepsilon_{cor})\rceil`. [bit]

    Raises
    ------
    InputError
        If a value is outside its range, or more than 128 bits would be needed.

    Examples
    --------
    >>> tag_bits(packets=5, packet_bits=100_000, eps_correctness=1e-15)
    62
    """
    if packets < 1 or packet_bits < 1:
        raise InputError(f"packets = {packets}, packet_bits = {packet_bits}: both must be at least 1")
    if not 0.0 < eps_correctness < 1.0:
        raise InputError(f"eps_correctness = {eps_correctness!r}: must be in (0, 1)")
    length = max(math.ceil(math.log2(packets * _words(packet_bits)) - math.log2(eps_correctness)), 1)
    if length > _WORD_BITS:
        raise InputError(
            f"eps_correctness = {eps_correctness!r}: needs a tag of {length} bits, at most 128 are possible"
        )
    return length


def verification_tag(bits: ArrayLike, *, key: bytes, tag_bits: int) -> bytes:
    r"""Tag of a packet: a polynomial hash over GF(2^128), cut to its leading bits.

    Parameters
    ----------
    bits : array_like of int, shape (n,)
        Zeros and ones.
    key : bytes
        16 random bytes that name the hash function. They may be public, but must be drawn after the bits of both
        parties are fixed, and be independent of them.
    tag_bits : int
        Length of the tag, 1 to 128. [bit]

    Returns
    -------
    bytes
        The tag, in ``ceil(tag_bits / 8)`` bytes, the last one filled up with zeros on its right.

    Raises
    ------
    InputError
        If the bits are not zeros and ones, or a length is wrong.

    Notes
    -----
    With the bits in 128-bit words :math:`w_1 \ldots w_k` (the last filled up with zeros) and :math:`w_{k+1} = n`,

    .. math:: h_K = \sum_{i=1}^{k+1} w_i K^{k+2-i} \in GF(2)[x]/(x^{128} + x^7 + x^2 + x + 1).

    References
    ----------
    .. [1] B. den Boer, J. Comput. Secur. 2, 65 (1993).
    """
    from satqkd.distillation._gf128 import horner

    values = as_bits(bits)
    if len(key) != KEY_BYTES:
        raise InputError(f"key: has {len(key)} bytes, must have {KEY_BYTES}")
    collision_bound(packet_bits=max(len(values), 1), tag_bits=tag_bits)
    filled = np.zeros((_words(len(values)) - 1) * _WORD_BITS, dtype=np.uint8)
    filled[: len(values)] = values
    words = np.zeros((_words(len(values)), 2), dtype=np.uint64)
    words[:-1] = np.packbits(filled).view(">u8").reshape(-1, 2)
    words[-1, 1] = len(values)
    halves = np.frombuffer(key, dtype=">u8").astype(np.uint64)
    high, low = horner(words, halves[0], halves[1])
    whole = ((int(high) << 64) | int(low)) >> (_WORD_BITS - tag_bits)
    length = -(-tag_bits // 8)
    return (whole << (8 * length - tag_bits)).to_bytes(length, "big")


def tags_equal(one: bytes, other: bytes) -> bool:
    """Whether two tags agree, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one, other)
