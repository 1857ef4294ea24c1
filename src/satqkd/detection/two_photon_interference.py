r"""Two-photon interference of pulses from two lasers: indistinguishability, visibility, errors it leaves.

How alike two pulses are is one number, the mode overlap :math:`M = |\langle\xi_a|\xi_b\rangle|^2` (1: identical, 0:
orthogonal), the product of :func:`temporal_overlap` (arrival times, optical frequencies, durations) and
:func:`polarisation_overlap`. :func:`visibility` and :func:`x_basis_error` add unequal intensities, threshold detectors
and dark counts. Pulses are Gaussian, phases random, gates long enough for both pulses.

References
----------
.. [1] C. K. Hong, Z. Y. Ou, L. Mandel, Phys. Rev. Lett. 59, 2044 (1987).
.. [2] F. Xu, M. Curty, B. Qi, H.-K. Lo, New J. Phys. 15, 113007 (2013).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.detection.bell_measurement import bessel_excess, x_basis
from satqkd.errors import InputError

__all__ = [
    "FWHM_PER_RMS",
    "extra_x_basis_error",
    "polarisation_overlap",
    "temporal_overlap",
    "tolerable_delay_s",
    "tolerable_frequency_offset_hz",
    "visibility",
    "weak_pulse_visibility",
    "x_basis_error",
]

Array = NDArray[np.float64]
FWHM_PER_RMS = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian over its standard deviation. [1]"""


def _at_least(name: str, value: ArrayLike, low: float, *, strictly: bool = False, high: float = math.inf) -> Array:
    array = np.asarray(value, float)
    allowed = (array > low if strictly else array >= low) & (array <= high) & np.isfinite(array)
    if not bool(np.all(allowed)):
        bad = float(array[~allowed].flat[0])
        limit = f"{'above' if strictly else 'at least'} {low:g}" + (f" and at most {high:g}" if high < math.inf else "")
        raise InputError(f"{name} = {bad!r}: must be finite and {limit}")
    return array


def temporal_overlap(
    *,
    fwhm_a_s: ArrayLike,
    fwhm_b_s: ArrayLike,
    delay_s: ArrayLike = 0.0,
    frequency_offset_hz: ArrayLike = 0.0,
    delay_jitter_s: ArrayLike = 0.0,
    frequency_jitter_hz: ArrayLike = 0.0,
) -> Array:
    r"""Overlap of two Gaussian pulses in time and frequency, averaged over Gaussian jitter.

    Parameters
    ----------
    fwhm_a_s, fwhm_b_s : array_like
        Full widths at half maximum of the two pulses' *power*, above 0. [s]
    delay_s : array_like
        Mean difference of their arrival times. [s]
    frequency_offset_hz : array_like
        Mean difference of their optical frequencies after any compensation of the Doppler shifts. [Hz]
    delay_jitter_s, frequency_jitter_hz : array_like
        Standard deviations of the two differences from pulse pair to pulse pair. [s], [Hz]

    Returns
    -------
    ndarray
        M in [0, 1], with the arguments' broadcast shape. [1]

    Raises
    ------
    InputError
        If a width is not positive, a jitter negative, or a value not finite.

    Notes
    -----
    With standard deviations :math:`\sigma_a, \sigma_b` of the power, :math:`S = \sigma_a^2 + \sigma_b^2` and
    :math:`W = S/(4\sigma_a^2\sigma_b^2)`, two pulses without chirp have

    .. math:: M = \frac{2\sigma_a\sigma_b}{S}\,e^{-\tau^2/2S}\,e^{-\Delta\omega^2/2W}, \qquad
              \langle M\rangle: \; e^{-\tau^2/2S} \to \sqrt{\frac{S}{S+\sigma_\tau^2}}\,e^{-\tau^2/2(S+\sigma_\tau^2)}

    and likewise for the angular frequency. An average of M is enough where errors are linear in M, which for weak
    pulses they are up to terms of second order in the detected photon numbers.

    Examples
    --------
    >>> float(temporal_overlap(fwhm_a_s=1e-9, fwhm_b_s=1e-9, frequency_offset_hz=10e6).round(6))
    0.999288
    """
    sigma_a = _at_least("fwhm_a_s", fwhm_a_s, 0.0, strictly=True) / FWHM_PER_RMS
    sigma_b = _at_least("fwhm_b_s", fwhm_b_s, 0.0, strictly=True) / FWHM_PER_RMS
    delay = _at_least("delay_s", np.abs(delay_s), 0.0)
    offset = 2.0 * np.pi * _at_least("frequency_offset_hz", np.abs(frequency_offset_hz), 0.0)
    delay_rms = _at_least("delay_jitter_s", delay_jitter_s, 0.0)
    offset_rms = 2.0 * np.pi * _at_least("frequency_jitter_hz", frequency_jitter_hz, 0.0)
    larger = np.hypot(sigma_a, sigma_b)
    shape = 2.0 * (sigma_a / larger) * (sigma_b / larger)
    in_time = _averaged_gaussian(delay, larger, delay_rms)
    in_frequency = _averaged_gaussian(offset, larger / (2.0 * sigma_a * sigma_b), offset_rms)
    return np.asarray(np.minimum(shape * in_time * in_frequency, 1.0))  # rounding of equal pulses goes one ulp above


