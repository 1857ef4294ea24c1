"""What a scheduling method is given and what it returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["IDLE", "SWITCHING", "Problem", "Solution"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

IDLE = -1
"""No station is served, and none needs to be turned to."""

SWITCHING = -2
"""The satellite turns to the next station."""


@dataclass(frozen=True)
class Problem:
    """Deliverable bits and what is asked of the schedule; checked where it is made."""

    bits: Floats
    """Bits that a station would get, not negative, shape (n_satellites, n_intervals, n_stations). [bit]"""
    interval: Integers
    """Index of each interval, increasing; intervals that are not listed deliver nothing."""
    satellites: tuple[str, ...]
    """Names, in the order of ``bits``."""
    stations: tuple[str, ...]
    """Names, in the order of ``bits``."""
    weights: Floats | None = None
    """Share of each station, of sum 1, or None."""
    kl_max: float | None = None
    """Largest divergence of the delivered shares from the weights. [nat]"""
    switch_intervals: int = 1
    """Intervals without delivery that a change of station needs."""
    gap: float = 1e-3
    """Gap to prove: (bound - value) / bound."""
    time_limit_s: float = 60.0
    """Time after which the best schedule found so far is returned. [s]"""


@dataclass(frozen=True)
class Solution:
    """A schedule and how good it is."""

    assignment: Integers
    """Position of the station served, :data:`IDLE` or :data:`SWITCHING`, shape (n_satellites, n_intervals)."""
    bound: float
    """No schedule reaches more than this."""
    complete: bool = True
    """False if the time limit struck before the gap was proven."""
