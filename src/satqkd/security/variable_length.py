"""Variable-length decoy-state BB84 with exact finite statistics and linear programs, for three receivers.

The key basis is Z, the test basis X. :func:`key_length` predicts from a transmittance, :func:`key_length_from_counts`
takes counts; both return a :class:`~satqkd.security.result.KeyLength`. :func:`objective` is the bare number for
optimisers. The analysis is that of Mannalath, Zapatero and Curty, App. A to G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from satqkd.detection.receivers import RECEIVERS, ReceiverCounts, arm_noise, expected_counts
from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import _variable_length as arithmetic
from satqkd.security._variable_length import analyse, check, check_counts
from satqkd.security._variable_length_result import CITATIONS, pack
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.result import KeyLength

__all__ = ["CITATIONS", "key_length", "key_length_from_counts", "objective"]


def key_length(
    *,
    receiver: str = "active",
    pulses: float,
    transmittance: ArrayLike,
    noise: str = "received-light",
    p_noise: float | None = None,
    p_noise_z: float | None = None,
    p_noise_x: float | None = None,
    misalignment: float,
    p_afterpulse: float = 0.0,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_test_basis: float,
    split: float | None = None,
    disclosure: float | None = None,
    p_dark: float = 1e-10,
    detector_efficiency: float = 0.95,
    f_ec: float = 1.16,
    eps_total: float = 1e-8,
    photon_cut: int = 20,
    program: str = "reduced",
    counts: str = "expected",
    convention: str = "composable",
    multi_click: str = "published",
) -> KeyLength:
    r"""Secret key from the expected counts of a block.

    Parameters
    ----------
    receiver : {"active", "asymmetric-passive", "symmetric-passive"}
        Bob's receiver, see :func:`satqkd.detection.receivers.expected_counts`.
    pulses : float
        Pulses N sent, from 1 to 1e15. [1]
    transmittance : array_like
        Whole system's transmittance, receiver and detector included: one number, or one per slot of equally many
        pulses. [1]
    noise : {"received-light", "per-detector"}
        Meaning of ``p_noise``: ``received-light`` fixes the background light, which a passive receiver splits
        between its arms; ``per-detector`` gives it to every detector.
    p_noise : float, optional
        Noise-click probability of a detector per gate. [1]
    p_noise_z, p_noise_x : float, optional
        Explicit values for the detectors of each arm; they override the model. [1]
    misalignment : float
        Fraction of the light that goes to the wrong detector, 0 to 0.5. [1]
    p_afterpulse : float
        Probability that a click is followed by an afterpulse. [1]
    intensities : sequence of float
        Three mean photon numbers, descending; the last may be 0. [1]
    intensity_probabilities : sequence of float
        How often each is sent; they add up to 1. [1]
    p_test_basis : float
        Probability of X at the sender, and at an active receiver; 0.5 if symmetric passive. [1]
    split : float, optional
        Fraction of the light in the X arm (asymmetric passive only). [1]
    disclosure : float, optional
        Fraction of the detections disclosed for the test (symmetric passive only). [1]
    p_dark : float
        Dark-count probability per gate. [1]
    detector_efficiency : float
        Enters only the least multi-click probability of two received photons, Eq. 66. [1]
    f_ec : float
        Error-correction inefficiency, at least 1. [1]
    eps_total : float
        Security parameter of the whole key. [1]
    photon_cut : int
        Largest photon number I with a variable of its own in the linear programs. [1]
    program : {"reduced", "full"}
        ``reduced``: the program without source statistics per photon number (21 bounds; compiled). ``full``: with
        them (4 I + 31 bounds; HiGHS).
    counts : {"expected", "rounded"}
        Expected counts as they are (the bounds are continued between the whole numbers), or rounded to whole
        numbers, halves up; the error rate of the key stays the expected one.
    convention : {"composable", "published"}
        How ``eps_total`` is shared by the two keys of a symmetric passive receiver: half each, or, as published,
        all of it for each (the pair is then only ``2 eps_total``-secure, which the budget says).
    multi_click : {"published", "matched"}
        Model of the multi-clicks, see :func:`satqkd.detection.receivers.expected_counts`.

    Returns
    -------
    KeyLength
        Key and intermediate bounds. Symmetric passive: counts and bounds are those of one basis (by symmetry also of
        the other), ``key_bits`` and ``key_bits_raw`` are of both. ``n1_key_lower``, ``n1_test_lower``,
        ``m1_test_upper`` are the linear programs' bounds; what is left of them after the passive receiver's
        subtractions is in ``intermediate`` as ``n1_key_effective``, ``n1_test_effective``, ``m1_test_effective``.

    Raises
    ------
    InputError
        If a value is outside its range or an option is unknown.

    Notes
    -----
    :math:`\ell = \lfloor n_1^L[1-h(\phi_1^U)] - \lambda_{EC} - \log_2\frac1{2\epsilon_{PA}^2\epsilon_{cor}}\rfloor`
    (Eqs. 4, 54, 114 of [1]_), :math:`\epsilon_{PA}=\epsilon_{cor}=10^{-3}\epsilon_{tot}`,
    :math:`\epsilon_{PE} = [(\epsilon_{tot}-\epsilon_{PA}-\epsilon_{cor})/2]^2` in equal parts,
    :math:`\lambda_{EC} = f n_Z h(e_Z)`; the last term includes the verification tag. The phase error is
    :math:`(K-m_1^L)/n_1^L` with the smallest K that sampling without replacement makes improbable, at most 1/2.
    The bounds of the linear programs are dual values minus an upper limit of the rounding errors: valid whatever the
    solver did. Photon cuts below 14 cost key.

    References
    ----------
    .. [1] V. Mannalath, V. Zapatero, M. Curty, "Finite-key feasibility of geostationary quantum key distribution",
       arXiv:2605.29706 (2026), App. A to G.

    Examples
    --------
    >>> key = key_length(pulses=1e12, transmittance=1e-4, p_noise=1e-7, misalignment=0.005,
    ...     intensities=(0.6, 0.2, 0.0), intensity_probabilities=(0.7, 0.2, 0.1), p_test_basis=0.2)
    >>> key.key_bits > 11_000_000, key.reason
    (True, None)
    """
    setup = check(
        receiver=receiver,
        pulses=pulses,
        intensities=intensities,
        intensity_probabilities=intensity_probabilities,
        p_test_basis=p_test_basis,
        split=split,
        disclosure=disclosure,
        p_dark=p_dark,
        detector_efficiency=detector_efficiency,
        f_ec=f_ec,
        eps_total=eps_total,
        photon_cut=photon_cut,
        program=program,
        counts=counts,
        convention=convention,
    )
    eta = np.atleast_1d(np.asarray(transmittance, float)).ravel()
    if eta.size == 0 or not bool(np.all((eta >= 0.0) & (eta <= 1.0))):
        raise InputError(f"transmittance = {transmittance!r}: must be between 0 and 1")
    if not 0.0 <= misalignment <= 0.5:
        raise InputError(f"misalignment = {misalignment!r}: must be between 0 and 0.5")
    if not 0.0 <= p_afterpulse < 1.0:
        raise InputError(f"p_afterpulse = {p_afterpulse!r}: must be at least 0 and below 1")
    noise_z, noise_x = arm_noise(
        receiver, noise=noise, p_noise=p_noise, p_noise_z=p_noise_z, p_noise_x=p_noise_x, split=setup.split,
        p_dark=p_dark,
    )  # fmt: skip
    found = expected_counts(
        eta,
        receiver=receiver,
        pulses=pulses,
        intensities=intensities,
        intensity_probabilities=intensity_probabilities,
        p_test_basis=p_test_basis,
        noise_z=noise_z,
        noise_x=noise_x,
        misalignment=misalignment,
        p_afterpulse=p_afterpulse,
        split=setup.split,
        disclosure=setup.disclosure,
        multi_click=multi_click,
    )
    total = math.fsum(found.n_key)
    qber = math.fsum(found.m_key) / total if total > 0.0 else 0.0
    if counts == "rounded":
        found = _rounded(found)
    model: dict[str, object] = {
        "transmittance": float(eta[0]) if eta.size == 1 else tuple(eta.tolist()),
        "p_noise_z": noise_z,
        "p_noise_x": noise_x,
        "misalignment": misalignment,
        "p_afterpulse": p_afterpulse,
    }
    one = analyse(found, setup, qber=qber)
    options = {"noise": noise, "multi_click": multi_click}
    if not eta.any() and one.raw <= 0.0:
        options["dark"] = "no light"
    return pack(found, [one] * setup.bases, setup, model, options)


def key_length_from_counts(
    counts: SiftedCounts | Sequence[SiftedCounts],
    *,
    receiver: str = "active",
    pulses: float,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_test_basis: float,
    split: float | None = None,
    disclosure: float | None = None,
    p_dark: float = 1e-10,
    detector_efficiency: float = 0.95,
    f_ec: float = 1.16,
    eps_total: float = 1e-8,
    photon_cut: int = 20,
    program: str = "reduced",
    convention: str = "composable",
    leak_ec_bits: float | Sequence[float] | None = None,
) -> KeyLength:
    """Secret key from counts, those of an experiment (whole numbers) or expected ones.

    Parameters
    ----------
    counts : SiftedCounts or sequence of SiftedCounts
        Detections and errors per intensity; an asymmetric passive receiver needs
        :class:`~satqkd.detection.receivers.ReceiverCounts`, which hold the multi-clicks. A symmetric passive receiver
        gives two keys and needs two sets: key of Z with test of X, and key of X with test of Z. The errors of the key
        basis only set the leakage, through their rate.
    receiver, pulses, intensities, intensity_probabilities, p_test_basis, split, disclosure, p_dark, \
