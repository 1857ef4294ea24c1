"""The full linear program of the decoy-state estimate: every photon number's source statistics are constraints.

Solved by HiGHS; the bound is not the solver's optimum but the value of its dual vector, which is valid for any vector
(weak duality), minus an upper limit of the rounding errors.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROUNDING = 1e-14


def single_photon_bounds(
    total: float, lower: Array, upper: Array, sent: float, label: Array, photon: Array, beyond: float, eps: float
) -> tuple[float, float, bool]:
    """Certified bounds on the single-photon detections, and whether the program has a solution.

    ``sent``: Alice's pulses in the basis; ``photon``: probabilities p_i of i = 0 .. I photons, ``beyond``: of more.
    Variables n_i, delta_i (i = 0 .. I), y_j, delta_>I, all over ``total``.
    """
    from satqkd.security._tail_kernels import upper_threshold

    if total <= 0.0:
        return 0.0, 0.0, True
    n, log_eps = photon.size, math.log(eps)

    def range_of(p: float, q: float) -> tuple[float, float]:  # thresholds of a binomial count minus its mean
        return sent - upper_threshold(sent, q, p, log_eps) - p * sent, upper_threshold(sent, p, q, log_eps) - p * sent

    size = 2 * n + 4
    y, last = 2 * n, size - 1
    box = np.zeros((size, 2))
    box[:n, 1] = 1.0
    for i in range(n):
        box[n + i] = range_of(photon[i], _complement(photon, i, beyond))
    box[last] = range_of(beyond, 1.0 - beyond)
    within_upper, within_lower = -box[last, 0], -box[last, 1]  # the other photon numbers: the complement
    box[n:] /= total
    box[y : y + 3] = np.column_stack((lower, upper)) / total
    box[last, 1] = max(box[last, 1], box[last, 0])

    at_most, limit = np.zeros((8 + n, size)), np.zeros(8 + n)
    for j in range(3):
        at_most[j, :n], at_most[j, y + j] = label[j], -1.0
        at_most[3 + j, :n], at_most[3 + j, y + j], at_most[3 + j, last] = -label[j], 1.0, -1.0
        limit[3 + j] = sent * beyond / total
    at_most[6, n : 2 * n], limit[6] = 1.0, within_upper / total
    at_most[7, n : 2 * n], limit[7] = -1.0, -within_lower / total
    for i in range(n):
        at_most[8 + i, i], at_most[8 + i, n + i] = 1.0, -1.0
        limit[8 + i] = photon[i] * sent / total
    equal, value = np.zeros((2, size)), np.array([1.0, 0.0])
    equal[0, y : y + 3] = 1.0
    equal[1, n : 2 * n] = equal[1, last] = 1.0
    return _solve(total, at_most, limit, equal, value, box)


def _solve(
    total: float, at_most: Array, limit: Array, equal: Array, value: Array, box: Array
) -> tuple[float, float, bool]:
    from scipy.optimize import linprog

    ends = []
    for sign in (1.0, -1.0):
        cost = np.zeros(box.shape[0])
        cost[1] = sign
        found = linprog(cost, A_ub=at_most, b_ub=limit, A_eq=equal, b_eq=value, bounds=box, method="highs-ds")
        if found.status == 2:
            return 0.0, 0.0, False
        if found.status == 0:
            pi = np.concatenate((np.minimum(found.ineqlin.marginals, 0.0), found.eqlin.marginals))
        else:  # no usable vector: zero multipliers give the trivial bound
            pi = np.zeros(limit.size + value.size)
        ends.append(dual_bound(cost, np.vstack((at_most, equal)), np.concatenate((limit, value)), box, pi))
    return max(ends[0], 0.0) * total * (1.0 - ROUNDING), min(-ends[1], 1.0) * total, True


def dual_bound(cost: Array, rows: Array, limits: Array, box: Array, pi: Array) -> float:
    """Lower bound of the minimum of cost x over the box with rows x <= limits (pi <= 0) or rows x = limits.

    Holds for every ``pi`` of the right sign; each product is granted a relative error of ``ROUNDING``.
    """
    reduced = cost - pi @ rows
    error = np.abs(cost) + np.abs(pi) @ np.abs(rows)
    ends = np.where(reduced > 0.0, box[:, 0], box[:, 1])
    largest = np.abs(box).max(axis=1)
    bound = math.fsum((pi * limits).tolist()) + math.fsum((reduced * ends).tolist())
    return float(bound - ROUNDING * (error @ largest + np.abs(pi) @ np.abs(limits)))


def _complement(photon: Array, i: int, beyond: float) -> float:
    """1 - p_i as a sum of positive terms."""
    return float(photon[:i].sum() + photon[i + 1 :].sum() + beyond)
