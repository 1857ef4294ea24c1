r"""Two stations that send light to one satellite: Doppler shifts, light times, when each has to send.

References
----------
.. [1] X. Wang, C. Dong, S. Zhao, Y. Liu, X. Liu, H. Zhu, "Feasibility of space-based measurement-device-independent
   quantum key distribution", Figs. 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import EARTH_GM_M3_S2, EARTH_ROTATION_RAD_S, SPEED_OF_LIGHT_M_S
from satqkd.errors import InputError
from satqkd.orbit.kinematics import doppler_shift_hz
from satqkd.orbit.site import Site

__all__ = [
    "SEND_TIME_OFFSETS",
    "doppler_slew_hz_s",
    "light_time_from_sending_s",
    "light_time_to_arrival_s",
    "published_send_time_offset_s",
    "range_acceleration_m_s2",
    "relative_doppler_hz",
    "residual_frequency_hz",
    "send_time_offset_s",
    "simultaneous_offset_s",
    "step_residual_hz",
]

Array = NDArray[np.float64]

_ITERATIONS = 5  # each gains a factor v/c of 1e-5


def relative_doppler_hz(range_rate_a_m_s: ArrayLike, range_rate_b_m_s: ArrayLike, wavelength_m: ArrayLike) -> Array:
    r"""Difference of the frequencies in which two equal lasers arrive.

    Parameters
    ----------
    range_rate_a_m_s, range_rate_b_m_s : array_like
        Rates of both distances, positive when receding; they broadcast. [m/s]
    wavelength_m : array_like
        Vacuum wavelength of both. [m]

    Returns
    -------
    ndarray
        :math:`(\dot L_B - \dot L_A)/\lambda`, shift of A less shift of B, first order in v/c. [Hz]

    Examples
    --------
    >>> float(relative_doppler_hz(-7800.0, 7800.0, 780e-9)) / 1e9
    20.0
    """
    return np.asarray(
        doppler_shift_hz(range_rate_a_m_s, wavelength_m) - doppler_shift_hz(range_rate_b_m_s, wavelength_m)
    )


def range_acceleration_m_s2(position_m: ArrayLike, velocity_m_s: ArrayLike, site: Site) -> Array:
    r"""Second derivative of the distance of a satellite in free fall.

    Parameters
    ----------
    position_m, velocity_m_s : array_like
        Earth-fixed states (velocity in the rotating frame), shape (n, 3). [m], [m/s]
    site : Site
        The station.

    Returns
    -------
    ndarray
        Shape (n,). [m/s^2]

    Notes
    -----
    :math:`\ddot L = (|\mathbf v|^2 - \dot L^2)/L + \mathbf u\cdot\mathbf a` with the line of sight u and
    :math:`\mathbf a = -GM\,\mathbf r/r^3 - 2\boldsymbol\omega\times\mathbf v -
    \boldsymbol\omega\times(\boldsymbol\omega\times\mathbf r)`. Earth's oblateness, left out, is below 0.02 m/s^2.
    """
    position, velocity = np.asarray(position_m, np.float64), np.asarray(velocity_m_s, np.float64)
    line = position - site.position_m
    distance = np.linalg.norm(line, axis=-1)
    unit = line / distance[..., np.newaxis]
    turn = EARTH_ROTATION_RAD_S
    acceleration = -EARTH_GM_M3_S2 * position / np.linalg.norm(position, axis=-1, keepdims=True) ** 3
    acceleration[..., 0] += 2.0 * turn * velocity[..., 1] + turn**2 * position[..., 0]
    acceleration[..., 1] += -2.0 * turn * velocity[..., 0] + turn**2 * position[..., 1]
    rate = np.einsum("...i,...i", unit, velocity)
    across = np.einsum("...i,...i", velocity, velocity) - rate**2
    return np.asarray(across / distance + np.einsum("...i,...i", unit, acceleration))


def doppler_slew_hz_s(range_acceleration_m_s2: ArrayLike, wavelength_m: ArrayLike) -> Array:
    r"""Rate at which a Doppler shift changes, which a laser has to follow.

    Parameters
    ----------
    range_acceleration_m_s2 : array_like
        Second derivative of the distance. [m/s^2]
    wavelength_m : array_like
        Vacuum wavelength. [m]

    Returns
    -------
    ndarray
        :math:`-\ddot L/\lambda`. [Hz/s]
    """
    return np.asarray(-np.asarray(range_acceleration_m_s2, np.float64) / np.asarray(wavelength_m, np.float64))


def step_residual_hz(slew_hz_s: ArrayLike, *, update_s: ArrayLike) -> Array:
    r"""Largest frequency error left by a compensation that is set in steps, each right at its middle.

    Parameters
    ----------
    slew_hz_s : array_like
        Rate of the shift. [Hz/s]
    update_s : array_like
        Time between two settings, at least 0. [s]

    Returns
    -------
    ndarray
        :math:`|\dot\nu|T/2`. [Hz]

    Raises
    ------
    InputError
        If a time is negative or not finite.
    """
    step = _not_negative("update_s", update_s)
    return np.asarray(0.5 * np.abs(np.asarray(slew_hz_s, np.float64)) * step)


def residual_frequency_hz(
    *,
    range_rate_error_a_m_s: ArrayLike,
    range_rate_error_b_m_s: ArrayLike,
    wavelength_m: ArrayLike,
    correlation: ArrayLike = 0.0,
) -> Array:
    r"""Standard deviation of the frequency difference after both shifts were compensated from a predicted orbit.

    Parameters
    ----------
    range_rate_error_a_m_s, range_rate_error_b_m_s : array_like
        Standard deviations of the predicted range rates, at least 0. [m/s]
    wavelength_m : array_like
        Vacuum wavelength. [m]
    correlation : array_like
        Of the two errors, in [-1, 1]; for errors of one velocity vector without a preferred direction it is the cosine
        of the angle between the lines of sight. [1]

    Returns
    -------
    ndarray
        :math:`\sqrt{\sigma_A^2 + \sigma_B^2 - 2\rho\sigma_A\sigma_B}/\lambda`. [Hz]

    Raises
    ------
    InputError
        If a value is outside its range.

    Examples
    --------
    One metre per second on either side, 780 nm, in MHz:

    >>> round(float(residual_frequency_hz(
    ...     range_rate_error_a_m_s=1.0, range_rate_error_b_m_s=1.0, wavelength_m=780e-9)) / 1e6, 3)
    1.813
    """
    a = _not_negative("range_rate_error_a_m_s", range_rate_error_a_m_s)
    b = _not_negative("range_rate_error_b_m_s", range_rate_error_b_m_s)
    rho = np.asarray(correlation, np.float64)
    if not bool(np.all(np.abs(rho) <= 1.0)):
        raise InputError(f"correlation = {float(rho[~(np.abs(rho) <= 1.0)].flat[0])!r}: must be from -1 to 1")
    # (a - b)^2 + 2 (1 - rho) a b has no cancellation where both errors are the same
    variance = (a - b) ** 2 + 2.0 * (1.0 - rho) * a * b
    return np.asarray(np.sqrt(variance) / np.asarray(wavelength_m, np.float64))


def _not_negative(name: str, value: ArrayLike) -> Array:
    array = np.asarray(value, np.float64)
    good = (array >= 0.0) & np.isfinite(array)
    if not bool(np.all(good)):
        raise InputError(f"{name} = {float(array[~good].flat[0])!r}: must be finite and at least 0")
    return array


def light_time_to_arrival_s(position_m: ArrayLike, site: Site) -> Array:
    r"""Time that a pulse which arrives at given instants has travelled: the retarded light time.

    Parameters
    ----------
    position_m : array_like
        Earth-fixed positions of the satellite at the instants of arrival, shape (n, 3). [m]
    site : Site
        The station that sent it.

    Returns
    -------
    ndarray
        Shape (n,). [s]

    Notes
    -----
    Solves :math:`c\tau = |\mathbf r - R_z(-\omega\tau)\,\mathbf p|`: when the pulse left, the station was where the
    rotation of the Earth takes it from. In the rotating frame that is the Sagnac effect, nanoseconds for a low orbit.
    Vacuum and special relativity only: air delays by 5 to 8 ns at zenith (1.6 to 2.4 m), gravity by picoseconds.
    """
    position = np.asarray(position_m, np.float64)
    station = site.position_m
    time = np.linalg.norm(position - station, axis=-1) / SPEED_OF_LIGHT_M_S
    for _ in range(_ITERATIONS):
        angle = EARTH_ROTATION_RAD_S * time
        line = np.stack(
            [
                position[..., 0] - (station[0] * np.cos(angle) + station[1] * np.sin(angle)),
                position[..., 1] - (station[1] * np.cos(angle) - station[0] * np.sin(angle)),
                position[..., 2] - station[2],
            ],
            axis=-1,
        )
        time = np.linalg.norm(line, axis=-1) / SPEED_OF_LIGHT_M_S
    return np.asarray(time)


def light_time_from_sending_s(position_m: ArrayLike, velocity_m_s: ArrayLike, site: Site) -> Array:
    r"""Time that a pulse which leaves at given instants will travel.

    Parameters
    ----------
    position_m, velocity_m_s : array_like
        Earth-fixed states of the satellite at the instants of sending (velocity in the rotating frame), shape (n, 3).
        [m], [m/s]
    site : Site
        The station.

    Returns
    -------
    ndarray
        Shape (n,). [s]

    Notes
    -----
    Solves :math:`c\tau = |\mathbf r + \mathbf v_i\tau - GM\mathbf r\tau^2/2r^3 - \mathbf p|` with the inertial velocity
    :math:`\mathbf v_i = \mathbf v + \boldsymbol\omega\times\mathbf r`. A satellite that approaches at 7 km/s
    shortens 4 ms by 93 ns.
    """
    position, velocity = np.asarray(position_m, np.float64), np.array(velocity_m_s, np.float64)
    velocity[..., 0] -= EARTH_ROTATION_RAD_S * position[..., 1]
    velocity[..., 1] += EARTH_ROTATION_RAD_S * position[..., 0]
    fall = -0.5 * EARTH_GM_M3_S2 * position / np.linalg.norm(position, axis=-1, keepdims=True) ** 3
    line = position - site.position_m
    time = np.linalg.norm(line, axis=-1) / SPEED_OF_LIGHT_M_S
    for _ in range(_ITERATIONS):
        later = time[..., np.newaxis]
        time = np.linalg.norm(line + velocity * later + fall * later**2, axis=-1) / SPEED_OF_LIGHT_M_S
    return np.asarray(time)


def send_time_offset_s(position_m: ArrayLike, site_a: Site, site_b: Site) -> Array:
    r"""How much earlier A has to send for both pulses to arrive together, exact.

    Parameters
    ----------
    position_m : array_like
        Earth-fixed positions of the satellite at the instants of arrival, shape (n, 3). [m]
    site_a, site_b : Site
        The stations.

    Returns
    -------
    ndarray
        :math:`\tau_A - \tau_B` of :func:`light_time_to_arrival_s`, negative where B has to send first. [s]
    """
    return np.asarray(light_time_to_arrival_s(position_m, site_a) - light_time_to_arrival_s(position_m, site_b))


def simultaneous_offset_s(position_m: ArrayLike, site_a: Site, site_b: Site) -> Array:
    r"""The offset if the distances at one instant were the paths of the light.

    Parameters
    ----------
    position_m : array_like
        Earth-fixed positions of the satellite, shape (n, 3). [m]
    site_a, site_b : Site
        The stations.

    Returns
    -------
    ndarray
        :math:`(L_A - L_B)/c`, with a sign. [s]
    """
    position = np.asarray(position_m, np.float64)
    a, b = (np.linalg.norm(position - site.position_m, axis=-1) for site in (site_a, site_b))
    return np.asarray((a - b) / SPEED_OF_LIGHT_M_S)


def published_send_time_offset_s(position_m: ArrayLike, site_a: Site, site_b: Site) -> Array:
    r"""Offset of Fig. 8 of Wang, Dong et al. [1]_: as printed, without a sign and with the distances of one instant.

    Parameters
    ----------
    position_m : array_like
        Earth-fixed positions of the satellite, shape (n, 3). [m]
    site_a, site_b : Site
        The stations.

    Returns
    -------
    ndarray
        :math:`|L_{AC} - L_{BC}|/c`. [s]

    References
    ----------
    .. [1] X. Wang, C. Dong et al., "Feasibility of space-based measurement-device-independent quantum key
       distribution".
    """
    return np.asarray(np.abs(simultaneous_offset_s(position_m, site_a, site_b)))


SEND_TIME_OFFSETS: Mapping[str, Callable[[ArrayLike, Site, Site], Array]] = MappingProxyType(
    {
        "retarded": send_time_offset_s,
        "simultaneous": simultaneous_offset_s,
        "published": published_send_time_offset_s,
    }
)
"""Reading of the send-time offset by name."""
