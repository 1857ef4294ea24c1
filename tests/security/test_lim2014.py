"""Finite key of Lim et al. 2014: an independent evaluation, the guards, the reasons, scaling laws."""

from __future__ import annotations

import math
import pickle

import mpmath as mp
import numpy as np
import pytest

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import lim2014
from satqkd.security.leakage import LEAKAGE
from satqkd.security.result import EpsilonBudget, mission_epsilon
from satqkd.security.sampling import SAMPLING

TIME_S = np.arange(-200.0, 201.0)
PASS = 2e-3 / (1.0 + (TIME_S / 90.0) ** 2)  # zenith at 27 dB, 17 dB lower at the ends
LINK = {
    "pulses_per_slot": 1e8,
    "intensities": (0.7, 0.15, 0.0),
    "intensity_probabilities": (0.72, 0.2, 0.08),
    "p_key_basis": 0.8,
    "p_extraneous": 5e-7,
    "qber_intrinsic": 0.005,
    "p_afterpulse": 1e-3,
}
EVERY_OPTION = [
    {"bound": bound, "sampling": sampling, "leakage": leakage}
    for bound in ("chernoff", "hoeffding", "asymptotic")
    for sampling in ("exact-smooth", "exact", "lim2014")
    for leakage in LEAKAGE
]


# ---- independent evaluation of the default analysis, in 50 digits, from the printed formulas


def _mp_key(eta: np.ndarray, link: dict[str, object]) -> mp.mpf:
    mus, ps = [[mp.mpf(x) for x in link[name]] for name in ("intensities", "intensity_probabilities")]
    p_x, p_ec, q_i, p_ap = (mp.mpf(link[k]) for k in ("p_key_basis", "p_extraneous", "qber_intrinsic", "p_afterpulse"))
    eps_s, eps_c = mp.mpf("1e-9"), mp.mpf("1e-15")
    n_x, n_z, m_z, m_x = [mp.mpf(0)] * 3, [mp.mpf(0)] * 3, [mp.mpf(0)] * 3, mp.mpf(0)
    for t in eta:
        d = [(1 + p_ap) * (1 - (1 - 2 * p_ec) * mp.exp(-mu * mp.mpf(t))) for mu in mus]
        e = [p_ec + p_ap * x / 2 + q_i * (1 - mp.exp(-mu * mp.mpf(t))) for x, mu in zip(d, mus, strict=True)]
        ratio = mp.fdot(ps, e) / mp.fdot(ps, d)
        pulses = mp.mpf(link["pulses_per_slot"])
        m_x += pulses * p_x**2 * mp.fdot(ps, e)
        for k in range(3):
            n_x[k] += pulses * p_x**2 * ps[k] * d[k]
            n_z[k] += pulses * (1 - p_x) ** 2 * ps[k] * d[k]
            m_z[k] += pulses * (1 - p_x) ** 2 * ps[k] * d[k] * ratio
    beta = mp.log(21 / eps_s)
    up = [[mp.exp(mu) / p * (y + beta + mp.sqrt(2 * beta * y + beta**2)) for mu, p, y in zip(mus, ps, c, strict=True)]
          for c in (n_x, n_z, m_z)]  # fmt: skip
    low = [[mp.exp(mu) / p * (y - beta / 2 - mp.sqrt(2 * beta * y + beta**2 / 4))
            for mu, p, y in zip(mus, ps, c, strict=True)] for c in (n_x, n_z, m_z)]  # fmt: skip
    tau = [mp.fsum(p * mp.exp(-mu) * mu**i / mp.factorial(i) for mu, p in zip(mus, ps, strict=True)) for i in (0, 1)]
    m1, m2, m3 = mus
    s0, s1 = [], []
    for b in (0, 1):
        s0.append(max(tau[0] * (m2 * low[b][2] - m3 * up[b][1]) / (m2 - m3), mp.mpf(0)))
        bracket = low[b][1] - up[b][2] - (m2**2 - m3**2) / m1**2 * (up[b][0] - s0[b] / tau[0])
        s1.append(tau[1] * m1 * bracket / (m1 * (m2 - m3) - m2**2 + m3**2))
    v = min(tau[1] * (up[2][1] - low[2][2]) / (m2 - m3), mp.fsum(m_z))
    # hypergeometric inversion by bisection on the whole tail
    sample, errors = int(mp.floor(s1[1])), int(mp.ceil(v))
    population = int(mp.ceil(s1[0] + s1[1]))

    def tail(marked: int) -> mp.mpf:
        def log_choose(n: int, k: int) -> mp.mpf:
            return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)

        log_pmf = log_choose(marked, errors) + log_choose(population - marked, sample - errors)
        total, term = mp.mpf(1), mp.mpf(1)
        for x in range(errors, 0, -1):
            term *= mp.mpf(x) * (population - marked - sample + x) / ((marked - x + 1) * (sample - x + 1))
            total += term
            if term < mp.mpf(10) ** -25:
                break
        return mp.exp(log_pmf - log_choose(population, sample)) * total

    below, above = population * errors // sample, population // 2
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if tail(middle) <= (eps_s / 21) ** 2 else (middle, above)
    phi = (above - errors) / s1[0]

    def h(x: mp.mpf) -> mp.mpf:
        return -x * mp.log(x, 2) - (1 - x) * mp.log(1 - x, 2)

    n, q = mp.fsum(n_x), m_x / mp.fsum(n_x)
    trials, threshold = int(n), eps_c * (1 + 1 / mp.sqrt(n))
    e = int(n * q + 40 * mp.sqrt(n * q))
    pmf = mp.exp(mp.loggamma(trials + 1) - mp.loggamma(e + 1) - mp.loggamma(trials - e + 1)
                 + e * mp.log(q) + (trials - e) * mp.log(1 - q))  # fmt: skip
    cumulated = pmf
    while cumulated < threshold:
        pmf *= e * (1 - q) / ((trials - e + 1) * q)
        e -= 1
        cumulated += pmf
    converse = (
        n * h(q) + (n * (1 - q) - (trials - e) - 1) * mp.log((1 - q) / q, 2) - mp.log(n, 2) / 2 + mp.log(eps_c, 2)
    )
    leak = max(converse, mp.mpf("1.16") * n * h(q))
    return s0[0] + s1[0] * (1 - h(phi)) - leak - 6 * mp.log(21 / eps_s, 2) - mp.log(2 / eps_c, 2)


