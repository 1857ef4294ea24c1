"""Key against two coordinates, as coloured fields beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satqkd.plot.curves import power_of_ten
from satqkd.plot.style import NONE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["fields_of", "key_maps"]

Array = NDArray[np.float64]


def fields_of(
    rows: Sequence[Mapping[str, Any]], *, x: str, y: str, columns: Sequence[str]
) -> tuple[Array, Array, list[Array]]:
    """Turn a table with one row per pair of coordinates into fields.

    Parameters
    ----------
    rows : sequence of mapping
        Table.
    x, y : str
        Columns of the coordinates.
    columns : sequence of str
        Columns to lay out.

    Returns
    -------
    tuple of (ndarray, ndarray, list of ndarray)
        Abscissae, ordinates, ascending, and one field of shape (ny, nx) per column, NaN where the table has no row.

    Examples
    --------
    >>> fields_of([{"a": 2, "b": 0, "key": 7}, {"a": 1, "b": 0, "key": 8}], x="a", y="b", columns=["key"])
    (array([1., 2.]), array([0.]), [array([[8., 7.]])])
    """
    abscissae, ordinates = sorted({row[x] for row in rows}), sorted({row[y] for row in rows})
    column_of = {value: i for i, value in enumerate(abscissae)}
    line_of = {value: j for j, value in enumerate(ordinates)}
    fields = [np.full((len(ordinates), len(abscissae)), np.nan) for _ in columns]
    for row in rows:
        for field, column in zip(fields, columns, strict=True):
            field[line_of[row[y]], column_of[row[x]]] = row[column]
    return np.array(abscissae, float), np.array(ordinates, float), fields


@styled
def key_maps(
    x: Array, y: Array, fields: Mapping[str, Array], *, title: str, x_label: str, y_label: str, colour_label: str,
    log_x: bool = False, log_y: bool = False,
) -> Figure:  # fmt: skip
    """One field per name, all on one logarithmic colour scale with contours at whole powers of ten; grey: no key.

    Parameters
    ----------
    x, y : ndarray
        Coordinates, shapes (nx,) and (ny,), evenly spread on their axes.
    fields : mapping of str to ndarray
        Name above the field (may be empty) -> values, shape (ny, nx); grey where not positive.
    title, x_label, y_label, colour_label : str
        Text of the figure, of the axes and of the colour scale.
    log_x, log_y : bool
        Logarithmic axes.

    Returns
    -------
    matplotlib.figure.Figure
        The fields and a colour scale.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FuncFormatter, NullFormatter

    shown = [np.where(field > 0.0, field, np.nan) for field in fields.values()]
    known = np.concatenate([field[np.isfinite(field)] for field in shown])
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 10.0)
    # the last bits before the end of the keys would take all the colours
    low, high = max(low, 1e-6 * high), max(high, 1.01 * low)
    norm = LogNorm(low, high)
    figure = new_figure(7.2 if len(shown) == 1 else 8.2, 4.6 if len(shown) == 1 else 3.4)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.0, fontweight="bold")
    grid = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    powers = 10.0 ** np.arange(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1.0)
    for axes, field, name in zip(grid, shown, fields, strict=True):
        axes.set_facecolor(NONE)
        axes.grid(visible=False)
        drawn = axes.pcolormesh(x, y, field, norm=norm, cmap="viridis", shading="nearest", rasterized=field.size > 4000)
        if min(field.shape) > 1 and powers.size and np.isfinite(field).any():
            axes.contour(x, y, field, levels=powers, colors="white", linewidths=0.7, linestyles="solid")
        axes.set(xlabel=x_label)
        axes.set_title(name, fontsize=9.0, fontweight="normal")
        for axis, logarithmic in ((axes.xaxis, log_x), (axes.yaxis, log_y)):
            if logarithmic:
                getattr(axes, f"set_{axis.axis_name}scale")("log")
                axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
                axis.set_minor_formatter(NullFormatter())
    grid[0].set_ylabel(y_label)
    scale = figure.colorbar(drawn, ax=list(grid), label=colour_label)
    scale.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    scale.ax.yaxis.set_minor_formatter(NullFormatter())
    return figure
