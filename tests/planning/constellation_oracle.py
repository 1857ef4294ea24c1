"""Brute force and an independent check of plans of several satellites."""

from __future__ import annotations

import itertools

import numpy as np


def broken(assignment: np.ndarray, interval: np.ndarray, switch: np.ndarray, station_switch: np.ndarray) -> list[str]:
    """Everything a plan does against the rules; switch times of shape (satellites, stations)."""
    found = []
    satellites = len(switch)
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


def worth(assignment: np.ndarray, bits: np.ndarray) -> float:
    """Bits of a plan."""
    s, row = np.nonzero(assignment >= 0)
    return float(bits[s, row, assignment[s, row]].sum())


def brute_force(bits: np.ndarray, interval: np.ndarray, switch: np.ndarray, station_switch: np.ndarray) -> float:
    """Worth of the best of all plans that follow the rules, every one of them built interval by interval."""
    satellites, rows, stations = bits.shape

    def best(row: int, serving: tuple, served_by: tuple) -> float:
        """Best from an interval on; what each satellite and each station did last: (interval, partner) or None."""
        if row == rows:
            return 0.0
        time, found = int(interval[row]), 0.0
        for choice in itertools.product(*([-1, *np.flatnonzero(bits[s, row]).tolist()] for s in range(satellites))):
            used = [n for n in choice if n >= 0]
            if len(set(used)) < len(used):
                continue
            after_s, after_n, value = list(serving), list(served_by), 0.0
            for s, n in enumerate(choice):
                if n < 0:
                    continue
                mine, its = serving[s], served_by[n]
                if (mine and mine[1] != n) or (its and its[1] != s):
                    if mine and time - mine[0] <= switch[s, n]:
                        break
                    if its and time - its[0] <= station_switch[s, n]:
                        break
                after_s[s], after_n[n] = (time, n), (time, s)
                value += float(bits[s, row, n])
            else:
                found = max(found, value + best(row + 1, tuple(after_s), tuple(after_n)))
        return found

    return best(0, (None,) * satellites, (None,) * stations)
