"""What the sender chose for each pulse: basis, bit, intensity.

A real sender takes these bits from a hardware generator and keeps them (:class:`RecordedChoices`). A simulation
computes them from the index of the pulse (:class:`SeededChoices`), so that either end can ask for any pulse without
the ones before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = [
    "BASES",
    "Choices",
    "RecordedChoices",
    "SeededChoices",
    "SenderChoices",
    "counter_uniform",
    "pack_choices",
    "seed_bytes",
]

SEED_BYTES = 32
BASES = ("Z", "X")
"""Name of basis 0 and basis 1. Basis Z is ``n_key`` of :class:`~satqkd.detection.weak_pulse.SiftedCounts`."""

_CHOICES, _UNIFORM = np.uint64(0), np.uint64(1)


class Choices(NamedTuple):
    """Choices for some pulses, arrays of uint8 of one length.

    Attributes
    ----------
    basis : ndarray
        0: Z, 1: X.
    bit : ndarray
        0 or 1. Key material where the pulse becomes key.
    intensity : ndarray
        0: signal, 1: decoy, 2: vacuum.
    """

    basis: NDArray[np.uint8]
    bit: NDArray[np.uint8]
    intensity: NDArray[np.uint8]

    def __repr__(self) -> str:
        """Without the bits: key material must not get into a log."""
        return f"Choices({self.basis.size} pulses)"


class SenderChoices(Protocol):
    """Anything that knows the sender's choices by the index of the pulse."""

    def at(self, pulse_index: ArrayLike) -> Choices:
        """Choices of these pulses, in the order given."""
        ...  # pragma: no cover


