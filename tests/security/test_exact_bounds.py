"""Exact bounds against exact fractions (small cases) and 50-digit arithmetic (large ones); no code is shared."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.errors import InputError
from satqkd.security import exact_bounds as eb

EPSILONS = [1e-2, 1e-5, 1e-9, 1e-13, 1e-18]
OUTWARD = 1e-10
"""Largest relative distance of a bound from the exact one: 2e-11 of slack in ln(eps), times at most 1/k."""


def exact_upper_tail(k: int, n: int, p: Fraction) -> Fraction:
    """Pr[Bin(n, p) >= k]."""
    return sum((math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(max(k, 0), n + 1)), Fraction(0))


def mp_tail(k: float, n: float, p: mpmath.mpf) -> mpmath.mpf:
    """I_p(k, n - k + 1) by quadrature-free series, 50 digits: sum of positive terms of the hypergeometric series."""
    a, b = mpmath.mpf(k), mpmath.mpf(n) - mpmath.mpf(k) + 1
    log_front = a * mpmath.log(p) + b * mpmath.log1p(-p) - mpmath.log(a)
    log_front -= mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    term = total = mpmath.mpf(1)
    i = 0
    while term > total * mpmath.mpf(10) ** -30:
        term *= (a + b + i) / (a + 1 + i) * p
        total += term
        i += 1
    return mpmath.exp(log_front) * total


class TestExpectedCount:
    @pytest.mark.parametrize("eps", EPSILONS)
    @pytest.mark.parametrize("n", [1, 2, 7, 40])
    def test_small_cases_bracket_the_exact_root(self, eps: float, n: int) -> None:
        for k in range(n + 1):
            lower, upper = eb.expected_count_lower(k, n, eps), eb.expected_count_upper(k, n, eps)
            assert 0.0 <= lower <= k <= upper <= n
            e = Fraction(eps)
            if k == 0:
                assert lower == 0.0
            elif k == 1:
                assert lower == pytest.approx(eps, rel=1e-12)  # linear branch, exact: eps / n
            else:
                at = Fraction(lower) / n
                assert exact_upper_tail(k, n, at) <= e
                assert exact_upper_tail(k, n, at * Fraction(1 + OUTWARD)) > e
            if k < n - 1:
                at = 1 - Fraction(upper) / n
                assert exact_upper_tail(n - k, n, at) <= e
                assert exact_upper_tail(n - k, n, 1 - Fraction(upper) / n * Fraction(1 - OUTWARD)) > e
            elif k == n - 1:
                assert upper == pytest.approx(n - eps, rel=1e-12)
            else:
                assert upper == n

    @pytest.mark.parametrize("eps", [1e-5, 1.1857190476190477e-18, 1e-20])
    @pytest.mark.parametrize(
        ("k", "n"),
        [(2.5, 1e4), (40.0, 1e13), (1618.0, 3.7e6), (34567.25, 1e5), (3.4e6, 3.7e6), (2e6, 1e10), (17.5, 18.0)],
    )
    def test_large_and_real_counts_agree_with_50_digits(self, k: float, n: float, eps: float) -> None:
        with mpmath.workdps(50):
            lower = mpmath.mpf(eb.expected_count_lower(k, n, eps)) / mpmath.mpf(n)
            exact, above = mp_tail(k, n, lower), mp_tail(k, n, lower * (1 + mpmath.mpf(OUTWARD)))
            assert exact <= eps < above
            upper = mpmath.mpf(eb.expected_count_upper(k, n, eps)) / mpmath.mpf(n)
            if n - k > 1.0:  # the complement: k' = n - k
                rest = mpmath.mpf(n) - mpmath.mpf(k)
                assert mp_complement(rest, k, upper) <= eps < mp_complement(rest, k, upper * (1 - mpmath.mpf(OUTWARD)))

    @pytest.mark.parametrize("k", [0.02, 0.5, 0.999])
    def test_less_than_one_expected_count_says_nothing(self, k: float) -> None:
        assert eb.expected_count_lower(k, 1e6, 1e-18) == 0.0
        assert eb.expected_count_upper(0.07, 0.1, 1e-18) == pytest.approx(0.1, rel=1e-15)  # all of less than one

    def test_branch_above_one_at_a_large_epsilon(self) -> None:
        # k = 1.3, n = 50: eps* = I_{0.006}(1.3, 49.7) = 0.1697 is below eps = 1/4, so the linear branch applies
        with mpmath.workdps(40):
            star = mpmath.betainc(1.3, 49.7, 0, mpmath.mpf("0.006"), regularized=True)
            exact = float(mpmath.mpf("1.3") - mpmath.mpf("0.75") / (1 - star))
        assert eb.expected_count_lower(1.3, 50.0, 0.25) == pytest.approx(exact, rel=1e-10)

    @settings(max_examples=200, deadline=None)
    @given(st.floats(1.0, 1e12), st.floats(0.0, 1.0), st.floats(1e-20, 0.25))
    def test_bounds_enclose_the_count_and_widen_with_confidence(self, n: float, share: float, eps: float) -> None:
        k = share * n
        lower, upper = eb.expected_count_lower(k, n, eps), eb.expected_count_upper(k, n, eps)
        assert 0.0 <= lower <= k <= upper <= n
        assert eb.expected_count_lower(k, n, eps / 10) <= lower
        assert eb.expected_count_upper(k, n, eps / 10) >= upper


def mp_complement(rest: mpmath.mpf, k: float, p: mpmath.mpf) -> mpmath.mpf:
    """I_{1-p}(rest, k + 1) = Pr[Bin(rest + k, p) <= k], continued to real k: series in p (a = rest, b = k + 1)."""
    a, b, x = rest, mpmath.mpf(k) + 1, 1 - p
    log_front = a * mpmath.log(x) + b * mpmath.log(p) - mpmath.log(a)
    log_front -= mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    # 2F1(a + b, 1; a + 1; x) converges slowly at x near 1: Euler's continued fraction instead (Lentz, 50 digits)
    value = c = mpmath.mpf(1)
    d = mpmath.mpf(0)
    for m in range(1, 100000):
        half = m // 2
        if m % 2:
            t = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            t = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1 / (1 + t * d)
        c = 1 + t / c
        value *= c * d
        if abs(c * d - 1) < mpmath.mpf(10) ** -35:
            return mpmath.exp(log_front) / value
    raise AssertionError("no convergence")


class TestThresholds:
    @pytest.mark.parametrize("eps", EPSILONS)
    @pytest.mark.parametrize(("n", "p"), [(1, 0.5), (3, 0.1), (30, 0.004), (30, 0.9), (45, 0.5), (20, 1e-9)])
    def test_small_cases_are_exact(self, n: int, p: float, eps: float) -> None:
        tails = [exact_upper_tail(k, n, Fraction(p)) for k in range(n + 2)]
        upper = next(k for k in range(n + 2) if tails[k] <= Fraction(eps))
        assert eb.binomial_upper_threshold(n, p, eps) == upper
        below = [k for k in range(n + 1) if 1 - tails[k + 1] <= Fraction(eps)]
        assert eb.binomial_lower_threshold(n, p, eps) == (max(below) if below else -1)
        vacuum = next(b for b in range(math.ceil(n * Fraction(p)) + 1, n + 2) if b > n or tails[b] <= Fraction(eps))
        assert eb.vacuum_count_upper(n, p, eps) == vacuum

    @pytest.mark.parametrize("eps", [1e-9, 1e-18, 1e-20])
    @pytest.mark.parametrize(("n", "p"), [(1e13, 1e-10), (1e13, 1e-16), (8.1e11, 3e-16), (1e10, 1e-4)])
    def test_large_cases_are_exact(self, n: float, p: float, eps: float) -> None:
        with mpmath.workdps(50):
            upper = eb.binomial_upper_threshold(n, p, eps)
            assert mp_tail(upper, n, mpmath.mpf(p)) <= eps
            assert upper == 1 or mp_tail(upper - 1, n, mpmath.mpf(p)) > eps
            lower = eb.binomial_lower_threshold(n, p, eps)
            if lower >= 0:
                assert mp_complement(mpmath.mpf(n) - lower, lower, mpmath.mpf(p)) <= eps
            assert mp_complement(mpmath.mpf(n) - lower - 1, lower + 1, mpmath.mpf(p)) > eps

    @pytest.mark.parametrize("eps", EPSILONS)
    @pytest.mark.parametrize("p", [0.05, 0.29, 0.95])
    @pytest.mark.parametrize("k", [0, 1, 5])
    def test_number_of_trials_is_exact(self, k: int, p: float, eps: float) -> None:
        found, start = eb.trials_upper(k, p, eps, 1e9), Fraction(0)

        def below(t: int) -> Fraction:
            return sum((math.comb(t, j) * Fraction(p) ** j * (1 - Fraction(p)) ** (t - j) for j in range(k + 1)), start)

        assert below(found) <= Fraction(eps)
        assert found == k or below(found - 1) > Fraction(eps)

    def test_number_of_trials_has_an_end(self) -> None:
        assert eb.trials_upper(5.0, 0.3, 1e-18, 100.0) == 101
        assert eb.trials_upper(5.0, 0.0, 1e-18, 100.0) == 101
        assert eb.trials_upper(5.0, 1.0, 1e-18, 100.0) == 6

    @pytest.mark.parametrize("count", [5e-324, 1e-320, 1e-300])
    def test_counts_whose_quotients_underflow(self, count):
        """Next to nothing is bounded as nothing is, and the searches end."""
        assert eb.trials_upper(count, 0.01, 1e-10, 1e12) == eb.trials_upper(0.0, 0.01, 1e-10, 1e12) == 2292
        assert eb.expected_count_upper(count, 1e9, 1e-10) == pytest.approx(10 * math.log(10), rel=1e-7)
        assert eb.expected_count_lower(count, 1e9, 1e-10) == 0.0

    def test_limits(self) -> None:
        assert eb.binomial_upper_threshold(100.0, 0.0, 1e-18) == 1
        assert eb.binomial_upper_threshold(100.0, 1.0, 1e-18) == 101
        assert eb.binomial_lower_threshold(100.0, 0.0, 1e-18) == -1
        assert eb.binomial_lower_threshold(100.0, 1.0, 1e-18) == 99
        assert eb.expected_count_lower(0.0, 0.0, 1e-18) == 0.0
        assert eb.expected_count_upper(0.0, 0.0, 1e-18) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: eb.expected_count_lower(2.0, 1.0, 1e-9), "0 <= count <= trials"),
        (lambda: eb.expected_count_upper(math.nan, 1.0, 1e-9), "0 <= count <= trials"),
        (lambda: eb.expected_count_lower(1.0, 2.0, 0.3), "between 1e-300 and 1/4"),
        (lambda: eb.binomial_upper_threshold(1.5, 0.1, 1e-9), "whole number"),
        (lambda: eb.binomial_lower_threshold(10.0, 1.1, 1e-9), "between 0 and 1"),
        (lambda: eb.trials_upper(-1.0, 0.1, 1e-9, 10.0), "between 0 and max_trials"),
    ],
)
def test_bad_input_is_one_clear_line(call, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
