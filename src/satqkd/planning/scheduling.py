"""Schedules with a proof of how good they are: keys in, a checked plan with value, bound and gap out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError
from satqkd.planning.checker import services, violations
from satqkd.planning.divergence import kl_divergence
from satqkd.planning.problem import IDLE, SWITCHING, Problem, Solution
from satqkd.planning.proportional import max_min, traffic
from satqkd.planning.several import SEVERAL
from satqkd.planning.single import best_assignment
from satqkd.planning.tables import read_keys, read_weights
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["OBJECTIVES", "Schedule", "schedule", "trade_off"]

Floats = NDArray[np.float64]
EXACT = 1e-9
"""Gap below which a schedule is called optimal: rounding of the sums."""


@dataclass(frozen=True)
class Schedule:
    """A schedule, what it delivers and how good it is."""

    assignment: xr.DataArray
    """Position in ``stations`` of the station served, -1 idle, -2 switching; dims (satellite, interval)."""
    delivered_bits: dict[str, float]
    """Bits that each station gets. [bit]"""
    value: float
    """What the objective measures: total bits, weighted bits, or the smallest of bits per weight. [bit]"""
    bound: float
    """No schedule reaches more than this. [bit]"""
    gap: float
    """(bound - value) / bound."""
    kl: float | None
    """Divergence of the delivered shares from the weights; None without weights or without bits. [nat]"""
    status: str
    """``"optimal"``, ``"within gap"``, or ``"time limit"``: the best found until then."""
    objective: str
    """Key of :data:`OBJECTIVES`."""
    bits: xr.DataArray
    """Bits delivered, dims (satellite, interval). [bit]"""
    stations: tuple[str, ...]
    """Names."""
    weights: dict[str, float] | None
    """Weights of sum 1."""
    kl_max: float | None
    """Largest divergence asked for. [nat]"""
    switch_intervals: int
    """Intervals without delivery that a change of station needs."""


def _weighted(problem: Problem, weights: Floats) -> Solution:
    """The most of the weighted bits, exact for one satellite."""
    bits = problem.bits[0] * weights
    served = best_assignment(bits, interval=problem.interval, switch_intervals=problem.switch_intervals)
    where = np.flatnonzero(served >= 0)
    return Solution(served[None, :], math.fsum(bits[where, served[where]]))


def _general(problem: Problem) -> Solution:
    """Most bits in total (S-GD)."""
    return _weighted(problem, np.ones(len(problem.stations)))


def _priority(problem: Problem) -> Solution:
    """Most weighted bits (S-PD)."""
    assert problem.weights is not None
    return _weighted(problem, problem.weights)


OBJECTIVES: Mapping[str, Callable[[Problem], Solution]] = {
    "general": _general,
    "priority": _priority,
    "traffic": traffic,
    "max-min": max_min,
}
"""Objective to the method for one satellite: S-GD, S-PD and S-TD of Wang et al., and the largest usable key."""


def schedule(
    keys: Any,
    *,
    objective: str = "general",
    weights: Mapping[str, float] | None = None,
    kl_max: float | None = None,
    switch_intervals: int = 1,
    time_limit_s: float = 60.0,
    gap: float = 1e-3,
) -> Schedule:
    r"""Best schedule for an objective, with a proven bound.

    Parameters
    ----------
    keys : xarray.DataArray or table
        Deliverable bits: dims (satellite, interval, station), the satellite optional; or the table of a CSV file (a
        data frame, or a mapping of names to columns) with a column ``interval`` and one column of bits for each
        station. An index that is not listed is idle time.
    objective : str
        ``"general"``: most bits (S-GD). ``"priority"``: most of :math:`\sum w_n E_n` (S-PD). ``"traffic"``: most
        bits with a divergence from the weights of at most ``kl_max`` (S-TD). ``"max-min"``: most of
        :math:`\min_n E_n / w_n`.
    weights : mapping of str to float, optional
        Number at least 0 for each station, normalised here; needed but for ``"general"``. With ``"traffic"`` and
        ``"max-min"`` a station of weight 0 gets nothing.
    kl_max : float, optional
        Largest divergence, for ``"traffic"``. [nat]
    switch_intervals : int
        Intervals without delivery that a change of station needs.
    time_limit_s : float
        Time after which the best schedule found so far is returned, marked as such. [s]
    gap : float
        Gap to prove, (bound - value) / bound; 0 asks for the optimum. General and priority schedules of one satellite
        are always optimal.

    Returns
    -------
    Schedule
        Checked by :mod:`satqkd.planning.checker`.

    Raises
    ------
    InputError
        For keys, weights or options that cannot be used, and for a divergence that no schedule reaches.

    Examples
    --------
    >>> table = {"interval": [0, 1, 2, 3], "A": [5, 4, 0, 0], "B": [0, 3, 9, 9]}
    >>> plan = schedule(table)
    >>> plan.value, plan.gap, plan.assignment.values.tolist()
    (23.0, 0.0, [[0, -2, 1, 1]])
    """
    problem = _problem(keys, objective, weights, kl_max, switch_intervals, time_limit_s, gap)
    return _finish(problem, objective, _method(problem, objective)(problem))


def _method(problem: Problem, objective: str) -> Callable[[Problem], Solution]:
    return OBJECTIVES[objective] if len(problem.satellites) == 1 else SEVERAL[objective]


def _problem(
    keys: Any, objective: str, weights: Mapping[str, float] | None, kl_max: float | None, switch_intervals: int,
    time_limit_s: float, gap: float,
) -> Problem:  # fmt: skip
    """Everything checked, in arrays."""
    if objective not in OBJECTIVES:
        raise InputError(f"objective {objective!r}: unknown; known are {', '.join(OBJECTIVES)}")
    if isinstance(switch_intervals, bool) or int(switch_intervals) != switch_intervals or switch_intervals < 0:
        raise InputError(f"switch_intervals = {switch_intervals}: must be a whole number, at least 0")
    if not time_limit_s > 0.0:
        raise InputError(f"time_limit_s = {time_limit_s:g}: must be positive")
    if not 0.0 <= gap < 1.0:
        raise InputError(f"gap = {gap:g}: must be in [0, 1)")
    if (kl_max is not None) != (objective == "traffic"):
        reason = "is needed for objective 'traffic'" if kl_max is None else f"means nothing to objective {objective!r}"
        raise InputError(f"kl_max {reason}")
    if kl_max is not None and not (kl_max >= 0.0 and math.isfinite(kl_max)):
        raise InputError(f"kl_max = {kl_max:g}: must be a finite number of nats, at least 0")
    if weights is None and objective != "general":
        raise InputError(f"weights are needed for objective {objective!r}")
    bits, interval, satellites, stations = read_keys(keys)
    shares = None if weights is None else read_weights(weights, stations)
    return Problem(
        bits=bits, interval=interval, satellites=satellites, stations=stations, weights=shares, kl_max=kl_max,
        switch_intervals=int(switch_intervals), gap=gap, time_limit_s=time_limit_s,
    )  # fmt: skip


def _finish(problem: Problem, objective: str, solution: Solution) -> Schedule:
    """Value, gap and divergence of a solution; checked."""
    import xarray as xr

    served = solution.assignment >= 0
    position = np.where(served, solution.assignment, 0)
    bits = np.where(served, np.take_along_axis(problem.bits, position[:, :, None], axis=2)[:, :, 0], 0.0)
    delivered = np.zeros(len(problem.stations))
    np.add.at(delivered, position[served], bits[served])
    value = _value(problem, objective, delivered)
    bound = max(solution.bound, value)
    gap = (bound - value) / bound if bound > 0.0 else 0.0
    if gap <= EXACT:
        bound, gap = value, 0.0
    status = "optimal" if gap == 0.0 else "within gap" if solution.complete else "time limit"
    kl = None if problem.weights is None or not delivered.any() else kl_divergence(delivered, problem.weights)
    dims = ("satellite", "interval")
    coordinates = {"satellite": list(problem.satellites), "interval": problem.interval}
    marks = {"flag_values": [SWITCHING, IDLE], "flag_meanings": "switching idle", "stations": list(problem.stations)}
    result = Schedule(
        assignment=xr.DataArray(solution.assignment, dims=dims, coords=coordinates, name="assignment", attrs=marks),
        delivered_bits={name: float(b) for name, b in zip(problem.stations, delivered, strict=True)},
        value=value, bound=bound, gap=gap, kl=kl, status=status, objective=objective,
        bits=xr.DataArray(bits, dims=dims, coords=coordinates, name="bits"),
        stations=problem.stations,
        weights=None if problem.weights is None else dict(zip(problem.stations, problem.weights.tolist(), strict=True)),
        kl_max=problem.kl_max, switch_intervals=problem.switch_intervals,
    )  # fmt: skip
    _check(problem, result)
    return result


def _value(problem: Problem, objective: str, delivered: Floats) -> float:
    """What the objective measures."""
    if objective in ("general", "traffic"):
        return float(delivered.sum())
    assert problem.weights is not None
    wanted = problem.weights > 0.0
    measures = {
        "priority": lambda w: float(delivered @ w),
        "max-min": lambda w: float(np.min(delivered[wanted] / w[wanted])),
    }
    return measures[objective](problem.weights)


def _check(problem: Problem, result: Schedule) -> None:
    """Refuse to return a schedule that breaks a rule: that would be a defect of the method."""
    listed = services(
        result.assignment.values, interval=problem.interval, satellites=problem.satellites, stations=problem.stations
    )
    wrong = violations(
        listed, bits=problem.bits, interval=problem.interval, satellites=problem.satellites, stations=problem.stations,
        switch_intervals=problem.switch_intervals, station_switch_intervals=problem.switch_intervals,
        assigned_bits=result.bits.values,
        delivered_bits=result.delivered_bits, objective=result.objective, weights=result.weights,
        kl_max=result.kl_max, value=result.value, bound=result.bound,
    )  # fmt: skip
    if wrong:
        raise RuntimeError(f"the schedule found breaks {len(wrong)} rules, the first: {wrong[0]}")


def trade_off(
    keys: Any,
    *,
    weights: Mapping[str, float],
    kl_max: Sequence[float] = (0.3, 0.1, 0.03, 0.01),
    switch_intervals: int = 1,
    time_limit_s: float = 60.0,
    gap: float = 1e-3,
) -> xr.Dataset:
    """Total bits against the divergence allowed: what it costs to deliver by weight.

    Parameters
    ----------
    keys : xarray.DataArray or table
        As for :func:`schedule`.
    weights : mapping of str to float
        As for :func:`schedule`.
    kl_max : sequence of float
        Limits of the divergence. [nat]
    switch_intervals : int
        As for :func:`schedule`.
    time_limit_s : float
        For each limit. [s]
    gap : float
        As for :func:`schedule`.

    Returns
    -------
    xarray.Dataset
        By ``kl_max``, increasing: total, bound, gap and divergence of the schedule, and the bits of each station.
    """
    import xarray as xr

    limits = sorted({float(limit) for limit in kl_max})
    if not limits:
        raise InputError("kl_max: at least one limit is needed")
    plans: list[Schedule] = []
    for limit in limits:
        plan = schedule(
            keys, objective="traffic", weights=weights, kl_max=limit, switch_intervals=switch_intervals,
            time_limit_s=time_limit_s, gap=gap,
        )  # fmt: skip
        plans.append(plan)
    # A schedule within one limit is within every larger one, a bound for one limit holds for every smaller one.
    best = list(range(len(plans)))
    for k in range(1, len(plans)):
        best[k] = max(best[k - 1], k, key=lambda j: plans[j].value)
    bound = np.minimum.accumulate([plan.bound for plan in plans][::-1])[::-1]
    total = np.array([plans[j].value for j in best])
    dataset = xr.Dataset(
        {
            "total_bits": ("kl_max", total),
            "bound_bits": ("kl_max", bound),
            "gap": ("kl_max", (bound - total) / bound),
            "kl": ("kl_max", [plans[j].kl for j in best]),
            "delivered_bits": (("kl_max", "station"), [list(plans[j].delivered_bits.values()) for j in best]),
        },
        coords={"kl_max": limits, "station": list(plans[0].stations)},
    )
    return describe(dataset)
