"""Laws of the search for every kind of orbit, site, mask and condition."""

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from satqkd.orbit.elements import OrbitalElements
from satqkd.orbit.frames import look_angles
from satqkd.orbit.intervals import union_duration_s
from satqkd.orbit.propagation import CircularOrbit, GeostationaryOrbit, Sgp4Orbit
from satqkd.orbit.site import ElevationMask, Site
from satqkd.orbit.sun import TWILIGHTS_RAD, elevation_of_rad, sun_position_ecef_m, umbra_margin_rad
from satqkd.orbit.visibility import visible_intervals

EPOCH = np.datetime64("2016-09-22T00:00:00", "ns")
angles = st.floats(0.0, 6.28)


def sgp4(revolutions, eccentricity):
    def build(motion, e, inclination, raan, perigee, anomaly):
        elements = OrbitalElements(
            name="H",
            object_id="",
            catalog_number=1,
            epoch=EPOCH,
            mean_motion_rev_day=motion,
            eccentricity=e,
            inclination_rad=inclination,
            raan_rad=raan,
            argument_of_perigee_rad=perigee,
            mean_anomaly_rad=anomaly,
        )
        return Sgp4Orbit(elements)

    return st.builds(build, revolutions, eccentricity, st.floats(0.0, 3.1), angles, angles, angles)


orbits = st.one_of(
    sgp4(st.floats(12.0, 15.5), st.floats(0.0, 0.005)),
    sgp4(st.floats(1.9, 2.3), st.floats(0.5, 0.72)),
    sgp4(st.floats(0.99, 1.01), st.floats(0.0, 0.01)),
    st.builds(GeostationaryOrbit, st.just("G"), angles),
    st.builds(CircularOrbit, st.just("P"), st.just(EPOCH), st.floats(3e5, 2e7), st.just(np.pi / 2), angles, angles),
)
masks = st.one_of(
    st.floats(-5.0, 60.0).map(lambda e: ElevationMask.constant(float(np.radians(e)))),
    st.lists(st.floats(0.0, 50.0), min_size=2, max_size=6).map(
        lambda es: ElevationMask.by_azimuth(np.linspace(0.1, 5.5, len(es)), np.radians(es))
    ),
)
latitudes = st.one_of(st.sampled_from([-90.0, 0.0, 90.0]), st.floats(-90.0, 90.0))
sites = st.builds(
    lambda latitude, longitude, altitude, mask: Site("S", float(np.radians(latitude)), longitude, altitude, mask),
    latitudes,
    st.floats(-3.1, 3.1),
    st.floats(-400.0, 8000.0),
    masks,
)
questions = st.fixed_dictionaries(
    {
        "darkness_threshold_rad": st.sampled_from([None, *TWILIGHTS_RAD.values()]),
        "satellite_condition": st.sampled_from(["any", "any", "umbra", "sunlit"]),
        "step_s": st.sampled_from([4.0, 10.0, 37.0, 120.0]),
    }
)
starts_s, lengths_s = st.integers(-40_000, 40_000), st.floats(1.0, 60_000.0)
slow = [HealthCheck.too_slow, HealthCheck.filter_too_much]
law = settings(max_examples=200, deadline=None, suppress_health_check=slow)


def after(seconds):
    return EPOCH + np.timedelta64(round(seconds * 1e9), "ns")


def margins(orbit, site, times, question):
    """The conditions, written down once more with the public functions."""
    position, velocity = orbit.states_ecef(times)
    seen = look_angles(position, velocity, site)
    sun = sun_position_ecef_m(times)
    rows = [seen.elevation_rad - site.mask.at(seen.azimuth_rad)]
    if question["darkness_threshold_rad"] is not None:
        rows.append(question["darkness_threshold_rad"] - elevation_of_rad(sun, site))
    if question["satellite_condition"] != "any":
        rows.append(umbra_margin_rad(position, sun) * (1.0 if question["satellite_condition"] == "umbra" else -1.0))
    return np.min(rows, axis=0), seen.elevation_rad


@law
@given(orbits, sites, questions, starts_s, lengths_s)
def test_a_sample_is_visible_if_and_only_if_it_lies_in_an_interval(orbit, site, question, start_s, length_s):
    start, end = after(start_s), after(start_s + length_s)
    found = visible_intervals(orbit, site, start, end, **question)
    step = np.timedelta64(round(question["step_s"] * 1e9), "ns")
    samples = np.concatenate([np.arange(start, end, step), [end]])
    margin, elevation = margins(orbit, site, samples, question)
    clear = np.abs(margin) > 1e-10  # samples on the edge to rounding may fall to either side
    inside = found.contains(samples)
    np.testing.assert_array_equal(inside[clear], (margin >= 0)[clear])

    assert (found.start <= found.end).all()
    assert (found.start[1:] > found.end[:-1]).all()
    assert ((found.start >= start) & (found.end <= end)).all()
    assert ((found.culmination >= found.start) & (found.culmination <= found.end)).all()
    np.testing.assert_array_equal((found.start == start), found.start_limit == "window")
    np.testing.assert_array_equal((found.end == end), found.end_limit == "window")
    # no sample is higher than the culmination of its interval
    at = np.searchsorted(found.start, samples[inside], side="right") - 1
    np.testing.assert_array_equal(elevation[inside] <= found.max_elevation_rad[at] + 1e-9, True)


@law
@given(orbits, sites, questions, starts_s, lengths_s)
def test_both_ends_are_visible_and_a_millisecond_outside_is_not(orbit, site, question, start_s, length_s):
    start, end = after(start_s), after(start_s + length_s)
    found = visible_intervals(orbit, site, start, end, **question)
    assume(len(found))
    outward = np.timedelta64(1_000_001, "ns")
    cut_start, cut_end = found.start_limit == "window", found.end_limit == "window"
    edges = np.concatenate([found.start, found.end])
    outside = np.concatenate([found.start[~cut_start] - outward, found.end[~cut_end] + outward])
    # rounding of angles; a tangent to the edge is flat
    assert (margins(orbit, site, edges, question)[0] >= -1e-12).all()
    if outside.size:
        assert (margins(orbit, site, outside, question)[0] <= 1e-12).all()


@law
@given(orbits, sites, questions, starts_s, lengths_s, st.floats(0.01, 0.99))
def test_splitting_the_window_gives_the_same_union(orbit, site, question, start_s, length_s, fraction):
    start, middle, end = (after(start_s + f * length_s) for f in (0.0, fraction, 1.0))
    whole = visible_intervals(orbit, site, start, end, **question)
    parts = [visible_intervals(orbit, site, a, b, **question) for a, b in ((start, middle), (middle, end))]
    changes = len(whole) + sum(map(len, parts))
    tolerance_s = 2e-3 * changes  # each end to 1 ms
    np.testing.assert_allclose(union_duration_s(parts), whole.total_s, rtol=0, atol=tolerance_s)
    np.testing.assert_allclose(union_duration_s([whole, *parts]), whole.total_s, rtol=0, atol=tolerance_s)
