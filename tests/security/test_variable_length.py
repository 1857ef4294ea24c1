"""Linear programs against HiGHS, guards, orders and inverses of the variable-length analysis."""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from satqkd.detection.receivers import ReceiverCounts
from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import _decoy_kernels, _full_program, _tail_kernels, tails, variable_length

GOLDEN = Path(__file__).parents[1] / "golden" / "variable_length_optimised.csv"
OPTIMA = list(csv.DictReader(GOLDEN.read_text().splitlines()))
RECEIVER = {"active": "active", "apass": "asymmetric-passive", "spass": "symmetric-passive"}
SOURCE = {"intensities": (0.6, 0.2, 0.0), "intensity_probabilities": (0.7, 0.2, 0.1)}
BASE = {"pulses": 1e12, "transmittance": 1e-4, "p_noise": 1e-7, "misalignment": 0.005, "p_test_basis": 0.2, **SOURCE}
PASSIVE = {**BASE, "receiver": "asymmetric-passive", "split": 0.2}
SYMMETRIC = {**BASE, "receiver": "symmetric-passive", "disclosure": 0.2, "p_test_basis": 0.5}
RECEIVERS = [BASE, PASSIVE, SYMMETRIC]


def optimum(row: dict[str, str]) -> dict[str, object]:
    x = {k: float(v) for k, v in row.items() if k not in ("receiver", "noise_mode")}
    return {
        "receiver": RECEIVER[row["receiver"]],
        "pulses": x["N"],
        "transmittance": 10.0 ** (-x["loss_dB"] / 10.0),
        "noise": {"det": "per-detector", "sky": "received-light"}[row["noise_mode"]],
        "p_noise": x["p_noise"],
        "misalignment": x["emis"],
        "p_afterpulse": x["pap"],
        "intensities": (x["mu0"], x["mu1"], x["mu2"]),
        "intensity_probabilities": (x["pk0"], x["pk1"], x["pk2"]),
        "p_test_basis": x["pX"],
        "split": x["s_or_r"] if row["receiver"] == "apass" else None,
        "disclosure": x["s_or_r"] if row["receiver"] == "spass" else None,
        "eps_total": x["eps_tot"],
        "photon_cut": int(x["I"]),
        "convention": "published",
    }


class TestOptimisedRows:
    """Rows of ``tests/golden/variable_length_optimised.csv`` (45-digit arithmetic, independent code)."""

    @pytest.mark.parametrize(
        "row", OPTIMA, ids=lambda r: f"{r['receiver']}-{r['noise_mode']}-{r['p_noise']}-{r['loss_dB']}"
    )
    def test_key_is_the_same_to_the_bit(self, row: dict[str, str]) -> None:
        key = variable_length.key_length(**optimum(row))
        assert key.key_bits == int(row["ell"])
        assert key.phase_error_upper == pytest.approx(float(row["phi_U"]), rel=1e-9)
        assert key.m1_test_upper == pytest.approx(float(row["m1X_U"]), rel=1e-9)

    def test_active_beats_asymmetric_beats_symmetric(self) -> None:
        """Published claim (Fig. 11 of the paper), from 30 to 60 dB at every noise."""
        keys: dict[tuple[str, ...], dict[str, int]] = {}
        for row in OPTIMA:
            if row["noise_mode"] == "det":
                place = tuple(row[c] for c in ("p_noise", "loss_dB", "N", "emis", "pap", "eps_tot"))
                keys.setdefault(place, {})[row["receiver"]] = variable_length.key_length(**optimum(row)).key_bits
        complete = [found for found in keys.values() if len(found) == 3]
        assert len(complete) >= 5
        for found in complete:
            assert found["active"] >= found["apass"] >= found["spass"]


