"""Compiled gains of :mod:`satqkd.detection.bell_measurement` and :mod:`satqkd.security._mdi_decoy`, for optimisers.

The same formulas, one point at a time; a number that is reported comes from those modules.

Import this module inside functions only: it loads Numba.
"""

from __future__ import annotations

import math

from satqkd.security._compiled import FLOAT, THREE, TWO, helper

__all__ = ["analytic_yield", "decoys", "entropy", "excess", "paired_x", "paired_z", "x_clicks", "z_clicks"]

_INVERSE_LN2 = 1.0 / math.log(2.0)
LARGEST_RATIO = 0.95
"""A decoy is at most this share of the signal."""


@helper(TWO(FLOAT, FLOAT, FLOAT))
def decoys(ratio: float, balance: float, least: float) -> tuple[float, float]:
    """Decoy over signal, of a and of b: their geometric mean, and half the logarithm of b's over a's.

    The analytic yield bound has an edge where they are equal, which an axis of these coordinates follows.
    """
    factor = math.exp(balance)
    return min(max(ratio / factor, least), LARGEST_RATIO), min(max(ratio * factor, least), LARGEST_RATIO)


@helper(FLOAT(FLOAT))
def entropy(p: float) -> float:
    """Binary entropy, 1 from one half on."""
    if p <= 0.0:
        return 0.0
    if p >= 0.5:
        return 1.0
    return -(p * math.log(p) + (1.0 - p) * math.log1p(-p)) * _INVERSE_LN2


@helper(THREE(FLOAT))
def excess(square: float) -> tuple[float, float, float]:
    """I0(2x) - 1, I0(x) - 1 and the first less four times the second, of ``square`` = x^2."""
    double, single, difference = square, 0.25 * square, 0.0
    power, scale = square, 0.25
    for k in range(2, 45):
        power *= square / (k * k)
        scale *= 0.25
        double += power
        single += scale * power
        difference += (1.0 - 4.0 * scale) * power
        if power <= 1e-17 * difference:
            break
    return double, single, difference


@helper(TWO(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def z_clicks(a: float, b: float, dark: float, flip: float, overlap: float) -> tuple[float, float]:
    """Gain and error gain of the rectilinear basis."""
    log_q = math.log1p(-dark)
    common = 2.0 * math.exp(2.0 * log_q - 0.5 * (a + b))
    opposite = common * math.expm1(log_q - 0.5 * a) * math.expm1(log_q - 0.5 * b)
    alike = common * dark * (excess(0.25 * overlap * a * b)[0] - math.expm1(log_q - 0.5 * (a + b)))
    return opposite + alike, flip * opposite + (1.0 - flip) * alike


@helper(TWO(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def x_clicks(a: float, b: float, dark: float, flip: float, overlap: float) -> tuple[float, float]:
    """Gain and error gain of the diagonal basis."""
    log_y = math.log1p(-dark) - 0.25 * (a + b)
    double, single, difference = excess(0.25 * overlap * a * b)
    square, rest = math.exp(2.0 * log_y), -math.expm1(log_y)
    gain = 2.0 * square * (2.0 * rest * rest + 4.0 * rest * single + difference)
    return gain, max(0.5 * gain - (1.0 - 2.0 * flip) * square * double, 0.0)


@helper(FLOAT(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def paired_z(mu_a: float, mu_b: float, eta_a: float, eta_b: float, dark: float, overlap: float) -> float:
    """Paired gain of the rectilinear basis."""
    a, b = eta_a * mu_a, eta_b * mu_b
    g_a, g_b = math.expm1(mu_a - 0.5 * a), math.expm1(mu_b - 0.5 * b)
    h_a, h_b = math.expm1(mu_a - a), math.expm1(mu_b - b)
    gh_a, gh_b = (1.0 + h_a) * math.expm1(0.5 * a), (1.0 + h_b) * math.expm1(0.5 * b)
    interference = (1.0 + g_a) * (1.0 + g_b) * excess(0.25 * overlap * a * b)[0]
    opposite = (gh_a + dark * h_a) * (gh_b + dark * h_b)
    alike = gh_a * g_b + h_a * gh_b + dark * h_a * h_b + interference
    return 2.0 * (1.0 - dark) ** 2 * (opposite + dark * alike)


@helper(TWO(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def paired_x(
    mu_a: float, mu_b: float, eta_a: float, eta_b: float, dark: float, flip: float, overlap: float
) -> tuple[float, float]:
    """Paired gain and paired error gain of the diagonal basis."""
    q = 1.0 - dark
    double, single, difference = excess(0.25 * overlap * eta_a * mu_a * eta_b * mu_b)
    quarter_a, quarter_b = 0.25 * eta_a * mu_a, 0.25 * eta_b * mu_b
    k_a, h_a = math.expm1(mu_a - 3.0 * quarter_a), math.expm1(mu_a - 4.0 * quarter_a)
    k_b, h_b = math.expm1(mu_b - 3.0 * quarter_b), math.expm1(mu_b - 4.0 * quarter_b)
    grow_a, grow_b = math.expm1(quarter_a), math.expm1(quarter_b)
    up_a, down_a, sinh_a = (1.0 + k_a) * grow_a, (1.0 + h_a) * grow_a, math.sinh(0.5 * quarter_a)
    up_b, down_b, sinh_b = (1.0 + k_b) * grow_b, (1.0 + h_b) * grow_b, math.sinh(0.5 * quarter_b)
    second_a, second_b = (1.0 + k_a) * 4.0 * sinh_a * sinh_a, (1.0 + k_b) * 4.0 * sinh_b * sinh_b
    light = k_a * second_b + second_a * k_b + up_a * up_b + down_a * down_b
    darkness = dark * (2.0 * (down_a * k_b + h_a * down_b) + dark * h_a * h_b)
    grown, both = (1.0 + k_a) * (1.0 + k_b), quarter_a + quarter_b
    interference = grown * (math.expm1(both) * double + difference + 4.0 * dark * single)
    paired = 4.0 * q * q * (light + darkness) + 2.0 * q * q * interference
    errors = 0.5 * paired - (1.0 - 2.0 * flip) * q * q * grown * math.exp(both) * double
    return paired, max(errors, 0.0)


@helper(FLOAT(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT))
def analytic_yield(mu_a: float, nu_a: float, mu_b: float, nu_b: float, strong: float, weak: float) -> float:
    """Bound of Xu et al. on the single photons' yield; may be negative."""
    if mu_a * nu_b <= mu_b * nu_a:
        return (mu_a * weak / (nu_a * nu_b) - nu_a * strong / (mu_a * mu_b)) / (mu_a - nu_a)
    return (mu_b * weak / (nu_b * nu_a) - nu_b * strong / (mu_b * mu_a)) / (mu_b - nu_b)
