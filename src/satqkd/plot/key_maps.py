"""Key against two coordinates, as coloured fields beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.plot.curves import power_of_ten
from satqkd.plot.style import NONE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["key_maps"]


@styled
def key_maps(
    rows: Sequence[Mapping[str, Any]], *, x: str, y: str, maps: Mapping[str, str], title: str, x_label: str,
    y_label: str, colour_label: str,
) -> Figure:  # fmt: skip
    """One field per column, all on one logarithmic colour scale; grey where the column is not positive.

    Parameters
    ----------
    rows : sequence of mapping
        Table with one row per pair of coordinates; the abscissae are positive and evenly spread on a logarithmic scale,
        the ordinates on a linear one.
    x, y : str
        Columns of the coordinates.
    maps : mapping of str to str
        Column to draw -> its name above the field.
    title, x_label, y_label, colour_label : str
        Text of the figure, of the axes and of the colour scale.

    Returns
    -------
    matplotlib.figure.Figure
        The fields and a colour scale.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FuncFormatter, NullFormatter

    columns, lines = sorted({row[x] for row in rows}), sorted({row[y] for row in rows})
    fields = []
    for column in maps:
        field = np.full((len(lines), len(columns)), np.nan)
        for row in rows:
            if row[column] > 0.0:
                field[lines.index(row[y]), columns.index(row[x])] = row[column]
        fields.append(field)
    known = np.concatenate([field[np.isfinite(field)] for field in fields])
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 10.0)
    norm = LogNorm(max(low, 1e-4 * high), max(high, 1.01 * low))
    figure = new_figure(8.2, 3.4)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.0, fontweight="bold")
    grid = figure.subplots(1, len(fields), sharey=True, squeeze=False)[0]
    for axes, field, name in zip(grid, fields, maps.values(), strict=True):
        axes.set_facecolor(NONE)
        axes.grid(visible=False)
        drawn = axes.pcolormesh(columns, lines, field, norm=norm, cmap="viridis", shading="nearest", lw=0.3,
                                edgecolor="face")  # fmt: skip
        axes.set_xscale("log")
        axes.set(xlabel=x_label)
        axes.set_title(name, fontsize=9.0, fontweight="normal")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    grid[0].set_ylabel(y_label)
    scale = figure.colorbar(drawn, ax=list(grid), label=colour_label)
    scale.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    scale.ax.yaxis.set_minor_formatter(NullFormatter())
    return figure
