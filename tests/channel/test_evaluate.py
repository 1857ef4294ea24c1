"""The link stage: terms add up, clouds and stations act where they should."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from satqkd.channel.evaluate import cloud_transmittance, evaluate
from satqkd.errors import InputError
from satqkd.orbit.geometry import sample_passes
from satqkd.orbit.passes import find_passes
from satqkd.scenario.model import Scenario
from satqkd.variables import LOSS_TERMS

Change = Callable[..., Scenario]
ONE_NIGHT = {"study.end": "2016-09-20T00:00:00Z", "study.step": "5 s"}


def embedded(text: str) -> dict[str, str]:
    return {"path": "inline.csv", "text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}


@pytest.fixture(scope="module")
def night(changed: Change) -> Scenario:
    return changed("micius-china-week", ONE_NIGHT)


def test_terms_add_up_to_the_total_and_to_the_transmittance(night: Scenario) -> None:
    link = evaluate(night, find_passes(night))
    terms = [link[name].values for name in LOSS_TERMS if name in link]
    inside = link.pass_number.values >= 0
    assert len(terms) == 5
    # sums of five logarithms against the logarithm of the product
    np.testing.assert_allclose(sum(terms)[inside], link.loss_total_db.values[inside], atol=1e-12)
    np.testing.assert_allclose(
        10 ** (-link.loss_total_db.values / 10)[inside], link.transmittance.values[inside], 1e-13
    )
    assert np.isnan(link.transmittance.values[~inside]).all()
    assert inside.sum() > 1000 / 5


def test_every_sample_lies_in_its_pass_and_above_the_mask(night: Scenario) -> None:
    passes = find_passes(night)
    link = evaluate(night, passes)
    at = np.nonzero(link.pass_number.values >= 0)
    number = link.pass_number.values[at]
    time = link.time.values[at[2]]
    assert np.all((passes.start.values[number] <= time) & (time <= passes.end.values[number]))
    assert np.all(passes.station.values[number] == link.station.values[at[0]])
    # ends of passes are refined to a millisecond: 1e-3 s * 0.06 deg/s
    assert link.elevation.values[at].min() >= 10.0 - 1e-4
    assert link.elevation.values[at].max() <= passes.max_elevation_deg.values.max() + 1e-4


def test_constant_cloud_adds_its_loss_everywhere(night: Scenario, changed: Change) -> None:
    cloudy = changed("micius-china-week", ONE_NIGHT | {"clouds": {"kind": "constant", "thickness": 75}})
    passes = find_passes(night)
    clear, dim = evaluate(night, passes), evaluate(cloudy, passes)
    inside = clear.pass_number.values >= 0
    np.testing.assert_allclose((dim.transmittance / clear.transmittance).values[inside], 0.5, rtol=1e-14)
    np.testing.assert_allclose(dim.loss_cloud_db.values[inside], 10 * np.log10(2), rtol=1e-14)


def test_opaque_cloud_is_infinite_loss_not_an_error(changed: Change) -> None:
    dark = changed("micius-china-week", ONE_NIGHT | {"clouds": {"kind": "constant", "thickness": 150}})
    link = evaluate(dark, find_passes(dark))
    inside = link.pass_number.values >= 0
    assert np.all(np.isinf(link.loss_total_db.values[inside]))
    assert np.all(link.transmittance.values[inside] == 0.0)


def test_cloud_table_acts_at_its_station_from_its_time_on(changed: Change, night: Scenario) -> None:
    names = [station.name for station in night.stations]
    column = names.index("Wuhan")
    rows = [["time", *names], ["2016-09-19T00:00:00Z"] + ["0"] * 11, ["2016-09-19T16:25:00Z"] + ["0"] * 11]
    rows[2][column + 1] = "75"
    rows.append(["2016-09-19T20:12:30+00:00"] + ["0"] * 11)
    table = "# clouds of a test\n" + "\n".join(",".join(row) for row in rows)
    scenario = changed("micius-china-week", ONE_NIGHT | {"clouds": {"kind": "table", "file": embedded(table)}})
    link = evaluate(scenario, find_passes(scenario))
    loss = link.loss_cloud_db.values[:, 0, :]
    inside = link.pass_number.values[:, 0, :] >= 0
    late = link.time.values >= np.datetime64("2016-09-19T16:25:00")
    assert np.all(loss[column][inside[column] & late] > 3.0)
    assert np.all(loss[column][inside[column] & ~late] == 0.0)
    others = np.delete(np.arange(11), column)
    assert np.all(loss[others][inside[others]] == 0.0)
    assert (inside[column] & late).any()
    assert (inside[column] & ~late).any()


def test_optical_thickness_acts_along_the_slant_path(night: Scenario, changed: Change) -> None:
    clouds = {"kind": "constant", "thickness": 0.65, "model": "optical-thickness"}
    link = evaluate(changed("micius-china-week", ONE_NIGHT | {"clouds": clouds}), find_passes(night))
    inside = link.pass_number.values >= 0
    zenith_db = 0.65 * 10.0 / np.log(10.0)
    # the elevation is stored in degrees; the loss is a logarithm of an exponential
    np.testing.assert_allclose(
        (link.loss_cloud_db * np.sin(np.radians(link.elevation))).values[inside], zenith_db, rtol=1e-12
    )
    assert any("2605.29706" in line for line in link.attrs["citations"])


def test_optical_thickness_needs_a_mask_above_the_horizon(changed: Change) -> None:
    clouds = {"kind": "constant", "thickness": 0.65, "model": "optical-thickness"}
    low = changed("micius-zenith", {"clouds": clouds, "stations.0.elevation_mask": "-1 deg"})
    geometry = sample_passes(low, find_passes(low))
    with pytest.raises(InputError, match=r"clouds: .*above 0 deg.*raise stations.elevation_mask") as caught:
        cloud_transmittance(low, geometry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "missing", "expected"),
    [
        ("wang", "opaque", 0.0),
        ("wang", "clear", 1.0),
        ("optical-thickness", "opaque", 0.0),
        ("optical-thickness", "clear", 1.0),
    ],
)
def test_missing_cells_are_what_the_scenario_says(changed: Change, model: str, missing: str, expected: float) -> None:
    text = "time,Delingha\n2016-09-23T00:00:00Z,\n"
    scenario = _table(changed, text, model=model, missing=missing)
    passes = find_passes(scenario)
    transmittance = cloud_transmittance(scenario, sample_passes(scenario, passes))
    assert transmittance is not None
    assert transmittance.size > 100
    np.testing.assert_array_equal(transmittance, expected)


def test_defaults_of_clouds_leave_the_identity_of_older_scenarios(changed: Change) -> None:
    text = "time,Delingha\n2016-09-23T00:00:00Z,0\n"
    plain, written = _table(changed, text), _table(changed, text, model="wang", missing="error")
    assert plain.hash == written.hash
    assert set(plain.to_dict()["clouds"]) == {"kind", "file"}
    hashes = {
        plain.hash,
        _table(changed, text, missing="clear").hash,
        _table(changed, text, model="optical-thickness").hash,
    }
    assert len(hashes) == 3


def test_large_optical_thickness_is_allowed_where_the_scale_of_wang_ends(changed: Change) -> None:
    text = "time,Delingha\n2016-09-23T00:00:00Z,378\n"
    assert _table(changed, text, model="optical-thickness").clouds.model == "optical-thickness"
    for cell in ("-1", "inf", "1e999", "x"):
        with pytest.raises(InputError, match="a finite optical thickness of at least 0") as caught:
            _table(changed, text.replace("378", cell), model="optical-thickness")
        assert f'row 2, column "Delingha": "{cell}"' in str(caught.value)


def _table(changed: Change, text: str, **options: str) -> Scenario:
    return changed("micius-zenith", {"clouds": {"kind": "table", "file": embedded(text), **options}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,Delingha\n2016-09-23T00:00:00Z,nan\n", 'row 2, column "Delingha": "nan"'),
        ("time,Delingha\n2016-09-23T00:00:00Z,\n", 'row 2, column "Delingha": ""'),
        ("time,Delingha\n2016-09-23T00:00:00Z,\n", 'clouds.missing = "opaque" or "clear"'),
        ("time,Delingha\n2016-09-23T00:00:00Z,151\n", '"151" is not allowed'),
        ("time,Delinga\n2016-09-23T00:00:00Z,0\n", 'did you mean "Delingha"'),
        ("time\n2016-09-23T00:00:00Z\n", 'station "Delingha" needs exactly one column'),
        ("time,Delingha\n2016-09-23T00:00:00,0\n", "is not a time with zone"),
        ("time,Delingha\n2016-09-23T00:00:00Z,0\n2016-09-23T00:00:00Z,0\n", "is not after the row before"),
        ("time,Delingha\n2016-09-24T00:00:00Z,0\n", "not the whole window"),
        ("time,Delingha\n2016-09-23T00:00:00Z,0\n2016-09-23T01:00:00Z,0\n", "not the whole window"),
        ("time,Delingha\n", "has no rows"),
        ("Delingha,time\n0,0\n", 'must be "time"'),
        ("time,Delingha\n2016-09-23T00:00:00Z\n", "1 cells, the header has 2"),
    ],
)
def test_fault_in_a_cloud_table_is_one_line_with_row_and_column(changed: Change, text: str, message: str) -> None:
    with pytest.raises(InputError, match="cloud table") as caught:
        _table(changed, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_station_receiver_replaces_the_common_one(changed: Change, night: Scenario) -> None:
    small = changed("micius-china-week", ONE_NIGHT | {"stations.0.receiver": {"aperture": "0.6 m", "coupling": "3 dB"}})
    passes = find_passes(night)
    ratio = (evaluate(small, passes).transmittance / evaluate(night, passes).transmittance).values[:, 0]
    # a quarter of the area of a beam much larger than either: next order D^2/4w^2 < 0.8 %
    np.testing.assert_allclose(ratio[0][np.isfinite(ratio[0])], 0.25, rtol=0.01)
    np.testing.assert_allclose(ratio[1:][np.isfinite(ratio[1:])], 1.0, rtol=1e-14)


def test_curve_too_short_for_the_mask_says_so(changed: Change) -> None:
    short = "0,1.5707,2e-3\n100,0.7,1e-3\n"
    scenario = changed("micius-zenith", {"channel.curve": embedded(short)})
    with pytest.raises(InputError, match="does not reach down to the elevation 10"):
        evaluate(scenario, find_passes(scenario))


def test_offset_shifts_the_whole_curve(changed: Change) -> None:
    plain, shifted = (changed("micius-zenith", {"channel.offset": f"{db} dB"}) for db in (0, 10))
    passes = find_passes(plain)
    ratio = evaluate(shifted, passes).transmittance.values / evaluate(plain, passes).transmittance.values
    np.testing.assert_allclose(ratio, 0.1, rtol=1e-13)


def test_too_large_a_table_is_refused_before_it_is_made(changed: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satqkd.channel.evaluate.MEMORY_LIMIT_BYTES", 10_000)
    scenario = changed("micius-zenith", {})
    with pytest.raises(InputError, match=r"use a longer study\.step"):
        evaluate(scenario, find_passes(scenario))
