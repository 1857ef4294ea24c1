"""Profile of a cloudless atmosphere for radiative transfer: extinction, albedo and phase function by altitude.

The levels carry the vertical optical depths of :mod:`satqkd.channel.extinction`, each component spread over its own
vertical profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.aerosol import AEROSOL_PROFILES, RELATIVE_HUMIDITY, asymmetry, single_scattering_albedo
from satqkd.channel.atmosphere_tables import look_up
from satqkd.channel.extinction import vertical_depth
from satqkd.channel.gases import WATER_SCALE_HEIGHT_M
from satqkd.channel.rayleigh import RAYLEIGH_SCALE_HEIGHT_M
from satqkd.errors import InputError

__all__ = ["ALTITUDE_GRID_M", "AtmosphereLayers", "atmosphere_layers"]

FloatArray = NDArray[np.float64]

ALTITUDE_GRID_M: Final = (
    0.0, 250.0, 500.0, 750.0, 1000.0, 1250.0, 1500.0, 2000.0, 2500.0, 3000.0, 4000.0, 5000.0, 6000.0, 8000.0, 10e3,
    12e3, 15e3, 18e3, 20e3, 22e3, 24e3, 26e3, 30e3, 35e3, 40e3, 50e3, 60e3, 80e3,
)  # fmt: skip
"""Levels above the station. [m]"""

OZONE_CENTRE_M: Final = 22e3
OZONE_WIDTH_M: Final = 5e3
"""Standard deviation of the ozone profile about its centre above sea level. [m]"""


@dataclass(frozen=True)
class AtmosphereLayers:
    """Optical properties on levels, extinction linear in between.

    Parameters
    ----------
    wavelength_m : float
        Vacuum wavelength. [m]
    station_altitude_m : float
        Altitude of the lowest level above sea level. [m]
    altitude_m : ndarray, shape (n,)
        Levels above the station, from 0. [m]
    rayleigh_per_m, absorption_per_m, aerosol_per_m : ndarray, shape (n,)
        Extinction by molecular scattering, gases and aerosol. [1/m]
    aerosol_albedo : float
        Single-scattering albedo of the aerosol. [1]
    aerosol_asymmetry : float
        Asymmetry parameter of the aerosol's Henyey-Greenstein phase function. [1]
    """

    wavelength_m: float
    station_altitude_m: float
    altitude_m: FloatArray
    rayleigh_per_m: FloatArray
    absorption_per_m: FloatArray
    aerosol_per_m: FloatArray
    aerosol_albedo: float
    aerosol_asymmetry: float

    @property
    def extinction_per_m(self) -> FloatArray:
        """Extinction by everything. [1/m]"""
        return self.rayleigh_per_m + self.absorption_per_m + self.aerosol_per_m

    @property
    def single_scattering_albedo(self) -> FloatArray:
        """Scattered fraction of the extinction. [1]"""
        return (self.rayleigh_per_m + self.aerosol_albedo * self.aerosol_per_m) / self.extinction_per_m

    def legendre_moments(self, count: int) -> FloatArray:
        r"""Legendre coefficients of the phase function.

        Parameters
        ----------
        count : int
            Number of coefficients, at least 3.

        Returns
        -------
        ndarray, shape (count, n)
            :math:`\beta_l` in :math:`P = \sum_l \beta_l P_l(\cos\Theta)`, :math:`\beta_0 = 1`: Rayleigh
            :math:`(1, 0, 1/2)` without depolarisation, aerosol :math:`(2l+1) g^l`. [1]

        Raises
        ------
        InputError
            For fewer than 3 coefficients.
        """
        if count < 3:
            raise InputError(f"Legendre moments: {count}, must be at least 3")
        order = np.arange(count)
        molecules = np.zeros(count)
        molecules[[0, 2]] = 1.0, 0.5
        particles = (2 * order + 1) * self.aerosol_asymmetry**order
        scattered = self.aerosol_albedo * self.aerosol_per_m
        weight = scattered / (scattered + self.rayleigh_per_m)
        return np.asarray(np.outer(particles, weight) + np.outer(molecules, 1.0 - weight))


def _ozone_above(altitude_m: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(ndtr((OZONE_CENTRE_M - altitude_m) / OZONE_WIDTH_M))


_ABOVE: Final[Mapping[str, Callable[[FloatArray], FloatArray]]] = MappingProxyType(
    {
        "rayleigh": lambda altitude: np.exp(-altitude / RAYLEIGH_SCALE_HEIGHT_M),
        "mixed": lambda altitude: np.exp(-altitude / RAYLEIGH_SCALE_HEIGHT_M),
        "water": lambda altitude: np.exp(-altitude / WATER_SCALE_HEIGHT_M),
        "ozone": _ozone_above,
    }
)


def _levels(share_above: Callable[[FloatArray], FloatArray], altitude_m: FloatArray, depth: float) -> FloatArray:
    """Extinction at the levels whose trapezoidal sum is the optical depth, following the profile."""
    per_m = share_above(altitude_m - 0.5) - share_above(altitude_m + 0.5)
    return np.asarray(depth * per_m / np.trapezoid(per_m, altitude_m))


def atmosphere_layers(
    *,
    wavelength_m: float,
    aerosol: str,
    visibility_m: float,
    altitude_m: float = 0.0,
    relative_humidity: float = RELATIVE_HUMIDITY,
    profile: str = "exponential",
) -> AtmosphereLayers:
    """Cloudless atmosphere above a station on the levels of :data:`ALTITUDE_GRID_M`.

    Parameters
    ----------
    wavelength_m : float
        Vacuum wavelength from 400 to 1700 nm, outside strong absorption bands. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    visibility_m : float
        Meteorological range at sea level, positive. [m]
    altitude_m : float
        Altitude of the station above sea level from -500 to 9000 m. [m]
    relative_humidity : float
        Of the aerosol, from 0 to 0.99. [1]
    profile : str
        Name in :data:`satqkd.channel.aerosol.AEROSOL_PROFILES`.

    Returns
    -------
    AtmosphereLayers
        The trapezoidal sum of each component's extinction is its vertical optical depth.

    Raises
    ------
    InputError
        As :func:`satqkd.channel.extinction.vertical_depth`.
    """
    depth = vertical_depth(
        wavelength_m,
        aerosol=aerosol,
        visibility_m=visibility_m,
        altitude_m=altitude_m,
        relative_humidity=relative_humidity,
        profile=profile,
    )
    above_station = np.array(ALTITUDE_GRID_M)
    altitude = above_station + altitude_m
    shares = {**_ABOVE, "aerosol": look_up(profile, AEROSOL_PROFILES, what="aerosol profile")}
    per_m = {name: _levels(share, altitude, float(getattr(depth, name))) for name, share in shares.items()}
    return AtmosphereLayers(
        wavelength_m=float(wavelength_m),
        station_altitude_m=float(altitude_m),
        altitude_m=above_station,
        rayleigh_per_m=per_m["rayleigh"],
        absorption_per_m=per_m["ozone"] + per_m["water"] + per_m["mixed"],
        aerosol_per_m=per_m["aerosol"],
        aerosol_albedo=float(
            single_scattering_albedo(wavelength_m, aerosol=aerosol, relative_humidity=relative_humidity)
        ),
        aerosol_asymmetry=float(asymmetry(wavelength_m, aerosol=aerosol, relative_humidity=relative_humidity)),
    )
