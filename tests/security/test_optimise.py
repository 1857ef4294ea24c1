"""The optimiser: other optimisers as oracles, constraints, cold and warm starts, monotony."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from satqkd.errors import InputError
from satqkd.security import lim2014
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.lim2014_analysis import Lim2014, block_data
from satqkd.security.lim2014_variants import standard_key_length
from satqkd.security.optimise import Optimum, Parameter, Problem, best
from satqkd.security.sampling import SAMPLING

TIME_S = np.arange(-220.0, 221.0)
PASS = 2e-3 / (1.0 + (TIME_S / 90.0) ** 2)  # 27 dB at culmination, 17 dB lower at the ends
LINK = {"pulses_per_slot": 1e8, "p_extraneous": 5e-7, "qber_intrinsic": 0.005, "p_afterpulse": 1e-3}
PUBLISHED = {"sampling": "lim2014", "leakage": "satquma"}


def optimum(loss_db: float = 6.0, **changes: object) -> Optimum:
    start = changes.pop("start", None)
    bounds = changes.pop("bounds", None)
    fixed = {**LINK, "transmittance": PASS * 10.0 ** (-loss_db / 10.0), **changes}
    return best("lim2014", fixed=fixed, start=start, bounds=bounds)


# ---- the compiled objective against the exact analysis


@pytest.mark.parametrize("sampling", ["exact-smooth", "exact", "lim2014"])
@pytest.mark.parametrize("leakage", ["achievable", "finite", "published", "published-eq9", "satquma", "block"])
@pytest.mark.parametrize("bound", ["chernoff", "hoeffding", "asymptotic"])
def test_objective_is_close_to_the_exact_key(bound: str, leakage: str, sampling: str) -> None:
    from satqkd.security._lim2014_fast import total_key

    options = {"bound": bound, "leakage": leakage, "sampling": sampling}
    rng = np.random.default_rng(3)
    for _ in range(6):
        loss_db = rng.uniform(0.0, 9.0)
        p2, p3 = rng.uniform(0.05, 0.2, 2)
        mu, p, bias = (rng.uniform(0.5, 0.8), rng.uniform(0.08, 0.2), 0.0), (1 - p2 - p3, p2, p3), rng.uniform(0.6, 0.9)
        fixed = {**LINK, **options, "transmittance": PASS * 10.0 ** (-loss_db / 10.0)}
        exact = lim2014.key_length(**fixed, intensities=mu, intensity_probabilities=p, p_key_basis=bias)
        data = np.concatenate([[1.0], block_data(fixed, standard=False, order=12)])
        fast = total_key(np.array([*mu, *p, bias]), data)
        if exact.n1_key_lower == 0.0 or exact.n1_test_lower == 0.0:
            assert exact.key_bits == 0
            assert fast < exact.key_bits_raw + 10.0  # a slope towards settings that have single photons
            continue
        # the closed form for the sampling is within 4 errors of the inversion, one of which costs at most 6 bits per
        # key single over test single; a whole number of errors in the leakage's quantile is 8 bits
        slack = (
            24.0 * exact.n1_key_lower / exact.n1_test_lower if sampling != "lim2014" and bound != "asymptotic" else 0.0
        )
        assert fast == pytest.approx(exact.key_bits_raw, rel=1e-9, abs=slack + 10.0)


@pytest.mark.parametrize("p_extraneous", [1e-8, 5e-7, 1e-5])
@pytest.mark.parametrize("loss_db", [-20.0, 0.0, 6.0, 12.0])
@pytest.mark.parametrize("sky", ["clear", "blocked", "clouds"])
def test_few_nodes_stand_for_the_slots(loss_db: float, p_extraneous: float, sky: str) -> None:
    """With the cap on the errors active (small bias) and not: 8 nodes against 441 slots."""
    from satqkd.security._lim2014_fast import total_key

    seen = {"clear": 1.0, "blocked": abs(TIME_S - 60.0) > 30.0, "clouds": np.exp(-2.0 * np.sin(TIME_S / 9.0) ** 2)}
    eta = PASS * 10.0 ** (-loss_db / 10.0) * seen[sky]
    fixed = {**LINK, **PUBLISHED, "transmittance": eta, "p_extraneous": p_extraneous}
    few, all_slots = (np.concatenate([[1.0], block_data(fixed, standard=False, order=order)]) for order in (8, 0))
    assert few.size < 60 < all_slots.size
    for bias in (0.55, 0.75, 0.9):
        setting = np.array([0.7, 0.12, 0.0, 0.8, 0.15, 0.05, bias])
        exact = total_key(setting, all_slots)
        # half a bit; with blocked slots less room for poles is left, and at 7 dB keys are of 1e9 bits
        assert total_key(setting, few) == pytest.approx(exact, rel=1e-7, abs=0.5)


@pytest.mark.parametrize(("bias", "active"), [(0.55, False), (0.9, True)])
def test_errors_without_cap(bias: float, active: bool) -> None:
    """The objective without the cap against the exact analysis' own intermediate numbers."""
    from satqkd.security._lim2014_fast import total_key

    fixed = {**LINK, "sampling": "lim2014", "leakage": "block", "transmittance": PASS}
    mu, p = (0.7, 0.12, 0.0), (0.8, 0.15, 0.05)
    exact = lim2014.key_length(**fixed, intensities=mu, intensity_probabilities=p, p_key_basis=bias)
    errors = exact.intermediate["m1_test_unclamped"]
    assert (errors > exact.m1_test_upper) == active
    phase = SAMPLING["lim2014"](errors, exact.n1_test_lower, exact.n1_key_lower, 1e-9)
    secret = exact.n0_key_lower + exact.n1_key_lower * (1.0 - binary_entropy_scalar(phase))
    expected = secret - exact.leak_ec_bits - exact.intermediate["constant_bits"]
    setting = np.array([*mu, *p, bias])
    with_cap, without = (
        total_key(setting, np.concatenate([[1.0], block_data(fixed, standard=False, order=0, capped=capped)]))
        for capped in (True, False)
    )
    assert without == pytest.approx(expected, rel=1e-9)  # rounding of sums in another order
    assert with_cap == pytest.approx(exact.key_bits_raw, rel=1e-9)


