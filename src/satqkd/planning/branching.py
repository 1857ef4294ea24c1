"""Search for the best mixture of windows: annealing for schedules, column generation for bounds, branching between."""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satqkd.planning._dp import best_path
from satqkd.planning._exchange import DIVERGENCE, TOTAL, anneal
from satqkd.planning.columns import Decision, Program, Relaxation
from satqkd.planning.divergence import kl_divergence
from satqkd.planning.goals import MaxMin, Traffic
from satqkd.planning.partition import Windows

__all__ = ["Closest", "Found", "compile_search", "least_divergence", "search"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EXACT = 1e-9
"""Differences below this part of the bound are rounding."""
MOST_COLUMNS = 3000
"""Columns at which those that cannot matter any more are dropped."""
NO_CLOSER = 1e-5
"""Part of a divergence that is not worth a proof: the linear program's tolerance is 1e-7 of its rows."""
NODES_PER_ANNEALING = 40
LONGEST_ANNEALING = 2_000_000


@dataclass(frozen=True)
class Found:
    """Result of a search."""

    served: Integers | None
    """Best path over the rows; None if no allowed schedule was met."""
    value: float
    """Its value; -inf if there is none. [bit]"""
    bound: float
    """No schedule reaches more; -inf if it is proven that none is allowed. [bit]"""
    complete: bool
    """False if the time limit struck before the gap was proven."""


class _Incumbent:
    """Best schedule so far."""

    def __init__(self, windows: Windows, goal: Traffic | MaxMin) -> None:
        self.windows, self.goal = windows, goal
        self.served: Integers | None = None
        self.value = -np.inf

    def offer(self, served: Integers) -> None:
        value = self.goal.value(self.windows.vectors(served).sum(axis=0))
        if value > self.value:
            self.value, self.served = value, served.copy()


class _Annealing:
    """Annealing runs around the root's prices."""

    def __init__(self, program: Program, root: Relaxation, deadline: float) -> None:
        self.program, self.root = program, root
        self.deadline = deadline
        self.random = np.random.default_rng(20160919)
        self.runs = 0
        self.first, self.paths = self._near_paths()

    def _near_paths(self) -> tuple[Integers, Integers]:
        """Paths of each window that are best at prices near the root's."""
        program = self.program
        wide = float(np.abs(self.root.prices).max())
        for _ in range(min(1000, 5 * len(program.windows.active))):
            noise = self.random.standard_normal(program.n_stations) * wide * 10 ** self.random.uniform(-2.5, -0.3)
            program.add(program.price(self.root.prices + noise)[1])
            if time.monotonic() > self.deadline:
                break
        worth = program.bits @ self.root.prices
        first, chosen = [0], []
        for w in range(program.n_windows):
            own = np.flatnonzero(program.window == w)
            own = own[np.argsort(-worth[own], kind="stable")][:200]
            own = own[worth[own] >= worth[own].max() - 0.006 * self.root.bound] if len(own) else own
            chosen.append(program.paths[own] if len(own) else np.full((1, program.paths.shape[1]), -1, dtype=np.int64))
            first.append(first[-1] + len(chosen[-1]))
        program.forget(self.root.prices, 0.006 * abs(self.root.bound))
        return np.array(first), np.concatenate(chosen)

    def run(self, incumbent: _Incumbent, effort: float) -> None:
        """One run of ``effort`` times the full length."""
        program, goal = self.program, self.program.goal
        table = program.windows.table
        moves = int(effort * min(LONGEST_ANNEALING, 1600 * len(table)))
        start = incumbent.served if self.runs % 3 == 2 and incumbent.served is not None else None
        if start is None:
            start = program.price(self.root.prices)[1]
        hot = (8e-4 if self.runs % 2 else 3e-4) * abs(self.root.bound)
        _, served = anneal(
            goal.kind, table, program.start, start, self.first, self.paths, goal.weights, goal.kl_max,
            self.root.penalty, self.root.prices, program.windows.switch_intervals,
            max(moves, 1000), hot, 6e-6 * abs(self.root.bound) + 1e-9, self.random,
        )  # fmt: skip
        self.runs += 1
        incumbent.offer(served)


def compile_search() -> None:
    """Have the annealing compiled, once per installation, before a time limit starts to count."""
    one, row = np.ones((1, 1)), np.zeros(1, dtype=np.int64)
    path = np.zeros((1, 1), dtype=np.int64)
    ends = np.array([0, 1])
    anneal(TOTAL, one, ends, row, ends, path, one[0], 0.0, 0.0, one[0], 1, 1, 1.0, 0.5, np.random.default_rng(0))


def search(windows: Windows, goal: Traffic | MaxMin, *, gap: float, deadline: float, first_only: bool = False) -> Found:
    """Best schedule towards a goal that joins the stations, with a proven bound.

    Parameters
    ----------
    windows : Windows
        The satellite's table; stations of weight 0 without bits.
    goal : Traffic or MaxMin
        What is asked.
    gap : float
        Part of the bound to which the schedule is to be proven best; 0 for the optimum.
    deadline : float
        Time of the monotonic clock at which the search stops. [s]
    first_only : bool
        Stop at the first allowed schedule.

    Returns
    -------
    Found
        Schedule, value and bound.
    """
    program = Program(windows, goal)
    for prices in [np.ones(program.n_stations), goal.weights, *np.eye(program.n_stations)]:
        program.add(program.price(prices)[1])
    root = program.relax(deadline=deadline)
    assert root is not None  # without decisions every schedule follows them
    incumbent = _Incumbent(windows, goal)
    least = float(windows.table[windows.table > 0.0].min(initial=np.inf))  # no schedule but the empty one has less

    def done(bound: float) -> bool:
        closed = max(gap, EXACT) * abs(bound) >= bound - incumbent.value
        return closed or bound < least * (1.0 - EXACT) or (first_only and incumbent.served is not None)

    if root.bound < least * (1.0 - EXACT):
        return Found(None, -np.inf, -np.inf, True)
    annealing = _Annealing(program, root, deadline)
    effort = [0.1, 0.3, 0.6, 1.0, 1.0, 1.0]
    for part in effort:
        annealing.run(incumbent, part)
        if done(root.bound) or time.monotonic() > deadline:
            break
    counter = itertools.count()
    heap: list[tuple[float, int, tuple[Decision, ...], Floats]] = [(-root.bound, next(counter), (), root.prices)]
    nodes = 0
    while heap and not done(-heap[0][0]) and time.monotonic() < deadline:
        bound, _, decisions, prices = heapq.heappop(heap)
        if len(program.window) > MOST_COLUMNS:
            program.forget(root.prices, 1.5 * (root.bound - max(incumbent.value, 0.0)))
        relaxation = program.relax(decisions, prices=prices, enough=incumbent.value, deadline=deadline)
        if relaxation is None or (relaxation.bound <= incumbent.value * (1 + EXACT) and incumbent.value > 0):
            continue
        _round(program, relaxation, incumbent)
        bound = min(-bound, relaxation.bound)
        candidates = _candidates(program, relaxation, decisions)
        if not candidates:  # all is decided: one schedule at most
            incumbent.offer(program.price(relaxation.prices, decisions)[1])
            continue
        children = _strong(program, relaxation, decisions, candidates, nodes, incumbent.value, deadline)
        for child_bound, child, child_prices in children:
            if child_bound > max(incumbent.value, 0.0):
                heapq.heappush(heap, (-min(bound, child_bound), next(counter), child, child_prices))
        nodes += 1
        if nodes % NODES_PER_ANNEALING == 0:
            annealing.run(incumbent, 1.0)
    open_bound = -heap[0][0] if heap else -np.inf
    if open_bound < least * (1.0 - EXACT):
        open_bound = -np.inf
    bound = max(open_bound, incumbent.value)
    closed = bound == -np.inf or max(gap, EXACT) * abs(bound) >= bound - incumbent.value
    return Found(incumbent.served, incumbent.value, bound, closed or (first_only and incumbent.served is not None))


def _round(program: Program, relaxation: Relaxation, incumbent: _Incumbent) -> None:
    """Try the schedule of the columns with the largest parts."""
    served = np.full(len(program.windows.table), -1, dtype=np.int64)
    part = relaxation.part
    for w in range(program.n_windows):
        own = np.flatnonzero(program.window[: len(part)] == w)
        if len(own) and part[own].max() >= 0.5:
            path = program.paths[own[np.argmax(part[own])]]
            served[program.start[w] : program.start[w + 1]] = path[: program.start[w + 1] - program.start[w]]
    if (served >= 0).any():
        incumbent.offer(served)


def _candidates(program: Program, relaxation: Relaxation, decisions: tuple[Decision, ...]) -> list[tuple[int, int]]:
    """Undecided services to branch on, the most promising first: at most one per window and station."""
    part = relaxation.part
    used = np.flatnonzero(part > 1e-9)
    fraction = np.zeros_like(program.windows.table)
    for k in used:
        low, high = program.start[program.window[k] : program.window[k] + 2]
        path = program.paths[k, : high - low]
        rows = np.flatnonzero(path >= 0)
        fraction[low + rows, path[rows]] += part[k]
    decided = [(row, station) for row, station, _ in decisions]
    score = np.minimum(fraction, 1.0 - fraction) * program.windows.table
    score[fraction < 1e-7] = 0.0
    score[fraction > 1.0 - 1e-7] = 0.0
    for row, station in decided:
        score[row, station] = 0.0
    if not score.any():
        # A schedule, but not an allowed one, by more than the program's tolerance or less: decide something else.
        open_bits = program.windows.table.copy()
        for row, station, serve in decisions:
            open_bits[row, slice(None) if serve else station] = 0.0
        score = open_bits * fraction if (open_bits * fraction).any() else open_bits
    chosen = []
    for w in range(program.n_windows):
        own = score[program.start[w] : program.start[w + 1]]
        for n in np.flatnonzero(own.any(axis=0)):
            m = int(np.argmax(own[:, n]))
            chosen.append((own[m, n], int(program.start[w] + m), int(n)))
    return [(row, station) for _, row, station in sorted(chosen, reverse=True)]


def _strong(
    program: Program, parent: Relaxation, decisions: tuple[Decision, ...], candidates: list[tuple[int, int]],
    nodes: int, value: float, deadline: float,
) -> list[tuple[float, tuple[Decision, ...], Floats]]:  # fmt: skip
    """The pair of children whose bounds fall most, among the first few candidates."""
    best: list[tuple[float, tuple[Decision, ...], Floats]] = []
    best_score = -1.0
    # A branch near the root is worth some search; a small table is branched through sooner than searched.
    wide = 12 if nodes < 8 and len(program.windows.active) > 100 else 3
    for row, station in candidates[:wide]:
        children = []
        falls = []
        for serve in (True, False):
            child = (*decisions, (row, station, serve))
            found = program.relax(child, prices=parent.prices, enough=value, rounds=25, deadline=deadline)
            if found is not None:
                children.append((found.bound, child, found.prices))
            falls.append(parent.bound - (found.bound if found is not None else 0.0))
        score = max(falls[0], 1e-6 * abs(parent.bound)) * max(falls[1], 1e-6 * abs(parent.bound))
        if score > best_score:
            best_score, best = score, children
        if time.monotonic() > deadline:
            break
    return best


@dataclass(frozen=True)
class Closest:
    """Schedule closest to the weights."""

    served: Integers
    """Path over the rows."""
    divergence: float
    """Its divergence. [nat]"""
    proven: bool
    """Whether no schedule has less by more than :data:`NO_CLOSER` of it."""


def least_divergence(windows: Windows, weights: Floats, *, enough: float = 0.0, deadline: float) -> Closest:
    """Schedule with the smallest divergence from the weights.

    Parameters
    ----------
    windows : Windows
        The satellite's table; stations of weight 0 without bits, and some bits.
    weights : ndarray, shape (n_stations,)
        Shares of sum 1.
    enough : float
        Stop at a schedule with at most this divergence. [nat]
    deadline : float
        Time of the monotonic clock at which the search stops. [s]

    Returns
    -------
    Closest
        The schedule, and whether it is proven to be the closest.
    """
    table = windows.table
    _, served = best_path(table, windows.switch_intervals)
    first, none = np.zeros(len(windows.start), dtype=np.int64), np.empty((0, 1), dtype=np.int64)
    random = np.random.default_rng(20160919)
    smallest = np.inf
    for effort in (0.03, 0.3, 1.0, 1.0):
        moves = int(effort * min(LONGEST_ANNEALING, 5000 * len(table))) + 1000
        _, served = anneal(
            DIVERGENCE, table, windows.start, served, first, none, weights, 0.0, 0.0, weights,
            windows.switch_intervals, moves, 0.1, 1e-7, random,
        )  # fmt: skip
        smallest = kl_divergence(windows.vectors(served).sum(axis=0), weights)
        if smallest <= enough or time.monotonic() > deadline:
            break
    while smallest > enough and time.monotonic() < deadline:
        closer = smallest * (1.0 - NO_CLOSER) - 1e-15
        if closer < 0.0:
            return Closest(served, smallest, True)
        found = search(windows, Traffic(weights, closer), gap=0.0, deadline=deadline, first_only=True)
        if found.served is None:
            return Closest(served, smallest, found.complete)
        served = found.served
        smallest = kl_divergence(windows.vectors(served).sum(axis=0), weights)
    return Closest(served, smallest, False)
