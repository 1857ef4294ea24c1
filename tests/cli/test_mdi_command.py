"""The command for two uplinks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from satqkd.cli.main import app
from satqkd.errors import InputError
from satqkd.formats.netcdf import read_netcdf
from satqkd.study.mdi_pass import mdi_pass

PRESET = "micius-delingha-lijiang"


def test_it_prints_and_writes_the_pass(tmp_path: Path) -> None:
    file = tmp_path / "pass.nc"
    result = CliRunner().invoke(app, ["mdi", PRESET, "--range-error", "20", "-o", str(file)])
    assert result.exit_code == 0, result.output
    assert "difference of the two Doppler shifts, first less second station" in result.output
    assert "three-intensity: 0 bit in 266 s for each pulse pair sent per second" in result.output
    read, perfect = read_netcdf(file), mdi_pass(PRESET)
    np.testing.assert_array_equal(read.loss_sum_db, perfect.loss_sum_db)
    assert float(read.mode_overlap.max()) == pytest.approx(0.9965, abs=2e-4)  # 44 ps, as in docs/mdi.md
    assert read.attrs["scenario_hash"]
    again = CliRunner().invoke(app, ["mdi", PRESET, "-o", str(file)])
    assert isinstance(again.exception, InputError)  # it is there already


def test_json_has_the_ends_of_every_quantity() -> None:
    result = CliRunner().invoke(app, ["mdi", PRESET, "--json", "--stations", "Lijiang", "Delingha"])
    found = json.loads(result.output)
    assert found["stations"] == ["Lijiang", "Delingha"]
    assert found["start"].startswith("2016-09-24T17:47")
    assert found["relative_doppler"][0] == pytest.approx(2.9e9, abs=5e7)
    assert found["rate_total_s"] == {"infinite": 0.0, "three-intensity": 0.0}


def test_one_station_is_not_enough() -> None:
    result = CliRunner().invoke(app, ["mdi", "micius-ngari-uplink"])
    assert isinstance(result.exception, InputError)
    assert "two uplinks need two stations" in str(result.exception)
