"""Time of an optimised pass, beside the same search over a straightforward NumPy sum in the same run.

The reference adds up the 443 seconds of a zenith pass with NumPy arrays at every evaluation and takes the exact
quantiles, driven by the same Nelder-Mead source run by Python. Run: ``python benchmarks/bench_optimise.py``; with
``--compile`` it measures the first run of a new installation instead.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from satqkd.security import lim2014
from satqkd.security.leakage import LEAKAGE
from satqkd.security.lim2014_analysis import Lim2014
from satqkd.security.optimise import Problem, best
from satqkd.security.sampling import SAMPLING
from satqkd.study.overpasses import BASELINE, overpass

CONVENTIONS = {"sound": ("exact-smooth", "achievable"), "published": ("lim2014", "satquma")}


def straightforward(eta: np.ndarray, sampling: str, leakage: str):
    """Un-clamped key of a setting: sums over the seconds in NumPy, then the formulas."""
    pulses, p_ec, q_i, p_ap = (
        BASELINE[n] for n in ("pulses_per_slot", "p_extraneous", "qber_intrinsic", "p_afterpulse")
    )
    beta = math.log(21e9)
    phase_error, leaked = SAMPLING[sampling], LEAKAGE[leakage]

    def h(x: float) -> float:
        return -x * math.log2(x) - (1 - x) * math.log2(1 - x) if 0 < x < 1 else 0.0

    def key(setting: np.ndarray, data: np.ndarray) -> float:
        mu, p, bias = setting[:3], setting[3:6], setting[6]
        click = 1 - np.exp(-np.outer(mu, eta))
        d = (1 + p_ap) * (1 - (1 - 2 * p_ec) * (1 - click))
        e = p_ec + p_ap * d / 2 + q_i * click
        rate = (p @ e) / (p @ d)
        n = pulses * p * d.sum(axis=1)
        m = pulses * p * (d * rate).sum(axis=1)
        errors = pulses * float((p @ e).sum())
        counts = np.array([bias**2 * n, (1 - bias) ** 2 * n, (1 - bias) ** 2 * m])
        scale = np.exp(mu) / p
        low = scale * (counts - beta / 2 - np.sqrt(2 * beta * counts + beta**2 / 4))
        high = scale * (counts + beta + np.sqrt(2 * beta * counts + beta**2))
        tau0, tau1 = float(p @ np.exp(-mu)), float(p @ (mu * np.exp(-mu)))
        s0 = np.clip(tau0 * (mu[1] * low[:2, 2] - mu[2] * high[:2, 1]) / (mu[1] - mu[2]), 0, counts[:2].sum(axis=1))
        square = mu[1] ** 2 - mu[2] ** 2
        bracket = low[:2, 1] - high[:2, 2] - square / mu[0] ** 2 * (high[:2, 0] - s0 / tau0)
        s1 = tau1 * mu[0] * bracket / (mu[0] * (mu[1] - mu[2]) - square)
        s1 = np.minimum(s1, counts[:2].sum(axis=1) - s0)
        v = min(tau1 * (high[2, 1] - low[2, 2]) / (mu[1] - mu[2]), counts[2].sum())
        n_key = float(counts[0].sum())
        leak = leaked(n_key, bias**2 * errors / n_key, 1e-15, 1.16)
        constants = 6 * math.log2(21e9) + math.log2(2e15)
        if s1.min() <= 0:
            return float(np.minimum(s1, 0).sum()) - leak - constants
        phi = phase_error(float(v), float(s1[1]), float(s1[0]), 1e-9)
        return float(s0[0] + s1[0] * (1 - h(phi))) - leak - constants

    return key


class Reference(Lim2014):
    """The same analysis with the straightforward objective."""

    def __init__(self, eta: np.ndarray, sampling: str, leakage: str) -> None:
        super().__init__()
        self._key = straightforward(eta, sampling, leakage)

    def prepare(self, fixed):
        return Problem(self._key, lambda choice: np.zeros(0), lambda parameters, choice: None)


def seconds(task, repeat: int) -> float:
    """Least processor time of one call: what else runs on the machine matters less than on the clock."""
    took = []
    for _ in range(repeat):
        start = time.process_time()
        task()
        took.append(time.process_time() - start)
    return min(took)


def points() -> None:
    """Print time per optimised point and per evaluation."""
    print(f"{'conventions, system loss':26s} {'cold':>9s} {'warm':>9s} {'NumPy':>9s} {'ratio':>6s} {'evaluations':>14s}"
          f" {'per evaluation':>20s} {'ratio':>6s} {'key/NumPy key':>13s}")  # fmt: skip
    for name, (sampling, leakage) in CONVENTIONS.items():
        options = {"sampling": sampling, "leakage": leakage}
        for extra_db in (0.0, 6.0, 13.0):
            _, eta = overpass(0.0, extra_loss_db=extra_db)
            fixed = {**BASELINE, **options, "transmittance": eta}
            found = best("lim2014", fixed=fixed)
            near = best("lim2014", fixed={**fixed, "transmittance": eta * 10**-0.02})
            reference = Reference(eta, sampling, leakage)
            slow = best(reference, fixed={})
            colds, references = [], []
            for _ in range(3):  # one after the other: a busy minute of the machine hits both
                colds.append(seconds(lambda fixed=fixed: best("lim2014", fixed=fixed), 60))
                references.append(seconds(lambda r=reference: best(r, fixed={}), 1))
            cold, reference_s = min(colds), min(references)
            warm = seconds(lambda fixed=fixed, near=near: best("lim2014", fixed=fixed, start=near), 60)
            problem = Lim2014().prepare(fixed)
            data, setting = problem.data(None), np.array([0.7, 0.12, 0.0, 0.85, 0.1, 0.05, 0.86])
            ours = seconds(lambda p=problem, d=data, x=setting: [p.objective(x, d) for _ in range(2000)], 3) / 2000
            theirs = seconds(lambda r=reference, x=setting: [r._key(x, x) for _ in range(200)], 3) / 200
            exact = lim2014.key_length(eta, **BASELINE, **options, **slow.parameters).key_bits_raw
            print(
                f"{name + f', {27 + extra_db:g} dB':26s} {1e3 * cold:6.2f} ms {1e3 * warm:6.2f} ms "
                f"{1e3 * reference_s:6.0f} ms {reference_s / cold:6.0f} {found.evaluations:6d} {slow.evaluations:7d} "
                f"{1e6 * ours:8.2f} {1e6 * theirs:8.0f} us {theirs / ours:6.0f} {found.key.key_bits_raw / exact:13.8f}"
            )


def windows() -> None:
    """Print the time of a pass with its window varied, too, and of a sweep."""
    time_s, eta = overpass(0.0)
    fixed = {**BASELINE, "transmittance": eta * 10**-1.0, "time_s": time_s}
    took = seconds(lambda: best("lim2014", fixed=fixed), 5)
    print(f"window varied, too (37 dB): {1e3 * took:.0f} ms, {best('lim2014', fixed=fixed).evaluations} evaluations")


def first_run() -> None:
    """Print the time of compilation in a new cache."""
    code = (
        "import time\nimport numba\nstart = time.perf_counter()\n"
        "from satqkd.security import _lanczos, _lim2014_fast, _search\nprint(time.perf_counter() - start)"
    )
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for which in ("first run, compiling", "second run, from the cache"):
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            )
            print(f"{which}: {float(done.stdout):.2f} s")


if __name__ == "__main__":
    if "--compile" in sys.argv:
        first_run()
    else:
        points()
        windows()
        first_run()
