"""Compiled un-clamped finite key of :mod:`satqkd.security._mdi_analysis`, for optimisers only.

The same formulas, summed over the instants of a block. Smooth stand-ins for what is rounded to whole numbers there: a
Cornish-Fisher quantile for the pairs of the key basis, and a closed form close to the hypergeometric inversion. A
number that is reported comes from the exact functions at the optimum found here.

Import this module inside functions only: it loads Numba.
"""

from __future__ import annotations

import math
from typing import Any

from satqkd.security._compiled import FLOAT, TWO, VECTOR, compiled, helper
from satqkd.security._lim2014_fast import leaked, phase_error
from satqkd.security._mdi_clicks_fast import decoys, entropy, x_clicks, z_clicks

__all__ = ["BOUND_CODES", "HEADER", "PARAMETERS", "block_key"]

HEADER = 14
"""Instants; dark counts, misalignment, overlap, inefficiency; beta, code of the bound; constant bits; code of the
leakage, logarithm and normal quantile of the correctness; normal quantile of a bound; code of the sampling; least
ratio of decoy to signal. Then the columns: transmittances of a and b, pulse pairs."""
BOUND_CODES = {"asymptotic": 0.0, "chernoff": 1.0, "chernoff-implicit": 2.0, "hoeffding": 3.0}
PARAMETERS = 11
"""mu of a and b, ratio and balance of the decoys, signals of a and b, probability of mu and share of nu in the rest of
a, the same of b, probability of Z."""


@helper(FLOAT(FLOAT))
def _excess(u: float) -> float:
    """The function u - ln(1 + u), without cancellation near 0."""
    if abs(u) > 0.1:
        return u - math.log1p(u)
    v = u / (2.0 + u)
    square, power, rest = v * v, v, 0.0
    for k in range(3, 33, 2):
        power *= square
        rest += power / k
    return u * v - 2.0 * rest


@helper(FLOAT(FLOAT, FLOAT))
def _root(start: float, c: float) -> float:
    u = start
    for _ in range(50):
        if u <= -1.0:
            return -1.0
        step = (_excess(u) - c) * (1.0 + u) / u
        u -= step
        if abs(step) <= 1e-13 * abs(u):
            break
    return max(u, -1.0)


@helper(TWO(FLOAT, FLOAT, FLOAT, FLOAT))
def _widths(count: float, total: float, beta: float, code: float) -> tuple[float, float]:
    """How far the expectation may be below and above a count."""
    if code == 0.0:
        return 0.0, 0.0
    if code == 3.0:
        delta = math.sqrt(0.5 * total * beta)
        return delta, delta
    if code == 1.0:
        return (
            0.5 * beta + math.sqrt(2.0 * beta * count + 0.25 * beta * beta),
            beta + math.sqrt(2.0 * beta * count + beta * beta),
        )
    if count <= beta * 1e-15:
        return count, beta + (count * (math.log(beta) - math.log(count)) if count > 0.0 else 0.0)
    c = beta / count
    s = math.sqrt(2.0 * c)
    if c < 0.5:
        below, above = -s + s * s / 3.0, s + s * s / 3.0
    else:
        below, above = math.exp(-1.0 - c) - 1.0, c + math.log1p(c + s)
    return -count * _root(below, c), count * _root(above, c)


@helper(TWO(VECTOR, FLOAT, FLOAT, VECTOR, FLOAT))
def _test_counts(p: Any, mu_a: float, mu_b: float, data: Any, share: float) -> tuple[float, float]:
    """Successes and errors in X of one pair of intensities chosen with probability ``share``."""
    n, successes, errors = int(data[0]), 0.0, 0.0
    for i in range(n):
        gain, wrong = x_clicks(mu_a * data[HEADER + i], mu_b * data[HEADER + n + i], data[1], data[2], data[3])
        successes += data[HEADER + 2 * n + i] * gain
        errors += data[HEADER + 2 * n + i] * wrong
    weight = share * (1.0 - p[10]) * (1.0 - p[10])
    return weight * successes, weight * errors


@helper(FLOAT(FLOAT, FLOAT, VECTOR))
def _in_key_basis(test_pairs: float, share: float, data: Any) -> float:
    """Pairs of single photons in Z for those in X."""
    if data[12] == 0.0:
        return test_pairs * share / (1.0 - share)
    total = (test_pairs - _widths(test_pairs, 0.0, data[5], 2.0)[0]) / (1.0 - share)
    z = data[11]
    spread = z * math.sqrt(max(total * share * (1.0 - share), 0.0))
    return float(max(total * share - spread + (z * z - 1.0) * (1.0 - 2.0 * share) / 6.0, 0.0))


