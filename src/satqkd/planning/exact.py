"""What prices leave open, as a mixed-integer program over the states that can still be part of a better plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from satqkd.planning import _window_kernels as kernels
from satqkd.planning.windows import Windows

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

    from satqkd.planning.dual import Part

__all__ = ["Network", "close_gap", "network", "useful_states"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


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


def useful_states(part: Part, cutoff: float) -> tuple[Booleans, Booleans, Booleans, float]:
    """States that a plan worth more than ``cutoff`` can hold, begin at or end at, by the part's best prices.

    Parameters
    ----------
    part : Part
        With a bound.
    cutoff : float
        Plans of this worth or less need not be kept.

    Returns
    -------
    tuple
        Three masks of the states, and the bound of these prices.

    Notes
    -----
    The best plan of a window through a state, by a forward and a backward pass, against its best plan: what is lost is
    lost from the bound.
    """
    windows, price = part.windows, part.best_price
    size, count = len(windows.value), len(windows.window_first)
    total, entered, rest, rest_run, rest_time, active = part.scratch
    ahead, taken_up, after = np.empty(size), np.empty(size), np.empty(len(rest) + 1)
    through = np.empty((3, size))
    best = np.empty(count)
    run_of = np.repeat(np.arange(len(windows.run_first)), np.diff(windows.state))
    time_of = windows.run_first[run_of] + np.arange(size) - windows.state[run_of]
    window_of_run = np.repeat(np.arange(count), np.diff(windows.runs))
    step_of = time_of - windows.window_first[window_of_run[run_of]]
    leave_of = np.maximum(step_of - windows.setup[run_of], 0)
    for w in range(count):
        best[w] = kernels.forward(windows, w, price, total, entered, rest, rest_run, rest_time, active)
        kernels.backward(windows, w, price, ahead, taken_up, after)
        own = slice(windows.state[windows.runs[w]], windows.state[windows.runs[w + 1]])
        through[0, own] = total[own] + ahead[own]
        through[1, own] = rest[leave_of[own]] + taken_up[own]
        through[2, own] = total[own] + after[step_of[own] + 1]
    bound = float(best.sum() + price.sum())
    slack = max(bound - cutoff, 0.0) + 1e-9 * abs(bound)  # rounding of sums
    masks = through >= best[window_of_run[run_of]] - slack
    return masks[0], masks[0] & masks[1], masks[0] & masks[2], bound


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
    useful = (at < len(events)) & (events[np.minimum(at, len(events) - 1)] // span == window_of[r]) if len(events) else at < 0
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


def close_gap(part: Part, allowed: float, time_limit_s: float) -> None:
    """Improve a part's plan and bound until they are ``allowed`` apart or the time is over.

    Parameters
    ----------
    part : Part
        Its plan and bound are replaced by better ones.
    allowed : float
        Difference of bound and value that may stay.
    time_limit_s : float
        Wall time. [s]
    """
    import highspy

    if part.bound - part.value <= allowed:
        return
    cutoff = part.value + 0.9 * allowed
    held, begun, ended, bound = useful_states(part, cutoff)
    part.lower_bound(bound)
    if not held.any():
        part.lower_bound(cutoff)
        return
    net = network(part.windows, held, begun, ended)
    scale = float(part.windows.value.max())
    solver = highspy.Highs()
    for option, setting in {
        "output_flag": False, "time_limit": float(time_limit_s), "mip_rel_gap": 0.0,
        "mip_abs_gap": max(0.5 * allowed / scale, 1e-9), "threads": 1,
    }.items():  # fmt: skip
        solver.setOptionValue(option, setting)
    lp = highspy.HighsLp()
    rows, columns = net.matrix.shape
    lp.num_row_, lp.num_col_ = rows, columns
    cost = np.zeros(columns)
    cost[: len(net.held)] = part.windows.value[net.held] / scale
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(columns), np.ones(columns)
    lp.row_lower_, lp.row_upper_ = net.low, net.high
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = net.matrix.indptr, net.matrix.indices, net.matrix.data
    binary = len(net.held) + len(net.begun) + len(net.ended)
    kinds = [highspy.HighsVarType.kInteger] * binary + [highspy.HighsVarType.kContinuous] * (columns - binary)
    lp.integrality_ = kinds
    solver.passModel(lp)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    if status == highspy.HighsModelStatus.kInfeasible:
        part.lower_bound(cutoff)  # no plan is worth more
        return
    if info.primal_solution_status == 2:  # feasible
        x = np.asarray(solver.getSolution().col_value)
        first = net.begun[x[len(net.held) : len(net.held) + len(net.begun)] > 0.5]
        last = net.ended[x[len(net.held) + len(net.begun) : binary] > 0.5]
        part.adopt(first, last)
    if np.isfinite(info.mip_dual_bound):
        part.lower_bound(max(float(info.mip_dual_bound) * scale * (1.0 + 1e-9), cutoff))
