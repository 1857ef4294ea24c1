"""The arithmetic behind :mod:`satqkd.security.variable_length`: parameter checks and the analysis of one block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.receivers import RECEIVERS, ReceiverCounts
from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.result import EpsilonBudget

__all__ = ["Analysis", "Setup", "analyse", "asymptotic_secret", "check", "check_counts", "scaled"]

Array = NDArray[np.float64]
COUNTS = ("expected", "rounded")
CONVENTIONS = ("composable", "published")
PROGRAMS = ("reduced", "full")
SHARE = 1e-3  # of eps_total, for privacy amplification and for verification


@dataclass(frozen=True, slots=True)
class Setup:
    """Checked parameters, and what follows from them for every evaluation."""

    receiver: str
    pulses: float
    intensities: Array
    probabilities: Array
    p_test_basis: float
    split: float
    disclosure: float
    p_dark: float
    detector_efficiency: float
    f_ec: float
    eps_total: float
    eps_basis: float
    eps_bound: float
    n_bounds: int
    photon_cut: int
    program: str
    counts: str
    convention: str

    @property
    def bases(self) -> int:
        """Number of bases that give a key."""
        return 2 if self.receiver == "symmetric-passive" else 1

    @property
    def penalty(self) -> float:
        """Constant term per basis. [bit]"""
        return penalty_bits(self.eps_basis)

    @property
    def sizes(self) -> Array:
        """Pulses, Alice's pulses in Z and in X (whole numbers), photon cut."""
        return block_sizes(self.receiver, self.pulses, self.p_test_basis, self.photon_cut)

    @property
    def passive(self) -> Array:
        """Largest probability of a count without light in Z, in X; least multi-click probability of two photons."""
        return passive_terms(self.receiver, self.p_test_basis, self.split, self.p_dark, self.detector_efficiency)

    @property
    def budget(self) -> EpsilonBudget:
        """What is claimed of the keys of all bases together."""
        eps, many = self.eps_basis, float(self.bases)
        secrecy, correct = many * eps * (1.0 - SHARE), many * eps * SHARE
        where = " of each basis" if self.bases == 2 else ""
        return EpsilonBudget(
            secrecy,
            correct,
            {
                f"parameter estimation{where} (2 sqrt(eps), {self.n_bounds} bounds)": many * eps * (1.0 - 2.0 * SHARE),
                "privacy amplification": many * eps * SHARE,
                "verification": correct,
            },
        )


class Analysis(NamedTuple):
    raw: float
    """Un-clamped key of this basis. [bit]"""
    secret: float
    leak: float
    qber: float
    values: dict[str, float]
    ends: Array
    feasible: bool


def penalty_bits(eps_basis: float) -> float:
    """log2(1 / (2 eps_PA^2 eps_cor)) of a basis. [bit]"""
    return -1.0 - 3.0 * math.log2(SHARE * eps_basis)


def block_sizes(receiver: str, pulses: float, p_test: float, photon_cut: int) -> Array:
    """Pulses, Alice's pulses in Z and in X to the nearest whole number, photon cut."""
    active = receiver == "active"
    z, x = ((1.0 - p_test) ** 2, p_test * p_test) if active else (1.0 - p_test, p_test)
    sizes = (math.ceil(pulses), math.floor(pulses * z + 0.5), math.floor(pulses * x + 0.5), photon_cut)
    return np.array(sizes, float)


def passive_terms(receiver: str, p_test: float, split: float, p_dark: float, efficiency: float) -> Array:
    """q_Z and q_X (Eqs. 59, 64) and lambda_min (Eq. 66); zero unless asymmetric passive."""
    if receiver != "asymmetric-passive":
        return np.zeros(3)
    dark = 2.0 * p_dark * (1.0 - p_dark) ** 3
    return np.array([(1.0 - p_test) * dark, p_test * dark, efficiency**2 * 2.0 * split * (1.0 - split)])


