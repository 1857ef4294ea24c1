"""Idealised overpasses of a station."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from satqkd.constants import EARTH_GM_M3_S2, MEAN_EARTH_RADIUS_M
from satqkd.errors import InputError
from satqkd.orbit.circular import check_altitude
from satqkd.orbit.site import Site
from satqkd.orbit.time import as_utc

__all__ = ["Overpass"]

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.datetime64]


@dataclass(frozen=True)
class Overpass:
    r"""An idealised pass: a circular orbit about a sphere that does not rotate and touches the site.

    The sphere (radius 6371 km) has the site on its surface, whatever the site's altitude, and its vertical
    is the site's. The satellite goes round for ever: choose a window of less than a revolution.

    Parameters
    ----------
    name : str
        Name of the satellite.
    site : Site
        The station that is passed over.
    max_elevation_rad : float
        Elevation at culmination, in (0, pi/2]. [rad]
    altitude_m : float
        Height of the orbit above the sphere, at least 100 km. [m]
    culmination : datetime64
        UTC instant of the culmination.
    heading_rad : float
        Azimuth of the motion at culmination; the satellite passes on the left of the site's zenith seen
        along that heading, so it culminates at ``heading_rad - pi/2``. [rad]

    Notes
    -----
    :math:`\cos\psi = \cos\xi\,\cos\omega t` and :math:`\tan\mathrm{el} = (\cos\psi - R/(R+h))/\sin\psi`
    with :math:`\omega = \sqrt{GM/(R+h)^3}` and the least central angle :math:`\xi` [1]_.

    References
    ----------
    .. [1] J. S. Sidhu, T. Brougham, D. McArthur, R. G. Pousa, D. K. L. Oi, "Finite key effects in satellite
       quantum key distribution", npj Quantum Inf. 8, 18 (2022).
    """

    name: str
    site: Site
    max_elevation_rad: float
    altitude_m: float
    culmination: np.datetime64
    heading_rad: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "culmination", as_utc(self.culmination, f"{self.name}: culmination")[0])
        check_altitude(self.name, self.altitude_m)
        if not 0.0 < self.max_elevation_rad <= math.pi / 2:
            raise InputError(
                f"{self.name}: maximum elevation must be in (0, 90] deg, "
                f"got {math.degrees(self.max_elevation_rad):g} deg"
            )

    @property
    def radius_m(self) -> float:
        """Radius of the orbit about the sphere's centre. [m]"""
        return MEAN_EARTH_RADIUS_M + self.altitude_m

    @property
    def angular_rate_rad_s(self) -> float:
        """Rate about the sphere's centre. [rad/s]"""
        return math.sqrt(EARTH_GM_M3_S2 / self.radius_m**3)

    @property
    def min_central_angle_rad(self) -> float:
        """Angle xi between site and satellite at the sphere's centre, at culmination. [rad]"""
        ratio = MEAN_EARTH_RADIUS_M / self.radius_m * math.cos(self.max_elevation_rad)
        return math.acos(ratio) - self.max_elevation_rad

    @cached_property
    def _centre_m(self) -> FloatArray:
        return np.asarray(self.site.position_m - MEAN_EARTH_RADIUS_M * self.site.up)

    @property
    def max_angular_rate_rad_s(self) -> float:
        """Speed divided by the least distance from the Earth's centre."""
        nearest_m = self.radius_m - float(np.linalg.norm(self._centre_m))
        return self.angular_rate_rad_s * self.radius_m / nearest_m

    @property
    def max_radius_m(self) -> float:
        """Radius of the orbit plus the offset of the sphere."""
        return self.radius_m + float(np.linalg.norm(self._centre_m))

    def states_ecef(self, times: TimeArray) -> tuple[FloatArray, FloatArray]:
        """Earth-fixed position [m] and velocity in the rotating frame [m/s], shape (n, 3) each."""
        phase = self.angular_rate_rad_s * ((as_utc(times) - self.culmination).astype(np.int64) / 1e9)
        east, north, up = self.site.enu
        sin_h, cos_h = math.sin(self.heading_rad), math.cos(self.heading_rad)
        ahead, left = sin_h * east + cos_h * north, -cos_h * east + sin_h * north
        xi = self.min_central_angle_rad
        radial = math.cos(xi) * up + math.sin(xi) * left
        sin, cos = np.sin(phase)[:, np.newaxis], np.cos(phase)[:, np.newaxis]
        position = self._centre_m + self.radius_m * (cos * radial + sin * ahead)
        return position, self.radius_m * self.angular_rate_rad_s * (cos * ahead - sin * radial)
