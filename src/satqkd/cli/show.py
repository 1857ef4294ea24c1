"""What commands print: progress, tables, totals."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from satqkd.study.result import RunResult

PASS_COLUMNS = ("satellite", "station", "start", "duration_s", "max_elevation_deg", "min_slant_range_km", "truncated")
COMMON_COLUMNS = ("satellite", "start", "end", "duration_s", "start_limit", "end_limit")
KEY_COLUMNS = (
    "satellite", "station", "start", "sifted_bits", "qber", "phase_error_upper", "key_bits", "key_bits_asymptotic",
    "margin_db", "reason",
)  # fmt: skip
SCHEDULE_COLUMNS = ("interval_start", "satellite", "assigned", "interval_bits")


@contextmanager
def progress(hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Progress bar on standard error; does nothing when hidden or where nobody watches."""
    if hidden or not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<10}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("start", total=1)

        def update(stage: str, done: int, total: int) -> None:
            bars.update(task, description=stage, completed=done, total=total)

        yield update


def _plain(value: Any, kind: str) -> Any:
    import numpy as np

    if kind == "time":
        return str(np.datetime_as_string(value, unit="s")) + "Z"
    if kind == "float":
        number = float(value)
        return number if math.isfinite(number) else str(number)
    return {"int": int, "bool": bool, "text": str}[kind](value)


def rows_of(dataset: xr.Dataset, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Rows of a table as plain values; infinities and NaN as text, so that they are valid JSON.

    With ``columns`` given the rows are for a screen: of a reason only its code is kept.

    Parameters
    ----------
    dataset : xarray.Dataset
        A table with one dimension.
    columns : sequence of str, optional
        Columns to show; default: all.

    Returns
    -------
    list of dict
        One per row.
    """
    from satqkd.variables import VARIABLES

    names = list(columns or []) or [str(name) for name in dataset.variables]
    values = [[_plain(value, VARIABLES[name].kind) for value in dataset[name].values] for name in names]
    if columns and "reason" in names:
        values[names.index("reason")] = [text.partition(":")[0] for text in values[names.index("reason")]]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def emit(dataset: xr.Dataset, columns: tuple[str, ...], output: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write a table as CSV, or print it."""
    from satqkd.formats.tables import to_csv
    from satqkd.study.storage import new_file

    if output is not None:
        with new_file(output, overwrite=overwrite) as aside:
            aside.write_text(to_csv(dataset), encoding="utf-8")
    elif as_json:
        print(json.dumps(rows_of(dataset), ensure_ascii=False))
    else:
        print_rows(rows_of(dataset, columns))


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table."""
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        print_wide("no rows")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, value in rows[0].items():
        text = isinstance(value, str | bool) and value not in ("inf", "-inf", "nan")
        table.add_column(escape(name), justify="left" if text else "right", no_wrap=True)
    for row in rows:
        table.add_row(*[escape(_text(value)) for value in row.values()])  # units in brackets are no markup
    print_wide(table)


def print_wide(content: Any) -> None:
    """Print for people; in a file or a pipe there is no width to keep to."""
    from rich.console import Console

    (Console() if sys.stdout.isatty() else Console(width=250)).print(content)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def budget(link: xr.Dataset, passes: xr.Dataset) -> list[dict[str, Any]]:
    """Loss terms at the best sample of each pass, in dB; noise per pulse over it where light is modelled."""
    import numpy as np

    from satqkd.variables import LOSS_TERMS

    terms = [name for name in LOSS_TERMS if name in link] + ["loss_total_db"]
    numbers = link.pass_number.values
    rows = []
    for number in passes["pass"].values:
        at = np.nonzero(numbers == number)
        if not len(at[0]):
            continue
        best = int(np.argmin(link.loss_total_db.values[at]))
        where = tuple(index[best] for index in at)
        noise = link.p_noise.values[at]
        used = link.usable.values[at] if "usable" in link else np.ones(noise.shape, dtype=bool)
        light = {}
        if "sky_radiance" in link and used.any():
            light = {"p_noise_lowest": float(noise[used].min()), "p_noise_highest": float(noise[used].max())}
        rows.append(
            {
                "station": str(passes.station.values[number]),
                "start": _plain(passes.start.values[number], "time"),
                "elevation": _plain(link.elevation.values[where], "float"),
                "slant_range_km": _plain(link.slant_range.values[where] / 1e3, "float"),
                **{name: _plain(link[name].values[where], "float") for name in terms},
                **light,
            }
        )
    return rows


def station_rows(schedule: xr.Dataset) -> list[dict[str, Any]]:
    """Bits delivered and available per station."""
    return [
        {
            "station": str(name),
            "delivered_bits": float(schedule.delivered_bits.values[index]),
            "available_bits": float(schedule.available_bits.values[index]),
        }
        for index, name in enumerate(schedule.station.values)
    ]


def comparison_rows(first: RunResult, second: RunResult) -> list[dict[str, Any]]:
    """Quantities of two runs side by side, per station and for the whole run."""
    from satqkd.report.compare import compare_table

    return [
        {
            "station": row.station or "all stations",
            "quantity": row.quantity,
            "run1": _plain(row.a, "float"),
            "run2": _plain(row.b, "float"),
            "difference": _plain(row.difference, "float"),
            "ratio": _plain(row.ratio, "float"),
        }
        for row in compare_table(first, second)
    ]


def totals(result: RunResult) -> dict[str, Any]:
    """Numbers of a run for scripts."""
    keys = result.keys
    stations = {}
    for row in station_rows(result.schedule):
        own = keys.station.values == row["station"]
        stations[row.pop("station")] = {
            "passes": int(own.sum()),
            "key_bits": int(keys.key_bits.values[own].sum()),
            "key_bits_asymptotic": int(keys.key_bits_asymptotic.values[own].sum()),
            **row,
        }
    return {
        "scenario": result.scenario.name,
        "scenario_hash": result.scenario.hash,
        "passes": int(keys.sizes["pass"]),
        "passes_with_key": int((keys.key_bits.values > 0).sum()),
        "key_bits": int(keys.key_bits.values.sum()),
        "key_bits_asymptotic": int(keys.key_bits_asymptotic.values.sum()),
        "stations": stations,
        "warnings": list(result.provenance["warnings"]),
    }
