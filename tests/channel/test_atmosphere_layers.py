"""Layers for radiative transfer: they carry the optical depths, and their phase function is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.legendre import legval
from scipy.integrate import quad

from satqkd.channel.aerosol import AEROSOL_PROFILES
from satqkd.channel.atmosphere_layers import atmosphere_layers
from satqkd.channel.atmosphere_tables import AEROSOLS
from satqkd.channel.extinction import vertical_depth
from satqkd.errors import InputError


@given(
    st.sampled_from([550e-9, 656.448e-9, 854.445e-9, 1550.027e-9]),
    st.sampled_from(AEROSOLS),
    st.floats(0.0, 4e3),
    st.sampled_from(list(AEROSOL_PROFILES)),
)
def test_layers_add_up_to_the_vertical_optical_depth(
    wavelength_m: float, aerosol: str, altitude_m: float, profile: str
) -> None:
    air = {"aerosol": aerosol, "visibility_m": 12e3, "altitude_m": altitude_m, "profile": profile}
    layers = atmosphere_layers(wavelength_m=wavelength_m, **air)
    depth = vertical_depth(wavelength_m, **air)
    for per_m, expected in (
        (layers.rayleigh_per_m, depth.rayleigh),
        (layers.absorption_per_m, depth.gas),
        (layers.aerosol_per_m, depth.aerosol),
        (layers.extinction_per_m, depth.total),
    ):
        assert np.trapezoid(per_m, layers.altitude_m) == pytest.approx(float(expected), rel=1e-12)
    assert ((layers.single_scattering_albedo > 0.0) & (layers.single_scattering_albedo <= 1.0)).all()


def test_each_component_follows_its_own_profile() -> None:
    layers = atmosphere_layers(wavelength_m=550e-9, aerosol="rural", visibility_m=23e3)
    level = {float(h): n for n, h in enumerate(layers.altitude_m)}
    fall = layers.rayleigh_per_m[level[8e3]] / layers.rayleigh_per_m[0]
    assert fall == pytest.approx(np.exp(-8e3 / 8434.0), rel=1e-9)
    fall = layers.aerosol_per_m[level[4e3]] / layers.aerosol_per_m[0]
    assert fall == pytest.approx(np.exp(-4e3 / (8165.0 / 3.912)), rel=1e-9)
    # at 550 nm gases are ozone, and that is highest at 22 km
    assert layers.altitude_m[int(np.argmax(layers.absorption_per_m))] == 22e3


def test_phase_function_is_that_of_molecules_and_henyey_greenstein() -> None:
    layers = atmosphere_layers(wavelength_m=656.448e-9, aerosol="urban", visibility_m=10e3)
    moments = layers.legendre_moments(128)
    assert moments.shape == (128, layers.altitude_m.size)
    np.testing.assert_allclose(moments[0], 1.0, rtol=1e-15)
    g = layers.aerosol_asymmetry
    scattered = layers.aerosol_albedo * layers.aerosol_per_m
    weight = scattered / (scattered + layers.rayleigh_per_m)
    for cosine in (-0.9, 0.0, 0.5, 1.0):
        henyey_greenstein = (1.0 - g**2) / (1.0 + g**2 - 2.0 * g * cosine) ** 1.5
        expected = weight * henyey_greenstein + (1.0 - weight) * 0.75 * (1.0 + cosine**2)
        # g^128 is 1e-22
        np.testing.assert_allclose(legval(cosine, moments), expected, rtol=1e-11)
    mean_cosine, _ = quad(lambda x: 0.5 * x * legval(x, moments[:, 0]), -1.0, 1.0, epsabs=1e-12, limit=200)
    assert mean_cosine == pytest.approx(float(weight[0] * g), rel=1e-9)


def test_too_few_moments_are_refused() -> None:
    layers = atmosphere_layers(wavelength_m=656.448e-9, aerosol="urban", visibility_m=10e3)
    with pytest.raises(InputError, match="Legendre moments: 2, must be at least 3"):
        layers.legendre_moments(2)
