"""The passes stage: when which satellite can be used from which station."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from satqkd.errors import InputError
from satqkd.orbit.build import propagators, sites, to_datetime64
from satqkd.orbit.intervals import Windows
from satqkd.orbit.intervals import common_view as intersection
from satqkd.orbit.sun import TWILIGHTS_RAD
from satqkd.orbit.visibility import Intervals, visible_intervals_many
from satqkd.scenario.model import Scenario
from satqkd.scenario.orbits import ElementsOrbit
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

    from satqkd.orbit.propagation import Propagator

__all__ = ["common_view", "find_passes"]

_SGP4 = (
    "D. A. Vallado, P. Crawford, R. Hujsak, T. S. Kelso, Revisiting Spacetrack Report #3, AIAA 2006-6753 (2006) (SGP4)"
)
_NS_PER_DAY = 86_400_000_000_000


def darkness_threshold_rad(scenario: Scenario) -> float | None:
    """Highest elevation of the Sun at which a station is dark; None if the Sun does not matter. [rad]"""
    darkness = scenario.access.darkness
    if isinstance(darkness, float):
        return darkness
    return None if darkness == "any" else TWILIGHTS_RAD[darkness]


def find_passes(scenario: Scenario) -> xr.Dataset:
    """Find all usable passes of a scenario.

    Parameters
    ----------
    scenario : Scenario
        The mission: satellites, stations, window, elevation masks, darkness and illumination conditions.

    Returns
    -------
    xarray.Dataset
        Dimension ``pass``, in order of start: satellite, station, start, end, culmination [UTC], limits, highest
        elevation [degree], shortest distance [km], duration [s], whether the window truncates it, age of the
        elements [d]. Possibly empty.

    Raises
    ------
    InputError
        For elements that cannot be read or are too far from the window.

    Examples
    --------
    >>> from satqkd import load_scenario
    >>> passes = find_passes(load_scenario("micius-zenith"))
    >>> round(passes.max_elevation_deg.item(), 6), round(passes.duration_s.item())
    (90.0, 443)
    """
    start, end = to_datetime64(scenario.study.start), to_datetime64(scenario.study.end)
    rows: list[tuple[str, str, float, Intervals]] = []
    places = sites(scenario)
    for propagator in propagators(scenario):
        found = visible_intervals_many(
            propagator,
            places,
            start,
            end,
            step_s=scenario.study.step,
            darkness_threshold_rad=darkness_threshold_rad(scenario),
            satellite_condition=scenario.access.satellite,
        )
        epoch = _epoch(propagator)
        rows += [(propagator.name, place.name, epoch, own) for place, own in zip(places, found, strict=True)]
    citations = [_SGP4] if any(isinstance(satellite.orbit, ElementsOrbit) for satellite in scenario.satellites) else []
    return _dataset(rows).assign_attrs(citations=citations)


def common_view(passes: xr.Dataset, station_a: str, station_b: str) -> xr.Dataset:
    """Times in which two stations can use the same satellite at once.

    Parameters
    ----------
    passes : xarray.Dataset
        Output of :func:`find_passes`.
    station_a, station_b : str
        Names of two stations.

    Returns
    -------
    xarray.Dataset
        Dimension ``pass``, in order of start: satellite, start, end, duration [s] and what limits both ends.

    Raises
    ------
    InputError
        If both names are the same.
    """
    import xarray as xr

    if station_a == station_b:
        raise InputError(f'common view needs two stations, "{station_a}" was named twice')

    def windows(satellite: str, station: str) -> Windows:
        own = (passes.satellite.values == satellite) & (passes.station.values == station)
        return Windows(*(passes[name].values[own] for name in ("start", "end", "start_limit", "end_limit")))

    satellites = list(dict.fromkeys(passes.satellite.values))
    found = [intersection(windows(name, station_a), windows(name, station_b)) for name in satellites]
    start, end = (
        np.concatenate([np.asarray(getattr(own, side)) for own in found] or [np.empty(0, "M8[ns]")])
        for side in ("start", "end")
    )
    order = np.argsort(start, kind="stable")
    columns: dict[str, np.ndarray] = {
        "satellite": np.repeat(np.array(satellites, dtype=object), [len(own) for own in found])[order],
        "start": start[order],
        "end": end[order],
        "duration_s": (end - start)[order] / np.timedelta64(1, "s"),
    }
    for side in ("start_limit", "end_limit"):
        parts = [np.asarray(getattr(own, side), dtype=object) for own in found]
        columns[side] = np.concatenate(parts or [np.empty(0, object)])[order]
    dataset = xr.Dataset({name: ("pass", values) for name, values in columns.items()})
    return describe(dataset.assign_coords({"pass": np.arange(len(order))}))


def _epoch(propagator: Propagator) -> float:
    """Epoch of published elements in ns, NaN for orbits that have none."""
    elements = getattr(propagator, "elements", None)
    return math.nan if elements is None else float(elements.epoch.astype(np.int64))


def _dataset(rows: list[tuple[str, str, float, Intervals]]) -> xr.Dataset:
    import xarray as xr

    def join(name: str, dtype: str) -> np.ndarray:
        parts = [np.asarray(getattr(own, name)) for *_, own in rows]
        return np.concatenate(parts) if parts else np.empty(0, dtype)

    sizes = [len(own.start) for *_, own in rows]
    starts, ends = join("start", "M8[ns]"), join("end", "M8[ns]")
    # stable sort: passes that start together keep the scenario's order of satellites and stations
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    limits = {name: join(name, "U9")[order].astype(object) for name in ("start_limit", "end_limit")}
    middle = starts.astype(np.int64) + (ends - starts).astype(np.int64) // 2
    epochs = np.repeat([epoch for _, _, epoch, _ in rows], sizes)[order]
    text = {
        "satellite": np.repeat(np.array([name for name, *_ in rows], dtype=object), sizes)[order],
        "station": np.repeat(np.array([name for _, name, *_ in rows], dtype=object), sizes)[order],
    }
    columns: dict[str, np.ndarray] = {
        **text,
        "start": starts,
        "end": ends,
        "culmination": join("culmination", "M8[ns]")[order],
        **limits,
        "max_elevation_deg": np.degrees(join("max_elevation_rad", "f8")[order]),
        "min_slant_range_km": join("min_range_m", "f8")[order] / 1e3,
        "duration_s": (ends - starts) / np.timedelta64(1, "s"),
        "truncated": (limits["start_limit"] == "window") | (limits["end_limit"] == "window"),
        "elements_age_d": (middle - epochs) / _NS_PER_DAY,
    }
    dataset = xr.Dataset({name: ("pass", values) for name, values in columns.items()})
    return describe(dataset.assign_coords({"pass": np.arange(len(order))}))