def epsilon_per_bound(eps_basis: float, n_bounds: int) -> float:
    """Equal share of eps_PE = ((eps - eps_PA - eps_cor) / 2)^2."""
    return (0.5 * eps_basis * (1.0 - 2.0 * SHARE)) ** 2 / n_bounds


def bound_count(receiver: str, program: str, photon_cut: int) -> int:
    """Statistical bounds that share the parameter-estimation budget."""
    return (21 if program == "reduced" else 4 * photon_cut + 31) + (3 if receiver == "asymmetric-passive" else 0)


def _choice(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"{name} = {value!r}: must be one of {', '.join(allowed)}")


def check(
    *,
    receiver: str,
    pulses: float,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    p_test_basis: float,
    split: float | None,
    disclosure: float | None,
    p_dark: float,
    detector_efficiency: float,
    f_ec: float,
    eps_total: float,
    photon_cut: int,
    program: str,
    counts: str,
    convention: str,
) -> Setup:
    """Validate everything that does not depend on the counts."""
    _choice("receiver", receiver, tuple(RECEIVERS))
    _choice("program", program, PROGRAMS)
    _choice("counts", counts, COUNTS)
    _choice("convention", convention, CONVENTIONS)
    if not 1.0 <= pulses <= 1e15:
        raise InputError(f"pulses = {pulses!r}: must be between 1 and 1e15")
    if len(intensities) != 3 or len(intensity_probabilities) != 3:
        raise InputError(
            f"intensities and intensity_probabilities: got {len(intensities)} and {len(intensity_probabilities)} "
            "values, must be three each (signal, decoy, weakest)"
        )
    mu, p = np.array(intensities, float), np.array(intensity_probabilities, float)
    if not 0.0 <= mu[2] < mu[1] < mu[0] <= 10.0:
        raise InputError(f"intensities = {', '.join(f'{m:g}' for m in mu)}: must be descending, between 0 and 10")
    if not (p.min() > 0.0 and abs(float(p.sum()) - 1.0) <= 1e-9):
        raise InputError(
            f"intensity_probabilities = {', '.join(f'{x:g}' for x in p)}: must be positive and add up to 1"
        )
    if not 0.0 < p_test_basis < 1.0:
        raise InputError(f"p_test_basis = {p_test_basis!r}: must be strictly between 0 and 1")
    split, disclosure = _passive_options(receiver, p_test_basis, split, disclosure)
    if not 0.0 <= p_dark < 0.5:
        raise InputError(f"p_dark = {p_dark!r}: must be at least 0 and below 0.5")
    if not 0.0 < detector_efficiency <= 1.0:
        raise InputError(f"detector_efficiency = {detector_efficiency!r}: must be above 0 and at most 1")
    if not 1.0 <= f_ec <= 1000.0:
        raise InputError(f"f_ec = {f_ec!r}: must be between 1 and 1000")
    if not 1e-100 <= eps_total <= 0.1:
        raise InputError(f"eps_total = {eps_total!r}: must be between 1e-100 and 0.1")
    if isinstance(photon_cut, bool) or photon_cut != int(photon_cut) or not 2 <= photon_cut <= 100:
        raise InputError(f"photon_cut = {photon_cut!r}: must be a whole number between 2 and 100")
    n_bounds = bound_count(receiver, program, int(photon_cut))
    halved = receiver == "symmetric-passive" and convention == "composable"
    eps_basis = 0.5 * eps_total if halved else float(eps_total)
    return Setup(
        receiver=receiver,
        pulses=float(pulses),
        intensities=mu,
        probabilities=p,
        p_test_basis=float(p_test_basis),
        split=split,
        disclosure=disclosure,
        p_dark=float(p_dark),
        detector_efficiency=float(detector_efficiency),
        f_ec=float(f_ec),
        eps_total=float(eps_total),
        eps_basis=eps_basis,
        eps_bound=epsilon_per_bound(eps_basis, n_bounds),
        n_bounds=n_bounds,
        photon_cut=int(photon_cut),
        program=program,
        counts=counts,
        convention=convention,
    )


