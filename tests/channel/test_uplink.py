"""Spot of an uplink: integrals, the two limits of turbulence, readings of the published equations."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gamma

from satqkd.channel.beam import diffraction_radius_m
from satqkd.channel.beam_wander import beam_wander_variance_m2
from satqkd.channel.height_integrals import cn2_moment
from satqkd.channel.turbulence import TURBULENCE_PROFILES, fried_parameter_m
from satqkd.channel.uplink import (
    UPLINK_SPREADS,
    UplinkBeam,
    fried_parameter_eq3_m,
    integrated_broadening,
    long_term_broadening,
)
from satqkd.errors import InputError

HV57 = TURBULENCE_PROFILES["hv-5-7"]


def beam(
    *, zenith_deg: float = 0.0, fried_m: float | None = None, diameter_m: float = 0.13, **changes: object
) -> UplinkBeam:
    """Micius uplink at 600 km with Eq. 2's waist, changed as asked."""
    waist = 0.316 * diameter_m
    zenith = np.radians(zenith_deg)
    r0 = fried_parameter_m(profile=HV57, wavelength_m=780e-9, zenith_rad=zenith) if fried_m is None else fried_m
    common = UplinkBeam(
        slant_range_m=np.array(6e5),
        zenith_rad=zenith,
        wavelength_m=np.array(780e-9),
        tx_aperture_diameter_m=np.array(diameter_m),
        waist_radius_m=np.array(waist),
        vacuum_radius_m=diffraction_radius_m(6e5, wavelength_m=780e-9, waist_radius_m=waist),
        fried_m=np.asarray(r0),
        profile=HV57,
    )
    return dataclasses.replace(common, **changes)


@pytest.mark.parametrize("ratio", [0.0, 1e-2, 0.3, 1.0, 5.0, 100.0])
def test_integrated_broadening_is_the_mean_irradiance_on_the_axis(ratio: float) -> None:
    def transfer(u: float) -> float:
        return float(u * np.exp(-0.5 * u * u - 3.44 * (u * ratio / np.sqrt(8.0)) ** (5.0 / 3.0)))

    scale = min(1.0, 3.0 / max(ratio, 1e-9))
    pieces = np.array([0.0, 0.1, 0.3, 1.0, 2.0, 4.0, 12.0]) * scale
    mean = sum(quad(transfer, a, b, epsabs=0.0, epsrel=1e-12)[0] for a, b in pairwise(pieces))
    # adaptive quadrature; beyond the last piece e^-39 of the integrand is left
    assert float(integrated_broadening(ratio)) == pytest.approx(mean**-0.5, rel=1e-9)


def test_integrated_broadening_is_reciprocal_to_the_coupling_of_a_seeing_limited_wave() -> None:
    """Power from a point on the satellite into the transmitter's mode: double integral over the aperture plane."""
    r0, waist = 1.0, 0.8
    grid = np.linspace(-4.2, 4.2, 121)  # waists 5 and more, 0.07 apart: the mode is smooth, sums converge fast
    field = np.exp(-(grid**2) / waist**2)
    # |E|^2 coherence depends on the difference only: correlate the mode with itself, one axis at a time
    lags = np.arange(-120, 121) * (grid[1] - grid[0])
    autocorrelation = np.correlate(field, field, mode="full")
    coherence = np.exp(-3.44 * (np.hypot(*np.meshgrid(lags, lags)) / r0) ** (5.0 / 3.0))
    coupled = autocorrelation @ coherence @ autocorrelation
    perfect = autocorrelation.sum() ** 2
    expected = (coupled / perfect) ** -0.5
    # the cusp of r^(5/3) at 0 is sampled with 0.07: error h^(11/3) = 6e-5
    assert float(integrated_broadening(np.sqrt(8.0) * waist / r0)) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("distance_m", [2e4, 3e5, 5e6])
