"""The sky behind a satellite by time: against skyfield's Sun and Moon, limits, twilight, exclusion."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from satqkd.channel.moonlight import night_radiance
from satqkd.channel.sky_background import sky_background
from satqkd.channel.sky_radiance import day_radiance
from satqkd.errors import InputError
from satqkd.orbit.site import ElevationMask, Site

MADRID = Site("Madrid", np.radians(40.4), np.radians(-3.7), 0.0, ElevationMask.constant(0.0))
GEO = {"view_zenith_rad": np.radians(47.6), "view_azimuth_rad": np.radians(167.0)}  # satellite at 5 E
AIR = {"site": "urban", "wavelength_m": 854.445e-9}
NOON, SUNSET, MIDNIGHT = (
    np.array([text], dtype="datetime64[ns]")
    for text in ("2025-03-20T12:00", "2025-03-20T18:40", "2025-03-14T23:30")  # full Moon on 14 March 2025, 06:55 UTC
)


@pytest.fixture(scope="module")
def bodies():
    from skyfield.api import Loader, wgs84
    from skyfield_data import get_skyfield_data_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # its Earth-rotation file has expired; it is not used here
        loader = Loader(get_skyfield_data_path(), verbose=False)
    scale, ephemeris = loader.timescale(builtin=True), loader("de421.bsp")
    place = ephemeris["earth"] + wgs84.latlon(40.4, -3.7, elevation_m=0.0)

    def seen(body, time):
        stamp = time[0].astype("datetime64[s]").item()
        apparent = place.at(scale.utc(*stamp.timetuple()[:6])).observe(ephemeris[body]).apparent()
        altitude, azimuth, distance = apparent.altaz()
        return np.pi / 2 - altitude.radians, azimuth.radians, distance.m

    yield seen
    ephemeris.close()


def test_noon_is_lit_by_the_sun_where_skyfield_has_it(bodies) -> None:
    found = sky_background(NOON, place=MADRID, **GEO, **AIR)
    zenith, azimuth, _ = bodies("sun", NOON)
    expected = day_radiance(
        view_zenith_rad=GEO["view_zenith_rad"], relative_azimuth_rad=abs(azimuth - GEO["view_azimuth_rad"]),
        sun_zenith_rad=zenith, **AIR,
    )  # fmt: skip
    assert (found.day.tolist(), found.night.tolist()) == ([True], [False])
    # the Sun to 0.004 degree
    assert found.radiance_mw_m2_nm_sr[0] == pytest.approx(float(expected), rel=1e-3)


def test_midnight_is_lit_by_the_moon_where_skyfield_has_it(bodies) -> None:
    found = sky_background(MIDNIGHT, place=MADRID, **GEO, **AIR, urban_light_mw_m2_nm_sr=1e-5)
    zenith, azimuth, distance = bodies("moon", MIDNIGHT)
    expected = night_radiance(
        view_zenith_rad=GEO["view_zenith_rad"], relative_azimuth_rad=abs(azimuth - GEO["view_azimuth_rad"]),
        moon_zenith_rad=zenith, phase_angle_rad=found.moon_phase_rad, moon_distance_m=distance,
        urban_light_mw_m2_nm_sr=1e-5, **AIR,
    )  # fmt: skip
    assert found.night.tolist() == [True]
    assert np.degrees(found.moon_phase_rad[0]) == pytest.approx(8.5, abs=1.5)  # 17 hours after full, 12 deg a day
    # the Moon to 0.05 degree, its distance to 4e-4
    assert found.radiance_mw_m2_nm_sr[0] == pytest.approx(float(expected[0]), rel=4e-3)


def test_a_day_has_all_three_lights_and_sunset_bounds_twilight() -> None:
    day = np.datetime64("2025-03-20T00:00", "ns") + np.arange(0, 1440, 2).astype("timedelta64[m]")
    found = sky_background(day, place=MADRID, **GEO, **AIR, twilight="sunset", urban_light_mw_m2_nm_sr=1e-6)
    dusk = ~found.day & ~found.night
    assert min(found.day.sum(), found.night.sum(), dusk.sum()) > 60
    level = found.radiance_mw_m2_nm_sr
    assert level[found.day].min() > 100 * level[found.night].max()
    # the sky of sunset: only the Sun's azimuth changes it, and the view is far from it
    assert level[dusk].max() == pytest.approx(level[found.day].min(), rel=0.5)
    assert np.isfinite(level).all()
    elevation = np.pi / 2 - found.sun_zenith_rad
    assert (elevation[found.night] < np.radians(-18.0)).all()
    np.testing.assert_array_equal(found.day, elevation >= 0.0)


def test_twilight_is_refused_unless_asked_for() -> None:
    with pytest.raises(InputError, match=r"time: 2025-03-20T18:40.* is in twilight, .*twilight='sunset'"):
        sky_background(SUNSET, place=MADRID, **GEO, **AIR)
    with pytest.raises(InputError, match=r"twilight: 'skip' is not known, .*allowed: refuse, sunset"):
        sky_background(NOON, place=MADRID, **GEO, **AIR, twilight="skip")
    # with the limit of darkness at the horizon there is no twilight
    dark = sky_background(SUNSET, place=MADRID, **GEO, **AIR, darkness_rad=0.0)
    assert dark.night.tolist() == [True]


def test_pointing_at_the_sun_is_excluded_and_so_is_the_moon(bodies) -> None:
    for body, time in (("sun", NOON), ("moon", MIDNIGHT)):
        zenith, azimuth, _ = bodies(body, time)
        near = {"view_zenith_rad": zenith + np.radians(5.0), "view_azimuth_rad": azimuth}
        for cone_deg, expected in ((4.9, False), (5.1, True)):
            cone = {f"{body}_exclusion_rad": np.radians(cone_deg)}
            found = sky_background(time, place=MADRID, **near, **AIR, **cone)
            assert found.excluded.tolist() == [expected]
            # the bodies' places to 0.05 degree
            assert np.degrees(getattr(found, f"{body}_separation_rad"))[0] == pytest.approx(5.0, abs=0.05)
