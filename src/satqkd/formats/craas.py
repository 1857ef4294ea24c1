"""CRAAS, joint histograms of cloud optical thickness and cloud top pressure over Europe, reduced to thickness.

Files are NetCDF, 1 x 1 deg. Names of variables and dimensions differ between releases: :class:`CraasNames` has them.

References
----------
.. [1] V. Tzallas et al., "CRAAS: A European Cloud Regime dAtAset Based on the CLAAS-2.1 Climate Data Record", Remote
   Sens. 14, 5548 (2022).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.formats._netcdf import opened
from satqkd.formats.cloud_grids import corners, weighted

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CotBins", "CraasNames", "read_craas"]


@dataclass(frozen=True)
class CraasNames:
    """Names in a file.

    Parameters
    ----------
    histogram : str
        Variable of the joint histogram.
    latitude, longitude : str
        Coordinates and dimensions of the grid.
    cot : str
        Dimension of the bins of optical thickness; its bins are in the order of its coordinate, or start with the
        thinnest if it has none.
    pressure, phase : str
        Dimensions that are summed over; a file may lack them.
    time : str
        Dimension and coordinate of time; a file of means may lack it.
    """

    histogram: str = "hist"
    latitude: str = "lat"
    longitude: str = "lon"
    cot: str = "cot"
    pressure: str = "ctp"
    phase: str = "phase"
    time: str = "time"

    @classmethod
    def of(cls, **given: str) -> CraasNames:
        """Names with some changed; raises :class:`~satqkd.errors.InputError` for a name of no such thing."""
        known = [field.name for field in fields(cls)]
        for key in given:
            if key not in known:
                raise InputError(f'name of "{key}" is not needed: known are {", ".join(known)}')
        return cls(**given)


@dataclass(frozen=True)
class CotBins:
    """Fractions of time per bin of optical thickness.

    Parameters
    ----------
    fraction : ndarray
        Shape (time, place, bin), thinnest bin first; NaN: no data. [1]
    times : ndarray of datetime64[ns] or None
        One per time; None for a file without time, which then has one.
    """

    fraction: NDArray[np.float64]
    times: NDArray[np.datetime64] | None


def read_craas(
    path: Path,
    *,
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    space: str = "nearest",
    names: CraasNames | None = None,
) -> CotBins:
    """Read the bins of optical thickness at places.

    Parameters
    ----------
    path : Path
        File.
    latitude_deg, longitude_deg : array_like
        Places, shape (n,). [deg]
    space : {"nearest", "bilinear"}
        Cell that holds the place, or interpolation between the four around it.
    names : CraasNames, optional
        Names in the file.

    Returns
    -------
    CotBins
        Summed over pressure and phase. A time at which any bin of a cell is missing has no data there.

    Raises
    ------
    InputError
        If the file is no such file, lacks a variable or dimension, has others than these, or its values are no
        fractions or percentages.
    """
    with opened(path) as dataset:
        return _read(dataset, np.asarray(latitude_deg), np.asarray(longitude_deg), space, names or CraasNames())


def _read(dataset: xr.Dataset, latitude_deg: Any, longitude_deg: Any, space: str, names: CraasNames) -> CotBins:
    for name in (names.histogram, names.latitude, names.longitude):
        if name not in dataset.variables:
            has = ", ".join(sorted(map(str, dataset.variables))) or "none"
            raise InputError(f'no variable "{name}"; it has {has}')
    histogram = dataset[names.histogram]
    dims = [str(name) for name in histogram.dims]
    for name in (names.latitude, names.longitude, names.cot):
        if name not in dims:
            raise InputError(f'"{names.histogram}" has no dimension "{name}"; it has {", ".join(dims)}')
    kept = (names.time, names.latitude, names.longitude, names.cot)
    summed = [name for name in dims if name in (names.pressure, names.phase)]
    others = [name for name in dims if name not in kept and name not in summed]
    if others:
        raise InputError(f'"{names.histogram}" has the unknown dimension "{others[0]}"')
    if names.cot in dataset.coords and dataset[names.cot].dtype.kind in "iuf":
        histogram = histogram.sortby(names.cot)
    cells = corners(
        dataset[names.latitude].values,
        dataset[names.longitude].values,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        space=space,
    )
    timed = names.time in dims
    around = histogram.astype(np.float64).isel(
        {names.latitude: slice(int(cells.row.min()), int(cells.row.max()) + 1)}
        | {names.longitude: slice(int(cells.column.min()), int(cells.column.max()) + 1)}
    )
    # a missing bin makes its cell missing: skipna would count it as zero
    reduced = around.sum(summed, skipna=False) if summed else around
    order = [names.time] * timed + [names.cot, names.latitude, names.longitude]
    block = np.asarray(reduced.transpose(*order).values, dtype=np.float64)
    if str(histogram.attrs.get("units", "1")).strip() in ("%", "percent"):
        block = block / 100.0
    picked = block[..., cells.row - cells.row.min(), cells.column - cells.column.min()]
    bins = np.moveaxis(weighted(picked if timed else picked[None], cells.weight), -2, -1)
    bins = np.where(np.isnan(bins).any(axis=-1, keepdims=True), np.nan, bins)
    known = bins[~np.isnan(bins)]
    # 1e-5: sums of single-precision fractions
    if known.size and (known.min() < 0.0 or np.nansum(bins, axis=-1).max() > 1.0 + 1e-5):
        raise InputError(
            f'"{names.histogram}" holds no fractions: bins from {known.min():g}, sums to '
            f'{np.nansum(bins, axis=-1).max():g}; a file in percent needs the attribute units = "%"'
        )
    times = dataset[names.time].values if timed else None
    if times is not None and times.dtype.kind != "M":
        raise InputError(f'"{names.time}" has no time: its attribute units must be like "hours since 2004-01-01"')
    return CotBins(fraction=bins, times=None if times is None else times.astype("M8[ns]"))
