r"""A geostationary satellite seen from a spherical Earth: zenith angle, distance, ground separation.

For maps and closed formulas; real stations and satellites have :mod:`satqkd.orbit`.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, Apps. H.1-H.4 (Eqs. 128-148) and Table 1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range, positive

__all__ = [
    "EARTH_RADIUS_M",
    "SATELLITE_ALTITUDE_M",
    "azimuth_rad",
    "ground_separation_m",
    "slant_range_m",
    "zenith_angle_rad",
]

EARTH_RADIUS_M: Final = 6_378e3
"""Radius of the spherical Earth of Table 1. [m]"""

SATELLITE_ALTITUDE_M: Final = 35_786e3
"""Altitude of the geostationary satellite of Table 1. [m]"""


def zenith_angle_rad(
    *,
    latitude_rad: ArrayLike,
    longitude_rad: ArrayLike,
    satellite_longitude_rad: ArrayLike,
    station_altitude_m: ArrayLike = 0.0,
    satellite_altitude_m: ArrayLike = SATELLITE_ALTITUDE_M,
) -> NDArray[np.float64]:
    r"""Zenith angle of a satellite above the equator, Eqs. 131-135.

    Parameters
    ----------
    latitude_rad : array_like
        Latitude of the station, north positive. [rad]
    longitude_rad : array_like
        Longitude of the station, east positive. [rad]
    satellite_longitude_rad : array_like
        Longitude of the satellite. [rad]
    station_altitude_m : array_like, default 0
        Altitude of the station. [m]
    satellite_altitude_m : array_like, default 35 786 km
        Altitude of the satellite; all broadcast. [m]

    Returns
    -------
    ndarray
        Zenith angle in [0, pi]; above pi/2 the satellite is below the horizon. [rad]

    Raises
    ------
    InputError
        For a latitude beyond a pole, a longitude that is not finite, or an altitude of the satellite that is not
        positive.
    """
    latitude = in_range("latitude_rad", latitude_rad, -0.5 * np.pi, 0.5 * np.pi)
    difference = in_range("satellite_longitude_rad", satellite_longitude_rad, -np.inf, np.inf) - in_range(
        "longitude_rad", longitude_rad, -np.inf, np.inf
    )
    satellite = EARTH_RADIUS_M + positive("satellite_altitude_m", satellite_altitude_m)
    station = EARTH_RADIUS_M + in_range("station_altitude_m", station_altitude_m, -500.0, 9000.0)
    # east and north components of the satellite's direction (Eqs. 142-143): no loss of digits below the satellite
    east, north = np.sin(difference), -np.sin(latitude) * np.cos(difference)
    horizontal = satellite * np.hypot(east, north)
    up = satellite * np.cos(latitude) * np.cos(difference) - station
    return np.asarray(np.arctan2(horizontal, up))


def azimuth_rad(
    *, latitude_rad: ArrayLike, longitude_rad: ArrayLike, satellite_longitude_rad: ArrayLike
) -> NDArray[np.float64]:
    r"""Azimuth of a satellite above the equator, from the components of Eqs. 142-143.

    Parameters
    ----------
    latitude_rad : array_like
        Latitude of the station, north positive. [rad]
    longitude_rad : array_like
        Longitude of the station, east positive. [rad]
    satellite_longitude_rad : array_like
        Longitude of the satellite; all broadcast. [rad]

    Returns
    -------
    ndarray
        Clockwise from north in [0, 2 pi), the custom of this package. [rad]

    Raises
    ------
    InputError
        For a latitude beyond a pole or a longitude that is not finite.

    Notes
    -----
    Eq. 144 counts counter-clockwise from east and gives the tangent only, which does not tell opposite directions
    apart.
    """
    latitude = in_range("latitude_rad", latitude_rad, -0.5 * np.pi, 0.5 * np.pi)
    difference = in_range("satellite_longitude_rad", satellite_longitude_rad, -np.inf, np.inf) - in_range(
        "longitude_rad", longitude_rad, -np.inf, np.inf
    )
    north = -np.sin(latitude) * np.cos(difference)
    return np.asarray(np.arctan2(np.sin(difference), north) % (2.0 * np.pi))


def slant_range_m(
    zenith_rad: ArrayLike,
    *,
    station_altitude_m: ArrayLike = 0.0,
    satellite_altitude_m: ArrayLike = SATELLITE_ALTITUDE_M,
) -> NDArray[np.float64]:
    r"""Distance from a station to a satellite at a given altitude, Eq. 139.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle in [0, pi], any shape. [rad]
    station_altitude_m : array_like, default 0
        Altitude of the station. [m]
    satellite_altitude_m : array_like, default 35 786 km
        Altitude of the satellite; all broadcast. [m]

    Returns
    -------
    ndarray
        :math:`\sqrt{R_s^2 - R_o^2\sin^2\theta} - R_o\cos\theta`. [m]

    Raises
    ------
    InputError
        For an angle outside 0 to pi or a satellite's altitude that is not positive.
    """
    zenith = in_range("zenith_rad", zenith_rad, 0.0, np.pi)
    satellite = EARTH_RADIUS_M + positive("satellite_altitude_m", satellite_altitude_m)
    station = EARTH_RADIUS_M + in_range("station_altitude_m", station_altitude_m, -500.0, 9000.0)
    return np.asarray(np.sqrt(satellite**2 - (station * np.sin(zenith)) ** 2) - station * np.cos(zenith))


def ground_separation_m(
    zenith_rad: ArrayLike,
    *,
    station_altitude_m: ArrayLike = 0.0,
    satellite_altitude_m: ArrayLike = SATELLITE_ALTITUDE_M,
) -> NDArray[np.float64]:
    r"""Largest arc between two stations that see the satellite at a given zenith angle, Eq. 148.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle in [0, pi/2], any shape. [rad]
    station_altitude_m : array_like, default 0
        Altitude of both stations. [m]
    satellite_altitude_m : array_like, default 35 786 km
        Altitude of the satellite; all broadcast. [m]

    Returns
    -------
    ndarray
        :math:`2R_o\arcsin(L\sin\theta/R_s)`. [m]

    Raises
    ------
    InputError
        For an angle outside 0 to pi/2 or a satellite's altitude that is not positive.
    """
    zenith = in_range("zenith_rad", zenith_rad, 0.0, 0.5 * np.pi)
    distance = slant_range_m(zenith, station_altitude_m=station_altitude_m, satellite_altitude_m=satellite_altitude_m)
    satellite = EARTH_RADIUS_M + np.asarray(satellite_altitude_m, dtype=np.float64)
    station = EARTH_RADIUS_M + np.asarray(station_altitude_m, dtype=np.float64)
    return np.asarray(2.0 * station * np.arcsin(distance * np.sin(zenith) / satellite))
