"""Time of a variable-length finite-key evaluation, optimum and map, beside linear programs through SciPy in one run.

The reference solves the same six programs with ``scipy.optimize.linprog(method="highs")``, sparse matrices built
once, from bounds that are already known: it leaves out counts, confidence bounds and the sampling step, which our
times include. "Search" is the compiled function that the optimiser calls, "objective" the same from Python.
Run: ``python benchmarks/bench_variable_length.py``, one thread; with ``--map`` the 200 x 200 map of loss and noise on
all cores instead; with ``--compile`` the first run of a new installation.
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from satqkd.security import _decoy_kernels, variable_length
from satqkd.security.optimise import best
from satqkd.security.sweep import sweep
from satqkd.security.variable_length_analysis import VariableLength

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
    from scipy.optimize import linprog  # 50 MB that the map is not to be charged with
    from scipy.sparse import csr_array

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


def evaluations() -> None:
    """Print one line per receiver."""
    print(f"{'receiver':20s} {'search':>9s} {'per second':>10s} {'objective':>10s} {'key_length':>10s} {'HiGHS':>9s}"
          f" {'ratio to search':>15s}")  # fmt: skip
    for receiver, options in RECEIVERS.items():
        given = {**LINK, "receiver": receiver, **options}
        key = variable_length.key_length(**given)
        solve = reference(key)
        ours = (key.n1_key_lower, key.intermediate["n1_key_upper"])
        if not np.allclose(solve()[:2], ours, rtol=1e-5):  # HiGHS is good to its feasibility tolerance
            raise SystemExit(f"{receiver}: the reference disagrees: {solve()[:2]} and {ours}")
        own = [options[n] for n in ("p_test_basis", "split", "disclosure") if n in options]
        setting = np.array([*SOURCE["intensities"], *SOURCE["intensity_probabilities"], *own])
        if receiver == "symmetric-passive":
            setting = np.delete(setting, 6)
        free = {k: v for k, v in given.items() if k not in (*SOURCE, *options)}
        problem = VariableLength(receiver).prepare(free)
        data = problem.data(None)
        if not math.isclose(problem.objective(setting, data), key.key_bits_raw, rel_tol=1e-11):
            raise SystemExit(f"{receiver}: the compiled key differs")
        search = seconds(lambda p=problem, d=data, x=setting: p.objective(x, d))
        quick = seconds(lambda given=given: variable_length.objective(**given))
        full = seconds(lambda given=given: variable_length.key_length(**given))
        highs = seconds(solve)
        print(f"{receiver:20s} {1e6 * search:6.1f} us {1.0 / search:10,.0f} {1e6 * quick:7.1f} us {1e6 * full:7.1f} us "
              f"{1e3 * highs:6.1f} ms {highs / search:15,.0f}")  # fmt: skip


def optima() -> None:
    """Print the time of cold optima and of warm ones along a sweep of the loss by 0.2 dB."""
    for receiver in RECEIVERS:
        fixed = {"receiver": receiver, "pulses": 1e12, "misalignment": 0.005, "p_noise": 1e-7}
        etas = 10 ** -np.linspace(3.5, 4.3, 41)
        cold = best("variable-length", fixed={**fixed, "transmittance": etas[0]})
        cold_s = seconds(
            lambda fixed=fixed, eta=etas[0]: best("variable-length", fixed={**fixed, "transmittance": eta})
        )
        start = time.perf_counter()
        line = sweep("variable-length", fixed=fixed, x=("transmittance", etas), threads=1)
        warm_s = (time.perf_counter() - start - cold_s) / (etas.size - 1)
        print(f"{receiver:20s} cold optimum {1e3 * cold_s:5.1f} ms ({cold.evaluations} evaluations), warm in a sweep "
              f"{1e3 * warm_s:5.1f} ms ({line.evaluations / etas.size:.0f})")  # fmt: skip


def map_of_loss_and_noise() -> None:
    """Print time and memory of 200 x 200 optimised points."""
    seen = 0.0
    for receiver in RECEIVERS:
        start, used = time.perf_counter(), time.process_time()
        found = sweep(
            "variable-length",
            fixed={"receiver": receiver, "pulses": 1e12, "misalignment": 0.005},
            x=("transmittance", 10 ** -np.linspace(3.0, 6.0, 200)),
            y=("p_noise", np.logspace(-9.0, -6.0, 200)),
        )
        took, used = time.perf_counter() - start, time.process_time() - used
        seen = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{receiver:20s} 200 x 200: {took:.0f} s, {used:.0f} s of processors ({os.cpu_count()} cores), at most "
              f"{seen:.0f} MB, {found.evaluations / 40_000:.0f} evaluations a point, "
              f"{float((found.key_bits > 0).mean()):.0%} with a key", flush=True)  # fmt: skip


def first_run() -> None:
    """Print the time of compilation in a new cache."""
    code = (
        "import time\nimport numba\nstart = time.perf_counter()\n"
        "from satqkd.security import variable_length as v\n"
        "v.key_length(pulses=1e12, transmittance=1e-4, p_noise=1e-7, misalignment=0.005, intensities=(0.6, 0.2, 0.0), "
        "intensity_probabilities=(0.7, 0.2, 0.1), p_test_basis=0.2)\nfirst = time.perf_counter()\n"
        "from satqkd.security.optimise import best\n"
        "best('variable-length', fixed=dict(pulses=1e12, transmittance=1e-4, p_noise=1e-7, misalignment=0.005))\n"
        "print(first - start, time.perf_counter() - first)"
    )
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for which in ("compiling", "from the cache"):
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            )
            key_s, best_s = map(float, done.stdout.split())
            print(f"first key, {which}: {key_s:.2f} s, then first optimum {best_s:.2f} s")


if __name__ == "__main__":
    if "--map" in sys.argv:
        map_of_loss_and_noise()
    elif "--compile" in sys.argv:
        first_run()
    else:
        evaluations()
        optima()
