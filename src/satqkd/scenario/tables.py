"""Tables that a scenario brings along as CSV text: clouds per station and time, measured link efficiency."""

from __future__ import annotations

import csv
import difflib
import io
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

from satqkd.constants import WANG_OPAQUE_THICKNESS

__all__ = ["CLOUD_SCALES", "CloudRows", "EfficiencyRows", "parse_clouds", "parse_efficiency", "read_cloud_rows"]


@dataclass(frozen=True)
class CloudScale:
    """Numbers that stand for clouds in a table.

    Parameters
    ----------
    largest : float
        Largest number allowed.
    opaque : float
        Number of a cloud that nothing passes.
    allowed : str
        The range in words.
    """

    largest: float
    opaque: float
    allowed: str


CLOUD_SCALES: Final[Mapping[str, CloudScale]] = MappingProxyType(
    {
        "wang": CloudScale(
            WANG_OPAQUE_THICKNESS,
            WANG_OPAQUE_THICKNESS,
            f"a number from 0 (cloudless) to {WANG_OPAQUE_THICKNESS:g} (opaque) is needed in every cell",
        ),
        "optical-thickness": CloudScale(
            sys.float_info.max, math.inf, "a finite optical thickness of at least 0 is needed in every cell"
        ),
    }
)
"""Name in ``clouds.model`` -> scale."""


@dataclass(frozen=True)
class CloudRows:
    """Cloud thickness per time and station.

    Parameters
    ----------
    times : tuple of datetime
        Start of each row's validity, UTC, increasing.
    thickness : tuple of tuple of float
        One row per time, one value per station in the order asked for, on a scale of :data:`CLOUD_SCALES`.
    valid_until : datetime or None
        End of the last row's validity; None: as long as wanted.
    """

    times: tuple[datetime, ...]
    thickness: tuple[tuple[float, ...], ...]
    valid_until: datetime | None


@dataclass(frozen=True)
class EfficiencyRows:
    """Measured link efficiency along a zenith pass.

    Parameters
    ----------
    time_s : tuple of float
        Time from culmination, non-negative, increasing. [s]
    efficiency : tuple of float
        Geometric mean of the efficiencies before and after culmination, in (0, 1]. [1]
    """

    time_s: tuple[float, ...]
    efficiency: tuple[float, ...]


def _rows(text: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text))
    found = [(number, [cell.strip() for cell in row]) for number, row in enumerate(reader, 1)]
    return [(number, row) for number, row in found if any(row) and not row[0].startswith("#")]


