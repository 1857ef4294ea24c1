"""Circular and geostationary orbits, and constellations of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from satqkd.constants import (
    EARTH_GM_M3_S2,
    EARTH_J2,
    EARTH_ROTATION_RAD_S,
    GEOSTATIONARY_RADIUS_M,
    SECONDS_PER_DAY,
    TWO_PI,
    WGS84_SEMI_MAJOR_AXIS_M,
)
from satqkd.errors import InputError
from satqkd.orbit.time import as_utc, gmst_rad, ut1_times

__all__ = ["CircularOrbit", "GeostationaryOrbit", "sun_synchronous_inclination_rad", "walker"]

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.datetime64]

TROPICAL_YEAR_DAYS: Final = 365.242_19
"""Mean tropical year of 2000 (Astronomical Almanac)."""

LOWEST_ALTITUDE_M: Final = 100e3


@dataclass(frozen=True)
class CircularOrbit:
    r"""A circular orbit, optionally with the secular drift by the Earth's oblateness.

    Parameters
    ----------
    name : str
        Name of the satellite.
    epoch : datetime64
        UTC instant of ``raan_rad`` and ``argument_of_latitude_rad``.
    altitude_m : float
        Height above the equatorial radius of WGS84, at least 100 km. [m]
    inclination_rad : float
        In [0, pi]. [rad]
    raan_rad : float
        Right ascension of the ascending node from the mean equinox of date. [rad]
    argument_of_latitude_rad : float
        Angle from the ascending node to the satellite. [rad]
    j2 : bool
        Whether node and argument of latitude drift by J2.

    Notes
    -----
    With :math:`k = J_2 (R/a)^2`: :math:`\dot\Omega = -\tfrac32 n k \cos i`,
    :math:`\dot u = n [1 + \tfrac32 k (4\cos^2 i - 1)]` [1]_, Eqs. 9-37 to 9-41 at zero eccentricity.

    References
    ----------
    .. [1] D. A. Vallado, *Fundamentals of Astrodynamics and Applications*, 4th ed., Microcosm, 2013.
    """

    name: str
    epoch: np.datetime64
    altitude_m: float
    inclination_rad: float
    raan_rad: float
    argument_of_latitude_rad: float
    j2: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "epoch", as_utc(self.epoch, f"{self.name}: epoch")[0])
        check_altitude(self.name, self.altitude_m)
        if not 0.0 <= self.inclination_rad <= math.pi:
            raise InputError(
                f"{self.name}: inclination must be from 0 to 180 deg, got {math.degrees(self.inclination_rad):g} deg"
            )

    @property
    def radius_m(self) -> float:
        """Radius of the orbit. [m]"""
        return WGS84_SEMI_MAJOR_AXIS_M + self.altitude_m

    @property
    def rates_rad_s(self) -> tuple[float, float]:
        """Rates of the node and of the argument of latitude. [rad/s]"""
        n = math.sqrt(EARTH_GM_M3_S2 / self.radius_m**3)
        k = 1.5 * EARTH_J2 * (WGS84_SEMI_MAJOR_AXIS_M / self.radius_m) ** 2 if self.j2 else 0.0
        cos_i = math.cos(self.inclination_rad)
        return -n * k * cos_i, n * (1.0 + k * (4.0 * cos_i**2 - 1.0))

    @property
    def max_angular_rate_rad_s(self) -> float:
        """Sum of the rates along the orbit, of the node and of the Earth."""
        node_rate, rate = self.rates_rad_s
        return abs(rate) + abs(node_rate) + EARTH_ROTATION_RAD_S

    @property
    def max_radius_m(self) -> float:
        """Radius of the orbit."""
        return self.radius_m

    def states_ecef(self, times: TimeArray) -> tuple[FloatArray, FloatArray]:
        """Earth-fixed position [m] and velocity in the rotating frame [m/s], shape (n, 3) each."""
        utc = as_utc(times)
        elapsed_s = (utc - self.epoch).astype(np.int64) / 1e9
        node_rate, rate = self.rates_rad_s
        u = self.argument_of_latitude_rad + rate * elapsed_s
        node = self.raan_rad + node_rate * elapsed_s - gmst_rad(ut1_times(utc))
        cos_i, sin_i = math.cos(self.inclination_rad), math.sin(self.inclination_rad)
        sin_u, cos_u, sin_n, cos_n = np.sin(u), np.cos(u), np.sin(node), np.cos(node)
        r, turn = self.radius_m, node_rate - EARTH_ROTATION_RAD_S
        x, y = r * (cos_n * cos_u - sin_n * sin_u * cos_i), r * (sin_n * cos_u + cos_n * sin_u * cos_i)
        vx = r * rate * (-cos_n * sin_u - sin_n * cos_u * cos_i) - turn * y
        vy = r * rate * (-sin_n * sin_u + cos_n * cos_u * cos_i) + turn * x
        position = np.stack([x, y, r * sin_u * sin_i], axis=-1)
        return position, np.stack([vx, vy, r * rate * cos_u * sin_i], axis=-1)


@dataclass(frozen=True)
class GeostationaryOrbit:
    """A satellite that stands still above the equator.

    Parameters
    ----------
    name : str
        Name of the satellite.
    longitude_rad : float
        East longitude. [rad]
    """

    name: str
    longitude_rad: float

    @property
    def max_angular_rate_rad_s(self) -> float:
        """It does not move in the rotating frame."""
        return 0.0

    @property
    def max_radius_m(self) -> float:
        """Radius of the geostationary orbit."""
        return GEOSTATIONARY_RADIUS_M

    def states_ecef(self, times: TimeArray) -> tuple[FloatArray, FloatArray]:
        """Earth-fixed position [m] and zero velocity [m/s], shape (n, 3) each."""
        direction = np.array([math.cos(self.longitude_rad), math.sin(self.longitude_rad), 0.0])
        position = np.tile(GEOSTATIONARY_RADIUS_M * direction, (as_utc(times).size, 1))
        return position, np.zeros_like(position)


def check_altitude(name: str, altitude_m: float) -> None:
    """Refuse an altitude that no orbit can have.

    Parameters
    ----------
    name : str
        Satellite, for the error.
    altitude_m : float
        Altitude. [m]

    Raises
    ------
    InputError
        Below the lowest altitude, or not finite.
    """
    if not (math.isfinite(altitude_m) and altitude_m >= LOWEST_ALTITUDE_M):
        raise InputError(f"{name}: altitude must be at least {LOWEST_ALTITUDE_M:.0f} m, got {altitude_m} m")


def sun_synchronous_inclination_rad(altitude_m: float) -> float:
    r"""Inclination at which J2 turns a circular orbit's node once a tropical year.

    Parameters
    ----------
    altitude_m : float
        Height above the equatorial radius, 100 km to about 5970 km. [m]

    Returns
    -------
    float
        Inclination, above pi/2. [rad]

    Raises
    ------
    InputError
        No inclination does it: the orbit is too high.

    Notes
    -----
    :math:`\cos i = -\dot\Omega_\odot / (\tfrac32 n J_2 (R/a)^2)`.
    """
    check_altitude("sun-synchronous orbit", altitude_m)
    radius_m = WGS84_SEMI_MAJOR_AXIS_M + altitude_m
    n = math.sqrt(EARTH_GM_M3_S2 / radius_m**3)
    wanted_rad_s = TWO_PI / (TROPICAL_YEAR_DAYS * SECONDS_PER_DAY)
    cosine = -wanted_rad_s / (1.5 * n * EARTH_J2 * (WGS84_SEMI_MAJOR_AXIS_M / radius_m) ** 2)
    if cosine < -1.0:
        raise InputError(
            f"sun-synchronous orbit: no inclination exists at an altitude of {altitude_m:g} m "
            "(possible up to about 5970 km)"
        )
    return math.acos(cosine)


def walker(
    inclination_rad: float,
    total: int,
    planes: int,
    phasing: int,
    altitude_m: float,
    epoch: np.datetime64,
    *,
    pattern: Literal["delta", "star"] = "delta",
    raan_rad: float = 0.0,
    argument_of_latitude_rad: float = 0.0,
    j2: bool = True,
    name: str = "walker",
) -> list[CircularOrbit]:
    """Walker constellation i: t/p/f of circular orbits.

    Parameters
    ----------
    inclination_rad : float
        Inclination i of all planes. [rad]
    total, planes, phasing : int
        Satellites t, planes p (a divisor of t), phasing f in [0, p): a satellite is f 360/t degrees ahead of
        its neighbour in the plane to the west.
    altitude_m : float
        Height above the equatorial radius. [m]
    epoch : datetime64
        UTC instant of the pattern.
    pattern : {"delta", "star"}
        Nodes spread over 360 degrees or over 180 degrees.
    raan_rad, argument_of_latitude_rad : float
        Node and argument of latitude of the first satellite. [rad]
    j2 : bool
        See :class:`CircularOrbit`.
    name : str
        Satellites are called ``name-PLANE-SLOT``, counted from 1.

    Returns
    -------
    list of CircularOrbit
        Plane by plane.

    Examples
    --------
    >>> galileo = walker(np.radians(56.0), 24, 3, 1, 23.222e6, np.datetime64("2020-01-01"))
    >>> len(galileo), galileo[8].name, round(float(np.degrees(galileo[8].raan_rad)))
    (24, 'walker-2-1', 120)
    """
    spreads = {"delta": TWO_PI, "star": math.pi}
    if pattern not in spreads:
        raise InputError(f"{name}: pattern must be one of {sorted(spreads)}, got {pattern!r}")
    if planes < 1 or total < 1 or total % planes:
        raise InputError(f"{name}: {total} satellites cannot be spread evenly over {planes} planes")
    if not 0 <= phasing < planes:
        raise InputError(f"{name}: phasing must be from 0 to {planes - 1} (planes - 1), got {phasing}")
    per_plane = total // planes
    return [
        CircularOrbit(
            name=f"{name}-{plane + 1}-{slot + 1}",
            epoch=epoch,
            altitude_m=altitude_m,
            inclination_rad=inclination_rad,
            raan_rad=raan_rad + spreads[pattern] * plane / planes,
            argument_of_latitude_rad=argument_of_latitude_rad + TWO_PI * (slot / per_plane + phasing * plane / total),
            j2=j2,
        )
        for plane in range(planes)
        for slot in range(per_plane)
    ]