# ---- optima


@pytest.mark.parametrize("loss_db", [0.0, 6.0, 12.0])
def test_another_optimiser_on_the_exact_key_finds_no_longer_one(loss_db: float) -> None:
    """SciPy's Powell and Nelder-Mead methods, started at the optimum and beside it, on the exact function."""
    found = optimum(loss_db)
    eta = PASS * 10.0 ** (-loss_db / 10.0)

    def minus_key(x: np.ndarray) -> float:
        mu1, ratio, p2, p3, bias = x
        if not (0.0 < ratio < 0.98 and min(p2, p3) > 0.0 and p2 + p3 < 1.0 and 0.0 < bias < 1.0 and mu1 > 0.0):
            return 1e9
        key = lim2014.key_length(eta, **LINK, intensities=(mu1, ratio * mu1, 0.0),
                                 intensity_probabilities=(1.0 - p2 - p3, p2, p3), p_key_basis=bias)  # fmt: skip
        return -key.key_bits_raw

    mu, p = found.parameters["intensities"], found.parameters["intensity_probabilities"]
    here = np.array([mu[0], mu[1] / mu[0], p[1], p[2], found.parameters["p_key_basis"]])
    assert -minus_key(here) == pytest.approx(found.key.key_bits_raw, rel=1e-12)  # the same function
    others = [
        minimize(minus_key, start, method=method, options={"maxfev": 350})
        for start, method in ((here, "Powell"), (here * [1.1, 0.8, 1.3, 1.2, 0.97], "Nelder-Mead"))
    ]
    longest = max(-other.fun for other in others)
    # whole numbers of errors in the exact sampling bound make steps of 1e-4 that the smooth objective does not see
    assert found.key.key_bits_raw == pytest.approx(max(longest, found.key.key_bits_raw), rel=4e-4)


