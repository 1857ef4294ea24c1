"""Block-aware plans against every possible plan of small windows."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.planning.blocks import best_runs, best_times, block_keys, pooled_ascent, split_windows
from satqkd.planning.single import IDLE, best_assignment


def key_of(amount):
    """A key with a threshold and a square root, like a real one."""
    total = float(amount[0])
    return float(np.floor(max(total - 2.0 * np.sqrt(total) - 3.0, 0.0)))


def raw_key_of(amount):
    total = float(amount[0])
    return total - 2.0 * np.sqrt(max(total, 0.0)) - 3.0


def ceilings_of(amounts):
    """Bits of the best 0, 1, 2 ... intervals of each station; more of a good thing is never worse here."""
    best = -np.sort(-amounts[:, :, 0], axis=0)
    return [np.array([0.0, *(key_of([x]) for x in np.cumsum(best[:, n]))]) for n in range(amounts.shape[1])]


def feasible(plan, switch):
    last = None
    for m, n in enumerate(plan):
        if n >= 0:
            if last is not None and last[1] != n and m - last[0] <= switch:
                return False
            last = (m, n)
    return True


def every_plan(length, stations, switch):
    for plan in itertools.product(range(-1, stations), repeat=length):
        if feasible(plan, switch):
            yield np.array(plan)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 7), switch=st.integers(0, 2))
def test_value_and_bound_enclose_the_optimum(seed, length, switch):
    generator = np.random.default_rng(seed)
    amounts = generator.integers(0, 15, (length, 2, 1)).astype(float)
    optimum = max(block_keys(plan, amounts, key_of).sum() for plan in every_plan(length, 2, switch))
    ceilings = ceilings_of(amounts)
    plan = best_runs(amounts, key_of, ceilings=ceilings, switch_intervals=switch)
    bound = best_times(ceilings, n_intervals=length, switch_intervals=switch)
    assert feasible(plan.assignment, switch)
    assert plan.key_bits.sum() == block_keys(plan.assignment, amounts, key_of).sum()
    assert plan.key_bits.sum() <= optimum <= bound


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), switch=st.integers(0, 2))
def test_runs_are_optimal_among_runs(seed, switch):
    """Against all plans in which every station is served in one piece."""
    generator = np.random.default_rng(seed)
    amounts = generator.integers(0, 15, (6, 2, 1)).astype(float)

    def in_one_piece(plan):
        return all(np.ptp(rows) + 1 == len(rows) for rows in (np.flatnonzero(plan == n) for n in (0, 1)) if len(rows))

    optimum = max(block_keys(plan, amounts, key_of).sum() for plan in every_plan(6, 2, switch) if in_one_piece(plan))
    plan = best_runs(amounts, key_of, ceilings=ceilings_of(amounts), switch_intervals=switch)
    assert plan.key_bits.sum() >= optimum


def test_one_station_alone_is_exact():
    amounts = np.array([4.0, 9.0, 2.0, 7.0]).reshape(4, 1, 1)
    ceilings = ceilings_of(amounts)
    plan = best_runs(amounts, key_of, ceilings=ceilings, switch_intervals=1)
    assert plan.key_bits.sum() == best_times(ceilings, n_intervals=4, switch_intervals=1) == key_of([22.0])
    assert plan.assignment.tolist() == [0, 0, 0, 0]


def test_blocks_beat_the_additive_plan_where_it_shares_out():
    """Two stations that take turns being a little better: additive plans hop, and nobody gets a key."""
    amounts = np.array([[[3.0], [2.9]]] * 2 + [[[2.9], [3.0]]] * 2)
    additive = best_assignment(amounts[:, :, 0], switch_intervals=0)
    assert additive.tolist() == [0, 0, 1, 1]
    assert block_keys(additive, amounts, key_of).sum() == 0.0
    plan = best_runs(amounts, key_of, ceilings=ceilings_of(amounts), switch_intervals=0)
    assert plan.key_bits.sum() == key_of([11.8]) > 0.0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_pooled_blocks_over_windows(seed):
    generator = np.random.default_rng(seed)
    amounts = generator.integers(0, 15, (6, 2, 1)).astype(float)
    interval = np.array([0, 1, 2, 7, 8, 9])
    plans = [
        np.concatenate(pair) for pair in itertools.product(every_plan(3, 2, 1), repeat=2)
    ]  # the gap is long enough for any change
    optimum = max(block_keys(plan, amounts, key_of).sum() for plan in plans)
    found = pooled_ascent(
        amounts, key_of, interval=interval, start=amounts[:, :, 0], switch_intervals=1, raw_key_of=raw_key_of
    )
    value = block_keys(found, amounts, key_of).sum()
    additive = best_assignment(amounts[:, :, 0], interval=interval, switch_intervals=1)
    assert block_keys(additive, amounts, key_of).sum() <= value <= optimum
    assert feasible(found[:3], 1)
    assert feasible(found[3:], 1)


def test_windows():
    rows = split_windows(np.array([0, 1, 3, 4, 9]), 0)
    assert rows == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert split_windows(np.array([0, 1, 3, 4, 9]), 2) == [slice(0, 4), slice(4, 5)]
    assert split_windows(np.array([], dtype=int), 1) == []
    assert IDLE == -1


def test_time_bound_by_hand():
    ceilings = [np.array([0.0, 1.0, 5.0, 6.0]), np.array([0.0, 4.0, 4.0])]
    assert best_times(ceilings, n_intervals=3, switch_intervals=0) == 9.0
    assert best_times(ceilings, n_intervals=3, switch_intervals=1) == 6.0
    assert best_times(ceilings, n_intervals=0, switch_intervals=1) == 0.0
    assert best_times([], n_intervals=5, switch_intervals=1) == pytest.approx(0.0, abs=0.0)
