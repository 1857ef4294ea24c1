"""Exact confidence bounds for sums of Bernoulli variables, at failure probabilities down to 1e-300.

Theorems 2 and 3 of Mannalath, Zapatero and Curty [1]_ and the inversions of its App. C. Nothing is relaxed to a
Chernoff or Hoeffding form: the tail itself is inverted, and the result is rounded outwards by a few parts in 1e11 of
``eps``, so that rounding errors cannot make a bound too good. (Theorem 4, sampling without replacement, is
:func:`satqkd.security.tails.hypergeometric_upper_count`.)

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, "Finite-key feasibility of geostationary quantum key distribution",
   arXiv:2605.29706 (2026), App. C and G.
"""

from __future__ import annotations

import math

from satqkd.errors import InputError

__all__ = [
    "binomial_lower_threshold",
    "binomial_upper_threshold",
    "expected_count_lower",
    "expected_count_upper",
    "trials_upper",
    "vacuum_count_upper",
]


def expected_count_lower(count: float, trials: float, eps: float) -> float:
    r"""Lower confidence bound on the mean of a sum of independent Bernoulli variables.

    Parameters
    ----------
    count : float
        Observed sum k; need not be whole (an expected count stands for the one that will be seen). [1]
    trials : float
        Number of variables n. [1]
    eps : float
        Failure probability, at most 1/4. [1]

    Returns
    -------
    float
        :math:`n\,\mathcal F^L_{n,\varepsilon}(k/n)`: the mean is below it with probability at most ``eps``. [1]

    Raises
    ------
    InputError
        If ``count`` is not in [0, trials] or ``eps`` not in (0, 1/4].

    Notes
    -----
    Theorem 2 of [1]_: the x with :math:`I_x(k, n-k+1) = \varepsilon` (the variables need not be identical), zero
    for k = 0, and a linear branch for k close to 1. Between the whole numbers the incomplete beta function continues
    the bound; for k < 1 the linear branch is negative and 0 is returned.

    References
    ----------
    .. [1] arXiv:2605.29706, Eq. 116.

    Examples
    --------
    >>> round(expected_count_lower(100.0, 1e6, 1e-18), 6)
    35.725644
    """
    from satqkd.security import _tail_kernels

    _check_count(count, trials, eps)
    log_eps = math.log(eps)
    z = _tail_kernels.normal_quantile(log_eps)
    return float(_tail_kernels.mean_lower(float(count), float(trials), log_eps, z))


def expected_count_upper(count: float, trials: float, eps: float) -> float:
    r"""Upper confidence bound on the mean of a sum of independent Bernoulli variables.

    Parameters
    ----------
    count, trials, eps : float
        As in :func:`expected_count_lower`. [1]

    Returns
    -------
    float
        :math:`n\,\mathcal F^U_{n,\varepsilon}(k/n) = n - n\,\mathcal F^L_{n,\varepsilon}(1-k/n)`. [1]

    Raises
    ------
    InputError
        If ``count`` is not in [0, trials] or ``eps`` not in (0, 1/4].

    Notes
    -----
    Theorem 2 of [1]_, solved for the small probability itself.

    References
    ----------
    .. [1] arXiv:2605.29706, Eq. 119.

    Examples
    --------
    >>> round(expected_count_upper(0.0, 1e6, 1e-18), 6)   # nearly -ln(eps)
    41.445673
    """
    from satqkd.security import _tail_kernels

    _check_count(count, trials, eps)
    log_eps = math.log(eps)
    z = _tail_kernels.normal_quantile(log_eps)
    return float(_tail_kernels.mean_upper(float(count), float(trials), log_eps, z))


def binomial_upper_threshold(trials: float, probability: float, eps: float) -> int:
    r"""Smallest number of successes that is improbable to be reached.

    Parameters
    ----------
    trials : float
        Number of trials n, whole. [1]
    probability : float
        Probability of a success. [1]
    eps : float
        Failure probability, at most 1/4. [1]

    Returns
    -------
    int
        :math:`n\,\mathcal G^U_{n,\varepsilon}(p)`: smallest k with :math:`\Pr[X\ge k]\le\varepsilon`; n + 1 if
        there is none. [1]

    Raises
    ------
    InputError
        If a number is outside its range.

    References
    ----------
    .. [1] arXiv:2605.29706, Eq. 121.

    Examples
    --------
    >>> binomial_upper_threshold(1e12, 1e-10, 1e-18)
    200
    """
    from satqkd.security import _tail_kernels

    _check_trials(trials, probability, eps)
    return int(_tail_kernels.upper_threshold(float(trials), probability, 1.0 - probability, math.log(eps)))


