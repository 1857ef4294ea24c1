r"""What a receiver accepts of the sky's light: field of view, filter, gate and area.

Mannalath, Zapatero and Curty, arXiv:2605.29706, H.9 and H.13 (Eqs. 172-174).

A slip of the printed equations is put right. Eq. 173 gives the receiver's area as :math:`a_R^2/4` and Eq. 174
divides by :math:`2\hbar c = hc/\pi`: the missing :math:`\pi` of the area stands there, so the product is right and
only the product is meant. The filter's width :math:`\Delta\lambda` is in metres (the factor :math:`10^6` turns
mW m-2 nm-1 into W m-3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import choice, in_range, positive
from satqkd.channel.coupling import airy_half_angle_rad, fibre_half_angle_rad, solid_angle_sr
from satqkd.constants import PLANCK_J_S, SPEED_OF_LIGHT_M_S
from satqkd.errors import InputError

__all__ = [
    "CONSTANTS",
    "FIELDS_OF_VIEW",
    "Constants",
    "HalfAngle",
    "acceptance_m3_s_sr",
    "diffraction_half_angle_rad",
    "field_of_view_sr",
    "filter_width_m",
    "photon_flux",
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


def diffraction_half_angle_rad(*, wavelength_m: ArrayLike, aperture_diameter_m: ArrayLike) -> FloatArray:
    r"""Half angle of the estimate of critical radiances, :math:`\lambda/\pi D` (Sec. V.2).

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength. [m]
    aperture_diameter_m : array_like
        Diameter of the receiver, broadcast. [m]

    Returns
    -------
    ndarray
        Half angle. [rad]

    Raises
    ------
    InputError
        For a length that is not positive.
    """
    aperture = positive("aperture_diameter_m", aperture_diameter_m)
    return np.asarray(positive("wavelength_m", wavelength_m) / (np.pi * aperture))


class HalfAngle(Protocol):
    """Half angle of a field of view from wavelength and diameter of the receiver."""

    def __call__(self, *, wavelength_m: ArrayLike, aperture_diameter_m: ArrayLike) -> FloatArray:
        """Half angle. [rad]"""


FIELDS_OF_VIEW: Final[Mapping[str, HalfAngle | None]] = MappingProxyType(
    {
        "single-mode-fibre": fibre_half_angle_rad,
        "free-space": airy_half_angle_rad,
        "free-space-seeing": None,
        "diffraction-limited": diffraction_half_angle_rad,
    }
)
"""Half angle of the field of view by coupling; ``None``: it must be given.

``diffraction-limited`` is five times narrower in solid angle than the fibre; the paper uses it for the critical
radiances of Fig. 2 only.
"""


def field_of_view_sr(
    *,
    coupling: str,
    wavelength_m: ArrayLike,
    rx_aperture_diameter_m: ArrayLike,
    half_angle_rad: ArrayLike | None = None,
) -> FloatArray:
    """Solid angle from which a receiver takes background light.

    Parameters
    ----------
    coupling : {"single-mode-fibre", "free-space", "free-space-seeing", "diffraction-limited"}
        Name in :data:`FIELDS_OF_VIEW`.
    wavelength_m : array_like
        Vacuum wavelength. [m]
    rx_aperture_diameter_m : array_like
        Diameter of the receiver. [m]
    half_angle_rad : array_like, optional
        Half angle of a free-space receiver; needed for ``free-space-seeing``. [rad]

    Returns
    -------
    ndarray
        Solid angle. [sr]

    Raises
    ------
    InputError
        An unknown coupling, a half angle that is missing or not free, or a value outside its range.
    """
    own = choice("coupling", coupling, FIELDS_OF_VIEW)
    if half_angle_rad is not None:
        if coupling not in FREE_FIELDS:
            raise InputError(
                f"field_of_view_half_angle_rad: coupling {coupling} has its own field of view, leave it out"
            )
        half_angle = positive("field_of_view_half_angle_rad", half_angle_rad)
        return solid_angle_sr(in_range("field_of_view_half_angle_rad", half_angle, 0.0, np.pi / 2))
    if own is None:
        raise InputError(f"field_of_view_half_angle_rad: coupling {coupling} needs it, in radians")
    return solid_angle_sr(own(wavelength_m=wavelength_m, aperture_diameter_m=rx_aperture_diameter_m))


FREE_FIELDS: Final = ("free-space", "free-space-seeing")
"""Couplings whose field of view can be given."""


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
    return np.asarray(wavelength**2 * width / choice("constants", constants, CONSTANTS).speed_of_light_m_s)


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
    radiance = in_range("radiance_mw_m2_nm_sr", radiance_mw_m2_nm_sr, 0.0, np.inf)
    wavelength, used = positive("wavelength_m", wavelength_m), choice("constants", constants, CONSTANTS)
    return np.asarray(radiance * 1e6 * wavelength / (2.0 * used.reduced_planck_j_s * used.speed_of_light_m_s))


def acceptance_m3_s_sr(
    *,
    width_m: ArrayLike,
    gate_s: ArrayLike,
    view_sr: ArrayLike,
    rx_aperture_diameter_m: ArrayLike,
    obscuration_ratio: ArrayLike = 0.0,
) -> FloatArray:
    r"""Acceptance of the receiver in angle, spectrum and time, Eq. 173: a square of half the diameter for the area.

    Parameters
    ----------
    width_m : array_like
        Filter width in wavelength. [m]
    gate_s : array_like
        Gate. [s]
    view_sr : array_like
        Field of view, see :func:`field_of_view_sr`. [sr]
    rx_aperture_diameter_m : array_like
        Outer diameter of the receiver. [m]
    obscuration_ratio : array_like
        Diameter of the central obscuration per outer diameter, 0 to 1. [1]

    Returns
    -------
    ndarray
        :math:`\Gamma_R = \Delta\lambda\,\Delta t\,\Omega\,a_R^2(1-\epsilon^2)/4`; the :math:`\pi` is in
        :func:`photon_flux`. [m3 s sr]

    Raises
    ------
    InputError
        A value outside its range.
    """
    width, gate, view = positive("width_m", width_m), positive("gate_s", gate_s), positive("view_sr", view_sr)
    aperture = positive("rx_aperture_diameter_m", rx_aperture_diameter_m)
    open_share = 1.0 - in_range("obscuration_ratio", obscuration_ratio, 0.0, 1.0) ** 2
    return np.asarray(width * gate * view * aperture**2 * open_share / 4.0)
