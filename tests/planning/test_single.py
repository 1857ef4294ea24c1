"""Exact schedules of one satellite: brute force, the reference week, invariances."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.planning.single import IDLE, SWITCHING, best_assignment

GOLDEN = "schedule_china_week.csv"

# Population of the cities in millions (weights of Wang et al., Fig. 9).
WEIGHTS = np.array([24.87, 21.89, 20.94, 18.68, 12.33, 12.95, 9.07, 9.37, 9.20, 4.05, 0.87])


def value(assignment: np.ndarray, bits: np.ndarray) -> float:
    return float(sum(bits[row, station] for row, station in enumerate(assignment) if station >= 0))


def is_feasible(assignment: np.ndarray, interval: np.ndarray, switch: int) -> bool:
    """Independent check: between two stations at least ``switch`` whole intervals pass."""
    served = [(int(i), int(s)) for i, s in zip(interval, assignment, strict=True) if s >= 0]
    return all(a == b or j - i > switch for (i, a), (j, b) in itertools.pairwise(served))


def brute_force(bits: np.ndarray, interval: np.ndarray, switch: int) -> float:
    choices = range(-1, bits.shape[1])
    plans = (np.array(plan) for plan in itertools.product(choices, repeat=len(bits)))
    return max(value(plan, bits) for plan in plans if is_feasible(plan, interval, switch))


instances = st.integers(1, 6).flatmap(
    lambda rows: st.tuples(
        st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=rows, max_size=rows),
        st.lists(st.integers(1, 3), min_size=rows, max_size=rows),
        st.integers(0, 3),
    )
)


@settings(max_examples=150, deadline=None)
@given(instances)
def test_equals_brute_force_and_is_feasible(instance: tuple[list[list[int]], list[int], int]) -> None:
    rows, steps, switch = instance
    bits, interval = np.array(rows, dtype=float), np.cumsum(steps)
    found = best_assignment(bits, interval=interval, switch_intervals=switch)
    assert is_feasible(found, interval, switch)
    assert value(found, bits) == brute_force(bits, interval, switch)  # sums of small integers are exact


@pytest.fixture(scope="module")
def week(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    table = np.loadtxt(request.config.rootpath / "tests/golden" / GOLDEN, delimiter=",", skiprows=1)
    return table[:, 0].astype(int), table[:, 1:]


def test_reference_week_most_bits(week: tuple[np.ndarray, np.ndarray]) -> None:
    interval, bits = week
    found = best_assignment(bits, interval=interval)
    assert is_feasible(found, interval, 1)
    assert value(found, bits) == 847_364_243  # proven optimum of this instance, also by a mixed-integer program


def test_reference_week_weighted(week: tuple[np.ndarray, np.ndarray]) -> None:
    interval, bits = week
    weighted = bits * (WEIGHTS / WEIGHTS.sum())
    found = best_assignment(weighted, interval=interval)
    # optimum of the same mixed-integer program; sum of some 1000 floats
    assert value(found, weighted) == pytest.approx(79_704_303.75329, rel=1e-12)
    assert value(found, bits) == 739_471_486


def test_switch_intervals_are_marked_between_stations_only() -> None:
    bits = np.array([[9, 0], [0, 0], [0, 0], [0, 0], [0, 9]], dtype=float)
    assert best_assignment(bits, switch_intervals=1).tolist() == [0, IDLE, IDLE, SWITCHING, 1]
    assert best_assignment(bits, switch_intervals=0).tolist() == [0, IDLE, IDLE, IDLE, 1]


def test_gap_in_the_index_is_a_free_switch() -> None:
    bits = np.array([[5.0, 0.0], [0.0, 5.0]])
    assert best_assignment(bits, interval=[3, 4]).tolist() == [0, IDLE]
    assert best_assignment(bits, interval=[3, 5]).tolist() == [0, 1]


def test_scaling_and_a_useless_station_change_nothing() -> None:
    bits = np.random.default_rng(5).integers(0, 50, (40, 4)).astype(float)
    plain = best_assignment(bits)
    np.testing.assert_array_equal(best_assignment(8.0 * bits), plain)
    np.testing.assert_array_equal(best_assignment(np.column_stack([bits, np.zeros(40)])), plain)


def test_nothing_to_deliver_is_idle() -> None:
    assert best_assignment(np.zeros((3, 2))).tolist() == [IDLE] * 3
    assert best_assignment(np.zeros((0, 2))).tolist() == []


@pytest.mark.parametrize(
    ("bits", "arguments"),
    [
        ([[-1.0]], {}),
        ([[np.nan]], {}),
        ([[1.0], [1.0]], {"interval": [2, 2]}),
        ([[1.0]], {"switch_intervals": -1}),
    ],
)
def test_bad_input_is_refused(bits: list[list[float]], arguments: dict) -> None:
    with pytest.raises(ValueError, match=r"bits|interval"):
        best_assignment(bits, **arguments)
