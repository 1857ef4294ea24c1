"""Signal, decoy and vacuum, keys of both bases: the printed equations, an independent count, guards."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import decoy
from satqkd.security.three_intensity import JINAN1, expected_counts, key_length, pass_key_bits

MU = JINAN1["intensities"]
P = JINAN1["intensity_probabilities"]
PAPER: dict[str, Any] = {**JINAN1, "mode": "paper", "leakage": "block", "f_ec": 1.2}
BLOCK = SiftedCounts(
    n_key=(236_114.0, 15_207.0, 411.0),
    n_test=(233_571.0, 14_982.0, 389.0),
    m_key=(2481.0, 233.0, 198.0),
    m_test=(2322.0, 240.0, 201.0),
)


def _h(x: mp.mpf) -> mp.mpf:
    return -x * mp.log(x, 2) - (1 - x) * mp.log(1 - x, 2)


def _printed(n: tuple[float, ...], m: tuple[float, ...], xi: float) -> tuple[mp.mpf, mp.mpf]:
    """s1 and e1 from Eqs. 3-8 as printed, in 40 digits."""
    names = dict(zip("cba", MU, strict=True))
    a, b, c = ([mp.exp(-mp.mpf(names[i])) * mp.mpf(names[i]) ** k / mp.factorial(k) for k in range(3)] for i in "abc")
    pm, pn, po = (mp.mpf(p) for p in P)

    def lower(x: float) -> mp.mpf:
        return x / (
            1 + mp.findroot(lambda d: x / (1 + d) * (d - (1 + d) * mp.log(1 + d)) - mp.log(xi), mp.sqrt(46 / x))
        )

    def upper(x: float) -> mp.mpf:
        return x / (
            1 - mp.findroot(lambda d: x / (1 - d) * (-d - (1 - d) * mp.log(1 - d)) - mp.log(xi), mp.sqrt(46 / x))
        )

    top = (
        po**2 * pm * (a[0] * c[2] - c[0] * a[2]) * a[0] * lower(n[1])
        - po**2 * pn * (a[0] * b[2] - b[0] * a[2]) * a[0] * upper(n[0])
        - po * pn * pm * a[0] * (c[2] * b[0] - b[2] * c[0]) * upper(n[2])
    )
    bottom = (
        po**2
        * pn
        * pm
        * (
            (a[0] * c[2] - c[0] * a[2]) * (a[0] * b[1] - b[0] * a[1])
            - (a[0] * b[2] - b[0] * a[2]) * (a[0] * c[1] - c[0] * a[1])
        )
    )
    s1 = pm * c[1] * top / bottom
    vacuum = (
        pn * b[0] * (pn * b[1] * lower(n[2]) - po * a[1] * upper(n[1])) / (2 * po * pn * (a[0] * b[1] - a[1] * b[0]))
    )
    return s1, (upper(m[1]) - vacuum) * pm * c[1] / (pn * b[1] * s1)


def test_paper_mode_is_the_printed_equations() -> None:
    key = key_length(BLOCK, **PAPER)
    with mp.workdps(40):
        s_z, e_z = _printed(BLOCK.n_key, BLOCK.m_key, 1e-10)
        s_x, e_x = _printed(BLOCK.n_test, BLOCK.m_test, 1e-10)
        leak = [
            mp.mpf("1.2") * n[0] * _h(mp.mpf(m[0]) / n[0])
            for n, m in ((BLOCK.n_key, BLOCK.m_key), (BLOCK.n_test, BLOCK.m_test))
        ]
        keys = [s_z * (1 - _h(e_x)) - leak[0], s_x * (1 - _h(e_z)) - leak[1]]
    # double precision; differences of counts lose two digits
    assert key.intermediate["n1_signal_lower_z"] == pytest.approx(float(s_z), rel=1e-12)
    assert key.intermediate["n1_signal_lower_x"] == pytest.approx(float(s_x), rel=1e-12)
    assert key.intermediate["phase_error_upper_z"] == pytest.approx(float(e_x), rel=1e-12)
    assert key.intermediate["phase_error_upper_x"] == pytest.approx(float(e_z), rel=1e-12)
    assert key.key_bits_raw == pytest.approx(float(sum(keys)), rel=1e-11)
    assert key.key_bits == sum(int(mp.floor(k)) for k in keys)
    assert key.epsilon.total == 1.0  # Eq. 9 claims no composable security


@given(st.lists(st.floats(0.0, 1.0), min_size=25, max_size=25), st.sampled_from([0.0, 1e-3, 0.04]))
def test_single_photon_bound_holds_for_any_yields(yields: list[float], weakest: float) -> None:
    mu = (0.8, 0.1, weakest)
    scaled = tuple(math.fsum(y * m**n / math.factorial(n) for n, y in enumerate(yields)) for m in mu)
    bound = decoy.single_yield_lower(scaled, scaled, mu)
    assert bound <= yields[1] + 1e-11  # rounding of the cancelling sums


@given(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3))
def test_single_photon_bound_is_reached_without_three_photons(yields: list[float]) -> None:
    scaled = tuple(yields[0] + yields[1] * m + yields[2] * m * m / 2 for m in MU)
    assert decoy.single_yield_lower(scaled, scaled, MU) == pytest.approx(yields[1], abs=1e-10)  # sums cancel


def test_composable_mode_against_library_distributions() -> None:
    """Every step again with SciPy's distributions, at a security parameter where those are exact enough."""
    key = key_length(BLOCK, **JINAN1, eps_secrecy=0.1, eps_correctness=1e-9, tags_per_packet=0)
    per_key = 0.05
    eps = (0.9 * per_key / 2) ** 2 / 12
    assert key.intermediate["eps_per_bound"] == pytest.approx(eps, rel=1e-12)
    beta = -math.log(eps)

    def root(x: float, upper: bool) -> float:
        from scipy.optimize import brentq

        span = (x, x + 3 * beta + 3 * math.sqrt(2 * beta * x)) if upper else (x * 1e-9, x)
        return float(brentq(lambda e: e - x + x * math.log(x / e) - beta, *span, xtol=1e-12, rtol=1e-14))

    tau = [sum(p * math.exp(-m) * m**i for m, p in zip(MU, P, strict=True)) for i in (0, 1)]

    def estimate(n: tuple[float, ...], m: tuple[float, ...]) -> tuple[float, float, float]:
        w = [math.exp(k) / p for k, p in zip(MU, P, strict=True)]
        singles = np.linalg.solve(  # yields of 0, 1, 2 photons from the three worst sides
            [[1, k, k * k / 2] for k in MU],
            [w[0] * root(n[0], True), w[1] * root(n[1], False), w[2] * root(n[2], True)],
        )[1]
        vacuum = np.linalg.solve([[1, k] for k in MU[1:]], [w[1] * root(n[1], True), w[2] * root(n[2], False)])[0]
        s1, s0 = math.floor(singles * tau[1]), math.floor(max(vacuum, 0.0) * tau[0])
        least = [binom.ppf(eps, s1, P[i] * MU[i] * math.exp(-MU[i]) / tau[1]) for i in (0, 1)]
        empty_errors = binom.ppf(eps, s0, 0.5 * P[1] * math.exp(-MU[1]) / tau[0])
        return least[0], least[1], m[1] - empty_errors

    found = {"z": estimate(BLOCK.n_key, BLOCK.m_key), "x": estimate(BLOCK.n_test, BLOCK.m_test)}
    for basis, other in (("z", "x"), ("x", "z")):
        signal, (_, sample, errors) = found[basis][0], found[other]
        assert key.intermediate[f"n1_signal_lower_{basis}"] == signal
        assert key.intermediate[f"n1_decoy_lower_{other}"] == sample
        assert key.intermediate[f"m1_decoy_upper_{other}"] == errors
        marked = int(errors)
        while hypergeom.cdf(errors, signal + sample, marked, sample) > eps:
            marked += 1
        phase = (marked - errors) / signal
        assert key.intermediate[f"phase_error_upper_{basis}"] == pytest.approx(phase, rel=1e-12)
        packets = 3
        constants = 2 * math.log2(1 / (2 * 0.1 * per_key)) + packets * math.ceil(math.log2(packets * 1563 / 5e-10))
        assert key.intermediate[f"constant_bits_{basis}"] == pytest.approx(constants, rel=1e-12)


