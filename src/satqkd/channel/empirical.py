"""Measured link efficiency against elevation: the channel of Sidhu et al..

References
----------
.. [1] J. S. Sidhu et al., "Finite key effects in satellite quantum key distribution", npj Quantum Information 8, 18
   (2022), Sec. II and Fig. 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import EARTH_GM_M3_S2, MEAN_EARTH_RADIUS_M

__all__ = ["interpolate_efficiency", "zenith_pass_elevation_rad"]


def zenith_pass_elevation_rad(time_s: ArrayLike, *, altitude_m: float) -> NDArray[np.float64]:
    r"""Elevation during a zenith pass of a circular orbit over a spherical Earth at rest.

    Parameters
    ----------
    time_s : array_like
        Time from culmination, any shape. [s]
    altitude_m : float
        Altitude above the mean radius of 6371 km. [m]

    Returns
    -------
    ndarray
        :math:`\tan\theta = (\cos\psi - R/(R+h)) / \sin\psi`, :math:`\psi = \omega |t|`. [rad]
    """
    radius = MEAN_EARTH_RADIUS_M + altitude_m
    angle = np.sqrt(EARTH_GM_M3_S2 / radius**3) * np.abs(np.asarray(time_s, dtype=np.float64))
    return np.asarray(np.arctan2(np.cos(angle) - MEAN_EARTH_RADIUS_M / radius, np.sin(angle)), dtype=np.float64)


def interpolate_efficiency(
    elevation_rad: ArrayLike, *, curve_time_s: ArrayLike, curve_efficiency: ArrayLike, curve_altitude_m: float
) -> NDArray[np.float64]:
    r"""Efficiency at any elevation from a curve measured along a zenith pass.

    Parameters
    ----------
    elevation_rad : array_like
        Where the efficiency is wanted, any shape, within the curve's elevations. [rad]
    curve_time_s : array_like, shape (n,)
        Time from culmination, increasing from 0. [s]
    curve_efficiency : array_like, shape (n,)
        Efficiency at those times, in (0, 1]. [1]
    curve_altitude_m : float
        Altitude of the curve's orbit. [m]

    Returns
    -------
    ndarray
        Efficiency, the shape of ``elevation_rad``. [1]

    Raises
    ------
    ValueError
        For an elevation below the curve's lowest: nothing is extrapolated.

    Notes
    -----
    The logarithm is interpolated linearly in an elevation *recomputed from time*: the elevations printed with the
    curve are rounded and off by up to 0.28 deg near zenith. Range depends on elevation only, so a curve of one
    altitude serves passes of that altitude at any maximum elevation.
    """
    nodes = zenith_pass_elevation_rad(curve_time_s, altitude_m=curve_altitude_m)
    elevation = np.asarray(elevation_rad, dtype=np.float64)
    if np.any(elevation < nodes.min()):
        raise ValueError("an elevation is below the measured curve")
    logs = np.log10(np.asarray(curve_efficiency, dtype=np.float64))
    # nodes decrease with time; np.interp needs them increasing
    return np.asarray(10.0 ** np.interp(elevation, nodes[::-1], logs[::-1]))
