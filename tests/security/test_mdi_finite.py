"""Finite keys of measurement-device-independent QKD: limit, scaling, simulated blocks, budget, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import iv

from satqkd.errors import InputError
from satqkd.security._mdi_analysis import N_BOUNDS, Counts, Setup, analyse
from satqkd.security.bounds import BOUNDS
from satqkd.security.leakage import block
from satqkd.security.mdi import key_length, key_length_from_counts

LINK = {
    "intensities_a": (0.3, 0.05, 0.0),
    "intensities_b": (0.25, 0.06, 0.0),
    "p_dark": 1e-7,
    "misalignment": 0.015,
    "signal_a": 0.4,
    "signal_b": 0.35,
    "probabilities_a": (0.2, 0.5, 0.3),
    "probabilities_b": (0.25, 0.5, 0.25),
    "p_z": 0.6,
    "eps_secrecy": 1e-9,
    "eps_correctness": 1e-12,
}


def entropy(x):
    return -x * math.log2(x) - (1 - x) * math.log2(1 - x)


def printed_limit(eta_a, eta_b):
    """Key per pulse pair with known expectations, from the gains as printed; only the four of each bound are used."""
    p, e_d = LINK["p_dark"], LINK["misalignment"]

    def gains(mu_a, mu_b):
        a, b = eta_a * mu_a, eta_b * mu_b
        y, x = (1 - p) * math.exp(-(a + b) / 4), math.sqrt(a * b) / 2
        gain = 2 * y**2 * (1 + 2 * y**2 - 4 * y * iv(0, x) + iv(0, 2 * x))
        return np.array([gain, 0.5 * gain - 2 * (0.5 - e_d) * y**2 * (iv(0, 2 * x) - 1)])

    def paired(a, b):
        settings = ((a, b, 1), (a, 0.0, -1), (0.0, b, -1), (0.0, 0.0, 1))
        return sum(sign * math.exp(u + v) * gains(u, v) for u, v, sign in settings)

    (mu_a, nu_a, _), (mu_b, nu_b, _) = LINK["intensities_a"], LINK["intensities_b"]
    weak, strong = paired(nu_a, nu_b), paired(mu_a, mu_b)
    # mu_b / nu_b is the smaller ratio
    pair = (mu_b**2 * mu_a * weak[0] - nu_b**2 * nu_a * strong[0]) / (mu_a * mu_b * nu_a * nu_b * (mu_b - nu_b))
    s_a, s_b = LINK["signal_a"], LINK["signal_b"]
    a, b, q = eta_a * s_a, eta_b * s_b, 1 - p
    right = 2 * q**2 * math.exp(-(a + b) / 2) * (1 - q * math.exp(-a / 2)) * (1 - q * math.exp(-b / 2))
    wrong = 2 * p * q**2 * math.exp(-(a + b) / 2) * (iv(0, math.sqrt(a * b)) - q * math.exp(-(a + b) / 2))
    qber = (e_d * right + (1 - e_d) * wrong) / (right + wrong)
    single = s_a * s_b * math.exp(-s_a - s_b) * pair * (1 - entropy(weak[1] / (nu_a * nu_b * pair)))
    return LINK["p_z"] ** 2 * (single - 1.16 * (right + wrong) * entropy(qber))


def test_limit_is_the_rate_from_the_printed_gains():
    key = key_length(0.1, 0.05, pulses=1e12, bound="asymptotic", leakage="block", **LINK)
    # the printed differences of gains lose some five digits
    assert key.key_bits_raw / 1e12 == pytest.approx(printed_limit(0.1, 0.05), rel=1e-9)
    assert key.epsilon.total == 1.0  # nothing is claimed


def test_a_finite_key_approaches_its_limit_with_the_root_of_the_pulses():
    limit = printed_limit(0.1, 0.05)
    gaps = []
    for pulses in (8e13, 8e15):
        key = key_length(0.1, 0.05, pulses=pulses, leakage="block", **LINK)
        gaps.append(1.0 - key.key_bits_raw / pulses / limit)
    # the entropy of the phase error is not linear over the larger gap
    assert gaps[0] / gaps[1] == pytest.approx(10.0, rel=0.15)


@pytest.mark.parametrize("bound", ["chernoff-implicit", "chernoff", "hoeffding"])
def test_more_pulses_give_more_key_each_and_never_more_than_the_limit(bound):
    rates = [
        key_length(0.1, 0.1, pulses=pulses, bound=bound, leakage="block", **LINK).key_bits_raw / pulses
        for pulses in (1e10, 1e11, 1e12, 1e13, 1e14)
    ]
    limit = key_length(0.1, 0.1, pulses=1e10, bound="asymptotic", leakage="block", **LINK).key_bits_raw / 1e10
    assert sorted([*rates, limit]) == [*rates, limit]


def test_length_and_budget_are_those_of_the_intermediate_bounds():
    key = key_length(0.03, 0.02, pulses=1e13, **LINK)
    assert key.key_bits > 0
    assert key.reason is None
    secret = key.n1_key_lower * (1 - entropy(key.phase_error_upper))
    constants = math.log2(2 / 1e-12) + 2 * math.log2(1 / (2 * 1e-10))
    assert key.key_bits_raw == pytest.approx(secret - key.leak_ec_bits - constants, rel=1e-12)
    assert key.key_bits == math.floor(key.key_bits_raw)
    eps_1 = key.intermediate["eps_per_bound"]
    assert 2 * math.sqrt(N_BOUNDS * eps_1) + 1e-10 == pytest.approx(1e-9, rel=1e-12)
    assert key.epsilon.total == pytest.approx(1e-9 + 1e-12, rel=1e-12)
    assert key.sifted_bits == key.n_key[0]
    assert key.n1_key_lower < key.n_key[0]
    assert len(key.n_test) == len(key.m_test) == 9


def test_exchange_of_the_senders():
    back = dict(LINK)
    for name in ("intensities", "signal", "probabilities"):
        back[f"{name}_a"], back[f"{name}_b"] = LINK[f"{name}_b"], LINK[f"{name}_a"]
    there = key_length(0.03, 0.01, pulses=1e13, **LINK)
    # sums in another order; whole numbers of sampled pairs can differ by one
    assert key_length(0.01, 0.03, pulses=1e13, **back).key_bits_raw == pytest.approx(there.key_bits_raw, rel=1e-6)


def test_where_finite_keys_end():
    """The table of docs/mdi.md at 50 dB and 55 dB, published dark counts, 1e14 pulse pairs."""
    rest = {**LINK, "p_dark": 3e-6, "probabilities_a": (0.1, 0.6, 0.3), "probabilities_b": (0.1, 0.6, 0.3)}

    def key(loss_db, signal, mu, nu, p_z):
        sides = {
            f"{name}_{s}": value for name, value in (("signal", signal), ("intensities", (mu, nu, 0.0))) for s in "ab"
        }
        eta = 10 ** (-loss_db / 20)
        return key_length(eta, eta, pulses=1e14, **{**rest, **sides, "p_z": p_z}).key_bits

    assert key(50.0, 0.26, 0.24, 0.057, 0.22) == pytest.approx(22_400, rel=3e-3)  # as rounded in the table
    assert key(55.0, 0.21, 0.29, 0.066, 0.27) == 0


def test_own_intensities_for_each_side_serve_unequal_links():
    same = {**LINK, **{f"{name}_{side}": LINK[f"{name}_a"] for name in ("intensities", "signal") for side in "ab"}}
    own = {
        **same, "intensities_a": (0.1, 0.02, 0.0), "intensities_b": (0.6, 0.15, 0.0), "signal_a": 0.2, "signal_b": 0.6
    }  # fmt: skip
    keys = [key_length(0.1, 0.01, pulses=1e13, **choice).key_bits for choice in (same, own)]
    assert keys[0] == 0
    assert keys[1] > 0


# Yields of photon numbers 0 and 1 only: then the decoy bound is exact, and fluctuations alone decide
YIELDS = np.array([[1e-6, 2e-5], [3e-5, 4e-4]])
ERRORS = np.array([[0.5, 0.5], [0.5, 0.03]])
PULSES = 3e10


def simulated_block(random):
    """Counts of one block, and what nobody sees: successes and errors of single photons in X, the same in Z."""
    sides = [
        np.array(
            [p * math.exp(-k) * np.array([1.0, k]) for p, k in zip(LINK[f"probabilities_{s}"], levels, strict=True)]
        )
        for s, levels in (("a", LINK["intensities_a"]), ("b", LINK["intensities_b"]))
    ]
    p_z = LINK["p_z"]
    chance = np.einsum("ki,lj,ij->klij", *sides, YIELDS) * (1 - p_z) ** 2
    n = random.poisson(PULSES * chance)
    m = random.binomial(n, np.broadcast_to(ERRORS, n.shape))
    signal = [np.exp(-LINK[f"signal_{s}"]) * np.array([1.0, LINK[f"signal_{s}"]]) for s in "ab"]
    n_z = random.poisson(PULSES * p_z**2 * np.outer(*signal) * YIELDS)
    phase_errors = random.binomial(n_z[1, 1], ERRORS[1, 1])
    tables = [tuple(map(tuple, part.sum(axis=(2, 3)).astype(float))) for part in (n, m)]
    counts = Counts(float(n_z.sum()), 0.03 * float(n_z.sum()), *tables)
    return counts, n[:, :, 1, 1].sum(), m[:, :, 1, 1].sum(), n_z[1, 1], phase_errors


def setup_of(bound, eps_bound):
    levels, chances = ((LINK[f"{name}_a"], LINK[f"{name}_b"]) for name in ("intensities", "probabilities"))
    singles = math.prod(
        sum(p * k * math.exp(-k) for p, k in zip(*side, strict=True)) for side in zip(chances, levels, strict=True)
    )
    z = LINK["p_z"] ** 2 * LINK["signal_a"] * LINK["signal_b"] * math.exp(-LINK["signal_a"] - LINK["signal_b"])
    x = (1 - LINK["p_z"]) ** 2 * singles
    return Setup(
        levels, chances, singles, z / (z + x), BOUNDS[bound], bound != "asymptotic", block, 1.16, eps_bound, 1e-12, 0.0
    )


def test_simulated_blocks_keep_every_bound_and_break_them_without_fluctuations():
    random = np.random.default_rng(20260101)
    sound, none = setup_of("chernoff-implicit", 1e-3), setup_of("asymptotic", 1e-3)
    blocks, broken, naive = 400, np.zeros(4), np.zeros(4)
    for _ in range(blocks):
        counts, test_pairs, test_errors, key_pairs, phase_errors = simulated_block(random)
        for setup, failures in ((sound, broken), (none, naive)):
            found = analyse(counts, setup)
            failures += [
                found.test_pairs > test_pairs,
                found.test_errors < test_errors,
                found.key_pairs > key_pairs,
                found.phase_error * key_pairs < phase_errors,
            ]
    # 14 estimates of 1e-3 allow 1.4 % of the blocks; that twelve fail has a probability of 1 in 60
    assert broken.max() < 12
    # estimates without fluctuations fall on either side of the truth
    assert naive / blocks == pytest.approx(np.full(4, 0.5), abs=0.15)


def test_bounds_are_not_wider_than_their_counts_ask_for():
    """A hundred times the counts: a tenth of the relative deviation."""
    random = np.random.default_rng(7)
    counts, *_ = simulated_block(random)
    sound, none = setup_of("chernoff", 1e-10), setup_of("asymptotic", 1e-10)
    deviations = []
    for factor in (100.0, 10_000.0):
        block_counts = counts.scaled(factor, 1.0)
        deviations.append(1.0 - analyse(block_counts, sound).test_pairs / analyse(block_counts, none).test_pairs)
    assert deviations[0] / deviations[1] == pytest.approx(10.0, rel=0.02)  # beta / 2 beside sqrt(2 beta n)


SETTING = {
    name: LINK[name]
    for name in LINK
    if name.startswith(("intensities", "signal", "probabilities", "p_z", "eps_"))
}  # fmt: skip


def counts_of(key):
    return {"n_key": key.n_key[0], "m_key": key.m_key[0]} | {
        name: np.reshape(getattr(key, name), (3, 3)) for name in ("n_test", "m_test")
    }


def test_counts_of_a_varying_channel_are_the_sums_over_its_instants():
    eta_a, eta_b, sent = np.array([0.03, 0.05, 0.02]), np.array([0.04, 0.03, 0.06]), np.array([2e12, 1e12, 3e12])
    whole = key_length(eta_a, eta_b, pulses=sent, **LINK)
    parts = [key_length(a, b, pulses=n, **LINK) for a, b, n in zip(eta_a, eta_b, sent, strict=True)]
    for name in ("n_key", "m_key", "n_test", "m_test"):
        np.testing.assert_allclose(getattr(whole, name), np.sum([getattr(p, name) for p in parts], axis=0), rtol=1e-12)
    # one block fluctuates less than three
    assert whole.key_bits_raw > sum(part.key_bits_raw for part in parts)
    even = key_length(eta_a, 0.04, pulses=6e12, **LINK)
    each = key_length(eta_a, 0.04, pulses=[2e12] * 3, **LINK)
    assert even.key_bits_raw == pytest.approx(each.key_bits_raw, rel=1e-12)
    constant = key_length([0.03] * 4, [0.04] * 4, pulses=6e12, **LINK)
    assert constant.key_bits_raw == pytest.approx(key_length(0.03, 0.04, pulses=6e12, **LINK).key_bits_raw, rel=1e-9)


def test_counts_observed_give_the_key_of_the_same_counts_expected():
    expected = key_length([0.03, 0.05], 0.03, pulses=1e13, **LINK)
    observed = key_length_from_counts(**counts_of(expected), **SETTING)
    assert observed.key_bits == expected.key_bits
    assert observed.epsilon.total == expected.epsilon.total
    # a random block of the same channel: within a few deviations of it
    random = np.random.default_rng(4)
    drawn = {name: np.asarray(random.poisson(value), float) for name, value in counts_of(expected).items()}
    drawn = {**drawn, "n_key": float(drawn["n_key"]), "m_key": float(drawn["m_key"])}
    # the errors of (nu, nu), some thousands, fluctuate by a percent, and the decoy bounds multiply that
    assert key_length_from_counts(**drawn, **SETTING).key_bits == pytest.approx(expected.key_bits, rel=0.1)
    silent = key_length_from_counts(n_key=0, m_key=0, n_test=np.zeros((3, 3)), m_test=np.zeros((3, 3)), **SETTING)
    assert silent.key_bits == 0
    assert silent.reason.startswith("NO_COUNTS")


def test_more_errors_or_fewer_counts_never_give_more_key():
    base = counts_of(key_length(0.04, 0.04, pulses=1e13, **LINK))
    key = key_length_from_counts(**base, **SETTING).key_bits_raw
    worse = {
        "m_key": base["m_key"] * 1.1,
        "n_test": base["n_test"] * np.array([[1, 1, 1], [1, 0.97, 1], [1, 1, 1]]),
        "m_test": base["m_test"] * np.array([[1, 1, 1], [1, 1.1, 1], [1, 1, 1]]),
    }
    for name, value in worse.items():
        assert key_length_from_counts(**{**base, name: value}, **SETTING).key_bits_raw < key


def test_no_key_has_a_reason():
    few = key_length(0.03, 0.03, pulses=1e9, **LINK)
    assert few.key_bits == 0
    assert few.reason.startswith("TOO_FEW_COUNTS")
    factor = float(few.reason.split("about ")[1].split(" ")[0])
    assert key_length(0.03, 0.03, pulses=1.01e9 * factor, **LINK).key_bits > 0
    assert key_length(0.03, 0.03, pulses=0.98e9 * factor, **LINK).key_bits == 0
    noisy = key_length(1e-3, 1e-3, pulses=1e14, **{**LINK, "p_dark": 3e-5})
    assert noisy.reason.startswith(("QBER_TOO_HIGH", "NO_SINGLES"))
    silent = key_length(0.0, 0.1, pulses=1e12, **{**LINK, "p_dark": 0.0})
    assert silent.reason.startswith("NO_COUNTS")
    closed = key_length(0.0, 0.1, pulses=1e14, **LINK)
    assert closed.key_bits == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pulses": 0.0}, "pulses = 0.0: must be between 1 and"),
        ({"signal_a": 0.0}, "signal_a = 0.0: must be between 1e-06 and 10"),
        ({"p_z": 1.0}, "p_z = 1.0: must be between 1e-06 and 0.999999"),
        ({"eps_secrecy": 0.0}, "eps_secrecy = 0.0: must be between 1e-30 and 0.1"),
        ({"eps_correctness": 0.5}, "eps_correctness = 0.5: must be between 1e-30 and 0.1"),
        ({"intensities_b": (0.1, 0.3, 0.0)}, "intensities_b = (0.1, 0.3, ...): must be in descending order"),
        ({"intensities_b": (0.1,)}, "intensities_b has 1 value"),
        ({"probabilities_a": (0.5, 0.5)}, "probabilities_a = (0.5, 0.5): must be three positive numbers"),
        ({"probabilities_b": (0.5, 0.4, 0.2)}, "probabilities_b = (0.5, 0.4, 0.2): must be three positive numbers"),
        ({"bound": "gauss"}, "bound = 'gauss': must be one of chernoff"),
        ({"leakage": "none"}, "leakage = 'none': must be one of"),
        ({"transmittance_a": 1.1}, "transmittance_a = 1.1: must be between 0 and 1"),
        ({"transmittance_a": []}, "transmittance_a is empty: a block needs at least one instant"),
        ({"transmittance_a": [[0.1]]}, "transmittance_a has 2 dimensions: must be a number or one per instant"),
        ({"transmittance_a": [0.1, 0.2], "pulses": [1e9] * 3}, "transmittance_a has 2 values: must be one number or"),
        ({"pulses": [-1.0, 1e12]}, "pulses = -1.0: must be between 0 and"),
        ({"pulses": [0.0, 0.0]}, "pulses = 0.0: must be between 1 and"),
        (
            {"pulses": 1e18, "transmittance_a": 1.0, "transmittance_b": 1.0},
            "pulses = 1e+18: more than 2^53 successes in a block",
        ),
    ],
)
def test_bad_input_is_one_clear_line(change, message):
    arguments = {"transmittance_a": 0.1, "transmittance_b": 0.1, "pulses": 1e12, **LINK, **change}
    links = [arguments.pop(name) for name in ("transmittance_a", "transmittance_b")]
    with pytest.raises(InputError) as caught:
        key_length(*links, **arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"m_key": 2e9}, "m_key = 2000000000.0: must be at most n_key = 1000000000.0"),
        ({"n_key": -1.0}, "n_key = -1.0: must be between 0 and"),
        ({"n_key": math.nan}, "n_key = nan: must be between 0 and"),
        ({"n_test": np.ones(9)}, "n_test has shape (9,): must be (3, 3), intensities of a times those of b"),
        ({"m_test": 2e6 * np.ones((3, 3))}, "m_test[0, 0] = 2000000.0: must be at most n_test[0, 0] = 1000000.0"),
        ({"p_z": 0.0}, "p_z = 0.0: must be between 1e-06 and 0.999999"),
    ],
)
def test_bad_counts_are_one_clear_line(change, message):
    counts = {"n_key": 1e9, "m_key": 1e7, "n_test": 1e6 * np.ones((3, 3)), "m_test": 1e5 * np.ones((3, 3))}
    with pytest.raises(InputError) as caught:
        key_length_from_counts(**{**counts, **SETTING, **change})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
