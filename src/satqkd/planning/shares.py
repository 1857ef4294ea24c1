"""Joint plans towards goals that tie the stations together: most key at a limited divergence, most usable key.

A bit is given another worth at each station; with those worths the parts of the plan separate as for the plain total
(:mod:`satqkd.planning.constellation`). Every feasible plan of a part that turns up is a column of a linear program,
whose duals are the next worths; the same program over whole columns, solved by HiGHS, gives the plan.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from satqkd.planning.constellation import WindowPlan
from satqkd.planning.dual import Part, compile_kernels
from satqkd.planning.exact_shares import close_shares
from satqkd.planning.goals import MaxMin, Traffic
from satqkd.planning.pool import Pool
from satqkd.planning.windows import Windows, split

__all__ = ["plan_shares"]

Floats = NDArray[np.float64]

STEPS = 12
"""Subgradient steps of each part per change of the worths."""

ROUNDING = 2e-6
"""HiGHS leaves about 1e-6 of an objective open: gaps of this and less are not told from none."""

PATIENCE = 4
"""Changes of the worths with neither a better bound nor a new column after which they stay."""


def plan_shares(
    windows: Windows,
    goal: Traffic | MaxMin,
    *,
    relative_gap: float = 1e-3,
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> WindowPlan:
    """Best plan of all windows for a goal that ties the stations together.

    Parameters
    ----------
    windows : Windows
        Whose values are bits, of stations of positive weight only.
    goal : Traffic or MaxMin
        What is asked.
    relative_gap, time_limit_s, seed : float
        See :func:`satqkd.planning.constellation.plan_jointly`.

    Returns
    -------
    WindowPlan
        Links, value of the goal, bound.
    """
    compile_kernels()
    begin = time.perf_counter()
    parts = [Part(own, numbers, seed) for own, numbers in split(windows)]
    if not parts:
        return WindowPlan(np.zeros((0, 4), np.int64), 0.0, 0.0, True, 0.0, 0)
    search = _Search(parts, goal, max(relative_gap, ROUNDING), begin + time_limit_s, seed)
    search.converge(begin + 0.5 * time_limit_s)
    for _ in range(4):
        if search.proven or search.left_s <= 0.0:
            break
        search.choose(0.4 * search.left_s)
        if not search.proven:
            search.vary(8)
    if not search.proven and search.left_s > 0.0:
        search.close(search.left_s)
    value = max(search.value, 0.0)
    return WindowPlan(
        links=search.links,
        value=value,
        bound=max(search.bound, value),
        complete=search.proven,
        seconds=time.perf_counter() - begin,
        parts=len(parts),
    )


class _Search:
    """Columns, worths and the best plan so far."""

    def __init__(
        self, parts: list[Part], goal: Traffic | MaxMin, relative_gap: float, deadline: float, seed: int
    ) -> None:
        self.parts, self.goal, self.relative_gap, self.deadline = parts, goal, relative_gap, deadline
        self.pool = Pool(goal, len(parts), max(sum(part.bits.sum() for part in parts) * 1e-3, 1.0))
        self.rng = np.random.default_rng(seed)
        self.stations = len(goal.weights)
        # a bit worth 1 everywhere is among the worths that bound both goals
        self.value, self.bound = -np.inf, float(sum(part.bound for part in parts))
        self.worth = np.ones(self.stations)
        self.chosen: list[NDArray[np.int64]] = [np.zeros((0, 3), np.int64) for _ in parts]
        self._keep()

    @property
    def left_s(self) -> float:
        """Time left."""
        return self.deadline - time.perf_counter()

    @property
    def proven(self) -> bool:
        """Whether the gap asked for is reached."""
        return bool(np.isfinite(self.bound) and self.bound - max(self.value, 0.0) <= self.relative_gap * self.bound)

    @property
    def links(self) -> NDArray[np.int64]:
        """Best plan: satellite, station, first and last interval."""
        found = np.concatenate([part.named(rows) for part, rows in zip(self.parts, self.chosen, strict=True)])
        return found[np.lexsort((found[:, 2], found[:, 0]))]

    def _keep(self) -> None:
        """The parts' plans as columns."""
        for number, part in enumerate(self.parts):
            self.pool.add(number, part.rows, part.delivered(part.rows, self.stations))

    def _price(self, worth: Floats) -> float:
        """Plan all parts at these worths; their bound."""
        for part in self.parts:
            part.value_with(worth)
        self._keep()
        for part in self.parts:
            part.round(STEPS, 0.1 * self.relative_gap)
        self._keep()
        return float(sum(part.bound for part in self.parts))

    def converge(self, until: float) -> None:
        """Better worths, until the linear program over the columns is as good as its bound."""
        lean, waited, rounds = 0.5, 0, 4
        bounds: list[float] = []
        while time.perf_counter() < until and waited < PATIENCE:
            reached, duals, kept = self.pool.relax(rounds)
            if kept and self.bound - reached <= 0.05 * self.relative_gap * self.bound:
                break
            priced_out = self.bound - reached <= 0.5 * self.relative_gap * self.bound
            bounds.append(self.bound)
            if priced_out and len(bounds) > 6 and bounds[-6] - self.bound <= 0.1 * self.relative_gap * self.bound:
                break
            rounds = 40 if priced_out else 4  # columns that leave nothing to price want cuts
            # rows cut off last have no dual yet
            duals = np.append(duals, np.zeros(len(self.goal.rows) - len(duals)))
            worth = lean * self.worth + (1.0 - lean) * np.maximum(self.goal.prices(duals), 0.0)
            columns = len(self.pool.part)
            bound = self._price(worth)
            if bound < self.bound * (1.0 - 1e-7):
                lean, waited = 0.5, 0
                self.bound, self.worth = bound, worth
            else:
                found = len(self.pool.part) > columns
                lean, waited = (lean, 0) if found else (max(lean - 0.25, 0.0), waited + 1)

    def choose(self, time_limit_s: float) -> None:
        """The best whole columns."""
        picked = self.pool.choose(time_limit_s, self.value, self.relative_gap)
        if picked is not None:
            value, columns = picked
            if value > self.value:
                self.value = value
                self.chosen = [self.pool.rows[k] if k >= 0 else np.zeros((0, 3), np.int64) for k in columns]

    def vary(self, times: int) -> None:
        """More columns near the best worths."""
        for _ in range(times):
            if self.left_s > 0.0:
                self._price(self.worth * np.exp(self.rng.normal(0.0, 0.03, self.stations)))

    def close(self, time_limit_s: float) -> None:
        """All plans that can still be better, as one mixed-integer program."""
        for part in self.parts:
            part.value_with(self.worth)
            part.round(STEPS, 0.0)
        found = close_shares(self.parts, self.goal, self.value, self.bound, self.relative_gap, time_limit_s)
        self.bound = min(self.bound, found.bound)
        if self.bound < min(part.bits[part.bits > 0.0].min() for part in self.parts):
            self.bound = 0.0  # either goal is worth at least the smallest delivery, if anything
        if found.value > self.value:
            self.value, self.chosen = found.value, found.rows
