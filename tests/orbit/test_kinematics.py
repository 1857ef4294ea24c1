import numpy as np
import pytest

from satqkd.constants import EARTH_ROTATION_RAD_S, SPEED_OF_LIGHT_M_S
from satqkd.orbit.frames import look_angles
from satqkd.orbit.kinematics import doppler_shift_hz, light_time_s, point_ahead_rad, slew_rate_rad_s
from satqkd.orbit.propagation import GeostationaryOrbit, Sgp4Orbit
from satqkd.orbit.time import gmst_rad, ut1_times


def test_approaching_light_is_shifted_up_by_speed_over_wavelength():
    assert doppler_shift_hz([-780.0, 780.0], 780e-9) == pytest.approx([1e9, -1e9], rel=1e-15)


def test_relativistic_shift_of_radial_motion_is_einsteins():
    beta = np.array([-0.6, 0.0, 2.5e-5, 0.6])
    expected = np.sqrt((1 - beta) / (1 + beta)) - 1
    shift = doppler_shift_hz(beta * SPEED_OF_LIGHT_M_S, SPEED_OF_LIGHT_M_S, relativistic=True)
    np.testing.assert_allclose(shift, expected, rtol=1e-11, atol=1e-16)


def test_transverse_motion_shifts_down_at_second_order():
    shift = doppler_shift_hz(0.0, 780e-9, relativistic=True, speed_m_s=7600.0)
    expected = -(SPEED_OF_LIGHT_M_S / 780e-9) * 0.5 * (7600.0 / SPEED_OF_LIGHT_M_S) ** 2
    assert shift == pytest.approx(expected, rel=1e-9)  # next order: 1e-10


def test_first_order_is_the_limit_of_slow_motion():
    first, exact = (doppler_shift_hz(7000.0, 780e-9, relativistic=flag) for flag in (False, True))
    # second order of radial motion: beta^2 / 2 of the frequency, beta / 2 of the shift
    assert (exact - first) / first == pytest.approx(-0.5 * 7000.0 / SPEED_OF_LIGHT_M_S, rel=1e-3)


def test_light_takes_a_nanosecond_for_299_792_458_nm():
    assert light_time_s([0.299792458, 599584.916]) == pytest.approx([1e-9, 2e-3], rel=1e-15)


def test_point_ahead_is_the_angle_the_inertial_line_of_sight_turns_in_two_light_times(micius, cities):
    """Independent oracle: turn both ends to the inertial frame, difference the directions over a round trip."""
    times = np.arange("2016-09-25T18:55", "2016-09-25T19:05", 20, dtype="datetime64[s]").astype("datetime64[ns]")
    orbit, site = Sgp4Orbit(micius), cities[-1]

    def direction(at):
        line = orbit.states_ecef(at)[0] - site.position_m
        turned = (line[:, 0] + 1j * line[:, 1]) * np.exp(1j * gmst_rad(ut1_times(at)))
        line = np.stack([turned.real, turned.imag, line[:, 2]], axis=1)
        return line / np.linalg.norm(line, axis=1, keepdims=True)

    states = orbit.states_ecef(times)
    delay_s = light_time_s(look_angles(*states, site).slant_range_m)
    half = np.timedelta64(100, "ms")
    turn_rad_s = np.linalg.norm(direction(times + half) - direction(times - half), axis=1) / 0.2
    np.testing.assert_allclose(point_ahead_rad(*states, site), 2 * delay_s * turn_rad_s, rtol=1e-3)


def test_point_ahead_of_a_geostationary_satellite_is_due_to_the_earths_rotation(make_site):
    site = make_site("S", 0.0, 116.0, 0.0)
    states = GeostationaryOrbit("G", site.longitude_rad).states_ecef(np.array(["2016-09-22"], dtype="datetime64[ns]"))
    expected = 2 * EARTH_ROTATION_RAD_S * (42_164_172.0 - 6_378_137.0) / SPEED_OF_LIGHT_M_S
    assert point_ahead_rad(*states, site)[0] == pytest.approx(expected, rel=1e-12)  # 17.4 microradians


def test_slew_rate_is_how_fast_the_direction_turns_over_the_ground(micius, cities):
    """Independent oracle: difference of the unit vectors in the Earth-fixed frame half a second on either side."""
    times = np.arange("2016-09-25T18:55", "2016-09-25T19:05", 20, dtype="datetime64[s]").astype("datetime64[ns]")
    orbit, site = Sgp4Orbit(micius), cities[-1]
    half = np.timedelta64(50, "ms")

    def direction(at):
        line = orbit.states_ecef(at)[0] - site.position_m
        return line / np.linalg.norm(line, axis=1, keepdims=True)

    turn_rad_s = np.linalg.norm(direction(times + half) - direction(times - half), axis=1) / 0.1
    np.testing.assert_allclose(slew_rate_rad_s(*orbit.states_ecef(times), site), turn_rad_s, rtol=1e-4)


def test_telescope_on_a_geostationary_satellite_stands_still(make_site):
    site = make_site("S", 40.0, 5.0, 0.0)
    states = GeostationaryOrbit("G", 0.2).states_ecef(np.array(["2016-09-22"], dtype="datetime64[ns]"))
    assert slew_rate_rad_s(*states, site)[0] == 0.0
