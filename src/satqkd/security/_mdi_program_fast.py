"""Compiled bound on the single photons' yield by linear programming, for optimisers only.

The program of ``_mdi_decoy.program`` (four equations, every variable in a box) by the dual simplex method: in a box
every basis is dual feasible, so the search starts without a first phase. The value returned is that of the dual vector
reached, a bound whether or not the search was complete.

Import this module inside functions only: it loads Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from satqkd.security._compiled import FLOAT, INT, MATRIX, VECTOR, VOID, compiled, helper

__all__ = ["CUT", "bound", "fill"]

CUT = 20
_STEPS = 300
_COLUMNS = CUT * CUT


@compiled(VOID(FLOAT, FLOAT, FLOAT, FLOAT, VECTOR, MATRIX, VECTOR), allocates=False)
def fill(mu_a: float, nu_a: float, mu_b: float, nu_b: float, paired: Any, rows: Any, cap: Any) -> None:
    """Equations and upper ends for the paired gains of (mu, mu), (mu, nu), (nu, mu), (nu, nu)."""
    ratio_a, ratio_b = nu_a / mu_a, nu_b / mu_b
    weight = (1.0, paired[0] / paired[1], paired[0] / paired[2], paired[0] / paired[3])
    sent_a, power_a = 1.0 / paired[0], 1.0
    column = 0
    for i in range(1, CUT + 1):
        sent_a *= mu_a / i
        power_a *= ratio_a
        sent, power_b = sent_a, 1.0
        for j in range(1, CUT + 1):
            sent *= mu_b / j
            power_b *= ratio_b
            rows[0, column] = weight[0]
            rows[1, column] = weight[1] * power_b
            rows[2, column] = weight[2] * power_a
            rows[3, column] = weight[3] * power_a * power_b
            largest = max(max(rows[0, column], rows[1, column]), max(rows[2, column], rows[3, column]))
            cap[column] = min(sent, 1.0 / largest)
            column += 1
    above_mu_a, above_nu_a, above_mu_b, above_nu_b = math.exp(mu_a), math.exp(nu_a), math.exp(mu_b), math.exp(nu_b)
    for i in range(1, CUT + 2):
        above_mu_a *= mu_a / i
        above_nu_a *= nu_a / i
        above_mu_b *= mu_b / i
        above_nu_b *= nu_b / i
    for r in range(4):
        a, over_a = (mu_a, above_mu_a) if r < 2 else (nu_a, above_nu_a)
        b, over_b = (mu_b, above_mu_b) if r % 2 == 0 else (nu_b, above_nu_b)
        beyond = over_a * math.expm1(b) + over_b * math.expm1(a)
        for s in range(4):
            rows[s, _COLUMNS + r] = 1.0 if s == r else 0.0
        cap[_COLUMNS + r] = min(beyond / paired[r], 1.0)


@helper(FLOAT(FLOAT, INT, VECTOR, MATRIX))
def _reduced(sign: float, j: int, pi: Any, rows: Any) -> float:
    """Reduced cost of a column."""
    cost = sign if j == 0 else 0.0
    return float(cost - (pi[0] * rows[0, j] + pi[1] * rows[1, j] + pi[2] * rows[2, j] + pi[3] * rows[3, j]))


@helper(VOID(FLOAT, VECTOR, MATRIX, VECTOR))
def _multipliers(sign: float, basis: Any, inverse: Any, pi: Any) -> None:
    """Dual vector of a basis: only the first column has a cost."""
    for s in range(4):
        pi[s] = 0.0
        for r in range(4):
            if basis[r] == 0.0:
                pi[s] = sign * inverse[r, s]


@helper(FLOAT(MATRIX, MATRIX))
def _invert(matrix: Any, inverse: Any) -> float:
    """Gauss-Jordan inversion of a 4 x 4 matrix, which is destroyed; 0.0 if it has none worth using."""
    for r in range(4):
        for s in range(4):
            inverse[r, s] = 1.0 if r == s else 0.0
    for column in range(4):
        top = column
        for r in range(column, 4):
            if abs(matrix[r, column]) > abs(matrix[top, column]):
                top = r
        if abs(matrix[top, column]) < 1e-12:
            return 0.0
        for s in range(4):
            matrix[column, s], matrix[top, s] = matrix[top, s], matrix[column, s]
            inverse[column, s], inverse[top, s] = inverse[top, s], inverse[column, s]
        scale = 1.0 / matrix[column, column]
        for s in range(4):
            matrix[column, s] *= scale
            inverse[column, s] *= scale
        for r in range(4):
            if r != column:
                factor = matrix[r, column]
                for s in range(4):
                    matrix[r, s] -= factor * matrix[column, s]
                    inverse[r, s] -= factor * inverse[column, s]
    return 1.0


@compiled(FLOAT(FLOAT, MATRIX, VECTOR, VECTOR))
def bound(sign: float, rows: Any, cap: Any, basis: Any) -> float:
    """Lower (sign 1) or upper (sign -1) bound on the first variable, in units of the paired gain of (mu, mu).

    ``basis``: four columns to start from, such as those of a neighbouring program; those reached are left in it.
    """
    n = _COLUMNS + 4
    state = np.empty(n)  # 0 at the lower end, 1 at the upper, -1 basic
    inverse, work = np.empty((4, 4)), np.empty((4, 4))
    rest, values, pi, alpha, ratio = np.empty(4), np.empty(4), np.zeros(4), np.empty(n), np.empty(n)
    for r in range(4):
        for s in range(4):
            work[s, r] = rows[s, int(basis[r])]
    if _invert(work, inverse) == 0.0:
        for r in range(4):
            basis[r] = _COLUMNS + r
            for s in range(4):
                inverse[r, s] = 1.0 if r == s else 0.0
    _multipliers(sign, basis, inverse, pi)
    for s in range(4):
        rest[s] = 1.0
    for j in range(n):
        state[j] = 1.0 if _reduced(sign, j, pi, rows) < 0.0 else 0.0
    for r in range(4):
        state[int(basis[r])] = -1.0
    for j in range(n):
        if state[j] == 1.0:
            for s in range(4):
                rest[s] -= rows[s, j] * cap[j]
    for _ in range(_STEPS):
        leave, worst = -1, 0.0
        for r in range(4):
            values[r], norm = 0.0, 0.0
            for s in range(4):
                values[r] += inverse[r, s] * rest[s]
                norm += inverse[r, s] * inverse[r, s]
            beyond = max(-values[r], values[r] - cap[int(basis[r])])
            if beyond > 1e-11 and beyond * beyond > worst * norm:
                leave, worst = r, beyond * beyond / norm
        if leave < 0:
            break
        out = int(basis[leave])
        up = values[leave] < 0.0  # must grow
        slope = -values[leave] if up else values[leave] - cap[out]
        for j in range(n):
            alpha[j] = (
                inverse[leave, 0] * rows[0, j]
                + inverse[leave, 1] * rows[1, j]
                + inverse[leave, 2] * rows[2, j]
                + inverse[leave, 3] * rows[3, j]
            )
            helps = alpha[j] < 0.0 if (state[j] == 0.0) == up else alpha[j] > 0.0
            ratio[j] = math.inf
            if state[j] >= 0.0 and cap[j] > 0.0 and helps and abs(alpha[j]) > 1e-13:
                ratio[j] = abs(_reduced(sign, j, pi, rows)) / abs(alpha[j])
        # long step: a column whose whole box does not repair the row goes to its other end, and the next one is tried
        enter = -1
        while enter < 0:
            least, best, repair = math.inf, -1, 0.0
            for j in range(n):
                least = min(least, ratio[j])
            if least == math.inf:
                break
            for j in range(n):
                if ratio[j] <= least + 1e-12 and abs(alpha[j]) * cap[j] > repair:
                    best, repair = j, abs(alpha[j]) * cap[j]
            if best < 0:
                break
            if slope > repair:
                slope -= repair
                ratio[best] = math.inf
                for s in range(4):
                    rest[s] += rows[s, best] * cap[best] * (1.0 if state[best] == 1.0 else -1.0)
                state[best] = 1.0 - state[best]
            else:
                enter = best
        if enter < 0:
            break
        for s in range(4):
            if not up:
                rest[s] -= rows[s, out] * cap[out]
            if state[enter] == 1.0:
                rest[s] += rows[s, enter] * cap[enter]
        state[out], state[enter], basis[leave] = (0.0 if up else 1.0), -1.0, float(enter)
        for r in range(4):
            for s in range(4):
                work[s, r] = rows[s, int(basis[r])]
        if _invert(work, inverse) == 0.0:
            break
        _multipliers(sign, basis, inverse, pi)
    total = pi[0] + pi[1] + pi[2] + pi[3]
    for j in range(n):
        total += min(_reduced(sign, j, pi, rows), 0.0) * cap[j]
    return float(sign * total)
