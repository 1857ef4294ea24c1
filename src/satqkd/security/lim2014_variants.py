"""Relatives of :func:`satqkd.security.lim2014.key_length`: infinitely many passes, and standard (symmetric) BB84."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from numpy.typing import ArrayLike

from satqkd.detection.weak_pulse import SiftedCounts, expected_counts
from satqkd.errors import InputError
from satqkd.security import lim2014
from satqkd.security.result import EpsilonBudget, KeyLength

__all__ = ["LEAKAGE_LIMIT", "block_asymptote", "standard_key_length"]

LEAKAGE_LIMIT: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "achievable": True,
        "satquma": True,
        "block": True,
        "finite": False,
        "published": False,
        "published-eq9": False,
    }
)
"""Leakage model -> whether its limit for long blocks keeps the inefficiency ``f_ec`` (else it is n h(Q))."""


def block_asymptote(
    transmittance: ArrayLike,
    *,
    pulses_per_slot: ArrayLike,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_key_basis: float,
    p_extraneous: ArrayLike,
    qber_intrinsic: ArrayLike,
    p_afterpulse: float = 0.0,
    leakage: str = "achievable",
    f_ec: float = 1.16,
) -> KeyLength:
    r"""Key per pass when infinitely many identical passes are processed as one block: a limit, not a secure key.

    Parameters
    ----------
    transmittance, pulses_per_slot, intensities, intensity_probabilities, p_key_basis
        As in :func:`satqkd.security.lim2014.key_length`.
    p_extraneous, qber_intrinsic, p_afterpulse
        Detection model, see :func:`satqkd.detection.weak_pulse.expected_counts`. [1]
    leakage : str
        Leakage model, of which the limit is taken: :math:`f_{EC}\,n\,h(Q)` or :math:`n\,h(Q)`, see
        :data:`LEAKAGE_LIMIT`.
    f_ec : float
        Error-correction inefficiency, at least 1. [1]

    Returns
    -------
    KeyLength
        Of one pass; its epsilon budget says 1.

    Raises
    ------
    InputError
        If a value is outside its range or an option is unknown.

    Notes
    -----
    :math:`\ell_\infty = \lim_{M\to\infty}\ell_M/M` (Sidhu et al. [1]_, Eq. 12): no fluctuations, no sampling
    correction, no constants. The counts of a pass are added up first, then the key is taken: it is not the integral
    of a rate over the pass, which treats every second as a block of its own.

    References
    ----------
    .. [1] J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022), Methods B.
    """
    if leakage not in LEAKAGE_LIMIT:
        raise InputError(f"leakage = {leakage!r}: must be one of {', '.join(LEAKAGE_LIMIT)}")
    return lim2014.key_length(
        transmittance,
        pulses_per_slot=pulses_per_slot,
        intensities=intensities,
        intensity_probabilities=intensity_probabilities,
        p_key_basis=p_key_basis,
        p_extraneous=p_extraneous,
        qber_intrinsic=qber_intrinsic,
        p_afterpulse=p_afterpulse,
        bound="asymptotic",
        leakage="block",
        f_ec=f_ec if LEAKAGE_LIMIT[leakage] else 1.0,
    )


def standard_key_length(
    transmittance: ArrayLike,
    *,
    pulses_per_slot: ArrayLike,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    revealed_fraction: float,
    p_extraneous: ArrayLike,
    qber_intrinsic: ArrayLike,
    p_afterpulse: float = 0.0,
    eps_correctness: float = 1e-15,
    eps_secrecy: float = 1e-9,
    passes: int = 1,
    bound: str = "chernoff",
    sampling: str = "exact-smooth",
    leakage: str = "achievable",
    f_ec: float = 1.16,
) -> KeyLength:
    r"""Secret key of standard BB84: both bases equally often, key from both, a part of each revealed.

    Parameters
    ----------
    transmittance, pulses_per_slot, intensities, intensity_probabilities
        As in :func:`satqkd.security.lim2014.key_length`.
    revealed_fraction : float
        Share f of each basis that is revealed at random to estimate the other's phase errors, between 0 and 1. [1]
    p_extraneous, qber_intrinsic, p_afterpulse
        Detection model, see :func:`satqkd.detection.weak_pulse.expected_counts`. [1]
    eps_correctness, eps_secrecy : float
        Security parameters of the key *of one basis*; the two keys together have twice as much.
    passes, bound, sampling, leakage, f_ec
        As in :func:`satqkd.security.lim2014.key_length`.

    Returns
    -------
    KeyLength
        Counts and bounds are those of one basis (they are equal); ``key_bits`` is twice the floor of one basis'
        key, ``key_bits_raw`` is the un-clamped key of both bases per pass.

    Raises
    ------
    InputError
        If a value is outside its range or an option is unknown.

    Notes
    -----
    Of N pulses N/4 have both parties in a given basis; of their detections the share 1 - f makes the key block of that
    basis, and the share f of the *other* basis bounds its phase errors. Each basis pays its own constants and leak.

    References
    ----------
    .. [1] J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022), Sec. IV E.

    Examples
    --------
    >>> key = standard_key_length([5e-4] * 200, pulses_per_slot=1e8, intensities=(0.7, 0.1, 0.0),
    ...     intensity_probabilities=(0.7, 0.2, 0.1), revealed_fraction=0.2, p_extraneous=5e-7, qber_intrinsic=0.005)
    >>> key.key_bits > 300_000, key.key_bits % 2
    (True, 0)
    """
    if not 0.0 < revealed_fraction < 1.0:
        raise InputError(f"revealed_fraction = {revealed_fraction!r}: must be strictly between 0 and 1")
    counts = expected_counts(
        transmittance,
        pulses_per_slot=pulses_per_slot,
        intensities=intensities,
        intensity_probabilities=intensity_probabilities,
        p_key_basis=0.5,
        p_extraneous=p_extraneous,
        qber_intrinsic=qber_intrinsic,
        p_afterpulse=p_afterpulse,
        passes=passes,
    )
    hidden, shown = counts.scaled(1.0 - revealed_fraction), counts.scaled(revealed_fraction)
    one = lim2014.key_length_from_counts(
        SiftedCounts(n_key=hidden.n_key, m_key=hidden.m_key, n_test=shown.n_test, m_test=shown.m_test),
        intensities=intensities,
        intensity_probabilities=intensity_probabilities,
        eps_correctness=eps_correctness,
        eps_secrecy=eps_secrecy,
        passes=passes,
        bound=bound,
        sampling=sampling,
        leakage=leakage,
        f_ec=f_ec,
    )
    both = EpsilonBudget(
        1.0 if bound == "asymptotic" else 2.0 * one.epsilon.eps_secrecy,
        2.0 * one.epsilon.eps_correctness,
        {} if bound == "asymptotic" else {f"both bases: {name}": 2.0 * eps for name, eps in one.epsilon.terms.items()},
    )
    return replace(
        one,
        key_bits=2 * math.floor(max(one.key_bits_raw * passes, 0.0)),
        key_bits_raw=2.0 * one.key_bits_raw,
        epsilon=both,
        parameters={**one.parameters, "revealed_fraction": revealed_fraction},
    )
