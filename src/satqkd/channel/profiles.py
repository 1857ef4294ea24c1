r"""Vertical profiles of turbulence and wind above a ground station, with named presets.

Heights are metres *above ground* throughout; the altitude of the ground above sea level enters the wind only.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, Apps. H.6, H.10 and I.1, Tables 1 and 2.
.. [2] J. W. Hardy, *Adaptive Optics for Astronomical Telescopes*, Oxford University Press, 1998, sec. 3.4.
.. [3] L. C. Andrews, R. L. Phillips, *Laser Beam Propagation through Random Media*, 2nd ed., SPIE, 2005, ch. 12.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import choice
from satqkd.errors import InputError

__all__ = [
    "TURBULENCE_PROFILES",
    "VISIBILITY_M",
    "HufnagelValley",
    "TabulatedCn2",
    "TurbulenceProfile",
    "Wind",
    "read_cn2_csv",
    "turbulence_profile",
]


def _require(good: bool, name: str, value: object, allowed: str) -> None:
    if not good:
        raise InputError(f"{name}: {value} is not allowed, {allowed}")


@dataclass(frozen=True, kw_only=True)
class HufnagelValley:
    r"""Generalised Hufnagel-Valley profile, Eq. 153 of Mannalath, Zapatero, Curty.

    Attributes
    ----------
    ground : float
        A, strength of the surface layer, scale height 100 m. [m^(-2/3)]
    troposphere : float
        B, scale height 1500 m. [m^(-2/3)]
    tropopause : float
        C, strength of the layer about 10 km up. [m^(-32/3)]

    Raises
    ------
    InputError
        For a negative or infinite coefficient, or if all are zero.
    """

    ground: float
    troposphere: float
    tropopause: float

    def __post_init__(self) -> None:
        """Refuse coefficients without meaning."""
        for name in ("ground", "troposphere", "tropopause"):
            value = getattr(self, name)
            _require(math.isfinite(value) and value >= 0.0, f"HufnagelValley.{name}", value, "at least 0 and finite")
        total = self.ground + self.troposphere + self.tropopause
        _require(total > 0.0, "HufnagelValley", total, "at least one coefficient must be positive")

    @classmethod
    def from_high_altitude_wind(
        cls, *, ground: float, high_altitude_wind_m_s: float, troposphere: float = 2.7e-16
    ) -> HufnagelValley:
        r"""Profile in the customary form with a root-mean-square wind aloft.

        Parameters
        ----------
        ground : float
            A, strength of the surface layer. [m^(-2/3)]
        high_altitude_wind_m_s : float
            Root-mean-square wind from 5 to 20 km. [m/s]
        troposphere : float, default 2.7e-16
            B. [m^(-2/3)]

        Returns
        -------
        HufnagelValley
            With :math:`C = 5.94\times10^{-53}(w/27)^2`.

        Raises
        ------
        InputError
            For a negative wind.
        """
        _require(high_altitude_wind_m_s >= 0.0, "high_altitude_wind_m_s", high_altitude_wind_m_s, "at least 0 m/s")
        return cls(ground=ground, troposphere=troposphere, tropopause=5.94e-53 * (high_altitude_wind_m_s / 27.0) ** 2)

    def at(self, height_m: ArrayLike) -> NDArray[np.float64]:
        r"""Structure constant at a height.

        Parameters
        ----------
        height_m : array_like
            Height above ground, any shape, at least 0. [m]

        Returns
        -------
        ndarray
            :math:`C_n^2`. [m^(-2/3)]
        """
        height = np.asarray(height_m, dtype=np.float64)
        return np.asarray(
            self.ground * np.exp(-height / 100.0)
            + self.troposphere * np.exp(-height / 1500.0)
            + self.tropopause * height**10 * np.exp(-height / 1000.0)
        )

    @property
    def breaks_m(self) -> tuple[float, ...]:
        """Heights where the profile is not smooth: none."""
        return ()


@dataclass(frozen=True, kw_only=True)
class TabulatedCn2:
    r"""Measured profile: :math:`\log C_n^2` linear in height between its points, nothing outside them.

    Attributes
    ----------
    height_m : tuple of float
        Heights above ground, increasing. [m]
    cn2 : tuple of float
        Structure constants at those heights, positive. [m^(-2/3)]

    Raises
    ------
    InputError
        If the two differ in length, have fewer than two points, do not increase, or a value is not positive.
    """

    height_m: tuple[float, ...]
    cn2: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse tables that do not define a profile."""
        object.__setattr__(self, "height_m", tuple(float(height) for height in self.height_m))
        object.__setattr__(self, "cn2", tuple(float(value) for value in self.cn2))
        heights, values = np.array(self.height_m), np.array(self.cn2)
        _require(len(heights) == len(values), "TabulatedCn2.cn2", f"{len(values)} values", f"{len(heights)} needed")
        _require(len(heights) >= 2, "TabulatedCn2.height_m", f"{len(heights)} points", "at least 2 needed")
        sorted_up = bool(np.all(np.isfinite(heights)) and np.all(np.diff(heights) > 0.0) and heights[0] >= 0.0)
        _require(sorted_up, "TabulatedCn2.height_m", heights.tolist()[:4], "increasing heights from 0 m up")
        positive = bool(np.all(np.isfinite(values)) and np.all(values > 0.0))
        _require(positive, "TabulatedCn2.cn2", values.min(), "positive finite values only")

    def at(self, height_m: ArrayLike) -> NDArray[np.float64]:
        r"""Structure constant at a height.

        Parameters
        ----------
        height_m : array_like
            Height above ground, any shape, within the table. [m]

        Returns
        -------
        ndarray
            :math:`C_n^2`. [m^(-2/3)]

        Raises
        ------
        InputError
            For a height outside the table.
        """
        height = np.asarray(height_m, dtype=np.float64)
        low, high = self.height_m[0], self.height_m[-1]
        if not np.all((height >= low) & (height <= high)):
            raise InputError(f"height_m: the table of Cn2 covers {low:g} to {high:g} m above ground only")
        return np.asarray(np.exp(np.interp(height, self.height_m, np.log(self.cn2))))

    @property
    def breaks_m(self) -> tuple[float, ...]:
        """Heights where the profile is not smooth: its points."""
        return self.height_m


