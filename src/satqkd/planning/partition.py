"""Division of one satellite's week into windows between which any change of station is free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satqkd.planning._dp import mark_switches
from satqkd.planning.problem import SWITCHING

__all__ = ["Windows", "divide"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """Rows with any bits, separated by as many empty rows as matter, cut into windows."""

    table: Floats
    """Bits by row and station, C order, empty rows between windows included. [bit]"""
    row: Integers
    """Row in ``table`` of each active interval."""
    active: Integers
    """Position of each active interval in the list of intervals."""
    start: Integers
    """First row of each window, then the number of rows."""
    switch_intervals: int
    """Intervals without delivery that a change of station needs."""

    def vectors(self, served: Integers) -> Floats:
        """Bits that each window of a path delivers to each station, shape (n_windows, n_stations)."""
        bits = np.zeros((len(self.start) - 1, self.table.shape[1]))
        rows = np.flatnonzero(served >= 0)
        window = np.searchsorted(self.start, rows, side="right") - 1
        np.add.at(bits, (window, served[rows]), self.table[rows, served[rows]])
        return bits

    def assignment(self, served: Integers, interval: Integers) -> Integers:
        """A path over the rows as an assignment of the intervals, switches marked."""
        marked = np.full(len(interval), -1, dtype=np.int64)
        marked[self.active] = served[self.row]
        return with_switches(marked, interval, self.switch_intervals)


def with_switches(served: Integers, interval: Integers, switch_intervals: int) -> Integers:
    """Mark the last idle intervals before another station is served as switching.

    Parameters
    ----------
    served : ndarray of int, shape (n_intervals,)
        Position of the station served, negative for none.
    interval : ndarray of int, shape (n_intervals,)
        Index of each interval, increasing.
    switch_intervals : int
        Intervals without delivery that a change of station needs.

    Returns
    -------
    ndarray of int, shape (n_intervals,)
        The assignment with :data:`~satqkd.planning.problem.SWITCHING` where the satellite turns.
    """
    padded, row = pad(np.zeros((len(interval), 0)), interval, switch_intervals)
    spread = np.full(len(padded), -1, dtype=np.int64)
    spread[row] = served
    mark_switches(spread, switch_intervals, SWITCHING)
    return spread[row]


def pad(bits: Floats, interval: Integers, switch_intervals: int) -> tuple[Floats, Integers]:
    """Put in empty rows for the gaps in the index.

    Parameters
    ----------
    bits : ndarray, shape (n_intervals, n_stations)
        Deliverable bits. [bit]
    interval : ndarray of int, shape (n_intervals,)
        Index of each interval, increasing.
    switch_intervals : int
        A gap longer than this is as good as one of this length.

    Returns
    -------
    padded : ndarray, shape (n_rows, n_stations)
        Table. [bit]
    row : ndarray of int, shape (n_intervals,)
        Row of each interval.
    """
    if not len(interval):
        return bits, np.zeros(0, dtype=np.int64)
    gaps = np.minimum(np.diff(interval, prepend=interval[0] - 1) - 1, switch_intervals)
    row = np.cumsum(gaps + 1) - 1
    padded = np.zeros((row[-1] + 1, bits.shape[1]))
    padded[row] = bits
    return padded, row


def divide(bits: Floats, interval: Integers, switch_intervals: int) -> Windows:
    """Windows of one satellite's table.

    Parameters
    ----------
    bits : ndarray, shape (n_intervals, n_stations)
        Deliverable bits. [bit]
    interval : ndarray of int, shape (n_intervals,)
        Index of each interval, increasing.
    switch_intervals : int
        Intervals without delivery that a change of station needs.

    Returns
    -------
    Windows
        At least one window, also if there are no bits at all.
    """
    active = np.flatnonzero(bits.any(axis=1))
    table, row = pad(np.ascontiguousarray(bits[active]), interval[active], switch_intervals)
    first = np.diff(interval[active], prepend=interval[active][:1] - switch_intervals - 1) > switch_intervals
    # With a switch time of zero every interval would be a window of its own: gather them by gaps in the index.
    if switch_intervals == 0:
        first = np.diff(interval[active], prepend=interval[active][:1] - 2) > 1
    start = np.append(row[first], len(table))
    return Windows(table, row, active, start if len(row) else np.array([0, len(table)]), switch_intervals)
