"""Checks of arrays given by a user: one line with name, first bad value and what is allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["between", "checked", "fraction", "not_negative", "positive"]

FloatArray = NDArray[np.float64]


def checked(name: str, values: FloatArray, allowed: NDArray[np.bool_], text: str) -> FloatArray:
    """The values if all of them (broadcast against ``allowed``) are allowed."""
    if not np.all(allowed):
        every, fine = np.broadcast_arrays(values, allowed)
        raise InputError(f"{name} = {float(every[~fine].ravel()[0])!r}: {text}")
    return values


def positive(name: str, value: ArrayLike) -> FloatArray:
    """Finite and above 0."""
    array = np.asarray(value, dtype=np.float64)
    return checked(name, array, (array > 0.0) & np.isfinite(array), "must be positive and finite")


def not_negative(name: str, value: ArrayLike) -> FloatArray:
    """Finite and at least 0."""
    array = np.asarray(value, dtype=np.float64)
    return checked(name, array, (array >= 0.0) & np.isfinite(array), "must be finite and not negative")


def fraction(name: str, value: ArrayLike) -> FloatArray:
    """Within [0, 1]."""
    array = np.asarray(value, dtype=np.float64)
    return checked(name, array, (array >= 0.0) & (array <= 1.0), "must be from 0 to 1")


def between(name: str, value_rad: ArrayLike, lowest_deg: float, highest_deg: float, why: str = "") -> FloatArray:
    """Angle within limits that are included; a rounding error outside is allowed."""
    array = np.asarray(value_rad, dtype=np.float64)
    degrees = np.degrees(array)
    inside = (degrees >= lowest_deg - 1e-9) & (degrees <= highest_deg + 1e-9)
    if not np.all(inside):
        raise InputError(
            f"{name} = {float(degrees[~inside].ravel()[0]):.6g} deg: must be from {lowest_deg:g} to "
            f"{highest_deg:g} deg{why}"
        )
    return array
