"""The study of a paper: small parts of it, and what is written."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import pytest

from satqkd.errors import InputError
from satqkd.study import reproduce, reproduce_003
from satqkd.study.overpasses import overpass


def test_offset_of_a_culmination() -> None:
    assert reproduce_003.offset_of(90.0) == pytest.approx(0.0, abs=1e-6)  # rounding of arc cosine
    offset_m = reproduce_003.offset_of(60.0)
    # flat Earth: 500 km / tan 60 = 289 km; the curvature takes 8 % of it away
    assert offset_m == pytest.approx(0.92 * 500e3 / math.tan(math.radians(60.0)), rel=0.01)
    time_s, eta = overpass(offset_m, min_elevation_deg=59.9)
    assert abs(time_s).max() < 5.0
    assert 0.0 < eta.max() < 2e-3
    assert overpass(offset_m, min_elevation_deg=60.1)[0].size == 0


def test_combined_passes_give_more_than_their_number() -> None:
    """Fig. 6: more key per pass from more passes, by ever less; system C."""
    table = reproduce_003._passes()
    keys = [row["key_bits_published"] for row in table.rows if row["system"] == "C"]
    gains = [b - a for a, b in itertools.pairwise(keys)]
    assert min(gains) > 0.0
    assert gains == sorted(gains, reverse=True)


def test_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = reproduce_003._window()
    setting = reproduce_003._against_loss("e3", "parameters", {"optimum": {}})
    check = {"quantity": "x", "system_loss_db": 27.0, "paper": math.nan, "published": 1.0, "sound": 2.0}
    monkeypatch.setattr(reproduce_003, "tables", lambda progress: [table, setting])
    monkeypatch.setattr(reproduce_003, "checks", lambda: [check])
    reproduce.reproduce("003", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"checks.csv", "fig2.csv", "e3.csv", "report.html"}
    with (tmp_path / "out" / "fig2.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table.rows)
    whole = [row for row in rows if row["half_window_s"] == "220.0"]
    wide = {float(row["system_loss_db"]): float(row["key_bits_published"]) for row in whole}
    # the whole pass above 10 deg is 221 s: the zenith optima at 27 and 33 dB, one second of each end less
    assert wide[27.0] == pytest.approx(5.797e6, rel=2e-3)
    assert wide[33.0] == pytest.approx(9.889e5, rel=2e-3)
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 2
    with pytest.raises(InputError, match="must be a new or an empty folder"):
        reproduce.reproduce("003", tmp_path / "out")
    with pytest.raises(InputError, match="must be one of 000, 001, 002, 003, 004"):
        reproduce.reproduce("1", tmp_path / "other")
