"""From counts of measurement-device-independent QKD to a key: four intensities per sender, independent on the sides."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

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


def pack(
    counts: Counts, setup: Setup, budget: EpsilonBudget, parameters: dict[str, object], options: dict[str, str]
) -> KeyLength:
    """Key of the counts, with every intermediate bound and, if there is none, a reason."""
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
