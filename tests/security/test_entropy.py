"""Binary entropy."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.security.entropy import binary_entropy, binary_entropy_scalar


def test_ends_are_exactly_zero_and_the_middle_one() -> None:
    assert binary_entropy([0.0, 0.5, 1.0]).tolist() == [0.0, 1.0, 0.0]
    assert [binary_entropy_scalar(x) for x in (0.0, 0.5, 1.0)] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("x", [1e-300, 1e-12, 0.01, 0.11, 0.3, 0.4999, 0.9])
def test_matches_extended_precision(x: float) -> None:
    with mp.workdps(50):
        exact = -(mp.mpf(x) * mp.log(x, 2) + (1 - mp.mpf(x)) * mp.log(1 - mp.mpf(x), 2))
    assert float(binary_entropy(x)) == pytest.approx(float(exact), rel=1e-14)
    assert binary_entropy_scalar(x) == pytest.approx(float(exact), rel=1e-14)


def test_keeps_the_shape_and_is_symmetric() -> None:
    x = np.linspace(0.0, 1.0, 12).reshape(3, 4)
    assert binary_entropy(x).shape == (3, 4)
    np.testing.assert_allclose(binary_entropy(x), binary_entropy(1.0 - x), rtol=1e-13, atol=1e-15)  # 1 - x rounds


@pytest.mark.parametrize("x", [-1e-9, 1.5, float("nan")])
def test_refuses_what_is_no_probability(x: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        binary_entropy([0.5, x])
    with pytest.raises(InputError, match="between 0 and 1"):
        binary_entropy_scalar(x)
