"""Satellites that move: what the search for passes asks of one, and SGP4; the other kinds are imported here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from satqkd.constants import EARTH_ROTATION_RAD_S, WGS72_EQUATORIAL_RADIUS_M, WGS72_GM_M3_S2
from satqkd.errors import InputError
from satqkd.orbit.circular import CircularOrbit, GeostationaryOrbit, sun_synchronous_inclination_rad, walker
from satqkd.orbit.elements import OrbitalElements
from satqkd.orbit.frames import teme_to_ecef
from satqkd.orbit.overpass import Overpass
from satqkd.orbit.time import as_utc, format_utc, gmst_rad, julian_date_split, ut1_times

__all__ = [
    "CircularOrbit",
    "GeostationaryOrbit",
    "Overpass",
    "Propagator",
    "Sgp4Orbit",
    "sun_synchronous_inclination_rad",
    "walker",
]

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.datetime64]


class Propagator(Protocol):
    """What the search for passes asks of a satellite."""

    @property
    def name(self) -> str:
        """Name of the satellite."""

    @property
    def max_angular_rate_rad_s(self) -> float:
        """Upper bound of the geocentric angle swept per second, seen in the rotating frame. [rad/s]"""

    @property
    def max_radius_m(self) -> float:
        """Upper bound of the distance from the Earth's centre. [m]"""

    def states_ecef(self, times: TimeArray) -> tuple[FloatArray, FloatArray]:
        """Earth-fixed position [m] and velocity in the rotating frame [m/s], shape (n, 3) each."""


@dataclass(frozen=True)
class Sgp4Orbit:
    """A satellite with SGP4 mean elements.

    Parameters
    ----------
    elements : OrbitalElements
        The set that is propagated, whatever its age (see :func:`satqkd.orbit.elements.check_age`).
    """

    elements: OrbitalElements

    @property
    def name(self) -> str:
        """Name of the satellite."""
        return self.elements.name

    @property
    def max_angular_rate_rad_s(self) -> float:
        """Bound from the escape speed at the Earth's radius, where SGP4 reports a decay, plus rotation.

        No bound orbit is faster, whatever drag, Moon and Sun do to the elements. The 1 % covers SGP4's
        velocity not being exactly the derivative of its position.

        Returns
        -------
        float
            Upper bound on the geocentric angle per second in the Earth-fixed frame. [rad/s]
        """
        return 1.01 * math.sqrt(2 * WGS72_GM_M3_S2 / WGS72_EQUATORIAL_RADIUS_M**3) + EARTH_ROTATION_RAD_S

    @property
    def max_radius_m(self) -> float:
        """Apogee of the mean elements with 2 % for the perturbations."""
        return 1.02 * self.elements.semi_major_axis_m * (1.0 + self.elements.eccentricity)

    def states_teme(self, times: TimeArray) -> tuple[FloatArray, FloatArray]:
        """Position and velocity in TEME.

        Parameters
        ----------
        times : ndarray of datetime64, shape (n,)
            Instants, UTC.

        Returns
        -------
        position_m, velocity_m_s : ndarray, shape (n, 3)
            State vectors. [m], [m/s]

        Raises
        ------
        InputError
            SGP4 cannot propagate the elements to one of the times.
        """
        from sgp4.api import SGP4_ERRORS

        utc = as_utc(times)
        errors, position_km, velocity_km_s = self.elements.to_satrec().sgp4_array(*julian_date_split(utc))
        if errors.any():
            first = int(np.flatnonzero(errors)[0])
            meaning = SGP4_ERRORS.get(int(errors[first]), f"error {int(errors[first])}")
            raise InputError(f"{self.name}: SGP4 cannot propagate to {format_utc(utc[first])}: {meaning}")
        return position_km * 1e3, velocity_km_s * 1e3

    def states_ecef(self, times: TimeArray) -> tuple[FloatArray, FloatArray]:
        """Earth-fixed position [m] and velocity in the rotating frame [m/s], shape (n, 3) each."""
        utc = as_utc(times)
        return teme_to_ecef(*self.states_teme(utc), gmst_rad(ut1_times(utc)))
