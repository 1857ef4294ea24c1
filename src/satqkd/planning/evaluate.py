"""The schedule stage: intervals of the link given to stations, one satellite after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satqkd.orbit.build import to_datetime64
from satqkd.planning.single import IDLE, SWITCHING, best_assignment
from satqkd.scenario.model import Scenario
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["evaluate", "interval_bits"]

Floats = NDArray[np.float64]


def interval_bits(scenario: Scenario, link: xr.Dataset) -> tuple[NDArray[np.int64], Floats]:
    """Asymptotic secret bits that each satellite can deliver to each station in each planning interval.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    link : xarray.Dataset
        Output of the link stage with ``rate_asymptotic``.

    Returns
    -------
    interval : ndarray of int, shape (n_intervals,)
        Indices of the intervals with any pass, counted from the window's start.
    bits : ndarray, shape (n_satellites, n_intervals, n_stations)
        Sum of the rates at the steps in the interval times the step. [bit]
    """
    length_ns = round(scenario.planning.interval * 1e9)
    offset = (link.time.values - to_datetime64(scenario.study.start)).astype(np.int64) // length_ns
    interval, first = np.unique(offset, return_index=True)
    rate = np.nan_to_num(link.rate_asymptotic.values, nan=0.0)  # no pass, no bits
    if not len(interval):
        return interval, np.zeros((rate.shape[1], 0, rate.shape[0]))
    sums = np.add.reduceat(rate, first, axis=2) * scenario.study.step
    return interval, np.moveaxis(sums, 0, 2)


def evaluate(scenario: Scenario, link: xr.Dataset) -> xr.Dataset:
    """Best schedule of the scenario for the most asymptotic key.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    link : xarray.Dataset
        Output of the link stage with ``rate_asymptotic``.

    Returns
    -------
    xarray.Dataset
        Per satellite and interval the station served and the bits; per station the bits delivered, and the bits it
        would get if every satellite served it alone.

    Notes
    -----
    Exact for one satellite. Several satellites are planned in the scenario's order, each with the stations that the
    ones before left free: a feasible plan, not always the best one.
    """
    import xarray as xr

    interval, bits = interval_bits(scenario, link)
    names = link.station.values
    assigned = np.empty(bits.shape[:2], dtype=object)
    won = np.zeros(bits.shape[:2])
    delivered = np.zeros(len(names))
    free = np.ones(bits.shape[1:], dtype=bool)
    for number, own in enumerate(bits):
        open_bits = np.where(free, own, 0.0)
        choice = best_assignment(open_bits, interval=interval, switch_intervals=scenario.planning.switch_intervals)
        served = np.flatnonzero(choice >= 0)
        won[number, served] = open_bits[served, choice[served]]
        np.add.at(delivered, choice[served], won[number, served])
        free[served, choice[served]] = False
        assigned[number] = [
            {IDLE: "idle", SWITCHING: "switching"}.get(station, names[max(station, 0)]) for station in choice.tolist()
        ]
    length = np.timedelta64(round(scenario.planning.interval * 1e9), "ns")
    dims = ("satellite", "interval")
    dataset = xr.Dataset(
        {
            "assigned": (dims, assigned),
            "interval_bits": (dims, won),
            "delivered_bits": ("station", delivered),
            "available_bits": ("station", bits.sum(axis=(0, 1))),
        },
        coords={
            "satellite": link.satellite.variable,
            "station": link.station.variable,
            "interval": interval,
            "interval_start": ("interval", to_datetime64(scenario.study.start) + interval * length),
        },
    )
    return describe(dataset)
