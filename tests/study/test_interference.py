"""From ranging and prediction to the overlap of two pulses, against a simulation of pulse pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.study.interference import Interference, PairMotion

MOTION = PairMotion(
    light_time_s=np.array([[2e-3, 4e-3], [3e-3, 5e-3]]),
    range_derivatives=(np.array([[60.0, 5.0], [-10.0, 20.0]]), np.array([[0.5, 0.1], [-0.7, 0.0]])),
    cosine=np.array([0.9, 0.2]),
)
PERFECT = Interference(
    range_error_m=0.0, clock_jitter_s=0.0, range_rate_error_m_s=0.0, update_s=0.0, laser_jitter_hz=0.0, horizon_s=0.0
)


def test_overlap_is_the_mean_over_simulated_pulse_pairs():
    settings = Interference(range_error_m=0.03, clock_jitter_s=40e-12, laser_jitter_hz=60e6, range_rate_error_m_s=20.0,
                            update_s=1.0, degree=1, shots=8)  # fmt: skip
    made = settings.residuals(MOTION, wavelength_m=780e-9)
    seed = np.random.default_rng(11)
    n = 100_000
    time = -10e-3 - 1e-3 * np.arange(8)  # the youngest is a round trip of 10 ms old
    for at in range(2):
        arrivals = []
        for side in range(2):
            track = 0.5 * MOTION.range_derivatives[0][side, at] * time**2
            seen = track[:, np.newaxis] + seed.normal(scale=0.03, size=(8, n))
            predicted = np.polyfit(time, seen, 1)[1]
            arrivals.append(predicted / 299_792_458.0 + seed.normal(scale=40e-12, size=n))
        delay = arrivals[0] - arrivals[1]
        lines = np.array([[1.0, 0.0], [MOTION.cosine[at], np.sqrt(1.0 - MOTION.cosine[at] ** 2)]])
        rates = seed.normal(scale=20.0, size=(n, 2)) @ lines.T
        frequency = (rates[:, 0] - rates[:, 1]) / 780e-9 + seed.normal(scale=60e6, size=n)
        for side in range(2):
            phase = seed.uniform(-0.5, 0.5, size=n)  # where in the update's interval
            frequency += phase * MOTION.range_derivatives[0][side, at] / 780e-9
        # standard errors 0.2 %; the mean of the delay 0.3 % of its spread
        assert made.delay_s[at] == pytest.approx(delay.mean(), abs=0.012 * delay.std())
        assert made.delay_jitter_s[at] == pytest.approx(delay.std(), rel=0.01)
        assert made.frequency_jitter_hz[at] == pytest.approx(frequency.std(), rel=0.01)
        sigma = 1e-9 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
        pairs = np.exp(-((delay / (2.0 * sigma)) ** 2) - (2.0 * np.pi * frequency * sigma) ** 2)
        assert made.mode_overlap[at] == pytest.approx(pairs.mean(), abs=0.004)  # the steps are uniform, not normal


def test_perfect_control_leaves_nothing():
    made = PERFECT.residuals(MOTION, wavelength_m=780e-9)
    assert made.frequency_jitter_hz.tolist() == [0.0, 0.0]
    assert made.delay_jitter_s.tolist() == [0.0, 0.0]
    # a parabola cannot follow 1 m/s^3: the youngest of 100 ranges at 1 kHz, a few micrometres
    np.testing.assert_allclose(made.mode_overlap, 1.0, atol=1e-6)


def test_frequency_is_easier_at_a_longer_wavelength():
    settings = replace(PERFECT, range_rate_error_m_s=1.0, update_s=0.1)
    short, long = (settings.residuals(MOTION, wavelength_m=wave) for wave in (780e-9, 1560e-9))
    np.testing.assert_allclose(long.frequency_jitter_hz, 0.5 * short.frequency_jitter_hz, rtol=1e-12)


def test_older_ranges_are_worse():
    jitter = [
        replace(PERFECT, range_error_m=0.01, horizon_s=age).residuals(MOTION, wavelength_m=780e-9).delay_jitter_s[0]
        for age in (-50e-3, 0.0, 10e-3, 100e-3)
    ]
    assert jitter == sorted(jitter)
    assert jitter[0] == pytest.approx(
        1.5 * 0.01414 / 299_792_458.0 / 10.0, rel=0.02
    )  # parabola's middle: 3/2 sqrt(1/n)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fwhm_s": 0.0}, "fwhm_s = 0.0: must be positive"),
        ({"clock_jitter_s": -1e-12}, "clock_jitter_s = -1e-12: must be finite and at least 0"),
        ({"degree": 0}, "degree = 0: must be at least 1"),
    ],
)
def test_bad_settings(change, message):
    with pytest.raises(InputError, match=message):
        Interference(**change)


def test_a_fit_of_a_degree_that_the_motion_does_not_bear():
    with pytest.raises(InputError, match="degree = 3: the motion has derivatives up to order 3, the fit needs 4"):
        Interference(degree=3).residuals(MOTION, wavelength_m=780e-9)
