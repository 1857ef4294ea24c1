"""Aerosol optical properties: Mie theory done another way, scaling with visibility and altitude, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from satqkd.channel import aerosol as aerosols
from satqkd.channel.atmosphere_tables import AEROSOLS
from satqkd.errors import InputError

WAVELENGTHS_M = st.floats(400e-9, 1700e-9)


def mie(index: complex, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Extinction and scattering efficiency and asymmetry of spheres: Bohren and Huffman's recurrences."""
    orders = int(size.max() + 4.05 * size.max() ** (1 / 3) + 20)
    inner = index * size
    start = orders + 15 + int(np.abs(inner).max())
    ratio = np.zeros((start + 1, size.size), dtype=complex)  # logarithmic derivative of psi, downwards
    for n in range(start, 0, -1):
        ratio[n - 1] = n / inner - 1.0 / (ratio[n] + n / inner)
    psi, chi = [np.cos(size), np.sin(size)], [-np.sin(size), np.cos(size)]
    a, b = [], []
    for n in range(1, orders + 1):
        for pair in (psi, chi):
            pair.append((2 * n - 1) / size * pair[-1] - pair[-2])
        xi, xi_before = psi[-1] - 1j * chi[-1], psi[-2] - 1j * chi[-2]
        # beyond its own number of orders a small sphere's terms are rounding errors
        wanted = n <= size + 4.05 * size ** (1 / 3) + 2
        for terms, factor in ((a, ratio[n] / index + n / size), (b, ratio[n] * index + n / size)):
            terms.append(np.where(wanted, (factor * psi[-1] - psi[-2]) / (factor * xi - xi_before), 0.0))
    a, b = np.array(a), np.array(b)
    n = np.arange(1, orders + 1)[:, None]
    scattering = 2 / size**2 * ((2 * n + 1) * (abs(a) ** 2 + abs(b) ** 2)).sum(0)
    extinction = 2 / size**2 * ((2 * n + 1) * (a + b).real).sum(0)
    m = n[:-1]
    cross = (m * (m + 2) / (m + 1) * (a[:-1] * a[1:].conj() + b[:-1] * b[1:].conj()).real).sum(0)
    cross += ((2 * n + 1) / (n * (n + 1)) * (a * b.conj()).real).sum(0)
    return extinction, scattering, 4 / size**2 * cross / scattering


def dry_urban(index: complex, wavelength_um: float) -> np.ndarray:
    """Sums over both modes of dry urban aerosol, trapezoidal in the logarithm of the radius."""
    total = np.zeros(3)
    for share, radius_um, width in ((0.999875, 0.025, 0.35), (0.000125, 0.4, 0.40)):
        log_radius = np.linspace(np.log10(radius_um) - 1.5, np.log10(radius_um) + 2.0, 700)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            extinction, scattering, cosine = mie(index, 2 * np.pi * 10**log_radius / wavelength_um)
        area = 10 ** (2 * log_radius) * np.exp(-0.5 * ((log_radius - np.log10(radius_um)) / width) ** 2) / width
        terms = np.array([extinction, scattering, scattering * cosine])
        total += share * np.trapezoid(area * terms, log_radius, axis=1)
    return total


def test_dry_urban_aerosol_is_the_mie_solution_done_another_way() -> None:
    # 550 and 1300 nm are wavelengths of the refractive indices: 0.8 (0.7 water-soluble + 0.3 dust) + 0.2 soot
    green = 0.8 * (0.7 * (1.53 + 0.006j) + 0.3 * (1.53 + 0.008j)) + 0.2 * (1.75 + 0.44j)
    infrared = 0.8 * (0.7 * (1.51 + 0.020j) + 0.3 * (1.46 + 0.008j)) + 0.2 * (1.76 + 0.45j)
    expected_green, expected = dry_urban(green, 0.55), dry_urban(infrared, 1.3)
    conditions = {"aerosol": "urban", "relative_humidity": 0.0}
    ratio = float(aerosols.relative_extinction(1300e-9, **conditions))
    # table to 5 digits; the two grids of radii differ by 2e-4
    assert ratio == pytest.approx(expected[0] / expected_green[0], rel=5e-4)
    for wavelength_m, sums in ((550e-9, expected_green), (1300e-9, expected)):
        albedo = float(aerosols.single_scattering_albedo(wavelength_m, **conditions))
        assert albedo == pytest.approx(sums[1] / sums[0], rel=5e-4)
        assert float(aerosols.asymmetry(wavelength_m, **conditions)) == pytest.approx(sums[2] / sums[1], rel=5e-4)


@pytest.mark.parametrize("aerosol", AEROSOLS)
def test_extinction_is_relative_to_550_nm_at_any_humidity(aerosol: str) -> None:
    for humidity in (0.0, 0.46, 0.7, 0.9, 0.99):
        assert float(aerosols.relative_extinction(550e-9, aerosol=aerosol, relative_humidity=humidity)) == 1.0


