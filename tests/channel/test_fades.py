"""Fade statistics: densities integrated numerically, moments, inverses, sampling."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from satqkd.channel.fades import (
    gamma_gamma_fade_margin_db,
    gamma_gamma_fade_probability,
    gamma_gamma_samples,
    lognormal_fade_margin_db,
    lognormal_fade_probability,
    lognormal_mean_fade_s,
    lognormal_samples,
)
from satqkd.channel.scintillation import saturated_variances
from satqkd.errors import InputError


@pytest.mark.parametrize("index", [1e-4, 0.1, 1.0])
def test_lognormal_probability_is_scipy_s_distribution(index: float) -> None:
    spread = np.sqrt(np.log1p(index))
    oracle = stats.lognorm(s=spread, scale=np.exp(-(spread**2) / 2))
    # mean 1 and the wanted variance: what makes it this distribution
    np.testing.assert_allclose([oracle.mean(), oracle.var()], [1.0, index], rtol=1e-9)
    thresholds = np.exp(spread * np.array([-6.0, -2.0, 0.0, 1.0]))
    # logarithms of numbers near 1 lose digits at small indices
    np.testing.assert_allclose(
        lognormal_fade_probability(thresholds, scintillation_index=index), oracle.cdf(thresholds), rtol=1e-10
    )


@given(st.floats(1e-9, 0.999), st.floats(1e-4, 2.0))
def test_lognormal_margin_inverts_the_probability(outage: float, index: float) -> None:
    margin_db = lognormal_fade_margin_db(outage, scintillation_index=index)
    back = lognormal_fade_probability(10 ** (-margin_db / 10), scintillation_index=index)
    # six standard deviations of a variable that is known to 1e-16 / s
    assert float(back) == pytest.approx(outage, rel=1e-9)


def test_lognormal_mean_fade_is_probability_over_crossings() -> None:
    index, threshold, frequency = 0.2, 0.4, 550.0
    variance = np.log1p(index)
    crossings = frequency * np.exp(-((np.log(threshold) + variance / 2) ** 2) / (2 * variance))
    expected = float(lognormal_fade_probability(threshold, scintillation_index=index)) / crossings
    ours = lognormal_mean_fade_s(threshold, scintillation_index=index, quasi_frequency_hz=frequency)
    assert float(ours) == pytest.approx(expected, rel=1e-12)  # same ratio by logarithms
    # deep fades: Mills' ratio, relative error 1 / deviate^2
    deep = lognormal_mean_fade_s(1e-12, scintillation_index=index, quasi_frequency_hz=frequency)
    mills = np.sqrt(variance) / (abs(np.log(1e-12) + variance / 2) * frequency * np.sqrt(2 * np.pi))
    assert float(deep) == pytest.approx(mills, rel=3e-4)


def test_lognormal_mean_fade_is_that_of_a_simulated_process() -> None:
    """Gaussian process with a Gaussian spectrum; fades counted."""
    rng = np.random.default_rng(5)
    size, step_s, width_hz = 2**20, 2e-5, 300.0
    frequency = np.fft.rfftfreq(size, step_s)
    shape = np.exp(-(frequency**2) / (4 * width_hz**2))
    noise = np.fft.irfft(shape * np.fft.rfft(rng.standard_normal(size)), size)
    noise /= noise.std()
    index, threshold = 0.2, 0.6
    variance = np.log1p(index)
    faded = np.exp(np.sqrt(variance) * noise - variance / 2) < threshold
    starts = np.count_nonzero(~faded[:-1] & faded[1:])
    # the root-mean-square frequency of this spectrum is its width
    expected = lognormal_mean_fade_s(threshold, scintillation_index=index, quasi_frequency_hz=width_hz)
    # some 3000 fades of similar length: 2 %, three times that allowed
    assert faded.sum() * step_s / starts == pytest.approx(float(expected), rel=0.06)


def gamma_gamma_oracle(threshold: float, large: float, small: float) -> float:
    """Integral of the printed density with its Bessel function, 30 digits."""
    with mpmath.workdps(30):
        alpha, beta = 1 / mpmath.expm1(large), 1 / mpmath.expm1(small)
        norm = 2 * (alpha * beta) ** ((alpha + beta) / 2) / (mpmath.gamma(alpha) * mpmath.gamma(beta))

        def density(log_irradiance: mpmath.mpf) -> mpmath.mpf:
            bessel = mpmath.besselk(alpha - beta, 2 * mpmath.sqrt(alpha * beta * mpmath.exp(log_irradiance)))
            return norm * mpmath.exp(log_irradiance * (alpha + beta) / 2) * bessel

        end = mpmath.log(threshold)
        return float(mpmath.quad(density, [end - 60, end - 20, end - 8, end - 3, end - 1, end - 0.3, end]))


@pytest.mark.parametrize(("weak", "threshold"), [(0.05, 0.5), (1.0, 0.1), (5.0, 1e-3), (30.0, 0.9)])
def test_gamma_gamma_probability_is_the_integral_of_the_density(weak: float, threshold: float) -> None:
    large, small = (float(value) for value in saturated_variances(weak))
    ours = gamma_gamma_fade_probability(threshold, large_variance=large, small_variance=small)
    # trapezoidal sum converged; 1e-13 at the edge of the allowed variances
    assert float(ours) == pytest.approx(gamma_gamma_oracle(threshold, large, small), rel=1e-10)


def test_gamma_gamma_is_symmetric_and_becomes_gamma_and_lognormal() -> None:
    one = gamma_gamma_fade_probability([0.3, 0.9], large_variance=0.2, small_variance=0.5)
    other = gamma_gamma_fade_probability([0.3, 0.9], large_variance=0.5, small_variance=0.2)
    np.testing.assert_array_equal(one, other)
    # one variable fixed: the other's gamma distribution, relative difference of the order of the small variance
    shape = 1 / np.expm1(0.4)
    single = stats.gamma(a=shape, scale=1 / shape).cdf(0.5)
    ours = gamma_gamma_fade_probability(0.5, large_variance=1e-9, small_variance=0.4)
    assert float(ours) == pytest.approx(single, rel=1e-7)
    # weak turbulence: all three distributions are normal; skewness is left, of the order of the standard deviation
    tiny = gamma_gamma_fade_probability(1 - 1.5e-5, large_variance=5e-11, small_variance=5e-11)
    normal = lognormal_fade_probability(1 - 1.5e-5, scintillation_index=1e-10)
    assert float(tiny) == pytest.approx(float(normal), rel=1e-4)


@pytest.mark.parametrize(("large", "small"), [(0.005, 0.005), (0.2, 0.33), (1.0, 1.0), (0.1, 0.68)])
def test_gamma_gamma_margin_inverts_the_probability(large: float, small: float) -> None:
    outage = np.array([1e-12, 1e-6, 1e-2, 0.5, 0.99])
    margin_db = gamma_gamma_fade_margin_db(outage, large_variance=large, small_variance=small)
    back = gamma_gamma_fade_probability(10 ** (-margin_db / 10), large_variance=large, small_variance=small)
    # steps below 1e-11 of the logarithm, times its slope (some 100 at the narrowest)
    np.testing.assert_allclose(back, outage, rtol=1e-8)


def test_margins_agree_where_turbulence_is_weak() -> None:
    large, small = saturated_variances(0.01)
    # skewness differs: 1 % of the index's own scale at moderate outage
    assert float(gamma_gamma_fade_margin_db(1e-2, large_variance=large, small_variance=small)) == pytest.approx(
        float(lognormal_fade_margin_db(1e-2, scintillation_index=np.expm1(large + small))), rel=0.02
    )


def test_samples_have_mean_one_and_their_index() -> None:
    size = 400_000
    index = np.array([0.05, 0.5])
    drawn = lognormal_samples(np.random.default_rng(1), (size, 2), scintillation_index=index)
    # standard errors: sqrt(0.5 / 4e5) = 1e-3; variance of the variance some 1 %
    np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=5e-3)
    np.testing.assert_allclose(drawn.var(axis=0), index, rtol=0.05)
    large, small = saturated_variances(index)
    drawn = gamma_gamma_samples(np.random.default_rng(2), (size, 2), large_variance=large, small_variance=small)
    np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=5e-3)
    np.testing.assert_allclose(drawn.var(axis=0), np.expm1(large + small), rtol=0.05)
    below = (drawn < 0.5).mean(axis=0)
    expected = gamma_gamma_fade_probability(0.5, large_variance=large, small_variance=small)
    # binomial: four standard errors of the rarer, sqrt(p / 4e5)
    np.testing.assert_allclose(below, expected, rtol=0.0, atol=4 * np.sqrt(expected.max() / size))


def test_samples_repeat_with_their_seed() -> None:
    one, other = (lognormal_samples(np.random.default_rng(3), 5, scintillation_index=0.1) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_shapes_broadcast_and_empty_stays_empty() -> None:
    whole = gamma_gamma_fade_probability(
        np.linspace(0.1, 2.0, 1500)[:, None], large_variance=[0.1, 0.2], small_variance=0.3
    )
    assert whole.shape == (1500, 2)
    last = gamma_gamma_fade_probability(2.0, large_variance=0.2, small_variance=0.3)
    assert float(whole[-1, 1]) == pytest.approx(float(last), rel=1e-13)  # the same sum
    assert np.all(np.diff(whole, axis=0) > 0.0)  # a distribution function
    assert gamma_gamma_fade_probability(np.zeros(0), large_variance=0.2, small_variance=0.3).shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lognormal_fade_probability(0.0, scintillation_index=0.1), "threshold"),
        (lambda: lognormal_fade_probability(0.5, scintillation_index=0.0), "scintillation_index"),
        (lambda: lognormal_fade_margin_db(1.0, scintillation_index=0.1), "outage"),
        (lambda: lognormal_mean_fade_s(0.5, scintillation_index=0.1, quasi_frequency_hz=0.0), "quasi_frequency_hz"),
        (lambda: gamma_gamma_fade_probability(0.5, large_variance=2.0, small_variance=0.1), "large_variance"),
        (lambda: gamma_gamma_fade_probability(0.5, large_variance=0.1, small_variance=0.0), "small_variance"),
        (lambda: gamma_gamma_fade_margin_db(1e-15, large_variance=0.1, small_variance=0.1), "at least 1e-12"),
        (lambda: gamma_gamma_fade_margin_db(np.nan, large_variance=0.1, small_variance=0.1), "outage"),
        (lambda: lognormal_samples(np.random.default_rng(0), 3, scintillation_index=-1.0), "scintillation_index"),
    ],
)
def test_input_without_meaning_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