def _number(cell: str, where: str, low: float, high: float, allowed: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ValueError(f'{where}: "{cell}" is not allowed: {allowed}')
    return value


def _time(cell: str) -> datetime | None:
    """UTC time of a cell, None if it is not a time with a zone."""
    try:
        time = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None


def parse_clouds(
    text: str,
    stations: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    model: str = "wang",
    missing: Literal["error", "opaque", "clear"] = "error",
) -> CloudRows:
    """Read a cloud table and check that it covers the window.

    Parameters
    ----------
    text : str
        CSV as :func:`read_cloud_rows` reads it.
    stations : sequence of str
        Stations needed, in the order of the result.
    start, end : datetime
        Window that the rows must cover.
    model : str
        Scale of the numbers, a key of :data:`CLOUD_SCALES`.
    missing : {"error", "opaque", "clear"}
        What an empty cell means.

    Returns
    -------
    CloudRows
        The table, without missing values.

    Raises
    ------
    ValueError
        One line with row and column, also for an empty cell unless ``missing`` says what it means.
    """
    rows = read_cloud_rows(text, stations, model=model, empty=missing != "error")
    times, valid_until = rows.times, rows.valid_until or end
    if times[0] > start or valid_until < end:
        raise ValueError(
            f"cloud table covers {times[0]:%Y-%m-%dT%H:%M:%SZ} to {valid_until:%Y-%m-%dT%H:%M:%SZ}, "
            f"not the whole window {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}"
        )
    instead = CLOUD_SCALES[model].opaque if missing == "opaque" else 0.0
    known = tuple(tuple(instead if math.isnan(value) else value for value in row) for row in rows.thickness)
    return CloudRows(times, known, valid_until)


def read_cloud_rows(text: str, stations: Sequence[str], *, model: str, empty: bool) -> CloudRows:
    """Read a cloud table as it is.

    Parameters
    ----------
    text : str
        CSV: header ``time`` and station names; rows of an ISO time with zone and a thickness per station. Lines
        that start with ``#`` are comments.
    stations : sequence of str
        Stations needed, in the order of the result.
    model : str
        Scale of the numbers, a key of :data:`CLOUD_SCALES`.
    empty : bool
        Whether cells may be empty.

    Returns
    -------
    CloudRows
        The table, NaN in empty cells, without an end if there is only one row.

    Raises
    ------
    ValueError
        One line with row and column.
    """
    rows = _rows(text)
    if len(rows) < 2:
        raise ValueError("cloud table has no rows: needed are a header and at least one row")
    header, scale = rows[0][1], CLOUD_SCALES[model]
    if header[0].lower() != "time":
        raise ValueError(f'cloud table, row {rows[0][0]}: first column is "{header[0]}", must be "time"')
    for name in header[1:]:
        if name not in stations:
            near = difflib.get_close_matches(name, stations, 1, 0.5)
            hint = f'; did you mean "{near[0]}"?' if near else f": known are {', '.join(stations)}"
            raise ValueError(f'cloud table: column "{name}" is no station of the scenario{hint}')
    for name in stations:
        if header.count(name) != 1:
            raise ValueError(f'cloud table: station "{name}" needs exactly one column, found {header.count(name)}')
    times: list[datetime] = []
    values: list[tuple[float, ...]] = []
    for number, row in rows[1:]:
        if len(row) != len(header):
            raise ValueError(f"cloud table, row {number}: {len(row)} cells, the header has {len(header)}")
        time = _time(row[0])
        if time is None:
            raise ValueError(f'cloud table, row {number}: "{row[0]}" is not a time with zone like 2016-09-19T00:00:00Z')
        if times and time <= times[-1]:
            raise ValueError(f"cloud table, row {number}: time {row[0]} is not after the row before")
        times.append(time)
        cells = [(name, row[header.index(name)]) for name in stations]
        where = f"cloud table, row {number}, column"
        values.append(
            tuple(math.nan if empty and not cell else _cloud(cell, f'{where} "{name}"', scale) for name, cell in cells)
        )
    valid_until = times[-1] + (times[-1] - times[-2]) if len(times) > 1 else None
    return CloudRows(tuple(times), tuple(values), valid_until)


def _cloud(cell: str, where: str, scale: CloudScale) -> float:
    hint = "" if cell else '; clouds.missing = "opaque" or "clear" says what a cell without data means'
    return _number(cell, where, 0.0, scale.largest, scale.allowed + hint)


def parse_efficiency(text: str) -> EfficiencyRows:
    """Read a measured efficiency curve.

    Parameters
    ----------
    text : str
        CSV without header: time from culmination [s], elevation [rad] (kept for readers, not used: it is rounded),
        efficiency [1]. Lines that start with ``#`` are comments. Rows before and after culmination are folded.

    Returns
    -------
    EfficiencyRows
        The curve from culmination outwards.

    Raises
    ------
    ValueError
        One line with row and column.
    """
    logs: dict[float, list[float]] = {}
    for number, row in _rows(text):
        if len(row) < 3:
            raise ValueError(f"efficiency curve, row {number}: needs time, elevation and efficiency")
        where = f"efficiency curve, row {number}"
        time = _number(row[0], f"{where}, time", -1e5, 1e5, "a number of seconds from culmination is needed")
        tiny = math.ulp(0.0)
        value = _number(row[2], f"{where}, efficiency", tiny, 1.0, "a number above 0 and at most 1 is needed")
        logs.setdefault(abs(time), []).append(math.log(value))
    if len(logs) < 2 or 0.0 not in logs:
        raise ValueError("efficiency curve needs at least two times, one of them 0 (culmination)")
    times = tuple(sorted(logs))
    return EfficiencyRows(times, tuple(math.exp(sum(logs[t]) / len(logs[t])) for t in times))