def _passive_options(
    receiver: str, p_test_basis: float, split: float | None, disclosure: float | None
) -> tuple[float, float]:
    """Split and disclosure that the receiver has; an option it does not have must be left out."""
    asymmetric, symmetric = receiver == "asymmetric-passive", receiver == "symmetric-passive"
    if asymmetric and (split is None or not 0.0 < split < 1.0):
        raise InputError(f"split = {split!r}: an asymmetric passive receiver needs a value strictly between 0 and 1")
    if symmetric and (disclosure is None or not 0.0 < disclosure < 1.0):
        raise InputError(f"disclosure = {disclosure!r}: a symmetric passive receiver needs a value between 0 and 1")
    if symmetric and p_test_basis != 0.5:
        raise InputError(f"p_test_basis = {p_test_basis!r}: must be 0.5 with a symmetric passive receiver")
    if not asymmetric and split not in ((None, 0.5) if symmetric else (None,)):
        raise InputError(f"split = {split!r}: only an asymmetric passive receiver has one; leave it out")
    if not symmetric and disclosure is not None:
        raise InputError(f"disclosure = {disclosure!r}: only a symmetric passive receiver has one; leave it out")
    return (0.5 if split is None else float(split)), (0.5 if disclosure is None else float(disclosure))


def check_counts(counts: SiftedCounts, setup: Setup) -> None:
    """Validate an experiment's counts."""
    sizes = setup.sizes
    for basis, sent, found, errors in (
        ("key", sizes[1], counts.n_key, counts.m_key),
        ("test", sizes[2], counts.n_test, counts.m_test),
    ):
        if len(found) != 3 or len(errors) != 3:
            raise InputError(f"counts: the {basis} basis needs three detection and three error counts")
        for k, (n, m) in enumerate(zip(found, errors, strict=True), start=1):
            if not 0.0 <= m <= n < math.inf:
                raise InputError(
                    f"counts: {basis} basis, intensity {k}: {m!r} errors of {n!r} detections, "
                    "must satisfy 0 <= errors <= detections"
                )
        if sum(found) > max(sent, 1.0):
            raise InputError(
                f"counts: {sum(found):.10g} detections in the {basis} basis, must be at most the {sent:.10g} pulses "
                "sent in it"
            )
    multi = getattr(counts, "multi_clicks", 0.0)
    if not 0.0 <= multi <= setup.pulses:
        raise InputError(f"counts: multi_clicks = {multi!r}: must be between 0 and pulses = {setup.pulses!r}")
    if setup.receiver == "asymmetric-passive" and not isinstance(counts, ReceiverCounts):
        raise InputError("counts: an asymmetric passive receiver needs ReceiverCounts, which hold the multi-clicks")


def analyse(counts: SiftedCounts, setup: Setup, *, qber: float | None = None, leak: float | None = None) -> Analysis:
    """Bounds and un-clamped key of one basis; ``qber``, ``leak``: if not those that follow from the counts."""
    from satqkd.security import _variable_length_kernels as kernels

    rows = np.array([counts.n_key, counts.n_test, counts.m_test], float)
    multi = float(getattr(counts, "multi_clicks", 0.0))
    ends, out = np.zeros((3, 2, 3)), np.zeros(kernels.SIZE)
    solve = kernels.analyse if setup.program == "reduced" else _analyse_full
    log_eps = math.log(setup.eps_bound)
    secret = float(
        solve(rows, setup.sizes, setup.intensities, setup.probabilities, multi, setup.passive, log_eps, ends, out)
    )
    total = math.fsum(counts.n_key)
    if qber is None:
        qber = math.fsum(counts.m_key) / total if total > 0.0 else 0.0
    if leak is None:
        leak = setup.f_ec * total * binary_entropy_scalar(min(qber, 0.5))
    values = dict(zip(kernels.FIELDS, out.tolist(), strict=True))
    feasible = values.pop("infeasible") == 0.0
    return Analysis(secret - leak - setup.penalty, secret, leak, qber, values, ends, feasible)


