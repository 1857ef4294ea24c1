"""The study of Wang, Dong et al.: its figures against an independent program's numbers, and what is written."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from satqkd.cli.main import app
from satqkd.formats.netcdf import read_netcdf
from satqkd.security.mdi import key_rate
from satqkd.study import reproduce_000
from satqkd.study import reproduce_000_claims as claims
from satqkd.study import reproduce_000_losses as losses
from satqkd.study import reproduce_000_orbits as orbits
from satqkd.study import reproduce_000_pair as pair
from satqkd.study import reproduce_000_slots as slots
from satqkd.study.reproduce_000_link import READINGS, at_altitude, dual_pass, loss_db, wide_pass
from satqkd.study.reproduction import Table


@pytest.fixture(scope="module")
def made() -> Mapping[str, Table]:
    """Every table but the two that optimise."""
    tasks = [task for task in reproduce_000._TASKS if task not in (slots.totals, slots.finite_totals)]
    return {table.name: table for table in (task() for task in tasks)}


def ends(values: Any) -> list[float]:
    return [float(np.min(values)), float(np.max(values))]


@pytest.mark.parametrize(
    ("reading", "ngari", "both"),
    [
        ("14 µrad, air fitted", (42.6, 52.4), (93.6, 101.3)),
        ("14 µrad", (42.3, 51.1), None),
        ("Eqs. 1-3 as printed", (40.3, 60.8), None),
    ],
)
def test_losses_are_those_of_an_independent_program(
    reading: str, ngari: tuple[float, float], both: tuple[float, float] | None
) -> None:
    # its digits, and up to 1 s at the ends of the passes: 0.1 dB at 15 deg
    assert ends(losses.single_losses()[reading]) == pytest.approx(ngari, abs=0.11)
    if both is not None:
        assert ends(losses.dual_losses(reading)) == pytest.approx(both, abs=0.07)


def test_losses_of_the_equations_are_those_of_the_scenario() -> None:
    link = dual_pass()
    ours = loss_db(link.slant_range.values, link.elevation.values, reading="14 µrad, air fitted")
    np.testing.assert_allclose(ours, link.loss_total_db.values, rtol=1e-12)


def test_aperture_map_at_its_corners(made: Mapping[str, Table]) -> None:
    field = made["fig5a"].dataset.loss_sum_db
    once = field.sel(reading="air mass counted once")
    # an independent program: 53.7 and 59.5 dB, one digit, at another instant
    assert float(once[-1, -1]) == pytest.approx(53.7, abs=0.07)
    assert float(field.sel(reading="Eqs. 1-3 as printed")[-1, -1]) == pytest.approx(59.5, abs=0.07)
    # far from saturation the light collected grows with the receiver's area, on both links
    gain = float(once.interp(rx_radius=0.15, tx_radius=0.05) - once.interp(rx_radius=0.30, tx_radius=0.05))
    assert gain == pytest.approx(2 * 20 * np.log10(2.0), rel=0.01)
    # a transmitter much larger than r0 gains nothing
    assert float(once[10, -1] - once[10, 18]) == pytest.approx(0.0, abs=0.15)


def test_turbulence_only_adds_loss(made: Mapping[str, Table]) -> None:
    field = made["fig5b"].dataset.loss_sum_db.values
    assert (np.diff(field[:, 1:], axis=1) > 5.0).all()
    assert ends(field[:, 0]) == pytest.approx([23.8, 23.95], abs=0.05)  # the losses of Table I alone, 2 x 11.9 dB


def test_common_view_from_other_altitudes() -> None:
    made = orbits.sweep()
    seen, total = made.common_view_s.values, made.rate_total.values
    assert (np.diff(seen, axis=0) > 0.0).all()
    assert (np.diff(seen, axis=1) < 0.0).all()
    assert (np.diff(total[0, ..., 0], axis=0) < 0.0).all()  # with the fixed divergence the lower the better
    link = wide_pass()
    ours = float(link.rate.sel(decoy="infinite").sum())
    near_real = np.interp(488.0, orbits.ALTITUDES_KM, total[0, :, orbits.MASKS_DEG.index(10), 0])
    assert near_real == pytest.approx(ours, rel=0.05)  # the real orbit is not quite circular: 1 % per 2 km
    np.testing.assert_array_equal(np.diff(total[..., 0], axis=2) > 1e-20, False)  # rounding of other summands
    assert (total[..., 1] == 0.0).all()  # three intensities of 0.5, 0.1, 0: none, as on the real orbit
    # Micius itself at 10 deg: 266 s from 488 km, an orbit of almost no eccentricity; 1 s per 1.4 km
    between = np.interp(488.0, orbits.ALTITUDES_KM, seen[:, orbits.MASKS_DEG.index(10)])
    assert between == pytest.approx(266.0, abs=6.0)


def test_the_circular_orbit_meets_the_real_one_in_the_middle() -> None:
    from satqkd.orbit.build import propagators
    from satqkd.scenario.load import load_scenario

    time = dual_pass().time.values[[len(dual_pass().time) // 2]]
    real, circular = (
        propagators(scenario)[0].states_ecef(time)[0][0]
        for scenario in (load_scenario("micius-delingha-lijiang"), at_altitude(500.0, 5.0))
    )
    cosine = real @ circular / (np.linalg.norm(real) * np.linalg.norm(circular))
    assert np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))) == pytest.approx(0.0, abs=1e-3)  # epoch to whole seconds


def test_doppler_shifts_and_the_budget(made: Mapping[str, Table]) -> None:
    rows = made["fig7"].rows
    # an independent propagation: -9.0 to +8.7 GHz
    links = [row["shift_780_ghz"] for row in rows if row["link"] != "difference"]
    assert ends(links) == pytest.approx([-9.0, 8.7], abs=0.05)
    np.testing.assert_allclose(
        [row["shift_1550_ghz"] for row in rows], [row["shift_780_ghz"] * 780 / 1550 for row in rows], rtol=1e-12
    )
    budget = made["frequency_budget"].rows
    slew = np.gradient([row["shift_780_ghz"] for row in rows if row["link"] == "Delingha"], 1.0)
    assert budget[0]["slew_mhz_s"] == pytest.approx(1e3 * abs(slew).max(), rel=2e-3)  # differences over 2 s
    assert budget[0]["update_ms"] * budget[0]["slew_mhz_s"] == pytest.approx(2e3 * 37.57, rel=1e-3)


def test_fig_8_and_its_errors(made: Mapping[str, Table]) -> None:
    offset = [row["offset_ms"] for row in made["fig8"].rows]
    assert (np.diff(offset) > 0.0).all()
    assert offset[0] < 0.0 < offset[-1]
    link = dual_pass()
    expected = (link.slant_range[0] - link.slant_range[1]).values / 299_792_458.0
    np.testing.assert_allclose(offset, 1e3 * expected, atol=2e-6)  # rotation: 1.3 ns


def test_asymmetry_costs_what_an_independent_program_says(made: Mapping[str, Table]) -> None:
    rows = {row["asymmetry_db"]: row for row in made["fig9_asymmetry"].rows if row["loss_sum"] == "55 dB"}
    # three digits, mu = 0.1 at 55 dB
    np.testing.assert_allclose([rows[x]["qber_x"] for x in (0.0, 5.0, 10.0)], [0.273, 0.333, 0.423], atol=6e-4)
    exact = key_rate(10**-2.75, 10**-2.75, intensities_a=(0.5,), intensities_b=(0.5,), p_dark=3e-6, misalignment=0.015)
    assert rows[0.0]["error_11"] == pytest.approx(float(exact.error_11_x), rel=1e-12)


def test_timing_budget_is_worse_for_worse_ranges(made: Mapping[str, Table]) -> None:
    rows = made["timing_budget"].rows
    for name in dict.fromkeys(row["ranging"] for row in rows):
        own = [row for row in rows if row["ranging"] == name]
        jitter = [row["jitter_ps"] for row in own]
        assert jitter == sorted(jitter)
        overlap = [row["overlap"] for row in own]
        assert overlap == sorted(overlap, reverse=True)
        # clocks of 10 ps on both sides are left when ranges are perfect, the rest is proportional to their error
        squares = np.array(jitter) ** 2 - 200.0
        errors = np.array([row["range_error_mm"] for row in own])
        np.testing.assert_allclose(squares / errors**2, squares[-1] / errors[-1] ** 2, rtol=1e-6)
    best = rows[0]
    assert best["added_error"] < 0.001
    assert best["key_change_percent"] > -5.0


def test_totals_of_the_pass() -> None:
    # an independent program, three digits; slots of 25 s: "0.5 %"
    assert slots.fixed("infinite").total_bits == pytest.approx(1.04e8, rel=0.005)
    assert slots.fixed("three-intensity").total_bits == pytest.approx(0.0, abs=0.0)
    slow = slots.optimised("infinite", 25.0)
    assert slow.total_bits == pytest.approx(1.54e8 * 0.995, rel=0.005)
    # what a slot's intensities are tuned for cannot beat the largest sum, to the search's tolerance
    mean = slots.optimised("infinite", 25.0, at_mean_length=True)
    assert 1.0 - mean.total_bits / slow.total_bits == pytest.approx(1.5e-4, abs=3e-4)


def test_claims_are_rows_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*claims._links(), *claims._orbits(), *claims._motion()]
    assert all(set(row) == set(reproduce_000.STUDY.check_columns) for row in rows)
    by_name = {row["quantity"]: row["ours"] for row in rows}
    # an independent propagation
    assert by_name["highest elevation over Ngari [deg]"] == pytest.approx(76.0, abs=0.05)
    assert by_name["closest distance [km]"] == pytest.approx(499.5, abs=0.1)
    assert by_name["distances [km]"] == "1618 to 2436"
    sums = [row["ours"] for row in rows if "least elevation 5 and 10 deg" in row["quantity"]]
    assert sums[0].split(" and ")[0] == sums[0].split(" and ")[1]
    fig4 = [row["ours"] for row in rows if row["source"] == "Fig. 4" and row["reading"] in READINGS]
    assert fig4[0] == "93.6 to 101.3"


def test_every_picture_shows_its_table(made: Mapping[str, Table]) -> None:
    panels = {"fig5a": 3, "fig6a": 2, "fig6b": 4}
    for name, table in made.items():
        picture = reproduce_000.figure(table)
        if name in ("frequency_budget",):
            assert picture is None
            continue
        assert picture is not None
        assert len(picture.axes) == panels.get(name, 1)
        assert all(axes.has_data() for axes in picture.axes)
    rows = tuple({"slot": slot, "decoys": decoy, "total_bits": 1e8} for decoy in ("a", "b") for slot in ("1 s", "5 s"))
    picture = reproduce_000.figure(Table("fig10", "totals", "slot", "decoys", rows))
    assert picture is not None
    assert len(picture.axes[0].patches) == 4


def test_what_is_written(made: Mapping[str, Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [made[name] for name in ("fig6a", "fig8", "frequency_budget")]
    monkeypatch.setattr(reproduce_000, "tables", lambda progress: kept)
    row = {"quantity": "loss [dB]", "reading": "r", "source": "Fig. 0", "paper": 1.0, "ours": "a < b"}
    monkeypatch.setattr(reproduce_000, "checks", lambda: [row])
    result = CliRunner().invoke(app, ["reproduce", "000", "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "loss [dB]" in result.output
    assert "a < b" in result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "checks.csv", "fig6a.csv", "fig6a.nc", "fig6a.png", "fig8.csv", "fig8.png", "frequency_budget.csv",
        "report.html",
    }  # fmt: skip
    read = read_netcdf(tmp_path / "out" / "fig6a.nc")
    np.testing.assert_array_equal(read.common_view_s, orbits.sweep().common_view_s)
    assert read.altitude.attrs["units"] == "m"
    assert (tmp_path / "out" / "fig8.png").read_bytes()[:4] == b"\x89PNG"
    with (tmp_path / "out" / "fig6a.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(orbits.ALTITUDES_KM) * len(orbits.MASKS_DEG)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "a &lt; b" in page


def test_the_pass_behind_the_totals_has_the_wide_receiver() -> None:
    gained = dual_pass().loss_sum_db.values - wide_pass().loss_sum_db.values
    # eight times the radius: 18.06 dB on each link, less where the beam is not much wider than the receiver
    np.testing.assert_allclose(gained, 36.1, atol=0.15)
    assert pair.residuals(pair.Interference()).mode_overlap.shape == (wide_pass().sizes["time"],)
