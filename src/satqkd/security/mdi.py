r"""Measurement-device-independent QKD with weak coherent pulses: key rates and keys.

Two senders with unequal links and unequal intensities, an untrusted station that measures in the Bell basis, and
decoy states of unlimited number, of three intensities, or of three intensities by linear programming
(:data:`DECOYS`). The clicks are those of :mod:`satqkd.detection.bell_measurement`. :func:`key_rate` is a limit of
infinitely many pulses, no statement about a key from a finite pass; :func:`key_length` is for a block of pulses
and :func:`key_length_from_counts` for what an experiment counted.

References
----------
.. [1] H.-K. Lo, M. Curty, B. Qi, Phys. Rev. Lett. 108, 130503 (2012).
.. [2] F. Xu, H. Xu, H.-K. Lo, "Protocol choice and parameter optimization in decoy-state
   measurement-device-independent quantum key distribution", Phys. Rev. A 89, 052333 (2014).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.detection.bell_measurement import single_photon_pair, x_basis, z_basis
from satqkd.errors import InputError
from satqkd.security._mdi_checks import check_intensities, in_range
from satqkd.security._mdi_decoy import analytic_yield, paired_x, paired_z, program
from satqkd.security._mdi_finite import key_length, key_length_from_counts
from satqkd.security.entropy import binary_entropy

__all__ = [
    "DECOYS",
    "MdiLink",
    "MdiRate",
    "infinite",
    "key_length",
    "key_length_from_counts",
    "key_rate",
    "linear_program",
    "three_intensity",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MdiRate:
    """Key rate and everything it was made of; arrays have the broadcast shape of the transmittances.

    Attributes
    ----------
    rate : ndarray
        ``max(rate_raw, 0)``, per pulse pair of signal intensities in the Z basis. [bit per pulse pair]
    gain_z, qber_z : ndarray
        Gain and error rate of the signal pair in the key basis; the error rate is 1/2 where nothing clicks. [1]
    gain_x, qber_x : ndarray
        The same in the test basis. [1]
    yield_11, error_11_x : ndarray
        Single-photon pairs, as they enter the rate: the yield in the key basis and the error rate in the test basis;
        exact with infinite decoys, else a lower bound (0 if none) and an upper bound (1/2 if none). [1]
    rate_raw : ndarray
        The rate's equation as it stands: negative where there is no key. [bit per pulse pair]
    """

    rate: Array
    gain_z: Array
    qber_z: Array
    gain_x: Array
    qber_x: Array
    yield_11: Array
    error_11_x: Array
    rate_raw: Array


@dataclass(frozen=True, slots=True)
class MdiLink:
    """Two checked links of one broadcast shape, as the decoy methods take them.

    Attributes
    ----------
    transmittance_a, transmittance_b : ndarray
        Whole links' transmittances. [1]
    intensities_a, intensities_b : tuple of ndarray
        Signal intensity and, if there are decoys, the weak one. [1]
    p_dark, misalignment, mode_overlap : float
        As in :func:`key_rate`. [1]
    """

    transmittance_a: Array
    transmittance_b: Array
    intensities_a: tuple[Array, ...]
    intensities_b: tuple[Array, ...]
    p_dark: float
    misalignment: float
    mode_overlap: float

    def paired_gains(self, level_a: int, level_b: int) -> tuple[Array, Array, Array]:
        """Gains without their vacuum parts, times exp(mu_a + mu_b): Z, X and errors of X.

        Parameters
        ----------
        level_a, level_b : int
            0 for the signal, 1 for the weak decoy.

        Returns
        -------
        tuple of ndarray
            Sums over i, j >= 1 of mu_a^i mu_b^j / (i! j!) times yield or error yield. [1]
        """
        pair = self.intensities_a[level_a], self.intensities_b[level_b]
        eta = self.transmittance_a, self.transmittance_b
        z = paired_z(*pair, *eta, self.p_dark, self.mode_overlap)
        return z, *paired_x(*pair, *eta, self.p_dark, self.misalignment, self.mode_overlap)


def _ratio(part: Array, whole: Array) -> Array:
    """The rate part / whole, at most 1/2 and 1/2 where there is nothing to divide by."""
    rate = np.full(np.broadcast_shapes(part.shape, whole.shape), 0.5)
    np.divide(part, whole, out=rate, where=whole > 2.0 * part)
    return rate


def infinite(link: MdiLink) -> tuple[Array, Array]:
    """Yield and X-basis error of single-photon pairs, known exactly from unlimited decoy intensities.

    Parameters
    ----------
    link : MdiLink
        Both links.

    Returns
    -------
    tuple of ndarray
        Yield and error rate. [1]

    References
    ----------
    .. [1] X. Ma, M. Razavi, Phys. Rev. A 86, 062319 (2012).
    """
    pair, errors = single_photon_pair(
        link.transmittance_a,
        link.transmittance_b,
        p_dark=link.p_dark,
        misalignment=link.misalignment,
        mode_overlap=link.mode_overlap,
    )
    return pair, _ratio(errors, pair)


def three_intensity(link: MdiLink) -> tuple[Array, Array]:
    r"""Analytic bounds from signal, weak decoy and vacuum, each basis on its own.

    Parameters
    ----------
    link : MdiLink
        Both links, with two intensities above the vacuum.

    Returns
    -------
    tuple of ndarray
        Lower bound on the yield in Z (0 if none), upper bound on the error rate in X (1/2 if none). [1]

    Notes
    -----
    With paired gains :math:`M`, and :math:`\mu_a/\nu_a \le \mu_b/\nu_b` (else the sides change places) [1]_,

    .. math:: Y_{11}^L = \frac{\mu_a^2\mu_b M_{\nu\nu} - \nu_a^2\nu_b M_{\mu\mu}}{\mu_a\mu_b\nu_a\nu_b(\mu_a-\nu_a)},
              \quad e_{11}^U = \frac{M^{EX}_{\nu\nu}}{\nu_a\nu_b Y_{11}^{X,L}}.

    The yield that divides the errors is estimated from X, as in [1]_.

    References
    ----------
    .. [1] F. Xu, H. Xu, H.-K. Lo, Phys. Rev. A 89, 052333 (2014), App. A.
    """
    (strong_z, strong_x, _), (weak_z, weak_x, weak_errors) = link.paired_gains(0, 0), link.paired_gains(1, 1)
    (mu_a, nu_a), (mu_b, nu_b) = link.intensities_a, link.intensities_b
    pair_z = analytic_yield(mu_a, mu_b, nu_a, nu_b, strong_z, weak_z)
    pair_x = analytic_yield(mu_a, mu_b, nu_a, nu_b, strong_x, weak_x)
    return np.asarray(np.maximum(pair_z, 0.0)), _ratio(weak_errors / (nu_a * nu_b), np.maximum(pair_x, 0.0))


def linear_program(link: MdiLink) -> tuple[Array, Array]:
    r"""Bounds by linear programming over all photon numbers, with the gains of all pairs of intensities.

    Parameters
    ----------
    link : MdiLink
        Both links, with two intensities above the vacuum.

    Returns
    -------
    tuple of ndarray
        Lower bound on the yield (0 if none), upper bound on the error rate in X (1/2 if none). [1]

    Notes
    -----
    The vacuum's gains fix the sums that have a vacuum in them and leave four equations for the rest, in both bases
    and for the errors: :math:`M_{kl} = \sum_{i,j\ge1} \mu_{a,k}^i\mu_{b,l}^j Y_{ij}/(i!j!)`, yields in [0, 1].
    Bounds are dual values, valid whatever the solver did, and never below :func:`three_intensity`, whose two
    equations are among the four. A pair of single photons is in the same mixed state in both bases, so the
    better of the two yields serves both uses. At 20 dB on both sides, intensities 0.5 and 0.1, the error bound falls
    from 0.106 to 0.083 and the rate is 3.6 times as high (p_d = 3e-6, e_d = 0.015).
    """
    (mu_a, nu_a), (mu_b, nu_b) = link.intensities_a, link.intensities_b
    gains = np.array([link.paired_gains(k, m) for k in (0, 1) for m in (0, 1)])  # (setting, kind, ...)
    analytic = [analytic_yield(mu_a, mu_b, nu_a, nu_b, gains[0, kind], gains[3, kind]) for kind in (0, 1)]
    pair, errors = np.array(np.maximum(np.maximum(*analytic), 0.0)), np.array(gains[3, 2] / (nu_a * nu_b))
    for at in np.ndindex(pair.shape):
        levels = ((float(mu_a[at]), float(nu_a[at])), (float(mu_b[at]), float(nu_b[at])))
        z, x, wrong = (gains[(slice(None), kind, *at)] for kind in range(3))
        pair[at] = max(pair[at], program(*levels, z, largest=False), program(*levels, x, largest=False))
        errors[at] = min(errors[at], program(*levels, wrong, largest=True))
    return pair, _ratio(errors, pair)


DECOYS: Mapping[str, Callable[[MdiLink], tuple[Array, Array]]] = MappingProxyType(
    {"infinite": infinite, "three-intensity": three_intensity, "linear-program": linear_program}
)
"""Decoy-state method by name: from links to yield and X-basis error rate of single-photon pairs."""


def key_rate(
    transmittance_a: ArrayLike,
    transmittance_b: ArrayLike,
    *,
    intensities_a: Sequence[ArrayLike],
    intensities_b: Sequence[ArrayLike],
    p_dark: float,
    misalignment: float,
    f_ec: float = 1.16,
    decoy: str = "infinite",
    mode_overlap: float = 1.0,
) -> MdiRate:
    r"""Asymptotic secret bits per pulse pair.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        Whole links' transmittances, receiver and detectors included, in [0, 1]; broadcast against each other. [1]
    intensities_a, intensities_b : sequence
        Mean photon numbers ``(mu,)`` or ``(mu, nu, 0.0)`` of each sender, descending, at most 10; a value may be an
        array that broadcasts against the transmittances. [1]
    p_dark : float
        Click probability of one detector without light, in [0, 0.5]. [1]
    misalignment : float
        Probability that a bit is flipped, in [0, 0.5]. [1]
    f_ec : float
        Error-correction inefficiency, from 1 to 10. [1]
    decoy : {"infinite", "three-intensity", "linear-program"}
        Method of :data:`DECOYS`.
    mode_overlap : float
        Indistinguishability of the pulses in [0, 1], see :mod:`satqkd.detection.two_photon_interference`. [1]

    Returns
    -------
    MdiRate
        Rate of the pair (mu, mu) without factors for the choice of basis or intensity, and its parts.

    Raises
    ------
    InputError
        If a value is outside its range, or intensities are not in order.

    Notes
    -----
    :math:`R = \mu_a\mu_b e^{-\mu_a-\mu_b} Y_{11}^Z[1 - h(e_{11}^X)] - f\,Q^Z h(E^Z)` [1]_, with
    :math:`h(\min(E^Z, 1/2))`. No statistical fluctuations.

    References
    ----------
    .. [1] H.-K. Lo, M. Curty, B. Qi, Phys. Rev. Lett. 108, 130503 (2012).

    Examples
    --------
    >>> link = dict(intensities_a=(0.5, 0.1, 0.0), intensities_b=(0.5, 0.1, 0.0), p_dark=3e-6, misalignment=0.015)
    >>> key_rate([1e-2, 1e-5], 1e-2, **link).rate.round(12)
    array([2.235886e-06, 0.000000e+00])
    >>> float(key_rate(1e-2, 1e-2, **link, decoy="three-intensity").rate.round(12))
    1.87358e-07
    """
    if decoy not in DECOYS:
        raise InputError(f"decoy = {decoy!r}: must be one of {', '.join(DECOYS)}")
    eta = [
        in_range(name, value, 0.0, 1.0)
        for name, value in (("transmittance_a", transmittance_a), ("transmittance_b", transmittance_b))
    ]
    in_range("p_dark", p_dark, 0.0, 0.5)
    in_range("misalignment", misalignment, 0.0, 0.5)
    in_range("mode_overlap", mode_overlap, 0.0, 1.0)
    in_range("f_ec", f_ec, 1.0, 10.0)
    levels_a = check_intensities("intensities_a", intensities_a, decoy)
    levels_b = check_intensities("intensities_b", intensities_b, decoy)
    eta_a, eta_b, *levels = np.broadcast_arrays(*eta, *levels_a, *levels_b)
    levels_a, levels_b = tuple(levels[: len(levels_a)]), tuple(levels[len(levels_a) :])
    yield_11, error_11_x = DECOYS[decoy](MdiLink(eta_a, eta_b, levels_a, levels_b, p_dark, misalignment, mode_overlap))
    mu_a, mu_b = levels_a[0], levels_b[0]
    receiver = {"p_dark": p_dark, "misalignment": misalignment, "mode_overlap": mode_overlap}
    gain_z, errors_z = z_basis(eta_a * mu_a, eta_b * mu_b, **receiver)
    gain_x, errors_x = x_basis(eta_a * mu_a, eta_b * mu_b, **receiver)
    qber_z, qber_x = _ratio(errors_z, gain_z), _ratio(errors_x, gain_x)
    privacy = mu_a * mu_b * np.exp(-mu_a - mu_b) * yield_11 * (1.0 - binary_entropy(error_11_x))
    rate_raw = np.asarray(privacy - f_ec * gain_z * binary_entropy(qber_z))
    return MdiRate(
        np.asarray(np.maximum(rate_raw, 0.0)),
        gain_z,
        qber_z,
        gain_x,
        qber_x,
        np.asarray(yield_11),
        error_11_x,
        rate_raw,
    )
