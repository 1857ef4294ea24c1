"""Search of column-degree profiles by linear programs along the course of a density evolution.

At a fixed check degree the rate is linear in the edge fractions of the columns, and so is the entropy that leaves the
columns in every iteration; hence the best small step is a linear program (Richardson, Shokrollahi, Urbanke, *IEEE
Trans. Inf. Theory* 47, 619, 2001). Repeated from the new course until nothing is gained.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ldpc_density_evolution import binary_entropy, concentrated, edge_fractions, evolve, stability
from scipy.optimize import linprog

DEGREES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30]
PROGRESS = 0.01
"""Least relative fall of the entropy per iteration: fewer iterations, at a few 1e-4 of threshold."""

FOREST = 1.7
"""Limit of (edge fraction of degree 2) x (check degree): at 2 those columns, as many as the rows, close cycles."""


def node_fractions(edge: Mapping[int, float]) -> dict[int, float]:
    """Node perspective of edge fractions."""
    total = sum(fraction / degree for degree, fraction in edge.items())
    return {degree: fraction / degree / total for degree, fraction in edge.items() if fraction > 0.0}


def rows_per_column(edge: Mapping[int, float], checks: Mapping[int, float]) -> float:
    """Rows per column of the ensemble."""
    return sum(f / d for d, f in checks.items()) / sum(f / d for d, f in edge.items())


def improve(
    qber: float, edge: Mapping[int, float], mean_check_degree: float, *, pairs_per_column: float = np.inf,
    degrees: list[int] = DEGREES, rounds: int = 25,
) -> tuple[dict[int, float], float]:  # fmt: skip
    """Profile (edge fractions) of fewest rows found at a check degree, and its rows per column.

    ``pairs_per_column``: limit of the mean number of pairs of edges per column, which a matrix without 4-cycles has.
    """
    checks = concentrated(mean_check_degree)
    d = np.array(degrees, float)
    best = np.zeros(d.size)
    for degree, fraction in edge.items():
        best[np.argmin(np.abs(d - degree))] += fraction
    best /= best.sum()
    course = evolve(qber, dict(zip(degrees, best, strict=True)), checks, record=degrees)
    if not course.converged:
        return dict(edge), np.inf
    trust, rows = 0.03, rows_per_column(dict(zip(degrees, best, strict=True)), checks)
    per_two = stability(qber, {2: 1.0}, checks)
    for _ in range(rounds):
        start = course.before[0]
        used = course.before > 8e-3 * start
        a_ub = [course.by_degree[used] / course.before[used, None], np.where(d == 2, per_two, 0.0)[None]]
        b_ub = [np.full(used.sum(), 1.0 - PROGRESS), np.array([0.98])]
        present = float(best @ ((d - 1.0) / 2.0) / (best @ (1.0 / d)))
        limit = max(pairs_per_column, 0.9 * present)
        a_ub.append(((d - 1.0) / 2.0 - limit / d)[None])
        b_ub.append(np.zeros(1))
        bounds = np.stack([np.maximum(best - trust, 0.0), best + trust], axis=1)
        bounds[d == 2] = [0.0, max(FOREST / mean_check_degree, best[0] - trust)]
        found = linprog(
            -1.0 / d, A_ub=np.concatenate(a_ub), b_ub=np.concatenate(b_ub), A_eq=np.ones((1, d.size)), b_eq=[1.0],
            bounds=bounds, method="highs",
        )  # fmt: skip
        if found.status != 0:
            # the course is slower than asked for: take what falls most
            slack = linprog(
                np.append(np.zeros(d.size), -1.0),
                A_ub=np.column_stack([np.concatenate(a_ub), np.r_[np.ones(used.sum()), np.zeros(len(b_ub) - 1)]]),
                b_ub=np.concatenate(b_ub) + np.r_[np.full(used.sum(), PROGRESS), np.zeros(len(b_ub) - 1)],
                A_eq=np.append(np.ones(d.size), 0.0)[None], b_eq=[1.0],
                bounds=[*map(tuple, bounds), (None, PROGRESS)], method="highs",
            )  # fmt: skip
            if slack.status != 0:
                trust *= 0.5
                continue
            candidate = slack.x[:-1]
        else:
            candidate = found.x
        candidate = np.where(candidate < 1e-9, 0.0, candidate)
        candidate /= candidate.sum()
        trial = evolve(qber, dict(zip(degrees, candidate, strict=True)), checks, record=degrees)
        new = rows_per_column(dict(zip(degrees, candidate, strict=True)), checks)
        if not trial.converged or (found.status == 0 and new > rows - 1e-6 and present < pairs_per_column):
            trust *= 0.5
            if trust < 1e-3:
                break
            continue
        best, course, rows = candidate, trial, new
    if best @ ((d - 1.0) / 2.0 - 1.01 * pairs_per_column / d) > 0.0:
        return dict(edge), np.inf
    return {degree: float(f) for degree, f in zip(degrees, best, strict=True) if f > 0.0}, rows


def search(
    qber: float, start: Mapping[int, float], *, columns: int = 2000, circulant: int = 50, fill: float = 0.55,
    step: float = 1.06,
) -> dict[str, object]:  # fmt: skip
    """Best profile at a QBER over check degrees, from the node fractions ``start``."""
    entropy = binary_entropy(qber)
    edge = edge_fractions(start)
    per_column = 1.0 / sum(f / d for d, f in edge.items())
    base_rows = columns * 1.08 * entropy
    pairs = fill * 0.5 * base_rows**2 * circulant / columns
    centre, tried = per_column / (1.09 * entropy), {}
    while len(tried) < 12:
        for degree in (centre, centre * step, centre / step):
            if all(abs(degree / other - 1.0) > 0.2 * (step - 1.0) for other in tried):
                begin = min(tried.values(), key=lambda v: v[1])[0] if tried else edge
                tried[degree] = improve(qber, begin, degree, pairs_per_column=pairs)
                print(f"  qber {qber:.4f} check degree {degree:8.3f} f {tried[degree][1] / entropy:.4f}", flush=True)
        best = min(tried, key=lambda k: tried[k][1])
        if not np.isfinite(tried[best][1]):
            centre = min(tried) / step
            continue
        if abs(best / centre - 1.0) < 0.2 * (step - 1.0):
            break
        centre = best
    edge, rows = tried[best]
    return {
        "design_qber": qber,
        "rows_per_column": rows,
        "threshold_efficiency": rows / entropy,
        "node_degree_fractions": {str(d): f for d, f in node_fractions(edge).items()},
    }


def main() -> None:
    """Search at the given QBERs, each from the profile nearest to it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start", type=Path, help="JSON of profiles to start from")
    parser.add_argument("output", type=Path)
    parser.add_argument("--qber", type=float, nargs="+", required=True)
    arguments = parser.parse_args()
    start = json.loads(arguments.start.read_text(encoding="utf-8"))
    found: dict[str, object] = {}
    for qber in arguments.qber:
        nearest = min(start, key=lambda name: abs(np.log(float(name) / qber)))
        fractions = {int(d): f for d, f in start[nearest]["node_degree_fractions"].items()}
        found[str(qber)] = search(qber, fractions)
        start[str(qber)] = found[str(qber)]
        arguments.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
