"""A plan as a Gantt chart: a row per station, a bar per contact, time without any pass left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.plot.style import INK, MUTED, PALETTE, message, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Bar", "gantt"]

_MINUTE_NS = 60_000_000_000
_APART_MIN = 20.0
_TICK_MIN = 2.0
_VIEW = "#dbe1e7"
_EDGE = "#c3ccd5"


@dataclass(frozen=True)
class Bar:
    """Time of one satellite with one station.

    Attributes
    ----------
    satellite, station : str
        Names.
    start, end : datetime64
        UTC.
    """

    satellite: str
    station: str
    start: np.datetime64
    end: np.datetime64


@dataclass(frozen=True)
class _Window:
    """Time in which something can happen, in minutes from the first instant of all."""

    start_min: float
    end_min: float

    @property
    def length_min(self) -> float:
        return self.end_min - self.start_min


@styled
def gantt(
    contacts: Sequence[Bar],
    *,
    stations: Sequence[str],
    views: Sequence[Bar] = (),
    amounts: Mapping[str, str] | None = None,
    title: str = "Plan",
) -> Figure:
    """Who is served when.

    Parameters
    ----------
    contacts : sequence of Bar
        The plan.
    stations : sequence of str
        Rows from top to bottom.
    views : sequence of Bar
        When a station could be served, grey behind the contacts.
    amounts : mapping of str to str, optional
        Text at the end of each row, such as the bits delivered.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Bars coloured by satellite, times in UTC. Twenty minutes or more without any pass are left out, if that halves
        the axis or more: what remains is on one scale, each stretch with its date and time, on up to five lines. Else
        everything is on one axis, of many hours and few stations on up to four lines.
    """
    everything = [*contacts, *views]
    if not everything:
        return message("Nothing to plan: no station gets bits.")
    origin = min(bar.start for bar in everything).astype("datetime64[ns]")
    rows = {name: row for row, name in enumerate(stations)}

    def minutes(time: np.datetime64) -> float:
        return float((time.astype("datetime64[ns]") - origin).astype(np.int64)) / _MINUTE_NS

    spans = [(minutes(bar.start), minutes(bar.end)) for bar in everything]
    lines = _lines(_windows(spans), len(stations))
    longest = max(_length(line) for line in lines)
    step_in = 0.17 if len(stations) <= 24 else 0.12
    figure = new_figure(9.6, len(lines) * (step_in * len(stations) + 0.55) + 0.75)
    panels = figure.subplots(len(lines), 1, sharey=True, squeeze=False)[:, 0]
    names = sorted({bar.satellite for bar in everything})
    colours = dict(zip(names, _colours(len(names)), strict=True))
    for axes, line in zip(panels, lines, strict=True):
        axes.set_xlim(0.0, longest)
        axes.set_ylim(len(stations) - 0.45, -0.55)
        for left, window in zip(_lefts(line), line, strict=True):
            axes.axvspan(left, left + window.length_min, facecolor="#f6f8fa", edgecolor=_EDGE, lw=0.6, zorder=0)
        for kind, first, end, height in (
            ("view", len(contacts), len(everything), 0.86),
            ("contact", 0, len(contacts), 0.6),
        ):
            here = [
                (rows[bar.station], last - begin, left + begin - window.start_min,
                 colours[bar.satellite] if kind == "contact" else _VIEW)
                for left, window in zip(_lefts(line), line, strict=True)
                for bar, (begin, last) in zip(everything[first:end], spans[first:end], strict=True)
                if last > window.start_min and begin < window.end_min
            ]  # fmt: skip
            if here:
                at, lengths, lefts, shades = zip(*here, strict=True)
                axes.barh(at, lengths, left=lefts, height=height, color=shades, lw=0, zorder=3, gid=kind)
        _label(axes, line, origin)
        axes.grid(visible=False)
        axes.set_yticks(range(len(stations)), stations, fontsize=7.5 if len(stations) <= 24 else 6.0)
        axes.tick_params(axis="y", length=0)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
    for name, text in (amounts or {}).items():
        panels[0].annotate(
            text, (1.005, rows[name]), xycoords=("axes fraction", "data"), va="center", fontsize=7.0, color=MUTED
        )
    panels[0].set_title(title)
    _legend(figure, colours, gaps=len(lines[0]) > 1, grey=bool(views))
    return figure


def _windows(spans: Sequence[tuple[float, float]]) -> list[_Window]:
    """Stretches of time with something in them; one if leaving the rest out gains little."""
    order = sorted(spans)
    merged = [list(order[0])]
    for first, last in order[1:]:
        if first - merged[-1][1] >= _APART_MIN:
            merged.append([first, last])
        else:
            merged[-1][1] = max(merged[-1][1], last)
    whole = max(last for _, last in spans) - order[0][0]
    if sum(last - first for first, last in merged) > 0.5 * whole:
        return [_Window(order[0][0], order[0][0] + whole)]
    return [_Window(first - 0.5, last + 0.5) for first, last in merged]


def _lines(windows: Sequence[_Window], rows: int) -> list[list[_Window]]:
    if len(windows) == 1:
        count = max(1, min(4, 48 // rows, -(-int(windows[0].length_min) // 360)))
        ends = np.linspace(windows[0].start_min, windows[0].end_min, count + 1).tolist()
        return [[_Window(first, last)] for first, last in pairwise(ends)]
    per_line = max(8, -(-len(windows) // 5))
    count = -(-len(windows) // per_line)
    per_line = -(-len(windows) // count)  # lines of about the same length
    return [list(windows[at : at + per_line]) for at in range(0, len(windows), per_line)]


def _space(line: Sequence[_Window]) -> float:
    return 0.012 * sum(window.length_min for window in line)


def _length(line: Sequence[_Window]) -> float:
    return sum(_slot(window, line) for window in line) + _space(line) * (len(line) - 1)


def _slot(window: _Window, line: Sequence[_Window]) -> float:
    """Length that a stretch takes up: at least its label's."""
    return max(window.length_min, 0.05 * sum(one.length_min for one in line))


