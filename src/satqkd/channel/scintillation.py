r"""Scintillation of links through the atmosphere: Rytov variances, saturation, aperture averaging.

Kolmogorov's spectrum :math:`0.033\,C_n^2\kappa^{-11/3}`, Taylor's weak-fluctuation theory, and the saturating form of
Andrews and Phillips. Statistics of fades are in :mod:`satqkd.channel.fades`.

References
----------
.. [1] L. C. Andrews, R. L. Phillips, *Laser Beam Propagation through Random Media*, 2nd ed., SPIE, 2005, ch. 8-10, 12.
.. [2] L. C. Andrews, R. L. Phillips, C. Y. Hopen, "Scintillation model for a satellite communication link at large
   zenith angles", Opt. Eng. 39, 3272 (2000).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range, positive
from satqkd.channel._path import check_beyond_turbulence, optical_wavelength_m
from satqkd.channel.beam_wander import WANDER_CONSTANT
from satqkd.channel.height_integrals import cn2_moment, quadrature
from satqkd.channel.turbulence import TurbulenceProfile, air_mass, turbulence_profile
from satqkd.errors import InputError

__all__ = [
    "aperture_averaging_factor",
    "pointing_scintillation_index",
    "rytov_variance_beam",
    "rytov_variance_plane",
    "rytov_variance_spherical",
    "saturated_scintillation_index",
    "saturated_variances",
]

Floats = NDArray[np.float64]

BEAM_CONSTANT: Final = 8.702_074
r""":math:`4\pi^2\,0.033\cdot\tfrac65\Gamma(1/6)`, printed as 8.70. [1]"""

WAVE_CONSTANT: Final = BEAM_CONSTANT * np.cos(5.0 * np.pi / 12.0)
"""The same for plane and spherical waves, 2.2523, printed as 2.25. [1]"""

_BLOCK: Final = 2048


def _wavenumber(wavelength_m: ArrayLike) -> Floats:
    return np.asarray(2.0 * np.pi / optical_wavelength_m(wavelength_m))


def _integrate(
    profile: TurbulenceProfile, weight: Callable[..., Floats], sec: Floats, *parameters: ArrayLike
) -> Floats:
    """Integral of Cn2 over the slanted path with a weight of the path from the ground and of broadcast parameters."""
    heights, strength = quadrature(profile, profile.lower_height_m)
    arrays = np.broadcast_arrays(sec, *parameters)
    columns = [array.reshape(-1, 1) for array in arrays]
    found = np.empty(arrays[0].size)
    for start in range(0, found.size, _BLOCK):
        air, *others = (column[start : start + _BLOCK] for column in columns)
        path = (heights - profile.lower_height_m) * air
        found[start : start + _BLOCK] = (weight(path, *others) @ strength) * air[:, 0]
    return found.reshape(arrays[0].shape)


def _difference(real: Floats, imaginary: Floats) -> Floats:
    r""":math:`\mathrm{Re}(a+ib)^{5/6} - a^{5/6}` for a > 0 without cancellation at small b."""
    ratio = imaginary / real
    angle = 5.0 / 6.0 * np.arctan(ratio)
    growth = np.expm1(5.0 / 12.0 * np.log1p(ratio * ratio))
    return np.asarray(real ** (5.0 / 6.0) * (growth * np.cos(angle) - 2.0 * np.sin(0.5 * angle) ** 2))


def rytov_variance_plane(*, profile: str | TurbulenceProfile, wavelength_m: ArrayLike, zenith_rad: ArrayLike) -> Floats:
    r"""Rytov variance of a plane wave that arrives from space: weak scintillation index of a downlink.

    Parameters
    ----------
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2), broadcast. [rad]

    Returns
    -------
    ndarray
        :math:`\sigma_R^2 = 2.25\,k^{7/6}\sec^{11/6}\theta\int C_n^2(h)(h-h_0)^{5/6}dh`. [1]

    Raises
    ------
    InputError
        For an unknown profile, a wavelength that is not in metres, or an angle at or below the horizon.

    Examples
    --------
    >>> f"{rytov_variance_plane(profile='hv-5-7', wavelength_m=1550e-9, zenith_rad=0.0):.3f}"
    '0.061'
    """
    moment = cn2_moment(turbulence_profile(profile), 5.0 / 6.0)
    return np.asarray(
        WAVE_CONSTANT * moment * _wavenumber(wavelength_m) ** (7.0 / 6.0) * air_mass(zenith_rad) ** (11.0 / 6.0)
    )


def rytov_variance_spherical(
    slant_range_m: ArrayLike, *, profile: str | TurbulenceProfile, wavelength_m: ArrayLike, zenith_rad: ArrayLike
) -> Floats:
    r"""Rytov variance of a spherical wave between ground and satellite, the same in both directions.

    Parameters
    ----------
    slant_range_m : array_like
        Distance, beyond the turbulence. [m]
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2); all broadcast. [rad]

    Returns
    -------
    ndarray
        :math:`2.25\,k^{7/6}\int C_n^2\,[z(L-z)/L]^{5/6}dz`, :math:`z=(h-h_0)\sec\theta`. [1]

    Raises
    ------
    InputError
        As :func:`rytov_variance_plane`, and for a range within the turbulence.
    """
    station, sec = turbulence_profile(profile), air_mass(zenith_rad)
    distance = positive("slant_range_m", slant_range_m)
    check_beyond_turbulence(distance, sec, station)
    integral = _integrate(station, lambda z, length: (z * (1.0 - z / length)) ** (5.0 / 6.0), sec, distance)
    return np.asarray(WAVE_CONSTANT * _wavenumber(wavelength_m) ** (7.0 / 6.0) * integral)


def rytov_variance_beam(
    slant_range_m: ArrayLike,
    *,
    profile: str | TurbulenceProfile,
    wavelength_m: ArrayLike,
    zenith_rad: ArrayLike,
    waist_radius_m: ArrayLike,
) -> Floats:
    r"""Weak scintillation index on the axis of a collimated uplink beam that is tracked.

    Parameters
    ----------
    slant_range_m : array_like
        Distance, beyond the turbulence. [m]
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    waist_radius_m : array_like
        :math:`1/e^2` radius in the transmitter; all broadcast. [m]

    Returns
    -------
    ndarray
        :math:`\sigma_B^2 = 8.70\,k^{7/6}L^{5/6}\,\mathrm{Re}\int C_n^2\{\xi^{5/6}[\Lambda\xi
        + i(1-\bar\Theta\xi)]^{5/6} - \Lambda^{5/6}\xi^{5/3}\}\,dz`, :math:`\xi = 1-z/L`. [1]

    Raises
    ------
    InputError
        As :func:`rytov_variance_spherical`, and for a waist that is not positive.

    Notes
    -----
    Ch. 12 of [1] with the receiver's beam parameters :math:`\Theta = 1/(1+\Lambda_0^2)`,
    :math:`\Lambda = \Lambda_0/(1+\Lambda_0^2)`, :math:`\Lambda_0 = 2L/kw_0^2`. A small waist gives the spherical
    wave; one beyond the Fresnel zone of the whole link, :math:`\sqrt{L/k}`, a plane wave that left its turbulence the
    whole link behind, where the variance is far above 1 and :func:`saturated_scintillation_index` must follow.
    Wander of the spot comes on top, :func:`pointing_scintillation_index`.
    """
    station, sec = turbulence_profile(profile), air_mass(zenith_rad)
    distance = positive("slant_range_m", slant_range_m)
    wavenumber = _wavenumber(wavelength_m)
    check_beyond_turbulence(distance, sec, station)
    fresnel = 2.0 * distance / (wavenumber * positive("waist_radius_m", waist_radius_m) ** 2)
    theta = 1.0 / (1.0 + fresnel**2)

    def weight(z: Floats, length: Floats, spread: Floats, refraction: Floats) -> Floats:
        rest = 1.0 - z / length
        # 1 - (1 - Theta) xi, gathered so that nothing cancels near the ground
        return np.asarray(rest ** (5.0 / 6.0) * _difference(spread * rest, z / length + refraction * rest))

    integral = _integrate(station, weight, sec, distance, fresnel * theta, theta)
    return np.asarray(BEAM_CONSTANT * wavenumber ** (7.0 / 6.0) * distance ** (5.0 / 6.0) * integral)


def pointing_scintillation_index(
    slant_range_m: ArrayLike,
    *,
    profile: str | TurbulenceProfile,
    wavelength_m: ArrayLike,
    zenith_rad: ArrayLike,
    waist_radius_m: ArrayLike,
    offset_m: ArrayLike,
) -> Floats:
    r"""Additional weak scintillation index off the axis of an uplink beam.

    Parameters
    ----------
    slant_range_m : array_like
        Distance, beyond the turbulence. [m]
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    waist_radius_m : array_like
        :math:`1/e^2` radius in the transmitter. [m]
    offset_m : array_like
        Root-mean-square distance of the receiver from the axis, at most half the vacuum radius; all broadcast. [m]

    Returns
    -------
    ndarray
        :math:`\sigma_{I,r}^2 = 14.5\,\frac{r^2}{w^2}\,k^{7/6}L^{5/6}\Lambda^{5/6}\int C_n^2\xi^{5/3}dz`. [1]

    Raises
    ------
    InputError
        As :func:`rytov_variance_beam`, and for an offset that is negative or more than half the radius.

    Notes
    -----
    First order in the offset's square: 12 % off at half the radius. Ch. 12 of [1] prints
    :math:`5.95\,(2w_0/r_0)^{5/3}(r/w)^2` for it, with rounded constants 2 % below this. The offset of an untracked beam
    is :func:`satqkd.channel.beam_wander.hot_spot_variance_m2`, not the whole wander.
    """
    station, sec = turbulence_profile(profile), air_mass(zenith_rad)
    distance = positive("slant_range_m", slant_range_m)
    wavenumber = _wavenumber(wavelength_m)
    check_beyond_turbulence(distance, sec, station)
    waist = positive("waist_radius_m", waist_radius_m)
    offset = in_range("offset_m", offset_m, 0.0, np.inf)
    fresnel = 2.0 * distance / (wavenumber * waist**2)
    spread = fresnel / (1.0 + fresnel**2)
    radius = waist * np.hypot(1.0, fresnel)
    if np.any(offset > 0.5 * radius):
        raise InputError(
            f"offset_m: {np.max(offset):g} m is not allowed, the expansion holds up to half the spot's radius "
            f"in vacuum, which is {float(np.min(radius)):.3g} m"
        )
    integral = _integrate(station, lambda z, length: (1.0 - z / length) ** (5.0 / 3.0), sec, distance)
    scale = 2.0 * WANDER_CONSTANT * wavenumber ** (7.0 / 6.0) * (distance * spread) ** (5.0 / 6.0)
    return np.asarray(scale * (offset / radius) ** 2 * integral)


def saturated_variances(weak_index: ArrayLike, *, refraction: ArrayLike = 1.0) -> tuple[Floats, Floats]:
    r"""Log-irradiance variances of large and small eddies, from weak to strong turbulence.

    Parameters
    ----------
    weak_index : array_like
        Rytov variance of the wave in question, at least 0, any shape. [1]
    refraction : array_like, default 1
        :math:`\Theta` at the receiver in [0, 1]: 1 plane wave, 0 spherical wave, between them a collimated beam. [1]

    Returns
    -------
    tuple of ndarray
        :math:`\sigma_{\ln X}^2 = 0.49\sigma^2/[1+0.56(1+\Theta)\sigma^{12/5}]^{7/6}` and
        :math:`\sigma_{\ln Y}^2 = 0.51\sigma^2/[1+0.69\sigma^{12/5}]^{5/6}`. [1]

    Raises
    ------
    InputError
        For a negative index or a parameter outside 0 to 1.

    Notes
    -----
    Ch. 9 and 12 of [1], [2], for a point receiver and zero inner scale; the plane wave's constant is printed as 1.11,
    here 1.12.
    """
    variance = in_range("weak_index", weak_index, 0.0, np.inf)
    shape = in_range("refraction", refraction, 0.0, 1.0)
    power = variance ** (6.0 / 5.0)
    large = 0.49 * variance / (1.0 + 0.56 * (1.0 + shape) * power) ** (7.0 / 6.0)
    small = 0.51 * variance / (1.0 + 0.69 * power) ** (5.0 / 6.0)
    large, small = np.broadcast_arrays(large, small)
    return large, small


def saturated_scintillation_index(weak_index: ArrayLike, *, refraction: ArrayLike = 1.0) -> Floats:
    r"""Scintillation index of a point receiver, from weak to strong turbulence.

    Parameters
    ----------
    weak_index : array_like
        Rytov variance of the wave in question, at least 0, any shape. [1]
    refraction : array_like, default 1
        :math:`\Theta` at the receiver in [0, 1], as in :func:`saturated_variances`. [1]

    Returns
    -------
    ndarray
        :math:`\sigma_I^2 = \exp(\sigma_{\ln X}^2+\sigma_{\ln Y}^2) - 1`: the weak index at first, 1 in saturation,
        above it between. [1]

    Raises
    ------
    InputError
        For a negative index or a parameter outside 0 to 1.
    """
    large, small = saturated_variances(weak_index, refraction=refraction)
    return np.asarray(np.expm1(large + small))


def aperture_averaging_factor(
    *,
    profile: str | TurbulenceProfile,
    wavelength_m: ArrayLike,
    zenith_rad: ArrayLike,
    aperture_diameter_m: ArrayLike,
) -> Floats:
    r"""Scintillation index of a downlink's whole aperture per that of a point receiver, weak turbulence.

    Parameters
    ----------
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    aperture_diameter_m : array_like
        Diameter of the receiver, at least 0; all broadcast. [m]

    Returns
    -------
    ndarray
        :math:`A = \sigma_I^2(D)/\sigma_I^2(0)`, in (0, 1], with :math:`\sigma_I^2(D) = 8.70\,k^2\,\mathrm{Re}\int
        C_n^2\{[D^2/16 + iz/k]^{5/6} - (D^2/16)^{5/6}\}dz`. [1]

    Raises
    ------
    InputError
        As :func:`rytov_variance_plane`, and for a negative diameter.

    Notes
    -----
    Ch. 10 of [1]: the aperture is a Gaussian one of equal power. A hard edge leaves 13 % more of the index in the
    limit of large apertures, :math:`17.3\,D^{-7/3}\sec^3\theta\int C_n^2h^2dh`, the same for all wavelengths.
    On the satellite an uplink's pattern is metres wide: A = 1.
    """
    station, sec = turbulence_profile(profile), air_mass(zenith_rad)
    wavenumber = _wavenumber(wavelength_m)
    square = in_range("aperture_diameter_m", aperture_diameter_m, 0.0, np.inf) ** 2 / 16.0
    # below a ten-thousandth of the Fresnel zone of the lowest metre an aperture is a point
    soft = np.maximum(square, 1e-9 / wavenumber)

    def weight(z: Floats, area: Floats, number: Floats) -> Floats:
        return _difference(area, z / number)

    averaged = _integrate(station, weight, sec, soft, wavenumber)
    point = WAVE_CONSTANT / BEAM_CONSTANT * cn2_moment(station, 5.0 / 6.0) * sec ** (11.0 / 6.0)
    return np.asarray(averaged / (point * wavenumber ** (-5.0 / 6.0)))
