"""Direct transmittance against another program, composition of its parts, limits, bad input."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel import extinction
from satqkd.channel.atmosphere_tables import AEROSOLS
from satqkd.channel.divergence import loss_db, slab_loss_db
from satqkd.channel.extinction import slant_depth, spectrum, transmittance, vertical_depth
from satqkd.errors import InputError

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
URBAN = {"aerosol": "urban", "visibility_m": 10e3}


def golden(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def losses_db(rows: list[dict[str, str]], **options: str) -> np.ndarray:
    eta = [
        transmittance(
            np.radians(float(row["zenith_deg"])),
            wavelength_m=float(row["wavelength_nm"] + "e-9"),
            aerosol=row["aerosol"],
            visibility_m=float(row["visibility_km"]) * 1e3,
            **options,
        )
        for row in rows
    ]
    return loss_db(np.array(eta))


def test_loss_up_to_70_deg_agrees_with_sbdart() -> None:
    rows = [row for row in golden("sbdart_transmittance.csv") if float(row["zenith_deg"]) <= 70.0]
    assert len(rows) == 45
    # required: 5 %; the rows are printed to 0.01 dB (1.2 % of the smallest) and the two programs differ by up to 1.2 %
    np.testing.assert_allclose(losses_db(rows), [float(row["loss_db"]) for row in rows], rtol=0.02)


def test_loss_at_80_deg_agrees_with_sbdart_where_it_is_flat() -> None:
    rows = [row for row in golden("sbdart_transmittance.csv") if float(row["zenith_deg"]) == 80.0]
    assert len(rows) == 9
    flat = losses_db(rows, geometry="plane-parallel")
    np.testing.assert_allclose(flat, [float(row["loss_db"]) for row in rows], rtol=0.02)  # as above
    # the Earth is not: 1 to 1.5 % less
    np.testing.assert_allclose(losses_db(rows) / flat, 0.987, atol=0.008)


def test_the_documentation_prints_what_is_computed() -> None:
    text = (GOLDEN.parent.parent / "docs" / "atmosphere.md").read_text(encoding="utf-8")
    printed = re.findall(r"^\| (rural|urban|coastal) \| (\S+) \|(.*)\| [\d.]+ \|$", text, re.MULTILINE)
    assert len(printed) == 9
    rows = golden("sbdart_transmittance.csv")
    for site, wavelength_nm, cells in printed:
        here = [row for row in rows if (row["site"], row["wavelength_nm"]) == (site, wavelength_nm)]
        numbers = np.array([cell.split()[0:3:2] for cell in cells.strip("| ").split(" | ")], dtype=float)
        np.testing.assert_array_equal(numbers[:, 1], [float(row["loss_db"]) for row in here])
        up_to_70, at_80 = losses_db(here[:5]), losses_db(here[5:], geometry="plane-parallel")
        np.testing.assert_allclose(numbers[:, 0], [*up_to_70, *at_80], atol=0.0051)  # printed to 0.01 dB


def test_wavelength_scan_agrees_with_sbdart() -> None:
    rows = golden("sbdart_scan_urban_60deg.csv")
    assert len(rows) == 44
    wavelength_m = np.array([float(row["wavelength_nm"] + "e-9") for row in rows])
    eta = transmittance(np.radians(60), wavelength_m=wavelength_m, geometry="plane-parallel", **URBAN)
    difference_db = loss_db(eta) - np.array([float(row["loss_db"]) for row in rows])
    # two band models of different resolution: no bias, scatter of 0.2 dB, 0.8 dB at worst in the weak bands
    assert float(np.median(difference_db)) == pytest.approx(0.0, abs=0.02)
    assert float(np.sqrt(np.mean(difference_db**2))) == pytest.approx(0.0, abs=0.25)
    np.testing.assert_allclose(difference_db, 0.0, atol=0.8)


@given(st.sampled_from([532e-9, 656.448e-9, 810e-9, 1550.027e-9]), st.sampled_from(AEROSOLS), st.floats(0.0, 5e3))
def test_vertical_path_is_the_vertical_optical_depth(wavelength_m: float, aerosol: str, altitude_m: float) -> None:
    air = {"aerosol": aerosol, "visibility_m": 15e3, "altitude_m": altitude_m}
    depth = vertical_depth(wavelength_m, **air)
    slant = slant_depth(0.0, wavelength_m=wavelength_m, **air)
    assert float(slant) == pytest.approx(float(depth.total), rel=1e-9)  # expansion of the air mass
    parts = sum(float(getattr(depth, name)) for name in extinction.COMPONENTS)
    assert float(depth.total) == pytest.approx(parts, rel=1e-14)


@given(st.floats(0.0, 89.0), st.floats(0.0, 8e3), st.floats(1e3, 1e5))
def test_transmittance_is_a_probability_that_clears_with_height_and_visibility(
    zenith_deg: float, altitude_m: float, visibility_m: float
) -> None:
    def at(altitude_m: float, visibility_m: float) -> float:
        options = {"wavelength_m": 850e-9, "aerosol": "rural", "altitude_m": altitude_m, "visibility_m": visibility_m}
        return float(transmittance(np.radians(zenith_deg), **options))

    eta = at(altitude_m, visibility_m)
    assert 0.0 <= eta <= 1.0
    assert eta <= at(altitude_m + 500.0, visibility_m)
    assert eta <= at(altitude_m, visibility_m * 1.1)


def test_plane_parallel_scattering_doubles_at_60_deg() -> None:
    # 450 nm: ozone, molecules and aerosol, all linear in the air mass
    depth = slant_depth(np.radians([0.0, 60.0]), wavelength_m=450e-9, geometry="plane-parallel", **URBAN)
    assert depth[1] == pytest.approx(2.0 * depth[0], rel=1e-12)


def test_arguments_broadcast() -> None:
    zenith = np.radians(np.linspace(0.0, 80.0, 5))
    wavelength_m = np.array([[656.448e-9], [1550.027e-9]])
    together = transmittance(zenith, wavelength_m=wavelength_m, **URBAN)
    assert together.shape == (2, 5)
    one = transmittance(zenith[3], wavelength_m=wavelength_m[1, 0], **URBAN)
    assert together[1, 3] == pytest.approx(float(one), rel=1e-14)
    stations = transmittance(zenith, wavelength_m=850e-9, aerosol="rural", visibility_m=23e3, altitude_m=[[0.0], [3e3]])
    assert stations.shape == (2, 5)
    assert vertical_depth(wavelength_m, aerosol="rural", visibility_m=[5e3, 1e4, 2e4]).rayleigh.shape == (2, 3)


def test_spectrum_leaves_bands_out_and_says_which() -> None:
    scan = spectrum(zenith_rad=np.radians(60), step_m=1e-9, **URBAN)
    everything = np.sort(np.concatenate([scan.wavelength_m, scan.no_data_m]))
    np.testing.assert_allclose(everything, np.arange(400, 1701) * 1e-9, rtol=1e-12)  # sums of 1e-9
    assert scan.transmittance.shape == scan.wavelength_m.shape
    number = int(np.argmin(np.abs(scan.wavelength_m - 850e-9)))
    single = transmittance(np.radians(60), wavelength_m=scan.wavelength_m[number], **URBAN)
    assert scan.transmittance[number] == pytest.approx(float(single), rel=1e-14)
    assert (scan.no_data_m > 757e-9).all()


def test_beer_lambert_is_the_slab_of_wang_et_al() -> None:
    zenith = np.radians([0.0, 50.0, 80.0])
    eta = extinction.beer_lambert_transmittance(zenith, zenith_loss_db=2.0)
    # cosine of the zenith angle, sine of the elevation: rounding
    np.testing.assert_allclose(loss_db(eta), slab_loss_db(np.pi / 2 - zenith, zenith_loss_db=2.0), rtol=1e-12)
    assert dict(extinction.BEER_LAMBERT_ZENITH_LOSS_DB) == {"wang-1550nm": 2.0, "micius-fitted": 0.34}


@pytest.mark.parametrize(
    ("zenith_deg", "change", "message"),
    [
        (90.0, {}, "zenith angle: 90 deg, must be from 0 to below 90 deg"),
        (30.0, {"geometry": "spheric"}, "geometry: unknown name 'spheric', .*did you mean 'spherical'"),
        (30.0, {"wavelength_m": 940e-9}, "940 nm lies in a strong absorption band"),
        (30.0, {"wavelength_m": 2e-6}, "wavelength: 2000 nm, must be from 400 to 1700 nm"),
        (30.0, {"visibility_m": -1.0}, "visibility: -0.001 km"),
        (30.0, {"altitude_m": 1e5}, "station altitude: 100000 m, must be from -500 to 9000 m"),
    ],
)
def test_bad_input_is_one_clear_line(zenith_deg: float, change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        transmittance(np.radians(zenith_deg), **({"wavelength_m": 850e-9, **URBAN} | change))


def test_scan_and_slab_refuse_nonsense() -> None:
    with pytest.raises(InputError, match="must be increasing with a positive step"):
        spectrum(zenith_rad=0.0, shortest_m=900e-9, longest_m=800e-9, **URBAN)
    with pytest.raises(InputError, match="wavelength: 300 nm"):
        spectrum(zenith_rad=0.0, shortest_m=300e-9, longest_m=500e-9, **URBAN)
    with pytest.raises(InputError, match="zenith loss: -1 dB"):
        extinction.beer_lambert_transmittance(0.1, zenith_loss_db=-1.0)
