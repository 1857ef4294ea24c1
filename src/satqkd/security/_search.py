"""Compiled Nelder-Mead search in unconstrained coordinates, for any objective of :mod:`satqkd.security.optimise`.

Import this module inside functions only: it loads Numba. ``search.py_func`` is the same search in plain Python, for
objectives that are not compiled.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types

__all__ = ["FIXED", "INTERVAL", "SIMPLEX", "decode", "search"]

FIXED, INTERVAL, SIMPLEX = 0.0, 1.0, 2.0
"""Kinds of a parameter, first column of the table, one row per parameter.

Fixed: column 1 is the value; column 3 is -2 for a member of the simplex. Interval: columns 1 and 2 are its ends; column
3 is the parameter that limits the upper end further (-1: none), by the factor in column 4, and column 5 a parameter
whose sum with this one stays below the limiting one (-1: none). Simplex: column 5 is 0 for the last free member, whose
coordinate is 0, else -1. A parameter that limits another one stands before it or is fixed."""

_F, _V, _M = types.float64, types.float64[::1], types.float64[:, ::1]
_OBJECTIVE = types.FunctionType(_F(_V, _V))


@njit(types.void(_V, _M, _V), cache=True)  # type: ignore[untyped-decorator]
def decode(z: Any, table: Any, p: Any) -> None:
    """Parameters of the coordinates ``z``, written into ``p``."""
    at, mass = 0, 1.0
    for i in range(p.size):  # the last free member of the simplex has the coordinate 0
        if table[i, 0] == 0.0:
            p[i] = table[i, 1]
            if table[i, 3] == -2.0:
                mass -= p[i]
    weight = 0.0
    for i in range(p.size):
        if table[i, 0] == 1.0:
            lo, hi = table[i, 1], table[i, 2]
            if table[i, 3] >= 0.0:
                limit = p[int(table[i, 3])]
                hi = min(hi, table[i, 4] * limit)
                if table[i, 5] >= 0.0:
                    hi = min(hi, 0.999999 * (limit - p[int(table[i, 5])]))
            p[i] = lo + (hi - lo) / (1.0 + math.exp(-z[at]))
            at += 1
        elif table[i, 0] == 2.0:
            power = 0.0
            if table[i, 5] < 0.0:  # not the last
                power = z[at]
                at += 1
            p[i] = math.exp(min(max(power, -40.0), 40.0))
            weight += p[i]
    for i in range(p.size):
        if table[i, 0] == 2.0:
            p[i] *= mass / weight


@njit(cache=True)  # type: ignore[untyped-decorator]
def _value(objective: Any, z: Any, table: Any, data: Any, p: Any) -> float:
    decode(z, table, p)
    for i in range(p.size):
        if table[i, 0] == 1.0 and not p[i] > table[i, 1]:
            return -math.inf  # an empty interval: a fixed parameter leaves no room
    value = objective(p, data)
    return value if value == value else -math.inf


@njit(
    types.Tuple((_F, _F, _F))(_OBJECTIVE, _V, _F, _F, _F, _M, _V, _V), cache=True
)  # type: ignore[untyped-decorator]
def _simplex(
    objective: Any, z: Any, step: float, tolerance: float, most: float, table: Any, data: Any, p: Any
) -> tuple[float, float, float]:
    """One Nelder-Mead run from ``z``, overwritten by the best point: value, evaluations, 1 if it converged."""
    d = z.size
    inner = max(float(d), 2.0)
    expand, contract, shrink = 1.0 + 2.0 / inner, 0.75 - 0.5 / inner, 1.0 - 1.0 / inner
    corner, value = np.empty((d + 1, d)), np.empty(d + 1)
    trial, other, centre = np.empty(d), np.empty(d), np.empty(d)
    for j in range(d + 1):
        corner[j] = z
        if j > 0:
            corner[j, j - 1] += step
        value[j] = _value(objective, corner[j], table, data, p)
    used, done = float(d + 1), 0.0
    while used < most:
        low, second, high = 0, 0, 0
        for j in range(d + 1):
            if value[j] < value[low]:
                low = j
            if value[j] > value[high]:
                high = j
        second = high
        for j in range(d + 1):
            if j != low and value[j] < value[second]:
                second = j
        if value[high] - value[low] <= tolerance * (abs(value[high]) + 1.0):
            done = 1.0
            break
        for i in range(d):
            total = 0.0
            for j in range(d + 1):
                if j != low:
                    total += corner[j, i]
            centre[i] = total / d
            trial[i] = 2.0 * centre[i] - corner[low, i]
        found = _value(objective, trial, table, data, p)
        used += 1.0
        if found > value[high]:
            for i in range(d):
                other[i] = centre[i] + expand * (trial[i] - centre[i])
            further = _value(objective, other, table, data, p)
            used += 1.0
            if further > found:
                corner[low], value[low] = other, further
            else:
                corner[low], value[low] = trial, found
            continue
        if found > value[second]:
            corner[low], value[low] = trial, found
            continue
        outside = found > value[low]
        for i in range(d):
            base = trial[i] if outside else corner[low, i]
            other[i] = centre[i] + contract * (base - centre[i])
        nearer = _value(objective, other, table, data, p)
        used += 1.0
        if nearer > max(found, value[low]) or (outside and nearer >= found):
            corner[low], value[low] = other, nearer
            continue
        for j in range(d + 1):
            if j != high:
                for i in range(d):
                    corner[j, i] = corner[high, i] + shrink * (corner[j, i] - corner[high, i])
                value[j] = _value(objective, corner[j], table, data, p)
                used += 1.0
    high = 0
    for j in range(d + 1):
        if value[j] > value[high]:
            high = j
    for i in range(d):
        z[i] = corner[high, i]
    return value[high], used, done


@njit(
    types.Tuple((_F, _F, _F))(_OBJECTIVE, _M, _F, _F, _F, _M, _V, _V, _V), cache=True
)  # type: ignore[untyped-decorator]
def search(
    objective: Any, starts: Any, step: float, tolerance: float, most: float, table: Any, data: Any, best: Any, p: Any
) -> tuple[float, float, float]:
    """Best of several starts, then restarts from it until one gains nothing; the point is written into ``best``."""
    used, found = 0.0, -math.inf
    z = np.empty(best.size)
    for s in range(starts.shape[0]):
        z[:] = starts[s]
        value, count, _ = _simplex(objective, z, step, 1e-5, min(most, 150.0 * (z.size + 1.0)), table, data, p)
        used += count
        if s == 0 or value > found:
            found = value
            best[:] = z
    reach, converged = 0.5 * step, 0.0
    for _ in range(12):
        z[:] = best
        value, count, done = _simplex(objective, z, reach, tolerance, max(most - used, 0.0), table, data, p)
        used += count
        gain = value - found
        if value >= found:
            found = value
            best[:] = z
        if done > 0.0 and gain <= 10.0 * tolerance * (abs(found) + 1.0):
            converged = 1.0
            break
        if used >= most:
            break
        reach = max(-0.5 * reach, -0.2) if reach > 0.0 else -0.7 * reach
    return found, used, converged
