"""What either end of a pass has recorded: detections and synchronisation words, or choices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.pulses import SenderChoices

__all__ = ["SYNC_PERIOD_PULSES", "Detections", "GroundRecord", "SenderRecord", "SyncWords"]

SYNC_PERIOD_PULSES = 65_536
"""Pulses per synchronisation word: 9.54 kHz at 625 MHz (Li et al.: about 9.5 kHz)."""


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
    channel: NDArray[np.uint8]


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
