"""What prices leave open, as a mixed-integer program over the states that can still be part of a better plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satqkd.planning import _window_kernels as kernels
from satqkd.planning.windows import Windows

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

    from satqkd.planning.dual import Part

__all__ = ["FEASIBLE", "Network", "close_gap", "losses", "network", "solver_of"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

FEASIBLE = 2
"""HiGHS: the primal solution is feasible."""


class Network(NamedTuple):
    """Paths of all windows through their states, as rows ``low <= A x <= high`` of binary and chain variables.

    Columns: held, begun and ended of the chosen states, then the chains of idle flow.
    """

    held: Integers
    """State of each "held" column."""
    begun: Integers
    ended: Integers
    matrix: csc_matrix
    low: Floats
    high: Floats

    @property
    def binary(self) -> Booleans:
        """Columns that are whole; the chains follow from them."""
        whole = np.zeros(self.matrix.shape[1], dtype=bool)
        whole[: len(self.held) + len(self.begun) + len(self.ended)] = True
        return whole

    def links(self, x: Floats) -> tuple[Integers, Integers]:
        """First and last state of each link of a solution."""
        begun, ended = np.split(x[len(self.held) :], [len(self.begun)])
        return self.begun[begun > 0.5], self.ended[ended[: len(self.ended)] > 0.5]


def losses(part: Part) -> tuple[Floats, float]:
    """What a plan loses at least, by the part's best prices, if it holds, begins at or ends at a state.

    Parameters
    ----------
    part : Part
        With a bound.

    Returns
    -------
    tuple
        Losses of shape (3, n_states): held, begun, ended; and the bound that they are counted from.

    Notes
    -----
    The best plan of a window through a state, by a forward and a backward pass, against its best plan.
    """
    windows, price = part.windows, part.best_price
    size, count = len(windows.value), len(windows.window_first)
    total, entered, rest, rest_run, rest_time, active = part.scratch
    ahead, taken_up, after = np.empty(size), np.empty(size), np.empty(len(rest) + 1)
    lost = np.empty((3, size))
    bound = float(price.sum())
    run_of = np.repeat(np.arange(len(windows.run_first)), np.diff(windows.state))
    time_of = windows.run_first[run_of] + np.arange(size) - windows.state[run_of]
    window_of_run = np.repeat(np.arange(count), np.diff(windows.runs))
    step_of = time_of - windows.window_first[window_of_run[run_of]]
    leave_of = np.maximum(step_of - windows.setup[run_of], 0)
    for w in range(count):
        best = kernels.forward(windows, w, price, total, entered, rest, rest_run, rest_time, active)
        kernels.backward(windows, w, price, ahead, taken_up, after)
        own = slice(windows.state[windows.runs[w]], windows.state[windows.runs[w + 1]])
        lost[0, own] = best - total[own] - ahead[own]
        lost[1, own] = best - rest[leave_of[own]] - taken_up[own]
        lost[2, own] = best - total[own] - after[step_of[own] + 1]
        bound += float(best)
    return lost, bound


def network(windows: Windows, held: Booleans, begun: Booleans, ended: Booleans) -> Network:
    """The flow problem over some of the states.

    Parameters
    ----------
    windows : Windows
        Of a part.
    held, begun, ended : ndarray of bool, shape (n_states,)
        States that may be held, begun at and ended at.

    Returns
    -------
    Network
        One row per state (what is held was held before or begins), per event of a window's idle chain, and per cell
        that two columns want.
    """
    from scipy.sparse import coo_matrix

    size = len(windows.value)
    h, u, r = np.flatnonzero(held), np.flatnonzero(begun), np.flatnonzero(ended)
    column_h, column_u, column_r = (np.full(size, -1) for _ in range(3))
    column_h[h] = np.arange(len(h))
    column_u[u] = len(h) + np.arange(len(u))
    column_r[r] = len(h) + len(u) + np.arange(len(r))
    run_of = np.repeat(np.arange(len(windows.run_first)), np.diff(windows.state))
    age = np.arange(size) - windows.state[run_of]
    window_of = np.repeat(np.arange(len(windows.window_first)), np.diff(windows.runs))[run_of]
    step = windows.run_first[run_of] + age - windows.window_first[window_of]
    rows: list[Integers] = []
    columns: list[Integers] = []
    signs: list[Floats] = []

    def put(row: Integers, column: Integers, sign: float) -> None:
        rows.append(row)
        columns.append(column)
        signs.append(np.full(len(row), sign))

    # row s: held[s - 1] - ended[s - 1] + begun[s] - held[s] = 0
    follows = np.flatnonzero((age[1:] > 0) & held[:-1])  # s - 1 of every s that can be reached by holding on
    put(h, column_h[h], -1.0)
    put(u, column_u[u], 1.0)
    put(follows + 1, column_h[follows], 1.0)
    stops = follows[ended[follows]]
    put(stops + 1, column_r[stops], -1.0)
    # the last state of a run ends there
    final = np.flatnonzero(held & (np.append(age[1:], 0) == 0))
    put(size + final, column_h[final], 1.0)
    put(size + final[ended[final]], column_r[final[ended[final]]], -1.0)
    # idle chains: one link of the chain per window and instant of departure
    span = int(windows.window_length.max()) + 2
    leave = window_of[u] * span + np.maximum(step[u] - windows.setup[run_of[u]], 0)
    events = np.unique(leave)
    put(2 * size + np.searchsorted(events, leave), column_u[u], -1.0)
    back = window_of[r] * span + step[r] + 1
    at = np.searchsorted(events, back)
    useful = np.append(events // span, -1)[at] == window_of[r]  # some link can still follow
    put(2 * size + at[useful], column_r[r[useful]], 1.0)
    chain = len(h) + len(u) + len(r) + np.arange(len(events))
    put(2 * size + np.arange(len(events)), chain, -1.0)
    first = np.concatenate([[True], np.diff(events // span) != 0]) if len(events) else np.zeros(0, bool)
    put(2 * size + np.flatnonzero(~first), chain[np.flatnonzero(~first) - 1], 1.0)
    # cells
    offset = windows.cell_offset[run_of] + windows.station_setup[run_of] + age
    base = 2 * size + len(events)
    put(base + windows.cell[offset[h]], column_h[h], 1.0)
    for before in range(1, int(windows.station_setup.max()) + 1):
        late = u[windows.station_setup[run_of[u]] >= before]
        put(base + windows.cell[offset[late] - before], column_u[late], 1.0)
    row, column, sign = np.concatenate(rows), np.concatenate(columns), np.concatenate(signs)
    contested = row >= base
    wanted = np.bincount(row[contested] - base, minlength=windows.n_cells)
    keep = ~contested | ((wanted[np.where(contested, row - base, 0)] > 1) & (row > base))
    used, row = np.unique(row[keep], return_inverse=True)
    high = np.where(used >= base, 1.0, 0.0)
    low = np.where(used >= base, -np.inf, 0.0)
    start = np.isin(used, 2 * size + np.flatnonzero(first))
    low[start] = high[start] = -1.0
    shape = (len(used), len(h) + len(u) + len(r) + len(events))
    return Network(h, u, r, coo_matrix((sign[keep], (row, column[keep])), shape=shape).tocsc(), low, high)


def close_gap(part: Part, allowed: float, time_limit_s: float) -> bool:
    """Improve a part's plan and bound until they are ``allowed`` apart or the time is over.

    Parameters
    ----------
    part : Part
        Its plan and bound are replaced by better ones.
    allowed : float
        Difference of bound and value that may stay.
    time_limit_s : float
        Wall time. [s]

    Returns
    -------
    bool
        Whether they are.
    """
    if part.bound - part.value <= allowed:
        return True
    cutoff = part.value + 0.9 * allowed
    lost, bound = losses(part)
    part.lower_bound(bound)
    net = network(part.windows, *_useful(lost, bound, cutoff))
    scale = float(part.windows.value.max())
    cost = np.zeros(net.matrix.shape[1])
    cost[: len(net.held)] = part.windows.value[net.held] / scale
    solver = solver_of(net.matrix, net.low, net.high, cost, np.ones(len(cost)), net.binary)
    solver.setOptionValue("mip_abs_gap", max(0.5 * allowed / scale, 1e-9))
    solver.setOptionValue("time_limit", time_limit_s)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    if status.name == "kInfeasible" or not len(net.held):
        part.lower_bound(cutoff)  # no plan is worth more
        return True
    if info.primal_solution_status == FEASIBLE:
        part.adopt(*net.links(np.asarray(solver.getSolution().col_value)))
    if np.isfinite(info.mip_dual_bound):
        part.lower_bound(max(float(info.mip_dual_bound) * scale * (1.0 + 1e-10), cutoff))
    return bool(part.bound - part.value <= allowed)


def _useful(lost: Floats, bound: float, cutoff: float) -> Booleans:
    """States that a plan worth more than ``cutoff`` can hold, begin at or end at."""
    slack = max(bound - cutoff, 0.0) + 1e-9 * abs(bound)  # rounding of sums
    mask = lost <= slack
    mask[1:] &= mask[0]
    return np.asarray(mask)


def solver_of(matrix: csc_matrix, low: Floats, high: Floats, cost: Floats, upper: Floats, binary: Booleans) -> Any:
    """HiGHS with a program to maximise ``cost x`` for ``low <= matrix x <= high``, ``0 <= x <= upper``.

    Parameters
    ----------
    matrix : csc_matrix
        Rows.
    low, high, cost, upper : ndarray
        Bounds of the rows, costs and upper bounds of the columns.
    binary : ndarray of bool
        Columns that are whole.

    Returns
    -------
    highspy.Highs
        Silent, one thread, no relative gap.
    """
    import highspy

    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, setting in (("output_flag", False), ("mip_rel_gap", 0.0), ("threads", 1)):
        solver.setOptionValue(option, setting)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = low, high
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[whole] for whole in binary.tolist()]
    solver.passModel(lp)
    return solver