def seed_bytes(seed: int, purpose: str) -> bytes:
    """Seed of 32 bytes for one purpose of a simulation, from the user's number.

    Parameters
    ----------
    seed : int
        The user's seed, at least 0.
    purpose : str
        What it is for: different purposes get independent seeds.

    Returns
    -------
    bytes
        SHA-256 of both.

    Raises
    ------
    InputError
        If the seed is not a whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed = {seed!r}: must be a whole number of at least 0")
    return hashlib.sha256(f"satqkd simulation\0{purpose}\0{int(seed)}".encode()).digest()


def _words(seed: bytes) -> NDArray[np.uint64]:
    if not (isinstance(seed, bytes | bytearray) and len(seed) == SEED_BYTES):
        raise InputError(f"seed: must be {SEED_BYTES} bytes, is {len(seed) if hasattr(seed, '__len__') else seed!r}")
    return np.frombuffer(bytes(seed), "<u8").astype(np.uint64)


def _indices(pulse_index: ArrayLike) -> NDArray[np.int64]:
    index = np.atleast_1d(np.asarray(pulse_index))
    if index.dtype.kind not in "iu":
        raise InputError(f"pulse_index: must be whole numbers, is {index.dtype}")
    if index.size and int(index.min()) < 0:
        raise InputError(f"pulse_index contains {int(index.min())}: must be at least 0")
    return index.astype(np.int64, copy=False)


def counter_uniform(index: ArrayLike, *, seed: bytes) -> NDArray[np.float64]:
    """Random numbers in [0, 1) as a function of a seed and an index.

    Parameters
    ----------
    index : array_like
        Whole numbers of at least 0.
    seed : bytes
        32 bytes.

    Returns
    -------
    ndarray
        One number per index, with 53 bits. [1]

    Raises
    ------
    InputError
        If the seed has another length, or an index is negative.
    """
    from satqkd.detection._philox_kernels import fill_uniform

    counter = _indices(index).view(np.uint64)
    out = np.empty(counter.size)
    fill_uniform(counter, _words(seed), _UNIFORM, out)
    return out


class SeededChoices:
    """Choices as a pseudo-random function of the pulse's index, for simulation.

    Parameters
    ----------
    seed : bytes
        32 bytes, see :func:`seed_bytes`.
    intensity_probabilities : sequence of float
        Of signal, decoy, vacuum; their sum is 1. [1]
    p_key_basis : float
        Probability of basis Z. [1]

    Raises
    ------
    InputError
        If a probability is outside its range or the seed has another length.

    Notes
    -----
    Philox4x64-10 [1]_ with the pulse's index as counter: about 15 million pulses per second and core, in any order.
    It is a good generator for simulations and no secret one: keys of such a sender are for tests.

    References
    ----------
    .. [1] J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", Proc. SC11 (2011).

    Examples
    --------
    >>> choices = SeededChoices(seed=seed_bytes(7, "sender"))
    >>> whole = choices.at(range(1000))
    >>> bool((choices.at([999, 5]).bit == whole.bit[[999, 5]]).all())
    True
    """

    def __init__(
        self, *, seed: bytes, intensity_probabilities: Sequence[float] = (0.5, 0.25, 0.25), p_key_basis: float = 0.5
    ) -> None:
        p = tuple(float(x) for x in intensity_probabilities)
        if not (len(p) == 3 and all(0.0 <= x <= 1.0 for x in p) and abs(sum(p) - 1.0) < 1e-9):
            raise InputError(f"intensity_probabilities = {p!r}: must be three numbers of at least 0 with sum 1")
        if not 0.0 <= p_key_basis <= 1.0:
            raise InputError(f"p_key_basis = {p_key_basis!r}: must be between 0 and 1")
        self._seed = _words(seed)
        self.seed = bytes(seed)
        self.intensity_probabilities = p
        self.p_key_basis = float(p_key_basis)

    def __repr__(self) -> str:
        return f"SeededChoices(intensity_probabilities={self.intensity_probabilities}, p_key_basis={self.p_key_basis})"

    def at(self, pulse_index: ArrayLike) -> Choices:
        """Choices of these pulses, in the order given."""
        from satqkd.detection._philox_kernels import fill_choices

        index = _indices(pulse_index).view(np.uint64)
        out = np.empty((3, index.size), np.uint8)
        p = self.intensity_probabilities
        # a vacuum of probability 0 must not appear by rounding of the sum
        two = p[0] + p[1] if p[2] > 0.0 else 1.0
        fill_choices(index, self._seed, _CHOICES, p[0], two, self.p_key_basis, out[0], out[1], out[2])
        return Choices(out[0], out[1], out[2])


def pack_choices(choices: Choices) -> NDArray[np.uint8]:
    """Choices of consecutive pulses, two per byte.

    Parameters
    ----------
    choices : Choices
        For consecutive pulses.

    Returns
    -------
    ndarray
        Bytes; the pulse with the even position has the lower four bits: bit + 2 basis + 4 intensity.
    """
    code = choices.bit | (choices.basis << 1) | (choices.intensity << 2)
    if code.size % 2:
        code = np.append(code, np.uint8(0))
    return np.asarray(code[0::2] | (code[1::2] << 4), np.uint8)


class RecordedChoices:
    """Choices that a hardware generator made and the sender kept.

    Parameters
    ----------
    codes : ndarray
        Bytes of :func:`pack_choices`, or a memory map of them.
    pulses : int
        Number of pulses.
    first_pulse : int
        Index of the first one.

    Raises
    ------
    InputError
        If the bytes do not hold that many pulses.
    """

    def __init__(self, codes: NDArray[np.uint8], *, pulses: int, first_pulse: int = 0) -> None:
        if codes.dtype != np.uint8 or codes.size != (pulses + 1) // 2:
            raise InputError(f"codes: {pulses} pulses need {(pulses + 1) // 2} bytes, there are {codes.nbytes}")
        self.codes = codes
        self.pulses = int(pulses)
        self.first_pulse = int(first_pulse)

    def __repr__(self) -> str:
        return f"RecordedChoices(pulses={self.pulses}, first_pulse={self.first_pulse})"

    def at(self, pulse_index: ArrayLike) -> Choices:
        """Choices of these pulses, in the order given; InputError for a pulse that was not recorded."""
        position = _indices(pulse_index) - self.first_pulse
        if position.size and not (position.min() >= 0 and position.max() < self.pulses):
            bad = int((position.min() if position.min() < 0 else position.max()) + self.first_pulse)
            last = self.first_pulse + self.pulses - 1
            raise InputError(f"pulse_index contains {bad}: recorded are pulses {self.first_pulse} to {last}")
        code = self.codes[position >> 1] >> ((position & 1) << 2).astype(np.uint8)
        intensity = (code >> 2) & 3
        if intensity.size and intensity.max() > 2:
            raise InputError("codes: an intensity is 3, must be 0 (signal), 1 (decoy) or 2 (vacuum)")
        return Choices((code >> 1) & 1, code & 1, intensity)
