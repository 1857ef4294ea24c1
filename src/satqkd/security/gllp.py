"""Asymptotic decoy-state BB84 key rate: GLLP with vacuum + weak decoy estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.detection.weak_pulse import OVERLAP, decoy_gain, decoy_qber
from satqkd.errors import InputError
from satqkd.security.entropy import binary_entropy

__all__ = ["CITATIONS", "GllpRate", "evaluate", "key_rate", "single_photon_error", "single_photon_yield"]

CITATIONS = (
    "X. Ma, B. Qi, Y. Zhao, H.-K. Lo, Phys. Rev. A 72, 012326 (2005)",
    "D. Gottesman, H.-K. Lo, N. Lütkenhaus, J. Preskill, Quantum Inf. Comput. 4, 325 (2004)",
)


@dataclass(frozen=True, slots=True)
class GllpRate:
    """Key rate and everything it was made of; arrays have the shape of the transmittance.

    Attributes
    ----------
    gain, qber : ndarray
        Gain and error rate of the signal state. [1]
    y1, e1, q1 : ndarray
        Single photons: lower bound on the yield, upper bound on the error rate, gain in the signal state. [1]
    rate_raw : ndarray
        Eq. 4 as it stands: negative where there is no key. [bit per pulse]
    rate : ndarray
        ``max(rate_raw, 0)``. [bit per pulse]
    """

    gain: NDArray[np.float64]
    qber: NDArray[np.float64]
    y1: NDArray[np.float64]
    e1: NDArray[np.float64]
    q1: NDArray[np.float64]
    rate_raw: NDArray[np.float64]
    rate: NDArray[np.float64]


def single_photon_yield(
    transmittance: ArrayLike, *, mu: float, nu: float, y0: ArrayLike, channel: str = "standard"
) -> NDArray[np.float64]:
    r"""Lower bound on the single-photon yield from a signal, a weak decoy and a vacuum intensity.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance. [1]
    mu, nu : float
        Mean photon numbers of signal and weak decoy. [1]
    y0 : array_like
        Background yield, one number or one per transmittance, known exactly from the vacuum intensity in the
        asymptotic limit. [1]
    channel : {"standard", "full"}
        Channel model, see :func:`satqkd.detection.weak_pulse.decoy_gain`.

    Returns
    -------
    ndarray
        :math:`Y_1^L`; may be negative where the estimate fails. [1]

    Notes
    -----
    Vacuum + weak decoy estimate of Ma et al. [1]_:
    :math:`Y_1^L = \frac{\mu}{\mu\nu-\nu^2}\left[Q_\nu e^\nu - Q_\mu e^\mu\frac{\nu^2}{\mu^2}
    - \frac{\mu^2-\nu^2}{\mu^2}Y_0\right]`. With
    :math:`A(x) = Q_x e^x - Y_0 = e^{(1-\eta)x}(e^{\eta x}-1) + Y_0(e^{(1-\eta)x}-1)` the bracket is
    :math:`A(\nu) - A(\mu)\nu^2/\mu^2`: no cancellation at small transmittance. ``nu = 0`` is the limit of an
    infinitely weak decoy, where the bound meets the true yield (infinitely many decoys).

    References
    ----------
    .. [1] X. Ma et al., "Practical decoy state for quantum key distribution", Phys. Rev. A 72, 012326 (2005).
    """
    eta, empty = np.asarray(transmittance, float), np.asarray(y0, float)
    background = 1.0 - OVERLAP[channel] * eta
    if nu == 0.0:
        return np.asarray(eta + empty * background)

    def excess(x: float) -> NDArray[np.float64]:
        return np.asarray(np.exp((1.0 - eta) * x) * np.expm1(eta * x) + empty * np.expm1(background * x))

    return np.asarray(mu / (mu - nu) * (excess(nu) / nu - excess(mu) * nu / mu**2))


def single_photon_error(
    transmittance: ArrayLike, y1: ArrayLike, *, nu: float, y0: ArrayLike, misalignment: float, e0: float = 0.5
) -> NDArray[np.float64]:
    r"""Upper bound on the single-photon error rate from the weak decoy.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance. [1]
    y1 : array_like
        Lower bound on the single-photon yield. [1]
    nu, y0, misalignment, e0 : float
        Decoy intensity, background yield, alignment error, error of a background click. [1]

    Returns
    -------
    ndarray
        :math:`e_1^U = (E_\nu Q_\nu e^\nu - e_0 Y_0)/(Y_1^L\nu)` capped at 1/2 (no information); 1/2 where the
        yield bound is not positive. [1]

    Notes
    -----
    Vacuum + weak decoy estimate of Ma et al. [1]_, evaluated as
    :math:`[e_0Y_0(e^\nu-1) + e_d e^\nu(1-e^{-\eta\nu})]/(Y_1^L\nu)`; ``nu = 0`` is its limit.

    References
    ----------
    .. [1] X. Ma et al., "Practical decoy state for quantum key distribution", Phys. Rev. A 72, 012326 (2005).
    """
    eta, yield_1, empty = (np.asarray(value, float) for value in (transmittance, y1, y0))
    if nu == 0.0:
        errors = e0 * empty + misalignment * eta
    else:
        errors = (e0 * empty * np.expm1(nu) - misalignment * np.exp(nu) * np.expm1(-eta * nu)) / nu
    half = np.full(np.broadcast_shapes(errors.shape, yield_1.shape), 0.5)
    np.divide(errors, yield_1, out=half, where=yield_1 > 2.0 * errors)  # else at its cap
    return half


def evaluate(
    transmittance: ArrayLike,
    *,
    mu: float,
    nu: float,
    y0: ArrayLike,
    misalignment: float,
    f_ec: float,
    sifting: float,
    e0: float = 0.5,
    channel: str = "standard",
) -> GllpRate:
    r"""Asymptotic key rate with its intermediate quantities.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance, receiver and detector included, in [0, 1]. [1]
    mu, nu : float
        Mean photon numbers of signal and weak decoy, ``mu > nu >= 0``; the third intensity is the vacuum. [1]
    y0 : array_like
        Background click probability per pulse, one number or one per transmittance. [1]
    misalignment : float
        Error probability of a signal photon. [1]
    f_ec : float
        Error-correction inefficiency, at least 1. [1]
    sifting : float
        Fraction q of the detections that survive sifting (1/2 for symmetric BB84, near 1 when biased). [1]
    e0 : float
        Error probability of a background click. [1]
    channel : {"standard", "full"}
        Channel model, see :func:`satqkd.detection.weak_pulse.decoy_gain`.

    Returns
    -------
    GllpRate
        Rate per pulse sent, and its parts.

    Raises
    ------
    InputError
        If a value is outside its range.

    Notes
    -----
    :math:`R = q\{-f\,Q_\mu h(E_\mu) + Q_1[1-h(e_1)]\}` [1]_ [2]_, :math:`Q_1 = Y_1^L\mu e^{-\mu}`, gains and
    errors of the standard channel model. No statistical fluctuations. The error
    correction term takes :math:`h(\min(E_\mu, 1/2))`.

    References
    ----------
    .. [1] D. Gottesman et al., Quantum Inf. Comput. 4, 325 (2004).
    .. [2] X. Ma et al., "Practical decoy state for quantum key distribution", Phys. Rev. A 72, 012326 (2005).
    """
    eta, background = np.asarray(transmittance, float), np.asarray(y0, float)
    if eta.size and not bool(np.all((eta >= 0.0) & (eta <= 1.0))):
        bad = eta[~((eta >= 0.0) & (eta <= 1.0))].flat[0]
        raise InputError(f"transmittance contains {float(bad)!r}: must be between 0 and 1")
    if not (0.0 <= nu < mu < np.inf):
        raise InputError(f"mu = {mu!r}, nu = {nu!r}: must satisfy mu > nu >= 0")
    for name, value, low, high in (
        ("y0", float(background.min(initial=1.0)), 0.0, 1.0),
        ("y0", float(background.max(initial=0.0)), 0.0, 1.0),
        ("misalignment", misalignment, 0.0, 0.5),
        ("e0", e0, 0.0, 1.0),
        ("f_ec", f_ec, 1.0, np.inf),
        ("sifting", sifting, 0.0, 1.0),
    ):
        if not (low <= value <= high and value < np.inf):
            raise InputError(f"{name} = {value!r}: must be finite and between {low:g} and {high:g}")
    if channel not in OVERLAP:
        raise InputError(f"channel = {channel!r}: must be one of {', '.join(OVERLAP)}")
    gain = decoy_gain(eta, mu=mu, y0=y0, channel=channel)
    qber = decoy_qber(eta, mu=mu, y0=y0, misalignment=misalignment, e0=e0, channel=channel)
    y1 = single_photon_yield(eta, mu=mu, nu=nu, y0=y0, channel=channel)
    e1 = single_photon_error(eta, y1, nu=nu, y0=y0, misalignment=misalignment, e0=e0)
    q1 = np.maximum(y1, 0.0) * mu * np.exp(-mu)
    leak = f_ec * gain * binary_entropy(np.minimum(qber, 0.5))
    rate_raw = np.asarray(sifting * (q1 * (1.0 - binary_entropy(e1)) - leak))
    return GllpRate(gain, qber, y1, e1, q1, rate_raw, np.maximum(rate_raw, 0.0))


def key_rate(
    transmittance: ArrayLike,
    *,
    mu: float,
    nu: float,
    y0: ArrayLike,
    misalignment: float,
    f_ec: float,
    sifting: float,
    e0: float = 0.5,
    channel: str = "standard",
) -> NDArray[np.float64]:
    """Asymptotic secret bits per pulse sent; see :func:`evaluate` for parameters, equation and sources.

    Parameters
    ----------
    transmittance, mu, nu, y0, misalignment, f_ec, sifting, e0, channel
        As in :func:`evaluate`.

    Returns
    -------
    ndarray
        The shape of ``transmittance``; exactly 0, never negative, where no key can be had. [bit per pulse]

    Examples
    --------
    >>> key_rate([1e-3, 1e-7], mu=0.5, nu=0.08, y0=3e-6, misalignment=0.015, f_ec=1.16, sifting=0.5).round(8)
    array([9.116e-05, 0.000e+00])
    """
    return evaluate(
        transmittance,
        mu=mu,
        nu=nu,
        y0=y0,
        misalignment=misalignment,
        f_ec=f_ec,
        sifting=sifting,
        e0=e0,
        channel=channel,
    ).rate
