"""Aerosols of Shettle and Fenn 1979: extinction, single-scattering albedo, asymmetry, optical depth.

References
----------
.. [1] E. P. Shettle, R. W. Fenn, "Models for the aerosols of the lower atmosphere and the effects of humidity
   variations on their optical properties", AFGL-TR-79-0214 (1979).
.. [2] Mannalath, Zapatero, Curty, arXiv:2605.29706, App. H.11 and Table 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel.atmosphere_tables import aerosol_table, check_in_range, look_up
from satqkd.channel.rayleigh import HIGHEST_ALTITUDE_M, LOWEST_ALTITUDE_M
from satqkd.errors import InputError

__all__ = [
    "AEROSOL_PROFILES", "AEROSOL_SCALE_HEIGHT_M", "RELATIVE_HUMIDITY", "SITES", "AerosolSite", "asymmetry",
    "exponential_profile", "mixed_layer_profile", "optical_depth", "optical_depth_550", "relative_extinction",
    "single_scattering_albedo",
]  # fmt: skip

RELATIVE_HUMIDITY: Final = 0.46
"""Relative humidity at the ground of the U.S. Standard Atmosphere 1976 as radiative-transfer codes use it."""

DEPTH_550_TIMES_VISIBILITY_M: Final = 8165.0
"""Vertical aerosol optical depth at 550 nm times the visibility. [m]"""

KOSCHMIEDER: Final = 3.912
"""Optical depth of a path as long as the visibility, -ln 0.02."""

AEROSOL_SCALE_HEIGHT_M: Final = DEPTH_550_TIMES_VISIBILITY_M / KOSCHMIEDER
"""Scale height, 2087 m, with which the extinction seen as visibility gives the vertical optical depth. [m]"""

MIXED_LAYER_TOP_M: Final = 1000.0
"""Top of the well-mixed layer of [2], App. I.1."""


@dataclass(frozen=True)
class AerosolSite:
    """Air over a station: aerosol model, visibility and altitude.

    Parameters
    ----------
    aerosol : str
        Name of the aerosol model.
    visibility_m : float
        Meteorological range at sea level. [m]
    altitude_m : float
        Altitude of the station above sea level. [m]
    """

    aerosol: str
    visibility_m: float
    altitude_m: float


SITES: Final[Mapping[str, AerosolSite]] = MappingProxyType(
    {
        "rural": AerosolSite("rural", 23e3, 400.0),
        "urban": AerosolSite("urban", 10e3, 200.0),
        "coastal": AerosolSite("maritime", 5e3, 0.0),
    }
)
"""The stations of [2], Table 2."""


def _interpolate(
    values: NDArray[np.float64], wavelength_m: ArrayLike, aerosol: str, humidity: float
) -> NDArray[np.float64]:
    table = aerosol_table(aerosol)
    grid = table.wavelength_m
    wavelength = check_in_range(wavelength_m, grid[0], grid[-1], what="wavelength", unit="nm", scale=1e9)
    nodes = table.relative_humidity
    check_in_range(humidity, nodes[0], nodes[-1], what="relative humidity", unit="%", scale=100.0)
    upper = int(np.clip(np.searchsorted(nodes, humidity), 1, nodes.size - 1))
    weight = (humidity - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])
    row = (1.0 - weight) * values[upper - 1] + weight * values[upper]
    return np.asarray(np.interp(wavelength, grid, row))


def relative_extinction(
    wavelength_m: ArrayLike, *, aerosol: str, relative_humidity: float = RELATIVE_HUMIDITY
) -> NDArray[np.float64]:
    """Extinction relative to that at 550 nm.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm, any shape. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    relative_humidity : float
        From 0 to 0.99; interpolated linearly between 0, 70, 80 and 99 %. [1]

    Returns
    -------
    ndarray
        Ratio, 1 at 550 nm. [1]

    Raises
    ------
    InputError
        For a wavelength or humidity outside the table or an unknown aerosol.

    Notes
    -----
    Mie calculation for the size distributions and refractive indices of [1], interpolated on logarithmic axes.
    """
    table = aerosol_table(aerosol)
    wavelength = np.asarray(wavelength_m, dtype=np.float64)
    return np.exp(_interpolate(np.log(table.relative_extinction), wavelength, aerosol, relative_humidity))


def single_scattering_albedo(
    wavelength_m: ArrayLike, *, aerosol: str, relative_humidity: float = RELATIVE_HUMIDITY
) -> NDArray[np.float64]:
    """Scattered fraction of the extinguished light, as :func:`relative_extinction`.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm, any shape. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    relative_humidity : float
        From 0 to 0.99. [1]

    Returns
    -------
    ndarray
        Single-scattering albedo in [0, 1]. [1]
    """
    table = aerosol_table(aerosol)
    return _interpolate(table.single_scattering_albedo, wavelength_m, aerosol, relative_humidity)


def asymmetry(
    wavelength_m: ArrayLike, *, aerosol: str, relative_humidity: float = RELATIVE_HUMIDITY
) -> NDArray[np.float64]:
    """Mean cosine of the scattering angle, the parameter of the Henyey-Greenstein phase function.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm, any shape. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    relative_humidity : float
        From 0 to 0.99. [1]

    Returns
    -------
    ndarray
        Asymmetry parameter. [1]
    """
    return _interpolate(aerosol_table(aerosol).asymmetry, wavelength_m, aerosol, relative_humidity)


def optical_depth_550(visibility_m: ArrayLike) -> NDArray[np.float64]:
    """Vertical aerosol optical depth above sea level at 550 nm, 8.165 km / visibility.

    Parameters
    ----------
    visibility_m : array_like
        Meteorological range at sea level, positive, any shape. [m]

    Returns
    -------
    ndarray
        Optical depth. [1]

    Raises
    ------
    InputError
        For a visibility that is not positive.
    """
    visibility = np.asarray(visibility_m, dtype=np.float64)
    if not np.all((visibility > 0.0) & np.isfinite(visibility)):
        bad = float(visibility[~((visibility > 0.0) & np.isfinite(visibility))].flat[0])
        raise InputError(f"visibility: {bad / 1e3:g} km, must be positive and finite")
    return np.asarray(DEPTH_550_TIMES_VISIBILITY_M / visibility)


def exponential_profile(altitude_m: ArrayLike) -> NDArray[np.float64]:
    """Share of the aerosol above an altitude: exponential, scale height 2087 m.

    Parameters
    ----------
    altitude_m : array_like
        Altitude above sea level, any shape. [m]

    Returns
    -------
    ndarray
        Share of the optical depth above sea level; more than 1 below it. [1]
    """
    return np.exp(-np.asarray(altitude_m, dtype=np.float64) / AEROSOL_SCALE_HEIGHT_M)


def mixed_layer_profile(altitude_m: ArrayLike) -> NDArray[np.float64]:
    """Share of the aerosol above an altitude: uniform up to 1 km, exponential above, the same total and extinction.

    Parameters
    ----------
    altitude_m : array_like
        Altitude above sea level, any shape. [m]

    Returns
    -------
    ndarray
        Share of the optical depth above sea level. [1]

    Notes
    -----
    The extinction near the ground is that of the exponential profile; the scale height above the layer is what is left,
    1087 m. The layer up to about 1 km is that of [2], App. I.1, for visibilities below 10 km.
    """
    altitude = np.asarray(altitude_m, dtype=np.float64)
    within = 1.0 - np.minimum(altitude, MIXED_LAYER_TOP_M) / AEROSOL_SCALE_HEIGHT_M
    above = np.maximum(altitude - MIXED_LAYER_TOP_M, 0.0) / (AEROSOL_SCALE_HEIGHT_M - MIXED_LAYER_TOP_M)
    return np.asarray(within * np.exp(-above))


AEROSOL_PROFILES: Final[Mapping[str, Callable[[ArrayLike], NDArray[np.float64]]]] = MappingProxyType(
    {"exponential": exponential_profile, "mixed-layer": mixed_layer_profile}
)
"""Name -> share of the aerosol above an altitude."""


def optical_depth(
    wavelength_m: ArrayLike,
    *,
    aerosol: str,
    visibility_m: ArrayLike,
    altitude_m: ArrayLike = 0.0,
    relative_humidity: float = RELATIVE_HUMIDITY,
    profile: str = "exponential",
) -> NDArray[np.float64]:
    """Vertical aerosol optical depth above a station.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    visibility_m : array_like
        Meteorological range at sea level, positive. [m]
    altitude_m : array_like
        Altitude of the station above sea level from -500 to 9000 m. [m]
    relative_humidity : float
        From 0 to 0.99. [1]
    profile : str
        Name in :data:`AEROSOL_PROFILES`.

    Returns
    -------
    ndarray
        Optical depth, the arguments' broadcast shape. [1]

    Raises
    ------
    InputError
        For a wavelength or humidity outside the table, a visibility that is not positive, an altitude out of range or
        an unknown name.
    """
    altitude = check_in_range(altitude_m, LOWEST_ALTITUDE_M, HIGHEST_ALTITUDE_M, what="station altitude", unit="m")
    share = look_up(profile, AEROSOL_PROFILES, what="aerosol profile")(altitude)
    ratio = relative_extinction(wavelength_m, aerosol=aerosol, relative_humidity=relative_humidity)
    return np.asarray(ratio * optical_depth_550(visibility_m) * share)
