"""Time of a variable-length finite-key evaluation, beside linear programs through SciPy in the same run.

The reference solves the same six programs with ``scipy.optimize.linprog(method="highs")``, sparse matrices built
once, from bounds that are already known: it leaves out counts, confidence bounds and the sampling step, which our
times include. Run: ``python benchmarks/bench_variable_length.py``. One process, one thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from satqkd.security import _decoy_kernels, variable_length

SOURCE = {"intensities": (0.6, 0.2, 0.0), "intensity_probabilities": (0.7, 0.2, 0.1)}
LINK = {"pulses": 1e12, "transmittance": 1e-4, "p_noise": 1e-7, "misalignment": 0.005, **SOURCE}
RECEIVERS: dict[str, dict[str, object]] = {
    "active": {"p_test_basis": 0.2},
    "asymmetric-passive": {"p_test_basis": 0.2, "split": 0.2},
    "symmetric-passive": {"p_test_basis": 0.5, "disclosure": 0.2},
}


def seconds(task: Callable[[], object], *, at_least_s: float = 0.3) -> float:
    """Best time of one call out of three batches."""
    task()
    start = time.perf_counter()
    task()
    calls = max(1, round(at_least_s / max(time.perf_counter() - start, 1e-7)))
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(calls):
            task()
        best = min(best, (time.perf_counter() - start) / calls)
    return best


def reference(key: variable_length.KeyLength) -> Callable[[], list[float]]:
    """The six linear programs of an evaluation through SciPy; returns their optima."""
    cut = int(key.parameters["photon_cut"])
    label = np.empty((3, cut + 1))
    _decoy_kernels.label_probabilities(
        np.array(SOURCE["intensities"]), np.array(SOURCE["intensity_probabilities"]), cut, label
    )
    rows = np.hstack((label, -np.eye(3)))
    at_most = csr_array(np.vstack((rows, -rows)))
    equal = csr_array(np.hstack((np.zeros(cut + 1), np.ones(3)))[None])
    programs = []
    for name, counts in (("n_key", key.n_key), ("n_test", key.n_test), ("m_test", key.m_test)):
        total = sum(counts)
        ends = zip(key.intermediate[f"{name}_lower"], key.intermediate[f"{name}_upper"], strict=True)
        bounds = [(0.0, 1.0)] * (cut + 1) + [(low / total, high / total) for low, high in ends]
        limit = np.concatenate((np.zeros(3), np.full(3, key.intermediate[f"{name}_tail"] / total)))
        programs.append((total, bounds, limit))

    def solve() -> list[float]:
        found = []
        for total, bounds, limit in programs:
            for sign in (1.0, -1.0):
                cost = np.zeros(cut + 4)
                cost[1] = sign
                result = linprog(cost, A_ub=at_most, b_ub=limit, A_eq=equal, b_eq=[1.0], bounds=bounds, method="highs")
                found.append(sign * result.fun * total)
        return found

    return solve


def main() -> None:
    """Print one line per receiver."""
    print(f"{'receiver':20s} {'objective':>11s} {'per second':>11s} {'key_length':>11s} {'HiGHS':>10s} {'ratio':>8s}")
    for receiver, options in RECEIVERS.items():
        given = {**LINK, "receiver": receiver, **options}
        key = variable_length.key_length(**given)
        solve = reference(key)
        ours = (key.n1_key_lower, key.intermediate["n1_key_upper"])
        if not np.allclose(solve()[:2], ours, rtol=1e-5):  # HiGHS is good to its feasibility tolerance
            raise SystemExit(f"{receiver}: the reference disagrees: {solve()[:2]} and {ours}")
        quick = seconds(lambda given=given: variable_length.objective(**given))
        full = seconds(lambda given=given: variable_length.key_length(**given))
        highs = seconds(solve)
        print(
            f"{receiver:20s} {1e6 * quick:8.1f} us {1.0 / quick:11,.0f} {1e6 * full:8.1f} us {1e3 * highs:7.1f} ms "
            f"{highs / quick:8,.0f}"
        )


if __name__ == "__main__":
    main()
