"""Finite key of efficient decoy-state BB84 with two decoys: Lim et al. 2014 as used for LEO passes by Sidhu et al.

The key basis is called X in the sources, the test basis Z. :func:`key_length` predicts from transmittances,
:func:`key_length_from_counts` takes counts (expected or observed); both return a
:class:`~satqkd.security.result.KeyLength`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from satqkd.detection.weak_pulse import SiftedCounts, expected_counts
from satqkd.errors import InputError
from satqkd.security import decoy, margin
from satqkd.security.bounds import BOUNDS, Bound
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.leakage import LEAKAGE, Leakage, block
from satqkd.security.result import EpsilonBudget, KeyLength
from satqkd.security.sampling import N_SECRECY_TERMS, SAMPLING, Sampling

__all__ = ["CITATIONS", "key_length", "key_length_from_counts", "margin_db"]

CITATIONS = (
    "C. C. W. Lim, M. Curty, N. Walenta, F. Xu, H. Zbinden, Phys. Rev. A 89, 022307 (2014)",
    "J. S. Sidhu, T. Brougham, D. McArthur, R. G. Pousa, D. K. L. Oi, npj Quantum Inf. 8, 18 (2022)",
)
_MODEL_CITATIONS = {
    "chernoff": "H.-L. Yin et al., Sci. Rep. 10, 14312 (2020)",
    "exact": "V. Mannalath, V. Zapatero, M. Curty, Phys. Rev. Lett. 135, 020803 (2025)",
    "achievable": "M. Tomamichel et al., Quantum Inf. Process. 16, 280 (2017)",
}
_MAX_DECOY_RATIO = 0.98


@dataclass(frozen=True, slots=True)
class _Setup:
    """Checked parameters, and what follows from them for every evaluation."""

    intensities: tuple[float, float, float]
    probabilities: tuple[float, float, float]
    weights: tuple[float, float, float]
    tau: tuple[float, float]
    eps_secrecy: float
    eps_correctness: float
    passes: int
    f_ec: float
    beta: float
    constants: float
    options: dict[str, str]
    bound: Bound
    sampling: Sampling
    leakage: Leakage


class _Analysis(NamedTuple):
    raw_total: float
    n0_key: float
    n1_key: float
    n1_test: float
    m1_test: float
    phase_error: float
    leak: float
    qber: float
    details: dict[str, float | tuple[float, ...]]


def key_length(
    transmittance: ArrayLike,
    *,
    pulses_per_slot: ArrayLike,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_key_basis: float,
    p_extraneous: ArrayLike,
    qber_intrinsic: ArrayLike,
    p_afterpulse: float = 0.0,
    eps_correctness: float = 1e-15,
    eps_secrecy: float = 1e-9,
    passes: int = 1,
    bound: str = "chernoff",
    sampling: str = "exact",
    leakage: str = "achievable",
    f_ec: float = 1.16,
) -> KeyLength:
    r"""Secret key from the expected counts of a pass processed as one block.

    Parameters
    ----------
    transmittance : array_like
        Whole system's transmittance in every time slot, receiver and detector included. [1]
    pulses_per_slot : array_like
        Pulses sent per slot, one number or one per slot. [1]
    intensities : sequence of float
        Mean photon numbers of signal, decoy and weakest state, descending; ``mu2 <= 0.98 mu1``,
        ``mu1 > mu2 + mu3``. [1]
    intensity_probabilities : sequence of float
        How often each is sent; they add up to 1. [1]
    p_key_basis : float
        Probability of the key basis at both parties, between 0 and 1. [1]
    p_extraneous, qber_intrinsic, p_afterpulse
        Detection model, see :func:`satqkd.detection.weak_pulse.expected_counts`. [1]
    eps_correctness, eps_secrecy : float
        Security parameters; the secrecy is divided into 21 equal terms. [1]
    passes : int
        Identical passes combined into one block; ``key_bits_raw`` is per pass. [1]
    bound : {"chernoff", "hoeffding", "asymptotic"}
        Concentration inequality, :data:`satqkd.security.bounds.BOUNDS`. ``asymptotic`` leaves out every
        fluctuation, the sampling correction and the constants: a limit to compare with, not a secure key.
    sampling : {"exact", "lim2014"}
        Phase-error bound, :data:`satqkd.security.sampling.SAMPLING`.
    leakage : {"achievable", "finite", "published", "published-eq9", "satquma", "block"}
        Error-correction model, :data:`satqkd.security.leakage.LEAKAGE`.
    f_ec : float
        Error-correction inefficiency of the models that have one, at least 1. [1]

    Returns
    -------
    KeyLength
        Key and intermediate bounds; ``key_bits`` is of the whole block.

    Raises
    ------
    InputError
        If a value is outside its range or an option is unknown.

    Notes
    -----
    :math:`\ell = \lfloor s_{X,0} + s_{X,1}(1-h(\phi_X)) - \lambda_{EC} - 6\log_2(21/\varepsilon_s)
    - \log_2(2/\varepsilon_c)\rfloor` (Sidhu et al. [2]_, Eq. 4). There is no key if the lower bound on single
    photons of the test or the key basis is zero, and :math:`s_{X,0} + s_{X,1}` never exceeds the sifted bits.

    References
    ----------
    .. [1] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014).
    .. [2] J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022).

    Examples
    --------
    >>> key = key_length([5e-4] * 200, pulses_per_slot=1e8, intensities=(0.7, 0.1, 0.0),
    ...     intensity_probabilities=(0.7, 0.2, 0.1), p_key_basis=0.8, p_extraneous=5e-7, qber_intrinsic=0.005)
    >>> key.key_bits > 500_000, key.reason
    (True, None)
    """
    setup = _check(
        intensities, intensity_probabilities, eps_correctness, eps_secrecy, passes, bound, sampling, leakage, f_ec
    )
    counts = expected_counts(
        transmittance,
        pulses_per_slot=pulses_per_slot,
        intensities=setup.intensities,
        intensity_probabilities=setup.probabilities,
        p_key_basis=p_key_basis,
        p_extraneous=p_extraneous,
        qber_intrinsic=qber_intrinsic,
        p_afterpulse=p_afterpulse,
        passes=passes,
    )
    model: dict[str, object] = {
        "p_key_basis": p_key_basis,
        "p_extraneous": p_extraneous,
        "qber_intrinsic": qber_intrinsic,
        "p_afterpulse": p_afterpulse,
    }
    return _pack(counts, setup, model)


def key_length_from_counts(
    counts: SiftedCounts,
    *,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    eps_correctness: float = 1e-15,
    eps_secrecy: float = 1e-9,
    passes: int = 1,
    bound: str = "chernoff",
    sampling: str = "exact",
    leakage: str = "achievable",
    f_ec: float = 1.16,
) -> KeyLength:
    """Secret key from counts, expected ones or those of an experiment.

    Parameters
    ----------
    counts : SiftedCounts
        Detections and errors per intensity and basis, totals over all ``passes``.
    intensities, intensity_probabilities, eps_correctness, eps_secrecy, passes, bound, sampling, leakage, f_ec
        As in :func:`key_length`.

    Returns
    -------
    KeyLength
        Key and intermediate bounds.

    Raises
    ------
    InputError
        If a count is negative, there are more errors than detections, or a parameter is outside its range.
    """
    setup = _check(
        intensities, intensity_probabilities, eps_correctness, eps_secrecy, passes, bound, sampling, leakage, f_ec
    )
    for basis, detections, errors in (("key", counts.n_key, counts.m_key), ("test", counts.n_test, counts.m_test)):
        if len(detections) != 3 or len(errors) != 3:
            raise InputError(f"counts: the {basis} basis needs three detection and three error counts")
        for k, (n, m) in enumerate(zip(detections, errors, strict=True), start=1):
            if not 0.0 <= m <= n < math.inf:
                raise InputError(
                    f"counts: {basis} basis, intensity {k}: {m!r} errors of {n!r} detections, "
                    "must satisfy 0 <= errors <= detections"
                )
    return _pack(counts, setup, {})


def margin_db(
    transmittance: ArrayLike,
    *,
    pulses_per_slot: ArrayLike,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_key_basis: float,
    p_extraneous: ArrayLike,
    qber_intrinsic: ArrayLike,
    p_afterpulse: float = 0.0,
    eps_correctness: float = 1e-15,
    eps_secrecy: float = 1e-9,
    passes: int = 1,
    bound: str = "chernoff",
    sampling: str = "exact",
    leakage: str = "achievable",
    f_ec: float = 1.16,
    limit_db: float = 60.0,
    tolerance_db: float = 0.01,
) -> float:
    """Extra loss, the same in every slot, that the key of a pass survives; negative: loss to be saved.

    Parameters
    ----------
    transmittance, pulses_per_slot, intensities, intensity_probabilities, p_key_basis, p_extraneous, \
