"""Geometry of every pass at every step: one flat row per sample, so that nothing invisible is computed or stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satqkd.orbit.build import propagators, sites, to_datetime64
from satqkd.orbit.frames import ecef_to_geodetic, look_angles
from satqkd.orbit.kinematics import point_ahead_rad, slew_rate_rad_s
from satqkd.orbit.sun import sun_elevation_rad
from satqkd.scenario.model import Scenario

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LinkGeometry", "count_times", "sample_passes"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class LinkGeometry:
    """Samples of all passes, ordered by pass and time; arrays of one entry per sample unless said otherwise.

    Parameters
    ----------
    times : ndarray of datetime64, shape (n_times,)
        Instants with at least one sample, increasing.
    satellites, stations : tuple of str
        Names that the indices refer to.
    satellite_latitude_rad, satellite_longitude_rad : ndarray, shape (n_satellites, n_times)
        Sub-satellite point; NaN where the satellite has no sample. [rad]
    pass_number, satellite_index, station_index, time_index : ndarray of int
        What the sample belongs to.
    elevation_rad, azimuth_rad : ndarray
        Direction of the satellite. [rad]
    slant_range_m, range_rate_m_s : ndarray
        Distance and its rate. [m], [m/s]
    point_ahead_rad, sun_elevation_rad : ndarray
        Point-ahead angle; elevation of the Sun at the station. [rad]
    slew_rate_rad_s : ndarray
        Angular rate of the line of sight over the ground. [rad/s]
    """

    times: NDArray[np.datetime64]
    satellites: tuple[str, ...]
    stations: tuple[str, ...]
    satellite_latitude_rad: Floats
    satellite_longitude_rad: Floats
    pass_number: Integers
    satellite_index: Integers
    station_index: Integers
    time_index: Integers
    elevation_rad: Floats
    azimuth_rad: Floats
    slant_range_m: Floats
    range_rate_m_s: Floats
    point_ahead_rad: Floats
    sun_elevation_rad: Floats
    slew_rate_rad_s: Floats


def _step_bounds(scenario: Scenario, passes: xr.Dataset) -> tuple[Integers, Integers]:
    """First and last step within each pass, counted from the window's start."""
    origin, step_ns = to_datetime64(scenario.study.start), round(scenario.study.step * 1e9)
    first = -((origin - passes.start.values).astype(np.int64) // step_ns)  # ceiling division
    last = (passes.end.values - origin).astype(np.int64) // step_ns
    return first, last


def count_times(scenario: Scenario, passes: xr.Dataset) -> int:
    """Number of instants that :func:`sample_passes` will have, without computing anything at them.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    passes : xarray.Dataset
        Output of :func:`satqkd.orbit.passes.find_passes` for the same scenario.

    Returns
    -------
    int
        Steps that lie in at least one pass.
    """
    first, last = _step_bounds(scenario, passes)
    order = np.argsort(first, kind="stable")
    first, last = first[order], last[order]
    taken = np.maximum.accumulate(np.concatenate([[-1], last[:-1]]))  # steps up to here are counted already
    return int(np.maximum(last - np.maximum(first, taken + 1) + 1, 0).sum())


def sample_passes(scenario: Scenario, passes: xr.Dataset) -> LinkGeometry:
    """Evaluate the geometry of passes at the steps of the study.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    passes : xarray.Dataset
        Output of :func:`satqkd.orbit.passes.find_passes` for the same scenario.

    Returns
    -------
    LinkGeometry
        One sample per step (a multiple of the step from the window's start) within each pass, ends included.
    """
    places, flights = sites(scenario), propagators(scenario)
    stations = tuple(place.name for place in places)
    satellites = tuple(flight.name for flight in flights)
    origin, step_ns = to_datetime64(scenario.study.start), round(scenario.study.step * 1e9)
    first, last = _step_bounds(scenario, passes)
    sizes = np.maximum(last - first + 1, 0)
    pass_number = np.repeat(np.arange(len(sizes)), sizes)
    own_step = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(first, sizes)
    grid, time_index = np.unique(own_step, return_inverse=True)
    times = origin + (grid * step_ns).astype("m8[ns]")

    def indices(names: tuple[str, ...], values: NDArray[np.object_]) -> Integers:
        place_of = {name: index for index, name in enumerate(names)}
        return np.array([place_of[name] for name in values], dtype=np.int64)

    satellite_of, station_of = indices(satellites, passes.satellite.values), indices(stations, passes.station.values)
    satellite_index, station_index = np.repeat(satellite_of, sizes), np.repeat(station_of, sizes)
    columns = {
        name: np.empty(len(pass_number))
        for name in (
            "elevation_rad",
            "azimuth_rad",
            "slant_range_m",
            "range_rate_m_s",
            "point_ahead_rad",
            "slew_rate_rad_s",
        )
    }
    sun = np.empty(len(pass_number))
    latitude = np.full((len(flights), len(times)), np.nan)
    longitude = latitude.copy()
    for number, flight in enumerate(flights):
        own = np.flatnonzero(satellite_index == number)
        used, position_of = np.unique(time_index[own], return_inverse=True)
        if not len(used):
            continue
        position, velocity = flight.states_ecef(times[used])
        latitude[number, used], longitude[number, used], _ = ecef_to_geodetic(position)
        for index, place in enumerate(places):
            here = station_index[own] == index
            rows, at = own[here], position_of[here]
            angles = look_angles(position[at], velocity[at], place)
            columns["elevation_rad"][rows] = angles.elevation_rad
            columns["azimuth_rad"][rows] = angles.azimuth_rad
            columns["slant_range_m"][rows] = angles.slant_range_m
            columns["range_rate_m_s"][rows] = angles.range_rate_m_s
            columns["point_ahead_rad"][rows] = point_ahead_rad(position[at], velocity[at], place)
            columns["slew_rate_rad_s"][rows] = slew_rate_rad_s(position[at], velocity[at], place)
            sun[rows] = sun_elevation_rad(times[time_index[rows]], place)
    return LinkGeometry(
        times=times,
        satellites=satellites,
        stations=stations,
        satellite_latitude_rad=latitude,
        satellite_longitude_rad=longitude,
        pass_number=pass_number,
        satellite_index=satellite_index,
        station_index=station_index,
        time_index=time_index,
        sun_elevation_rad=sun,
        **columns,
    )
