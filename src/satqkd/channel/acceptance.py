r"""What a receiver accepts of the sky's light: field of view, filter, gate and area.

Mannalath, Zapatero and Curty, arXiv:2605.29706, H.9 and H.13 (Eqs. 158, 159, 172-174).

Two slips of the printed equations are put right. Eq. 173 gives the receiver's area as :math:`a_R^2/4` and Eq. 174
divides by :math:`2\hbar c = hc/\pi`: the missing :math:`\pi` of the area stands there, so the product is right and
only the product is meant. The filter's width :math:`\Delta\lambda` is in metres (the factor :math:`10^6` turns
mW m-2 nm-1 into W m-3). Eq. 158 is evaluated as :math:`4\pi\sin^2(\gamma/2)`: printed, it loses every digit at a
microradian.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._allowed import not_negative, positive
from satqkd.constants import PLANCK_J_S, SPEED_OF_LIGHT_M_S
from satqkd.errors import InputError

__all__ = [
    "CONSTANTS",
    "FIELDS_OF_VIEW",
    "Constants",
    "acceptance_m3_s_sr",
    "airy_half_angle_rad",
    "diffraction_half_angle_rad",
    "fibre_half_angle_rad",
    "filter_width_m",
    "photon_flux",
    "solid_angle_sr",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Constants:
    """Speed of light and reduced Planck constant used for the photon's energy and the filter's width.

    Attributes
    ----------
    speed_of_light_m_s : float
        In vacuum. [m/s]
    reduced_planck_j_s : float
        Planck constant over 2 pi. [J s]
    """

    speed_of_light_m_s: float
    reduced_planck_j_s: float


CONSTANTS: Final[Mapping[str, Constants]] = MappingProxyType(
    {
        "published": Constants(2.998e8, 1.055e-34),  # Table 1, rounded as printed
        "si": Constants(SPEED_OF_LIGHT_M_S, PLANCK_J_S / (2.0 * math.pi)),
    }
)
"""Constants by name. ``si`` gives 0.046 % more photons than the rounded values of Table 1."""


def fibre_half_angle_rad(wavelength_m: ArrayLike, rx_aperture_diameter_m: ArrayLike) -> FloatArray:
    r"""Effective half-angle seen by a single-mode fibre, :math:`2.24\lambda/\pi a_R` (Table 1). [rad]"""
    return np.asarray(2.24 * np.asarray(wavelength_m, float) / (np.pi * np.asarray(rx_aperture_diameter_m, float)))


def airy_half_angle_rad(wavelength_m: ArrayLike, rx_aperture_diameter_m: ArrayLike) -> FloatArray:
    r"""Half-angle of the first dark Airy ring, :math:`1.22\lambda/a_R` (Eq. 159). [rad]"""
    return np.asarray(1.22 * np.asarray(wavelength_m, float) / np.asarray(rx_aperture_diameter_m, float))


def diffraction_half_angle_rad(wavelength_m: ArrayLike, rx_aperture_diameter_m: ArrayLike) -> FloatArray:
    r"""Half-angle of the estimate of critical radiances, :math:`\lambda/\pi a_R` (Sec. V.2). [rad]"""
    return np.asarray(np.asarray(wavelength_m, float) / (np.pi * np.asarray(rx_aperture_diameter_m, float)))


FIELDS_OF_VIEW: Final[Mapping[str, Callable[[ArrayLike, ArrayLike], FloatArray]]] = MappingProxyType(
    {
        "single-mode-fibre": fibre_half_angle_rad,
        "free-space": airy_half_angle_rad,
        "diffraction-limited": diffraction_half_angle_rad,
    }
)
"""Half-angle of the field of view by coupling, from wavelength and diameter of the receiver.

