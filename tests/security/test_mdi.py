"""Measurement-device-independent key rates: reference rows, symmetries, orders, bounds that hold."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import iv

from satqkd.errors import InputError
from satqkd.security._mdi_decoy import program
from satqkd.security.mdi import DECOYS, key_rate

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "mdi_fixed.csv"
with GOLDEN.open(encoding="utf-8") as file:
    ROWS = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

RECEIVER = {"p_dark": 3e-6, "misalignment": 0.015}
LEVELS = {"intensities_a": (0.25, 0.02, 0.0), "intensities_b": (0.25, 0.02, 0.0)}


def linear(loss_db):
    return 10.0 ** (-np.asarray(loss_db) / 10.0)


def of_row(row, decoy):
    return key_rate(
        linear(row["loss_a_dB"]),
        linear(row["loss_b_dB"]),
        intensities_a=(row["mu_a"], row["nu_a"], 0.0),
        intensities_b=(row["mu_b"], row["nu_b"], 0.0),
        p_dark=row["p_d"],
        misalignment=row["e_d"],
        f_ec=row["f_ec"],
        decoy=decoy,
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row['id']:.0f}")
def test_reference_rows(row):
    rate = of_row(row, "infinite")
    found = (rate.gain_z, rate.qber_z, rate.gain_x, rate.qber_x, rate.yield_11, rate.error_11_x, rate.rate_raw)
    expected = [row[name] for name in ("QZ", "EZ", "QX", "EX", "Y11", "e11X", "R_infinite_decoy")]
    # both sides in double precision; the rate is a difference of parts up to some hundred times its size
    assert np.array(found) == pytest.approx(np.array(expected), rel=1e-12, abs=0.0)
    assert rate.rate == pytest.approx(max(row["R_infinite_decoy"], 0.0), rel=1e-12, abs=0.0)
    assert of_row(row, "three-intensity").rate == pytest.approx(row["R_three_intensity"], rel=1e-11, abs=0.0)


@pytest.mark.parametrize("row", ROWS[::2], ids=lambda row: f"row {row['id']:.0f}")
def test_bounds_are_in_order_and_programming_is_the_tightest(row):
    exact, analytic, program = (of_row(row, decoy) for decoy in DECOYS)
    assert analytic.yield_11 <= program.yield_11 <= exact.yield_11
    assert exact.error_11_x <= program.error_11_x <= analytic.error_11_x
    assert analytic.rate_raw <= program.rate_raw <= exact.rate_raw


@pytest.mark.parametrize("decoy", DECOYS)
def test_exchange_of_the_senders(decoy):
    levels_a, levels_b = (0.4, 0.03, 0.0), (0.2, 0.04, 0.0)
    there = key_rate(1e-2, 2e-3, intensities_a=levels_a, intensities_b=levels_b, decoy=decoy, **RECEIVER)
    back = key_rate(2e-3, 1e-2, intensities_a=levels_b, intensities_b=levels_a, decoy=decoy, **RECEIVER)
    for name in ("rate_raw", "gain_z", "qber_z", "gain_x", "qber_x", "yield_11", "error_11_x"):
        # the certificate of the program grants rounding errors of some 1e-10
        assert getattr(there, name) == pytest.approx(float(getattr(back, name)), rel=1e-8), name


@pytest.mark.parametrize("decoy", DECOYS)
def test_no_key_when_one_arm_closes(decoy):
    rate = key_rate([1e-2, 1e-5, 0.0], 1e-2, decoy=decoy, **LEVELS, **RECEIVER)
    assert rate.rate[0] > 0.0
    assert rate.rate[1:].tolist() == [0.0, 0.0]
    silent = key_rate(0.0, 0.0, decoy=decoy, **LEVELS, p_dark=0.0, misalignment=0.0)
    assert (float(silent.rate), float(silent.qber_z), float(silent.qber_x), float(silent.error_11_x)) == (
        0,
        0.5,
        0.5,
        0.5,
    )


def test_single_photon_error_is_the_misalignment_at_high_transmittance():
    rate = key_rate(0.9, 0.9, **LEVELS, **RECEIVER)
    # one dark count where one photon is lost or both left by one port: about p_d (1 + 4 (1 - eta) / eta)
    assert rate.error_11_x == pytest.approx(0.015, abs=2 * RECEIVER["p_dark"])


def test_many_weak_decoys_approach_infinitely_many():
    """With nu -> 0 the analytic bounds tend to the exact values, linearly."""
    gaps = []
    for nu in (1e-2, 1e-3):
        levels = {"intensities_a": (0.25, nu, 0.0), "intensities_b": (0.25, nu, 0.0)}
        bound, exact = (key_rate(1e-2, 1e-2, **levels, **RECEIVER, decoy=d) for d in ("three-intensity", "infinite"))
        gaps.append([1.0 - bound.yield_11 / exact.yield_11, bound.error_11_x / exact.error_11_x - 1.0])
    # the next order is of relative size nu / mu
    assert np.divide(*gaps) == pytest.approx([10.0, 10.0], rel=0.1)


def test_published_error_rates_of_unequal_links():
    """X-basis QBER at 55 dB in all, intensity 0.1: an independent program's values, three digits."""
    asymmetry_db = np.array([0.0, 5.0, 10.0])
    rate = key_rate(
        linear(27.5 + asymmetry_db / 2), linear(27.5 - asymmetry_db / 2), intensities_a=(0.1,), intensities_b=(0.1,),
        **RECEIVER,
    )  # fmt: skip
    assert rate.qber_x == pytest.approx([0.273, 0.333, 0.423], abs=5e-4)  # as they are rounded