qber_intrinsic, p_afterpulse, eps_correctness, eps_secrecy, passes, bound, sampling, leakage, f_ec
        As in :func:`key_length`.
    limit_db, tolerance_db : float
        Range and accuracy, see :func:`satqkd.security.margin.margin_db`. [dB]

    Returns
    -------
    float
        Margin; ``inf`` beyond ``limit_db``, ``-inf`` if no saving of loss (at most down to a transmittance of 1 in
        the best slot) gives a key. [dB]

    Raises
    ------
    InputError
        If a value is outside its range or an option is unknown.
    """
    setup = _check(
        intensities, intensity_probabilities, eps_correctness, eps_secrecy, passes, bound, sampling, leakage, f_ec
    )
    eta = np.atleast_1d(np.asarray(transmittance, float))
    best = float(eta.max()) if eta.size else 0.0

    def raw_total(factor: float) -> float:
        scaled = np.minimum(eta * factor, 1.0) if factor > 1.0 else eta * factor  # rounding at factor = 1/best
        counts = expected_counts(
            scaled,
            pulses_per_slot=pulses_per_slot,
            intensities=setup.intensities,
            intensity_probabilities=setup.probabilities,
            p_key_basis=p_key_basis,
            p_extraneous=p_extraneous,
            qber_intrinsic=qber_intrinsic,
            p_afterpulse=p_afterpulse,
            passes=passes,
        )
        return _analyse(counts, setup).raw_total

    raw_total(1.0)  # validates before anything is derived from the transmittance
    if best <= 0.0:
        return -math.inf
    return margin.margin_db(
        raw_total, limit_db=limit_db, max_gain_db=max(0.0, -10.0 * math.log10(best)), tolerance_db=tolerance_db
    )


def _lookup(what: str, table: object, name: str) -> object:
    try:
        return table[name]  # type: ignore[index]
    except (KeyError, TypeError):
        raise InputError(f"{what} = {name!r}: must be one of {', '.join(table)}") from None  # type: ignore[arg-type]


def _check(
    intensities: Sequence[float],
    probabilities: Sequence[float],
    eps_correctness: float,
    eps_secrecy: float,
    passes: int,
    bound: str,
    sampling: str,
    leakage: str,
    f_ec: float,
) -> _Setup:
    """Validate everything that does not depend on the counts."""
    if len(intensities) != 3 or len(probabilities) != 3:
        raise InputError(
            f"intensities and intensity_probabilities: got {len(intensities)} and {len(probabilities)} values, "
            "must be three each (signal, decoy, weakest)"
        )
    mu1, mu2, mu3 = (float(x) for x in intensities)
    p1, p2, p3 = (float(x) for x in probabilities)
    if not 0.0 <= mu3 < mu2 < mu1 < math.inf:
        raise InputError(f"intensities = {mu1:g}, {mu2:g}, {mu3:g}: must be descending and not negative")
    if mu2 > _MAX_DECOY_RATIO * mu1 or mu2 + mu3 >= mu1:
        raise InputError(
            f"intensities = {mu1:g}, {mu2:g}, {mu3:g}: must satisfy mu2 <= {_MAX_DECOY_RATIO} mu1 and "
            "mu2 + mu3 < mu1, or the decoy bound is numerically void"
        )
    if not (min(p1, p2, p3) > 0.0 and abs(p1 + p2 + p3 - 1.0) <= 1e-9):
        raise InputError(f"intensity_probabilities = {p1:g}, {p2:g}, {p3:g}: must be positive and add up to 1")
    for name, eps in (("eps_correctness", eps_correctness), ("eps_secrecy", eps_secrecy)):
        if not 1e-100 <= eps <= 0.1:
            raise InputError(f"{name} = {eps!r}: must be between 1e-100 and 0.1")
    if isinstance(passes, bool) or int(passes) != passes or passes < 1:
        raise InputError(f"passes = {passes!r}: must be a whole number of at least 1")
    if not 1.0 <= f_ec < math.inf:
        raise InputError(f"f_ec = {f_ec!r}: must be finite and at least 1")
    options = {"bound": bound, "sampling": sampling, "leakage": leakage}
    finite = bound != "asymptotic"
    constants = 6.0 * math.log2(N_SECRECY_TERMS / eps_secrecy) + math.log2(2.0 / eps_correctness)
    return _Setup(
        intensities=(mu1, mu2, mu3),
        probabilities=(p1, p2, p3),
        weights=(math.exp(mu1) / p1, math.exp(mu2) / p2, math.exp(mu3) / p3),
        tau=(
            p1 * math.exp(-mu1) + p2 * math.exp(-mu2) + p3 * math.exp(-mu3),
            p1 * mu1 * math.exp(-mu1) + p2 * mu2 * math.exp(-mu2) + p3 * mu3 * math.exp(-mu3),
        ),
        eps_secrecy=eps_secrecy,
        eps_correctness=eps_correctness,
        passes=int(passes),
        f_ec=f_ec,
        beta=math.log(N_SECRECY_TERMS / eps_secrecy),
        constants=constants if finite else 0.0,
        options=options,
        bound=_lookup("bound", BOUNDS, bound),  # type: ignore[arg-type]
        sampling=_lookup("sampling", SAMPLING, sampling) if finite else _lookup("sampling", SAMPLING, sampling) and _ratio,  # type: ignore[arg-type]
        leakage=_lookup("leakage", LEAKAGE, leakage),  # type: ignore[arg-type]
    )


def _ratio(errors_upper: float, test_lower: float, key_lower: float, eps_secrecy: float) -> float:
    """Phase error without sampling correction: the asymptotic limit."""
    del key_lower, eps_secrecy
    return min(errors_upper / test_lower, 0.5) if test_lower > 0.0 else 0.5


def _analyse(counts: SiftedCounts, setup: _Setup) -> _Analysis:
    """Bounds and un-clamped key length of a block; scalar arithmetic, no validation."""
    mu, tau, weights = setup.intensities, setup.tau, setup.weights
    n_key_low, n_key_high = decoy.scaled_bounds(counts.n_key, weights, setup.bound, setup.beta)
    n_test_low, n_test_high = decoy.scaled_bounds(counts.n_test, weights, setup.bound, setup.beta)
    m_test_low, m_test_high = decoy.scaled_bounds(counts.m_test, weights, setup.bound, setup.beta)
    n_key, n_test, m_key = sum(counts.n_key), sum(counts.n_test), sum(counts.m_key)

    s0_key_raw = decoy.vacuum_lower(n_key_low, n_key_high, mu, tau[0])
    s0_key = min(max(s0_key_raw, 0.0), n_key)
    s1_key_raw = decoy.single_lower(n_key_low, n_key_high, s0_key, mu, tau)
    s1_key = min(max(s1_key_raw, 0.0), n_key - s0_key)
    s0_test_raw = decoy.vacuum_lower(n_test_low, n_test_high, mu, tau[0])
    s0_test = min(max(s0_test_raw, 0.0), n_test)
    s1_test_raw = decoy.single_lower(n_test_low, n_test_high, s0_test, mu, tau)
    s1_test = min(max(s1_test_raw, 0.0), n_test - s0_test)
    v_test_raw = decoy.single_errors_upper(m_test_low, m_test_high, mu, tau[1])
    v_test = min(max(v_test_raw, 0.0), sum(counts.m_test))

    qber = m_key / n_key if n_key > 0.0 else 0.0
    leak = setup.leakage(n_key, qber, setup.eps_correctness, setup.f_ec)
    if s1_test > 0.0 and s1_key > 0.0:
        phase_error = setup.sampling(v_test, s1_test, s1_key, setup.eps_secrecy)
        secret = s0_key + s1_key * (1.0 - binary_entropy_scalar(phase_error))
    else:  # a lower bound at its floor: nothing is known about the phase errors, nothing may be credited
        phase_error, secret = 0.5, 0.0
    details: dict[str, float | tuple[float, ...]] = {
        "n_key_lower": n_key_low,
        "n_key_upper": n_key_high,
        "n_test_lower": n_test_low,
        "n_test_upper": n_test_high,
        "m_test_lower": m_test_low,
        "m_test_upper": m_test_high,
        "n0_key_unclamped": s0_key_raw,
        "n1_key_unclamped": s1_key_raw,
        "n0_test_unclamped": s0_test_raw,
        "n1_test_unclamped": s1_test_raw,
        "m1_test_unclamped": v_test_raw,
        "constant_bits": setup.constants,
    }
    raw = secret - leak - setup.constants
    return _Analysis(raw, s0_key, s1_key, s1_test, v_test, phase_error, leak, qber, details)


def _pack(counts: SiftedCounts, setup: _Setup, model: dict[str, object]) -> KeyLength:
    a = _analyse(counts, setup)
    key_bits = max(0, math.floor(a.raw_total))
    eps = setup.eps_secrecy / N_SECRECY_TERMS
    cited = (_MODEL_CITATIONS[name] for name in setup.options.values() if name in _MODEL_CITATIONS)
    return KeyLength(
        key_bits=key_bits,
        key_bits_raw=a.raw_total / setup.passes,
        reason=None if key_bits else _reason(counts, setup, a),
        sifted_bits=sum(counts.n_key),
        qber=a.qber,
        n0_key_lower=a.n0_key,
        n1_key_lower=a.n1_key,
        n1_test_lower=a.n1_test,
        m1_test_upper=a.m1_test,
        phase_error_upper=a.phase_error,
        leak_ec_bits=a.leak,
        n_key=counts.n_key,
        n_test=counts.n_test,
        m_key=counts.m_key,
        m_test=counts.m_test,
        epsilon=EpsilonBudget(
            setup.eps_secrecy,
            setup.eps_correctness,
            {
                "count statistics, smoothing and privacy amplification (20 terms)": 20 * eps,
                "random sampling of phase errors": eps,
                "verification": setup.eps_correctness,
            },
        ),
        parameters={
            "intensities": setup.intensities,
            "intensity_probabilities": setup.probabilities,
            **model,
            "passes": setup.passes,
            "f_ec": setup.f_ec,
        },
        options=setup.options,
        citations=CITATIONS + tuple(cited),
        intermediate=a.details,
    )


def _reason(counts: SiftedCounts, setup: _Setup, a: _Analysis) -> str:
    """Why there is no key, with the number that would suffice."""
    sifted = sum(counts.n_key)
    if sifted <= 0.0:
        return "NO_COUNTS: nothing was detected in the key basis; a key needs light and pulses in at least one slot"

    def asymptotic_key(error_factor: float) -> float:
        limit = _asymptotic(setup)
        scaled = SiftedCounts(
            counts.n_key,
            counts.n_test,
            tuple(error_factor * m for m in counts.m_key),
            tuple(error_factor * m for m in counts.m_test),
        )
        return _analyse(scaled, limit).raw_total

    if asymptotic_key(1.0) > 0.0:
        factor = margin.counts_needed(lambda x: _analyse(counts.scaled(x), setup).raw_total)
        if factor is None:
            return (
                f"TOO_FEW_COUNTS: {sifted:.4g} sifted bits; not even a billion times as many pulses at the same "
                "rates give a key, only the asymptotic limit does: lower the error rate or the loss"
            )
        return (
            f"TOO_FEW_COUNTS: {sifted:.4g} sifted bits, {sum(counts.n_test):.4g} test detections; about "
            f"{factor:.3g} times as many pulses at the same rates ({factor * sifted:.3g} sifted bits) give a key"
        )
    phase = _analyse(counts, _asymptotic(setup)).phase_error
    measured = f"QBER {100 * a.qber:.3g} %, phase error {100 * phase:.3g} % even without statistical fluctuations"
    if asymptotic_key(0.0) <= 0.0:
        return (
            f"NO_SINGLES: {measured}; the counts per intensity leave no single photons in the key or the test basis "
            "whatever the error rate: check intensities, their probabilities and the share of the test basis"
        )
    tolerable = _largest_tolerable(asymptotic_key)
    return (
        f"QBER_TOO_HIGH: {measured}; with these counts a key needs a QBER below about "
        f"{100 * tolerable * a.qber:.3g} % (both error rates {tolerable:.3g} times as large)"
    )


def _asymptotic(setup: _Setup) -> _Setup:
    """The same protocol in the limit of infinitely many pulses."""
    from dataclasses import replace

    return replace(setup, bound=BOUNDS["asymptotic"], sampling=_ratio, leakage=block, constants=0.0)


def _largest_tolerable(key: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if key(middle) > 0.0 else (low, middle)
    return low
