"""Opening NetCDF and HDF5 files that may be damaged, missing or something else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from satqkd.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["opened", "readable"]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Block that reads a file: whatever goes wrong in it becomes one line about the file."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(f"{path}: ") else f"{path}: {text}") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:  # the libraries raise whatever they meet in a damaged file
        raise InputError(f"{path}: not a readable NetCDF-4 file, or damaged ({type(error).__name__})") from None


@contextmanager
def opened(path: Path) -> Iterator[xr.Dataset]:
    """Dataset of a NetCDF-4 file, read as it is needed; errors as in :func:`readable`."""
    import h5py
    import xarray as xr

    with readable(path):
        # damage is met here: where h5netcdf cannot open a file it leaves a half-open object behind, which complains
        with h5py.File(path, "r") as file:
            file.attrs.get("_nc3_strict")
        with xr.open_dataset(path, engine="h5netcdf", decode_timedelta=False) as dataset:
            yield dataset
