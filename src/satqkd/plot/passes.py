"""One pass over time, its loss budget, and how far every pass is from a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.plot.select import LOSS_NAMES, best_pass, loss_terms, pass_samples, utc
from satqkd.plot.style import (
    ASYMPTOTIC,
    FINITE,
    INK,
    MUTED,
    NONE,
    PALETTE,
    bit_unit,
    message,
    new_figure,
    note,
    styled,
    time_unit,
)  # fmt: skip

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["loss_budget", "margins", "pass_curves"]


def _chosen(link: xr.Dataset, keys: xr.Dataset | None, number: int | None) -> xr.Dataset | None:
    if number is None:
        if keys is not None:
            number = best_pass(keys)
        else:
            known = link["pass_number"].values
            number = int(known.max()) if known.size and known.max() >= 0 else None
    return None if number is None else pass_samples(link, number)


def _name(samples: xr.Dataset) -> str:
    return f"{samples['satellite'].item()} over {samples['station'].item()}"


def _seconds(samples: xr.Dataset) -> tuple[NDArray[np.float64], Any]:
    """Time from the highest elevation, and the instant of it. [s]"""
    top = samples["time"].values[int(np.argmax(samples["elevation"].values))]
    return (samples["time"].values - top) / np.timedelta64(1, "s"), top


@styled
def pass_curves(link: xr.Dataset, keys: xr.Dataset | None = None, *, number: int | None = None) -> Figure:
    """Elevation, distance, loss and asymptotic key rate of one pass over time.

    Parameters
    ----------
    link : xarray.Dataset
        Table of the link stage.
    keys : xarray.Dataset, optional
        Table of the keys; chooses the pass with the most key if ``number`` is not given.
    number : int, optional
        Number of the pass.

    Returns
    -------
    matplotlib.figure.Figure
        Four axes: degrees, km, dB, kbit/s (or the unit that fits), against seconds (a day: hours) from culmination.
    """
    samples = _chosen(link, keys, number)
    if samples is None:
        return message("No pass to show.")
    seconds, top = _seconds(samples)
    hour, hours = time_unit(float(np.ptp(seconds)))
    rate = samples["rate_asymptotic"].values
    size, unit = bit_unit(float(np.nanmax(rate)) if np.isfinite(rate).any() else 0.0)
    curves = (
        (samples["elevation"].values, "Elevation [deg]", PALETTE[0]),
        (samples["slant_range"].values / 1e3, "Slant range [km]", PALETTE[2]),
        (samples["loss_total_db"].values, "Total loss [dB]", PALETTE[1]),
        (rate / size, f"Asymptotic key rate [{unit}/s]", PALETTE[7]),
    )
    figure = new_figure(8.2, 4.6)
    panels = figure.subplots(2, 2, sharex=True)
    for axes, (values, label, colour) in zip(panels.ravel(), curves, strict=True):
        axes.plot(seconds / hour, values, color=colour, marker="o" if len(seconds) == 1 else "")
        axes.set_ylabel(label)
        axes.axvline(0.0, color=MUTED, lw=0.8, ls=(0, (3, 3)), gid="culmination")
        axes.margins(x=0.01, y=0.08)
    panels[0, 0].set_ylim(bottom=0.0 if np.nanmin(curves[0][0]) >= 0.0 else None)
    panels[1, 1].set_ylim(bottom=0.0)
    for axes in panels[1]:
        axes.set_xlabel(f"Time from culmination [{hours}]")
    figure.suptitle(f"{_name(samples)}, culmination {utc(top)} UTC", fontsize=10, fontweight="bold", x=0.01, ha="left")
    return figure


@styled
def loss_budget(link: xr.Dataset, keys: xr.Dataset | None = None, *, number: int | None = None) -> Figure:
    """Loss of one pass over time, its terms on top of each other in the order light meets them.

    Parameters
    ----------
    link : xarray.Dataset
        Table of the link stage.
    keys : xarray.Dataset, optional
        Table of the keys; chooses the pass with the most key if ``number`` is not given.
    number : int, optional
        Number of the pass.

    Returns
    -------
    matplotlib.figure.Figure
        One axes, dB against seconds (a day: hours) from culmination. A negative term hangs below zero.
    """
    samples = _chosen(link, keys, number)
    if samples is None:
        return message("No pass to show.")
    seconds, top = _seconds(samples)
    hour, hours = time_unit(float(np.ptp(seconds)))
    seconds = seconds / hour
    figure = new_figure(8.2, 3.8)
    axes = figure.add_subplot()
    upper = np.zeros(len(seconds))
    lower = np.zeros(len(seconds))
    terms = loss_terms(samples)
    for name, colour in zip(terms, PALETTE, strict=False):
        values = samples[name].values
        if not np.any(np.nan_to_num(values)):
            continue
        base = np.where(values >= 0.0, upper, lower)
        axes.fill_between(seconds, base, base + values, color=colour, alpha=0.78, lw=0.6, edgecolor="white",
                          label=LOSS_NAMES[name], gid=name)  # fmt: skip
        upper, lower = upper + np.maximum(values, 0.0), lower + np.minimum(values, 0.0)
    axes.plot(seconds, samples["loss_total_db"].values, color=INK, lw=1.6, label="whole link", gid="total")
    axes.set(
        xlabel=f"Time from culmination [{hours}]",
        ylabel="Loss [dB]",
        title=f"Loss budget: {_name(samples)}, {utc(top)} UTC",
    )
    axes.margins(x=0.0, y=0.06)
    axes.set_ylim(bottom=min(0.0, 1.1 * float(np.nanmin(lower))))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside right center")
    return figure


@styled
def margins(passes: xr.Dataset, keys: xr.Dataset) -> Figure:
    """Loss margin of each pass against its highest elevation.

    Parameters
    ----------
    passes, keys : xarray.Dataset
        Tables of the passes and of the keys.

    Returns
    -------
    matplotlib.figure.Figure
        One axes: extra loss that the finite key survives (above zero), or loss to be saved for a key (below), in dB.
    """
    if not passes.sizes["pass"]:
        return message("No pass in the window.")
    elevation, margin = passes["max_elevation_deg"].values, keys["margin_db"].values
    finite, asymptotic = keys["key_bits"].values > 0, keys["key_bits_asymptotic"].values >= 1.0
    known = np.isfinite(margin)
    if not known.any():
        return message("No pass is within reach of a key, and none has a finite margin.")
    figure = new_figure(8.2, 3.6)
    axes = figure.add_subplot()
    groups = (
        (finite, FINITE, "o", "finite key"),
        (~finite & asymptotic, ASYMPTOTIC, "^", "asymptotic key only"),
        (~finite & ~asymptotic, NONE, "X", "no key"),
    )
    for chosen, colour, marker, label in groups:
        if (chosen & known).any():
            axes.plot(elevation[chosen & known], margin[chosen & known], ls="", marker=marker, ms=6.5, color=colour,
                      mec="white" if marker == "o" else INK, mew=0.6, alpha=0.9, label=label)  # fmt: skip
    axes.axhline(0.0, color=INK, lw=1.0)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -1.0), max(high, 1.0))
    axes.set(xlabel="Highest elevation of the pass [deg]", ylabel="Loss margin [dB]",
             title="How far each pass is from the edge of a key")  # fmt: skip
    axes.set_xlim(0.0, 91.5)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    if not known.all():
        note(axes, f"{int((~known).sum())} passes without a finite margin are not shown")
    return figure