detector_efficiency, f_ec, eps_total, photon_cut, program, convention
        As in :func:`key_length`.
    leak_ec_bits : float or sequence of float, optional
        Bits that error correction really disclosed, tags apart (the constant term holds the verification tag); two
        numbers for a symmetric passive receiver. Instead of ``f_ec`` and the error rate. [bit]

    Returns
    -------
    KeyLength
        Key and intermediate bounds; symmetric passive: bounds of the first set, key of both.

    Raises
    ------
    InputError
        If counts contradict themselves or a parameter is outside its range.
    """
    setup = check(
        receiver=receiver,
        pulses=pulses,
        intensities=intensities,
        intensity_probabilities=intensity_probabilities,
        p_test_basis=p_test_basis,
        split=split,
        disclosure=disclosure,
        p_dark=p_dark,
        detector_efficiency=detector_efficiency,
        f_ec=f_ec,
        eps_total=eps_total,
        photon_cut=photon_cut,
        program=program,
        counts="expected",
        convention=convention,
    )
    sets = [counts] if isinstance(counts, SiftedCounts) else list(counts)
    if len(sets) != setup.bases:
        raise InputError(f"counts: got {len(sets)} sets, a {receiver} receiver needs {setup.bases}")
    for one in sets:
        check_counts(one, setup)
    leaks: list[float | None] = [None] * len(sets)
    if leak_ec_bits is not None:
        given = [float(leak_ec_bits)] if isinstance(leak_ec_bits, int | float) else [float(x) for x in leak_ec_bits]
        if len(given) != len(sets) or not all(0.0 <= x < math.inf for x in given):
            raise InputError(
                f"leak_ec_bits = {leak_ec_bits!r}: must be {len(sets)} numbers of at least 0 with a {receiver} receiver"
            )
        leaks = list(given)
    parts = [analyse(one, setup, leak=leak) for one, leak in zip(sets, leaks, strict=True)]
    return pack(sets[0], parts, setup, {}, {})


def objective(
    *,
    receiver: str = "active",
    pulses: float,
    transmittance: float,
    noise: str = "received-light",
    p_noise: float | None = None,
    p_noise_z: float | None = None,
    p_noise_x: float | None = None,
    misalignment: float,
    p_afterpulse: float = 0.0,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_test_basis: float,
    split: float | None = None,
    disclosure: float | None = None,
    p_dark: float = 1e-10,
    detector_efficiency: float = 0.95,
    f_ec: float = 1.16,
    eps_total: float = 1e-8,
    photon_cut: int = 20,
    convention: str = "composable",
) -> float:
    """Un-clamped key length of the reduced program with expected counts: the quick function for optimisers.

    Parameters
    ----------
    receiver, pulses, transmittance, noise, p_noise, p_noise_z, p_noise_x, misalignment, p_afterpulse, intensities, \
