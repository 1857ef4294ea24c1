r"""From laser ranging to the moment of sending: how well a distance is known between and after the echoes.

Ranges :math:`L_k` measured at the instants :math:`t_k = -h - kT` before the one wanted are combined linearly,
:math:`\hat L = \sum_k w_k L_k`, with the weights of a least-squares polynomial (:func:`fit_weights`). Noise of the
single shot is multiplied by :func:`noise_gain`; what the polynomial cannot follow is :func:`truncation_error_m`. A
negative h is interpolation between echoes, possible afterwards, when counts are sorted; pulses are sent by prediction,
and an echo is at least its own way back old.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import SPEED_OF_LIGHT_M_S
from satqkd.errors import InputError

__all__ = ["arrival_jitter_s", "fit_weights", "noise_gain", "shot_times_s", "truncation_error_m"]

Array = NDArray[np.float64]


def shot_times_s(*, shots: int, interval_s: float, horizon_s: float) -> Array:
    """Instants of the ranges, counted from the one wanted.

    Parameters
    ----------
    shots : int
        Number of ranges, 1 to 100,000.
    interval_s : float
        Time between two, above 0. [s]
    horizon_s : float
        Age of the youngest; negative if the instant wanted lies before it. [s]

    Returns
    -------
    ndarray, shape (shots,)
        Youngest first. [s]

    Raises
    ------
    InputError
        If a value is outside its range.
    """
    if not (isinstance(shots, int) and 1 <= shots <= 100_000):
        raise InputError(f"shots = {shots!r}: must be a whole number from 1 to 100000")
    if not 0.0 < interval_s < math.inf:
        raise InputError(f"interval_s = {interval_s!r}: must be positive")
    if not -(shots - 1) * interval_s <= horizon_s < math.inf:
        raise InputError(
            f"horizon_s = {horizon_s!r}: must be finite and not before the oldest of the ranges, "
            f"{-(shots - 1) * interval_s:g} s"
        )
    return np.asarray(-horizon_s - interval_s * np.arange(shots))


def fit_weights(*, shots: int, interval_s: float, horizon_s: float, degree: int) -> Array:
    r"""Weights of equally spaced ranges in the polynomial's value at the instant wanted.

    Parameters
    ----------
    shots, interval_s, horizon_s
        As in :func:`shot_times_s`.
    degree : int
        Of the polynomial fitted by least squares, 0 to 5 and below ``shots``.

    Returns
    -------
    ndarray, shape (shots,)
        They sum to 1. [1]

    Raises
    ------
    InputError
        If a value is outside its range.

    Notes
    -----
    :math:`w = Q\,R^{-T} e_0` for the matrix :math:`A_{kj} = t_k^j = (QR)_{kj}`, times in units of the longest.

    Examples
    --------
    Prediction one interval ahead from two ranges:

    >>> fit_weights(shots=2, interval_s=1.0, horizon_s=1.0, degree=1).round(12).tolist()
    [2.0, -1.0]
    """
    time = shot_times_s(shots=shots, interval_s=interval_s, horizon_s=horizon_s)
    if not (isinstance(degree, int) and 0 <= degree <= min(5, shots - 1)):
        raise InputError(f"degree = {degree!r}: must be a whole number from 0 to 5 and below shots = {shots}")
    # orthogonal about their middle: the powers of distant times are nearly parallel
    middle, half = time.mean(), max(0.5 * float(np.ptp(time)), 1e-300)
    basis = np.polynomial.legendre.legvander((time - middle) / half, degree)
    q, r = np.linalg.qr(basis)
    wanted = np.polynomial.legendre.legvander(np.array([-middle / half]), degree)[0]
    return np.asarray(q @ np.linalg.solve(r.T, wanted))


def noise_gain(weights: ArrayLike) -> float:
    r"""Standard deviation of the estimate per standard deviation of a single range.

    Parameters
    ----------
    weights : array_like
        Of :func:`fit_weights`.

    Returns
    -------
    float
        :math:`\sqrt{\sum w_k^2}` for errors that are independent from shot to shot. [1]
    """
    return float(np.linalg.norm(np.asarray(weights, np.float64)))


def truncation_error_m(
    weights: ArrayLike, *, interval_s: float, horizon_s: float, degree: int, derivative: ArrayLike
) -> Array:
    r"""What a polynomial is off because the distance is not one: first term left out.

    Parameters
    ----------
    weights : array_like
        Of :func:`fit_weights` with the same arguments.
    interval_s, horizon_s
        As in :func:`shot_times_s`. [s]
    degree : int
        Of the polynomial.
    derivative : array_like
        Derivative of the distance of order ``degree + 1`` at the instant wanted. [m/s^(degree+1)]

    Returns
    -------
    ndarray
        :math:`\frac{L^{(d+1)}}{(d+1)!}\sum_k w_k t_k^{d+1}`, estimate less truth, the shape of ``derivative``. [m]
    """
    given = np.asarray(weights, np.float64)
    time = shot_times_s(shots=given.size, interval_s=interval_s, horizon_s=horizon_s)
    moment = float(given @ time ** (degree + 1)) / math.factorial(degree + 1)
    return np.asarray(np.asarray(derivative, np.float64) * moment)


def arrival_jitter_s(
    *,
    range_error_a_m: ArrayLike,
    range_error_b_m: ArrayLike,
    gain: ArrayLike = 1.0,
    clock_jitter_a_s: ArrayLike = 0.0,
    clock_jitter_b_s: ArrayLike = 0.0,
) -> Array:
    r"""Standard deviation of the difference of two arrival times.

    Parameters
    ----------
    range_error_a_m, range_error_b_m : array_like
        Standard deviations of a single one-way range: c/2 times that of the measured round trip. [m]
    gain : array_like
        Of :func:`noise_gain`, the same on both sides. [1]
    clock_jitter_a_s, clock_jitter_b_s : array_like
        Standard deviations of each station's time of sending, against a common time scale. [s]

    Returns
    -------
    ndarray
        :math:`\sqrt{g^2(\sigma_A^2 + \sigma_B^2)/c^2 + \kappa_A^2 + \kappa_B^2}`. [s]

    Raises
    ------
    InputError
        If a value is negative or not finite.

    Examples
    --------
    Ranges of 1 cm on both arms, in ps:

    >>> round(float(arrival_jitter_s(range_error_a_m=0.01, range_error_b_m=0.01)) * 1e12, 2)
    47.17
    """
    values = {
        "range_error_a_m": range_error_a_m,
        "range_error_b_m": range_error_b_m,
        "gain": gain,
        "clock_jitter_a_s": clock_jitter_a_s,
        "clock_jitter_b_s": clock_jitter_b_s,
    }
    arrays = {name: np.asarray(value, np.float64) for name, value in values.items()}
    for name, array in arrays.items():
        good = (array >= 0.0) & np.isfinite(array)
        if not bool(np.all(good)):
            raise InputError(f"{name} = {float(array[~good].flat[0])!r}: must be finite and at least 0")
    range_a, range_b, factor, clock_a, clock_b = arrays.values()
    ranging = factor * np.hypot(range_a, range_b) / SPEED_OF_LIGHT_M_S
    return np.asarray(np.hypot(ranging, np.hypot(clock_a, clock_b)))
