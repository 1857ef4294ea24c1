"""Expected counts of BB84 receivers with threshold detectors: active, asymmetric passive, symmetric passive.

The key basis is Z, the test basis X. Models of Mannalath, Zapatero and Curty, arXiv:2605.29706, App. B, D and E.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError

__all__ = ["NOISE", "RECEIVERS", "ReceiverCounts", "arm_noise", "expected_counts", "per_detector", "received_light"]

RECEIVERS: Mapping[str, int] = MappingProxyType({"active": 0, "asymmetric-passive": 1, "symmetric-passive": 2})
"""Receiver by name, and its number in the compiled code."""


@dataclass(frozen=True, slots=True)
class ReceiverCounts(SiftedCounts):
    """Sifted counts of a block with the multi-clicks a passive receiver reports.

    Attributes
    ----------
    n_key, n_test, m_key, m_test : tuple of float
        As in :class:`~satqkd.detection.weak_pulse.SiftedCounts`. Symmetric passive: the undisclosed detections of one
        basis are the key, the disclosed ones of the other the test.
    multi_clicks : float
        Pulses in which two or more of the four detectors clicked, whatever Alice's basis. [1]
    """

    multi_clicks: float = 0.0

    def scaled(self, factor: float) -> ReceiverCounts:
        """Counts of ``factor`` times as many pulses at the same rates."""
        n_key, n_test, m_key, m_test = (
            tuple(factor * x for x in row) for row in (self.n_key, self.n_test, self.m_key, self.m_test)
        )
        return ReceiverCounts(n_key, n_test, m_key, m_test, multi_clicks=factor * self.multi_clicks)


def received_light(p_noise: float, p_dark: float, share_z: float, share_x: float) -> tuple[float, float]:
    r"""Noise of the detectors when ``p_noise`` fixes the background light that enters the receiver.

    Parameters
    ----------
    p_noise : float
        Noise-click probability of a detector that gets half of the received light. [1]
    p_dark : float
        Its part that is dark counts, which no beam splitter divides. [1]
    share_z, share_x : float
        Fractions of the received light in the two arms. [1]

    Returns
    -------
    tuple of float
        :math:`p^{Z,X} = 1-(1-p_d)\,[(1-p_{noise})/(1-p_d)]^{share}`. [1]

    Raises
    ------
    InputError
        If ``p_noise`` is less than ``p_dark``.

    References
    ----------
    .. [1] arXiv:2605.29706, Eq. 43 (light from noise), Eqs. 89 and 90 (noise of each arm).
    """
    if share_z == share_x == 1.0:
        return p_noise, p_noise
    if p_noise < p_dark:
        raise InputError(
            f"p_noise = {p_noise!r}: includes dark counts, must be at least p_dark = {p_dark!r} with "
            "noise='received-light' (or give p_noise_z and p_noise_x)"
        )
    dark = math.log1p(-p_dark)
    background = math.log1p(-p_noise) - dark
    return -math.expm1(dark + share_z * background), -math.expm1(dark + share_x * background)


def per_detector(p_noise: float, p_dark: float, share_z: float, share_x: float) -> tuple[float, float]:
    """Noise of the detectors when each of them has ``p_noise``, whatever light it gets.

    Parameters
    ----------
    p_noise : float
        Noise-click probability of every detector. [1]
    p_dark, share_z, share_x : float
        Not used.

    Returns
    -------
    tuple of float
        ``(p_noise, p_noise)``. [1]
    """
    del p_dark, share_z, share_x
    return p_noise, p_noise


NOISE: Mapping[str, Callable[[float, float, float, float], tuple[float, float]]] = MappingProxyType(
    {"received-light": received_light, "per-detector": per_detector}
)
"""Meaning of ``p_noise`` by name."""


def arm_noise(
    receiver: str,
    *,
    noise: str = "received-light",
    p_noise: float | None = None,
    p_noise_z: float | None = None,
    p_noise_x: float | None = None,
    split: float = 0.5,
    p_dark: float = 1e-10,
) -> tuple[float, float]:
    """Noise-click probabilities of one detector in the Z arm and one in the X arm.

    Parameters
    ----------
    receiver : {"active", "asymmetric-passive", "symmetric-passive"}
        Receiver; an active one has the same two detectors in both bases.
    noise : {"received-light", "per-detector"}
        What ``p_noise`` means, :data:`NOISE`.
    p_noise : float, optional
        Noise-click probability per gate; not needed if both of the next two are given. [1]
    p_noise_z, p_noise_x : float, optional
        Explicit values; each overrides the model. [1]
    split : float
        Fraction of the light in the X arm of a passive receiver. [1]
    p_dark : float
        Dark-count probability per gate. [1]

    Returns
    -------
    tuple of float
        Values for Z and X. [1]

    Raises
    ------
    InputError
        If a value is missing or outside [0, 1), or the model is unknown.
    """
    if noise not in NOISE:
        raise InputError(f"noise = {noise!r}: must be one of {', '.join(NOISE)}")
    for name, value in (("p_noise", p_noise), ("p_noise_z", p_noise_z), ("p_noise_x", p_noise_x), ("p_dark", p_dark)):
        if value is not None and not 0.0 <= value < 1.0:
            raise InputError(f"{name} = {value!r}: must be at least 0 and below 1")
    if p_noise_z is not None and p_noise_x is not None:
        return p_noise_z, p_noise_x
    if p_noise is None:
        raise InputError("p_noise: missing; give p_noise, or both p_noise_z and p_noise_x")
    shares = (1.0, 1.0) if receiver == "active" else (1.0 - split, split)
    found_z, found_x = NOISE[noise](p_noise, p_dark, *shares)
    return (found_z if p_noise_z is None else p_noise_z), (found_x if p_noise_x is None else p_noise_x)


def expected_counts(
    transmittance: ArrayLike,
    *,
    receiver: str,
    pulses: float,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_test_basis: float,
    noise_z: float,
    noise_x: float,
    misalignment: float,
    p_afterpulse: float = 0.0,
    split: float = 0.5,
    disclosure: float = 0.5,
    multi_click: str = "published",
) -> ReceiverCounts:
    r"""Expected counts of a block, per intensity and basis.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance, one number, or one per slot of equally many pulses. [1]
    receiver : {"active", "asymmetric-passive", "symmetric-passive"}
        Active: two detectors behind a basis switch, double clicks become random bits. Asymmetric passive: four
        detectors, exactly one click counts. Symmetric passive: double clicks of one arm count as random bits.
    pulses : float
        Pulses sent, in all slots together. [1]
    intensities, intensity_probabilities : sequence of float
        Three mean photon numbers, and how often each is sent. [1]
    p_test_basis : float
        Probability of X at the sender, and at an active receiver. [1]
    noise_z, noise_x : float
        Noise-click probability of each detector in the two arms, see :func:`arm_noise`. [1]
    misalignment : float
        Fraction of the light that goes to the wrong detector. [1]
    p_afterpulse : float
        Probability that a click is followed by an afterpulse. [1]
    split : float
        Fraction of the light in the X arm of a passive receiver; 0.5 for the symmetric one. [1]
    disclosure : float
        Fraction of the detections disclosed for the test (symmetric passive). [1]
    multi_click : {"published", "matched"}
        ``published``: Eq. 106, both arms as if matched to Alice's basis. ``matched``: the arm of the other basis
        splits its light evenly, which gives up to 25 % more multi-clicks.

    Returns
    -------
    ReceiverCounts
        Not rounded. No validation beyond the receiver's name: see :mod:`satqkd.security.variable_length`.

    Raises
    ------
    InputError
        If the receiver or ``multi_click`` is unknown.

    Notes
    -----
    Eqs. 44-50 (active), 91-108 (asymmetric) and 109-112 (symmetric passive) of [1]_. Small probabilities are built
    from ``expm1`` and sums of positive terms: 1 minus the other outcomes would lose all digits at 60 dB.

    References
    ----------
    .. [1] arXiv:2605.29706, App. B, D, E.
    """
    from satqkd.detection import _click_kernels

    if receiver not in RECEIVERS:
        raise InputError(f"receiver = {receiver!r}: must be one of {', '.join(RECEIVERS)}")
    if multi_click not in ("published", "matched"):
        raise InputError(f"multi_click = {multi_click!r}: must be published or matched")
    protocol = (p_test_basis, split, disclosure, float(multi_click == "matched"))
    setting = np.array((RECEIVERS[receiver], pulses, noise_z, noise_x, misalignment, p_afterpulse, *protocol))
    counts: NDArray[np.float64] = np.empty((4, 3))
    multi = _click_kernels.fill_counts(
        setting,
        np.atleast_1d(np.asarray(transmittance, float)).ravel(),
        np.asarray(intensities, float),
        np.asarray(intensity_probabilities, float),
        counts,
    )
    n_key, n_test, m_test, m_key = (tuple(row) for row in counts.tolist())
    return ReceiverCounts(n_key, n_test, m_key, m_test, multi_clicks=float(multi))
