"""Beam of fixed divergence and slab atmosphere: integrals, limits, inverses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from satqkd.channel.divergence import (
    beam_radius_m,
    collected_fraction,
    loss_db,
    slab_loss_db,
)
from satqkd.channel.fitted import collected_fraction_table2

MICIUS = {"wavelength_m": 1550e-9, "divergence_rad": 10e-6}


@pytest.mark.parametrize("diameter_m", [0.3, 1.2, 8.0])
def test_collected_fraction_is_the_integral_of_the_beam_profile(diameter_m: float) -> None:
    w = float(beam_radius_m(5e5, **MICIUS))
    power, _ = quad(lambda r: 4.0 * r / w**2 * np.exp(-2.0 * r**2 / w**2), 0.0, diameter_m / 2.0, epsabs=0.0)
    # adaptive quadrature of a smooth function
    assert float(collected_fraction(w, aperture_diameter_m=diameter_m)) == pytest.approx(power, rel=1e-10)


def test_beam_radius_is_that_of_a_gaussian_beam_with_this_divergence() -> None:
    waist_m = 1550e-9 / (np.pi * 10e-6)
    rayleigh_m = np.pi * waist_m**2 / 1550e-9
    distance_m = np.array([0.0, 1e3, 1e5, 4e7])
    expected = waist_m * np.sqrt(1.0 + (distance_m / rayleigh_m) ** 2)
    np.testing.assert_allclose(beam_radius_m(distance_m, **MICIUS), expected, rtol=1e-13)  # same formula, other order


def test_far_field_inverse_square_law() -> None:
    near, far = collected_fraction(beam_radius_m(np.array([1e8, 2e8]), **MICIUS), aperture_diameter_m=1.2)
    # next order of the exponential: D^2 / 4 w^2 = 4e-7
    assert near / far == pytest.approx(4.0, rel=1e-6)


def test_huge_aperture_collects_everything_and_none_nothing() -> None:
    assert float(collected_fraction(1.0, aperture_diameter_m=100.0)) == 1.0
    assert float(collected_fraction(1.0, aperture_diameter_m=0.0)) == 0.0


def test_apertures_broadcast_against_radii() -> None:
    both = collected_fraction(np.array([1.0, 2.0]), aperture_diameter_m=np.array([1.0, 2.0]))
    assert both[0] == both[1]


@given(st.floats(1.0, 1e9), st.floats(1.0, 1e9))
def test_collected_fraction_is_a_decreasing_probability(a: float, b: float) -> None:
    near, far = collected_fraction(beam_radius_m(sorted((a, b)), **MICIUS), aperture_diameter_m=1.2)
    assert 0.0 <= far <= near <= 1.0


def test_fitted_constant_is_that_of_equation_1_with_a_telescope_of_one_metre_taken_as_radius_squared() -> None:
    # k = 2 D^2 with D = 1 m: an aperture of 2 m *diameter* in Eq. 1 gives D^2/2 = 2 m^2, the same
    w = np.array([0.5, 5.0, 50.0])
    np.testing.assert_allclose(collected_fraction_table2(w), collected_fraction(w, aperture_diameter_m=2.0), rtol=1e-14)


def test_slab_doubles_at_30_degrees_and_refuses_the_horizon() -> None:
    # sin 30 deg is 1/2 to rounding
    np.testing.assert_allclose(slab_loss_db(np.radians([90.0, 30.0]), zenith_loss_db=2.0), [2.0, 4.0], rtol=1e-14)
    with pytest.raises(ValueError, match="above the horizon"):
        slab_loss_db([0.1, 0.0], zenith_loss_db=2.0)


@given(st.floats(1e-12, 1.0))
def test_loss_in_decibel_inverts(transmittance: float) -> None:
    # logarithm and power each round once; 120 dB magnify it
    assert 10.0 ** (-float(loss_db(transmittance)) / 10.0) == pytest.approx(transmittance, rel=1e-13)
