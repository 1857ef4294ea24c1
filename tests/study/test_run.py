"""Whole runs: stages agree with each other, files read back to the same bits, nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import satqkd
from satqkd.errors import ElementsAgeWarning, InputError
from satqkd.scenario.model import Scenario
from satqkd.security.lim2014 import key_length
from satqkd.study.result import RunResult
from satqkd.study.storage import new_folder

Change = Callable[..., Scenario]
FILES = {"passes.csv", "link.nc", "keys.csv", "schedule.csv", "schedule.ics", "report.html", "run.json"}
TWO_NIGHTS = {"study.end": "2016-09-21T00:00:00Z"}


@pytest.fixture(scope="module")
def result(changed: Change) -> RunResult:
    return satqkd.run(changed("micius-china-week", TWO_NIGHTS))


@pytest.fixture(scope="module")
def nothing(changed: Change) -> RunResult:
    return satqkd.run(changed("micius-china-week", {"study.end": "2016-09-19T01:00:00Z"}))


def test_pass_key_is_the_analysis_of_its_samples(result: RunResult) -> None:
    link, keys, protocol = result.link, result.keys, result.scenario.protocol
    for number in (0, keys.sizes["pass"] // 2):
        eta = link.transmittance.values[link.pass_number.values == number]
        key = key_length(
            eta,
            pulses_per_slot=200e6,
            intensities=protocol.intensities,
            intensity_probabilities=protocol.intensity_probabilities,
            p_key_basis=0.9,
            p_extraneous=1.5e-6,
            qber_intrinsic=0.015,
        )
        assert keys.key_bits.values[number] == key.key_bits
        assert keys.phase_error_upper.values[number] == key.phase_error_upper
        assert keys.pulses.values[number] == 200e6 * len(eta)


def test_asymptotic_key_is_the_sum_of_the_rates(result: RunResult) -> None:
    link, keys = result.link, result.keys
    for number in range(keys.sizes["pass"]):
        rates = link.rate_asymptotic.values[link.pass_number.values == number]
        # the whole part of a sum whose order of addition may differ in the last bit
        assert keys.key_bits_asymptotic.values[number] == pytest.approx(rates.sum(), abs=1.0)


def test_margin_is_where_the_key_ends(result: RunResult, changed: Change) -> None:
    keys = result.keys
    number = int(np.argmax(keys.key_bits.values))
    margin = float(keys.margin_db.values[number])
    eta = result.link.transmittance.values[result.link.pass_number.values == number]
    from satqkd.security.evaluate import analysis_options

    options = {**analysis_options(result.scenario), "p_extraneous": 1.5e-6}
    assert key_length(eta * 10 ** (-margin / 10), **options).key_bits > 0
    assert key_length(eta * 10 ** (-(margin + 0.02) / 10), **options).key_bits == 0


def test_passes_without_a_key_say_why_and_those_with_one_do_not(result: RunResult) -> None:
    keys = result.keys
    without = keys.key_bits.values == 0
    assert without.any()
    assert not without.all()
    assert all(bool(reason) == bool(none) for reason, none in zip(keys.reason.values, without, strict=True))
    assert np.all((keys.margin_db.values < 0) == without)


def test_schedule_serves_one_station_at_a_time_in_view_and_switches_between(result: RunResult) -> None:
    schedule, link = result.schedule, result.link
    assigned = schedule.assigned.values[0]
    index = schedule.interval.values
    names = list(link.station.values)
    rates = link.rate_asymptotic.values[:, 0]
    number = (link.time.values - np.datetime64("2016-09-19T00:00:00")) // np.timedelta64(10, "s")
    total = dict.fromkeys(names, 0.0)
    before: tuple[int, str] | None = None
    for interval, name, bits in zip(index, assigned, schedule.interval_bits.values[0], strict=True):
        if name in ("idle", "switching"):
            assert bits == 0.0
            continue
        own = rates[names.index(name), number == interval]
        assert bits == pytest.approx(np.nansum(own), rel=1e-12)  # order of addition
        assert before is None or before[1] == name or interval - before[0] > 1
        before = (int(interval), name)
        total[name] += bits
    for name, bits in total.items():
        assert float(schedule.delivered_bits.sel(station=name)) == pytest.approx(bits, rel=1e-12)


def test_saved_run_reads_back_to_the_same_bits(result: RunResult, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run")
    assert {path.name for path in folder.iterdir()} == FILES
    again = satqkd.open_result(folder)
    assert again.scenario == result.scenario
    for name in ("passes", "link", "keys", "schedule"):
        xr.testing.assert_identical(getattr(again, name).drop_attrs(), getattr(result, name).drop_attrs())
        for variable in getattr(again, name).variables:
            assert getattr(again, name)[variable].attrs == getattr(result, name)[variable].attrs
    assert again.provenance == json.loads(json.dumps(dict(result.provenance)))


def test_same_scenario_gives_the_same_files(result: RunResult, tmp_path: Path) -> None:
    again = satqkd.run(result.scenario)
    one, two = result.save(tmp_path / "one"), again.save(tmp_path / "two")
    for name in ("passes.csv", "link.nc", "keys.csv", "schedule.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_window_without_a_pass_is_a_result_that_says_so(nothing: RunResult, tmp_path: Path) -> None:
    assert nothing.keys.sizes["pass"] == 0
    assert nothing.link.sizes["time"] == 0
    folder = nothing.save(tmp_path / "empty")
    assert "no usable pass" in (folder / "report.html").read_text().lower()
    assert satqkd.open_result(folder).passes.sizes["pass"] == 0


def test_run_record_tells_where_everything_comes_from(result: RunResult, tmp_path: Path) -> None:
    record = json.loads((result.save(tmp_path / "run") / "run.json").read_text())
    assert record["scenario_hash"] == result.scenario.hash
    assert record["satqkd"] == satqkd.__version__
    assert set(record["wall_time_s"]) == {"passes", "link", "keys", "schedule"}
    assert any("Lim" in text for text in record["citations"])
    assert any("SGP4" in text for text in record["citations"])
    passes = result.passes.sizes["pass"]
    # each pass has 1e-9 of secrecy and 1e-15 of correctness
    assert record["mission_epsilon"]["all stations"]["eps_total"] == pytest.approx(passes * (1e-9 + 1e-15), rel=1e-12)


def test_link_file_carries_units_and_scenario(result: RunResult, tmp_path: Path) -> None:
    with xr.open_dataset(result.save(tmp_path / "run") / "link.nc", engine="h5netcdf") as link:
        assert link.attrs["scenario_hash"] == result.scenario.hash
        assert link.attrs["Conventions"].startswith("CF-")
        assert json.loads(link.attrs["scenario"])["name"] == "micius-china-week"
        assert link.slant_range.attrs["units"] == "m"


def test_run_folder_is_kept_unless_told_to_overwrite(nothing: RunResult, tmp_path: Path) -> None:
    folder = nothing.save(tmp_path / "run")
    before = (folder / "run.json").read_text()
    with pytest.raises(InputError, match="already holds a run"):
        nothing.save(folder)
    assert (folder / "run.json").read_text() == before
    nothing.save(folder, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_folder_with_other_files_is_never_touched(nothing: RunResult, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="not a run"):
            nothing.save(tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_failure_leaves_nothing_and_the_old_run_in_place(nothing: RunResult, tmp_path: Path) -> None:
    folder = nothing.save(tmp_path / "run")

    def interrupted() -> None:
        with new_folder(folder, overwrite=True) as aside:
            (aside / "passes.csv").write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert {path.name for path in folder.iterdir()} == FILES


def test_place_that_cannot_be_written_is_one_line(nothing: RunResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="file") as caught:
            nothing.save(target)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["run.json", "link.nc", "keys.csv"])
def test_damaged_run_is_one_line(nothing: RunResult, tmp_path: Path, damage: str) -> None:
    folder = nothing.save(tmp_path / "run")
    (folder / damage).write_bytes(b"\x00garbage")
    with pytest.raises(InputError, match=damage):
        satqkd.open_result(folder)


def test_old_elements_warn_with_their_age_and_are_refused_beyond_the_limit(changed: Change) -> None:
    window = {"study.start": "2016-10-25T00:00:00Z", "study.end": "2016-10-25T06:00:00Z"}
    with pytest.warns(ElementsAgeWarning, match=r"25\.5 days"):
        result = satqkd.run(changed("micius-china-week", window))
    assert "2016-09-29" in result.provenance["warnings"][0]
    window = {"study.start": "2026-10-25T00:00:00Z", "study.end": "2026-10-25T06:00:00Z"}
    with pytest.raises(InputError, match="max_elements_age"):
        satqkd.run(changed("micius-china-week", window))


def test_walker_pattern_is_one_scenario(changed: Change) -> None:
    orbit = {
        "kind": "walker",
        "total": 4,
        "planes": 2,
        "phasing": 1,
        "altitude": "600 km",
        "inclination": "55 deg",
        "epoch": "2016-09-19T00:00:00Z",
    }
    result = satqkd.run(
        changed(
            "micius-china-week",
            {"study.end": "2016-09-20T00:00:00Z", "study.step": "10 s", "satellites.0.orbit": orbit},
        )
    )
    assert list(result.link.satellite.values) == ["Micius-1-1", "Micius-1-2", "Micius-2-1", "Micius-2-2"]
    assigned = result.schedule.assigned.values
    for column in assigned.T:  # a station serves one satellite at a time
        served = [name for name in column if name not in ("idle", "switching")]
        assert len(served) == len(set(served))


def test_progress_goes_through_the_stages_in_order(changed: Change) -> None:
    said: list[tuple[str, int, int]] = []
    satqkd.run(changed("micius-zenith", {}), progress=lambda *args: said.append(args))
    assert [stage for stage, *_ in said[::2]] == ["passes", "link", "keys", "schedule"]
    assert said[-1][1:] == (4, 4)


def test_interrupt_between_the_two_renames_keeps_the_old_run(
    nothing: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = nothing.save(tmp_path / "run")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if Path(target) == folder and self.name != "run":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        nothing.save(folder, overwrite=True)
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
