"""Totals of categories: groups of bars with their values above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from satqkd.plot.style import PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bars"]


@styled
def bars(
    labels: Sequence[str], values: Mapping[str, Sequence[float]], *, title: str, x_label: str, y_label: str,
    line: tuple[str, float] | None = None,
) -> Figure:  # fmt: skip
    """Groups of bars, one group per label and one colour per series.

    Parameters
    ----------
    labels : sequence of str
        Names of the groups.
    values : mapping of str to sequence of float
        Name of a series -> its value in each group.
    title, x_label, y_label : str
        Text of the figure and of its axes.
    line : tuple of str and float, optional
        Name and height of a horizontal line to compare with.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes with a legend.
    """
    figure = new_figure(8.2, 4.0)
    axes = figure.subplots()
    width = 0.8 / len(values)
    for index, (name, row) in enumerate(values.items()):
        places = [place + width * (index - 0.5 * (len(values) - 1)) for place in range(len(labels))]
        axes.bar(places, row, width=0.92 * width, color=PALETTE[index % len(PALETTE)], lw=0, label=name)
        for place, value in zip(places, row, strict=True):
            axes.annotate(f"{value:.3g}", (place, value), (0, 2), textcoords="offset points", ha="center", fontsize=7.0)
    if line is not None:
        axes.axhline(line[1], color="#555", lw=1.0, ls=(0, (4, 2)), label=line[0])
    axes.grid(axis="x", visible=False)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.set_xticks(range(len(labels)), labels=list(labels))
    figure.legend(loc="outside lower center", ncols=len(values) + 1)
    return figure
