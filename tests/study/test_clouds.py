"""From cloud files to tables of a scenario's stations: coverage, gaps, missing data, occurrence, commands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from satqkd.channel.clouds import fractions_of_bins
from satqkd.channel.evaluate import cloud_transmittance
from satqkd.cli.main import app
from satqkd.errors import InputError
from satqkd.formats.cloud_occurrence import OccurrenceRow, write_occurrence
from satqkd.formats.craas import CraasNames
from satqkd.formats.itu_clouds import PROBABILITIES, exceeded_liquid_water
from satqkd.orbit.geometry import sample_passes
from satqkd.orbit.passes import find_passes
from satqkd.scenario.model import Scenario
from satqkd.study.clouds import extract_clouds, occurrence_of_clouds

Change = Callable[..., Scenario]
Writer = Callable[..., Path]
START = np.datetime64("2016-09-23T16:00", "ns")
MINUTE = np.timedelta64(1, "m")


@pytest.fixture(scope="module")
def mission(changed: Change) -> Scenario:
    """One station at 37.4 N, 97.7 E for 20 minutes from 16:00."""
    return changed("micius-zenith", {})


def name_of(minutes: float) -> str:
    time = START + np.timedelta64(round(60 * minutes), "s")
    return np.datetime_as_string(time, unit="m").replace("-", "").replace(":", "").replace("T", "_")


@pytest.fixture
def files(himawari_file: Writer, tmp_path: Path) -> Callable[..., list[Path]]:
    """Files at minutes from the window's start, each with one thickness (NaN: no data) everywhere."""

    def write(**thickness: float) -> list[Path]:
        minutes = [float(key[1:].replace("_", "-")) for key in thickness]
        pairs = zip(minutes, thickness.values(), strict=True)
        return [himawari_file(tmp_path, name_of(at), value) for at, value in pairs]

    return write


def with_table(changed: Change, text: str, **options: str) -> Scenario:
    file = {"path": "clouds.csv", "text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return changed(
        "micius-zenith", {"clouds": {"kind": "table", "file": file, "model": "optical-thickness", **options}}
    )


def test_the_window_is_that_of_the_preset(mission: Scenario) -> None:
    assert (mission.study.start.hour, mission.study.end.minute) == (16, 20)
    assert [station.name for station in mission.stations] == ["Delingha"]


def test_a_row_per_file_that_matters_in_order(files: Any, mission: Scenario) -> None:
    found = extract_clouds(files(m20=9.0, m10=2.5, m_10=0.3, m0=0.0, m_20=7.0)[::-1], mission)
    assert found.times.tolist() == (START + MINUTE * np.array([0, 10])).tolist()
    np.testing.assert_allclose(found.thickness[:, 0], [0.0, 2.5], rtol=1e-6)  # scale factor in single precision
    assert found.missing == 0.0


def test_the_table_makes_a_scenario_whose_beam_is_attenuated(files: Any, mission: Scenario, changed: Change) -> None:
    table = extract_clouds(files(m0=0.4, m10=np.nan), mission).to_csv()
    assert table.splitlines()[1:] == ["time,Delingha", "2016-09-23T16:00:00Z,0.4", "2016-09-23T16:10:00Z,"]
    with pytest.raises(InputError, match=r'row 4, column "Delingha": "" is not allowed'):
        with_table(changed, table)
    cloudy = with_table(changed, table, missing="opaque")
    passes = find_passes(cloudy)
    geometry = sample_passes(cloudy, passes)
    transmittance = cloud_transmittance(cloudy, geometry)
    minute = (geometry.times[geometry.time_index] - START) / MINUTE
    thickness = np.where(minute < 10, 0.4, np.inf)
    assert len(set(thickness)) > 1
    # six digits in the table
    np.testing.assert_allclose(transmittance, np.exp(-thickness / np.sin(geometry.elevation_rad)), rtol=2e-5)


def test_a_gap_between_files_becomes_a_row_without_data(files: Any, mission: Scenario) -> None:
    given = files(m_100=3.0, m7=1.0, m20=2.0)
    found = extract_clouds(given, mission)
    assert found.times.tolist() == (START + MINUTE * np.array([-90, 7])).tolist()
    np.testing.assert_allclose(found.thickness[:, 0], [np.nan, 1.0], rtol=1e-6)
    bridged = extract_clouds(given, mission, max_gap_s=7200.0)
    np.testing.assert_allclose(bridged.thickness[:, 0], [3.0, 1.0], rtol=1e-6)


def test_steps_between_files(files: Any, mission: Scenario) -> None:
    given = files(m0=1.0, m10=2.0, m20=np.nan)
    linear = extract_clouds(given, mission, time="linear", step_s=300.0)
    np.testing.assert_allclose(linear.thickness[:, 0], [1.0, 1.5, 2.0, np.nan], rtol=1e-6)
    nearest = extract_clouds(given, mission, time="nearest", step_s=240.0)
    np.testing.assert_allclose(nearest.thickness[:, 0], [1.0, 1.0, 2.0, 2.0, np.nan], rtol=1e-6)
    with pytest.raises(InputError, match="not all within the files"):
        extract_clouds(given[:2], mission, time="linear", step_s=300.0)
    with pytest.raises(InputError, match="step of 0 s is not allowed"):
        extract_clouds(given, mission, step_s=0.0)


