"""Values at a place and an instant from gridded files: nearest or linear, and no data where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["SPACE_METHODS", "TIME_METHODS", "Corners", "corners", "sample_times", "weighted"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Corners:
    """Grid cells that make up the value at each of n places.

    Parameters
    ----------
    row, column : ndarray of int
        Indices into latitude and longitude, shape (n, k), k = 1 for nearest and 4 for bilinear.
    weight : ndarray
        Shape (n, k), at least 0, sum 1 along the last axis. [1]
    """

    row: IntArray
    column: IntArray
    weight: FloatArray


def corners(
    grid_latitude_deg: ArrayLike,
    grid_longitude_deg: ArrayLike,
    *,
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    space: str = "nearest",
) -> Corners:
    """Find the cells around places in a regular grid.

    Parameters
    ----------
    grid_latitude_deg, grid_longitude_deg : array_like
        Centres of the cells, one-dimensional, rising or falling throughout. [deg]
    latitude_deg, longitude_deg : array_like
        Places, shape (n,). [deg]
    space : str
        A key of :data:`SPACE_METHODS`.

    Returns
    -------
    Corners
        Cells and weights. A grid around the whole Earth is closed in longitude.

    Raises
    ------
    InputError
        If the grid is no regular one, or a place lies outside: for ``nearest`` more than half a cell beyond the
        outermost centres, for ``bilinear`` beyond them.
    """
    if space not in SPACE_METHODS:
        raise InputError(f'space "{space}" is not known: known are {", ".join(SPACE_METHODS)}')
    latitudes, longitudes = _axis(grid_latitude_deg, "latitude"), _axis(grid_longitude_deg, "longitude")
    step = float(np.abs(np.diff(longitudes)).max())
    count, lowest = longitudes.size, longitudes.min() - 0.5 * step
    if abs(abs(longitudes[-1] - longitudes[0]) + step - 360.0) < 0.01 * step:
        longitudes = np.append(longitudes, longitudes[0] + np.copysign(360.0, longitudes[-1] - longitudes[0]))
        lowest = longitudes.min()
    places = np.asarray(longitude_deg, dtype=np.float64)
    row, row_weight = SPACE_METHODS[space](latitudes, np.asarray(latitude_deg, dtype=np.float64), "latitude")
    column, column_weight = SPACE_METHODS[space](longitudes, lowest + (places - lowest) % 360.0, "longitude")
    pairs = row_weight[:, :, None] * column_weight[:, None, :]
    shape = (pairs.shape[0], -1)
    return Corners(
        row=np.broadcast_to(row[:, :, None], pairs.shape).reshape(shape),
        column=np.broadcast_to(column[:, None, :] % count, pairs.shape).reshape(shape),
        weight=pairs.reshape(shape),
    )


def weighted(values: ArrayLike, weight: ArrayLike) -> FloatArray:
    """Weighted sum along the last axis; NaN (no data) if anything of positive weight is NaN."""
    value, share = np.broadcast_arrays(np.asarray(values, dtype=np.float64), np.asarray(weight, dtype=np.float64))
    return np.asarray(np.sum(np.where(share > 0.0, value, 0.0) * share, axis=-1))


def sample_times(
    file_times: NDArray[np.datetime64],
    values: FloatArray,
    times: NDArray[np.datetime64],
    *,
    time: str = "nearest",
    max_gap_s: float,
) -> FloatArray:
    """Values at given instants from values at the times of files.

    Parameters
    ----------
    file_times : ndarray of datetime64
        Times of the files, increasing, shape (m,).
    values : ndarray
        One row per file, NaN: no data, shape (m, n).
    times : ndarray of datetime64
        Instants wanted, shape (k,).
    time : str
        A key of :data:`TIME_METHODS`.
    max_gap_s : float
        Largest distance between two files across which they stand for the time between them. [s]

    Returns
    -------
    ndarray
        Shape (k, n), NaN where a value needed is missing or the gap between files is longer. [as ``values``]

    Raises
    ------
    InputError
        For an instant outside the files: for ``nearest`` more than half of ``max_gap_s`` from the first or last.
    """
    if time not in TIME_METHODS:
        raise InputError(f'time "{time}" is not known: known are {", ".join(TIME_METHODS)}')
    # milliseconds since the first file: exact in float64
    origin = file_times[0].astype("M8[ms]")
    axis = (file_times.astype("M8[ms]") - origin) / np.timedelta64(1, "s")
    wanted = (times.astype("M8[ms]") - origin) / np.timedelta64(1, "s")
    margin_s = 0.5 * max_gap_s if time == "nearest" else 0.0
    if wanted.min() < axis[0] - margin_s or wanted.max() > axis[-1] + margin_s:
        raise InputError(
            f"times from {_text(times.min())} to {_text(times.max())} are not all within the files, which cover "
            f"{_text(file_times[0])} to {_text(file_times[-1])}"
        )
    return TIME_METHODS[time](axis, values, wanted, max_gap_s)


def _text(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, unit='s')}Z"


def _axis(values: ArrayLike, what: str) -> FloatArray:
    axis = np.asarray(values, dtype=np.float64)
    steps = np.diff(axis) if axis.ndim == 1 else np.array([])
    if steps.size == 0 or not (np.all(steps > 0.0) or np.all(steps < 0.0)):
        raise InputError(f"{what} of the grid must be one-dimensional with at least two values that rise or fall")
    return axis


def _nearest(axis: FloatArray, places: FloatArray, what: str) -> tuple[IntArray, FloatArray]:
    index = np.abs(axis[None, :] - places[:, None]).argmin(axis=1)
    half = 0.5 * float(np.abs(np.diff(axis)).max())
    # half a cell to rounding of coordinates in single precision
    _check_inside(np.abs(axis[index] - places) <= half * (1.0 + 1e-4), axis, places, what)
    return index[:, None].astype(np.int64), np.ones((places.size, 1))


def _bilinear(axis: FloatArray, places: FloatArray, what: str) -> tuple[IntArray, FloatArray]:
    _check_inside((places >= axis.min()) & (places <= axis.max()), axis, places, what)
    order = 1 if axis[-1] > axis[0] else -1
    low = np.clip(np.searchsorted(order * axis, order * places, side="right") - 1, 0, axis.size - 2)
    share = (places - axis[low]) / (axis[low + 1] - axis[low])
    return np.stack([low, low + 1], axis=1).astype(np.int64), np.stack([1.0 - share, share], axis=1)


def _check_inside(inside: NDArray[np.bool_], axis: FloatArray, places: FloatArray, what: str) -> None:
    if not np.all(inside):
        raise InputError(
            f"{what} {places[~inside][0]:g} deg is outside the grid, which has {axis.min():g} to {axis.max():g} deg"
        )


def _time_nearest(axis: FloatArray, values: FloatArray, wanted: FloatArray, max_gap_s: float) -> FloatArray:
    index = np.abs(axis[None, :] - wanted[:, None]).argmin(axis=1)
    near = np.abs(axis[index] - wanted) <= 0.5 * max_gap_s
    return np.where(near[:, None], values[index], np.nan)


def _time_linear(axis: FloatArray, values: FloatArray, wanted: FloatArray, max_gap_s: float) -> FloatArray:
    if axis.size == 1:
        return values[np.zeros(wanted.size, dtype=np.int64)]
    low = np.clip(np.searchsorted(axis, wanted, side="right") - 1, 0, axis.size - 2)
    gap_s = axis[low + 1] - axis[low]
    share = (wanted - axis[low]) / gap_s
    found = weighted(
        np.stack([values[low], values[low + 1]], axis=-1), np.stack([1.0 - share, share], axis=-1)[:, None, :]
    )
    bridged = (gap_s <= max_gap_s) | (share == 0.0) | (share == 1.0)
    return np.where(bridged[:, None], found, np.nan)


SpaceMethod = Callable[[FloatArray, FloatArray, str], tuple[IntArray, FloatArray]]
TimeMethod = Callable[[FloatArray, FloatArray, FloatArray, float], FloatArray]

SPACE_METHODS: Final[Mapping[str, SpaceMethod]] = MappingProxyType({"nearest": _nearest, "bilinear": _bilinear})
"""Name -> indices and weights along one axis."""

TIME_METHODS: Final[Mapping[str, TimeMethod]] = MappingProxyType({"nearest": _time_nearest, "linear": _time_linear})
"""Name -> interpolation along the files."""
