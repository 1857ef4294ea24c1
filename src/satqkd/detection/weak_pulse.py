"""Weak coherent pulses on threshold detectors: gains, errors and expected sifted counts.

Two models live here, one function per equation: the standard channel model of decoy-state theory (Ma et al.
2005: ``decoy_*``) and the detection model of satellite finite-key analysis (Sidhu et al. 2021:
:func:`detection_probability`, :func:`error_probability`, :func:`expected_counts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = [
    "OVERLAP",
    "SiftedCounts",
    "click_probability",
    "decoy_error_gain",
    "decoy_gain",
    "decoy_qber",
    "detection_probability",
    "error_probability",
    "expected_counts",
]


def click_probability(transmittance: ArrayLike, *, intensity: ArrayLike) -> NDArray[np.float64]:
    r"""Probability that at least one photon of a weak coherent pulse is detected.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance, receiver and detector included. [1]
    intensity : array_like
        Mean photon number of the pulse, broadcast against ``transmittance``. [1]

    Returns
    -------
    ndarray
        :math:`1 - e^{-\eta\mu}` in [0, 1]. [1]

    Notes
    -----
    Exact for tiny :math:`\eta\mu` (``expm1``).

    References
    ----------
    .. [1] X. Ma et al., "Practical decoy state for quantum key distribution", Phys. Rev. A 72, 012326 (2005).

    Examples
    --------
    >>> float(click_probability(1e-20, intensity=0.5))
    5e-21
    """
    return np.asarray(-np.expm1(-np.asarray(transmittance, float) * np.asarray(intensity, float)))


OVERLAP: Final[Mapping[str, float]] = MappingProxyType({"standard": 0.0, "full": 1.0})
"""Channel model -> share of the product of signal and background clicks that is subtracted, see :func:`decoy_gain`."""


def decoy_gain(
    transmittance: ArrayLike, *, mu: ArrayLike, y0: ArrayLike, channel: str = "standard"
) -> NDArray[np.float64]:
    r"""Probability that a pulse of mean photon number ``mu`` gives a click, background included.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance. [1]
    mu : array_like
        Mean photon number. [1]
    y0 : array_like
        Click probability of an empty pulse, broadcast (dark counts and background, both detectors together). [1]
    channel : {"standard", "full"}
        ``standard``: :math:`Q_\mu = Y_0 + 1 - e^{-\eta\mu}`, the channel model of Ma et al. [1]_, which the
        literature means by that name. ``full``: :math:`Q_\mu = 1 - (1-Y_0)e^{-\eta\mu}`.

    Returns
    -------
    ndarray
        :math:`Q_\mu`. [1]

    Notes
    -----
    With independent signal and background clicks the yields are :math:`Y_i = Y_0 + \eta_i - Y_0\eta_i`,
    :math:`\eta_i = 1-(1-\eta)^i`. The standard model drops the product; its gain is larger by
    :math:`Y_0(1-e^{-\eta\mu})`, a relative difference below :math:`Y_0`, so it needs :math:`Y_0 \ll 1`.
    Over a week of passes with :math:`Y_0 = 3\times10^{-6}` its asymptotic key is larger by 4.4e-6 of itself.

    References
    ----------
    .. [1] X. Ma et al., "Practical decoy state for quantum key distribution", Phys. Rev. A 72, 012326 (2005).
    """
    signal = click_probability(transmittance, intensity=mu)
    return np.asarray(signal + np.asarray(y0, float) * (1.0 - OVERLAP[channel] * signal))


def decoy_error_gain(
    transmittance: ArrayLike, *, mu: ArrayLike, y0: ArrayLike, misalignment: float, e0: float = 0.5
) -> NDArray[np.float64]:
    r"""Probability that a pulse gives a click that is an error.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance. [1]
    mu : array_like
        Mean photon number. [1]
    y0 : array_like
        Click probability of an empty pulse, broadcast. [1]
    misalignment : float
        Probability :math:`e_d` that a signal photon hits the wrong detector. [1]
    e0 : float
        Error probability of a background click. [1]

    Returns
    -------
    ndarray
        :math:`E_\mu Q_\mu = e_0 Y_0 + e_d (1-e^{-\eta\mu})`. [1]

    Notes
    -----
    Ma et al. [1]_: :math:`e_i Y_i = e_0 Y_0 + e_d\eta_i` averaged over the Poisson distribution. It is
    used with either gain of :func:`decoy_gain`; coincidences of background and signal are counted as errors of
    either kind, so the error is overstated by at most :math:`Y_0(1-e^{-\eta\mu})`.

    References
    ----------
    .. [1] X. Ma et al., "Practical decoy state for quantum key distribution", Phys. Rev. A 72, 012326 (2005).
    """
    return np.asarray(e0 * np.asarray(y0, float) + misalignment * click_probability(transmittance, intensity=mu))


def decoy_qber(
    transmittance: ArrayLike,
    *,
    mu: ArrayLike,
    y0: ArrayLike,
    misalignment: float,
    e0: float = 0.5,
    channel: str = "standard",
) -> NDArray[np.float64]:
    r"""Quantum bit error rate of the pulses with mean photon number ``mu``.

    Parameters
    ----------
    transmittance, mu, y0, misalignment, e0
        As in :func:`decoy_error_gain`.
    channel : {"standard", "full"}
        As in :func:`decoy_gain`.

    Returns
    -------
    ndarray
        :math:`E_\mu`, :func:`decoy_error_gain` over :func:`decoy_gain`; ``e0``, its limit for a channel without
        light, where there is no click at all. [1]

    References
    ----------
    .. [1] X. Ma et al., "Practical decoy state for quantum key distribution", Phys. Rev. A 72, 012326 (2005).
    """
    gain = decoy_gain(transmittance, mu=mu, y0=y0, channel=channel)
    errors = decoy_error_gain(transmittance, mu=mu, y0=y0, misalignment=misalignment, e0=e0)
    return np.divide(errors, gain, out=np.full_like(gain, e0), where=gain > 0.0)


def detection_probability(
    transmittance: ArrayLike, *, intensity: ArrayLike, p_extraneous: ArrayLike, p_afterpulse: float = 0.0
) -> NDArray[np.float64]:
    r"""Detection probability per pulse with extraneous counts and afterpulses.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance. [1]
    intensity : array_like
        Mean photon number. [1]
    p_extraneous : array_like
        Dark and background counts per pulse and detector. [1]
    p_afterpulse : float
        Probability that a click is followed by an afterpulse. [1]

    Returns
    -------
    ndarray
        :math:`D_k = (1+p_{ap})\,[1-(1-2p_{ec})e^{-\mu_k\eta}]`. [1]

    Notes
    -----
    Sidhu et al. [1]_ as implemented in the authors' code; the factor 2 counts both detectors of a basis.

    References
    ----------
    .. [1] J. S. Sidhu et al., "Finite key effects in satellite quantum key distribution",
       npj Quantum Inf. 8, 18 (2022).
    """
    click = click_probability(transmittance, intensity=intensity)
    return np.asarray((1.0 + p_afterpulse) * (click + 2.0 * np.asarray(p_extraneous, float) * (1.0 - click)))


def error_probability(
    transmittance: ArrayLike,
    *,
    intensity: ArrayLike,
    p_extraneous: ArrayLike,
    qber_intrinsic: ArrayLike,
    p_afterpulse: float = 0.0,
) -> NDArray[np.float64]:
    r"""Error probability per pulse with extraneous counts, afterpulses and intrinsic errors.

    Parameters
    ----------
    transmittance, intensity, p_extraneous
        As in :func:`detection_probability`.
    qber_intrinsic : array_like
        Error rate of signal photons: source, alignment and measurement. [1]
    p_afterpulse : float
        Probability that a click is followed by an afterpulse. [1]

    Returns
    -------
    ndarray
        :math:`e_k = p_{ec} + p_{ap}D_k/2 + \mathrm{QBER}_I (1-e^{-\mu_k\eta})`. [1]

    References
    ----------
    .. [1] J. S. Sidhu et al., "Finite key effects in satellite quantum key distribution",
       npj Quantum Inf. 8, 18 (2022).
    """
    click = click_probability(transmittance, intensity=intensity)
    extraneous = np.asarray(p_extraneous, float)
    detection = (1.0 + p_afterpulse) * (click + 2.0 * extraneous * (1.0 - click))
    return np.asarray(extraneous + 0.5 * p_afterpulse * detection + np.asarray(qber_intrinsic, float) * click)


@dataclass(frozen=True, slots=True)
class SiftedCounts:
    """Sifted detections and errors per intensity, in the order of the intensities.

    Attributes
    ----------
    n_key, n_test : tuple of float
        Detections where both parties chose the key basis, the test basis. Expected counts need not be integers.
    m_key, m_test : tuple of float
        Errors among them.
    """

    n_key: tuple[float, ...]
    n_test: tuple[float, ...]
    m_key: tuple[float, ...]
    m_test: tuple[float, ...]

    def scaled(self, factor: float) -> SiftedCounts:
        """Counts of ``factor`` times as many pulses at the same rates."""
        return SiftedCounts(
            *(tuple(factor * x for x in row) for row in (self.n_key, self.n_test, self.m_key, self.m_test))
        )


def expected_counts(
    transmittance: ArrayLike,
    *,
    pulses_per_slot: ArrayLike,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_key_basis: float,
    p_extraneous: ArrayLike,
    qber_intrinsic: ArrayLike,
    p_afterpulse: float = 0.0,
    passes: int = 1,
) -> SiftedCounts:
    r"""Expected sifted counts of a pass, per intensity and basis.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance in every time slot. [1]
    pulses_per_slot : array_like
        Pulses sent in a slot, one number or one per slot. [1]
    intensities, intensity_probabilities : sequence of float
        Mean photon numbers and how often each is sent. [1]
    p_key_basis : float
        Probability of the key basis, the same for both parties. [1]
    p_extraneous, qber_intrinsic : array_like
        As in :func:`error_probability`; one number or one per slot. [1]
    p_afterpulse : float
        Afterpulse probability. [1]
    passes : int
        Identical passes whose counts are added. [1]

    Returns
    -------
    SiftedCounts
        Totals over slots and passes, not rounded.

    Raises
    ------
    InputError
        If a value is outside its range, or the model gives more than one detection per pulse.

    Notes
    -----
    :math:`n_{X,k} = N p_X^2 p_k \sum_t D_{k,t}`, :math:`m_{X,k} = N p_X^2 p_k \sum_t e_{k,t}`; the test basis has
    :math:`(1-p_X)^2`. The authors' code [1]_ splits the errors of a slot in the test basis among the
    intensities in proportion to their detections, and so does this function:
    :math:`m_{Z,k,t} = n_{Z,k,t}\,(\sum_j p_j e_{j,t})/(\sum_j p_j D_{j,t})`.

    References
    ----------
    .. [1] J. S. Sidhu et al., "Finite key effects in satellite quantum key distribution",
       npj Quantum Inf. 8, 18 (2022).
    """
    eta = np.atleast_1d(np.asarray(transmittance, float)).ravel()
    n_slots = eta.size
    _require_range("transmittance", eta, 0.0, 1.0)
    pulses = _per_slot("pulses_per_slot", pulses_per_slot, n_slots)
    _require_range("pulses_per_slot", pulses, 0.0, np.inf)
    extraneous = _per_slot("p_extraneous", p_extraneous, n_slots)
    _require_range("p_extraneous", extraneous, 0.0, 0.5)
    intrinsic = _per_slot("qber_intrinsic", qber_intrinsic, n_slots)
    _require_range("qber_intrinsic", intrinsic, 0.0, 0.5)
    if not 0.0 <= p_afterpulse < 1.0:
        raise InputError(f"p_afterpulse = {p_afterpulse!r}: must be at least 0 and below 1")
    if not 0.0 < p_key_basis < 1.0:
        raise InputError(f"p_key_basis = {p_key_basis!r}: must be strictly between 0 and 1")
    if isinstance(passes, bool) or not (passes >= 1 and float(passes).is_integer()):
        raise InputError(f"passes = {passes!r}: must be a whole number of at least 1")
    mu = np.asarray(intensities, float)[:, np.newaxis]
    probability = np.asarray(intensity_probabilities, float)

    click = np.expm1(-mu * eta)  # (intensity, slot); both equations from one exponential
    np.negative(click, out=click)
    detection = click * ((1.0 + p_afterpulse) * (1.0 - 2.0 * extraneous))
    detection += 2.0 * (1.0 + p_afterpulse) * extraneous
    if n_slots and float(detection.max()) > 1.0:
        raise InputError(
            f"the detection model gives {float(detection.max()):.6g} detections per pulse: "
            "p_afterpulse, p_extraneous, transmittance and intensities must keep it at 1 or less"
        )
    error = click * intrinsic
    error += extraneous
    error += 0.5 * p_afterpulse * detection

    weight = np.full(n_slots, pulses * float(passes))
    mean_detection = probability @ detection
    ratio = np.zeros(n_slots)
    np.divide(probability @ error, mean_detection, out=ratio, where=mean_detection > 0.0)
    detections = probability * (detection @ weight)
    errors = probability * (error @ weight)
    split_errors = probability * (detection @ (weight * ratio))
    key, test = p_key_basis**2, (1.0 - p_key_basis) ** 2
    return SiftedCounts(
        n_key=tuple((key * detections).tolist()),
        n_test=tuple((test * detections).tolist()),
        m_key=tuple((key * errors).tolist()),
        m_test=tuple((test * split_errors).tolist()),
    )


def _per_slot(name: str, value: ArrayLike, n_slots: int) -> NDArray[np.float64]:
    array = np.asarray(value, float)
    if array.ndim and array.size not in (1, n_slots):
        raise InputError(f"{name} has {array.size} values: must be one number or one per slot ({n_slots})")
    return array.ravel() if array.ndim else array


def _require_range(name: str, array: NDArray[np.float64], low: float, high: float) -> None:
    if array.size == 0:
        return
    smallest = largest = float(array.flat[0])
    if array.size > 1:
        smallest, largest = float(array.min()), float(array.max())
    if not (low <= smallest and largest <= high and largest < np.inf):
        bad = largest if smallest >= low else smallest
        allowed = f"between {low:g} and {high:g}" if high < np.inf else f"finite and at least {low:g}"
        raise InputError(f"{name} contains {bad!r}: must be {allowed}")
