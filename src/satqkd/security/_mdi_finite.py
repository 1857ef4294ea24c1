"""Finite keys of measurement-device-independent QKD: four intensities per sender, independent on the two sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from satqkd.detection.bell_measurement import x_basis, z_basis
from satqkd.errors import InputError
from satqkd.security._mdi_checks import check_intensities, in_range
from satqkd.security._three_intensity import lookup_bound, lookup_leakage
from satqkd.security.bounds import BOUNDS, Bound
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.leakage import Leakage, block
from satqkd.security.reasons import explain_no_key
from satqkd.security.result import EpsilonBudget, KeyLength
from satqkd.security.sampling import phase_error_exact
from satqkd.security.tails import binomial_error_quantile

N_BOUNDS = 14
"""Estimates behind a key: 7 counts, 4 error counts, 2 for pairs of the key basis, 1 random sampling."""

CITATIONS = (
    "M. Curty, F. Xu, W. Cui, C. C. W. Lim, K. Tamaki, H.-K. Lo, Nat. Commun. 5, 3732 (2014)",
    "W. Wang, F. Xu, H.-K. Lo, Phys. Rev. X 9, 041012 (2019)",
    "V. Mannalath, V. Zapatero, M. Curty, Phys. Rev. Lett. 135, 020803 (2025)",
)
_AMPLIFICATION_SHARE = 0.1
Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Successes and errors: signals in Z, and in X by the intensities (weak decoy pairs at [1][1]) of a and b."""

    n_key: float
    m_key: float
    n_test: Table
    m_test: Table

    def scaled(self, counts: float, errors: float) -> Counts:
        """All counts times ``counts``, errors times ``errors`` besides."""

        def table(rows: Table, factor: float) -> Table:
            return tuple(tuple(factor * value for value in row) for row in rows)

        both = counts * errors
        return Counts(counts * self.n_key, both * self.m_key, table(self.n_test, counts), table(self.m_test, both))


@dataclass(frozen=True, slots=True)
class Setup:
    """Checked parameters."""

    intensities: tuple[tuple[float, ...], tuple[float, ...]]
    probabilities: tuple[tuple[float, ...], tuple[float, ...]]
    singles_test: float  # probability of single photons from both, given X
    key_share: float  # probability that a pair of single photons with agreeing bases is in Z
    bound: Bound
    exact: bool  # False: the asymptotic limit
    leakage: Leakage
    f_ec: float
    eps_bound: float
    eps_correctness: float
    constants: float


class Analysis(NamedTuple):
    """Bounds and un-clamped key length of a block."""

    raw: float
    key_pairs: float
    test_pairs: float
    test_errors: float
    phase_error: float
    leak: float
    qber: float


def analyse(counts: Counts, setup: Setup) -> Analysis:
    """Bounds and un-clamped key length; scalar arithmetic, no validation."""
    (mu_a, nu_a, _), (mu_b, nu_b, _) = setup.intensities
    low, high = _scaled(counts.n_test, setup)
    wrong_low, wrong_high = _scaled(counts.m_test, setup)
    # the analytic yield bound of two decoy pairs, each count at the end that makes it smallest
    if mu_a * nu_b <= mu_b * nu_a:
        m, n, m_other, n_other = mu_a, nu_a, mu_b, nu_b
    else:
        m, n, m_other, n_other = mu_b, nu_b, mu_a, nu_a
    weak, strong = m / (n * n_other * (m - n)), n / (m * m_other * (m - n))
    pair = weak * (low[1][1] - high[1][2] - high[2][1]) - strong * (high[0][0] - low[0][2] - low[2][0])
    pair += (weak - strong) * low[2][2]
    error = (wrong_high[1][1] + wrong_high[2][2] - wrong_low[1][2] - wrong_low[2][1]) / (nu_a * nu_b)
    test_pairs = min(max(setup.singles_test * pair, 0.0), math.fsum(map(math.fsum, counts.n_test)))
    test_errors = max(setup.singles_test * error, 0.0)
    key_pairs = min(_in_key_basis(test_pairs, setup), counts.n_key)
    qber = counts.m_key / counts.n_key if counts.n_key > 0.0 else 0.0
    leak = setup.leakage(counts.n_key, qber, setup.eps_correctness, setup.f_ec)
    phase = 0.5
    if key_pairs > 0.0 and test_pairs > 0.0:
        if setup.exact:
            phase = phase_error_exact(test_errors, test_pairs, key_pairs, setup.eps_bound)
        else:
            phase = min(test_errors / test_pairs, 0.5)
    raw = key_pairs * (1.0 - binary_entropy_scalar(phase)) - leak - setup.constants
    return Analysis(raw, key_pairs, test_pairs, test_errors, phase, leak, qber)


