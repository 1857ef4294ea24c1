r"""Turbulence integrals over the height: Fried parameter, Greenwood and tracking frequency, isoplanatic angle.

The integrals depend on the station only and are done once per profile (composite Gauss-Legendre, relative error
below 1e-11); wavelength, zenith angle and aperture then scale them, so a week of seconds costs no integral.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, Apps. H.6, H.9, H.10 (Eqs. 152, 162, 167-169).
.. [2] D. L. Fried, "Optical resolution through a randomly inhomogeneous medium", JOSA 56, 1372 (1966).
.. [3] J. W. Hardy, *Adaptive Optics for Astronomical Telescopes*, Oxford University Press, 1998, ch. 3, 9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import choice, positive
from satqkd.channel.height_integrals import cn2_integral, cn2_moment, quadrature
from satqkd.channel.profiles import (
    TURBULENCE_PROFILES,
    HufnagelValley,
    TabulatedCn2,
    TurbulenceProfile,
    Wind,
    read_cn2_csv,
    turbulence_profile,
)
from satqkd.errors import InputError

__all__ = [
    "GREENWOOD_LOWER_HEIGHTS",
    "TURBULENCE_PROFILES",
    "HufnagelValley",
    "TabulatedCn2",
    "TurbulenceProfile",
    "Wind",
    "air_mass",
    "cn2_moment",
    "fried_parameter_m",
    "fried_parameter_spherical_m",
    "greenwood_frequency_hz",
    "isoplanatic_angle_rad",
    "read_cn2_csv",
    "tracking_frequency_hz",
    "turbulence_profile",
]

GREENWOOD_LOWER_HEIGHTS: Final[Mapping[str, Callable[[TurbulenceProfile], float]]] = MappingProxyType(
    {
        "ground": lambda profile: profile.lower_height_m,
        "published": lambda profile: profile.altitude_m,
    }
)
"""Where the integrals of Eqs. 167-168 begin: the telescope's height above ground, or h_OGS as printed.

The printed limit is the station's altitude above *sea level*, while the profile's height is above ground: it cuts
off the strongest turbulence of every station that is not at sea level.
"""


def air_mass(zenith_rad: ArrayLike) -> NDArray[np.float64]:
    r"""Air mass of a plane-parallel atmosphere, :math:`\sec\theta`.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle in [0, pi/2), any shape. [rad]

    Returns
    -------
    ndarray
        Air mass, at least 1. [1]

    Raises
    ------
    InputError
        At the horizon and below it, for negative angles and for NaN.

    Notes
    -----
    Within 1 % of a spherical Earth for turbulence at 10 km up to a zenith angle of 66 deg, 5 % too long at 80 deg.
    """
    zenith = np.asarray(zenith_rad, dtype=np.float64)
    good = (zenith >= 0.0) & (zenith < 0.5 * np.pi)
    if not np.all(good):
        worst = float(np.degrees(zenith[~good].flat[0]))
        raise InputError(f"zenith_rad: {worst:.6g} deg is not above the horizon, allowed 0 up to below 90 deg")
    return np.asarray(1.0 / np.cos(zenith))


def _wavenumber(wavelength_m: ArrayLike) -> NDArray[np.float64]:
    wavelength = positive("wavelength_m", wavelength_m)
    return np.asarray(2.0 * np.pi / wavelength)


def fried_parameter_m(
    *, profile: str | TurbulenceProfile, wavelength_m: ArrayLike, zenith_rad: ArrayLike
) -> NDArray[np.float64]:
    r"""Fried parameter of a plane wave, Eq. 162.

    Parameters
    ----------
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength, broadcast against the zenith angle. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2), any shape. [rad]

    Returns
    -------
    ndarray
        :math:`r_0 = [0.423 k^2 \sec\theta \int C_n^2 dh]^{-3/5}`, a diameter. [m]

    Raises
    ------
    InputError
        For an unknown profile, a wavelength that is not positive, or an angle at or below the horizon.

    Examples
    --------
    >>> f"{fried_parameter_m(profile='hv-5-7', wavelength_m=500e-9, zenith_rad=0.0):.3f}"
    '0.052'
    """
    integral = cn2_moment(turbulence_profile(profile))
    return np.asarray((0.423 * _wavenumber(wavelength_m) ** 2 * air_mass(zenith_rad) * integral) ** -0.6)


def fried_parameter_spherical_m(
    *,
    profile: str | TurbulenceProfile,
    wavelength_m: ArrayLike,
    zenith_rad: ArrayLike,
    slant_range_m: ArrayLike,
    source: str = "satellite",
) -> NDArray[np.float64]:
    r"""Fried parameter of a spherical wave from a point source at either end of the link.

    Parameters
    ----------
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    slant_range_m : array_like
        Distance of the two ends, longer than the path through the turbulence; all broadcast. [m]
    source : {"satellite", "ground"}, default "satellite"
        End of the link where the wave starts; the parameter is that seen at the other end.

    Returns
    -------
    ndarray
        :math:`[0.423 k^2 \sec\theta \int C_n^2 (s/L)^{5/3} dh]^{-3/5}`, s = distance from the source. [m]

    Raises
    ------
    InputError
        As :func:`fried_parameter_m`; for a range that ends within the turbulence or an unknown end.

    Notes
    -----
    From a satellite nearly the plane wave's; from the ground larger by about the ratio of satellite to turbulence
    height, which is why an uplink's beam wanders and broadens where it starts and arrives coherent.
    """
    station = turbulence_profile(profile)
    sec = air_mass(zenith_rad)
    sources = {"satellite": _from_satellite, "ground": _from_ground}
    path, sec_all = np.broadcast_arrays(positive("slant_range_m", slant_range_m) / sec, sec)
    depth = station.upper_height_m - station.lower_height_m
    if np.any(path <= depth):
        raise InputError(f"slant_range_m: the path must leave the turbulence, {depth:g} m high above the telescope")
    integral = choice("source", source, sources)(station, path)
    return np.asarray((0.423 * _wavenumber(wavelength_m) ** 2 * sec_all * integral) ** -0.6)


def _from_satellite(profile: TurbulenceProfile, path_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cn2 weighted by the distance from a satellite at this height above the station, per that height."""
    start, depth = profile.lower_height_m, profile.upper_height_m - profile.lower_height_m
    return cn2_integral(
        profile, start, 1.0 / path_m, 1.0 / depth, lambda h, inverse: (1.0 - (h - start) * inverse) ** (5.0 / 3.0)
    )