def _lefts(line: Sequence[_Window]) -> list[float]:
    found, left = [], 0.0
    for window in line:
        found.append(left)
        left += _slot(window, line) + _space(line)
    return found


def _label(axes: Axes, line: Sequence[_Window], origin: np.datetime64) -> None:
    """Date and time of each stretch; for a single long one, times along it."""

    def time_at(minute: float) -> str:
        return str(np.datetime_as_string(origin + np.timedelta64(round(minute * _MINUTE_NS), "ns"), unit="m"))

    if len(line) == 1:
        window = line[0]
        steps = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)
        step = next((one for one in steps if window.length_min / one <= 14), 1440 * -(-window.length_min // 20160))
        midnight = float((origin - origin.astype("datetime64[D]")).astype(np.int64)) / _MINUTE_NS
        first = np.ceil((window.start_min + midnight) / step) * step - midnight
        at = np.arange(first, window.end_min + 1e-9, step)
        text = [time_at(minute) for minute in at]
        days = [one[5:10] for one in text]
        shown = [
            (one[11:] if step < 1440 else "") + ("\n" + day if number == 0 or day != days[number - 1] else "")
            for number, (one, day) in enumerate(zip(text, days, strict=True))
        ]
        axes.set_xticks(at - window.start_min, shown, fontsize=7.5)
        axes.tick_params(axis="x", length=2)
        return
    few, last_day = len(line) <= 12, ""
    ticks, shown, marks = [], [], []
    for left, window in zip(_lefts(line), line, strict=True):
        day, time = time_at(window.start_min + 0.5).split("T")
        if few or day != last_day:
            ticks.append(left)
            shown.append(f"{time}\n{day[5:]}" if few else day[5:])
        last_day = day
        marks += [left + 0.5 + tick for tick in np.arange(0.0, window.length_min - 0.5, _TICK_MIN)]
    axes.set_xticks(ticks, shown, fontsize=7.5, ha="left")
    axes.set_xticks(marks if few else [], minor=True)
    axes.tick_params(axis="x", length=0)
    axes.tick_params(axis="x", which="minor", length=2.5)


def _colours(count: int) -> list[Any]:
    import matplotlib as mpl

    if count <= len(PALETTE):
        return list(PALETTE[:count])
    return list(mpl.colormaps["turbo"](np.linspace(0.03, 0.97, count)))


def _legend(figure: Figure, colours: Mapping[str, Any], *, gaps: bool, grey: bool) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for name, colour in list(colours.items())[:24]]
    if len(colours) > 24:
        handles.append(Patch(color="none", label=f"and {len(colours) - 24} more"))
    if grey:
        handles.append(Patch(color=_VIEW, label="could be served"))
    if gaps:
        label = f"UTC, a tick every {_TICK_MIN:g} min; time without a pass is left out"
        handles.append(Patch(facecolor="#f6f8fa", edgecolor=_EDGE, label=label))
    else:
        handles.append(Patch(color="none", label="UTC"))
    figure.legend(handles=handles, loc="outside lower left", ncols=min(len(handles), 8), labelcolor=INK,
                  handlelength=1.2, columnspacing=1.4)  # fmt: skip
