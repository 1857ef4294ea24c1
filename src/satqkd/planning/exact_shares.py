"""All plans that can still be better for a goal that ties the stations together, as one mixed-integer program."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from satqkd.planning.dual import Part
from satqkd.planning.exact import FEASIBLE, Network, losses, network, solver_of
from satqkd.planning.goals import MaxMin, Traffic
from satqkd.planning.pool import cut_off

__all__ = ["Closed", "close_shares"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_STATES = 60_000
"""States above which the program would only use up the time."""


class Closed(NamedTuple):
    """What the program found."""

    value: float
    bound: float
    rows: list[Integers]
    """Per part: run, first and last interval of each link."""


def close_shares(
    parts: list[Part],
    goal: Traffic | MaxMin,
    value: float,
    bound: float,
    relative_gap: float,
    time_limit_s: float,
) -> Closed:
    """Best plan by branch and bound, cuts of the goal added until its solution keeps them.

    Parameters
    ----------
    parts : list of Part
        Valued and priced with the goal's best worths.
    goal : Traffic or MaxMin
        What is asked.
    value, bound : float
        Best so far.
    relative_gap : float
        Gap that is good enough.
    time_limit_s : float
        Wall time. [s]

    Returns
    -------
    Closed
        A plan of value -inf if no better one was found; the bound counts in any case.
    """
    deadline = time.perf_counter() + time_limit_s
    nothing = Closed(-np.inf, bound, [])
    lost = [losses(part) for part in parts]
    priced = sum(own for _, own in lost)
    cutoff = max(value, 0.0) * (1.0 + 0.9 * relative_gap)
    slack = max(priced - cutoff, 0.0) + 1e-9 * priced
    masks = [each <= slack for each, _ in lost]
    if sum(int(mask[0].sum()) for mask in masks) > MOST_STATES:
        return nothing
    nets = [network(part.windows, m[0], m[0] & m[1], m[0] & m[2]) for part, m in zip(parts, masks, strict=True)]
    scale = max(float(part.bits.max()) for part in parts)
    solver, starts = _program(parts, nets, goal, scale)
    solver.setOptionValue("mip_abs_gap", max(0.3 * relative_gap * max(value, 0.0) / scale, 1e-9))
    best = nothing
    known = len(goal.rows)
    while (left_s := deadline - time.perf_counter()) > 0.0:
        solver.setOptionValue("time_limit", left_s)
        solver.run()
        info = solver.getInfo()
        if solver.getModelStatus().name == "kInfeasible":
            return best._replace(bound=min(best.bound, max(cutoff, best.value)))
        if np.isfinite(info.mip_dual_bound):
            proven = float(info.mip_dual_bound) * scale * (1.0 + 1e-10)
            best = best._replace(bound=min(best.bound, max(proven, cutoff)))
        if info.primal_solution_status != FEASIBLE:
            break
        x = np.asarray(solver.getSolution().col_value)
        rows, bits = [], np.zeros(len(goal.weights))
        for part, net, start in zip(parts, nets, starts, strict=True):
            rows.append(_rows(part, *net.links(x[start : start + net.matrix.shape[1]])))
            bits += part.delivered(rows[-1], len(bits))
        found = goal.value(bits) if bits.any() else 0.0
        if found > max(best.value, value):
            best = best._replace(value=found, rows=rows)
        if not cut_off(goal, bits):
            break
        for row in goal.rows[known:]:
            where = np.flatnonzero(row).astype(np.int32)
            solver.addRow(-np.inf, 0.0, len(where), where, row[where])
        known = len(goal.rows)
    return best


def _program(parts: list[Part], nets: list[Network], goal: Traffic | MaxMin, scale: float):  # type: ignore[no-untyped-def]
    """HiGHS with all parts' flows, and the first column of each part."""
    from scipy.sparse import block_diag, coo_matrix, csc_matrix, hstack, vstack

    stations = len(goal.weights)
    served = []
    for part, net in zip(parts, nets, strict=True):
        run = np.searchsorted(part.windows.state, net.held, side="right") - 1
        entries = (part.bits[net.held] / scale, (part.windows.run_station[run], np.arange(len(net.held))))
        served.append(coo_matrix(entries, shape=(stations, net.matrix.shape[1])))
    head = stations + 1
    flows = block_diag([csc_matrix((0, head)), *(net.matrix for net in nets)])
    sums = hstack([coo_matrix(-np.eye(stations, head)), *served])
    rows = np.array(goal.rows).reshape(-1, head)
    cuts = hstack([coo_matrix(rows), coo_matrix((len(rows), flows.shape[1] - head))])
    low = np.concatenate([*(net.low for net in nets), np.zeros(stations), np.full(len(rows), -np.inf)])
    high = np.concatenate([*(net.high for net in nets), np.zeros(stations + len(rows))])
    matrix = csc_matrix(vstack([flows, sums, cuts]))
    cost, upper = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
    cost[:stations], cost[stations] = goal.bits_cost, goal.auxiliary_cost
    upper[:head] = np.inf
    if not goal.auxiliary_cost:
        upper[stations] = 0.0
    binary = np.concatenate([np.zeros(head, dtype=bool), *(net.binary for net in nets)])
    starts = head + np.concatenate([[0], np.cumsum([net.matrix.shape[1] for net in nets])[:-1]])
    return solver_of(matrix, low, high, cost, upper, binary), starts.astype(int).tolist()


def _rows(part: Part, first: Integers, last: Integers) -> Integers:
    """Run, first and last interval of links given by their states."""
    windows = part.windows
    run = np.searchsorted(windows.state, first, side="right") - 1
    begin = windows.run_first[run] + first - windows.state[run]
    return np.column_stack([run, begin, begin + last - first])
