"""Profiles of turbulence and wind: named stations, tables, files, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from satqkd.channel.profiles import (
    TURBULENCE_PROFILES,
    VISIBILITY_M,
    HufnagelValley,
    TabulatedCn2,
    TurbulenceProfile,
    Wind,
    read_cn2_csv,
    turbulence_profile,
)
from satqkd.channel.turbulence import fried_parameter_m
from satqkd.errors import InputError

GREEN = {"wavelength_m": 500e-9, "zenith_rad": 0.0}


@pytest.mark.parametrize(
    ("name", "altitude_m", "visibility_m", "wind_m_s", "cn2"),
    [
        ("rural", 400.0, 23e3, 5.0, (4.5e-15, 9.0e-17, 2.0e-53)),
        ("urban", 200.0, 10e3, 10.0, (1.7e-14, 2.7e-16, 3.6e-53)),
        ("coastal", 0.0, 5e3, 25.0, (5.1e-14, 8.1e-16, 1.08e-52)),
    ],
)
def test_presets_are_the_rows_of_table_2(
    name: str, altitude_m: float, visibility_m: float, wind_m_s: float, cn2: tuple[float, float, float]
) -> None:
    profile = turbulence_profile(name)
    assert isinstance(profile.cn2, HufnagelValley)
    assert (profile.altitude_m, profile.wind.ground_m_s, VISIBILITY_M[name]) == (altitude_m, wind_m_s, visibility_m)
    assert (profile.cn2.ground, profile.cn2.troposphere, profile.cn2.tropopause) == cn2
    assert (profile.lower_height_m, profile.upper_height_m) == (10.0, 20_000.0)


def test_the_urban_station_is_hufnagel_valley_5_7() -> None:
    # Table 2 prints C with two digits
    heights = np.array([10.0, 1e3, 1e4, 1.5e4])
    np.testing.assert_allclose(
        TURBULENCE_PROFILES["hv-5-7"].cn2.at(heights), TURBULENCE_PROFILES["urban"].cn2.at(heights), rtol=3e-3
    )


def test_surface_layer_falls_by_e_in_100_metres_and_the_upper_layer_peaks_at_10_km() -> None:
    surface = HufnagelValley(ground=1e-14, troposphere=0.0, tropopause=0.0)
    assert float(surface.at(100.0) / surface.at(0.0)) == pytest.approx(np.exp(-1.0), rel=1e-14)
    upper = HufnagelValley(ground=0.0, troposphere=0.0, tropopause=1e-53)
    heights = np.linspace(5e3, 15e3, 1001)
    assert heights[np.argmax(upper.at(heights))] == 1e4  # derivative of h^10 exp(-h/1000)


def test_wind_peaks_at_its_altitude_above_sea_level() -> None:
    profile = TURBULENCE_PROFILES["rural"]
    assert float(profile.wind_m_s(12_448.0 - 400.0)) == 35.0
    # one 1/e half width off
    assert float(profile.wind_m_s(12_448.0 - 400.0 - 4800.0)) == pytest.approx(5.0 + 30.0 / np.e, rel=1e-14)


def test_a_table_of_two_points_is_an_exponential_layer() -> None:
    layer = HufnagelValley(ground=1.7e-14, troposphere=0.0, tropopause=0.0)
    ends = (10.0, 20_000.0)
    table = TabulatedCn2(height_m=ends, cn2=tuple(float(value) for value in layer.at(ends)))
    # the logarithm of the profile is linear, so nothing is approximated; it is as large as 217
    np.testing.assert_allclose(
        fried_parameter_m(profile=TurbulenceProfile(cn2=table), **GREEN),
        fried_parameter_m(profile=TurbulenceProfile(cn2=layer), **GREEN),
        rtol=1e-12,
    )


def test_a_dense_table_tends_to_the_profile_with_the_square_of_its_step() -> None:
    exact = float(fried_parameter_m(profile="hv-5-7", **GREEN))
    errors = []
    for count in (201, 401):
        heights = np.linspace(10.0, 20e3, count)
        table = TabulatedCn2(height_m=tuple(heights), cn2=tuple(TURBULENCE_PROFILES["hv-5-7"].cn2.at(heights)))
        errors.append(float(fried_parameter_m(profile=TurbulenceProfile(cn2=table), **GREEN)) / exact - 1.0)
    # linear interpolation: second order; steps of 100 m and of the layer's height are not small yet
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)
    assert errors[1] == pytest.approx(0.0, abs=2e-3)


def test_a_profile_comes_from_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "profile.csv"
    path.write_text("# balloon\nheight_m,temperature_k,cn2\n10,290,2e-15\n1000,283,1e-16\n20000,217,1e-19\n")
    table = read_cn2_csv(path)
    assert table == TabulatedCn2(height_m=(10.0, 1e3, 2e4), cn2=(2e-15, 1e-16, 1e-19))
    assert float(table.at(505.0)) == pytest.approx(np.sqrt(2e-15 * 1e-16), rel=1e-13)  # halfway: geometric mean


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("height_m,value\n1,2\n", "no column cn2, found height_m, value"),
        ("", "no column height_m, found nothing"),
        ("height_m,cn2\n10,1e-15\n20,abc\n", "could not convert"),
        ("height_m,cn2\n10,1e-15\n20\n", "profile.csv: "),
        ("height_m,cn2\n10,1e-15\n10,1e-15\n", "increasing heights"),
        ("height_m,cn2\n10,1e-15\n20,-1e-15\n", "positive finite values"),
        ("height_m,cn2\n10,1e-15\n", "at least 2"),
    ],
)
def test_a_csv_file_without_a_profile_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "profile.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_cn2_csv(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_cn2_csv(tmp_path / "none.csv")


def test_a_table_that_does_not_cover_the_layer_is_refused() -> None:
    with pytest.raises(InputError, match="covers 10 to 5000 m above ground only"):
        TurbulenceProfile(cn2=TabulatedCn2(height_m=(10.0, 5e3), cn2=(1e-15, 1e-17)))


@pytest.mark.parametrize(("name", "hint"), [("Urban ", "nearest: urban"), ("costal", "nearest: coastal")])
def test_an_unknown_station_is_told_the_nearest_names(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"site: '{name}' is not known, {hint}.*allowed: rural, urban, coastal"):
        turbulence_profile(name)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HufnagelValley(ground=-1e-14, troposphere=0.0, tropopause=0.0), "HufnagelValley.ground"),
        (lambda: HufnagelValley(ground=0.0, troposphere=0.0, tropopause=0.0), "at least one coefficient"),
        (lambda: HufnagelValley.from_high_altitude_wind(ground=1e-14, high_altitude_wind_m_s=-1.0), "high_altitude"),
        (lambda: Wind(ground_m_s=0.0), "Wind.ground_m_s"),
        (lambda: Wind(ground_m_s=1.0, peak_width_m=0.0), "Wind.peak_width_m"),
        (lambda: TabulatedCn2(height_m=(1.0, 2.0), cn2=(1e-15,)), "1 values is not allowed, 2 needed"),
        (lambda: dataclasses.replace(TURBULENCE_PROFILES["urban"], lower_height_m=2e4), "0 <= lower < upper"),
        (lambda: dataclasses.replace(TURBULENCE_PROFILES["urban"], altitude_m=2e4), "altitude_m"),
    ],
)
def test_what_is_not_a_profile_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(InputError, match=message):
        make()