@dataclass(frozen=True, kw_only=True)
class Wind:
    r"""Bufton wind with a Gaussian peak near the tropopause, Eq. 169 of Mannalath, Zapatero, Curty.

    Attributes
    ----------
    ground_m_s : float
        Wind at the station, positive. [m/s]
    peak_m_s : float
        Additional wind at the peak. [m/s]
    peak_altitude_m : float
        Altitude of the peak above sea level. [m]
    peak_width_m : float
        1/e half width of the peak. [m]

    Raises
    ------
    InputError
        For a ground wind that is not positive, a negative peak or a width that is not positive.
    """

    ground_m_s: float
    peak_m_s: float = 30.0
    peak_altitude_m: float = 12_448.0
    peak_width_m: float = 4_800.0

    def __post_init__(self) -> None:
        """Refuse winds without meaning."""
        _require(0.0 < self.ground_m_s < math.inf, "Wind.ground_m_s", self.ground_m_s, "above 0 m/s and finite")
        _require(0.0 <= self.peak_m_s < math.inf, "Wind.peak_m_s", self.peak_m_s, "at least 0 m/s and finite")
        _require(math.isfinite(self.peak_altitude_m), "Wind.peak_altitude_m", self.peak_altitude_m, "finite")
        _require(0.0 < self.peak_width_m < math.inf, "Wind.peak_width_m", self.peak_width_m, "above 0 m and finite")

    def at(self, altitude_m: ArrayLike) -> NDArray[np.float64]:
        """Wind speed at an altitude.

        Parameters
        ----------
        altitude_m : array_like
            Altitude above *sea level*, any shape. [m]

        Returns
        -------
        ndarray
            Wind speed. [m/s]
        """
        offset = (np.asarray(altitude_m, dtype=np.float64) - self.peak_altitude_m) / self.peak_width_m
        return np.asarray(self.ground_m_s + self.peak_m_s * np.exp(-(offset**2)))


