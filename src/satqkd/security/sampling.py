"""Random sampling: from the errors of the test basis to a bound on the phase error of the key.

Each function of :data:`SAMPLING` takes an upper bound on the single-photon errors seen in the test basis, lower
bounds on the single photons of the test and the key basis, and the secrecy parameter of an analysis whose secrecy is
made of 21 equal terms (Lim et al. 2014). It returns an upper bound on the phase error rate of the key's single
photons, in [0, 1/2].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from satqkd.security.tails import hypergeometric_upper_count

__all__ = ["N_SECRECY_TERMS", "SAMPLING", "Sampling", "exact", "exact_smooth", "lim2014", "phase_error_exact"]

Sampling = Callable[[float, float, float, float], float]

N_SECRECY_TERMS = 21
"""Equal terms into which Lim et al. (2014) divide the secrecy parameter; one is the sampling's."""


def phase_error_exact(errors_upper: float, test_lower: float, key_lower: float, eps: float) -> float:
    r"""Phase error rate by inversion of the hypergeometric distribution.

    Parameters
    ----------
    errors_upper : float
        Upper bound on the errors among the sampled (test) items, need not be whole. [1]
    test_lower : float
        Lower bound on the number of sampled items. [1]
    key_lower : float
        Lower bound on the number of items not sampled (the key's). [1]
    eps : float
        Failure probability of this step alone, at most 0.1. [1]

    Returns
    -------
    float
        :math:`\phi = (K-m)/(N-n)`, K the smallest whole number with
        :math:`\Pr[\mathrm{Hyper}(N,K,n)\le m]\le\varepsilon`; at most 1/2. [1]

    Notes
    -----
    Theorem 4 of arXiv:2605.29706, from [1]_. Rounded so that the bound only grows: n = floor of the test items, N =
    ceiling of test and key items together, m = ceiling of the errors (beyond rounding noise of 1e-9), divisor = the
    unrounded lower bound on the key items. The bound rises with m, falls with n, and falls with the number of key
    items up to one error; that one is covered because Theorem 4 excludes K itself. So it also holds for the true,
    unknown numbers, which are at least ``test_lower`` and ``key_lower`` and at most ``errors_upper``.

    References
    ----------
    .. [1] V. Mannalath, V. Zapatero, M. Curty, "Sharp finite statistics for quantum key distribution",
       Phys. Rev. Lett. 135, 020803 (2025).

    Examples
    --------
    >>> round(phase_error_exact(0.0, 1000.0, 1e6, 1e-9 / 21), 4)
    0.0235
    """
    sample = float(math.floor(test_lower)) if test_lower > 0.0 else 0.0
    if sample <= 0.0 or key_lower <= 0.0:
        return 0.5
    errors = max(0.0, float(math.ceil(errors_upper * (1.0 - 1e-12) - 1e-9)))
    if 2.0 * errors >= sample:
        return 0.5
    population = max(float(math.ceil(test_lower + key_lower)), sample)
    marked = hypergeometric_upper_count(population, sample, errors, eps)
    return min((marked - errors) / key_lower, 0.5)


def exact_smooth(errors_upper: float, test_lower: float, key_lower: float, eps_secrecy: float) -> float:
    r"""Hypergeometric inversion with the secrecy term as *smoothing*: :func:`phase_error_exact` at its square.

    Parameters
    ----------
    errors_upper, test_lower, key_lower : float
        As in :func:`phase_error_exact`. [1]
    eps_secrecy : float
        Secrecy parameter of the whole analysis. [1]

    Returns
    -------
    float
        Upper bound on the phase error rate, at most 1/2. [1]

    Notes
    -----
    Phase errors are outcomes of a measurement that is not made. That their rate exceeds a bound with probability p
    therefore does not cost p but a smoothing of :math:`\sqrt p` of the state (Tomamichel et al. [1]_, and
    :math:`2\sqrt{\varepsilon_{PE}}` in variable-length analyses). The sampling's term of the budget,
    :math:`\varepsilon_1 = \varepsilon_{sec}/21`, so allows :math:`p = \varepsilon_1^2`.

    References
    ----------
    .. [1] M. Tomamichel, C. C. W. Lim, N. Gisin, R. Renner, "Tight finite-key analysis for quantum cryptography",
       Nat. Commun. 3, 634 (2012).
    """
    return phase_error_exact(errors_upper, test_lower, key_lower, (eps_secrecy / N_SECRECY_TERMS) ** 2)


def exact(errors_upper: float, test_lower: float, key_lower: float, eps_secrecy: float) -> float:
    """Hypergeometric inversion with a *failure probability* of 1/21 of the secrecy parameter.

    It counts the failure of the sampling like that of a classical estimate; see :func:`exact_smooth` for what a
    proof with smooth entropies needs.

    Parameters
    ----------
    errors_upper, test_lower, key_lower : float
        As in :func:`phase_error_exact`. [1]
    eps_secrecy : float
        Secrecy parameter of the whole analysis. [1]

    Returns
    -------
    float
        Upper bound on the phase error rate, at most 1/2. [1]
    """
    return phase_error_exact(errors_upper, test_lower, key_lower, eps_secrecy / N_SECRECY_TERMS)


def lim2014(errors_upper: float, test_lower: float, key_lower: float, eps_secrecy: float) -> float:
    r"""Observed rate plus the correction gamma of Lim et al.; reproduces published numbers.

    Parameters
    ----------
    errors_upper, test_lower, key_lower : float
        As in :func:`phase_error_exact`. [1]
    eps_secrecy : float
        Secrecy parameter of the whole analysis. [1]

    Returns
    -------
    float
        :math:`\min(b + \gamma, 1/2)` with :math:`b = v/s_Z` and :math:`\gamma = \sqrt{\frac{(c+d)(1-b)b}{cd\ln 2}
        \log_2\frac{(c+d)\,21^2}{cd(1-b)b\,\varepsilon^2}}`, c and d the single photons of test and key. [1]

    Notes
    -----
    Unsound for few errors: :math:`\gamma\to 0` as the errors vanish, whatever the sample. It stays for comparison;
    predictions use :func:`exact_smooth`.

    References
    ----------
    .. [1] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014).
    """
    if test_lower <= 0.0 or key_lower <= 0.0 or 2.0 * errors_upper >= test_lower:
        return 0.5
    b = errors_upper / test_lower
    if b <= 0.0:
        return 0.0
    variance = (1.0 / test_lower + 1.0 / key_lower) * (1.0 - b) * b
    inverse = (1.0 / test_lower + 1.0 / key_lower) / ((1.0 - b) * b)
    log_term = math.log2(inverse) + 2.0 * math.log2(N_SECRECY_TERMS / eps_secrecy)
    return min(b + math.sqrt(max(variance * log_term, 0.0) / math.log(2.0)), 0.5)


SAMPLING: Mapping[str, Sampling] = MappingProxyType({"exact-smooth": exact_smooth, "exact": exact, "lim2014": lim2014})
"""Random-sampling bound by name."""
