"""Maps of the sky: a quantity by azimuth and zenith angle, the zenith in the centre, north up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satqkd.plot.curves import few_digits
from satqkd.plot.style import PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["sky_maps"]

Array = NDArray[np.float64]


@styled
def sky_maps(
    azimuth_deg: Array, zenith_deg: Array, fields: Mapping[str, Array], *, title: str, colour_label: str,
    views_deg: Mapping[str, tuple[float, float]], levels: Mapping[str, Sequence[tuple[float, str]]] | None = None,
    paths: Mapping[str, Mapping[str, tuple[Array, Array]]] | None = None, columns: int = 2,
) -> Figure:  # fmt: skip
    """Fields on one logarithmic colour scale.

    Parameters
    ----------
    azimuth_deg, zenith_deg : ndarray
        Directions, shapes (na,) and (nz,), clockwise from north and from the zenith. [deg]
    fields : mapping of str to ndarray
        Name above the map -> positive values, shape (nz, na).
    title, colour_label : str
        Text of the figure and of the colour scale.
    views_deg : mapping of str to tuple of float
        Name of a map -> azimuth and zenith angle of the line of sight, marked with a cross. [deg]
    levels : mapping of str to sequence of (float, str), optional
        Name of a map -> values and names of its contours, where the field reaches them.
    paths : mapping of str to mapping of str to tuple of ndarray, optional
        Name of a map -> name of a path -> its azimuths and zenith angles. [deg]
    columns : int
        Maps beside each other.

    Returns
    -------
    matplotlib.figure.Figure
        The maps and a colour scale.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter

    values = np.concatenate([field.ravel() for field in fields.values()])
    norm = LogNorm(float(values.min()), float(values.max()))
    rows = -(-len(fields) // columns)
    figure = new_figure(8.2, 0.6 + rows * (3.6 if columns < 3 else 2.9))
    grid = figure.subplots(rows, columns, squeeze=False, subplot_kw={"projection": "polar"}).ravel()
    azimuth = np.radians(azimuth_deg)
    colours: dict[str, str] = {}
    for axes, (name, field) in zip(grid, fields.items(), strict=False):
        axes.set_theta_zero_location("N")
        axes.set_theta_direction(-1)
        axes.grid(visible=False)
        drawn = axes.pcolormesh(
            azimuth, zenith_deg, field, norm=norm, cmap="inferno", shading="gouraud", rasterized=True
        )
        reached = [(value, text) for value, text in (levels or {}).get(name, ()) if field.min() < value < field.max()]
        if reached:
            reached.sort()
            lines = axes.contour(azimuth, zenith_deg, field, levels=[value for value, _ in reached], colors="black",
                                 linewidths=1.0)  # fmt: skip
            for loops, (_, text) in zip(lines.allsegs, reached, strict=True):
                top = min(np.concatenate(loops), key=lambda point: point[1])  # nearest to the zenith
                axes.annotate(text, tuple(top), (0, 2), textcoords="offset points", color="black", fontsize=7.0,
                              ha="center", va="bottom")  # fmt: skip
        for path, (az, zenith) in (paths or {}).get(name, {}).items():
            colour = colours.setdefault(path, PALETTE[(5, 2, 7)[len(colours) % 3]])
            axes.plot(np.radians(az), zenith, color=colour, lw=1.6)
        view = views_deg[name]
        axes.plot(np.radians(view[0]), view[1], "+", color="#00e5ff", ms=9, mew=1.6)
        axes.set_xticks(np.radians([0, 90, 180, 270]), ["N", "E", "S", "W"])
        axes.set_yticks([30, 60, 90], ["30°", "60°", ""], color="white", fontsize=6.5)
        axes.set_rlabel_position(45)
        for ring in (30.0, 60.0):
            axes.plot(np.linspace(0.0, 2.0 * np.pi, 181), np.full(181, ring), color="white", lw=0.4, alpha=0.6)
        axes.set_ylim(0.0, 90.0)
        axes.set_title(name, fontsize=9.0, fontweight="normal", loc="center")
    for axes in grid[len(fields):]:  # fmt: skip
        axes.set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.0, fontweight="bold")
    scale = figure.colorbar(drawn, ax=list(grid), label=colour_label, shrink=0.85)
    scale.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    scale.ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if few_digits(value) else ""))
    if colours:
        handles = [Line2D([], [], color=colour, lw=1.6, label=path) for path, colour in colours.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(colours))
    return figure
