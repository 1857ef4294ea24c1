"""Compiled simulated annealing over one satellite's schedule; see :mod:`satqkd.planning.branching`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["DIVERGENCE", "SMALLEST_SHARE", "TOTAL", "anneal"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TOTAL = 0
"""Most bits with a divergence of at most ``kl_max``."""
SMALLEST_SHARE = 1
"""Most of min E / q."""
DIVERGENCE = 2
"""Least divergence."""


@njit(cache=True)
def _merit(
    kind: int, bits: Floats, weights: Floats, kl_max: float, penalty: float, prices: Floats
) -> tuple[float, float]:
    """What the search climbs, and the value of the schedule (-inf if it is not allowed)."""
    total = bits.sum()
    if total <= 0.0:
        return -1e300, -np.inf
    if kind == SMALLEST_SHARE:
        least, priced = np.inf, 0.0
        for n in range(len(bits)):
            if weights[n] > 0.0:
                least = min(least, bits[n] / weights[n])
                priced += prices[n] * bits[n]
        return least + penalty * priced, least
    excess = -kl_max * total
    for n in range(len(bits)):
        if bits[n] > 0.0:
            excess += bits[n] * np.log(bits[n] / (weights[n] * total))
    if kind == DIVERGENCE:
        return -excess / total, -excess / total
    if excess > 0.0:
        return total - penalty * excess, -np.inf
    return total, total


@njit(cache=True)
def _replace(table: Floats, served: Integers, bits: Floats, row: int, station: int) -> None:
    """Serve another station in a row, or none."""
    before = served[row]
    if before >= 0:
        bits[before] -= table[row, before]
    if station >= 0:
        bits[station] += table[row, station]
    served[row] = station


@njit(cache=True)
def anneal(
    kind: int, table: Floats, start: Integers, served: Integers, first_path: Integers, paths: Integers,
    weights: Floats, kl_max: float, penalty: float, prices: Floats, switch_intervals: int,
    moves: int, hot: float, cold: float, random: np.random.Generator,
) -> tuple[float, Integers]:  # fmt: skip
    """Best value met, and the path that has it; -inf if no schedule was allowed.

    A move either gives a run of rows to another station or to none, with the rows that the switch then needs, or
    replaces a window by one of the ``paths`` given for it (rows ``first_path[w]`` to ``first_path[w + 1]``).
    """
    rows, stations = table.shape
    windows = len(start) - 1
    served = served.copy()
    bits = np.zeros(stations)
    for m in range(rows):
        if served[m] >= 0:
            bits[served[m]] += table[m, served[m]]
    choices = np.full((rows, stations + 1), -1, dtype=np.int64)
    number = np.ones(rows, dtype=np.int64)  # the last choice is to serve none
    for m in range(rows):
        for n in range(stations):
            if table[m, n] > 0.0:
                choices[m, number[m]] = n
                number[m] += 1
    merit, best = _merit(kind, bits, weights, kl_max, penalty, prices)
    best_path = served.copy()
    kept = np.zeros(stations)
    back = np.zeros(rows, dtype=np.int64)
    temperature, factor = hot, (cold / hot) ** (1.0 / moves)
    for _ in range(moves):
        temperature *= factor
        kept[:] = bits
        if random.random() < 0.2 and len(paths):
            w = int(random.random() * (windows))
            path = first_path[w] + int(random.random() * (first_path[w + 1] - first_path[w]))
            low, high = start[w], start[w + 1]
            back[low:high] = served[low:high]
            for m in range(low, high):
                if served[m] != paths[path, m - low]:
                    _replace(table, served, bits, m, paths[path, m - low])
        else:
            left = int(random.random() * (rows))
            right = left + 1
            while right < rows and random.random() < 0.7:
                right += 1
            station = choices[left, int(random.random() * (number[left]))]
            low, high = max(left - switch_intervals, 0), min(right + switch_intervals, rows)
            back[low:high] = served[low:high]
            for m in range(low, high):
                inside = left <= m < right
                new = served[m]
                if inside:
                    new = station if station >= 0 and table[m, station] > 0.0 else -1
                elif station >= 0 and served[m] >= 0 and served[m] != station:
                    new = -1
                if new != served[m]:
                    _replace(table, served, bits, m, new)
        new_merit, value = _merit(kind, bits, weights, kl_max, penalty, prices)
        if new_merit >= merit or random.random() < np.exp((new_merit - merit) / temperature):
            merit = new_merit
            if value > best:
                best = value
                best_path[:] = served
        else:
            served[low:high] = back[low:high]
            bits[:] = kept
    return best, best_path
