"""The schedule stage: one satellite exactly as alone, several together and with their bound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from satqkd.planning.evaluate import evaluate, interval_bits
from satqkd.planning.single import best_assignment
from satqkd.scenario.model import Scenario


@pytest.fixture(scope="module")
def scenario(changed: Callable[..., Scenario]) -> Scenario:
    return changed("micius-china-week", {"planning.interval": "10 s", "planning.switch_intervals": 1})


def link_of(scenario: Scenario, satellites: int) -> xr.Dataset:
    """Rates of four stations, one step per interval, and a gap in the middle."""
    rng = np.random.default_rng(4)
    rates = np.round(rng.uniform(0.0, 100.0, (4, satellites, 60)))
    rates[rng.random(rates.shape) < 0.3] = np.nan  # no pass
    steps = np.concatenate([np.arange(30), np.arange(100, 130)])
    start = np.datetime64(scenario.study.start.replace(tzinfo=None), "ns")
    return xr.Dataset(
        {"rate_asymptotic": (("station", "satellite", "time"), rates)},
        coords={
            "station": list("abcd"),
            "satellite": [f"s{k}" for k in range(satellites)],
            "time": start + steps * np.timedelta64(10, "s"),
        },
    )


def test_one_satellite_is_the_exact_schedule(scenario: Scenario) -> None:
    link = link_of(scenario, 1)
    interval, bits = interval_bits(scenario, link)
    plan = evaluate(scenario, link)
    alone = best_assignment(bits[0], interval=interval, switch_intervals=1)
    names = np.array([*"abcd", "switching", "idle"], dtype=object)
    assert plan.assigned.values[0].tolist() == names[alone].tolist()
    assert plan.attrs == {}


def test_several_satellites_are_planned_together_and_say_how_well(scenario: Scenario) -> None:
    link = link_of(scenario, 3)
    plan = evaluate(scenario, link)
    assigned = plan.assigned.values.astype(str)
    for column in assigned.T:
        served = column[np.isin(column, list("abcd"))]
        assert len(set(served)) == len(served)
    total = float(plan.delivered_bits.sum())
    assert plan.interval_bits.values.sum() == total  # whole numbers
    assert (plan.attrs["bound_bits"] - total) / plan.attrs["bound_bits"] == pytest.approx(plan.attrs["gap"], abs=1e-12)
    assert 0.0 <= plan.attrs["gap"] <= 1e-4
    # one after the other, each with what those before left: what planning together improves on
    interval, bits = interval_bits(scenario, link)
    in_turn = 0.0
    for number, own in enumerate(bits):
        for row in np.flatnonzero((choice := best_assignment(own, interval=interval)) >= 0):
            in_turn += own[row, choice[row]]
            near = np.abs(interval - interval[row]) <= 1
            bits[number + 1 :, near, choice[row]] = 0.0
    assert total > in_turn
