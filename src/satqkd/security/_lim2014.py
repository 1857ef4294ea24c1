"""The arithmetic behind :mod:`satqkd.security.lim2014`: parameter checks and the key length of one block."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import decoy
from satqkd.security.bounds import BOUNDS, Bound
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.leakage import LEAKAGE, Leakage, block
from satqkd.security.sampling import N_SECRECY_TERMS, SAMPLING, Sampling

__all__ = ["Analysis", "Setup", "analyse", "asymptotic_limit", "check"]

_MAX_DECOY_RATIO = 0.98
Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Setup:
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


class Analysis(NamedTuple):
    raw_total: float
    n0_key: float
    n1_key: float
    n1_test: float
    m1_test: float
    phase_error: float
    leak: float
    qber: float
    details: dict[str, float | tuple[float, ...]]


def _lookup(what: str, table: Mapping[str, Model], name: str) -> Model:
    if name not in table:
        raise InputError(f"{what} = {name!r}: must be one of {', '.join(table)}")
    return table[name]


def check(
    intensities: Sequence[float],
    probabilities: Sequence[float],
    eps_correctness: float,
    eps_secrecy: float,
    passes: int,
    bound: str,
    sampling: str,
    leakage: str,
    f_ec: float,
) -> Setup:
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
    if isinstance(passes, bool) or not (passes >= 1 and float(passes).is_integer()):
        raise InputError(f"passes = {passes!r}: must be a whole number of at least 1")
    if not 1.0 <= f_ec <= 1000.0:
        raise InputError(f"f_ec = {f_ec!r}: must be between 1 and 1000")
    options = {"bound": bound, "sampling": sampling, "leakage": leakage}
    finite = bound != "asymptotic"
    chosen_sampling = _lookup("sampling", SAMPLING, sampling)
    constants = 6.0 * math.log2(N_SECRECY_TERMS / eps_secrecy) + math.log2(2.0 / eps_correctness)
    return Setup(
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
        bound=_lookup("bound", BOUNDS, bound),
        sampling=chosen_sampling if finite else no_sampling,
        leakage=_lookup("leakage", LEAKAGE, leakage),
    )


def no_sampling(errors_upper: float, test_lower: float, key_lower: float, eps_secrecy: float) -> float:
    """Phase error without sampling correction: the asymptotic limit."""
    del key_lower, eps_secrecy
    return min(errors_upper / test_lower, 0.5) if test_lower > 0.0 else 0.5


def analyse(counts: SiftedCounts, setup: Setup) -> Analysis:
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
    return Analysis(raw, s0_key, s1_key, s1_test, v_test, phase_error, leak, qber, details)


def asymptotic_limit(setup: Setup) -> Setup:
    """The same protocol with infinitely many pulses: no fluctuations, no constants, leakage f n h."""
    return replace(setup, bound=BOUNDS["asymptotic"], sampling=no_sampling, leakage=block, constants=0.0)
