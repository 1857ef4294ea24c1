"""Flat CSV tables of datasets with one dimension, read back to the same bits."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.errors import InputError
from satqkd.variables import VARIABLES, describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["from_csv", "to_csv"]


def _write(value: Any, kind: str) -> str:
    if kind == "time":
        text = str(np.datetime_as_string(value, unit="ns")).rstrip("0")
        return (text + "0" if text.endswith(".") else text) + "Z"
    if kind == "bool":
        return "true" if value else "false"
    if kind == "float":
        # repr is the shortest text that reads back to the same float
        return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return str(value)


def _read(text: str, kind: str) -> Any:
    if kind == "time":
        return np.datetime64(text.removesuffix("Z"), "ns")
    if kind == "bool":
        return {"true": True, "false": False}[text]
    return {"float": float, "int": int, "text": str}[kind](text)


_DTYPES: dict[str, Any] = {"float": np.float64, "int": np.int64, "bool": np.bool_, "text": object, "time": "M8[ns]"}


def to_csv(dataset: xr.Dataset, names: Sequence[str] | None = None) -> str:
    """Table of a dataset with one dimension.

    Parameters
    ----------
    dataset : xarray.Dataset
        All variables along one dimension.
    names : sequence of str, optional
        Columns and their order; default: the dimension, then the variables.

    Returns
    -------
    str
        CSV with a header of variable names; times in UTC with ``Z``.
    """
    (dim,) = dataset.sizes
    columns = list(names or [str(dim), *map(str, dataset.data_vars)])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    cells = [[_write(value, VARIABLES[name].kind) for value in dataset[name].values] for name in columns]
    writer.writerows(zip(*cells, strict=True))
    return out.getvalue()


def from_csv(text: str, dim: str, *, source: str) -> xr.Dataset:
    """Dataset of a table that :func:`to_csv` wrote.

    Parameters
    ----------
    text : str
        CSV.
    dim : str
        Column that is the dimension.
    source : str
        Name of the file, for errors.

    Returns
    -------
    xarray.Dataset
        With the attributes of :data:`satqkd.variables.VARIABLES`.

    Raises
    ------
    InputError
        For an unknown or missing column or a cell of the wrong kind, with row and column.
    """
    import xarray as xr

    rows = list(csv.reader(io.StringIO(text)))
    if not rows or dim not in rows[0]:
        raise InputError(f'{source}: has no column "{dim}"')
    header = rows[0]
    for name in header:
        if name not in VARIABLES:
            raise InputError(f'{source}: column "{name}" is not known')
    columns: dict[str, list[Any]] = {name: [] for name in header}
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise InputError(f"{source}, row {number}: {len(row)} cells, the header has {len(header)}")
        for name, cell in zip(header, row, strict=True):
            kind = VARIABLES[name].kind
            try:
                value = _read(cell, kind)
            except (ValueError, KeyError):
                raise InputError(f'{source}, row {number}, column "{name}": "{cell}" is not a {kind} value') from None
            if kind == "float" and math.isnan(value) and cell != "nan":
                raise InputError(f'{source}, row {number}, column "{name}": "{cell}" is not a number')
            columns[name].append(value)
    data = {name: (dim, np.array(values, dtype=_DTYPES[VARIABLES[name].kind])) for name, values in columns.items()}
    index = data.pop(dim)
    return describe(xr.Dataset(data, coords={dim: index}))
