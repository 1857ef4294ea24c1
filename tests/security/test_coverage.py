"""How often each bound fails on its worst-case distribution, against the probability that it states.

Failure probabilities are sums over exact distributions, not samples, wherever a bound stands alone: the distribution's
parameter is put at the very place where an outcome is about to be covered, for every outcome, and the worst is taken.
Estimates made of several bounds are simulated and judged by a Clopper-Pearson limit.

A bound passes if its worst failure rate is at most eps and as near to eps as the bound is known to be. Every check
is also run on mutants of the bound (tails swapped, eps doubled, deviation halved), which must not pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution
from scipy.stats import binom, hypergeom, norm, poisson

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.security import _three_intensity as core
from satqkd.security import decoy
from satqkd.security.bounds import BOUNDS, Bound
from satqkd.security.sampling import SAMPLING, phase_error_exact
from satqkd.security.tails import binomial_error_quantile, hypergeometric_upper_count
from satqkd.security.three_intensity import key_length

EPS = (1e-2, 1e-3)

# ---- concentration inequalities, each side alone


def swapped(bound: Bound) -> Bound:
    return lambda count, total, beta: bound(count, total, beta)[::-1]


def doubled(bound: Bound) -> Bound:
    return lambda count, total, beta: bound(count, total, beta - math.log(2.0))


def halved(bound: Bound) -> Bound:
    def mutant(count: float, total: float, beta: float) -> tuple[float, float]:
        minus, plus = bound(count, total, beta)
        return 0.5 * minus, 0.5 * plus

    return mutant


def worst_poisson(bound: Bound, eps: float) -> tuple[float, float]:
    """Largest failure rates (lower, upper bound) over all Poisson laws, the limit of many rare events.

    The upper bound of outcome x fails for all means above it, most often just above, and then for all outcomes up
    to x (bounds rise with the outcome); the lower bound likewise. Outcomes up to 400, and some up to 1e6.
    """
    outcomes = np.concatenate([np.arange(0.0, 400.0), [1e3, 1e4, 1e5, 1e6]])
    minus, plus = np.array([bound(x, 0.0, -math.log(eps)) for x in outcomes]).T
    upper = poisson.cdf(outcomes, outcomes + plus)
    lower = np.where(outcomes > minus, poisson.sf(outcomes - 1.0, np.maximum(outcomes - minus, 0.0)), 0.0)
    return float(lower.max()), float(upper.max())


def worst_binomial(bound: Bound, eps: float, total: int) -> tuple[float, float]:
    """The same over all binomial laws with ``total`` trials."""
    outcomes = np.arange(0.0, total + 1.0)
    minus, plus = np.array([bound(x, float(total), -math.log(eps)) for x in outcomes]).T
    high, low = (outcomes + plus) / total, (outcomes - minus) / total
    upper = np.where(high < 1.0, binom.cdf(outcomes, total, np.clip(high, 0.0, 1.0)), 0.0)
    lower = np.where(low > 0.0, binom.sf(outcomes - 1.0, total, np.clip(low, 0.0, 1.0)), 0.0)
    return float(lower.max()), float(upper.max())


class Known(NamedTuple):
    """Share of eps that the bounds (lower, upper) spend at their worst, by what is known of them."""

    worst: Callable[[Bound, float], tuple[float, float]]
    shares: dict[float, tuple[float, float]]


def _normal_limit(eps: float) -> float:
    """A bound at a quadratic exponent of ln(1/eps) is a normal deviate of sqrt(2 ln(1/eps)) for large counts."""
    return float(norm.sf(math.sqrt(-2.0 * math.log(eps)))) / eps


def _first_count(eps: float) -> float:
    """Lower implicit Chernoff bound of one count: E exp(1 - E) = eps, failing with probability 1 - exp(-E)."""
    mean = eps / math.e
    for _ in range(60):
        mean = eps / math.e * math.exp(mean)
    return -math.expm1(-mean) / eps


KNOWN = {
    # zero counts with mean ln(1/eps) have probability eps: the upper bound is tight; the lower one loses a factor e
    "chernoff-implicit": Known(worst_poisson, {eps: (_first_count(eps), 1.0) for eps in EPS}),
    # the closed form is widest for few counts, so it is large counts that it covers worst
    "chernoff": Known(worst_poisson, {eps: (_normal_limit(eps), _normal_limit(eps)) for eps in EPS}),
    # tight only for fair coins, and there in the same limit
    "hoeffding": Known(
        lambda bound, eps: worst_binomial(bound, eps, 20_000),
        {eps: (_normal_limit(eps), _normal_limit(eps)) for eps in EPS},
    ),
}


def covers(bound: Bound, known: Known, eps: float) -> bool:
    """At most eps, and the share of it that the bound is known to spend (5 %: the limits are not quite reached)."""
    found = known.worst(bound, eps)
    return max(found) <= eps * (1 + 1e-9) and found == pytest.approx([eps * s for s in known.shares[eps]], rel=0.05)


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("name", KNOWN)
def test_concentration_inequality_covers_and_its_mutants_do_not(name: str, eps: float) -> None:
    bound, known = BOUNDS[name], KNOWN[name]
    assert covers(bound, known, eps)
    assert not covers(doubled(bound), known, eps)
    assert not covers(halved(bound), known, eps)
    if name == "hoeffding":  # its two sides are the same number
        assert swapped(bound)(3.0, 50.0, 5.0) == bound(3.0, 50.0, 5.0)
    else:
        assert not covers(swapped(bound), known, eps)
    assert not covers(BOUNDS["asymptotic"], known, eps)


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("name", ["chernoff", "chernoff-implicit", "hoeffding"])
@pytest.mark.parametrize("total", [5, 50, 1000])
def test_concentration_inequality_covers_every_binomial_law(name: str, eps: float, total: int) -> None:
    """Sums of a few trials fail less often than rare events."""
    assert max(worst_binomial(BOUNDS[name], eps, total)) <= eps


# ---- exact bounds


def spends(rate: float, eps: float) -> bool:
    """At most eps, and not so little that the bound could not be called exact."""
    return eps / 50.0 <= rate <= eps * (1 + 1e-6)


UpperCount = Callable[[int, int, int, float], float]


def worst_hypergeometric(bound: UpperCount, eps: float, population: int, sample: int) -> float:
    """Largest probability that the true number of marked items reaches the bound, over all numbers."""
    marked = np.arange(population + 1)
    limits = np.array([bound(population, sample, m, eps) for m in range(sample + 1)])
    m = np.arange(sample + 1)
    probability = hypergeom.pmf(m[:, None], population, marked[None, :], sample)
    return float((probability * (marked[None, :] >= limits[:, None])).sum(axis=0).max())


HYPERGEOMETRIC: dict[str, UpperCount] = {
    "tail swapped": lambda n, k, m, eps: n - hypergeometric_upper_count(n, k, k - m, eps),
    "eps doubled": lambda n, k, m, eps: hypergeometric_upper_count(n, k, m, 2.0 * eps),
    "deviation halved": lambda n, k, m, eps: math.ceil(
        m * n / k + 0.5 * (hypergeometric_upper_count(n, k, m, eps) - m * n / k)
    ),
}


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize(("population", "sample"), [(400, 60), (500, 250), (1500, 40)])
def test_hypergeometric_count_spends_its_eps_and_its_mutants_do_not(eps: float, population: int, sample: int) -> None:
    assert spends(worst_hypergeometric(hypergeometric_upper_count, eps, population, sample), eps)
    for name, mutant in HYPERGEOMETRIC.items():
        assert not spends(worst_hypergeometric(mutant, eps, population, sample), eps), name


Quantile = Callable[[float, float, float], float]


def worst_quantile(quantile: Quantile, eps: float) -> float:
    """Largest probability of more errors than the quantile, over trials and error probabilities."""
    trials = (1, 3, 20, 100, 1000, 30_000)
    return max(
        float(binom.sf(quantile(eps, float(n), p), n, p)) for n in trials for p in (1e-4, 0.003, 0.02, 0.11, 0.3, 0.5)
    )


QUANTILE: dict[str, Quantile] = {
    "tail swapped": lambda eps, n, p: n - binomial_error_quantile(eps, n, 1.0 - p),
    "eps doubled": lambda eps, n, p: binomial_error_quantile(2.0 * eps, n, p),
    "deviation halved": lambda eps, n, p: math.floor(n * p + 0.5 * (binomial_error_quantile(eps, n, p) - n * p)),
}


@pytest.mark.parametrize("eps", EPS)
def test_binomial_quantile_spends_its_eps_and_its_mutants_do_not(eps: float) -> None:
    assert spends(worst_quantile(binomial_error_quantile, eps), eps)
    for name, mutant in QUANTILE.items():
        assert not spends(worst_quantile(mutant, eps), eps), name


PhaseError = Callable[[float, float, float, float], float]


def worst_sampling(phase: PhaseError, eps: float, test: int, key: int) -> float:
    """Largest probability that the key's error rate exceeds the bound, over all numbers of errors (up to half)."""
    limits = np.array([phase(float(m), float(test), float(key), eps) for m in range(test + 1)])
    m, marked = np.arange(test + 1)[:, None], np.arange((test + key) // 2 + 1)[None, :]
    fails = ((marked - m) / key > limits[:, None] * (1 + 1e-12)) & (limits[:, None] < 0.5)  # 1/2 claims nothing
    return float((hypergeom.pmf(m, test + key, marked, test) * fails).sum(axis=0).max())


SAMPLING_MUTANTS: dict[str, PhaseError] = {
    "tail swapped": lambda m, n, k, eps: (
        max(0.0, n + k - hypergeometric_upper_count(n + k, n, n - m, eps) - m) / k if m < n else 0.5
    ),
    "eps doubled": lambda m, n, k, eps: phase_error_exact(m, n, k, 2.0 * eps),
    "deviation halved": lambda m, n, k, eps: 0.5 * (m / n + phase_error_exact(m, n, k, eps)),
    "published closed form": lambda m, n, k, eps: SAMPLING["lim2014"](m, n, k, 21.0 * eps),
}


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize(("test", "key"), [(60, 400), (200, 300)])
def test_sampling_spends_its_eps_and_its_mutants_do_not(eps: float, test: int, key: int) -> None:
    """The closed form of Lim et al. is among the mutants: it vanishes where no error is seen."""
    assert spends(worst_sampling(phase_error_exact, eps, test, key), eps)
    assert spends(worst_sampling(lambda m, n, k, e: SAMPLING["exact"](m, n, k, 21.0 * e), eps, test, key), eps)
    for name, mutant in SAMPLING_MUTANTS.items():
        assert not spends(worst_sampling(mutant, eps, test, key), eps), name


# ---- decoy estimates, at extreme points of what an eavesdropper can do

RUNS = 3000
MU, PROBABILITIES = (0.5, 0.1, 0.0005), (0.6, 0.3, 0.1)
SENT = np.array(
    [[p * math.exp(-m) * m**n / math.factorial(n) for m, p in zip(MU, PROBABILITIES, strict=True)] for n in range(8)]
)
TAU = tuple(SENT.sum(axis=1).tolist())
SHARES = SENT / SENT.sum(axis=1, keepdims=True)
"""How the detections of n photons divide among the intensities, whatever happened on the way."""

CHANNELS = {
    "several photons lost": (2e7, [2e-5, 2e-3, 0, 0, 0, 0, 0, 0]),
    "several photons lost, long block": (2e9, [2e-6, 2e-3, 0, 0, 0, 0, 0, 0]),
    "several photons all detected": (2e7, [2e-5, 2e-3, 1, 1, 1, 1, 1, 1]),
    "two photons only": (2e7, [2e-5, 2e-3, 0.3, 0, 0, 0, 0, 0]),
    "single photons lost": (2e7, [2e-4, 0, 0, 1, 1, 1, 1, 1]),
}
"""Pulses, and the probability of a detection given the number of photons."""


def detections(channel: str, rng: np.random.Generator, runs: int = RUNS) -> np.ndarray:
    """Counts by run, photon number and intensity; the photon-number totals are drawn, then divided at random."""
    pulses, yields = CHANNELS[channel]
    totals = [rng.binomial(int(pulses * t), y, size=runs) for t, y in zip(TAU, yields, strict=True)]
    return np.stack([rng.multinomial(n, share) for n, share in zip(totals, SHARES, strict=True)], axis=1)


def at_most(failures: int, eps: float, runs: int = RUNS, confidence: float = 1e-3) -> bool:
    """Clopper-Pearson: a failure rate above eps is not proved by the runs (at the given risk of a false alarm)."""
    lower = float(beta_distribution.ppf(confidence, failures, runs - failures + 1)) if failures else 0.0
    return lower <= eps


def lim_failures(channel: str, bound: Bound, eps: float, runs: int = RUNS) -> tuple[int, int, int]:
    """Runs in which the vacuum, the single-photon and the error bound fail."""
    rng = np.random.default_rng(2014)
    counts = detections(channel, rng, runs)
    wrong = rng.binomial(counts[:, 1, :], 0.03)  # errors of single photons only: the worst case of their bound
    weights = tuple(math.exp(m) / p for m, p in zip(MU, PROBABILITIES, strict=True))
    vacuum, singles, errors = 0, 0, 0
    for n, m in zip(counts, wrong, strict=True):
        low, high = decoy.scaled_bounds(tuple(map(float, n.sum(axis=0))), weights, bound, -math.log(eps))
        s0 = max(0.0, decoy.vacuum_lower(low, high, MU, TAU[0]))
        s1 = decoy.single_lower(low, high, s0, MU, TAU)
        low, high = decoy.scaled_bounds(tuple(map(float, m)), weights, bound, -math.log(eps))
        v1 = min(decoy.single_errors_upper(low, high, MU, TAU[1]), float(m.sum()))
        vacuum += s0 > n[0].sum()
        singles += s1 > n[1].sum()
        errors += v1 < m.sum()
    return vacuum, singles, errors


CALLS = (2, 5, 2)
"""Concentration bounds behind the three estimates."""


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("name", ["chernoff", "chernoff-implicit", "hoeffding"])
def test_decoy_estimates_cover_at_extreme_channels(channel: str, name: str, eps: float) -> None:
    failures = lim_failures(channel, BOUNDS[name], eps)
    assert [at_most(k, calls * eps) for k, calls in zip(failures, CALLS, strict=True)] == [True] * 3


@pytest.mark.parametrize("name", ["chernoff", "chernoff-implicit"])
def test_decoy_check_catches_mutants(name: str) -> None:
    """Each estimate, on the channel where it is tight, with the deviations of its bounds halved or left out."""
    eps, runs, channel = 1e-5, 10_000, "several photons lost, long block"
    for bound, holds in ((BOUNDS[name], True), (halved(BOUNDS[name]), False), (BOUNDS["asymptotic"], False)):
        failures = lim_failures(channel, bound, eps, runs)
        passed = [at_most(k, calls * eps, runs) for k, calls in zip(failures, CALLS, strict=True)]
        assert passed == [holds] * 3, failures


def three_failures(channel: str, setup: core.Setup) -> tuple[int, int, int, int]:
    """Runs in which a bound fails: singles among signals, among decoys, errors among these, phase error of the key."""
    rng = np.random.default_rng(2025)
    key, test = detections(channel, rng), detections(channel, rng)
    wrong = rng.binomial(test[:, 1, 1], 0.03)
    observed = wrong + rng.binomial(test[:, 0, 1], 0.5)  # and of empty pulses; none of several photons: worst case
    phase = rng.binomial(key[:, 1, 0], 0.03)
    found = np.zeros(4, dtype=int)
    zero = (0.0, 0.0, 0.0)
    for run in range(RUNS):
        counts = SiftedCounts(
            tuple(map(float, key[run].sum(axis=0))),
            tuple(map(float, test[run].sum(axis=0))),
            zero,
            (0.0, float(observed[run]), 0.0),
        )
        result = core.analyse(counts, setup)
        mine, other = result.bases
        found += (
            mine.n1_signal > key[run, 1, 0],
            other.n1_decoy > test[run, 1, 1],
            other.m1_decoy < wrong[run],
            result.phase_error[0] < 0.5 and phase[run] > result.phase_error[0] * key[run, 1, 0],
        )
    return tuple(found.tolist())


def three_setup(eps: float) -> core.Setup:
    """The setup that the public function makes, with the failure probability of one estimate replaced."""
    made: list[core.Setup] = []
    original = core.analyse

    def spy(counts: SiftedCounts, setup: core.Setup) -> core.Analysis:
        made.append(setup)
        return original(counts, setup)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core, "analyse", spy)
        key_length(SiftedCounts(*((0.0,) * 3,) * 4), intensities=MU, intensity_probabilities=PROBABILITIES)
    return replace(made[0], eps_bound=eps)


THREE_CALLS = (4, 4, 3, 12)


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_three_intensity_estimates_cover_at_extreme_channels(channel: str, eps: float) -> None:
    failures = three_failures(channel, three_setup(eps))
    assert [at_most(k, calls * eps) for k, calls in zip(failures, THREE_CALLS, strict=True)] == [True] * 4


def test_three_intensity_check_catches_mutants() -> None:
    """Deviations of the concentration bounds halved or left out, and no fluctuations in the steps after them."""
    eps, channel = 1e-5, "several photons lost, long block"
    setup = three_setup(eps)
    # the singles among the decoys are most of what the decoys detect: halved deviations still hold them
    for bound, expected in ((BOUNDS["asymptotic"], [True] * 4), (halved(setup.bound), [True, False, True, True])):
        failures = three_failures(channel, replace(setup, exact=False, bound=bound))
        caught = [not at_most(k, calls * eps) for k, calls in zip(failures, THREE_CALLS, strict=True)]
        assert caught == expected, failures
