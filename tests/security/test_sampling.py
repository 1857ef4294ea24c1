"""Tails and random sampling: exact integers as oracle for small numbers, extended precision for large ones."""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb

import mpmath as mp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.errors import InputError
from satqkd.security.sampling import SAMPLING, phase_error_exact
from satqkd.security.tails import (
    binomial_error_quantile,
    hypergeometric_upper_count,
    log_binomial_pmf,
    log_hypergeometric_pmf,
)

EPS = 1e-9 / 21


def _improbable(population: int, marked: int, sample: int, errors: int, eps: Fraction) -> bool:
    """Pr[Hyper <= errors] <= eps in exact integers."""
    ways = sum(comb(marked, x) * comb(population - marked, sample - x) for x in range(errors + 1))
    return ways * eps.denominator <= eps.numerator * comb(population, sample)


def _smallest_count(population: int, sample: int, errors: int, eps: float) -> int:
    exact_eps = Fraction(eps)
    low, high = errors - 1, population + 1  # the tail falls with the number of marked items
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _improbable(population, middle, sample, errors, exact_eps) else (middle, high)
    return high


def _mp_tail(population: float, marked: float, sample: float, errors: float) -> mp.mpf:
    def log_choose(n: float, k: float) -> mp.mpf:
        return mp.loggamma(mp.mpf(n) + 1) - mp.loggamma(mp.mpf(k) + 1) - mp.loggamma(mp.mpf(n) - k + 1)

    log_pmf = log_choose(marked, errors) + log_choose(population - marked, sample - errors)
    total, term, x = mp.mpf(1), mp.mpf(1), mp.mpf(errors)
    while term > mp.mpf(10) ** -30 and x > 0:
        term *= x * (population - marked - sample + x) / ((marked - x + 1) * (sample - x + 1))
        total, x = total + term, x - 1
    return mp.exp(log_pmf - log_choose(population, sample)) * total


# ---- point probabilities


@pytest.mark.parametrize(("k", "n", "p"), [(0, 9, 0.2), (9, 9, 0.2), (3, 9, 0.2), (40, 200, 0.17), (117, 300, 0.9)])
def test_binomial_probability_is_exact(k: int, n: int, p: float) -> None:
    exact = comb(n, k) * Fraction(p) ** k * (1 - Fraction(p)) ** (n - k)
    assert log_binomial_pmf(k, n, p, 1.0 - p) == pytest.approx(math.log(exact), rel=1e-13)


@pytest.mark.parametrize(("m", "big_n", "k", "n"), [(0, 50, 7, 20), (3, 50, 7, 20), (20, 400, 100, 60), (7, 50, 7, 20)])
def test_hypergeometric_probability_is_exact(m: int, big_n: int, k: int, n: int) -> None:
    exact = Fraction(comb(k, m) * comb(big_n - k, n - m), comb(big_n, n))
    assert log_hypergeometric_pmf(m, big_n, k, n) == pytest.approx(math.log(exact), rel=1e-13)


def test_impossible_outcomes() -> None:
    assert log_hypergeometric_pmf(8, 50, 7, 20) == -math.inf
    assert log_hypergeometric_pmf(0, 50, 40, 20) == -math.inf
    assert log_binomial_pmf(1, 10, 0.0, 1.0) == -math.inf
    assert log_binomial_pmf(10, 10, 1.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("m", "big_n", "k", "n"),
    [
        (0.0, 1e13, 3e8, 1e6),
        (1e7, 1e13, 1.00231e11, 1e9),
        (9e5, 1e12, 3.3e9, 2.6e8),
        (26626.0, 2.6e8, 3151353.0, 2356160.0),
    ],
)
def test_large_hypergeometric_probability_in_extended_precision(m: float, big_n: float, k: float, n: float) -> None:
    def log_choose(a: float, b: float) -> mp.mpf:
        return mp.loggamma(mp.mpf(a) + 1) - mp.loggamma(mp.mpf(b) + 1) - mp.loggamma(mp.mpf(a) - b + 1)

    with mp.workdps(60):
        exact = log_choose(k, m) + log_choose(big_n - k, n - m) - log_choose(big_n, n)
    # absolute, ten times below the outward rounding of 1e-9 that makes the bound sound
    assert log_hypergeometric_pmf(m, big_n, k, n) == pytest.approx(float(exact), rel=0.0, abs=1e-10)


# ---- hypergeometric bound


