"""CRAAS histograms: reduced over pressure and phase whatever the order, names, units; files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from satqkd.errors import InputError
from satqkd.formats.craas import CraasNames, read_craas

LATITUDE, LONGITUDE = np.arange(47.5, 50.0), np.arange(10.5, 14.0)
HISTOGRAM = (
    np.random.default_rng(3).dirichlet(np.ones(2 * 6 * 7 + 1), size=(3, 4, 5))[..., :-1].reshape(3, 4, 5, 2, 6, 7)
)
"""Latitude, longitude, time, phase, bin of thickness, bin of pressure; each cell sums to less than 1."""

PLACES: dict[str, Any] = {"latitude_deg": [48.2, 49.9], "longitude_deg": [12.4, 10.1]}
EXPECTED = np.stack([HISTOGRAM[1, 2], HISTOGRAM[2, 0]], axis=1).sum(axis=(2, 4))


def dataset(dims: str = "tpcrno") -> xr.Dataset:
    """The histogram with its dimensions in an order: n north, o east, t time, p phase, c thickness, r pressure."""
    named = {"n": "lat", "o": "lon", "t": "time", "p": "phase", "c": "cot", "r": "ctp"}
    whole = xr.DataArray(HISTOGRAM, dims=[named[letter] for letter in "notpcr"])
    coords = {
        "lat": LATITUDE,
        "lon": LONGITUDE,
        "time": np.datetime64("2017-01-01", "ns") + np.arange(5) * np.timedelta64(20, "D"),
    }
    return xr.Dataset({"hist": whole.transpose(*(named[letter] for letter in dims))}, coords=coords)


def saved(data: xr.Dataset, tmp_path: Path, **encoding: Any) -> Path:
    path = tmp_path / "craas.nc"
    data.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    return path


@pytest.mark.parametrize("dims", ["tpcrno", "onrcpt", "ctnorp"])
def test_bins_are_sums_over_pressure_and_phase(tmp_path: Path, dims: str) -> None:
    found = read_craas(saved(dataset(dims), tmp_path), **PLACES)
    assert found.fraction.shape == (5, 2, 6)
    np.testing.assert_allclose(found.fraction, EXPECTED, rtol=1e-13)  # sums of 14 numbers
    assert found.times is not None
    assert found.times[1] == np.datetime64("2017-01-21")


def test_means_without_time_phase_and_pressure(tmp_path: Path) -> None:
    reduced = dataset().mean("time").sum(["ctp", "phase"])
    found = read_craas(saved(reduced, tmp_path), **PLACES)
    assert found.times is None
    np.testing.assert_allclose(found.fraction, EXPECTED.mean(axis=0)[None], rtol=1e-13)


def test_other_names_percent_and_bins_from_thick_to_thin(tmp_path: Path) -> None:
    renamed = dataset().rename(hist="jch", lat="y", lon="x", cot="tau", ctp="p", phase="ph", time="t")
    renamed = renamed.assign_coords(tau=[0.65, 2.45, 6.5, 16.0, 41.0, 220.0]).isel(tau=slice(None, None, -1)) * 100.0
    renamed["jch"].attrs["units"] = "%"
    names = CraasNames.of(histogram="jch", latitude="y", longitude="x", cot="tau", pressure="p", phase="ph", time="t")
    found = read_craas(saved(renamed, tmp_path), names=names, **PLACES)
    np.testing.assert_allclose(found.fraction, EXPECTED, rtol=1e-13)


def test_packed_histogram_with_fill(tmp_path: Path) -> None:
    packing = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -1}
    holed = dataset()
    holed["hist"][2, 1, 4, 3, 1, 2] = np.nan  # one bin of the first place's cell, at the third time
    found = read_craas(saved(holed, tmp_path, hist=packing), **PLACES)
    assert np.isnan(found.fraction[2, 0]).all()
    known = np.delete(np.arange(5), 2)
    # fourteen roundings of 0.5e-4
    np.testing.assert_allclose(found.fraction[known, 0], EXPECTED[known, 0], atol=14 * 0.5e-4)
    assert np.isfinite(found.fraction[:, 1]).all()


def test_bilinear_between_cells(tmp_path: Path) -> None:
    found = read_craas(saved(dataset(), tmp_path), latitude_deg=[48.0], longitude_deg=[11.0], space="bilinear")
    expected = HISTOGRAM[:2, :2].mean(axis=(0, 1)).sum(axis=(1, 3))
    np.testing.assert_allclose(found.fraction[:, 0], expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("change", "names", "message"),
    [
        (lambda data: data, {"histogram": "nix"}, 'no variable "nix"; it has hist, lat, lon, time'),
        (lambda data: data, {"cot": "tau"}, '"hist" has no dimension "tau"; it has time, phase'),
        (lambda data: data.expand_dims(regime=2), {}, 'unknown dimension "regime"'),
        (lambda data: data * 100.0, {}, 'needs the attribute units = "%"'),
        (lambda data: data - 0.1, {}, "holds no fractions: bins from -"),
        (lambda data: data.assign_coords(time=np.arange(5)), {}, '"time" has no time'),
    ],
)
def test_files_of_another_kind_are_one_line(tmp_path: Path, change: Any, names: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_craas(saved(change(dataset()), tmp_path), names=CraasNames.of(**names), **PLACES)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_no_file_and_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_craas(tmp_path / "gone.nc", **PLACES)
    (tmp_path / "text.nc").write_text("no NetCDF")
    with pytest.raises(InputError, match="not a readable NetCDF-4 file"):
        read_craas(tmp_path / "text.nc", **PLACES)
    with pytest.raises(InputError, match='name of "bins" is not needed: known are histogram'):
        CraasNames.of(bins="x")
