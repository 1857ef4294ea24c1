r"""Tails of the binomial and hypergeometric distributions at probabilities down to 1e-300.

Library quantiles fail at security levels (``scipy.stats.binom.isf(1e-18, n, p)`` returns ``n``), and a log-gamma
difference loses all digits at populations of 1e13. Here a point probability is Loader's saddle-point form (absolute
error of its logarithm about 1e-13), and a tail is that times a sum of ratios of neighbouring terms. The ratios
decrease away from the mode, so the rest of a truncated sum is below a geometric series, which is added: a tail
returned here is never below the exact one by more than rounding.

References
----------
.. [1] C. Loader, "Fast and accurate computation of binomial probabilities", Bell Labs (2000).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

from satqkd.errors import InputError

__all__ = [
    "MOST_COUNTED",
    "binomial_error_quantile",
    "check_counted",
    "hypergeometric_upper_count",
    "log_binomial_pmf",
    "log_hypergeometric_pmf",
]

MOST_COUNTED = 2.0**52
"""Largest count that is taken: twice as many are still exact as whole numbers in floating point. [1]"""

LOG_SLACK = 1e-9
"""Outward rounding of a tail's logarithm: far above the rounding errors of this module, far below any effect."""

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_STIRLING_TABLE = tuple(
    0.0 if n == 0 else math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - _HALF_LOG_2PI for n in range(16)
)
_LOG_CUT = 27.0  # terms below exp(-27) = 2e-12 of the first are covered by the geometric rest
_MAX_TERMS = 1 << 17
_STANDARD_NORMAL = NormalDist()


def check_counted(what: str, total: float) -> None:
    """Raise InputError if there are more detections than can be counted one by one."""
    if not total <= MOST_COUNTED:
        raise InputError(
            f"counts: {total:.4g} detections {what}, must be at most 2^52 (4.5e15): beyond, adding one is lost"
        )


def _stirling_error(n: float) -> float:
    """ln(n!) minus Stirling's formula, for a whole number n >= 0 (0 at n = 0)."""
    if n < 16.0:
        return _STIRLING_TABLE[int(n)]
    s = 1.0 / (n * n)
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - s / 1188) * s) * s) * s) / n


def _deviance(x: float, mean: float) -> float:
    """Loader's x ln(x / mean) + mean - x without cancellation, x > 0 and mean > 0."""
    difference = x - mean
    if abs(difference) < 0.1 * (x + mean):
        v = difference / (x + mean)
        total = difference * v
        term = 2.0 * x * v
        square = v * v
        for j in range(3, 2000, 2):
            term *= square
            after = total + term / j
            if after == total:
                break
            total = after
        return total
    return x * math.log(x / mean) + mean - x


def log_binomial_pmf(k: float, n: float, p: float, q: float) -> float:
    """Logarithm of the binomial probability of ``k`` successes in ``n`` trials.

    Parameters
    ----------
    k, n : float
        Whole numbers, ``0 <= k <= n``, up to 2^53. [1]
    p, q : float
        Probability of success and of failure; both are given so that neither loses digits. [1]

    Returns
    -------
    float
        Natural logarithm; ``-inf`` for an impossible outcome.

    References
    ----------
    .. [1] C. Loader, "Fast and accurate computation of binomial probabilities", Bell Labs (2000).
    """
    if p == 0.0:
        return 0.0 if k == 0.0 else -math.inf
    if q == 0.0:
        return 0.0 if k == n else -math.inf
    if k == 0.0:
        return n * (math.log1p(-p) if p < 0.5 else math.log(q))
    if k == n:
        return n * (math.log1p(-q) if q < 0.5 else math.log(p))
    rest = n - k
    return (
        _stirling_error(n)
        - _stirling_error(k)
        - _stirling_error(rest)
        - _deviance(k, n * p)
        - _deviance(rest, n * q)
        - _HALF_LOG_2PI
        + 0.5 * (math.log(n / k) - math.log(rest))
    )


def log_hypergeometric_pmf(m: float, population: float, marked: float, sample: float) -> float:
    """Logarithm of the probability that a random sample holds exactly ``m`` marked items.

    Parameters
    ----------
    m : float
        Marked items in the sample, a whole number. [1]
    population, marked, sample : float
        Whole numbers, ``marked`` and ``sample`` at most ``population``, up to 2^53. [1]

    Returns
    -------
    float
        Natural logarithm; ``-inf`` for an impossible outcome.

    References
    ----------
    .. [1] C. Loader, "Fast and accurate computation of binomial probabilities", Bell Labs (2000).
    """
    unmarked = population - marked
    if not (max(0.0, sample - unmarked) <= m <= min(sample, marked)):
        return -math.inf
    p, q = sample / population, (population - sample) / population
    return (
        log_binomial_pmf(m, marked, p, q)
        + log_binomial_pmf(sample - m, unmarked, p, q)
        - log_binomial_pmf(sample, population, p, q)
    )


