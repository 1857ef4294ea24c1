"""Linear program over whole windows: one path of each, in any mixture, towards a goal that joins the stations.

Solved by HiGHS; the paths (columns) come from dynamic programming at the prices of the program's solution, and the cuts
of the goal from its shares.

References
----------
.. [1] Q. Huangfu, J. A. J. Hall, "Parallelizing the dual revised simplex method", Math. Prog. Comp. 10, 119 (2018).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satqkd.planning._dp import best_path
from satqkd.planning.goals import MaxMin, Traffic
from satqkd.planning.partition import Windows

__all__ = ["Program", "Relaxation"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

Decision = tuple[int, int, bool]
"""Row, station, and whether it is served there."""


@dataclass(frozen=True)
class Relaxation:
    """Solution of the program under some decisions."""

    bound: float
    """No schedule that follows the decisions reaches more. [bit]"""
    prices: Floats
    """Worth of a bit of each station."""
    penalty: float
    """The goal's penalty at these prices."""
    part: Floats
    """Part of each column in the mixture."""


class Program:
    """Columns, cuts and their linear program.

    Parameters
    ----------
    windows : Windows
        The satellite's table.
    goal : Traffic or MaxMin
        What is asked.
    """

    def __init__(self, windows: Windows, goal: Traffic | MaxMin) -> None:
        self.windows = windows
        self.goal = goal
        self.start = windows.start
        self.n_windows = len(self.start) - 1
        self.n_stations = windows.table.shape[1]
        width = int(np.diff(self.start).max())
        self.paths = np.empty((0, width), dtype=np.int64)
        self.bits = np.empty((0, self.n_stations))
        self.window = np.empty(0, dtype=np.int64)
        self._known: set[tuple[int, bytes]] = set()
        self.scale = max(best_path(windows.table, windows.switch_intervals)[0], 1.0) / 1e3  # bits in the program's unit
        # Served columns are worth this less than nothing: only where decisions force a window without a column yet.
        self._missing_cost = -1e5
        self._build()

    def _build(self) -> None:
        """The program anew from columns and cuts."""
        import highspy

        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("presolve", "off")  # every solution but the first starts from the one before
        inf = highspy.kHighsInf
        self._inf = inf
        for _ in range(self.n_windows):
            self._highs.addRow(-inf, 1.0, 0, [], [])
        for _ in range(self.n_stations):
            self._highs.addRow(0.0, 0.0, 0, [], [])
        for n in range(self.n_stations):
            self._highs.addCol(self.goal.bits_cost, 0.0, inf, 1, [self.n_windows + n], [1.0])
        self._highs.addCol(self.goal.auxiliary_cost, 0.0, inf if self.goal.auxiliary_cost else 0.0, 0, [], [])
        for w in range(self.n_windows):
            self._highs.addCol(self._missing_cost, 0.0, inf, 1, [w], [1.0])
        self._fixed_columns = self.n_stations + 1 + self.n_windows
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self._rows_in = 0
        self._columns_in = 0
        self._sync()

    def _sync(self) -> None:
        """Give the program the rows and columns that are new."""
        for row in self.goal.rows[self._rows_in :]:
            used = np.flatnonzero(row)
            self._highs.addRow(-self._inf, 0.0, len(used), used.astype(np.int32), row[used])
        self._rows_in = len(self.goal.rows)
        for k in range(self._columns_in, len(self.window)):
            where = np.flatnonzero(self.bits[k])
            index = np.concatenate([[self.window[k]], self.n_windows + where]).astype(np.int32)
            value = np.concatenate([[1.0], -self.bits[k, where] / self.scale])
            self._highs.addCol(0.0, 0.0, self._inf, len(index), index, value)
        self._columns_in = len(self.window)

    def add(self, served: Integers, only: Integers | None = None) -> int:
        """Add the windows of a path as columns, as far as they are new; returns how many were."""
        vectors = self.windows.vectors(served)
        new = []
        for w in range(self.n_windows) if only is None else only.tolist():
            path = served[self.start[w] : self.start[w + 1]]
            key = (w, path.tobytes())
            if key not in self._known and vectors[w].any():
                self._known.add(key)
                new.append(w)
        if new:
            paths = np.full((len(new), self.paths.shape[1]), -1, dtype=np.int64)
            for k, w in enumerate(new):
                paths[k, : self.start[w + 1] - self.start[w]] = served[self.start[w] : self.start[w + 1]]
            self.paths = np.concatenate([self.paths, paths])
            self.bits = np.concatenate([self.bits, vectors[new]])
            self.window = np.concatenate([self.window, np.array(new, dtype=np.int64)])
        return len(new)

    def price(self, prices: Floats, decisions: tuple[Decision, ...] = ()) -> tuple[float, Integers]:
        """Most that a path that follows the decisions is worth at these prices (-inf: none does), and the path."""
        worth = np.maximum(prices, 0.0) * self.windows.table
        forced = 0
        reward = 8.0 * (1.0 + worth.sum() + np.abs(prices * self.windows.table).sum())
        for row, station, serve in decisions:
            if serve:
                worth[row, station] = reward + prices[station] * self.windows.table[row, station]
                forced += 1
            else:
                worth[row, station] = 0.0
        value, served = best_path(worth, self.windows.switch_intervals)
        if forced:
            if any(serve and served[row] != station for row, station, serve in decisions):
                return -np.inf, served
            rows = np.flatnonzero(served >= 0)
            value = float((prices[served[rows]] * self.windows.table[rows, served[rows]]).sum())
        return value, served

    def follows(self, decisions: tuple[Decision, ...]) -> NDArray[np.bool_]:
        """Which columns follow the decisions."""
        allowed = np.ones(len(self.window), dtype=bool)
        for row, station, serve in decisions:
            w = int(np.searchsorted(self.start, row, side="right")) - 1
            own = self.window == w
            allowed &= ~own | ((self.paths[:, row - self.start[w]] == station) == serve)
        return allowed

    def relax(
        self,
        decisions: tuple[Decision, ...] = (),
        *,
        enough: float = -np.inf,
        rounds: int = 1000,
        prices: Floats | None = None,
        deadline: float = np.inf,
    ) -> Relaxation | None:
        """Solve the program under decisions by column and cut generation.

        Parameters
        ----------
        decisions : tuple
            What is decided.
        enough : float
            Stop when the bound is at most this. [bit]
        rounds : int
            Most rounds; the bound is valid after any.
        prices : ndarray, optional
            Prices to begin with.
        deadline : float
            Time of the monotonic clock after which no further round begins. [s]

        Returns
        -------
        Relaxation or None
            None if no schedule follows the decisions.
        """
        value, served = self.price(np.ones(self.n_stations) if prices is None else prices, decisions)
        if value == -np.inf:
            return None
        self.add(served)
        self._apply(decisions)
        bound = np.inf
        best: Relaxation | None = None
        for _ in range(rounds):
            self._sync()
            self._highs.run()
            solution = self._highs.getSolution()
            x = np.array(solution.col_value)
            duals = np.array(solution.row_dual)
            rows = duals[self.n_windows + self.n_stations :]
            new_prices = self.goal.prices(rows)
            value, served = self.price(new_prices, decisions)
            if best is None or value < bound:
                bound = min(bound, value)
                best = Relaxation(bound, new_prices, self.goal.penalty(rows), x[self._fixed_columns :])
            reached = float(self._highs.getInfo().objective_function_value) * self.scale
            mixed = x[: self.n_stations] * self.scale
            cut = self.goal.separate(mixed)
            converged = bound - reached <= 1e-9 * abs(bound) and not cut
            stop = bound <= enough or converged or time.monotonic() > deadline
            if stop or (not self.add(served) and not cut):
                break
        assert best is not None
        return Relaxation(bound, best.prices, best.penalty, x[self._fixed_columns :])

    def _apply(self, decisions: tuple[Decision, ...]) -> None:
        """Bounds of columns and windows for these decisions."""
        self._sync()
        allowed = self.follows(decisions)
        count = len(allowed)
        index = np.arange(self._fixed_columns, self._fixed_columns + count, dtype=np.int32)
        self._highs.changeColsBounds(count, index, np.zeros(count), np.where(allowed, self._inf, 0.0))
        forced = {int(np.searchsorted(self.start, row, side="right")) - 1 for row, _, serve in decisions if serve}
        for w in range(self.n_windows):
            self._highs.changeRowBounds(w, 1.0 if w in forced else -self._inf, 1.0)

    def forget(self, prices: Floats, slack: float) -> None:
        """Drop the columns that lose more than ``slack`` at these prices."""
        worth = self.bits @ prices
        top = np.zeros(self.n_windows)
        np.maximum.at(top, self.window, worth)
        keep = worth >= top[self.window] - slack
        self.paths, self.bits, self.window = self.paths[keep], self.bits[keep], self.window[keep]
        self._known = {
            (int(w), path[: self.start[w + 1] - self.start[w]].tobytes())
            for w, path in zip(self.window, self.paths, strict=True)
        }
        self._build()