def _scaled(counts: Table, setup: Setup) -> tuple[list[list[float]], list[list[float]]]:
    """Bounds on expected counts, times exp(mu_k + mu_l) / (p_k p_l): sums of mu_k^i mu_l^j / (i! j!) Y_ij.

    Given the photon numbers of all successes, the intensities are independent of each other and of the measurement, so
    every count is a sum of independent Bernoulli variables.
    """
    total, beta = math.fsum(map(math.fsum, counts)), -math.log(setup.eps_bound)
    low, high = [[0.0] * 3 for _ in range(3)], [[0.0] * 3 for _ in range(3)]
    for k, row in enumerate(counts):
        for m, count in enumerate(row):
            below, above = setup.bound(count, total, beta)
            weight = math.exp(setup.intensities[0][k] + setup.intensities[1][m])
            weight /= setup.probabilities[0][k] * setup.probabilities[1][m]
            low[k][m], high[k][m] = max(count - below, 0.0) * weight, (count + above) * weight
    return low, high


def _in_key_basis(test_pairs: float, setup: Setup) -> float:
    """Of successes of single photons, at least how many are in Z, given how many there are in X.

    Pairs of single photons are in the same mixed state in both bases, so each success is in Z with one probability.
    """
    share = setup.key_share
    if not setup.exact:
        return test_pairs * share / (1.0 - share)
    below, _ = BOUNDS["chernoff-implicit"](test_pairs, 0.0, -math.log(setup.eps_bound))
    total = float(math.floor(max(test_pairs - below, 0.0) / (1.0 - share)))
    return total - binomial_error_quantile(setup.eps_bound, total, 1.0 - share) if total >= 1.0 else 0.0


def _check_probabilities(name: str, values: Sequence[float]) -> tuple[float, ...]:
    p = tuple(float(value) for value in values)
    if len(p) != 3 or not (min(p) > 0.0 and abs(math.fsum(p) - 1.0) <= 1e-9):
        raise InputError(f"{name} = {p!r}: must be three positive numbers that add up to 1")
    return p


