from dataclasses import replace

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.frames import look_angles
from satqkd.orbit.intervals import Windows, common_view, union_duration_s
from satqkd.orbit.propagation import CircularOrbit, GeostationaryOrbit, Overpass, Sgp4Orbit
from satqkd.orbit.site import ElevationMask, Site
from satqkd.orbit.sun import TWILIGHTS_RAD, in_umbra, sun_elevation_rad, sun_position_ecef_m
from satqkd.orbit.visibility import visible_intervals, visible_intervals_many

START, END = np.datetime64("2016-09-22T00:00:00", "ns"), np.datetime64("2016-09-23T00:00:00", "ns")
NIGHT = TWILIGHTS_RAD["horizon"]
MILLISECOND = np.timedelta64(1, "ms")


def windows(*pairs):
    base = np.datetime64("2020-01-01", "ns")
    times = [[base + np.timedelta64(round(t * 1e9), "ns") for t in pair] for pair in pairs]
    start, end = (np.array([pair[k] for pair in times], dtype="datetime64[ns]") for k in (0, 1))
    return Windows(start, end, np.full(len(pairs), "elevation"), np.full(len(pairs), "window"))


def seconds(found):
    base = np.datetime64("2020-01-01", "ns")
    return [
        tuple((t - base) / np.timedelta64(1, "s") for t in pair) for pair in zip(found.start, found.end, strict=True)
    ]


def test_an_overpass_lasts_as_long_as_the_closed_form_says(make_site):
    site = make_site("S", 52.0, 5.0, 20.0, mask_deg=15.0)
    orbit = Overpass("O", site, np.radians(50.0), 600e3, START + np.timedelta64(1, "h"), 1.0)
    found = visible_intervals(orbit, site, START, START + np.timedelta64(90, "m"))
    ratio = 6371e3 / (6371e3 + 600e3)
    psi = np.arccos(ratio * np.cos(np.radians(15.0))) - np.radians(15.0)
    half_s = np.arccos(np.cos(psi) / np.cos(orbit.min_central_angle_rad)) / orbit.angular_rate_rad_s
    assert found.duration_s == pytest.approx([2 * half_s], abs=2e-3)  # two ends to 1 ms
    assert np.abs(found.culmination - orbit.culmination) <= MILLISECOND
    assert np.degrees(found.max_elevation_rad) == pytest.approx([50.0], abs=1e-9)
    assert found.min_range_m == pytest.approx(look_angles(*orbit.states_ecef(found.culmination), site).slant_range_m)
    assert (found.start_limit.tolist(), found.end_limit.tolist()) == (["elevation"], ["elevation"])
    assert not found.truncated.any()


def test_a_pass_shorter_than_a_step_is_found(make_site):
    """The mask is just below the culmination: the pass lasts 0.6 s, the samples are 10 s apart."""
    orbit = Overpass("O", make_site("S", 52.0, 5.0, 20.0), np.radians(50.0), 600e3, START + np.timedelta64(3605, "s"))
    w, r, a = orbit.angular_rate_rad_s, 6371e3, 6971e3
    psi = np.arccos(np.cos(orbit.min_central_angle_rad) * np.cos(w * 0.3))
    mask_rad = np.arctan2(np.cos(psi) - r / a, np.sin(psi))
    site = replace(orbit.site, mask=ElevationMask.constant(float(mask_rad)))
    for step_s in (10.0, 60.0, 1000.0):
        found = visible_intervals(orbit, site, START, START + np.timedelta64(90, "m"), step_s=step_s)
        assert found.duration_s == pytest.approx([0.6], abs=2e-3)


def test_a_gap_shorter_than_a_step_is_found(make_site):
    """The converse: a tent in the mask hides 0.5 s of a high pass."""
    site = make_site("S", 52.0, 5.0, 20.0)
    orbit = Overpass("O", site, np.radians(40.0), 600e3, START + np.timedelta64(3605, "s"), 0.0)
    times = orbit.culmination + np.array([-250, 250], dtype="timedelta64[ms]")
    low, high = np.sort(look_angles(*orbit.states_ecef(times), site).azimuth_rad)
    middle, half = (low + high) / 2, (high - low) / 2
    # a broad tent that rises above the satellite between the two azimuths only
    apex = np.radians(40.0) + 1e-3
    foot = apex - 1e-3 / half
    ridge = ElevationMask.by_azimuth([middle - 1.0, middle, middle + 1.0], [foot, apex, foot])
    found = visible_intervals(orbit, replace(site, mask=ridge), START, START + np.timedelta64(90, "m"), step_s=10.0)
    fine = visible_intervals(orbit, replace(site, mask=ridge), START, START + np.timedelta64(90, "m"), step_s=0.05)
    assert len(found) == len(fine) == 2
    gap_s = (found.start[1] - found.end[0]) / np.timedelta64(1, "s")
    assert gap_s == pytest.approx(0.5, abs=0.02)  # the satellite's own arc takes a little of the tent's height
    np.testing.assert_allclose((found.start - fine.start) / MILLISECOND, 0.0, atol=1.1)
    np.testing.assert_allclose((found.end - fine.end) / MILLISECOND, 0.0, atol=1.1)


