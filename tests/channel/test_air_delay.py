"""Delay by the air: against an integral along the ray, a published zenith delay, and scaling laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from satqkd.channel.air_delay import air_delay_s, group_refractivity
from satqkd.channel.rayleigh import pressure_ratio
from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.errors import InputError


@pytest.mark.parametrize("zenith_deg", [0.0, 60.0, 80.0])
def test_delay_is_the_integral_of_the_refractivity_along_the_ray(zenith_deg: float) -> None:
    zenith, site_m, scale_m = np.radians(zenith_deg), 3000.0, 8000.0
    radius = MEAN_EARTH_RADIUS_M + site_m
    # hydrostatic: an exponential atmosphere that weighs the station's pressure, air of 1.2922 kg/m^3 at 0 deg C
    density = float(pressure_ratio(site_m)) * 101_325.0 / (9.80665 * scale_m)
    at_ground = 295.83e-6 * density / (101_325.0 * 0.0289644 / (8.314462618 * 273.15))

    def refractivity(path_m: float) -> float:
        square = path_m**2 + 2.0 * radius * path_m * np.cos(zenith)
        return at_ground * float(np.exp(-square / (np.sqrt(radius**2 + square) + radius) / scale_m))

    metres = quad(refractivity, 0.0, 400e3 / np.cos(zenith), limit=400, epsrel=1e-9)[0]
    made = float(air_delay_s(zenith, wavelength_m=780e-9, altitude_m=site_m)) * 299_792_458.0
    assert made == pytest.approx(metres, rel=2e-5)  # five digits of the refractivity


def test_zenith_delay_of_laser_ranging() -> None:
    # Marini and Murray: 0.002357 m per hPa times f = 0.9650 + 0.0164/w^2 + 0.000228/w^4, ruby laser 694.3 nm: f = 1
    made = float(air_delay_s(0.0, wavelength_m=694.3e-9, altitude_m=0.0)) * 299_792_458.0
    assert made == pytest.approx(0.002357 * 1013.25, rel=0.005)  # they count moist air and gravity aloft


def test_dispersion_is_that_of_marini_and_murray() -> None:
    def f(w: float) -> float:
        return 0.9650 + 0.0164 / w**2 + 0.000228 / w**4

    ratio = float(group_refractivity(532e-9) / group_refractivity(780e-9))
    assert ratio == pytest.approx(f(0.532) / f(0.780), rel=1e-3)


def test_delay_is_proportional_to_the_pressure_and_grows_towards_the_horizon() -> None:
    low, high = (air_delay_s(0.0, wavelength_m=780e-9, altitude_m=h) for h in (0.0, 3153.0))
    assert high / low == pytest.approx(float(pressure_ratio(3153.0)), rel=1e-5)  # radius of the shell
    delay = air_delay_s(np.radians([0.0, 40.0, 80.0]), wavelength_m=780e-9, altitude_m=0.0)
    assert (np.diff(delay) > 0.0).all()
    with pytest.raises(InputError, match="zenith angle: 90 deg"):
        air_delay_s(0.5 * np.pi, wavelength_m=780e-9, altitude_m=0.0)
    with pytest.raises(InputError):
        group_refractivity(0.78)
