"""When the passes are: a strip per overflight and station, or a calendar for long windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.plot.select import utc
from satqkd.plot.style import INK, message, new_figure, note, styled

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["day_cut_h", "served_spans", "timeline"]

_HOUR = np.timedelta64(3600, "s")
_DAY = np.timedelta64(86400, "s")
_LIMITS = {"darkness": ("|", "#aa3377"), "eclipse": ("x", INK), "window": ("D", "#d55e00")}


def day_cut_h(start: NDArray[np.datetime64], end: NDArray[np.datetime64]) -> int:
    """Hour (UTC) at which to begin a day: midnight if that is in the longest time without passes, else its middle."""
    minutes = np.zeros(1440, bool)
    first = (start.astype("datetime64[m]").astype(np.int64)) % 1440
    length = np.minimum(1440, (end - start) // np.timedelta64(60, "s") + 1).astype(np.int64)
    for begin, count in zip(first.tolist(), length.tolist(), strict=True):
        minutes[(begin + np.arange(count + 1)) % 1440] = True
    busy = np.flatnonzero(minutes)
    gaps = np.diff(np.append(busy, busy[0] + 1440))
    widest = int(gaps.argmax())
    left, right = int(busy[widest]), int(busy[widest] + gaps[widest])
    if left < 1440 < right or gaps[widest] < 60:
        return 0
    return round((left + right) / 120.0) % 24


def served_spans(schedule: xr.Dataset, interval_s: float) -> list[tuple[str, str, Any, Any]]:
    """Satellite, station, start and end of each uninterrupted service in a schedule."""
    starts = schedule["interval_start"].values.astype("datetime64[ns]")
    length = np.timedelta64(round(interval_s * 1e9), "ns")
    spans: list[tuple[str, str, Any, Any]] = []
    for satellite in schedule["satellite"].values:
        assigned = schedule["assigned"].sel(satellite=satellite).values.astype(str)
        change = (assigned[1:] != assigned[:-1]) | (np.diff(starts) > 1.5 * length)
        spans += [
            (str(satellite), str(assigned[part[0]]), starts[part[0]], starts[part[-1]] + length)
            for part in np.split(np.arange(len(assigned)), np.flatnonzero(change) + 1)
            if len(part) and assigned[part[0]] not in ("idle", "switching")
        ]
    return spans


@styled
def timeline(
    passes: xr.Dataset,
    *,
    keys: xr.Dataset | None = None,
    schedule: xr.Dataset | None = None,
    interval_s: float | None = None,
    stations: Sequence[str] | None = None,
) -> Figure:
    """Passes over time, coloured by the key they give, with the stations that the schedule serves.

    Parameters
    ----------
    passes : xarray.Dataset
        Table of the passes.
    keys : xarray.Dataset, optional
        Table of the keys; gives the colours.
    schedule : xarray.Dataset, optional
        Table of the schedule; with ``interval_s``, draws the served time as dark lines.
    interval_s : float, optional
        Length of a planning interval. [s]
    stations : sequence of str, optional
        Rows from top to bottom; by default those with a pass, in alphabetical order.

    Returns
    -------
    matplotlib.figure.Figure
        Up to 24 groups of passes: a panel for each group, a row per station, all panels on the same scale.
        Else up to 10 days: a panel per day, a row per station. Longer: a row per day. Times in UTC.
    """
    if not passes.sizes["pass"]:
        return message("No pass in the window.")
    start = passes["start"].values.astype("datetime64[ns]")
    end = passes["end"].values.astype("datetime64[ns]")
    cut = day_cut_h(start, end)
    midnights = (start - cut * _HOUR).astype("datetime64[D]")
    days = np.unique(midnights)
    begin_h = (start - midnights) / _HOUR
    end_h = begin_h + (end - start) / _HOUR
    first_h = max(float(cut), float(np.floor(2 * begin_h.min() - 0.3)) / 2)
    last_h = float(np.ceil(2 * end_h.max() + 0.3)) / 2
    kind = _kinds(passes, keys)
    if _overflights(start, end) is None and len(days) > 10:
        return _calendar(days, midnights, begin_h, end_h, kind, (first_h, last_h))

    names = list(stations) if stations is not None else sorted(set(passes["station"].values.astype(str)))
    spans = [] if schedule is None or interval_s is None else served_spans(schedule, interval_s)
    groups = _overflights(start, end)
    row_in = 0.14 if len(names) > 4 else 0.22
    if groups is not None:
        columns = min(4, int(groups.max()) + 1)
        window = _common_window(start, end, groups)
        origins = np.array([window[0][group] for group in groups])
        panels_of = groups
        width_h = window[1]
    else:
        panels_of = np.searchsorted(days, midnights)
        origins = midnights.astype("datetime64[ns]")
        columns = 2 if len(days) > 1 and last_h - first_h <= 8.0 else 1
        width_h = last_h
    count = int(panels_of.max()) + 1
    lines = -(-count // columns)
    figure = new_figure(9.6, lines * (row_in * len(names) + 0.42) + 1.0)
    panels = figure.subplots(lines, columns, sharex=groups is None, sharey=True, squeeze=False)
    rows = {name: row for row, name in enumerate(names)}
    where = np.array([rows[name] for name in passes["station"].values.astype(str)])
    left_h, right_h = (start - origins) / _HOUR, (end - origins) / _HOUR
    for number, axes in enumerate(panels.ravel()):
        if number >= count:
            axes.set_axis_off()
            continue
        here = np.flatnonzero(panels_of == number)
        origin = origins[here[0]]
        axes.set_xlim(0.0 if groups is not None else first_h, width_h)
        _bars(axes, where[here], left_h[here], right_h[here], kind[here])
        for _, station, begin, finish in spans:
            if station in rows and begin < end[here].max() and finish > start[here].min():
                _served(axes, rows[station], (begin - origin) / _HOUR, (finish - origin) / _HOUR)
        _ends(axes, passes.isel({"pass": here}), where[here], left_h[here], right_h[here])
        axes.set_title(utc(start[here].min(), "m") if groups is not None else str(days[number]), fontsize=9.0)
        axes.tick_params(axis="y", length=0, labelsize=7.5 if len(names) > 4 else 8.5)
        _hours(axes, origin, most=9 if groups is None else 18 // columns)
        if number >= count - columns:
            axes.set_xlabel("Time (UTC)")
            axes.tick_params(labelbottom=True)
    panels[0, 0].set_ylim(len(names) - 0.4, -0.6)
    panels[0, 0].set_yticks(range(len(names)), names)
    _legend(figure, passes, kind, served=bool(spans), keyed=keys is not None)
    return figure


def _overflights(start: NDArray[Any], end: NDArray[Any]) -> NDArray[np.int64] | None:
    """Group of each pass, groups being at least 20 minutes apart; ``None`` if there are many or long ones."""
    order = np.argsort(start, kind="stable")
    latest = np.maximum.accumulate(end[order])
    apart = start[order][1:] - latest[:-1] > _HOUR / 3
    group = np.empty(len(start), np.int64)
    group[order] = np.concatenate([[0], np.cumsum(apart)])
    lengths = [end[group == g].max() - start[group == g].min() for g in range(int(group.max()) + 1)]
    return group if len(lengths) <= 24 and max(lengths) <= 0.75 * _HOUR else None


def _common_window(start: NDArray[Any], end: NDArray[Any], groups: NDArray[Any]) -> tuple[list[Any], float]:
    """First instant of each group's panel, and the length of all of them. [h]"""
    numbers = range(int(groups.max()) + 1)
    first = [start[groups == g].min() for g in numbers]
    last = [end[groups == g].max() for g in numbers]
    length = max(b - a for a, b in zip(first, last, strict=True)) + np.timedelta64(60, "s")
    return [a + (b - a) / 2 - length / 2 for a, b in zip(first, last, strict=True)], float(length / _HOUR)