def _sum_of_products(ratio: Callable[[Any], Any], available: float) -> float:
    """Sum over i = 1 .. ``available`` of ratio(0) ratio(1) ... ratio(i-1), never too small.

    ``ratio`` takes a float or an array, is below 1 at 0 and decreases. Terms are summed until they are below
    exp(-27) of the first; the rest is bounded by a geometric series, which is added.
    """
    first = float(ratio(0.0))
    if available < 1.0 or first <= 0.0:
        return 0.0
    count = int(min(2.0 - _LOG_CUT / math.log(first), available, _MAX_TERMS))
    if count <= 12:
        total, term, last = 0.0, 1.0, first
        for j in range(count):
            last = float(ratio(float(j)))
            term *= last
            total += term
    else:
        ratios = ratio(np.arange(float(count)))
        products = np.cumprod(ratios)
        total, term, last = float(products.sum()), float(products[-1]), float(ratios[-1])
    return total + (term * last / (1.0 - last) if count < available else 0.0)


def binomial_error_quantile(eps: float, n: float, p: float) -> float:
    r"""Largest number of errors that is still reached with probability ``eps``.

    Parameters
    ----------
    eps : float
        Probability, at most 0.1. [1]
    n : float
        Number of trials, a whole number up to 2^53. [1]
    p : float
        Error probability of a trial. [1]

    Returns
    -------
    float
        Largest whole ``e`` with :math:`\Pr[E \ge e] \ge \varepsilon`, :math:`E\sim\mathrm{Bin}(n, p)`. The
        quantile of the correct trials is ``n - e``: smallest k with :math:`\Pr[n-E \le k] \ge \varepsilon`.

    Raises
    ------
    InputError
        If ``eps`` is not in (0, 0.1], ``p`` not in [0, 1], or ``n`` beyond 2^53.

    Notes
    -----
    Newton steps on the logarithm of the tail, whose forward difference comes with its value
    (:math:`\Pr[E\ge e+1] = \Pr[E\ge e] - \Pr[E=e]`), inside a bracket; two to five evaluations. A tail within a
    relative 1e-9 of ``eps`` counts as reached (more errors).

    Examples
    --------
    >>> binomial_error_quantile(1e-15, 1e10, 0.01)
    100079026.0
    """
    if not 0.0 < eps <= 0.1:
        raise InputError(f"binomial quantile: eps = {eps!r} must be above 0 and at most 0.1")
    if not 0.0 <= p <= 1.0:
        raise InputError(f"binomial quantile: p = {p!r} must be between 0 and 1")
    if not n <= 2.0 * MOST_COUNTED:
        raise InputError(f"binomial quantile: {n:.4g} trials, must be at most 2^53 (9.0e15)")
    if n * p < (1.0 - 1e-8) * eps:  # Pr[E >= 1] <= n p; also where the powers of p below would vanish
        return 0.0
    if p == 1.0:
        return n
    q, mean, log_eps = 1.0 - p, n * p, math.log(eps)
    low, high = float(math.floor(mean)), n + 1.0  # Pr[E >= floor(mean)] >= 1/2 > eps; Pr[E >= n + 1] = 0
    z = -_STANDARD_NORMAL.inv_cdf(eps) if eps > 1e-300 else 37.0
    sigma = math.sqrt(mean * q)  # Cornish-Fisher expansion with continuity correction: within one of the quantile
    skewness, third = (z * z - 1.0) * (1.0 - 2.0 * p) / 6.0, z * (z * z - 1.0 + p * q * (2.0 * z * z - 14.0)) / 72.0
    e = float(math.floor(mean + z * sigma + skewness - third / sigma + 0.5)) if sigma > 0.0 else low
    while high - low > 1.0:
        if not low < e < high:
            e = low + float(math.floor(0.5 * (high - low)))
        beyond = _binomial_beyond(n, e, p / q)
        log_tail = log_binomial_pmf(e, n, p, q) + math.log1p(beyond)
        if log_tail < log_eps - LOG_SLACK:
            high = e
        else:
            low = e
            if beyond == 0.0 or log_tail + math.log(beyond / (1.0 + beyond)) < log_eps - LOG_SLACK:
                return e
        slope = math.log(beyond / (1.0 + beyond)) if beyond > 0.0 else -math.inf
        step = (log_eps - log_tail) / slope
        e = e + math.floor(step) if math.isfinite(step) else low  # low: halve
    return low


def _binomial_beyond(n: float, e: float, odds: float) -> float:
    """Pr[E > e] / Pr[E = e] for e above the mean, where the ratio of neighbouring terms is below 1."""
    rest, after = n - e, e + 1.0
    if rest < 1.0:
        return 0.0
    return _sum_of_products(lambda j: (rest - j) * odds / (after + j), rest)


