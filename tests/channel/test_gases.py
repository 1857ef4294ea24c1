"""Gas absorption: the published coefficients, limits of the band law, absence of data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel import gases
from satqkd.channel.rayleigh import pressure_ratio
from satqkd.errors import InputError

AIR_MASSES = st.floats(1.0, 40.0)


def total(wavelength_m: float, **options: float) -> float:
    return float(sum(gases.optical_depth(wavelength_m, gas=gas, **options) for gas in gases.GASES))


@pytest.mark.parametrize(("wavelength_m", "depth"), [(656.448e-9, 0.040), (854.445e-9, 0.012), (1550.027e-9, 0.013)])
def test_band_averages_where_links_are_operated(wavelength_m: float, depth: float) -> None:
    assert total(wavelength_m) == pytest.approx(depth, abs=1e-5)  # table to 5 decimals


@pytest.mark.parametrize("mass", [1.0, 3.0, 5.6])
def test_band_law_is_that_of_bird_and_riordan(mass: float) -> None:
    water_cm = 1.42
    # their coefficients: water at 816 nm, mixed gases at 1270 nm, ozone at 550 nm
    x = 1.6 * water_cm * mass
    water = 0.2385 * x / (1.0 + 20.07 * x) ** 0.45
    assert float(gases.optical_depth(816e-9, gas="water", air_mass=mass)) == pytest.approx(
        water, rel=2e-4
    )  # 5 decimals
    mixed = 1.41 * 0.3 * mass / (1.0 + 118.93 * 0.3 * mass) ** 0.45
    assert float(gases.optical_depth(1270e-9, gas="mixed", air_mass=mass)) == pytest.approx(mixed, rel=2e-4)
    ozone = 0.085 * 0.344 * mass
    assert float(gases.optical_depth(550e-9, gas="ozone", air_mass=mass)) == pytest.approx(ozone, rel=2e-4)


@given(st.sampled_from([740e-9, 816e-9, 854.445e-9, 1270e-9, 1550.027e-9]), AIR_MASSES)
def test_a_band_saturates_but_never_lets_more_through(wavelength_m: float, mass: float) -> None:
    once, more = total(wavelength_m), total(wavelength_m, air_mass=mass)
    assert once * mass**0.55 * (1.0 - 1e-12) <= more <= once * mass * (1.0 + 1e-12)


def test_saturated_band_grows_with_the_power_0_55() -> None:
    # b = 45 at 816 nm: (1 + b) / (1 + 1e6 b) is 1e-6 to 2 %
    thick = float(
        gases.optical_depth(816e-9, gas="water", air_mass=2e6) / gases.optical_depth(816e-9, gas="water", air_mass=1e6)
    )
    assert thick == pytest.approx(2.0**0.55, rel=1e-6)


def test_altitude_leaves_ozone_above_and_most_water_below() -> None:
    high = {gas: float(gases.optical_depth(593e-9, gas=gas, altitude_m=4e3)) for gas in ("ozone", "water")}
    low = {gas: float(gases.optical_depth(593e-9, gas=gas)) for gas in ("ozone", "water")}
    assert high["ozone"] == low["ozone"]
    # less water is the same as less air mass
    share = np.exp(-4e3 / gases.WATER_SCALE_HEIGHT_M)
    assert high["water"] == pytest.approx(float(gases.optical_depth(593e-9, gas="water", air_mass=share)), rel=1e-12)
    mixed = gases.optical_depth(1270e-9, gas="mixed", altitude_m=4e3)
    thinner = gases.optical_depth(1270e-9, gas="mixed", air_mass=float(pressure_ratio(4e3)))
    assert float(mixed) == pytest.approx(float(thinner), rel=1e-12)


def test_windows_are_where_there_is_data() -> None:
    for start, end in gases.windows_m():
        assert gases.covered(np.linspace(start, end, 200)).all()
    gaps = [(a[1], b[0]) for a, b in zip(gases.windows_m(), gases.windows_m()[1:], strict=False)]
    assert len(gaps) >= 4
    for end, start in gaps:
        assert not gases.covered(np.linspace(end, start, 52)[1:-1]).any()
    # oxygen A, water at 940, 1130 and 1400 nm; common quantum links
    assert not gases.covered([762e-9, 940e-9, 1130e-9, 1400e-9]).any()
    assert gases.covered([400e-9, 532e-9, 785e-9, 810e-9, 850e-9, 1064e-9, 1550e-9, 1565e-9, 1700e-9]).all()


@pytest.mark.parametrize(
    ("wavelength_m", "message"),
    [
        (762e-9, "762 nm lies in a strong absorption band .* must be at most 757.5 nm or at least 780 nm"),
        (1400e-9, "1400 nm lies in a strong absorption band"),
        (1701e-9, "wavelength: 1701 nm, must be from 400 to 1700 nm"),
        (np.nan, "wavelength: nan nm"),
    ],
)
def test_absence_of_data_is_an_error(wavelength_m: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        gases.optical_depth([850e-9, wavelength_m], gas="water")


def test_unknown_gas_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"gas: unknown name 'waters', .*did you mean 'water'"):
        gases.optical_depth(850e-9, gas="waters")