def _averaged_gaussian(mean: Array, width: Array, jitter: Array) -> Array:
    """Average of exp(-t^2 / 2 width^2) over a normal t."""
    total = np.hypot(width, jitter)
    return np.asarray(width / total * np.exp(-0.5 * (mean / total) ** 2))


def polarisation_overlap(angle_rad: ArrayLike) -> Array:
    r"""Overlap of two linear polarisations.

    Parameters
    ----------
    angle_rad : array_like
        Angle between the planes of polarisation; half the angle between the states on the Poincare sphere. [rad]

    Returns
    -------
    ndarray
        :math:`\cos^2\theta` in [0, 1]. [1]

    Notes
    -----
    For interference on a beam splitter alone. In front of polarising beam splitters a rotation of one sender's frame
    also flips bits with probability :math:`\sin^2\theta`: there it belongs to the misalignment, not here.
    """
    return np.asarray(np.cos(np.asarray(angle_rad, float)) ** 2)


def tolerable_delay_s(mode_overlap: ArrayLike, *, fwhm_s: ArrayLike) -> Array:
    r"""Arrival-time difference at which two equal pulses have a given overlap.

    Parameters
    ----------
    mode_overlap : array_like
        Overlap wanted, in (0, 1]. [1]
    fwhm_s : array_like
        Full width at half maximum of each pulse's power. [s]

    Returns
    -------
    ndarray
        :math:`|\tau| = 2\sigma\sqrt{-\ln M}`. [s]
    """
    overlap = _at_least("mode_overlap", mode_overlap, 0.0, strictly=True, high=1.0)
    sigma = _at_least("fwhm_s", fwhm_s, 0.0, strictly=True) / FWHM_PER_RMS
    return np.asarray(2.0 * sigma * np.sqrt(-np.log(overlap)))


def tolerable_frequency_offset_hz(mode_overlap: ArrayLike, *, fwhm_s: ArrayLike) -> Array:
    r"""Difference of optical frequencies at which two equal pulses have a given overlap.

    Parameters
    ----------
    mode_overlap : array_like
        Overlap wanted, in (0, 1]. [1]
    fwhm_s : array_like
        Full width at half maximum of each pulse's power. [s]

    Returns
    -------
    ndarray
        :math:`|\Delta\nu| = \sqrt{-\ln M}/(2\pi\sigma)`. [Hz]

    Examples
    --------
    >>> round(float(tolerable_frequency_offset_hz(0.99, fwhm_s=1e-9)) / 1e6, 2)
    37.57
    """
    overlap = _at_least("mode_overlap", mode_overlap, 0.0, strictly=True, high=1.0)
    sigma = _at_least("fwhm_s", fwhm_s, 0.0, strictly=True) / FWHM_PER_RMS
    return np.asarray(np.sqrt(-np.log(overlap)) / (2.0 * np.pi * sigma))


def weak_pulse_visibility(intensity_ratio: ArrayLike, *, mode_overlap: ArrayLike = 1.0) -> Array:
    r"""Visibility of the coincidence dip of weak coherent pulses with random phases.

    Parameters
    ----------
    intensity_ratio : array_like
        Ratio r of the two intensities at the beam splitter, at least 0. [1]
    mode_overlap : array_like
        Indistinguishability of the pulses in [0, 1]. [1]

    Returns
    -------
    ndarray
        :math:`2rM/(1+r)^2`, at most 1/2. [1]

    References
    ----------
    .. [1] J. G. Rarity, P. R. Tapster, R. Loudon, J. Opt. B 7, S171 (2005).

    Examples
    --------
    >>> weak_pulse_visibility([1.0, 0.1]).round(4)
    array([0.5   , 0.1653])
    """
    ratio = _at_least("intensity_ratio", intensity_ratio, 0.0)
    overlap = _at_least("mode_overlap", mode_overlap, 0.0, high=1.0)
    return np.asarray(2.0 * overlap * (ratio / (1.0 + ratio)) / (1.0 + ratio))


