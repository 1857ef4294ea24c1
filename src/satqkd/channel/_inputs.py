"""Checks of arrays that the channel's kernels share."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["choice", "in_range", "positive"]

Entry = TypeVar("Entry")


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


def choice(name: str, value: str, table: Mapping[str, Entry]) -> Entry:
    """Entry of a table of named options.

    Parameters
    ----------
    name : str
        What the message calls the option.
    value : str
        The option's value.
    table : mapping
        What is allowed.

    Returns
    -------
    object
        The entry.

    Raises
    ------
    InputError
        For an unknown value, with the nearest ones.
    """
    if value in table:
        return table[value]
    near = difflib.get_close_matches(str(value).lower(), table, n=3, cutoff=0.4)
    hint = f"nearest: {', '.join(near)}; " if near else ""
    raise InputError(f"{name}: {value!r} is not known, {hint}allowed: {', '.join(table)}")