def test_passes_cut_by_the_window_are_flagged(micius, cities):
    whole = visible_intervals(Sgp4Orbit(micius), cities[1], START, END)
    middle = whole.culmination[0]
    left = visible_intervals(Sgp4Orbit(micius), cities[1], START, middle)
    right = visible_intervals(Sgp4Orbit(micius), cities[1], middle, END)
    assert (left.end[-1], right.start[0]) == (middle, middle)
    assert (left.end_limit[-1], right.start_limit[0]) == ("window", "window")
    assert (left.truncated[-1], right.truncated[0], whole.truncated.any()) == (True, True, False)
    np.testing.assert_allclose((left.start[0] - whole.start[0]) / MILLISECOND, 0.0, atol=1.0)
    np.testing.assert_allclose((right.end - whole.end) / MILLISECOND, 0.0, atol=1.0)
    # the elevation is flat there
    np.testing.assert_allclose((left.culmination[-1] - middle) / MILLISECOND, 0.0, atol=5.0)


def test_darkness_begins_and_ends_the_nights_of_a_geostationary_link(cities):
    orbit, site = GeostationaryOrbit("G", np.radians(116.0)), cities[1]
    found = visible_intervals(orbit, site, START, START + np.timedelta64(2, "D"), darkness_threshold_rad=NIGHT)
    # 00:00 UTC is morning in Beijing: two whole nights
    assert found.start_limit.tolist() == found.end_limit.tolist() == ["darkness", "darkness"]
    edges = np.concatenate([found.start, found.end])
    # the Sun sinks at most 15 deg per hour: 7.3e-8 rad in 1 ms
    np.testing.assert_allclose(sun_elevation_rad(edges, site), NIGHT, atol=1e-7)


def test_a_geostationary_satellite_without_conditions_is_always_or_never_visible(cities, make_site):
    orbit = GeostationaryOrbit("G", np.radians(116.0))
    always, never = visible_intervals_many(orbit, [cities[0], make_site("Lima", -12.0, -77.0, 100.0)], START, END)
    assert (always.start.tolist(), always.end.tolist()) == ([START.astype(int)], [END.astype(int)])
    assert always.start_limit.tolist() == always.end_limit.tolist() == ["window"]
    assert len(never) == 0
    assert never.total_s == 0.0
    assert never.contains([START]).tolist() == [False]


@pytest.mark.parametrize("condition", ["umbra", "sunlit"])
def test_the_satellites_shadow_limits_passes(micius, cities, condition):
    orbit = Sgp4Orbit(micius)
    # 62 deg north in September: the evening passes enter the shadow half-way
    site = replace(cities[9], latitude_rad=np.radians(62.0), mask=ElevationMask.constant(0.0))
    end = START + np.timedelta64(3, "D")
    found = visible_intervals(orbit, site, START, end, satellite_condition=condition)
    free = visible_intervals(orbit, site, START, end)
    samples = np.arange(START, end, np.timedelta64(10, "s"))
    shadow = in_umbra(orbit.states_ecef(samples)[0], sun_position_ecef_m(samples))
    expected = free.contains(samples) & (shadow if condition == "umbra" else ~shadow)
    np.testing.assert_array_equal(found.contains(samples), expected)
    assert {"eclipse"} <= {*found.start_limit.tolist(), *found.end_limit.tolist()}


def test_sunlit_and_umbra_share_every_pass(micius, cities):
    orbit, site = Sgp4Orbit(micius), cities[9]
    free, umbra, sunlit = (
        visible_intervals(orbit, site, START, END, satellite_condition=c) for c in ("any", "umbra", "sunlit")
    )
    # up to 1 ms is lost at each change
    assert umbra.total_s + sunlit.total_s == pytest.approx(free.total_s, abs=1e-3 * (len(umbra) + len(sunlit)))
    assert union_duration_s([free, umbra, sunlit]) == pytest.approx(free.total_s, abs=1e-9)


def test_many_sites_give_what_one_at_a_time_gives(micius, cities):
    orbit = Sgp4Orbit(micius)
    together = visible_intervals_many(orbit, cities[:3], START, END, darkness_threshold_rad=NIGHT)
    for site, found in zip(cities[:3], together, strict=True):
        alone = visible_intervals(orbit, site, START, END, darkness_threshold_rad=NIGHT)
        for name in vars(found):
            np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))


