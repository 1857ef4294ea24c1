"""The week from 19 September 2016 over eleven cities (Wang et al.): visible times of Micius and of higher orbits.

Darkness is the Sun below -0.833 deg at the station, elevation above 10 deg; the total is the union over cities.
"""

import numpy as np
import pytest

from satqkd.orbit.frames import look_angles
from satqkd.orbit.intervals import common_view, union_duration_s
from satqkd.orbit.kinematics import doppler_shift_hz
from satqkd.orbit.propagation import GeostationaryOrbit, Sgp4Orbit
from satqkd.orbit.sun import TWILIGHTS_RAD, sun_elevation_rad
from satqkd.orbit.visibility import visible_intervals, visible_intervals_many

START, END = np.datetime64("2016-09-19T00:00:00", "ns"), np.datetime64("2016-09-26T00:00:00", "ns")
NIGHT = TWILIGHTS_RAD["horizon"]

# Seconds in which 1-s samples are visible; computed independently with skyfield's frames and Sun.
MICIUS_S = {
    "Shanghai": 3096,
    "Beijing": 3835,
    "Chengdu": 3248,
    "Guangzhou": 3128,
    "Wuhan": 3406,
    "Xi'an": 3612,
    "Shenyang": 3701,
    "Hefei": 3290,
    "Jinan": 3542,
    "Urumqi": 4142,
    "Lhasa": 3315,
}


@pytest.fixture(scope="module")
def micius_week(micius, cities):
    return visible_intervals_many(Sgp4Orbit(micius), cities, START, END, darkness_threshold_rad=NIGHT)


def test_visible_seconds_of_each_city(micius_week, cities):
    found = {city.name: each.total_s for city, each in zip(cities, micius_week, strict=True)}
    # 8 to 12 passes a city: counting samples is off by up to 0.5 s at each end
    assert found == pytest.approx(MICIUS_S, abs=5.0)


def test_union_over_the_cities(micius_week):
    # Wang et al.: 12 240 s; the independent count of 1-s samples: 12 140 s in 22 windows
    assert union_duration_s(micius_week) == pytest.approx(12_140.0, abs=10.0)
    starts = np.sort(np.concatenate([each.start for each in micius_week]))
    assert 1 + (np.diff(starts) > np.timedelta64(30, "m")).sum() == 22


def test_the_low_orbits_night_is_its_umbra(micius_week, micius, cities):
    """For a low orbit these conditions choose the same passes."""
    umbra = visible_intervals_many(Sgp4Orbit(micius), cities, START, END, satellite_condition="umbra")
    for dark, shadow in zip(micius_week, umbra, strict=True):
        assert len(common_view(dark, shadow)) == len(dark) == len(shadow)


@pytest.mark.parametrize(
    ("altitude_m", "paper_s"),
    # Wang et al., Table 2; its "about 5000 km" is met at 5110 km
    [(2500e3, 45_370.0), (5110e3, 81_910.0)],
)
def test_total_of_medium_orbits(micius, cities, altitude_m, paper_s):
    orbit = Sgp4Orbit(micius.at_altitude(altitude_m))
    found = visible_intervals_many(orbit, cities, START, END, darkness_threshold_rad=NIGHT, step_s=10.0)
    assert union_duration_s(found) == pytest.approx(paper_s, rel=0.005)


@pytest.mark.parametrize(("altitude_m", "reference_s"), [(2500e3, 45_370.0), (5000e3, 77_200.0), (5110e3, 82_080.0)])
def test_total_of_medium_orbits_with_the_sun_below_the_horizontal(micius, cities, altitude_m, reference_s):
    """An independent program's 10-s samples; it took the Sun's elevation below 0 deg, not -0.833 deg, as dark."""
    orbit = Sgp4Orbit(micius.at_altitude(altitude_m))
    found = visible_intervals_many(orbit, cities, START, END, darkness_threshold_rad=0.0, step_s=10.0)
    samples = np.arange(START, END, np.timedelta64(10, "s"))
    seen = np.any([each.contains(samples) for each in found], axis=0)
    # about 25 windows; an end within metres or arc seconds of a sample may fall either way
    assert 10.0 * seen.sum() == pytest.approx(reference_s, abs=20.0)


def test_total_of_a_geostationary_satellite(cities):
    orbit = GeostationaryOrbit("G", np.radians(116.0))
    found = visible_intervals_many(orbit, cities, START, END, darkness_threshold_rad=NIGHT, step_s=10.0)
    assert union_duration_s(found) == pytest.approx(358_700.0, rel=0.005)  # Wang et al., Table 2


def test_total_of_the_5000_km_orbit_agrees_with_skyfield(micius, cities, skyfield):
    from skyfield.api import EarthSatellite, wgs84

    elements = micius.at_altitude(5000e3)
    samples = np.arange(START, END, np.timedelta64(60, "s"))
    there = EarthSatellite.from_satrec(elements.to_satrec(), skyfield.scale).at(skyfield.time(samples))
    visible = np.zeros((len(cities), samples.size), dtype=bool)
    for row, city in zip(visible, cities, strict=True):
        where = wgs84.latlon(np.degrees(city.latitude_rad), np.degrees(city.longitude_rad), city.altitude_m)
        elevation = (there - where.at(there.t)).altaz()[0].degrees
        row[:] = (elevation >= 10.0) & (sun_elevation_rad(samples, city) <= NIGHT)
    found = visible_intervals_many(Sgp4Orbit(elements), cities, START, END, darkness_threshold_rad=NIGHT, step_s=60.0)
    ours = np.stack([each.contains(samples) for each in found])
    # 0.002 deg are at most 0.2 s here: not one of 11 x 10 080 samples may differ but those on an edge
    assert (ours != visible).sum() == pytest.approx(0, abs=2)
    # the same comparison at 10-s samples: 76 770 s with skyfield; about 20 windows, each end to +-5 s
    assert union_duration_s(found) == pytest.approx(76_770.0, rel=1e-3)


def test_the_dual_downlink_of_24_september(micius, make_site):
    """Wang et al. on uplinks: Delingha and Lijiang see Micius together for 278 s, the two links add to 1611-2428 km."""
    sites = [make_site("Delingha", 37.3790, 97.7269, 3153.0), make_site("Lijiang", 26.6942, 100.03, 3233.0)]
    start = np.datetime64("2016-09-24T17:30", "ns")
    orbit = Sgp4Orbit(micius)
    both = common_view(*visible_intervals_many(orbit, sites, start, start + np.timedelta64(40, "m")))
    assert both.duration_s == pytest.approx([266.0], abs=1.0)  # above 10 deg, an independent computation
    times = np.arange(both.start[0], both.end[0], np.timedelta64(1, "s"))
    sums_m = sum(look_angles(*orbit.states_ecef(times), site).slant_range_m for site in sites)
    assert [sums_m.min(), sums_m.max()] == pytest.approx([1618e3, 2436e3], rel=0.004)


def test_doppler_shift_of_the_pass_over_ngari(micius, make_site):
    site = make_site("Ngari", 32.325, 80.026, 5100.0, 15.0)
    start = np.datetime64("2016-09-25T18:50", "ns")
    orbit = Sgp4Orbit(micius)
    (found,) = [visible_intervals(orbit, site, start, start + np.timedelta64(20, "m"))]
    times = np.concatenate([found.start, found.end])
    shift_hz = doppler_shift_hz(look_angles(*orbit.states_ecef(times), site).range_rate_m_s, 780e-9)
    # an independent computation: -9.0 to +8.7 GHz
    assert shift_hz / 1e9 == pytest.approx([8.7, -9.0], abs=0.2)
