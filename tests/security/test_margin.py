"""Margins and sufficient counts on functions whose edge is known."""

from __future__ import annotations

import math

import pytest

from satqkd.errors import InputError
from satqkd.security.margin import counts_needed, margin_db


@pytest.mark.parametrize("edge_db", [-55.0, -13.7, -0.3, 0.2, 3.0, 42.0, 59.5])
def test_finds_the_edge_from_the_side_with_a_key(edge_db: float) -> None:
    def key(factor: float) -> float:
        return 2.0 if factor >= 10.0 ** (-edge_db / 10.0) else -5.0

    found = margin_db(key, tolerance_db=1e-4)
    assert found == pytest.approx(edge_db, abs=1e-4)
    assert key(10.0 ** (-found / 10.0)) > 0.0


def test_beyond_the_range() -> None:
    assert margin_db(lambda _: 1e6) == math.inf
    assert margin_db(lambda _: -1.0) == -math.inf
    assert margin_db(lambda factor: factor - 1e5, limit_db=40.0) == -math.inf
    assert margin_db(lambda factor: factor - 100.0, max_gain_db=10.0) == -math.inf
    assert margin_db(lambda factor: factor - 100.0, max_gain_db=30.0) == pytest.approx(-20.043, abs=2e-3)
    assert margin_db(lambda factor: -factor, max_gain_db=0.0) == -math.inf


def test_less_than_one_bit_is_no_key() -> None:
    assert margin_db(lambda factor: 0.9 * factor) == pytest.approx(10.0 * math.log10(0.9), abs=1e-3)


@pytest.mark.parametrize("needed", [1.3, 40.0, 7e7])
def test_counts_needed(needed: float) -> None:
    found = counts_needed(lambda factor: factor / needed)
    assert found == pytest.approx(needed * 1.005, rel=0.006)  # at most 1 % above, never below
    assert found >= needed


def test_counts_that_no_factor_makes_sufficient() -> None:
    assert counts_needed(lambda _: 0.0) is None


@pytest.mark.parametrize(
    "bad", [{"limit_db": 0.0}, {"tolerance_db": 0.0}, {"max_gain_db": -1.0}, {"limit_db": math.inf}]
)
def test_bad_limits_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="margin_db"):
        margin_db(lambda factor: factor, **bad)
