"""Divergence and its cuts: arbitrary precision, convexity, validity."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.planning.divergence import divergence_cut, kl_divergence

amounts = st.lists(st.floats(0.0, 1e9), min_size=4, max_size=4).filter(lambda b: sum(b) > 1.0)
shares = st.lists(st.floats(1e-3, 1.0), min_size=4, max_size=4).map(lambda w: np.array(w) / sum(w))


def exact(delivered: list[float], weights: np.ndarray) -> mpmath.mpf:
    with mpmath.workdps(60):
        q = [mpmath.mpf(float(w)) for w in weights]
        total, whole = mpmath.fsum(map(mpmath.mpf, delivered)), mpmath.fsum(q)
        parts = [mpmath.mpf(e) / total for e in delivered]
        return mpmath.fsum(p * mpmath.log(p / (w / whole)) for p, w in zip(parts, q, strict=True) if p)


@given(amounts, shares)
def test_equals_arbitrary_precision(delivered: list[float], weights: np.ndarray) -> None:
    # Shares near the weights cancel: their rounding of 1e-16 is squared, that of the sum of weights is not.
    assert kl_divergence(delivered, weights) == pytest.approx(float(exact(delivered, weights)), rel=1e-11, abs=1e-15)


def test_extremes() -> None:
    assert kl_divergence([0, 7], [0.75, 0.25]) == pytest.approx(np.log(4), rel=1e-15)
    assert kl_divergence([3, 1], [0.75, 0.25]) == 0.0
    assert kl_divergence([1, 1], [1.0, 0.0]) == np.inf
    assert kl_divergence([1, 0], [1.0, 0.0]) == 0.0


@given(amounts, amounts, shares, st.floats(0.0, 1.0))
def test_is_convex_in_what_is_delivered(a: list[float], b: list[float], weights: np.ndarray, part: float) -> None:
    """total x divergence is convex: that is why linear cuts describe the limit."""

    def excess(bits: np.ndarray) -> float:
        return float(bits.sum()) * kl_divergence(bits, weights)

    first, second = np.array(a), np.array(b)
    between = part * excess(first) + (1 - part) * excess(second)
    mixed = excess(part * first + (1 - part) * second)
    assert mixed <= between + 1e-9 * (first.sum() + second.sum())


@given(amounts, amounts, shares, st.floats(0.0, 1.0))
def test_cut_holds_wherever_the_limit_does_and_is_tight(
    at: list[float], other: list[float], weights: np.ndarray, kl_max: float
) -> None:
    cut = divergence_cut(at, weights, kl_max)
    total = sum(at)
    assert cut @ at == pytest.approx(total * (kl_divergence(at, weights) - kl_max), abs=1e-8 * total)
    excess = sum(other) * (kl_divergence(other, weights) - kl_max)
    assert cut @ other <= excess + 1e-9 * sum(other)


def test_cut_ignores_a_station_without_weight() -> None:
    assert divergence_cut([1.0, 3.0, 0.0], [0.5, 0.5, 0.0], 0.1)[2] == 0.0
