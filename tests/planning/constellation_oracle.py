"""Brute force and an independent check of plans of several satellites."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np


def broken(assignment: np.ndarray, interval: np.ndarray, switch: np.ndarray, station_switch: np.ndarray) -> list[str]:
    """Everything a plan does against the rules; switch times of shape (satellites, stations)."""
    found = []
    satellites, stations = switch.shape
    served_by: dict[int, tuple[int, int]] = {}  # station: last interval, satellite
    serving: dict[int, tuple[int, int]] = {}  # satellite: last interval, station
    for row, time in enumerate(interval.tolist()):
        links = [(s, int(assignment[s, row])) for s in range(satellites) if assignment[s, row] >= 0]
        if len({n for _, n in links}) < len(links):
            found.append(f"two satellites at one station in {time}")
        for s, n in links:
            new = serving.get(s, (0, n))[1] != n or served_by.get(n, (0, s))[1] != s
            if new and s in serving and time - serving[s][0] <= switch[s, n]:
                found.append(f"satellite {s} turned too fast before {time}")
            if new and n in served_by and time - served_by[n][0] <= station_switch[s, n]:
                found.append(f"station {n} turned too fast before {time}")
        for s, n in links:
            serving[s], served_by[n] = (time, n), (time, s)
    return found


def plans(bits: np.ndarray) -> Iterator[np.ndarray]:
    """Every assignment that serves only where bits are."""
    satellites, rows, _ = bits.shape
    choices = [[-1, *np.flatnonzero(bits[s, row])] for s in range(satellites) for row in range(rows)]
    for choice in itertools.product(*choices):
        yield np.array(choice, dtype=int).reshape(satellites, rows)


def worth(assignment: np.ndarray, bits: np.ndarray) -> float:
    """Bits of a plan."""
    s, row = np.nonzero(assignment >= 0)
    return float(bits[s, row, assignment[s, row]].sum())


def brute_force(bits: np.ndarray, interval: np.ndarray, switch: np.ndarray, station_switch: np.ndarray) -> float:
    """Worth of the best of all plans that follow the rules."""
    best = 0.0
    for plan in plans(bits):
        value = worth(plan, bits)
        if value > best and not broken(plan, interval, switch, station_switch):
            best = value
    return best
