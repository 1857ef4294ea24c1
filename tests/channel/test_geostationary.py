"""Geostationary satellite over a spherical Earth: vectors, published numbers, inverses."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel.geostationary import (
    EARTH_RADIUS_M,
    SATELLITE_ALTITUDE_M,
    azimuth_rad,
    ground_separation_m,
    slant_range_m,
    zenith_angle_rad,
)
from satqkd.channel.profiles import TURBULENCE_PROFILES
from satqkd.errors import InputError

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "geo_channel.csv"


def test_slant_ranges_of_the_golden_rows() -> None:
    with GOLDEN.open(newline="") as stream:
        for row in csv.DictReader(stream):
            altitude_m = TURBULENCE_PROFILES[row["site"]].altitude_m
            found = slant_range_m(np.radians(float(row["zenith_deg"])), station_altitude_m=altitude_m)
            assert float(found) / 1e3 == pytest.approx(float(row["slant_km"]), rel=3e-6)  # six digits


def test_ground_separations_of_the_published_model() -> None:
    found = ground_separation_m(np.radians([30.0, 45.0, 60.0, 70.0, 80.0])) / 1e3
    # independent implementation, printed to 1 km
    np.testing.assert_allclose(found, [5713, 8652, 11682, 13765, 15903], atol=0.5)


@pytest.mark.parametrize(
    ("latitude", "longitude", "zenith"),
    [
        (40.4168, -3.7038, 47.6),  # Madrid
        (48.2082, 16.3738, 56.4),  # Vienna
        (52.2297, 21.0122, 61.6),  # Warsaw
        (55.9533, -3.1883, 64.2),  # Edinburgh
        (52.3676, 4.9041, 59.9),  # Amsterdam
    ],
)
def test_zenith_angles_of_cities_from_5_east(latitude: float, longitude: float, zenith: float) -> None:
    found = zenith_angle_rad(
        latitude_rad=np.radians(latitude), longitude_rad=np.radians(longitude), satellite_longitude_rad=np.radians(5.0)
    )
    assert float(np.degrees(found)) == pytest.approx(zenith, abs=0.05)  # independent implementation, printed to 0.1 deg


@given(st.floats(-80.0, 80.0), st.floats(-180.0, 180.0), st.floats(-180.0, 180.0))
def test_angles_and_distance_are_those_of_the_vectors(latitude: float, longitude: float, satellite: float) -> None:
    phi, lon, sat = np.radians([latitude, longitude, satellite])
    up = np.array([np.cos(phi) * np.cos(lon), np.cos(phi) * np.sin(lon), np.sin(phi)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    sight = (EARTH_RADIUS_M + SATELLITE_ALTITUDE_M) * np.array([np.cos(sat), np.sin(sat), 0.0]) - EARTH_RADIUS_M * up
    distance = np.linalg.norm(sight)
    zenith = float(zenith_angle_rad(latitude_rad=phi, longitude_rad=lon, satellite_longitude_rad=sat))
    assert np.cos(zenith) == pytest.approx(sight @ up / distance, abs=1e-12)  # 42 164 km cancel 6378 km at most
    assert float(slant_range_m(zenith)) == pytest.approx(distance, rel=1e-9)
    azimuth = float(azimuth_rad(latitude_rad=phi, longitude_rad=lon, satellite_longitude_rad=sat))
    assert np.sin(azimuth) * np.sin(zenith) == pytest.approx(sight @ east / distance, abs=1e-12)
    assert np.cos(azimuth) * np.sin(zenith) == pytest.approx(sight @ np.cross(up, east) / distance, abs=1e-12)


@given(st.floats(0.1, 80.0))
def test_separation_is_twice_the_way_to_the_station_that_sees_that_angle(latitude: float) -> None:
    zenith = zenith_angle_rad(latitude_rad=np.radians(latitude), longitude_rad=0.0, satellite_longitude_rad=0.0)
    expected = 2.0 * EARTH_RADIUS_M * np.radians(latitude)
    assert float(ground_separation_m(zenith)) == pytest.approx(expected, rel=1e-9)  # cancellation in the slant range


def test_directly_below_the_satellite() -> None:
    assert float(zenith_angle_rad(latitude_rad=0.0, longitude_rad=0.1, satellite_longitude_rad=0.1)) == 0.0
    assert float(slant_range_m(0.0)) == SATELLITE_ALTITUDE_M
    assert float(ground_separation_m(0.0)) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ground_separation_m(np.radians(91.0)), "zenith_rad"),
        (lambda: slant_range_m(-0.1), "zenith_rad: -0.1"),
        (lambda: slant_range_m(0.1, satellite_altitude_m=0.0), "satellite_altitude_m: 0"),
        (lambda: zenith_angle_rad(latitude_rad=2.0, longitude_rad=0.0, satellite_longitude_rad=0.0), "latitude_rad: 2"),
        (
            lambda: azimuth_rad(latitude_rad=0.0, longitude_rad=np.nan, satellite_longitude_rad=0.0),
            "longitude_rad: nan",
        ),
    ],
)
def test_bad_geometry_is_refused(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=message):
        call()
