"""Rayleigh optical depth from the refractive index of air; pressure by hydrostatic balance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from satqkd.channel.rayleigh import optical_depth, pressure_ratio
from satqkd.errors import InputError


def depth_from_refractive_index(wavelength_um: float) -> float:
    """Bodhaine et al. 1999, Eqs. 18 to 25, 360 ppm of CO2, 45 deg latitude, sea level; CGS units."""
    square = wavelength_um**2
    n_300 = 1e-8 * (8060.51 + 2480990.0 / (132.274 - 1.0 / square) + 17455.7 / (39.32957 - 1.0 / square))
    n = 1.0 + n_300 * (1.0 + 0.54 * (360e-6 - 300e-6))
    nitrogen = 1.034 + 3.17e-4 / square
    oxygen = 1.096 + 1.385e-3 / square + 1.448e-4 / square**2
    king = (78.084 * nitrogen + 20.946 * oxygen + 0.934 + 0.036 * 1.15) / (78.084 + 20.946 + 0.934 + 0.036)
    per_cm3 = 2.546899e19
    lorentz = ((n**2 - 1.0) / (n**2 + 2.0)) ** 2
    cross_section_cm2 = 24.0 * np.pi**3 * lorentz * king / ((wavelength_um * 1e-4) ** 4 * per_cm3**2)
    molar_mass = 15.0556 * 360e-6 + 28.9595
    gravity = 980.6160 - 3.085462e-4 * 5517.56 + 7.254e-11 * 5517.56**2
    return float(cross_section_cm2 * 1_013_250.0 * 6.0221367e23 / (molar_mass * gravity))


@pytest.mark.parametrize(
    ("wavelength_m", "accuracy"), [(400e-9, 1e-3), (656.448e-9, 1e-3), (854.445e-9, 1e-3), (1550.027e-9, 1e-2)]
)
def test_optical_depth_is_that_of_the_refractive_index(wavelength_m: float, accuracy: float) -> None:
    # the fit is made for 250 to 850 nm; beyond it the authors do not say how good it is
    expected = depth_from_refractive_index(wavelength_m * 1e6)
    assert float(optical_depth(wavelength_m)) == pytest.approx(expected, rel=accuracy)


def test_inverse_fourth_power_far_from_resonances() -> None:
    near, far = optical_depth([800e-9, 1600e-9])
    # dispersion of air adds 1.6 % between the two
    assert near / far == pytest.approx(16.0, rel=0.02)


@pytest.mark.parametrize("altitude_m", [-400.0, 1000.0, 5000.0])
def test_pressure_balances_the_weight_of_air(altitude_m: float) -> None:
    # ideal gas of 28.9644 g/mol, 288.15 K less 6.5 K/km
    k_per_m = 9.80665 * 0.0289644 / 8.31432
    exponent, _ = quad(lambda h: k_per_m / (288.15 - 0.0065 * h), 0.0, altitude_m)
    # the constants of the formula have 6 digits
    assert float(pressure_ratio(altitude_m)) == pytest.approx(np.exp(-exponent), rel=1e-5)


def test_scattering_follows_pressure() -> None:
    assert float(optical_depth(850e-9, altitude_m=3e3)) == pytest.approx(
        float(optical_depth(850e-9) * pressure_ratio(3e3)), rel=1e-15
    )


def test_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match="wavelength: 200 nm, must be from 250 to 2000 nm"):
        optical_depth(200e-9)
    with pytest.raises(InputError, match="station altitude: 12000 m, must be from -500 to 9000 m"):
        optical_depth(850e-9, altitude_m=12e3)