def _analyse_full(
    counts: Array,
    sizes: Array,
    mu: Array,
    p: Array,
    multi: float,
    passive: Array,
    log_eps: float,
    ends: Array,
    out: Array,
) -> float:
    """Like the compiled analysis, by the full program."""
    from satqkd.security import _decoy_kernels, _tail_kernels
    from satqkd.security import _variable_length_kernels as kernels
    from satqkd.security._full_program import single_photon_bounds

    cut = int(sizes[3])
    label = np.empty((3, cut + 1))
    beyond = _decoy_kernels.label_probabilities(mu, p, cut, label)
    i = np.arange(cut + 1.0)
    factorial = np.array([math.gamma(k + 1.0) for k in i])
    photon = sum(p[j] * np.exp(-mu[j]) * mu[j] ** i for j in range(3)) / factorial
    eps, z = math.exp(log_eps), _tail_kernels.normal_quantile(log_eps)
    for s in range(3):
        total, sent = float(counts[s].sum()), float(sizes[1 if s == 0 else 2])
        for k in range(3):
            ends[s, 0, k] = _tail_kernels.mean_lower(counts[s, k], total, log_eps, z)
            ends[s, 1, k] = _tail_kernels.mean_upper(counts[s, k], total, log_eps, z)
        out[3 * s] = _tail_kernels.upper_threshold(sent, beyond, 1.0 - beyond, log_eps)
        low, high, solved = single_photon_bounds(total, ends[s, 0], ends[s, 1], sent, label, photon, beyond, eps)
        out[3 * s + 1], out[3 * s + 2] = low, high
        if not solved:
            out[20], out[21] = 0.5, 1.0
            return 0.0
    kernels.conclude(out, sizes[0], multi, passive[0], passive[1], passive[2], log_eps)
    return float(out[12] * (1.0 - binary_entropy_scalar(out[20])))


def asymptotic_secret(counts: SiftedCounts, setup: Setup) -> tuple[float, float]:
    """n_1 (1 - h(phi)) and phi without fluctuations: what infinitely many pulses at the same rates give."""
    from satqkd.security import _decoy_kernels

    label = np.empty((3, setup.photon_cut + 1))
    beyond = _decoy_kernels.label_probabilities(setup.intensities, setup.probabilities, setup.photon_cut, label)
    sizes, passive, found = setup.sizes, setup.passive, []
    for sent, row in ((sizes[1], counts.n_key), (sizes[2], counts.n_test), (sizes[2], counts.m_test)):
        exact, total = np.array(row, float), float(sum(row))
        # rounding must not make the equations contradict each other: a relative 1e-10 of room
        room = 1e-10 * total
        ends = np.maximum(exact - room, 0.0), np.minimum(exact + room, total)
        found.append(_decoy_kernels.single_photon_bounds(total, *ends, sent * beyond + room, label))
    key, test, errors = found[0][0], found[1][0], found[2][1]
    if passive[2] > 0.0:
        multi_photon = getattr(counts, "multi_clicks", 0.0) / passive[2]
        key -= setup.pulses * passive[0] + multi_photon
        test -= setup.pulses * passive[1] + multi_photon
    if key <= 0.0 or test <= 0.0:
        return 0.0, 0.5
    phase_error = min(errors / test, 0.5)
    return key * (1.0 - binary_entropy_scalar(phase_error)), phase_error


def scaled(setup: Setup, factor: float) -> Setup:
    """The same protocol with ``factor`` times as many pulses."""
    return replace(setup, pulses=setup.pulses * factor)
