"""The arithmetic behind :mod:`satqkd.security.three_intensity`: parameter checks, decoy bounds and the keys per basis.

Each mode is one function of :data:`MODES`, from the counts and a :class:`Setup` to an :class:`Analysis`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import decoy
from satqkd.security.bounds import BOUNDS, Bound
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.leakage import LEAKAGE, Leakage
from satqkd.security.sampling import phase_error_exact
from satqkd.security.tails import binomial_error_quantile

__all__ = [
    "BASES",
    "MODES",
    "N_BOUNDS",
    "Analysis",
    "Setup",
    "analyse",
    "check_counts",
    "check_protocol",
    "lookup_bound",
    "lookup_leakage",
]

BASES = ("z", "x")
N_BOUNDS = 12
"""Estimates behind one key in composable mode: 3 + 3 + 2 Chernoff bounds, 3 binomial quantiles, 1 random sampling."""

_MAX_RATIO = 0.98
_WORDS_BITS = 64.0
Triple = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """Checked parameters, and what follows from them for every evaluation."""

    mode: str
    intensities: tuple[float, float, float]
    probabilities: tuple[float, float, float]
    weights: tuple[float, float, float]
    bound: Bound
    eps_bound: float
    exact: bool  # thinning and sampling with their fluctuations; False: the asymptotic limit
    leakage: Leakage
    f_ec: float
    leak_ec_bits: tuple[float, float] | None
    eps_correctness: float  # per basis
    eps_amplification: float  # per basis
    packet_bits: float
    tags_per_packet: int

    @property
    def beta(self) -> float:
        """Logarithm of 1/eps of one bound."""
        return -math.log(self.eps_bound)

    def share(self, which: int, photons: int) -> float:
        """Probability that a pulse of ``photons`` photons has the intensity ``which``."""
        terms = [p * math.exp(-mu) * mu**photons for p, mu in zip(self.probabilities, self.intensities, strict=True)]
        return terms[which] / math.fsum(terms)


class Basis(NamedTuple):
    """What the counts of one basis say."""

    vacuum: float  # y0: empty pulses detected, as if every pulse were empty, at least; clamped
    singles: float  # y1: the same for single photons, not clamped
    n1_signal: float
    n1_decoy: float
    m1_decoy: float
    qber: float
    leak: float
    constants: float


class Analysis(NamedTuple):
    raw: tuple[float, float]
    bases: tuple[Basis, Basis]
    phase_error: tuple[float, float]
    details: dict[str, float | tuple[float, ...]]

    @property
    def raw_total(self) -> float:
        """Un-clamped length of both keys; of the better one if the other is negative."""
        return max(self.raw[0] + self.raw[1], *self.raw)


def check_protocol(intensities: Sequence[float], probabilities: Sequence[float]) -> tuple[Triple, Triple]:
    """Validated intensities and probabilities."""
    if len(intensities) != 3 or len(probabilities) != 3:
        raise InputError(
            f"intensities and intensity_probabilities: got {len(intensities)} and {len(probabilities)} values, "
            "must be three each (signal, decoy, vacuum)"
        )
    mu = tuple(float(x) for x in intensities)
    p = tuple(float(x) for x in probabilities)
    if not 0.0 <= mu[2] < mu[1] < mu[0] <= 100.0:
        raise InputError(
            f"intensities = {mu[0]:g}, {mu[1]:g}, {mu[2]:g}: must be descending, not negative, at most 100"
        )
    if mu[1] > _MAX_RATIO * mu[0] or mu[2] > _MAX_RATIO * mu[1]:
        raise InputError(
            f"intensities = {mu[0]:g}, {mu[1]:g}, {mu[2]:g}: neighbours must differ by at least "
            f"{100 * (1 - _MAX_RATIO):.0f} %, or the decoy bound is numerically void"
        )
    if not (min(p) > 0.0 and abs(math.fsum(p) - 1.0) <= 1e-9):
        raise InputError(f"intensity_probabilities = {p[0]:g}, {p[1]:g}, {p[2]:g}: must be positive and add up to 1")
    return mu, p


def check_counts(counts: SiftedCounts) -> None:
    """Refuse counts that cannot be."""
    for basis, detections, errors in (("z", counts.n_key, counts.m_key), ("x", counts.n_test, counts.m_test)):
        if len(detections) != 3 or len(errors) != 3:
            raise InputError(f"counts: the {basis} basis needs three detection and three error counts")
        for k, (n, m) in enumerate(zip(detections, errors, strict=True), start=1):
            if not 0.0 <= m <= n <= 2.0**53:
                raise InputError(
                    f"counts: {basis} basis, intensity {k}: {m!r} errors of {n!r} detections, "
                    "must satisfy 0 <= errors <= detections <= 2^53"
                )


def _yields(n: Triple, setup: Setup) -> tuple[float, float]:
    """Lower bounds y0 (clamped) and y1 (not): detections if every pulse were empty, or held one photon."""
    low, high = decoy.scaled_bounds(n, setup.weights, setup.bound, setup.beta)
    vacuum = max(0.0, decoy.vacuum_lower(low, high, setup.intensities, 1.0))
    return vacuum, decoy.single_yield_lower(low, high, setup.intensities)


def _leak(n_signal: float, qber: float, basis: int, setup: Setup) -> float:
    if setup.leak_ec_bits is not None:
        return setup.leak_ec_bits[basis]
    return setup.leakage(n_signal, qber, setup.eps_correctness, setup.f_ec)


def _published(n: Triple, m: Triple, basis: int, setup: Setup) -> Basis:
    """Eqs. 7 and 8: expected numbers of single photons, taken for the numbers themselves."""
    mu, p = setup.intensities, setup.probabilities
    vacuum, singles = _yields(n, setup)
    n1_signal = p[0] * mu[0] * math.exp(-mu[0]) * singles
    n1_decoy = p[1] * mu[1] * math.exp(-mu[1]) * singles
    m1_decoy = m[1] + setup.bound(m[1], math.fsum(m), setup.beta)[1] - 0.5 * p[1] * math.exp(-mu[1]) * vacuum
    qber = m[0] / n[0] if n[0] > 0.0 else 0.0
    return Basis(
        vacuum,
        singles,
        min(max(n1_signal, 0.0), n[0]),
        max(n1_decoy, 0.0),
        max(m1_decoy, 0.0),
        qber,
        _leak(n[0], qber, basis, setup),
        0.0,
    )


def _thinned(total: float, share: float, setup: Setup) -> float:
    """Of at least ``total`` events, each kept with probability ``share``: how many are kept at least."""
    if total <= 0.0:
        return 0.0
    if not setup.exact:
        return total * share
    whole = float(math.floor(total))
    return whole - binomial_error_quantile(setup.eps_bound, whole, 1.0 - share)


def _certified(n: Triple, m: Triple, basis: int, setup: Setup) -> Basis:
    """Numbers of single photons that occurred, each step with its own failure probability."""
    mu, p = setup.intensities, setup.probabilities
    vacuum, singles = _yields(n, setup)
    sent = [math.fsum(q * math.exp(-k) * k**i for q, k in zip(p, mu, strict=True)) for i in (0, 1)]
    n0, n1 = min(vacuum * sent[0], math.fsum(n)), min(max(singles * sent[1], 0.0), math.fsum(n))
    n1_decoy = min(_thinned(n1, setup.share(1, 1), setup), n[1])
    # an empty pulse's bit is an unbiased coin that nobody holds: half of the decoy's empty detections are errors
    m0_decoy = _thinned(n0, 0.5 * setup.share(1, 0), setup)
    qber = m[0] / n[0] if n[0] > 0.0 else 0.0
    return Basis(
        vacuum,
        singles,
        min(_thinned(n1, setup.share(0, 1), setup), n[0]),
        n1_decoy,
        max(0.0, m[1] - m0_decoy),
        qber,
        _leak(n[0], qber, basis, setup),
        _constants(n[0], setup),
    )


def _tag_bits(n_signal: float, setup: Setup) -> tuple[float, float]:
    """Bits of the verification tags of a basis, and key bits its authentication uses up."""
    packets = max(1.0, math.ceil(n_signal / setup.packet_bits))
    words = math.ceil(min(setup.packet_bits, max(n_signal, 1.0)) / _WORDS_BITS)
    verification = packets * math.ceil(math.log2(packets * words / setup.eps_correctness))
    return verification, 128.0 * packets * setup.tags_per_packet


def _constants(n_signal: float, setup: Setup) -> float:
    if not setup.exact:
        return 0.0
    return 2.0 * math.log2(0.5 / setup.eps_amplification) + math.fsum(_tag_bits(n_signal, setup))


def _phase_published(test: Basis, key: Basis, setup: Setup) -> float:
    return test.m1_decoy / test.n1_decoy


def _phase_certified(test: Basis, key: Basis, setup: Setup) -> float:
    if not setup.exact:
        return test.m1_decoy / test.n1_decoy
    return phase_error_exact(test.m1_decoy, test.n1_decoy, key.n1_signal, setup.eps_bound)


Mode = tuple[Callable[[Triple, Triple, int, Setup], Basis], Callable[[Basis, Basis, Setup], float]]

MODES: Mapping[str, Mode] = MappingProxyType(
    {"paper": (_published, _phase_published), "composable": (_certified, _phase_certified)}
)
"""Per mode: estimates from the counts of a basis, and the phase error of a key from the other basis."""


def analyse(counts: SiftedCounts, setup: Setup) -> Analysis:
    """Bounds and un-clamped key lengths of a block; scalar arithmetic, no validation."""
    estimate, phase = MODES[setup.mode]
    rows = ((counts.n_key, counts.m_key), (counts.n_test, counts.m_test))
    bases = tuple(estimate(n, m, basis, setup) for basis, (n, m) in enumerate(rows))
    raw, phases = [], []
    details: dict[str, float | tuple[float, ...]] = {"eps_per_bound": setup.eps_bound}
    for basis, name in enumerate(BASES):
        key, test = bases[basis], bases[1 - basis]
        if key.n1_signal > 0.0 and test.n1_decoy > 0.0:
            error = min(max(phase(test, key, setup), 0.0), 0.5)
            secret = key.n1_signal * (1.0 - binary_entropy_scalar(error))
        else:  # nothing is known about the single photons: nothing may be credited
            error, secret = 0.5, 0.0
        raw.append(secret - key.leak - key.constants)
        phases.append(error)
        details |= {
            f"vacuum_yield_{name}": key.vacuum,
            f"single_yield_{name}": key.singles,
            f"n1_signal_lower_{name}": key.n1_signal,
            f"n1_decoy_lower_{name}": key.n1_decoy,
            f"m1_decoy_upper_{name}": key.m1_decoy,
            f"phase_error_upper_{name}": error,
            f"leak_ec_bits_{name}": key.leak,
            f"constant_bits_{name}": key.constants,
            f"key_bits_raw_{name}": raw[-1],
        }
    return Analysis((raw[0], raw[1]), (bases[0], bases[1]), (phases[0], phases[1]), details)


def lookup_bound(name: str) -> Bound:
    """Concentration inequality by name."""
    if name not in BOUNDS:
        raise InputError(f"bound = {name!r}: must be one of {', '.join(BOUNDS)}")
    return BOUNDS[name]


def lookup_leakage(name: str) -> Leakage:
    """Leakage model by name."""
    if name not in LEAKAGE:
        raise InputError(f"leakage = {name!r}: must be one of {', '.join(LEAKAGE)}")
    return LEAKAGE[name]
