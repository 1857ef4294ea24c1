"""Compiled un-clamped key length of :mod:`satqkd.security.lim2014`, for optimisers only.

The same formulas as ``_lim2014.analyse`` on Gauss nodes instead of slots. Two smooth stand-ins keep it fast and free
of steps: a Cornish-Fisher quantile of the binomial, and a closed form close to the hypergeometric inversion. A number
that is reported comes from the exact functions at the optimum found here.

Import this module inside functions only: it loads Numba.
"""

from __future__ import annotations

import math
from typing import Any

from satqkd.security._compiled import FLOAT, FOUR, INT, SIX, THREE, TWO, VECTOR, compiled, helper

__all__ = ["BOUND_WIDTHS", "HEADER", "LEAKAGE_CODES", "SAMPLING_CODES", "leaked", "phase_error", "total_key"]

HEADER = 16
# Every bound is count - l - sqrt(a count + b total + l^2) and count + m + sqrt(a count + b total + m^2): a, b, l, m in
# units of beta. The closed Chernoff form stands in for the implicit one, which is never wider: a shift the search does
# not mind.
BOUND_WIDTHS = {
    "asymptotic": (0.0, 0.0, 0.0, 0.0),
    "chernoff": (2.0, 0.0, 0.5, 1.0),
    "chernoff-implicit": (2.0, 0.0, 0.5, 1.0),
    "hoeffding": (0.0, 0.5, 0.0, 0.0),
}
# The two exact forms differ in the failure probability only, which the caller turns into a normal quantile.
SAMPLING_CODES = {"none": 0.0, "lim2014": 1.0, "exact": 2.0, "exact-smooth": 2.0}
LEAKAGE_CODES = {"block": 0.0, "finite": 1.0, "achievable": 2.0, "published": 3.0, "published-eq9": 4.0, "satquma": 5.0}

_LN2 = math.log(2.0)
_INVERSE_LN2 = 1.0 / _LN2


