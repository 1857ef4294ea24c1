"""Brightness of the sky behind a satellite at given times: Sun, Moon, twilight and exclusion cones together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import choice, in_range
from satqkd.channel.moonlight import night_radiance
from satqkd.channel.sky_radiance import day_radiance
from satqkd.errors import InputError
from satqkd.orbit.moon import moon_position_ecef_m, phase_angle_rad
from satqkd.orbit.site import Site
from satqkd.orbit.sky import excluded, relative_azimuth_rad, separation_rad, zenith_azimuth_rad
from satqkd.orbit.sun import TWILIGHTS_RAD, sun_position_ecef_m
from satqkd.orbit.time import as_utc

__all__ = ["TWILIGHT_MODELS", "SkyBackground", "sky_background"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HORIZON_RAD: Final = np.pi / 2


@dataclass(frozen=True, slots=True)
class SkyBackground:
    """Sky behind a line of sight, each field an array of the times' length.

    Attributes
    ----------
    radiance_mw_m2_nm_sr : ndarray
        Spectral radiance. [mW m-2 nm-1 sr-1]
    day, night : ndarray of bool
        Sun's centre above the horizon; Sun below the limit of darkness. Neither: twilight.
    sun_zenith_rad, moon_zenith_rad : ndarray
        Angle of Sun and Moon from the zenith. [rad]
    moon_phase_rad : ndarray
        Phase angle of the Moon, 0 when full. [rad]
    sun_separation_rad, moon_separation_rad : ndarray
        Angle between the line of sight and Sun or Moon. [rad]
    excluded : ndarray of bool
        Line of sight within the exclusion cone of Sun or Moon.
    """

    radiance_mw_m2_nm_sr: FloatArray
    day: BoolArray
    night: BoolArray
    sun_zenith_rad: FloatArray
    moon_zenith_rad: FloatArray
    moon_phase_rad: FloatArray
    sun_separation_rad: FloatArray
    moon_separation_rad: FloatArray
    excluded: BoolArray


def _refuse(twilight: BoolArray, time: NDArray[np.datetime64]) -> BoolArray:
    """No number for twilight: an error that names the first instant."""
    if twilight.any():
        raise InputError(
            f"time: {time[twilight][0]} is in twilight, for which there is no model of the sky; allowed: day or night, "
            "or twilight='sunset' for the brighter sky of sunset"
        )
    return twilight


def _sunset(twilight: BoolArray, time: NDArray[np.datetime64]) -> BoolArray:
    """Twilight as bright as at sunset, the Sun in the horizon of its azimuth: an upper limit."""
    del time
    return twilight


TWILIGHT_MODELS: Final[Mapping[str, Callable[[BoolArray, NDArray[np.datetime64]], BoolArray]]] = MappingProxyType(
    {"refuse": _refuse, "sunset": _sunset}
)
"""What twilight is, by name: an error, or the sky of sunset (brighter than it is)."""


def sky_background(
    time: ArrayLike,
    *,
    place: Site,
    view_zenith_rad: ArrayLike,
    view_azimuth_rad: ArrayLike,
    site: str,
    wavelength_m: float,
    twilight: str = "refuse",
    darkness_rad: float = TWILIGHTS_RAD["astronomical"],
    urban_light_mw_m2_nm_sr: float = 0.0,
    night_model: str = "anchored",
    sun_exclusion_rad: float = 0.0,
    moon_exclusion_rad: float = 0.0,
) -> SkyBackground:
    """Sky behind a satellite, second by second, cloudless.

    Parameters
    ----------
    time : array_like of datetime64
        UTC instants, shape (n,).
    place : Site
        Where the station is.
    view_zenith_rad, view_azimuth_rad : array_like
        Line of sight: angle from the zenith, 0 to 85 degrees; azimuth from north through east; shape (n,) or one
        direction. [rad]
    site : {"rural", "urban", "coastal"}
        Air, as in :func:`satqkd.channel.sky_radiance.relative_radiance`.
    wavelength_m : float
        As there. [m]
    twilight : {"refuse", "sunset"}
        :data:`TWILIGHT_MODELS`.
    darkness_rad : float
        Elevation of the Sun below which it is night, -90 to 0 degrees. [rad]
    urban_light_mw_m2_nm_sr : float
        Light that is neither the Sun's nor the Moon's, always added. [mW m-2 nm-1 sr-1]
    night_model : {"anchored", "irradiance"}
        Level of the moonlight, :data:`satqkd.channel.moonlight.NIGHT_MODELS`.
    sun_exclusion_rad, moon_exclusion_rad : float
        Least angle allowed between the line of sight and the body. [rad]

    Returns
    -------
    SkyBackground
        By day sunlight, at night moonlight.

    Raises
    ------
    InputError
        A value outside its range, an unknown name, or twilight with ``twilight="refuse"``.
    """
    utc = as_utc(time)
    in_range("darkness_rad", darkness_rad, -HORIZON_RAD, 0.0)
    view = np.broadcast_to(np.asarray(view_zenith_rad, dtype=np.float64), utc.shape)
    azimuth = np.broadcast_to(np.asarray(view_azimuth_rad, dtype=np.float64), utc.shape)
    sun_m, moon_m = sun_position_ecef_m(utc), moon_position_ecef_m(utc)
    sun, moon = zenith_azimuth_rad(sun_m, place), zenith_azimuth_rad(moon_m, place)
    phase = phase_angle_rad(moon_m, sun_m, place.position_m)
    day, night = sun[0] <= HORIZON_RAD, sun[0] > HORIZON_RAD - darkness_rad
    dusk = choice("twilight", twilight, TWILIGHT_MODELS)(~day & ~night, utc)
    lit = day | dusk
    radiance = np.empty(utc.shape)
    urban = float(in_range("urban_light_mw_m2_nm_sr", urban_light_mw_m2_nm_sr, 0.0, np.inf))
    radiance[lit] = urban + day_radiance(
        view_zenith_rad=view[lit],
        relative_azimuth_rad=relative_azimuth_rad(azimuth, sun[1])[lit],
        sun_zenith_rad=np.minimum(sun[0][lit], HORIZON_RAD),  # lower only in the twilight that _sunset allows
        site=site,
        wavelength_m=wavelength_m,
    )
    radiance[night] = night_radiance(
        view_zenith_rad=view[night],
        relative_azimuth_rad=relative_azimuth_rad(azimuth, moon[1])[night],
        moon_zenith_rad=moon[0][night],
        phase_angle_rad=phase[night],
        moon_distance_m=np.linalg.norm(moon_m - place.position_m, axis=-1)[night],
        urban_light_mw_m2_nm_sr=urban,
        model=night_model,
        site=site,
        wavelength_m=wavelength_m,
    )
    return SkyBackground(
        radiance_mw_m2_nm_sr=radiance,
        day=day,
        night=night,
        sun_zenith_rad=sun[0],
        moon_zenith_rad=moon[0],
        moon_phase_rad=phase,
        sun_separation_rad=separation_rad(view, azimuth, *sun),
        moon_separation_rad=separation_rad(view, azimuth, *moon),
        excluded=_excluded(view, azimuth, sun, sun_exclusion_rad) | _excluded(view, azimuth, moon, moon_exclusion_rad),
    )


def _excluded(
    view: FloatArray, azimuth: FloatArray, body: tuple[FloatArray, FloatArray], exclusion_rad: float
) -> BoolArray:
    zenith, body_azimuth = body
    return excluded(view, azimuth, body_zenith_rad=zenith, body_azimuth_rad=body_azimuth, exclusion_rad=exclusion_rad)
