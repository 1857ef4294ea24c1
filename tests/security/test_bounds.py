"""Concentration inequalities: formulas in extended precision, coverage against exact tails."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, poisson

from satqkd.security.bounds import BOUNDS


@pytest.mark.parametrize("count", [0.0, 1.0, 917.0, 4.1e7, 1e13])
def test_chernoff_formula_in_extended_precision(count: float) -> None:
    beta = math.log(21.0 / 1e-9)
    with mp.workdps(40):
        b, y = mp.mpf(beta), mp.mpf(count)
        minus, plus = b / 2 + mp.sqrt(2 * b * y + b**2 / 4), b + mp.sqrt(2 * b * y + b**2)
    assert BOUNDS["chernoff"](count, 0.0, beta) == pytest.approx((float(minus), float(plus)), rel=1e-14)


def test_hoeffding_uses_all_events_and_asymptotic_none() -> None:
    assert BOUNDS["hoeffding"](5.0, 2e6, 18.0) == pytest.approx((math.sqrt(1.8e7),) * 2, rel=1e-14)
    assert BOUNDS["asymptotic"](5.0, 2e6, 18.0) == (0.0, 0.0)


@pytest.mark.parametrize("eps", [1e-2, 1e-6, 1e-10])
@pytest.mark.parametrize("mean", [0.5, 8.0, 300.0, 4e4])
@pytest.mark.parametrize("law", ["binomial", "poisson"])
def test_chernoff_fails_at_most_with_its_probability(eps: float, mean: float, law: str) -> None:
    """Exact probability of all counts whose interval misses the expectation, each side."""
    beta = -math.log(eps)
    y = np.arange(0.0, mean + 40.0 * math.sqrt(mean) + 200.0)
    minus, plus = np.array([BOUNDS["chernoff"](k, 0.0, beta) for k in y]).T
    if law == "binomial":
        trials = round(max(50 * mean, 1000))
        probability = binom.pmf(y, trials, mean / trials)
    else:
        probability = poisson.pmf(y, mean)
    assert probability[y + plus < mean].sum() <= eps
    assert probability[y - minus > mean].sum() <= eps


@pytest.mark.parametrize("eps", [1e-2, 1e-6])
def test_hoeffding_fails_at_most_with_its_probability(eps: float) -> None:
    trials, share = 4000, 0.3  # of 4000 events, each of the intensity in question with probability 0.3
    y = np.arange(trials + 1.0)
    minus, plus = BOUNDS["hoeffding"](0.0, float(trials), -math.log(eps))
    probability = binom.pmf(y, trials, share)
    assert probability[y + plus < trials * share].sum() <= eps
    assert probability[y - minus > trials * share].sum() <= eps


@pytest.mark.parametrize("count", [0.0, 1e-9, 0.3, 1.0, 2.0, 17.0, 917.0, 4.1e7, 1e13])
@pytest.mark.parametrize("eps", [0.1, 1e-2, 1e-10, 1e-20])
def test_implicit_chernoff_solves_the_printed_equations(count: float, eps: float) -> None:
    """Roots of Eqs. 5 and 6 of Li et al. by bisection of the equations as printed, in 50 digits."""
    minus, plus = BOUNDS["chernoff-implicit"](count, 0.0, -math.log(eps))
    if count == 0.0:
        assert (minus, plus) == pytest.approx((0.0, -math.log(eps)), rel=1e-15)
        return
    with mp.workdps(50):
        x, log_eps = mp.mpf(count), mp.log(mp.mpf(eps))

        def bisect(below: mp.mpf, above: mp.mpf, log_value: Callable[[mp.mpf], mp.mpf]) -> mp.mpf:
            """Where a falling function passes ln(eps)."""
            for _ in range(220):
                middle = (below + above) / 2
                below, above = (middle, above) if log_value(middle) > log_eps else (below, middle)
            return below

        # in the logarithm of delta_1 and of 1 / (1 - delta_2), which span many decades
        t1 = bisect(
            mp.mpf(-40), mp.mpf(700), lambda t: x / (1 + mp.e**t) * (mp.e**t - (1 + mp.e**t) * mp.log1p(mp.e**t))
        )
        t2 = bisect(
            mp.mpf(-40),
            mp.mpf(40),
            lambda t: x * (1 + mp.e**t) * (-(mp.e**t) / (1 + mp.e**t) + mp.log1p(mp.e**t) / (1 + mp.e**t)),
        )  # delta_2 = e^t / (1 + e^t)
        lower, upper = x / (1 + mp.e**t1), x * (1 + mp.e**t2)
        # relative to the deviation: a few roundings of double precision
        assert minus == pytest.approx(float(x - lower), rel=2e-14)
        assert plus == pytest.approx(float(upper - x), rel=2e-14)


@given(st.floats(0.0, 1e13), st.floats(0.1, 700.0))
def test_implicit_chernoff_is_never_wider_than_its_closed_form(count: float, beta: float) -> None:
    minus, plus = BOUNDS["chernoff-implicit"](count, 0.0, beta)
    closed = BOUNDS["chernoff"](count, 0.0, beta)
    assert 0.0 <= minus <= min(closed[0], count) * (1 + 1e-14)
    assert 0.0 <= plus <= closed[1] * (1 + 1e-14)


@given(st.floats(0.0, 1e12), st.floats(0.0, 1e3), st.floats(2.3, 50.0))
def test_implicit_chernoff_bounds_rise_with_the_count(count: float, more: float, beta: float) -> None:
    less, greater = (BOUNDS["chernoff-implicit"](n, 0.0, beta) for n in (count, count + more))
    slack = 1e-12 * (1.0 + count)
    assert count - less[0] <= count + more - greater[0] + slack
    assert count + less[1] <= count + more + greater[1] + slack
