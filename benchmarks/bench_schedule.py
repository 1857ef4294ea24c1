"""Schedules of the reference week: exact ones beside a mixed-integer program, shares by weight with their proven gaps.

The mixed-integer program is that of Wang et al. (Eqs. 7 and 8), solved by HiGHS in the same run. Run:
``python benchmarks/bench_schedule.py``; with ``--quick`` without the long searches.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from satqkd.planning import schedule
from satqkd.planning.single import best_assignment

WEEK = Path(__file__).resolve().parent.parent / "tests/golden/schedule_china_week.csv"
POPULATION = (24.87, 21.89, 20.94, 18.68, 12.33, 12.95, 9.07, 9.37, 9.20, 4.05, 0.87)
"""Millions, in the order of the table."""


def week() -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Table and weights."""
    names = WEEK.read_text(encoding="utf-8").splitlines()[0].split(",")
    columns = np.loadtxt(WEEK, delimiter=",", skiprows=1).T
    return dict(zip(names, columns, strict=True)), dict(zip(names[1:], POPULATION, strict=True))


def seconds(task: Callable[[], Any], repeat: int) -> float:
    """Least processor time of one call."""
    took = []
    for _ in range(repeat):
        start = time.process_time()
        task()
        took.append(time.process_time() - start)
    return min(took)


def mixed_integer(interval: np.ndarray, bits: np.ndarray) -> float:
    """Most bits by HiGHS: a service or a switch in each interval, as in Eq. 7."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    rows, stations = bits.shape
    number = rows * stations
    solver.addVars(number, np.zeros(number), np.ones(number))
    index = np.arange(number, dtype=np.int32)
    solver.changeColsCost(number, index, bits.ravel() / 1e6)
    solver.changeColsIntegrality(number, index, np.full(number, highspy.HighsVarType.kInteger))
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    for m in range(rows):
        own = index[m * stations : (m + 1) * stations]
        solver.addRow(0.0, 1.0, stations, own, np.ones(stations))
        if m and interval[m] == interval[m - 1] + 1:
            before = own - stations
            for n in range(stations):  # x[m, n] <= x[m-1, n] + idle[m-1]
                used = np.concatenate([[own[n]], np.delete(before, n)]).astype(np.int32)
                solver.addRow(-highspy.kHighsInf, 1.0, len(used), used, np.ones(len(used)))
    solver.run()
    return float(solver.getInfo().objective_function_value) * 1e6


def exact(keys: dict[str, np.ndarray], weights: dict[str, float]) -> None:
    """Print the general and the priority schedule beside the mixed-integer program."""
    interval = keys["interval"].astype(np.int64)
    bits = np.column_stack([keys[name] for name in weights])
    share = np.array(POPULATION) / sum(POPULATION)
    for name, table in (("general", bits), ("priority", bits * share)):
        options = {} if name == "general" else {"weights": weights}
        plan = schedule(keys, objective=name, **options)
        whole = seconds(lambda name=name, options=options: schedule(keys, objective=name, **options), 10)
        kernel = seconds(lambda table=table: best_assignment(table, interval=interval), 50)
        start = time.process_time()
        program = mixed_integer(interval, table)
        took = time.process_time() - start
        print(
            f"{name:8s} {plan.value:18.5f} bit, program {program:18.5f}; dynamic program {1e3 * kernel:6.3f} ms, "
            f"schedule() {1e3 * whole:6.2f} ms, HiGHS {1e3 * took:6.0f} ms: "
            f"{took / kernel:6.0f} and {took / whole:4.0f} times faster"
        )


def shares(keys: dict[str, np.ndarray], weights: dict[str, float], quick: bool) -> None:
    """Print traffic and max-min schedules with their gaps."""
    asked = [(0.3, 1e-3, 30.0), (0.1, 1e-3, 30.0), (0.03, 2.5e-3, 60.0), (0.01, 5e-3, 600.0)]
    if not quick:
        asked += [(0.03, 1e-3, 600.0), (0.01, 1.5e-3, 600.0)]
    for kl_max, gap, limit in asked:
        start = time.monotonic()
        plan = schedule(keys, objective="traffic", weights=weights, kl_max=kl_max, gap=gap, time_limit_s=limit)
        print(
            f"traffic, KL <= {kl_max:<5g} {plan.value:12.0f} bit, bound {plan.bound:14.1f}, "
            f"gap {100 * plan.gap:.3f} % (asked {100 * gap:g} % in {limit:g} s), KL {plan.kl:.6f}, "
            f"{time.monotonic() - start:6.1f} s, {plan.status}"
        )
    start = time.monotonic()
    limit = 20.0 if quick else 120.0
    plan = schedule(keys, objective="max-min", weights=weights, gap=1e-3, time_limit_s=limit)
    print(
        f"max-min {plan.value:14.0f} bit, bound {plan.bound:14.1f}, gap {100 * plan.gap:.3f} %, "
        f"{time.monotonic() - start:6.1f} s, {plan.status}"
    )


if __name__ == "__main__":
    table, population = week()
    exact(table, population)
    shares(table, population, "--quick" in sys.argv)
