"""Comparison of two runs, console summary, number formats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from satqkd.report import compare, compare_table, html_summary, summary
from satqkd.report.compare import match_passes, scenario_differences
from satqkd.report.values import bits, number, percent, ratio, seconds, signed_db


@pytest.fixture(scope="module")
def other(make_run, make_scenario):
    shifted = [(str(np.datetime64(t) + np.timedelta64(60, "s")), lon) for t, lon in (
        ("2016-09-19T18:03", 96.0), ("2016-09-20T16:12", 117.0), ("2016-09-22T16:00", 113.0))]  # fmt: skip
    return make_run(make_scenario(4, protocol__f_ec=1.22), overflights=shifted, extra_loss_db=3.0)


def test_differences_name_path_and_both_values(run, other):
    found = {path: (one, two) for path, one, two in scenario_differences(run, other)}
    assert found["protocol.f_ec"] == ("1.16", "1.22")
    assert found["stations[Guangzhou].altitude"] == ("–", "21 m")
    assert all(path.startswith(("protocol.f_ec", "stations[Guangzhou]")) for path in found)
    assert scenario_differences(run, run) == []


def test_table_holds_totals_and_stations(run, other):
    rows = {(row.station, row.quantity): row for row in compare_table(run, other)}
    whole = rows["", "key_bits"]
    assert (whole.a, whole.b) == (run.keys["key_bits"].sum(), other.keys["key_bits"].sum())
    assert whole.difference == whole.b - whole.a
    assert whole.ratio == whole.b / whole.a
    for name in ("Shanghai", "Beijing", "Chengdu"):
        mine = other.keys["station"].values == name
        assert rows[name, "key_bits_asymptotic"].b == other.keys["key_bits_asymptotic"].values[mine].sum()
        assert rows[name, "delivered_bits"].a == run.schedule["delivered_bits"].sel(station=name)
        assert rows[name, "passes"].b == mine.sum()
    assert math.isnan(rows["Guangzhou", "key_bits"].a)


def test_passes_are_matched_by_station_satellite_and_time(run, other):
    pairs, only_a, only_b = match_passes(run, other)
    assert len(pairs) + len(only_a) == run.passes.sizes["pass"]
    assert len(pairs) + len(only_b) == other.passes.sizes["pass"]
    for i, j in pairs:
        assert run.passes["station"].values[i] == other.passes["station"].values[j]
        assert run.passes["start"].values[i] < other.passes["end"].values[j]
        assert other.passes["start"].values[j] < run.passes["end"].values[i]
    # Chengdu sees the first overflight, all three stations the second; the third and Guangzhou are new
    assert len(pairs) == 4
    assert {str(other.passes["station"].values[j]) for j in only_b} == {"Shanghai", "Beijing", "Chengdu", "Guangzhou"}
    assert match_passes(run, run) == ([(i, i) for i in range(run.passes.sizes["pass"])], [], [])


def test_pages_of_equal_empty_and_different_runs(run, other, empty_run):
    assert "the scenarios are the same" in compare(run, run)
    assert "4 passes are in both runs" in compare(run, other)
    assert "0 passes are in both runs" in compare(run, empty_run)
    assert "0 passes are in both runs" in compare(empty_run, empty_run)
    assert compare(run, other) == compare(run, other)


def _console(renderable):
    from rich.console import Console

    console = Console(width=120, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    with console.file:
        console.print(renderable)
        return console.export_text()


def test_console_summary_lists_stations_and_reasons(run, empty_run, make_run):
    text = _console(summary(run))
    for name in ("Shanghai", "Beijing", "Chengdu", "All", "Best margin [dB]"):
        assert name in text
    assert bits(run.keys["key_bits"].values.sum()) in text
    assert "Warning: elements are 61 d" in text
    assert "No usable pass in this window" in _console(summary(empty_run))
    lossy = make_run(extra_loss_db=16.0)
    assert "TOO_FEW_COUNTS (closest lacks " in _console(summary(lossy))
    assert "none within reach" in _console(summary(lossy))


def test_notebook_summary_is_one_division(run, empty_run):
    text = html_summary(run)
    assert text.startswith("<div>")
    assert text.endswith("</div>")
    assert bits(run.keys["key_bits_asymptotic"].values.sum()) in text
    assert "No usable pass" in html_summary(empty_run)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bit"), (1, "1 bit"), (999, "999 bit"), (999.6, "1000 bit"), (1000, "1.00 kbit"), (9999, "10.0 kbit"),
     (999_499, "999 kbit"), (999_999, "1.00 Mbit"), (33_553_000, "33.6 Mbit"), (2.5e13, "25.0 Tbit")],
)  # fmt: skip
def test_bits_have_three_digits(count, text):
    assert bits(count) == text


def test_other_numbers_read_well():
    assert [number(math.nan), number(math.inf), number(-0.04)] == ["–", "∞", "−0.0"]
    assert [signed_db(0.0), signed_db(-2.34), signed_db(math.inf)] == ["0.0", "−2.3", "+∞"]
    assert [percent(0.0123), percent(math.nan)] == ["1.2 %", "–"]
    assert [seconds(0.0), seconds(3599.9), seconds(3661.0)] == ["0 ms", "1 h", "1 h 1 min"]
    assert seconds(1e6) == "11.6 d"
    assert ratio(3.0, 1.0) == "0.333"
