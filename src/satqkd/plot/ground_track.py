"""Map of the stations, what they see, and where the satellites pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.plot.land import land_rings
from satqkd.plot.select import footprint
from satqkd.plot.style import INK, MUTED, PALETTE, message, new_figure, note, styled

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["ground_track", "track_segments"]

_MOST_TRACKS = 150


def track_segments(link: xr.Dataset, satellite: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Sub-satellite tracks while some station has a pass, one per uninterrupted stretch.

    Parameters
    ----------
    link : xarray.Dataset
        Table of the link stage.
    satellite : int
        Position of the satellite in it.

    Returns
    -------
    list of (latitude_deg, longitude_deg)
        One pair of arrays per stretch. [degree]
    """
    in_pass = (link["pass_number"].transpose("station", "satellite", "time").values[:, satellite] >= 0).any(axis=0)
    latitude = link["satellite_latitude"].transpose("satellite", "time").values[satellite]
    longitude = link["satellite_longitude"].transpose("satellite", "time").values[satellite]
    used = np.flatnonzero(in_pass & np.isfinite(latitude) & np.isfinite(longitude))
    if not used.size:
        return []
    times = link["time"].values.astype("datetime64[ns]")
    step = np.diff(times).min() if len(times) > 1 else np.timedelta64(1, "s")
    breaks = np.flatnonzero((np.diff(times[used]) > 1.5 * step) | (np.diff(used) > 1)) + 1
    return [(latitude[part], longitude[part]) for part in np.split(used, breaks)]


def _altitude_m(link: xr.Dataset) -> float | None:
    """Median height over the samples, from distance and elevation (law of cosines on a sphere)."""
    if not link.sizes["time"]:
        return None
    distance, elevation = link["slant_range"].values.ravel(), np.radians(link["elevation"].values.ravel())
    known = np.isfinite(distance) & np.isfinite(elevation)
    if not known.any():
        return None
    distance, elevation = distance[known], elevation[known]
    radius = MEAN_EARTH_RADIUS_M
    heights = np.sqrt(radius**2 + distance**2 + 2.0 * radius * distance * np.sin(elevation)) - radius
    return float(np.median(heights))


def _near(longitude: Any, centre: float) -> NDArray[np.float64]:
    """The same longitudes, moved by whole turns to within half a turn of ``centre``."""
    return centre + np.mod(np.asarray(longitude, float) - centre + 180.0, 360.0) - 180.0


