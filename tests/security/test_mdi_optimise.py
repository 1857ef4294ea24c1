"""Intensities per time slot: a global search, another arithmetic, laws of unequal links, slots, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import differential_evolution, minimize

from satqkd.errors import InputError
from satqkd.security import _mdi_program_fast, _mdi_searches, mdi
from satqkd.security._mdi_decoy import paired_x, paired_z, program
from satqkd.security._mdi_finite import prepare
from satqkd.security.mdi_optimise import READINGS, compare_slots, optimise_keys, optimise_rates, rates_of, slot_edges

RECEIVER = {"p_dark": 1e-7, "misalignment": 0.015}
PASS = {**RECEIVER, "pulses_per_s": 1e9}
LIMITS, WEAKEST = (1e-3, 2.0), 1e-3

# A pass of a minute over two stations that culminates over one before the other
TIME = np.linspace(-1.0, 1.0, 60)
ETA_A, ETA_B = (10.0 ** (-0.1 * (22.0 + 3.0 * (TIME + shift) ** 2)) for shift in (0.5, -0.5))


def linear(loss_db):
    return 10.0 ** (-0.1 * np.asarray(loss_db, float))


def globally(function, bounds, *, arrays=True):
    """Largest value by differential evolution in logarithms and a polish; no code in common with the search."""
    box = [(math.log(low), math.log(high)) for low, high in bounds]

    def negative(x):
        return -function(np.exp(x))

    found = differential_evolution(
        negative, box, seed=1, popsize=12, maxiter=400, tol=1e-8, polish=False, vectorized=arrays, updating="deferred"
    )
    options = {"xatol": 1e-9, "fatol": 1e-12 * abs(found.fun), "maxiter": 20_000, "maxfev": 20_000, "adaptive": True}
    return -min(found.fun, minimize(negative, found.x, method="Nelder-Mead", bounds=box, options=options).fun)


@pytest.mark.parametrize(
    ("loss_a_db", "loss_b_db", "p_dark"), [(20.0, 20.0, 1e-7), (19.0, 29.0, 1e-6), (33.0, 25.0, 1e-6)]
)
def test_infinite_decoys_reach_the_global_optimum(loss_a_db, loss_b_db, p_dark):
    links = linear(loss_a_db), linear(loss_b_db)
    receiver = {"p_dark": p_dark, "misalignment": 0.015}
    plan = optimise_rates(*links, pulses_per_s=1e9, **receiver)

    def rate(mu):
        return mdi.key_rate(*links, intensities_a=(mu[0],), intensities_b=(mu[1],), **receiver).rate_raw * 1e9

    # both searches end within 1e-9 of a smooth maximum
    assert plan.total_bits == pytest.approx(globally(rate, [(1e-4, 2.0)] * 2), rel=1e-8)


@pytest.mark.parametrize(("loss_a_db", "loss_b_db"), [(20.0, 22.0), (27.0, 19.0)])
def test_three_intensities_reach_the_global_optimum(loss_a_db, loss_b_db):
    links = linear(loss_a_db), linear(loss_b_db)
    plan = optimise_rates(*links, decoy="three-intensity", weakest=0.02, **PASS)

    def rate(x):
        levels = [(x[k], x[k] * x[2 + k], 0.0) for k in (0, 1)]
        found = mdi.key_rate(
            *links, intensities_a=levels[0], intensities_b=levels[1], decoy="three-intensity", **RECEIVER
        )
        return found.rate_raw * 1e9

    assert plan.total_bits == pytest.approx(globally(rate, [(1e-4, 2.0)] * 2 + [(0.02, 0.95)] * 2), rel=1e-6)


def test_one_setting_for_a_varying_slot_reaches_the_global_optimum():
    plan = optimise_rates(ETA_A, ETA_B, slot_s=None, **PASS)

    def bits(mu):
        found = mdi.key_rate(ETA_A, ETA_B, intensities_a=(mu[0],), intensities_b=(mu[1],), **RECEIVER)
        return float(found.rate.sum()) * 1e9

    assert plan.total_bits == pytest.approx(globally(bits, [(1e-4, 2.0)] * 2, arrays=False), rel=1e-6)


def key_search(receiver, eps=1e-9, bound="chernoff-implicit"):
    sides = {
        f"{name}_{side}": value
        for side in "ab"
        for name, value in (("intensities", (0.2, 0.1, 0.0)), ("signal", 0.2), ("probabilities", (0.2, 0.5, 0.3)))
    }
    setup, _ = prepare(
        **sides, p_z=0.5, f_ec=1.16, eps_secrecy=eps, eps_correctness=1e-12, bound=bound, leakage="achievable"
    )
    names = {"bound": bound, "leakage": "achievable"}
    return _mdi_searches.KeySearch(setup, names, {**receiver, "mode_overlap": 1.0}, LIMITS, WEAKEST)


@pytest.mark.parametrize(
    ("loss_a_db", "loss_b_db", "p_dark", "pulses"), [(15.0, 15.0, 1e-7, 1e12), (29.0, 21.0, 1e-6, 1e14)]
)
def test_finite_keys_reach_the_global_optimum(loss_a_db, loss_b_db, p_dark, pulses):
    receiver = {"p_dark": p_dark, "misalignment": 0.015}
    analysis = key_search(receiver)
    block = {
        "eta_a": np.array([linear(loss_a_db)]),
        "eta_b": np.array([linear(loss_b_db)]),
        "pulses": np.array([pulses]),
    }
    found = _mdi_searches.search(analysis, block, None)
    problem = analysis.prepare(block)
    data = problem.data(None)

    def key(x):  # on the edge of equal ratios, where the optimum is; off it below
        return problem.objective(np.insert(x, 3, 0.0), data)

    # signals, ratio, signals of Z, probabilities; in wider boxes evolution finds no key at all
    bounds = [(0.02, 1.0)] * 2 + [(0.02, 0.6)] + [(0.05, 1.0)] * 2 + [(0.02, 0.5), (0.2, 0.95)] * 2 + [(0.05, 0.9)]
    assert found.objective_bits == pytest.approx(globally(key, bounds, arrays=False), rel=1e-6)
    point = np.array(list(found.parameters.values()))
    for shift in (-0.1, 0.1):
        off = point.copy()
        off[3] += shift
        assert problem.objective(off, data) < found.objective_bits


@pytest.mark.parametrize("bound", ["chernoff-implicit", "chernoff", "hoeffding", "asymptotic"])
def test_compiled_key_is_the_exact_one_but_for_whole_numbers(bound):
    random = np.random.default_rng(3)
    receiver = {"p_dark": 1e-7, "misalignment": 0.015}
    analysis = key_search(receiver, bound=bound)
    eta = [linear(random.uniform(12, 16, 7)) for _ in "ab"]
    block = {"eta_a": eta[0], "eta_b": eta[1], "pulses": np.full(7, 1e13)}
    problem = analysis.prepare(block)
    values = (0.2, 0.25, 0.2, 0.1, 0.35, 0.4, 0.1, 0.65, 0.12, 0.6, 0.6)
    point = dict(zip((p.name for p in analysis.parameters), values, strict=True))
    from satqkd.security.mdi_keys import as_arguments

    exact = mdi.key_length(
        *eta, pulses=block["pulses"], **as_arguments(point, WEAKEST), **receiver, eps_secrecy=1e-9,
        eps_correctness=1e-12, bound=bound,
    )  # fmt: skip
    # the closed form of the sampling differs from its inversion by 1e-5 of the phase error
    rel = 1e-12 if bound == "asymptotic" else 2e-5
    assert problem.objective(np.array(values), problem.data(None)) == pytest.approx(exact.key_bits_raw, rel=rel)


def test_compiled_program_is_the_solver_s():
    random = np.random.default_rng(11)
    rows, cap = np.zeros((4, 404)), np.zeros(404)
    for _ in range(12):
        eta = 10.0 ** random.uniform(-3.5, -0.5, 2)
        mu = random.uniform(0.1, 0.8, 2)
        nu = mu * 10.0 ** random.uniform(-2.0, -0.2, 2)
        settings = [(a, b) for a in (mu[0], nu[0]) for b in (mu[1], nu[1])]
        z = [float(paired_z(a, b, *eta, 3e-6, 1.0)) for a, b in settings]
        x, wrong = zip(*(map(float, paired_x(a, b, *eta, 3e-6, 0.015, 1.0)) for a, b in settings), strict=True)
        for paired, largest in ((z, False), (x, False), (wrong, True)):
            gains = np.array(paired)
            _mdi_program_fast.fill(mu[0], nu[0], mu[1], nu[1], gains, rows, cap)
            basis = np.arange(400.0, 404.0)
            value = _mdi_program_fast.bound(-1.0 if largest else 1.0, rows, cap, basis) * gains[0] / mu.prod()
            again = _mdi_program_fast.bound(-1.0 if largest else 1.0, rows, cap, basis) * gains[0] / mu.prod()
            reference = program((mu[0], nu[0]), (mu[1], nu[1]), gains, largest=largest)
            # the solver's tolerance of 1e-7 in units of the gain, and what its certificate grants
            slack = 1e-7 * gains[3] / nu.prod()
            assert max(value, 0.0) == pytest.approx(reference, rel=1e-5, abs=slack)
            assert again == pytest.approx(value, rel=1e-9, abs=slack)  # from the basis it ended in


def test_programming_gives_more_than_analytic_bounds_and_less_than_infinite_decoys():
    totals = [
        optimise_rates(2e-3, 6e-3, decoy=decoy, weakest=0.05, **PASS).total_bits
        for decoy in ("three-intensity", "linear-program", "infinite")
    ]
    assert sorted(totals) == totals
    assert totals[1] / totals[0] > 1.01


def test_optimum_is_stationary_and_plans_are_what_they_say():
    plan = optimise_rates(ETA_A, ETA_B, slot_s=10.0, **PASS)
    slot = slice(20, 30)

    def bits(mu_a, mu_b):
        rate = mdi.key_rate(ETA_A[slot], ETA_B[slot], intensities_a=(mu_a,), intensities_b=(mu_b,), **RECEIVER).rate
        return float(rate.sum()) * 1e9

    mu_a, mu_b = float(plan.intensities_a[2, 0]), float(plan.intensities_b[2, 0])
    assert plan.slot_bits[2] == pytest.approx(bits(mu_a, mu_b), rel=1e-12)
    assert plan.rate[slot].sum() * 1e9 == pytest.approx(plan.slot_bits[2], rel=1e-12)
    for a, b in ((1.01, 1.0), (0.99, 1.0), (1.0, 1.01), (1.0, 0.99)):
        assert bits(a * mu_a, b * mu_b) < plan.slot_bits[2]


def test_shorter_slots_and_own_designs_give_no_less():
    plans = compare_slots(ETA_A, ETA_B, slots_s=(1.0, 5.0, 10.0, 30.0, None), **PASS)
    totals = [plan.total_bits for plan in plans.values()]
    assert sorted(totals, reverse=True) == totals
    lost = [plan.lost(plans[1.0]) for plan in plans.values()]
    # smooth links: what a slot gives away grows with the square of its length (less one second's)
    assert lost[2] / lost[1] == pytest.approx((10.0**2 - 1.0) / (5.0**2 - 1.0), rel=0.1)
    for reading in READINGS:
        other = optimise_rates(ETA_A, ETA_B, slot_s=10.0, reading=reading, **PASS)
        assert other.total_bits <= plans[10.0].total_bits * (1.0 + 1e-9)
        assert other.lost(plans[10.0]) == pytest.approx(0.0, abs=2e-3)
    at = [ETA_A.reshape(6, 10).mean(axis=1), ETA_B.reshape(6, 10).mean(axis=1)]
    given = optimise_rates(ETA_A, ETA_B, slot_s=10.0, design=(at[0], at[1]), **PASS)
    same = optimise_rates(ETA_A, ETA_B, slot_s=10.0, reading="mean-transmittance", **PASS)
    assert given.total_bits == pytest.approx(same.total_bits, rel=1e-9)


def test_weaker_decoys_balance_the_arms_and_signals_do_not():
    """Wang, Xu, Lo 2019: decoys arrive with equal strength; signals, where interference does not matter, do not."""
    plan = optimise_keys(linear(20.0), linear(12.0), pulses_per_s=1e14, **RECEIVER)
    arriving = plan.intensities_a[0] * linear(20.0) / (plan.intensities_b[0] * linear(12.0))
    # not exactly equal: multiphoton pulses of the stronger sender weigh more
    assert arriving == pytest.approx([1.0, 1.0], abs=0.25)
    signals = plan.signal_a[0] * linear(20.0) / (plan.signal_b[0] * linear(12.0))
    assert signals == pytest.approx(linear(8.0), rel=0.5)  # equal signals would be exactly that
    # with known single photons nothing has to be balanced, and the better link need not be dimmed
    known = optimise_rates(linear(20.0), linear(12.0), **PASS)
    assert known.intensities_a[0, 0] / known.intensities_b[0, 0] == pytest.approx(1.0, abs=0.1)


def test_exchange_of_the_senders():
    for finite in (False, True):
        plan, back = (
            optimise_keys(*links, slot_s=30.0, **{**PASS, "pulses_per_s": 1e13})
            if finite
            else optimise_rates(*links, slot_s=30.0, **PASS)
            for links in ((ETA_A, ETA_B), (ETA_B, ETA_A))
        )
        assert plan.total_bits == pytest.approx(back.total_bits, rel=1e-4)  # whole numbers in the finite keys
        # an optimum is flat: intensities are known to the root of the key's accuracy
        np.testing.assert_allclose(plan.intensities_a, back.intensities_b, rtol=2e-3)


def test_finite_keys_of_blocks_share_the_security_of_the_pass():
    plan = optimise_keys(ETA_A, ETA_B, slot_s=20.0, **{**PASS, "pulses_per_s": 1e13})
    assert sum(key.epsilon.total for key in plan.keys) == pytest.approx(1e-9 + 1e-12, rel=1e-12)
    assert plan.total_bits == float(sum(key.key_bits for key in plan.keys))
    whole = optimise_keys(ETA_A, ETA_B, **{**PASS, "pulses_per_s": 1e13})
    warm = optimise_keys(ETA_A, ETA_B, start=whole, **{**PASS, "pulses_per_s": 1e13})
    assert warm.total_bits == pytest.approx(whole.total_bits, rel=1e-4)  # whole numbers of errors
    assert 0.0 < plan.total_bits < whole.total_bits  # one block fluctuates less


def test_slots_pay_where_the_asymmetry_changes_much():
    sent = {**PASS, "pulses_per_s": 1e13}
    gains = []
    for tilt_db in (0.0, 4.0, 6.0, 8.0):
        links = linear(18.0 + tilt_db * TIME), linear(18.0 - tilt_db * TIME)
        whole, slots = (optimise_keys(*links, slot_s=slot, **sent).total_bits for slot in (None, 20.0))
        gains.append(slots / whole)
        assert whole < slots < optimise_rates(*links, slot_s=20.0, **sent).total_bits or tilt_db < 5.0
    assert sorted(gains) == gains
    assert gains[0] < 1.0 < gains[2]


def test_a_search_finds_the_last_keys_and_says_how_many_pulses_are_missing():
    short = optimise_keys(linear(20.6), linear(20.6), pulses_per_s=1.3e12, **RECEIVER)
    assert short.total_bits == 0.0
    reason = short.keys[0].reason
    assert reason.startswith("TOO_FEW_COUNTS")
    factor = float(reason.split("about ")[1].split(" ")[0])
    enough = optimise_keys(linear(20.6), linear(20.6), pulses_per_s=1.3e12 * factor * 1.05, **RECEIVER)
    assert enough.total_bits > 0.0
    hopeless = optimise_keys(0.0, linear(20.0), pulses_per_s=1e12, **RECEIVER)
    assert hopeless.total_bits == 0.0
    assert hopeless.keys[0].reason
    assert optimise_rates([0.0, 1e-3], [1e-3, 0.0], **PASS).slot_bits.tolist() == [0.0, 0.0]


def test_fixed_intensities_are_one_slot():
    plan = rates_of(ETA_A, ETA_B, intensities_a=(0.5, 0.1, 0.0), intensities_b=(0.5, 0.1, 0.0), **PASS)
    assert plan.edges.tolist() == [0, 60]
    assert plan.intensities_a.tolist() == [[0.5, 0.1]]
    assert plan.total_bits < optimise_rates(ETA_A, ETA_B, slot_s=None, **PASS).total_bits
    assert plan.lost(rates_of(0.0, 0.0, intensities_a=(0.5,), intensities_b=(0.5,), **PASS)) == 0.0


def test_slots():
    assert slot_edges(266, 25.0)[-3:].tolist() == [225, 250, 266]
    assert slot_edges(10, 5.0, 0.5).tolist() == [0, 10]
    assert slot_edges(7, None).tolist() == [0, 7]


@pytest.mark.parametrize(
    ("function", "change", "message"),
    [
        (optimise_rates, {"slot_s": 61.0}, "slot_s = 61.0: longer than the pass, 60 s"),
        (optimise_rates, {"slot_s": 0.0}, "slot_s = 0.0: must be a whole multiple of the step, 1 s"),
        (optimise_rates, {"slot_s": 1.5}, "slot_s = 1.5: must be a whole multiple of the step, 1 s"),
        (optimise_rates, {"slot_s": math.nan}, "slot_s = nan: must be a whole multiple of the step, 1 s"),
        (optimise_rates, {"step_s": 0.0}, "step_s = 0.0: must be above 0"),
        (optimise_rates, {"pulses_per_s": 0.0}, "pulses_per_s = 0.0: must give between 1 and"),
        (optimise_rates, {"transmittance_a": []}, "transmittance_a is empty: the pass needs at least one instant"),
        (optimise_rates, {"transmittance_a": [0.1, 0.1]}, "transmittance_a has 2 values: must be one per instant (60)"),
        (
            optimise_rates,
            {"transmittance_b": [[0.1]]},
            "transmittance_b has 2 dimensions: must be one value per instant",
        ),
        (optimise_rates, {"transmittance_b": 1.5}, "transmittance_b = 1.5: must be between 0 and 1"),
        (optimise_rates, {"decoy": "two"}, "decoy = 'two': must be one of infinite"),
        (optimise_rates, {"reading": "mean"}, "reading = 'mean': must be one of sum, mean-transmittance, mean-loss"),
        (optimise_rates, {"design": ([0.1], [0.1])}, "design[0] has 1 values: must be one per slot (60)"),
        (optimise_rates, {"limits": (1.0, 0.1)}, "limits = (1.0, 0.1): must be ascending"),
        (optimise_rates, {"weakest": 0.0}, "weakest = 0.0: must be between 1e-06 and 0.5"),
        (optimise_rates, {"p_dark": 0.7}, "p_dark = 0.7: must be between 0 and 0.5"),
        (optimise_rates, {"f_ec": 0.5}, "f_ec = 0.5: must be between 1 and 10"),
        (optimise_keys, {"slot_s": 61.0}, "slot_s = 61.0: longer than the pass, 60 s"),
        (optimise_keys, {"pulses_per_s": 0.0}, "pulses_per_s = 0.0: must give between 1 and"),
        (optimise_keys, {"transmittance_b": []}, "transmittance_b is empty"),
        (optimise_keys, {"eps_secrecy": 0.0}, "eps_secrecy = 0.0: must be between 1e-27 and 0.1"),
        (optimise_keys, {"bound": "asymptotic"}, "bound = 'asymptotic': has no best setting"),
        (optimise_keys, {"bound": "gauss"}, "bound = 'gauss': must be one of chernoff"),
        (optimise_keys, {"misalignment": 0.7}, "misalignment = 0.7: must be between 0 and 0.5"),
        (rates_of, {"intensities_a": (0.1, 0.5, 0.0)}, "intensities_a = (0.1, 0.5, ...): must be in descending order"),
        (rates_of, {"pulses_per_s": 0.0}, "pulses_per_s = 0.0: must give between 1 and"),
    ],
)
def test_bad_input_is_one_clear_line(function, change, message):
    fixed = {"intensities_a": (0.5,), "intensities_b": (0.5,)} if function is rates_of else {}
    arguments = {"transmittance_a": ETA_A, "transmittance_b": ETA_B, **PASS, **fixed, **change}
    links = [arguments.pop(name) for name in ("transmittance_a", "transmittance_b")]
    with pytest.raises(InputError) as caught:
        function(*links, **arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
