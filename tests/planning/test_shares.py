"""Joint plans for goals that tie the stations together, and the one call that reaches all of them."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.errors import InputError
from satqkd.planning.divergence import kl_divergence
from satqkd.planning.goals import MaxMin, Traffic
from satqkd.planning.scheduling import Schedule, schedule
from satqkd.planning.shares import plan_shares
from satqkd.planning.single import best_assignment
from satqkd.planning.windows import from_table

sys.path.insert(0, str(Path(__file__).parent))
from constellation_oracle import broken


def deliveries(bits: np.ndarray, interval: np.ndarray, switch: int) -> np.ndarray:
    """What each of all plans that follow the rules delivers to the stations."""
    satellites, rows, stations = bits.shape
    times = np.full((satellites, stations), switch)
    found = set()
    choices = ([-1, *np.flatnonzero(bits[s, row]).tolist()] for s in range(satellites) for row in range(rows))
    for choice in itertools.product(*choices):
        plan = np.array(choice).reshape(satellites, rows)
        s, row = np.nonzero(plan >= 0)
        sums = tuple(np.bincount(plan[s, row], weights=bits[s, row, plan[s, row]], minlength=stations))
        if sums not in found and not broken(plan, interval, times, times):
            found.add(sums)
    return np.array(sorted(found))


instances = st.integers(1, 4).flatmap(
    lambda rows: st.tuples(
        st.lists(st.integers(0, 9), min_size=4 * rows, max_size=4 * rows),
        st.lists(st.integers(1, 2), min_size=rows, max_size=rows),
        st.integers(0, 1),
        st.floats(0.1, 0.9),
        st.floats(0.005, 0.3),
    )
)


@settings(max_examples=40, deadline=None)
@given(instances)
def test_two_contending_satellites_equal_brute_force(instance: tuple[list[int], list[int], int, float, float]) -> None:
    digits, steps, switch, share, kl_max = instance
    bits, interval = np.array(digits, dtype=float).reshape(2, -1, 2), np.cumsum(steps)
    weights = np.array([share, 1.0 - share])
    every = [delivered for delivered in deliveries(bits, interval, switch) if delivered.any()]
    for goal in (Traffic(weights, kl_max), MaxMin(weights)):
        best = max([0.0, *(goal.value(delivered) for delivered in every)])
        found = plan_shares(
            from_table(bits, interval=interval, switch_intervals=switch), goal, relative_gap=0.0, time_limit_s=20.0
        )
        assert found.value == pytest.approx(best, rel=1e-12)  # the same sums
        assert found.bound == pytest.approx(best, rel=5e-6, abs=1e-9)  # what HiGHS leaves open
        assert found.complete


WEIGHTS = {"w": 0.1, "x": 0.2, "y": 0.3, "z": 0.4}


@pytest.fixture(scope="module")
def keys() -> xr.DataArray:
    rng = np.random.default_rng(8)
    bits = rng.integers(1, 1000, (3, 40, 4)) * (rng.random((3, 40, 4)) < 0.6)
    coordinates = {"satellite": list("ABC"), "interval": np.arange(40) * 2, "station": list(WEIGHTS)}
    return xr.DataArray(bits.astype(float), dims=tuple(coordinates), coords=coordinates)


def planned(keys: xr.DataArray, objective: str, **changes: Any) -> Schedule:
    options: dict[str, Any] = {"weights": WEIGHTS, "gap": 5e-3, "time_limit_s": 20.0}
    if objective == "traffic":
        options["kl_max"] = 0.01
    return schedule(keys, objective=objective, **options | changes)


@pytest.mark.parametrize("objective", ["general", "priority", "traffic", "max-min"])
def test_every_objective_plans_several_satellites_to_its_gap(keys: xr.DataArray, objective: str) -> None:
    found = planned(keys, objective)  # the independent checker has passed it
    ones = np.ones((3, 4), dtype=int)
    assert broken(found.assignment.values, keys.interval.values, ones, ones) == []
    assert found.status != "time limit"
    assert 0.0 <= found.gap <= 5e-3
    assert found.kl == pytest.approx(kl_divergence(list(found.delivered_bits.values()), list(WEIGHTS.values())))
    if objective == "traffic":
        assert found.kl <= 0.01


def test_a_limit_that_does_not_bind_is_the_plain_total(keys: xr.DataArray) -> None:
    loose, plain = planned(keys, "traffic", kl_max=10.0, gap=1e-3), planned(keys, "general", gap=0.0)
    assert loose.value <= plain.value <= loose.bound * (1.0 + 1e-12)  # rounding of the sums


def test_the_order_of_stations_and_the_scale_do_not_matter(keys: xr.DataArray) -> None:
    plain, moved = planned(keys, "max-min"), planned(keys[:, :, ::-1] * 8.0, "max-min")
    assert moved.value <= 8.0 * plain.bound
    assert 8.0 * plain.value <= moved.bound


def test_a_second_satellite_without_keys_changes_nothing(keys: xr.DataArray) -> None:
    two = keys.isel(satellite=[0, 1]) * xr.DataArray([1.0, 0.0], dims="satellite")
    alone = best_assignment(keys.values[0], interval=keys.interval.values)
    served = np.flatnonzero(alone >= 0)
    assert planned(two, "general", gap=0.0).value == keys.values[0, served, alone[served]].sum()


def test_a_divergence_out_of_reach_says_how_small_it_gets() -> None:
    bits = np.zeros((2, 4, 2))
    bits[:, :, 0], bits[0, 0, 1] = 3.0, 1.0
    coordinates = {"satellite": ["A", "B"], "interval": np.arange(4), "station": ["w", "x"]}
    keys = xr.DataArray(bits, dims=tuple(coordinates), coords=coordinates)
    weights = {"w": 0.01, "x": 0.99}
    with pytest.raises(InputError, match=r"no plan of 2 satellites reaches it; the smallest divergence found is 0\.01"):
        planned(keys, "traffic", weights=weights, kl_max=1e-4)  # only x: ln(1 / 0.99) = 0.01005
