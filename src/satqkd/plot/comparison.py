"""Two runs in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from satqkd.plot.keys import key_table
from satqkd.plot.select import utc
from satqkd.plot.style import FINITE, PALETTE, bit_unit, message, new_figure, styled, time_unit

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["compare_curves", "compare_keys", "compare_passes"]

_A, _B = FINITE, PALETTE[1]


@styled
def compare_keys(
    a: xr.Dataset, b: xr.Dataset, *, stations: Sequence[str], labels: tuple[str, str] = ("A", "B")
) -> Figure:
    """Finite and asymptotic key per station of two runs, side by side.

    Parameters
    ----------
    a, b : xarray.Dataset
        Tables of the keys.
    stations : sequence of str
        Bars from left to right.
    labels : tuple of str
        Names of the runs.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, finite and asymptotic, each in its own unit of bits.
    """
    if not a.sizes["pass"] and not b.sizes["pass"]:
        return message("Neither run has a pass.")
    figure = new_figure(float(np.clip(0.6 * len(stations) + 1.5, 8.2, 16.0)), 5.4)
    panels = figure.subplots(2, 1, sharex=True)
    place = np.arange(len(stations))
    pairs = (("key_bits", "Finite key"), ("key_bits_asymptotic", "Asymptotic key"))
    for axes, (variable, title) in zip(panels, pairs, strict=True):
        sums = [key_table(run, stations, variable)[2].sum(axis=1) for run in (a, b)]
        size, unit = bit_unit(float(np.max(sums)))
        for shift, total, colour, label in zip((-0.19, 0.19), sums, (_A, _B), labels, strict=True):
            axes.bar(place + shift, total / size, width=0.36, color=colour, label=label, lw=0)
        axes.set(ylabel=f"{title} [{unit}]", title=title)
        axes.grid(axis="x", visible=False)
    crowded = len(stations) > 6
    panels[1].set_xticks(place, stations, rotation=30 if crowded else 0, ha="right" if crowded else "center",
                         rotation_mode="anchor")  # fmt: skip
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


@styled
def compare_passes(
    passes_a: xr.Dataset, keys_a: xr.Dataset, passes_b: xr.Dataset, keys_b: xr.Dataset, *,
    labels: tuple[str, str] = ("A", "B"),
) -> Figure:  # fmt: skip
    """Finite key and margin of every pass against its highest elevation, both runs overlaid.

    Parameters
    ----------
    passes_a, keys_a, passes_b, keys_b : xarray.Dataset
        Tables of the passes and of the keys of the two runs.
    labels : tuple of str
        Names of the runs.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes: key in a unit of bits, margin in dB, against degrees.
    """
    if not passes_a.sizes["pass"] and not passes_b.sizes["pass"]:
        return message("Neither run has a pass.")
    figure = new_figure(8.2, 3.6)
    left, right = figure.subplots(1, 2)
    largest = max(float(keys["key_bits"].max()) if keys.sizes["pass"] else 0.0 for keys in (keys_a, keys_b))
    size, unit = bit_unit(largest)
    runs = ((passes_a, keys_a, _A, "o", labels[0]), (passes_b, keys_b, _B, "^", labels[1]))
    for passes, keys, colour, marker, label in runs:
        elevation, margin = passes["max_elevation_deg"].values, keys["margin_db"].values
        look = {"ls": "", "marker": marker, "ms": 5.5, "color": colour, "mec": "white", "mew": 0.6, "alpha": 0.85}
        left.plot(elevation, keys["key_bits"].values / size, label=label, **look)
        known = np.isfinite(margin)
        right.plot(elevation[known], margin[known], **look)
    right.axhline(0.0, color="#1b2733", lw=1.0)
    left.set(
        xlabel="Highest elevation [deg]", ylabel=f"Finite key of the pass [{unit}]", title="Finite key", xlim=(0, 91.5)
    )
    right.set(xlabel="Highest elevation [deg]", ylabel="Loss margin [dB]", title="Margin", xlim=(0, 91.5))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


@styled
def compare_curves(a: xr.Dataset, b: xr.Dataset, *, labels: tuple[str, str] = ("A", "B")) -> Figure:
    """Total loss and asymptotic key rate over the same pass in two runs.

    Parameters
    ----------
    a, b : xarray.Dataset
        Samples of the pass in each run, as :func:`satqkd.plot.pass_samples` gives them.
    labels : tuple of str
        Names of the runs.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, dB and a unit of bits per second, against seconds from the first run's culmination.
    """
    figure = new_figure(8.2, 3.4)
    left, right = figure.subplots(1, 2)
    top = a["time"].values[int(np.argmax(a["elevation"].values))]
    rates = [np.nan_to_num(run["rate_asymptotic"].values) for run in (a, b)]
    size, unit = bit_unit(max(float(rate.max()) for rate in rates))
    hour, hours = time_unit(float((a["time"].values[-1] - a["time"].values[0]) / np.timedelta64(1, "s")))
    for run, rate, colour, dashes, label in zip((a, b), rates, (_A, _B), ("-", (0, (4, 2))), labels, strict=True):
        seconds = (run["time"].values - top) / np.timedelta64(1, "s") / hour
        left.plot(seconds, run["loss_total_db"].values, color=colour, ls=dashes, label=label)
        right.plot(seconds, rate / size, color=colour, ls=dashes)
    name = f"{a['satellite'].item()} over {a['station'].item()}, {utc(top, 'm')} UTC"
    left.set(xlabel=f"Time from culmination [{hours}]", ylabel="Total loss [dB]", title=name)
    right.set(xlabel=f"Time from culmination [{hours}]", ylabel=f"Asymptotic key rate [{unit}/s]")
    right.set_ylim(bottom=0.0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
