"""Analytic decoy-state bounds with two decoys (Lim et al. 2014): vacuum, single photons, single-photon errors.

All take tuples over the three intensities of :func:`scaled_bounds`, in descending order of intensity.
"""

from __future__ import annotations

import math

from satqkd.security.bounds import Bound

__all__ = ["scaled_bounds", "single_errors_upper", "single_lower", "single_yield_lower", "vacuum_lower"]

Triple = tuple[float, ...]


def scaled_bounds(counts: Triple, weights: Triple, bound: Bound, beta: float) -> tuple[Triple, Triple]:
    r"""Bounds on the expected counts, as if every pulse had each intensity and no vacuum factor.

    Parameters
    ----------
    counts : tuple of float
        Counts per intensity. [1]
    weights : tuple of float
        :math:`\Gamma_k = e^{\mu_k}/p_k`. [1]
    bound : Bound
        Concentration inequality, see :data:`satqkd.security.bounds.BOUNDS`.
    beta : float
        :math:`\ln(1/\varepsilon)` of each term. [1]

    Returns
    -------
    tuple of tuple
        :math:`\Gamma_k(n_k - \delta^-_k)` and :math:`\Gamma_k(n_k+\delta^+_k)`; the lower ones are not clamped. [1]

    References
    ----------
    .. [1] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014); J. S. Sidhu et al., npj Quantum Inf. 8, 18
       (2022), Eq. 8 with the exponent corrected.
    """
    total = math.fsum(counts)
    low, high = [], []
    for count, weight in zip(counts, weights, strict=True):
        minus, plus = bound(count, total, beta)
        low.append(weight * (count - minus))
        high.append(weight * (count + plus))
    return tuple(low), tuple(high)


def vacuum_lower(low: Triple, high: Triple, mu: Triple, tau0: float) -> float:
    r"""Lower bound on the detections of empty pulses, not clamped.

    Parameters
    ----------
    low, high : tuple of float
        Scaled bounds on the counts. [1]
    mu : tuple of float
        Intensities. [1]
    tau0 : float
        Probability that a pulse is empty, averaged over the intensities. [1]

    Returns
    -------
    float
        :math:`s_0 = \tau_0(\mu_2 n_3^- - \mu_3 n_2^+)/(\mu_2-\mu_3)`. [1]

    References
    ----------
    .. [1] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014).
    """
    return tau0 * (mu[1] * low[2] - mu[2] * high[1]) / (mu[1] - mu[2])


def single_lower(low: Triple, high: Triple, vacuum: float, mu: Triple, tau: Triple) -> float:
    r"""Lower bound on the detections of single-photon pulses, not clamped.

    Parameters
    ----------
    low, high : tuple of float
        Scaled bounds on the counts. [1]
    vacuum : float
        Lower bound on the detections of empty pulses, clamped at 0. [1]
    mu : tuple of float
        Intensities. [1]
    tau : tuple of float
        Probabilities of 0 and 1 photons, averaged over the intensities. [1]

    Returns
    -------
    float
        :math:`s_1 = \frac{\tau_1\mu_1}{\mu_1(\mu_2-\mu_3)-\mu_2^2+\mu_3^2}\left[n_2^- - n_3^+
        - \frac{\mu_2^2-\mu_3^2}{\mu_1^2}\left(n_1^+ - \frac{s_0}{\tau_0}\right)\right]`. [1]

    References
    ----------
    .. [1] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014).
    """
    mu1, mu2, mu3 = mu
    squares = mu2 * mu2 - mu3 * mu3
    bracket = low[1] - high[2] - squares / (mu1 * mu1) * (high[0] - vacuum / tau[0])
    return tau[1] * mu1 * bracket / (mu1 * (mu2 - mu3) - squares)


def single_yield_lower(low: Triple, high: Triple, mu: Triple) -> float:
    r"""Lower bound on single-photon detections by eliminating vacuum and two-photon pulses, not clamped.

    Parameters
    ----------
    low, high : tuple of float
        Scaled bounds on the counts. [1]
    mu : tuple of float
        Intensities :math:`\mu > \nu > o`. [1]

    Returns
    -------
    float
        :math:`y_1 = \frac{(\mu^2-o^2)\,n_\nu^- - (\nu^2-o^2)\,n_\mu^+ - (\mu^2-\nu^2)\,n_o^+}
        {(\mu-o)(\nu-o)(\mu-\nu)}`: detections if every pulse sent held one photon. Times
        :math:`p_k \mu_k e^{-\mu_k}` it is the number among the pulses of intensity k. [1]

    Notes
    -----
    Li et al. [1]_, Eq. 7, with the common factors cancelled. What is left out are pulses of n >= 3 photons, with
    coefficients :math:`(\mu^2-o^2)(\nu^n-o^n) - (\nu^2-o^2)(\mu^n-o^n) \le 0`, so the bound holds for any yields.

    References
    ----------
    .. [1] Y. Li et al., "Microsatellite-based real-time quantum key distribution", Nature 640, 47 (2025).
    """
    mu1, mu2, mu3 = mu
    square1, square2 = mu1 * mu1 - mu3 * mu3, mu2 * mu2 - mu3 * mu3
    numerator = square1 * low[1] - square2 * high[0] - (mu1 * mu1 - mu2 * mu2) * high[2]
    return numerator / ((mu1 - mu3) * (mu2 - mu3) * (mu1 - mu2))


def single_errors_upper(low: Triple, high: Triple, mu: Triple, tau1: float) -> float:
    r"""Upper bound on the errors among single-photon detections, not clamped.

    Parameters
    ----------
    low, high : tuple of float
        Scaled bounds on the error counts. [1]
    mu : tuple of float
        Intensities. [1]
    tau1 : float
        Probability of one photon, averaged over the intensities. [1]

    Returns
    -------
    float
        :math:`v_1 = \tau_1(m_2^+ - m_3^-)/(\mu_2-\mu_3)`. The number observed over all intensities bounds it, too;
        callers take the smaller. [1]

    References
    ----------
    .. [1] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014).
    """
    return tau1 * (high[1] - low[2]) / (mu[1] - mu[2])