def test_a_pass_over_a_pole(make_site):
    site = make_site("pole", 90.0, 0.0, 0.0, mask_deg=60.0)
    orbit = CircularOrbit("P", START, 500e3, np.pi / 2, 0.3, 0.0, j2=False)
    found = visible_intervals(orbit, site, START, END)
    period_s = 2 * np.pi / orbit.rates_rad_s[1]
    # one culmination in the zenith each revolution, the first after a quarter
    expected_s = period_s * (0.25 + np.arange(len(found)))
    np.testing.assert_allclose((found.culmination - START) / np.timedelta64(1, "s"), expected_s, atol=0.01)
    assert len(found) == int(86_400 / period_s - 0.25) + 1
    np.testing.assert_allclose(np.degrees(found.max_elevation_rad), 90.0, atol=0.01)


def test_blocks_of_a_long_window_join(micius, cities):
    """Four weeks are searched in several blocks; each week by itself gives the same."""
    orbit, week = Sgp4Orbit(micius), np.timedelta64(7, "D")
    whole = visible_intervals(orbit, cities[0], START, START + 4 * week, step_s=5.0)
    parts = [
        visible_intervals(orbit, cities[0], START + k * week, START + (k + 1) * week, step_s=5.0) for k in range(4)
    ]
    np.testing.assert_array_equal(whole.start, np.concatenate([part.start for part in parts]))
    np.testing.assert_array_equal(whole.end, np.concatenate([part.end for part in parts]))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"end": START}, "end must be after start, got start 2016-09-22T00:00:00.000Z and end 2016-09-22"),
        ({"end": START - np.timedelta64(1, "s")}, "end must be after start"),
        ({"step_s": 0.0}, "step must be from 0.001 s to 86400 s, got 0.0 s"),
        ({"step_s": -1.0}, "step must be"),
        ({"step_s": float("nan")}, "step must be"),
        ({"start": np.datetime64("NaT")}, "start of the window"),
        ({"satellite_condition": "shade"}, "one of any, umbra, sunlit, got 'shade'"),
    ],
)
def test_impossible_questions_are_refused(cities, changes, text):
    question = {"propagator": GeostationaryOrbit("G", 0.0), "site": cities[0], "start": START, "end": END} | changes
    with pytest.raises(InputError, match=text):
        visible_intervals(**question)


def test_common_view_is_the_intersection():
    a, b = windows((0, 10), (20, 30), (40, 50)), windows((5, 25), (28, 29), (50, 60), (70, 80))
    assert seconds(common_view(a, b)) == seconds(common_view(b, a)) == [(5, 10), (20, 25), (28, 29)]
    assert len(common_view(a, windows())) == len(common_view(windows(), a)) == 0
    assert seconds(common_view(a, a)) == seconds(a)


def test_common_view_keeps_the_limit_that_binds():
    a = replace(windows((0, 10)), start_limit=np.array(["darkness"]), end_limit=np.array(["eclipse"]))
    b = windows((5, 25))
    found = common_view(a, b)
    assert (found.start_limit.tolist(), found.end_limit.tolist()) == (["elevation"], ["eclipse"])


def test_union_counts_overlaps_once():
    assert union_duration_s([windows((0, 10), (20, 30)), windows((5, 12)), windows((21, 22), (40, 41))]) == 23.0
    assert union_duration_s([]) == union_duration_s([windows()]) == 0.0


def test_intervals_must_be_disjoint_and_ordered():
    with pytest.raises(InputError, match="ascending order"):
        windows((0, 10), (5, 20))
    with pytest.raises(InputError, match="ascending order"):
        windows((3, 2))
    with pytest.raises(InputError, match="differ in length"):
        replace(windows((0, 1)), end_limit=np.array([], dtype=str))


def test_the_pass_of_25_september_over_ngari(micius):
    """Wang et al. on measurement-device-independent uplinks: greatest elevation 75.9 deg, 501 km, 1385 km at 15 deg.

    These elements give 76.0 deg, 499.5 km and 1374 km.
    """
    site = Site("Ngari", np.radians(32.325), np.radians(80.026), 5100.0, ElevationMask.constant(np.radians(15.0)))
    start = np.datetime64("2016-09-25T18:50", "ns")
    orbit = Sgp4Orbit(micius)
    found = visible_intervals(orbit, site, start, start + np.timedelta64(20, "m"))
    begin_s = (found.start[0] - start) / np.timedelta64(1, "s")
    assert begin_s == pytest.approx(9.5 * 60.0, abs=30.0)  # within 18:59 UTC
    assert np.degrees(found.max_elevation_rad[0]) == pytest.approx(75.9, abs=0.2)
    assert found.min_range_m[0] == pytest.approx(501e3, rel=0.005)
    edge = look_angles(*orbit.states_ecef(found.start), site)
    assert np.degrees(edge.elevation_rad[0]) == pytest.approx(15.0, abs=1e-3)
    assert edge.slant_range_m[0] == pytest.approx(1385e3, rel=0.01)
