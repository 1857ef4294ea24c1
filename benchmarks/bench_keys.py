"""Time of a finite-key evaluation, beside a naive reference in the same run.

The reference is what a direct transcription does: a Python loop over the slots, quantiles by summing terms from the
end of the distribution. Run: ``python benchmarks/bench_keys.py``. The ratio is comparable between machines.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from satqkd.security import gllp, lim2014

SLOTS = 441
ETA = 2e-3 / (1.0 + (np.linspace(-220.0, 220.0, SLOTS) / 90.0) ** 2)
LINK = {
    "pulses_per_slot": 1e8,
    "intensities": (0.7, 0.15, 0.0),
    "intensity_probabilities": (0.72, 0.2, 0.08),
    "p_key_basis": 0.8,
    "p_extraneous": 5e-7,
    "qber_intrinsic": 0.005,
    "p_afterpulse": 1e-3,
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


def h(x: float) -> float:
    """Binary entropy."""
    return -x * math.log2(x) - (1 - x) * math.log2(1 - x) if 0 < x < 1 else 0.0


def _log_choose(n: float, k: float) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def naive_key() -> float:
    """The default analysis, transcribed line by line."""
    mus, ps, p_x = LINK["intensities"], LINK["intensity_probabilities"], LINK["p_key_basis"]
    n_x, n_z, m_z, m_x = [0.0] * 3, [0.0] * 3, [0.0] * 3, 0.0
    for t in ETA:
        d = [1.001 * (1 - (1 - 1e-6) * math.exp(-mu * t)) for mu in mus]
        e = [5e-7 + 5e-4 * x + 0.005 * (1 - math.exp(-mu * t)) for x, mu in zip(d, mus, strict=True)]
        mean_d = sum(p * x for p, x in zip(ps, d, strict=True))
        mean_e = sum(p * x for p, x in zip(ps, e, strict=True))
        m_x += 1e8 * p_x**2 * mean_e
        for k in range(3):
            n_x[k] += 1e8 * p_x**2 * ps[k] * d[k]
            n_z[k] += 1e8 * (1 - p_x) ** 2 * ps[k] * d[k]
            m_z[k] += 1e8 * (1 - p_x) ** 2 * ps[k] * d[k] * mean_e / mean_d
    b = math.log(21e9)
    up = [
        [math.exp(m) / p * (y + b + math.sqrt(2 * b * y + b * b)) for m, p, y in zip(mus, ps, c, strict=True)]
        for c in (n_x, n_z, m_z)
    ]
    low = [
        [math.exp(m) / p * (y - b / 2 - math.sqrt(2 * b * y + b * b / 4)) for m, p, y in zip(mus, ps, c, strict=True)]
        for c in (n_x, n_z, m_z)
    ]
    tau0 = sum(p * math.exp(-m) for m, p in zip(mus, ps, strict=True))
    tau1 = sum(p * m * math.exp(-m) for m, p in zip(mus, ps, strict=True))
    s0 = [max(tau0 * low[i][2], 0.0) for i in (0, 1)]
    s1 = [
        tau1 * mus[0] * (low[i][1] - up[i][2] - (mus[1] / mus[0]) ** 2 * (up[i][0] - s0[i] / tau0))
        / (mus[0] * mus[1] - mus[1] ** 2)
        for i in (0, 1)
    ]  # fmt: skip
    v = min(tau1 * (up[2][1] - low[2][2]) / mus[1], sum(m_z))
    sample, errors, population = math.floor(s1[1]), math.ceil(v), math.ceil(s1[0] + s1[1])
    below, above = population * errors // sample, population // 2
    while above - below > 1:  # bisection; every tail from zero errors upwards
        middle = (below + above) // 2
        start = max(0, errors - 600)
        log_start = _log_choose(middle, start) + _log_choose(population - middle, sample - start)
        term = math.exp(log_start - _log_choose(population, sample))
        tail = term
        for x in range(start, errors):
            term *= (middle - x) * (sample - x) / ((x + 1) * (population - middle - sample + x + 1))
            tail += term
        below, above = (below, middle) if tail <= 1e-9 / 21 else (middle, above)
    phi = (above - errors) / s1[0]
    n = sum(n_x)
    q = m_x / n
    e = int(n * q + 20 * math.sqrt(n * q))
    pmf = math.exp(_log_choose(int(n), e) + e * math.log(q) + (int(n) - e) * math.log1p(-q))
    tail = pmf
    while tail < 1e-15:
        pmf *= e * (1 - q) / ((int(n) - e + 1) * q)
        e -= 1
        tail += pmf
    converse = n * h(q) + (n * (1 - q) - int(n) + e - 1) * math.log2((1 - q) / q) - math.log2(n) / 2 + math.log2(1e-15)
    leak = max(converse, 1.16 * n * h(q))
    return s0[0] + s1[0] * (1 - h(phi)) - leak - 6 * math.log2(21e9) - math.log2(2e15)


def naive_rate() -> list[float]:
    """The asymptotic rate, one slot at a time."""
    mu, nu, y0, e_d = 0.5, 0.08, 3e-6, 0.015
    rates = []
    for t in ETA:
        gain = [1 - (1 - y0) * math.exp(-t * x) for x in (mu, nu)]
        error = [0.5 * y0 + e_d * (1 - math.exp(-t * x)) for x in (mu, nu)]
        weak = gain[1] * math.exp(nu) - gain[0] * math.exp(mu) * (nu / mu) ** 2 - (1 - (nu / mu) ** 2) * y0
        y1 = mu / (mu * nu - nu**2) * weak
        e1 = (error[1] * math.exp(nu) - 0.5 * y0) / (y1 * nu)
        rates.append(0.5 * (y1 * mu * math.exp(-mu) * (1 - h(e1)) - 1.16 * gain[0] * h(error[0] / gain[0])))
    return rates


def main() -> None:
    """Print one line per task."""
    ours, reference = lim2014.key_length(ETA, **LINK).key_bits_raw, naive_key()
    if not math.isclose(ours, reference, rel_tol=1e-6):  # log-gamma differences cost the reference its digits
        raise SystemExit(f"the reference disagrees: {ours} and {reference} bits")
    rate = {"mu": 0.5, "nu": 0.08, "y0": 3e-6, "misalignment": 0.015, "f_ec": 1.16, "sifting": 0.5}
    quick = {"sampling": "lim2014", "leakage": "block"}
    naive = seconds(naive_key)
    tasks: list[tuple[str, Callable[[], object], float]] = [
        (f"lim2014.key_length, {SLOTS} slots", lambda: lim2014.key_length(ETA, **LINK), naive),
        ("  sampling=lim2014, leakage=block", lambda: lim2014.key_length(ETA, **LINK, **quick), naive),
        ("lim2014.margin_db", lambda: lim2014.margin_db(ETA, **LINK), naive * 20),
        (f"gllp.key_rate, {SLOTS} slots", lambda: gllp.key_rate(ETA, **rate), seconds(naive_rate)),
    ]
    print(f"{'task':40s} {'time':>10s} {'naive':>10s} {'naive/ours':>10s}")
    for name, task, reference_s in tasks:
        took = seconds(task)
        print(f"{name:40s} {1e6 * took:8.0f} us {1e6 * reference_s:8.0f} us {reference_s / took:10.1f}")
    print("(the naive margin is 20 naive evaluations, what a bisection of the same range needs)")


if __name__ == "__main__":
    main()