def test_a_collimated_beam_in_its_near_field_is_its_huygens_fresnel_integral(distance_m: float) -> None:
    """Transmitter of 1 m: Rayleigh range 400 km; the integral over the difference of two points of its aperture."""
    waist, r0, k = 0.316, 0.08, 2 * np.pi / 780e-9
    rate = 1 / (2 * waist**2) + k**2 * waist**2 / (8 * distance_m**2)

    def kernel(rho: float) -> float:
        return float(rho * np.exp(-rate * rho**2 - 3.44 * (rho / r0) ** (5 / 3)))

    scale = min(r0, 1 / np.sqrt(rate))
    integral = sum(quad(kernel, a * scale, b * scale, epsabs=0.0, epsrel=1e-12)[0] for a, b in pairwise(range(10)))
    vacuum = diffraction_radius_m(distance_m, wavelength_m=780e-9, waist_radius_m=waist)
    this = beam(diameter_m=1.0, fried_m=r0, slant_range_m=np.array(distance_m), vacuum_radius_m=vacuum)
    expected = float(vacuum) / np.sqrt(2 * rate * integral)
    # adaptive quadrature
    assert float(UPLINK_SPREADS["long-term-integral"](this)) == pytest.approx(expected, rel=1e-9)


def test_closed_form_has_the_limits_of_the_integral_and_stays_within_four_percent() -> None:
    ratio = np.geomspace(1e-4, 1e4, 400)
    excess = long_term_broadening(ratio) / integrated_broadening(ratio) - 1.0
    # weak: both grow as ratio^(5/3), 2e-7 here
    np.testing.assert_allclose(excess[0], 0.0, atol=1e-7)
    # strong: sqrt(8) stands for 3.44^(3/5) [0.6 Gamma(6/5)]^(-1/2); the next order is ratio^(-5/3), 2e-7
    assert float(excess[-1]) == pytest.approx(np.sqrt(8.0 * 0.6 * gamma(1.2)) * 3.44**-0.6 - 1.0, abs=1e-6)
    assert float(excess.max()) == pytest.approx(0.0371, abs=1e-4)  # number of the docstring
    assert float(ratio[excess.argmax()]) == pytest.approx(1.4, abs=0.05)


def test_weak_turbulence_adds_the_moment_of_the_structure_function() -> None:
    ratio = 1e-3
    # <3.44 u^(5/3)> over u exp(-u^2/2): 3.44 2^(5/6) Gamma(11/6), half of it for the radius
    slope = 0.5 * 3.44 * 2 ** (5 / 6) * gamma(11 / 6) * (ratio / np.sqrt(8.0)) ** (5 / 3)
    # next order: the slope itself, 1e-6 relative times a constant
    assert float(integrated_broadening(ratio)) - 1.0 == pytest.approx(slope, rel=1e-4)


def test_strong_turbulence_forgets_the_beam() -> None:
    """Spot sqrt(8) lambda L / pi r0, whatever the waist and the beam quality."""
    r0 = 1e-3
    expected = np.sqrt(8.0) * 780e-9 * 6e5 / (np.pi * r0)
    for diameter_m in (0.3, 1.0):
        for quality in (1.0, 1.5):
            vacuum = diffraction_radius_m(
                6e5, wavelength_m=780e-9, waist_radius_m=0.316 * diameter_m, beam_quality=quality
            )
            this = beam(diameter_m=diameter_m, fried_m=r0, vacuum_radius_m=vacuum)
            # next order 0.6 (r0/D0)^(5/3): D0 is 0.17 m and more
            assert float(UPLINK_SPREADS["long-term"](this)) == pytest.approx(expected, rel=1e-3)
            assert float(UPLINK_SPREADS["long-term-integral"](this)) == pytest.approx(expected, rel=1e-3)