@given(WAVELENGTHS_M, st.sampled_from(AEROSOLS), st.floats(0.0, 0.99))
def test_scattered_fraction_and_mean_cosine_are_physical(wavelength_m: float, aerosol: str, humidity: float) -> None:
    conditions = {"aerosol": aerosol, "relative_humidity": humidity}
    assert 0.4 < float(aerosols.single_scattering_albedo(wavelength_m, **conditions)) < 1.0
    assert 0.5 < float(aerosols.asymmetry(wavelength_m, **conditions)) < 0.9


@given(st.floats(0.0, 0.98), st.sampled_from(AEROSOLS))
def test_moist_particles_scatter_more_of_what_they_take(humidity: float, aerosol: str) -> None:
    dry, moist = (
        float(aerosols.single_scattering_albedo(550e-9, aerosol=aerosol, relative_humidity=value))
        for value in (humidity, humidity + 0.01)
    )
    assert dry <= moist


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.7), (0.7, 0.8), (0.8, 0.99)])
def test_humidity_is_interpolated_between_its_neighbours(low: float, high: float) -> None:
    humidities = (low, 0.75 * low + 0.25 * high, high)
    dry, between, moist = (
        float(aerosols.single_scattering_albedo(854.445e-9, aerosol="urban", relative_humidity=value))
        for value in humidities
    )
    assert between == pytest.approx(0.75 * dry + 0.25 * moist, rel=1e-12)
    assert moist > dry + 0.01


def test_soot_makes_urban_air_absorb_and_salt_makes_maritime_air_grey() -> None:
    albedo = {name: float(aerosols.single_scattering_albedo(550e-9, aerosol=name)) for name in AEROSOLS}
    assert albedo["urban"] < albedo["rural"] < albedo["maritime"]
    infrared = {name: float(aerosols.relative_extinction(1550e-9, aerosol=name)) for name in AEROSOLS}
    assert infrared["rural"] < infrared["urban"] < infrared["maritime"]


@given(st.floats(1e3, 1e5), WAVELENGTHS_M, st.floats(0.0, 5e3))
def test_optical_depth_is_inverse_to_visibility(visibility_m: float, wavelength_m: float, altitude_m: float) -> None:
    conditions = {"aerosol": "rural", "altitude_m": altitude_m}
    near = aerosols.optical_depth(wavelength_m, visibility_m=visibility_m, **conditions)
    far = aerosols.optical_depth(wavelength_m, visibility_m=2.0 * visibility_m, **conditions)
    assert float(near) == pytest.approx(2.0 * float(far), rel=1e-14)


@pytest.mark.parametrize("profile", aerosols.AEROSOL_PROFILES)
def test_extinction_at_the_ground_is_the_one_seen_as_visibility(profile: str) -> None:
    share = aerosols.AEROSOL_PROFILES[profile]
    assert float(share(0.0)) == 1.0
    ground_per_m = float(share(0.0) - share(1.0)) * float(aerosols.optical_depth_550(23e3))
    # Koschmieder: contrast 0.02; 1 m is 5e-4 of the scale height
    assert ground_per_m == pytest.approx(-np.log(0.02) / 23e3, rel=5e-4)


def test_mixed_layer_is_uniform_below_and_its_extinction_has_no_step() -> None:
    share = aerosols.mixed_layer_profile
    step = np.array([share(h) - share(h + 1.0) for h in (0.0, 500.0, 998.0, 1001.0)])
    np.testing.assert_allclose(step[:3], step[0], rtol=1e-9)  # differences of numbers near 1
    assert step[3] == pytest.approx(step[0], rel=2e-3)  # 1 m to 2 m above, of 1087 m
    total, _ = quad(lambda h: share(h) - share(h + 1.0), 0.0, 2e4, points=[1000.0], limit=200)
    assert total == pytest.approx(1.0, rel=1e-3)  # differences of 1 m


def test_sites_are_those_of_table_2() -> None:
    table = {name: (site.aerosol, site.visibility_m, site.altitude_m) for name, site in aerosols.SITES.items()}
    assert table == {
        "rural": ("rural", 23e3, 400.0),
        "urban": ("urban", 10e3, 200.0),
        "coastal": ("maritime", 5e3, 0.0),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aerosol": "urbane"}, "aerosol: unknown name 'urbane', .*did you mean 'urban'"),
        ({"aerosol": "coastal"}, "must be one of rural, urban, maritime"),
        ({"visibility_m": 0.0}, "visibility: 0 km, must be positive"),
        ({"visibility_m": [1e4, -5e3]}, "visibility: -5 km"),
        ({"visibility_m": np.inf}, "visibility: inf km"),
        ({"wavelength_m": 399e-9}, "wavelength: 399 nm, must be from 400 to 1700 nm"),
        ({"wavelength_m": np.nan}, "wavelength: nan nm"),
        ({"altitude_m": np.nan}, "station altitude: nan m, must be from -500 to 9000 m"),
        ({"relative_humidity": 1.0}, "relative humidity: 100 %, must be from 0 to 99 %"),
        ({"profile": "exponent"}, "aerosol profile: unknown name 'exponent', .*did you mean 'exponential'"),
    ],
)
def test_bad_input_is_one_clear_line(change: dict[str, object], message: str) -> None:
    good = {"wavelength_m": 850e-9, "aerosol": "urban", "visibility_m": 1e4}
    with pytest.raises(InputError, match=message):
        aerosols.optical_depth(**(good | change))