def key_length(
    transmittance_a: float,
    transmittance_b: float,
    *,
    intensities_a: Sequence[float],
    intensities_b: Sequence[float],
    p_dark: float,
    misalignment: float,
    f_ec: float = 1.16,
    pulses: float,
    signal_a: float,
    signal_b: float,
    probabilities_a: Sequence[float],
    probabilities_b: Sequence[float],
    p_z: float,
    eps_secrecy: float,
    eps_correctness: float,
    bound: str = "chernoff-implicit",
    leakage: str = "achievable",
    mode_overlap: float = 1.0,
) -> KeyLength:
    r"""Secret key of a block of pulse pairs, composably secure, from its expected counts.

    Parameters
    ----------
    transmittance_a, transmittance_b : float
        Whole links' transmittances in [0, 1], constant over the block. [1]
    intensities_a, intensities_b : sequence of float
        ``(mu, nu, 0.0)`` of each sender in the X basis, descending, at most 10. [1]
    p_dark, misalignment, mode_overlap : float
        As in :func:`satqkd.security.mdi.key_rate`. [1]
    f_ec : float
        Error-correction inefficiency, from 1 to 10. [1]
    pulses : float
        Pulse pairs sent, all bases and intensities, from 1 to 2^53. [1]
    signal_a, signal_b : float
        Intensity of each sender in the Z basis, the only one there; from 1e-6 to 10. [1]
    probabilities_a, probabilities_b : sequence of float
        Probabilities of (mu, nu, 0) *given* the X basis; positive, sum 1. [1]
    p_z : float
        Probability of each sender to choose Z, from 1e-6 to 1 - 1e-6. [1]
    eps_secrecy, eps_correctness : float
        Security parameters, from 1e-30 to 0.1. [1]
    bound : {"chernoff-implicit", "chernoff", "hoeffding", "asymptotic"}
        Inequality for the counts; the last is the limit of infinitely many pulses and claims nothing.
    leakage : str
        Model of :data:`satqkd.security.leakage.LEAKAGE`.

    Returns
    -------
    KeyLength
        ``n_key`` has the signals' successes in Z; ``n_test`` those in X for (mu, mu), (mu, nu), (mu, 0), (nu, mu), ...

    Raises
    ------
    InputError
        If a value is outside its range.

    Notes
    -----
    Structure of Curty et al. [1]_ with the intensities of Wang, Xu, Lo [2]_: decoys in X balance the arms, the signals
    in Z serve the key. Single-photon pairs in X and their errors follow from 7 counts and 4 error counts; how many
    there are in Z, from the random choice of basis; their phase errors, from exact random sampling. With 14 estimates
    of failure probability :math:`\varepsilon_1`,

    .. math:: \ell = s_{11}[1 - h(\phi)] - \mathrm{leak} - \log_2\frac{2}{\varepsilon_{cor}}
                     - 2\log_2\frac{1}{2\varepsilon_{PA}}, \qquad
              \varepsilon_{sec} = 2\sqrt{14\,\varepsilon_1} + \varepsilon_{PA},

    a tenth of it for :math:`\varepsilon_{PA}`. No key is credited for empty pulses; authentication is not included.

    References
    ----------
    .. [1] M. Curty et al., "Finite-key analysis for measurement-device-independent quantum key distribution", Nat.
       Commun. 5, 3732 (2014).
    .. [2] W. Wang, F. Xu, H.-K. Lo, "Asymmetric protocols for scalable high-rate measurement-device-independent quantum
       key distribution networks", Phys. Rev. X 9, 041012 (2019).
    """
    eta = [
        float(in_range(name, value, 0.0, 1.0))
        for name, value in (("transmittance_a", transmittance_a), ("transmittance_b", transmittance_b))
    ]
    for name, value, least, most in (
        ("p_dark", p_dark, 0.0, 0.5),
        ("misalignment", misalignment, 0.0, 0.5),
        ("mode_overlap", mode_overlap, 0.0, 1.0),
        ("f_ec", f_ec, 1.0, 10.0),
        ("pulses", pulses, 1.0, 2.0**53),
        ("signal_a", signal_a, 1e-6, 10.0),
        ("signal_b", signal_b, 1e-6, 10.0),
        ("p_z", p_z, 1e-6, 1.0 - 1e-6),
        ("eps_secrecy", eps_secrecy, 1e-30, 0.1),
        ("eps_correctness", eps_correctness, 1e-30, 0.1),
    ):
        in_range(name, value, least, most)
    levels = [
        (*(float(level) for level in check_intensities(name, values, "three-intensity")), 0.0)
        for name, values in (("intensities_a", intensities_a), ("intensities_b", intensities_b))
    ]
    chances = (
        _check_probabilities("probabilities_a", probabilities_a),
        _check_probabilities("probabilities_b", probabilities_b),
    )
    limit = bound == "asymptotic"
    smoothing, amplification = (1.0 - _AMPLIFICATION_SHARE) * eps_secrecy, _AMPLIFICATION_SHARE * eps_secrecy
    singles_test = math.prod(
        math.fsum(p * k * math.exp(-k) for p, k in zip(*side, strict=True))
        for side in zip(chances, levels, strict=True)
    )
    pairs_test = (1.0 - p_z) ** 2 * singles_test
    pairs_key = p_z**2 * signal_a * signal_b * math.exp(-signal_a - signal_b)
    setup = Setup(
        intensities=(levels[0], levels[1]),
        probabilities=chances,
        singles_test=singles_test,
        key_share=pairs_key / (pairs_key + pairs_test),
        bound=lookup_bound(bound),
        exact=not limit,
        leakage=lookup_leakage(leakage),
        f_ec=f_ec,
        eps_bound=(0.5 * smoothing) ** 2 / N_BOUNDS,
        eps_correctness=eps_correctness,
        constants=0.0 if limit else math.log2(2.0 / eps_correctness) + 2.0 * math.log2(0.5 / amplification),
    )
    receiver = {"p_dark": p_dark, "misalignment": misalignment, "mode_overlap": mode_overlap}
    key = z_basis(eta[0] * signal_a, eta[1] * signal_b, **receiver)
    test = x_basis(eta[0] * np.array(levels[0])[:, None], eta[1] * np.array(levels[1]), **receiver)
    pulses_x = pulses * (1.0 - p_z) ** 2 * np.outer(*chances)
    tables = [tuple(tuple(float(value) for value in row) for row in pulses_x * part) for part in test]
    counts = Counts(pulses * p_z**2 * float(key[0]), pulses * p_z**2 * float(key[1]), tables[0], tables[1])
    if limit:
        budget = EpsilonBudget(1.0, 0.0, {"asymptotic limit: nothing is claimed about a finite key": 1.0})
    else:
        statistics = f"{N_BOUNDS} estimates of {setup.eps_bound:.3g}, 2 sqrt(sum)"
        terms = {statistics: smoothing, "privacy amplification": amplification, "verification": eps_correctness}
        budget = EpsilonBudget(eps_secrecy, eps_correctness, terms)
    parameters = {
        "pulses": pulses, "p_z": p_z, "signals": (signal_a, signal_b), "intensities": setup.intensities,
        "intensity_probabilities": chances, "f_ec": f_ec,
    }  # fmt: skip
    return _pack(counts, setup, budget, parameters, {"bound": bound, "leakage": leakage})


