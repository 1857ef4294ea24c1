"""A paper's figures and tables beside ours: tables as CSV, one page with plots."""

from __future__ import annotations

import csv
import importlib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from satqkd._version import __version__
from satqkd.errors import InputError
from satqkd.study.reproduction import Progress, Study, StudyModule, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STUDIES", "reproduce"]

STUDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "000": "satqkd.study.reproduce_000",
        "001": "satqkd.study.reproduce_001",
        "002": "satqkd.study.reproduce_002",
        "003": "satqkd.study.reproduce_003",
        "004": "satqkd.study.reproduce_004",
        "004-channel": "satqkd.study.reproduce_004_channel",
    }
)
"""Name of a paper -> its module, a :class:`~satqkd.study.reproduction.StudyModule`."""


def reproduce(name: str, folder: Path, *, progress: Progress | None = None) -> list[dict[str, Any]]:
    """Compute a study and write it to a folder.

    Parameters
    ----------
    name : str
        One of :data:`STUDIES`.
    folder : Path
        New or empty folder.
    progress : callable, optional
        Called with stage, figures done, figures in total.

    Returns
    -------
    list of dict
        What the command prints: the checks by heading, or nothing if the study has too many.

    Raises
    ------
    InputError
        If the study is unknown or the folder holds something.
    """
    if name not in STUDIES:
        raise InputError(f'study "{name}": must be one of {", ".join(STUDIES)}')
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: must be a new or an empty folder")
    from satqkd.formats.netcdf import write_netcdf
    from satqkd.plot.style import to_png

    module = cast(StudyModule, importlib.import_module(STUDIES[name]))
    tables, checks = module.tables(progress=progress), module.checks()
    pictures = {table.name: module.figure(table) for table in tables}
    page = _page(module.STUDY, tables, pictures, checks)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checks.csv").write_text(_csv(checks), encoding="utf-8")
    for table in tables:
        (folder / f"{table.name}.csv").write_text(_csv(table.rows), encoding="utf-8")
        picture = pictures[table.name]
        if module.STUDY.pictures and picture is not None:
            (folder / f"{table.name}.png").write_bytes(to_png(picture))
        if table.dataset is not None:
            origin = {"title": f"{module.STUDY.paper}: {table.title}", "source": f"satqkd {__version__}"}
            write_netcdf(table.dataset, folder / f"{table.name}.nc", attributes=origin)
    (folder / "report.html").write_text(page, encoding="utf-8")
    if not module.STUDY.printed:
        return []
    columns = module.STUDY.check_columns
    return [{text: _shown(row.get(column, "")) for column, text in columns.items()} for row in checks]


def _shown(value: Any) -> Any:
    """A value for files and screens: nothing for what is not a number."""
    return "" if isinstance(value, float) and math.isnan(value) else value


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: _shown(v) for k, v in row.items()} for row in rows)
    return out.getvalue()


def _page(
    study: Study, tables: Sequence[Table], pictures: Mapping[str, Figure | None], checks: Sequence[Mapping[str, Any]]
) -> str:
    from satqkd.plot.style import to_inline
    from satqkd.report.page import Section, page
    from satqkd.report.values import escape

    sections = [Section("checks", study.check_title, _html(checks, study.check_columns))]
    for made in tables:
        picture = pictures[made.name]
        body = "" if picture is None else to_inline(picture, name=_anchor(made), alt=made.title)
        if made.note:
            body += f"<p>{escape(made.note)}</p>"
        if made.printed:
            body += _html(made.rows, _headings(made, study))
        sections.append(Section(made.name, made.title, f"{body}<p>Data: {escape(made.name)}.csv</p>"))
    return page(
        title=f"{study.paper} - satqkd",
        kind="A paper's figures, computed again",
        heading=study.paper,
        lead=f"<p>{escape(study.lead)}</p>",
        top="",
        sections=sections,
    )


def _anchor(table: Table) -> str:
    return table.name.replace("_", "-").replace(".", "-")


def _headings(table: Table, study: Study) -> dict[str, str]:
    names = dict.fromkeys(name for row in table.rows for name in row)
    return {name: study.headings.get(name, name.replace("_", " ")) for name in names}


def _html(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Rows as an HTML table, texts on the left."""
    from satqkd.report.values import escape, integer, table

    def cell(value: Any) -> str:
        if isinstance(value, str):
            return escape(value)
        if isinstance(value, int):
            return integer(value)
        # a line must not break at the minus of an exponent
        return "" if math.isnan(value) else f'<span style="white-space:nowrap">{value:.4g}</span>'

    text_columns = 0
    for name in columns:
        if not any(isinstance(row.get(name), str) for row in rows):
            break
        text_columns += 1
    cells = [[cell(row.get(name, math.nan)) for name in columns] for row in rows]
    return table([escape(text) for text in columns.values()], cells, text_columns=text_columns)
