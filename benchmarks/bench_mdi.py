"""Time of optimised MDI-QKD passes, beside scipy's optimiser per slot with the same objective in the same run.

The reference maximises :func:`satqkd.security.mdi.key_rate` (or the un-clamped ``key_length``), NumPy and plain Python,
with ``scipy.optimize.minimize`` (Nelder-Mead, from the neighbouring slot's optimum), over every tenth slot; of the
finite keys over one. Run: ``python benchmarks/bench_mdi.py``, about 4 minutes.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.optimize import minimize

from satqkd.security import mdi
from satqkd.security.mdi_keys import as_arguments
from satqkd.security.mdi_optimise import optimise_keys, optimise_rates

RECEIVER = {"p_dark": 1e-7, "misalignment": 0.015}
TIME = np.linspace(-1.0, 1.0, 280)
ETA_A, ETA_B = (10.0 ** (-0.1 * (20.0 + 4.0 * (TIME + shift) ** 2)) for shift in (0.3, -0.3))
WEAKEST = 1e-3
NAMES = (
    "mu_a",
    "mu_b",
    "ratio",
    "balance",
    "signal_a",
    "signal_b",
    "p_mu_a",
    "share_nu_a",
    "p_mu_b",
    "share_nu_b",
    "p_z",
)
FIRST = (0.25, 0.25, 0.22, 0.0, 0.35, 0.35, 0.10, 0.65, 0.10, 0.65, 0.50)


def rate(links: tuple[np.ndarray, np.ndarray], x: np.ndarray, decoy: str) -> float:
    """Rate of intensities given by logarithms, summed over a slot."""
    a, b = ((mu,) if decoy == "infinite" else (mu, r * mu, 0.0) for mu, r in zip(np.exp(x[:2]), ratio(x), strict=True))
    found = mdi.key_rate(*links, intensities_a=a, intensities_b=b, decoy=decoy, **RECEIVER)
    return float(found.rate_raw.sum())


def ratio(x: np.ndarray) -> np.ndarray:
    """Decoy over signal within its limits, from logarithms of odds."""
    return WEAKEST + (0.95 - WEAKEST) / (1.0 + np.exp(-x[2:])) if x.size > 2 else np.ones(2)


def key(links: tuple[np.ndarray, np.ndarray], x: np.ndarray, pulses: float) -> float:
    """Un-clamped key of a setting."""
    values = dict(zip(NAMES, x, strict=True))
    inside = all(1e-3 < x[k] < 0.999 for k in (2, 6, 7, 8, 9, 10)) and min(x[0], x[1], x[4], x[5]) > 1e-3
    if not inside or max(x[0], x[1], x[4], x[5]) > 2.0:
        return -np.inf
    found = mdi.key_length(
        *links, pulses=pulses, **as_arguments(values, WEAKEST), **RECEIVER, eps_secrecy=1e-9, eps_correctness=1e-12
    )
    return found.key_bits_raw


def slots(length: int) -> list[slice]:
    """Slots of a pass."""
    return [slice(start, min(start + length, TIME.size)) for start in range(0, TIME.size, length)]


def reference(objective, first: np.ndarray, scale: float, parts: list[slice]) -> tuple[float, float]:
    """Seconds per slot, and the sum of what was found."""
    start, point, total = time.perf_counter(), first, 0.0
    for part in parts:
        links = ETA_A[part], ETA_B[part]
        options = {"xatol": 1e-7, "fatol": 1e-9, "adaptive": True, "maxiter": 20_000, "maxfev": 20_000}
        found = minimize(lambda x, at=links: -scale * objective(at, x), point, method="Nelder-Mead", options=options)
        point, total = found.x, total - found.fun / scale
    return (time.perf_counter() - start) / len(parts), total


def main() -> None:
    """Print times per pass and ratios per slot."""
    optimise_rates(ETA_A[:2], ETA_B[:2], pulses_per_s=1e9, **RECEIVER)  # compiles
    optimise_keys(ETA_A[:2], ETA_B[:2], pulses_per_s=1e14, **RECEIVER)
    print(
        f"{'280 s pass':34s} {'whole pass':>11s} {'per slot':>10s} {'scipy':>10s} {'ratio':>7s} {'ours / scipy':>13s}"
    )
    for decoy, first in (("infinite", np.log([0.5, 0.5])), ("three-intensity", np.array([-0.7, -0.7, -5.0, -5.0]))):
        for length in (1, 10):
            start = time.perf_counter()
            plan = optimise_rates(ETA_A, ETA_B, decoy=decoy, slot_s=float(length), pulses_per_s=1.0, **RECEIVER)
            ours = time.perf_counter() - start
            parts = slots(length)[::10]
            theirs, total = reference(lambda at, x, d=decoy: rate(at, x, d), first, 1e8, parts)
            mine = float(plan.slot_bits[::10].sum())
            each = ours / plan.slot_bits.size
            print(f"{decoy + f', slots of {length} s':34s} {ours:9.2f} s {1e3 * each:7.2f} ms {1e3 * theirs:7.1f} ms "
                  f"{theirs / each:7.0f} {mine / total:13.8f}")  # fmt: skip
    start = time.perf_counter()
    security = {"eps_secrecy": 28e-9, "eps_correctness": 28e-12}
    plan = optimise_keys(ETA_A, ETA_B, slot_s=10.0, pulses_per_s=1e14, **security, **RECEIVER)
    ours, parts = time.perf_counter() - start, slots(10)[13:14]
    first = np.array(FIRST)
    theirs, total = reference(lambda at, x: key(at, x, 1e15), first, 1.0, parts)
    mine, each = float(plan.key_bits[13:14].sum()), ours / plan.key_bits.size
    print(f"{'finite keys, slots of 10 s':34s} {ours:9.2f} s {1e3 * each:7.2f} ms {1e3 * theirs:7.1f} ms "
          f"{theirs / each:7.0f} {mine / total:13.8f}")  # fmt: skip
    for slot_s in (28.0, None):
        start = time.perf_counter()
        programmed = {"decoy": "linear-program", "slot_s": slot_s, "step_s": 7.0, "pulses_per_s": 1.0}
        optimise_rates(ETA_A[::7], ETA_B[::7], **programmed, **RECEIVER)
        what = "linear program, 40 instants, " + ("slots of 4" if slot_s else "one slot")
        print(f"{what:41s} {time.perf_counter() - start:4.1f} s")


if __name__ == "__main__":
    main()
