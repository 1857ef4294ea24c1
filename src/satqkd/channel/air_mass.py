"""Air mass: optical depth of a slanted path through a layer, relative to the vertical one.

References
----------
.. [1] D. L. Huestis, "Accurate evaluation of the Chapman function for atmospheric attenuation", J. Quant. Spectrosc.
   Radiat. Transfer 69, 709 (2001).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.errors import InputError

__all__ = ["exponential_shell", "plane_parallel", "thin_shell"]

LOWEST_SCALE_HEIGHT_M: Final = 500.0
HIGHEST_SCALE_HEIGHT_M: Final = 20e3


def _above_horizon(zenith_rad: ArrayLike) -> NDArray[np.float64]:
    zenith = np.asarray(zenith_rad, dtype=np.float64)
    good = (zenith >= 0.0) & (zenith < np.pi / 2.0)
    if not np.all(good):
        bad = float(np.degrees(zenith[~good].flat[0]))
        raise InputError(f"zenith angle: {bad:.6g} deg, must be from 0 to below 90 deg")
    return zenith


def plane_parallel(zenith_rad: ArrayLike) -> NDArray[np.float64]:
    r"""Air mass of a flat atmosphere.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle from 0 to below pi/2, any shape. [rad]

    Returns
    -------
    ndarray
        :math:`1/\cos z`. [1]

    Raises
    ------
    InputError
        For the horizon and below.
    """
    return np.asarray(1.0 / np.cos(_above_horizon(zenith_rad)))


def exponential_shell(
    zenith_rad: ArrayLike, *, scale_height_m: float, altitude_m: ArrayLike = 0.0
) -> NDArray[np.float64]:
    r"""Air mass of an exponential atmosphere around a spherical Earth, straight ray (Chapman function).

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle from 0 to below pi/2, any shape. [rad]
    scale_height_m : float
        Scale height of the extinction, from 500 m to 20 km. [m]
    altitude_m : array_like
        Altitude of the station above a radius of 6371 km, broadcast against the angle. [m]

    Returns
    -------
    ndarray
        :math:`\int_0^\infty e^{-h/H}\,\mathrm{d}s / H`, 1 at the zenith. [1]

    Raises
    ------
    InputError
        For the horizon and below, or a scale height out of range.

    Notes
    -----
    With :math:`X = r/H` and :math:`q = u + u^2/2X`, :math:`u = h/H`, the integral is
    :math:`\int_0^\infty e^{-u(q)} (\cos^2 z + 2q/X)^{-1/2}\,\mathrm{d}q` with
    :math:`u = q - q^2/2X + q^3/2X^2 - \dots`; expanded to :math:`X^{-2}` its terms are moments
    that follow by recursion from a scaled complementary error function. Refraction is left out: it matters
    below 5 deg of elevation. Relative error below 1e-8.
    """
    from scipy.special import erfcx

    if not LOWEST_SCALE_HEIGHT_M <= scale_height_m <= HIGHEST_SCALE_HEIGHT_M:
        raise InputError(
            f"scale height: {scale_height_m:g} m, must be from {LOWEST_SCALE_HEIGHT_M:g} to "
            f"{HIGHEST_SCALE_HEIGHT_M:g} m"
        )
    zenith = _above_horizon(zenith_rad)
    x = (MEAN_EARTH_RADIUS_M + np.asarray(altitude_m, dtype=np.float64)) / scale_height_m
    a = 0.5 * x * np.cos(zenith) ** 2
    root = np.sqrt(a)
    # moments of exp(-q) (q + a)^(-1/2), orders 0 to 4
    moments = [np.sqrt(np.pi) * erfcx(root)]
    moments.append(root + (0.5 - a) * moments[0])
    for order in (1, 2, 3):
        moments.append((order + 0.5 - a) * moments[order] + order * a * moments[order - 1])
    # exp(q - u) = 1 + q^2/2X - q^3/2X^2 + q^4/8X^2 + ...
    correction = moments[2] / (2.0 * x) + (moments[4] / 8.0 - moments[3] / 2.0) / x**2
    return np.asarray(np.sqrt(0.5 * x) * (moments[0] + correction))


def thin_shell(zenith_rad: ArrayLike, *, shell_altitude_m: float, altitude_m: ArrayLike = 0.0) -> NDArray[np.float64]:
    r"""Air mass of a thin layer aloft, as of ozone.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle at the station from 0 to below pi/2, any shape. [rad]
    shell_altitude_m : float
        Altitude of the layer, above the station. [m]
    altitude_m : array_like
        Altitude of the station, broadcast against the angle. [m]

    Returns
    -------
    ndarray
        :math:`1/\cos z'` with :math:`\sin z' = \sin z\,(R+h)/(R+h_s)`. [1]

    Raises
    ------
    InputError
        For the horizon and below, or a layer that is not above the station.
    """
    station = np.asarray(altitude_m, dtype=np.float64)
    if not np.all(station < shell_altitude_m):
        raise InputError(
            f"station altitude: {float(station.max()):g} m, must be below the layer at {shell_altitude_m:g} m"
        )
    ratio = (MEAN_EARTH_RADIUS_M + station) / (MEAN_EARTH_RADIUS_M + shell_altitude_m)
    return np.asarray(1.0 / np.sqrt(1.0 - (ratio * np.sin(_above_horizon(zenith_rad))) ** 2))
