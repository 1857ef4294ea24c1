"""Numbers printed by, or derived from, Wang et al. ("Wang et al.") against the whole pipeline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import satqkd
from satqkd.channel.evaluate import evaluate
from satqkd.orbit.passes import find_passes
from satqkd.planning.evaluate import interval_bits
from satqkd.scenario.model import Scenario

Change = Callable[..., Scenario]

# Table 2, geostationary satellite, 1 urad: loss in dB at each city (the lower end of the range, without cloud)
GEO_LOSS_DB = {
    "Shanghai": 36.61, "Beijing": 36.82, "Chengdu": 36.68, "Guangzhou": 36.46, "Wuhan": 36.59, "Xi'an": 36.69,
    "Shenyang": 36.87, "Hefei": 36.62, "Jinan": 36.73, "Urumqi": 37.13, "Lhasa": 36.73,
}  # fmt: skip


def test_schedule_instance_of_the_week(changed: Change, request: pytest.FixtureRequest) -> None:
    """Bits per 10-s interval and city with the constants fitted to Table 2: an independent program's instance."""
    scenario = changed("micius-china-week", {"channel": {"model": "fixed-divergence-fitted"}})
    result = satqkd.run(scenario)
    table = np.loadtxt(request.config.rootpath / "tests/golden/schedule_china_week.csv", delimiter=",", skiprows=1)
    interval, bits = interval_bits(scenario, result.link)
    np.testing.assert_array_equal(interval, table[:, 0])
    ours, theirs = bits[0], table[:, 1:]
    np.testing.assert_array_equal(ours > 0.0, theirs > 0.0)
    # metres of difference between the two propagations move the rate by up to 3e-5; whole bits on their side
    np.testing.assert_allclose(ours, theirs, rtol=5e-5, atol=1.0)
    assert ours.sum() == pytest.approx(theirs.sum(), rel=1e-6)
    # proven optimum of that instance, 847 364 243 bits: ours differs as the bits do
    assert float(result.schedule.delivered_bits.sum()) == pytest.approx(847_364_243, rel=1e-5)


def test_geostationary_losses_of_table_2_with_the_fitted_constants(changed: Change) -> None:
    scenario = changed(
        "micius-china-week",
        {
            "channel": {"model": "fixed-divergence-fitted"},
            "terminal.divergence": "1 urad",
            "satellites.0.orbit": {"kind": "geostationary", "longitude": "116 deg"},
            "study.end": "2016-09-19T18:00:00Z",
            "study.step": "600 s",
            "planning.interval": "600 s",
        },
    )
    link = evaluate(scenario, find_passes(scenario))
    lowest = {str(name): float(link.loss_total_db.sel(station=name).min()) for name in link.station.values}
    # printed to 0.01 dB; longitude and constants are fitted, Lhasa lies furthest off
    assert lowest == pytest.approx(GEO_LOSS_DB, abs=0.06)
    difference = np.array([lowest[name] - db for name, db in GEO_LOSS_DB.items()])
    assert float(difference.std()) == pytest.approx(0.015, abs=0.005)


def test_lowest_micius_loss_of_table_2_is_one_decibel_above_the_fitted_constants(changed: Change) -> None:
    scenario = changed("micius-china-week", {"channel": {"model": "fixed-divergence-fitted"}, "study.step": "5 s"})
    link = evaluate(scenario, find_passes(scenario))
    # Table 2: 20.25 dB over Chengdu, the lowest of all cities (other cities' values include clouds). A known
    # disagreement of the table with itself, stated in the documentation.
    excess_db = 20.25 - float(link.loss_total_db.min())
    assert excess_db == pytest.approx(1.0, abs=0.1)


def test_equations_as_printed_lose_far_more_than_table_2(changed: Change) -> None:
    """Eq. 1 with Table 1's values at zenith: 15.2 + 2 + 8 dB, where Table 2 has 20.3 dB."""
    scenario = changed("micius-china-week", {"study.step": "5 s"})
    link = evaluate(scenario, find_passes(scenario))
    lowest = float(link.loss_total_db.min())
    radius_m = 10e-6 * 487e3  # closest approach over Lhasa
    expected = -10.0 * np.log10(1.2**2 / (2.0 * radius_m**2)) + 2.0 + 2.0 + 3.0 + 3.0
    # first order of the exponential (0.07 dB) and the exact closest distance
    assert lowest == pytest.approx(expected, abs=0.15)


def test_visible_time_is_the_union_over_the_cities(changed: Change) -> None:
    link = evaluate(scenario := changed("micius-china-week", {}), find_passes(scenario))
    # 12,140 s by an independent program; the paper prints 12,240 s
    assert link.sizes["time"] == pytest.approx(12_140, abs=10)