def random_program(rng: np.random.Generator) -> tuple[float, np.ndarray, np.ndarray, float, np.ndarray]:
    cut = int(rng.integers(6, 24))
    mu = np.sort(rng.uniform(0.0, 1.0, 3))[::-1] * [1.0, 0.7, float(rng.integers(0, 2)) * 0.5]
    p = rng.dirichlet([3.0, 2.0, 1.0])
    label = np.empty((3, cut + 1))
    beyond = _decoy_kernels.label_probabilities(mu, p, cut, label)
    yields = -np.expm1(np.arange(cut + 1) * np.log1p(-(10.0 ** rng.uniform(-5, -1)))) + 10.0 ** rng.uniform(-8, -4)
    weight = np.array(
        [sum(p[j] * math.exp(-m) * m**i / math.factorial(i) for j, m in enumerate(mu)) for i in range(cut + 1)]
    )
    sent = 10.0 ** rng.uniform(6, 12)
    counts = label @ (weight * yields * sent)
    total = float(counts.sum())
    ends = np.array(
        [
            [f(k, total, -41.0, _tail_kernels.normal_quantile(-41.0)) for k in counts]
            for f in (_tail_kernels.mean_lower, _tail_kernels.mean_upper)
        ]
    )
    return total, ends[0], ends[1], _tail_kernels.upper_threshold(math.floor(sent), beyond, 1.0 - beyond, -41.0), label