def _from_ground(profile: TurbulenceProfile, path_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cn2 weighted by the distance from the station, per the height of the satellite above it."""
    return np.asarray(cn2_moment(profile, 5.0 / 3.0) * path_m ** (-5.0 / 3.0))


def _wind_moment(
    profile: TurbulenceProfile, power: float, lower_height: str, slew_rad_s: ArrayLike, sec: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integral of Cn2 times a power of the wind with the pseudo-wind of a slewing telescope."""
    lower = choice("lower_height", lower_height, GREENWOOD_LOWER_HEIGHTS)(profile)
    slew = np.asarray(slew_rad_s, dtype=np.float64)
    if not np.all(np.isfinite(slew) & (slew >= 0.0)):
        raise InputError("slew_rad_s: the slew rate must be finite and at least 0 rad/s")
    if not np.any(slew):
        return np.asarray(cn2_moment(profile, 0.0, power, lower))
    heights, _ = quadrature(profile, lower)
    offset = float(np.min(profile.wind_m_s(heights) / heights))
    return cn2_integral(profile, lower, slew * sec, offset, lambda h, rate: (profile.wind_m_s(h) + rate * h) ** power)


def greenwood_frequency_hz(
    *,
    profile: str | TurbulenceProfile,
    wavelength_m: ArrayLike,
    zenith_rad: ArrayLike,
    lower_height: str = "ground",
    slew_rad_s: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    r"""Greenwood frequency, Eq. 167.

    Parameters
    ----------
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    lower_height : {"ground", "published"}, default "ground"
        Where the integral begins, see :data:`GREENWOOD_LOWER_HEIGHTS`.
    slew_rad_s : array_like, default 0
        Angular rate of the line of sight, 0 for a geostationary satellite; all broadcast. [rad/s]

    Returns
    -------
    ndarray
        :math:`f_G = [0.1022 k^2 \sec\theta \int C_n^2 V^{5/3} dh]^{3/5}`. [Hz]

    Raises
    ------
    InputError
        As :func:`fried_parameter_m`, for an unknown lower height or a negative slew rate.

    Notes
    -----
    A slewing line of sight drags the turbulence across the aperture: it adds :math:`\omega h\sec\theta` to the wind
    (both taken parallel, the fastest case).
    """
    sec = air_mass(zenith_rad)
    integral = _wind_moment(turbulence_profile(profile), 5.0 / 3.0, lower_height, slew_rad_s, sec)
    return np.asarray((0.1022 * _wavenumber(wavelength_m) ** 2 * sec * integral) ** 0.6)


def tracking_frequency_hz(
    *,
    profile: str | TurbulenceProfile,
    wavelength_m: ArrayLike,
    zenith_rad: ArrayLike,
    aperture_diameter_m: ArrayLike,
    lower_height: str = "ground",
    slew_rad_s: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    r"""Tracking-Greenwood (tilt) frequency, Eq. 168.

    Parameters
    ----------
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    aperture_diameter_m : array_like
        Diameter of the receiver. [m]
    lower_height : {"ground", "published"}, default "ground"
        Where the integral begins, see :data:`GREENWOOD_LOWER_HEIGHTS`.
    slew_rad_s : array_like, default 0
        Angular rate of the line of sight; all broadcast. [rad/s]

    Returns
    -------
    ndarray
        :math:`f_{TG} = 0.05268\,D^{-1/6} k [\sec\theta \int C_n^2 V^2 dh]^{1/2}`. [Hz]

    Raises
    ------
    InputError
        As :func:`greenwood_frequency_hz`, and for an aperture that is not positive.
    """
    sec = air_mass(zenith_rad)
    integral = _wind_moment(turbulence_profile(profile), 2.0, lower_height, slew_rad_s, sec)
    aperture = positive("aperture_diameter_m", aperture_diameter_m)
    return np.asarray(0.05268 * aperture ** (-1.0 / 6.0) * _wavenumber(wavelength_m) * np.sqrt(sec * integral))


def isoplanatic_angle_rad(
    *, profile: str | TurbulenceProfile, wavelength_m: ArrayLike, zenith_rad: ArrayLike
) -> NDArray[np.float64]:
    r"""Isoplanatic angle of Hardy, Eq. 3.104.

    Parameters
    ----------
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]

    Returns
    -------
    ndarray
        :math:`\theta_0 = [2.914 k^2 \sec^{8/3}\theta \int C_n^2 (h-h_0)^{5/3} dh]^{-3/5}`. [rad]

    Raises
    ------
    InputError
        As :func:`fried_parameter_m`.

    Notes
    -----
    An uplink that points ahead by more than this angle is not corrected by adaptive optics on the downlink's wave.
    """
    integral = cn2_moment(turbulence_profile(profile), 5.0 / 3.0)
    sec = air_mass(zenith_rad)
    return np.asarray((2.914 * _wavenumber(wavelength_m) ** 2 * sec ** (8.0 / 3.0) * integral) ** -0.6)
