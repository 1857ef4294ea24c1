"""Joint plans of a contended constellation: gap, time and memory, and how time grows with the days planned.

Usage: python benchmarks/bench_constellation.py

Target: 1 % proven within 60 s on two cores and below 2 GB, for one day and three seeds; time near-linear in days.
"""

from __future__ import annotations

import resource
import time

from satqkd.planning.constellation import WindowPlan, plan_windows
from satqkd.planning.instances import Samples, polar_constellation
from satqkd.planning.windows import from_samples


def planned(samples: Samples, relative_gap: float) -> tuple[WindowPlan, float, float]:
    """Plan, wall and processor time in seconds, building the windows included."""
    wall_s, processor_s = time.perf_counter(), time.process_time()
    windows = from_samples(samples.satellite, samples.interval, samples.station, samples.bits, shape=samples.shape)
    plan = plan_windows(windows, relative_gap=relative_gap, time_limit_s=60.0)
    return plan, time.perf_counter() - wall_s, time.process_time() - processor_s


def main() -> None:
    """Print a row per instance and gap asked for."""
    planned(polar_constellation(0, hours=2.0), 0.0)  # compile
    print("seed days contested samples  asked     proven   Mbit      wall s  processor s  parts  complete  peak MB")
    first = {}
    for seed, days in ((1, 1), (2, 1), (3, 1), (1, 3), (1, 7)):
        samples = polar_constellation(seed, hours=24.0 * days)
        if samples.contested < 0.5:
            raise SystemExit(f"seed {seed}: only {samples.contested:.1%} of the station intervals are contested")
        for asked in (1e-2, 1e-4, 0.0):
            plan, wall_s, processor_s = planned(samples, asked)
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{seed:4d} {days:4d} {samples.contested:9.1%} {len(samples.bits):7d}  {asked:5.0e}  {plan.gap:9.2e} "
                f"{plan.value / 1e6:9.3f} {wall_s:8.2f} {processor_s:12.2f} {plan.parts:6d} {plan.complete!s:>9} "
                f"{peak_mb:8.0f}"
            )
            if seed == 1:
                first[days, asked] = processor_s
    for asked in (1e-2, 1e-4, 0.0):
        ratios = ", ".join(f"{days} days {first[days, asked] / first[1, asked]:.1f}" for days in (3, 7))
        print(f"processor time relative to 1 day, gap {asked:g}: {ratios}")


if __name__ == "__main__":
    main()
