r"""Spot of an uplink: diffraction and turbulence next to the transmitter, by named readings.

Radii are :math:`1/e^2`-intensity radii, apertures are diameters.

References
----------
.. [1] X. Wang, C. Dong, S. Zhao, Y. Liu, X. Liu, H. Zhu, "Feasibility of space-based measurement-device-independent
   quantum key distribution", Eqs. 1-3 and Table I.
.. [2] L. C. Andrews, R. L. Phillips, *Laser Beam Propagation through Random Media*, 2nd ed., SPIE, 2005, ch. 12.
.. [3] D. L. Fried, "Optical resolution through a randomly inhomogeneous medium", JOSA 56, 1372 (1966).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range, positive
from satqkd.channel._path import optical_wavelength_m
from satqkd.channel.beam_wander import beam_wander_variance_m2
from satqkd.channel.turbulence import TurbulenceProfile, air_mass
from satqkd.errors import InputError

__all__ = [
    "PUBLISHED_WAIST_FRACTION",
    "UPLINK_SPREADS",
    "UplinkBeam",
    "fixed_divergence_radius_m",
    "fried_parameter_eq3_m",
    "integrated_broadening",
    "long_term_broadening",
    "long_term_radius_m",
    "published_radius_m",
    "tilt_corrected_radius_m",
]

Floats = NDArray[np.float64]

PUBLISHED_WAIST_FRACTION: Final = 0.316
"""Beam radius per transmitter *diameter* in Eq. 2 of Wang, Dong et al., where it is 0.632 of the *radius*. [1]"""

_COHERENCE: Final = np.sqrt(8.0)
"""Diameter per waist radius at which turbulence and diffraction spread a Gaussian beam alike. [1]"""

_STRUCTURE: Final = 3.44
"""Half the structure function's constant 6.88. [1]"""


def fried_parameter_eq3_m(*, wavelength_m: ArrayLike, zenith_rad: ArrayLike, cn2_integral: ArrayLike) -> Floats:
    r"""Fried parameter by Eq. 3 of Wang, Dong et al.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength. [m]
    zenith_rad : array_like
        Zenith angle in [0, pi/2). [rad]
    cn2_integral : array_like
        :math:`\int C_n^2\,dz` over the height; all broadcast. [m^(1/3)]

    Returns
    -------
    ndarray
        :math:`1.1654\times10^{-8}\,\lambda^{1.2}(\sin\varphi)^{0.6}\,(\int C_n^2 dz)^{-0.6}`. [m]

    Raises
    ------
    InputError
        For a wavelength that is not in metres, an angle at or below the horizon or a negative integral.

    Notes
    -----
    The constant is :math:`(0.423\cdot4\pi^2)^{-0.6}` for a wavelength in *micrometres*: with metres, as in Eq. 2, the
    result would be :math:`10^{7.2}` times too small. In this reading it is the plane wave's parameter of [3] to
    2.2e-4, and so already holds the air mass.
    """
    micrometres = 1e6 * optical_wavelength_m(wavelength_m)
    depth = positive("cn2_integral", cn2_integral) * air_mass(zenith_rad)
    return np.asarray(1.1654e-8 * micrometres**1.2 * depth**-0.6)


