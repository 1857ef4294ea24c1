"""A table of operating points, or of an experiment's counts, to a table of keys.

:func:`run_table` reads, checks, computes over all cores and writes; what the columns mean and how a row is computed is
one :class:`TableAnalysis` per analysis, in :data:`TABLE_ANALYSES`.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from satqkd._version import __version__
from satqkd.errors import InputError

__all__ = ["PASSED_ON", "TABLE_ANALYSES", "Column", "TableAnalysis", "TableSummary", "run_table"]

PASSED_ON: Final = ("label", "note")
"""Columns for the reader that are copied as they are."""

TABLE_ANALYSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lim2014": "satqkd.study.keyrate_lim2014:LIM2014",
        "lim2014-standard": "satqkd.study.keyrate_lim2014:LIM2014_STANDARD",
        "three-intensity": "satqkd.study.keyrate_three_intensity:THREE_INTENSITY",
        "variable-length": "satqkd.study.keyrate_variable_length:VARIABLE_LENGTH",
    }
)
"""Analysis -> where its :class:`TableAnalysis` is."""

Row = dict[str, str]
Progress = Callable[[str, int, int], None]
_SAVE_EVERY_S = 5.0
_FEW = 200
"""Points that are computed in this process: starting others takes longer."""


@dataclass(frozen=True, slots=True)
class Column:
    """An input column.

    Attributes
    ----------
    name : str
        Name of the parameter.
    description : str
        Meaning, with unit.
    kind : {"number", "numbers", "text"}
        One number, several separated by spaces or semicolons, or the name of an option.
    low, high : float
        Least and largest value allowed.
    size : int
        How many numbers, for ``numbers``.
    allowed : tuple of str
        Texts allowed, for ``text``.
    """

    name: str
    description: str
    kind: str = "number"
    low: float = 0.0
    high: float = math.inf
    size: int = 1
    allowed: tuple[str, ...] = ()

    def parse(self, cell: str) -> Any:
        """Value of a cell.

        Parameters
        ----------
        cell : str
            Text, not empty.

        Returns
        -------
        float, tuple of float or str
            The value.

        Raises
        ------
        InputError
            If it is not of this kind or outside its range; the text says what is allowed.
        """
        if self.kind == "text":
            if cell not in self.allowed:
                raise InputError(f'"{cell}" must be one of {", ".join(self.allowed)}')
            return cell
        parts = cell.replace(";", " ").split() if self.kind == "numbers" else [cell]
        if self.kind == "numbers" and len(parts) != self.size:
            raise InputError(f'"{cell}" must be {self.size} numbers separated by spaces')
        values = []
        for part in parts:
            try:
                value = float(part)
            except ValueError:
                raise InputError(f'"{part}" is not a number') from None
            if not (self.low <= value <= self.high and math.isfinite(value)):
                top = f"at most {self.high:g}" if math.isfinite(self.high) else "finite"
                raise InputError(f"{part} must be at least {self.low:g} and {top}")
            values.append(value)
        return tuple(values) if self.kind == "numbers" else values[0]


@dataclass(frozen=True)
class TableAnalysis:
    """How an analysis reads a row and what it gives.

    Attributes
    ----------
    columns : tuple of Column
        Input columns.
    results : tuple of str
        Output columns.
    check_header : callable
        ``check_header(names, optimise)``; raises InputError if columns are missing.
    compute : callable
        ``compute(values, optimise)`` -> result by output column; raises InputError for a row that cannot be computed.
    """

    columns: tuple[Column, ...]
    results: tuple[str, ...]
    check_header: Callable[[Sequence[str], bool], None]
    compute: Callable[[Mapping[str, Any], bool], Mapping[str, Any]]


@dataclass(frozen=True)
class TableSummary:
    """What was done with a table.

    Attributes
    ----------
    rows, computed, kept : int
        Rows of the table, computed now, and taken over from the file that was there.
    with_key : int
        Rows with a key of at least one bit.
    errors : tuple of str
        One line per bad row: file, row, column, value, what is allowed.
    """

    rows: int
    computed: int
    kept: int
    with_key: int
    errors: tuple[str, ...]


def table_analysis(name: str) -> TableAnalysis:
    """Look up the table analysis called ``name``."""
    if name not in TABLE_ANALYSES:
        raise InputError(f'analysis "{name}": must be one of {", ".join(TABLE_ANALYSES)}')
    module, _, attribute = TABLE_ANALYSES[name].partition(":")
    found: TableAnalysis = getattr(importlib.import_module(module), attribute)
    return found


def run_table(
    points: Path,
    output: Path,
    *,
    analysis: str = "lim2014",
    optimise: bool = False,
    overwrite: bool = False,
    jobs: int = 0,
    progress: Progress | None = None,
) -> TableSummary:
    """Compute the keys of a table of points.

    Parameters
    ----------
    points : Path
        CSV with a header of parameter names.
    output : Path
        CSV to write: the columns of ``points``, ``identity``, ``error`` and the results. If it is there, rows of the
        same identity (same values, options and version of this package) are taken over.
    analysis : str
        One of :data:`TABLE_ANALYSES`.
    optimise : bool
        Whether parameters of the protocol that a row leaves empty are optimised.
    overwrite : bool
        Replace what is there, whatever it is, and take nothing over.
    jobs : int
        Processes; 0: one per core, or this process only if there are few points.
    progress : callable, optional
        Called with stage, points done, points in total.

    Returns
    -------
    TableSummary
        Counts and errors; bad rows have their error in the column ``error`` and no results.

    Raises
    ------
    InputError
        If the file cannot be read, its header is wrong, or ``output`` is something else than such a table.
    """
    how = table_analysis(analysis)
    header, rows = _read(points)
    _check_header(points, header, how, optimise)
    options = {"analysis": analysis, "optimise": optimise, "version": __version__}
    done: dict[int, Row] = {}
    errors: dict[int, str] = {}
    todo: list[tuple[int, dict[str, Any], str]] = []
    known = {} if overwrite else _known(output, how)
    for index, cells in enumerate(rows):
        try:
            values = _values(cells, header, how)
        except InputError as error:
            errors[index] = str(error)
            continue
        identity = hashlib.sha256(json.dumps([options, values], sort_keys=True).encode()).hexdigest()[:16]
        if identity in known:
            done[index] = known[identity]
        else:
            todo.append((index, values, identity))
    kept = len(done)

    def save() -> None:
        _write(output, how, header, rows, done, errors)

    saved = time.monotonic()
    try:
        for count, (index, row, message) in enumerate(_compute(todo, analysis, optimise, jobs), 1):
            if message:
                errors[index] = message
            else:
                done[index] = row
            if progress is not None:
                progress("keys", count, len(todo))
            if time.monotonic() - saved > _SAVE_EVERY_S:
                save()
                saved = time.monotonic()
    finally:
        save()
    lines = tuple(f"{points}, row {index + 2}{_place(text)}" for index, text in sorted(errors.items()))
    with_key = sum(float(row.get("key_bits") or 0) > 0 for row in done.values())
    return TableSummary(len(rows), len(todo), kept, with_key, lines)


def _place(text: str) -> str:
    return f", {text}" if text.startswith("column ") else f": {text}"


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read") from None
    lines = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    if not lines:
        raise InputError(f"{path}: is empty, must be CSV with a header of parameter names")
    return [name.strip() for name in lines[0]], [[cell.strip() for cell in row] for row in lines[1:]]


def _check_header(path: Path, header: Sequence[str], how: TableAnalysis, optimise: bool) -> None:
    names = [column.name for column in how.columns]
    for place, name in enumerate(header, 1):
        if name not in names and name not in PASSED_ON:
            raise InputError(f'{path}, row 1, column {place}: "{name}" is not known: {", ".join((*names, *PASSED_ON))}')
        if header.count(name) > 1:
            raise InputError(f'{path}, row 1, column {place}: "{name}" is there twice')
    try:
        how.check_header(header, optimise)
    except InputError as error:
        raise InputError(f"{path}, row 1: {error}") from None


def _values(cells: Sequence[str], header: Sequence[str], how: TableAnalysis) -> dict[str, Any]:
    if len(cells) != len(header):
        raise InputError(f"{len(cells)} cells, the header has {len(header)}")
    columns = {column.name: column for column in how.columns}
    values = {}
    for name, cell in zip(header, cells, strict=True):
        if cell and name in columns:
            try:
                values[name] = columns[name].parse(cell)
            except InputError as error:
                raise InputError(f'column "{name}": {error}') from None
    return values


def _known(output: Path, how: TableAnalysis) -> dict[str, Row]:
    if not output.exists():
        return {}
    header, rows = _read(output) if output.is_file() else ([], [])
    if "identity" not in header or "error" not in header:
        raise InputError(f"{output}: is there and is no table of keys: choose another file, or use --overwrite")
    known = {}
    for cells in rows:
        row = dict(zip(header, cells, strict=False))
        if row.get("identity") and len(cells) == len(header) and all(name in row for name in how.results):
            known[row["identity"]] = {name: row[name] for name in ("identity", *how.results)}
    return known


def _one(task: tuple[int, dict[str, Any], str], analysis: str, optimise: bool) -> tuple[int, Row, str]:
    index, values, identity = task
    how = table_analysis(analysis)
    try:
        found = how.compute(values, optimise)
    except InputError as error:
        return index, {}, " ".join(str(error).split())
    return index, {"identity": identity, **{name: _cell(found.get(name)) for name in how.results}}, ""


def _some(tasks: list[tuple[int, dict[str, Any], str]], analysis: str, optimise: bool) -> list[tuple[int, Row, str]]:
    return [_one(task, analysis, optimise) for task in tasks]


def _compute(
    todo: list[tuple[int, dict[str, Any], str]], analysis: str, optimise: bool, jobs: int
) -> Iterator[tuple[int, Row, str]]:
    workers = jobs or (1 if len(todo) <= _FEW else os.cpu_count() or 1)
    if workers == 1 or len(todo) < 2:
        for task in todo:
            yield _one(task, analysis, optimise)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    size = max(1, min(32, len(todo) // (4 * workers)))
    chunks = [todo[i : i + size] for i in range(0, len(todo), size)]
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_some, chunk, analysis, optimise) for chunk in chunks]
        try:
            for future in as_completed(futures):
                yield from future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, tuple):
        return " ".join(_cell(member) for member in value)
    return str(value)


def _write(
    output: Path,
    how: TableAnalysis,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    done: Mapping[int, Row],
    errors: Mapping[int, str],
) -> None:
    from satqkd.study.storage import new_file

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*header, "identity", "error", *how.results])
    for index, cells in enumerate(rows):
        given = [*cells, *[""] * len(header)][: len(header)]
        row = done.get(index, {})
        results = [row.get(name, "") for name in how.results]
        writer.writerow([*given, row.get("identity", ""), errors.get(index, ""), *results])
    with new_file(output, overwrite=True) as aside:
        aside.write_text(out.getvalue(), encoding="utf-8")
