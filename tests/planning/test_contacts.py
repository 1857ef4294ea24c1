"""Contacts of a plan: they are the plan, cut where it must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from satqkd.planning.contacts import contacts_of


@given(arrays(np.int64, (2, 9), elements=st.integers(-2, 2)), st.lists(st.integers(1, 3), min_size=9, max_size=9))
def test_contacts_are_the_plan(assignment: np.ndarray, steps: list[int]) -> None:
    interval = np.cumsum(steps)
    bits = np.random.default_rng(1).random((2, 9, 3))
    found = contacts_of(assignment, interval=interval, bits=bits, over_idle=False)
    again = np.full_like(assignment, -1)
    delivered = 0.0
    for one in found:
        rows = (interval >= one.first) & (interval <= one.last)
        assert rows.sum() == one.last - one.first + 1  # no index missing within
        again[one.satellite, rows] = one.station
        delivered += one.bits
    np.testing.assert_array_equal(again, np.maximum(assignment, -1))
    served = assignment >= 0
    # rounding of at most 18 sums
    assert delivered == pytest.approx(
        np.take_along_axis(bits, np.maximum(assignment, 0)[..., None], 2)[..., 0][served].sum(), rel=1e-12
    )
    assert [(one.first, one.satellite) for one in found] == sorted((one.first, one.satellite) for one in found)
    # as long as they can be
    for one in found:
        before = (interval == one.first - 1).nonzero()[0]
        assert not before.size or assignment[one.satellite, before[0]] != one.station


def test_a_pass_served_in_two_parts_is_one_pass() -> None:
    bits = np.ones((1, 7, 2))
    bits[0, 0, 0] = 0.0
    found = contacts_of([[-1, -1, 0, -2, 1, -2, 0]], interval=[2, 3, 4, 5, 6, 7, 8], bits=bits)
    assert [(one.station, one.view_first, one.part) for one in found] == [(0, 3, 0), (1, 2, 0), (0, 3, 1)]


def test_a_pause_is_within_a_contact_unless_another_satellite_has_the_station() -> None:
    plan = np.array([[0, -1, 0, -1, -1, 0], [-1, -1, -1, -1, 0, -1]])
    found = contacts_of(plan, interval=range(6), bits=np.ones((2, 6, 1)))
    assert [(one.satellite, one.first, one.last, one.served) for one in found] == [
        (0, 0, 2, 2),
        (1, 4, 4, 1),
        (0, 5, 5, 1),
    ]
    apart = contacts_of(plan, interval=range(6), bits=np.ones((2, 6, 1)), over_idle=False)
    assert [(one.first, one.last) for one in apart] == [(0, 0), (2, 2), (4, 4), (5, 5)]
    turned = contacts_of([[0, -2, 0]], interval=range(3), bits=np.ones((1, 3, 1)))
    assert len(turned) == 2


@given(arrays(np.int64, (2, 9), elements=st.integers(-2, 2)), st.lists(st.integers(1, 3), min_size=9, max_size=9))
def test_pauses_change_neither_what_is_served_nor_the_bits(assignment: np.ndarray, steps: list[int]) -> None:
    interval, bits = np.cumsum(steps), np.random.default_rng(1).random((2, 9, 3))
    sums = []
    for over_idle in (False, True):
        found = contacts_of(assignment, interval=interval, bits=bits, over_idle=over_idle)
        sums.append((sum(one.served for one in found), sum(one.bits for one in found)))
        for one in found:
            rows = (interval >= one.first) & (interval <= one.last)
            assert set(assignment[one.satellite, rows].tolist()) <= {one.station, -1}
            assert (assignment[one.satellite, rows] == one.station).sum() == one.served
    assert sums[0] == pytest.approx(sums[1], rel=1e-12)


def test_a_gap_in_the_index_ends_contact_and_pass() -> None:
    found = contacts_of([[0, 0]], interval=[4, 9], bits=np.ones((1, 2, 1)))
    assert [(one.first, one.last, one.view_first) for one in found] == [(4, 4, 4), (9, 9, 9)]


def test_nothing_served() -> None:
    assert contacts_of([[-1, -2]], interval=[1, 2], bits=np.ones((1, 2, 1))) == []
