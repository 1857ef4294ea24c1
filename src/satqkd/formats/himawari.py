"""Himawari-8/9 level 2 cloud properties (CLP) of JAXA's P-Tree system: optical thickness by day, every 10 minutes.

Files are NetCDF-4, ``NC_H08_YYYYMMDD_hhmm_L2CLPVER_FLDK.02401_02401.nc``: 2401 x 2401 cells of 0.05 deg, 60 N to 60 S
and 80 E to 160 W, with CLOT (optical thickness, packed), CLTYPE (ISCCP cloud type) and QA (quality bits).

References
----------
.. [1] JAXA/EORC, README for the Himawari Geophysical Parameter Data through the P-Tree System (2021).
.. [2] H. Letu et al., "High-resolution retrieval of cloud microphysical properties and surface solar radiation using
   Himawari-8/AHI next-generation geostationary satellite", Remote Sens. Environ. 239, 111583 (2020).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.formats._netcdf import readable
from satqkd.formats.cloud_grids import Corners, corners, weighted

if TYPE_CHECKING:
    import h5py

__all__ = ["CADENCE_S", "himawari_thickness", "himawari_time"]

FloatArray = NDArray[np.float64]

CADENCE_S: Final = 600.0
"""Time between files. [s]"""

VARIABLES: Final = ("latitude", "longitude", "CLOT", "CLTYPE", "QA")

_NAME: Final = re.compile(r"H0[89]_(\d{8})_(\d{4})_L2CLP")
# QA, bits 0 to 2: result of the retrieval
_CLEAR: Final = 2
_RETRIEVED: Final = (4, 5)
# CLTYPE: 1 .. 9 are types of cloud, 10 a cloud of unknown type
_CLEAR_TYPE: Final = 0
_CLOUD_TYPES: Final = (1, 10)


def himawari_time(path: Path) -> np.datetime64:
    """Time of a file, from its name, else from its attribute ``time_coverage_start``.

    Parameters
    ----------
    path : Path
        File.

    Returns
    -------
    datetime64[ns]
        Start of the observation, UTC.

    Raises
    ------
    InputError
        If neither has a time, or the file cannot be read.
    """
    found = _NAME.search(path.name)
    if found:
        text = "{}T{}Z".format(*found.groups())
    else:
        import h5py

        with readable(path), h5py.File(path, "r") as file:
            given = file.attrs.get("time_coverage_start", "")
            text = given.decode("ascii", "replace") if isinstance(given, bytes) else str(given)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{path}: no time in its name (NC_H08_YYYYMMDD_hhmm_L2CLP...) nor in an attribute time_coverage_start"
        ) from None
    utc = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    return np.datetime64(utc, "ns")


def himawari_thickness(
    path: Path, *, latitude_deg: ArrayLike, longitude_deg: ArrayLike, space: str = "nearest"
) -> FloatArray:
    """Optical thickness of clouds at places.

    Parameters
    ----------
    path : Path
        File.
    latitude_deg, longitude_deg : array_like
        Places, shape (n,). [deg]
    space : {"nearest", "bilinear"}
        Cell that holds the place, or interpolation between the four around it.

    Returns
    -------
    ndarray
        Shape (n,): 0 where the sky is clear, NaN where there is no data. [1]

    Raises
    ------
    InputError
        If the file is no such file, lacks a variable, or a place lies outside its grid.

    Notes
    -----
    A cell has data if QA says clear and CLTYPE names no cloud, or if QA says retrieved, CLTYPE does not say clear and
    CLOT is a value within its range. Everything else, such as night, a failed retrieval or flags that contradict each
    other, is no data; so is a bilinear value with a cell without data among those that it needs.
    """
    import h5py

    with readable(path), h5py.File(path, "r") as file:
        missing = [name for name in VARIABLES if name not in file]
        if missing:
            raise InputError(f"no variable {', '.join(missing)}; it has {', '.join(sorted(file)) or 'none'}")
        axes = [np.ravel(file[name][()]) for name in ("latitude", "longitude")]
        cells = corners(*axes, latitude_deg=latitude_deg, longitude_deg=longitude_deg, space=space)
        shape = (axes[0].size, axes[1].size)
        packed, kind, quality = (_cells(file[name], cells, shape) for name in ("CLOT", "CLTYPE", "QA"))
        optical_thickness = _unpacked(packed, dict(file["CLOT"].attrs))
    retrieval = quality.astype(np.int64) & 0b111
    clouded = (kind >= _CLOUD_TYPES[0]) & (kind <= _CLOUD_TYPES[1])
    clear = (retrieval == _CLEAR) & ~clouded
    retrieved = np.isin(retrieval, _RETRIEVED) & (kind != _CLEAR_TYPE)
    known = np.where(clear, 0.0, np.where(retrieved, optical_thickness, np.nan))
    return weighted(known, cells.weight)


def _cells(variable: h5py.Dataset, cells: Corners, shape: tuple[int, int]) -> NDArray[Any]:
    """Values of the cells, read as one block around all of them."""
    if variable.shape[-2:] != shape or any(size != 1 for size in variable.shape[:-2]):
        name = variable.name.strip("/")
        raise InputError(f"{name} has the shape {variable.shape}, needed is (latitude, longitude) = {shape}")
    rows, columns = (slice(int(index.min()), int(index.max()) + 1) for index in (cells.row, cells.column))
    block = variable[(0,) * (variable.ndim - 2) + (rows, columns)]
    found: NDArray[Any] = block[cells.row - rows.start, cells.column - columns.start]
    return found


def _unpacked(packed: NDArray[Any], attributes: dict[str, Any]) -> FloatArray:
    """Optical thickness by the attributes; NaN for fill and for what is outside the valid range."""

    def number(name: str) -> Any:
        return np.ravel(attributes[name])[0] if name in attributes else None

    valid = np.ones(packed.shape, dtype=np.bool_)
    for name in ("_FillValue", "missing_value"):
        if number(name) is not None:
            valid &= packed != number(name)
    scale, offset = number("scale_factor"), number("add_offset")
    value = packed * (1.0 if scale is None else float(scale)) + (0.0 if offset is None else float(offset))
    low, high = number("valid_min"), number("valid_max")
    if "valid_range" in attributes:
        low, high = np.ravel(attributes["valid_range"])[:2]
    for limit, inside in ((low, np.greater_equal), (high, np.less_equal)):
        if limit is not None:
            # a limit of the packed kind is a limit of packed numbers (NetCDF User Guide, attribute conventions)
            same_kind = np.asarray(limit).dtype.kind in "iu" or packed.dtype.kind == "f"
            valid &= inside(packed if same_kind else value, limit)
    # the files hold other negative numbers than their missing_value where there is no retrieval
    return np.where(valid & (value >= 0.0), value, np.nan)
