"""Joint plans of several satellites: brute force, an independent check of the rules, bounds, invariances, limits."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from satqkd.errors import InputError
from satqkd.planning.constellation import JointPlan, plan_jointly, plan_windows
from satqkd.planning.instances import Samples, polar_constellation
from satqkd.planning.single import IDLE, SWITCHING, best_assignment
from satqkd.planning.windows import from_samples, from_table, split

sys.path.insert(0, str(Path(__file__).parent))
from constellation_oracle import broken, brute_force, worth

Instance = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@st.composite
def instances(draw: st.DrawFn, satellites: int = 2, equal: bool = False) -> Instance:
    """Bits 0 to 9, gaps of up to two intervals, switch times of 0 to 2 for each pair of terminals."""
    stations = draw(st.integers(1, 2))
    rows = draw(st.integers(1, {2: 5, 3: 3}[satellites] + (stations == 1)))
    digits = draw(
        st.lists(st.integers(0, 9), min_size=satellites * rows * stations, max_size=satellites * rows * stations)
    )
    bits = np.array(digits, dtype=float).reshape(satellites, rows, stations)
    interval = np.cumsum(draw(st.lists(st.integers(1, 3), min_size=rows, max_size=rows)))
    pairs = st.lists(st.integers(0, 2), min_size=satellites * stations, max_size=satellites * stations)
    switch = np.array(draw(pairs)).reshape(satellites, stations)
    station_switch = switch if equal else np.array(draw(pairs)).reshape(satellites, stations)
    return bits, interval, switch, station_switch


def plan_of(instance: Instance, **changes: Any) -> JointPlan:
    bits, interval, switch, station_switch = instance
    arguments: dict[str, Any] = {
        "interval": interval, "switch_intervals": switch, "station_switch_intervals": station_switch,
        "relative_gap": 0.0,
    }  # fmt: skip
    return plan_jointly(bits, **arguments | changes)


def check_against_brute_force(instance: Instance) -> None:
    found = plan_of(instance)
    assert broken(found.assignment, *instance[1:]) == []
    assert found.value == worth(found.assignment, instance[0]) == brute_force(*instance)  # sums of whole numbers
    assert found.bound == pytest.approx(found.value, rel=1e-8, abs=1e-9)  # rounding, 1e-8 of it, is left open
    assert found.complete
    assert found.delivered_bits.sum() == found.value


@settings(max_examples=100, deadline=None)
@given(instances(equal=True))
def test_two_contending_satellites_equal_brute_force(instance: Instance) -> None:
    check_against_brute_force(instance)


@settings(max_examples=40, deadline=None)
@given(instances(satellites=3))
def test_three_contending_satellites_equal_brute_force(instance: Instance) -> None:
    switch, station_switch = instance[2:]
    if switch.shape[1] == 2:  # a station's own satellite is never back too soon for it
        assume(np.all(station_switch <= switch + 1 + switch[:, ::-1]))
    check_against_brute_force(instance)


@settings(max_examples=60, deadline=None)
@given(instances(equal=True), st.integers(0, 2**20))
def test_order_and_scale_do_not_matter(instance: Instance, seed: int) -> None:
    bits, interval, switch, station_switch = instance
    rng = np.random.default_rng(seed)
    s, n = rng.permutation(bits.shape[0]), rng.permutation(bits.shape[2])
    moved = (8.0 * bits[s][:, :, n], interval + 100, switch[np.ix_(s, n)], station_switch[np.ix_(s, n)])
    assert plan_of(moved).value == 8.0 * plan_of(instance).value  # a power of two times whole numbers


@settings(max_examples=40, deadline=None)
@given(instances(equal=True))
def test_useless_stations_satellites_and_idle_time_change_nothing(instance: Instance) -> None:
    bits, interval, switch, _ = instance
    table = np.zeros((3, len(bits[0]) + 4, bits.shape[2] + 1))
    table[:2, :-4, :-1] = bits
    longer = np.concatenate([interval, interval[-1] + 1 + np.arange(4)])
    times = np.ones((3, bits.shape[2] + 1), dtype=int)
    times[:2, :-1] = switch
    assert (
        plan_jointly(table, interval=longer, switch_intervals=times, relative_gap=0.0).value == plan_of(instance).value
    )


@settings(max_examples=60, deadline=None)
@given(instances())
def test_one_satellite_alone_is_the_exact_schedule(instance: Instance) -> None:
    bits, interval, switch, _ = instance
    uniform = int(switch[0, 0])
    found = plan_jointly(bits[:1], interval=interval, switch_intervals=uniform, relative_gap=0.0)
    alone = best_assignment(bits[0], interval=interval, switch_intervals=uniform)
    assert found.value == worth(alone[np.newaxis], bits[:1])
    assert found.bound == found.value  # nothing contested: the dynamic program is the bound


def random_table(seed: int, satellites: int, rows: int, stations: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(1, 1000, (satellites, rows, stations)) * (rng.random((satellites, rows, stations)) < 0.7)


def test_without_contention_satellites_add_up() -> None:
    alone = [random_table(seed, 1, 50, 3)[0] for seed in range(3)]
    table = np.zeros((3, 50, 9))
    for s, bits in enumerate(alone):
        table[s, :, 3 * s : 3 * s + 3] = bits
    each = [worth(best_assignment(bits, switch_intervals=2)[np.newaxis], bits[np.newaxis]) for bits in alone]
    found = plan_jointly(table, switch_intervals=2)
    assert found.value == found.bound == sum(each)


def flow_optimum(bits: np.ndarray) -> float:
    """Free switches: intervals are independent assignment problems."""
    from scipy.optimize import linear_sum_assignment

    total = 0.0
    for row in range(bits.shape[1]):
        chosen = linear_sum_assignment(bits[:, row], maximize=True)
        total += float(bits[:, row][chosen].sum())
    return total


def test_free_switches_are_assignment_problems() -> None:
    table = random_table(7, 5, 60, 4)
    found = plan_jointly(table, switch_intervals=0, relative_gap=0.0)
    assert found.value == flow_optimum(table)
    assert found.gap == pytest.approx(0.0, abs=1e-8)  # left to rounding
    assert plan_jointly(table, switch_intervals=1).value < found.value


def test_a_heavily_contended_table_is_solved_and_its_plan_keeps_the_rules() -> None:
    table = random_table(11, 6, 40, 3)
    ones = np.ones((6, 3), dtype=int)
    found = plan_jointly(table, relative_gap=1e-3)
    assert found.complete
    assert broken(found.assignment, np.arange(40), ones, ones) == []
    assert 0.0 <= found.gap <= 1e-3
    in_turn = 0.0
    left = table.astype(float)
    for s in range(6):  # one satellite after the other, each with what the ones before left: what the plan improves on
        own = best_assignment(left[s])
        for row in np.flatnonzero(own >= 0):
            in_turn += left[s, row, own[row]]
            left[s + 1 :, max(row - 1, 0) : row + 2, own[row]] = 0.0
    assert found.value > 1.05 * in_turn


def test_weights_count_and_leave_a_station_of_weight_zero_alone() -> None:
    table = random_table(3, 2, 30, 3)
    weights = np.array([0.5, 2.0, 0.0])
    found = plan_jointly(table, weights=weights, relative_gap=0.0)
    assert found.value == pytest.approx(weights @ found.delivered_bits, rel=1e-12)  # the same sum in another order
    assert found.delivered_bits[2] == 0.0
    assert found.value == plan_jointly(table * weights, relative_gap=0.0).value


def test_switching_is_marked_before_another_station() -> None:
    bits = np.zeros((1, 6, 2))
    bits[0, 0, 0] = bits[0, 5, 1] = 4.0
    assert plan_jointly(bits, switch_intervals=2).assignment.tolist() == [[0, IDLE, IDLE, SWITCHING, SWITCHING, 1]]


def test_a_station_turns_between_satellites() -> None:
    bits = np.array([[[5.0], [0.0], [0.0]], [[0.0], [5.0], [4.0]]])
    assert plan_jointly(bits).value == 9.0  # the station turns in the second interval
    assert plan_jointly(bits, station_switch_intervals=0).value == 14.0


@pytest.fixture(scope="module")
def two_hours() -> Samples:
    return polar_constellation(1, hours=2.0)


def joint(samples: Samples, **arguments: Any) -> Any:
    windows = from_samples(samples.satellite, samples.interval, samples.station, samples.bits, shape=samples.shape)
    return plan_windows(windows, **arguments)


def links_are_sound(links: np.ndarray, samples: Samples) -> float:
    """Worth of links after an independent look at every pair of terminals, switch time 1."""
    value = {
        (s, i, n): b
        for s, i, n, b in zip(
            samples.satellite.tolist(), samples.interval.tolist(), samples.station.tolist(), samples.bits.tolist(),
            strict=True,
        )
    }  # fmt: skip
    for column in (0, 1):
        other = 1 - column
        for terminal in np.unique(links[:, column]):
            own = links[links[:, column] == terminal]
            own = own[np.argsort(own[:, 2])]
            gap = own[1:, 2] - own[:-1, 3]
            assert np.all(gap > np.where(own[1:, other] != own[:-1, other], 1, 0))
    return sum(value.get((s, i, n), 0.0) for s, n, first, last in links.tolist() for i in range(first, last + 1))


def test_a_contended_constellation_is_planned_to_a_proven_gap(two_hours: Samples) -> None:
    assert two_hours.contested > 0.5
    loose, tight = joint(two_hours, relative_gap=1e-2), joint(two_hours, relative_gap=0.0)
    for found, asked in ((loose, 1e-2), (tight, 1e-8)):
        assert found.complete
        assert 0.0 <= found.gap <= asked
        assert links_are_sound(found.links, two_hours) == found.value
    assert tight.value >= loose.value
    assert loose.bound >= tight.value


@pytest.mark.parametrize("seed", [2, 3])
def test_most_station_intervals_of_the_instances_are_contested(seed: int) -> None:
    assert polar_constellation(seed, hours=1.5).contested > 0.5


def test_the_dense_and_the_sparse_form_agree(two_hours: Samples) -> None:
    early = two_hours.interval < 120
    index = (two_hours.satellite[early], two_hours.interval[early], two_hours.station[early])
    table = np.zeros((20, 120, 60))
    table[index] = two_hours.bits[early]
    dense = from_table(table)
    sparse = from_samples(*index, two_hours.bits[early], shape=(20, 60))
    for one, other in zip(dense, sparse, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_share_no_contested_station_interval(two_hours: Samples) -> None:
    windows = from_samples(
        two_hours.satellite, two_hours.interval, two_hours.station, two_hours.bits, shape=two_hours.shape
    )
    parts = split(windows)
    assert len(parts) > 1
    np.testing.assert_array_equal(
        np.sort(np.concatenate([numbers for _, numbers in parts])), np.arange(len(windows.window_first))
    )
    assert sum(part.n_cells - 1 for part, _ in parts) == windows.n_cells - 1
    assert sum(part.value.sum() for part, _ in parts) == windows.value.sum()  # whole numbers


def test_the_time_limit_is_kept_and_said() -> None:
    table = random_table(5, 12, 400, 6)  # far more contended than any constellation: not solved in this time
    plan_jointly(table[:2, :5])  # compile
    began = time.perf_counter()
    found = plan_jointly(table, relative_gap=0.0, time_limit_s=1.0)
    assert time.perf_counter() - began == pytest.approx(1.0, abs=15.0)  # a busy machine; one round takes 0.1 s
    assert not found.complete
    assert found.bound > found.value > 0.0
    ones = np.ones((12, 6), dtype=int)
    assert broken(found.assignment, np.arange(400), ones, ones) == []


def test_nothing_to_deliver_is_idle() -> None:
    found = plan_jointly(np.zeros((2, 3, 2)))
    assert found.assignment.tolist() == [[IDLE] * 3] * 2
    assert (found.value, found.bound, found.gap, found.complete) == (0.0, 0.0, 0.0, True)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda a: a.update(bits=np.ones((2, 3))), "axes"),
        (lambda a: a["bits"].__setitem__((1, 2, 0), -1.0), r"\(1, 2, 0\)"),
        (lambda a: a["bits"].__setitem__((0, 0, 1), np.nan), "nan"),
        (lambda a: a.update(interval=[0, 2, 2]), "interval"),
        (lambda a: a.update(weights=[1.0]), "weights"),
        (lambda a: a.update(weights=[1.0, -1.0]), "weights"),
        (lambda a: a.update(switch_intervals=-1), "switch_intervals"),
        (lambda a: a.update(switch_intervals=[1, 2]), r"\(2, 2\)"),
        (lambda a: a.update(switch_intervals=0.5), "whole"),
        (lambda a: a.update(station_switch_intervals=4), "at most 3"),
        (lambda a: a.update(relative_gap=-0.1), "relative_gap"),
        (lambda a: a.update(time_limit_s=0.0), "time_limit_s"),
    ],
)
def test_bad_input_is_refused(change: Callable[[dict[str, Any]], None], text: str) -> None:
    arguments: dict[str, Any] = {"bits": np.ones((2, 3, 2))}
    change(arguments)
    with pytest.raises(InputError, match=text):
        plan_jointly(**arguments)


def test_a_sample_listed_twice_is_refused() -> None:
    with pytest.raises(InputError, match="listed twice"):
        from_samples([0, 0], [3, 3], [1, 1], [2.0, 5.0], shape=(1, 2))
