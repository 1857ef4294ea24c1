"""What the reproduction of a paper consists of: a study, its tables, and how curves are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["Progress", "Study", "StudyModule", "Table", "drawn_by_name", "steps"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Table:
    """One table of results.

    Attributes
    ----------
    name : str
        File name without ending.
    title : str
        What it shows.
    x, series : str
        Columns of the abscissa and of what distinguishes the curves; empty if nothing is drawn.
    rows : tuple of dict
        Values by column.
    printed : bool
        Whether the page shows the rows, too.
    ordinate : str
        Column of the second coordinate of a map; empty: curves.
    note : str
        What a reader of the page must know about it.
    dataset : xarray.Dataset, optional
        The same with dimensions and units, written as NetCDF.
    """

    name: str
    title: str
    x: str
    series: str
    rows: tuple[Mapping[str, Any], ...]
    printed: bool = False
    ordinate: str = ""
    note: str = ""
    dataset: xr.Dataset | None = None


@dataclass(frozen=True)
class Study:
    """Texts of the page of a paper.

    Attributes
    ----------
    paper : str
        Authors and title.
    lead : str
        What the lines and columns mean.
    check_columns : mapping
        Column of a check -> heading.
    headings : mapping
        Column of a printed table -> heading; the column's name if it is not there.
    check_title : str
        Heading of the checks.
    pictures : bool
        Whether every picture is written as PNG, too.
    printed : bool
        Whether the command prints the checks.
    """

    paper: str
    lead: str
    check_columns: Mapping[str, str]
    headings: Mapping[str, str] = field(default_factory=dict)
    check_title: str = "Printed numbers"
    pictures: bool = False
    printed: bool = False


class StudyModule(Protocol):
    """What the module of a paper offers."""

    @property
    def STUDY(self) -> Study:
        """Texts of the page."""

    def tables(self, *, progress: Progress | None = None) -> list[Table]:
        """Compute every table."""

    def checks(self) -> list[dict[str, Any]]:
        """Printed numbers or claims beside ours."""

    def figure(self, table: Table) -> Figure | None:
        """Picture of a table."""


def drawn_by_name(drawings: Mapping[str, Callable[[Table], Figure]]) -> Callable[[Table], Figure | None]:
    """Picture of a table for a :class:`StudyModule`: what ``drawings`` has for its name, or None."""

    def figure(table: Table) -> Figure | None:
        draw = drawings.get(table.name)
        return None if draw is None else draw(table)

    return figure


def steps(tasks: Sequence[Callable[[], Table]], progress: Progress | None) -> list[Table]:
    """Tables of tasks, one after the other, reporting progress."""
    made = []
    for done, task in enumerate(tasks, 1):
        made.append(task())
        if progress is not None:
            progress("figures", done, len(tasks))
    return made