@dataclass(frozen=True, kw_only=True)
class UplinkBeam:
    r"""What a spread needs to know of a beam; arrays that broadcast.

    Parameters
    ----------
    slant_range_m : ndarray
        Distance. [m]
    zenith_rad : ndarray
        Zenith angle of the satellite. [rad]
    wavelength_m : ndarray
        Vacuum wavelength. [m]
    tx_aperture_diameter_m : ndarray
        Diameter of the transmitter. [m]
    waist_radius_m : ndarray
        Radius of the beam in it. [m]
    vacuum_radius_m : ndarray
        Radius at the satellite without turbulence, beam quality included. [m]
    fried_m : ndarray
        Fried parameter of the slanted path at the ground, infinite without turbulence. [m]
    profile : TurbulenceProfile
        Turbulence above the station.
    divergence_rad : ndarray or None
        Given far-field half angle (radius per distance). [rad]
    """

    slant_range_m: Floats
    zenith_rad: Floats
    wavelength_m: Floats
    tx_aperture_diameter_m: Floats
    waist_radius_m: Floats
    vacuum_radius_m: Floats
    fried_m: Floats
    profile: TurbulenceProfile
    divergence_rad: Floats | None = None

    @property
    def coherence_ratio(self) -> Floats:
        r"""Ratio :math:`D_0/r_0`, :math:`D_0=\sqrt8\,\lambda L/\pi w_d` (:math:`\sqrt8\,w_0` far away at M^2 = 1)."""
        effective_waist = self.wavelength_m * self.slant_range_m / (np.pi * self.vacuum_radius_m)
        return np.asarray(_COHERENCE * effective_waist / self.fried_m)


def long_term_broadening(coherence_ratio: ArrayLike) -> Floats:
    r"""Growth of a beam's radius by turbulence next to the transmitter, closed form.

    Parameters
    ----------
    coherence_ratio : array_like
        :math:`D_0/r_0`, at least 0, any shape; :math:`D_0=\sqrt8\,w_0`. [1]

    Returns
    -------
    ndarray
        :math:`[1+(D_0/r_0)^{5/3}]^{3/5}`, at least 1. [1]

    Raises
    ------
    InputError
        For a negative ratio.

    Notes
    -----
    Ch. 12 of [2], and Eq. 2 of [1] without its second air mass: :math:`0.83(2R_s)^{5/3}` is
    :math:`(\sqrt8\,w_0)^{5/3}` for its waist of :math:`0.632R_s`. Right in both limits (3e-4 in the strong one, where
    :math:`\sqrt8` is rounded); between them the radius is at most 3.7 % (0.32 dB of loss, at a ratio of 1.4) above
    :func:`integrated_broadening`.
    """
    ratio = in_range("coherence_ratio", coherence_ratio, 0.0, np.inf)
    return np.asarray((1.0 + ratio ** (5.0 / 3.0)) ** 0.6)


@lru_cache(maxsize=1)
def _transfer_nodes() -> tuple[Floats, Floats]:
    """Gauss-Legendre panels for the transfer functions, u in waists from 0 to 9."""
    edges = np.concatenate([[0.0], np.geomspace(1e-6, 9.0, 34)])
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = 0.5 * np.diff(edges)[:, None]
    u = (edges[:-1, None] + half * (1.0 + nodes)).ravel()
    weight = (half * weights).ravel() * u * np.exp(-0.5 * u * u)
    return u ** (5.0 / 3.0), weight


def integrated_broadening(coherence_ratio: ArrayLike) -> Floats:
    r"""Growth of a beam's radius from the transfer functions of beam and turbulence: no interpolation formula.

    Parameters
    ----------
    coherence_ratio : array_like
        :math:`D_0/r_0` in [0, 1e4], any shape; :math:`D_0=\sqrt8\,w_0`. [1]

    Returns
    -------
    ndarray
        :math:`\left[\int_0^\infty u\,e^{-u^2/2-3.44(uw_0/r_0)^{5/3}}du\right]^{-1/2}`: the radius whose
        collected fraction is the mean irradiance on the axis, relative error below 1e-9. [1]

    Raises
    ------
    InputError
        For a ratio outside the range.
    """
    ratio = in_range("coherence_ratio", coherence_ratio, 0.0, 1e4)
    power, weight = _transfer_nodes()
    flat = _STRUCTURE * (np.atleast_1d(ratio).ravel() / _COHERENCE) ** (5.0 / 3.0)
    blocks = [np.exp(-np.outer(flat[start : start + 4096], power)) @ weight for start in range(0, flat.size, 4096)]
    mean = np.concatenate(blocks) if blocks else flat
    return np.asarray(mean.reshape(ratio.shape) ** -0.5)


