"""Compiled Lanczos process of :mod:`satqkd.security.quadrature`; import inside functions only: it loads Numba."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from satqkd.security._compiled import FLOAT, FOUR, MATRIX, VECTOR, compiled, helper

__all__ = ["BREAKDOWN", "lanczos"]

BREAKDOWN = 1e-12
"""A relative spread, or a vector's length, below which the measure has no further points."""


@helper(FLOAT(VECTOR, VECTOR), reorder=True)
def _dot(a: Any, b: Any) -> float:
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@compiled(FOUR(VECTOR, VECTOR, MATRIX))
def lanczos(points: Any, mass: Any, jacobi: Any) -> tuple[float, float, float, float]:
    """Fill the lower triangle of the Jacobi matrix of a discrete measure; ``jacobi`` is zero when called.

    Returns the least and the greatest point, the total mass and the rows filled: fewer than there are if fewer
    represent the measure exactly. The points are first mapped to [-1, 1]. The mass is NaN if a number is not finite or
    a weight negative.
    """
    low, high, total = math.inf, -math.inf, 0.0
    for i in range(points.size):
        if not (mass[i] >= 0.0 and mass[i] < math.inf and abs(points[i]) < math.inf):
            return low, high, math.nan, 0.0
        total += mass[i]
        if mass[i] > 0.0:
            low, high = min(low, points[i]), max(high, points[i])
    if total == 0.0 or high - low <= 2.0 * BREAKDOWN * max(abs(low), abs(high)):
        return low, high, total, 0.0
    n, image = jacobi.shape[0], np.empty(points.size)
    basis, x = np.empty((n, points.size)), np.empty(points.size)
    for i in range(points.size):
        x[i] = (2.0 * points[i] - low - high) / (high - low)
        image[i] = math.sqrt(mass[i] / total)
    for j in range(n):
        norm = math.sqrt(_dot(image, image))
        if norm <= BREAKDOWN:
            return low, high, total, float(j)
        if j > 0:
            jacobi[j, j - 1] = norm
        for i in range(x.size):
            basis[j, i] = image[i] / norm
            image[i] = x[i] * basis[j, i]
        for k in range(j, -1, -1):  # all of them: rounding would bring back what was taken out
            along = _dot(basis[k], image)
            if k == j:
                jacobi[j, j] = along
            for i in range(x.size):
                image[i] -= along * basis[k, i]
    return low, high, total, float(n)
