"""What the figures and reports pick out of the stages' tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.variables import LOSS_TERMS

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["LOSS_NAMES", "best_pass", "best_passes", "footprint", "loss_terms", "pass_samples", "utc"]

LOSS_NAMES: Final = {
    "loss_transmitter_db": "transmitter optics",
    "loss_geometric_db": "beam spreading",
    "loss_atmosphere_db": "atmosphere",
    "loss_cloud_db": "clouds",
    "loss_pointing_db": "pointing",
    "loss_coupling_db": "coupling",
    "loss_receiver_db": "receiver optics",
    "loss_detector_db": "detection",
    "loss_measured_db": "measured link",
    "loss_offset_db": "offset",
}
"""Short names of the terms of :data:`satqkd.variables.LOSS_TERMS`."""


def utc(instant: Any, unit: Literal["m", "s"] = "s") -> str:
    """Instant as text, rounded to the second or minute, date and time with a space between.

    Examples
    --------
    >>> utc(np.datetime64("2016-09-19T16:32:40.5")), utc(np.datetime64("2016-09-19T16:32:29"), "m")
    ('2016-09-19 16:32:41', '2016-09-19 16:32')
    """
    instant = np.datetime64(instant, "ns") + np.timedelta64(500 if unit == "s" else 30_000, "ms")
    return str(np.datetime_as_string(np.datetime64(instant), unit=unit)).replace("T", " ")


def best_passes(keys: xr.Dataset) -> NDArray[np.int64]:
    """Numbers of the passes, the one with the most finite key first, then by asymptotic key, then by margin."""
    margin = np.nan_to_num(keys["margin_db"].values.astype(float), nan=-1e9, neginf=-1e9)
    order = (np.arange(keys.sizes["pass"]), -margin, -keys["key_bits_asymptotic"].values, -keys["key_bits"].values)
    return np.lexsort(order).astype(np.int64)


def best_pass(keys: xr.Dataset) -> int | None:
    """Number of the pass with the most key; ``None`` without passes."""
    return int(best_passes(keys)[0]) if keys.sizes["pass"] else None


def pass_samples(link: xr.Dataset, number: int) -> xr.Dataset | None:
    """Samples of one pass along time, with station and satellite as scalars; ``None`` if there are none."""
    found = np.argwhere(link["pass_number"].transpose("station", "satellite", "time").values == number)
    if not len(found):
        return None
    station, satellite = (int(i) for i in found[0, :2])
    return link.isel(station=station, satellite=satellite, time=found[:, 2])


def loss_terms(link: xr.Dataset) -> tuple[str, ...]:
    """Terms of the budget that this link has, in the order light meets them."""
    return tuple(name for name in LOSS_TERMS if name in link)


def footprint(
    *, latitude_rad: float, longitude_rad: float, mask: Any, altitude_m: float, points: int = 181
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Outline of the sub-satellite points that a station sees above its mask, on a spherical Earth.

    Parameters
    ----------
    latitude_rad, longitude_rad : float
        Station. [rad]
    mask : float or sequence of (azimuth, elevation)
        Lowest elevation, one for all directions or joined linearly around the horizon. [rad]
    altitude_m : float
        Satellite's height above the sphere. [m]
    points : int
        Directions, the last equal to the first.

    Returns
    -------
    latitude_deg, longitude_deg : ndarray
        Outline; longitudes within 180 degrees of the station. [degree]

    Notes
    -----
    Central angle :math:`\psi = \arccos(R\cos\theta/(R+h)) - \theta` (law of sines in the triangle of the Earth's
    centre, the station and the satellite).
    """
    azimuth = np.linspace(0.0, 2.0 * np.pi, points)
    if np.ndim(mask) == 0:
        lowest = np.full(points, float(mask))
    else:
        table = np.asarray(mask, float)
        lowest = np.interp(azimuth, table[:, 0], table[:, 1], period=2.0 * np.pi)
    radius = MEAN_EARTH_RADIUS_M
    psi = np.arccos(radius * np.cos(lowest) / (radius + altitude_m)) - lowest
    sine = np.sin(latitude_rad) * np.cos(psi) + np.cos(latitude_rad) * np.sin(psi) * np.cos(azimuth)
    latitude = np.arcsin(np.clip(sine, -1.0, 1.0))
    shift = np.arctan2(np.sin(azimuth) * np.sin(psi) * np.cos(latitude_rad), np.cos(psi) - np.sin(latitude_rad) * sine)
    return np.degrees(latitude), np.degrees(longitude_rad + shift)
