r"""Gaussian beam from a telescope to a telescope: diffraction, truncation, turbulence, collection.

Radii are :math:`1/e^2`-intensity radii, apertures are diameters.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, Apps. H.5-H.7 (Eqs. 149-154).
.. [2] A. E. Siegman, "Defining, measuring, and optimizing laser beam quality", Proc. SPIE 1868, 2 (1993).
.. [3] L. C. Andrews, R. L. Phillips, *Laser Beam Propagation through Random Media*, 2nd ed., SPIE, 2005, ch. 12.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range, positive
from satqkd.channel.height_integrals import cn2_moment
from satqkd.channel.turbulence import TurbulenceProfile, air_mass, turbulence_profile
from satqkd.errors import InputError

__all__ = [
    "annular_collected_fraction",
    "broadened_radius_m",
    "diffraction_radius_m",
    "on_axis_truncation",
    "truncated_power_fraction",
    "turbulence_broadening",
    "waist_radius_m",
]


def waist_radius_m(tx_aperture_diameter_m: ArrayLike, *, waist_fraction: ArrayLike = 0.25) -> NDArray[np.float64]:
    r"""Radius of the beam in the transmitter's aperture, Eq. 150.

    Parameters
    ----------
    tx_aperture_diameter_m : array_like
        Transmitter diameter, any shape. [m]
    waist_fraction : array_like, default 0.25
        Radius per *diameter*, in (0, 10]. [1]

    Returns
    -------
    ndarray
        :math:`w_0 = f a_T`, :math:`1/e^2` radius. [m]

    Raises
    ------
    InputError
        For an aperture or a fraction that is not positive.
    """
    return np.asarray(
        positive("waist_fraction", waist_fraction) * positive("tx_aperture_diameter_m", tx_aperture_diameter_m)
    )


def diffraction_radius_m(
    slant_range_m: ArrayLike, *, wavelength_m: ArrayLike, waist_radius_m: ArrayLike, beam_quality: ArrayLike = 1.0
) -> NDArray[np.float64]:
    r"""Beam radius in vacuum, Eq. 149.

    Parameters
    ----------
    slant_range_m : array_like
        Distance from the waist, any shape. [m]
    wavelength_m : array_like
        Vacuum wavelength. [m]
    waist_radius_m : array_like
        :math:`1/e^2` radius at the transmitter. [m]
    beam_quality : array_like, default 1
        :math:`M^2 \ge 1`, 1 = ideal; all broadcast. [1]

    Returns
    -------
    ndarray
        :math:`w_0\sqrt{1 + (M^2 L/z_R)^2}`, :math:`z_R = \pi w_0^2/\lambda`. [m]

    Raises
    ------
    InputError
        For a beam quality below 1, or a length that is not positive.
    """
    waist = positive("waist_radius_m", waist_radius_m)
    rayleigh_m = np.pi * waist**2 / positive("wavelength_m", wavelength_m)
    spread = in_range("beam_quality", beam_quality, 1.0, np.inf) * positive("slant_range_m", slant_range_m)
    return np.asarray(waist * np.hypot(1.0, spread / rayleigh_m))


def truncated_power_fraction(*, waist_radius_m: ArrayLike, tx_aperture_diameter_m: ArrayLike) -> NDArray[np.float64]:
    r"""Share of a Gaussian beam's power that passes its own transmit aperture.

    Parameters
    ----------
    waist_radius_m : array_like
        :math:`1/e^2` radius in the aperture. [m]
    tx_aperture_diameter_m : array_like
        Diameter, broadcast. [m]

    Returns
    -------
    ndarray
        :math:`1 - \exp(-a_T^2/2w_0^2)`: 0.99966 for :math:`w_0 = a_T/4`. [1]

    Raises
    ------
    InputError
        For a length that is not positive.
    """
    ratio = positive("tx_aperture_diameter_m", tx_aperture_diameter_m) / positive("waist_radius_m", waist_radius_m)
    return np.asarray(-np.expm1(-0.5 * ratio**2))


def on_axis_truncation(*, waist_radius_m: ArrayLike, tx_aperture_diameter_m: ArrayLike) -> NDArray[np.float64]:
    r"""On-axis far-field irradiance of a truncated beam per that of the same beam untruncated.

    Parameters
    ----------
    waist_radius_m : array_like
        :math:`1/e^2` radius in the aperture. [m]
    tx_aperture_diameter_m : array_like
        Diameter, broadcast. [m]

    Returns
    -------
    ndarray
        :math:`[1 - \exp(-a_T^2/4w_0^2)]^2`: 0.9637 (0.16 dB) for :math:`w_0 = a_T/4`. [1]

    Raises
    ------
    InputError
        For a length that is not positive.

    Notes
    -----
    The factor by which a receiver much smaller than the spot collects less; lost power and widened spot together.
    """
    ratio = positive("tx_aperture_diameter_m", tx_aperture_diameter_m) / positive("waist_radius_m", waist_radius_m)
    return np.asarray(np.expm1(-0.25 * ratio**2) ** 2)


def turbulence_broadening(
    slant_range_m: ArrayLike,
    *,
    profile: str | TurbulenceProfile,
    wavelength_m: ArrayLike,
    zenith_rad: ArrayLike,
    beam_radius_m: ArrayLike,
) -> NDArray[np.float64]:
    r"""Broadening of a downlink's spot by turbulence, T of Eq. 152.

    Parameters
    ----------
    slant_range_m : array_like
        Distance of satellite and station, any shape. [m]
    profile : str or TurbulenceProfile
        The station, or the name of a preset.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    beam_radius_m : array_like
        Radius in vacuum *at the receiver*, by :func:`diffraction_radius_m`; all broadcast. [m]

    Returns
    -------
    ndarray
        T, at least 0. [1]

    Raises
    ------
    InputError
        For an unknown profile, a length that is not positive, or an angle at or below the horizon.

    Notes
    -----
    With :math:`H` the depth of the turbulence,
    :math:`T = 4.35\,(2L/kw_d^2)^{5/6} k^{7/6} H^{-5/6} \sec^{11/6}\theta \int C_n^2 (h-h_0)^{5/3} dh`.
    The turbulence lies next to the receiver, so it hardly spreads the beam: T is 7e-4 to 1.1e-2 for a
    geostationary satellite at 60 deg. The launch waist in place of :math:`w_d` would make T larger by
    :math:`(w_d/w_0)^{5/3}`, some four orders of magnitude.
    """
    station = turbulence_profile(profile)
    wavenumber = 2.0 * np.pi / positive("wavelength_m", wavelength_m)
    radius = positive("beam_radius_m", beam_radius_m)
    depth = station.upper_height_m - station.lower_height_m
    constant = 4.35 * depth ** (-5.0 / 6.0) * cn2_moment(station, 5.0 / 3.0)
    # k^(7/6) (2L / k w^2)^(5/6) sec^(11/6): gathered so that an array is raised to a power once
    range_term = (2.0 * positive("slant_range_m", slant_range_m) / radius**2) ** (5.0 / 6.0)
    return np.asarray(constant * np.cbrt(wavenumber) * range_term * air_mass(zenith_rad) ** (11.0 / 6.0))


def broadened_radius_m(beam_radius_m: ArrayLike, *, broadening: ArrayLike) -> NDArray[np.float64]:
    r"""Long-term radius of the spot, Eq. 151.

    Parameters
    ----------
    beam_radius_m : array_like
        Radius in vacuum at the receiver. [m]
    broadening : array_like
        T by :func:`turbulence_broadening`, broadcast. [1]

    Returns
    -------
    ndarray
        :math:`w_d\sqrt{1+T}`. [m]

    Raises
    ------
    InputError
        For a radius that is not positive or a negative broadening.
    """
    growth = np.sqrt(1.0 + in_range("broadening", broadening, 0.0, np.inf))
    return np.asarray(positive("beam_radius_m", beam_radius_m) * growth)


def annular_collected_fraction(
    beam_radius_m: ArrayLike, *, aperture_diameter_m: ArrayLike, obscuration_diameter_m: ArrayLike = 0.0
) -> NDArray[np.float64]:
    r"""Fraction of a centred beam that an aperture with central obscuration collects, Eq. 154.

    Parameters
    ----------
    beam_radius_m : array_like
        Radius of the spot. [m]
    aperture_diameter_m : array_like
        Diameter of the receiver. [m]
    obscuration_diameter_m : array_like, default 0
        Diameter of what stands before it, smaller than the aperture; all broadcast. [m]

    Returns
    -------
    ndarray
        :math:`\exp(-D_o^2/2w^2) - \exp(-D^2/2w^2)`, in [0, 1]. [1]

    Raises
    ------
    InputError
        For a length that is not positive or an obscuration as large as the aperture.
    """
    radius = positive("beam_radius_m", beam_radius_m)
    aperture = positive("aperture_diameter_m", aperture_diameter_m)
    obscuration = in_range("obscuration_diameter_m", obscuration_diameter_m, 0.0, np.inf)
    if np.any(obscuration >= aperture):
        raise InputError(
            f"obscuration_diameter_m: {obscuration.max():g} m is not allowed, below the aperture's diameter "
            f"({aperture.min():g} m) only"
        )
    half_inverse = 0.5 / radius**2
    clear = -np.expm1((obscuration**2 - aperture**2) * half_inverse)
    return np.asarray(clear * np.exp(-(obscuration**2) * half_inverse)) if np.any(obscuration) else np.asarray(clear)