def visibility(
    detected_a: ArrayLike, detected_b: ArrayLike, *, mode_overlap: ArrayLike = 1.0, p_dark: ArrayLike = 0.0
) -> Array:
    r"""Visibility of the coincidence dip with threshold detectors and dark counts.

    Parameters
    ----------
    detected_a, detected_b : array_like
        Mean detected photon numbers of the two pulses, in [0, 20], not both 0 unless there are dark counts. [1]
    mode_overlap : array_like
        Indistinguishability of the pulses in [0, 1]. [1]
    p_dark : array_like
        Click probability of each of the two detectors without light, in [0, 0.5]. [1]

    Returns
    -------
    ndarray
        :math:`V = 1 - C(M)/C(0)`. [1]

    Raises
    ------
    InputError
        If a value is outside its range, or nothing can be detected at all.

    Notes
    -----
    With :math:`s` the sum of both and :math:`q = 1 - p_d`, coincidences have the probability
    :math:`C = 1 - 2qe^{-s/2}I_0(\sqrt{M\,\eta_a\mu_a\eta_b\mu_b}) + q^2e^{-s}`, so

    .. math:: V = \frac{2qe^{-s/2}[I_0(\sqrt{M\,\eta_a\mu_a\,\eta_b\mu_b}) - 1]}{(1 - qe^{-s/2})^2}.

    Its limit for weak pulses and no dark counts is :func:`weak_pulse_visibility`.
    """
    a = _at_least("detected_a", detected_a, 0.0, high=20.0)
    b = _at_least("detected_b", detected_b, 0.0, high=20.0)
    dark = _at_least("p_dark", p_dark, 0.0, high=0.5)
    overlap = _at_least("mode_overlap", mode_overlap, 0.0, high=1.0)
    if not bool(np.all(a + b + dark > 0.0)):
        raise InputError("detected_a = detected_b = p_dark = 0.0: without coincidences there is no visibility")
    log_silent = np.log1p(-dark) - 0.5 * (a + b)
    excess = bessel_excess(a, b, mode_overlap=overlap).double
    return np.asarray(2.0 * np.exp(log_silent) * excess / np.expm1(log_silent) ** 2)


def x_basis_error(
    detected_a: ArrayLike,
    detected_b: ArrayLike,
    *,
    mode_overlap: ArrayLike = 1.0,
    p_dark: ArrayLike = 0.0,
    misalignment: ArrayLike = 0.0,
) -> Array:
    r"""Error rate of the diagonal basis of a Bell-state measurement.

    Parameters
    ----------
    detected_a, detected_b, mode_overlap, p_dark
        As in :func:`visibility`.
    misalignment : array_like
        Probability that a bit is flipped, in [0, 1/2]. [1]

    Returns
    -------
    ndarray
        :math:`E^X` in [0, 1/2]. [1]

    Raises
    ------
    InputError
        If a value is outside its range, or nothing can be detected at all.

    Notes
    -----
    Ratio of :func:`satqkd.detection.bell_measurement.x_basis`; without dark counts and misalignment, for weak pulses,
    :math:`\tfrac12(1 - V)`: 1/4 at best.
    """
    a = _at_least("detected_a", detected_a, 0.0, high=20.0)
    b = _at_least("detected_b", detected_b, 0.0, high=20.0)
    dark = _at_least("p_dark", p_dark, 0.0, high=0.5)
    flip = _at_least("misalignment", misalignment, 0.0, high=0.5)
    overlap = _at_least("mode_overlap", mode_overlap, 0.0, high=1.0)
    if not bool(np.all(a + b + dark > 0.0)):
        raise InputError("detected_a = detected_b = p_dark = 0.0: nothing is detected, so there is no error rate")
    gain, errors = x_basis(a, b, p_dark=dark, misalignment=flip, mode_overlap=overlap)
    return np.asarray(errors / gain)


def extra_x_basis_error(
    detected_a: ArrayLike,
    detected_b: ArrayLike,
    *,
    mode_overlap: ArrayLike,
    p_dark: ArrayLike = 0.0,
    misalignment: ArrayLike = 0.0,
) -> Array:
    r"""What distinguishable pulses add to the error rate of the diagonal basis.

    Parameters
    ----------
    detected_a, detected_b, mode_overlap, p_dark, misalignment
        As in :func:`x_basis_error`.

    Returns
    -------
    ndarray
        :math:`E^X(M) - E^X(1)`; for weak pulses :math:`(1-M)(1-2e_d)\,r/(1+r)^2` with r the ratio of intensities. [1]

    Raises
    ------
    InputError
        As in :func:`x_basis_error`.
    """

    def error(overlap: ArrayLike) -> Array:
        return x_basis_error(detected_a, detected_b, mode_overlap=overlap, p_dark=p_dark, misalignment=misalignment)

    return np.asarray(error(mode_overlap) - error(1.0))
