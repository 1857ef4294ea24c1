"""Frames: TEME and Earth-fixed coordinates, geodetic coordinates, directions from a site.

Earth-fixed means the pseudo-Earth-fixed frame of SGP4 practice: polar motion (at most 0.6 arc seconds, 20 m)
is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import EARTH_ROTATION_RAD_S, TWO_PI, WGS84_FLATTENING, WGS84_SEMI_MAJOR_AXIS_M
from satqkd.orbit.site import Site

__all__ = [
    "LookAngles",
    "ecef_to_geodetic",
    "geodetic_to_ecef",
    "look_angles",
    "teme_to_ecef",
]

FloatArray = NDArray[np.float64]

_ECCENTRICITY2 = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)


@dataclass(frozen=True)
class LookAngles:
    """Where a satellite stands for a site; arrays of one shape. Geometric: no light time, no refraction.

    Parameters
    ----------
    azimuth_rad : ndarray
        From north through east, in [0, 2 pi). [rad]
    elevation_rad : ndarray
        Above the plane perpendicular to the ellipsoid's normal. [rad]
    slant_range_m : ndarray
        Distance. [m]
    range_rate_m_s : ndarray
        Rate of the distance, positive when receding. [m/s]
    """

    azimuth_rad: FloatArray
    elevation_rad: FloatArray
    slant_range_m: FloatArray
    range_rate_m_s: FloatArray


def teme_to_ecef(position: ArrayLike, velocity: ArrayLike, gmst_rad: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r"""Rotate TEME states to the Earth-fixed frame.

    Parameters
    ----------
    position, velocity : array_like
        Shape (n, 3), any length unit; the velocity per second.
    gmst_rad : array_like
        Greenwich mean sidereal time, shape (n,). [rad]

    Returns
    -------
    position, velocity : ndarray
        Shape (n, 3), the unit of the input; the velocity is the one seen in the rotating frame.

    Notes
    -----
    :math:`r' = R_3(\theta) r`, :math:`v' = R_3(\theta) v - \omega \times r'` [1]_, sec. 3.7.

    References
    ----------
    .. [1] D. A. Vallado, *Fundamentals of Astrodynamics and Applications*, 4th ed., Microcosm, 2013.
    """
    r = np.asarray(position, dtype=np.float64)
    v = np.asarray(velocity, dtype=np.float64)
    sin, cos = np.sin(gmst_rad), np.cos(gmst_rad)
    r_fixed, v_fixed = np.empty_like(r), np.empty_like(v)
    for source, target in ((r, r_fixed), (v, v_fixed)):
        target[..., 0] = cos * source[..., 0] + sin * source[..., 1]
        target[..., 1] = -sin * source[..., 0] + cos * source[..., 1]
        target[..., 2] = source[..., 2]
    v_fixed[..., 0] += EARTH_ROTATION_RAD_S * r_fixed[..., 1]
    v_fixed[..., 1] -= EARTH_ROTATION_RAD_S * r_fixed[..., 0]
    return r_fixed, v_fixed


def geodetic_to_ecef(latitude_rad: ArrayLike, longitude_rad: ArrayLike, altitude_m: ArrayLike) -> FloatArray:
    """Earth-fixed position of WGS84 coordinates.

    Parameters
    ----------
    latitude_rad, longitude_rad : array_like
        Geodetic latitude and longitude. [rad]
    altitude_m : array_like
        Height above the ellipsoid. [m]

    Returns
    -------
    ndarray
        Positions, the broadcast shape plus a last axis of 3. [m]
    """
    latitude, height_m = np.asarray(latitude_rad, dtype=np.float64), np.asarray(altitude_m, dtype=np.float64)
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    normal_m = WGS84_SEMI_MAJOR_AXIS_M / np.sqrt(1.0 - _ECCENTRICITY2 * sin_lat**2)
    across_m = (normal_m + height_m) * cos_lat
    parts = (
        across_m * np.cos(longitude_rad),
        across_m * np.sin(longitude_rad),
        (normal_m * (1.0 - _ECCENTRICITY2) + height_m) * sin_lat,
    )
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def ecef_to_geodetic(position_m: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """WGS84 coordinates of Earth-fixed positions.

    Parameters
    ----------
    position_m : array_like
        Shape (..., 3), at least 1000 km from the Earth's centre. [m]

    Returns
    -------
    latitude_rad, longitude_rad, altitude_m : ndarray
        Geodetic latitude [rad], longitude in (-pi, pi] [rad], height above the ellipsoid [m]; from the
        centre's distance of 6000 km on within 1e-12 rad and 1e-5 m.

    Notes
    -----
    Bowring's start and three fixed-point steps on the parametric latitude [1]_.

    References
    ----------
    .. [1] B. R. Bowring, "Transformation from spatial to geographical coordinates", Survey Review 23, 323
       (1976).
    """
    position = np.asarray(position_m, dtype=np.float64)
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    minor_m = WGS84_SEMI_MAJOR_AXIS_M * (1.0 - WGS84_FLATTENING)
    second_eccentricity2 = _ECCENTRICITY2 / (1.0 - _ECCENTRICITY2)
    across = np.hypot(x, y)
    parametric = np.arctan2(z * WGS84_SEMI_MAJOR_AXIS_M, across * minor_m)
    latitude = parametric
    for _ in range(4):
        latitude = np.arctan2(
            z + second_eccentricity2 * minor_m * np.sin(parametric) ** 3,
            across - _ECCENTRICITY2 * WGS84_SEMI_MAJOR_AXIS_M * np.cos(parametric) ** 3,
        )
        parametric = np.arctan2((1.0 - WGS84_FLATTENING) * np.sin(latitude), np.cos(latitude))
    sin_lat = np.sin(latitude)
    altitude_m = (
        across * np.cos(latitude) + z * sin_lat - WGS84_SEMI_MAJOR_AXIS_M * np.sqrt(1.0 - _ECCENTRICITY2 * sin_lat**2)
    )
    return latitude, np.arctan2(y, x), altitude_m


def look_angles(position_m: ArrayLike, velocity_m_s: ArrayLike, site: Site) -> LookAngles:
    """Azimuth, elevation, distance and its rate of a satellite seen from a site.

    Parameters
    ----------
    position_m, velocity_m_s : array_like
        Earth-fixed states (velocity in the rotating frame), shape (n, 3). [m], [m/s]
    site : Site
        The observer.

    Returns
    -------
    LookAngles
        Arrays of shape (n,).
    """
    line_m = np.asarray(position_m, dtype=np.float64) - site.position_m
    local_m = line_m @ site.enu.T
    east, north, up = local_m[..., 0], local_m[..., 1], local_m[..., 2]
    range_m = np.sqrt(np.einsum("...i,...i", line_m, line_m))
    azimuth = np.mod(np.arctan2(east, north), TWO_PI)
    return LookAngles(
        azimuth_rad=np.where(azimuth >= TWO_PI, 0.0, azimuth),
        elevation_rad=np.arctan2(up, np.hypot(east, north)),
        slant_range_m=range_m,
        range_rate_m_s=np.einsum("...i,...i", line_m, np.asarray(velocity_m_s, dtype=np.float64)) / range_m,
    )
