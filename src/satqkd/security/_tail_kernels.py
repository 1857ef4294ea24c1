"""Compiled tails of binomial and hypergeometric distributions, and the quantiles built on them.

Loaded on first use only (Numba). A tail is Loader's point probability times a continued fraction, which at security
levels converges in about ten terms whatever the size of the block; everything works on logarithms, so 1e-20 is as easy
as 1e-2. Counts may be real: the regularised incomplete beta function continues the binomial tail between the whole
numbers. Results are rounded outwards: see ``LOG_SLACK`` and ``OUTWARD``.

References
----------
.. [1] C. Loader, "Fast and accurate computation of binomial probabilities", Bell Labs (2000).
.. [2] A. R. DiDonato, A. H. Morris, "Significant digit computation of the incomplete beta function ratios",
   ACM Trans. Math. Softw. 18, 360 (1992), Eq. 9.
"""

from __future__ import annotations

import math

from numba import njit

LOG_SLACK = 2e-11
"""Tails are solved for a logarithm this much below the requested one: above the errors of the arithmetic."""
OUTWARD = 4e-15
"""Relative outward shift of a probability found by inversion: rounding of n p, which no slack in the tail covers."""
FREE_STEPS = 60
"""Steps of a search for a whole number that may be Newton's; further ones halve, so that it ends whatever happens."""
CLOSE = 1e-3
"""Error of the tail's logarithm from which one more step of third order leaves about 2e-5 CLOSE^3 = 2e-14."""
HALF_LOG_2PI = 0.9189385332046727
SQRT_HALF = 0.7071067811865476


@njit(cache=True, error_model="numpy")
def stirling_error(n):  # type: ignore[no-untyped-def]
    """ln Gamma(n+1) minus Stirling's formula, n > 0."""
    if n < 16.0:
        return math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - HALF_LOG_2PI
    s = 1.0 / (n * n)
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - s / 1188) * s) * s) * s) / n


@njit(cache=True, error_model="numpy")
def deviance(x, mean):  # type: ignore[no-untyped-def]
    """Loader's x ln(x / mean) + mean - x without cancellation, x > 0 and mean > 0."""
    difference = x - mean
    if abs(difference) < 0.1 * (x + mean):
        v = difference / (x + mean)
        total = difference * v
        term = 2.0 * x * v
        square = v * v
        for j in range(3, 60, 2):
            term *= square
            after = total + term / j
            if after == total:
                break
            total = after
        return total
    ratio = x / mean
    return x * math.log(ratio) - difference if ratio > 0.0 else -difference  # x so small that x ln x is nothing


@njit(cache=True, error_model="numpy")
def log_front(k, rest, n):  # type: ignore[no-untyped-def]
    """Part of the binomial probability's logarithm that does not depend on p, for k > 0 and rest = n - k > 0."""
    return (
        stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - HALF_LOG_2PI
        + 0.5 * (math.log(n / k) - math.log(rest))
    )


@njit(cache=True, error_model="numpy")
def log_pmf(k, rest, n, p, q):  # type: ignore[no-untyped-def]
    """Logarithm of the binomial probability of k in n = k + rest (real, not negative), 0 < p < 1, q = 1 - p."""
    if k <= 0.0:
        return n * (math.log1p(-p) if p < 0.5 else math.log(q))
    if rest <= 0.0:
        return n * (math.log1p(-q) if q < 0.5 else math.log(p))
    return log_front(k, rest, n) - deviance(k, n * p) - deviance(rest, n * q)


@njit(cache=True, error_model="numpy")
def tail_fraction(a, b, x, y):  # type: ignore[no-untyped-def]
    """Continued fraction c with I_x(a, b) = x^a y^b / (B(a, b) c), for x below a / (a + b), y = 1 - x."""
    value = a * (a * y - b * x + 1.0) / (a + 1.0)
    upper, lower = value, 0.0
    for m in range(1, 20000):
        twice = a + 2.0 * m - 1.0
        numerator = (a + m - 1.0) * (a + b + m - 1.0) / (twice * twice) * (m * (b - m) * x * x)
        term = m + m * (b - m) * x / twice + (a + m) * (a * y - b * x + 1.0 + m * (2.0 - x)) / (twice + 2.0)
        lower = 1.0 / (term + numerator * lower)
        upper = term + numerator / upper
        change = upper * lower
        value *= change
        if abs(change - 1.0) < 1e-15:
            break
    return value


