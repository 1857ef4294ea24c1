"""Extinction on the direct path through a cloudless atmosphere: vertical optical depth, air mass, transmittance.

References
----------
.. [1] Mannalath, Zapatero, Curty, arXiv:2605.29706, App. H.11, Table 2 and Fig. 20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel import aerosol as aerosols
from satqkd.channel import gases, rayleigh
from satqkd.channel.air_mass import exponential_shell, plane_parallel, thin_shell
from satqkd.channel.atmosphere_tables import check_in_range, look_up
from satqkd.errors import InputError

__all__ = [
    "AIR_MASSES", "BEER_LAMBERT_ZENITH_LOSS_DB", "COMPONENTS", "Spectrum", "VerticalDepth",
    "beer_lambert_transmittance", "slant_depth", "spectrum", "transmittance", "vertical_depth",
]  # fmt: skip

FloatArray = NDArray[np.float64]

SHORTEST_WAVELENGTH_M: Final = 400e-9
"""Start of the range of the tables. [m]"""

OZONE_ALTITUDE_M: Final = 22e3
"""Altitude at which the ozone layer is taken as thin. [m]"""


@dataclass(frozen=True)
class VerticalDepth:
    """Vertical optical depth above a station, by component.

    Parameters
    ----------
    rayleigh, ozone, water, mixed, aerosol : ndarray
        Molecular scattering; absorption by ozone, water vapour and uniformly mixed gases; aerosol extinction. [1]
    """

    rayleigh: FloatArray
    ozone: FloatArray
    water: FloatArray
    mixed: FloatArray
    aerosol: FloatArray

    @property
    def gas(self) -> FloatArray:
        """Absorption by all gases. [1]"""
        return self.ozone + self.water + self.mixed

    @property
    def total(self) -> FloatArray:
        """Sum of all components. [1]"""
        return self.rayleigh + self.gas + self.aerosol


COMPONENTS: Final = ("rayleigh", "ozone", "water", "mixed", "aerosol")
"""Components of :class:`VerticalDepth`."""

_SCALE_HEIGHT_M: Final = {
    "rayleigh": rayleigh.RAYLEIGH_SCALE_HEIGHT_M,
    "water": gases.WATER_SCALE_HEIGHT_M,
    "mixed": rayleigh.RAYLEIGH_SCALE_HEIGHT_M,
    "aerosol": aerosols.AEROSOL_SCALE_HEIGHT_M,
}


def vertical_depth(
    wavelength_m: ArrayLike,
    *,
    aerosol: str,
    visibility_m: ArrayLike,
    altitude_m: ArrayLike = 0.0,
    relative_humidity: float = aerosols.RELATIVE_HUMIDITY,
    profile: str = "exponential",
) -> VerticalDepth:
    """Vertical optical depth of a cloudless atmosphere above a station.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm, outside strong absorption bands. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    visibility_m : array_like
        Meteorological range at sea level, positive. [m]
    altitude_m : array_like
        Altitude of the station above sea level from -500 to 9000 m. [m]
    relative_humidity : float
        Of the aerosol, from 0 to 0.99. [1]
    profile : str
        Name in :data:`satqkd.channel.aerosol.AEROSOL_PROFILES`.

    Returns
    -------
    VerticalDepth
        Each component in the shape to which wavelength, visibility and altitude broadcast. [1]

    Raises
    ------
    InputError
        For a wavelength without data, a visibility that is not positive, an altitude out of range or an unknown name.
    """
    absorbed = {gas: gases.optical_depth(wavelength_m, gas=gas, altitude_m=altitude_m) for gas in gases.GASES}
    scattered = rayleigh.optical_depth(wavelength_m, altitude_m=altitude_m)
    depth = aerosols.optical_depth(
        wavelength_m,
        aerosol=aerosol,
        visibility_m=visibility_m,
        altitude_m=altitude_m,
        relative_humidity=relative_humidity,
        profile=profile,
    )
    shape = np.broadcast_shapes(depth.shape, scattered.shape)
    parts = {"rayleigh": scattered, **absorbed, "aerosol": depth}
    return VerticalDepth(**{name: np.broadcast_to(part, shape) for name, part in parts.items()})


def _spherical(zenith_rad: ArrayLike, altitude_m: ArrayLike) -> dict[str, FloatArray]:
    by_height = {
        height: exponential_shell(zenith_rad, scale_height_m=height, altitude_m=altitude_m)
        for height in set(_SCALE_HEIGHT_M.values())
    }
    masses = {name: by_height[height] for name, height in _SCALE_HEIGHT_M.items()}
    return {**masses, "ozone": thin_shell(zenith_rad, shell_altitude_m=OZONE_ALTITUDE_M, altitude_m=altitude_m)}


def _plane_parallel(zenith_rad: ArrayLike, altitude_m: ArrayLike) -> dict[str, FloatArray]:
    return dict.fromkeys(
        COMPONENTS, plane_parallel(zenith_rad) * np.ones_like(np.asarray(altitude_m, dtype=np.float64))
    )


AIR_MASSES: Final[Mapping[str, Callable[[ArrayLike, ArrayLike], dict[str, FloatArray]]]] = MappingProxyType(
    {"spherical": _spherical, "plane-parallel": _plane_parallel}
)
"""Name of the geometry -> function of zenith angle and station altitude that gives the air mass of each component."""


def slant_depth(
    zenith_rad: ArrayLike,
    *,
    wavelength_m: ArrayLike,
    aerosol: str,
    visibility_m: ArrayLike,
    altitude_m: ArrayLike = 0.0,
    relative_humidity: float = aerosols.RELATIVE_HUMIDITY,
    profile: str = "exponential",
    geometry: str = "spherical",
) -> FloatArray:
    r"""Optical depth of the slanted path between a station and space.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle at the station from 0 to below pi/2. [rad]
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm, outside strong absorption bands. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    visibility_m : array_like
        Meteorological range at sea level, positive. [m]
    altitude_m : array_like
        Altitude of the station above sea level from -500 to 9000 m. [m]
    relative_humidity : float
        Of the aerosol, from 0 to 0.99. [1]
    profile : str
        Name in :data:`satqkd.channel.aerosol.AEROSOL_PROFILES`: how much of the aerosol is above the station. The
        air mass of the aerosol is that of the exponential one.
    geometry : str
        ``"spherical"``: each component in a shell of its own scale height, straight rays; ``"plane-parallel"``.

    Returns
    -------
    ndarray
        Scattering and aerosol: :math:`m_i(z)\,\tau_i`; gases as :func:`satqkd.channel.gases.optical_depth`. The shape
        to which the arguments broadcast. [1]

    Raises
    ------
    InputError
        For the horizon and below, a wavelength without data, a visibility that is not positive, an altitude out of
        range or an unknown name.
    """
    molecules = rayleigh.optical_depth(wavelength_m, altitude_m=altitude_m)
    particles = aerosols.optical_depth(
        wavelength_m,
        aerosol=aerosol,
        visibility_m=visibility_m,
        altitude_m=altitude_m,
        relative_humidity=relative_humidity,
        profile=profile,
    )
    mass = look_up(geometry, AIR_MASSES, what="geometry")(zenith_rad, altitude_m)
    total = mass["aerosol"] * particles + mass["rayleigh"] * molecules
    for gas in gases.GASES:
        total = total + gases.optical_depth(wavelength_m, gas=gas, altitude_m=altitude_m, air_mass=mass[gas])
    return np.asarray(total)


def transmittance(
    zenith_rad: ArrayLike,
    *,
    wavelength_m: ArrayLike,
    aerosol: str,
    visibility_m: ArrayLike,
    altitude_m: ArrayLike = 0.0,
    relative_humidity: float = aerosols.RELATIVE_HUMIDITY,
    profile: str = "exponential",
    geometry: str = "spherical",
) -> FloatArray:
    r"""Direct transmittance of a cloudless atmosphere between a station and space.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle at the station from 0 to below pi/2. [rad]
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm, outside strong absorption bands. [m]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    visibility_m : array_like
        Meteorological range at sea level, positive. [m]
    altitude_m : array_like
        Altitude of the station above sea level from -500 to 9000 m. [m]
    relative_humidity : float
        Of the aerosol, from 0 to 0.99. [1]
    profile : str
        Name in :data:`satqkd.channel.aerosol.AEROSOL_PROFILES`.
    geometry : str
        ``"spherical"`` or ``"plane-parallel"``.

    Returns
    -------
    ndarray
        :math:`\exp(-\tau)` with :func:`slant_depth`, in [0, 1], the shape to which the arguments broadcast. [1]

    Raises
    ------
    InputError
        As :func:`slant_depth`.

    Examples
    --------
    The urban geostationary downlink of [1] at 60 deg and 854 nm, as if at sea level, in dB:

    >>> eta = transmittance(np.radians(60), wavelength_m=854.445e-9, aerosol="urban", visibility_m=10e3)
    >>> print(f"{-10 * np.log10(eta):.2f}")
    4.51
    """
    return np.exp(
        -slant_depth(
            zenith_rad,
            wavelength_m=wavelength_m,
            aerosol=aerosol,
            visibility_m=visibility_m,
            altitude_m=altitude_m,
            relative_humidity=relative_humidity,
            profile=profile,
            geometry=geometry,
        )
    )


BEER_LAMBERT_ZENITH_LOSS_DB: Final[Mapping[str, float]] = MappingProxyType({"wang-1550nm": 2.0, "micius-fitted": 0.34})
"""Zenith losses of simple slab models. [dB]

