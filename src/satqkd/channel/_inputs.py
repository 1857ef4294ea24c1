"""Checks of arrays that the channel's kernels share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["in_range", "positive"]


def positive(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Array of positive finite numbers.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : array_like
        Any shape.

    Returns
    -------
    ndarray
        The values as floats.

    Raises
    ------
    InputError
        With the first value that is not positive and finite.
    """
    values = np.asarray(value, dtype=np.float64)
    good = np.isfinite(values) & (values > 0.0)
    if not np.all(good):
        raise InputError(f"{name}: {values[~good].flat[0]:g} is not allowed, positive and finite only")
    return values


def in_range(name: str, value: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Array of numbers within closed limits.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : array_like
        Any shape.
    low, high : float
        Limits; an infinite one only excludes NaN and infinity.

    Returns
    -------
    ndarray
        The values as floats.

    Raises
    ------
    InputError
        With the first value outside, NaN included.
    """
    values = np.asarray(value, dtype=np.float64)
    good = np.isfinite(values) & (values >= low) & (values <= high)
    if not np.all(good):
        raise InputError(f"{name}: {values[~good].flat[0]:g} is not allowed, from {low:g} to {high:g} only")
    return values
