"""Keys per station and day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from satqkd.plot.style import INK, bit_unit, message, new_figure, sequence, styled, three_digits

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["day_groups", "key_table", "keys_by_day"]


def key_table(
    keys: xr.Dataset, stations: Sequence[str] | None = None, variable: str = "key_bits"
) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Stations, days with a pass, and the bits of each station and day.

    Parameters
    ----------
    keys : xarray.Dataset
        Table of the keys.
    stations : sequence of str, optional
        Rows; by default those with a pass, in alphabetical order.
    variable : {"key_bits", "key_bits_asymptotic"}
        What to add up.

    Returns
    -------
    stations, days : list of str
        Rows and columns.
    bits : ndarray
        Sums, shape (stations, days). [bit]
    """
    station, day = keys["station"].values.astype(str), keys["day"].values.astype(str)
    rows = list(stations) if stations is not None else sorted(set(station))
    days = sorted(set(day))
    bits = np.zeros((len(rows), len(days)))
    chosen = np.isin(station, rows)
    row = np.array([rows.index(name) for name in station[chosen]], dtype=np.int64)
    np.add.at(bits, (row, np.searchsorted(days, day[chosen])), keys[variable].values[chosen].astype(float))
    return rows, days, bits


def day_groups(days: Sequence[str], most: int = 8) -> tuple[list[str], NDArray[np.int64]]:
    """Join calendar days to at most ``most`` equal periods.

    Parameters
    ----------
    days : sequence of str
        Days with a pass, ascending.
    most : int
        Largest number of periods; up to this many days stay as they are.

    Returns
    -------
    labels : list of str
        One per period.
    group : ndarray of int
        Period of each day.
    """
    dates = np.array(days, dtype="datetime64[D]")
    if len(dates) <= most:
        return list(days), np.arange(len(dates))
    total = int((dates[-1] - dates[0]).astype(int)) + 1
    length = -(-total // most)
    group = (dates - dates[0]).astype(np.int64) // length
    labels = []
    for period in range(int(group[-1]) + 1):
        first = dates[0] + period * length
        last = min(first + length - 1, dates[-1])
        labels.append(f"{first} to {last}")
    return labels, group


@styled
def keys_by_day(keys: xr.Dataset, *, stations: Sequence[str] | None = None) -> Figure:
    """Finite and asymptotic key of each station, days on top of each other.

    Parameters
    ----------
    keys : xarray.Dataset
        Table of the keys.
    stations : sequence of str, optional
        Bars from left to right; by default the stations with a pass, in alphabetical order.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, finite and asymptotic, each in its own unit of bits, with the total above each bar.
    """
    if not keys.sizes["pass"]:
        return message("No pass in the window, so no key.")
    tables = [key_table(keys, stations, name) for name in ("key_bits", "key_bits_asymptotic")]
    names, days, _ = tables[0]
    labels, group = day_groups(days)
    colours = sequence(len(labels))
    crowded = len(names) > 6
    figure = new_figure(float(np.clip(0.55 * len(names) + 2.0, 8.2, 16.0)), 6.0)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, (_, _, bits), title in zip(panels, tables, ("Finite key", "Asymptotic key"), strict=True):
        totals = bits.sum(axis=1)
        size, unit = bit_unit(float(totals.max(initial=0.0)))
        base = np.zeros(len(names))
        for period, (label, colour) in enumerate(zip(labels, colours, strict=True)):
            part = bits[:, group == period].sum(axis=1) / size
            axes.bar(
                range(len(names)), part, bottom=base, color=colour, width=0.7, label=label, lw=0.5, edgecolor="white"
            )
            base = base + part
        top = float(base.max(initial=0.0)) or 1.0
        for place, total in enumerate(totals):
            axes.annotate(
                three_digits(total / size), (place, base[place]), (0, 2), textcoords="offset points", ha="center",
                va="bottom", fontsize=8.0, color=INK,
            )  # fmt: skip
        axes.set_ylim(0.0, 1.13 * top)
        whole, whole_unit = bit_unit(float(totals.sum()))
        axes.set(ylabel=f"{title} [{unit}]", title=f"{title}: {three_digits(totals.sum() / whole)} {whole_unit} in all")
        axes.grid(axis="x", visible=False)
    panels[1].set_xticks(range(len(names)), names, rotation=30 if crowded else 0, ha="right" if crowded else "center",
                         rotation_mode="anchor")  # fmt: skip
    panels[1].tick_params(axis="x", length=0)
    spare = max(0.0, (4 - len(names)) / 2.0)  # one station alone is not to fill the picture
    panels[1].set_xlim(-0.6 - spare, len(names) - 0.4 + spare)
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], texts[::-1], loc="outside right upper", title="Day (UTC)", title_fontsize=8.5)
    return figure
