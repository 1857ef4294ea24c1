"""A grid of panels with common axes: fields with labelled contours, and stacked terms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satqkd.plot.style import PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["contour_panels", "stacked_panels"]

Array = NDArray[np.float64]
Panels = Mapping[tuple[str, str], Array]


def _grid(
    panels: Sequence[tuple[str, str]], height_in: float, title: str
) -> tuple[Figure, dict[tuple[str, str], Axes]]:
    """Axes by row and column, each with both names above it."""
    rows, columns = (list(dict.fromkeys(key[i] for key in panels)) for i in (0, 1))
    figure = new_figure(8.2, 0.9 + height_in * len(rows))
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.0, fontweight="bold")
    made = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    for j, row in enumerate(rows):
        for i, column in enumerate(columns):
            made[j][i].set_title(f"{row} · {column}", fontsize=8.5, fontweight="normal")
    return figure, {(row, column): made[j][i] for j, row in enumerate(rows) for i, column in enumerate(columns)}


def _outer_labels(axes_of: Mapping[tuple[str, str], Axes], x_label: str, y_label: str) -> None:
    """Labels at the middle of the left and lower edge (a label of the figure would cover its legend)."""
    rows, columns = (list(dict.fromkeys(key[i] for key in axes_of)) for i in (0, 1))
    axes_of[rows[-1], columns[len(columns) // 2]].set_xlabel(x_label)
    axes_of[rows[len(rows) // 2], columns[0]].set_ylabel(y_label)


def _levels(low: float, high: float) -> Array:
    """Whole multiples of 1, 2, 5, 10, 20 or 50 between the ends, about ten of them."""
    step = next((one for one in (1.0, 2.0, 5.0, 10.0, 20.0) if (high - low) / one <= 14.0), 50.0)
    return np.arange(math.ceil(low / step), math.floor(high / step) + 1.0) * step


@styled
def contour_panels(
    x: Array, y: Array, panels: Panels, *, title: str, x_label: str, y_label: str, colour_label: str
) -> Figure:
    """Fields on one linear colour scale, each with its own labelled contours.

    Parameters
    ----------
    x, y : ndarray
        Coordinates, shapes (nx,) and (ny,).
    panels : mapping of (str, str) to ndarray
        Row and column of the panel -> finite values, shape (ny, nx).
    title, x_label, y_label, colour_label : str
        Text of the figure, of the axes and of the colour scale.

    Returns
    -------
    matplotlib.figure.Figure
        The panels and a colour scale.
    """
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap, Normalize

    pale = ListedColormap(mpl.colormaps["viridis_r"](np.linspace(0.0, 0.75, 256)))  # black labels must be legible
    values = np.concatenate([field.ravel() for field in panels.values()])
    norm = Normalize(float(values.min()), float(values.max()))
    figure, axes_of = _grid(list(panels), 2.1, title)
    for key, field in panels.items():
        axes = axes_of[key]
        axes.grid(visible=False)
        drawn = axes.pcolormesh(x, y, field, norm=norm, cmap=pale, shading="nearest", rasterized=True)
        lines = axes.contour(
            x, y, field, levels=_levels(float(field.min()), float(field.max())), colors="black", linewidths=0.6
        )
        axes.clabel(lines, fontsize=6.5, fmt="%g", inline_spacing=2)
    _outer_labels(axes_of, x_label, y_label)
    figure.colorbar(drawn, ax=list(axes_of.values()), label=colour_label, aspect=40)
    return figure


@styled
def stacked_panels(
    x: Array, panels: Mapping[tuple[str, str], Mapping[str, Array]], *, title: str, x_label: str, y_label: str
) -> Figure:
    """Terms that add up, as bars on each other: one bar per abscissa, one colour per term.

    Parameters
    ----------
    x : ndarray
        Abscissae, evenly spaced, shape (n,).
    panels : mapping of (str, str) to mapping of str to ndarray
        Row and column of the panel -> term -> values of shape (n,), from the bottom to the top.
    title, x_label, y_label : str
        Text of the figure and of the axes.

    Returns
    -------
    matplotlib.figure.Figure
        The panels and a legend.
    """
    figure, axes_of = _grid(list(panels), 2.0, title)
    width = 0.8 * float(np.diff(x).min())
    for key, terms in panels.items():
        axes, bottom = axes_of[key], np.zeros(x.size)
        axes.grid(axis="x", visible=False)
        for index, (name, value) in enumerate(terms.items()):
            axes.bar(x, value, width=width, bottom=bottom, color=PALETTE[index], lw=0, label=name)
            bottom = bottom + value
        axes.text(float(x[-1]), float(bottom[-1]) + 0.5, f"{bottom[-1]:.0f}", ha="center", va="bottom", fontsize=7.0)
    _outer_labels(axes_of, x_label, y_label)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(terms), fontsize=8.0)
    return figure