def test_bilinear_lies_between_the_cells(himawari_file: Writer, mission: Scenario, tmp_path: Path) -> None:
    latitude, longitude = np.meshgrid(np.arange(50, 19, -1), np.arange(80, 126), indexing="ij")
    plane = 0.1 * (latitude - 20) + 0.01 * (longitude - 80)
    given = [himawari_file(tmp_path, name_of(minutes), plane) for minutes in (0, 10)]
    station = mission.stations[0]
    north, east = np.degrees([station.latitude, station.longitude])
    found = extract_clouds(given, mission, space="bilinear")
    np.testing.assert_allclose(found.thickness[:, 0], 0.1 * (north - 20) + 0.01 * (east - 80), rtol=1e-6)
    near = extract_clouds(given, mission)
    np.testing.assert_allclose(near.thickness[:, 0], 0.1 * (round(north) - 20) + 0.01 * (round(east) - 80), rtol=1e-6)


@pytest.mark.parametrize(
    ("thickness", "message"),
    [
        ({"m10": 1.0, "m20": 1.0}, "cover 2016-09-23T16:10:00Z to 2016-09-23T16:30:00Z, not the whole window"),
        ({"m_10": 1.0, "m0": 1.0}, "not the whole window 2016-09-23T16:00:00Z to 2016-09-23T16:20:00Z"),
        ({"m0": np.nan, "m10": np.nan}, "no data: none of 2 files has an optical thickness"),
        ({}, "no cloud files are given"),
    ],
)
def test_files_that_do_not_serve_are_one_line(
    files: Any, mission: Scenario, thickness: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        extract_clouds(files(**thickness), mission)
    assert "\n" not in str(caught.value)


def test_same_time_twice_and_a_station_outside(files: Any, changed: Change, mission: Scenario) -> None:
    given = files(m0=1.0, m10=1.0)
    with pytest.raises(InputError, match="has the same time as"):
        extract_clouds([*given, given[0]], mission)
    with pytest.raises(InputError, match="gap of 60 s is shorter"):
        extract_clouds(given, mission, max_gap_s=60.0)
    away = changed("micius-zenith", {"stations.0.longitude": "-3.7 deg"})
    with pytest.raises(InputError, match=r"NC_H08_.*longitude .* is outside the grid"):
        extract_clouds(given, away)


TABLE = """time,Delingha
2016-01-31T23:50:00Z,0.01
2016-02-01T00:00:00Z,0.65
2016-02-01T00:10:00Z,2.45
2016-02-01T00:20:00Z,
2016-02-01T00:30:00Z,9
2016-02-01T00:40:00Z,0
"""


def test_rows_of_a_table_are_counted(mission: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "clouds.csv"
    path.write_text(TABLE, encoding="utf-8")
    assert occurrence_of_clouds(mission, path).rows == (
        OccurrenceRow("Delingha", None, 0.4, *[pytest.approx(0.2)] * 2),
    )
    january, february = occurrence_of_clouds(mission, path, monthly=True).rows
    assert (january.month, january.clear) == (1, 1.0)
    assert (february.month, february.clear, february.thin, february.thick) == (2, 0.25, 0.25, 0.25)
    path.write_text(TABLE + "2016-03-01T00:00:00Z,\n", encoding="utf-8")
    with pytest.raises(InputError, match='no data at station "Delingha" in month 3'):
        occurrence_of_clouds(mission, path, monthly=True)
    path.write_text("time,Delinga\n2016-03-01T00:00:00Z,0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r'clouds\.csv: cloud table: column "Delinga" .* did you mean "Delingha"'):
        occurrence_of_clouds(mission, path)


def test_tables_of_occurrence_are_passed_on(mission: Scenario, tmp_path: Path) -> None:
    rows = (OccurrenceRow("Xi'an", None, 0.5, 0.1, 0.1), OccurrenceRow("Delingha", None, 0.75, 0.125, 0.0625))
    path = tmp_path / "o.csv"
    path.write_text(write_occurrence(rows, comments=["proxy of something"]), encoding="utf-8")
    found = occurrence_of_clouds(mission, path)
    assert found.rows == rows[1:]
    assert found.comments == ("from o.csv", "proxy of something")
    data = {name: (("station",), [getattr(rows[1], name)]) for name in ("clear", "thin", "thick")}
    dataset = xr.Dataset(data, coords={"station": np.array(["Delingha"], dtype=object)})
    dataset.to_netcdf(tmp_path / "o.nc", engine="h5netcdf")
    assert occurrence_of_clouds(mission, tmp_path / "o.nc").rows == rows[1:]


def test_craas_is_averaged_where_it_has_data(mission: Scenario, tmp_path: Path) -> None:
    bins = np.random.default_rng(2).dirichlet(np.ones(7), size=4)[:, :6]
    whole = np.broadcast_to(bins[:, :, None, None], (4, 6, 2, 3)).copy()
    whole[1] = np.nan
    times = np.array(["2017-01-05", "2017-01-15", "2017-01-25", "2017-04-05"], dtype="M8[ns]")
    coords = {"lat": [37.0, 38.0], "lon": [96.5, 97.5, 98.5], "time": times}
    path = tmp_path / "craas.nc"
    xr.Dataset({"h": (("time", "cot", "lat", "lon"), whole)}, coords=coords).to_netcdf(path, engine="h5netcdf")
    names = CraasNames.of(histogram="h")
    (year,) = occurrence_of_clouds(mission, path, names=names).rows
    expected = fractions_of_bins(bins[[0, 2, 3]].mean(axis=0))
    # means of three numbers
    assert (year.clear, year.thin, year.thick) == pytest.approx(
        (float(expected.clear), float(expected.thin), float(expected.thick)), rel=1e-13
    )
    january, april = occurrence_of_clouds(mission, path, names=names, monthly=True).rows
    assert (january.month, april.month) == (1, 4)
    assert april.thin == pytest.approx(bins[3, 0], rel=1e-13)
    with pytest.raises(InputError, match='no variable "hist"; it has h, lat, lon, time'):
        occurrence_of_clouds(mission, path)
    whole[:] = np.nan
    xr.Dataset({"h": (("time", "cot", "lat", "lon"), whole)}, coords=coords).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(InputError, match='no data at station "Delingha"'):
        occurrence_of_clouds(mission, path, names=names)


def test_proxy_says_that_it_is_one(mission: Scenario) -> None:
    pytest.importorskip("itur")
    found = occurrence_of_clouds(mission, "itur")
    assert "proxy" in found.comments[0]
    assert "no ice clouds" in found.comments[0]
    station = mission.stations[0]
    north, east = np.degrees([station.latitude, station.longitude])
    water = exceeded_liquid_water(latitude_deg=north, longitude_deg=east)[0]
    # thickness 0.05 is 1/3 g/m^2 of 10 um drops: the clear fraction lies between the maps around that amount
    above = np.searchsorted(-water, -1e-3 / 3.0)
    low, high = 1.0 - PROBABILITIES[above], 1.0 - PROBABILITIES[above - 1]
    assert low <= found.rows[0].clear <= high
    with pytest.raises(InputError, match="annual"):
        occurrence_of_clouds(mission, "itur", monthly=True)


class TestCommands:
    def run(self, *arguments: object) -> Any:
        return CliRunner().invoke(app, ["clouds", *map(str, arguments)])

    def test_extract(self, files: Any, tmp_path: Path) -> None:
        given, table = files(m0=1.25, m10=np.nan), tmp_path / "clouds.csv"
        done = self.run("extract", *given, "--scenario", "micius-zenith", "-o", table, "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout) == {
            "file": str(table), "files": 2, "rows": 2, "stations": 1, "missing_fraction": 0.5
        }  # fmt: skip
        assert table.read_text().endswith("2016-09-23T16:00:00Z,1.25\n2016-09-23T16:10:00Z,\n")
        again = self.run("extract", *given, "--scenario", "micius-zenith", "-o", table)
        assert isinstance(again.exception, InputError)
        assert "use --overwrite" in str(again.exception)

    def test_a_failed_extraction_leaves_no_file(self, files: Any, tmp_path: Path) -> None:
        done = self.run(
            "extract", *files(m0=np.nan, m10=np.nan), "--scenario", "micius-zenith", "-o", tmp_path / "c.csv"
        )
        assert isinstance(done.exception, InputError)
        assert not (tmp_path / "c.csv").exists()

    def test_occurrence(self, tmp_path: Path) -> None:
        (tmp_path / "clouds.csv").write_text(TABLE, encoding="utf-8")
        options = ["--scenario", "micius-zenith", "--source", tmp_path / "clouds.csv", "-o", tmp_path / "o.csv"]
        done = self.run("occurrence", *options)
        assert done.exit_code == 0, done.output
        assert "Delingha: clear 0.400, thin 0.200, thick 0.200" in done.stdout
        assert (tmp_path / "o.csv").read_text().splitlines()[-2:] == [
            "station,clear,thin,thick",
            "Delingha,0.4,0.2,0.2",
        ]
        monthly = self.run("occurrence", *options, "--monthly", "--overwrite", "--json")
        assert json.loads(monthly.stdout)["rows"] == 2

    def test_names_of_craas_are_pairs(self, tmp_path: Path) -> None:
        options = ["--scenario", "micius-zenith", "-o", tmp_path / "o.csv"]
        done = self.run("occurrence", *options, "--name", "histogram")
        assert isinstance(done.exception, InputError)
        assert "must be WHAT=NAME" in str(done.exception)
