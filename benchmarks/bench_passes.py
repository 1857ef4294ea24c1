"""One week, 11 stations, 1-s samples: passes and look angles against a bare SGP4 call on the whole grid.

Usage: python benchmarks/bench_passes.py

Targets: at most 5 times the bare call, below 1 GB. The search is faster than the call, as it propagates
the satellite on a coarse grid and only looks closer where a station can see it.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from importlib import resources

import numpy as np

from satqkd.orbit.elements_io import parse_elements
from satqkd.orbit.frames import LookAngles, look_angles
from satqkd.orbit.propagation import Sgp4Orbit
from satqkd.orbit.site import ElevationMask, Site
from satqkd.orbit.sun import TWILIGHTS_RAD
from satqkd.orbit.time import julian_date_split
from satqkd.orbit.visibility import visible_intervals_many

START, END = np.datetime64("2016-09-19T00:00:00", "ns"), np.datetime64("2016-09-26T00:00:00", "ns")
SECOND = np.timedelta64(1, "s")
CITIES_DEG_M = {
    "Shanghai": (31.2304, 121.4737, 4.0),
    "Beijing": (39.9042, 116.4074, 44.0),
    "Chengdu": (30.5728, 104.0668, 500.0),
    "Guangzhou": (23.1291, 113.2644, 21.0),
    "Wuhan": (30.5928, 114.3055, 23.0),
    "Xi'an": (34.3416, 108.9398, 405.0),
    "Shenyang": (41.8057, 123.4315, 45.0),
    "Hefei": (31.8206, 117.2272, 37.0),
    "Jinan": (36.6512, 117.1201, 23.0),
    "Urumqi": (43.8256, 87.6168, 800.0),
    "Lhasa": (29.6520, 91.1721, 3650.0),
}


def best_of(function: Callable[[], object], repeats: int = 5) -> float:
    """Shortest wall time of several calls in seconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print the two times, their ratio and the memory."""
    text = resources.files("satqkd.scenario").joinpath("presets/micius-2016.tle").read_text(encoding="utf-8")
    orbit = Sgp4Orbit(parse_elements(text)[1])
    mask = ElevationMask.constant(np.radians(10.0))
    sites = [
        Site(name, float(np.radians(lat)), float(np.radians(lon)), alt, mask)
        for name, (lat, lon, alt) in CITIES_DEG_M.items()
    ]

    def passes() -> list[LookAngles]:
        found = visible_intervals_many(orbit, sites, START, END, darkness_threshold_rad=TWILIGHTS_RAD["horizon"])
        angles = []
        for site, intervals in zip(sites, found, strict=True):
            grid = [
                np.arange(START + (-(-(a - START) // SECOND)) * SECOND, b, SECOND)
                for a, b in zip(intervals.start, intervals.end, strict=True)
            ]
            angles.append(look_angles(*orbit.states_ecef(np.concatenate(grid)), site))
        return angles

    samples = sum(each.elevation_rad.size for each in passes())
    full_s = best_of(passes)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    satrec = orbit.elements.to_satrec()
    split = julian_date_split(np.arange(START, END, SECOND))
    bare_s = best_of(lambda: satrec.sgp4_array(*split))
    print(f"passes and look angles at {samples} visible samples of 11 stations: {full_s:.3f} s")
    print(f"bare sgp4_array at {split[0].size} times: {bare_s:.3f} s")
    print(f"ratio {full_s / bare_s:.2f} (target: at most 5); peak memory {peak_mb:.0f} MB (target: below 1000)")


if __name__ == "__main__":
    main()
