r"""Statistics of fades: log-normal and gamma-gamma irradiance of mean 1.

A fade is an irradiance below a threshold. Thresholds and samples are relative to the mean; a fade margin is the
positive number of dB between the two.

References
----------
.. [1] L. C. Andrews, R. L. Phillips, *Laser Beam Propagation through Random Media*, 2nd ed., SPIE, 2005, ch. 9-12.
.. [2] M. A. Al-Habash, L. C. Andrews, R. L. Phillips, "Mathematical model for the irradiance probability density
   function of a laser beam propagating through turbulent media", Opt. Eng. 40, 1554 (2001).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range, positive
from satqkd.errors import InputError

__all__ = [
    "gamma_gamma_fade_margin_db",
    "gamma_gamma_fade_probability",
    "gamma_gamma_samples",
    "lognormal_fade_margin_db",
    "lognormal_fade_probability",
    "lognormal_mean_fade_s",
    "lognormal_samples",
]

Floats = NDArray[np.float64]

VARIANCES: Final = (1e-12, 1.0)
"""Log-variances that are computed; turbulence stays below 0.7 (ln 2, the small eddies in saturation). [1]"""

_POINTS: Final = 400
_STEPS: Final = 100
_CLOSE: Final = 1e-11
_LN10: Final = np.log(10.0)


def _log_variance(scintillation_index: ArrayLike) -> Floats:
    return np.asarray(np.log1p(positive("scintillation_index", scintillation_index)))


def _probability(name: str, value: ArrayLike) -> Floats:
    values = np.asarray(value, dtype=np.float64)
    if not np.all((values > 0.0) & (values < 1.0)):
        raise InputError(f"{name}: only above 0 and below 1 is allowed")
    return values


def lognormal_fade_probability(threshold: ArrayLike, *, scintillation_index: ArrayLike) -> Floats:
    r"""Probability that the irradiance is below a threshold, log-normal.

    Parameters
    ----------
    threshold : array_like
        Irradiance relative to its mean, above 0, any shape. [1]
    scintillation_index : array_like
        Variance of the irradiance per squared mean, above 0, broadcast. [1]

    Returns
    -------
    ndarray
        :math:`\Phi[(\ln I_T + s^2/2)/s]`, :math:`s^2=\ln(1+\sigma_I^2)`. [1]

    Raises
    ------
    InputError
        For a threshold or an index that is not positive.

    Notes
    -----
    Weak turbulence or an averaging aperture. :func:`gamma_gamma_fade_probability` holds beyond.

    Examples
    --------
    3 dB below the mean at an index of 0.1:

    >>> f"{lognormal_fade_probability(0.5, scintillation_index=0.1):.4f}"
    '0.0183'
    """
    from scipy.special import ndtr

    variance = _log_variance(scintillation_index)
    return np.asarray(ndtr((np.log(positive("threshold", threshold)) + 0.5 * variance) / np.sqrt(variance)))


def lognormal_fade_margin_db(outage: ArrayLike, *, scintillation_index: ArrayLike) -> Floats:
    r"""Distance between the mean and the irradiance that is undercut with a given probability, log-normal.

    Parameters
    ----------
    outage : array_like
        Probability of a fade, in (0, 1), any shape. [1]
    scintillation_index : array_like
        Variance of the irradiance per squared mean, above 0, broadcast. [1]

    Returns
    -------
    ndarray
        :math:`-10\log_{10}I_T`; negative where the outage is so likely that the threshold exceeds the mean. [dB]

    Raises
    ------
    InputError
        For a probability outside (0, 1) or an index that is not positive.
    """
    from scipy.special import ndtri

    variance = _log_variance(scintillation_index)
    deviate = np.asarray(ndtri(_probability("outage", outage)))
    return np.asarray(-10.0 / _LN10 * (deviate * np.sqrt(variance) - 0.5 * variance))


def lognormal_mean_fade_s(
    threshold: ArrayLike, *, scintillation_index: ArrayLike, quasi_frequency_hz: ArrayLike
) -> Floats:
    r"""Mean duration of a fade, log-normal.

    Parameters
    ----------
    threshold : array_like
        Irradiance relative to its mean, above 0, any shape. [1]
    scintillation_index : array_like
        Variance of the irradiance per squared mean, above 0. [1]
    quasi_frequency_hz : array_like
        Crossings of the median in one direction per second: root-mean-square frequency of :math:`\ln I`; all
        broadcast. [Hz]

    Returns
    -------
    ndarray
        Probability of a fade per downward crossings, :math:`\nu_0\exp[-(\ln I_T+s^2/2)^2/2s^2]`. [s]

    Raises
    ------
    InputError
        For a value that is not positive.

    Notes
    -----
    Rice's formula, ch. 11 of [1]. Deep fades are short: their duration goes as :math:`s/(|\ln I_T|\nu_0\sqrt{2\pi})`.
    """
    from scipy.special import log_ndtr

    variance = _log_variance(scintillation_index)
    deviate = (np.log(positive("threshold", threshold)) + 0.5 * variance) / np.sqrt(variance)
    # both factors underflow far below the mean, their ratio does not
    return np.asarray(np.exp(log_ndtr(deviate) + 0.5 * deviate**2) / positive("quasi_frequency_hz", quasi_frequency_hz))


def lognormal_samples(
    rng: np.random.Generator, size: int | tuple[int, ...], *, scintillation_index: ArrayLike
) -> Floats:
    r"""Independent samples of the irradiance, log-normal.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int or tuple of int
        Shape of the result, against which the index broadcasts.
    scintillation_index : array_like
        Variance of the irradiance per squared mean, above 0. [1]

    Returns
    -------
    ndarray
        Irradiances of mean 1. [1]

    Raises
    ------
    InputError
        For an index that is not positive.
    """
    variance = _log_variance(scintillation_index)
    return np.asarray(np.exp(np.sqrt(variance) * rng.standard_normal(size) - 0.5 * variance))


def _shapes(large_variance: ArrayLike, small_variance: ArrayLike) -> tuple[Floats, Floats]:
    """Shape parameters of the two gamma variables from the log-variances."""
    low, high = VARIANCES
    large = in_range("large_variance", large_variance, low, high)
    return 1.0 / np.expm1(large), 1.0 / np.expm1(in_range("small_variance", small_variance, low, high))


def gamma_gamma_fade_probability(
    threshold: ArrayLike, *, large_variance: ArrayLike, small_variance: ArrayLike
) -> Floats:
    r"""Probability that the irradiance is below a threshold, gamma-gamma.

    Parameters
    ----------
    threshold : array_like
        Irradiance relative to its mean, above 0, any shape. [1]
    large_variance, small_variance : array_like
        Log-variances by :func:`satqkd.channel.scintillation.saturated_variances`, 1e-12 to 1; all broadcast. [1]

    Returns
    -------
    ndarray
        :math:`P(XY<I_T)`, X and Y gamma variables of mean 1 with shapes
        :math:`1/(e^{\sigma_{\ln X}^2}-1)`, :math:`1/(e^{\sigma_{\ln Y}^2}-1)`. [1]

    Raises
    ------
    InputError
        For a threshold that is not positive or variances outside their range.

    Notes
    -----
    Ch. 9-11 of [1], [2]. The integral over the narrower variable of the other's distribution is a trapezoidal sum in
    its logarithm, which converges exponentially; relative error below 1e-8 down to probabilities of 1e-12.
    """
    first, second = _shapes(large_variance, small_variance)
    log_threshold = np.log(positive("threshold", threshold))
    level, first, second = np.broadcast_arrays(log_threshold, first, second)
    return _below(level, first, second)[0]


def _below(level: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Distribution function and its derivative of a product of gamma variables; level is a logarithm, shapes alike."""
    from scipy.special import gammainc, gammaln

    flat = (level.ravel(), np.minimum(first, second).ravel(), np.maximum(first, second).ravel())
    probability, slope = np.empty(level.size), np.empty(level.size)
    for start in range(0, level.size, 1024):
        rows = slice(start, start + 1024)
        threshold, wide, narrow = (array[rows, None] for array in flat)
        # where the density of ln Y falls below 1e-18 of its peak on either side
        left = -9.0 / np.sqrt(narrow) - 42.0 / narrow
        right = np.log1p(9.0 / np.sqrt(narrow) + 42.0 / narrow)
        log_y = left + (right - left) * np.linspace(0.0, 1.0, _POINTS)
        # the normalisation's logarithms would cancel for large shapes; the sum normalises itself
        weight = np.exp(narrow * (log_y - np.expm1(log_y)))
        weight /= weight.sum(axis=1, keepdims=True)
        log_x = threshold - log_y
        probability[rows] = (weight * gammainc(wide, wide * np.exp(log_x))).sum(axis=1)
        density = np.exp(wide * (np.log(wide) + log_x - np.exp(log_x)) - gammaln(wide))
        slope[rows] = (weight * density).sum(axis=1)
    return probability.reshape(level.shape), slope.reshape(level.shape)