@njit(cache=True, error_model="numpy")
def log_upper_tail(k, rest, n, p, q):  # type: ignore[no-untyped-def]
    """ln Pr[Bin(n, p) >= k] for k > n p and k > 0, and the continued fraction it came from; n = k + rest."""
    fraction = tail_fraction(k, rest + 1.0, p, q)
    return log_pmf(k, rest, n, p, q) + math.log(k * q / fraction), fraction


@njit(cache=True, error_model="numpy")
def normal_quantile(log_eps):  # type: ignore[no-untyped-def]
    """z with a normal tail of exp(log_eps), which is a starting point of the searches here: to 1e-9 above 1e-300."""
    z = math.sqrt(max(-2.0 * log_eps, 0.5))
    for _ in range(4):
        z = math.sqrt(max(-2.0 * (log_eps + HALF_LOG_2PI + math.log(z + 1.0 / (z + 0.5))), 0.1))
    if -690.0 < log_eps < -1.0:
        for _ in range(3):
            tail = 0.5 * math.erfc(z * SQRT_HALF)
            z += (math.log(tail) - log_eps) * tail * math.exp(0.5 * z * z + HALF_LOG_2PI)
    return z


@njit(cache=True, error_model="numpy")
def mean_lower(k, n, log_eps, z):  # type: ignore[no-untyped-def]
    """n F^L: lower bound on the mean of a sum of n independent Bernoulli variables that came out as k (real).

    ``z``: :func:`normal_quantile` of ``log_eps``, where the search starts.
    """
    if k <= 0.0 or n <= 0.0:
        return 0.0
    eps = math.exp(log_eps)
    if k <= 1.0:
        return max(0.0, k - 1.0 + eps) * (1.0 - OUTWARD)
    if k < 2.0 + 1e-9:
        at = (k - 1.0) / n
        log_star = log_upper_tail(k, n - k, n, at, 1.0 - at)[0]
        if log_star <= log_eps:
            return max(0.0, k - (1.0 - eps) / (1.0 - math.exp(log_star))) * (1.0 - OUTWARD)
    target = log_eps - LOG_SLACK
    if k >= n:  # I_x(n, 1) = x^n
        return n * math.exp(target / n) * (1.0 - OUTWARD)
    square = z * z
    shifted = k - 0.5 - (square - 1.0) * (1.0 - 2.0 * k / n) / 6.0  # skewness
    shifted = shifted if 0.3 * k < shifted < n else k
    p = (shifted + 0.5 * square - z * math.sqrt(shifted * (n - shifted) / n + 0.25 * square)) / (n + square)
    high = k / n
    if not 0.0 < p < high:
        p = 0.5 * high
    low, rest = 0.0, n - k
    front = log_front(k, rest, n) - target
    for _ in range(200):
        q = 1.0 - p
        fraction = tail_fraction(k, rest + 1.0, p, q)
        gap = front - deviance(k, n * p) - deviance(rest, n * q) + math.log(k * q / fraction)
        if gap > 0.0:
            high = min(high, p)
        else:
            low = max(low, p)
        slope = fraction / q  # d ln I / d ln p
        bend = slope * (k - (n - k) * p / q - slope)
        after = p * math.exp(quadratic_step(gap, slope, bend))
        done = abs(gap) < CLOSE or abs(after - p) <= 1e-15 * p
        if not low <= after <= high:
            after = 0.5 * (low + high) if low > 0.0 else 0.1 * high
            done = high - low <= 1e-15 * high
        p = after
        if done:
            break
    return n * p * (1.0 - OUTWARD)


