"""Keys and weights as users have them, to arrays; everything that can be wrong with them is one clear line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError

__all__ = ["read_keys", "read_weights"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DIMENSIONS = ("satellite", "interval", "station")


def read_keys(keys: Any) -> tuple[Floats, Integers, tuple[str, ...], tuple[str, ...]]:
    """Bits, intervals, satellites and stations.

    Parameters
    ----------
    keys : xarray.DataArray or table
        With dims (satellite, interval, station), the satellite optional; or a data frame or mapping of names to
        columns, one of them ``interval``, the others stations.

    Returns
    -------
    bits : ndarray, shape (n_satellites, n_intervals, n_stations)
        By increasing interval. [bit]
    interval : ndarray of int, shape (n_intervals,)
        Indices.
    satellites, stations : tuple of str
        Names.

    Raises
    ------
    InputError
        If the keys are no such table, empty, negative, not finite, or list an interval or station twice.
    """
    read = _read_array if hasattr(keys, "dims") and hasattr(keys, "transpose") else _read_table
    bits, interval, satellites, stations = read(keys)
    if not bits.size:
        raise InputError(
            f"keys: empty, {bits.shape[0]} satellites, {bits.shape[1]} intervals and {bits.shape[2]} stations; "
            "at least one of each is needed"
        )
    for kind, names in (("satellite", satellites), ("station", stations)):
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"keys: {kind} {name} is listed {names.count(name)} times")
    index = _whole_numbers(interval)
    order = np.argsort(index, kind="stable")
    bits, index = np.ascontiguousarray(bits[:, order]), index[order]
    twice = np.flatnonzero(np.diff(index) == 0)
    if len(twice):
        raise InputError(f"keys: interval {index[twice[0]]} is listed more than once")
    wrong = np.argwhere(~(np.isfinite(bits) & (bits >= 0.0)))
    if len(wrong):
        s, m, n = wrong[0]
        raise InputError(
            f"keys: {bits[s, m, n]:g} bits for {stations[n]} in interval {index[m]}: must be finite and at least 0"
        )
    with np.errstate(over="ignore"):
        total = bits.sum()
    if not np.isfinite(total):
        raise InputError(f"keys: up to {bits.max():g} bits in an interval add up to more than a float holds")
    return bits, index, satellites, stations


def _read_array(keys: Any) -> tuple[Floats, Any, tuple[str, ...], tuple[str, ...]]:
    """A DataArray with named dimensions."""
    if set(keys.dims) not in ({*DIMENSIONS}, {*DIMENSIONS[1:]}):
        raise InputError(f"keys: dims {tuple(keys.dims)}; (satellite, interval, station) are needed")
    if "satellite" not in keys.dims:
        keys = keys.expand_dims("satellite")
    ordered = keys.transpose(*DIMENSIONS)
    names = []
    for dim in ("satellite", "station"):
        named = dim in ordered.coords and ordered.coords[dim].ndim == 1
        names.append(tuple(str(name) for name in (ordered[dim].values if named else range(ordered.sizes[dim]))))
    interval = ordered["interval"].values  # counted from 0 if there is no coordinate
    return _numbers(ordered.values, "keys"), interval, names[0], names[1]


def _read_table(keys: Any) -> tuple[Floats, Any, tuple[str, ...], tuple[str, ...]]:
    """A data frame or a mapping of columns."""
    try:
        columns = {name: np.asarray(keys[name]) for name in keys}
    except (TypeError, KeyError, IndexError):
        raise InputError(
            f"keys: a {type(keys).__name__}; a DataArray (satellite, interval, station) or a table is needed"
        ) from None
    if "interval" not in columns and getattr(getattr(keys, "index", None), "name", None) == "interval":
        columns["interval"] = np.asarray(keys.index)
    if "interval" not in columns:
        raise InputError(f"keys: no column 'interval' among {', '.join(map(str, columns)) or 'none'}")
    interval = columns.pop("interval")
    stations = tuple(str(name) for name in columns)
    for name, column in zip(stations, columns.values(), strict=True):
        if column.shape != interval.shape or column.ndim != 1:
            raise InputError(f"keys: column {name} has {column.size} rows, column interval has {interval.size}")
    bits = np.empty((1, interval.size, len(stations)))
    for n, (name, column) in enumerate(zip(stations, columns.values(), strict=True)):
        bits[0, :, n] = _numbers(column, f"keys: column {name}")
    return bits, interval, ("satellite",), stations


def _numbers(values: Any, where: str) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{where}: bits must be numbers") from None


def _whole_numbers(interval: Any) -> Integers:
    try:
        index = np.asarray(interval, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("keys: interval must be whole numbers") from None
    wrong = np.flatnonzero(~(np.isfinite(index) & (index == np.rint(index))))
    if len(wrong):
        raise InputError(f"keys: interval {index[wrong[0]]:g} is not a whole number")
    return index.astype(np.int64)


def read_weights(weights: Mapping[str, float], stations: tuple[str, ...]) -> Floats:
    """Weights of sum 1 in the order of the stations.

    Parameters
    ----------
    weights : mapping of str to float
        Number at least 0 for each station.
    stations : tuple of str
        Names.

    Returns
    -------
    ndarray, shape (n_stations,)
        Shares of sum 1.

    Raises
    ------
    InputError
        If the names are not those of the stations, a weight is negative or not finite, or all are zero.
    """
    names = [str(name) for name in weights]
    missing = [name for name in stations if name not in names]
    unknown = [name for name in names if name not in stations]
    if missing or unknown:
        parts = [f"none for {', '.join(missing)}"] * bool(missing) + [f"unknown {', '.join(unknown)}"] * bool(unknown)
        raise InputError(f"weights do not match the stations: {'; '.join(parts)}")
    given = {str(name): weight for name, weight in weights.items()}
    for name in stations:
        try:
            number = float(given[name])
        except (TypeError, ValueError):
            raise InputError(f"weights: {given[name]!r} for {name} is not a number") from None
        if not (np.isfinite(number) and number >= 0.0):
            raise InputError(f"weights: {number:g} for {name}: must be finite and at least 0")
    values = np.array([float(given[name]) for name in stations])
    if not values.any():
        raise InputError("weights: all are zero; at least one must be positive")
    # Twice, so that huge and tiny weights neither overflow nor lose digits.
    values = values / values.max()
    return np.asarray(values / values.sum())