def test_budget_is_spent_exactly_and_named() -> None:
    key = key_length(BLOCK, **JINAN1, eps_secrecy=1e-9, eps_correctness=1e-15)
    assert key.epsilon.total == pytest.approx(1e-9 + 1e-15, rel=1e-12)
    assert sorted(name.split()[0] for name in key.epsilon.terms) == ["12", "authentication", "privacy", "verification"]
    # 2 keys of 3 packets, 2 tags each, messages of 62,500 bytes
    assert key.epsilon.terms["authentication"] == pytest.approx(12 * 8 * 3907 / 2**106, rel=1e-12)


def test_composable_key_is_the_shorter_one_and_both_are_bounded_by_their_singles() -> None:
    published = key_length(BLOCK, **{**PAPER, "f_ec": 1.16})
    sound = key_length(BLOCK, **{**PAPER, "f_ec": 1.16, "mode": "composable"})
    assert 0 < sound.key_bits < published.key_bits
    for key in (published, sound):
        assert key.key_bits <= key.n0_key_lower + key.n1_key_lower <= key.sifted_bits
        assert key.key_bits + key.leak_ec_bits <= key.n1_key_lower
        assert key.reason is None
    assert sound.n1_key_lower == pytest.approx(published.n1_key_lower, rel=0.1)  # same quantity, wider margins