@compiled(FLOAT(VECTOR, VECTOR), allocates=False)
def block_key(p: Any, data: Any) -> float:
    """Un-clamped key of a block where it is positive; else per sifted bit, which fewer pulses in Z do not raise."""
    p_z = p[10]
    n, n_key, m_key = int(data[0]), 0.0, 0.0
    for i in range(n):
        gain, wrong = z_clicks(p[4] * data[HEADER + i], p[5] * data[HEADER + n + i], data[1], data[2], data[3])
        n_key += data[HEADER + 2 * n + i] * gain * p_z * p_z
        m_key += data[HEADER + 2 * n + i] * wrong * p_z * p_z
    ratio_a, ratio_b = decoys(p[2], p[3], data[13])
    mu_a, nu_a, mu_b, nu_b = p[0], ratio_a * p[0], p[1], ratio_b * p[1]
    chances_a = (p[6], (1.0 - p[6]) * p[7], (1.0 - p[6]) * (1.0 - p[7]))
    chances_b = (p[8], (1.0 - p[8]) * p[9], (1.0 - p[8]) * (1.0 - p[9]))
    levels_a, levels_b = (mu_a, nu_a, 0.0), (mu_b, nu_b, 0.0)
    square_a = mu_a * nu_b <= mu_b * nu_a
    m, other = (mu_a, mu_b) if square_a else (mu_b, mu_a)
    k, k_other = (nu_a, nu_b) if square_a else (nu_b, nu_a)
    weak, strong = m / (k * k_other * (m - k)), k / (m * other * (m - k))
    # coefficients of the counts of (mu, nu, 0) x (mu, nu, 0) in the yield and in the error bound
    of_yield = (-strong, 0.0, strong, 0.0, weak, -weak, strong, -weak, weak - strong)
    of_error = (0.0, 0.0, 0.0, 0.0, 1.0, -1.0, 0.0, -1.0, 1.0)
    total, wrong_total = 0.0, 0.0
    if data[6] == 3.0:  # only Hoeffding's inequality needs the totals
        for r in range(9):
            n_r, m_r = _test_counts(p, levels_a[r // 3], levels_b[r % 3], data, chances_a[r // 3] * chances_b[r % 3])
            total += n_r
            wrong_total += m_r
    pair, error = 0.0, 0.0
    for r in range(9):
        if of_yield[r] == 0.0:
            continue
        share = chances_a[r // 3] * chances_b[r % 3]
        count, wrong = _test_counts(p, levels_a[r // 3], levels_b[r % 3], data, share)
        scale = math.exp(levels_a[r // 3] + levels_b[r % 3]) / share
        below, above = _widths(count, total, data[5], data[6])
        pair += of_yield[r] * scale * (max(count - below, 0.0) if of_yield[r] > 0.0 else count + above)
        if of_error[r] != 0.0:
            below, above = _widths(wrong, wrong_total, data[5], data[6])
            error += of_error[r] * scale * (wrong + above if of_error[r] > 0.0 else max(wrong - below, 0.0))
    singles_a = chances_a[0] * mu_a * math.exp(-mu_a) + chances_a[1] * nu_a * math.exp(-nu_a)
    singles_b = chances_b[0] * mu_b * math.exp(-mu_b) + chances_b[1] * nu_b * math.exp(-nu_b)
    singles = singles_a * singles_b
    test_raw, test_errors = singles * pair, max(singles * error / (nu_a * nu_b), 0.0)
    pairs_key = p_z * p_z * p[4] * p[5] * math.exp(-p[4] - p[5])
    pairs_test = (1.0 - p_z) * (1.0 - p_z) * singles
    if n_key <= 0.0:
        return -1e30
    leak = leaked(n_key, m_key / n_key, data[8], data[4], data[9], data[10])
    secret = min(test_raw, 0.0)
    if test_raw > 0.0:
        key_pairs = min(_in_key_basis(test_raw, pairs_key / (pairs_key + pairs_test), data), n_key)
        if 2.0 * test_errors >= test_raw:
            secret = test_raw - 2.0 * test_errors
        elif key_pairs > 0.0:
            secret = key_pairs * (1.0 - entropy(phase_error(test_errors, test_raw, key_pairs, data[12], 0.0, data[11])))
    raw = secret - leak - data[7]
    return float(raw if raw > 0.0 else raw / n_key)
