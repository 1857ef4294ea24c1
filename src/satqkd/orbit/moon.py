"""The Moon's place to 0.05 degree and its phase.

All angles are geometric; seen from a site the parallax of up to one degree is in the difference of the positions.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.orbit.time import as_utc, gmst_rad, j2000_days, tt_times, ut1_times

__all__ = ["MEAN_MOON_DISTANCE_M", "moon_position_ecef_m", "phase_angle_rad"]

FloatArray = NDArray[np.float64]

MEAN_MOON_DISTANCE_M: Final = 385_000_560.0
"""Constant term of the Moon's distance (Meeus, ch. 47)."""

# Multiples of D, M, M', F; sine in longitude [1e-6 deg]; cosine in distance [m]. The largest terms of Table 47.A.
_LONGITUDE_DISTANCE = np.array(
    [
        (0, 0, 1, 0, 6288774, -20905355), (2, 0, -1, 0, 1274027, -3699111), (2, 0, 0, 0, 658314, -2955968),
        (0, 0, 2, 0, 213618, -569925), (0, 1, 0, 0, -185116, 48888), (0, 0, 0, 2, -114332, -3149),
        (2, 0, -2, 0, 58793, 246158), (2, -1, -1, 0, 57066, -152138), (2, 0, 1, 0, 53322, -170733),
        (2, -1, 0, 0, 45758, -204586), (0, 1, -1, 0, -40923, -129620), (1, 0, 0, 0, -34720, 108743),
        (0, 1, 1, 0, -30383, 104755), (2, 0, 0, -2, 15327, 10321), (0, 0, 1, 2, -12528, 0),
        (0, 0, 1, -2, 10980, 79661), (4, 0, -1, 0, 10675, -34782), (0, 0, 3, 0, 10034, -23210),
        (4, 0, -2, 0, 8548, -21636), (2, 1, -1, 0, -7888, 24208), (2, 1, 0, 0, -6766, 30824),
        (1, 0, -1, 0, -5163, -8379),
    ],
    dtype=np.float64,
)  # fmt: skip
# Multiples of D, M, M', F; sine in latitude [1e-6 deg]. The largest terms of Table 47.B.
_LATITUDE = np.array(
    [
        (0, 0, 0, 1, 5128122), (0, 0, 1, 1, 280602), (0, 0, 1, -1, 277693), (2, 0, 0, -1, 173237),
        (2, 0, -1, 1, 55413), (2, 0, -1, -1, 46271), (2, 0, 0, 1, 32573), (0, 0, 2, 1, 17198),
        (2, 0, 1, -1, 9266), (0, 0, 2, -1, 8822), (2, -1, 0, -1, 8216), (2, 0, -2, -1, 4324), (2, 0, 1, 1, 4200),
    ],
    dtype=np.float64,
)  # fmt: skip


def moon_position_ecef_m(time: ArrayLike) -> FloatArray:
    r"""Geocentric position of the Moon in the Earth-fixed frame.

    Parameters
    ----------
    time : array_like of datetime64
        UTC instants, shape (n,).

    Returns
    -------
    ndarray
        Shape (n, 3). [m] The direction is within 0.05 degree (1990-2026), the distance within 4e-4.

    Notes
    -----
    The largest periodic terms (above 0.005 degree) of the theory in [1]_, ch. 47, without its factor for the
    eccentricity of the Earth's orbit, which changes the terms with M by 1e-4; nutation cancels but for 0.001 degree.

    References
    ----------
    .. [1] J. Meeus, *Astronomical Algorithms*, 2nd ed., Willmann-Bell, 1998.
    """
    utc = as_utc(time)
    t = j2000_days(tt_times(utc)) / 36_525.0
    mean_longitude = np.radians(218.3164477 + 481_267.88123421 * t)
    arguments = np.radians(
        np.stack(
            [
                297.8501921 + 445_267.1114034 * t,  # D, elongation
                357.5291092 + 35_999.0502909 * t,  # M, the Sun's anomaly
                134.9633964 + 477_198.8675055 * t,  # M', the Moon's anomaly
                93.2720950 + 483_202.0175233 * t,  # F, argument of latitude
            ],
            axis=-1,
        )
    )
    terms = arguments @ _LONGITUDE_DISTANCE[:, :4].T
    longitude = mean_longitude + np.radians(np.sin(terms) @ _LONGITUDE_DISTANCE[:, 4] * 1e-6)
    distance_m = MEAN_MOON_DISTANCE_M + np.cos(terms) @ _LONGITUDE_DISTANCE[:, 5]
    latitude = np.radians(np.sin(arguments @ _LATITUDE[:, :4].T) @ _LATITUDE[:, 4] * 1e-6)
    obliquity = np.radians(23.439291 - 0.0130042 * t)
    x = np.cos(latitude) * np.cos(longitude)
    y, z = np.cos(latitude) * np.sin(longitude), np.sin(latitude)
    y, z = np.cos(obliquity) * y - np.sin(obliquity) * z, np.sin(obliquity) * y + np.cos(obliquity) * z
    sidereal = gmst_rad(ut1_times(utc))
    sin, cos = np.sin(sidereal), np.cos(sidereal)
    unit = np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1)
    return np.asarray(distance_m[..., np.newaxis] * unit)


def phase_angle_rad(moon_m: ArrayLike, sun_m: ArrayLike, observer_m: ArrayLike = (0.0, 0.0, 0.0)) -> FloatArray:
    r"""Angle at the Moon between the Sun and the observer: 0 at full, pi at new Moon.

    Parameters
    ----------
    moon_m, sun_m : array_like
        Positions in one frame, shape (..., 3). [m]
    observer_m : array_like
        Observer in the same frame, the Earth's centre if not given, shape (3,) or (..., 3). [m]

    Returns
    -------
    ndarray
        Phase angle in [0, pi]; the lit fraction of the disc is :math:`(1+\cos\alpha)/2`. [rad]
    """
    moon = np.asarray(moon_m, dtype=np.float64)
    to_sun = np.asarray(sun_m, dtype=np.float64) - moon
    to_observer = np.asarray(observer_m, dtype=np.float64) - moon
    across = np.linalg.norm(np.cross(to_sun, to_observer), axis=-1)
    return np.asarray(np.arctan2(across, np.einsum("...i,...i", to_sun, to_observer)))
