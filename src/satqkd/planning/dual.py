"""Prices and repair of one part of a plan: a bound that falls, a plan that improves."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from satqkd.planning import _window_kernels as kernels
from satqkd.planning.windows import Windows

__all__ = ["Part", "compile_kernels"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@functools.cache
def compile_kernels() -> None:
    """Compile, or load, every kernel on a plan of one interval, so that no time limit has to pay for it."""
    from satqkd.planning.exact import losses
    from satqkd.planning.windows import from_table, split

    for own, numbers in split(from_table(np.ones((2, 1, 1)))):
        part = Part(own, numbers, 0)
        part.round(1, 0.0)
        losses(part)
        part.adopt(np.zeros(1, np.int64), np.zeros(1, np.int64))


class Part:
    """Windows that are planned together, the best plan and the best bound so far.

    Parameters
    ----------
    windows : Windows
        Of the part.
    numbers : ndarray of int
        Which windows of the whole they are.
    seed : int
        Of the orders in which windows are planned.
    """

    def __init__(self, windows: Windows, numbers: Integers, seed: int) -> None:
        self.windows = windows
        count = len(windows.window_first)
        self.rng = np.random.default_rng([seed, *numbers[:1].tolist()])
        longest = int(windows.window_length.max())
        self.price = np.zeros(windows.n_cells)
        self.best_price = self.price.copy()
        self.direction = self.price.copy()
        self.charge = self.price.copy()
        self.used = np.zeros(windows.n_cells, dtype=np.int64)
        self.scratch = (
            np.empty(windows.state[-1]),
            np.empty(windows.state[-1], dtype=np.bool_),
            np.empty(longest + 2),
            np.empty(longest + 2, dtype=np.int64),
            np.empty(longest + 2, dtype=np.int64),
            np.empty(int(np.diff(windows.runs).max()), dtype=np.int64),
        )
        self.slot = np.concatenate([[0], np.cumsum(windows.window_length)]).astype(np.int64)
        self.count = np.zeros(count, dtype=np.int64)
        self.table = np.zeros((int(self.slot[-1]), 3), dtype=np.int64)
        self.progress = np.array([np.inf, 1.0, 0.0])
        self.value = 0.0
        self.best_count, self.best_table = self.count.copy(), self.table.copy()
        self.stalled = 0
        self.bits = windows.value
        self._ascend(1, 0.0)
        self._repair(np.arange(count))

    @property
    def bound(self) -> float:
        """No plan of this part is worth more."""
        return max(float(self.progress[0]), self.value)

    @property
    def settled(self) -> bool:
        """Whether prices and repair have nothing more to give."""
        return self.bound <= self.value * (1.0 + 1e-12) or self.stalled >= 4

    @property
    def links(self) -> Integers:
        """Best plan: satellite, station, first and last interval of each link."""
        return self.named(self.rows)

    @property
    def rows(self) -> Integers:
        """Best plan: run, first and last interval of each link."""
        return np.concatenate(
            [self.best_table[a : a + n] for a, n in zip(self.slot[:-1].tolist(), self.best_count.tolist(), strict=True)]
        )

    def named(self, links: Integers) -> Integers:
        """Satellite, station, first and last interval of links given as (run, first, last).

        Parameters
        ----------
        links : ndarray of int, shape (n, 3)
            Links.

        Returns
        -------
        ndarray of int, shape (n, 4)
            The same links.
        """
        run, first, last = links.T
        satellite = np.repeat(self.windows.window_satellite, np.diff(self.windows.runs))[run]
        return np.column_stack([satellite, self.windows.run_station[run], first, last])

    def value_with(self, worth: Floats) -> None:
        """Begin anew with another worth of a bit at each station, at the best prices so far.

        Parameters
        ----------
        worth : ndarray, shape (n_stations,)
            Worth, at least 0; the values of the windows count bits.
        """
        station = np.repeat(self.windows.run_station, np.diff(self.windows.state))
        self.windows = self.windows._replace(value=self.bits * worth[station])
        self.price[:] = self.best_price
        self.direction[:] = 0.0
        self.progress[:] = np.inf, 1.0, 0.0
        self.value, self.stalled = 0.0, 0
        self._ascend(1, 0.0)
        self._repair(np.arange(len(self.count)))

    def delivered(self, links: Integers, stations: int) -> Floats:
        """Bits per station that rows (run, first, last) of links bring.

        Parameters
        ----------
        links : ndarray of int, shape (n, 3)
            Links.
        stations : int
            Number of stations.

        Returns
        -------
        ndarray, shape (stations,)
            Bits.
        """
        run, first, last = links.T
        total = np.concatenate([[0.0], np.cumsum(self.bits)])
        begin = self.windows.state[run] - self.windows.run_first[run]
        sums = total[begin + last + 1] - total[begin + first]
        return np.bincount(self.windows.run_station[run], weights=sums, minlength=stations).astype(np.float64)

    def round(self, steps: int, relative_gap: float) -> None:
        """Some steps of ascent, then repairs from the new prices.

        Parameters
        ----------
        steps : int
            Subgradient steps.
        relative_gap : float
            Gap that is good enough.
        """
        before = self.bound - self.value
        self._ascend(steps, relative_gap)
        worth = np.add.reduceat(self.windows.value, self.windows.state[self.windows.runs[:-1]])
        self._repair(np.argsort(-worth, kind="stable"))
        for _ in range(2):
            self._repair(self.rng.permutation(len(self.count)))
        left = self.bound - self.value
        if left <= 0.5 * relative_gap * self.bound:
            self.stalled = 4
        self.stalled = self.stalled + 1 if left > 0.98 * before else 0

    def _ascend(self, steps: int, relative_gap: float) -> None:
        target = self.value * (1.0 + 0.5 * relative_gap)
        kernels.ascend(
            self.windows, self.price, self.best_price, self.progress, target, steps,
            self.scratch, self.slot, self.count, self.table, self.used, self.direction,
        )  # fmt: skip

    def _repair(self, order: Integers) -> None:
        value = kernels.repair(
            self.windows, self.best_price, order, self.scratch, self.slot, self.count, self.table, self.used,
            self.charge,
        )  # fmt: skip
        self.keep(float(value))

    def lower_bound(self, bound: float) -> None:
        """Take note of a better bound.

        Parameters
        ----------
        bound : float
            That no plan of this part exceeds.
        """
        self.progress[0] = min(self.progress[0], bound)

    def adopt(self, first: Integers, last: Integers) -> None:
        """Improve on a plan given by the states at which links begin and end, and keep it if it is the best.

        Parameters
        ----------
        first, last : ndarray of int
            First and last state of each link, both in order of the states.
        """
        windows = self.windows
        run = np.searchsorted(windows.state, first, side="right") - 1
        window = np.searchsorted(windows.runs, run, side="right") - 1
        begin = windows.run_first[run] + first - windows.state[run]
        rows = np.column_stack([run, begin, begin + last - first])
        self.count[:] = np.bincount(window, minlength=len(self.count))
        self.used[:] = 0
        for w in range(len(self.count)):
            own = rows[window == w]
            self.table[self.slot[w] : self.slot[w] + len(own)] = own[np.argsort(-own[:, 1])]
            kernels.mark(windows, w, self.slot, self.count, self.table, 1, self.used)
        self.keep(float(kernels.improve(
            windows, np.arange(len(self.count)), self.scratch, self.slot, self.count, self.table, self.used, self.charge
        )))  # fmt: skip

    def keep(self, value: float) -> None:
        """Remember the plan in the table if it is the best.

        Parameters
        ----------
        value : float
            Its worth.
        """
        if value > self.value:
            self.value = value
            self.best_count[:], self.best_table[:] = self.count, self.table