@pytest.mark.parametrize("eps", [0.03, 1e-3, EPS, 1e-12 / 21])
@pytest.mark.parametrize("population", [1, 2, 7, 40, 90])
def test_every_small_population_gives_the_exact_integer(population: int, eps: float) -> None:
    for sample in range(0, population + 1, max(1, population // 6)):
        for errors in range(0, sample + 1, max(1, sample // 5)):
            ours = hypergeometric_upper_count(population, sample, errors, eps)
            assert ours == _smallest_count(population, sample, errors, eps)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(0, 3000), st.data())
def test_random_populations_give_the_exact_integer(sample: int, rest: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, sample))
    exponent = data.draw(st.floats(1.1, 20.0))
    eps = 10.0**-exponent
    ours = hypergeometric_upper_count(sample + rest, sample, errors, eps)
    assert ours == _smallest_count(sample + rest, sample, errors, eps)


@pytest.mark.parametrize("errors", [0, 1])
@pytest.mark.parametrize("sample", [10, 30, 100, 400, 1000, 3000])
@pytest.mark.parametrize("key", [200, 5000, 100_000])
def test_few_errors_never_fall_below_the_exact_bound(errors: int, sample: int, key: int) -> None:
    """With 0 or 1 errors in 10 to 3000 test singles, where the published correction vanishes."""
    bound = (_smallest_count(sample + key, sample, errors, EPS) - errors) / key
    ours = SAMPLING["exact"](float(errors), float(sample), float(key), 1e-9)
    assert ours == pytest.approx(min(bound, 0.5), rel=1e-12)
    assert ours >= min(bound, 0.5) * (1 - 1e-15)
    squared = (_smallest_count(sample + key, sample, errors, EPS**2) - errors) / key
    smooth = SAMPLING["exact-smooth"](float(errors), float(sample), float(key), 1e-9)
    assert smooth == pytest.approx(min(squared, 0.5), rel=1e-12)
    assert smooth >= ours
    assert SAMPLING["lim2014"](0.0, float(sample), float(key), 1e-9) == 0.0  # the fault this replaces


@pytest.mark.parametrize(
    ("errors", "sample", "key"), [(0.4, 57.9, 900.3), (1.0001, 333.2, 2000.9), (12.5, 100.99, 77.5)]
)
def test_fractions_are_rounded_to_the_safe_side(errors: float, sample: float, key: float) -> None:
    """Not below the bound of any whole numbers the fractions can stand for."""
    ours = phase_error_exact(errors, sample, key, EPS)
    for m in (math.floor(errors), math.ceil(errors)):
        for n in (math.floor(sample), math.ceil(sample)):
            for k in (math.ceil(key), math.ceil(key) + 1):
                exact = (_smallest_count(n + k, n, m, EPS) - 1 - m) / k  # the theorem excludes K itself
                assert ours >= min(exact, 0.5)


@pytest.mark.parametrize(("errors", "sample", "key"), [(0, 40, 60), (2, 150, 200), (5, 200, 400)])
def test_holds_for_more_key_or_test_items_and_fewer_errors(errors: int, sample: int, key: int) -> None:
    """The inputs are bounds on unknown numbers; the largest phase error left open must not grow beyond the result."""
    ours = phase_error_exact(errors, sample, key, 1e-6)
    for more_key in (0, 1, 2, 5, 17, 60, 300):
        for more_test in (0, 1, 7, 50):
            for m in range(errors + 1):
                n, rest = sample + more_test, key + more_key
                left_open = (_smallest_count(n + rest, n, m, 1e-6) - 1 - m) / rest
                assert min(left_open, 0.5) <= ours


@pytest.mark.parametrize(
    ("population", "sample", "errors", "eps"),
    [
        (1e13, 1e6, 0, 1e-12 / 21),
        (1e13, 1e9, 50_000, 1e-12 / 21),
        (1e13, 3e6, 1200, 1e-18),
        (8_000_000, 38_681, 918, EPS),
        (1e10, 9.9e9, 4000, EPS),
        (2_679_139, 17_103, 0, 1.1857190476190477e-18),
    ],
)
def test_large_populations_in_extended_precision(population: float, sample: float, errors: float, eps: float) -> None:
    found = hypergeometric_upper_count(population, sample, errors, eps)
    with mp.workdps(60):
        assert _mp_tail(population, found, sample, errors) <= eps
        assert _mp_tail(population, found - 1, sample, errors) > eps


@pytest.mark.parametrize(
    ("population", "sample", "errors", "expected"),
    [(2679139, 17103, 0, 6438), (264586865, 2356160, 26626, 3151353), (22054688, 925110, 11596, 298867)],
)
def test_published_protocol_sizes(population: float, sample: float, errors: float, expected: float) -> None:
    """K of an independent 45-digit reference for three points of a variable-length analysis."""
    assert hypergeometric_upper_count(population, sample, errors, 1.1857190476190477e-18) == expected


def test_coverage_by_exact_enumeration() -> None:
    """For every true number of marked items the bound fails with at most eps."""
    population, sample, eps = 60, 20, 0.05
    for marked in range(population + 1):
        failing = [m for m in range(sample + 1) if marked >= hypergeometric_upper_count(population, sample, m, eps)]
        ways = sum(comb(marked, m) * comb(population - marked, sample - m) for m in failing)
        assert Fraction(ways, comb(population, sample)) <= Fraction(eps)


def test_binomial_limit_of_a_large_rest() -> None:
    """No errors in n of infinitely many: (1 - phi)^n = eps."""
    assert phase_error_exact(0.0, 500.0, 1e13, EPS) == pytest.approx(-math.expm1(math.log(EPS) / 500), rel=1e-9)


def test_nothing_known_gives_one_half() -> None:
    for errors, sample, key in ((0.0, 0.0, 100.0), (0.0, 0.9, 100.0), (0.0, 10.0, 0.0), (30.0, 50.0, 100.0)):
        assert phase_error_exact(errors, sample, key, EPS) == 0.5
    assert SAMPLING["lim2014"](0.0, 0.0, 10.0, 1e-9) == 0.5


def test_lim2014_correction_in_extended_precision() -> None:
    v, c, d, eps = 917.0, 38681.0, 8.7e6, 1e-9
    with mp.workdps(40):
        b = mp.mpf(v) / c
        spread = (c + d) * (1 - b) * b / (mp.mpf(c) * d * mp.log(2))
        gamma = mp.sqrt(spread * mp.log((c + d) / (mp.mpf(c) * d * (1 - b) * b) * 21**2 / mp.mpf(eps) ** 2, 2))
    assert SAMPLING["lim2014"](v, c, d, eps) == pytest.approx(float(b + gamma), rel=1e-13)


@pytest.mark.parametrize(
    "arguments",
    [(10.5, 5, 1, 1e-3), (10, 11, 1, 1e-3), (10, 5, -1, 1e-3), (10, 5, 0.5, 1e-3), (10, 5, 1, 0.0), (10, 5, 1, 0.5)],
)
def test_bad_numbers_are_refused(arguments: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="hypergeometric bound"):
        hypergeometric_upper_count(*arguments)


# ---- binomial quantile


@pytest.mark.parametrize("p", [1e-9, 0.01, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("n", [1, 2, 10, 50, 120])
@pytest.mark.parametrize("eps", [0.03, 1.1e-4, 1.3e-15, 3e-19])
def test_binomial_quantile_is_the_exact_integer(eps: float, n: int, p: float) -> None:
    tail, exact = Fraction(0), 0
    for e in range(n, -1, -1):
        tail += comb(n, e) * Fraction(p) ** e * (1 - Fraction(p)) ** (n - e)
        if tail >= Fraction(eps):
            exact = e
            break
    assert binomial_error_quantile(eps, n, p) == exact


@pytest.mark.parametrize(("n", "p"), [(1e7, 0.0065), (1e8, 0.05), (1e10, 1e-4), (1e10, 1e-9)])
def test_large_binomial_quantile_in_extended_precision(n: float, p: float) -> None:
    eps = 1e-15

    def tail(e: float) -> mp.mpf:
        log_pmf = mp.loggamma(mp.mpf(n) + 1) - mp.loggamma(mp.mpf(e) + 1) - mp.loggamma(mp.mpf(n) - e + 1)
        log_pmf += e * mp.log(mp.mpf(p)) + (n - e) * mp.log(1 - mp.mpf(p))
        total, term, odds = mp.mpf(1), mp.mpf(1), mp.mpf(p) / (1 - mp.mpf(p))
        x = mp.mpf(e)
        while term > mp.mpf(10) ** -22:
            term *= (n - x) * odds / (x + 1)
            total, x = total + term, x + 1
        return mp.exp(log_pmf) * total

    found = binomial_error_quantile(eps, n, p)
    with mp.workdps(50):
        assert tail(found) >= eps
        assert tail(found + 1) < eps


def test_binomial_quantile_ends() -> None:
    # the tail of one error is 4.4e-308, that of two vanishes; the step towards eps overflows
    assert binomial_error_quantile(5e-324, 2.0**53, 5e-324) == 1.0
    assert binomial_error_quantile(1e-15, 100.0, 0.0) == 0.0
    assert binomial_error_quantile(1e-15, 100.0, 1.0) == 100.0
    assert binomial_error_quantile(1e-15, 0.0, 0.3) == 0.0
    for eps, p in ((0.0, 0.1), (0.5, 0.1), (1e-9, 1.2)):
        with pytest.raises(InputError, match="binomial quantile"):
            binomial_error_quantile(eps, 10.0, p)
