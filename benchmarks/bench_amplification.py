"""Privacy amplification of blocks: the two algorithms against each other, and a check that their bits agree.

Run ``python benchmarks/bench_amplification.py``. Times are the best of three; ratios are within this run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from satqkd.distillation.amplification import METHODS, random_seed, seed_bits, toeplitz_hash


def best_of(function: Callable[[], object], runs: int = 3) -> float:
    """Shortest time of several runs. [s]"""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a line for each block length."""
    generator = np.random.default_rng(1)
    toeplitz_hash(np.ones(100, dtype=np.uint8), seed=bytes(20), output_bits=20, method="shift-xor")  # compiles
    for n in (100_000, 500_000, 900_000):
        rows = n // 4
        bits, seed = generator.integers(0, 2, n, dtype=np.uint8), random_seed(seed_bits(input_bits=n, output_bits=rows))
        results = {m: toeplitz_hash(bits, seed=seed, output_bits=rows, method=m) for m in METHODS}
        assert np.array_equal(results["fft"], results["shift-xor"])
        took = {
            m: best_of(lambda m=m, b=bits, s=seed, r=rows: toeplitz_hash(b, seed=s, output_bits=r, method=m))
            for m in METHODS
        }
        speeds = ", ".join(f"{m} {t:.3f} s ({n / t / 1e6:.1f} Mbit/s)" for m, t in took.items())
        print(f"{n:>7} -> {rows} bits: {speeds}, ratio {took['shift-xor'] / took['fft']:.1f}")


if __name__ == "__main__":
    main()