@helper(FLOAT(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def leaked(n: float, q: float, code: float, f_ec: float, log_eps: float, z: float) -> float:
    """Leakage of n bits with error rate q by a model of ``LEAKAGE_CODES``; z: normal quantile of the correctness."""
    if q <= 0.0 or n <= 0.0:
        return 0.0
    if q >= 0.5:
        return n if code == 1.0 or code == 3.0 or code == 4.0 else f_ec * n
    log_q, log_rest = math.log(q), math.log(1.0 - q)
    shannon = -n * (q * log_q + (1.0 - q) * log_rest) * _INVERSE_LN2
    if code == 0.0:
        return f_ec * shannon
    leak = shannon
    if n >= 1.0:
        # Cornish-Fisher expansion of the quantile to the second order in 1/sigma; not rounded to a whole number
        variance = n * q * (1.0 - q)
        sigma = math.sqrt(variance)
        skew = 1.0 - 2.0 * q
        z2 = z * z
        third = (z2 * z - z + q * (1.0 - q) * (2.0 * z2 * z - 14.0 * z)) / 72.0
        excess = z * sigma + (z2 - 1.0) * skew / 6.0 - third / sigma
        offset = 1.0 if code == 4.0 else -1.0
        unit = _INVERSE_LN2 if code <= 2.0 else 1.0
        extra = (excess + offset) * (log_rest - log_q) - 0.5 * math.log(n) + log_eps
        leak = max(shannon, shannon + extra * unit)
    if code == 2.0 or code == 5.0:
        leak = max(leak, f_ec * shannon)
    return leak


@helper(FLOAT(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def phase_error(v: float, test: float, key: float, code: float, log_ratio: float, z: float) -> float:
    """Phase error rate from v errors in ``test`` items by a form of ``SAMPLING_CODES``; z: normal quantile."""
    b = v / test
    if code == 0.0:
        return min(b, 0.5)
    if 2.0 * v >= test:
        return 0.5
    if code == 1.0:
        if b <= 0.0:
            return 0.0
        inverse = 1.0 / test + 1.0 / key
        spread = (1.0 - b) * b
        logarithm = (math.log(inverse / spread) + 2.0 * log_ratio) * _INVERSE_LN2
        return min(b + math.sqrt(max(inverse * spread * logarithm, 0.0) * _INVERSE_LN2), 0.5)
    unsampled = key / (test + key)
    third = unsampled * z * z / 3.0
    spread = z * math.sqrt(unsampled * v * (1.0 - b) + (unsampled * z / 3.0) ** 2)
    marked = (v + third + spread) / test * (test + key)
    return min((marked - v) / key, 0.5)


@helper(FLOAT(FLOAT))
def _click(x: float) -> float:
    """1 - exp(-x) without a branch: a series at x/16 (2e-13 for x = 2), then four times 1 - (1 - c)^2."""
    y = 0.0625 * x
    tail = 1 / 120 - y * (1 / 720 - y * (1 / 5040 - y * (1 / 40320)))
    c = y * (1.0 - y * (1 / 2 - y * (1 / 6 - y * (1 / 24 - y * tail))))
    c = c * (2.0 - c)
    c = c * (2.0 - c)
    c = c * (2.0 - c)
    return c * (2.0 - c)


@helper(SIX(VECTOR, VECTOR, INT), reorder=True)
def _count(p: Any, data: Any, start: int) -> tuple[float, float, float, float, float, float]:
    """Detections per intensity, and errors split by detections, without basis factors."""
    nodes, more = int(data[start]), 1.0 + data[start + 2]
    half = 0.5 * data[start + 2]
    eta = data[start + HEADER : start + HEADER + nodes]
    pulses = data[start + HEADER + nodes : start + HEADER + 2 * nodes]
    extraneous = data[start + HEADER + 2 * nodes : start + HEADER + 3 * nodes]
    intrinsic = data[start + HEADER + 3 * nodes : start + HEADER + 4 * nodes]
    mu1, mu2, mu3, p1, p2, p3 = p[0], p[1], p[2], p[3], p[4], p[5]
    n1, n2, n3, m1, m2, m3 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(nodes):
        x, dark = eta[i], 2.0 * extraneous[i]
        c1, c2, c3 = _click(mu1 * x), _click(mu2 * x), _click(mu3 * x)
        d1 = p1 * more * (c1 + dark * (1.0 - c1))
        d2 = p2 * more * (c2 + dark * (1.0 - c2))
        d3 = p3 * more * (c3 + dark * (1.0 - c3))
        d = d1 + d2 + d3
        error = 0.5 * dark + half * d + intrinsic[i] * (p1 * c1 + p2 * c2 + p3 * c3)
        sent = pulses[i]
        wrong = sent * error / max(d, 1e-300)
        n1 += sent * d1
        n2 += sent * d2
        n3 += sent * d3
        m1 += wrong * d1
        m2 += wrong * d2
        m3 += wrong * d3
    return n1, n2, n3, m1, m2, m3


@helper(TWO(VECTOR, THREE, THREE, TWO, FOUR, FLOAT))
def _singles(p: Any, scale: Any, counts: Any, tau: Any, width: Any, weight: float) -> tuple[float, float]:
    """Vacuum and single-photon events (the latter not clamped) of one basis: ``counts`` times ``weight``."""
    mu1, mu2, mu3 = p[0], p[1], p[2]
    tau0, tau1 = tau
    per_count, per_total, less, more = width
    n1, n2, n3 = weight * counts[0], weight * counts[1], weight * counts[2]
    total = n1 + n2 + n3
    square1, square2, square3 = per_count * n1, per_count * n2, per_count * n3
    narrow, wide = per_total * total + less * less, per_total * total + more * more
    high1 = scale[0] * (n1 + more + math.sqrt(square1 + wide))
    low2 = scale[1] * (n2 - less - math.sqrt(square2 + narrow))
    high2 = scale[1] * (n2 + more + math.sqrt(square2 + wide))
    low3 = scale[2] * (n3 - less - math.sqrt(square3 + narrow))
    high3 = scale[2] * (n3 + more + math.sqrt(square3 + wide))
    squares = mu2 * mu2 - mu3 * mu3
    vacuum = min(max(tau0 * (mu2 * low3 - mu3 * high2) / (mu2 - mu3), 0.0), total)
    bracket = low2 - high3 - squares / (mu1 * mu1) * (high1 - vacuum / tau0)
    return vacuum, tau1 * mu1 * bracket / (mu1 * (mu2 - mu3) - squares)


@helper(FLOAT(VECTOR, VECTOR, INT))
def _one_block(p: Any, data: Any, start: int) -> float:
    n1, n2, n3, m1, m2, m3 = _count(p, data, start)
    blocks, share = 1.0, p[6]
    key_weight, test_weight = share * share, (1.0 - share) * (1.0 - share)
    if data[start + 1] > 0.0:  # standard BB84: two blocks, p[6] is the revealed fraction
        blocks, key_weight, test_weight = 2.0, 0.25 * (1.0 - share), 0.25 * share
    width = (data[start + 4], data[start + 5], data[start + 6], data[start + 7])
    empty1, empty2, empty3 = p[3] * math.exp(-p[0]), p[4] * math.exp(-p[1]), p[5] * math.exp(-p[2])
    tau = (empty1 + empty2 + empty3, p[0] * empty1 + p[1] * empty2 + p[2] * empty3)
    scale, counts = (1.0 / empty1, 1.0 / empty2, 1.0 / empty3), (n1, n2, n3)
    vacuum, single_raw = _singles(p, scale, counts, tau, width, key_weight)
    vacuum_test, single_test_raw = _singles(p, scale, counts, tau, width, test_weight)
    detected, wrong = n1 + n2 + n3, m1 + m2 + m3
    n, n_test, v_test = key_weight * detected, test_weight * detected, test_weight * wrong
    per_count, per_total, less, more = width
    wrong2, wrong3 = test_weight * m2, test_weight * m3
    high2 = scale[1] * (wrong2 + more + math.sqrt(per_count * wrong2 + per_total * v_test + more * more))
    low3 = scale[2] * (wrong3 - less - math.sqrt(per_count * wrong3 + per_total * v_test + less * less))
    errors = max(tau[1] * (high2 - low3) / (p[1] - p[2]), 0.0)
    if data[start + 15] > 0.0:  # no more than were seen
        errors = min(errors, v_test)
    single, single_test = min(single_raw, n - vacuum), min(single_test_raw, n_test - vacuum_test)
    qber = wrong / detected if detected > 0.0 else 0.0
    leak = leaked(n, qber, data[start + 10], data[start + 3], data[start + 11], data[start + 13])
    if single > 0.0 and single_test > 0.0:
        phase = phase_error(errors, single_test, single, data[start + 9], data[start + 12], data[start + 14])
        secret = vacuum + single
        if phase > 0.0:
            secret += single * (phase * math.log(phase) + (1.0 - phase) * math.log(1.0 - phase)) * _INVERSE_LN2
    else:  # no key here; a slope that leads to where there are single photons
        secret = min(single_raw, 0.0) + min(single_test_raw, 0.0)
    return float(blocks * (secret - leak - data[start + 8]))


@compiled(FLOAT(VECTOR, VECTOR), allocates=False)
def total_key(p: Any, data: Any) -> float:
    """Sum of the keys of all blocks in ``data``, or the best of them if none has a key."""
    total, best, at = 0.0, -math.inf, 1
    for _ in range(int(data[0])):
        key = _one_block(p, data, at)
        total += max(key, 0.0)
        best = max(best, key)
        at += HEADER + 4 * int(data[at])
    return total if best > 0.0 else best