``diffraction-limited`` is five times narrower in solid angle than the fibre; the paper uses it for the critical
radiances of Fig. 2 only.
"""


def _constants(name: str) -> Constants:
    if name not in CONSTANTS:
        raise InputError(f"constants = {name!r}: must be one of {', '.join(CONSTANTS)}")
    return CONSTANTS[name]


def solid_angle_sr(half_angle_rad: ArrayLike) -> FloatArray:
    r"""Solid angle of a cone, Eq. 158 without its cancellation.

    Parameters
    ----------
    half_angle_rad : array_like
        Half-angle in [0, pi], any shape. [rad]

    Returns
    -------
    ndarray
        :math:`4\pi\sin^2(\gamma/2)`. [sr]

    Examples
    --------
    >>> import math
    >>> float(solid_angle_sr(math.pi) / math.pi)
    4.0
    """
    return np.asarray(4.0 * np.pi * np.sin(0.5 * np.asarray(half_angle_rad, dtype=np.float64)) ** 2)


def filter_width_m(filter_hz: ArrayLike, wavelength_m: ArrayLike, *, constants: str = "published") -> FloatArray:
    r"""Width of a filter in wavelength, :math:`\Delta\lambda = \lambda^2\Delta\nu/c` (Table 8).

    Parameters
    ----------
    filter_hz : array_like
        Full width in frequency, positive. [Hz]
    wavelength_m : array_like
        Centre in vacuum, broadcast against it. [m]
    constants : {"published", "si"}
        :data:`CONSTANTS`.

    Returns
    -------
    ndarray
        Full width. [m]

    Raises
    ------
    InputError
        A value is not positive.

    Examples
    --------
    >>> round(float(filter_width_m(10e9, 854.445e-9)) * 1e9, 4)
    0.0244
    """
    width, wavelength = positive("filter_hz", filter_hz), positive("wavelength_m", wavelength_m)
    return np.asarray(wavelength**2 * width / _constants(constants).speed_of_light_m_s)


def photon_flux(
    radiance_mw_m2_nm_sr: ArrayLike, wavelength_m: ArrayLike, *, constants: str = "published"
) -> FloatArray:
    r"""Photon-flux density of the sky, Eq. 174: it contains the :math:`\pi` of the receiver's area.

    Parameters
    ----------
    radiance_mw_m2_nm_sr : array_like
        Spectral radiance, not negative. [mW m-2 nm-1 sr-1]
    wavelength_m : array_like
        Vacuum wavelength, broadcast against it. [m]
    constants : {"published", "si"}
        :data:`CONSTANTS`.

    Returns
    -------
    ndarray
        :math:`10^6\lambda\tilde H/2\hbar c`, pi times the photon radiance. [m-3 s-1 sr-1]

    Raises
    ------
    InputError
        A negative radiance or a wavelength that is not positive.
    """
    radiance = not_negative("radiance_mw_m2_nm_sr", radiance_mw_m2_nm_sr)
    wavelength, used = positive("wavelength_m", wavelength_m), _constants(constants)
    return np.asarray(radiance * 1e6 * wavelength / (2.0 * used.reduced_planck_j_s * used.speed_of_light_m_s))


def acceptance_m3_s_sr(
    *,
    width_m: ArrayLike,
    gate_s: ArrayLike,
    solid_angle_sr: ArrayLike,
    rx_aperture_diameter_m: ArrayLike,
) -> FloatArray:
    r"""Acceptance of the receiver in angle, spectrum and time, Eq. 173: a square of half the diameter for the area.

    Parameters
    ----------
    width_m : array_like
        Filter width in wavelength. [m]
    gate_s : array_like
        Gate. [s]
    solid_angle_sr : array_like
        Field of view. [sr]
    rx_aperture_diameter_m : array_like
        Clear diameter of the receiver. [m]

    Returns
    -------
    ndarray
        :math:`\Gamma_R = \Delta\lambda\,\Delta t\,\Omega\,a_R^2/4`; the :math:`\pi` is in :func:`photon_flux`.
        [m3 s sr]

    Raises
    ------
    InputError
        A value is not positive.
    """
    width, gate = positive("width_m", width_m), positive("gate_s", gate_s)
    aperture, angle = positive("rx_aperture_diameter_m", rx_aperture_diameter_m), np.asarray(solid_angle_sr, float)
    return np.asarray(width * gate * angle * aperture**2 / 4.0)
