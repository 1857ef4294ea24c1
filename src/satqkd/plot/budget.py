"""Budgets of all stations beside each other, and the noise that their receivers see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from satqkd.plot.curves import few_digits, power_of_ten
from satqkd.plot.select import LOSS_NAMES, best_passes, loss_terms, pass_samples
from satqkd.plot.style import INK, PALETTE, message, new_figure, styled

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["noise_curves", "station_budgets"]


@styled
def station_budgets(link: xr.Dataset, keys: xr.Dataset) -> Figure:
    """Loss terms of every station at the highest elevation of its best pass, on top of each other.

    Parameters
    ----------
    link, keys : xarray.Dataset
        Tables of the link stage and of the keys.

    Returns
    -------
    matplotlib.figure.Figure
        One axes: a bar per station in the table's order, dB. Stations without a pass, or without light at that
        instant, have no bar.
    """
    order = best_passes(keys)
    rows = []
    for name in link["station"].values:
        own = order[keys["station"].values[order] == name]
        samples = pass_samples(link, int(own[0])) if len(own) else None
        if samples is not None:
            rows.append((str(name), samples.isel(time=int(np.argmax(samples["elevation"].values)))))
    if not rows:
        return message("No pass to show.")
    figure = new_figure(8.2, 1.2 + 0.32 * len(rows))
    axes = figure.add_subplot()
    lit = np.array([bool(np.isfinite(row["loss_total_db"].item())) for _, row in rows])
    places = np.arange(len(rows))[lit]
    upper, lower = np.zeros(len(places)), np.zeros(len(places))
    for name, colour in zip(loss_terms(link), PALETTE, strict=False):
        values = np.array([row[name].item() for (_, row), has in zip(rows, lit, strict=True) if has])
        if not np.any(values):
            continue
        left = np.where(values >= 0.0, upper, lower)
        axes.barh(places, values, left=left, height=0.68, color=colour, alpha=0.78, label=LOSS_NAMES[name], gid=name)
        upper, lower = upper + np.maximum(values, 0.0), lower + np.minimum(values, 0.0)
    for place, end, total in zip(places, upper, upper + lower, strict=True):
        axes.text(end, place, f" {total:.1f}", va="center", fontsize=8.0, color=INK)
    axes.set_yticks(np.arange(len(rows)), [f"{name}, {row['elevation'].item():.0f}°" for name, row in rows])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.08)
    axes.set(xlabel="Loss [dB]", title="Loss budget of each station at the highest elevation of its best pass")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure


@styled
def noise_curves(link: xr.Dataset) -> Figure:
    """Noise of every station's receiver over the window, with gaps outside passes and where the link must not be used.

    Parameters
    ----------
    link : xarray.Dataset
        Table of the link stage.

    Returns
    -------
    matplotlib.figure.Figure
        One axes: clicks without signal per pulse against UTC; a line per station, the lowest noise of its satellites.
    """
    noise = link["p_noise"].transpose("station", "satellite", "time").values
    if "usable" in link:
        noise = np.where(link["usable"].transpose("station", "satellite", "time").values, noise, np.nan)
    seen = np.isfinite(noise)
    if not seen.any():
        return message("No pass to show.")
    from matplotlib.dates import ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter

    lowest = np.where(seen, noise, np.inf).min(axis=1)
    shown = lowest[np.isfinite(lowest) & (lowest > 0.0)]
    decades = shown.size > 0 and float(shown.max() / shown.min()) > 30.0
    time = link["time"].values
    steps = np.diff(time)
    # a step much longer than the shortest one is a time without any pass: the line must not cross it
    breaks = np.flatnonzero(steps > 1.5 * steps.min()) + 1 if len(steps) else np.array([], dtype=int)
    time = np.insert(time, breaks, time[breaks - 1])
    figure = new_figure(8.2, 3.2)
    axes = figure.add_subplot()
    for index, name in enumerate(link["station"].values):
        values = np.where(np.isfinite(lowest[index]), lowest[index], np.nan)
        axes.semilogy(
            time, np.insert(values, breaks, np.nan), color=PALETTE[index % len(PALETTE)], lw=1.3, label=str(name),
            marker="." if seen[index].sum() == 1 else "",
        )  # fmt: skip
    axes.set(xlabel="UTC", ylabel="Noise clicks per pulse", title="Background light and dark counts")
    axes.margins(x=0.01)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: "" if decades else few_digits(value)))
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))  # type: ignore[no-untyped-call]
    if len(lowest) <= len(PALETTE):
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure
