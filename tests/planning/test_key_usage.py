"""Pair keys by XOR relay: closed forms, other algorithms, and what must not change."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from satqkd.errors import InputError
from satqkd.planning.key_usage import (
    READINGS,
    free_pair_bits,
    key_usage,
    most_pair_bits_total,
    network_pair_bits,
    pair_traffic,
    station_pair_bits,
)

KEYS = st.lists(st.integers(0, 1_000_000).map(float), min_size=2, max_size=6)
WEIGHTS = st.lists(st.floats(0.1, 10.0), min_size=6, max_size=6)


def everyone(count: int) -> np.ndarray:
    return 1.0 - np.eye(count)


@settings(max_examples=40)
@given(KEYS)
def test_free_pairs_reach_the_closed_form(keys: list[float]) -> None:
    pairs = free_pair_bits(keys, everyone(len(keys)))
    total = most_pair_bits_total(keys)
    # the linear program is exact to 1e-9 of the largest key, for each of at most 15 pairs
    assert np.triu(pairs).sum() == pytest.approx(total, rel=1e-9, abs=1.5e-8 * max(keys))
    np.testing.assert_array_equal(pairs, pairs.T)
    assert np.all(pairs.sum(axis=1) <= np.array(keys) * (1.0 + 1e-15))
    assert np.all(pairs >= 0.0)


def test_closed_form_is_what_whole_bits_can_reach() -> None:
    """Every way to pair up single bits of at most 4 stations."""

    def most(left: tuple[int, ...]) -> int:
        best = 0
        for i, j in itertools.combinations(range(len(left)), 2):
            if left[i] and left[j]:
                rest = list(left)
                rest[i] -= 1
                rest[j] -= 1
                best = max(best, 1 + most(tuple(rest)))
        return best

    for keys in ((3, 1, 1), (2, 2, 2), (1, 1, 1), (4, 1, 2), (2, 2, 1, 1), (0, 3)):
        assert int(most_pair_bits_total(keys)) == most(keys)


@settings(max_examples=40)
@given(KEYS, WEIGHTS)
def test_network_proportions_are_the_linear_programs(keys: list[float], weights: list[float]) -> None:
    """max t with t sum_j T_ij <= K_i."""
    traffic = pair_traffic(weights[: len(keys)])
    scale = max(keys) or 1.0
    solved = linprog([-1.0], A_ub=traffic.sum(axis=1)[:, None], b_ub=np.array(keys) / scale, bounds=(0, None))
    # tolerance of the solver, 1e-9 of the largest key
    np.testing.assert_allclose(
        network_pair_bits(keys, traffic), scale * solved.x[0] * traffic, rtol=1e-9, atol=1e-8 * scale
    )


@settings(max_examples=40)
@given(KEYS, WEIGHTS)
def test_readings_are_ordered_and_within_the_keys(keys: list[float], weights: list[float]) -> None:
    traffic = pair_traffic(weights[: len(keys)])
    network, station, free = (key_usage(keys, traffic, reading=name).shared_bits for name in READINGS)
    slack = 1e-7 * (max(keys) + 1.0)
    assert network <= station + slack
    assert station <= free + slack
    for name in READINGS:
        used = key_usage(keys, traffic, reading=name)
        # rounding of sums of at most five products
        np.testing.assert_allclose(used.pair_bits.sum(axis=1) + used.unused_bits, keys, rtol=1e-12, atol=1e-9)
        assert used.utilisation == pytest.approx(2.0 * used.shared_bits / sum(keys) if sum(keys) else 0.0, rel=1e-12)


def test_keys_in_proportion_to_the_traffic_are_used_up() -> None:
    weights = [5.0, 3.0, 1.0, 0.5]
    traffic = pair_traffic(weights)
    keys = 1e6 * traffic.sum(axis=1)
    for name in ("network", "station"):
        used = key_usage(keys, traffic, reading=name)
        assert used.utilisation == pytest.approx(1.0, rel=1e-12)
        np.testing.assert_allclose(used.pair_bits, 1e6 * traffic, rtol=1e-12)


def test_station_reading_by_hand() -> None:
    traffic = np.array([[0.0, 3.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    # A keeps 3/4 of 100 for B; B keeps 3/4 of 40 for A; C halves its 20
    pairs = station_pair_bits([100.0, 40.0, 20.0], traffic)
    np.testing.assert_allclose(pairs, [[0, 30, 10], [30, 0, 10], [10, 10, 0]], rtol=1e-15)


def test_traffic_from_weights() -> None:
    traffic = pair_traffic([2.0, 1.0, 1.0, 0.0])
    np.testing.assert_allclose(traffic[0], [0.0, 0.4, 0.4, 0.0], rtol=1e-15)
    assert np.triu(traffic).sum() == pytest.approx(1.0, rel=1e-15)


@given(KEYS, WEIGHTS, st.floats(1e-3, 1e3))
def test_the_unit_of_traffic_is_of_no_matter(keys: list[float], weights: list[float], factor: float) -> None:
    traffic = pair_traffic(weights[: len(keys)])
    for reading in (network_pair_bits, station_pair_bits):
        np.testing.assert_allclose(reading(keys, factor * traffic), reading(keys, traffic), rtol=1e-12)


def test_a_station_without_traffic_changes_nothing() -> None:
    keys, traffic = [7.0, 9.0, 4.0], pair_traffic([1.0, 2.0, 3.0])
    wider = np.zeros((4, 4))
    wider[:3, :3] = traffic
    for name in READINGS:
        fewer, more = key_usage(keys, traffic, reading=name), key_usage([*keys, 5.0], wider, reading=name)
        assert more.shared_bits == pytest.approx(fewer.shared_bits, rel=1e-9)
        assert more.unused_bits[3] == 5.0


def test_whole_keys_and_bits() -> None:
    used = key_usage([1000.0, 600.0, 700.0], [[0, 1, 0], [1, 0, 0], [0, 0, 0]], reading="free")
    assert (used.aes256_keys, used.one_time_pad_bits) == (2, 600)
    third = key_usage([256.0 * 3] * 4, everyone(4))  # 256 each, computed as 768 / 3 of a rounded proportion
    assert (third.aes256_keys, third.one_time_pad_bits) == (6, 6 * 256)


def test_nothing_delivered_is_nothing_used() -> None:
    for name in READINGS:
        used = key_usage([0.0, 0.0], everyone(2), reading=name)
        assert (used.shared_bits, used.utilisation, used.aes256_keys) == (0.0, 0.0, 0)


@pytest.mark.parametrize(
    ("keys", "traffic", "reading", "words"),
    [
        ([1.0, 2.0], everyone(3), "free", "2 rows"),
        ([1.0, -2.0], everyone(2), "free", "at least 0"),
        ([1.0, float("nan")], everyone(2), "network", "finite"),
        ([1.0, 2.0], [[0, 1], [2, 0]], "free", "symmetric"),
        ([1.0, 2.0], [[1, 1], [1, 0]], "station", "itself"),
        ([1.0, 2.0], [[0, 0], [0, 0]], "network", "at least one pair"),
        ([1.0, 2.0], [[0, -1], [-1, 0]], "network", "at least 0"),
        ([1.0, 2.0], everyone(2), "fair", "network, station, free"),
    ],
)
def test_what_is_refused(keys: list[float], traffic: object, reading: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        key_usage(keys, traffic, reading=reading)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [[1.0, 0.0], [0.0, 0.0], [1.0, -1.0], [1.0, float("inf")]])
def test_weights_that_make_no_traffic(weights: list[float]) -> None:
    with pytest.raises(InputError, match="weights"):
        pair_traffic(weights)
