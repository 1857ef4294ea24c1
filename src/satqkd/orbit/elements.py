"""Mean orbital elements of SGP4, whatever format they came in."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from satqkd.constants import (
    SECONDS_PER_DAY,
    TWO_PI,
    WGS72_EQUATORIAL_RADIUS_M,
    WGS72_GM_M3_S2,
)
from satqkd.errors import ElementsAgeWarning, InputError
from satqkd.orbit.time import NS_PER_DAY, as_utc, format_utc

if TYPE_CHECKING:
    from sgp4.api import Satrec

__all__ = ["OrbitalElements", "check_age", "nearest_elements"]

_SGP4_EPOCH_NS: Final = int(np.datetime64("1949-12-31T00:00:00", "ns").astype(np.int64))
_SGP4_EPOCH_JULIAN_DATE: Final = 2_433_281.5
_DUMMY_CATALOG_NUMBER: Final = 1


@dataclass(frozen=True, kw_only=True)
class OrbitalElements:
    """One set of SGP4 mean elements (TEME, mean equator and equinox of SGP4, WGS72).

    Parameters
    ----------
    name : str
        Name of the object.
    object_id : str
        International designator such as ``2016-051A``; may be empty.
    catalog_number : int
        Catalogue number, 1 to 999 999 999.
    epoch : datetime64
        UTC; kept as ``datetime64[ns]``.
    mean_motion_rev_day : float
        Mean motion of Brouwer-Kozai type as published. [rev/d]
    eccentricity : float
        In [0, 1).
    inclination_rad : float
        In [0, pi]. [rad]
    raan_rad, argument_of_perigee_rad, mean_anomaly_rad : float
        Right ascension of the ascending node, argument of perigee, mean anomaly. [rad]
    bstar : float
        Drag term of SGP4. [1/Earth radius]
    mean_motion_dot, mean_motion_ddot : float
        As published (half the first, a sixth of the second derivative); SGP4 does not use them.
        [rev/d^2], [rev/d^3]

    Raises
    ------
    InputError
        A value is not finite or outside its range.
    """

    name: str
    object_id: str
    catalog_number: int
    epoch: np.datetime64
    mean_motion_rev_day: float
    eccentricity: float
    inclination_rad: float
    raan_rad: float
    argument_of_perigee_rad: float
    mean_anomaly_rad: float
    bstar: float = 0.0
    mean_motion_dot: float = 0.0
    mean_motion_ddot: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "epoch", as_utc(self.epoch, f"{self.name}: epoch")[0])
        numbers = {key: value for key, value in vars(self).items() if isinstance(value, float)}
        for key, value in numbers.items():
            if not math.isfinite(value):
                raise InputError(f"{self.name}: {key} must be a finite number, got {value}")
        _within(self, "catalog_number", 1, 999_999_999)
        _within(self, "inclination_rad", 0.0, math.pi)
        if not 0.0 <= self.eccentricity < 1.0:
            raise InputError(f"{self.name}: eccentricity must be in [0, 1), got {self.eccentricity}")
        if not 0.0 < self.mean_motion_rev_day <= 20.0:
            raise InputError(
                f"{self.name}: mean motion must be in (0, 20] revolutions per day, got {self.mean_motion_rev_day}"
            )

    @property
    def semi_major_axis_m(self) -> float:
        """Semi-major axis from the published mean motion by Kepler's third law with WGS72's GM. [m]"""
        rate_rad_s = self.mean_motion_rev_day * TWO_PI / SECONDS_PER_DAY
        return float((WGS72_GM_M3_S2 / rate_rad_s**2) ** (1.0 / 3.0))

    def at_altitude(self, altitude_m: float) -> OrbitalElements:
        """The same orbit shape and orientation at another altitude, without drag.

        Parameters
        ----------
        altitude_m : float
            Semi-major axis above the equatorial radius of WGS72 (6378.135 km). [m] At least 100 km.

        Returns
        -------
        OrbitalElements
            Same angles, eccentricity and mean anomaly; drag terms 0; mean motion from Kepler's third law.
        """
        if not (math.isfinite(altitude_m) and altitude_m >= 100e3):
            raise InputError(f"{self.name}: altitude must be at least 100000 m, got {altitude_m} m")
        axis_m = WGS72_EQUATORIAL_RADIUS_M + altitude_m
        rate_rad_s = math.sqrt(WGS72_GM_M3_S2 / axis_m**3)
        return replace(
            self,
            mean_motion_rev_day=rate_rad_s * SECONDS_PER_DAY / TWO_PI,
            bstar=0.0,
            mean_motion_dot=0.0,
            mean_motion_ddot=0.0,
        )

    def to_satrec(self) -> Satrec:
        """The initialised record of the ``sgp4`` package (WGS72, improved mode).

        It carries a dummy catalogue number, because ``sgp4`` rejects numbers above 339 999. The epoch keeps
        its nanoseconds: whole days and fraction are set apart.

        Returns
        -------
        Satrec
            Ready to propagate.
        """
        from sgp4.api import WGS72, Satrec

        days, rest_ns = divmod(int(self.epoch.astype(np.int64)) - _SGP4_EPOCH_NS, NS_PER_DAY)
        per_minute = TWO_PI / 1440.0
        satrec = Satrec()
        satrec.sgp4init(
            WGS72,
            "i",
            _DUMMY_CATALOG_NUMBER,
            days + rest_ns / NS_PER_DAY,
            self.bstar,
            self.mean_motion_dot * per_minute / 1440.0,
            self.mean_motion_ddot * per_minute / 1440.0**2,
            self.eccentricity,
            self.argument_of_perigee_rad,
            self.inclination_rad,
            self.mean_anomaly_rad,
            self.mean_motion_rev_day * per_minute,
            self.raan_rad,
        )
        satrec.jdsatepoch = days + _SGP4_EPOCH_JULIAN_DATE
        satrec.jdsatepochF = rest_ns / NS_PER_DAY
        return satrec


def _within(elements: OrbitalElements, field: str, low: float, high: float) -> None:
    value = getattr(elements, field)
    if not low <= value <= high:
        raise InputError(f"{elements.name}: {field} must be from {low} to {high}, got {value}")


def nearest_elements(sets: Sequence[OrbitalElements], time: np.datetime64) -> OrbitalElements:
    """The set whose epoch is closest to an instant; of two equally close ones the earlier in the list.

    Parameters
    ----------
    sets : sequence of OrbitalElements
        Sets of one object.
    time : datetime64
        UTC instant.

    Returns
    -------
    OrbitalElements
        The closest set.

    Raises
    ------
    InputError
        There is no set, or the sets are of different objects.
    """
    if not sets:
        raise InputError("no orbital elements to choose from")
    numbers = sorted({each.catalog_number for each in sets})
    if len(numbers) > 1:
        raise InputError(f"elements of several objects (catalogue numbers {numbers}): choose one object first")
    instant = as_utc(time)[0]
    return min(sets, key=lambda each: abs(int((each.epoch - instant).astype(np.int64))))


def check_age(
    elements: OrbitalElements,
    start: np.datetime64,
    end: np.datetime64,
    *,
    warn_days: float = 14.0,
    limit_days: float = 30.0,
    option: str = "limit_days",
) -> float:
    """Greatest distance between a window and the elements' epoch; warns or refuses when it is large.

    The error of SGP4 grows with the age of its elements, mostly along the track: for a satellite at 500 km
    about 1 km after a few days and thousands of km after months.

    Parameters
    ----------
    elements : OrbitalElements
        The set to be used.
    start, end : datetime64
        The window, UTC.
    warn_days, limit_days : float
        Ages from which to warn and to refuse. [d]
    option : str
        Name of the caller's setting that raises the limit, for the error's text.

    Returns
    -------
    float
        Age. [d]

    Raises
    ------
    InputError
        The age exceeds ``limit_days``.

    Warns
    -----
    ElementsAgeWarning
        The age exceeds ``warn_days``.
    """
    distances = [abs((as_utc(each)[0] - elements.epoch).astype(np.int64)) for each in (start, end)]
    age_days = float(max(distances)) / NS_PER_DAY
    epoch = format_utc(elements.epoch, "s")
    if age_days > limit_days:
        raise InputError(
            f"{elements.name}: elements of {epoch} are used {age_days:.1f} days from their epoch, more than "
            f"{option} = {limit_days:g}; take elements of that time or raise {option}"
        )
    if age_days > warn_days:
        warnings.warn(
            f"{elements.name}: elements of {epoch} are used {age_days:.1f} days from their epoch",
            ElementsAgeWarning,
            stacklevel=2,
        )
    return age_days
