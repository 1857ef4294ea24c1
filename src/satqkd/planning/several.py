"""The objectives of :func:`satqkd.planning.schedule` for more than one satellite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError
from satqkd.planning.constellation import WindowPlan, assignment_of, plan_jointly
from satqkd.planning.goals import MaxMin, Traffic
from satqkd.planning.problem import Problem, Solution

if TYPE_CHECKING:
    from satqkd.planning.windows import Windows

__all__ = ["SEVERAL"]


def _weighted(problem: Problem, weights: NDArray[np.float64] | None) -> Solution:
    plan = plan_jointly(
        problem.bits, interval=problem.interval, weights=weights, switch_intervals=problem.switch_intervals,
        relative_gap=problem.gap, time_limit_s=problem.time_limit_s,
    )  # fmt: skip
    return Solution(plan.assignment, plan.bound, plan.complete)


def _general(problem: Problem) -> Solution:
    """Most bits in total."""
    return _weighted(problem, None)


def _priority(problem: Problem) -> Solution:
    """Most weighted bits."""
    return _weighted(problem, problem.weights)


def _windows(problem: Problem) -> Windows:
    """Windows of the stations of positive weight, valued in bits."""
    from satqkd.planning.windows import from_table

    assert problem.weights is not None
    return from_table(
        problem.bits, interval=problem.interval, weights=(problem.weights > 0.0).astype(float),
        switch_intervals=problem.switch_intervals,
    )  # fmt: skip


def _solution(problem: Problem, plan: WindowPlan) -> Solution:
    assignment, _ = assignment_of(plan.links, problem.bits, problem.interval, problem.switch_intervals)
    return Solution(assignment, plan.bound, plan.complete)


def _traffic(problem: Problem) -> Solution:
    """Most bits with a divergence from the weights of at most ``kl_max``."""
    from satqkd.planning.shares import plan_shares

    assert problem.weights is not None
    assert problem.kl_max is not None
    windows = _windows(problem)
    plan = plan_shares(
        windows, Traffic(problem.weights, problem.kl_max), relative_gap=problem.gap, time_limit_s=problem.time_limit_s
    )
    if plan.value == 0.0:
        raise InputError(
            f"kl_max = {problem.kl_max:g}: no plan of {len(problem.satellites)} satellites reaches it"
            f"{'' if plan.complete else f' that was found within {problem.time_limit_s:g} s'}; "
            f"{_least_divergence(windows, problem)}"
        )
    return _solution(problem, plan)


def _least_divergence(windows: Windows, problem: Problem) -> str:
    """The smallest divergence that a short search finds, in words."""
    from satqkd.planning.shares import plan_shares

    assert problem.weights is not None
    assert problem.kl_max is not None
    if not len(windows.value):
        return "no station of positive weight can get any key"
    low, high = problem.kl_max, float(-np.log(problem.weights[problem.weights > 0.0].min()))  # one station alone
    for _ in range(14):
        middle = 0.5 * (low + high)
        goal = Traffic(problem.weights, middle)
        found = plan_shares(windows, goal, relative_gap=0.5, time_limit_s=problem.time_limit_s / 14.0).value > 0.0
        low, high = (low, middle) if found else (middle, high)
    return f"the smallest divergence found is {high:.3g} nats"


def _max_min(problem: Problem) -> Solution:
    """Most of the smallest bits per weight."""
    from satqkd.planning.shares import plan_shares

    assert problem.weights is not None
    plan = plan_shares(
        _windows(problem), MaxMin(problem.weights), relative_gap=problem.gap, time_limit_s=problem.time_limit_s
    )
    return _solution(problem, plan)


SEVERAL: Mapping[str, Callable[[Problem], Solution]] = {
    "general": _general,
    "priority": _priority,
    "traffic": _traffic,
    "max-min": _max_min,
}
"""Objective to the method for several satellites."""
