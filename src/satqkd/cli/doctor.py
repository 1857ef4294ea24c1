"""Checks of an installation."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

__all__ = ["examine"]

_REQUIRED = ("numpy", "scipy", "numba", "xarray", "h5netcdf", "h5py", "pydantic", "sgp4", "typer", "rich", "matplotlib")

_KNOWN_KEY_BITS = 3751246
"""Key of a zenith pass with Table I of Sidhu et al. 2022 in the published conventions: row e02 of the tests' table."""


def _versions() -> tuple[bool, str]:
    found, missing = [], []
    for name in _REQUIRED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    return not missing, ", ".join(found) + (f"; missing: {', '.join(missing)}" if missing else "")


def _presets() -> tuple[bool, str]:
    from satqkd.scenario.load import load_scenario, preset_names

    return True, ", ".join(load_scenario(name).name for name in preset_names())


def _known_key() -> tuple[bool, str]:
    from satqkd.scenario.load import load_scenario
    from satqkd.security.lim2014 import key_length

    rows = load_scenario("micius-zenith").efficiency_rows()
    assert rows is not None
    half = [eta for t, eta in zip(rows.time_s, rows.efficiency, strict=True) if t <= 220.0]
    began = time.perf_counter()
    key = key_length(
        half[:0:-1] + half,
        pulses_per_slot=1e8,
        intensities=(0.7921, 0.1707, 0.0),
        intensity_probabilities=(0.7501, 0.1749, 0.075),
        p_key_basis=0.7611,
        p_extraneous=5e-7,
        qber_intrinsic=0.005,
        p_afterpulse=1e-3,
        sampling="lim2014",
        leakage="satquma",
    )
    took = 1e3 * (time.perf_counter() - began)
    return key.key_bits == _KNOWN_KEY_BITS, f"{key.key_bits} bits in {took:.1f} ms, expected {_KNOWN_KEY_BITS}"


def examine() -> list[tuple[str, bool, str]]:
    """Run all checks.

    Returns
    -------
    list of tuple
        Name of the check, whether it passed, and what was found.
    """
    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "python": lambda: (True, f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        "packages": _versions,
        "presets": _presets,
        "known key": _known_key,
    }
    findings = []
    for name, check in checks.items():
        try:
            ok, detail = check()
        except Exception as error:  # whatever is broken is the finding
            ok, detail = False, f"{type(error).__name__}: {error}"
        findings.append((name, ok, detail))
    return findings
