"""Finite keys in the plan of a scenario: values by another route, bounds against random plans."""

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.planning.block_plans import plan_blocks
from satqkd.planning.evaluate import interval_bits
from satqkd.scenario.load import load_scenario
from satqkd.security import lim2014
from satqkd.security.evaluate import analysis_options
from satqkd.study.run import compute_link, compute_passes


@pytest.fixture(scope="module")
def mission():
    """Two nights of Micius over four neighbours and a distant city."""
    week = load_scenario("micius-china-week")
    kept = [s for s in week.stations if s.name in {"Shanghai", "Wuhan", "Hefei", "Jinan", "Urumqi"}]
    study = week.study.model_copy(update={"end": week.study.start.replace(day=21)})
    scenario = week.model_copy(update={"stations": tuple(kept), "study": study})
    return scenario, compute_link(scenario, compute_passes(scenario))


@pytest.fixture(scope="module")
def plans(mission):
    return {pooling: plan_blocks(*mission, pooling=pooling) for pooling in ("pass", "station")}


def finite_keys(scenario, link, assigned, pooling):
    """Finite keys straight from the samples that a plan serves, one call for each block."""
    options = analysis_options(scenario)
    interval, _ = interval_bits(scenario, link)
    start = np.datetime64(scenario.study.start.replace(tzinfo=None), "ns")
    of_time = (link.time.values - start).astype(np.int64) // 10**10
    windows = np.cumsum(np.diff(interval, prepend=interval[0]) > 1)
    total = 0
    for n, name in enumerate(link.station.values):
        blocks = [None] if pooling == "station" else np.unique(windows)
        for block in blocks:
            rows = (assigned == name) & (True if block is None else windows == block)
            inside = np.isin(of_time, interval[rows]) & (link.pass_number.values[n, 0] >= 0)
            if inside.any():
                total += lim2014.key_length(
                    link.transmittance.values[n, 0, inside],
                    p_extraneous=link.p_noise.values[n, 0, inside] / 2.0,
                    **options,
                ).key_bits
    return total


@pytest.mark.parametrize("pooling", ["pass", "station"])
def test_value_is_the_key_of_the_samples(mission, plans, pooling):
    plan = plans[pooling]
    expected = finite_keys(*mission, plan.assigned.values, pooling)
    assert plan.attrs["value"] == float(plan.block_key_bits.sum())
    assert plan.attrs["value"] == pytest.approx(expected, abs=20)  # sums of counts are rounded: a bit for each block
    assert plan.attrs["gap"] == pytest.approx(1.0 - plan.attrs["value"] / plan.attrs["bound"], rel=1e-12)
    # what the additive plan promises is never kept
    assert float(plan.additive_key_bits.sum()) < float(plan.promised_bits.sum())
    assert float(plan.additive_key_bits.sum()) <= plan.attrs["value"] < plan.attrs["bound"]


@pytest.mark.parametrize("pooling", ["pass", "station"])
def test_no_random_plan_beats_the_bound(mission, plans, pooling):
    scenario, link = mission
    plan = plans[pooling]
    generator = np.random.default_rng(8)
    interval, bits = interval_bits(scenario, link)
    names = link.station.values
    for _ in range(15):
        # a priority order of the stations for each window: feasible but for switch times, which only lowers keys
        windows = np.cumsum(np.diff(interval, prepend=interval[0]) > 1)
        rank = generator.random((windows[-1] + 1, len(names)))[windows] * (bits[0] > 0.0)
        assigned = np.where(bits[0].max(axis=1) > 0.0, names[rank.argmax(axis=1)], "idle")
        assert finite_keys(scenario, link, assigned, pooling) <= plan.attrs["bound"]


def test_pooled_blocks_have_more_key(plans):
    by_pass, by_station = (plans[pooling].attrs for pooling in ("pass", "station"))
    assert by_station["value"] > by_pass["value"]
    assert by_station["bound"] > by_pass["bound"]


def test_misuse(mission):
    scenario, link = mission
    with pytest.raises(InputError, match="pass, station"):
        plan_blocks(scenario, link, pooling="week")
    import xarray as xr

    twice = xr.concat([link, link.assign_coords(satellite=["other"])], dim="satellite")
    with pytest.raises(InputError, match="2 satellites, must have one"):
        plan_blocks(scenario, twice)
