"""Bits leaked by error correction: extended precision as oracle, limits, and relations between the models."""

from __future__ import annotations

import math

import mpmath as mp
import pytest

from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.leakage import LEAKAGE

EPS = 1e-15


def _quantile(eps: mp.mpf, n: int, q: mp.mpf) -> int:
    """Smallest k with Pr[Bin(n, 1-q) <= k] >= eps: walk the errors e = n - k down from far in the tail."""
    e = int(n * q + 40 * mp.sqrt(n * q)) + 60
    log_pmf = mp.loggamma(n + 1) - mp.loggamma(e + 1) - mp.loggamma(n - e + 1) + e * mp.log(q) + (n - e) * mp.log1p(-q)
    pmf = mp.exp(log_pmf)
    tail = pmf
    while tail < eps:
        pmf *= e * (1 - q) / ((n - e + 1) * q)
        e -= 1
        tail += pmf
    return n - e


def _printed(n: float, qber: float, *, enlarged: bool, offset: int, base: float) -> float:
    with mp.workdps(40):
        big_n, q, eps = mp.mpf(n), mp.mpf(qber), mp.mpf(EPS)
        shannon = -big_n * (q * mp.log(q, 2) + (1 - q) * mp.log(1 - q, 2))
        quantile = _quantile(eps * (1 + 1 / mp.sqrt(big_n)) if enlarged else eps, int(n), q)
        log_odds = mp.log((1 - q) / q)
        extra = (big_n * (1 - q) - quantile + offset) * log_odds - mp.log(big_n) / 2 - mp.log(1 / eps)
        return float(shannon + extra / mp.log(base))


@pytest.mark.parametrize(("n", "qber"), [(14_203.4, 0.0089), (1.4e5, 0.02), (1.87e7, 0.00648), (3e6, 0.12)])
def test_converse_forms_as_printed_in_40_digits(n: float, qber: float) -> None:
    cases = {
        "finite": {"enlarged": True, "offset": -1, "base": 2.0},
        "published": {"enlarged": True, "offset": -1, "base": mp.e},
        "published-eq9": {"enlarged": False, "offset": 1, "base": mp.e},
    }
    for name, form in cases.items():
        # n (1-Q) - F^-1 is a difference of numbers of size n
        assert LEAKAGE[name](n, qber, EPS, 1.16) == pytest.approx(_printed(n, qber, **form), rel=1e-12), name


@pytest.mark.parametrize(("n", "qber"), [(500.0, 0.03), (1.4e5, 0.02), (1e7, 0.01), (1e9, 1e-4), (1e10, 0.05)])
def test_relations_between_the_models(n: float, qber: float) -> None:
    leak = {name: model(n, qber, EPS, 1.16) for name, model in LEAKAGE.items()}
    shannon = n * binary_entropy_scalar(qber)
    assert leak["block"] == pytest.approx(1.16 * shannon, rel=1e-15)
    assert leak["achievable"] == max(leak["finite"], leak["block"])
    assert leak["satquma"] == max(leak["published"], leak["block"])
    assert shannon <= leak["published"] <= leak["finite"]


@pytest.mark.parametrize(("n", "qber"), [(1.4e5, 0.02), (1e7, 0.01)])
def test_mixed_logarithms_take_the_excess_for_nats(n: float, qber: float) -> None:
    """The published form is the base-2 one with its excess over n h(Q) multiplied by ln 2."""
    shannon = n * binary_entropy_scalar(qber)
    excess = LEAKAGE["finite"](n, qber, EPS, 1.16) - shannon
    assert LEAKAGE["published"](n, qber, EPS, 1.16) - shannon == pytest.approx(excess * math.log(2.0), rel=1e-10)


def test_converse_tends_to_the_shannon_limit() -> None:
    inefficiencies = [
        LEAKAGE["finite"](n, 0.03, EPS, 1.16) / (n * binary_entropy_scalar(0.03)) - 1.0 for n in (1e6, 1e8, 1e10)
    ]
    # second order: sqrt(n) z / n, so a factor 10 per factor 100; the log n / 2 and 1/eps terms bend it a little
    assert inefficiencies[0] / inefficiencies[1] == pytest.approx(10.0, rel=0.05)
    assert inefficiencies[1] / inefficiencies[2] == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize("name", LEAKAGE)
@pytest.mark.parametrize("n", [0.0, 0.3, 1.0, 7.9, 1e4, 1e10])
@pytest.mark.parametrize("qber", [0.0, 1e-300, 1e-15, 1e-6, 0.1, 0.4999999, 0.5, 0.7, 1.0])
def test_is_finite_and_at_least_the_shannon_limit(name: str, n: float, qber: float) -> None:
    leak = LEAKAGE[name](n, qber, EPS, 1.16)
    assert math.isfinite(leak)
    assert leak >= n * binary_entropy_scalar(min(qber, 0.5))
    if qber == 0.0 or n == 0.0:
        assert leak == 0.0
