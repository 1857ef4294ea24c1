"""A paper's figures and tables beside ours: tables as CSV, one page with plots."""

from __future__ import annotations

import csv
import importlib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from satqkd.errors import InputError
from satqkd.study.keyrate import Progress

__all__ = ["STUDIES", "reproduce"]

STUDIES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"003": ("satqkd.study.reproduce_003", "Sidhu et al., Finite key effects in satellite quantum key distribution")}
)
"""Name -> module with ``tables``, ``checks``, and the paper."""

_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "half_window_s": "half window [s]",
        "system_loss_db": "system loss [dB]",
        "offset_km": "ground-track offset [km]",
        "p_extraneous": "extraneous counts per pulse",
        "qber_intrinsic": "intrinsic error rate",
        "passes": "passes in a block",
    }
)
"""Axis of a column."""


def reproduce(name: str, folder: Path, *, progress: Progress | None = None) -> None:
    """Compute a study and write it to a folder.

    Parameters
    ----------
    name : str
        One of :data:`STUDIES`.
    folder : Path
        New or empty folder.
    progress : callable, optional
        Called with stage, figures done, figures in total.

    Raises
    ------
    InputError
        If the study is unknown or the folder holds something.
    """
    if name not in STUDIES:
        raise InputError(f'study "{name}": must be one of {", ".join(STUDIES)}')
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: must be a new or an empty folder")
    module_name, paper = STUDIES[name]
    module = importlib.import_module(module_name)
    tables, checks = module.tables(progress=progress), module.checks()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checks.csv").write_text(_csv(checks), encoding="utf-8")
    for table in tables:
        (folder / f"{table.name}.csv").write_text(_csv(table.rows), encoding="utf-8")
    (folder / "report.html").write_text(_page(paper, tables, checks), encoding="utf-8")


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()} for row in rows)
    return out.getvalue()


def _page(paper: str, tables: Sequence[Any], checks: Sequence[Mapping[str, Any]]) -> str:
    from satqkd.plot.curves import curves
    from satqkd.plot.key_maps import key_maps
    from satqkd.plot.style import to_inline
    from satqkd.report.page import Section, page
    from satqkd.report.values import escape, table

    def cell(value: Any) -> str:
        if isinstance(value, str):
            return escape(value)
        return "" if math.isnan(value) else f"{value:.4g}"

    header = ["quantity", "system loss [dB]", "paper", "published conventions", "sound defaults"]
    sections = [
        Section("checks", "Printed numbers", table(header, [[cell(v) for v in row.values()] for row in checks]))
    ]
    lines = {"key_bits_published": "published conventions", "key_bits_sound": "sound defaults"}
    settings = {name: name.replace("_", " ") for name in ("p_key_basis", "mu_1", "mu_2", "p_1", "p_2", "p_3")}
    for made in tables:
        parameters = any("mu_1" in row for row in made.rows)
        rows: Sequence[Mapping[str, Any]] = made.rows
        drawn, label, series = lines, "key per pass [bit]", made.series
        if parameters:  # one curve per parameter
            rows = [{made.x: row[made.x], "parameter": text, "value": row[column]}
                    for column, text in settings.items() for row in made.rows if column in row]  # fmt: skip
            drawn, label, series = {"value": "published conventions"}, "optimum", "parameter"
        elif series == "system_loss_db":
            rows = [{**row, series: f"{row[series]:g} dB"} for row in rows]
        x_label = _LABELS.get(made.x, made.x)
        if made.ordinate:
            figure = key_maps(rows, x=made.x, y=made.ordinate, maps=lines, title=made.title, x_label=x_label,
                              y_label=_LABELS[made.ordinate], colour_label=label)  # fmt: skip
        else:
            figure = curves(rows, x=made.x, series=series, lines=drawn, title=made.title, x_label=x_label,
                            y_label=label, log_y=not parameters)  # fmt: skip
        picture = to_inline(figure, name=made.name.replace("_", "-").replace(".", "-"), alt=made.title)
        sections.append(Section(made.name, made.title, f"{picture}<p>Data: {escape(made.name)}.csv</p>"))
    return page(
        title=f"{paper} - satqkd",
        kind="A paper's figures, computed again",
        heading=paper,
        lead="<p>Full lines: conventions of the code published with the paper. Dashed: this package's defaults. "
        "Grey in a map: no key.</p>",
        top="",
        sections=sections,
    )
