"""Ratios of computed to published numbers, one place per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from satqkd.plot.style import INK, PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ratios"]

_MARKERS = "os^Dv"


@styled
def ratios(labels: Sequence[str], values: Mapping[str, Sequence[float]], *, title: str, y_label: str) -> Figure:
    """Points of ratios around the line of agreement, from zero upwards.

    Parameters
    ----------
    labels : sequence of str
        Name of each row.
    values : mapping of str to sequence of float
        Name of a series -> its ratios.
    title, y_label : str
        Text of the figure and of the ordinate.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes with a legend.
    """
    figure = new_figure(8.2, 3.8)
    axes = figure.subplots()
    places = range(len(labels))
    axes.axhline(1.0, color=INK, lw=1.0)
    for index, (name, row) in enumerate(values.items()):
        axes.plot(places, row, _MARKERS[index % len(_MARKERS)], color=PALETTE[index % len(PALETTE)], ms=5, label=name)
    axes.set(title=title, ylabel=y_label)
    axes.set_ylim(bottom=0.0)
    axes.set_xticks(list(places), labels=list(labels), rotation=60, ha="right", rotation_mode="anchor")
    axes.legend(loc="lower left", ncols=len(values))
    return figure
