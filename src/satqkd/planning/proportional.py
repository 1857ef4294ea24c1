"""One satellite's schedules whose stations share the bits by weight: traffic (S-TD) and max-min.

References
----------
.. [1] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum key
   distribution modelling and scheduling analysis", Eqs. 7 to 9 (objective S-TD).
"""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError
from satqkd.planning.branching import Found, compile_search, least_divergence, search
from satqkd.planning.goals import MaxMin, Traffic
from satqkd.planning.partition import Windows, divide
from satqkd.planning.problem import Problem, Solution
from satqkd.planning.single import best_assignment

__all__ = ["max_min", "traffic"]

Floats = NDArray[np.float64]


def _wanted(problem: Problem) -> tuple[Floats, Floats]:
    """Bits of the stations of positive weight, and the weights."""
    assert problem.weights is not None
    return np.where(problem.weights > 0.0, problem.bits[0], 0.0), problem.weights


def _solution(problem: Problem, windows: Windows, found: Found) -> Solution:
    assert found.served is not None
    return Solution(windows.assignment(found.served, problem.interval)[None, :], found.bound, found.complete)


def traffic(problem: Problem) -> Solution:
    """Most bits with shares close to the weights.

    Parameters
    ----------
    problem : Problem
        One satellite, with weights and ``kl_max``.

    Returns
    -------
    Solution
        Schedule and bound on the total.

    Raises
    ------
    InputError
        If no schedule is close enough to the weights; says how close one can be. If none was met in time.
    """
    assert problem.kl_max is not None
    bits, weights = _wanted(problem)
    compile_search()
    started = time.monotonic()
    if not bits.any():
        raise InputError("keys: no station of positive weight can get any bits, so that there are no shares to compare")
    windows = divide(bits, problem.interval, problem.switch_intervals)
    # Stations that cannot get bits leave at least this divergence, whatever the others get.
    left_by_others = -math.log(min(float(weights[bits.any(axis=0)].sum()), 1.0))
    excluded, bound = True, math.inf
    if left_by_others <= problem.kl_max:
        goal = Traffic(weights, problem.kl_max)
        found = search(windows, goal, gap=problem.gap, deadline=started + problem.time_limit_s)
        if found.served is not None:
            return _solution(problem, windows, found)
        excluded, bound = found.complete, found.bound
    deadline = max(started + problem.time_limit_s, time.monotonic() + 0.1 * problem.time_limit_s)
    closest = least_divergence(windows, weights, enough=0.0 if excluded else problem.kl_max, deadline=deadline)
    if closest.divergence <= problem.kl_max:
        return _solution(problem, windows, Found(closest.served, 0.0, bound, complete=False))
    # Rounded up, so that the figure shown can be used.
    digits = 5 - math.ceil(math.log10(closest.divergence))
    shown = math.ceil(closest.divergence * 10.0**digits) / 10.0**digits
    said = f"smallest {'reachable' if closest.proven else 'found in the time limit'} is {shown:.12g}"
    if excluded:
        raise InputError(f"kl_max = {problem.kl_max:.12g} nat: no schedule of these keys is that close; the {said}")
    raise InputError(
        f"time_limit_s = {problem.time_limit_s:g}: no schedule with a divergence of at most kl_max = "
        f"{problem.kl_max:.12g} nat was met; the {said}"
    )


def max_min(problem: Problem) -> Solution:
    """Most usable key, the smallest of the stations' bits per weight.

    Parameters
    ----------
    problem : Problem
        One satellite, with weights.

    Returns
    -------
    Solution
        Schedule and bound on the smallest of bits per weight; if not every station of positive weight
        can get some, that is 0, and the schedule delivers most in total.
    """
    bits, weights = _wanted(problem)
    compile_search()
    started = time.monotonic()
    if np.all(np.any(bits > 0.0, axis=0) | (weights == 0.0)):
        windows = divide(bits, problem.interval, problem.switch_intervals)
        found = search(windows, MaxMin(weights), gap=problem.gap, deadline=started + problem.time_limit_s)
        if found.value > 0.0 or found.bound > 0.0:
            return _solution(problem, windows, found)
    served = best_assignment(bits, interval=problem.interval, switch_intervals=problem.switch_intervals)
    return Solution(served[None, :], 0.0)