def test_no_turbulence_leaves_the_beam_alone() -> None:
    calm = dataclasses.replace(HV57, cn2=dataclasses.replace(HV57.cn2, ground=1e-30, troposphere=0.0, tropopause=0.0))
    this = beam(fried_m=np.inf, profile=calm)
    for name in ("long-term", "long-term-integral", "tilt-corrected", "vacuum"):
        # the wander of Cn2 = 1e-30 is 1e-15 of the spot
        np.testing.assert_allclose(UPLINK_SPREADS[name](this), this.vacuum_radius_m, rtol=1e-10)


def test_fried_parameter_of_equation_3_is_fried_s() -> None:
    zenith = np.radians([0.0, 45.0, 80.0])
    ours = fried_parameter_m(profile=HV57, wavelength_m=780e-9, zenith_rad=zenith)
    printed = fried_parameter_eq3_m(wavelength_m=780e-9, zenith_rad=zenith, cn2_integral=cn2_moment(HV57))
    # (0.423 * 4 pi^2)^-0.6 * 1e-7.2 = 1.16514e-8, printed 1.1654e-8
    np.testing.assert_allclose(printed / ours, 1.1654 / 1.16514, rtol=1e-5)


@given(st.floats(0.0, 80.0), st.floats(0.05, 2.0))
def test_equation_2_without_its_second_air_mass_is_the_long_term_reading(zenith_deg: float, diameter_m: float) -> None:
    this = beam(zenith_deg=zenith_deg, diameter_m=diameter_m)
    r0 = float(this.fried_m)
    rule = 6e5 * 780e-9 / (0.632 * diameter_m / 2 * np.pi) * (1 + 0.83 * (diameter_m / r0) ** (5 / 3)) ** 0.6
    far = dataclasses.replace(this, vacuum_radius_m=np.sqrt(this.vacuum_radius_m**2 - this.waist_radius_m**2))
    # 0.83 * 2^(5/3) = 2.6352 against (0.632 sqrt 8)^(5/3) = 2.6341
    assert float(UPLINK_SPREADS["long-term"](far)) == pytest.approx(rule, rel=5e-4)


def test_published_reading_is_equation_2_as_printed() -> None:
    this = beam(zenith_deg=70.0)
    factor = 1 + 0.83 / np.cos(np.radians(70.0)) * (0.13 / float(this.fried_m)) ** (5 / 3)
    expected = 6e5 * 780e-9 / (0.632 * 0.065 * np.pi) * factor**0.6
    assert float(UPLINK_SPREADS["published"](this)) == pytest.approx(expected, rel=1e-12)  # same formula
    at_zenith = beam()
    # one air mass either way; the waist itself is 2e-5 of the spot, 0.83 2^(5/3) differs by 4e-4
    ratio = UPLINK_SPREADS["published"](at_zenith) / UPLINK_SPREADS["long-term"](at_zenith)
    assert float(ratio) == pytest.approx(1.0, abs=5e-4)


def test_wander_is_an_integral_over_the_path() -> None:
    zenith, waist = np.radians(50.0), 0.05
    sec = 1.0 / np.cos(zenith)
    rayleigh = np.pi * waist**2 / 780e-9

    def slab(h: float) -> float:
        z = (h - 10.0) * sec
        return float(HV57.cn2.at(h)) * (6e5 - z) ** 2 * (waist * np.hypot(1.0, z / rayleigh)) ** (-1 / 3)

    pieces = [10.0, 100.0, 1e3, 5e3, 1e4, 2e4]
    integral = sum(quad(slab, a, b, epsabs=0.0, epsrel=1e-11)[0] for a, b in pairwise(pieces))
    ours = beam_wander_variance_m2(6e5, profile=HV57, wavelength_m=780e-9, zenith_rad=zenith, waist_radius_m=waist)
    # the constant to 1e-7
    assert float(ours) == pytest.approx(7.251728 * sec * integral, rel=1e-7)


