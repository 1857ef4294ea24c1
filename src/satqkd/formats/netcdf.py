"""NetCDF files with CF attributes, and what produced them, inside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.errors import InputError
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
    import h5py
    import xarray as xr

    with _readable(path):
        # damage is met here: where h5netcdf cannot open a file it leaves a half-open object behind, which complains
        with h5py.File(path, "r") as file:
            file.attrs.get("_nc3_strict")
        with xr.open_dataset(path, engine="h5netcdf", decode_timedelta=False) as dataset:
            loaded = dataset.load()
    for name in loaded.variables:
        if name not in VARIABLES:
            raise InputError(f'{path}: variable "{name}" is none of this program')
    return describe(loaded)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:  # the libraries raise whatever they meet in a damaged file
        raise InputError(f"{path}: not a NetCDF file of this program, or damaged ({type(error).__name__})") from None
