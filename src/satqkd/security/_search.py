"""Compiled Nelder-Mead search in unconstrained coordinates, for any objective of :mod:`satqkd.security.optimise`.

Import this module inside functions only: it loads Numba. :func:`plain_search` gives the same search in plain Python,
for objectives that are not compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from satqkd.security._compiled import FLOAT, FUNCTION, INT, MATRIX, THREE, VECTOR, VOID, compiled, helper

__all__ = ["FIXED", "INTERVAL", "SIMPLEX", "decode", "plain_search", "search"]

FIXED, INTERVAL, SIMPLEX = 0.0, 1.0, 2.0
"""Kinds of a parameter, first column of the table, one row per parameter.

Fixed: column 1 is the value; column 3 is -2 for a member of the simplex. Interval: columns 1 and 2 are its ends; column
3 is the parameter that limits the upper end further (-1: none), by the factor in column 4, and column 5 a parameter
whose sum with this one stays below the limiting one (-1: none). Simplex: column 5 is 0 for the last free member, whose
coordinate is 0, else -1. A parameter that limits another one stands before it or is fixed."""


@helper(FLOAT(MATRIX, INT, MATRIX, VECTOR))
def _decode(x: Any, row: int, table: Any, p: Any) -> float:
    """Parameters of the coordinates in a row of ``x``, written into ``p``, but for the fixed ones.

    Returns 0.0 if an interval is empty, else 1.0.
    """
    at, mass, weight, room = 0, 1.0, 0.0, 1.0
    for i in range(p.size):
        kind = table[i, 0]
        if kind == 1.0:
            lo, hi = table[i, 1], table[i, 2]
            if table[i, 3] >= 0.0:
                limit = p[int(table[i, 3])]
                hi = min(hi, table[i, 4] * limit)
                if table[i, 5] >= 0.0:
                    hi = min(hi, 0.999999 * (limit - p[int(table[i, 5])]))
            p[i] = lo + (hi - lo) / (1.0 + math.exp(-x[row, at]))
            if not p[i] > lo:
                room = 0.0
            at += 1
        elif kind == 2.0:
            p[i] = 1.0
            if table[i, 5] < 0.0:  # not the last, whose coordinate is 0
                p[i] = math.exp(min(max(x[row, at], -40.0), 40.0))
                at += 1
            weight += p[i]
        elif table[i, 3] == -2.0:
            mass -= table[i, 1]
    share = mass / weight if weight > 0.0 else 1.0
    for i in range(p.size):
        if table[i, 0] == 2.0:
            p[i] *= share
    return room


@compiled(VOID(VECTOR, MATRIX, VECTOR))
def decode(z: Any, table: Any, p: Any) -> None:
    """Parameters of the coordinates ``z``, written into ``p``."""
    for i in range(p.size):
        if table[i, 0] == 0.0:
            p[i] = table[i, 1]
    _decode(z.reshape((1, z.size)), 0, table, p)


@helper(FLOAT(FUNCTION, MATRIX, INT, MATRIX, VECTOR, VECTOR))
def _value(objective: Any, x: Any, row: int, table: Any, data: Any, p: Any) -> float:
    if _decode(x, row, table, p) == 0.0:
        return -math.inf  # an empty interval: a fixed parameter leaves no room
    value = float(objective(p, data))
    return value if value == value else -math.inf


@helper(THREE(FUNCTION, MATRIX, VECTOR, FLOAT, FLOAT, FLOAT, MATRIX, VECTOR, VECTOR))
def _simplex(
    objective: Any, x: Any, value: Any, step: float, tolerance: float, most: float, table: Any, data: Any, p: Any
) -> tuple[float, float, float]:
    """One Nelder-Mead run from the first row of ``x``, which ends as the best point: value, evaluations, converged.

    Rows 0 .. d are the corners. Then their sum; the way from the lowest to the centre of the others, along which
    every new corner lies; and the point under trial. ``value``: of the corners.
    """
    d = x.shape[1]
    sums, way, trial = d + 1, d + 2, d + 3
    inner = max(float(d), 2.0)
    used, done, high = 0.0, 0.0, 0
    shrink = 0.0  # 0: the corners are set up
    while used < most:
        if shrink < 1.0:
            for j in range(d + 1):
                for i in range(d):
                    if shrink > 0.0:
                        x[j, i] = x[high, i] + shrink * (x[j, i] - x[high, i])
                    elif j > 0:
                        x[j, i] = x[0, i] + step if i == j - 1 else x[0, i]
                if shrink == 0.0 or j != high:
                    value[j] = _value(objective, x, j, table, data, p)
                    used += 1.0
            for i in range(d):
                x[sums, i] = x[0, i]
                for j in range(1, d + 1):
                    x[sums, i] += x[j, i]
            shrink = 1.0
        low, second, high = 0, 1, 0
        if value[1] < value[0]:
            low, second = 1, 0
        for j in range(1, d + 1):
            if value[j] > value[high]:
                high = j
            if j > 1 and value[j] < value[second]:
                second = j
                if value[j] < value[low]:
                    low, second = j, low
        if value[high] - value[low] <= tolerance * (abs(value[high]) + 1.0):
            done = 1.0
            break
        for i in range(d):
            x[way, i] = (x[sums, i] - (d + 1.0) * x[low, i]) / float(d)
            x[trial, i] = x[low, i] + 2.0 * x[way, i]
        found = _value(objective, x, trial, table, data, p)
        used += 1.0
        length, good = 2.0, found > value[second]
        if found > value[high] or not good:
            further = 0.25 + 0.5 / inner
            if found > value[high]:
                further = 2.0 + 2.0 / inner
            elif found > value[low]:
                further = 1.75 - 0.5 / inner
            for i in range(d):
                x[trial, i] = x[low, i] + further * x[way, i]
            other = _value(objective, x, trial, table, data, p)
            used += 1.0
            if other > found or (not good and other > value[low] and other >= found):
                length, found, good = further, other, other > value[low]
        if good:
            for i in range(d):
                x[low, i] += length * x[way, i]
                x[sums, i] += length * x[way, i]
            value[low] = found
        else:
            shrink = 1.0 - 1.0 / inner
    high = 0
    for j in range(1, d + 1):
        if value[j] > value[high]:
            high = j
    for i in range(d):
        x[0, i] = x[high, i]
    return value[high], used, done


@compiled(THREE(FUNCTION, MATRIX, FLOAT, FLOAT, FLOAT, MATRIX, VECTOR, VECTOR))
def search(
    objective: Any, starts: Any, step: float, tolerance: float, most: float, table: Any, data: Any, p: Any
) -> tuple[float, float, float]:
    """Best of several starts, restarted until that gains nothing; the coordinates end in the first row of ``starts``.

    Returns the value, the evaluations used, and 1.0 if it converged.
    """
    d, count = starts.shape[1], starts.shape[0]
    decode(starts[0], table, p)  # what is fixed stays in p
    x, values = np.empty((d + 4, d)), np.empty(d + 1)
    used, best = 0.0, -math.inf
    reach, limit, accuracy = step, 150.0 * (d + 1.0), 1e-5
    for run in range(count + 12):
        if run == count:
            reach, limit, accuracy = 0.5 * step, most, tolerance
        source = run if run < count else 0
        for i in range(d):
            x[0, i] = starts[source, i]
        value, spent, done = _simplex(objective, x, values, reach, accuracy, min(limit, most - used), table, data, p)
        used += spent
        gain = value - best
        if run == 0 or gain >= 0.0:
            best = value
            for i in range(d):
                starts[0, i] = x[0, i]
        if used >= most:
            break
        if run >= count:
            if done > 0.0 and gain <= 10.0 * tolerance * (abs(best) + 1.0):
                return best, used, 1.0
            reach = max(-0.5 * reach, -0.2) if reach > 0.0 else -0.7 * reach
    return best, used, 0.0


@cache
def plain_search() -> Callable[..., tuple[float, float, float]]:
    """Return :func:`search` in plain Python, from the same source."""
    scope = dict(globals())
    for name in ("decode", "_decode", "_value", "_simplex", "search"):
        scope[name] = FunctionType(scope[name].py_func.__code__, scope, name)
    made: Callable[..., tuple[float, float, float]] = scope["search"]
    return made