@njit(cache=True, error_model="numpy")
def mean_upper(k, n, log_eps, z):  # type: ignore[no-untyped-def]
    """n F^U = n - n F^L(n - k), without subtracting nearly equal numbers."""
    rest = n - k
    if rest <= 0.0 or n <= 0.0:
        return n
    eps = math.exp(log_eps)
    if rest <= 1.0:
        return min(n, n - max(0.0, rest - 1.0 + eps) * (1.0 - OUTWARD))
    if rest < 2.0 + 1e-9:
        at = (rest - 1.0) / n
        log_star = log_upper_tail(rest, k, n, at, 1.0 - at)[0]
        if log_star <= log_eps:
            return min(n, n - max(0.0, rest - (1.0 - eps) / (1.0 - math.exp(log_star))) * (1.0 - OUTWARD))
    target = log_eps - LOG_SLACK
    if k <= 0.0:  # I_q(n, 1) = q^n
        return min(n, -n * math.expm1(target / n) * (1.0 + OUTWARD))
    square = z * z
    shifted = k + 0.5 - (square - 1.0) * (1.0 - 2.0 * k / n) / 6.0  # skewness
    shifted = shifted if 0.3 * k < shifted < n else k
    p = (shifted + 0.5 * square + z * math.sqrt(shifted * (n - shifted) / n + 0.25 * square)) / (n + square)
    low, high = k / n, 1.0
    if not low < p < 1.0:
        p = 0.5 * (low + 1.0)
    front = log_front(rest, k, n) - target
    for _ in range(200):
        q = 1.0 - p
        fraction = tail_fraction(rest, k + 1.0, q, p)
        gap = front - deviance(rest, n * q) - deviance(k, n * p) + math.log(rest * p / fraction)
        if gap > 0.0:
            low = max(low, p)
        else:
            high = min(high, p)
        slope = -fraction / q  # d ln I / d ln p
        # d ln(density of ln p) / d ln p = k + 1 - (n - k - 1) p / q
        bend = slope * (k + 1.0 - (rest - 1.0) * p / q - slope)
        after = p * math.exp(quadratic_step(gap, slope, bend))
        done = abs(gap) < CLOSE or abs(after - p) <= 1e-15 * p
        if not low <= after <= high or after >= 1.0:
            after = 0.5 * (low + high)
            done = high - low <= 1e-15 * high
        p = after
        if done:
            break
    return min(n, n * p * (1.0 + OUTWARD))


@njit(cache=True, error_model="numpy")
def quadratic_step(gap, slope, bend):  # type: ignore[no-untyped-def]
    """Smaller root d of gap + slope d + bend d^2 / 2 = 0; Newton's step where there is none."""
    root = slope * slope - 2.0 * bend * gap
    if root <= 0.0:
        return -gap / slope
    root = math.sqrt(root)
    return -2.0 * gap / (slope + (root if slope > 0.0 else -root))


@njit(cache=True, error_model="numpy")
def upper_threshold(n, p, q, log_eps):  # type: ignore[no-untyped-def]
    """Smallest whole k with Pr[Bin(n, p) >= k] <= eps, n whole; n + 1 if there is none."""
    if n <= 0.0 or p <= 0.0:
        return 1.0 if log_eps < 0.0 else 0.0
    if q <= 0.0:
        return n + 1.0
    target = log_eps - LOG_SLACK
    mean = n * p
    low, high = float(math.floor(mean)), n + 1.0
    z = normal_quantile(log_eps)
    k = float(math.floor(mean + z * math.sqrt(mean * q) + (z * z - 1.0) * (1.0 - 2.0 * p) / 6.0))
    steps = 0
    while high - low > 1.0:
        steps += 1
        if steps > FREE_STEPS or not low < k < high:
            k = low + float(math.floor(0.5 * (high - low)))
        log_tail, fraction = log_upper_tail(k, n - k, n, p, q)
        beyond = 1.0 - fraction / (k * q)  # Pr[X > k] / Pr[X >= k]
        slope = math.log(beyond) if beyond > 1e-300 else -700.0
        step = float(math.ceil((target - log_tail) / slope))
        if log_tail <= target:
            high = k
            k += min(step, -1.0)
        else:
            low = k
            if beyond > 1e-3 and log_tail + slope <= target:
                return k + 1.0
            k += max(step, 1.0)
    return high


