import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.moon import MEAN_MOON_DISTANCE_M, moon_position_ecef_m, phase_angle_rad
from satqkd.orbit.sky import excluded, relative_azimuth_rad, separation_rad, zenith_azimuth_rad
from satqkd.orbit.sun import sun_position_ecef_m

YEARS = np.arange("1990-01-01T00:00", "2026-01-01T00:00", 5 * 1440 + 37, dtype="datetime64[m]").astype("datetime64[ns]")


def apparent_moon(skyfield):
    earth, moon = skyfield.ephemeris["earth"], skyfield.ephemeris["moon"]
    return earth.at(skyfield.time(YEARS)).observe(moon).apparent()


def test_direction_and_distance_agree_with_skyfield(skyfield):
    from skyfield.framelib import itrs

    expected_m = apparent_moon(skyfield).frame_xyz(itrs).m.T
    found_m = moon_position_ecef_m(YEARS)
    distance_m = np.linalg.norm(expected_m, axis=1)
    unit = found_m / np.linalg.norm(found_m, axis=1, keepdims=True)
    # truncated series: terms below 0.005 degree are left out
    np.testing.assert_allclose(unit, expected_m / distance_m[:, None], atol=np.radians(0.05))
    np.testing.assert_allclose(np.linalg.norm(found_m, axis=1), distance_m, rtol=4e-4)


def test_zenith_angle_and_azimuth_at_a_site_agree_with_skyfield(make_site, skyfield):
    from skyfield.api import wgs84

    place = skyfield.ephemeris["earth"] + wgs84.latlon(39.9, 116.4, elevation_m=44.0)
    altitude, azimuth, _ = place.at(skyfield.time(YEARS)).observe(skyfield.ephemeris["moon"]).apparent().altaz()
    found = zenith_azimuth_rad(moon_position_ecef_m(YEARS), make_site("S", 39.9, 116.4, 44.0))
    apart = separation_rad(*found, np.pi / 2 - altitude.radians, azimuth.radians)
    # parallax included; the series is good to 0.05 degree
    np.testing.assert_allclose(np.degrees(apart), 0.0, atol=0.05)


def test_phase_agrees_with_skyfield(skyfield):
    expected = apparent_moon(skyfield).phase_angle(skyfield.ephemeris["sun"]).radians
    found = phase_angle_rad(moon_position_ecef_m(YEARS), sun_position_ecef_m(YEARS))
    # both bodies to 0.05 degree
    np.testing.assert_allclose(np.degrees(found), np.degrees(expected), atol=0.06)


def test_phase_at_the_ends_and_at_the_quarter():
    moon = np.array([3.85e8, 0.0, 0.0])
    far = 1e15
    found = phase_angle_rad(moon, far * np.array([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    # the Sun at 1e15 m is at infinity to 4e-7
    np.testing.assert_allclose(found, [0.0, np.pi, np.pi / 2], atol=1e-6)


def test_mean_distance_is_the_average():
    years = np.arange("1995-01-01", "2013-08-12", dtype="datetime64[D]").astype("datetime64[ns]")  # 18.6 years
    distance = np.linalg.norm(moon_position_ecef_m(years), axis=1)
    # the periodic terms average out to their next order
    assert distance.mean() == pytest.approx(MEAN_MOON_DISTANCE_M, rel=1e-4)


def test_direction_of_points_straight_up_and_along_the_axes(make_site):
    site = make_site("S", 40.0, 116.0, 100.0)
    for row, zenith_deg, azimuth_deg in ((0, 90.0, 90.0), (1, 90.0, 0.0), (2, 0.0, None)):
        zenith, azimuth = zenith_azimuth_rad(site.position_m + 1e6 * site.enu[row], site)
        assert np.degrees(zenith) == pytest.approx(zenith_deg, abs=1e-7)  # arctangent of rounding errors of 1e-10
        if azimuth_deg is not None:
            assert np.degrees(azimuth) == pytest.approx(azimuth_deg, abs=1e-7)


def test_separation_is_the_angle_of_the_unit_vectors():
    rng = np.random.default_rng(7)
    z, zz = rng.uniform(0.0, np.pi, (2, 200))
    a, aa = rng.uniform(0.0, 2.0 * np.pi, (2, 200))
    one, two = (np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], -1) for t, p in ((z, a), (zz, aa)))
    expected = 2 * np.arcsin(np.linalg.norm(one - two, axis=1) / 2)  # half the chord, another formula
    np.testing.assert_allclose(separation_rad(z, a, zz, aa), expected, rtol=1e-9, atol=1e-12)


def test_separation_keeps_a_microradian():
    assert float(separation_rad(1.0, 2.0, 1.0 + 1e-6, 2.0)) == pytest.approx(1e-6, rel=1e-9)  # 1e-16 / 1e-6
    assert float(separation_rad(0.7, 1.0, np.pi - 0.7, 1.0 + np.pi)) == pytest.approx(np.pi, rel=1e-12)


def test_relative_azimuth_folds():
    degrees = relative_azimuth_rad(np.radians([350.0, 10.0, 90.0, 90.0]), np.radians([10.0, 350.0, 270.0, 90.0]))
    np.testing.assert_allclose(np.degrees(degrees), [20.0, 20.0, 180.0, 0.0], atol=1e-12)


def test_exclusion_is_a_cone_about_a_body_above_the_horizon():
    view = np.radians(np.arange(0.0, 90.0, 1.0))
    found = excluded(view, 0.0, body_zenith_rad=np.radians(45.3), body_azimuth_rad=0.0, exclusion_rad=np.radians(10.0))
    assert np.degrees(view[found]).round().tolist() == list(range(36, 56))
    below = excluded(view, 0.0, body_zenith_rad=np.radians(90.5), body_azimuth_rad=0.0, exclusion_rad=np.radians(30.0))
    assert not below.any()
    none = excluded(view, 0.0, body_zenith_rad=np.radians(45.0), body_azimuth_rad=0.0, exclusion_rad=0.0)
    assert not none.any()


@pytest.mark.parametrize("angle_deg", [-1.0, 181.0, np.nan])
def test_impossible_exclusion_angles_are_refused(angle_deg):
    with pytest.raises(InputError, match=r"exclusion angle = .* deg: must be from 0 to 180 deg"):
        excluded(0.1, 0.0, body_zenith_rad=0.1, body_azimuth_rad=0.0, exclusion_rad=np.radians(angle_deg))
