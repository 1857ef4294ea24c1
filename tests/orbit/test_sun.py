import numpy as np
import pytest

from satqkd.constants import SUN_RADIUS_M, WGS84_SEMI_MAJOR_AXIS_M
from satqkd.orbit.propagation import Sgp4Orbit
from satqkd.orbit.sun import (
    TWILIGHTS_RAD,
    in_penumbra,
    in_umbra,
    sun_direction_ecef,
    sun_elevation_rad,
    sun_position_ecef_m,
    umbra_margin_rad,
)

YEARS = np.arange("1990-01-01T00:00", "2026-01-01T00:00", 5 * 1440 + 37, dtype="datetime64[m]").astype("datetime64[ns]")
SUN_M = np.array([1.496e11, 0.0, 0.0])


def test_elevation_agrees_with_skyfield(make_site, skyfield):
    from skyfield.api import wgs84

    for latitude, longitude in ((39.9, 116.4), (-78.0, -60.0)):
        place = skyfield.ephemeris["earth"] + wgs84.latlon(latitude, longitude, elevation_m=44.0)
        sun = place.at(skyfield.time(YEARS)).observe(skyfield.ephemeris["sun"]).apparent()
        elevation = np.degrees(sun_elevation_rad(YEARS, make_site("S", latitude, longitude, 44.0)))
        # low-precision theory: measured 0.0039 deg at most
        np.testing.assert_allclose(elevation, sun.altaz()[0].degrees, atol=0.005)


def test_direction_and_distance_agree_with_skyfield(skyfield):
    from skyfield.framelib import itrs

    sun = skyfield.ephemeris["earth"].at(skyfield.time(YEARS)).observe(skyfield.ephemeris["sun"]).apparent()
    expected_m = sun.frame_xyz(itrs).m.T
    distance_m = np.linalg.norm(expected_m, axis=1)
    np.testing.assert_allclose(sun_direction_ecef(YEARS), expected_m / distance_m[:, None], atol=np.radians(0.005))
    # the Moon moves the Earth by 5000 km (3e-5)
    np.testing.assert_allclose(np.linalg.norm(sun_position_ecef_m(YEARS), axis=1), distance_m, rtol=1.5e-4)


def test_directions_are_unit_vectors():
    np.testing.assert_allclose(np.linalg.norm(sun_direction_ecef(YEARS[:9]), axis=1), 1.0, rtol=1e-14)


def test_twilights_by_name():
    assert {name: np.degrees(value) for name, value in TWILIGHTS_RAD.items()} == pytest.approx(
        {"horizon": -0.833, "civil": -6.0, "nautical": -12.0, "astronomical": -18.0}
    )


def test_umbra_and_penumbra_end_on_the_cones_tangent_to_sun_and_earth():
    """Independent oracle: radii of the cones by similar triangles, at a distance x behind the Earth."""
    earth_m, distance_m = WGS84_SEMI_MAJOR_AXIS_M, SUN_M[0]
    for x in (7e6, 42e6, 4e8):
        for sign, shadow in ((-1.0, in_umbra), (1.0, lambda r, s: in_umbra(r, s) | in_penumbra(r, s))):
            apex_m = distance_m * earth_m / (SUN_RADIUS_M + sign * earth_m)  # from the Earth, behind or before it
            radius_m = (apex_m + sign * x) * earth_m / np.sqrt(apex_m**2 - earth_m**2)
            across = radius_m + np.array([-10.0, 10.0])
            position = np.stack([np.full(2, -x), across, np.zeros(2)], axis=1)
            assert shadow(position, SUN_M).tolist() == [True, False]


def test_no_shadow_on_the_day_side_and_none_beyond_the_umbras_apex():
    assert not in_umbra(np.array([7e6, 0.0, 0.0]), SUN_M)
    assert not in_penumbra(np.array([7e6, 0.0, 0.0]), SUN_M)
    apex_m = SUN_M[0] * WGS84_SEMI_MAJOR_AXIS_M / (SUN_RADIUS_M - WGS84_SEMI_MAJOR_AXIS_M)
    assert in_umbra(np.array([-0.999 * apex_m, 0.0, 0.0]), SUN_M)
    assert not in_umbra(np.array([-1.001 * apex_m, 0.0, 0.0]), SUN_M)
    assert in_penumbra(np.array([-1.001 * apex_m, 0.0, 0.0]), SUN_M)


def test_the_edge_of_a_point_suns_shadow_lies_in_the_penumbra(micius, skyfield):
    """Skyfield's ``is_sunlit`` takes the Sun as a point."""
    from skyfield.api import EarthSatellite

    day = np.arange("2016-09-22", "2016-09-24", 10, dtype="datetime64[s]").astype("datetime64[ns]")
    satellite = EarthSatellite.from_satrec(micius.to_satrec(), skyfield.scale)
    sunlit = satellite.at(skyfield.time(day)).is_sunlit(skyfield.ephemeris)
    position_m, sun_m = Sgp4Orbit(micius).states_ecef(day)[0], sun_position_ecef_m(day)
    umbra, penumbra = in_umbra(position_m, sun_m), in_penumbra(position_m, sun_m)
    assert umbra.any()
    assert not (umbra & sunlit).any()
    assert not (~umbra & ~penumbra & ~sunlit).any()
    assert not (umbra & penumbra).any()
    np.testing.assert_array_equal(umbra_margin_rad(position_m, sun_m) >= 0.0, umbra)
