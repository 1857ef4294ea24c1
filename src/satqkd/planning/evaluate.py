"""The schedule stage: intervals of the link given to stations."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import SatqkdWarning
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
        would get if every satellite served it alone. For several satellites the attributes ``bound_bits`` and ``gap``
        say what no plan can exceed.

    Notes
    -----
    Exact for one satellite (:func:`satqkd.planning.single.best_assignment`); several are planned together, to a proven
    gap (:func:`satqkd.planning.constellation.plan_jointly`). A plan that the time limit leaves further from its bound
    than asked comes with a warning.
    """
    import xarray as xr

    interval, bits = interval_bits(scenario, link)
    names = link.station.values
    assignment, attributes = _assignment(bits, interval, scenario.planning.switch_intervals)
    assigned = np.empty(bits.shape[:2], dtype=object)
    won = np.zeros(bits.shape[:2])
    delivered = np.zeros(len(names))
    for number, (own, choice) in enumerate(zip(bits, assignment, strict=True)):
        served = np.flatnonzero(choice >= 0)
        won[number, served] = own[served, choice[served]]
        np.add.at(delivered, choice[served], won[number, served])
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
    return describe(dataset).assign_attrs(attributes)


def _assignment(
    bits: Floats, interval: NDArray[np.int64], switch_intervals: int
) -> tuple[NDArray[np.int64], dict[str, float]]:
    """Assignment of all satellites, and for several its bound and gap."""
    if len(bits) < 2:
        found = [best_assignment(own, interval=interval, switch_intervals=switch_intervals) for own in bits]
        return np.array(found, dtype=np.int64).reshape(bits.shape[:2]), {}
    from satqkd.planning.constellation import plan_jointly

    plan = plan_jointly(bits, interval=interval, switch_intervals=switch_intervals)
    if not plan.complete:
        warnings.warn(
            f"schedule: the time limit left a gap of {plan.gap:.2%} between the plan and its bound",
            SatqkdWarning,
            stacklevel=3,
        )
    return plan.assignment, {"bound_bits": plan.bound, "gap": plan.gap}