def _kinds(passes: xr.Dataset, keys: xr.Dataset | None) -> NDArray[np.int64]:
    """2: finite key, 1: asymptotic key only, 0: none."""
    if keys is None:
        return np.full(passes.sizes["pass"], 2)
    finite, asymptotic = keys["key_bits"].values > 0, keys["key_bits_asymptotic"].values >= 1.0
    return np.where(finite, 2, np.where(asymptotic, 1, 0))


_COLOURS = ("#ccd3da", "#f0c35e", "#8abbe6")
_SERVED = "#083a6b"


def _bars(axes: Axes, rows: Any, begin: Any, end: Any, kind: Any, height: float = 0.72) -> None:
    axes.barh(rows, end - begin, left=begin, height=height, color=[_COLOURS[k] for k in kind], lw=0, zorder=3)


def _served(axes: Axes, row: int, begin: float, finish: float) -> None:
    axes.barh(row, finish - begin, left=begin, height=0.72, color=_SERVED, lw=0, zorder=4, gid="served")


def _ends(axes: Axes, passes: xr.Dataset, rows: Any, begin: Any, end: Any) -> None:
    for side, place in (("start_limit", begin), ("end_limit", end)):
        limits = passes[side].values.astype(str)
        for limit, (marker, colour) in _LIMITS.items():
            chosen = limits == limit
            if chosen.any():
                axes.plot(place[chosen], rows[chosen], ls="", marker=marker, ms=10.0 if marker == "|" else 3.6,
                          mew=1.6, color=colour, zorder=5, gid=f"limit-{limit}", clip_on=False)  # fmt: skip


