"""Fibre bounds: definitions, chains, the published figure, distances beyond the range of floats."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel.fibre import (
    fibre_length_m,
    fibre_loss_db,
    log10_repeater_bound,
    repeater_bound,
    repeaterless_bound,
)
from satqkd.channel.geostationary import ground_separation_m
from satqkd.errors import InputError


def high_precision(length_km: float, repeaters: int) -> float:
    """Decimal logarithm of the bound at 0.2 dB/km, 600 digits: 1 - eta needs them."""
    with mpmath.workdps(600):
        segment = mpmath.mpf(10) ** (-mpmath.mpf("0.02") * length_km / (repeaters + 1))
        return float(mpmath.log10(-mpmath.log(1 - segment, 2)))


@pytest.mark.parametrize("repeaters", [0, 1, 5, 30])
@pytest.mark.parametrize("length_km", [0.01, 100, 1500, 5713, 15903])
def test_bounds_of_figure_10(length_km: float, repeaters: int) -> None:
    ours = float(log10_repeater_bound(length_km * 1e3, repeaters=repeaters))
    # double precision of the loss in dB; a logarithm near 0 counts absolutely
    assert ours == pytest.approx(high_precision(length_km, repeaters), rel=1e-12, abs=1e-12)


def test_both_forms_agree_where_both_exist() -> None:
    length = np.array([1e3, 1e5, 1e6])
    eta = 10 ** (-fibre_loss_db(length) / 10)
    for repeaters in (0, 3):
        plain = np.log10(repeater_bound(eta, repeaters=repeaters))
        # at 1 km the plain form takes 1 - eta of a rounded eta
        np.testing.assert_allclose(log10_repeater_bound(length, repeaters=repeaters), plain, rtol=1e-10)


def test_small_transmittance_gives_1_44_of_it() -> None:
    # next order eta / 2
    assert float(repeaterless_bound(1e-9)) == pytest.approx(1e-9 / np.log(2), rel=1e-9)
    assert float(repeaterless_bound(0.0)) == 0.0


def test_a_transmittance_of_one_half_is_one_bit_and_a_chain_of_halves_too() -> None:
    assert float(repeaterless_bound(0.5)) == 1.0
    assert float(repeater_bound(0.5**4, repeaters=3)) == pytest.approx(1.0, rel=1e-14)  # a fourth root


@given(st.floats(1e-12, 0.99), st.integers(0, 50))
def test_a_chain_is_its_segment_and_more_repeaters_help(eta: float, repeaters: int) -> None:
    one, more = (float(repeater_bound(eta, repeaters=n)) for n in (repeaters, repeaters + 1))
    assert one == pytest.approx(float(repeaterless_bound(eta ** (1 / (repeaters + 1)))), rel=1e-14)
    assert more > one


@given(st.floats(1e-9, 40.0), st.integers(0, 30))
def test_length_inverts_the_bound(rate: float, repeaters: int) -> None:
    length = fibre_length_m(rate, repeaters=repeaters)
    # rounding of the loss in dB (180 dB) and of the power of ten
    assert float(10 ** log10_repeater_bound(length, repeaters=repeaters)) == pytest.approx(rate, rel=1e-10)


def test_ground_separation_of_the_figure_and_what_fibre_does_there() -> None:
    """Distances of two stations at the same zenith angle of a geostationary satellite, printed to 1 km."""
    arc = ground_separation_m(np.radians([30.0, 45.0, 60.0, 70.0, 80.0]))
    np.testing.assert_allclose(arc / 1e3, [5713, 8652, 11682, 13765, 15903], atol=0.6)  # rounding
    # "distances of order 10^4 km require tens of repeaters": 45 deg, and each segment of 30 still loses 56 dB
    rates = log10_repeater_bound(arc[1], repeaters=[0, 1, 5, 30])
    np.testing.assert_allclose(rates, -0.2 * 865.2 / np.array([1, 2, 6, 31]) - np.log10(np.log(2)), atol=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fibre_loss_db(-1.0), "length_m"),
        (lambda: fibre_loss_db(1e3, attenuation_db_per_m=0.2), "dB per metre"),
        (lambda: fibre_loss_db(1e3, attenuation_db_per_m=0.0), "dB per metre"),
        (lambda: repeaterless_bound(1.0), "below 1"),
        (lambda: repeaterless_bound(np.nan), "below 1"),
        (lambda: repeaterless_bound(-0.1), "below 1"),
        (lambda: repeater_bound(0.5, repeaters=-1), "repeaters"),
        (lambda: repeater_bound(0.5, repeaters=1.5), "whole numbers"),
        (lambda: log10_repeater_bound(0.0), "infinite there"),
        (lambda: fibre_length_m(0.0), "rate"),
    ],
)
def test_input_without_meaning_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
