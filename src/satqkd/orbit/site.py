"""Ground stations as geometry: position and elevation mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import TWO_PI, WGS84_FLATTENING, WGS84_SEMI_MAJOR_AXIS_M
from satqkd.errors import InputError

__all__ = ["ElevationMask", "Site"]

FloatArray = NDArray[np.float64]

_LOWEST_MASK_RAD = math.radians(-10.0)


@dataclass(frozen=True)
class ElevationMask:
    """Least usable elevation, constant or by azimuth.

    Between the given azimuths the mask is linear, and it wraps at 360 degrees.

    Parameters
    ----------
    azimuths_rad : tuple of float
        Azimuths from north through east, strictly increasing, in [0, 2 pi). [rad]
    elevations_rad : tuple of float
        Least elevation at these azimuths, from -10 degrees to below 90 degrees. [rad]

    Raises
    ------
    InputError
        Lengths differ, or a value is outside its range.

    Examples
    --------
    >>> hill = ElevationMask.by_azimuth([0.0, 1.0, 5.0], [0.1, 0.5, 0.1])
    >>> round(hill.at(0.5).item(), 12)
    0.3
    """

    azimuths_rad: tuple[float, ...]
    elevations_rad: tuple[float, ...]

    def __post_init__(self) -> None:
        azimuths, elevations = self.azimuths_rad, self.elevations_rad
        if not azimuths or len(azimuths) != len(elevations):
            raise InputError(
                f"elevation mask: needs as many elevations as azimuths (at least one), "
                f"got {len(elevations)} and {len(azimuths)}"
            )
        for value in azimuths:
            if not 0.0 <= value < TWO_PI:
                raise InputError(f"elevation mask: azimuth must be in [0, 360) deg, got {math.degrees(value):g} deg")
        for before, after in pairwise(azimuths):
            if after <= before:
                raise InputError(
                    f"elevation mask: azimuths must increase, got {math.degrees(before):g} deg "
                    f"then {math.degrees(after):g} deg"
                )
        for value in elevations:
            if not _LOWEST_MASK_RAD <= value < math.pi / 2:
                raise InputError(f"elevation mask: elevation must be in [-10, 90) deg, got {math.degrees(value):g} deg")

    @classmethod
    def constant(cls, elevation_rad: float) -> ElevationMask:
        """The same least elevation all round. [rad]"""
        return cls((0.0,), (float(elevation_rad),))

    @classmethod
    def by_azimuth(cls, azimuth_rad: Sequence[float], elevation_rad: Sequence[float]) -> ElevationMask:
        """Least elevations at given azimuths. [rad]"""
        return cls(tuple(map(float, azimuth_rad)), tuple(map(float, elevation_rad)))

    @property
    def is_constant(self) -> bool:
        """Whether all elevations are equal."""
        return min(self.elevations_rad) == max(self.elevations_rad)

    @property
    def minimum_rad(self) -> float:
        """Lowest elevation of the mask. [rad]"""
        return min(self.elevations_rad)

    def at(self, azimuth_rad: ArrayLike) -> FloatArray:
        """Least elevation at an azimuth.

        Parameters
        ----------
        azimuth_rad : array_like
            Azimuths of any value, any shape. [rad]

        Returns
        -------
        ndarray
            Elevations, the shape of ``azimuth_rad``. [rad]
        """
        azimuth = np.asarray(azimuth_rad, dtype=np.float64)
        if self.is_constant:
            return np.full(azimuth.shape, self.elevations_rad[0])
        return np.asarray(np.interp(azimuth, self.azimuths_rad, self.elevations_rad, period=TWO_PI))


@dataclass(frozen=True)
class Site:
    """A place on Earth from which satellites are seen.

    Parameters
    ----------
    name : str
        Name.
    latitude_rad, longitude_rad : float
        Geodetic (WGS84), north and east positive; the poles are allowed. [rad]
    altitude_m : float
        Height above the ellipsoid, -500 m to 100 km. [m]
    mask : ElevationMask
        Least usable elevation.

    Raises
    ------
    InputError
        A value is not finite or outside its range.
    """

    name: str
    latitude_rad: float
    longitude_rad: float
    altitude_m: float
    mask: ElevationMask

    def __post_init__(self) -> None:
        if not abs(self.latitude_rad) <= math.pi / 2:
            raise InputError(
                f"{self.name}: latitude must be from -90 to 90 deg, got {math.degrees(self.latitude_rad):g} deg"
            )
        if not abs(self.longitude_rad) <= TWO_PI:
            raise InputError(
                f"{self.name}: longitude must be from -360 to 360 deg, got {math.degrees(self.longitude_rad):g} deg"
            )
        if not -500.0 <= self.altitude_m <= 100e3:
            raise InputError(f"{self.name}: altitude must be from -500 m to 100000 m, got {self.altitude_m:g} m")

    @cached_property
    def enu(self) -> FloatArray:
        """Unit vectors east, north, up in the Earth-fixed frame, one a row, shape (3, 3).

        At a pole, where east is undefined, they are the limit along the site's meridian.

        Returns
        -------
        ndarray, shape (3, 3)
            Not writeable. [1]
        """
        sin_lat, cos_lat = math.sin(self.latitude_rad), math.cos(self.latitude_rad)
        sin_lon, cos_lon = math.sin(self.longitude_rad), math.cos(self.longitude_rad)
        matrix = np.array(
            [
                [-sin_lon, cos_lon, 0.0],
                [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
                [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
            ]
        )
        matrix.flags.writeable = False
        return matrix

    @property
    def up(self) -> FloatArray:
        """Outward normal of the ellipsoid, shape (3,)."""
        return np.asarray(self.enu[2])

    @cached_property
    def position_m(self) -> FloatArray:
        """Earth-fixed position, shape (3,). [m]"""
        eccentricity2 = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)
        normal_m = WGS84_SEMI_MAJOR_AXIS_M / math.sqrt(1.0 - eccentricity2 * math.sin(self.latitude_rad) ** 2)
        scale = np.array([1.0, 1.0, 1.0 - eccentricity2])
        position = self.up * (normal_m * scale + self.altitude_m)
        position.flags.writeable = False
        return np.asarray(position)
