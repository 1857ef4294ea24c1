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
from numba import njit, types

__all__ = ["BOUND_CODES", "HEADER", "LEAKAGE_CODES", "SAMPLING_CODES", "total_key"]

HEADER = 13
BOUND_CODES = {"asymptotic": 0.0, "chernoff": 1.0, "hoeffding": 2.0}
SAMPLING_CODES = {"none": 0.0, "lim2014": 1.0, "exact": 2.0}
LEAKAGE_CODES = {"block": 0.0, "finite": 1.0, "achievable": 2.0, "published": 3.0, "published-eq9": 4.0, "satquma": 5.0}

_LN2 = math.log(2.0)
OBJECTIVE = types.float64(types.float64[::1], types.float64[::1])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _entropy(x: float) -> float:
    if x <= 0.0 or x >= 1.0:
        return 0.0
    return -(x * math.log(x) + (1.0 - x) * math.log1p(-x)) / _LN2


@njit(cache=True)  # type: ignore[untyped-decorator]
def _leak(n: float, q: float, code: float, f_ec: float, eps: float, z: float) -> float:
    shannon = n * _entropy(min(q, 0.5))
    if code == 0.0:
        return f_ec * shannon
    leak = shannon
    if n >= 1.0 and 0.0 < q < 0.5:
        # expansion of the quantile in the skewness, second order; a continuous stand-in for a whole number
        variance = n * q * (1.0 - q)
        skew = 1.0 - 2.0 * q
        z2 = z * z
        third = (z2 * z * (1.0 - q * (1.0 - q) * 2.0) - z * (7.0 - 2.0 * q * (1.0 - q))) / 72.0
        excess = z * math.sqrt(variance) + (z2 - 1.0) * skew / 6.0 - third / math.sqrt(variance) - 0.5
        offset = 1.0 if code == 4.0 else -1.0
        unit = _LN2 if code <= 2.0 else 1.0
        odds = math.log1p(-q) - math.log(q)
        extra = (excess + offset) * odds - 0.5 * math.log(n) + math.log(eps)
        leak = max(shannon, shannon + extra / unit)
    if code == 2.0 or code == 5.0:
        leak = max(leak, f_ec * shannon)
    return leak


@njit(cache=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True)  # type: ignore[untyped-decorator]
def _one_block(p: Any, data: Any, start: int) -> float:
    nodes = int(data[start])
    standard, afterpulse, f_ec, beta, constants = data[start + 1 : start + 6]
    bound, sampling, leakage, eps_c, log_ratio, z_cor, z_sample = data[start + 6 : start + 13]
    first = start + 13
    detections, errors, split = np.zeros(3), 0.0, np.zeros(3)
    click = np.empty(3)
    for i in range(nodes):
        eta, pulses = data[first + i], data[first + nodes + i]
        extraneous, intrinsic = data[first + 2 * nodes + i], data[first + 3 * nodes + i]
        mean_d, mean_click = 0.0, 0.0
        for k in range(3):
            x = p[k] * eta
            if x < 2e-3:
                c = x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0 - x / 120.0))))
            else:
                c = -math.expm1(-x)
            d = (1.0 + afterpulse) * (c + 2.0 * extraneous * (1.0 - c))
            click[k] = d
            mean_d += p[3 + k] * d
            mean_click += p[3 + k] * c
        mean_e = extraneous + 0.5 * afterpulse * mean_d + intrinsic * mean_click
        errors += pulses * mean_e
        ratio = mean_e / mean_d if mean_d > 0.0 else 0.0
        for k in range(3):
            d = pulses * p[3 + k] * click[k]
            detections[k] += d
            split[k] += d * ratio
    if standard > 0.0:
        key_weight, test_weight, blocks = 0.25 * (1.0 - p[6]), 0.25 * p[6], 2.0
    else:
        key_weight, test_weight, blocks = p[6] * p[6], (1.0 - p[6]) ** 2, 1.0

    scale = np.empty(3)
    for k in range(3):
        scale[k] = math.exp(p[k]) / p[3 + k]
    tau0, tau1 = 0.0, 0.0
    for k in range(3):
        vacuum = p[3 + k] * math.exp(-p[k])
        tau0 += vacuum
        tau1 += vacuum * p[k]
    low, high = np.empty((3, 3)), np.empty((3, 3))
    totals = np.zeros(3)
    for b in range(3):  # detections in the key basis, in the test basis, errors in the test basis
        weight = key_weight if b == 0 else test_weight
        for k in range(3):
            totals[b] += weight * (split[k] if b == 2 else detections[k])
        for k in range(3):
            count = weight * (split[k] if b == 2 else detections[k])
            minus, plus = 0.0, 0.0
            if bound == 1.0:
                minus = 0.5 * beta + math.sqrt(2.0 * beta * count + 0.25 * beta * beta)
                plus = beta + math.sqrt(2.0 * beta * count + beta * beta)
            elif bound == 2.0:
                minus = math.sqrt(0.5 * totals[b] * beta)
                plus = minus
            low[b, k] = scale[k] * (count - minus)
            high[b, k] = scale[k] * (count + plus)
    mu1, mu2, mu3 = p[0], p[1], p[2]
    squares = mu2 * mu2 - mu3 * mu3
    singles_raw = np.empty(2)
    vacuum_key, single_key, single_test = 0.0, 0.0, 0.0
    for b in range(2):
        s0 = min(max(tau0 * (mu2 * low[b, 2] - mu3 * high[b, 1]) / (mu2 - mu3), 0.0), totals[b])
        bracket = low[b, 1] - high[b, 2] - squares / (mu1 * mu1) * (high[b, 0] - s0 / tau0)
        singles_raw[b] = tau1 * mu1 * bracket / (mu1 * (mu2 - mu3) - squares)
        s1 = min(max(singles_raw[b], 0.0), totals[b] - s0)
        if b == 0:
            vacuum_key, single_key = s0, s1
        else:
            single_test = s1
    v = min(max(tau1 * (high[2, 1] - low[2, 2]) / (mu2 - mu3), 0.0), totals[2])
    n = totals[0]
    leak = _leak(n, key_weight * errors / n if n > 0.0 else 0.0, leakage, f_ec, eps_c, z_cor)
    if single_key > 0.0 and single_test > 0.0:
        phase = _phase_error(v, single_test, single_key, sampling, log_ratio, z_sample)
        secret = vacuum_key + single_key * (1.0 - _entropy(phase))
    else:  # no key here; a slope that leads to where there are single photons
        secret = min(singles_raw[0], 0.0) + min(singles_raw[1], 0.0)
    return blocks * (secret - leak - constants)


@njit(OBJECTIVE, cache=True)  # type: ignore[untyped-decorator]
def total_key(p: Any, data: Any) -> float:
    """Sum of the keys of all blocks in ``data``, or the best of them if none has a key."""
    total, best, at = 0.0, -math.inf, 1
    for _ in range(int(data[0])):
        key = _one_block(p, data, at)
        total += max(key, 0.0)
        best = max(best, key)
        at += HEADER + 4 * int(data[at])
    return total if best > 0.0 else best
