"""Himawari cloud files: what the flags mean, packing, places, and files that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5netcdf
import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.formats.himawari import himawari_thickness, himawari_time

Writer = Callable[..., Path]
TIME = "20160923_0400"
GRID = {"latitude_deg": [31.0, 30.0], "longitude_deg": [100.0, 101.0, 102.0]}


def thickness_at(path: Path, latitude_deg: float, longitude_deg: float, space: str = "nearest") -> float:
    found = himawari_thickness(path, latitude_deg=[latitude_deg], longitude_deg=[longitude_deg], space=space)
    return float(found[0])


def test_places_get_their_cells_from_a_grid_that_falls_in_latitude(himawari_file: Writer, tmp_path: Path) -> None:
    cot = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    path = himawari_file(tmp_path, TIME, cot, **GRID)
    found = himawari_thickness(path, latitude_deg=[31.2, 30.4, 29.6], longitude_deg=[100.4, 101.6, -258.0])
    # packed in steps of 0.01, scale factor in single precision
    np.testing.assert_allclose(found, [1.0, 6.0, 6.0], rtol=1e-6)


def test_bilinear_is_exact_for_a_plane(himawari_file: Writer, tmp_path: Path) -> None:
    latitude, longitude = np.meshgrid(np.arange(50, 19, -1), np.arange(80, 126), indexing="ij")
    path = himawari_file(tmp_path, TIME, 0.5 * (latitude - 20) + 0.3 * (longitude - 80) + 0.1)
    rng = np.random.default_rng(1)
    north, east = rng.uniform(20, 50, 40), rng.uniform(80, 125, 40)
    found = himawari_thickness(path, latitude_deg=north, longitude_deg=east, space="bilinear")
    # scale factor in single precision
    np.testing.assert_allclose(found, 0.5 * (north - 20) + 0.3 * (east - 80) + 0.1, rtol=1e-6)


@pytest.mark.parametrize(
    ("packed_cot", "kind", "flag", "expected"),
    [
        (2.0, 7, 5, 2.0),
        (2.0, 7, 4, 2.0),
        (2.0, 10, 5, 2.0),
        (np.nan, 0, 2, 0.0),
        (0.0, 0, 2, 0.0),
        (np.nan, 255, 0, np.nan),  # outside the scan
        (np.nan, 255, 1, np.nan),  # no cloud mask
        (2.0, 7, 3, np.nan),  # retrieval failed
        (np.nan, 7, 5, np.nan),  # said to be retrieved, but no number
        (2.0, 7, 2, np.nan),  # clear, with a cloud's type
        (2.0, 0, 5, np.nan),  # retrieved, with a clear sky's type
        (151.0, 3, 5, np.nan),  # above valid_max
    ],
)
def test_flags(himawari_file: Writer, tmp_path: Path, packed_cot: float, kind: int, flag: int, expected: float) -> None:
    path = himawari_file(tmp_path, TIME, packed_cot, kind=kind, quality=flag | 0xFF00, **GRID)
    assert thickness_at(path, 30.0, 101.0) == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_bilinear_value_without_one_of_its_cells_is_no_data(himawari_file: Writer, tmp_path: Path) -> None:
    cot = np.array([[np.nan, 2.0, 3.0], [4.0, 5.0, 6.0]])
    path = himawari_file(tmp_path, TIME, cot, **GRID)
    assert np.isnan(thickness_at(path, 30.5, 100.5, "bilinear"))
    assert thickness_at(path, 30.0, 100.5, "bilinear") == pytest.approx(4.5, rel=1e-6)  # on an edge: two cells


def test_limits_in_unpacked_numbers_are_understood(himawari_file: Writer, tmp_path: Path) -> None:
    path = himawari_file(tmp_path, TIME, [[10.0, 60.0, 0.5]] * 2, **GRID)
    with h5netcdf.File(path, "a") as file:
        for name in ("valid_min", "valid_max", "missing_value"):
            del file["CLOT"].attrs[name]
        file["CLOT"].attrs["valid_range"] = np.array([1.0, 50.0], np.float32)
        file["CLOT"].attrs["_FillValue"] = np.array([-32766], np.int16)
        file["CLOT"].attrs["add_offset"] = np.array([2.0], np.float32)
    assert thickness_at(path, 30.0, 100.0) == pytest.approx(12.0, rel=1e-6)
    assert np.isnan(thickness_at(path, 30.0, 101.0))
    assert thickness_at(path, 30.0, 102.0) == pytest.approx(2.5, rel=1e-6)


def test_fill_that_no_attribute_declares_is_no_thickness(himawari_file: Writer, tmp_path: Path) -> None:
    path = himawari_file(tmp_path, TIME, np.nan, kind=7, quality=5, **GRID)
    with h5netcdf.File(path, "a") as file:
        assert file["CLOT"][0, 0] == -32766  # the missing_value is -32768, as in JAXA's files
        del file["CLOT"].attrs["valid_min"]
    assert np.isnan(thickness_at(path, 30.0, 101.0))


def test_time_is_in_the_name_or_an_attribute(himawari_file: Writer, tmp_path: Path) -> None:
    path = himawari_file(tmp_path, TIME, 1.0, **GRID)
    assert himawari_time(path) == np.datetime64("2016-09-23T04:00", "ns")
    assert himawari_time(Path("H09_20230101_2350_L2CLPbet_FLDK.02401_02401.nc")) == np.datetime64(
        "2023-01-01T23:50", "ns"
    )
    other = path.rename(tmp_path / "other.nc")
    with pytest.raises(InputError, match="no time in its name"):
        himawari_time(other)
    with h5netcdf.File(other, "a") as file:
        file.attrs["time_coverage_start"] = "2016-09-23T12:10:00+08:00"
    assert himawari_time(other) == np.datetime64("2016-09-23T04:10", "ns")
    with pytest.raises(InputError, match="no time in its name"):
        himawari_time(tmp_path / "NC_H08_20161323_0400_L2CLP010.nc")


@pytest.mark.parametrize("name", ["CLOT", "CLTYPE", "QA"])
def test_missing_variable_is_named_with_those_there_are(himawari_file: Writer, tmp_path: Path, name: str) -> None:
    path = himawari_file(tmp_path, TIME, 1.0, leave_out=name, **GRID)
    with pytest.raises(InputError, match=f"no variable {name}; it has .*longitude") as caught:
        thickness_at(path, 30.0, 101.0)
    assert "\n" not in str(caught.value)


def test_wrong_shape_and_place_outside_are_one_line(himawari_file: Writer, tmp_path: Path) -> None:
    path = himawari_file(tmp_path, TIME, 1.0, **GRID)
    with pytest.raises(InputError, match=r"latitude 40\.4 deg is outside the grid, which has 30 to 31 deg"):
        thickness_at(path, 40.4, 101.0)
    with pytest.raises(InputError, match=r"longitude 102\.3 deg is outside the grid"):
        thickness_at(path, 30.0, 102.3, "bilinear")
    assert thickness_at(path, 30.0, 102.3) == pytest.approx(1.0, rel=1e-6)  # within the outermost cell
    with pytest.raises(InputError, match='space "cubic" is not known: known are nearest, bilinear'):
        thickness_at(path, 30.0, 101.0, "cubic")
    with h5netcdf.File(path, "a") as file:
        file.create_variable("turned", ("longitude", "latitude"), data=np.zeros((3, 2), np.int16))
    import h5py

    with h5py.File(path, "a") as raw:
        raw.move("CLOT", "kept")
        raw.move("turned", "CLOT")
    with pytest.raises(InputError, match=r"CLOT has the shape \(3, 2\), needed is \(latitude, longitude\) = \(2, 3\)"):
        thickness_at(path, 30.0, 101.0)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        thickness_at(tmp_path / "gone.nc", 30.0, 101.0)
    (tmp_path / "text.nc").write_text("no NetCDF")
    with pytest.raises(InputError, match="not a readable NetCDF-4 file"):
        thickness_at(tmp_path / "text.nc", 30.0, 101.0)


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_file_is_one_line(tmp_path: Path, himawari_file: Writer, seed: int) -> None:
    """Bytes overwritten or cut off: an InputError that names the file, or a thickness."""
    rng, path = np.random.default_rng(seed), himawari_file(tmp_path, TIME, 1.5, **GRID)
    data = bytearray(path.read_bytes())
    if seed % 3:
        for place in rng.integers(len(data), size=4):
            data[place] = rng.integers(256)
    else:
        data = data[: rng.integers(len(data))]
    path.write_bytes(data)
    said = ""
    try:
        thickness_at(path, 30.0, 101.0)
    except InputError as error:
        said = str(error)
    assert said == "" or said.startswith(f"{path}: ")