def test_analytic_bounds_as_printed():
    """Xu et al. 2014 with the four gains themselves, where losses are low enough to subtract them."""
    eta, mu, nu, p, e_d = (0.3, 0.2), (0.5, 0.4), (0.1, 0.12), 1e-4, 0.02

    def gain_z(a, b):
        s, q = a + b, 1.0 - p
        q_c = 2 * q**2 * math.exp(-s / 2) * (1 - q * math.exp(-a / 2)) * (1 - q * math.exp(-b / 2))
        return q_c + 2 * p * q**2 * math.exp(-s / 2) * (iv(0, math.sqrt(a * b)) - q * math.exp(-s / 2))

    def gain_x(a, b):
        y, x = (1.0 - p) * math.exp(-(a + b) / 4), math.sqrt(a * b) / 2
        return 2 * y**2 * (1 + 2 * y**2 - 4 * y * iv(0, x) + iv(0, 2 * x))

    def errors_x(a, b):
        y = (1.0 - p) * math.exp(-(a + b) / 4)
        return 0.5 * gain_x(a, b) - 2 * (0.5 - e_d) * y**2 * (iv(0, math.sqrt(a * b)) - 1)

    def paired(gain, level):
        total = 0.0
        for a, b, sign in ((level[0], level[1], 1), (level[0], 0, -1), (0, level[1], -1), (0, 0, 1)):
            total += sign * math.exp(a + b) * gain(eta[0] * a, eta[1] * b)
        return total

    def yield_bound(gain):  # mu_b / nu_b is the smaller ratio
        numerator = mu[1] ** 2 * mu[0] * paired(gain, nu) - nu[1] ** 2 * nu[0] * paired(gain, mu)
        return numerator / (mu[0] * mu[1] * nu[0] * nu[1] * (mu[1] - nu[1]))

    rate = key_rate(
        *eta, intensities_a=(mu[0], nu[0], 0.0), intensities_b=(mu[1], nu[1], 0.0), p_dark=p, misalignment=e_d,
        decoy="three-intensity",
    )  # fmt: skip
    # the printed form cancels to some 1e-12
    assert rate.yield_11 == pytest.approx(yield_bound(gain_z), rel=1e-10)
    assert rate.error_11_x == pytest.approx(paired(errors_x, nu) / (nu[0] * nu[1] * yield_bound(gain_x)), rel=1e-10)