def test_measured_leak_replaces_the_model() -> None:
    model = key_length(BLOCK, **JINAN1)
    measured = key_length(BLOCK, **JINAN1, leak_ec_bits=(20_000.0, 21_000.0))
    assert measured.leak_ec_bits == 41_000.0
    assert measured.key_bits_raw - model.key_bits_raw == pytest.approx(model.leak_ec_bits - 41_000.0, abs=1e-6)


@pytest.mark.parametrize("mode", ["paper", "composable"])
def test_longer_blocks_give_a_larger_share(mode: str) -> None:
    """Blocks of 100 to 900 kbit, the sizes of the experiment."""
    share = []
    for packets in range(1, 10):
        counts = expected_counts(sifted_bits=1e5 * packets, qber=0.01, background_share=0.002, **JINAN1)
        share.append(key_length(counts, **JINAN1, mode=mode).key_bits_raw / (1e5 * packets))
    assert np.all(np.diff(share) > 0.0)
    counts = expected_counts(sifted_bits=1e5, qber=0.01, background_share=0.002, **JINAN1).scaled(1e6)
    limit = key_length(counts, **JINAN1, mode=mode, leakage="block", packet_bits=10**12)  # one tag each
    asymptotic = key_length(counts, **JINAN1, mode=mode, leakage="block", bound="asymptotic")
    assert limit.key_bits_raw == pytest.approx(asymptotic.key_bits_raw, rel=2e-3)  # fluctuations of 5e10 counts


def test_asymptotic_key_of_a_linear_channel() -> None:
    """Small transmittance, no background: single photons are mu exp(-mu) of mu, their error rate is the block's."""
    counts = expected_counts(sifted_bits=1e6, qber=0.01, **JINAN1)
    key = key_length(counts, **JINAN1, leakage="block", bound="asymptotic", f_ec=1.0)
    signals = sum(counts.n_key[:1] + counts.n_test[:1])
    # Eq. 7 has an error of third order in the intensities for the yields n of a linear channel
    gains = tuple(m * math.exp(m) for m in MU)
    yield_one = decoy.single_yield_lower(gains, gains, MU)
    singles = signals * math.exp(-0.8) * yield_one
    assert key.n1_key_lower == pytest.approx(singles, rel=1e-9)
    # errors of decoys with several photons count as errors of single photons
    phase = 0.01 / (math.exp(-0.1) * yield_one)
    expected = singles * (1 - float(_h(mp.mpf(phase)))) - signals * float(_h(mp.mpf("0.01")))
    assert key.key_bits_raw == pytest.approx(expected, rel=1e-9)