def highs(
    total: float, lower: np.ndarray, upper: np.ndarray, tail: float, label: np.ndarray, sign: float
) -> float | None:
    """The printed program, scaled by the total, through SciPy."""
    n = label.shape[1]
    cost = np.zeros(n + 3)
    cost[1] = sign
    rows = np.hstack((label, -np.eye(3)))
    found = linprog(
        cost,
        A_ub=np.vstack((rows, -rows)),
        b_ub=np.concatenate((np.zeros(3), np.full(3, tail / total))),
        A_eq=np.hstack((np.zeros(n), np.ones(3)))[None],
        b_eq=[1.0],
        bounds=[(0.0, 1.0)] * n + list(zip(lower / total, upper / total, strict=True)),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return None if found.status == 2 else sign * found.fun * total


class TestLinearProgram:
    @pytest.mark.parametrize("seed", range(60))
    def test_bounds_agree_with_highs(self, seed: int) -> None:
        program = random_program(np.random.default_rng(seed))
        low, high, failed = _decoy_kernels.single_photon_bounds(*program)
        assert failed == 0
        # HiGHS moves a bound by its feasibility tolerance, 1e-10 of the total, times multipliers of up to 1e3
        assert low == pytest.approx(highs(*program, 1.0), rel=1e-8, abs=1e-7 * program[0])
        assert high == pytest.approx(highs(*program, -1.0), rel=1e-8, abs=1e-7 * program[0])

    @pytest.mark.parametrize("seed", range(20))
    def test_any_multipliers_give_a_valid_bound(self, seed: int) -> None:
        rng = np.random.default_rng(1000 + seed)
        total, lower, upper, tail, label = program = random_program(rng)
        best = highs(*program, 1.0) / total
        for scale in (0.1, 1.0, 10.0):
            pi = rng.normal(size=4) * scale
            found = _decoy_kernels._certified(
                1.0, pi, label, lower / total, upper / total, tail / total, label.shape[1]
            )
            assert found <= best + 1e-7  # what HiGHS may be off by

    def test_multipliers_of_any_full_program_give_a_valid_bound(self) -> None:
        rng = np.random.default_rng(7)
        rows, box = rng.normal(size=(5, 8)), np.column_stack((np.zeros(8), rng.uniform(0.5, 2.0, 8)))
        inside, cost = 0.5 * box.sum(axis=1), rng.normal(size=8)
        limits = rows @ inside + np.array([0.1, 0.2, 0.3, 0.0, 0.0])
        best = linprog(cost, A_ub=rows[:3], b_ub=limits[:3], A_eq=rows[3:], b_eq=limits[3:], bounds=box)
        exact = np.concatenate((best.ineqlin.marginals, best.eqlin.marginals))
        assert _full_program.dual_bound(cost, rows, limits, box, exact) == pytest.approx(best.fun, rel=1e-9)
        for _ in range(50):
            pi = exact + rng.normal(size=5)
            pi[:3] = np.minimum(pi[:3], 0.0)
            assert _full_program.dual_bound(cost, rows, limits, box, pi) <= best.fun

    @pytest.mark.parametrize("program", ["reduced", "full"])
    def test_counts_that_no_photon_statistics_give_are_refused(self, program: str) -> None:
        # the decoy is detected far more often per pulse than the brighter signal
        counts = SiftedCounts((1e6, 5e6, 10.0), (1e5, 5e5, 1.0), (0.0, 0.0, 0.0), (10.0, 50.0, 0.0))
        given = {k: BASE[k] for k in ("pulses", "p_test_basis", *SOURCE)}
        key = variable_length.key_length_from_counts(counts, program=program, **given)
        assert key.key_bits == 0
        assert key.reason.startswith("INFEASIBLE_COUNTS")
        assert key.phase_error_upper == 0.5

    def test_full_program_is_close_to_the_reduced_one(self) -> None:
        full, reduced = (variable_length.key_length(**BASE, program=p).key_bits for p in ("full", "reduced"))
        # the notes of the paper: a gain far below the cost of a smaller share of epsilon
        assert full == pytest.approx(reduced, rel=3e-3)
        assert full < reduced


@pytest.mark.parametrize("seed", range(40))
def test_hypergeometric_count_is_that_of_the_uncompiled_function(seed: int) -> None:
    rng = np.random.default_rng(seed)
    population = float(math.floor(10.0 ** rng.uniform(1, 9)))
    sample = float(math.floor(population * rng.uniform(0.01, 0.9))) + 1.0
    errors = float(math.floor(sample * rng.uniform(0.0, 0.4) ** 2))
    eps = 10.0 ** rng.uniform(-18, -2)
    ours = _tail_kernels.marked_threshold(population, sample, errors, math.log(eps))
    assert ours == tails.hypergeometric_upper_count(population, sample, errors, eps)


class TestGuards:
    @pytest.mark.parametrize("given", RECEIVERS, ids=lambda g: g.get("receiver", "active"))
    @pytest.mark.parametrize(
        "change",
        [
            {"pulses": 1.0}, {"pulses": 1e13}, {"pulses": 12345.6}, {"transmittance": 0.0}, {"transmittance": 1.0},
            {"p_noise": 1e-10, "p_dark": 1e-10}, {"p_noise": 0.0, "p_dark": 0.0}, {"p_noise": 0.4},
            {"misalignment": 0.0}, {"misalignment": 0.5}, {"intensities": (0.6, 0.6 - 1e-12, 0.0)},
            {"intensities": (1e-9, 1e-10, 0.0)}, {"intensities": (0.6, 0.2, 0.2 - 1e-13)},
            {"eps_total": 1e-60}, {"eps_total": 0.1}, {"photon_cut": 2}, {"p_afterpulse": 0.5},
            {"intensity_probabilities": (1.0 - 2e-12, 1e-12, 1e-12)},
            {"transmittance": 0.0, "p_noise": 0.0, "p_dark": 0.0},
        ],
        ids=lambda c: "-".join(f"{k}={v}" for k, v in c.items()),
    )  # fmt: skip
    def test_extremes_give_a_key_or_a_reason(self, given: dict[str, object], change: dict[str, object]) -> None:
        self.sound(variable_length.key_length(**{**given, **change}))

    @pytest.mark.parametrize("p_test", [1e-12, 1e-3, 0.999, 1.0 - 1e-12])
    @pytest.mark.parametrize("given", [BASE, PASSIVE], ids=["active", "passive"])
    def test_bases_that_are_hardly_used(self, given: dict[str, object], p_test: float) -> None:
        self.sound(variable_length.key_length(**{**given, "p_test_basis": p_test}))

    @pytest.mark.parametrize("split", [1e-12, 1.0 - 1e-12])
    def test_splits_near_the_ends(self, split: float) -> None:
        key = variable_length.key_length(**{**PASSIVE, "split": split})
        self.sound(key)
        assert key.key_bits == 0

    @staticmethod
    def sound(key: variable_length.KeyLength) -> None:
        assert key.key_bits >= 0
        assert (key.reason is None) == (key.key_bits > 0)
        assert math.isfinite(key.key_bits_raw)
        assert 0.0 <= key.phase_error_upper <= 0.5
        assert 0.0 <= key.n1_key_lower <= key.intermediate["n1_key_upper"] <= key.sifted_bits * (1 + 1e-12)
        assert key.key_bits <= 2.0 * key.sifted_bits

    def test_reasons(self) -> None:
        reason = variable_length.key_length(**{**BASE, "transmittance": 0.0}).reason
        assert reason.startswith("NO_COUNTS")
        assert variable_length.key_length(**{**BASE, "pulses": 1e8}).reason.startswith("TOO_FEW_COUNTS")
        assert variable_length.key_length(**{**BASE, "misalignment": 0.2}).reason.startswith("QBER_TOO_HIGH")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"receiver": "passive"}, "receiver = 'passive': must be one of active"),
            ({"pulses": 0.5}, "pulses = 0.5"),
            ({"pulses": math.nan}, "pulses = nan"),
            ({"transmittance": 1.5}, "between 0 and 1"),
            ({"transmittance": math.nan}, "between 0 and 1"),
            ({"p_noise": None}, "p_noise: missing"),
            ({"p_noise": -1e-9}, "at least 0 and below 1"),
            ({"noise": "sky"}, "noise = 'sky'"),
            ({"misalignment": 0.6}, "between 0 and 0.5"),
            ({"intensities": (0.2, 0.6, 0.0)}, "descending"),
            ({"intensities": (0.6, 0.2)}, "three each"),
            ({"intensity_probabilities": (0.7, 0.2, 0.2)}, "add up to 1"),
            ({"p_test_basis": 1.0}, "strictly between 0 and 1"),
            ({"split": 0.3}, "leave it out"),
            ({"disclosure": 0.3}, "leave it out"),
            ({"receiver": "asymmetric-passive"}, "split = None"),
            ({"receiver": "symmetric-passive", "p_test_basis": 0.5}, "disclosure = None"),
            ({"receiver": "symmetric-passive", "disclosure": 0.2}, "must be 0.5"),
            ({"receiver": "asymmetric-passive", "split": 0.2, "p_noise": 0.0}, "includes dark counts"),
            ({"program": "simplex"}, "program = 'simplex'"),
            ({"photon_cut": 1}, "photon_cut = 1"),
            ({"eps_total": 0.5}, "eps_total = 0.5"),
            ({"f_ec": 0.9}, "f_ec = 0.9"),
        ],
    )
    def test_bad_input_is_one_clear_line(self, change: dict[str, object], message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            variable_length.key_length(**{**BASE, **change})
        assert "\n" not in str(caught.value)


class TestFromCounts:
    @pytest.mark.parametrize("given", RECEIVERS, ids=lambda g: g.get("receiver", "active"))
    def test_agrees_with_the_prediction_it_came_from(self, given: dict[str, object]) -> None:
        expected = variable_length.key_length(**given, noise="per-detector")
        counts = ReceiverCounts(
            expected.n_key, expected.n_test, expected.m_key, expected.m_test, expected.intermediate["multi_clicks"]
        )
        names = ("receiver", "pulses", "p_test_basis", "split", "disclosure", *SOURCE)
        options = {name: given[name] for name in names if name in given}
        sets = [counts, counts] if "disclosure" in given else counts
        key = variable_length.key_length_from_counts(sets, **options)
        assert key.key_bits == expected.key_bits
        assert key.key_bits_raw == pytest.approx(expected.key_bits_raw, rel=1e-13)

    def test_two_bases_give_two_keys(self) -> None:
        good = SiftedCounts((8.4e6, 8e5, 800.0), (2.1e6, 2e5, 200.0), (4e4, 4e3, 400.0), (1e4, 1e3, 100.0))
        bad = SiftedCounts(good.n_key, good.n_test, good.m_key, (4e5, 4e4, 100.0))
        options = {k: SYMMETRIC[k] for k in ("receiver", "pulses", "p_test_basis", "disclosure", *SOURCE)}
        both = variable_length.key_length_from_counts([good, good], **options)
        one = variable_length.key_length_from_counts([good, bad], **options)
        assert one.key_bits == both.key_bits / 2

    def test_the_real_leak_takes_the_place_of_the_estimate(self) -> None:
        good = SiftedCounts((8.4e6, 8e5, 800.0), (2.1e6, 2e5, 200.0), (4e4, 4e3, 400.0), (1e4, 1e3, 100.0))
        options = {k: SYMMETRIC[k] for k in ("receiver", "pulses", "p_test_basis", "disclosure", *SOURCE)}
        estimate = variable_length.key_length_from_counts([good, good], **options)
        leak = estimate.leak_ec_bits
        real = variable_length.key_length_from_counts([good, good], leak_ec_bits=(leak + 1000, leak - 4000), **options)
        assert real.key_bits_raw == pytest.approx(estimate.key_bits_raw + 3000, abs=1e-6)
        assert real.leak_ec_bits == leak + 1000
        none = variable_length.key_length_from_counts([good, good], leak_ec_bits=(9e6, 9e6), **options)
        assert none.key_bits == 0
        assert none.reason is not None
        for wrong in (5.0, (1.0, -1.0), (1.0, math.nan)):
            with pytest.raises(InputError, match=r"leak_ec_bits = .*must be 2 numbers"):
                variable_length.key_length_from_counts([good, good], leak_ec_bits=wrong, **options)

    @pytest.mark.parametrize(
        ("counts", "receiver", "message"),
        [
            (SiftedCounts((1.0, 1.0), (1.0,) * 3, (0.0,) * 2, (0.0,) * 3), "active", "three detection"),
            (SiftedCounts((1.0,) * 3, (1.0,) * 3, (2.0,) * 3, (0.0,) * 3), "active", "errors <= detections"),
            (SiftedCounts((1e12,) * 3, (1.0,) * 3, (0.0,) * 3, (0.0,) * 3), "active", "at most the"),
            (SiftedCounts((1.0,) * 3, (1.0,) * 3, (0.0,) * 3, (0.0,) * 3), "asymmetric-passive", "multi-clicks"),
            ([], "active", "got 0 sets"),
        ],
    )
    def test_counts_that_contradict_themselves(self, counts: object, receiver: str, message: str) -> None:
        options = {"receiver": receiver, "split": 0.2 if receiver != "active" else None}
        with pytest.raises(InputError, match=message):
            variable_length.key_length_from_counts(counts, pulses=1e12, p_test_basis=0.2, **SOURCE, **options)


class TestLaws:
    def test_key_falls_with_loss_noise_and_security(self) -> None:
        def bits(**change: object) -> float:
            return variable_length.key_length(**{**BASE, **change}).key_bits_raw

        for name, values in (
            ("transmittance", (1e-3, 3e-4, 1e-4, 5e-5)),
            ("p_noise", (1e-9, 1e-8, 1e-7, 1e-6)),
            ("eps_total", (1e-3, 1e-6, 1e-9, 1e-15)),
            ("misalignment", (0.0, 0.01, 0.02, 0.05)),
        ):
            assert all(better > worse for better, worse in pairwise(bits(**{name: v}) for v in values)), name

    def test_slots_of_equal_loss_are_one_slot(self) -> None:
        slots = variable_length.key_length(**{**BASE, "transmittance": [1e-4] * 50})
        assert slots.key_bits_raw == pytest.approx(variable_length.key_length(**BASE).key_bits_raw, rel=1e-12)

    def test_matched_multi_clicks_are_more_and_cost_little(self) -> None:
        published, matched = (variable_length.key_length(**PASSIVE, multi_click=m) for m in ("published", "matched"))
        assert 1.0 < matched.intermediate["multi_clicks"] / published.intermediate["multi_clicks"] < 1.25
        assert 0.9995 < matched.key_bits / published.key_bits <= 1.0
