import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.errors import InputError
from satqkd.orbit.frames import ecef_to_geodetic, geodetic_to_ecef, look_angles
from satqkd.orbit.propagation import Sgp4Orbit
from satqkd.orbit.site import ElevationMask, Site

DAY = np.arange("2016-09-22T19:50:00", "2016-09-23T19:51:00", 60, dtype="datetime64[s]").astype("datetime64[ns]")
FLAT = ElevationMask.constant(0.0)


def test_elevation_azimuth_and_range_agree_with_skyfield_for_all_cities(micius, cities, skyfield):
    from skyfield.api import EarthSatellite, wgs84

    satellite = EarthSatellite.from_satrec(micius.to_satrec(), skyfield.scale)
    time = skyfield.time(DAY)
    states = Sgp4Orbit(micius).states_ecef(DAY)
    there = satellite.at(time)
    for city in cities:
        topos = wgs84.latlon(np.degrees(city.latitude_rad), np.degrees(city.longitude_rad), city.altitude_m)
        altitude, azimuth, distance = (there - topos.at(time)).altaz()
        angles = look_angles(*states, city)
        # UT1 from a monthly table (3 ms, 1.3 m) and the frame's conventions: measured 0.001 deg and 10 m
        np.testing.assert_allclose(np.degrees(angles.elevation_rad), altitude.degrees, atol=0.002)
        np.testing.assert_allclose(angles.slant_range_m, distance.m, atol=20.0)
        turn = np.exp(1j * (angles.azimuth_rad - azimuth.radians))
        np.testing.assert_allclose(np.degrees(np.angle(turn)) * np.cos(angles.elevation_rad), 0.0, atol=0.002)


def test_earth_fixed_positions_agree_with_skyfield(micius, skyfield):
    from skyfield.api import EarthSatellite
    from skyfield.framelib import itrs

    satellite = EarthSatellite.from_satrec(micius.to_satrec(), skyfield.scale)
    expected = satellite.at(skyfield.time(DAY)).frame_xyz(itrs).m.T
    np.testing.assert_allclose(Sgp4Orbit(micius).states_ecef(DAY)[0], expected, atol=20.0)


def test_velocity_in_the_rotating_frame_is_the_derivative_of_the_position(micius):
    orbit, h = Sgp4Orbit(micius), np.timedelta64(50, "ms")
    slope = (orbit.states_ecef(DAY + h)[0] - orbit.states_ecef(DAY - h)[0]) / 0.1
    # SGP4's own velocity differs from the slope of its positions by a few cm/s at most
    np.testing.assert_allclose(orbit.states_ecef(DAY)[1], slope, atol=0.1)


def test_range_rate_is_the_derivative_of_the_range(micius, cities):
    orbit, h = Sgp4Orbit(micius), np.timedelta64(50, "ms")
    ahead, behind = (look_angles(*orbit.states_ecef(DAY + k * h), cities[0]).slant_range_m for k in (1, -1))
    rate = look_angles(*orbit.states_ecef(DAY), cities[0]).range_rate_m_s
    np.testing.assert_allclose(rate, (ahead - behind) / 0.1, atol=0.1)


def test_geodetic_positions_agree_with_skyfield():
    from skyfield.api import wgs84

    for latitude, longitude, altitude in ((31.2, 121.5, 4.0), (-90.0, 10.0, 2800.0), (0.0, -180.0, -400.0)):
        expected = wgs84.latlon(latitude, longitude, altitude).itrs_xyz.m
        actual = geodetic_to_ecef(np.radians(latitude), np.radians(longitude), altitude)
        np.testing.assert_allclose(actual, expected, atol=1e-6)  # rounding of 6.4e6 m
        np.testing.assert_allclose(
            Site("S", np.radians(latitude), np.radians(longitude), altitude, FLAT).position_m, expected, atol=1e-6
        )


@given(st.floats(-90.0, 90.0), st.floats(-179.9, 180.0), st.floats(-10e3, 50e6))
def test_geodetic_coordinates_come_back(latitude, longitude, altitude):
    position = geodetic_to_ecef(np.radians(latitude), np.radians(longitude), altitude)
    back = ecef_to_geodetic(position)
    assert back[0] == pytest.approx(np.radians(latitude), abs=1e-11)
    assert back[2] == pytest.approx(altitude, abs=1e-5)
    if abs(latitude) < 89.999:
        assert back[1] == pytest.approx(np.radians(longitude), abs=1e-9)


def test_geodetic_coordinates_of_arrays_keep_their_shape():
    assert geodetic_to_ecef(np.zeros((2, 1)), np.zeros(3), 0.0).shape == (2, 3, 3)
    assert ecef_to_geodetic(np.full((2, 4, 3), 7e6))[0].shape == (2, 4)


@pytest.mark.parametrize("latitude", [np.pi / 2, -np.pi / 2])
def test_a_station_at_a_pole_sees_the_zenith_and_the_horizon(latitude):
    site = Site("pole", latitude, 0.3, 0.0, FLAT)
    above = site.position_m + 500e3 * site.up
    level = site.position_m + 500e3 * site.enu[0]
    angles = look_angles(np.stack([above, level]), np.zeros((2, 3)), site)
    np.testing.assert_allclose(angles.elevation_rad, [np.pi / 2, 0.0], atol=1e-9)  # rounding of positions
    np.testing.assert_allclose(angles.azimuth_rad[1], np.pi / 2, atol=1e-9)
    assert np.abs(site.position_m[2]) == pytest.approx(6_356_752.314_245, abs=1e-6)  # WGS84 polar radius


@pytest.mark.parametrize(
    ("latitude", "longitude", "altitude", "text"),
    [
        (1.6, 0.0, 0.0, "latitude must be from -90 to 90 deg, got 91.67"),
        (float("nan"), 0.0, 0.0, "latitude"),
        (0.0, float("inf"), 0.0, "longitude"),
        (0.0, 0.0, -501.0, "Deep: altitude must be from -500 m to 100000 m, got -501 m"),
        (0.0, 0.0, float("nan"), "altitude"),
    ],
)
def test_impossible_sites_are_refused(latitude, longitude, altitude, text):
    with pytest.raises(InputError, match=text):
        Site("Deep", latitude, longitude, altitude, FLAT)


def test_masks_are_linear_and_wrap_at_north():
    mask = ElevationMask.by_azimuth(np.radians([10.0, 90.0, 350.0]), np.radians([20.0, 5.0, 10.0]))
    degrees = np.degrees(mask.at(np.radians([10.0, 50.0, 0.0, 360.0, -5.0, 220.0, 350.0])))
    np.testing.assert_allclose(degrees, [20.0, 12.5, 15.0, 15.0, 12.5, 7.5, 10.0], rtol=1e-12)
    assert np.degrees(mask.minimum_rad) == pytest.approx(5.0)
    assert ElevationMask.constant(0.2).at([[1.0, 2.0]]).tolist() == [[0.2, 0.2]]


@pytest.mark.parametrize(
    ("azimuths", "elevations", "text"),
    [
        ([], [], "at least one"),
        ([0.0, 1.0], [0.1], "as many elevations"),
        ([1.0, 1.0], [0.1, 0.1], "azimuths must increase"),
        ([0.0, 7.0], [0.1, 0.1], "azimuth must be in"),
        ([0.0], [1.6], "elevation must be in"),
        ([0.0], [float("nan")], "elevation must be in"),
    ],
)
def test_impossible_masks_are_refused(azimuths, elevations, text):
    with pytest.raises(InputError, match=text):
        ElevationMask.by_azimuth(azimuths, elevations)
