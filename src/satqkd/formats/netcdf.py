"""NetCDF files with CF attributes, and what produced them, inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.errors import InputError
from satqkd.formats._netcdf import opened
from satqkd.variables import VARIABLES, describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["read_netcdf", "write_netcdf"]


def write_netcdf(dataset: xr.Dataset, path: Path, *, attributes: dict[str, Any]) -> None:
    """Write a dataset so that the same content gives the same file.

    Parameters
    ----------
    dataset : xarray.Dataset
        A stage's output.
    path : Path
        File to write.
    attributes : dict
        Global attributes: version, scenario as JSON, hash, seed.
    """
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind == "f":
            encoding[str(name)] = {"zlib": True, "complevel": 1, "shuffle": True}
        elif variable.dtype.kind == "M":
            # integers of the coarsest unit that is exact
            values = variable.values.astype("M8[ns]").astype(np.int64)
            unit = next(
                unit
                for unit, size in (("seconds", 10**9), ("microseconds", 10**3), ("nanoseconds", 1))
                if not np.any(values % size)
            )
            encoding[str(name)] = {"units": f"{unit} since 1970-01-01T00:00:00", "dtype": "int64"}
    stamped = dataset.assign_attrs(Conventions="CF-1.11", **attributes)
    stamped.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def read_netcdf(path: Path) -> xr.Dataset:
    """Read a dataset that :func:`write_netcdf` wrote, wholly into memory.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    xarray.Dataset
        With the attributes of :data:`satqkd.variables.VARIABLES`.

    Raises
    ------
    InputError
        If the file is missing or is not such a file.
    """
    with opened(path) as dataset:
        loaded = dataset.load()
    for name in loaded.variables:
        if name not in VARIABLES:
            raise InputError(f'{path}: variable "{name}" is none of this program')
    return describe(loaded)
