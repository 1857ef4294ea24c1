"""Intervals of time in which something is visible, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.orbit.time import as_utc

__all__ = ["LIMITS", "Intervals", "Windows", "common_view", "union_duration_s"]

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.datetime64]

LIMITS: Final = ("elevation", "darkness", "eclipse", "window")
"""What can begin or end an interval; ``window`` means that it was cut off by the window asked for."""


@dataclass(frozen=True)
class Windows:
    """Disjoint closed intervals of time in ascending order, as arrays of one length.

    Parameters
    ----------
    start, end : ndarray of datetime64[ns]
        First and last instant, both inside. UTC.
    start_limit, end_limit : ndarray of str
        What begins and ends each interval: one of :data:`LIMITS`.
    """

    start: TimeArray
    end: TimeArray
    start_limit: NDArray[np.str_]
    end_limit: NDArray[np.str_]

    def __post_init__(self) -> None:
        lengths = {name: len(value) for name, value in vars(self).items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"intervals: arrays differ in length: {lengths}")
        if (self.end < self.start).any() or (self.start[1:] <= self.end[:-1]).any():
            raise InputError("intervals: must be in ascending order and must not touch or overlap")

    def __len__(self) -> int:
        return len(self.start)

    @property
    def duration_s(self) -> FloatArray:
        """Length of each interval. [s]"""
        return np.asarray((self.end - self.start).astype(np.int64) / 1e9)

    @property
    def total_s(self) -> float:
        """Sum of the lengths. [s]"""
        return float(self.duration_s.sum())

    @property
    def truncated(self) -> NDArray[np.bool_]:
        """Whether the window cut an interval off at either end."""
        return np.asarray((self.start_limit == "window") | (self.end_limit == "window"))

    def contains(self, times: ArrayLike) -> NDArray[np.bool_]:
        """Whether instants lie in one of the intervals, the shape of ``times``."""
        utc = as_utc(times)
        if not len(self):
            return np.zeros(utc.shape, dtype=bool)
        at = np.searchsorted(self.start, utc, side="right") - 1
        return np.asarray((at >= 0) & (utc <= self.end[np.maximum(at, 0)]))


@dataclass(frozen=True)
class Intervals(Windows):
    """Intervals in which a satellite is visible from a site.

    Parameters
    ----------
    culmination : ndarray of datetime64[ns]
        Instant of the greatest elevation inside the interval. UTC.
    max_elevation_rad : ndarray
        Elevation at that instant. [rad]
    min_range_m : ndarray
        Least distance inside the interval. [m]
    """

    culmination: TimeArray
    max_elevation_rad: FloatArray
    min_range_m: FloatArray


def common_view(a: Windows, b: Windows) -> Windows:
    """Times in which both are visible, for example for a dual downlink.

    Parameters
    ----------
    a, b : Windows
        Two lists of intervals.

    Returns
    -------
    Windows
        Their intersection. Each limit is that of the interval that begins last or ends first, of ``a`` when
        both do. Intervals that share a single instant are left out.
    """
    first = np.searchsorted(b.end, a.start, side="right")
    last = np.searchsorted(b.start, a.end, side="left")
    count = np.maximum(last - first, 0)
    i = np.repeat(np.arange(len(a)), count)
    j = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    from_a, until_a = a.start[i] >= b.start[j], a.end[i] <= b.end[j]
    return Windows(
        start=np.maximum(a.start[i], b.start[j]),
        end=np.minimum(a.end[i], b.end[j]),
        start_limit=np.where(from_a, a.start_limit[i], b.start_limit[j]),
        end_limit=np.where(until_a, a.end_limit[i], b.end_limit[j]),
    )


def union_duration_s(intervals: Sequence[Windows]) -> float:
    """Time in which at least one of several lists has an interval. [s]

    Parameters
    ----------
    intervals : sequence of Windows
        Lists that may overlap one another.

    Returns
    -------
    float
        Length of the union. [s]
    """
    if not intervals:
        return 0.0
    start = np.concatenate([each.start for each in intervals]).astype(np.int64)
    end = np.concatenate([each.end for each in intervals]).astype(np.int64)
    if not start.size:
        return 0.0
    order = np.argsort(start, kind="stable")
    start, reach = start[order], np.maximum.accumulate(end[order])
    begins = np.concatenate([[True], start[1:] > reach[:-1]])
    ends = np.concatenate([begins[1:], [True]])
    return float((reach[ends] - start[begins]).sum() / 1e9)
