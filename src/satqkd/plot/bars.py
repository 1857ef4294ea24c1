"""Bars beside each other: one group per place, one colour per series."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from satqkd.plot.style import INK, PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["grouped_bars"]


@styled
def grouped_bars(
    places: Sequence[str], series: Mapping[str, Sequence[float]], *, title: str, y_label: str, x_label: str = "",
    marks: Mapping[str, Sequence[float]] | None = None, line: tuple[str, float] | None = None, numbers: bool = False,
) -> Figure:  # fmt: skip
    """Values of several series at the same places.

    Parameters
    ----------
    places : sequence of str
        Groups from left to right.
    series : mapping of str to sequence of float
        Name -> one value per place, NaN: no bar.
    title, y_label, x_label : str
        Text of the figure and of its axes.
    marks : mapping of str to sequence of float, optional
        Name -> one value per place, drawn as a line across the group; NaN: none.
    line : tuple of str and float, optional
        Name and height of a line across all groups.
    numbers : bool
        Write each value above its bar.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes with a legend.
    """
    figure = new_figure(9.6, 3.8)
    axes = figure.subplots()
    width = 0.84 / max(1, len(series))
    for number, (name, values) in enumerate(series.items()):
        at = [place - 0.42 + (number + 0.5) * width for place in range(len(places))]
        axes.bar(at, values, width=0.94 * width, color=PALETTE[number % len(PALETTE)], lw=0, label=name)
        for place, value in zip(at, values, strict=True) if numbers else ():
            axes.annotate(f"{value:.3g}", (place, value), (0, 2), textcoords="offset points", ha="center", fontsize=7.0)
    for number, (name, values) in enumerate((marks or {}).items()):
        known = [place for place, value in enumerate(values) if not math.isnan(value)]
        axes.hlines(
            [values[place] for place in known], [place - 0.46 for place in known], [place + 0.46 for place in known],
            color=INK, lw=1.4, ls=("-", ":")[number % 2], label=name,
        )  # fmt: skip
    if line is not None:
        axes.axhline(line[1], color=INK, lw=1.0, ls=(0, (4, 2)), label=line[0])
    axes.set_xticks(range(len(places)), places)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x", visible=False)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    figure.legend(loc="outside lower center", ncols=min(7, len(series) + len(marks or {}) + 1))
    return figure
