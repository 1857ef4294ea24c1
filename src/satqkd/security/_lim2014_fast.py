"""Compiled un-clamped key length of :mod:`satqkd.security.lim2014`, for optimisers only.

The same formulas as ``_lim2014.analyse`` on Gauss nodes instead of slots. Two smooth stand-ins keep it fast and free
of steps: a Cornish-Fisher quantile of the binomial, and a closed form close to the hypergeometric inversion. A number
that is reported comes from the exact functions at the optimum found here.

Import this module inside functions only: it loads Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from satqkd.security._compiled import FLOAT, INT, THREE, VECTOR, VOID, compiled

__all__ = ["BOUND_CODES", "HEADER", "LEAKAGE_CODES", "SAMPLING_CODES", "total_key"]

HEADER = 13
# The closed Chernoff form stands in for the implicit one, which is never wider: a shift the search does not mind.
BOUND_CODES = {"asymptotic": 0.0, "chernoff": 1.0, "chernoff-implicit": 1.0, "hoeffding": 2.0}
# The two exact forms differ in the failure probability only, which the caller turns into a normal quantile.
SAMPLING_CODES = {"none": 0.0, "lim2014": 1.0, "exact": 2.0, "exact-smooth": 2.0}
LEAKAGE_CODES = {"block": 0.0, "finite": 1.0, "achievable": 2.0, "published": 3.0, "published-eq9": 4.0, "satquma": 5.0}

_LN2 = math.log(2.0)


@compiled(FLOAT(FLOAT))
def _entropy(x: float) -> float:
    if x <= 0.0 or x >= 1.0:
        return 0.0
    return -(x * math.log(x) + (1.0 - x) * math.log1p(-x)) / _LN2


@compiled(FLOAT(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def _leak(n: float, q: float, code: float, f_ec: float, eps: float, z: float) -> float:
    shannon = n * _entropy(min(q, 0.5))
    if code == 0.0:
        return f_ec * shannon
    leak = shannon
    if n >= 1.0 and 0.0 < q < 0.5:
        # Cornish-Fisher expansion of the quantile to the second order in 1/sigma; not rounded to a whole number
        variance = n * q * (1.0 - q)
        skew = 1.0 - 2.0 * q
        z2 = z * z
        third = (z2 * z - z + q * (1.0 - q) * (2.0 * z2 * z - 14.0 * z)) / 72.0
        excess = z * math.sqrt(variance) + (z2 - 1.0) * skew / 6.0 - third / math.sqrt(variance)
        offset = 1.0 if code == 4.0 else -1.0
        unit = _LN2 if code <= 2.0 else 1.0
        odds = math.log1p(-q) - math.log(q)
        extra = (excess + offset) * odds - 0.5 * math.log(n) + math.log(eps)
        leak = max(shannon, shannon + extra / unit)
    if code == 2.0 or code == 5.0:
        leak = max(leak, f_ec * shannon)
    return leak


@compiled(FLOAT(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def _phase_error(v: float, test: float, key: float, code: float, log_ratio: float, z: float) -> float:
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
        logarithm = (math.log(inverse / spread) + 2.0 * log_ratio) / _LN2
        return min(b + math.sqrt(max(inverse * spread * logarithm, 0.0) / _LN2), 0.5)
    unsampled = key / (test + key)
    third = unsampled * z * z / 3.0
    spread = z * math.sqrt(unsampled * v * (1.0 - b) + (unsampled * z / 3.0) ** 2)
    marked = (v + third + spread) / test * (test + key)
    return min((marked - v) / key, 0.5)


@compiled(VOID(VECTOR, VECTOR, INT, VECTOR))
def _count(p: Any, data: Any, start: int, counts: Any) -> None:
    """Fill the workspace of a block.

    Counts without basis factors: detections per intensity (0-2), errors split by detections (3-5), errors (6); scale
    of each intensity (10-12), mean probability of no and of one photon (13, 14).
    """
    nodes, afterpulse = int(data[start]), data[start + 2]
    first = start + HEADER
    for j in range(15):
        counts[j] = 0.0
    for k in range(3):
        scale = math.exp(p[k])
        counts[10 + k] = scale / p[3 + k]
        counts[13] += p[3 + k] / scale
        counts[14] += p[3 + k] * p[k] / scale
    for i in range(first, first + nodes):
        eta, pulses = data[i], data[i + nodes]
        extraneous, intrinsic = data[i + 2 * nodes], data[i + 3 * nodes]
        mean_d, mean_click = 0.0, 0.0
        for k in range(3):
            x = p[k] * eta
            if x < 2e-3:  # the first term left out is below 1e-16 of the sum
                click = x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0 - x / 120.0))))
            else:
                click = -math.expm1(-x)
            counts[7 + k] = p[3 + k] * (1.0 + afterpulse) * (click + 2.0 * extraneous * (1.0 - click))
            mean_d += counts[7 + k]
            mean_click += p[3 + k] * click
        mean_e = extraneous + 0.5 * afterpulse * mean_d + intrinsic * mean_click
        counts[6] += pulses * mean_e
        ratio = mean_e / mean_d if mean_d > 0.0 else 0.0
        for k in range(3):
            detections = pulses * counts[7 + k]
            counts[k] += detections
            counts[3 + k] += detections * ratio


@compiled(THREE(VECTOR, VECTOR, INT, FLOAT, FLOAT, FLOAT))
def _singles(p: Any, counts: Any, first: int, weight: float, beta: float, bound: float) -> tuple[float, float, float]:
    """Vacuum and single-photon events (not clamped), and an upper bound on events of single photons, of one basis.

    ``counts`` from ``first`` on, times ``weight``. The upper bound is the one for errors.
    """
    total = weight * (counts[first] + counts[first + 1] + counts[first + 2])
    low2, low3, high1, high2, high3 = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(3):
        scale = counts[10 + k]
        count = weight * counts[first + k]
        minus, plus = 0.0, 0.0
        if bound == 1.0:
            minus = 0.5 * beta + math.sqrt(2.0 * beta * count + 0.25 * beta * beta)
            plus = beta + math.sqrt(2.0 * beta * count + beta * beta)
        elif bound == 2.0:
            minus = math.sqrt(0.5 * total * beta)
            plus = minus
        if k == 0:
            high1 = scale * (count + plus)
        elif k == 1:
            low2, high2 = scale * (count - minus), scale * (count + plus)
        else:
            low3, high3 = scale * (count - minus), scale * (count + plus)
    mu1, mu2, mu3, tau0, tau1 = p[0], p[1], p[2], counts[13], counts[14]
    squares = mu2 * mu2 - mu3 * mu3
    vacuum = min(max(tau0 * (mu2 * low3 - mu3 * high2) / (mu2 - mu3), 0.0), total)
    bracket = low2 - high3 - squares / (mu1 * mu1) * (high1 - vacuum / tau0)
    single = tau1 * mu1 * bracket / (mu1 * (mu2 - mu3) - squares)
    return vacuum, single, min(max(tau1 * (high2 - low3) / (mu2 - mu3), 0.0), total)


@compiled(FLOAT(VECTOR, VECTOR, INT, VECTOR))
def _one_block(p: Any, data: Any, start: int, counts: Any) -> float:
    _count(p, data, start, counts)
    if data[start + 1] > 0.0:  # standard BB84: two blocks, p[6] is the revealed fraction
        blocks, key_weight, test_weight = 2.0, 0.25 * (1.0 - p[6]), 0.25 * p[6]
    else:
        blocks, key_weight, test_weight = 1.0, p[6] * p[6], (1.0 - p[6]) ** 2
    beta, bound = data[start + 4], data[start + 6]
    vacuum, single_raw, _ = _singles(p, counts, 0, key_weight, beta, bound)
    vacuum_test, single_test_raw, _ = _singles(p, counts, 0, test_weight, beta, bound)
    _, _, errors = _singles(p, counts, 3, test_weight, beta, bound)
    detected = counts[0] + counts[1] + counts[2]
    n, n_test = key_weight * detected, test_weight * detected
    single, single_test = min(single_raw, n - vacuum), min(single_test_raw, n_test - vacuum_test)
    qber = counts[6] / detected if detected > 0.0 else 0.0
    leak = _leak(n, qber, data[start + 8], data[start + 3], data[start + 9], data[start + 11])
    if single > 0.0 and single_test > 0.0:
        phase = _phase_error(errors, single_test, single, data[start + 7], data[start + 10], data[start + 12])
        secret = vacuum + single * (1.0 - _entropy(phase))
    else:  # no key here; a slope that leads to where there are single photons
        secret = min(single_raw, 0.0) + min(single_test_raw, 0.0)
    return float(blocks * (secret - leak - data[start + 5]))


@compiled(FLOAT(VECTOR, VECTOR))
def total_key(p: Any, data: Any) -> float:
    """Sum of the keys of all blocks in ``data``, or the best of them if none has a key."""
    total, best, at = 0.0, -math.inf, 1
    counts = np.empty(15)
    for _ in range(int(data[0])):
        key = _one_block(p, data, at, counts)
        total += max(key, 0.0)
        best = max(best, key)
        at += HEADER + 4 * int(data[at])
    return total if best > 0.0 else best
