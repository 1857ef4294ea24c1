"""Directions in the sky of a site: where a body stands, how far it is from the line of sight."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import TWO_PI
from satqkd.errors import InputError
from satqkd.orbit.site import Site

__all__ = ["excluded", "relative_azimuth_rad", "separation_rad", "zenith_azimuth_rad"]

FloatArray = NDArray[np.float64]


def zenith_azimuth_rad(position_ecef_m: ArrayLike, site: Site) -> tuple[FloatArray, FloatArray]:
    """Zenith angle and azimuth of bodies at a site, without refraction.

    Parameters
    ----------
    position_ecef_m : array_like
        Earth-fixed positions, shape (..., 3). [m]
    site : Site
        The observer.

    Returns
    -------
    zenith_rad : ndarray
        Angle from the zenith in [0, pi], shape (...). [rad]
    azimuth_rad : ndarray
        From north through east in [0, 2 pi). [rad]
    """
    line_m = np.asarray(position_ecef_m, dtype=np.float64) - site.position_m
    east, north, up = np.moveaxis(line_m @ site.enu.T, -1, 0)
    return np.arctan2(np.hypot(east, north), up), np.asarray(np.arctan2(east, north) % TWO_PI)


def relative_azimuth_rad(azimuth_rad: ArrayLike, other_azimuth_rad: ArrayLike) -> FloatArray:
    """Difference of two azimuths folded to [0, pi]: 0 in the same azimuth, pi opposite. [rad]"""
    difference = np.asarray(azimuth_rad, dtype=np.float64) - np.asarray(other_azimuth_rad, dtype=np.float64)
    return np.asarray(np.abs((difference + np.pi) % TWO_PI - np.pi))


def separation_rad(
    zenith_rad: ArrayLike, azimuth_rad: ArrayLike, other_zenith_rad: ArrayLike, other_azimuth_rad: ArrayLike
) -> FloatArray:
    """Angle between two directions.

    Parameters
    ----------
    zenith_rad, azimuth_rad : array_like
        One direction, broadcast against the other. [rad]
    other_zenith_rad, other_azimuth_rad : array_like
        The other direction. [rad]

    Returns
    -------
    ndarray
        Angle in [0, pi], with full precision also for the smallest and largest (Vincenty's form). [rad]
    """
    a, b = np.asarray(zenith_rad, dtype=np.float64), np.asarray(other_zenith_rad, dtype=np.float64)
    turn = np.asarray(azimuth_rad, dtype=np.float64) - np.asarray(other_azimuth_rad, dtype=np.float64)
    across = np.hypot(np.sin(b) * np.sin(turn), np.sin(a) * np.cos(b) - np.cos(a) * np.sin(b) * np.cos(turn))
    along = np.cos(a) * np.cos(b) + np.sin(a) * np.sin(b) * np.cos(turn)
    return np.asarray(np.arctan2(across, along))


def excluded(
    zenith_rad: ArrayLike,
    azimuth_rad: ArrayLike,
    *,
    body_zenith_rad: ArrayLike,
    body_azimuth_rad: ArrayLike,
    exclusion_rad: float,
) -> NDArray[np.bool_]:
    """Whether a line of sight is closer to Sun or Moon than a telescope may point.

    Parameters
    ----------
    zenith_rad, azimuth_rad : array_like
        Line of sight. [rad]
    body_zenith_rad, body_azimuth_rad : array_like
        Centre of the body, broadcast against it. [rad]
    exclusion_rad : float
        Least angle allowed between them, from 0 to pi. [rad]

    Returns
    -------
    ndarray of bool
        True where pointing is forbidden. A body whose centre is below the horizon forbids nothing.

    Raises
    ------
    InputError
        An exclusion angle outside its range.
    """
    if not 0.0 <= exclusion_rad <= np.pi:
        raise InputError(f"exclusion angle = {np.degrees(exclusion_rad):g} deg: must be from 0 to 180 deg")
    angle = separation_rad(zenith_rad, azimuth_rad, body_zenith_rad, body_azimuth_rad)
    return np.asarray((angle < exclusion_rad) & (np.asarray(body_zenith_rad, dtype=np.float64) < np.pi / 2))
