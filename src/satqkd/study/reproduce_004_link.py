"""The geostationary downlink of Mannalath, Zapatero and Curty, arXiv:2605.29706, with the defaults of its Table 1."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from satqkd.channel.background import NoiseLevel, noise
from satqkd.channel.budget import LinkBudget, downlink
from satqkd.channel.extinction import transmittance
from satqkd.channel.geostationary import slant_range_m
from satqkd.channel.profiles import TURBULENCE_PROFILES, VISIBILITY_M
from satqkd.channel.published_radiance import WAVELENGTHS_M, published_radiance
from satqkd.scenario.catalogue import detector as catalogue_detector

__all__ = ["AEROSOL", "DEFAULTS", "FILTER_HZ", "GATE_S", "RECEIVER", "budget", "click_noise", "nanometres"]

DEFAULTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "tx_aperture_diameter_m": 0.75,
        "rx_aperture_diameter_m": 1.5,
        "ao_bandwidth_hz": 130.0,
        "jitter_rad": 0.5e-6,
    }
)
"""Bold values of Table 1. The text export of the paper has no bold jitter and bandwidth: they are the low ones, with
which an independent implementation's totals come out."""

RECEIVER: Final = 10.0**-0.4
"""4 dB of receiver optics, the filter's 1 dB included. [1]"""

FILTER_HZ: Final[Mapping[float, float]] = MappingProxyType(dict(zip(WAVELENGTHS_M, (10e9, 10e9, 1e9), strict=True)))
"""Default filter by wavelength. [Hz]"""

GATE_S: Final = 1e-9
AEROSOL: Final[Mapping[str, str]] = MappingProxyType({"rural": "rural", "urban": "urban", "coastal": "maritime"})
"""Aerosol of the sites of Table 2."""


def nanometres(wavelength_m: float) -> str:
    """Wavelength as the figures name it, such as ``854 nm``."""
    return f"{int(wavelength_m * 1e9)} nm"


def budget(
    *,
    wavelength_m: float,
    zenith_rad: ArrayLike = np.pi / 3,
    site: str = "urban",
    detector: str = "snspd-spec-b",
    station_altitude: str = "sea-level",
    **changes: Any,
) -> LinkBudget:
    """Budget of the default link with changes.

    Parameters
    ----------
    wavelength_m : float
        One of Table 1's. [m]
    zenith_rad : array_like
        Zenith angle of the satellite. [rad]
    site : {"rural", "urban", "coastal"}
        Station of Table 2.
    detector : str
        Name in :data:`satqkd.scenario.catalogue.DETECTORS`.
    station_altitude : {"sea-level", "site"}
        Where the column of air begins: visibility of the site with a whole column, or from its altitude on.
    **changes
        Arguments of :func:`satqkd.channel.budget.downlink` instead of :data:`DEFAULTS`.

    Returns
    -------
    LinkBudget
        Every term, in the broadcast shape.
    """
    altitude_m = TURBULENCE_PROFILES[site].altitude_m
    air = transmittance(
        zenith_rad,
        wavelength_m=wavelength_m,
        aerosol=AEROSOL[site],
        visibility_m=VISIBILITY_M[site],
        altitude_m=altitude_m if station_altitude == "site" else 0.0,
    )
    given = {
        "slant_range_m": slant_range_m(zenith_rad, station_altitude_m=altitude_m),
        "zenith_rad": zenith_rad,
        "wavelength_m": wavelength_m,
        "site": site,
        "atmosphere": air,
        "receiver": RECEIVER,
        "detector": catalogue_detector(detector, wavelength_m=wavelength_m).efficiency,
    }
    return downlink(**{**DEFAULTS, **given, **changes})


def click_noise(
    *, wavelength_m: float, condition: str, site: str = "urban", detector: str = "snspd-spec-b", **changes: Any
) -> NoiseLevel:
    """Noise of a detector of the default receiver under a sky of Table 3.

    Parameters
    ----------
    wavelength_m : float
        One of Table 1's. [m]
    condition : str
        One of :data:`satqkd.channel.published_radiance.CONDITIONS`.
    site : {"rural", "urban", "coastal"}
        Station of Table 2.
    detector : str
        Name in :data:`satqkd.scenario.catalogue.DETECTORS`.
    **changes
        Arguments of :func:`satqkd.channel.background.noise` instead of the defaults.

    Returns
    -------
    NoiseLevel
        Photons per gate and click probabilities, active receiver.
    """
    device = catalogue_detector(detector, wavelength_m=wavelength_m)
    given = {
        "radiance_mw_m2_nm_sr": published_radiance(site=site, condition=condition, wavelength_m=wavelength_m),
        "wavelength_m": wavelength_m,
        "filter_hz": FILTER_HZ[wavelength_m],
        "gate_s": GATE_S,
        "rx_aperture_diameter_m": DEFAULTS["rx_aperture_diameter_m"],
        "coupling": "single-mode-fibre",
        "receiver": RECEIVER,
        "detector": device.efficiency,
        "dark_count_hz": device.dark_count_hz,
    }
    return noise(**{**given, **changes})
