r"""Bell-state measurement of two weak coherent pulses: gains, errors and single-photon yields.

Two senders' pulses meet on a beam splitter, followed by two polarising beam splitters and four threshold
detectors; a success is exactly two clicks in orthogonal polarisations. All functions broadcast their arguments.
``detected`` is the mean number of photons that would be detected, :math:`\eta\mu`; misalignment flips a bit with
its probability; ``mode_overlap`` is the indistinguishability of the two pulses, see
:mod:`satqkd.detection.two_photon_interference`.

Every difference that is small where losses are high is written as a sum of positive terms, so gains keep all
their digits at any loss.

References
----------
.. [1] X. Ma, M. Razavi, "Alternative schemes for measurement-device-independent quantum key distribution",
   Phys. Rev. A 86, 062319 (2012), App. B.
.. [2] F. Xu, M. Curty, B. Qi, H.-K. Lo, "Practical aspects of measurement-device-independent quantum key
   distribution", New J. Phys. 15, 113007 (2013).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["BesselExcess", "bessel_excess", "single_photon_pair", "x_basis", "z_basis"]

Array = NDArray[np.float64]

TERMS = 45  # enough for full precision up to mean detected photon numbers of 20 on both sides
_FACTORIAL_SQUARED = [math.factorial(k) ** 2 for k in range(1, TERMS)]
_DOUBLE = np.array([0.0, *(1.0 / f for f in _FACTORIAL_SQUARED)])
_SINGLE = np.array([0.0, *(0.25**k / f for k, f in enumerate(_FACTORIAL_SQUARED, 1))])
_DIFFERENCE = np.array([0.0, 0.0, *((1.0 - 4.0 * 0.25**k) / f for k, f in enumerate(_FACTORIAL_SQUARED[1:], 2))])


class BesselExcess(NamedTuple):
    """Small differences of modified Bessel functions of order zero.

    Attributes
    ----------
    double : ndarray
        :math:`I_0(2x) - 1`. [1]
    single : ndarray
        :math:`I_0(x) - 1`. [1]
    difference : ndarray
        :math:`[I_0(2x) - 1] - 4[I_0(x) - 1]`, of order :math:`x^4`. [1]
    """

    double: Array
    single: Array
    difference: Array


def bessel_excess(detected_a: ArrayLike, detected_b: ArrayLike, *, mode_overlap: ArrayLike = 1.0) -> BesselExcess:
    r"""Phase-averaged interference terms of two pulses on a beam splitter.

    Parameters
    ----------
    detected_a, detected_b : array_like
        Mean detected photon numbers of the two pulses, at most 20. [1]
    mode_overlap : array_like
        Indistinguishability M of the two pulses in [0, 1]. [1]

    Returns
    -------
    BesselExcess
        For :math:`x = \tfrac12\sqrt{M\,\eta_a\mu_a\,\eta_b\mu_b}`, with the arguments' broadcast shape.

    Notes
    -----
    From the power series of :math:`I_0`, all of whose terms are positive: no cancellation at any loss.
    """
    square = 0.25 * np.asarray(mode_overlap, float) * np.asarray(detected_a, float) * np.asarray(detected_b, float)

    def series(coefficients: Array) -> Array:
        return np.asarray(np.polynomial.polynomial.polyval(square, coefficients), float)

    return BesselExcess(series(_DOUBLE), series(_SINGLE), series(_DIFFERENCE))


def z_basis(
    detected_a: ArrayLike,
    detected_b: ArrayLike,
    *,
    p_dark: ArrayLike,
    misalignment: ArrayLike,
    mode_overlap: ArrayLike = 1.0,
) -> tuple[Array, Array]:
    r"""Gain and error gain of the rectilinear basis.

    Parameters
    ----------
    detected_a, detected_b : array_like
        Mean detected photon numbers of the two pulses, at most 20. [1]
    p_dark : array_like
        Click probability of one detector without light, in [0, 1). [1]
    misalignment : array_like
        Probability that a bit is flipped, in [0, 1/2]. [1]
    mode_overlap : array_like
        Indistinguishability of the two pulses in [0, 1]. [1]

    Returns
    -------
    tuple of ndarray
        :math:`Q^Z = Q_C + Q_E` and :math:`E^Z Q^Z = e_d Q_C + (1 - e_d) Q_E` per pulse pair sent in the basis. [1]

    Notes
    -----
    With :math:`q = 1 - p_d` and :math:`\mu' = \eta_a\mu_a + \eta_b\mu_b` ([1]_, App. B),

    .. math:: Q_C = 2q^2 e^{-\mu'/2}(1 - q e^{-\eta_a\mu_a/2})(1 - q e^{-\eta_b\mu_b/2}), \quad
              Q_E = 2 p_d q^2 e^{-\mu'/2}[I_0(2x) - q e^{-\mu'/2}].

    References
    ----------
    .. [1] X. Ma, M. Razavi, Phys. Rev. A 86, 062319 (2012).

    Examples
    --------
    >>> gain, errors = z_basis(5e-3, 5e-3, p_dark=3e-6, misalignment=0.015)
    >>> round(float(gain), 11), round(float(errors / gain), 6)
    (1.246612e-05, 0.017321)
    """
    a, b = np.asarray(detected_a, float), np.asarray(detected_b, float)
    dark, flip = np.asarray(p_dark, float), np.asarray(misalignment, float)
    log_q = np.log1p(-dark)
    common = 2.0 * np.exp(2.0 * log_q - 0.5 * (a + b))
    opposite = common * np.expm1(log_q - 0.5 * a) * np.expm1(log_q - 0.5 * b)
    interference = bessel_excess(a, b, mode_overlap=mode_overlap).double
    alike = common * dark * (interference - np.expm1(log_q - 0.5 * (a + b)))
    return np.asarray(opposite + alike), np.asarray(flip * opposite + (1.0 - flip) * alike)


def x_basis(
    detected_a: ArrayLike,
    detected_b: ArrayLike,
    *,
    p_dark: ArrayLike,
    misalignment: ArrayLike,
    mode_overlap: ArrayLike = 1.0,
) -> tuple[Array, Array]:
    r"""Gain and error gain of the diagonal basis.

    Parameters
    ----------
    detected_a, detected_b, p_dark, misalignment, mode_overlap
        As in :func:`z_basis`.

    Returns
    -------
    tuple of ndarray
        :math:`Q^X` and :math:`E^X Q^X` per pulse pair sent in the basis. [1]

    Notes
    -----
    With :math:`y = (1 - p_d)e^{-\mu'/4}` ([1]_, App. B),

    .. math:: Q^X = 2y^2[1 + 2y^2 - 4y I_0(x) + I_0(2x)], \quad
              E^X Q^X = \tfrac12 Q^X - (1 - 2e_d) y^2 [I_0(2x) - 1],

    where the bracket of the gain is taken as
    :math:`2(1-y)^2 + 4(1-y)[I_0(x)-1] + \{[I_0(2x)-1] - 4[I_0(x)-1]\}`.

    References
    ----------
    .. [1] X. Ma, M. Razavi, Phys. Rev. A 86, 062319 (2012).

    Examples
    --------
    >>> gain, errors = x_basis(5e-3, 5e-3, p_dark=3e-6, misalignment=0.015)
    >>> round(float(gain), 11), round(float(errors / gain), 6)
    (2.490368e-05, 0.257777)
    """
    a, b = np.asarray(detected_a, float), np.asarray(detected_b, float)
    log_y = np.log1p(-np.asarray(p_dark, float)) - 0.25 * (a + b)
    excess = bessel_excess(a, b, mode_overlap=mode_overlap)
    y_square, rest = np.exp(2.0 * log_y), -np.expm1(log_y)
    gain = 2.0 * y_square * (2.0 * rest * rest + 4.0 * rest * excess.single + excess.difference)
    errors = 0.5 * gain - (1.0 - 2.0 * np.asarray(misalignment, float)) * y_square * excess.double
    return np.asarray(gain), np.asarray(np.maximum(errors, 0.0))  # below 0 by rounding only, without dark counts


def single_photon_pair(
    transmittance_a: ArrayLike,
    transmittance_b: ArrayLike,
    *,
    p_dark: ArrayLike,
    misalignment: ArrayLike,
    mode_overlap: ArrayLike = 1.0,
) -> tuple[Array, Array]:
    r"""Yield of a pair of single photons, and its error yield in the diagonal basis.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        Whole links' transmittances, receiver and detectors included, in [0, 1]. [1]
    p_dark, misalignment, mode_overlap
        As in :func:`z_basis`.

    Returns
    -------
    tuple of ndarray
        :math:`Y_{11}`, the same in both bases, and :math:`e_{11}^X Y_{11}`. [1]

    Notes
    -----
    For identical pulses ([1]_, App. B), evaluated as one sum of positive terms,

    .. math:: Y_{11} = q^2[\tfrac12\eta_a\eta_b + (2\eta_a + 2\eta_b - 3\eta_a\eta_b)p_d
                       + 4(1-\eta_a)(1-\eta_b)p_d^2], \quad
              e_{11}Y_{11} = \tfrac12 Y_{11} - (\tfrac12 - e_d) q^2 \tfrac12 M\eta_a\eta_b.

    With M < 1 two photons of the same polarisation leave by the same port with probability :math:`(1+M)/2`, and only
    then can a dark count make them a success: :math:`q^2\eta_a\eta_b p_d(1-M)/2` less yield. Coincidences of
    distinguishable photons have random results.

    References
    ----------
    .. [1] X. Ma, M. Razavi, Phys. Rev. A 86, 062319 (2012).

    Examples
    --------
    >>> pair, errors = single_photon_pair(0.01, 0.01, p_dark=3e-6, misalignment=0.015)
    >>> round(float(pair), 11), round(float(errors / pair), 6)
    (5.011883e-05, 0.016153)
    """
    a, b = np.asarray(transmittance_a, float), np.asarray(transmittance_b, float)
    dark, flip = np.asarray(p_dark, float), np.asarray(misalignment, float)
    overlap = np.asarray(mode_overlap, float)
    square = np.exp(2.0 * np.log1p(-dark))
    both = 0.5 * a * b
    one = (2.0 * a * (1.0 - b) + 2.0 * b * (1.0 - a) + 0.5 * (1.0 + overlap) * a * b) * dark + 4.0 * (1.0 - a) * (
        1.0 - b
    ) * dark**2
    wrong = flip * overlap + 0.5 * (1.0 - overlap)
    return np.asarray(square * (both + one)), np.asarray(square * (wrong * both + 0.5 * one))
