"""Coupling: diffraction integrals, overlap integrals, the seeing disc."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import j1

from satqkd.channel.coupling import (
    FREE_SPACE_LIMIT,
    airy_half_angle_rad,
    encircled_energy,
    fibre_half_angle_rad,
    fibre_overlap,
    seeing_encircled_energy,
    solid_angle_sr,
)
from satqkd.errors import InputError

UNIT = {"wavelength_m": 1e-6, "aperture_diameter_m": 1.0}


def angle(u: float) -> float:
    """Half angle of u = pi D sin(angle) / wavelength for the unit telescope."""
    return float(np.arcsin(u * 1e-6 / np.pi))


def test_airy_disk_holds_the_printed_limit() -> None:
    found = float(encircled_energy(airy_half_angle_rad(**UNIT), **UNIT))
    assert found == pytest.approx(FREE_SPACE_LIMIT, abs=5e-4)  # rounded to three digits
    assert found == pytest.approx(0.83778, abs=5e-6)  # printed in the docs


@pytest.mark.parametrize(("ring", "share"), [(3.8317, 0.838), (7.0156, 0.910), (10.1735, 0.938)])
def test_dark_rings_of_born_and_wolf(ring: float, share: float) -> None:
    # Born & Wolf, sec. 8.5.2: three digits
    assert float(encircled_energy(angle(ring), **UNIT)) == pytest.approx(share, abs=6e-4)


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("u", [0.5, 3.83, 20.0])
def test_encircled_energy_is_the_integral_of_the_diffraction_pattern(u: float, ratio: float) -> None:
    def pattern(v: float) -> float:
        return (j1(v) / v - ratio * j1(ratio * v) / v) ** 2 * 2.0 * v / (1.0 - ratio**2)

    expected, _ = quad(pattern, 1e-9, u, epsrel=1e-12, limit=200)
    found = encircled_energy(angle(u), **UNIT, obscuration_ratio=ratio)
    assert float(found) == pytest.approx(expected, rel=1e-9)  # both quadratures resolve every oscillation


def test_a_wide_field_takes_everything_as_its_inverse() -> None:
    # 1 - L -> 2 / (pi u) on average; at u = k pi exactly the two squares of the Bessel functions give it
    u = 1000.0 * np.pi
    assert 1.0 - float(encircled_energy(angle(u), **UNIT)) == pytest.approx(2.0 / (np.pi * u), rel=1e-3)
    # with an obscuration the pattern has the more edge: (1 + ratio) / (1 - ratio^2) on average
    mean = np.mean(
        1.0
        - encircled_energy(np.array([angle(v) for v in u + np.linspace(0, 80, 4001)]), **UNIT, obscuration_ratio=0.3)
    )
    assert mean == pytest.approx(2.0 / (np.pi * (u + 40.0)) / 0.7, rel=2e-3)


def test_no_field_takes_nothing() -> None:
    assert float(encircled_energy(0.0, **UNIT)) == 0.0
    assert float(encircled_energy(0.0, **UNIT, obscuration_ratio=0.3)) == 0.0
    assert float(seeing_encircled_energy(0.0, **UNIT, fried_m=0.1)) == 0.0


def test_half_angles_scale_with_wavelength_over_aperture() -> None:
    assert float(airy_half_angle_rad(**UNIT)) == 1.22e-6
    assert float(fibre_half_angle_rad(**UNIT)) == pytest.approx(2.24e-6 / np.pi, rel=1e-15)


@given(st.floats(1e-9, np.pi))
def test_solid_angle_is_that_of_a_cap(half: float) -> None:
    # series of the cap, exact to order 6 below 0.1 rad; the printed form above
    expected = np.pi * half**2 * (1 - half**2 / 12 + half**4 / 360) if half < 0.1 else 2 * np.pi * (1 - np.cos(half))
    assert float(solid_angle_sr(half)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.6])
def test_fibre_overlap_is_the_best_of_the_overlap_integrals(ratio: float) -> None:
    def overlap(width: float) -> float:
        mode = lambda r: np.exp(-((r / width) ** 2))  # noqa: E731
        field = quad(lambda r: mode(r) * r, ratio, 1.0)[0]
        norm = quad(lambda r: mode(r) ** 2 * r, 0.0, 20.0 * width)[0] * (1.0 - ratio**2) / 2.0
        return field**2 / norm

    best = max(overlap(width) for width in np.linspace(0.5, 1.8, 651))
    # a maximum: the grid's step of 0.002 costs its square
    assert fibre_overlap(obscuration_ratio=ratio) == pytest.approx(best, rel=1e-5)


def test_unobscured_overlap_is_the_known_limit() -> None:
    assert fibre_overlap() == pytest.approx(0.8145, abs=5e-5)  # Shaklan & Roddier 1988 quote 0.81


@pytest.mark.parametrize("fried_m", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("u", [1.0, 30.0, 200.0])
def test_seeing_disc_is_the_integral_of_its_transfer_function(u: float, fried_m: float) -> None:
    def integrand(x: float) -> float:
        telescope = 2.0 / np.pi * (np.arccos(x) - x * np.sqrt(1.0 - x * x))
        return 2.0 * u * telescope * np.exp(-3.44 * (x / fried_m) ** (5 / 3)) * j1(2.0 * u * x)

    edges = np.linspace(0.0, 1.0, 202)
    expected = sum(quad(integrand, a, b, epsabs=1e-13)[0] for a, b in pairwise(edges))
    found = seeing_encircled_energy(angle(u), **UNIT, fried_m=fried_m)
    assert float(found) == pytest.approx(expected, rel=1e-6)  # stated accuracy


def test_without_turbulence_only_diffraction_is_left() -> None:
    angles = np.array([angle(u) for u in (0.3, 3.83, 50.0, 900.0)])
    np.testing.assert_allclose(
        seeing_encircled_energy(angles, **UNIT, fried_m=np.inf), encircled_energy(angles, **UNIT), rtol=1e-6
    )


def test_strong_seeing_leaves_a_strehl_ratio_of_fried_over_aperture_squared() -> None:
    # Fried's definition of r0; the telescope's own transfer function takes off some r0 / D, so extrapolate to 0
    small = angle(1e-3)
    blur = np.array([1000.0, 2000.0])
    scaled = [
        float(seeing_encircled_energy(small, **UNIT, fried_m=1.0 / b) / encircled_energy(small, **UNIT)) * b**2
        for b in blur
    ]
    assert 2.0 * scaled[1] - scaled[0] == pytest.approx(1.0, rel=1e-3)  # 3.44 in place of 3.4395 is 2e-4


def test_a_field_wider_than_the_seeing_takes_what_eq_163_loses() -> None:
    wide = float(seeing_encircled_energy(100e-6, **UNIT, fried_m=0.1))
    assert wide == pytest.approx(0.996, abs=2e-3)  # edge diffraction alone leaves 0.998
    strehl = (1.0 + 10.0 ** (5 / 3)) ** -1.2
    assert strehl == pytest.approx(0.0097, abs=1e-4)


def test_many_samples_are_interpolated_between_few_integrals() -> None:
    fried = np.geomspace(0.02, 2.0, 300)
    together = seeing_encircled_energy(20e-6, **UNIT, fried_m=fried)
    alone = [float(seeing_encircled_energy(20e-6, **UNIT, fried_m=value)) for value in fried]
    np.testing.assert_allclose(together, alone, rtol=1e-8)  # Chebyshev series of 64 terms over two decades
    same = seeing_encircled_energy(20e-6, **UNIT, fried_m=np.full(100, 0.1))
    np.testing.assert_allclose(same, seeing_encircled_energy(20e-6, **UNIT, fried_m=0.1), rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encircled_energy(-1e-6, **UNIT), "half_angle_rad: -1e-06"),
        (lambda: encircled_energy(1e-6, **UNIT, obscuration_ratio=1.0), "obscuration_ratio: 1 "),
        (lambda: encircled_energy(1e-6, wavelength_m=1e-6, aperture_diameter_m=0.0), "aperture_diameter_m: 0"),
        (lambda: fibre_overlap(obscuration_ratio=-0.1), "obscuration_ratio: -0.1"),
        (lambda: seeing_encircled_energy(1e-6, **UNIT, fried_m=0.0), "fried_m"),
        (lambda: seeing_encircled_energy(0.02, **UNIT, fried_m=0.1), r"half_angle_rad: 0\.02 .* to 0\.01 only"),
        (lambda: solid_angle_sr(4.0), "half_angle_rad: 4"),
    ],
)
def test_bad_input_is_refused(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=message):
        call()