@pytest.mark.parametrize(
    ("loss_factor", "change"),
    [(1.0, {}), (0.1, {"p_key_basis": 0.65, "intensity_probabilities": (0.55, 0.3, 0.15), "qber_intrinsic": 0.01})],
)
def test_default_analysis_in_50_digits(loss_factor: float, change: dict[str, object]) -> None:
    eta = PASS[::8] * loss_factor
    link = LINK | {"pulses_per_slot": 8e8} | change
    with mp.workdps(50):
        expected = _mp_key(eta, link)
    assert expected > 1000
    key = lim2014.key_length(eta, **link)
    assert key.key_bits_raw == pytest.approx(float(expected), rel=1e-10)  # a difference of terms ten times as large
    assert key.key_bits == int(expected)


# ---- guards against spurious keys


def test_biased_until_nothing_is_tested_gives_no_key() -> None:
    """As p_key_basis tends to 1 the test singles hit their floor; a clamp there would give a key."""
    for p_x in (0.999, 1 - 1e-6, 1 - 1e-12):
        key = lim2014.key_length(PASS, **(LINK | {"p_key_basis": p_x}))
        assert key.n1_test_lower == 0.0
        assert key.phase_error_upper == 0.5
        assert key.key_bits == 0
        assert key.key_bits_raw < 0.0
        assert key.reason.startswith("TOO_FEW_COUNTS")


