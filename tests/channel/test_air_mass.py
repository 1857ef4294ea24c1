"""Air mass: the path integral, the flat limit, bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from satqkd.channel.air_mass import exponential_shell, plane_parallel, thin_shell
from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.errors import InputError

ANGLES = st.floats(0.0, np.radians(89.9))


def path_integral(zenith_rad: float, scale_height_m: float, altitude_m: float) -> float:
    """Air mass by adaptive quadrature along the ray."""
    radius = MEAN_EARTH_RADIUS_M + altitude_m

    def height_m(path_m: float) -> float:
        square = path_m**2 + 2.0 * radius * path_m * np.cos(zenith_rad)
        return square / (np.sqrt(radius**2 + square) + radius)  # no cancellation near the ground

    end = min(50.0 * scale_height_m / np.cos(zenith_rad), np.sqrt(110.0 * radius * scale_height_m))
    total, _ = quad(lambda s: np.exp(-height_m(s) / scale_height_m), 0.0, end, epsabs=0.0, epsrel=1e-11, limit=400)
    return float(total) / scale_height_m


@pytest.mark.parametrize("scale_height_m", [500.0, 2087.0, 8434.0, 20e3])
@pytest.mark.parametrize("zenith_deg", [0.0, 45.0, 80.0, 87.0, 89.99])
def test_exponential_shell_is_the_path_integral(scale_height_m: float, zenith_deg: float) -> None:
    zenith = np.radians(zenith_deg)
    mass = float(exponential_shell(zenith, scale_height_m=scale_height_m, altitude_m=2e3))
    # next order of the expansion: X^-3, 5e-9 at the largest scale height
    assert mass == pytest.approx(path_integral(zenith, scale_height_m, 2e3), rel=1e-8)


def test_a_thin_atmosphere_is_flat() -> None:
    zenith = np.radians([0.0, 30.0, 60.0])
    # first correction: tan^2 z H / R = 3 x 500 m / 6371 km
    np.testing.assert_allclose(exponential_shell(zenith, scale_height_m=500.0), plane_parallel(zenith), rtol=2.5e-4)


@given(ANGLES, st.floats(500.0, 20e3))
def test_a_sphere_shortens_the_path(zenith: float, scale_height_m: float) -> None:
    mass = float(exponential_shell(zenith, scale_height_m=scale_height_m))
    # at the zenith both are 1 to the accuracy of the expansion
    assert 1.0 - 1e-9 <= mass <= float(plane_parallel(zenith)) * (1.0 + 1e-9)


@given(st.lists(ANGLES, min_size=2, max_size=2))
def test_lower_in_the_sky_is_more_air(angles: list[float]) -> None:
    high, low = exponential_shell(sorted(angles), scale_height_m=8434.0)
    assert high <= low * (1.0 + 1e-9)


@given(ANGLES, st.floats(0.0, 5e3))
def test_thin_shell_is_met_at_the_angle_of_the_geometry(zenith: float, altitude_m: float) -> None:
    start = np.array([0.0, MEAN_EARTH_RADIUS_M + altitude_m])
    ray = np.array([np.sin(zenith), np.cos(zenith)])
    along = start @ ray
    length = -along + np.sqrt(along**2 + (MEAN_EARTH_RADIUS_M + 22e3) ** 2 - start @ start)
    met = start + length * ray
    expected = np.linalg.norm(met) / (met @ ray)
    mass = float(thin_shell(zenith, shell_altitude_m=22e3, altitude_m=altitude_m))
    assert mass == pytest.approx(expected, rel=1e-9)  # differences of radii, 1 / 300 of them


@pytest.mark.parametrize("zenith_deg", [90.0, 100.0, -1.0, np.nan])
def test_horizon_and_below_are_refused(zenith_deg: float) -> None:
    with pytest.raises(InputError, match="must be from 0 to below 90 deg"):
        plane_parallel(np.radians([10.0, zenith_deg]))


def test_layers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="scale height: 0 m, must be from 500 to 20000 m"):
        exponential_shell(0.0, scale_height_m=0.0)
    with pytest.raises(InputError, match="must be below the layer at 22000 m"):
        thin_shell(0.0, shell_altitude_m=22e3, altitude_m=23e3)