@pytest.mark.parametrize("options", [{}, PUBLISHED], ids=["sound", "published"])
def test_cold_starts_agree_with_a_dense_set_of_starts(options: dict[str, str]) -> None:
    for loss_db in (0.0, 5.0, 10.0, 13.0):
        reference = optimum(loss_db, **options)
        rng = np.random.default_rng(int(loss_db))
        for _ in range(8):
            p2, p3 = rng.uniform(0.02, 0.4, 2)
            start = {
                "intensities": (rng.uniform(0.2, 1.0), rng.uniform(0.02, 0.15), 0.0),
                "intensity_probabilities": (1.0 - p2 - p3, p2, p3),
                "p_key_basis": rng.uniform(0.3, 0.97),
            }
            other = optimum(loss_db, start=start, **options)
            # the tolerance of the search, 1e-10 relative, several times over
            assert other.objective_bits == pytest.approx(reference.objective_bits, rel=1e-7, abs=1e-3)
            assert other.converged


def test_warm_starts_along_a_sweep_give_the_cold_optima_with_fewer_evaluations() -> None:
    warm, start = [], None
    losses = np.arange(0.0, 14.0, 1.0)
    for loss_db in losses:
        start = optimum(loss_db, start=start)
        warm.append(start)
    cold = [optimum(loss_db) for loss_db in losses]
    for w, c in zip(warm, cold, strict=True):
        assert w.objective_bits == pytest.approx(c.objective_bits, rel=1e-7)
    spent = [sum(o.evaluations for o in run[1:]) for run in (warm, cold)]
    assert spent[0] / spent[1] == pytest.approx(0.55, abs=0.15)  # measured: 0.55


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ("pulses_per_slot", np.geomspace(1e7, 1e10, 10)),
        ("loss_db", np.linspace(16.0, 0.0, 12)),
        ("p_extraneous", np.geomspace(1e-5, 1e-9, 9)),
        ("qber_intrinsic", np.linspace(0.04, 0.0, 8)),
        ("passes", np.arange(1, 7)),
    ],
)
@pytest.mark.parametrize("options", [{}, PUBLISHED], ids=["sound", "published"])
def test_optimised_key_without_clamp_is_monotone(change: str, values: np.ndarray, options: dict[str, str]) -> None:
    """More pulses, less loss, less noise, more passes: a longer un-clamped key (per pulse with more passes)."""
    base = {"loss_db": 10.0} if change != "loss_db" else {}
    keys = np.array([optimum(**{**base, change: x.item(), **options}).objective_bits for x in values])
    if change == "passes":
        keys = keys / values
    assert np.all(np.isfinite(keys))
    assert np.diff(keys).min() > 0.0


def test_no_key_is_an_optimum_with_a_reason() -> None:
    found = optimum(18.0)
    assert found.key.key_bits == 0
    assert found.key.reason.startswith("TOO_FEW_COUNTS")
    assert found.objective_bits < 0.0
    assert 0.4 < found.parameters["p_key_basis"] < 0.95  # a sensible setting
    dark = optimum(35.0)
    assert (dark.key.key_bits, dark.key.reason.split(":")[0]) == (0, "QBER_TOO_HIGH")
    assert math.isfinite(dark.objective_bits)


# ---- constraints


