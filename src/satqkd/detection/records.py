"""What either end of a pass has recorded: detections and synchronisation words, or choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.pulses import SenderChoices
from satqkd.errors import InputError

__all__ = [
    "FASTEST_DELAY",
    "SYNC_PERIOD_PULSES",
    "Detections",
    "GroundRecord",
    "SenderRecord",
    "SyncWords",
    "number_words",
]

SYNC_PERIOD_PULSES = 65_536
"""Pulses per synchronisation word: 9.54 kHz at 625 MHz (Li et al.: about 9.5 kHz)."""

FASTEST_DELAY: Final = 1e-4
"""Largest change of the delay per time: 30 km/s, or a clock off by 100 ppm. A word beyond it is a false one. [1]"""


@dataclass(frozen=True, slots=True)
class Detections:
    """Clicks in order of time.

    Attributes
    ----------
    tag_ps : ndarray of int64
        Time since the ground's start, by its clock. [ps]
    channel : ndarray of uint8
        2 * basis + bit: 0 and 1 are the bits of Z, 2 and 3 those of X. Secret, as they hold the raw key.
    """

    tag_ps: NDArray[np.int64]
    channel: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SyncWords:
    """Synchronisation words that were received.

    Attributes
    ----------
    tag_ps : ndarray of int64
        Time since the ground's start, by its clock. [ps]
    number : ndarray of int64
        Number that the word carries: word ``j`` left with pulse ``SYNC_PERIOD_PULSES * j``.
    """

    tag_ps: NDArray[np.int64]
    number: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GroundRecord:
    """Everything that the ground recorded in a pass.

    Attributes
    ----------
    pass_id : str
        Identifies the pass; the same on both sides.
    start_unix_ns : int
        When time 0 was, by the ground's clock. [ns since 1970-01-01 UTC]
    slot_period_ps : float
        Time between pulses. [ps]
    receiver : {"passive", "active"}
        Kind of receiver.
    detections : Detections
        Clicks.
    sync : SyncWords
        Synchronisation words.
    """

    pass_id: str
    start_unix_ns: int
    slot_period_ps: float
    receiver: str
    detections: Detections
    sync: SyncWords


@dataclass(frozen=True, slots=True)
class SenderRecord:
    """Everything that the satellite knows of a pass.

    Attributes
    ----------
    pass_id : str
        Identifies the pass; the same on both sides.
    start_unix_ns : int
        When pulse 0 left, by the satellite's clock. [ns since 1970-01-01 UTC]
    slot_period_ps : float
        Time between pulses. [ps]
    pulses : int
        Pulses sent.
    intensities, intensity_probabilities : tuple of float
        Mean photon numbers of signal, decoy and vacuum, and how often each was sent. [1]
    p_key_basis : float
        Probability of basis Z. [1]
    choices : SenderChoices
        Basis, bit and intensity of every pulse.
    """

    pass_id: str
    start_unix_ns: int
    slot_period_ps: float
    pulses: int
    intensities: tuple[float, float, float]
    intensity_probabilities: tuple[float, float, float]
    p_key_basis: float
    choices: SenderChoices


def number_words(
    tag_ps: NDArray[np.int64], *, slot_period_ps: float, first_number: int = 0, period_pulses: int = SYNC_PERIOD_PULSES
) -> NDArray[np.int64]:
    """Numbers of words whose receiver kept their times only.

    Parameters
    ----------
    tag_ps : ndarray of int64
        Times of the words, ascending. [ps]
    slot_period_ps : float
        Time between pulses. [ps]
    first_number : int
        Number of the first one.
    period_pulses : int
        Pulses per word.

    Returns
    -------
    ndarray of int64
        Numbers; words left out are counted by the time between the others.

    Raises
    ------
    InputError
        If two words are further apart than the Doppler effect allows to count, or not at a multiple of the period.
    """
    period = slot_period_ps * period_pulses
    steps = np.diff(tag_ps) / period
    count = np.rint(steps)
    off = np.abs(steps - count) - FASTEST_DELAY * count
    if count.size and count.max() * FASTEST_DELAY > 0.25:
        raise InputError(f"sync words: a gap of {count.max() * period * 1e-12:.3g} s is too long to count words in it")
    if np.any((off > 0.01) | (count < 1)):
        bad = int(np.argmax((off > 0.01) | (count < 1)))
        raise InputError(
            f"sync words: words {bad} and {bad + 1} are {steps[bad]:.4g} periods apart, must be a whole number"
        )
    return (first_number + np.concatenate([[0], np.cumsum(count)]).astype(np.int64))[: tag_ps.size]