def long_term_radius_m(beam: UplinkBeam) -> Floats:
    r"""Long-term radius with the air mass counted once: :math:`w_d[1+(D_0/r_0)^{5/3}]^{3/5}`. [m]"""
    return np.asarray(beam.vacuum_radius_m * long_term_broadening(beam.coherence_ratio))


def integral_radius_m(beam: UplinkBeam) -> Floats:
    r"""Long-term radius by :func:`integrated_broadening` in place of the closed form. [m]"""
    return np.asarray(beam.vacuum_radius_m * integrated_broadening(beam.coherence_ratio))


def vacuum_radius_m(beam: UplinkBeam) -> Floats:
    """Radius without any turbulence. [m]"""
    return np.asarray(beam.vacuum_radius_m)


def tilt_corrected_radius_m(beam: UplinkBeam) -> Floats:
    r"""Short-term radius, the beam's wander corrected ideally: :math:`\sqrt{w_{LT}^2-\langle r_c^2\rangle}`. [m]"""
    wander = beam_wander_variance_m2(
        beam.slant_range_m,
        profile=beam.profile,
        wavelength_m=beam.wavelength_m,
        zenith_rad=beam.zenith_rad,
        waist_radius_m=beam.waist_radius_m,
    )
    return np.asarray(np.sqrt(integral_radius_m(beam) ** 2 - wander))


def published_radius_m(beam: UplinkBeam) -> Floats:
    r"""Eq. 2 of Wang, Dong et al. as printed.

    Parameters
    ----------
    beam : UplinkBeam
        The beam; its waist must be Eq. 2's (0.632 of the aperture's radius) and its quality 1.

    Returns
    -------
    ndarray
        :math:`L\lambda/(0.632R_s\pi)\,[1 + 0.83\,(2R_s/r_0)^{5/3}/\sin\varphi]^{3/5}`. [m]

    Raises
    ------
    InputError
        For another waist or beam quality: the printed equation has neither.

    Notes
    -----
    The first factor is the far field's (or a focused beam's); the other readings hold a collimated one, whose radius
    is never below its waist. :math:`1/\sin\varphi` counts the air mass a second time, :math:`r_0` holds it: where
    turbulence rules, the spot is :math:`(\sin\varphi)^{-3/5}` wider, 6.7 dB of loss at 16 deg, none at zenith.
    """
    diffraction = beam.slant_range_m * beam.wavelength_m / (np.pi * 0.632 * 0.5 * beam.tx_aperture_diameter_m)
    # Eq. 2 keeps the far field's part of the radius only
    if not np.allclose(np.hypot(diffraction, beam.waist_radius_m), beam.vacuum_radius_m, rtol=1e-6, atol=0.0):
        raise InputError(
            "spread: published has its own waist and an ideal beam: leave waist_fraction at "
            f"{PUBLISHED_WAIST_FRACTION:g} and beam_quality at 1"
        )
    turbulence = 0.83 * air_mass(beam.zenith_rad) * (beam.tx_aperture_diameter_m / beam.fried_m) ** (5.0 / 3.0)
    return np.asarray(diffraction * (1.0 + turbulence) ** 0.6)


def fixed_divergence_radius_m(beam: UplinkBeam) -> Floats:
    r"""Given far-field divergence, turbulence included: :math:`w=\theta L`, as in Table I of Wang, Dong et al. [m]"""
    if beam.divergence_rad is None:
        raise InputError("divergence_rad: spread fixed-divergence needs it (14e-6 rad in Table I of Wang, Dong et al.)")
    return np.asarray(positive("divergence_rad", beam.divergence_rad) * beam.slant_range_m)


UPLINK_SPREADS: Final[Mapping[str, Callable[[UplinkBeam], Floats]]] = MappingProxyType(
    {
        "long-term": long_term_radius_m,
        "long-term-integral": integral_radius_m,
        "tilt-corrected": tilt_corrected_radius_m,
        "vacuum": vacuum_radius_m,
        "published": published_radius_m,
        "fixed-divergence": fixed_divergence_radius_m,
    }
)
"""Name -> radius of the spot at the satellite."""