def binomial_lower_threshold(trials: float, probability: float, eps: float) -> int:
    r"""Largest number of successes below which it is improbable to stay.

    Parameters
    ----------
    trials, probability, eps : float
        As in :func:`binomial_upper_threshold`. [1]

    Returns
    -------
    int
        :math:`n\,\mathcal G^L_{n,\varepsilon}(p)`: largest k with :math:`\Pr[X\le k]\le\varepsilon`; -1 if there is
        none. [1]

    Raises
    ------
    InputError
        If a number is outside its range.

    References
    ----------
    .. [1] arXiv:2605.29706, Eq. 123.

    Examples
    --------
    >>> binomial_lower_threshold(1e12, 1e-10, 1e-18)
    25
    """
    from satqkd.security import _tail_kernels

    _check_trials(trials, probability, eps)
    failures = _tail_kernels.upper_threshold(float(trials), 1.0 - probability, probability, math.log(eps))
    return int(trials - failures)


def vacuum_count_upper(trials: float, probability: float, eps: float) -> int:
    r"""Number of counts that pulses without light do not reach, however many of the pulses those are.

    Parameters
    ----------
    trials : float
        Number of pulses N, whole. [1]
    probability : float
        Largest probability q that a pulse without light is counted. [1]
    eps : float
        Failure probability, at most 1/4. [1]

    Returns
    -------
    int
        :math:`B_0`: smallest b above :math:`\lceil Nq\rceil` with
        :math:`\Pr[\mathrm{Bin}(N,q)\ge b]\le\varepsilon`. [1]

    Raises
    ------
    InputError
        If a number is outside its range.

    References
    ----------
    .. [1] arXiv:2605.29706, Eq. 62.

    Examples
    --------
    >>> vacuum_count_upper(1e12, 1.6e-10, 1e-18)
    284
    """
    return max(binomial_upper_threshold(trials, probability, eps), math.ceil(trials * probability) + 1)


def trials_upper(count: float, probability: float, eps: float, max_trials: float) -> int:
    r"""Number of trials that would have made so few successes improbable.

    Parameters
    ----------
    count : float
        Successes k that were seen; need not be whole. [1]
    probability : float
        Smallest probability of a success. [1]
    eps : float
        Failure probability, at most 1/4. [1]
    max_trials : float
        Number of trials N there can have been at most, whole. [1]

    Returns
    -------
    int
        :math:`V`: smallest t with :math:`k\le t\le N` and :math:`\Pr[\mathrm{Bin}(t,\lambda)\le k]\le\varepsilon`;
        N + 1 if there is none. [1]

    Raises
    ------
    InputError
        If a number is outside its range.

    References
    ----------
    .. [1] arXiv:2605.29706, Eq. 69.

    Examples
    --------
    >>> trials_upper(400.0, 0.29, 1e-18, 1e12)
    1969
    """
    from satqkd.security import _tail_kernels

    _check_trials(max_trials, probability, eps)
    if not 0.0 <= count <= max_trials:
        raise InputError(f"count = {count!r}: must be between 0 and max_trials = {max_trials!r}")
    return int(_tail_kernels.trials_threshold(float(count), probability, math.log(eps), float(max_trials)))


def _check_eps(eps: float) -> None:
    if not 1e-300 <= eps <= 0.25:
        raise InputError(f"eps = {eps!r}: must be between 1e-300 and 1/4")


def _check_count(count: float, trials: float, eps: float) -> None:
    _check_eps(eps)
    if not 0.0 <= count <= trials <= 2.0**53:
        raise InputError(f"count = {count!r} of trials = {trials!r}: must satisfy 0 <= count <= trials <= 2^53")


def _check_trials(trials: float, probability: float, eps: float) -> None:
    _check_eps(eps)
    if not (0.0 <= trials <= 2.0**53 and float(trials).is_integer()):
        raise InputError(f"trials = {trials!r}: must be a whole number between 0 and 2^53")
    if not 0.0 <= probability <= 1.0:
        raise InputError(f"probability = {probability!r}: must be between 0 and 1")
