"""What the motion does to the light: Doppler shift, delay, point-ahead angle."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import EARTH_ROTATION_RAD_S, SPEED_OF_LIGHT_M_S
from satqkd.orbit.site import Site

__all__ = ["doppler_shift_hz", "light_time_s", "point_ahead_rad", "slew_rate_rad_s"]

FloatArray = NDArray[np.float64]


def doppler_shift_hz(
    range_rate_m_s: ArrayLike,
    wavelength_m: ArrayLike,
    *,
    relativistic: bool = False,
    speed_m_s: ArrayLike | None = None,
) -> FloatArray:
    r"""Frequency received minus frequency sent over one link.

    Parameters
    ----------
    range_rate_m_s : array_like
        Rate of the distance, positive when receding. [m/s]
    wavelength_m : array_like
        Vacuum wavelength sent. [m]
    relativistic : bool
        False: first order, :math:`-\dot r/\lambda` (the default; for a satellite in a low orbit the rest is
        below 3e-5 of it). True: special relativity,
        :math:`\frac{c}{\lambda}\left(\frac{\sqrt{1-v^2/c^2}}{1+\dot r/c}-1\right)`; gravity is left out.
    speed_m_s : array_like or None
        Relative speed v for ``relativistic``; None: the motion is radial, :math:`v=|\dot r|`. [m/s]

    Returns
    -------
    ndarray
        Shift, positive when approaching. [Hz]

    Examples
    --------
    >>> round(float(doppler_shift_hz(-7000.0, 780e-9)) / 1e9, 3)
    8.974
    """
    beta_r = np.asarray(range_rate_m_s, dtype=np.float64) / SPEED_OF_LIGHT_M_S
    frequency_hz = SPEED_OF_LIGHT_M_S / np.asarray(wavelength_m, dtype=np.float64)
    if not relativistic:
        return np.asarray(-beta_r * frequency_hz)
    beta = beta_r if speed_m_s is None else np.asarray(speed_m_s, dtype=np.float64) / SPEED_OF_LIGHT_M_S
    # sqrt(1 - b^2) - 1 without cancellation
    dilation = -(beta**2) / (1.0 + np.sqrt(1.0 - beta**2))
    return np.asarray(frequency_hz * (dilation - beta_r) / (1.0 + beta_r))


def light_time_s(slant_range_m: ArrayLike) -> FloatArray:
    """One-way delay in vacuum over a distance. [s]"""
    return np.asarray(np.asarray(slant_range_m, dtype=np.float64) / SPEED_OF_LIGHT_M_S)


def point_ahead_rad(position_m: ArrayLike, velocity_m_s: ArrayLike, site: Site) -> FloatArray:
    r"""Angle between where the satellite is seen and where light must be sent to meet it.

    Parameters
    ----------
    position_m, velocity_m_s : array_like
        Earth-fixed states (velocity in the rotating frame), shape (n, 3). [m], [m/s]
    site : Site
        The station.

    Returns
    -------
    ndarray
        :math:`2 v_\perp / c`, shape (n,). [rad]

    Notes
    -----
    :math:`v_\perp` is the part across the line of sight of the satellite's minus the station's velocity, both
    in the inertial frame: :math:`v + \omega \times (r - p)`.
    """
    line_m = np.asarray(position_m, dtype=np.float64) - site.position_m
    relative_m_s = np.array(velocity_m_s, dtype=np.float64)
    relative_m_s[..., 0] -= EARTH_ROTATION_RAD_S * line_m[..., 1]
    relative_m_s[..., 1] += EARTH_ROTATION_RAD_S * line_m[..., 0]
    unit = line_m / np.linalg.norm(line_m, axis=-1, keepdims=True)
    across_m_s = np.linalg.norm(np.cross(unit, relative_m_s), axis=-1)
    return np.asarray(2.0 * across_m_s / SPEED_OF_LIGHT_M_S)


def slew_rate_rad_s(position_m: ArrayLike, velocity_m_s: ArrayLike, site: Site) -> FloatArray:
    r"""Angular rate at which a telescope on the ground follows the satellite.

    Parameters
    ----------
    position_m, velocity_m_s : array_like
        Earth-fixed states (velocity in the rotating frame), shape (n, 3). [m], [m/s]
    site : Site
        The station.

    Returns
    -------
    ndarray
        :math:`|v_\perp| / L` in the rotating frame, in which the air rests, shape (n,); 0 for a satellite that stands
        still in the sky. [rad/s]
    """
    line_m = np.asarray(position_m, dtype=np.float64) - site.position_m
    across = np.linalg.norm(np.cross(line_m, np.asarray(velocity_m_s, dtype=np.float64)), axis=-1)
    return np.asarray(across / np.einsum("...i,...i", line_m, line_m))
