r"""Plans against weather: the most key on average or in the worst share of cases, and changes of plan on the way.

Weather is a set of scenarios, each a table of the bits that could be delivered. A plan is fixed before it is known
which one comes true; :func:`replan` changes what is left of it later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.planning.blocks import split_windows
from satqkd.planning.single import IDLE, best_assignment

__all__ = ["WeatherPlan", "draw_cloudy_windows", "mean_of_worst", "plan_under_weather", "replan"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WeatherPlan:
    """A plan and what it delivers in each weather scenario.

    Attributes
    ----------
    assignment : ndarray of int64, shape (n_intervals,)
        Station served, or ``IDLE`` or ``SWITCHING`` of :mod:`satqkd.planning.single`.
    scenario_bits : ndarray, shape (n_scenarios,)
        Bits delivered in each scenario. [bit]
    probabilities : ndarray, shape (n_scenarios,)
        Of the scenarios. [1]
    value, bound : float
        What was maximised, and proven upper bound on it. [bit]
    gap : float
        (bound - value) / bound. [1]
    """

    assignment: Indices
    scenario_bits: Floats
    probabilities: Floats
    value: float
    bound: float
    gap: float

    @property
    def expected_bits(self) -> float:
        """Mean over the scenarios. [bit]"""
        return float(self.scenario_bits @ self.probabilities)

    def quantile(self, share: float) -> float:
        """Bits that are reached or exceeded but for a ``share`` of the cases. [bit]"""
        order = np.argsort(self.scenario_bits, kind="stable")
        reached = np.cumsum(self.probabilities[order])
        first = min(int(np.searchsorted(reached, share * (1.0 + 1e-12), side="right")), len(order) - 1)
        return float(self.scenario_bits[order[first]])


def mean_of_worst(bits: ArrayLike, probabilities: ArrayLike, share: float) -> float:
    r"""Mean over the worst ``share`` of the cases.

    Parameters
    ----------
    bits, probabilities : array_like, shape (n_scenarios,)
        Bits in each scenario, and how likely it is.
    share : float
        In (0, 1]; 1 is the mean over all cases. [1]

    Returns
    -------
    float
        :math:`\frac1\alpha\int_0^\alpha q(u)\,du` of the quantiles *q* ("conditional value at risk"): at most the
        quantile at :math:`\alpha`. [bit]

    References
    ----------
    .. [1] R. T. Rockafellar, S. Uryasev, J. Risk 2, 21 (2000).

    Examples
    --------
    >>> mean_of_worst([10.0, 2.0, 6.0, 4.0], [0.25] * 4, 0.5)
    3.0
    """
    values, weights = np.asarray(bits, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    before = np.cumsum(weights[order]) - weights[order]
    counted = np.clip(share - before, 0.0, weights[order])
    return float(values[order] @ counted / counted.sum())


def plan_under_weather(
    scenarios: ArrayLike,
    *,
    probabilities: ArrayLike | None = None,
    worst_share: float = 1.0,
    interval: ArrayLike | None = None,
    switch_intervals: int = 1,
    gap: float = 1e-3,
    time_limit_s: float = 60.0,
) -> WeatherPlan:
    r"""Plan of one satellite, fixed in advance, for the most key in the worst share of the weather scenarios.

    Parameters
    ----------
    scenarios : array_like, shape (n_scenarios, n_intervals, n_stations)
        Bits that each station would get in each interval, in each scenario; finite and not negative. [bit]
    probabilities : array_like, shape (n_scenarios,), optional
        How likely the scenarios are, with sum 1; default: equally. [1]
    worst_share : float
        Share of the cases whose mean counts, in (0, 1]; 1 is the expected key. [1]
    interval : array_like of int, shape (n_intervals,), optional
        Index of each row's interval, increasing. Default: no gaps.
    switch_intervals : int
        Intervals that a change of station costs.
    gap : float
        Relative distance to the bound at which the search ends. [1]
    time_limit_s : float
        Time after which it ends in any case, with the best plan and the bound so far. [s]

    Returns
    -------
    WeatherPlan
        Plan, value, bound. Exact for ``worst_share = 1``.

    Raises
    ------
    InputError
        If a value is outside its range.

    Notes
    -----
    The mean of the worst share is :math:`\min_\pi \sum_k \pi_k V_k` over :math:`0 \le \pi_k \le p_k/\alpha,
    \sum\pi_k = 1`: for any such :math:`\pi` the exact plan for the bits weighted with it gives an upper bound, window
    by window, and new columns for a linear program over mixtures of plans, whose duals are the next :math:`\pi`. At the
    end an integer program picks one column for each window.
    """
    table = np.asarray(scenarios, dtype=np.float64)
    if table.ndim != 3 or not table.size or not np.all(np.isfinite(table)) or np.any(table < 0.0):
        raise InputError(
            "scenarios: must be a table (scenario, interval, station) of finite bits that are not negative"
        )
    if not 0.0 < worst_share <= 1.0:
        raise InputError(f"worst_share = {worst_share!r}: must be in (0, 1]")
    likely = np.full(len(table), 1.0 / len(table)) if probabilities is None else np.asarray(probabilities, dtype=float)
    if likely.shape != (len(table),) or np.any(likely < 0.0) or abs(likely.sum() - 1.0) > 1e-9:
        raise InputError(f"probabilities: must be {len(table)} numbers that are not negative and add up to 1")
    index = np.arange(table.shape[1]) if interval is None else np.asarray(interval, dtype=np.int64)
    columns = _Columns(table, index, switch_intervals)
    bound = columns.add(likely)
    plan = columns.mixture([0] * len(columns.windows))
    if worst_share < 1.0:
        plan, bound = _least_risk(columns, likely, worst_share, bound, gap, time.monotonic() + time_limit_s)
    bits = columns.delivered(plan)
    value = mean_of_worst(bits, likely, worst_share)
    bound = max(bound, value)  # they meet but for rounding
    return WeatherPlan(plan, bits, likely, value, bound, (bound - value) / bound if bound > 0.0 else 0.0)


class _Columns:
    """Plans of each window seen so far, and what they deliver in each scenario."""

    def __init__(self, table: Floats, index: Indices, switch_intervals: int) -> None:
        self.table, self.index, self.switch_intervals = table, index, switch_intervals
        self.windows = split_windows(index, switch_intervals)
        self.plans: list[list[Indices]] = [[] for _ in self.windows]
        self.bits: list[list[Floats]] = [[] for _ in self.windows]

    def add(self, weights: Floats) -> float:
        """Best plan of each window for bits weighted over the scenarios; the sum of their values."""
        mean = np.einsum("k,kmn->mn", weights, self.table)
        total = 0.0
        for number, rows in enumerate(self.windows):
            plan = best_assignment(mean[rows], interval=self.index[rows], switch_intervals=self.switch_intervals)
            at = np.flatnonzero(plan >= 0)
            bits = self.table[:, rows][:, at, plan[at]].sum(axis=1)
            total += float(bits @ weights)
            if not any(np.array_equal(plan, known) for known in self.plans[number]):
                self.plans[number].append(plan)
                self.bits[number].append(bits)
        return total

    def mixture(self, picks: list[int]) -> Indices:
        """Plan of all windows from one column of each."""
        whole = np.full(len(self.index), IDLE, dtype=np.int64)
        for rows, plans, pick in zip(self.windows, self.plans, picks, strict=True):
            whole[rows] = plans[pick]
        return whole

    def delivered(self, plan: Indices) -> Floats:
        """Bits in each scenario."""
        at = np.flatnonzero(plan >= 0)
        return np.asarray(self.table[:, at, plan[at]].sum(axis=1))


def _least_risk(
    columns: _Columns, likely: Floats, share: float, bound: float, gap: float, deadline: float
) -> tuple[Indices, float]:
    """Column generation for the mean of the worst share, then one column for each window."""
    best, best_value = columns.mixture([0] * len(columns.windows)), -np.inf
    while True:
        value, weights = _master(columns, likely, share, whole=False)[:2]
        # value: of mixtures of known plans; with new plans it can only grow, up to the bound
        bound = min(bound, columns.add(weights))
        if bound - value <= 0.1 * gap * bound or time.monotonic() > deadline:
            break
    picks = _master(columns, likely, share, whole=True)[2]
    for choice in ([int(np.argmax(part)) for part in picks], [0] * len(columns.windows)):
        plan = columns.mixture(choice)
        found = mean_of_worst(columns.delivered(plan), likely, share)
        if found > best_value:
            best, best_value = plan, found
    return best, bound


def _master(columns: _Columns, likely: Floats, share: float, *, whole: bool) -> tuple[float, Floats, list[Floats]]:
    """Best mixture of columns (or one of each window): its value, the scenarios' duals, the share of each column.

    Variables: t (free), a shortfall s_k for each scenario, a share for each column.
    """
    from scipy.optimize import LinearConstraint, linprog, milp
    from scipy.sparse import csr_matrix

    scenarios, sizes = len(likely), [len(part) for part in columns.bits]
    scale = max(float(columns.table.sum(axis=(1, 2)).max()), 1.0)
    delivered = np.concatenate([np.array(part).T for part in columns.bits], axis=1) / scale
    cost = np.concatenate([[-1.0], likely / share, np.zeros(sum(sizes))])
    rows = csr_matrix(np.hstack([np.ones((scenarios, 1)), -np.eye(scenarios), -delivered]))  # t - s_k - V_k <= 0
    one = np.zeros((len(sizes), len(cost)))
    start = 1 + scenarios
    for number, size in enumerate(sizes):
        one[number, start : start + size] = 1.0
        start += size
    limits = [(None, None), *[(0.0, None)] * (len(cost) - 1)]
    if whole:
        integrality = np.concatenate([np.zeros(1 + scenarios), np.ones(sum(sizes))])
        from scipy.optimize import Bounds

        lower = np.array([-np.inf, *[0.0] * (len(cost) - 1)])
        result = milp(
            cost,
            integrality=integrality,
            bounds=Bounds(lower, np.full(len(cost), np.inf)),
            constraints=[LinearConstraint(rows, -np.inf, 0.0), LinearConstraint(csr_matrix(one), 1.0, 1.0)],
            options={"time_limit": 30.0},
        )
        duals = np.zeros(scenarios)
    else:
        result = linprog(
            cost, A_ub=rows, b_ub=np.zeros(scenarios), A_eq=csr_matrix(one), b_eq=np.ones(len(sizes)), bounds=limits
        )
        duals = np.maximum(-result.ineqlin.marginals, 0.0)
        duals = duals / duals.sum()
    if result.x is None:
        raise ArithmeticError(f"plan under weather: the linear program failed ({result.message})")
    parts = np.split(result.x[1 + scenarios :], np.cumsum(sizes)[:-1])
    return -float(result.fun) * scale, duals, parts


def draw_cloudy_windows(
    bits: ArrayLike,
    *,
    cloud_probability: ArrayLike,
    interval: ArrayLike | None = None,
    switch_intervals: int = 1,
    n_scenarios: int = 100,
    seed: int = 0,
) -> Floats:
    """Weather scenarios in which each station is overcast in each window by chance, independently.

    Parameters
    ----------
    bits : array_like, shape (n_intervals, n_stations)
        Bits under a clear sky. [bit]
    cloud_probability : array_like, shape (n_stations,)
        Probability that a station is overcast, in [0, 1]; it then gets nothing. [1]
    interval : array_like of int, shape (n_intervals,), optional
        Index of each row's interval, increasing. Default: no gaps.
    switch_intervals : int
        What divides time into windows, as in planning.
    n_scenarios : int
        How many.
    seed : int
        Of the random numbers.

    Returns
    -------
    ndarray, shape (n_scenarios, n_intervals, n_stations)
        Bits in each scenario. [bit]

    Raises
    ------
    InputError
        If a probability is outside [0, 1], or their number is wrong.
    """
    table = np.asarray(bits, dtype=np.float64)
    chance = np.asarray(cloud_probability, dtype=np.float64)
    if chance.shape != table.shape[1:] or np.any(~((chance >= 0.0) & (chance <= 1.0))):
        raise InputError(f"cloud_probability: must be {table.shape[1]} numbers in [0, 1]")
    if n_scenarios < 1:
        raise InputError(f"n_scenarios = {n_scenarios}: must be at least 1")
    index = np.arange(len(table)) if interval is None else np.asarray(interval, dtype=np.int64)
    generator = np.random.default_rng(seed)
    clear = np.ones((n_scenarios, *table.shape))
    for rows in split_windows(index, switch_intervals):
        clear[:, rows] = (generator.random((n_scenarios, len(chance))) >= chance)[:, np.newaxis]
    return np.asarray(clear * table)


def replan(
    bits: ArrayLike,
    assignment: ArrayLike,
    *,
    from_interval: int,
    interval: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    switch_intervals: int = 1,
) -> Indices:
    """New plan for what is left, from where the satellite points now.

    Parameters
    ----------
    bits : array_like, shape (n_intervals, n_stations)
        What can be delivered as it looks now; rows before ``from_interval`` are not used. [bit]
    assignment : array_like of int, shape (n_intervals,)
        The plan so far, as carried out before ``from_interval``.
    from_interval : int
        Index of the first interval that can still be changed.
    interval : array_like of int, shape (n_intervals,), optional
        Index of each row's interval, increasing. Default: no gaps.
    weights : array_like, shape (n_stations,), optional
        Weights of the stations, for a priority plan.
    switch_intervals : int
        Intervals that a change of station costs.

    Returns
    -------
    ndarray of int64, shape (n_intervals,)
        The old plan before ``from_interval``, the best continuation after it; exact.

    Raises
    ------
    InputError
        If the shapes do not agree.
    """
    table, old = np.asarray(bits, dtype=np.float64), np.asarray(assignment, dtype=np.int64)
    index = np.arange(len(table)) if interval is None else np.asarray(interval, dtype=np.int64)
    if table.ndim != 2 or old.shape != (len(table),) or index.shape != old.shape:
        raise InputError(f"replan: {len(old)} assignments and {len(index)} intervals for {len(table)} rows of bits")
    if np.any(old >= table.shape[1]):
        raise InputError(f"assignment: station {int(old.max())}, there are {table.shape[1]}")
    worth = table if weights is None else table * np.asarray(weights, dtype=np.float64)
    ahead = index >= from_interval
    served = np.flatnonzero((old >= 0) & ~ahead)
    plan = old.copy()
    if not len(served):
        plan[ahead] = best_assignment(worth[ahead], interval=index[ahead], switch_intervals=switch_intervals)
        return plan
    # The last interval served is planned again with more bits than all others together, so that it stays.
    rows = np.concatenate([served[-1:], np.flatnonzero(ahead)])
    offered = worth[rows]
    offered[0] = 0.0
    offered[0, old[served[-1]]] = offered.sum() + 1.0
    plan[ahead] = best_assignment(offered, interval=index[rows], switch_intervals=switch_intervals)[1:]
    return plan
