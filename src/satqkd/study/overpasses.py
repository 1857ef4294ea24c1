"""Keys of overpasses at every ground-track offset, and what a station collects in a year.

The measured zenith link efficiency of Micius, a circular orbit over a spherical Earth at rest, optimised settings and
window for every pass: the model of Sidhu et al. (npj Quantum Inf. 8, 18, 2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.empirical import interpolate_efficiency
from satqkd.constants import EARTH_GM_M3_S2, MEAN_EARTH_RADIUS_M
from satqkd.errors import InputError
from satqkd.security.optimise import Analysis, Optimum, best

__all__ = ["BASELINE", "CURVE_ALTITUDE_M", "OffsetKeys", "annual_key", "keys_over_offsets", "overpass", "pass_key"]

FloatArray = NDArray[np.float64]

CURVE_ALTITUDE_M = 500e3
"""Altitude of the orbit whose zenith pass the efficiency curve belongs to. [m]"""

BASELINE: Mapping[str, Any] = {
    "pulses_per_slot": 1e8,
    "p_extraneous": 5e-7,
    "qber_intrinsic": 5e-3,
    "p_afterpulse": 1e-3,
    "eps_correctness": 1e-15,
    "eps_secrecy": 1e-9,
}
"""Table I of Sidhu et al.: 100 MHz in slots of one second."""


@cache
def _curve() -> tuple[FloatArray, FloatArray]:
    path = files("satqkd.scenario") / "presets" / "micius_zenith_link_efficiency.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",")[:3] for line in lines if line and not line.startswith("#")]
    table = np.array(rows, dtype=np.float64)
    table = table[table[:, 0] >= 0.0]
    table = table[np.argsort(table[:, 0])]
    return table[:, 0], table[:, 2]


def overpass(
    offset_m: float, *, min_elevation_deg: float = 10.0, extra_loss_db: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    r"""Transmittance of a pass in slots of one second.

    Parameters
    ----------
    offset_m : float
        Least ground distance between station and ground track; 0 is a zenith pass. [m]
    min_elevation_deg : float
        Slots below are left out. [deg]
    extra_loss_db : float
        Loss added to the curve, which has 26.99 dB at zenith. [dB]

    Returns
    -------
    tuple of ndarray
        Time from culmination [s] and transmittance [1].

    Raises
    ------
    InputError
        If an argument is outside its range.

    Notes
    -----
    :math:`\cos\psi = \cos\xi\cos\omega t` with :math:`\xi = d/R`; range, and so the efficiency, depends on elevation
    only.
    """
    if not (0.0 <= offset_m < math.pi * MEAN_EARTH_RADIUS_M and 0.0 <= min_elevation_deg < 90.0):
        raise InputError(
            f"overpass: offset {offset_m!r} m, elevation {min_elevation_deg!r} deg: must be 0 to 2e7 m, 0 to 90 deg"
        )
    if not 0.0 <= extra_loss_db < math.inf:
        raise InputError(f"overpass: extra loss {extra_loss_db!r} dB must be finite and at least 0")
    curve_time_s, efficiency = _curve()
    radius_m = MEAN_EARTH_RADIUS_M + CURVE_ALTITUDE_M
    rate_rad_s = math.sqrt(EARTH_GM_M3_S2 / radius_m**3)
    time_s = np.arange(-curve_time_s[-1], curve_time_s[-1] + 1.0)
    angle = np.arccos(math.cos(offset_m / MEAN_EARTH_RADIUS_M) * np.cos(rate_rad_s * time_s))
    elevation = np.arctan2(np.cos(angle) - MEAN_EARTH_RADIUS_M / radius_m, np.sin(angle))
    lowest = np.arctan2(
        math.cos(rate_rad_s * curve_time_s[-1]) - MEAN_EARTH_RADIUS_M / radius_m,
        math.sin(rate_rad_s * curve_time_s[-1]),
    )
    seen = elevation >= max(math.radians(min_elevation_deg), float(lowest))
    eta = interpolate_efficiency(
        elevation[seen], curve_time_s=curve_time_s, curve_efficiency=efficiency, curve_altitude_m=CURVE_ALTITUDE_M
    )
    return time_s[seen], eta * 10.0 ** (-extra_loss_db / 10.0)


def pass_key(
    offset_m: float,
    *,
    analysis: Analysis | str = "lim2014",
    extra_loss_db: float = 0.0,
    min_elevation_deg: float = 10.0,
    window: bool = True,
    start: Optimum | None = None,
    **options: Any,
) -> Optimum | None:
    """Optimised key of a pass.

    Parameters
    ----------
    offset_m : float
        As in :func:`overpass`. [m]
    analysis : Analysis or str
        Analysis of :func:`satqkd.security.optimise.best`.
    extra_loss_db, min_elevation_deg : float
        As in :func:`overpass`.
    window : bool
        Whether the transmission window is varied, too; else the whole pass is used.
    start : Optimum, optional
        Optimum of a neighbouring pass.
    **options
        Replace or add to :data:`BASELINE`.

    Returns
    -------
    Optimum or None
        None if the pass has no slot above the least elevation.
    """
    time_s, eta = overpass(offset_m, min_elevation_deg=min_elevation_deg, extra_loss_db=extra_loss_db)
    if not eta.size:
        return None
    fixed = {**BASELINE, **options, "transmittance": eta}
    return best(analysis, fixed={**fixed, "time_s": time_s} if window else fixed, start=start)


@dataclass(frozen=True)
class OffsetKeys:
    """Key per pass against the ground-track offset.

    Attributes
    ----------
    offset_m : ndarray
        Offsets from 0 on, up to the first without a key. [m]
    key_bits : ndarray
        Key of a pass. [bit]
    """

    offset_m: FloatArray
    key_bits: FloatArray

    @property
    def integral_bit_m(self) -> float:
        """One side of the track: integral of the key over the offset (trapezoids). [bit m]"""
        return float(np.trapezoid(self.key_bits, self.offset_m))


def keys_over_offsets(*, step_m: float = 25e3, **options: Any) -> OffsetKeys:
    """Key of passes at growing offsets.

    Parameters
    ----------
    step_m : float
        Distance between offsets. [m]
    **options
        As in :func:`pass_key`.

    Returns
    -------
    OffsetKeys
        Up to the first offset without a key; there the key is set to 0.
    """
    if not 0.0 < step_m < math.inf:
        raise InputError(f"step_m = {step_m!r}: must be positive")
    offsets: list[float] = []
    keys: list[float] = []
    found = None
    while not keys or keys[-1] > 0.0:
        offsets.append(len(offsets) * step_m)
        found = pass_key(offsets[-1], start=found, **options)
        keys.append(0.0 if found is None else max(float(found.key.key_bits_raw), 0.0))
    return OffsetKeys(np.array(offsets), np.array(keys))


def annual_key(keys: OffsetKeys, *, latitude_deg: float, orbits_per_year: float = 5500.0, sides: int = 2) -> float:
    r"""Key that a station collects in a year from single passes, without weather.

    Parameters
    ----------
    keys : OffsetKeys
        Key against offset.
    latitude_deg : float
        Latitude of the station. [deg]
    orbits_per_year : float
        Revolutions of the satellite. [1/a]
    sides : int
        2 for the passes on both sides of the station; 1 reproduces the published table, whose integral is one-sided.

    Returns
    -------
    float
        Expected key. [bit/a]

    Raises
    ------
    InputError
        If the station is at or beyond 80 degrees of latitude, where the tracks are not evenly distributed.

    Notes
    -----
    :math:`N_\mathrm{orbits}\,\mathrm{SKL_{int}}/L`, :math:`L = 2\pi R\cos\varphi` (Sidhu et al. [1]_, Eqs. 5 and 6):
    one crossing of the circle of latitude per revolution is counted, at evenly distributed places. R is 6371 km.

    References
    ----------
    .. [1] J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022).
    """
    if not abs(latitude_deg) < 80.0:
        raise InputError(f"latitude {latitude_deg!r} deg: must be below 80 deg, for evenly distributed ground tracks")
    if not 0.0 < orbits_per_year < math.inf:
        raise InputError(f"orbits_per_year = {orbits_per_year!r}: must be positive")
    if sides not in (1, 2):
        raise InputError(f"sides = {sides!r}: must be 1 or 2")
    circle_m = 2.0 * math.pi * MEAN_EARTH_RADIUS_M * math.cos(math.radians(latitude_deg))
    return orbits_per_year * sides * keys.integral_bit_m / circle_m
