"""Beam from telescope to telescope: diffraction integrals, limits, invariants."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, simpson
from scipy.special import j0

from satqkd.channel.beam import (
    annular_collected_fraction,
    broadened_radius_m,
    diffraction_radius_m,
    on_axis_truncation,
    truncated_power_fraction,
    turbulence_broadening,
    waist_radius_m,
)
from satqkd.channel.divergence import beam_radius_m
from satqkd.channel.profiles import TURBULENCE_PROFILES, HufnagelValley
from satqkd.errors import InputError

WAVELENGTH_M = 854.445e-9
GEO = {"slant_range_m": 38_611_500.0, "wavelength_m": WAVELENGTH_M, "zenith_rad": np.radians(60.0)}


def test_waist_is_a_quarter_of_the_transmitter() -> None:
    np.testing.assert_array_equal(waist_radius_m([0.2, 0.75]), [0.05, 0.1875])


def test_ideal_beam_is_that_of_the_same_divergence() -> None:
    distance_m = np.array([1.0, 1e5, 4e7])
    expected = beam_radius_m(distance_m, wavelength_m=WAVELENGTH_M, divergence_rad=WAVELENGTH_M / (np.pi * 0.1))
    found = diffraction_radius_m(distance_m, wavelength_m=WAVELENGTH_M, waist_radius_m=0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-13)  # another form of the same beam


def test_far_field_grows_with_distance_and_beam_quality() -> None:
    ideal, far, poor = diffraction_radius_m(
        [1e9, 2e9, 1e9], wavelength_m=WAVELENGTH_M, waist_radius_m=0.1, beam_quality=[1.0, 1.0, 1.2]
    )
    # next order: Rayleigh range over distance squared, 7e-10
    assert far / ideal == pytest.approx(2.0, rel=1e-9)
    assert poor / ideal == pytest.approx(1.2, rel=1e-9)


def test_truncated_beam_against_the_integrals_over_its_aperture() -> None:
    waist, edge = 0.1, 0.17
    power, _ = quad(lambda r: 4.0 * r / waist**2 * np.exp(-2.0 * r**2 / waist**2), 0.0, edge)
    field, _ = quad(lambda r: 2.0 * r / waist**2 * np.exp(-(r**2) / waist**2), 0.0, edge)
    lengths = {"waist_radius_m": waist, "tx_aperture_diameter_m": 2.0 * edge}
    assert float(truncated_power_fraction(**lengths)) == pytest.approx(power, rel=1e-12)  # smooth integrands
    assert float(on_axis_truncation(**lengths)) == pytest.approx(field**2, rel=1e-12)


def test_truncated_beam_keeps_its_power_in_the_far_field() -> None:
    # far-field irradiance by the Hankel transform of the clipped field, unit waist; clipped at two waists
    def amplitude(k: float) -> float:
        return quad(lambda r: 2.0 * r * np.exp(-(r**2)) * j0(k * r), 0.0, 2.0, epsabs=1e-13)[0]

    k = np.linspace(0.0, 60.0, 1201)
    irradiance = np.array([amplitude(value) for value in k]) ** 2
    power = simpson(irradiance * k, x=k)  # that of the untruncated beam is 1 by Parseval's theorem
    expected = float(truncated_power_fraction(waist_radius_m=1.0, tx_aperture_diameter_m=4.0))
    # side lobes beyond k = 60 hold 1.4e-5 of the power: (4 exp(-4))^2 / (120 pi)
    assert power == pytest.approx(expected, abs=2e-5)
    centre = float(on_axis_truncation(waist_radius_m=1.0, tx_aperture_diameter_m=4.0))
    assert irradiance[0] == pytest.approx(centre, rel=1e-12)


def test_published_waist_loses_a_sixth_of_a_decibel_on_the_axis() -> None:
    lengths = {"waist_radius_m": 0.1875, "tx_aperture_diameter_m": 0.75}
    # figures of the docstrings: 1 - exp(-8), (1 - exp(-4))^2
    assert float(truncated_power_fraction(**lengths)) == pytest.approx(0.99966, abs=5e-6)
    assert float(on_axis_truncation(**lengths)) == pytest.approx(0.9637, abs=5e-5)


def test_an_aperture_without_edge_truncates_nothing() -> None:
    lengths = {"waist_radius_m": 0.1, "tx_aperture_diameter_m": 10.0}
    assert float(truncated_power_fraction(**lengths)) == 1.0
    assert float(on_axis_truncation(**lengths)) == 1.0


@pytest.mark.parametrize("name", ["rural", "urban", "coastal"])
def test_broadening_against_equation_152_with_adaptive_quadrature(name: str) -> None:
    profile, radius, depth = TURBULENCE_PROFILES[name], 67.2, 19_990.0
    pieces = (10.0, 300.0, 3e3, 1e4, 2e4)
    integral = sum(
        quad(lambda h: float(profile.cn2.at(h)) * ((h - 10.0) / depth) ** (5 / 3), a, b, epsabs=0.0, epsrel=1e-12)[0]
        for a, b in itertools.pairwise(pieces)
    )
    k = 2.0 * np.pi / WAVELENGTH_M
    wide = (2.0 * GEO["slant_range_m"] / (k * radius**2)) ** (5 / 6)
    expected = 4.35 * wide * k ** (7 / 6) * depth ** (5 / 6) * 2.0 ** (11 / 6) * integral
    found = turbulence_broadening(**GEO, profile=name, beam_radius_m=radius)
    assert float(found) == pytest.approx(expected, rel=1e-11)  # accuracy of the height integral


def test_broadening_at_60_degrees_has_the_published_size() -> None:
    # 7e-4 (1550 nm, urban) to 1.1e-2 (656 nm, coastal): independent implementation, two digits
    link = {"slant_range_m": 38_611_500.0, "zenith_rad": np.radians(60.0)}
    for site, wavelength_m, radius_m, expected in (
        ("urban", 1550.027e-9, 121.9, 7e-4), ("coastal", 656.448e-9, 51.6, 1.1e-2)
    ):  # fmt: skip
        found = turbulence_broadening(**link, profile=site, wavelength_m=wavelength_m, beam_radius_m=radius_m)
        assert float(found) == pytest.approx(expected, rel=0.05)


def test_broadening_vanishes_with_the_turbulence() -> None:
    found = []
    for strength in (1.0, 1e-6):
        cn2 = HufnagelValley(ground=1.7e-14 * strength, troposphere=2.7e-16 * strength, tropopause=3.6e-53 * strength)
        profile = dataclasses.replace(TURBULENCE_PROFILES["urban"], cn2=cn2)
        found.append(float(turbulence_broadening(**GEO, profile=profile, beam_radius_m=67.2)))
    assert found[1] / found[0] == pytest.approx(1e-6, rel=1e-12)
    # sqrt(1 + T) - 1 = T/2 with T = 2.2e-9
    assert float(broadened_radius_m(67.2, broadening=found[1])) / 67.2 - 1.0 == pytest.approx(found[1] / 2, rel=1e-6)
    assert float(broadened_radius_m(67.2, broadening=0.0)) == 67.2


def test_annular_aperture_is_the_integral_of_the_beam_profile() -> None:
    power, _ = quad(lambda r: 4.0 * r / 0.9**2 * np.exp(-2.0 * r**2 / 0.9**2), 0.15, 0.5, epsabs=0.0)
    found = annular_collected_fraction(0.9, aperture_diameter_m=1.0, obscuration_diameter_m=0.3)
    assert float(found) == pytest.approx(power, rel=1e-12)


def test_wide_spot_gives_the_share_of_the_clear_area() -> None:
    found = annular_collected_fraction(70.0, aperture_diameter_m=1.5, obscuration_diameter_m=[0.0, 0.45])
    # next order: D^2 / 4 w^2 = 1e-4
    assert found[1] / found[0] == pytest.approx(1.0 - 0.3**2, rel=1e-4)


@given(st.floats(1e-3, 1e3), st.floats(0.01, 10.0), st.floats(0.0, 0.99))
def test_obscuration_and_ring_share_the_whole_aperture(radius: float, aperture: float, ratio: float) -> None:
    ring = float(
        annular_collected_fraction(radius, aperture_diameter_m=aperture, obscuration_diameter_m=ratio * aperture)
    )
    whole = float(annular_collected_fraction(radius, aperture_diameter_m=aperture))
    hidden = -np.expm1(-0.5 * (ratio * aperture / radius) ** 2)
    assert ring + hidden == pytest.approx(whole, rel=1e-12)
    assert 0.0 <= ring <= 1.0


@pytest.mark.parametrize(
    ("aperture", "obscuration", "message"),
    [(1.0, 1.0, "obscuration_diameter_m: 1 m"), (1.0, 1.2, "obscuration_diameter_m: 1.2 m"), (-1.0, 0.0, "aperture_d")],
)
def test_bad_receivers_are_refused(aperture: float, obscuration: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        annular_collected_fraction(1.0, aperture_diameter_m=aperture, obscuration_diameter_m=obscuration)


def test_a_beam_better_than_ideal_is_refused() -> None:
    with pytest.raises(InputError, match=r"beam_quality: 0\.9 is not allowed, from 1"):
        diffraction_radius_m(1e6, wavelength_m=1e-6, waist_radius_m=0.1, beam_quality=0.9)