def hypergeometric_upper_count(population: float, sample: float, errors: float, eps: float) -> float:
    r"""Smallest number of marked items that makes a sample with so few of them improbable.

    Parameters
    ----------
    population : float
        Size N of the population, a whole number up to 2^53. [1]
    sample : float
        Size n of the random sample, a whole number, ``n <= N``. [1]
    errors : float
        Marked items m seen in the sample, a whole number. [1]
    eps : float
        Failure probability, at most 0.1. [1]

    Returns
    -------
    float
        Smallest whole K with :math:`\Pr[\mathrm{Hyper}(N, K, n) \le m] \le \varepsilon`; N + 1 if there is none.

    Raises
    ------
    InputError
        If the numbers do not fit together or ``eps`` is not in (0, 0.1].

    Notes
    -----
    The Clopper-Pearson bound for sampling without replacement [1]_ (Theorem 4 of arXiv:2605.29706). The tail is
    rounded *up* by a relative 1e-9 before it is compared with ``eps``: the result is never below the exact K, and
    above it (by 1) only if the exact tail is within that distance of ``eps``. The number of marked items outside the
    sample is below K - m, except with probability ``eps``.

    References
    ----------
    .. [1] V. Mannalath, V. Zapatero, M. Curty, "Sharp finite statistics for quantum key distribution",
       Phys. Rev. Lett. 135, 020803 (2025).

    Examples
    --------
    >>> hypergeometric_upper_count(100, 50, 0, 1e-3)
    10.0
    """
    if not 0.0 < eps <= 0.1:
        raise InputError(f"hypergeometric bound: eps = {eps!r} must be above 0 and at most 0.1")
    big_n, n, m = math.floor(population), math.floor(sample), math.floor(errors)
    if (big_n, n, m) != (population, sample, errors) or not (0 <= n <= big_n <= 2**53) or m < 0:
        raise InputError(
            f"hypergeometric bound: population {population!r}, sample {sample!r}, errors {errors!r} must be whole "
            "numbers with 0 <= sample <= population <= 2^53 and errors >= 0"
        )
    if m >= n:
        return float(big_n + 1)
    pop, size, seen = float(big_n), float(n), float(m)
    log_eps = math.log(eps) - LOG_SLACK
    low, high = seen, pop - size + seen + 1.0  # the tail is 1 at K = m, and 0 when too few unmarked items are left
    z = -_STANDARD_NORMAL.inv_cdf(eps) if eps > 1e-300 else 37.0
    unsampled = (pop - size) / pop
    spread = z * math.sqrt(unsampled * seen * (1.0 - seen / size) + (unsampled * z / 3.0) ** 2)
    k = float(math.ceil((seen + unsampled * z * z / 3.0 + spread) * pop / size))
    while high - low > 1.0:
        if not low < k < high:
            k = low + float(math.floor(0.5 * (high - low)))
        unmarked_left = pop - k - size + seen  # unmarked items outside the sample, at least 0
        if seen * (unmarked_left + 1.0) >= (k - seen + 1.0) * (size - seen + 1.0):
            low = k  # m is at or above the mode: the tail is about 1/2 or more
            k = low + float(math.ceil(0.5 * (high - low)))
            continue
        ratios = 1.0 + _hypergeometric_below(seen, unmarked_left, k - seen, size - seen)
        log_pmf = log_hypergeometric_pmf(seen, pop, k, size)
        log_tail = log_pmf + math.log(ratios)
        if log_tail <= log_eps:
            high = k
            # Pr at K - 1 = Pr at K + Pr_{K-1}[X = m] Pr[the item marked last is in the sample | X = m]
            before = (k - seen) * (size - seen) / (k * (unmarked_left + 1.0))
            if log_pmf + math.log(ratios + before) > log_eps:
                return k
        else:
            low = k
        # Pr at K + 1 = Pr at K - Pr_K[X = m] (n - m) / (N - K): the slope of the logarithm
        drop = (size - seen) / ((pop - k) * ratios)
        slope = math.log1p(-drop) if drop < 1.0 else -math.inf
        step = (log_eps - log_tail) / slope
        k = k + math.ceil(step) if math.isfinite(step) else low
    return high


def _hypergeometric_below(seen: float, unmarked_left: float, marked_left: float, unmarked_in: float) -> float:
    """Pr[X < m] / Pr[X = m] of a hypergeometric variable, m = ``seen`` below the mode.

    With x = m - j, Pr[X = x-1] / Pr[X = x] = (m-j)(unmarked_left-j) / ((marked_left+1+j)(unmarked_in+1+j)).
    """
    after_marked, after_unmarked = marked_left + 1.0, unmarked_in + 1.0
    return _sum_of_products(
        lambda j: (seen - j) * (unmarked_left - j) / ((after_marked + j) * (after_unmarked + j)),
        min(seen, unmarked_left),
    )
