"""Compiled dynamic programming over a table of interval by station; see :mod:`satqkd.planning.single`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["best_path", "mark_switches"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@njit(cache=True)
def best_path(table: Floats, switch_intervals: int) -> tuple[float, Integers]:
    """Most that a path through the table collects, and the station it serves in each row, -1 for none."""
    length, stations = table.shape
    from_free = np.zeros((length, stations), dtype=np.bool_)  # station taken up in this row
    total = np.zeros(stations)  # best total when this station is pointed at
    top = np.zeros(length)  # largest of these after each row
    top_station = np.zeros(length, dtype=np.int64)
    source = np.full(length, -1, dtype=np.int64)  # row after which the satellite became free; -1: nothing served yet
    free = 0.0
    best, best_value = -1, -np.inf
    for m in range(length):
        if m:
            source[m] = source[m - 1]
        past = m - 1 - switch_intervals
        if past >= 0 and top[past] > free:
            free, source[m] = top[past], past
        largest, where = -np.inf, 0
        for n in range(stations):
            if m == 0 or free >= total[n]:
                from_free[m, n] = True
                total[n] = free
            total[n] += table[m, n]
            if total[n] > largest:
                largest, where = total[n], n
        top[m], top_station[m] = largest, where
        if largest > best_value:
            best, best_value = m, largest
    served = np.full(length, -1, dtype=np.int64)
    while best >= 0:
        station = top_station[best]
        while True:
            if table[best, station] > 0.0:
                served[best] = station
            if from_free[best, station]:
                best = source[best]
                break
            best -= 1
    return max(best_value, 0.0), served


@njit(cache=True)
def mark_switches(served: Integers, switch_intervals: int, mark: int) -> None:
    """Put ``mark`` on the last idle rows before another station is served; in place."""
    last = -1
    for m in range(len(served)):
        if served[m] < 0:
            continue
        if last >= 0 and served[last] != served[m]:
            for k in range(max(m - switch_intervals, last + 1), m):
                served[k] = mark
        last = m
