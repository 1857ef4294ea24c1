"""One week, 11 stations, 1-s samples: all terms of the Gaussian-beam channel against the geometry they need.

Usage: python benchmarks/bench_link.py

Target: terms and noise at most 3 times the geometry, which is passes and look angles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from satqkd.channel.models import link_terms
from satqkd.channel.noise import noise_samples
from satqkd.orbit.geometry import LinkGeometry, sample_passes
from satqkd.orbit.passes import find_passes
from satqkd.scenario.load import load_scenario, validate_scenario
from satqkd.scenario.model import Scenario

CHANNEL = {"model": "gaussian-beam", "turbulence": "urban", "extinction": "atmosphere", "aerosol": "urban",
           "visibility": "10 km"}  # fmt: skip
TERMINAL = {"aperture": "0.3 m", "jitter": "1 urad"}
RECEIVER = {"aperture": "1.2 m", "coupling": "single-mode-fibre", "obscuration": "0.3 m", "optics": "3 dB"}
SKY = {"kind": "sky", "site": "urban", "filter_width": "1 GHz", "gate": "1 ns", "twilight": "sunset",
       "sun_exclusion": "10 deg", "moon_exclusion": "2 deg"}  # fmt: skip
DETECTOR = {"efficiency": 0.85, "dark_count_rate": "10 Hz", "misalignment": 0.01}
CASES: dict[str, dict[str, Any]] = {
    "downlink": {"channel": {**CHANNEL, "ao_bandwidth": "200 Hz"}},
    "downlink with sky": {"channel": {**CHANNEL, "ao_bandwidth": "200 Hz"}, "background": SKY, "detector": DETECTOR},
    "uplink": {"channel": {**CHANNEL, "direction": "uplink"}},
    "uplink, tilt-corrected": {"channel": {**CHANNEL, "direction": "uplink", "spread": "tilt-corrected"}},
}


def week(changes: dict[str, Any]) -> Scenario:
    """The week of Micius over China with another link."""
    data = load_scenario("micius-china-week").to_dict()
    data |= {"terminal": TERMINAL, "receiver": RECEIVER} | changes
    data["source"] = {**data["source"], "wavelength": "1550.027 nm"}
    return validate_scenario(data)


def samples(scenario: Scenario) -> LinkGeometry:
    """Passes and geometry."""
    return sample_passes(scenario, find_passes(scenario))


def both(scenario: Scenario, geometry: LinkGeometry) -> None:
    """Terms and noise of all samples."""
    link_terms(scenario, geometry)
    noise_samples(scenario, geometry)


def best_of(function: Callable[[], object], repeats: int = 5) -> float:
    """Shortest wall time of several calls in seconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print the times and their ratios."""
    for darkness in ("horizon", "any"):
        plain = week(CASES["downlink"])
        plain = validate_scenario({**plain.to_dict(), "access": {"darkness": darkness}})
        geometry_s = best_of(partial(samples, plain))
        geometry = samples(plain)
        print(f"darkness {darkness}: {geometry.slant_range_m.size} samples, geometry {geometry_s:.3f} s")
        for name, changes in CASES.items():
            scenario = week(changes)
            link_s = best_of(partial(both, scenario, geometry))
            total = np.prod(list(link_terms(scenario, geometry).transmittance.values()), axis=0)
            print(
                f"  {name:22} {link_s:6.3f} s, {link_s / geometry_s:5.2f} x geometry; "
                f"median loss {np.median(-10.0 * np.log10(total)):.1f} dB"
            )


if __name__ == "__main__":
    main()
