"""Radiance of the cloudless sky by night: moonlight of any phase and place, and light from the ground.

References
----------
.. [1] K. Krisciunas, B. E. Schaefer, "A model of the brightness of moonlight", Publ. Astron. Soc. Pacific 103, 1033
   (1991).
.. [2] Mannalath, Zapatero and Curty, arXiv:2605.29706, H.13.2 and Table 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import choice, in_range, positive
from satqkd.channel.atmosphere_tables import check_in_range
from satqkd.channel.published_radiance import WAVELENGTHS_M, published_radiance, table_wavelength_m
from satqkd.channel.sky_radiance import relative_radiance
from satqkd.orbit.moon import MEAN_MOON_DISTANCE_M

__all__ = ["LUNAR_IRRADIANCE_MW_M2_NM", "NIGHT_MODELS", "night_radiance", "phase_factor"]

FloatArray = NDArray[np.float64]

LUNAR_IRRADIANCE_MW_M2_NM: Final[Mapping[float, float]] = MappingProxyType(
    dict(zip(WAVELENGTHS_M, (3.84e-3, 2.21e-3, 1.26e-3), strict=True))
)
"""Full Moon's irradiance above the atmosphere, **fitted** to the rural nights of Table 3, by wavelength in metres.
[mW m-2 nm-1] They hold at the mean distance; the table's numbers contain airglow and starlight, so these do too."""

ANCHOR_VIEW_RAD, ANCHOR_MOON_RAD = np.radians(60.0), np.radians(30.0)


def _to_half_turn(what: str, angle_rad: ArrayLike) -> FloatArray:
    return check_in_range(angle_rad, 0.0, np.pi, what=what, unit="deg", scale=float(np.degrees(1.0)))


def phase_factor(phase_angle_rad: ArrayLike) -> FloatArray:
    r"""Moonlight per that of the full Moon, [1] Eq. 20.

    Parameters
    ----------
    phase_angle_rad : array_like
        Angle at the Moon between Sun and observer, 0 (full) to pi (new). [rad]

    Returns
    -------
    ndarray
        :math:`10^{-0.4(0.026\,\alpha + 4\cdot10^{-9}\alpha^4)}` with :math:`\alpha` in degrees; the brightening by a
        third within the last degrees before full Moon is not in it. [1]

    Raises
    ------
    InputError
        A phase angle outside its range.

    References
    ----------
    .. [1] K. Krisciunas, B. E. Schaefer, Publ. Astron. Soc. Pacific 103, 1033 (1991).

    Examples
    --------
    >>> import math
    >>> round(float(phase_factor(math.pi / 2)), 3)
    0.091
    """
    degrees = np.degrees(_to_half_turn("phase angle", phase_angle_rad))
    return np.asarray(10.0 ** (-0.4 * (0.026 * degrees + 4e-9 * degrees**4)))


def _by_irradiance(site: str, wavelength_m: float) -> float:
    """Fitted irradiance of the full Moon: what the radiance per irradiance is multiplied with."""
    del site
    return LUNAR_IRRADIANCE_MW_M2_NM[table_wavelength_m(wavelength_m)]


def _by_anchor(site: str, wavelength_m: float) -> float:
    """Irradiance with which a full Moon at 30 degrees gives exactly the site's radiance in Table 3."""
    reference = relative_radiance(
        view_zenith_rad=ANCHOR_VIEW_RAD,
        relative_azimuth_rad=0.0,
        body_zenith_rad=ANCHOR_MOON_RAD,
        site=site,
        wavelength_m=wavelength_m,
    )
    return published_radiance(site=site, condition="night", wavelength_m=wavelength_m) / float(reference)


NIGHT_MODELS: Final[Mapping[str, Callable[[str, float], float]]] = MappingProxyType(
    {"anchored": _by_anchor, "irradiance": _by_irradiance}
)
"""Level of the moonlight by name: Table 3 met exactly at its one geometry, or the fitted irradiances for all sites
(up to 6 % from Table 3 there)."""


def night_radiance(
    *,
    view_zenith_rad: ArrayLike,
    relative_azimuth_rad: ArrayLike,
    moon_zenith_rad: ArrayLike,
    phase_angle_rad: ArrayLike = 0.0,
    site: str,
    wavelength_m: float,
    moon_distance_m: ArrayLike = MEAN_MOON_DISTANCE_M,
    urban_light_mw_m2_nm_sr: ArrayLike = 0.0,
    model: str = "anchored",
) -> FloatArray:
    r"""Radiance of the cloudless sky at night.

    Parameters
    ----------
    view_zenith_rad : array_like
        Angle of the line of sight from the zenith, 0 to 85 degrees. [rad]
    relative_azimuth_rad : array_like
        Azimuth of the line of sight from that of the Moon, 0 to 180 degrees. [rad]
    moon_zenith_rad : array_like
        Angle of the Moon from the zenith, 0 to 180 degrees; from 90 degrees on it gives no light. [rad]
    phase_angle_rad : array_like
        As in :func:`phase_factor`. [rad]
    site : {"rural", "urban", "coastal"}
        As in :func:`satqkd.channel.sky_radiance.relative_radiance`.
    wavelength_m : float
        As there. [m]
    moon_distance_m : array_like
        Distance of the Moon, mean if not given. [m]
    urban_light_mw_m2_nm_sr : array_like
        Radiance that does not come from the Moon: lamps, airglow, stars; added in every direction. [mW m-2 nm-1 sr-1]
    model : {"anchored", "irradiance"}
        :data:`NIGHT_MODELS`.

    Returns
    -------
    ndarray
        Spectral radiance, the arguments' broadcast shape. [mW m-2 nm-1 sr-1]

    Raises
    ------
    InputError
        A value outside its range or an unknown name.

    Notes
    -----
    Moonlight is scattered as sunlight is: L/F0 of the daytime tables times the Moon's irradiance, phase and inverse
    square of the distance. No offline model of the natural night sky exists; without Moon only
    ``urban_light_mw_m2_nm_sr`` is left.

    Examples
    --------
    >>> import math
    >>> anchor = night_radiance(
    ...     view_zenith_rad=math.radians(60), relative_azimuth_rad=0.0, moon_zenith_rad=math.radians(30),
    ...     site="urban", wavelength_m=854.445e-9,
    ... )
    >>> f"{anchor:.3g}"
    '0.000224'
    """  # fmt: skip
    level = choice("model", model, NIGHT_MODELS)
    moon = _to_half_turn("zenith angle of the Moon", moon_zenith_rad)
    up = moon < np.pi / 2
    relative = relative_radiance(
        view_zenith_rad=view_zenith_rad,
        relative_azimuth_rad=relative_azimuth_rad,
        body_zenith_rad=np.where(up, moon, 0.0),  # any place in the table: multiplied with 0 below
        site=site,
        wavelength_m=wavelength_m,
    )
    urban = in_range("urban_light_mw_m2_nm_sr", urban_light_mw_m2_nm_sr, 0.0, np.inf)
    nearness = (MEAN_MOON_DISTANCE_M / positive("moon_distance_m", moon_distance_m)) ** 2
    irradiance = level(site, wavelength_m) * phase_factor(phase_angle_rad) * nearness * up
    return np.asarray(relative * irradiance + urban)
