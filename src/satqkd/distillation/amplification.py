r"""Privacy amplification: a shorter, secret key by a random Toeplitz matrix over GF(2).

References
----------
.. [1] H. Krawczyk, "LFSR-based hashing and authentication", CRYPTO '94, LNCS 839, 129 (1994).
.. [2] R. Renner, "Security of quantum key distribution", Int. J. Quantum Inf. 6, 1 (2008), leftover hashing.
.. [3] Y. Li et al., "Microsatellite-based real-time quantum key distribution", Methods: blocks and CRC.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.distillation.verification import as_bits
from satqkd.errors import InputError

__all__ = [
    "BLOCK_BITS",
    "CHECKSUM_BITS",
    "METHODS",
    "fft",
    "integrity_checksum",
    "pack_key",
    "random_seed",
    "seed_bits",
    "shift_xor",
    "toeplitz_hash",
    "unpack_bits",
]

Bits = NDArray[np.uint8]

BLOCK_BITS = tuple(range(100_000, 1_000_000, 100_000))
"""Block lengths of Li et al.; any other works too. [bit]"""

CHECKSUM_BITS = 32
"""What :func:`integrity_checksum` gives away of the key if it is sent in clear. [bit]"""

_LARGEST_ROUNDING = 1e-3
_LONGEST_FFT = 1 << 24


def fft(bits: Bits, diagonals: Bits, output_bits: int) -> Bits:
    """Product by a fast Fourier transform of float64, its rounding checked.

    Parameters
    ----------
    bits : ndarray of uint8, shape (n,)
        Vector.
    diagonals : ndarray of uint8, shape (n + output_bits - 1,)
        The matrix's diagonals.
    output_bits : int
        Rows of the matrix.

    Returns
    -------
    ndarray of uint8, shape (output_bits,)
        The product modulo 2.

    Raises
    ------
    ArithmeticError
        If a sum is further than 1e-3 from a whole number: never seen; at 1e6 bits it is 1e-9.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    # Cyclic convolution: what wraps around falls on the first n - 1 values, which are not used.
    size = next_fast_len(len(diagonals), real=True)
    if size > _LONGEST_FFT:
        raise InputError(f"{len(bits)} bits: too many for method = 'fft', which ends at {_LONGEST_FFT} points")
    sums = irfft(rfft(diagonals, size) * rfft(bits, size), size)[len(bits) - 1 : len(diagonals)]
    whole: NDArray[np.float64] = np.rint(sums)
    if np.max(np.abs(sums - whole)) > _LARGEST_ROUNDING:
        raise ArithmeticError("Toeplitz product: rounding too large to be sure of every bit")
    result: Bits = (whole.astype(np.int64) & 1).astype(np.uint8)
    return result


def shift_xor(bits: Bits, diagonals: Bits, output_bits: int) -> Bits:
    """Product by adding up, without carry, a window of the diagonals for each bit that is one.

    Parameters
    ----------
    bits : ndarray of uint8, shape (n,)
        Vector.
    diagonals : ndarray of uint8, shape (n + output_bits - 1,)
        The matrix's diagonals.
    output_bits : int
        Rows of the matrix.

    Returns
    -------
    ndarray of uint8, shape (output_bits,)
        The product modulo 2; whole-number arithmetic only.
    """
    from satqkd.distillation._shift_xor import shift_xor_words

    words = -(-len(diagonals) // 64) + 1
    packed = np.zeros(8 * words, dtype=np.uint8)
    packed[: -(-len(diagonals) // 8)] = np.packbits(diagonals, bitorder="little")
    total = shift_xor_words(bits, packed.view("<u8").astype(np.uint64), -(-output_bits // 64))
    return np.unpackbits(total.astype("<u8").view(np.uint8), bitorder="little", count=output_bits)


METHODS: Mapping[str, Callable[[Bits, Bits, int], Bits]] = MappingProxyType({"fft": fft, "shift-xor": shift_xor})
"""Algorithms for the product, by name: identical bits, different speed."""


def seed_bits(*, input_bits: int, output_bits: int) -> int:
    """Random bits that name one Toeplitz matrix.

    Parameters
    ----------
    input_bits, output_bits : int
        Columns and rows. [bit]

    Returns
    -------
    int
        ``input_bits + output_bits - 1``. [bit]

    Raises
    ------
    InputError
        Unless ``1 <= output_bits <= input_bits``.
    """
    if not 1 <= output_bits <= input_bits:
        raise InputError(f"output_bits = {output_bits}: must be from 1 to input_bits = {input_bits}")
    return input_bits + output_bits - 1


def random_seed(n_bits: int) -> bytes:
    """``n_bits`` fresh random bits, in whole bytes; public once sent, used for one block only."""
    return secrets.token_bytes(-(-n_bits // 8))


def unpack_bits(data: bytes | bytearray, count: int) -> Bits:
    """First ``count`` bits of ``data``, the highest bit of a byte first."""
    if 8 * len(data) < count:
        raise InputError(f"{len(data)} bytes: hold fewer than {count} bits")
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=count)


def toeplitz_hash(bits: ArrayLike, *, seed: bytes, output_bits: int, method: str = "fft") -> Bits:
    r"""Product of a Toeplitz matrix over GF(2) and a row of bits.

    Parameters
    ----------
    bits : array_like of int, shape (n,)
        Reconciled bits.
    seed : bytes
        At least :func:`seed_bits` random bits, the highest of a byte first; drawn after the bits are fixed.
    output_bits : int
        Length of the key, from 1 to *n*. [bit]
    method : {"fft", "shift-xor"}
        Algorithm of :data:`METHODS`.

    Returns
    -------
    ndarray of uint8, shape (output_bits,)
        :math:`y_i = \sum_j s_{i-j+n-1} x_j \bmod 2`. Two-universal: two different rows of bits agree for a share
        :math:`2^{-\ell}` of the seeds.

    Raises
    ------
    InputError
        If the bits are not zeros and ones, the seed is too short, or the method is unknown.

    Examples
    --------
    >>> toeplitz_hash([1, 0, 1], seed=bytes([0b10110000]), output_bits=2).tolist()
    [0, 1]
    """
    if method not in METHODS:
        raise InputError(f"method = {method!r}: must be one of {', '.join(METHODS)}")
    values = as_bits(bits)
    diagonals = unpack_bits(seed, seed_bits(input_bits=len(values), output_bits=output_bits))
    return METHODS[method](values, diagonals, output_bits)


def pack_key(bits: ArrayLike) -> bytearray:
    """Key bits in bytes, the highest bit first; a last incomplete byte is left out."""
    values = as_bits(bits)
    return bytearray(np.packbits(values[: len(values) // 8 * 8]).tobytes())


def integrity_checksum(key: bytes | bytearray) -> int:
    """CRC-32 of a key, as Li et al. compare it: finds accidents, proves nothing, and gives away 32 bits if sent."""
    return zlib.crc32(key)