EMPTY = SiftedCounts((0.0,) * 3, (0.0,) * 3, (0.0,) * 3, (0.0,) * 3)
NOTHING = {
    "zero counts": (EMPTY, "NO_COUNTS"),
    "one detection": (SiftedCounts((1.0, 0.0, 0.0), (0.0,) * 3, (0.0,) * 3, (0.0,) * 3), "NO_SINGLES"),
    "one decoy": (SiftedCounts((0.0, 1.0, 0.0), (0.0, 1.0, 0.0), (0.0,) * 3, (0.0,) * 3), "NO_COUNTS"),
    "all vacuum": (SiftedCounts((0.0, 0.0, 9e5), (0.0, 0.0, 9e5), (0.0,) * 3, (0.0,) * 3), "NO_COUNTS"),
    "background only": (
        SiftedCounts((2e5, 1e5, 1e5), (2e5, 1e5, 1e5), (1e5, 5e4, 5e4), (1e5, 5e4, 5e4)),
        "QBER_TOO_HIGH",
    ),
    "no decoys detected": (SiftedCounts((5e5, 0.0, 0.0), (5e5, 0.0, 0.0), (0.0,) * 3, (0.0,) * 3), "NO_SINGLES"),
    "decoys all wrong": (
        SiftedCounts((5e5, 3e4, 0.0), (5e5, 3e4, 0.0), (5e3, 3e4, 0.0), (5e3, 3e4, 0.0)),
        "QBER_TOO_HIGH",
    ),
    "small block": (expected_counts(sifted_bits=3000.0, qber=0.01, **JINAN1), "TOO_FEW_COUNTS"),
}


@pytest.mark.parametrize("mode", ["paper", "composable"])
@pytest.mark.parametrize("name", NOTHING)
def test_no_key_carries_its_reason(name: str, mode: str) -> None:
    counts, code = NOTHING[name]
    key = key_length(counts, **JINAN1, mode=mode)
    assert key.key_bits == 0
    assert key.reason is not None
    assert key.reason.split(":")[0] == code
    assert math.isfinite(key.key_bits_raw)
    assert 0.0 <= key.phase_error_upper <= 0.5


def test_too_few_counts_names_a_number_that_suffices() -> None:
    counts = expected_counts(sifted_bits=3000.0, qber=0.01, **JINAN1)
    reason = key_length(counts, **JINAN1).reason
    assert reason is not None
    factor = float(reason.split("about ")[1].split(" times")[0])
    assert key_length(counts.scaled(1.02 * factor), **JINAN1).key_bits > 0
    assert key_length(counts.scaled(0.95 * factor), **JINAN1).key_bits == 0


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(["paper", "composable"]))
def test_any_counts_give_a_key_within_its_bounds(data: st.DataObject, mode: str) -> None:
    def draw(limit: tuple[float, ...] | None = None) -> tuple[float, ...]:
        return tuple(float(data.draw(st.integers(0, int(limit[k]) if limit else 10**6))) for k in range(3))

    n_key, n_test = draw(), draw()
    key = key_length(SiftedCounts(n_key, n_test, draw(n_key), draw(n_test)), **JINAN1, mode=mode)
    assert 0 <= key.key_bits <= key.n0_key_lower + key.n1_key_lower <= key.sifted_bits
    assert (key.reason is None) == (key.key_bits > 0)
    assert math.isfinite(key.key_bits_raw)


