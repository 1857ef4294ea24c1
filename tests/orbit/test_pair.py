"""Two uplinks: against differences of ranges, and light times against root finding on the real orbit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from satqkd.constants import EARTH_ROTATION_RAD_S, SPEED_OF_LIGHT_M_S
from satqkd.errors import InputError
from satqkd.orbit.frames import look_angles
from satqkd.orbit.pair import (
    SEND_TIME_OFFSETS,
    doppler_slew_hz_s,
    light_time_from_sending_s,
    light_time_to_arrival_s,
    range_acceleration_m_s2,
    relative_doppler_hz,
    residual_frequency_hz,
    step_residual_hz,
)
from satqkd.orbit.propagation import GeostationaryOrbit, Sgp4Orbit
from satqkd.orbit.time import gmst_rad, ut1_times

TIMES = np.arange("2016-09-24T17:45", "2016-09-24T17:53", 40, dtype="datetime64[s]").astype("datetime64[ns]")


@pytest.fixture(scope="module")
def orbit(micius):
    return Sgp4Orbit(micius)


@pytest.fixture(scope="module")
def pair(make_site):
    return make_site("Delingha", 37.379, 97.7269, 3153.0), make_site("Lijiang", 26.6942, 100.03, 3233.0)


def inertial(position_m, times):
    """Earth-fixed vectors in a frame that does not turn."""
    turned = (position_m[..., 0] + 1j * position_m[..., 1]) * np.exp(1j * gmst_rad(ut1_times(times)))
    return np.stack([turned.real, turned.imag, np.broadcast_to(position_m[..., 2], turned.shape)], axis=-1)


def nanoseconds(time_s):
    return np.timedelta64(round(time_s * 1e9), "ns")


def test_relative_shift_is_the_rate_of_the_difference_of_wave_counts(orbit, pair):
    half = np.timedelta64(50, "ms")
    waves = [
        sum(
            sign * look_angles(*orbit.states_ecef(at), site).slant_range_m / 780e-9
            for sign, site in zip((-1.0, 1.0), pair, strict=True)
        )
        for at in (TIMES - half, TIMES + half)
    ]
    rates = [look_angles(*orbit.states_ecef(TIMES), site).range_rate_m_s for site in pair]
    # SGP4's velocity is not exactly the derivative of its position: up to 0.1 m/s
    np.testing.assert_allclose(relative_doppler_hz(*rates, 780e-9), (waves[1] - waves[0]) / 0.1, atol=0.2 / 780e-9)


def test_range_acceleration_is_the_second_difference_of_the_range(orbit, pair):
    step = np.timedelta64(1, "s")
    for site in pair:
        before, now, after = (look_angles(*orbit.states_ecef(TIMES + k * step), site).slant_range_m for k in (-1, 0, 1))
        made = range_acceleration_m_s2(*orbit.states_ecef(TIMES), site)
        # oblateness 0.02 m/s^2, and the fourth derivative's twelfth below 0.01
        np.testing.assert_allclose(made, before - 2.0 * now + after, atol=0.03)
        assert np.ptp(made) > 10.0


def test_a_satellite_at_rest_over_the_earth_has_no_range_acceleration(make_site):
    site = make_site("S", 30.0, 100.0, 0.0)
    states = GeostationaryOrbit("G", np.radians(116.0)).states_ecef(TIMES[:1])
    # its radius is that of equal forces to 1 m of 42,164 km: 3 * 0.22 m/s^2 * 2e-8
    assert range_acceleration_m_s2(*states, site)[0] == pytest.approx(0.0, abs=1e-7)


def test_light_time_to_arrival_solves_the_equation_in_the_inertial_frame(orbit, pair):
    position = orbit.states_ecef(TIMES)[0]
    for site in pair:
        made = light_time_to_arrival_s(position, site)
        for index, at in enumerate(TIMES):
            target = inertial(position[index : index + 1], TIMES[index : index + 1])[0]

            def miss(time_s, at=at, target=target, site=site):
                sent = np.array([at - np.timedelta64(int(time_s * 1e9), "ns")])
                return np.linalg.norm(target - inertial(site.position_m[np.newaxis], sent)[0]) - time_s * 299792458.0

            # instants in whole ns: 465 m/s turn the station by less than 1e-6 m in one
            assert made[index] == pytest.approx(brentq(miss, 1e-4, 0.1, xtol=1e-16), abs=1e-14)


def test_light_time_from_sending_meets_the_orbit(orbit, pair):
    states = orbit.states_ecef(TIMES)
    for site in pair:
        made = light_time_from_sending_s(*states, site)
        for index, at in enumerate(TIMES):
            sent = inertial(site.position_m[np.newaxis], TIMES[index : index + 1])[0]
            arrival = np.array([at + nanoseconds(made[index])])
            met = inertial(orbit.states_ecef(arrival)[0], arrival)[0]
            # the satellite moves 4e-6 m in half a ns; SGP4's velocity is 0.1 m/s off over 4 ms: 4e-4 m
            assert made[index] * 299792458.0 == pytest.approx(np.linalg.norm(met - sent), abs=1e-3)


def test_both_light_times_are_of_the_same_pulse(orbit, pair):
    for site in pair:
        out = light_time_from_sending_s(*orbit.states_ecef(TIMES), site)
        arrivals = TIMES + np.rint(out * 1e9).astype(np.int64).astype("m8[ns]")
        back = light_time_to_arrival_s(orbit.states_ecef(arrivals)[0], site)
        np.testing.assert_allclose(out, back, atol=1.6e-11)  # half a ns at 7 km/s, and SGP4's velocity: 0.5 mm


def test_the_sagnac_term_is_twice_the_area_swept(orbit, pair):
    position = orbit.states_ecef(TIMES)[0]
    for site in pair:
        straight = np.linalg.norm(position - site.position_m, axis=1) / SPEED_OF_LIGHT_M_S
        area = 0.5 * (position[:, 0] * site.position_m[1] - position[:, 1] * site.position_m[0])
        expected = -2.0 * EARTH_ROTATION_RAD_S * area / SPEED_OF_LIGHT_M_S**2
        made = light_time_to_arrival_s(position, site) - straight
        # next order: v/c = 1.5e-6 of 4 ns, and rounding of 8 ms
        np.testing.assert_allclose(made, expected, atol=1e-14)
        assert abs(made).max() > 1e-9


def test_exchange_of_the_stations_and_the_published_reading(orbit, pair):
    position = orbit.states_ecef(TIMES)[0]
    a, b = pair
    for name in ("retarded", "simultaneous"):
        offset = SEND_TIME_OFFSETS[name]
        np.testing.assert_allclose(offset(position, a, b), -offset(position, b, a), rtol=1e-12)
    simultaneous, published = (SEND_TIME_OFFSETS[name](position, a, b) for name in ("simultaneous", "published"))
    np.testing.assert_array_equal(published, abs(simultaneous))
    assert simultaneous.min() < 0.0 < simultaneous.max()  # which side has to send first changes in the pass


def test_a_laser_follows_the_shift(orbit, pair):
    slew = doppler_slew_hz_s([60.0, -60.0], 780e-9)
    np.testing.assert_allclose(slew, [-60.0 / 780e-9, 60.0 / 780e-9], rtol=1e-14)
    np.testing.assert_allclose(step_residual_hz(slew, update_s=0.5), 0.25 * 60.0 / 780e-9, rtol=1e-14)
    with pytest.raises(InputError, match=r"update_s = -1.0: must be finite and at least 0"):
        step_residual_hz(slew, update_s=-1.0)


def test_residual_frequency_of_one_velocity_error_is_that_of_a_simulation():
    seed = np.random.default_rng(7)
    lines = np.array([[0.6, 0.0, 0.8], [-0.28, 0.0, 0.96]])
    velocity = seed.normal(scale=0.7, size=(200_000, 3))
    rates = velocity @ lines.T
    made = residual_frequency_hz(
        range_rate_error_a_m_s=0.7,
        range_rate_error_b_m_s=0.7,
        wavelength_m=1550e-9,
        correlation=float(lines[0] @ lines[1]),
    )
    # standard error of a standard deviation: 1/sqrt(2 n) = 0.16 %, five of them
    assert np.std((rates[:, 0] - rates[:, 1]) / 1550e-9) == pytest.approx(float(made), rel=0.008)


def test_residual_frequency_of_common_errors_vanishes():
    arguments = {"range_rate_error_a_m_s": 0.3, "range_rate_error_b_m_s": 0.3, "wavelength_m": 780e-9}
    assert residual_frequency_hz(**arguments, correlation=1.0) == 0.0
    one = residual_frequency_hz(range_rate_error_a_m_s=0.3, range_rate_error_b_m_s=0.0, wavelength_m=780e-9)
    assert residual_frequency_hz(**arguments) == pytest.approx(np.sqrt(2.0) * one, rel=1e-14)
    with pytest.raises(InputError, match=r"correlation = 1.5: must be from -1 to 1"):
        residual_frequency_hz(**arguments, correlation=1.5)
    with pytest.raises(InputError, match=r"range_rate_error_a_m_s = -0.3"):
        residual_frequency_hz(**arguments | {"range_rate_error_a_m_s": -0.3})