@given(st.lists(st.floats(0.0, 1.0), min_size=16, max_size=16), st.floats(-10.0, 0.0))
@settings(max_examples=25)
def test_program_bounds_any_yields(numbers, exponent):
    """Yields drawn at random, not those of any optics: the bounds hold."""
    yields = np.array(numbers).reshape(4, 4) * 10.0**exponent
    a, b = (0.4, 0.05), (0.3, 0.06)
    weight = [[np.array([mu**i / math.factorial(i) for i in range(1, 5)]) for mu in side] for side in (a, b)]
    gains = np.array([weight[0][k] @ yields @ weight[1][m] for k in (0, 1) for m in (0, 1)])
    if gains.min() < 1e-280:
        return
    lower, upper = program(a, b, gains, largest=False), program(a, b, gains, largest=True)
    # the gains above are rounded, and multipliers of some hundred magnify that
    slack = 1e-11 * gains[0]
    assert 0.0 <= lower <= yields[0, 0] + slack
    assert yields[0, 0] - slack <= upper <= 1.0


def test_distinguishable_pulses_leave_no_key():
    rates = [float(key_rate(1e-2, 1e-2, **LEVELS, **RECEIVER, mode_overlap=m).rate) for m in (1.0, 0.9, 0.0)]
    assert rates[0] > rates[1] > rates[2] == 0.0
    half = key_rate(1e-2, 1e-2, **LEVELS, p_dark=0.0, misalignment=0.015, mode_overlap=0.5)
    assert half.error_11_x == pytest.approx(0.5 * 0.015 + 0.25, rel=1e-12)  # half of the pairs are random


def test_arrays_of_intensities_broadcast_against_links():
    mu = np.array([0.2, 0.3, 0.4])[:, None]
    eta = np.array([1e-2, 1e-3])
    table = key_rate(eta, 1e-2, intensities_a=(mu,), intensities_b=(0.3,), **RECEIVER)
    assert table.rate.shape == (3, 2)
    one = key_rate(1e-3, 1e-2, intensities_a=(0.4,), intensities_b=(0.3,), **RECEIVER)
    assert table.rate[2, 1] == pytest.approx(float(one.rate), rel=1e-12)


GOOD = {"transmittance_a": 0.01, "transmittance_b": 0.01, **LEVELS, **RECEIVER}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transmittance_a": [0.1, 1.2]}, "transmittance_a = 1.2: must be between 0 and 1"),
        ({"transmittance_b": math.nan}, "transmittance_b = nan: must be between 0 and 1"),
        ({"intensities_a": (0.1, 0.5, 0.0)}, "intensities_a = (0.1, 0.5, ...): must be in descending order"),
        ({"intensities_b": (0.5, 0.0, 0.0)}, "intensities_b = (0.5, 0.0, ...): must be in descending order"),
        ({"intensities_b": (0.5, 0.1, 0.01)}, "intensities_b[2] = 0.01: must be 0.0, the vacuum"),
        ({"intensities_a": (0.5, 0.1)}, "intensities_a has 2 values: must be (signal,) or (signal, weak, 0.0)"),
        ({"intensities_a": (0.0,)}, "intensities_a[0] = 0.0: a signal must have more than 0 photons"),
        ({"intensities_a": (11.0,)}, "intensities_a[0] = 11.0: must be between 0 and 10"),
        (
            {"intensities_a": (0.5,), "decoy": "three-intensity"},
            "intensities_a has 1 value: decoy = 'three-intensity' needs (signal, weak, 0.0)",
        ),
        ({"decoy": "two"}, "decoy = 'two': must be one of infinite, three-intensity, linear-program"),
        ({"p_dark": -1e-6}, "p_dark = -1e-06: must be between 0 and 0.5"),
        ({"misalignment": 0.6}, "misalignment = 0.6: must be between 0 and 0.5"),
        ({"f_ec": 0.9}, "f_ec = 0.9: must be between 1 and 10"),
        ({"mode_overlap": 1.5}, "mode_overlap = 1.5: must be between 0 and 1"),
    ],
)
def test_bad_input_is_one_clear_line(change, message):
    arguments = {**GOOD, **change}
    links = [arguments.pop(name) for name in ("transmittance_a", "transmittance_b")]
    with pytest.raises(InputError) as caught:
        key_rate(*links, **arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