def test_wander_has_the_textbook_s_closed_form() -> None:
    waist = 0.3
    r0 = float(fried_parameter_m(profile=HV57, wavelength_m=780e-9, zenith_rad=0.0))
    closed = 0.54 * 6e5**2 * (780e-9 / (2 * waist)) ** 2 * (2 * waist / r0) ** (5 / 3)
    ours = beam_wander_variance_m2(6e5, profile=HV57, wavelength_m=780e-9, zenith_rad=0.0, waist_radius_m=waist)
    # 0.54 is rounded from 0.547 (r0 with 0.423), the layers aloft act over a shorter lever: 1 %
    assert float(ours) == pytest.approx(closed, rel=0.02)


@settings(max_examples=60)
@given(st.floats(0.0, 85.0), st.floats(0.01, 10.0))
def test_correcting_the_tilt_never_beats_vacuum_nor_loses(zenith_deg: float, diameter_m: float) -> None:
    this = beam(zenith_deg=zenith_deg, diameter_m=diameter_m)
    vacuum, corrected, long = (
        float(UPLINK_SPREADS[name](this)) for name in ("vacuum", "tilt-corrected", "long-term-integral")
    )
    assert vacuum <= corrected <= long


def test_tilt_takes_the_wander_out_of_the_long_term_spot() -> None:
    this = beam(diameter_m=0.9, zenith_deg=20.0)
    long, corrected = (float(UPLINK_SPREADS[name](this)) for name in ("long-term-integral", "tilt-corrected"))
    waist, r0 = float(this.waist_radius_m), float(this.fried_m)
    wander = 0.54 * (6e5 * 780e-9 / (2 * waist)) ** 2 * (2 * waist / r0) ** (5 / 3)
    # the closed form's 2 %
    assert long**2 - corrected**2 == pytest.approx(wander, rel=0.02)


def test_fixed_divergence_is_proportional_to_the_distance() -> None:
    this = beam(divergence_rad=np.array(14e-6), slant_range_m=np.array([5e5, 1e6]))
    np.testing.assert_allclose(UPLINK_SPREADS["fixed-divergence"](this), [7.0, 14.0], rtol=1e-14)  # one product


def test_arrays_in_blocks_equal_single_values() -> None:
    ranges = np.linspace(5e5, 2e6, 5000).reshape(50, 100)
    path = {"profile": HV57, "wavelength_m": 780e-9, "zenith_rad": 0.5, "waist_radius_m": 0.05}
    whole = beam_wander_variance_m2(ranges, **path)
    assert whole.shape == ranges.shape
    # sums in another order
    np.testing.assert_allclose(whole[49, 99], beam_wander_variance_m2(2e6, **path), rtol=1e-13)
    assert integrated_broadening(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fried_parameter_eq3_m(wavelength_m=780.0, zenith_rad=0.0, cn2_integral=2e-12), "wavelength_m .metres"),
        (lambda: fried_parameter_eq3_m(wavelength_m=0.78, zenith_rad=0.0, cn2_integral=2e-12), "wavelength_m .metres"),
        (lambda: fried_parameter_eq3_m(wavelength_m=780e-9, zenith_rad=1.6, cn2_integral=2e-12), "above the horizon"),
        (lambda: fried_parameter_eq3_m(wavelength_m=780e-9, zenith_rad=0.0, cn2_integral=-1.0), "cn2_integral"),
        (lambda: long_term_broadening(-1.0), "coherence_ratio"),
        (lambda: integrated_broadening(np.nan), "coherence_ratio"),
        (lambda: UPLINK_SPREADS["fixed-divergence"](beam()), "divergence_rad"),
        (lambda: UPLINK_SPREADS["published"](beam(waist_radius_m=np.array(0.03))), "waist_fraction"),
        (
            lambda: beam_wander_variance_m2(
                1e4, profile=HV57, wavelength_m=780e-9, zenith_rad=0.0, waist_radius_m=0.05
            ),
            "within the turbulence",
        ),
        (
            lambda: beam_wander_variance_m2(
                6e5, profile=HV57, wavelength_m=780e-9, zenith_rad=0.0, waist_radius_m=-0.05
            ),
            "waist_radius_m",
        ),
    ],
)
def test_input_without_meaning_is_refused(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call()