@pytest.mark.parametrize(
    "fixed",
    [
        {"intensities": (0.5, 0.08, 0.0)},
        {"intensities": (None, 0.08, 0.0)},
        {"intensities": (0.5, None, 0.0)},
        {"intensities": (None, None, 0.01)},
        {"intensity_probabilities": (0.72, 0.18, 0.1)},
        {"intensity_probabilities": (None, None, 0.1)},
        {"intensity_probabilities": (0.7, None, None)},
        {"p_key_basis": 0.5},
        {"intensities": (0.5, 0.08, 0.0), "intensity_probabilities": (0.72, 0.18, 0.1), "p_key_basis": 0.8},
    ],
)
def test_fixed_parameters_stay_and_cost_key(fixed: dict[str, object]) -> None:
    free, found = optimum(), optimum(**fixed)
    for name, value in fixed.items():
        got = found.parameters[name]
        for x, y in zip(np.atleast_1d(got), np.atleast_1d(np.array(value, float)), strict=True):
            assert np.isnan(y) or x == y
    assert 0 < found.key.key_bits < free.key.key_bits
    assert math.fsum(found.parameters["intensity_probabilities"]) == pytest.approx(1.0, abs=1e-12)  # rounding


def test_decoy_intensity_keeps_its_distance() -> None:
    """With the signal forced low the decoy is pushed towards it: 0.98 of it is the limit."""
    found = optimum(bounds={"intensities": ((0.02, 0.03), (0.0205, 1.0), None)})
    mu = found.parameters["intensities"]
    assert mu[1] / mu[0] == pytest.approx(min(mu[1] / mu[0], 0.98), rel=1e-12)
    assert 0.02 <= mu[0] <= 0.03


def test_bounds_are_kept() -> None:
    found = optimum(bounds={"intensities": ((0.2, 0.4), None, (0.0, 0.02)), "p_key_basis": (0.5, 0.7)})
    mu = found.parameters["intensities"]
    assert mu[0] == pytest.approx(0.4, rel=1e-3)  # the free optimum is at 0.7: the bound is reached
    assert found.parameters["p_key_basis"] == pytest.approx(0.7, rel=1e-3)
    assert 0.0 <= mu[2] <= 0.02