@pytest.mark.parametrize("options", EVERY_OPTION, ids=lambda o: "-".join(o.values()))
def test_never_more_than_the_sifted_bits_or_the_bounds_allow(options: dict[str, str]) -> None:
    for factor in (100.0, 1.0, 1e-2, 1e-4):
        for mu2 in (0.02, 0.3, 0.98 * 0.7):
            link = LINK | {"intensities": (0.7, mu2, 0.0), "p_extraneous": 1e-9, "qber_intrinsic": 1e-5}
            key = lim2014.key_length(np.minimum(PASS * factor, 1.0), **link, **options)
            assert key.n0_key_lower >= 0.0
            assert key.n1_key_lower >= 0.0
            assert key.n0_key_lower + key.n1_key_lower <= key.sifted_bits * (1 + 1e-15)
            assert key.n1_test_lower <= sum(key.n_test)
            assert key.m1_test_upper <= sum(key.m_test)
            assert 0.0 <= key.phase_error_upper <= 0.5
            assert key.key_bits <= key.n0_key_lower + key.n1_key_lower
            assert key.key_bits >= 0
            assert math.isfinite(key.key_bits_raw)
            assert (key.reason is None) == (key.key_bits > 0)


def test_counts_that_no_channel_gives_are_capped_at_the_sifted_bits() -> None:
    """Far more decoy detections than the signal allows would give more single photons than detections."""
    counts = SiftedCounts((10.0, 1e6, 10.0), (10.0, 1e6, 10.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    key = lim2014.key_length_from_counts(counts, intensities=(0.7, 0.1, 0.0), intensity_probabilities=(0.9, 0.05, 0.05))
    assert key.n0_key_lower + key.n1_key_lower == pytest.approx(key.sifted_bits, rel=1e-15)
    assert key.key_bits < key.sifted_bits


def test_vacuum_detections_alone_give_no_key() -> None:
    counts = SiftedCounts((1e6, 1e5, 1e6), (1e6, 1e5, 1e6), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    key = lim2014.key_length_from_counts(counts, intensities=(0.7, 0.1, 0.0), intensity_probabilities=(0.8, 0.1, 0.1))
    assert key.n0_key_lower > 0.0
    assert key.n1_key_lower == 0.0
    assert key.key_bits == 0
    assert key.reason.startswith("NO_SINGLES")


@pytest.mark.parametrize("options", EVERY_OPTION, ids=lambda o: "-".join(o.values()))
def test_zero_noise_works(options: dict[str, str]) -> None:
    silent = LINK | {"p_extraneous": 0.0, "qber_intrinsic": 0.0, "p_afterpulse": 0.0}
    key = lim2014.key_length(PASS, **silent, **options)
    assert key.qber == 0.0
    assert key.m1_test_upper == 0.0
    assert key.leak_ec_bits == 0.0
    assert key.key_bits > 1_000_000
    if options["sampling"] != "lim2014" and options["bound"] != "asymptotic":
        assert key.phase_error_upper > 0.0  # no observed error is not no error


@pytest.mark.parametrize("eta", [[], [0.0], np.zeros(50)])
@pytest.mark.parametrize("p_ec", [0.0, 5e-7])
def test_no_light_is_no_counts(eta: object, p_ec: float) -> None:
    link = LINK | {"p_extraneous": p_ec}
    key = lim2014.key_length(eta, **link)
    assert key.key_bits == 0
    assert key.reason.startswith("NO_COUNTS")
    assert key.qber == pytest.approx(0.5 if p_ec and len(eta) else 0.0, rel=1e-2)  # afterpulses shift it by 1e-3
    assert lim2014.margin_db(eta, **link) == -math.inf


def test_exact_sampling_is_the_default_and_costs_key() -> None:
    few = LINK | {"p_extraneous": 1e-9, "qber_intrinsic": 1e-5}
    default = lim2014.key_length(PASS / 20, **few)
    unsound = lim2014.key_length(PASS / 20, **few, sampling="lim2014")
    assert default.options == {"bound": "chernoff", "sampling": "exact-smooth", "leakage": "achievable"}
    assert default.phase_error_upper > unsound.phase_error_upper
    assert 0 < default.key_bits < unsound.key_bits
    counts = (default.m1_test_upper, default.n1_test_lower, default.n1_key_lower)
    assert default.phase_error_upper == SAMPLING["exact-smooth"](*counts, 1e-9)
    # smoothing by 1/21 of the secrecy is a probability of its square, which the plain form takes as the term itself
    assert SAMPLING["exact-smooth"](*counts, 1e-9) == SAMPLING["exact"](*counts, 21.0 * (1e-9 / 21.0) ** 2)
    plain = lim2014.key_length(PASS / 20, **few, sampling="exact")
    assert default.key_bits < plain.key_bits < unsound.key_bits


# ---- reasons


def test_reason_names_a_factor_that_suffices() -> None:
    link = LINK | {"pulses_per_slot": 1e5}
    key = lim2014.key_length(PASS, **link)
    assert key.key_bits == 0
    assert key.reason.startswith("TOO_FEW_COUNTS")
    factor = float(key.reason.split("about ")[1].split(" times")[0])
    assert lim2014.key_length(PASS, **(link | {"pulses_per_slot": 1e5 * factor * 1.01})).key_bits > 0
    assert lim2014.key_length(PASS, **(link | {"pulses_per_slot": 1e5 * factor * 0.95})).key_bits == 0


def test_reason_when_no_number_of_pulses_suffices() -> None:
    """Nearly no test basis and a huge block: the search must stop where counts are no longer exact."""
    link = LINK | {"p_key_basis": 1 - 1e-12, "pulses_per_slot": 1e12}
    key = lim2014.key_length(PASS, **link)
    assert key.key_bits == 0
    assert "not even" in key.reason


def test_reason_names_a_tolerable_error_rate() -> None:
    link = LINK | {"qber_intrinsic": 0.12, "p_extraneous": 0.0, "p_afterpulse": 0.0}
    key = lim2014.key_length(PASS, **link)
    assert key.key_bits == 0
    assert key.reason.startswith("QBER_TOO_HIGH: QBER 12 %")
    tolerable = float(key.reason.split("below about ")[1].split(" %")[0]) / 100
    limit = {"bound": "asymptotic", "leakage": "block"}
    assert lim2014.key_length(PASS, **(link | {"qber_intrinsic": tolerable * 0.99}), **limit).key_bits > 0
    assert lim2014.key_length(PASS, **(link | {"qber_intrinsic": tolerable * 1.01}), **limit).key_bits == 0


# ---- laws


def test_passes_combine_into_one_block() -> None:
    one = lim2014.key_length(PASS / 30, **LINK)
    many = lim2014.key_length(PASS / 30, **LINK, passes=10)
    same = lim2014.key_length(PASS / 30, **(LINK | {"pulses_per_slot": 1e9}))
    assert many.key_bits == pytest.approx(same.key_bits, abs=1)  # rounding of 1e8 * 10
    assert many.key_bits_raw == pytest.approx(same.key_bits_raw / 10, rel=1e-12)
    assert many.key_bits_raw > one.key_bits_raw
    assert many.sifted_bits == pytest.approx(10 * one.sifted_bits, rel=1e-12)


def test_finite_key_tends_to_the_asymptotic_one() -> None:
    limit = lim2014.key_length(PASS, **LINK, bound="asymptotic").key_bits_raw
    deficit = [
        1 - lim2014.key_length(PASS, **(LINK | {"pulses_per_slot": 1e8 * x})).key_bits_raw / (limit * x)
        for x in (1e4, 1e6)
    ]
    assert deficit[0] / deficit[1] == pytest.approx(10.0, rel=0.1)  # one over the root of the number of pulses


def test_key_grows_with_light_and_shrinks_with_noise_and_epsilon() -> None:
    def bits(factor: float = 1.0, **change: float) -> float:
        return lim2014.key_length(PASS * factor, **(LINK | change)).key_bits_raw

    assert bits(0.5) < bits() < bits(2.0)
    assert bits(p_extraneous=2e-6) < bits() > bits(qber_intrinsic=0.01)
    assert bits(eps_secrecy=1e-12) < bits() > bits(eps_correctness=1e-18)


def test_from_counts_is_what_key_length_uses() -> None:
    key = lim2014.key_length(PASS, **LINK)
    again = lim2014.key_length_from_counts(
        SiftedCounts(key.n_key, key.n_test, key.m_key, key.m_test),
        intensities=LINK["intensities"],
        intensity_probabilities=LINK["intensity_probabilities"],
    )
    assert again.key_bits_raw == key.key_bits_raw
    assert again.intermediate == key.intermediate


def test_margin_is_the_edge_of_the_key() -> None:
    margin = lim2014.margin_db(PASS, **LINK)
    assert margin > 1.0
    assert lim2014.key_length(PASS * 10 ** (-(margin - 1e-6) / 10), **LINK).key_bits > 0
    assert lim2014.key_length(PASS * 10 ** (-(margin + 0.02) / 10), **LINK).key_bits == 0
    lossy = PASS * 10 ** (-(margin + 7.0) / 10)
    assert lim2014.margin_db(lossy, **LINK) == pytest.approx(-7.0, abs=0.03)  # two bisections of 0.01 dB
    assert lim2014.margin_db(PASS, **(LINK | {"qber_intrinsic": 0.2})) == -math.inf


# ---- result


def test_epsilon_budget_adds_up() -> None:
    key = lim2014.key_length(PASS, **LINK, eps_secrecy=1e-10, eps_correctness=1e-12)
    assert key.epsilon.total == pytest.approx(1e-10 + 1e-12, rel=1e-12)
    assert mission_epsilon([key.epsilon] * 40) == pytest.approx(40 * 1.01e-10, rel=1e-12)
    assert lim2014.key_length(PASS, **LINK, bound="asymptotic").epsilon.total == 1.0
    with pytest.raises(InputError, match="add up"):
        EpsilonBudget(1e-9, 1e-15, {"one": 1e-10})


def test_result_shows_and_travels() -> None:
    for eta in (PASS, PASS / 1e4):
        key = lim2014.key_length(eta, **LINK)
        assert f"{key.key_bits} bit" in repr(key)
        assert "<table>" in key._repr_html_()
        assert pickle.loads(pickle.dumps(key)) == key
        per_slot = LINK | {"p_extraneous": np.full(PASS.size, 5e-7)}
        assert lim2014.key_length(eta, **per_slot) == lim2014.key_length(eta, **per_slot)
        assert any("Lim" in source for source in key.citations)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"intensities": (0.7, 0.69, 0.0)}, "0.98"),
        ({"intensities": (0.7, 0.4, 0.35)}, "mu2 \\+ mu3"),
        ({"intensities": (0.1, 0.7, 0.0)}, "descending"),
        ({"intensities": (0.7, 0.1, -0.1)}, "descending"),
        ({"intensities": (0.7, float("nan"), 0.0)}, "descending"),
        ({"intensities": (0.7, 0.1)}, "three"),
        ({"intensity_probabilities": (0.7, 0.2, 0.2)}, "add up to 1"),
        ({"intensity_probabilities": (1.0, 0.0, 0.0)}, "positive"),
        ({"eps_secrecy": 0.0}, "eps_secrecy"),
        ({"eps_correctness": 1.0}, "eps_correctness"),
        ({"passes": 1.5}, "passes"),
        ({"passes": float("nan")}, "passes"),
        ({"f_ec": 0.99}, "f_ec"),
        ({"bound": "gauss"}, "chernoff, hoeffding, asymptotic"),
        ({"sampling": "none"}, "exact-smooth, exact, lim2014"),
        ({"sampling": "none", "bound": "asymptotic"}, "exact-smooth, exact, lim2014"),
        ({"leakage": "free"}, "achievable"),
        ({"p_key_basis": 1.0}, "p_key_basis"),
    ],
)
def test_bad_input_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        lim2014.key_length(PASS, **(LINK | change))
    with pytest.raises(InputError, match=named):
        lim2014.margin_db(PASS, **(LINK | change))


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
        lim2014.key_length_from_counts(counts, intensities=(0.7, 0.1, 0.0), intensity_probabilities=(0.8, 0.1, 0.1))
