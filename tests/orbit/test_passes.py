"""The passes stage and the common view of two stations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.geometry import count_times, sample_passes
from satqkd.orbit.passes import common_view, find_passes
from satqkd.scenario.model import Scenario

Change = Callable[..., Scenario]


@pytest.fixture(scope="module")
def week(changed: Change) -> Scenario:
    return changed("micius-china-week", {})


def test_passes_come_in_order_of_start_with_their_limits(week: Scenario) -> None:
    passes = find_passes(week)
    assert np.all(np.diff(passes.start.values) >= np.timedelta64(0))
    assert np.all(passes.start.values < passes.culmination.values)
    assert np.all(passes.culmination.values < passes.end.values)
    assert set(passes.start_limit.values) | set(passes.end_limit.values) <= {"elevation", "darkness", "window"}
    assert passes.truncated.values.sum() == 0
    assert passes.attrs["citations"]


def test_window_cuts_passes_and_flags_them(changed: Change) -> None:
    inside = {"study.start": "2016-09-19T16:22:00Z", "study.end": "2016-09-19T16:26:00Z"}
    passes = find_passes(changed("micius-china-week", inside))
    cut = passes.truncated.values
    assert cut.any()
    assert np.all(cut == ((passes.start_limit.values == "window") | (passes.end_limit.values == "window")))
    assert passes.start.values.min() == np.datetime64("2016-09-19T16:22:00")
    assert passes.end.values.max() == np.datetime64("2016-09-19T16:26:00")


def test_sun_limits_passes_at_dusk(changed: Change) -> None:
    """An always visible satellite: passes are the nights."""
    orbit = {"kind": "geostationary", "longitude": "116 deg"}
    passes = find_passes(
        changed("micius-china-week", {"satellites.0.orbit": orbit, "study.step": "30 s", "planning.interval": "30 s"})
    )
    assert set(passes.start_limit.values) == {"darkness"}
    assert set(passes.end_limit.values) == {"darkness", "window"}
    # eleven cities, seven nights
    assert passes.sizes["pass"] == 77


def test_geometry_has_a_sample_at_every_step_in_a_pass_and_nowhere_else(week: Scenario) -> None:
    passes = find_passes(week)
    geometry = sample_passes(week, passes)
    counted = np.bincount(geometry.pass_number, minlength=passes.sizes["pass"])
    start = (passes.start.values - np.datetime64("2016-09-19")) / np.timedelta64(1, "s")
    end = (passes.end.values - np.datetime64("2016-09-19")) / np.timedelta64(1, "s")
    np.testing.assert_array_equal(counted, np.floor(end) - np.ceil(start) + 1)


def test_number_of_instants_is_known_beforehand(week: Scenario, changed: Change) -> None:
    for scenario in (week, changed("micius-china-week", {"study.end": "2016-09-19T01:00:00Z"})):
        passes = find_passes(scenario)
        assert count_times(scenario, passes) == len(sample_passes(scenario, passes).times)


def test_common_view_is_where_both_have_samples(week: Scenario) -> None:
    passes = find_passes(week)
    found = common_view(passes, "Urumqi", "Lhasa")
    geometry = sample_passes(week, passes)
    names = np.array(geometry.stations)[geometry.station_index]
    seconds = {name: set(geometry.time_index[names == name]) for name in ("Urumqi", "Lhasa")}
    shared = geometry.times[sorted(seconds["Urumqi"] & seconds["Lhasa"])]
    inside = (found.start.values[:, None] <= shared) & (shared <= found.end.values[:, None])
    assert np.all(inside.sum(axis=0) == 1)
    assert float(found.duration_s.sum()) == pytest.approx(len(shared), abs=found.sizes["pass"])


def test_common_view_is_symmetric_in_the_stations(week: Scenario) -> None:
    passes = find_passes(week)
    one, two = common_view(passes, "Wuhan", "Beijing"), common_view(passes, "Beijing", "Wuhan")
    np.testing.assert_array_equal(one.start.values, two.start.values)
    np.testing.assert_array_equal(one.end.values, two.end.values)


def test_common_view_of_a_station_with_itself_is_refused(week: Scenario) -> None:
    with pytest.raises(InputError, match="two stations"):
        common_view(find_passes(week), "Wuhan", "Wuhan")


def test_no_passes_no_common_view(changed: Change) -> None:
    nothing = find_passes(changed("micius-china-week", {"study.end": "2016-09-19T01:00:00Z"}))
    assert common_view(nothing, "Wuhan", "Beijing").sizes["pass"] == 0


def test_station_at_a_pole_sees_every_orbit_of_a_polar_satellite(changed: Change) -> None:
    pole = {"stations.0.latitude": "90 deg", "access.darkness": "any", "study.end": "2016-09-20T00:00:00Z"}
    passes = find_passes(changed("micius-china-week", pole))
    # 15.2 revolutions a day, each of which passes within 8 deg of the pole
    assert int((passes.station.values == "Shanghai").sum()) == pytest.approx(15, abs=1)


def test_raised_orbit_keeps_its_elements(changed: Change) -> None:
    passes = find_passes(changed("micius-china-week", {"satellites.0.orbit.altitude": "2500 km", "study.step": "10 s"}))
    assert float(passes.min_slant_range_km.min()) == pytest.approx(2500, rel=0.03)


def test_file_of_several_satellites_needs_a_choice(changed: Change, week: Scenario) -> None:
    import hashlib

    text = week.satellites[0].orbit.file.text  # type: ignore[union-attr]
    lines = [line for line in text.splitlines() if line[:2] in ("1 ", "2 ")][:2]
    other = "\n".join(line.replace("41731", "41740") for line in lines)

    def checksum(line: str) -> str:
        digits = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
        return f"{line[:68]}{digits % 10}"

    both = text + "\n" + "\n".join(checksum(line) for line in other.splitlines()) + "\n"
    file = {"path": "two.tle", "text": both, "sha256": hashlib.sha256(both.encode()).hexdigest()}
    with pytest.raises(InputError, match="holds 2 satellites"):
        find_passes(changed("micius-china-week", {"satellites.0.orbit.file": file}))
    chosen = {"satellites.0.orbit": {"kind": "elements", "file": file, "catalog_number": 41731}}
    assert find_passes(changed("micius-china-week", chosen)).sizes["pass"] == 111
    chosen["satellites.0.orbit"]["catalog_number"] = 5
    with pytest.raises(InputError, match=r"has no catalogue number 5; it has 41731, 41740"):
        find_passes(changed("micius-china-week", chosen))


def test_overpass_is_a_single_pass(changed: Change) -> None:
    with pytest.raises(InputError, match="within 47 min of its culmination"):
        find_passes(changed("micius-zenith", {"study.end": "2016-09-23T17:00:00Z"}))
