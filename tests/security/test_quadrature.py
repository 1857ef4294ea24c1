"""Gauss nodes of a discrete measure: moments, known rules, scaling, few points, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.security.quadrature import gauss_nodes


@pytest.mark.parametrize("order", [1, 3, 8, 12])
def test_moments_up_to_twice_the_nodes(order: int) -> None:
    rng = np.random.default_rng(order)
    values, weights = rng.uniform(-1.0, 1.0, 300), rng.uniform(0.0, 3.0, 300)
    nodes, masses = gauss_nodes(values, weights, order=order)
    assert nodes.size == order
    assert np.all(np.diff(nodes) > 0.0)
    assert np.all(masses > 0.0)
    for degree in range(2 * order):
        direct = math.fsum(w * v**degree for v, w in zip(values, weights, strict=True))
        assert masses @ nodes**degree == pytest.approx(direct, abs=1e-12 * weights.sum())  # rounding of 300 terms
    beyond = math.fsum(w * v ** (2 * order) for v, w in zip(values, weights, strict=True))
    assert abs(masses @ nodes ** (2 * order) - beyond) > 1e-9 * weights.sum()  # and not further


def test_equal_weights_on_chebyshev_points_give_the_chebyshev_rule() -> None:
    """The measure of 200 Chebyshev points is the Chebyshev measure for polynomials of degree below 400."""
    points = np.cos((np.arange(200) + 0.5) * math.pi / 200)
    nodes, masses = gauss_nodes(points, np.full(200, 1.0 / 200.0), order=8)
    expected = np.cos((np.arange(8)[::-1] + 0.5) * math.pi / 8.0)
    np.testing.assert_allclose(nodes, expected, atol=1e-13)  # rounding
    np.testing.assert_allclose(masses, 0.125, atol=1e-13)


def test_scale_of_the_values_does_not_matter() -> None:
    values = np.linspace(1.0, 7.0, 50) ** 2
    nodes, masses = gauss_nodes(values, values, order=6)
    scaled, same = gauss_nodes(1e-9 * values, values, order=6)
    np.testing.assert_allclose(1e9 * scaled, nodes, rtol=1e-12)  # rounding
    np.testing.assert_allclose(same, masses, rtol=1e-10)


def test_few_points_are_represented_exactly() -> None:
    nodes, masses = gauss_nodes([2.0, 5.0, 3.0, 2.0, 9.0], [1.0, 2.0, 4.0, 3.0, 0.0], order=8)
    np.testing.assert_allclose(nodes, [2.0, 3.0, 5.0], rtol=1e-14)
    np.testing.assert_allclose(masses, [4.0, 4.0, 2.0], rtol=1e-13)
    nodes, masses = gauss_nodes([0.3, 0.3, 0.3], [1.0, 2.0, 4.0])
    np.testing.assert_allclose((nodes, masses), ([0.3], [7.0]), rtol=1e-15)
    assert gauss_nodes([1.0, 2.0], [0.0, 0.0])[0].size == gauss_nodes([], [])[0].size == 0


@pytest.mark.parametrize(
    ("values", "weights", "order", "words"),
    [
        ([1.0, 2.0], [1.0], 4, "equally many"),
        ([1.0, math.nan], [1.0, 1.0], 4, "finite"),
        ([1.0, 2.0], [1.0, math.inf], 4, "finite"),
        ([1.0, 2.0], [1.0, -1.0], 4, "not negative"),
        ([1.0, 2.0], [1.0, 1.0], 0, "at least 1"),
    ],
)
def test_bad_input_is_refused(values: list[float], weights: list[float], order: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        gauss_nodes(values, weights, order=order)
