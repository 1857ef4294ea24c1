r"""Plans whose stations turn what they get into key block by block: a key needs a minimum of counts.

Time is divided into *windows* (runs of intervals that follow each other); between windows a change of station is free.
A block is what one station gets in one window, or in all of them. Everything here knows a block only by its
*amounts*, numbers that add up over its intervals, and by a function from amounts to bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from satqkd.planning.single import IDLE, best_assignment

__all__ = ["KeyOf", "WindowPlan", "best_runs", "best_times", "block_keys", "pooled_ascent", "split_windows"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

KeyOf = Callable[[Floats], float]
"""Whole bits of a block, at least 0, from its amounts."""


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Stations served in a window.

    Attributes
    ----------
    assignment : ndarray of int64, shape (n_intervals,)
        Station served, or ``IDLE``.
    key_bits : ndarray, shape (n_stations,)
        Key of each station's block. [bit]
    """

    assignment: Indices
    key_bits: Floats


def split_windows(interval: Indices, switch_intervals: int) -> list[slice]:
    """Runs of rows without a gap that is long enough for a change of station.

    Parameters
    ----------
    interval : ndarray of int64, shape (n_intervals,)
        Index of each row's interval, increasing.
    switch_intervals : int
        Intervals that a change of station costs, at least 0.

    Returns
    -------
    list of slice
        Rows of each window.

    Examples
    --------
    >>> split_windows(np.array([3, 4, 5, 9, 10]), 1)
    [slice(0, 3, None), slice(3, 5, None)]
    """
    missing = np.diff(interval) - 1
    edges = [0, *(np.flatnonzero(missing >= max(switch_intervals, 1)) + 1).tolist(), len(interval)]
    return [slice(first, last) for first, last in pairwise(edges) if last > first]


def best_runs(amounts: Floats, key_of: KeyOf, *, ceilings: Sequence[Floats], switch_intervals: int) -> WindowPlan:
    """Best plan of a window in which each station is served without interruption.

    Parameters
    ----------
    amounts : ndarray, shape (n_intervals, n_stations, ...)
        What each station would get in each interval.
    key_of : callable
        Whole bits of a block from its amounts, of shape (...).
    ceilings : sequence of ndarray
        For each station, the most bits that a block of up to 0, 1, 2, ... intervals can have: runs that are too short
        for any key are not looked at.
    switch_intervals : int
        Intervals that a change of station costs.

    Returns
    -------
    WindowPlan
        The best such plan, by dynamic programming over the ends of runs; a station may get more than one run if that
        pays, and its block is then all of them.
    """
    length, stations = amounts.shape[:2]
    sums = np.concatenate([np.zeros((1, *amounts.shape[1:])), np.cumsum(amounts, axis=0)])
    best = np.zeros(length + 1)  # key of the first rows
    choice: list[tuple[int, int] | None] = [None] * (length + 1)
    for end in range(1, length + 1):
        best[end] = best[end - 1]
        for n in range(stations):
            for start in range(end):
                if ceilings[n][min(end - start, len(ceilings[n]) - 1)] <= 0.0:
                    break  # shorter runs have no key either
                before = best[max(start - switch_intervals, 0)]
                if before + ceilings[n][min(end - start, len(ceilings[n]) - 1)] <= best[end]:
                    continue
                value = before + key_of(sums[end, n] - sums[start, n])
                if value > best[end]:
                    best[end], choice[end] = value, (start, n)
    assignment = np.full(length, IDLE, dtype=np.int64)
    end = length
    while end > 0:
        run = choice[end]
        if run is None:
            end -= 1
        else:
            assignment[run[0] : end] = run[1]
            end = max(run[0] - switch_intervals, 0)
    return WindowPlan(assignment, block_keys(assignment, amounts, key_of))


def block_keys(assignment: Indices, amounts: Floats, key_of: KeyOf) -> Floats:
    """Key of each station's block for an assignment.

    Parameters
    ----------
    assignment : ndarray of int64, shape (n_intervals,)
        Station served, negative for none.
    amounts : ndarray, shape (n_intervals, n_stations, ...)
        What each station would get in each interval.
    key_of : callable
        Whole bits of a block from its amounts.

    Returns
    -------
    ndarray, shape (n_stations,)
        Keys. [bit]
    """
    keys = np.zeros(amounts.shape[1])
    for n in np.unique(assignment[assignment >= 0]):
        keys[n] = key_of(amounts[assignment == n, n].sum(axis=0))
    return keys