def _unbroken(latitude: Any, longitude: Any, centre: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Line near ``centre`` that is interrupted, not drawn across the map, where it leaves at one side."""
    x, y = _near(longitude, centre), np.asarray(latitude, float)
    jumps = np.flatnonzero(np.abs(np.diff(x)) > 180.0) + 1
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)


@styled
def ground_track(link: xr.Dataset, *, stations: Sequence[Any]) -> Figure:
    """Map: stations, the area each one sees above its elevation mask, and the tracks during passes.

    Parameters
    ----------
    link : xarray.Dataset
        Table of the link stage.
    stations : sequence of satqkd.scenario.environment.Station
        The scenario's stations.

    Returns
    -------
    matplotlib.figure.Figure
        Axes in degrees; the window is that of the stations and their areas.
    """
    if not stations:
        return message("No station to show.")
    latitudes = np.degrees([station.latitude for station in stations])
    turns = np.exp(1j * np.array([station.longitude for station in stations]))
    centre = float(np.degrees(np.angle(turns.mean()))) if abs(turns.mean()) > 1e-6 else 0.0
    longitudes = _near(np.degrees([station.longitude for station in stations]), centre)

    altitude_m = _altitude_m(link)
    areas = []
    if altitude_m is not None:
        for station in stations:
            outline = footprint(
                latitude_rad=station.latitude, longitude_rad=station.longitude, mask=station.elevation_mask,
                altitude_m=altitude_m,
            )  # fmt: skip
            areas.append(_unbroken(*outline, centre))
    tracks = {str(name): track_segments(link, number) for number, name in enumerate(link["satellite"].values)}
    x = np.concatenate([longitudes, *(_near(part[1], centre) for parts in tracks.values() for part in parts)])
    y = np.concatenate([latitudes, *(part[0] for parts in tracks.values() for part in parts)])
    spans = [float(np.nanmax(area[0]) - np.nanmin(area[0])) for area in areas]
    beyond = max(spans, default=0.0) > 2.5 * max(30.0, float(np.ptp(x)))  # a high orbit: half the world is in view
    if beyond:
        areas = []
    west, east, south, north = _window(x, y, areas, centre)

    aspect = 1.0 / max(0.3, float(np.cos(np.radians(0.5 * (south + north)))))
    lacking = 1.2 * (north - south) * aspect - (east - west)  # a satellite at rest far south of its stations: a strip
    if lacking > 0.0:
        west, east = west - 0.5 * lacking, east + 0.5 * lacking
    width = 8.2
    figure = new_figure(width, float(np.clip(0.9 * width * (north - south) * aspect / (east - west), 2.6, 5.6)) + 0.7)
    axes = figure.add_subplot()
    axes.set(xlim=(west, east), ylim=(south, north), aspect=aspect, adjustable="box")
    axes.set(
        xlabel="Longitude [deg]", ylabel="Latitude [deg]", title="Stations, their view and the passes' ground tracks"
    )
    _land(axes, (west, east, south, north))
    total = sum(map(len, tracks.values()))
    shown = _draw_tracks(axes, tracks, centre)
    for x, y in areas:
        axes.plot(x, y, color=MUTED, lw=0.9, ls=(0, (4, 3)), alpha=0.8, gid="view")
    axes.plot(longitudes, latitudes, ls="", marker="o", ms=5.5, mfc=INK, mec="white", mew=1.0, zorder=5, gid="stations")
    if areas:
        axes.plot([], [], color=MUTED, lw=0.9, ls=(0, (4, 3)), label="edge of a station's view (elevation mask)")
    axes.set_xticks(*_degrees(west, east))
    if axes.get_legend_handles_labels()[0]:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    if shown < total:
        note(axes, f"{shown} of {total} tracks")
    if not total:
        note(axes, "no pass in the window")
    elif beyond:
        note(axes, "the stations' views reach beyond the map")
    _names(axes, [station.name for station in stations], longitudes, latitudes)  # last: it measures the layout
    return figure


def _draw_tracks(axes: Axes, tracks: dict[str, list[Any]], centre: float) -> int:
    """Draw up to :data:`_MOST_TRACKS` tracks, evenly chosen; a satellite at rest is a diamond."""
    total = sum(map(len, tracks.values()))
    every = max(1, -(-total // _MOST_TRACKS))
    flying = {name: segments for name, segments in tracks.items() if segments}
    alike = len(flying) > 6  # more colours would tell nothing
    shown = 0
    for number, (name, segments) in enumerate(flying.items()):
        at_rest = max(float(np.ptp(np.concatenate([part[axis] for part in segments]))) for axis in (0, 1)) < 0.5
        label = name if not alike else f"{len(flying)} satellites" if number == 0 else None
        colour = PALETTE[1] if alike else PALETTE[(number + 1) % len(PALETTE)]
        for latitude, longitude in segments[:1] if at_rest else segments[::every]:
            step = max(1, len(latitude) // 40)
            x, y = _unbroken(latitude[::step], longitude[::step], centre)
            axes.plot(x, y, color=colour, lw=1.0 if total <= 50 else 0.6, alpha=0.8 if total <= 50 else 0.5,
                      marker="D" if at_rest else "", label=label, gid="track")  # fmt: skip
            label = None
            shown += 1
        if at_rest:
            shown += len(segments) - 1
    return shown


def _window(
    x: NDArray[np.float64], y: NDArray[np.float64], areas: Sequence[Any], centre: float
) -> tuple[float, float, float, float]:
    """West, east, south and north of stations and views, or of stations and tracks if there are no views."""
    margin = 12.0
    if areas:
        x, y = (np.concatenate([area[axis] for area in areas]) for axis in (0, 1))
        margin = 1.5
    west, east = float(np.nanmin(x)) - margin, float(np.nanmax(x)) + margin
    if east - west > 300.0:
        west, east = centre - 180.0, centre + 180.0
    return west, east, max(-90.0, float(np.nanmin(y)) - margin), min(90.0, float(np.nanmax(y)) + margin)


def _land(axes: Axes, window: tuple[float, float, float, float]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    west, east, south, north = window
    axes.set_facecolor("#eaf1f6")
    rings = []
    for turn in (-720.0, -360.0, 0.0, 360.0, 720.0):
        for ring in land_rings():
            moved = ring + np.array([turn, 0.0])
            low, high = moved.min(axis=0), moved.max(axis=0)
            if low[0] < east and high[0] > west and low[1] < north and high[1] > south:
                rings.append(_clip(moved, window))
    rings = [ring for ring in rings if len(ring) >= 4]
    if rings:
        path = Path.make_compound_path(*(Path(ring, closed=True) for ring in rings))
        axes.add_patch(PathPatch(path, facecolor="#faf8f3", edgecolor="#b3aea2", lw=0.6, zorder=0.3, gid="land"))
    axes.grid(zorder=0.5, color="#cfd8e0", lw=0.5)


def _clip(ring: NDArray[np.float64], window: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Part of a closed ring in a slightly larger rectangle (Sutherland and Hodgman's algorithm)."""
    west, east, south, north = window
    for axis, limit, sign in ((0, west - 1, 1), (0, east + 1, -1), (1, south - 1, 1), (1, north + 1, -1)):
        points = ring[:-1] if len(ring) and np.array_equal(ring[0], ring[-1]) else ring
        out: list[NDArray[np.float64]] = []
        for here, there in zip(points, np.roll(points, -1, axis=0), strict=True):
            a, b = sign * (here[axis] - limit), sign * (there[axis] - limit)
            if a >= 0.0:
                out.append(here)
            if a * b < 0.0:
                out.append(here + (there - here) * (a / (a - b)))
        if not out:
            return np.empty((0, 2))
        ring = np.array([*out, out[0]])
    return ring


def _degrees(west: float, east: float) -> tuple[NDArray[np.float64], list[str]]:
    """Ticks in round steps, labelled from -180 to 180 also across the date line."""
    step = next(step for step in (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0) if (east - west) / step <= 8)
    ticks = np.arange(np.ceil(west / step), np.floor(east / step) + 1) * step
    near = 180.0 - (180.0 - ticks) % 360.0
    return ticks, [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in near]


def _names(axes: Axes, names: Sequence[str], x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Write each name beside its station, on the side where it covers least."""
    figure = axes.get_figure()
    assert figure is not None
    figure.canvas.draw()  # fixes the layout, so that the widths below are those of the picture
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    places = axes.transData.transform(np.column_stack([x, y]))
    scale = figure.dpi / 72.0
    frame = axes.get_window_extent(renderer)
    taken: list[tuple[float, float, float, float]] = [(px - 4, py - 4, px + 4, py + 4) for px, py in places]
    sides = (
        (7, 0, "left", "center"), (-7, 0, "right", "center"), (0, 6, "center", "bottom"), (0, -6, "center", "top"),
        (6, 5, "left", "bottom"), (-6, 5, "right", "bottom"), (6, -5, "left", "top"), (-6, -5, "right", "top"),
    )  # fmt: skip
    for index in np.argsort(-y, kind="stable"):
        best = None
        for dx, dy, ha, va in sides:
            text = axes.annotate(
                names[index], (x[index], y[index]), (dx, dy), textcoords="offset points", ha=ha, va=va, fontsize=8.5,
                zorder=6, annotation_clip=False,
                bbox={"boxstyle": "square,pad=0.05", "fc": "#ffffff", "ec": "none", "alpha": 0.6},
            )  # fmt: skip
            box = text.get_window_extent(renderer)
            area = (box.x0, box.y0, box.x1, box.y1)
            cost = sum(_overlap(area, other) for other in taken)
            outside = box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
            cost += 1e6 * outside
            if best is None or cost < best[0] - 1e-9 * scale:
                if best is not None:
                    best[1].remove()
                best = (cost, text, area)
            else:
                text.remove()
            if best[0] == 0:
                break
        assert best is not None
        taken.append(best[2])


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