@dataclass(frozen=True, kw_only=True)
class TurbulenceProfile:
    r"""Turbulence and wind above one station.

    Attributes
    ----------
    cn2 : HufnagelValley or TabulatedCn2
        Structure constant against height above ground.
    wind : Wind
        Wind against altitude above sea level.
    altitude_m : float
        Altitude of the station's ground above sea level. [m]
    lower_height_m : float
        Height of the telescope above ground, where the integrals begin. [m]
    upper_height_m : float
        Top of the turbulent layer above ground, where they end. [m]

    Raises
    ------
    InputError
        If the limits are not 0 <= lower < upper, or a table of Cn2 does not cover them.
    """

    cn2: HufnagelValley | TabulatedCn2
    wind: Wind = field(default_factory=lambda: Wind(ground_m_s=10.0))
    altitude_m: float = 0.0
    lower_height_m: float = 10.0
    upper_height_m: float = 20_000.0

    def __post_init__(self) -> None:
        """Refuse limits that do not enclose a layer."""
        _require(-500.0 <= self.altitude_m <= 9_000.0, "altitude_m", self.altitude_m, "between -500 and 9000 m")
        good = 0.0 <= self.lower_height_m < self.upper_height_m < math.inf
        _require(
            good, "lower_height_m, upper_height_m", (self.lower_height_m, self.upper_height_m), "0 <= lower < upper"
        )
        self.cn2.at([self.lower_height_m, self.upper_height_m])

    def wind_m_s(self, height_m: ArrayLike) -> NDArray[np.float64]:
        """Wind speed at a height above this station.

        Parameters
        ----------
        height_m : array_like
            Height above ground, any shape. [m]

        Returns
        -------
        ndarray
            Wind speed. [m/s]
        """
        return self.wind.at(np.asarray(height_m, dtype=np.float64) + self.altitude_m)


def _hv(a: float, b: float, c: float, *, wind_m_s: float = 10.0, altitude_m: float = 0.0) -> TurbulenceProfile:
    cn2 = HufnagelValley(ground=a, troposphere=b, tropopause=c)
    return TurbulenceProfile(cn2=cn2, wind=Wind(ground_m_s=wind_m_s), altitude_m=altitude_m)


TURBULENCE_PROFILES: Final[Mapping[str, TurbulenceProfile]] = MappingProxyType(
    {
        "rural": _hv(4.5e-15, 9.0e-17, 2.0e-53, wind_m_s=5.0, altitude_m=400.0),
        "urban": _hv(1.7e-14, 2.7e-16, 3.6e-53, wind_m_s=10.0, altitude_m=200.0),
        "coastal": _hv(5.1e-14, 8.1e-16, 1.08e-52, wind_m_s=25.0, altitude_m=0.0),
        "hv-5-7": TurbulenceProfile(
            cn2=HufnagelValley.from_high_altitude_wind(ground=1.7e-14, high_altitude_wind_m_s=21.0)
        ),
    }
)
"""Table 2 of Mannalath, Zapatero, Curty, and HV 5/7 (5 cm, 7 urad at 500 nm; wind 10 m/s at sea level)."""

VISIBILITY_M: Final[Mapping[str, float]] = MappingProxyType({"rural": 23e3, "urban": 10e3, "coastal": 5e3})
"""Visibility of the stations of Table 2. [m]"""


def turbulence_profile(site: str | TurbulenceProfile) -> TurbulenceProfile:
    """Profile by name, or the profile itself.

    Parameters
    ----------
    site : str or TurbulenceProfile
        A key of :data:`TURBULENCE_PROFILES`, or a profile.

    Returns
    -------
    TurbulenceProfile
        The profile.

    Raises
    ------
    InputError
        For an unknown name, with the nearest known ones.
    """
    if isinstance(site, TurbulenceProfile):
        return site
    return choice("site", site, TURBULENCE_PROFILES)


def read_cn2_csv(path: str | Path) -> TabulatedCn2:
    """Profile of Cn2 from a CSV file with the columns ``height_m`` and ``cn2``.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; other columns are ignored, lines that start with ``#`` too.

    Returns
    -------
    TabulatedCn2
        The profile.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing or a value is not a number.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(line for line in stream if not line.startswith("#"))
            rows = list(table)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as CSV with height_m and cn2 ({error})") from None
    for column in ("height_m", "cn2"):
        if column not in (table.fieldnames or ()):
            raise InputError(f"{path}: no column {column}, found {', '.join(table.fieldnames or ()) or 'nothing'}")
    try:
        return TabulatedCn2(
            height_m=tuple(float(row["height_m"]) for row in rows), cn2=tuple(float(row["cn2"]) for row in rows)
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
