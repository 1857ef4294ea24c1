"""Finite key of efficient decoy-state BB84 with two decoys: Lim et al. 2014 as used for LEO passes by Sidhu et al.

The key basis is called X in the sources, the test basis Z. :func:`key_length` predicts from transmittances,
:func:`key_length_from_counts` takes counts (expected or observed); both return a
:class:`~satqkd.security.result.KeyLength`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from satqkd.detection.weak_pulse import SiftedCounts, expected_counts
from satqkd.errors import InputError
from satqkd.security import margin
from satqkd.security._lim2014 import Analysis, Setup, analyse, asymptotic_limit, check
from satqkd.security.reasons import explain_no_key
from satqkd.security.result import EpsilonBudget, KeyLength
from satqkd.security.sampling import N_SECRECY_TERMS
from satqkd.security.tails import check_counted

__all__ = ["CITATIONS", "key_length", "key_length_from_counts", "margin_db"]

CITATIONS = (
    "C. C. W. Lim, M. Curty, N. Walenta, F. Xu, H. Zbinden, Phys. Rev. A 89, 022307 (2014)",
    "J. S. Sidhu, T. Brougham, D. McArthur, R. G. Pousa, D. K. L. Oi, npj Quantum Inf. 8, 18 (2022)",
)
_MODEL_CITATIONS = {
    "chernoff": "H.-L. Yin et al., Sci. Rep. 10, 14312 (2020)",
    "exact-smooth": "V. Mannalath, V. Zapatero, M. Curty, Phys. Rev. Lett. 135, 020803 (2025)",
    "chernoff-implicit": "C. Jiang, Z.-W. Yu, X.-B. Wang, Phys. Rev. A 95, 032325 (2017)",
    "exact": "V. Mannalath, V. Zapatero, M. Curty, Phys. Rev. Lett. 135, 020803 (2025)",
    **dict.fromkeys(
        ("achievable", "finite", "published", "published-eq9", "satquma"),
        "M. Tomamichel et al., Quantum Inf. Process. 16, 280 (2017)",
    ),
}


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
    sampling: str = "exact-smooth",
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
    bound : {"chernoff", "chernoff-implicit", "hoeffding", "asymptotic"}
        Concentration inequality, :data:`satqkd.security.bounds.BOUNDS`. ``asymptotic`` leaves out every
        fluctuation, the sampling correction and the constants: a limit to compare with, not a secure key
        (its epsilon budget says 1).
    sampling : {"exact-smooth", "exact", "lim2014"}
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
    setup = check(
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
        "p_extraneous": _plain(p_extraneous),
        "qber_intrinsic": _plain(qber_intrinsic),
        "p_afterpulse": p_afterpulse,
    }
    key = _pack(counts, setup, model)
    if key.key_bits == 0 and not np.any(transmittance):
        return replace(key, reason="NO_COUNTS: no slot has a transmittance above 0; a key needs light in at least one")
    return key


def key_length_from_counts(
    counts: SiftedCounts,
    *,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    eps_correctness: float = 1e-15,
    eps_secrecy: float = 1e-9,
    passes: int = 1,
    bound: str = "chernoff",
    sampling: str = "exact-smooth",
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
    setup = check(
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
    sampling: str = "exact-smooth",
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
    setup = check(
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
        return analyse(counts, setup).raw_total

    raw_total(1.0)  # validates before anything is derived from the transmittance
    if best <= 0.0:
        return -math.inf
    return margin.margin_db(
        raw_total, limit_db=limit_db, max_gain_db=max(0.0, -10.0 * math.log10(best)), tolerance_db=tolerance_db
    )


def _pack(counts: SiftedCounts, setup: Setup, model: dict[str, object]) -> KeyLength:
    for basis, detections in (("key", counts.n_key), ("test", counts.n_test)):
        check_counted(f"in the {basis} basis", math.fsum(detections))
    a = analyse(counts, setup)
    key_bits = max(0, math.floor(a.raw_total))
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
        epsilon=_budget(setup),
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


def _plain(value: ArrayLike) -> float | tuple[float, ...]:
    """A float, or a tuple for one value per slot: results stay comparable."""
    array = np.asarray(value, float)
    return tuple(array.ravel().tolist()) if array.ndim else float(array)


def _budget(setup: Setup) -> EpsilonBudget:
    if setup.options["bound"] == "asymptotic":
        return EpsilonBudget(1.0, 0.0, {"asymptotic limit: nothing is claimed about a finite key": 1.0})
    eps = setup.eps_secrecy / N_SECRECY_TERMS
    return EpsilonBudget(
        setup.eps_secrecy,
        setup.eps_correctness,
        {
            "count statistics, smoothing and privacy amplification (20 terms)": 20.0 * eps,
            "smoothing for the random sampling of phase errors": eps,
            "verification": setup.eps_correctness,
        },
    )


def _reason(counts: SiftedCounts, setup: Setup, found: Analysis) -> str:
    limit = asymptotic_limit(setup)

    def with_errors(factor: float) -> SiftedCounts:
        m_key, m_test = (tuple(factor * m for m in errors) for errors in (counts.m_key, counts.m_test))
        return replace(counts, m_key=m_key, m_test=m_test)

    return explain_no_key(
        sifted_bits=sum(counts.n_key),
        test_detections=sum(counts.n_test),
        qber=found.qber,
        phase_error=analyse(counts, limit).phase_error,
        key_of_counts=lambda factor: analyse(counts.scaled(factor), setup).raw_total,
        asymptotic_key_of_errors=lambda factor: analyse(with_errors(factor), limit).raw_total,
    )
