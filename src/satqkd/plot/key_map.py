"""A map of keys over two quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satqkd.plot.curves import power_of_ten
from satqkd.plot.style import MUTED, NONE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["key_map"]


@styled
def key_map(
    x: NDArray[np.float64], y: NDArray[np.float64], key: NDArray[np.float64], *, x_label: str, y_label: str,
    key_label: str, title: str, log_x: bool = False, log_y: bool = False,
) -> Figure:  # fmt: skip
    """Colours by the key's power of ten, with contours at whole powers; grey where there is no key.

    Parameters
    ----------
    x, y : ndarray
        Values of the axes, shapes (nx,) and (ny,).
    key : ndarray, shape (ny, nx)
        Key; 0 where there is none.
    x_label, y_label, key_label, title : str
        Texts.
    log_x, log_y : bool
        Logarithmic axes.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes with a colour bar.
    """
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure = new_figure(7.0, 4.8)
    axes = figure.subplots()
    axes.set_facecolor(NONE)
    positive = key > 0.0
    if positive.any():
        exponent = np.log10(np.where(positive, key, np.nan))
        low, high = np.floor(np.nanmin(exponent)), np.ceil(np.nanmax(exponent))
        low = max(low, high - 8.0)  # the last bits before the edge would take all the colours
        mesh = axes.pcolormesh(x, y, exponent, vmin=low, vmax=high, cmap="viridis", shading="nearest", rasterized=True)
        bar = figure.colorbar(mesh, ax=axes, ticks=np.arange(low, high + 1.0), label=key_label)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(10.0**value)))
        if min(key.shape) > 1:
            lines = np.arange(low, high + 1.0)
            axes.contour(x, y, exponent, levels=lines, colors="white", linewidths=0.7, linestyles="solid")
    else:
        axes.text(0.5, 0.5, "no key anywhere", transform=axes.transAxes, ha="center", color=MUTED)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(visible=False)
    for axis, logarithmic in ((axes.xaxis, log_x), (axes.yaxis, log_y)):
        if logarithmic:
            getattr(axes, f"set_{axis.axis_name}scale")("log")
            axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
            axis.set_minor_formatter(NullFormatter())
    return figure
