"""Concentration inequalities: formulas in extended precision, coverage against exact tails."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
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
