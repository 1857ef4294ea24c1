"""Tables that people make for planning: deliverable bits per interval, weights of stations, traffic between them.

Comma, semicolon or tab between cells, UTF-8 with or without a byte order mark, blank lines anywhere. A cell that cannot
be used is an error with the file, the line and the column; nothing is filled in.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError

__all__ = ["KeyTable", "parse_keys", "read_keys", "read_traffic", "read_weights"]

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class KeyTable:
    """Bits that satellites can deliver.

    Attributes
    ----------
    satellites, stations : tuple of str
        Names, in the order of the file.
    interval : ndarray of int64, shape (n,)
        Indices of the intervals, increasing.
    bits : ndarray, shape (satellite, n, station)
        Bits in each interval; an interval that a satellite has no row for delivers nothing. [bit]
    """

    satellites: tuple[str, ...]
    stations: tuple[str, ...]
    interval: NDArray[np.int64]
    bits: NDArray[np.float64]


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: is not UTF-8 text (save the table as CSV, UTF-8)") from None


def _rows(text: str, source: str) -> list[Row]:
    """Lines with something in them: number of the line and its cells without spaces around."""
    if "\0" in text:
        raise InputError(f"{source}: is not text")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)  # the comma where there is none
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    found: list[Row] = []
    try:
        while True:
            line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                break
            if any(cell.strip() for cell in cells):
                found.append((line, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise InputError(f"{source}, line {line}: is not CSV: {error}") from None
    if not found:
        raise InputError(f"{source}: is empty")
    return found


def _header(rows: Sequence[Row], source: str) -> list[str]:
    """Names of the columns, each given once."""
    line, names = rows[0]
    for number, name in enumerate(names, 1):
        if not name:
            raise InputError(f"{source}, line {line}: column {number} has no name")
        if name in names[: number - 1]:
            raise InputError(f'{source}, line {line}: two columns are named "{name}"')
    for number, cells in rows[1:]:
        if len(cells) != len(names):
            raise InputError(f"{source}, line {number}: {len(cells)} cells, the header has {len(names)}")
    return names


def _amount(cell: str, what: str, source: str, line: int, column: str) -> float:
    where = f'{source}, line {line}, column "{column}"'
    if not cell:
        raise InputError(f"{where}: is empty, must be a number (0 for no {what})")
    try:
        value = float(cell.replace("_", "?"))  # Python would read 1_000 as a thousand
    except ValueError:
        hint = " (a decimal comma must be a point)" if cell.count(",") == 1 else ""
        raise InputError(f'{where}: "{cell}" is not a number{hint}') from None
    if not math.isfinite(value) or value < 0.0:
        raise InputError(f"{where}: {cell} must be a finite number, at least 0")
    return value


def parse_keys(text: str, *, source: str = "keys") -> KeyTable:
    """Read a table of deliverable bits.

    Parameters
    ----------
    text : str
        CSV with a column ``interval`` (whole numbers), one column per station, and perhaps a column ``satellite``; rows
        in any order.
    source : str
        Name of the file, for errors.

    Returns
    -------
    KeyTable
        The table with its intervals in order.

    Raises
    ------
    InputError
        For text that is no such table, with line and column.
    """
    rows = _rows(text, source)
    names = _header(rows, source)
    if "interval" not in names:
        raise InputError(f'{source}, line {rows[0][0]}: has no column "interval" (has {", ".join(names)})')
    at, of = names.index("interval"), names.index("satellite") if "satellite" in names else None
    columns = [number for number in range(len(names)) if number not in (at, of)]
    if not columns:
        raise InputError(f"{source}, line {rows[0][0]}: has no column of a station")
    if len(rows) == 1:
        raise InputError(f"{source}: has no rows below the header")
    seen: dict[tuple[str, int], int] = {}
    for line, cells in rows[1:]:
        cell = cells[at]
        try:
            index = int(cell)
        except ValueError:
            index = -1
        if not 0 <= index < 2**53:
            raise InputError(f'{source}, line {line}, column "interval": "{cell}" must be a whole number, at least 0')
        satellite = "satellite" if of is None else cells[of]
        if not satellite:
            raise InputError(f'{source}, line {line}, column "satellite": is empty')
        if (earlier := seen.setdefault((satellite, index), line)) != line:
            whose = "" if of is None else f' of satellite "{satellite}"'
            raise InputError(f"{source}, line {line}: interval {index}{whose} is there already, in line {earlier}")
    satellites = tuple(dict.fromkeys(satellite for satellite, _ in seen))
    interval = np.array(sorted({index for _, index in seen}), np.int64)
    place = {index: row for row, index in enumerate(interval.tolist())}
    bits = np.zeros((len(satellites), len(interval), len(columns)))
    for (satellite, index), (line, cells) in zip(seen, rows[1:], strict=True):
        try:  # most rows are sound; the slow way says what is wrong with one that is not
            amounts = [float(cells[column]) for column in columns]
            sound = "_" not in "".join(cells) and all(0.0 <= amount < math.inf for amount in amounts)
        except ValueError:
            sound = False
        if not sound:
            amounts = [_amount(cells[column], "bits", source, line, names[column]) for column in columns]
        bits[satellites.index(satellite), place[index]] = amounts
    return KeyTable(satellites, tuple(names[column] for column in columns), interval, bits)


def read_keys(path: Path) -> KeyTable:
    """Table of deliverable bits in a file; see :func:`parse_keys`."""
    return parse_keys(_text(path), source=str(path))


def _match(found: Sequence[str], stations: Sequence[str], source: str) -> None:
    unknown = [name for name in found if name not in stations]
    if unknown:
        raise InputError(f'{source}: station "{unknown[0]}" is not in the table of keys ({", ".join(stations)})')
    missing = [name for name in stations if name not in found]
    if missing:
        raise InputError(f'{source}: has no station "{missing[0]}" ({len(missing)} of {len(stations)} missing)')


def read_weights(path: Path, *, stations: Sequence[str]) -> dict[str, float]:
    """Weights of stations: CSV with the columns ``station`` and ``weight``.

    Parameters
    ----------
    path : Path
        The file.
    stations : sequence of str
        Names, each of which must be there once and no other.

    Returns
    -------
    dict of str to float
        Station -> weight, at least 0, in the order of ``stations``.

    Raises
    ------
    InputError
        For a file that is no such table, other stations, or weights that are all 0.
    """
    source = str(path)
    rows = _rows(_text(path), source)
    names = _header(rows, source)
    if sorted(names) != ["station", "weight"]:
        raise InputError(
            f"{source}, line {rows[0][0]}: must have the columns station and weight, has {', '.join(names)}"
        )
    at, value = names.index("station"), names.index("weight")
    found: dict[str, float] = {}
    for line, cells in rows[1:]:
        if cells[at] in found:
            raise InputError(f'{source}, line {line}: station "{cells[at]}" is there already')
        found[cells[at]] = _amount(cells[value], "weight", source, line, "weight")
    _match(list(found), stations, source)
    if not any(found.values()):
        raise InputError(f"{source}: all weights are 0, at least one must be above")
    return {name: found[name] for name in stations}


def read_traffic(path: Path, *, stations: Sequence[str]) -> NDArray[np.float64]:
    """Traffic between stations: CSV with the column ``station`` and one column per station.

    Parameters
    ----------
    path : Path
        The file: symmetric, zero on the diagonal, in any unit.
    stations : sequence of str
        Names, each of which must have one row and one column.

    Returns
    -------
    ndarray, shape (n, n)
        In the order of ``stations``.

    Raises
    ------
    InputError
        For a file that is no such table, other stations, or traffic that is not symmetric, with the line.
    """
    source = str(path)
    rows = _rows(_text(path), source)
    names = _header(rows, source)
    if "station" not in names:
        raise InputError(f'{source}, line {rows[0][0]}: has no column "station"')
    at = names.index("station")
    columns = {name: number for number, name in enumerate(names) if number != at}
    _match(list(columns), stations, source)
    lines: dict[str, tuple[int, list[str]]] = {}
    for line, cells in rows[1:]:
        if cells[at] in lines:
            raise InputError(f'{source}, line {line}: station "{cells[at]}" is there already')
        lines[cells[at]] = line, cells
    _match(list(lines), stations, source)
    matrix = np.array(
        [
            [_amount(lines[row][1][columns[name]], "traffic", source, lines[row][0], name) for name in stations]
            for row in stations
        ]
    )
    for i, row in enumerate(stations):
        for j, name in enumerate(stations[: i + 1]):
            where = f'{source}, line {lines[row][0]}, column "{name}"'
            if i == j and matrix[i, j] != 0.0:
                raise InputError(f"{where}: traffic of a station with itself must be 0")
            if not math.isclose(matrix[i, j], matrix[j, i], rel_tol=1e-9):
                raise InputError(f"{where}: {matrix[i, j]:g} is not the {matrix[j, i]:g} of the other direction")
    if not matrix.any():
        raise InputError(f"{source}: all traffic is 0")
    return matrix
