"""Compiled linear program of the decoy-state estimate, with a bound that does not trust the solver.

Variables: detections n_i from i = 0 .. I photons, and the expectations y_j of the detections per intensity. Rows:
0 <= y_j - sum_i p(j|i) n_i <= T and sum_j y_j = n. Everything is divided by the total n. A bounded primal simplex on a
4-row tableau finds a basis; its multipliers pi then give, for *any* pi (weak duality), the bound
sum_r min(pi_r w_r) + sum_c min((c - pi A)_c x_c) over the boxes, from which an upper limit of all rounding errors is
subtracted. A wrong basis can make the bound loose, never too good.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

ROUNDING = 5e-16
"""Relative error granted to every coefficient and product, per photon number and for at least 20 of them: the power of
the i-th takes up to i units of rounding (2.2e-16), everything else less than 10."""
FEASIBLE = 1e-13
"""Tolerance of the simplex method on the bounds, relative to the total; plays no part in the certified bound."""


@njit(cache=True, error_model="numpy")
def label_probabilities(intensities, probabilities, photon_cut, out):  # type: ignore[no-untyped-def]
    """p(j|i) for i = 0 .. I into ``out`` (3, I+1); returns the probability of more than I photons."""
    tail = 0.0
    for j in range(3):
        ratio = intensities[j] / intensities[0]
        out[j, 0] = probabilities[j] * math.exp(intensities[0] - intensities[j])
        for i in range(1, photon_cut + 1):
            out[j, i] = out[j, i - 1] * ratio
    for i in range(photon_cut + 1):
        total = 1.0 / (out[0, i] + out[1, i] + out[2, i])
        for j in range(3):
            out[j, i] *= total
    for j in range(3):
        mu = intensities[j]
        if mu > 0.0:
            term = probabilities[j] * math.exp((photon_cut + 1) * math.log(mu) - mu - math.lgamma(photon_cut + 2.0))
            i = photon_cut + 1
            while term > 0.0:
                tail += term
                i += 1
                term *= mu / i
                if term < 1e-18 * tail and i > mu:
                    break
    return min(tail, 1.0)


@njit(cache=True, error_model="numpy")
def _certified(sign, pi, label, lower, upper, slack, columns):  # type: ignore[no-untyped-def]
    """Lower bound of sign * n_1 / n from the multipliers ``pi``, minus an upper limit of the rounding errors."""
    bound, error = 0.0, 0.0
    worst = 0.0
    for i in range(columns):
        cost = sign if i == 1 else 0.0
        reduced, size = cost, abs(cost)
        for j in range(3):
            reduced += pi[j] * label[j, i]
            size += abs(pi[j]) * label[j, i]
        worst = max(worst, size)  # the n_i add up to n at most
        if reduced < 0.0:
            bound += reduced
            error += size
    error += worst
    for j in range(3):
        reduced = -pi[j] - pi[3]
        bound += reduced * (lower[j] if reduced > 0.0 else upper[j])
        error += (abs(pi[j]) + abs(pi[3])) * upper[j]
        if pi[j] < 0.0:
            bound += pi[j] * slack
            error -= pi[j] * slack
    bound += pi[3]
    error += abs(pi[3])
    return bound - ROUNDING * max(columns - 1.0, 20.0) * error


@njit(cache=True, error_model="numpy")
def single_photon_bounds(total, expected_lower, expected_upper, tail_count, label):  # type: ignore[no-untyped-def]
    """Certified lower and upper bound on the single-photon detections, and 0, or 1 if there is no solution."""
    if total <= 0.0:
        return 0.0, 0.0, 0
    columns = label.shape[1]
    size = columns + 7
    slack = tail_count / total
    low, high = np.zeros(size), np.zeros(size)
    for c in range(size):
        high[c] = 1.0
    table = np.zeros((4, size))
    for j in range(3):
        low[columns + j] = expected_lower[j] / total
        high[columns + j] = expected_upper[j] / total
        high[columns + 3 + j] = slack
        for i in range(columns):
            table[j, i] = label[j, i]
        table[j, columns + j] = -1.0
        table[3, columns + j] = -1.0
    low[size - 1] = 1.0
    basis, basic = np.zeros(4, np.int64), np.zeros(size, np.int64)
    at_upper = np.zeros(size, np.int64)
    value = np.zeros(size)
    for c in range(size):
        value[c] = low[c]
    for r in range(4):
        basis[r] = columns + 3 + r
        basic[columns + 3 + r] = 1
        table[r, columns + 3 + r] = 1.0
    for r in range(3):
        value[columns + 3 + r] = low[columns + r]
    value[size - 1] = low[columns] + low[columns + 1] + low[columns + 2]

    pi, wrong, result = np.zeros(4), np.zeros(4), np.zeros(2)
    for goal in range(2):
        sign = 1.0 if goal == 0 else -1.0
        for step in range(300):
            # direction in which each basic variable violates its bounds
            violation = 0.0
            for r in range(4):
                wrong[r] = 0.0
                x = value[basis[r]]
                if x < low[basis[r]] - FEASIBLE:
                    wrong[r] = -1.0
                    violation += low[basis[r]] - x
                elif x > high[basis[r]] + FEASIBLE:
                    wrong[r] = 1.0
                    violation += x - high[basis[r]]
            repairing = violation > 0.0
            row_of_target = -1
            for r in range(4):
                if basis[r] == 1:
                    row_of_target = r
            entering, best = -1, 1e-13
            for c in range(size):
                if basic[c] == 1 or low[c] >= high[c]:
                    continue
                if repairing:
                    reduced = 0.0
                    for r in range(4):
                        reduced -= wrong[r] * table[r, c]
                else:
                    reduced = sign if c == 1 else 0.0
                    if row_of_target >= 0:
                        reduced -= sign * table[row_of_target, c]
                gain = reduced if at_upper[c] == 1 else -reduced
                if gain > best:
                    entering, best = c, gain
                    if step > 100:
                        break
            if entering < 0:
                if repairing and violation > 1e-11:
                    return 0.0, 0.0, 1
                break
            direction = -1.0 if at_upper[entering] == 1 else 1.0
            length, leaving, to_upper, pivot = high[entering] - low[entering], -1, False, 0.0
            for r in range(4):
                rate = -table[r, entering] * direction
                if abs(rate) < 1e-11:
                    continue
                x = value[basis[r]]
                if wrong[r] != 0.0 and rate * wrong[r] > 0.0:
                    continue
                upper_end = wrong[r] > 0.0 if wrong[r] != 0.0 else rate > 0.0
                limit = ((high[basis[r]] if upper_end else low[basis[r]]) - x) / rate
                limit = max(limit, 0.0)
                if limit < length or (limit == length and leaving >= 0 and abs(rate) > pivot):
                    length, leaving, to_upper, pivot = limit, r, upper_end, abs(rate)
            for r in range(4):
                value[basis[r]] -= table[r, entering] * direction * length
            if leaving < 0:
                at_upper[entering] = 1 - at_upper[entering]
                value[entering] = high[entering] if at_upper[entering] == 1 else low[entering]
                continue
            out = basis[leaving]
            value[entering] += direction * length
            value[out] = high[out] if to_upper else low[out]
            basic[out], at_upper[out] = 0, (1 if to_upper else 0)
            basic[entering] = 1
            basis[leaving] = entering
            scale = 1.0 / table[leaving, entering]
            for c in range(size):
                table[leaving, c] *= scale
            for r in range(4):
                if r != leaving:
                    factor = table[r, entering]
                    if factor != 0.0:
                        for c in range(size):
                            table[r, c] -= factor * table[leaving, c]
        # the multiplier of a row is the reduced cost of its slack variable
        for r in range(4):
            pi[r] = 0.0
        for r in range(4):
            if basis[r] == 1:
                for k in range(4):
                    pi[k] = -sign * table[r, columns + 3 + k]
        result[goal] = _certified(sign, pi, label, low[columns:], high[columns:], slack, columns)
    rounding = ROUNDING * max(columns - 1.0, 20.0)
    lower = max(result[0], 0.0) * total * (1.0 - rounding)
    upper = min(-result[1], 1.0) * total * (1.0 + rounding)
    return lower, min(upper, total), 0