@pytest.mark.parametrize("mode", ["paper", "composable"])
def test_key_falls_with_errors_and_background(mode: str) -> None:
    raw = [
        key_length(expected_counts(sifted_bits=5e5, qber=q, background_share=0.002, **JINAN1), **JINAN1, mode=mode)
        for q in (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)
    ]
    assert np.all(np.diff([key.key_bits_raw for key in raw]) < 0.0)
    raw = [
        key_length(expected_counts(sifted_bits=5e5, qber=0.03, background_share=b, **JINAN1), **JINAN1, mode=mode)
        for b in (0.0, 0.001, 0.01, 0.05)
    ]
    assert np.all(np.diff([key.key_bits_raw for key in raw]) < 0.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"intensities": (0.1, 0.8, 0.001)}, "descending"),
        ({"intensities": (0.8, 0.001, 0.1)}, "descending"),
        ({"intensities": (0.8, 0.79, 0.001)}, "numerically void"),
        ({"intensities": (0.8, 0.1, 0.0999)}, "numerically void"),
        ({"intensities": (0.8, 0.1)}, "three each"),
        ({"intensity_probabilities": (0.5, 0.5, 0.0)}, "add up to 1"),
        ({"intensity_probabilities": (0.5, 0.4, 0.2)}, "add up to 1"),
        ({"mode": "published"}, "paper, composable"),
        ({"bound": "gauss"}, "chernoff-implicit"),
        ({"leakage": "free"}, "achievable"),
        ({"xi": 0.0}, "xi"),
        ({"eps_secrecy": 1.0}, "eps_secrecy"),
        ({"eps_secrecy": 1e-30}, "authentication"),
        ({"eps_correctness": float("nan")}, "eps_correctness"),
        ({"f_ec": 0.9}, "f_ec"),
        ({"leak_ec_bits": (1.0, -1.0)}, "leak_ec_bits"),
        ({"packet_bits": 0}, "packet_bits"),
        ({"tags_per_packet": 1.5}, "tags_per_packet"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        key_length(BLOCK, **({**JINAN1} | change))


@pytest.mark.parametrize(
    "counts",
    [
        SiftedCounts((10.0, 5.0, -1.0), (9.0, 3.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        SiftedCounts((10.0, 5.0, 1.0), (9.0, 3.0, 1.0), (11.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        SiftedCounts((10.0, 5.0, 1.0), (9.0, 3.0, float("nan")), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        SiftedCounts((10.0, 5.0), (9.0, 3.0), (0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_bad_counts_are_named(counts: SiftedCounts) -> None:
    with pytest.raises(InputError, match="counts"):
        key_length(counts, **JINAN1)


@pytest.mark.parametrize(
    "change",
    [{"sifted_bits": -1.0}, {"qber": 0.6, "background_share": 0.9}, {"background_share": 1.2}, {"p_z": -0.1}],
)
def test_bad_predictions_are_named(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match=str(next(iter(change)))):
        expected_counts(**({"sifted_bits": 1e5, "qber": 0.01, **JINAN1} | change))


def test_packets_left_over_give_no_key() -> None:
    key = key_length(expected_counts(sifted_bits=5e5, qber=0.01, **JINAN1), **PAPER)
    assert pass_key_bits(key, packets=17) == pass_key_bits(key, packets=19) == 3 * key.key_bits
    assert pass_key_bits(key, packets=4) == 0
    for change in ({"packets": 2.5}, {"packets": 5, "packets_per_block": 10}, {"packets": 5, "multiple_bits": 0}):
        with pytest.raises(InputError, match="whole number"):
            pass_key_bits(key, **change)


@pytest.mark.parametrize("mode", ["paper", "composable"])
@pytest.mark.parametrize("sifted", [1.0, 10.0, 1e9, 1e13])
def test_blocks_of_any_size(sifted: float, mode: str) -> None:
    counts = expected_counts(sifted_bits=sifted, qber=0.01, background_share=0.005, **JINAN1)
    key = key_length(counts, **JINAN1, mode=mode, packet_bits=10**13)
    limit = key_length(counts, **JINAN1, mode=mode, bound="asymptotic", leakage="block")
    assert math.isfinite(key.key_bits_raw)
    assert key.key_bits <= key.n1_key_lower <= key.sifted_bits
    assert (key.key_bits > 0) == (sifted > 1e3)
    assert key.key_bits_raw <= limit.key_bits_raw
    if sifted > 1e12:  # relative fluctuations of 1e-4 in the decoys
        assert key.key_bits_raw == pytest.approx(limit.key_bits_raw, rel=1e-3)
