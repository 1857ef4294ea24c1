"""A run in a few lines: for the console and for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from satqkd.report.run import Run, Totals, heading, reason_groups, station_names
from satqkd.report.values import bits, escape, integer, number, seconds, signed_db, table, utc, window_text

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["html_summary", "station_rows", "summary"]

_HEADER = ["Station", "Passes", "Keys", "Time", "Finite key", "Asymptotic", "Delivered", "Best margin [dB]"]


def station_rows(result: Run) -> list[list[str]]:
    """Text cells of one row per station and one for all: passes, time, keys, delivered, best margin."""
    station = result.keys["station"].values.astype(str)
    delivered = dict(
        zip(result.schedule["station"].values.astype(str), result.schedule["delivered_bits"].values, strict=True)
    )
    rows = []
    for name in station_names(result):
        mine = station == name
        keys = result.keys["key_bits"].values[mine]
        margin = result.keys["margin_db"].values[mine]
        time_s = float(result.passes["duration_s"].values[mine].sum())
        rows.append(
            [
                name, integer(mine.sum()), integer((keys > 0).sum()), seconds(time_s) if time_s else "–",
                bits(keys.sum()), bits(result.keys["key_bits_asymptotic"].values[mine].sum()),
                bits(delivered.get(name, 0.0)), signed_db(np.nanmax(margin)) if np.isfinite(margin).any() else "–",
            ]
        )  # fmt: skip
    total = Totals(result)
    rows.append(
        [
            "All", integer(total.passes), integer(total.passes_with_key),
            seconds(total.duration_s) if total.duration_s else "–", bits(total.finite_bits),
            bits(total.asymptotic_bits), bits(total.delivered_bits), "",
        ]
    )  # fmt: skip
    return rows


def summary(result: Run) -> RenderableType:
    """Summary for the console.

    Parameters
    ----------
    result : RunResult
        A finished run.

    Returns
    -------
    rich.console.Group
        To be printed by a :class:`rich.console.Console`.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    study = result.scenario.study
    parts: list[RenderableType] = [
        Text(heading(result), style="bold"),
        Text(f"{result.scenario.name}, {window_text(study.start, study.end)}", style="dim"),
    ]
    keys = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column, title in enumerate(_HEADER):
        keys.add_column(Text(title), justify="left" if column == 0 else "right", no_wrap=True)
    *rows, total = station_rows(result)
    for row in rows:
        keys.add_row(*(Text(cell) for cell in row))
    keys.add_section()
    keys.add_row(*(Text(cell, style="bold") for cell in total))
    parts.append(keys)
    if not result.passes.sizes["pass"]:
        parts.append(Text("No usable pass in this window, so no key.", style="yellow"))
    for code, members in reason_groups(result.keys):
        nearest = members[0]
        margin = float(result.keys["margin_db"].values[nearest])
        far = f"closest lacks {number(-margin)} dB" if np.isfinite(margin) else "none within reach"
        where = f"{result.keys['station'].values[nearest]}, {utc(result.keys['start'].values[nearest], 'm')}"
        count = f"{len(members)} {'pass' if len(members) == 1 else 'passes'}"
        parts.append(Text(f"No finite key in {count}: {code} ({far}: {where})"))
    parts += [Text(f"Warning: {text}", style="yellow") for text in result.provenance.get("warnings") or []]
    return Group(*parts)


def html_summary(result: Run) -> str:
    """Summary for a notebook, without pictures.

    Parameters
    ----------
    result : RunResult
        A finished run.

    Returns
    -------
    str
        HTML of one ``<div>``.
    """
    study = result.scenario.study
    *rows, total = ([escape(cell) for cell in row] for row in station_rows(result))
    rows.append([f"<strong>{cell}</strong>" if cell else "" for cell in total])
    warnings = "".join(f"<p>Warning: {escape(text)}</p>" for text in result.provenance.get("warnings") or [])
    empty = "" if result.passes.sizes["pass"] else "<p>No usable pass in this window, so no key.</p>"
    return (
        f"<div><p><strong>{escape(heading(result))}</strong><br>{escape(result.scenario.name)}, "
        f"{escape(window_text(study.start, study.end))}</p>{empty}{table(_HEADER, rows)}{warnings}</div>"
    )