def _hours(axes: Axes, origin: Any, most: int = 9) -> None:
    """Label an axis of hours since ``origin`` with the time of day."""
    first, last = axes.get_xlim()
    offset = float((origin - origin.astype("datetime64[D]")) / _HOUR)
    steps = (1 / 60, 1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0)
    step = next(step for step in steps if (last - first) / step <= most or step == steps[-1])
    edge = 0.0 if most == 9 else 0.07 * (last - first)  # labels of neighbouring panels are not to meet
    lowest, highest = first + offset + edge, last + offset - edge
    ticks = np.arange(np.ceil(lowest / step - 1e-9), np.floor(highest / step + 1e-9) + 1) * step
    minutes = np.rint(60.0 * ticks).astype(int) % 1440
    axes.set_xticks(ticks - offset, [f"{m // 60:02d}:{m % 60:02d}" for m in minutes])


def _legend(figure: Figure, passes: xr.Dataset, kind: Any, *, served: bool, keyed: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    names = {2: "finite key" if keyed else "pass", 1: "asymptotic key only", 0: "no key"}
    handles: list[Any] = [Patch(color=_COLOURS[k], label=names[k]) for k in (2, 1, 0) if (kind == k).any()]
    if served:
        handles.append(Patch(color=_SERVED, label="served by the schedule"))
    limits = np.concatenate([passes[name].values.astype(str) for name in ("start_limit", "end_limit")])
    words = {
        "darkness": "cut by daylight",
        "eclipse": "cut by the satellite's illumination",
        "window": "cut by the window",
    }
    for limit, (marker, colour) in _LIMITS.items():
        if (limits == limit).any():
            size = 7.0 if marker == "|" else 4.0
            handles.append(Line2D([], [], ls="", marker=marker, ms=size, mew=1.6, color=colour, label=words[limit]))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), columnspacing=1.4, handlelength=1.4)


def _calendar(
    days: NDArray[Any], midnights: NDArray[Any], begin: Any, end: Any, kind: Any, window: tuple[float, float]
) -> Figure:
    from matplotlib.patches import Patch

    first = days[0]
    total = int((days[-1] - first).astype(int)) + 1
    figure = new_figure(9.6, float(np.clip(0.11 * total, 2.5, 9.0)) + 1.2)
    axes = figure.add_subplot()
    row = (midnights - first).astype(int)
    order = np.argsort(kind, kind="stable")  # the best on top where passes of several stations overlap
    _bars(axes, row[order], begin[order], end[order], kind[order], height=0.9)
    step = max(1, -(-total // 20))
    ticks = np.arange(0, total, step)
    axes.set_yticks(ticks, [str(first + int(tick)) for tick in ticks])
    axes.set(xlim=window, ylim=(total - 0.4, -0.6), xlabel="Time of day (UTC)", title="Passes day by day")
    note(axes, "stations on top of each other")
    _hours(axes, first.astype("datetime64[ns]"))
    names = {2: "finite key", 1: "asymptotic key only", 0: "no key"}
    handles = [Patch(color=_COLOURS[k], label=names[k]) for k in (2, 1, 0) if (kind == k).any()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure
