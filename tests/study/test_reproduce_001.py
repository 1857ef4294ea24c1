"""The downlink study of Wang et al.: our numbers beside the printed ones, and what is written."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from satqkd.errors import MissingExtraError
from satqkd.formats.key_table import read_keys
from satqkd.study import reproduce, reproduce_001
from satqkd.study import reproduce_001_orbits as orbits
from satqkd.study import reproduce_001_plans as plans
from satqkd.study.reproduce_001_paper import CITIES, DURATIONS_S, LOSSES_DB
from satqkd.study.reproduction import Table


@pytest.fixture(scope="module", autouse=True)
def few_plans() -> Iterator[None]:
    """Without the plans that take a minute."""
    with pytest.MonkeyPatch.context() as patch:
        few = {name: plans.PLANS[name] for name in ("S-GD", "S-PD", "S-TD, KL 0.1")}
        patch.setattr(plans, "PLANS", few)
        patch.setattr(plans, "_GAP", 0.02)
        patch.setattr(plans, "_GENERATIONS", 2)
        plans.plan_of.cache_clear()
        yield
    plans.plan_of.cache_clear()


@pytest.fixture(scope="module")
def made(few_plans: None) -> dict[str, Table]:
    return {table.name: table for table in reproduce_001.tables()}


def test_usable_time_of_every_orbit(made: dict[str, Table]) -> None:
    ours = {row["orbit"]: row["ours"] for row in made["durations"].rows if row["what"] == "week, at least one city"}
    # LEO 0.8 % below the paper; 5000 km is 6.3 % below and met at 5110 km, both independently computed
    assert ours["LEO"] == pytest.approx(12_140, abs=10)
    assert ours["MEO 2500 km"] == pytest.approx(DURATIONS_S["MEO 2500 km"], rel=0.005)
    assert ours["MEO 5000 km"] == pytest.approx(76_770, rel=0.005)
    assert ours["MEO 5110 km"] == pytest.approx(DURATIONS_S["MEO 5000 km"], rel=0.005)
    assert ours["GEO"] == pytest.approx(DURATIONS_S["GEO"], rel=0.001)
    nights = [row for row in made["durations"].rows if row["what"].startswith("2016")]
    assert len(nights) == 7
    # the week's total is the sum of its nights, each rounded to a second
    assert sum(row["ours"] for row in nights) == pytest.approx(ours["LEO"], abs=4)


def test_union_of_intervals_is_that_of_their_seconds() -> None:
    random = np.random.default_rng(7)
    start = random.integers(0, 500, 30)
    end = start + random.integers(1, 40, 30)
    covered = np.zeros(600, bool)
    for first, last in zip(start, end, strict=True):
        covered[first:last] = True
    epoch = np.datetime64("2016-09-19", "ns")
    times = (epoch + values.astype("timedelta64[s]") for values in (start, end))
    assert orbits.union_s(*times) == pytest.approx(covered.sum(), abs=1e-6)


def test_geostationary_losses_are_the_papers_with_the_fitted_constants(made: dict[str, Table]) -> None:
    rows = [row for row in made["table2"].rows if (row["orbit"], row["divergence_urad"]) == ("GEO", 1.0)]
    # two printed decimals; the constants are fitted to this row
    for row in rows:
        assert row["fitted_lowest_db"] == pytest.approx(row["paper_lowest_db"], abs=0.06)


def test_other_rows_of_table_2_have_a_decibel_or_more_on_top(made: dict[str, Table]) -> None:
    excess = [
        row["paper_lowest_db"] - row["fitted_lowest_db"]
        for row in made["table2"].rows
        if row["orbit"].startswith("MEO 2500")
    ]
    assert np.mean(excess) == pytest.approx(1.09, abs=0.02)
    assert len(made["table2"].rows) == 4 * 4 * 11
    assert len(LOSSES_DB) == 3 * 4 + 1


def test_lowest_loss_is_that_of_the_closest_approach(made: dict[str, Table]) -> None:
    row = next(row for row in made["table2"].rows if row["city"] == "Lhasa" and row["divergence_urad"] == 10.0)
    passes = orbits.passes_of("LEO")
    closest_m = 1e3 * float(passes.min_slant_range_km.values[passes.station.values == "Lhasa"].min())
    # far field of Eq. 1: D^2 / 2 (phi L)^2 with 2 + 8 dB; first order of the exponential and of the sine of 80 deg
    expected = -10.0 * math.log10(1.2**2 / (2.0 * (10e-6 * closest_m) ** 2)) + 10.0
    assert row["printed_lowest_db"] == pytest.approx(expected, abs=0.1)


def test_geometric_loss_falls_with_the_square_of_the_distance(made: dict[str, Table]) -> None:
    own = [row for row in made["fig6"].rows if row["divergence"] == "10 µrad"]
    last, before = own[-1], own[-10]
    slope = (last["printed_db"] - before["printed_db"]) / math.log10(last["altitude_km"] / before["altitude_km"])
    assert slope == pytest.approx(20.0, abs=1e-3)
    # 2 m^2 instead of 0.72 m^2
    assert last["printed_db"] - last["fitted_db"] == pytest.approx(10.0 * math.log10(2.0 / 0.72), abs=1e-3)


def test_keys_of_the_week_are_the_instance_of_an_independent_program(made: dict[str, Table]) -> None:
    golden = read_keys(Path(__file__).parents[1] / "golden" / "schedule_china_week.csv")
    rows = made["fig7_fitted"].rows
    assert len(rows) == 7 * 11
    for city, bits in zip(golden.stations, golden.bits[0].sum(axis=0), strict=True):
        # the link differs by metres between the propagators, see tests/validation
        assert sum(row["kbit"] for row in rows if row["city"] == city) == pytest.approx(bits / 1e3, rel=1e-5)


def test_claims_on_the_plans(made: dict[str, Table]) -> None:
    delivered = {row["city"]: row for row in made["fig8"].rows}
    assert delivered["Hefei"]["S-PD"] == delivered["Jinan"]["S-PD"] == 0.0
    assert delivered["sum"]["S-GD"] > delivered["sum"]["S-PD"] > delivered["sum"]["S-TD, KL 0.1"]
    assert delivered["sum"]["S-GD"] == pytest.approx(847.364, rel=1e-5)
    assert delivered["Shanghai"]["S-PD"] > delivered["Shanghai"]["S-GD"]
    assert delivered["divergence [nat]"]["S-TD, KL 0.1"] == pytest.approx(0.1, rel=0.02)
    for name in plans.PLANS:
        assert sum(row[name] for row in made["fig9"].rows) == pytest.approx(1.0, rel=1e-12)


def test_no_genetic_plan_passes_the_bound(made: dict[str, Table]) -> None:
    rows = {row["plan"]: row for row in made["genetic"].rows}
    assert list(rows) == list(plans.PLANS)
    for name in ("S-GD", "S-PD"):
        assert 0.0 < rows[name]["genetic_percent_of_bound"] <= 100.0
        assert rows[name]["ours_mbit"] == rows[name]["bound_mbit"]
    # two generations are far from a divergence of 0.1 nat: not compared
    assert rows["S-TD, KL 0.1"]["genetic_kl"] > 0.1
    assert math.isnan(rows["S-TD, KL 0.1"]["genetic_percent_of_bound"])


def test_without_the_extra_the_genetic_plans_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingExtraError("the genetic baseline", "genetic")

    monkeypatch.setattr("satqkd.planning.genetic.genetic_plan", missing)
    table = plans.genetic()
    assert table.rows == ()
    assert "satqkd[genetic]" in table.note


def test_traffic_in_the_plan_raises_the_use_of_the_keys(made: dict[str, Table]) -> None:
    used = {(row["plan"], row["pair keys"]): row for row in made["usage"].rows}
    for reading in ("network", "station"):
        shares = [used[name, reading]["utilisation_percent"] for name in ("S-GD", "S-TD, KL 0.1")]
        assert shares == sorted(shares)
        assert shares[0] != shares[1]
    assert used["S-GD", "free"]["shared_mbit"] == pytest.approx(used["S-GD", "free"]["delivered_mbit"] / 2, rel=1e-9)
    assert used["S-PD", "network"]["shared_mbit"] == 0.0


def test_checks_hold_the_printed_numbers() -> None:
    rows = {row["quantity"]: row for row in reproduce_001.checks()}
    assert rows["Fig. 8, S-GD, Urumqi [kbit]"]["paper"] == 7468.0
    # clear part of Fig. 5b: known disagreement, the fitted link is 0.8 to 2.3 dB below
    excess = [row["paper"] - row["fitted"] for name, row in rows.items() if name.startswith("Fig. 5b")]
    assert excess == pytest.approx([2.34, 0.82], abs=0.05)
    for row in rows.values():
        assert math.isfinite(row["printed"])
        assert math.isfinite(row["fitted"])


def test_every_picture_shows_its_table(made: dict[str, Table]) -> None:
    for name, table in made.items():
        picture = reproduce_001.figure(table)
        if name in ("durations", "genetic", "left_out"):
            assert picture is None
        else:
            assert picture is not None
            assert all(axes.has_data() for axes in picture.axes)
            if name == "fig8":
                assert len(picture.axes[0].patches) == len(plans.PLANS) * len(CITIES)
            if name == "fig4_passes":
                drawn = [patch for axes in picture.axes for patch in axes.patches if patch.get_gid() == "contact"]
                assert len(drawn) == 111


def test_what_is_written(made: dict[str, Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [made[name] for name in ("fig6", "durations", "usage", "left_out")]
    monkeypatch.setattr(reproduce_001, "tables", lambda progress: kept)
    reproduce.reproduce("001", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"checks.csv", "report.html", *(f"{table.name}.csv" for table in kept)}
    with (tmp_path / "out" / "fig6.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 4 * 60
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "Himawari-8" in page
