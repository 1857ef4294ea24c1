"""Closed forms against a simulation of the optics: fields, beam splitters, detectors, an average over the phases.

The simulation knows no Bessel function: 60 digits, every click pattern of four detectors, the trapezoidal rule over the
phase difference, which converges faster than any power of the number of points.
"""

from __future__ import annotations

import itertools

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.detection.bell_measurement import bessel_excess, single_photon_pair, x_basis, z_basis
from satqkd.security._mdi_decoy import paired_x, paired_z

DIGITS = 60
STATES = {"z": ((1, 0), (0, 1)), "x": ((1, 1), (1, -1))}
ROUNDING = 1e-13  # some tens of operations in double precision, none of which cancels


def simulate(basis, detected_a, detected_b, p_dark, misalignment, overlap, phases=24):
    """Gain and error gain, averaged over both senders' bits and the phase between their pulses."""
    a, b, q, m = mp.sqrt(detected_a), mp.sqrt(detected_b), 1 - mp.mpf(p_dark), mp.mpf(overlap)
    norm = mp.sqrt(2) if basis == "x" else mp.mpf(1)
    right = wrong = mp.mpf(0)
    for bit_a, bit_b in itertools.product((0, 1), repeat=2):
        for step in range(phases):
            phase = mp.expj(2 * mp.pi * step / phases)
            silent = {}
            for polarisation in (0, 1):
                from_a = a * STATES[basis][bit_a][polarisation] / norm
                from_b = b * phase * STATES[basis][bit_b][polarisation] / norm
                alike, unlike = mp.sqrt(m) * from_b, mp.sqrt(1 - m) * from_b
                for port, sign in (("c", 1), ("d", -1)):
                    photons = (abs(from_a + sign * alike) ** 2 + abs(unlike) ** 2) / 2
                    silent[port, polarisation] = q * mp.exp(-photons)
            for port_h, port_v in itertools.product("cd", repeat=2):
                clicking = {(port_h, 0), (port_v, 1)}
                pattern = mp.fprod(1 - p if at in clicking else p for at, p in silent.items())
                # same port: triplet, other port: singlet; Z always anticorrelates, X correlates for the triplet
                expected_equal = basis == "x" and port_h == port_v
                if (bit_a == bit_b) == expected_equal:
                    right += pattern
                else:
                    wrong += pattern
    right, wrong = right / (4 * phases), wrong / (4 * phases)
    flip = mp.mpf(misalignment)
    return right + wrong, flip * right + (1 - flip) * wrong


