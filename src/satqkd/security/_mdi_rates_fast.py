"""Compiled key rates of :mod:`satqkd.security.mdi`, summed over the instants of a slot, for optimisers only.

Import this module inside functions only: it loads Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from satqkd.security._compiled import FLOAT, FOUR, INT, MATRIX, TWO, VECTOR, compiled, helper
from satqkd.security._mdi_clicks_fast import analytic_yield, decoys, entropy, paired_x, paired_z, z_clicks
from satqkd.security._mdi_program_fast import bound, fill

__all__ = ["COLUMNS", "HEADER", "exact_decoys", "program_decoys", "three_decoys"]

HEADER = 7
"""Instants, factor of the result, dark counts, misalignment, overlap, inefficiency, least ratio; then the columns."""
COLUMNS = {"infinite": 3, "three-intensity": 2, "linear-program": 14}
"""Numbers per instant: transmittances of a and b; the secret share of single-photon pairs; twelve columns of bases."""


@helper(TWO(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, VECTOR))
def _rate(secret: float, mu_a: float, mu_b: float, eta_a: float, eta_b: float, data: Any) -> tuple[float, float]:
    """Rate of one instant, from the secret bits per pair of single photons sent; and per success."""
    gain, errors = z_clicks(eta_a * mu_a, eta_b * mu_b, data[2], data[3], data[4])
    if gain <= 0.0:
        return 0.0, -1.0
    rate = mu_a * mu_b * math.exp(-mu_a - mu_b) * secret - data[5] * gain * entropy(errors / gain)
    return rate, rate / gain


@helper(FLOAT(FLOAT, FLOAT, VECTOR))
def _value(total: float, best: float, data: Any) -> float:
    """Scaled sum of the rates; without any key the largest rate per success, which small intensities do not raise."""
    return data[1] * total if best > 0.0 else best


@compiled(FLOAT(VECTOR, VECTOR), allocates=False)
def exact_decoys(p: Any, data: Any) -> float:
    """Rate of intensities (mu_a, mu_b), single photons known; where no instant has a key, the best of them."""
    n, total, best = int(data[0]), 0.0, -math.inf
    for i in range(n):
        at = HEADER + i
        rate, per_success = _rate(data[at + 2 * n], p[0], p[1], data[at], data[at + n], data)
        total += max(rate, 0.0)
        best = max(best, per_success)
    return _value(total, best, data)


@helper(FOUR(VECTOR, VECTOR))
def _levels(p: Any, data: Any) -> tuple[float, float, float, float]:
    """Signal and decoy of a, of b."""
    ratio_a, ratio_b = decoys(p[2], p[3], data[6])
    return p[0], ratio_a * p[0], p[1], ratio_b * p[1]


@helper(FOUR(FOUR, FLOAT, FLOAT, VECTOR))
def _analytic(levels: Any, eta_a: float, eta_b: float, data: Any) -> tuple[float, float, float, float]:
    """Yields from Z and X, errors and gain of (nu, nu) in X over single photons sent."""
    mu_a, nu_a, mu_b, nu_b = levels
    dark, flip, overlap = data[2], data[3], data[4]
    strong_z, weak_z = (
        paired_z(mu_a, mu_b, eta_a, eta_b, dark, overlap),
        paired_z(nu_a, nu_b, eta_a, eta_b, dark, overlap),
    )
    strong_x, _ = paired_x(mu_a, mu_b, eta_a, eta_b, dark, flip, overlap)
    weak_x, errors = paired_x(nu_a, nu_b, eta_a, eta_b, dark, flip, overlap)
    z = analytic_yield(mu_a, nu_a, mu_b, nu_b, strong_z, weak_z)
    x = analytic_yield(mu_a, nu_a, mu_b, nu_b, strong_x, weak_x)
    return z, x, errors / (nu_a * nu_b), weak_x / (nu_a * nu_b)


@helper(FLOAT(FLOAT, FLOAT, FLOAT, FLOAT))
def _secret(pair: float, divisor: float, errors: float, weak: float) -> float:
    """Secret bits per pair of single photons sent; below 0, and steeper, where bounds allow none."""
    if pair <= 0.0 or divisor <= 0.0:
        return min(pair, 0.0) + min(divisor, 0.0)
    error = errors / divisor
    if error >= 0.5:
        return -min(errors - 0.5 * divisor, weak)
    return pair * (1.0 - entropy(error))


@compiled(FLOAT(VECTOR, VECTOR), allocates=False)
def three_decoys(p: Any, data: Any) -> float:
    """Rate of (mu_a, mu_b, ratio, balance) with analytic bounds; where no instant has a key, the best of them."""
    n, total, best = int(data[0]), 0.0, -math.inf
    levels = _levels(p, data)
    for i in range(n):
        eta_a, eta_b = data[HEADER + i], data[HEADER + i + n]
        z, x, errors, weak = _analytic(levels, eta_a, eta_b, data)
        rate, per_success = _rate(_secret(z, x, errors, weak), p[0], p[1], eta_a, eta_b, data)
        total += max(rate, 0.0)
        best = max(best, per_success)
    return _value(total, best, data)


@compiled(FLOAT(FLOAT, FOUR, VECTOR, MATRIX, VECTOR, VECTOR, INT))
def _programmed(sign: float, levels: Any, paired: Any, rows: Any, cap: Any, data: Any, at: int) -> float:
    """Bound on the single photons' yield from four paired gains; bases live in ``data`` from ``at`` on."""
    if paired.min() <= 0.0:
        return 0.0
    fill(levels[0], levels[1], levels[2], levels[3], paired, rows, cap)
    return float(bound(sign, rows, cap, data[at : at + 4]) * paired[0] / (levels[0] * levels[2]))


@compiled(FLOAT(VECTOR, VECTOR))
def program_decoys(p: Any, data: Any) -> float:
    """Rate of (mu_a, mu_b, ratio, balance) by linear programming; where no instant has a key, the best of them."""
    n, total, best = int(data[0]), 0.0, -math.inf
    levels = _levels(p, data)
    gains, rows, cap = np.empty((3, 4)), np.empty((4, 404)), np.empty(404)
    for i in range(n):
        eta_a, eta_b = data[HEADER + i], data[HEADER + i + n]
        z, x, errors, weak = _analytic(levels, eta_a, eta_b, data)
        for r in range(4):
            a, b = levels[r // 2], levels[2 + r % 2]
            gains[0, r] = paired_z(a, b, eta_a, eta_b, data[2], data[4])
            gains[1, r], gains[2, r] = paired_x(a, b, eta_a, eta_b, data[2], data[3], data[4])
        bases = HEADER + 2 * n + 12 * i
        pair = max(z, x)
        pair = max(pair, _programmed(1.0, levels, gains[0], rows, cap, data, bases))
        pair = max(pair, _programmed(1.0, levels, gains[1], rows, cap, data, bases + 4))
        errors = min(errors, _programmed(-1.0, levels, gains[2], rows, cap, data, bases + 8))
        rate, per_success = _rate(_secret(pair, pair, errors, weak), p[0], p[1], eta_a, eta_b, data)
        total += max(rate, 0.0)
        best = max(best, per_success)
    return _value(total, best, data)
