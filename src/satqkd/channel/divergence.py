"""Beam of fixed divergence and slab atmosphere: Wang et al., Eqs. 1, 2 and 5.

References
----------
.. [1] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum
   key distribution modelling and scheduling analysis".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["beam_radius_m", "collected_fraction", "loss_db", "slab_loss_db"]


def loss_db(transmittance: ArrayLike) -> NDArray[np.float64]:
    r"""Loss in decibel, :math:`-10\log_{10}\eta`; infinite where nothing passes.

    Parameters
    ----------
    transmittance : array_like
        Linear transmittance in [0, 1], any shape. [1]

    Returns
    -------
    ndarray
        Loss, non-negative. [dB]

    Examples
    --------
    >>> loss_db([1.0, 0.1, 0.0])
    array([ 0., 10., inf])
    """
    with np.errstate(divide="ignore"):
        # adding 0.0 turns the -0.0 of a lossless element into 0.0
        return -10.0 * np.log10(np.asarray(transmittance, dtype=np.float64)) + 0.0


def beam_radius_m(slant_range_m: ArrayLike, *, wavelength_m: float, divergence_rad: float) -> NDArray[np.float64]:
    r"""Beam radius at the receiver, Eq. 2.

    Parameters
    ----------
    slant_range_m : array_like
        Distance between transmitter and receiver, any shape. [m]
    wavelength_m : float
        Vacuum wavelength. [m]
    divergence_rad : float
        :math:`\varphi`, far-field radius per distance, diffraction and turbulence together. [rad]

    Returns
    -------
    ndarray
        :math:`1/e^2`-intensity radius :math:`\sqrt{(\lambda/\pi\varphi)^2 + (\varphi L)^2}`. [m]

    Notes
    -----
    A Gaussian beam whose waist belongs to its divergence: far away the radius is :math:`\varphi L`.
    """
    waist_m = wavelength_m / (np.pi * divergence_rad)
    return np.hypot(waist_m, divergence_rad * np.asarray(slant_range_m, dtype=np.float64))


def collected_fraction(beam_radius_m: ArrayLike, *, aperture_diameter_m: ArrayLike) -> NDArray[np.float64]:
    r"""Fraction of the beam that a centred aperture collects, Eq. 1 as printed.

    Parameters
    ----------
    beam_radius_m : array_like
        Radius by :func:`beam_radius_m`. [m]
    aperture_diameter_m : array_like
        Clear diameter of the receiver, broadcast against the radius. [m]

    Returns
    -------
    ndarray
        :math:`1 - \exp(-D_r^2 / 2\omega_r^2)`, in [0, 1]. [1]

    Notes
    -----
    The paper calls this a loss in dB; it is a transmittance. It is the power of a Gaussian beam of
    :math:`1/e^2`-intensity *radius* :math:`\omega_r` within the *diameter* :math:`D_r`.
    """
    ratio = np.asarray(aperture_diameter_m, dtype=np.float64) / np.asarray(beam_radius_m, dtype=np.float64)
    return np.asarray(-np.expm1(-0.5 * ratio**2))


def slab_loss_db(elevation_rad: ArrayLike, *, zenith_loss_db: float) -> NDArray[np.float64]:
    r"""Atmospheric loss of a plane slab, :math:`\Lambda_A = \Lambda_{A,0} / \sin\theta`.

    Parameters
    ----------
    elevation_rad : array_like
        Elevation above the horizon, in (0, pi/2]. [rad]
    zenith_loss_db : float
        Loss at zenith. [dB]

    Returns
    -------
    ndarray
        Loss along the slanted path. [dB]

    Raises
    ------
    ValueError
        For an elevation at or below the horizon, where a slab has no meaning.

    Notes
    -----
    Within 1 % of a spherical atmosphere down to about 15 deg; at 10 deg it overstates the loss by some 2 %.
    """
    elevation = np.asarray(elevation_rad, dtype=np.float64)
    if np.any(elevation <= 0.0):
        raise ValueError("the slab atmosphere needs elevations above the horizon")
    return zenith_loss_db / np.sin(elevation)
