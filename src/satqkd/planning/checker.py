"""Whether a plan can be flown and is what it says: independent of how the plan was made.

Works on a plain list of services, one (satellite, interval, station) each, as in an operator's table, and looks at
every rule on its own, slowly and literally.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["services", "violations"]

Service = tuple[str, int, str]

ROUNDING = 1e-9
"""Relative difference of two sums of the same numbers in different orders."""


def services(
    assignment: ArrayLike, *, interval: ArrayLike, satellites: Sequence[str], stations: Sequence[str]
) -> list[Service]:
    """The list of services of an assignment.

    Parameters
    ----------
    assignment : array_like of int, shape (n_satellites, n_intervals)
        Position of the station served; negative where none is.
    interval : array_like of int, shape (n_intervals,)
        Index of each interval.
    satellites, stations : sequence of str
        Names.

    Returns
    -------
    list of tuple
        Satellite, interval and station; a position beyond the list of stations becomes ``"station <position>"``.
    """
    table = np.asarray(assignment, dtype=np.int64)
    index = np.asarray(interval, dtype=np.int64)
    found = []
    for s, m in zip(*np.nonzero(table >= 0), strict=True):
        n = int(table[s, m])
        found.append((satellites[s], int(index[m]), stations[n] if n < len(stations) else f"station {n}"))
    return found


def violations(
    services: Iterable[Service],
    *,
    bits: ArrayLike,
    interval: ArrayLike,
    satellites: Sequence[str],
    stations: Sequence[str],
    switch_intervals: int = 1,
    station_switch_intervals: int = 0,
    assigned_bits: ArrayLike | None = None,
    delivered_bits: Mapping[str, float] | None = None,
    objective: str = "general",
    weights: Mapping[str, float] | None = None,
    kl_max: float | None = None,
    value: float | None = None,
    bound: float | None = None,
) -> list[str]:
    """Everything that is wrong with a plan.

    Parameters
    ----------
    services : iterable of tuple
        Satellite, interval index and station of every interval served.
    bits : array_like, shape (n_satellites, n_intervals, n_stations)
        Deliverable bits.
    interval : array_like of int, shape (n_intervals,)
        Index of each interval.
    satellites, stations : sequence of str
        Names, in the order of ``bits``.
    switch_intervals : int
        Intervals without delivery that a satellite needs between two stations.
    station_switch_intervals : int
        Intervals without delivery that a station needs between two satellites.
    assigned_bits : array_like, shape (n_satellites, n_intervals), optional
        Bits that the plan says are delivered in each interval.
    delivered_bits : mapping of str to float, optional
        Bits that the plan says each station gets.
    objective : str
        What ``value`` measures: ``"general"``, ``"priority"``, ``"traffic"`` or ``"max-min"``.
    weights : mapping of str to float, optional
        Weights, not necessarily of sum 1.
    kl_max : float, optional
        Largest divergence allowed. [nat]
    value, bound : float, optional
        What the plan says it reaches, and that none can pass.

    Returns
    -------
    list of str
        One line for each violation; empty if the plan is sound.
    """
    table = np.asarray(bits, dtype=np.float64)
    place = {int(index): m for m, index in enumerate(np.asarray(interval))}
    satellite_place = {name: s for s, name in enumerate(satellites)}
    station_place = {name: n for n, name in enumerate(stations)}
    found: list[str] = []
    by_satellite: dict[str, list[tuple[int, str]]] = defaultdict(list)
    by_station: dict[str, list[tuple[int, str]]] = defaultdict(list)
    sums: dict[str, list[float]] = {name: [] for name in stations}
    shown = np.zeros(table.shape[:2])
    for satellite, index, station in services:
        known = True
        for kind, name, names in (
            ("satellite", satellite, satellite_place), ("interval", index, place), ("station", station, station_place)
        ):  # fmt: skip
            if name not in names:
                found.append(f"unknown {kind} {name} ({satellite}, interval {index}, {station})")
                known = False
        if not known:
            continue
        s, m = satellite_place[satellite], place[index]
        served = float(table[s, m, station_place[station]])
        by_satellite[satellite].append((index, station))
        by_station[station].append((index, satellite))
        sums[station].append(served)
        shown[s, m] += served
    found += _terminal_violations("satellite", by_satellite, switch_intervals)
    found += _terminal_violations("station", by_station, station_switch_intervals)
    totals = {name: math.fsum(parts) for name, parts in sums.items()}
    if assigned_bits is not None:
        for s, m in zip(*np.nonzero(~_equal(np.asarray(assigned_bits, dtype=np.float64), shown)), strict=True):
            found.append(f"{satellites[s]} does not deliver what is said in interval {np.asarray(interval)[m]}")
    if delivered_bits is not None:
        if set(delivered_bits) != set(stations):
            found.append("delivered bits are not those of the stations")
        else:
            found += [
                f"{name} gets {totals[name]:.17g} bits, not {delivered_bits[name]:.17g}"
                for name in stations
                if not _equal(np.array(totals[name]), np.array(float(delivered_bits[name])))
            ]
    found += _value_violations(totals, objective, weights, kl_max, value, bound)
    return found


def _equal(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isclose(first, second, rtol=ROUNDING, atol=ROUNDING)


def _terminal_violations(kind: str, visits: Mapping[str, list[tuple[int, str]]], needed: int) -> list[str]:
    """Terminals with two partners at once, or with too little time between two."""
    found = []
    for name, own in visits.items():
        for (first, partner), (second, other) in pairwise(sorted(own)):
            if first == second:
                found.append(f"{kind} {name} has {partner} and {other} at once in interval {first}")
            elif partner != other and second - first <= needed:
                found.append(
                    f"{kind} {name} turns from {partner} to {other} between intervals {first} and {second}: "
                    f"{needed} needed between them"
                )
    return found


def _value_violations(
    totals: Mapping[str, float],
    objective: str,
    weights: Mapping[str, float] | None,
    kl_max: float | None,
    value: float | None,
    bound: float | None,
) -> list[str]:
    """Divergence above its limit, or a value that the bits do not give."""
    found = []
    total = math.fsum(totals.values())
    share: dict[str, float] = {}
    if weights is not None:
        whole = math.fsum(weights.values())
        share = {name: weights[name] / whole for name in totals}
    if kl_max is not None:
        unwanted = [name for name, bits in totals.items() if bits > 0.0 and share[name] == 0.0]
        terms = [e * math.log(e / total / share[n]) / total for n, e in totals.items() if e > 0.0 and n not in unwanted]
        divergence = math.inf if unwanted or total <= 0.0 else math.fsum(terms)
        if divergence > kl_max + 1e-12:  # the logarithms' rounding
            found.append(f"divergence {divergence:.9g} above {kl_max:.9g}")
    if value is not None:
        values = {
            "general": lambda: total,
            "traffic": lambda: total,
            "priority": lambda: math.fsum(totals[n] * share[n] for n in totals),
            "max-min": lambda: min(totals[n] / share[n] for n in totals if share[n] > 0.0),
        }
        reached = values[objective]()
        if not math.isclose(reached, value, rel_tol=ROUNDING, abs_tol=ROUNDING):
            found.append(f"value {value:.17g} is said, {reached:.17g} is reached")
        if bound is not None and value > bound * (1.0 + ROUNDING):
            found.append(f"value {value:.17g} is above the bound {bound:.17g}")
    return found
