"""Prediction from laser ranges: against NumPy's polynomial fits of simulated ranges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.ranging import arrival_jitter_s, fit_weights, noise_gain, shot_times_s, truncation_error_m

KILOHERTZ = {"shots": 20, "interval_s": 1e-3, "horizon_s": 8e-3}


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_weights_are_those_of_a_fit(degree):
    values = np.random.default_rng(1).normal(size=KILOHERTZ["shots"])
    time = shot_times_s(**KILOHERTZ)
    fitted = np.polyval(np.polyfit(time / 1e-2, values, degree), 0.0)
    # condition of the powers: 1e4 roundings for a cubic
    assert fit_weights(**KILOHERTZ, degree=degree) @ values == pytest.approx(fitted, rel=1e-9)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("horizon_s", [-6e-3, 0.0, 8e-3])
def test_polynomials_up_to_the_degree_are_predicted_exactly(degree, horizon_s):
    weights = fit_weights(shots=20, interval_s=1e-3, horizon_s=horizon_s, degree=degree)
    time = shot_times_s(shots=20, interval_s=1e-3, horizon_s=horizon_s) / 1e-2
    for power in range(degree + 1):
        assert weights @ time**power == pytest.approx(1.0 if power == 0 else 0.0, abs=1e-10)  # gains below 1e3


def test_truncation_is_exact_for_the_next_power():
    weights = fit_weights(**KILOHERTZ, degree=1)
    made = truncation_error_m(weights, interval_s=1e-3, horizon_s=8e-3, degree=1, derivative=[60.0, -30.0])
    time = shot_times_s(**KILOHERTZ)
    expected = np.polyval(np.polyfit(time, 30.0 * time**2, 1), 0.0)  # acceleration 60, at rest at the instant wanted
    np.testing.assert_allclose(made, [expected, -0.5 * expected], rtol=1e-9)


def test_noise_gain_is_the_spread_of_simulated_predictions():
    seed = np.random.default_rng(3)
    ranges = seed.normal(size=(20, 20_000))
    time = shot_times_s(**KILOHERTZ)
    spread = np.std(np.polyfit(time, ranges, 1)[1])
    # standard error 0.5 %, four of them
    assert noise_gain(fit_weights(**KILOHERTZ, degree=1)) == pytest.approx(spread, rel=0.02)


def test_noise_falls_with_the_root_of_the_number_of_shots():
    few, many = (
        noise_gain(fit_weights(shots=shots, interval_s=1.0 / shots, horizon_s=0.5, degree=1)) for shots in (400, 1600)
    )
    assert few / many == pytest.approx(2.0, rel=0.005)  # ends of the sums: 1/400
    assert noise_gain(fit_weights(shots=9, interval_s=1.0, horizon_s=3.0, degree=0)) == pytest.approx(1 / 3, rel=1e-12)


def test_between_two_shots_a_line_is_better_than_either():
    gains = [noise_gain(fit_weights(shots=2, interval_s=1.0, horizon_s=-f, degree=1)) for f in (0.0, 0.25, 0.5)]
    np.testing.assert_allclose(gains, [1.0, math.sqrt(0.625), math.sqrt(0.5)], rtol=1e-12)


def test_jitter_adds_in_quadrature_and_halves_for_twice_as_good_ranges():
    seed = np.random.default_rng(5)
    n = 200_000
    arrivals = [
        2.0 * seed.normal(scale=0.008, size=n) / 299_792_458.0 + seed.normal(scale=clock, size=n)
        for clock in (10e-12, 20e-12)
    ]
    made = arrival_jitter_s(
        range_error_a_m=0.008, range_error_b_m=0.008, gain=2.0, clock_jitter_a_s=10e-12, clock_jitter_b_s=20e-12
    )
    # standard error 0.16 %, five of them
    assert np.std(arrivals[0] - arrivals[1]) == pytest.approx(float(made), rel=0.008)
    one, half = (arrival_jitter_s(range_error_a_m=r, range_error_b_m=r) for r in (0.01, 0.005))
    assert one == pytest.approx(2.0 * half, rel=1e-14)
    assert one == pytest.approx(math.sqrt(2.0) * 0.01 / 299_792_458.0, rel=1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shots": 0}, r"shots = 0: must be a whole number"),
        ({"interval_s": 0.0}, r"interval_s = 0.0: must be positive"),
        ({"horizon_s": -1.0}, r"horizon_s = -1.0: must be finite and not before the oldest"),
        ({"degree": 6}, r"degree = 6: must be a whole number from 0 to 5"),
        ({"shots": 2, "degree": 2}, r"degree = 2: .* below shots = 2"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(InputError, match=message):
        fit_weights(**{**KILOHERTZ, "degree": 1, **change})


def test_a_negative_error_is_refused():
    with pytest.raises(InputError, match=r"range_error_b_m = -0.01: must be finite and at least 0"):
        arrival_jitter_s(range_error_a_m=0.01, range_error_b_m=-0.01)