def _pack(
    counts: Counts, setup: Setup, budget: EpsilonBudget, parameters: dict[str, object], options: dict[str, str]
) -> KeyLength:
    found = analyse(counts, setup)
    key_bits = max(0, math.floor(found.raw))
    return KeyLength(
        key_bits=key_bits,
        key_bits_raw=found.raw,
        reason=None if key_bits else _reason(counts, setup),
        sifted_bits=counts.n_key,
        qber=found.qber,
        n0_key_lower=0.0,
        n1_key_lower=found.key_pairs,
        n1_test_lower=found.test_pairs,
        m1_test_upper=found.test_errors,
        phase_error_upper=found.phase_error,
        leak_ec_bits=found.leak,
        n_key=(counts.n_key,),
        n_test=sum(counts.n_test, ()),
        m_key=(counts.m_key,),
        m_test=sum(counts.m_test, ()),
        epsilon=budget,
        parameters=parameters,
        options=options,
        citations=CITATIONS,
        intermediate={"eps_per_bound": setup.eps_bound, "constant_bits": setup.constants},
    )


def _reason(counts: Counts, setup: Setup) -> str:
    limit = replace(setup, bound=BOUNDS["asymptotic"], exact=False, leakage=block, constants=0.0)
    ideal = analyse(counts, limit)
    return explain_no_key(
        sifted_bits=counts.n_key,
        test_detections=math.fsum(map(math.fsum, counts.n_test)),
        qber=ideal.qber,
        phase_error=ideal.phase_error,
        key_of_counts=lambda factor: analyse(counts.scaled(factor, 1.0), setup).raw,
        asymptotic_key_of_errors=lambda factor: analyse(counts.scaled(1.0, factor), limit).raw,
    )
