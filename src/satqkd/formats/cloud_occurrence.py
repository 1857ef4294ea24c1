"""How often the sky over stations is clear, thinly or thickly clouded: tables as CSV or NetCDF.

Columns (CSV) or variables (NetCDF): ``station``, ``clear``, ``thin``, ``thick`` as fractions of time, and ``month``, 1
to 12, where they are given by month. In NetCDF the three have the dimension ``station``, perhaps ``month``, whose
coordinates are the names and numbers. In CSV, lines that start with ``#`` are comments.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from satqkd.errors import InputError
from satqkd.formats._netcdf import opened

__all__ = ["OccurrenceRow", "read_occurrence", "select_stations", "write_occurrence"]

_CLASSES = ("clear", "thin", "thick")
# what fractions printed to six digits may miss their sum by
_ROUNDING = 1e-5


@dataclass(frozen=True)
class OccurrenceRow:
    """Fractions of time at one station, over the year or in one month.

    Parameters
    ----------
    station : str
        Name.
    month : int or None
        1 to 12; None: the whole year.
    clear, thin, thick : float
        Fractions of time, their sum at most 1; the rest is opaque. [1]
    """

    station: str
    month: int | None
    clear: float
    thin: float
    thick: float


def read_occurrence(path: Path) -> tuple[OccurrenceRow, ...]:
    """Read a table of occurrence.

    Parameters
    ----------
    path : Path
        CSV, or NetCDF if its name ends in ``.nc``.

    Returns
    -------
    tuple of OccurrenceRow
        In the order of the file.

    Raises
    ------
    InputError
        With row and column: for missing columns, cells that are no fractions, sums above 1, or a station and month
        given twice.
    """
    rows = _read_netcdf(path) if path.suffix == ".nc" else _read_csv(path)
    seen: set[tuple[str, int | None]] = set()
    for row in rows:
        if (row.station, row.month) in seen:
            raise InputError(f'{path}: station "{row.station}"{_in_month(row)} is given twice')
        seen.add((row.station, row.month))
    return tuple(rows)


def write_occurrence(rows: Sequence[OccurrenceRow], *, comments: Sequence[str] = ()) -> str:
    """Write a table of occurrence as CSV.

    Parameters
    ----------
    rows : sequence of OccurrenceRow
        The table.
    comments : sequence of str
        Lines to stand above it: where it comes from.

    Returns
    -------
    str
        CSV; a column ``month`` only if a row has one; fractions to six digits.
    """
    out = io.StringIO()
    out.writelines(f"# {line}\n" for line in comments)
    writer = csv.writer(out, lineterminator="\n")
    monthly = any(row.month is not None for row in rows)
    writer.writerow(["station", *(["month"] if monthly else []), *_CLASSES])
    for row in rows:
        month = [row.month or ""] if monthly else []
        writer.writerow([row.station, *month, *(f"{getattr(row, name):.6g}" for name in _CLASSES)])
    return out.getvalue()


def select_stations(rows: Sequence[OccurrenceRow], stations: Sequence[str], *, source: str) -> list[OccurrenceRow]:
    """Rows of the stations wanted, in their order.

    Parameters
    ----------
    rows : sequence of OccurrenceRow
        The table.
    stations : sequence of str
        Names.
    source : str
        Name of the table, for errors.

    Returns
    -------
    list of OccurrenceRow
        All rows of the first station, of the second, and so on.

    Raises
    ------
    InputError
        If a station has no row.
    """
    absent = [name for name in stations if all(row.station != name for row in rows)]
    if absent:
        has = ", ".join(dict.fromkeys(row.station for row in rows)) or "none"
        raise InputError(f'{source}: no data for station "{absent[0]}"; it has {has}')
    return [row for name in stations for row in rows if row.station == name]


def _in_month(row: OccurrenceRow) -> str:
    return "" if row.month is None else f", month {row.month}"


def _row(where: str, station: str, month: int | None, values: Sequence[float]) -> OccurrenceRow:
    for name, value in zip(_CLASSES, values, strict=True):
        if not 0.0 <= value <= 1.0:
            raise InputError(f'{where}, column "{name}": {value:g} is not allowed: a fraction from 0 to 1 is needed')
    if sum(values) > 1.0 + _ROUNDING:
        raise InputError(f"{where}: clear, thin and thick sum to {sum(values):.6g}, more than 1")
    return OccurrenceRow(station, month, *values)


def _read_csv(path: Path) -> list[OccurrenceRow]:
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a UTF-8 text file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    rows = [(number, [cell.strip() for cell in line]) for number, line in enumerate(lines, 1)]
    rows = [(number, row) for number, row in rows if any(row) and not row[0].startswith("#")]
    header = rows[0][1] if rows else []
    for name in ("station", *_CLASSES):
        if header.count(name) != 1:
            raise InputError(f'{path}: needs one column "{name}", found {header.count(name)}')
    unknown = [name for name in header if name not in ("station", "month", *_CLASSES)]
    if unknown:
        raise InputError(f'{path}: column "{unknown[0]}" is not known: known are station, month, clear, thin, thick')
    found = []
    for number, row in rows[1:]:
        where = f"{path}, row {number}"
        if len(row) != len(header):
            raise InputError(f"{where}: {len(row)} cells, the header has {len(header)}")
        cells = dict(zip(header, row, strict=True))
        month = cells.get("month", "")
        if month and month not in map(str, range(1, 13)):
            raise InputError(f'{where}, column "month": "{month}" is not allowed: 1 to 12, or nothing for the year')
        values = [_number(cells[name], f'{where}, column "{name}"') for name in _CLASSES]
        found.append(_row(where, cells["station"], int(month) if month else None, values))
    if not found:
        raise InputError(f"{path}: has no rows")
    return found


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise InputError(f'{where}: "{cell}" is not allowed: a fraction from 0 to 1 is needed')
    return value


def _read_netcdf(path: Path) -> list[OccurrenceRow]:
    with opened(path) as file:
        dataset = file.load()
    for name in ("station", *_CLASSES):
        if name not in dataset.variables:
            raise InputError(f'{path}: no variable "{name}"; it has {", ".join(sorted(map(str, dataset.variables)))}')
    monthly = "month" in dataset.dims
    dims = ["station", "month"] if monthly else ["station"]
    for name in _CLASSES:
        if set(dataset[name].dims) != set(dims):
            raise InputError(f'{path}: "{name}" has the dimensions {dataset[name].dims}, needed are {tuple(dims)}')
    months = [int(month) for month in np.ravel(dataset["month"].values)] if monthly else [None]
    if monthly and not set(months) <= set(range(1, 13)):
        raise InputError(f"{path}: months must be from 1 to 12, it has {months}")
    tables = {name: dataset[name].transpose(*dims).values.reshape(-1, len(months)) for name in _CLASSES}
    return [
        _row(f"{path}, station {station}", str(station), month, [float(tables[name][i, k]) for name in _CLASSES])
        for i, station in enumerate(np.ravel(dataset["station"].values))
        for k, month in enumerate(months)
    ]