@pytest.mark.parametrize(
    ("fixed", "bounds", "message"),
    [
        ({"mu": 1}, None, "'mu' is not an argument"),
        ({"intensities": (0.5, 0.1)}, None, "2 values, must be 3"),
        ({"intensities": (0.1, 0.5, 0.0)}, None, "must be descending"),
        ({"intensity_probabilities": (0.9, 0.2, None)}, None, "leaves nothing"),
        ({}, {"p_key_basis": (0.9, 0.1)}, "ascending"),
        ({}, {"intensity_probabilities": ((0, 1), None, None)}, "not bounded"),
        ({}, {"nonsense": (0, 1)}, "'nonsense' is not a parameter"),
        ({"p_extraneous": [1e-7, 1e-7]}, None, "must be one number or one per slot"),
        ({"transmittance": [0.5, 1.5]}, None, "transmittance contains 1.5"),
        ({"transmittance": [0.5, math.nan]}, None, "transmittance contains nan"),
        ({"leakage": "none"}, None, "leakage = 'none'"),
        ({"intensities": (None, 0.98, 0.0)}, {"intensities": ((0.5, 0.9), None, None)}, "no room"),
    ],
)
def test_bad_input_is_one_clear_line(fixed: dict[str, object], bounds: dict[str, object] | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        optimum(**fixed, bounds=bounds)


def test_unknown_analysis_is_named() -> None:
    with pytest.raises(InputError, match="must be one of lim2014, lim2014-standard"):
        best("gllp", fixed={})
    by_function = best(lim2014.key_length, fixed={**LINK, "transmittance": PASS})
    assert by_function.parameters == best("lim2014", fixed={**LINK, "transmittance": PASS}).parameters


# ---- windows, several blocks, standard BB84, other analyses


@pytest.mark.parametrize("loss_db", [0.0, 8.0, 12.0])
def test_window_is_the_best_of_all(loss_db: float) -> None:
    eta = PASS * 10.0 ** (-loss_db / 10.0)
    found = optimum(loss_db, time_s=TIME_S)
    scan, start = {}, None
    for half in np.arange(220.0, 20.0, -2.0):
        start = optimum(loss_db, transmittance=eta[np.abs(TIME_S) <= half], start=start)
        scan[half] = start.objective_bits
    widest = max(scan, key=scan.__getitem__)
    assert found.parameters["half_window_s"] == pytest.approx(widest, abs=2.0)  # the scan's step
    assert found.objective_bits == pytest.approx(max(scan.values()), rel=1e-4)  # flat at the maximum
    again = optimum(loss_db, time_s=TIME_S, half_window_s=found.parameters["half_window_s"])
    assert again.objective_bits == pytest.approx(found.objective_bits, rel=1e-8)  # the search's tolerance


def test_one_setting_for_several_passes() -> None:
    passes = [{"transmittance": PASS * 10.0 ** (-loss / 10.0)} for loss in (0.0, 5.0, 10.0)]
    together = best(Lim2014(passes), fixed=LINK)
    alone = [best("lim2014", fixed={**LINK, **one}) for one in passes]
    total = sum(max(key.key_bits_raw, 0.0) for key in together.key)
    assert total == pytest.approx(together.objective_bits, rel=1e-3)  # smooth stand-ins, as above
    own = sum(one.key.key_bits_raw for one in alone)
    assert 0.9 * own < total < own
    for setting in (one.parameters for one in alone):
        fixed_total = sum(max(lim2014.key_length(**LINK, **one, **setting).key_bits_raw, 0.0) for one in passes)
        assert fixed_total < total


def test_standard_protocol_reveals_a_fraction() -> None:
    fixed = {**LINK, "transmittance": PASS * 10**-0.6}
    found = best("lim2014-standard", fixed=fixed)
    assert found.key.key_bits == standard_key_length(**fixed, **found.parameters).key_bits > 0
    share = found.parameters["revealed_fraction"]
    for other in (0.7 * share, 1.4 * share):
        worse = best("lim2014-standard", fixed={**fixed, "revealed_fraction": other})
        assert worse.key.key_bits < found.key.key_bits
    assert best(standard_key_length, fixed=fixed).parameters == found.parameters


class Bowl:
    """An analysis in plain Python whose optimum is known: x = 0.25, q = (0.5, 0.3, 0.2)."""

    parameters = (Parameter("x", None, "interval", 0.0, 1.0), *(Parameter("q", k, "simplex") for k in range(3)))
    starts = ((0.9, 0.1, 0.1, 0.8),)

    def prepare(self, fixed: dict[str, object]) -> Problem:
        assert fixed == {}

        def objective(p: np.ndarray, data: np.ndarray) -> float:
            return float(-((p[0] - 0.25) ** 2) + data @ np.log(p[1:]))  # the entropy's maximum is at the weights

        weights = np.array([0.5, 0.3, 0.2])
        return Problem(objective, lambda choice: weights, lambda parameters, choice: dict(parameters))


def test_any_analysis_can_be_optimised() -> None:
    found = best(Bowl(), fixed={})
    # a quadratic maximum: the square root of the objective's tolerance
    assert found.parameters["x"] == pytest.approx(0.25, abs=1e-4)
    assert found.parameters["q"] == pytest.approx((0.5, 0.3, 0.2), abs=1e-4)
    assert found.converged
    assert not best(Bowl(), fixed={}, most_evaluations=30).converged


def test_plain_search_is_the_compiled_one() -> None:
    """The same source, run by Python and by Numba: the same evaluations, the same optimum."""
    from satqkd.security._coordinates import make_table
    from satqkd.security._search import plain_search, search

    analysis = Lim2014()
    problem = analysis.prepare({**LINK, **PUBLISHED, "transmittance": PASS})
    table, data = make_table(analysis.parameters, {}, {}), problem.data(None)
    results = []
    for run in (search, plain_search()):
        starts, point = np.zeros((1, 5)), np.empty(7)
        starts[0] = [0.0, -1.0, 2.0, 1.0, 1.0]
        results.append((*run(problem.objective, starts, 0.6, 1e-10, 4000.0, table, data, point), *starts[0]))
    assert results[0] == pytest.approx(results[1], rel=1e-6)  # rounding grows along the path of the simplex
