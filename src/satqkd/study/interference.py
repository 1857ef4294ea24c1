"""How alike two uplinks' pulses are on the satellite: timing by laser ranging, frequency by a predicted orbit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satqkd.constants import SPEED_OF_LIGHT_M_S
from satqkd.detection.two_photon_interference import temporal_overlap
from satqkd.errors import InputError
from satqkd.orbit.pair import residual_frequency_hz
from satqkd.orbit.ranging import arrival_jitter_s, fit_weights, noise_gain, truncation_error_m

__all__ = ["Interference", "PairMotion", "Residuals"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PairMotion:
    """Motion of a satellite over two stations; arrays of shape (2, n) with A first, or (n,).

    Attributes
    ----------
    light_time_s : ndarray, shape (2, n)
        One-way light times. [s]
    range_derivatives : tuple of ndarray, each of shape (2, n)
        Second, third, ... derivative of the distances. [m/s^2], [m/s^3], ...
    cosine : ndarray, shape (n,)
        Cosine of the angle between the lines of sight. [1]
    """

    light_time_s: Array
    range_derivatives: tuple[Array, ...]
    cosine: Array


@dataclass(frozen=True)
class Residuals:
    """What is left of the differences of two pulses, shape (n,).

    Attributes
    ----------
    delay_s, delay_jitter_s : ndarray
        Mean and standard deviation of the difference of arrival times. [s]
    frequency_jitter_hz : ndarray
        Standard deviation of the difference of optical frequencies. [Hz]
    mode_overlap : ndarray
        Indistinguishability in [0, 1]. [1]
    """

    delay_s: Array
    delay_jitter_s: Array
    frequency_jitter_hz: Array
    mode_overlap: Array


@dataclass(frozen=True)
class Interference:
    """Pulses, ranging, clocks and lasers of both stations, alike on both sides.

    Attributes
    ----------
    fwhm_s : float
        Full width at half maximum of a pulse's power. [s]
    range_error_m : float
        Standard deviation of a single one-way range. [m]
    shots : int
        Ranges in a fit.
    ranging_interval_s : float
        Time between two ranges. [s]
    degree : int
        Of the polynomial fitted to them.
    horizon_s : float or None
        Age of the youngest range when a pulse arrives; None: the longest round trip of the pass. [s]
    clock_jitter_s : float
        Standard deviation of a station's time of sending against the common time scale. [s]
    range_rate_error_m_s : float
        Standard deviation of the orbit's predicted velocity in each direction. [m/s]
    update_s : float
        Time between two settings of a laser's frequency, each right at its middle. [s]
    laser_jitter_hz : float
        Standard deviation of the difference of the two lasers' own frequencies. [Hz]
    """

    fwhm_s: float = 1e-9
    range_error_m: float = 0.01
    shots: int = 100
    ranging_interval_s: float = 1e-3
    degree: int = 2
    horizon_s: float | None = None
    clock_jitter_s: float = 10e-12
    range_rate_error_m_s: float = 1.0
    update_s: float = 0.1
    laser_jitter_hz: float = 10e6

    def __post_init__(self) -> None:
        for name in ("fwhm_s", "ranging_interval_s"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise InputError(f"interference: {name} = {value!r}: must be positive")
        if self.degree < 1:
            raise InputError(f"interference: degree = {self.degree!r}: must be at least 1, as distances change")
        for name in ("range_error_m", "clock_jitter_s", "range_rate_error_m_s", "update_s", "laser_jitter_hz"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise InputError(f"interference: {name} = {value!r}: must be finite and at least 0")

    def residuals(self, motion: PairMotion, *, wavelength_m: float) -> Residuals:
        r"""What ranging and prediction leave, and the overlap of the pulses.

        Parameters
        ----------
        motion : PairMotion
            Of the pass; it must have the derivative of order ``degree + 1``.
        wavelength_m : float
            Vacuum wavelength of both lasers. [m]

        Returns
        -------
        Residuals
            At every instant.

        Raises
        ------
        InputError
            If a setting is outside its range.

        Notes
        -----
        A frequency set in steps of T is off by up to :math:`\dot\nu T/2`, evenly spread: variance
        :math:`(\dot\nu T)^2/12`, of both stations' independent settings.
        """
        horizon_s = 2.0 * float(motion.light_time_s.max()) if self.horizon_s is None else self.horizon_s
        timing: dict[str, Any] = {"interval_s": self.ranging_interval_s, "horizon_s": horizon_s, "degree": self.degree}
        weights = fit_weights(shots=self.shots, **timing)
        if len(motion.range_derivatives) < self.degree:
            raise InputError(
                f"interference: degree = {self.degree}: the motion has derivatives up to order "
                f"{len(motion.range_derivatives) + 1}, the fit needs {self.degree + 1}"
            )
        ahead = [
            truncation_error_m(weights, derivative=derivative, **timing)
            for derivative in motion.range_derivatives[self.degree - 1]
        ]
        shape = motion.cosine.shape
        jitter = arrival_jitter_s(
            range_error_a_m=self.range_error_m,
            range_error_b_m=self.range_error_m,
            gain=noise_gain(weights),
            clock_jitter_a_s=self.clock_jitter_s,
            clock_jitter_b_s=self.clock_jitter_s,
        )
        predicted = residual_frequency_hz(
            range_rate_error_a_m_s=self.range_rate_error_m_s,
            range_rate_error_b_m_s=self.range_rate_error_m_s,
            wavelength_m=wavelength_m,
            correlation=motion.cosine,
        )
        stepped = np.linalg.norm(motion.range_derivatives[0], axis=0) * self.update_s / (wavelength_m * math.sqrt(12.0))
        frequency = np.sqrt(predicted**2 + stepped**2 + self.laser_jitter_hz**2)
        delay = (ahead[0] - ahead[1]) / SPEED_OF_LIGHT_M_S
        overlap = temporal_overlap(
            fwhm_a_s=self.fwhm_s,
            fwhm_b_s=self.fwhm_s,
            delay_s=delay,
            delay_jitter_s=jitter,
            frequency_jitter_hz=frequency,
        )
        return Residuals(delay, np.broadcast_to(jitter, shape).copy(), frequency, overlap)