``wang-1550nm``: X. Wang et al., downlink modelling and scheduling, "2 dB for 1550 nm". ``micius-fitted``: fitted to the
uplink losses at 780 nm of X. Wang et al., "Feasibility of space-based measurement-device-independent quantum key
distribution", Figs. 3 and 4.
"""


def beer_lambert_transmittance(zenith_rad: ArrayLike, *, zenith_loss_db: float) -> FloatArray:
    r"""Transmittance of a flat atmosphere with a given loss at zenith.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle from 0 to below pi/2, any shape. [rad]
    zenith_loss_db : float
        Loss at zenith, not negative; published ones in :data:`BEER_LAMBERT_ZENITH_LOSS_DB`. [dB]

    Returns
    -------
    ndarray
        :math:`10^{-\Lambda_0 / (10 \cos z)}`, Wang et al.'s :math:`\Lambda_{A,0}/\sin\theta` in dB. [1]

    Raises
    ------
    InputError
        For the horizon and below, or a negative loss.
    """
    if not 0.0 <= zenith_loss_db < np.inf:
        raise InputError(f"zenith loss: {zenith_loss_db:g} dB, must be finite and not negative")
    return np.asarray(10.0 ** (-0.1 * zenith_loss_db * plane_parallel(zenith_rad)))


@dataclass(frozen=True)
class Spectrum:
    """Direct transmittance by wavelength where there is data.

    Parameters
    ----------
    wavelength_m : ndarray, shape (n,)
        Vacuum wavelength, increasing; strong absorption bands are left out. [m]
    transmittance : ndarray, shape (..., n)
        Direct transmittance. [1]
    no_data_m : ndarray, shape (m,)
        Wavelengths that were asked for and lie in a strong absorption band. [m]
    """

    wavelength_m: FloatArray
    transmittance: FloatArray
    no_data_m: FloatArray


def spectrum(
    *,
    zenith_rad: float,
    aerosol: str,
    visibility_m: float,
    altitude_m: float = 0.0,
    shortest_m: float = 400e-9,
    longest_m: float = 1700e-9,
    step_m: float = 1e-9,
    relative_humidity: float = aerosols.RELATIVE_HUMIDITY,
    geometry: str = "spherical",
) -> Spectrum:
    """Scan over wavelength as the lower panel of [1], Fig. 20.

    Parameters
    ----------
    zenith_rad : float
        Zenith angle at the station from 0 to below pi/2. [rad]
    aerosol : str
        ``"rural"``, ``"urban"`` or ``"maritime"``.
    visibility_m : float
        Meteorological range at sea level, positive. [m]
    altitude_m : float
        Altitude of the station above sea level. [m]
    shortest_m, longest_m : float
        Ends of the scan, within 400 to 1700 nm. [m]
    step_m : float
        Step, positive. [m]
    relative_humidity : float
        Of the aerosol, from 0 to 0.99. [1]
    geometry : str
        ``"spherical"`` or ``"plane-parallel"``.

    Returns
    -------
    Spectrum
        Transmittance where there is data, and the wavelengths for which there is none.

    Raises
    ------
    InputError
        For ends out of range or in the wrong order, a step that is not positive, and as :func:`transmittance`.
    """
    if not (shortest_m <= longest_m and step_m > 0.0):
        raise InputError(
            f"wavelength scan: from {shortest_m * 1e9:g} to {longest_m * 1e9:g} nm by {step_m * 1e9:g} nm, "
            "must be increasing with a positive step"
        )
    for end_m in (shortest_m, longest_m):
        check_in_range(
            end_m, SHORTEST_WAVELENGTH_M, gases.LONGEST_WAVELENGTH_M, what="wavelength", unit="nm", scale=1e9
        )
    # the tolerance keeps the last wavelength, the minimum keeps it within the range
    wavelength_m = np.minimum(np.arange(shortest_m, longest_m + 1e-6 * step_m, step_m), longest_m)
    has_data = gases.covered(wavelength_m)
    eta = transmittance(
        zenith_rad,
        wavelength_m=wavelength_m[has_data],
        aerosol=aerosol,
        visibility_m=visibility_m,
        altitude_m=altitude_m,
        relative_humidity=relative_humidity,
        geometry=geometry,
    )
    return Spectrum(wavelength_m=wavelength_m[has_data], transmittance=eta, no_data_m=wavelength_m[~has_data])
