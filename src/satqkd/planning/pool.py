"""Feasible plans of the parts, mixed by a linear program and chosen by a mixed-integer one (HiGHS)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satqkd.planning.divergence import kl_divergence
from satqkd.planning.goals import MaxMin, Traffic

__all__ = ["Pool", "cut_off"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def cut_off(goal: Traffic | MaxMin, bits: Floats) -> bool:
    """Add the cut of a goal that rules these bits out, where their way to the weights meets the limit.

    Parameters
    ----------
    goal : Traffic or MaxMin
        Gets the cut.
    bits : ndarray, shape (n_stations,)
        Bits of a mixture of plans. [bit]

    Returns
    -------
    bool
        Whether there was one. A goal without a convex limit has none.

    Notes
    -----
    The limit is convex and the weights are within it, so the tangent there also rules out the bits; it is tight where
    plans can be, which the tangent at the bits themselves is not.
    """
    if not isinstance(goal, Traffic) or not bits.any():
        return False
    limit = goal.kl_max + 2e-9  # a little outside, or the goal sees nothing to cut
    outside = bits / bits.sum()
    if kl_divergence(outside, goal.weights) <= limit:
        return goal.separate(bits)
    inside = goal.weights
    for _ in range(50):
        middle = 0.5 * (inside + outside)
        inside, outside = (inside, middle) if kl_divergence(middle, goal.weights) > limit else (middle, outside)
    return goal.separate(outside) or goal.separate(bits)


class Pool:
    """Columns of all parts and the linear program over them.

    Parameters
    ----------
    goal : Traffic or MaxMin
        Rows and costs of the stations' bits.
    n_parts : int
        Number of parts, of each of which at most one plan counts.
    scale : float
        Bits in the program's unit.
    """

    def __init__(self, goal: Traffic | MaxMin, n_parts: int, scale: float) -> None:
        import highspy

        self.goal, self.n_parts, self.scale = goal, n_parts, scale
        self.n_stations = len(goal.weights)
        self.rows: list[Integers] = []
        self.part: list[int] = []
        self.bits: list[Floats] = []
        self._known: set[tuple[int, bytes]] = set()
        self._in, self._cuts = 0, 0
        self._inf = highspy.kHighsInf
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        for _ in range(n_parts):
            self._highs.addRow(-self._inf, 1.0, 0, [], [])
        for _ in range(self.n_stations):
            self._highs.addRow(0.0, 0.0, 0, [], [])
        for n in range(self.n_stations):
            self._highs.addCol(goal.bits_cost, 0.0, self._inf, 1, [n_parts + n], [1.0])
        self._highs.addCol(goal.auxiliary_cost, 0.0, self._inf if goal.auxiliary_cost else 0.0, 0, [], [])
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)

    def add(self, part: int, rows: Integers, bits: Floats) -> None:
        """Add a plan of a part unless it is there.

        Parameters
        ----------
        part : int
            Number of the part.
        rows : ndarray of int, shape (n, 3)
            Its links.
        bits : ndarray, shape (n_stations,)
            What they deliver. [bit]
        """
        key = (part, bits.tobytes())
        if key not in self._known and bits.any():
            self._known.add(key)
            self.rows.append(rows.copy())
            self.part.append(part)
            self.bits.append(bits)

    def _sync(self, highs: Any, rows: int, columns: int) -> None:
        """Give a program the rows of the goal and the columns from these numbers on."""
        for row in self.goal.rows[rows:]:
            where = np.flatnonzero(row).astype(np.int32)
            highs.addRow(-self._inf, 0.0, len(where), where, row[where])
        for k in range(columns, len(self.part)):
            served = np.flatnonzero(self.bits[k])
            index = np.concatenate([[self.part[k]], self.n_parts + served]).astype(np.int32)
            value = np.concatenate([[1.0], -self.bits[k][served] / self.scale])
            highs.addCol(0.0, 0.0, self._inf, len(index), index, value)

    def relax(self, rounds: int = 4) -> tuple[float, Floats, bool]:
        """Best mixture of columns, after a few rounds of cuts.

        Parameters
        ----------
        rounds : int
            Most solutions that are cut off.

        Returns
        -------
        tuple
            Its value, the duals of the goal's rows, and whether the mixture keeps the goal's limit.
        """
        for _ in range(rounds):
            self._sync(self._highs, self._cuts, self._in)
            self._cuts, self._in = len(self.goal.rows), len(self.part)
            self._highs.run()
            solution = self._highs.getSolution()
            kept = not cut_off(self.goal, np.array(solution.col_value[: self.n_stations]) * self.scale)
            if kept:
                break
        value = float(self._highs.getInfo().objective_function_value) * self.scale
        first = self.n_parts + self.n_stations
        return value, np.array(solution.row_dual[first : first + self._cuts]), kept

    def choose(self, time_limit_s: float, value: float, relative_gap: float) -> tuple[float, list[int]] | None:
        """Best choice of one column per part at most.

        Parameters
        ----------
        time_limit_s : float
            Wall time. [s]
        value : float
            That is to be exceeded.
        relative_gap : float
            Gap of the choice that is good enough.

        Returns
        -------
        tuple or None
            Value and the column of each part (-1: none); None if nothing better was found.
        """
        import highspy

        deadline = time.perf_counter() + time_limit_s
        first = self.n_stations + 1
        best = self._exchange(self._rounded(), deadline)
        highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, setting in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.2 * relative_gap)):
            highs.setOptionValue(option, setting)
        highs.passModel(self._highs.getLp())
        self._sync(highs, self._cuts, self._in)
        for k in range(len(self.part)):
            highs.changeColIntegrality(first + k, highspy.HighsVarType.kInteger)
        for _ in range(30):
            left_s = deadline - time.perf_counter()
            if left_s <= 0.0:
                break
            known = len(self.goal.rows)
            highs.setOptionValue("time_limit", min(left_s, 0.5 * time_limit_s))
            highs.run()
            if highs.getInfo().primal_solution_status != 2:
                break
            x = np.array(highs.getSolution().col_value[first:])
            columns = [-1] * self.n_parts
            for k in np.flatnonzero(x > 0.5).tolist():
                columns[self.part[k]] = k
            found = self._exchange(columns, deadline)
            if found is not None and found[0] > max(value, best[0] if best else 0.0):
                best = found
            bits = np.array([self.bits[k] for k in columns if k >= 0]).sum(axis=0)
            if not np.any(bits) or not cut_off(self.goal, bits):
                break
            self._sync(highs, known, len(self.part))
        return best

    def _rounded(self) -> list[int]:
        """The column of each part with the greatest share in the mixture."""
        columns, most = [-1] * self.n_parts, [0.0] * self.n_parts
        for k, share in enumerate(self._highs.getSolution().col_value[self.n_stations + 1 :]):
            if share > most[self.part[k]]:
                columns[self.part[k]], most[self.part[k]] = k, share
        return columns

    def _exchange(self, columns: list[int], deadline: float) -> tuple[float, list[int]] | None:
        """Exchange one part's column at a time while that helps; value and columns, None if no such plan is allowed."""
        columns = columns.copy()
        table, part = np.array(self.bits), np.array(self.part)
        total = table[[k for k in columns if k >= 0]].sum(axis=0)  # zeros if there are none
        merit = self._merit(total)
        improved = True
        while improved and time.perf_counter() < deadline:
            improved = False
            for p in range(self.n_parts):
                rest = total - (table[columns[p]] if columns[p] >= 0 else 0.0)
                own = np.flatnonzero(part == p)
                if not len(own):
                    continue
                merits = [self._merit(rest + table[k]) for k in own]
                at = max(range(len(own)), key=merits.__getitem__)
                if merits[at] > (merit[0], merit[1] * (1.0 + 1e-12)):
                    columns[p], merit, total, improved = int(own[at]), merits[at], rest + table[own[at]], True
        value = self.goal.value(total) if total.any() else 0.0
        return (value, columns) if np.isfinite(value) and value > 0.0 else None

    def _merit(self, bits: Floats) -> tuple[float, float]:
        """Less violation first, then more value."""
        value = self.goal.value(bits)
        if np.isfinite(value):
            return 0.0, value
        return (-kl_divergence(bits, self.goal.weights) if bits.any() else -np.inf), 0.0
