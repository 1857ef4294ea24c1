"""Turbulence integrals: closed forms, adaptive quadrature, scaling laws, limits."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gamma, gammainc

from satqkd.channel.height_integrals import cn2_moment
from satqkd.channel.turbulence import (
    TURBULENCE_PROFILES,
    HufnagelValley,
    TurbulenceProfile,
    Wind,
    air_mass,
    fried_parameter_m,
    fried_parameter_spherical_m,
    greenwood_frequency_hz,
    isoplanatic_angle_rad,
    tracking_frequency_hz,
)
from satqkd.errors import InputError

URBAN = TURBULENCE_PROFILES["urban"]
LINK = {"profile": "urban", "wavelength_m": 854.445e-9, "zenith_rad": np.radians(60.0)}
WAVENUMBER = 2.0 * np.pi / 854.445e-9
PIECES = (10.0, 50.0, 200.0, 1e3, 3e3, 8e3, 12e3, 20e3)


def adaptive(weight, profile: TurbulenceProfile = URBAN) -> float:
    """Integral of Cn2 times a weight by adaptive quadrature in pieces."""
    return sum(
        quad(lambda h: float(profile.cn2.at(h)) * float(weight(h)), low, high, epsabs=0.0, epsrel=1e-12)[0]
        for low, high in itertools.pairwise(PIECES)
    )


@pytest.mark.parametrize("name", list(TURBULENCE_PROFILES))
def test_strength_of_the_layer_is_its_closed_form(name: str) -> None:
    profile = TURBULENCE_PROFILES[name]
    assert isinstance(profile.cn2, HufnagelValley)
    low, high = np.exp(-np.array([10.0, 2e4])[:, None] / np.array([100.0, 1500.0]))
    exponentials = np.dot(np.array([100.0, 1500.0]) * (low - high), [profile.cn2.ground, profile.cn2.troposphere])
    # h^10 exp(-h/1000) integrates to an incomplete gamma function
    upper = profile.cn2.tropopause * 1000.0**11 * gamma(11.0) * (gammainc(11.0, 20.0) - gammainc(11.0, 0.01))
    assert cn2_moment(profile) == pytest.approx(exponentials + upper, rel=1e-12)  # stated accuracy 1e-11


@pytest.mark.parametrize(("height_power", "wind_power"), [(5 / 3, 0.0), (0.0, 5 / 3), (0.0, 2.0), (2.0, 0.0)])
@pytest.mark.parametrize("name", ["rural", "coastal"])
def test_moments_agree_with_adaptive_quadrature(name: str, height_power: float, wind_power: float) -> None:
    profile = TURBULENCE_PROFILES[name]
    expected = adaptive(lambda h: (h - 10.0) ** height_power * profile.wind_m_s(h) ** wind_power, profile)
    assert cn2_moment(profile, height_power, wind_power) == pytest.approx(expected, rel=1e-11)  # stated accuracy


def test_fried_parameter_and_isoplanatic_angle_name_hufnagel_valley_5_7() -> None:
    green = {"profile": "hv-5-7", "wavelength_m": 500e-9, "zenith_rad": 0.0}
    # "5 cm, 7 urad", names of one digit
    assert float(fried_parameter_m(**green)) == pytest.approx(0.05, abs=0.005)
    assert float(isoplanatic_angle_rad(**green)) == pytest.approx(7e-6, abs=0.5e-6)


@given(st.floats(0.3e-6, 3e-6), st.floats(1.1, 5.0), st.floats(0.0, 1.55))
def test_lengths_scale_with_wavelength_to_six_fifths(wavelength_m: float, factor: float, zenith_rad: float) -> None:
    for length in (fried_parameter_m, isoplanatic_angle_rad):
        one, other = length(
            profile="rural", wavelength_m=np.array([wavelength_m, factor * wavelength_m]), zenith_rad=zenith_rad
        )
        assert other / one == pytest.approx(factor**1.2, rel=1e-12)  # powers round


def test_zenith_scalings() -> None:
    zenith = np.radians([0.0, 60.0])  # air mass 1 and 2
    link = {"profile": "urban", "wavelength_m": 1e-6, "zenith_rad": zenith}
    for value, power in (
        (fried_parameter_m(**link), -3 / 5),
        (isoplanatic_angle_rad(**link), -8 / 5),
        (greenwood_frequency_hz(**link), 3 / 5),
        (tracking_frequency_hz(**link, aperture_diameter_m=1.0), 1 / 2),
    ):
        assert value[1] / value[0] == pytest.approx(2.0**power, rel=1e-13)  # cos 60 deg rounds


def test_tracking_frequency_falls_with_the_sixth_root_of_the_aperture() -> None:
    small, large = tracking_frequency_hz(**LINK, aperture_diameter_m=np.array([0.5, 32.0]))
    assert small / large == pytest.approx(2.0, rel=1e-13)


def test_frequencies_printed_limits_and_ground() -> None:
    waves = np.array([656.448e-9, 854.445e-9, 1550.027e-9])
    link = {"profile": "urban", "wavelength_m": waves, "zenith_rad": np.radians(60.0)}
    # independent implementation, 3 digits
    np.testing.assert_allclose(greenwood_frequency_hz(**link, lower_height="published"), [73.9, 53.9, 26.4], rtol=2e-3)
    np.testing.assert_allclose(greenwood_frequency_hz(**link), [109.0, 79.5, 38.9], rtol=2e-3)
    np.testing.assert_allclose(fried_parameter_m(**link), [0.0475, 0.0652, 0.1332], rtol=1e-3)


def test_one_wind_at_all_heights_ties_the_frequency_to_the_fried_parameter() -> None:
    profile = dataclasses.replace(URBAN, wind=Wind(ground_m_s=12.0, peak_m_s=0.0))
    link = {**LINK, "profile": profile}
    expected = (0.1022 / 0.423) ** 0.6 * 12.0 / fried_parameter_m(**link)
    np.testing.assert_allclose(greenwood_frequency_hz(**link), expected, rtol=1e-12)


def test_a_fast_slew_ties_the_frequency_to_the_isoplanatic_angle() -> None:
    profile = dataclasses.replace(URBAN, wind=Wind(ground_m_s=1e-9, peak_m_s=0.0), lower_height_m=0.0)
    link = {**LINK, "profile": profile}
    expected = (0.1022 / 2.914) ** 0.6 * 0.01 / isoplanatic_angle_rad(**link)
    # a wind of 1 nm/s against 0.1 m/s and more from 10 m up
    np.testing.assert_allclose(greenwood_frequency_hz(**link, slew_rad_s=0.01), expected, rtol=1e-8)


def test_slew_adds_to_the_wind_as_adaptive_quadrature_says() -> None:
    rate = 0.005 / np.cos(LINK["zenith_rad"])
    integral = adaptive(lambda h: (URBAN.wind_m_s(h) + rate * h) ** (5 / 3))
    expected = (0.1022 * WAVENUMBER**2 * 2.0 * integral) ** 0.6
    assert float(greenwood_frequency_hz(**LINK, slew_rad_s=0.005)) == pytest.approx(expected, rel=1e-11)
    integral = adaptive(lambda h: (URBAN.wind_m_s(h) + rate * h) ** 2)
    expected = 0.05268 * WAVENUMBER * np.sqrt(2.0 * integral)
    found = tracking_frequency_hz(**LINK, slew_rad_s=0.005, aperture_diameter_m=1.0)
    assert float(found) == pytest.approx(expected, rel=1e-11)


def test_a_whole_pass_is_interpolated_between_few_integrals() -> None:
    slew = np.concatenate([[0.0], np.geomspace(1e-6, 0.03, 400)])
    zenith = np.linspace(0.0, 1.4, slew.size)
    link = {"profile": "coastal", "wavelength_m": 850e-9}
    together = greenwood_frequency_hz(**link, zenith_rad=zenith, slew_rad_s=slew)
    alone = [
        float(greenwood_frequency_hz(**link, zenith_rad=z, slew_rad_s=s)) for z, s in zip(zenith, slew, strict=True)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-11)  # stated accuracy
    constant = greenwood_frequency_hz(**link, zenith_rad=np.zeros(50), slew_rad_s=np.full(50, 0.01))
    np.testing.assert_allclose(constant, greenwood_frequency_hz(**link, zenith_rad=0.0, slew_rad_s=0.01), rtol=1e-13)


def test_spherical_wave_agrees_with_adaptive_quadrature_at_both_ends() -> None:
    path = 6e5 * np.cos(LINK["zenith_rad"])
    for source, weight in (
        ("satellite", lambda h: (1.0 - (h - 10.0) / path) ** (5 / 3)),
        ("ground", lambda h: ((h - 10.0) / path) ** (5 / 3)),
    ):
        expected = (0.423 * WAVENUMBER**2 * 2.0 * adaptive(weight)) ** -0.6
        found = fried_parameter_spherical_m(**LINK, slant_range_m=6e5, source=source)
        assert float(found) == pytest.approx(expected, rel=1e-11)


def test_spherical_wave_from_afar_is_plane_and_arrays_are_their_elements() -> None:
    ranges = np.geomspace(1e5, 1e12, 500)
    together = fried_parameter_spherical_m(**LINK, slant_range_m=ranges)
    alone = [float(fried_parameter_spherical_m(**LINK, slant_range_m=distance)) for distance in ranges]
    np.testing.assert_allclose(together, alone, rtol=1e-11)
    # next order: turbulence height over distance, 1e-8
    assert together[-1] == pytest.approx(float(fried_parameter_m(**LINK)), rel=1e-7)


@given(st.floats(0.0, 1.5), st.floats(0.0, 1.5))
def test_coherence_shrinks_towards_the_horizon(a: float, b: float) -> None:
    high, low = fried_parameter_m(profile="urban", wavelength_m=1e-6, zenith_rad=np.array(sorted((a, b))))
    assert 0.0 < low <= high


@pytest.mark.parametrize("zenith_deg", [90.0, 95.0, -1.0, np.nan])
def test_the_horizon_and_below_are_refused(zenith_deg: float) -> None:
    with pytest.raises(InputError, match=f"zenith_rad: {zenith_deg:.6g} deg is not above the horizon"):
        air_mass(np.radians([10.0, zenith_deg]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wavelength_m": 0.0}, "wavelength_m: 0 is not allowed"),
        ({"wavelength_m": np.nan}, "wavelength_m: nan"),
        ({"profile": "urbn"}, "nearest: urban"),
        ({"lower_height": "sea"}, "lower_height: 'sea' is not known.*allowed: ground, published"),
        ({"slew_rad_s": -0.1}, "slew_rad_s"),
    ],
)
def test_bad_input_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        greenwood_frequency_hz(**{**LINK, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [({"slant_range_m": 3e4}, "must leave the turbulence"), ({"source": "moon"}, "source: 'moon' is not known")],
)
def test_bad_spherical_waves_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fried_parameter_spherical_m(**{**LINK, "slant_range_m": 1e6, **change})