CASES = [
    (5e-3, 5e-3, 3e-6, 0.015, 1.0),
    (5e-6, 5e-6, 3e-6, 0.015, 1.0),  # 100 dB in all
    (5e-6, 2e-7, 1e-9, 0.005, 0.9),
    (3e-4, 2e-6, 0.0, 0.0, 1.0),
    (0.3, 1.5, 1e-3, 0.1, 0.4),
    (2.0, 0.01, 0.2, 0.5, 0.0),
    (0.0, 0.4, 1e-5, 0.02, 1.0),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("basis", ["z", "x"])
def test_gain_and_errors_are_those_of_the_simulated_optics(basis, case):
    a, b, p_dark, misalignment, overlap = case
    with mp.workdps(DIGITS):
        simulated = [float(part) for part in simulate(basis, *case)]
    closed = {"z": z_basis, "x": x_basis}[basis](a, b, p_dark=p_dark, misalignment=misalignment, mode_overlap=overlap)
    assert closed[0] == pytest.approx(simulated[0], rel=ROUNDING, abs=0.0)
    # without dark counts Z has no errors at all; X subtracts half of its gain, which costs a digit
    assert closed[1] == pytest.approx(simulated[1], rel=10 * ROUNDING, abs=0.0)


def both_sides(basis, mu, eta, p_dark, misalignment, overlap):
    """Simulated gains times exp(mu_a + mu_b), less what has a vacuum on one side."""
    total = [mp.mpf(0), mp.mpf(0)]
    for on_a, on_b in itertools.product((0, 1), repeat=2):
        mu_a, mu_b = mp.mpf(mu[0]) * on_a, mp.mpf(mu[1]) * on_b
        parts = simulate(basis, mu_a * eta[0], mu_b * eta[1], p_dark, misalignment, overlap, phases=12)
        sign = (-1) ** (on_a + on_b) * mp.exp(mu_a + mu_b)
        total = [old + sign * new for old, new in zip(total, parts, strict=True)]
    return total


@pytest.mark.parametrize("overlap", [1.0, 0.7])
@pytest.mark.parametrize(("eta", "p_dark"), [((1e-2, 3e-3), 3e-6), ((1e-5, 1e-5), 3e-6), ((1e-4, 1e-6), 0.0)])
def test_single_photon_pairs_are_the_simulation_expanded_in_the_intensities(eta, p_dark, overlap):
    """Y_11 is the coefficient of mu_a mu_b; with mu = 1e-20 the next order changes the 20th digit."""
    with mp.workdps(2 * DIGITS):
        mu = mp.mpf(10) ** -20
        z = both_sides("z", (mu, mu), eta, p_dark, 0.015, overlap)
        x = both_sides("x", (mu, mu), eta, p_dark, 0.015, overlap)
        expanded = [float(part / mu**2) for part in (z[0], *x)]
    pair, errors = single_photon_pair(*eta, p_dark=p_dark, misalignment=0.015, mode_overlap=overlap)
    assert [pair, pair, errors] == pytest.approx(expanded, rel=ROUNDING, abs=0.0)


@pytest.mark.parametrize(
    ("mu", "eta", "p_dark", "overlap"),
    [
        ((0.5, 0.5), (1e-2, 1e-2), 3e-6, 1.0),
        ((0.005, 0.002), (1e-5, 1e-5), 3e-6, 1.0),
        ((0.1, 0.4), (1e-3, 1e-6), 1e-10, 0.8),
        ((1.5, 0.7), (0.9, 0.6), 1e-2, 0.3),
        ((0.3, 0.3), (1.0, 1.0), 0.0, 1.0),
    ],
)
def test_paired_gains_are_differences_of_simulated_gains(mu, eta, p_dark, overlap):
    with mp.workdps(DIGITS):
        z = [float(part) for part in both_sides("z", mu, eta, p_dark, 0.015, overlap)]
        x = [float(part) for part in both_sides("x", mu, eta, p_dark, 0.015, overlap)]
    arguments = [np.asarray(value) for value in (*mu, *eta)]
    assert paired_z(*arguments, p_dark, overlap) == pytest.approx(z[0], rel=ROUNDING, abs=0.0)
    paired, errors = paired_x(*arguments, p_dark, 0.015, overlap)
    assert paired == pytest.approx(x[0], rel=ROUNDING, abs=0.0)
    assert errors == pytest.approx(x[1], rel=100 * ROUNDING, abs=0.0)  # up to 1/e_d is lost to the subtraction


@pytest.mark.parametrize("product", [0.0, 1e-24, 1e-10, 0.01, 9.0, 400.0])
def test_bessel_differences_in_extended_precision(product):
    with mp.workdps(3 * DIGITS):
        x = mp.sqrt(mp.mpf(product)) / 2
        double, single = mp.besseli(0, 2 * x) - 1, mp.besseli(0, x) - 1
        exact = [float(value) for value in (double, single, double - 4 * single)]
    assert list(bessel_excess(product**0.5, product**0.5)) == pytest.approx(exact, rel=1e-13, abs=0.0)


def test_orders_at_high_loss():
    """Gain of X: (a + b)^2 / 4, of Z: ab / 2, both to first order in what is detected."""
    a, b = 1e-9, 3e-9
    ideal = {"p_dark": 0.0, "misalignment": 0.0}
    # the next order is relatively of the size of a + b
    assert x_basis(a, b, **ideal)[0] == pytest.approx((a + b) ** 2 / 4, rel=1e-8)
    assert z_basis(a, b, **ideal)[0] == pytest.approx(a * b / 2, rel=1e-8)
    assert z_basis(a, b, **ideal)[1] == 0.0


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0), st.floats(0.0, 0.1), st.floats(0.0, 0.5), st.floats(0.0, 1.0))
def test_exchange_of_the_senders_and_errors_are_at_most_half_of_the_diagonal_gain(a, b, p_dark, flip, overlap):
    rest = {"p_dark": p_dark, "misalignment": flip, "mode_overlap": overlap}
    for function in (z_basis, x_basis):
        there, back = function(a, b, **rest), function(b, a, **rest)
        assert np.array(there) == pytest.approx(np.array(back), rel=1e-12, abs=1e-300)
    gain, errors = x_basis(a, b, **rest)
    assert 0.0 <= errors <= gain / 2 <= 0.5
