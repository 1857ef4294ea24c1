"""Maps of optimised keys: table, picture, record, command, mistakes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from satqkd.cli.main import app
from satqkd.errors import InputError
from satqkd.security.optimise import best
from satqkd.study.keymap import parse_axis, parse_setting, run_map


def test_a_map_is_written_and_its_settings_give_its_keys(tmp_path: Path) -> None:
    folder = tmp_path / "map"
    done = run_map(
        folder,
        x=parse_axis("loss_db=44:56:5", "--x"),
        y=parse_axis("p_noise=1e-8:1e-7:2:log", "--y"),
        settings={"pulses": 1e12, "misalignment": 0.005, "receiver": "symmetric-passive"},
    )
    with (folder / "map.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (done.points, done.with_key) == (10, sum(int(row["key_bits"]) > 0 for row in rows))
    assert 0 < done.with_key < 10
    assert [row["loss_db"] for row in rows[:2]] == ["44.0", "47.0"]
    link = {"pulses": 1e12, "misalignment": 0.005, "receiver": "symmetric-passive", "p_noise": 1e-8}
    cold = best("variable-length", fixed={**link, "transmittance": 10**-4.7})
    assert int(rows[1]["key_bits"]) == pytest.approx(cold.key.key_bits, rel=1e-3)  # maps: 1e-4, 1e-3 next to jumps
    record = json.loads((folder / "run.json").read_text())
    assert record["axes"]["p_noise"] == [1e-8, 1e-7, 2]
    assert record["evaluations"] == done.evaluations
    assert (folder / "map.png").read_bytes()[:4] == b"\x89PNG"


def test_command(tmp_path: Path) -> None:
    arguments = ["keymap", "-o", str(tmp_path / "m"), "--x", "loss_db=40:41:2", "--y", "p_noise=1e-8:1e-8:1", "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["with_key"] == 2
    again = CliRunner().invoke(app, arguments)  # the folder is there
    assert again.exit_code != 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("loss_db", "must be NAME=FIRST:LAST:COUNT"),
        ("loss_db=1:2", "must be NAME=FIRST:LAST:COUNT"),
        ("loss_db=a:2:3", "must be NAME=FIRST:LAST:COUNT"),
        ("loss_db=1:2:0", "COUNT must be 1 to 10000"),
        ("p_noise=0:1e-6:3:log", "a logarithmic axis needs positive ends"),
        ("p_noise=1:inf:3", "the ends must be finite"),
    ],
)
def test_a_wrong_axis_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_axis(text, "--x")


def test_wrong_settings_leave_nothing_behind(tmp_path: Path) -> None:
    x, y = parse_axis("loss_db=40:41:2", "--x"), parse_axis("p_noise=1e-8:1e-8:1", "--y")
    for settings, message in (
        ({"pulses": 1e12, "misalignment": 0.7}, "misalignment = 0.7"),
        ({"pulses": 1e12}, "misalignment is missing"),
        ({"pulses": 1e12, "misalignment": 0.0, "receiver": "both"}, "receiver = 'both'"),
    ):
        with pytest.raises(InputError, match=message):
            run_map(tmp_path / "map", x=x, y=y, settings=settings)
    with pytest.raises(InputError, match="are made with variable-length"):
        run_map(tmp_path / "map", x=x, y=y, settings={}, analysis="lim2014")
    with pytest.raises(InputError, match="must be NAME=VALUE"):
        parse_setting("pulses", "--set")
    for settings in ({"loss_db": 30.0}, {"transmittance": 1e-3}, {"p_noise": 1e-7}):
        with pytest.raises(InputError, match="cannot be both set and vary along an axis"):
            run_map(tmp_path / "map", x=x, y=y, settings={"pulses": 1e12, "misalignment": 0.0, **settings})
    with pytest.raises(InputError, match="only one of them can be set"):
        run_map(tmp_path / "map", x=y, y=y, settings={"loss_db": 30.0, "transmittance": 1e-3})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pulses=abc", '"abc" is not a number'),
        ("misalignment=0.5 dB", '"0.5 dB" is not a number'),
        ("misalignment=0.7", "0.7 must be at least 0 and at most 0.5"),
        ("receiver=1", '"1" must be one of active'),
        ("intensities=0.7 0.1", "must be 3 numbers"),
        ("colour=red", '"colour" is not known: pulses, transmittance'),
    ],
)
def test_a_wrong_setting_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_setting(text, "--set")
    assert parse_setting("photon_cut=14", "--set") == ("photon_cut", 14.0)
