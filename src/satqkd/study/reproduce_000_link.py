"""Passes and losses behind the figures of Wang, Dong et al.: real orbit, Table I, every reading of the spot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel.divergence import slab_loss_db
from satqkd.channel.fitted import UPLINK_ZENITH_EXTINCTION_DB
from satqkd.channel.profiles import TURBULENCE_PROFILES, HufnagelValley, TurbulenceProfile
from satqkd.channel.uplink_budget import uplink
from satqkd.orbit.build import propagators
from satqkd.orbit.propagation import Sgp4Orbit
from satqkd.scenario.load import load_scenario, with_values
from satqkd.scenario.model import Scenario
from satqkd.study.mdi_pass import mdi_pass

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "DUAL", "GROUND", "READINGS", "SINGLE", "WIDE_RADII_M", "at_altitude", "changed", "dual_pass", "loss_db",
    "seconds", "single_pass", "turbulence", "wide_pass",
]  # fmt: skip

Array = NDArray[np.float64]

DUAL: Final = "micius-delingha-lijiang"
SINGLE: Final = "micius-ngari-uplink"
WIDE_RADII_M: Final = (0.75, 1.2)
"""Transmitter and receiver with which the paper goes on after Fig. 5 a. [m]"""

GROUND: Final = replace(TURBULENCE_PROFILES["hv-5-7"], lower_height_m=0.0)
"""Eq. 3 integrates from the ground."""

READINGS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "14 µrad, air fitted": {"spread": "fixed-divergence", "zenith_db": UPLINK_ZENITH_EXTINCTION_DB},
        "14 µrad": {"spread": "fixed-divergence"},
        "Eqs. 1-3 as printed": {"spread": "published"},
        "air mass counted once": {"spread": "long-term"},
        "no turbulence": {"spread": "vacuum"},
    }
)
"""Name of a reading of the spot -> its model and, if any, its loss of the air at zenith."""

_DIVERGENCE_RAD: Final = 14e-6
_LOSSES_DB: Final = {"coupling": 5.9, "receiver": 3.0, "detector": 3.0}  # receiver: optics and antenna, 1.5 dB each


def changed(preset: str, changes: Mapping[str, Any]) -> Scenario:
    """Preset with values replaced; see :func:`satqkd.scenario.load.with_values`."""
    return with_values(load_scenario(preset), changes)


@cache
def dual_pass() -> xr.Dataset:
    """Both links of 24 September 2016 with Table I; see :func:`satqkd.study.mdi_pass.mdi_pass`."""
    return mdi_pass(DUAL)


@cache
def wide_pass() -> xr.Dataset:
    """The same with a receiver of R_r = 1.2 m, 14 µrad and fitted air: the reading of Figs. 6 to 10."""
    return mdi_pass(changed(DUAL, {"receiver.aperture": f"{2.0 * WIDE_RADII_M[1]} m"}))


@cache
def single_pass() -> xr.Dataset:
    """Link table of the pass over Ngari, 25 September 2016."""
    from satqkd.channel.evaluate import evaluate
    from satqkd.orbit.passes import find_passes

    scenario = load_scenario(SINGLE)
    return evaluate(scenario, find_passes(scenario)).isel(station=0, satellite=0)


def seconds(link: xr.Dataset) -> Array:
    """Time since the first row. [s]"""
    time = link.time.values
    return np.asarray((time - time[0]) / np.timedelta64(1, "s"))


def turbulence(ground_strength: float) -> TurbulenceProfile:
    """HV 5/7 from the ground up with another strength A at the ground. [m^(-2/3)]"""
    cn2 = HufnagelValley.from_high_altitude_wind(ground=ground_strength, high_altitude_wind_m_s=21.0)
    return replace(GROUND, cn2=cn2)


def loss_db(
    slant_range_m: ArrayLike,
    elevation_deg: ArrayLike,
    *,
    reading: str,
    radii_m: tuple[ArrayLike, ArrayLike] = (0.065, 0.15),
    profile: TurbulenceProfile = GROUND,
) -> Array:
    """Loss of an uplink with the fixed losses of Table I.

    Parameters
    ----------
    slant_range_m, elevation_deg : array_like
        Distance and elevation; all arrays broadcast. [m], [deg]
    reading : str
        A name of :data:`READINGS`.
    radii_m : tuple of array_like
        Radii R_s of the transmitter and R_r of the receiver. [m]
    profile : TurbulenceProfile
        Above the station.

    Returns
    -------
    ndarray
        Source to click. [dB]
    """
    settings = dict(READINGS[reading])
    zenith_db = settings.pop("zenith_db", 0.0)
    elevation = np.radians(elevation_deg)
    found = uplink(
        slant_range_m=slant_range_m,
        zenith_rad=0.5 * np.pi - elevation,
        wavelength_m=780e-9,
        tx_aperture_diameter_m=2.0 * np.asarray(radii_m[0]),
        rx_aperture_diameter_m=2.0 * np.asarray(radii_m[1]),
        site=profile,
        atmosphere=10.0 ** (-0.1 * slab_loss_db(elevation, zenith_loss_db=zenith_db)),
        divergence_rad=_DIVERGENCE_RAD if settings["spread"] == "fixed-divergence" else None,
        **{name: 10.0 ** (-0.1 * value) for name, value in _LOSSES_DB.items()},
        **settings,
    )
    return np.asarray(found.loss_db())


@cache
def at_altitude(altitude_km: float, mask_deg: float) -> Scenario:
    """The dual pass with R_r = 1.2 m from a circular orbit that crosses the same point of the sky at the same instant.

    Parameters
    ----------
    altitude_km : float
        Above the equatorial radius. [km]
    mask_deg : float
        Least elevation at both stations. [deg]

    Returns
    -------
    Scenario
        Plane and phase are those of the real orbit in the middle of its common view.
    """
    time = dual_pass().time.values
    middle = time[len(time) // 2]
    flight = propagators(load_scenario(DUAL))[0]
    assert isinstance(flight, Sgp4Orbit)
    position, velocity = (part[0] for part in flight.states_teme(np.array([middle])))
    normal = np.cross(position, velocity)
    normal /= np.linalg.norm(normal)
    node = np.array([-normal[1], normal[0], 0.0]) / math.hypot(normal[0], normal[1])
    phase = math.atan2(position @ np.cross(normal, node), position @ node)
    orbit = {
        "kind": "circular",
        "altitude": f"{altitude_km!r} km",
        "inclination": f"{math.degrees(math.acos(normal[2]))!r} deg",
        "raan": f"{math.degrees(math.atan2(node[1], node[0])) % 360.0!r} deg",
        "argument_of_latitude": f"{math.degrees(phase) % 360.0!r} deg",
        "epoch": f"{np.datetime_as_string(middle, unit='s')}Z",
    }
    masks = {f"stations.{number}.elevation_mask": f"{mask_deg!r} deg" for number in (0, 1)}
    return changed(DUAL, {"satellites.0.orbit": orbit, "receiver.aperture": f"{2.0 * WIDE_RADII_M[1]} m", **masks})
