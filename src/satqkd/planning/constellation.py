"""The best plan of several satellites and stations, with a bound: prices on contested station intervals.

References
----------
.. [1] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum key
   distribution modelling and scheduling analysis", Eqs. 7 and 8, here for more than one satellite.
.. [2] M. L. Fisher, "The Lagrangian relaxation method for solving integer programming problems", Management Science 27,
   1 (1981).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.planning.single import IDLE, SWITCHING
from satqkd.planning.windows import Windows, from_table, split

__all__ = ["ROUNDING", "JointPlan", "WindowPlan", "assignment_of", "plan_jointly", "plan_windows"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

ROUNDS = 40
"""Most rounds of ascent and repair of one part before the mixed-integer program takes over."""

STEPS = 40
"""Subgradient steps per round."""

ROUNDING = 1e-9
"""Gap that is not told from none."""


@dataclass(frozen=True)
class WindowPlan:
    """Links of a plan and what is proven about it.

    Attributes
    ----------
    links : ndarray of int, shape (n_links, 4)
        Satellite, station, first and last interval of each link, by satellite and time.
    value, bound : float
        Weighted bits delivered, and what no plan can exceed.
    complete : bool
        Whether the gap asked for was reached; False if the time limit came first.
    seconds : float
        Wall time.
    parts : int
        Parts that share no contested station interval and were planned one by one.
    """

    links: Integers
    value: float
    bound: float
    complete: bool
    seconds: float
    parts: int

    @property
    def gap(self) -> float:
        """(bound - value) / bound, 0 if nothing can be delivered."""
        return (self.bound - self.value) / self.bound if self.bound > 0.0 else 0.0


@dataclass(frozen=True)
class JointPlan:
    """A plan of several satellites.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_satellites, n_intervals)
        Station served, or :data:`~satqkd.planning.single.IDLE`, :data:`~satqkd.planning.single.SWITCHING`.
    delivered_bits : ndarray, shape (n_stations,)
        Bits per station, without weights.
    value, bound : float
        Weighted bits delivered, and what no plan can exceed.
    gap : float
        (bound - value) / bound, 0 if nothing can be delivered.
    complete : bool
        Whether the gap asked for was reached; False if the time limit came first.
    seconds : float
        Wall time.
    """

    assignment: Integers
    delivered_bits: Floats
    value: float
    bound: float
    gap: float
    complete: bool
    seconds: float


def plan_jointly(
    bits: ArrayLike,
    *,
    interval: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    switch_intervals: ArrayLike = 1,
    station_switch_intervals: ArrayLike | None = None,
    relative_gap: float = 1e-4,
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> JointPlan:
    """Assignment of all satellites' intervals to stations that delivers most.

    Parameters
    ----------
    bits : array_like, shape (n_satellites, n_intervals, n_stations)
        Bits that each satellite could deliver, non-negative and finite.
    interval : array_like of int, shape (n_intervals,), optional
        Index of each interval, increasing; those not listed deliver nothing. Default: no gaps.
    weights : array_like, shape (n_stations,), optional
        Worth of a bit at each station, at least 0. Default: all 1.
    switch_intervals : int or array_like of int, shape (n_satellites, n_stations)
        Intervals without delivery that a satellite needs before a new link to a station.
    station_switch_intervals : int or array_like of int, optional
        The same for the station's telescope. Default: as ``switch_intervals``. At most what the satellite needs to
        turn away and back, so that it never keeps a station from its own return.
    relative_gap : float
        Gap at which to stop, at least 0; what is below 1e-9 is left to rounding.
    time_limit_s : float
        Wall time after which the best plan so far is returned with its bound; the first call's compilation is not
        counted. [s]
    seed : int
        Of the orders in which windows are planned when a plan is repaired.

    Returns
    -------
    JointPlan
        Plan, value, bound and gap.

    Raises
    ------
    InputError
        For tables, indices, weights, switch times, gap or limit that are not as said.

    Notes
    -----
    In each interval a station serves at most one satellite and a satellite at most one station. A link of satellite *s*
    and station *n* is new when either served another since the pair's last interval; a new link that begins in interval
    *j* needs *j - i* > ``switch_intervals`` for the satellite's last interval *i* of delivery, and the like for the
    station's. For one satellite that is the rule of :func:`satqkd.planning.single.best_assignment`.

    The bound relaxes "one satellite per station interval" with prices (Lagrangian relaxation): each satellite's
    windows are then planned alone, exactly, by dynamic programming.

    Examples
    --------
    >>> plan = plan_jointly([[[9.0, 8.0]], [[7.0, 1.0]]])  # both satellites want station 0
    >>> plan.assignment.tolist(), plan.value, plan.bound
    ([[1], [0]], 15.0, 15.0)
    """
    table = np.asarray(bits, dtype=np.float64)
    windows = from_table(
        table,
        interval=interval,
        weights=weights,
        switch_intervals=switch_intervals,
        station_switch_intervals=station_switch_intervals,
    )
    found = plan_windows(windows, relative_gap=relative_gap, time_limit_s=time_limit_s, seed=seed)
    index = np.arange(table.shape[1]) if interval is None else np.asarray(interval, dtype=np.int64)
    assignment, delivered = assignment_of(found.links, table, index, switch_intervals)
    share = np.ones(table.shape[2]) if weights is None else np.asarray(weights, dtype=np.float64)
    value = float(share @ delivered)
    bound = max(found.bound, value)
    gap = (bound - value) / bound if bound > 0.0 else 0.0
    return JointPlan(assignment, delivered, value, bound, gap, found.complete, found.seconds)


def assignment_of(
    links: Integers, bits: Floats, interval: Integers, switch_intervals: ArrayLike
) -> tuple[Integers, Floats]:
    """Assignment of a table's intervals, and what each station gets, from the links of a plan.

    Parameters
    ----------
    links : ndarray of int, shape (n_links, 4)
        See :class:`WindowPlan`.
    bits : ndarray, shape (n_satellites, n_intervals, n_stations)
        The table.
    interval : ndarray of int, shape (n_intervals,)
        Index of each interval.
    switch_intervals : int or array_like of int
        See :func:`plan_jointly`.

    Returns
    -------
    tuple of ndarray
        Assignment of shape (n_satellites, n_intervals), bits of shape (n_stations,).
    """
    setup = np.broadcast_to(np.asarray(switch_intervals, dtype=np.int64), bits.shape[::2])
    assignment = np.full(bits.shape[:2], IDLE, dtype=np.int64)
    delivered = np.zeros(bits.shape[2])
    previous, ended, station_before = -1, 0, -1
    for satellite, station, first, last in links.tolist():
        begin, end = np.searchsorted(interval, [first, last + 1])
        served = begin + np.flatnonzero(bits[satellite, begin:end, station] > 0.0)
        assignment[satellite, served] = station
        delivered[station] += bits[satellite, served, station].sum()
        if satellite == previous and station != station_before:
            turn = np.searchsorted(interval, max(first - setup[satellite, station], ended + 1))
            assignment[satellite, turn:begin] = SWITCHING
        previous, ended, station_before = satellite, last, station
    return assignment, delivered


def plan_windows(
    windows: Windows, *, relative_gap: float = 1e-4, time_limit_s: float = 60.0, seed: int = 0
) -> WindowPlan:
    """Best plan of all windows; see :func:`plan_jointly`.

    Parameters
    ----------
    windows : Windows
        By :func:`satqkd.planning.windows.from_samples` or :func:`~satqkd.planning.windows.from_table`.
    relative_gap, time_limit_s, seed : float
        See :func:`plan_jointly`.

    Returns
    -------
    WindowPlan
        Links, value, bound.

    Raises
    ------
    InputError
        For a negative gap, or a time limit that is not positive.

    Notes
    -----
    Parts without a contested cell in common are planned one by one, so time grows with the length of the plan, not
    with its square. What prices and repair leave open goes, where it matters most first, to a mixed-integer program
    over the states that can still be part of a better plan (:mod:`satqkd.planning.exact`).
    """
    from satqkd.planning.dual import Part, compile_kernels
    from satqkd.planning.exact import close_gap

    if not (np.isfinite(relative_gap) and relative_gap >= 0.0):
        raise InputError(f"relative_gap must be at least 0, got {relative_gap}")
    if not time_limit_s > 0.0:
        raise InputError(f"time_limit_s must be positive, got {time_limit_s} s")
    compile_kernels()
    begin = time.perf_counter()
    deadline = begin + time_limit_s
    parts = [Part(own, chosen, seed) for own, chosen in split(windows)]

    def open_gap() -> float:
        return sum(part.bound - part.value for part in parts)

    def allowed() -> float:
        return max(relative_gap, ROUNDING) * sum(part.bound for part in parts)

    for _ in range(ROUNDS):
        for part in sorted(parts, key=lambda each: each.value - each.bound):
            if not part.settled and time.perf_counter() < deadline:
                part.round(STEPS, relative_gap)
        if open_gap() <= allowed() or all(part.settled for part in parts) or time.perf_counter() >= deadline:
            break
    for part in sorted(parts, key=lambda each: each.value - each.bound):
        left_s = deadline - time.perf_counter()
        if open_gap() <= allowed() or left_s <= 0.0:
            break
        # what this part may keep open: its share by size
        close_gap(part, allowed() * part.bound / sum(each.bound for each in parts), left_s)
    value, bound = sum(part.value for part in parts), sum(part.bound for part in parts)
    links = np.concatenate([np.zeros((0, 4), np.int64), *(part.links for part in parts)])
    return WindowPlan(
        links=links[np.lexsort((links[:, 2], links[:, 0]))],
        value=value,
        bound=max(bound, value),
        complete=bool(open_gap() <= allowed()),
        seconds=time.perf_counter() - begin,
        parts=len(parts),
    )