def best_times(ceilings: Sequence[Floats], *, n_intervals: int, switch_intervals: int) -> float:
    r"""Upper bound on the key of a window: how long each station is served, whatever the intervals.

    Parameters
    ----------
    ceilings : sequence of ndarray
        For each station, the most bits that a block of 0, 1, 2, ... intervals can have.
    n_intervals : int
        Length of the window.
    switch_intervals : int
        Intervals that a change of station costs.

    Returns
    -------
    float
        :math:`\max \sum_n \kappa_n(k_n)` with :math:`\sum k_n + s(\text{stations}-1) \le M`, exact by dynamic
        programming. [bit]

    Examples
    --------
    >>> best_times([np.array([0.0, 0.0, 7.0]), np.array([0.0, 3.0])], n_intervals=4, switch_intervals=1)
    10.0
    """
    room = n_intervals + switch_intervals  # each station pays a switch, and one of them is given back
    best = np.zeros(room + 1)
    for ceiling in ceilings:
        served = best.copy()
        for k, bits in enumerate(ceiling):
            cost = k + switch_intervals
            if k and bits > 0.0 and cost <= room:
                np.maximum(served[cost:], best[: room + 1 - cost] + bits, out=served[cost:])
        best = served
    return float(best[-1])


def pooled_ascent(
    amounts: Floats,
    key_of: KeyOf,
    *,
    interval: Indices,
    start: Floats,
    switch_intervals: int,
    raw_key_of: KeyOf,
    rounds: int = 20,
) -> Indices:
    """Plan for blocks that span all windows: repeated exact plans for the bits that an interval adds to its block.

    Parameters
    ----------
    amounts : ndarray, shape (n_intervals, n_stations, ...)
        What each station would get in each interval.
    key_of : callable
        Whole bits of a block from its amounts.
    interval : ndarray of int64, shape (n_intervals,)
        Index of each row's interval, increasing.
    start : ndarray, shape (n_intervals, n_stations)
        Bits per interval to begin with.
    switch_intervals : int
        Intervals that a change of station costs.
    raw_key_of : callable
        The same as ``key_of`` before it is cut off at zero and rounded.
    rounds : int
        Most plans for one choice of stations.

    Returns
    -------
    ndarray of int64, shape (n_intervals,)
        The best plan seen. Stations that end without key are left out, and the rest planned again.
    """
    stations = amounts.shape[1]
    open_stations = np.ones(stations, dtype=bool)
    best, best_value = np.full(len(interval), IDLE, dtype=np.int64), 0.0
    worth = np.maximum(start, 0.0)
    while open_stations.any():
        last = -1.0
        for _ in range(rounds):
            plan = best_assignment(
                np.where(open_stations, worth, 0.0), interval=interval, switch_intervals=switch_intervals
            )
            keys = block_keys(plan, amounts, key_of)
            if keys.sum() > best_value:
                best, best_value = plan, float(keys.sum())
            if keys.sum() <= last:
                break
            last = float(keys.sum())
            for n in np.flatnonzero(keys > 0.0):
                worth[:, n] = _marginal(amounts[:, n], plan == n, raw_key_of)
        without = open_stations & (keys <= 0.0) & np.isin(np.arange(stations), plan)
        if not without.any():
            break
        open_stations &= ~without
    return best


def _marginal(amounts: Floats, served: NDArray[np.bool_], raw_key_of: KeyOf) -> Floats:
    """Bits that each interval adds to a block, or takes away from it when left out; at least 0."""
    whole = amounts[served].sum(axis=0)
    key = raw_key_of(whole)
    return np.array(
        [
            max(key - raw_key_of(whole - row) if inside else raw_key_of(whole + row) - key, 0.0) if row.any() else 0.0
            for row, inside in zip(amounts, served, strict=True)
        ]
    )