@njit(cache=True, error_model="numpy")
def trials_threshold(k, probability, log_eps, most):  # type: ignore[no-untyped-def]
    """Smallest whole t >= k, t <= most, with Pr[Bin(t, probability) <= k] <= eps (k real); most + 1 if none."""
    if probability <= 0.0:
        return most + 1.0
    if probability >= 1.0:
        return min(float(math.floor(k)) + 1.0, most + 1.0)
    target = log_eps - LOG_SLACK
    q = 1.0 - probability
    low, high = float(math.floor(k / probability)), most + 1.0
    if low >= most:
        return most + 1.0
    z = normal_quantile(log_eps)
    root = z * math.sqrt(q) + math.sqrt(z * z * q + 4.0 * k + 2.0)
    t = float(math.ceil(0.25 * root * root / probability + z * z / 6.0))
    steps = 0
    while high - low > 1.0:
        steps += 1
        if steps > FREE_STEPS or not low < t < high:
            t = low + float(math.floor(0.5 * (high - low)))
        a = t - k
        if t * probability <= k or a <= 0.0:  # k at or above the mean: not a tail yet
            low = t
            t = low + 1.0
            continue
        log_tail, fraction = log_upper_tail(a, k, t, q, probability)
        ratio = 1.0 - fraction / a  # Pr at t + 1 over Pr at t
        slope = math.log(ratio) if ratio > 1e-300 else -700.0
        step = float(math.ceil((target - log_tail) / slope))
        if log_tail <= target:
            high = t
            t += min(step, -1.0)
        else:
            low = t
            if ratio > 1e-3 and log_tail + slope <= target:
                return t + 1.0
            t += max(step, 1.0)
    return high


@njit(cache=True, error_model="numpy")
def marked_threshold(population, sample, seen, log_eps):  # type: ignore[no-untyped-def]
    """Smallest whole K with Pr[Hyper(population, K, sample) <= seen] <= eps; population + 1 if there is none.

    The algorithm of :func:`satqkd.security.tails.hypergeometric_upper_count`, compiled.
    """
    if seen >= sample:
        return population + 1.0
    target = log_eps - 1e-9
    low, high = seen, population - sample + seen + 1.0
    z = normal_quantile(log_eps)
    unsampled = (population - sample) / population
    spread = z * math.sqrt(unsampled * seen * (1.0 - seen / sample) + (unsampled * z / 3.0) ** 2)
    k = float(math.ceil((seen + unsampled * z * z / 3.0 + spread) * population / sample))
    p, q = sample / population, (population - sample) / population
    steps = 0
    while high - low > 1.0:
        steps += 1
        if steps > FREE_STEPS or not low < k < high:
            k = low + float(math.floor(0.5 * (high - low)))
        left = population - k - sample + seen  # unmarked items outside the sample
        if seen * (left + 1.0) >= (k - seen + 1.0) * (sample - seen + 1.0):
            low = k
            k = low + float(math.ceil(0.5 * (high - low)))
            continue
        ratios, term, j = 1.0, 1.0, 0.0
        while j < min(seen, left):
            ratio = (seen - j) * (left - j) / ((k - seen + 1.0 + j) * (sample - seen + 1.0 + j))
            term *= ratio
            ratios += term
            if term * ratio < 1e-12 * (1.0 - ratio):  # the rest is below a geometric series
                ratios += term * ratio / (1.0 - ratio)
                break
            j += 1.0
        log_point = (
            log_pmf(seen, k - seen, k, p, q)
            + log_pmf(sample - seen, left, population - k, p, q)
            - log_pmf(sample, population - sample, population, p, q)
        )
        log_tail = log_point + math.log(ratios)
        if log_tail <= target:
            high = k
            before = (k - seen) * (sample - seen) / (k * (left + 1.0))
            if log_point + math.log(ratios + before) > target:
                return k
        else:
            low = k
        drop = (sample - seen) / ((population - k) * ratios)
        slope = math.log1p(-drop) if drop < 1.0 else -700.0
        k += float(math.ceil((target - log_tail) / slope))
    return high