intensity_probabilities, p_test_basis, split, disclosure, p_dark, detector_efficiency, f_ec, eps_total, photon_cut, \
convention
        As in :func:`key_length`, scalars only, and **not checked**: whoever calls this keeps them inside their ranges.

    Returns
    -------
    float
        ``key_length(...).key_bits_raw``, the same number: it may be negative. [bit]

    Examples
    --------
    >>> protocol = {"intensities": (0.6, 0.2, 0.0), "intensity_probabilities": (0.7, 0.2, 0.1), "p_test_basis": 0.2}
    >>> objective(pulses=1e12, transmittance=1e-4, p_noise=1e-7, misalignment=0.005, **protocol) > 11e6
    True
    """
    from satqkd.detection import _click_kernels
    from satqkd.security import _variable_length_kernels as kernels

    symmetric = receiver == "symmetric-passive"
    share = 0.5 if split is None else split
    eps = 0.5 * eps_total if symmetric and convention == "composable" else eps_total
    if p_noise_z is None or p_noise_x is None:
        p_noise_z, p_noise_x = arm_noise(
            receiver, noise=noise, p_noise=p_noise, p_noise_z=p_noise_z, p_noise_x=p_noise_x, split=share,
            p_dark=p_dark,
        )  # fmt: skip
    if disclosure is None:
        disclosure = 0.5
    setting = (RECEIVERS[receiver], pulses, p_noise_z, p_noise_x, misalignment, p_afterpulse, p_test_basis, share)
    mu, probabilities = np.array(intensities, float), np.array(intensity_probabilities, float)
    counts, ends, out = np.empty((4, 3)), np.empty((3, 2, 3)), np.empty(kernels.SIZE)
    light = np.array((transmittance,))
    multi = _click_kernels.fill_counts(np.array((*setting, disclosure, 0.0)), light, mu, probabilities, counts)
    secret = kernels.analyse(
        counts,
        arithmetic.block_sizes(receiver, pulses, p_test_basis, photon_cut),
        mu,
        probabilities,
        multi,
        arithmetic.passive_terms(receiver, p_test_basis, share, p_dark, detector_efficiency),
        math.log(arithmetic.epsilon_per_bound(eps, arithmetic.bound_count(receiver, "reduced", photon_cut))),
        ends,
        out,
    )
    n_key, m_key = sum(counts[0].tolist()), sum(counts[3].tolist())
    leak = f_ec * n_key * binary_entropy_scalar(min(m_key / n_key, 0.5)) if n_key > 0.0 else 0.0
    return float((2.0 if symmetric else 1.0) * (secret - leak - arithmetic.penalty_bits(eps)))


def _rounded(counts: ReceiverCounts) -> ReceiverCounts:
    """Whole numbers, halves up; the errors of the key basis, which only set its rate, stay as they are."""

    def whole(row: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(float(math.floor(x + 0.5)) for x in row)

    return ReceiverCounts(
        whole(counts.n_key),
        whole(counts.n_test),
        counts.m_key,
        whole(counts.m_test),
        multi_clicks=float(math.floor(counts.multi_clicks + 0.5)),
    )
