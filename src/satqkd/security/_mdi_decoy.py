"""Decoy states of two senders: from gains to bounds on the yield and the errors of pairs of single photons.

For intensities mu of a and b, the *paired gain* is the gain times exp(mu_a + mu_b), less the parts in which a or b
sent the vacuum: the sum over i, j >= 1 of mu_a^i mu_b^j Y_ij / (i! j!). Senders with a vacuum intensity know it
from four gains. Here it is evaluated as one sum of positive terms; the four gains would cancel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.bell_measurement import bessel_excess

Array = NDArray[np.float64]

CUT = 20  # photon numbers of the linear program, per sender; what is beyond is bounded by yields of 1


def paired_z(mu_a: Array, mu_b: Array, eta_a: Array, eta_b: Array, p_dark: float, overlap: float) -> Array:
    """Paired gain of the rectilinear basis."""
    g_a, g_b = (np.expm1(m * (1.0 - 0.5 * e)) for m, e in ((mu_a, eta_a), (mu_b, eta_b)))
    h_a, h_b = (np.expm1(m * (1.0 - e)) for m, e in ((mu_a, eta_a), (mu_b, eta_b)))
    gh_a, gh_b = (np.exp(m * (1.0 - e)) * np.expm1(0.5 * m * e) for m, e in ((mu_a, eta_a), (mu_b, eta_b)))
    interference = (1.0 + g_a) * (1.0 + g_b) * bessel_excess(eta_a * mu_a, eta_b * mu_b, mode_overlap=overlap).double
    opposite = (gh_a + p_dark * h_a) * (gh_b + p_dark * h_b)
    alike = gh_a * g_b + h_a * gh_b + p_dark * h_a * h_b + interference
    return np.asarray(2.0 * (1.0 - p_dark) ** 2 * (opposite + p_dark * alike))


def paired_x(
    mu_a: Array, mu_b: Array, eta_a: Array, eta_b: Array, p_dark: float, misalignment: float, overlap: float
) -> tuple[Array, Array]:
    """Paired gain and paired error gain of the diagonal basis."""
    q = 1.0 - p_dark
    excess = bessel_excess(eta_a * mu_a, eta_b * mu_b, mode_overlap=overlap)
    sides = []
    for mu, eta in ((mu_a, eta_a), (mu_b, eta_b)):
        quarter = 0.25 * eta * mu
        k, h = np.expm1(mu - 3.0 * quarter), np.expm1(mu - 4.0 * quarter)
        up, down = (1.0 + k) * np.expm1(quarter), (1.0 + h) * np.expm1(quarter)  # G - K and K - H
        sides.append((k, h, up, down, (1.0 + k) * 4.0 * np.sinh(0.5 * quarter) ** 2))  # G + H - 2K
    (k_a, h_a, up_a, down_a, second_a), (k_b, h_b, up_b, down_b, second_b) = sides
    # G_a G_b + q^2 H_a H_b - 2 q K_a K_b
    light = k_a * second_b + second_a * k_b + up_a * up_b + down_a * down_b
    dark = p_dark * (2.0 * (down_a * k_b + h_a * down_b) + p_dark * h_a * h_b)
    # (1 + G_a)(1 + G_b)[I0(2x) - 1] - 4 q (1 + K_a)(1 + K_b)[I0(x) - 1]
    grown = (1.0 + k_a) * (1.0 + k_b)
    sum_quarter = 0.25 * (eta_a * mu_a + eta_b * mu_b)
    interference = grown * (np.expm1(sum_quarter) * excess.double + excess.difference + 4.0 * p_dark * excess.single)
    paired = 4.0 * q * q * (light + dark) + 2.0 * q * q * interference
    right_minus_wrong = 2.0 * q * q * grown * np.exp(sum_quarter) * excess.double
    errors = 0.5 * paired - (0.5 - misalignment) * right_minus_wrong
    return np.asarray(paired), np.asarray(np.maximum(errors, 0.0))


def analytic_yield(mu_a: Array, mu_b: Array, nu_a: Array, nu_b: Array, strong: Array, weak: Array) -> Array:
    """Lower bound on Y_11 from the paired gains of (mu, mu) and (nu, nu): Xu et al. 2014, with vacuum; may be negative.

    The side whose intensities are in the smaller ratio gives the square: then every other yield has a coefficient
    that is not positive.
    """
    square_a = mu_a * nu_b <= mu_b * nu_a
    m, n = np.where(square_a, mu_a, mu_b), np.where(square_a, nu_a, nu_b)
    m_other, n_other = np.where(square_a, mu_b, mu_a), np.where(square_a, nu_b, nu_a)
    return np.asarray((m * weak / (n * n_other) - n * strong / (m * m_other)) / (m - n))


def program(
    intensities_a: tuple[float, float], intensities_b: tuple[float, float], paired: Array, *, largest: bool
) -> float:
    """Certified bound on the single photons' yield from the four paired gains of (mu, nu) x (mu, nu).

    The variables are mu_a^i mu_b^j Y_ij / (i! j!) over the paired gain of (mu, mu), which keeps every number near 1 at
    any loss. The bound is the value of the solver's dual vector, valid for any vector (weak duality).
    """
    from scipy.optimize import linprog

    from satqkd.security._full_program import dual_bound

    if paired[0] <= 0.0:
        return 0.0
    number = np.arange(1, CUT + 1)
    single = [np.cumprod(pair[0] / number) for pair in (intensities_a, intensities_b)]
    sent = np.outer(*single).ravel()
    column = [
        np.outer(
            (intensities_a[r // 2] / intensities_a[0]) ** number, (intensities_b[r % 2] / intensities_b[0]) ** number
        )
        for r in range(4)
    ]
    rows = np.array([part.ravel() for part in column]) * (paired[0] / paired)[:, None]
    cap = np.minimum(sent / paired[0], (1.0 / rows).min(axis=0))
    beyond = np.array([_beyond(intensities_a[r // 2], intensities_b[r % 2]) for r in range(4)]) / paired
    rows = np.hstack((rows, np.eye(4)))
    box = np.column_stack((np.zeros(cap.size + 4), np.concatenate((cap, np.minimum(beyond, 1.0)))))
    cost = np.zeros(cap.size + 4)
    cost[0] = -1.0 if largest else 1.0
    limits = np.ones(4)
    found = linprog(cost, A_eq=rows, b_eq=limits, bounds=box, method="highs-ds")
    # without a solution the zero vector gives the trivial bound
    pi = np.asarray(found.eqlin.marginals) if found.status == 0 else np.zeros(4)
    bound = dual_bound(cost, rows, limits, box, pi) * float(paired[0] / sent[0])
    return min(-bound, 1.0) if largest else max(bound, 0.0)


def _beyond(mu_a: float, mu_b: float) -> float:
    """At least the sum of mu_a^i mu_b^j / (i! j!) over i, j >= 1 with i or j above the cut."""

    def above(mu: float) -> float:
        term = float(np.prod(mu / np.arange(1, CUT + 2)))
        return term * float(np.exp(mu))

    return above(mu_a) * float(np.expm1(mu_b)) + above(mu_b) * float(np.expm1(mu_a))