def gamma_gamma_fade_margin_db(outage: ArrayLike, *, large_variance: ArrayLike, small_variance: ArrayLike) -> Floats:
    r"""Distance between the mean and the irradiance that is undercut with a given probability, gamma-gamma.

    Parameters
    ----------
    outage : array_like
        Probability of a fade, from 1e-12 to below 1, any shape. [1]
    large_variance, small_variance : array_like
        As of :func:`gamma_gamma_fade_probability`; all broadcast. [1]

    Returns
    -------
    ndarray
        :math:`-10\log_{10}I_T`, to 1e-9 dB. [dB]

    Raises
    ------
    InputError
        For a probability outside the range or variances outside theirs.

    Notes
    -----
    Newton's method in the logarithms, guarded by a bracket.
    """
    wanted = _probability("outage", outage)
    if np.any(wanted < 1e-12):
        raise InputError(f"outage: {np.min(wanted):g} is not allowed, at least 1e-12")
    wanted, first, second = np.broadcast_arrays(wanted, *_shapes(large_variance, small_variance))
    low, high = np.full(wanted.shape, -100.0), np.full(wanted.shape, 12.0)
    level = np.zeros(wanted.shape)
    for _ in range(_STEPS):
        probability, slope = _below(level, first, second)
        below = probability < wanted
        low, high = np.where(below, level, low), np.where(below, high, level)
        # ln P is concave in ln I: Newton's steps come from below; where P underflows, halving takes over
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = level + np.log(wanted / probability) * probability / slope
        inside = (newton > low) & (newton < high)
        step = np.where(inside, newton, 0.5 * (low + high)) - level
        level = level + step
        if np.all(np.abs(step) < _CLOSE):
            break
    return np.asarray(-10.0 / _LN10 * level)


def gamma_gamma_samples(
    rng: np.random.Generator,
    size: int | tuple[int, ...],
    *,
    large_variance: ArrayLike,
    small_variance: ArrayLike,
) -> Floats:
    r"""Independent samples of the irradiance, gamma-gamma.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int or tuple of int
        Shape of the result, against which the variances broadcast.
    large_variance, small_variance : array_like
        As of :func:`gamma_gamma_fade_probability`. [1]

    Returns
    -------
    ndarray
        Irradiances of mean 1: products of two gamma variables. [1]

    Raises
    ------
    InputError
        For variances outside their range.
    """
    first, second = _shapes(large_variance, small_variance)
    return np.asarray(rng.gamma(first, 1.0 / first, size) * rng.gamma(second, 1.0 / second, size))
