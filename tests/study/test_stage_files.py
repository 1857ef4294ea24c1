"""Tables given to single stages, and runs that were changed on the disk: one line, whatever is wrong with them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import satqkd
from satqkd.errors import InputError
from satqkd.formats.netcdf import read_netcdf
from satqkd.scenario.load import load_scenario
from satqkd.study.stage_files import read_link, read_passes

ZENITH = load_scenario("micius-zenith")
AXES = ("station", "satellite", "time")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return satqkd.run(ZENITH).save(tmp_path_factory.mktemp("run") / "run")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def rewritten(path: Path, change: Callable[[xr.Dataset], xr.Dataset]) -> Path:
    """NetCDF file with its content changed."""
    with xr.open_dataset(path, engine="h5netcdf", decode_timedelta=False) as file:
        changed = change(file.load())
    path.unlink()
    changed.to_netcdf(path, engine="h5netcdf")
    return path


def test_a_link_comes_back(copy: Path) -> None:
    link = read_link(copy / "link.nc", ZENITH)
    again = read_link(rewritten(copy / "link.nc", lambda link: link), ZENITH)
    xr.testing.assert_identical(link.drop_attrs(), again.drop_attrs())
    assert read_passes(copy / "passes.csv", ZENITH).sizes["pass"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda link: link.drop_vars("rate_asymptotic"), 'has no variable "rate_asymptotic"'),
        (lambda link: link.drop_vars("station"), 'has no coordinate "station"'),
        (lambda link: link.rename(elevation="height"), 'variable "height" is none of this program'),
        (lambda link: link.transpose("time", ...), f'variable "pass_number": must hold whole numbers over {AXES[0]}'),
        (lambda link: link.assign(pass_number=link.pass_number * 1.0), "must hold whole numbers"),
        (lambda link: link.assign(p_noise=(AXES, np.zeros(link.p_noise.shape, int))), "must hold numbers over"),
        (lambda link: link.isel(satellite=slice(0, 0)), "satellite: must be Micius, as in scenario"),
        (lambda link: link.assign_coords(station=["Elsewhere"]), "station: must be Delingha"),
        (lambda link: link.isel(time=slice(None, None, -1)), "time: must be ascending instants"),
        (lambda link: link.assign_coords(time=np.arange(link.sizes["time"])), "time: must be ascending instants"),
        (lambda link: link.drop_attrs(), "was made from another scenario"),
    ],
)
def test_a_changed_link_is_refused(copy: Path, change: Callable[[xr.Dataset], xr.Dataset], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_link(rewritten(copy / "link.nc", change), ZENITH)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_netcdf_file_is_one_line(copy: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes overwritten or cut off: an InputError, or by luck the same content; never a complaint from below."""
    complaints: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", complaints.append)
    rng, path = np.random.default_rng(seed), copy / "link.nc"
    whole = read_netcdf(path)
    data = bytearray(path.read_bytes())
    if seed % 3:
        for place in rng.integers(len(data), size=50):
            data[place] = rng.integers(256)
    else:
        data = data[: rng.integers(len(data))]
    path.write_bytes(data)
    said = ""
    try:
        assert set(read_netcdf(path).variables) <= set(whole.variables)
    except InputError as error:
        said = str(error)
    assert said == "" or (said.startswith(f"{path}: ") and "\n" not in said)
    assert complaints == []


@pytest.mark.parametrize("name", ["passes.csv", "keys.csv", "schedule.csv", "link.nc"])
def test_a_run_whose_tables_were_changed_is_refused(copy: Path, name: str) -> None:
    if name == "link.nc":
        rewritten(copy / name, lambda link: link.assign(p_noise=2.0 * link.p_noise))
    else:
        text = (copy / name).read_text()
        (copy / name).write_text(text + text.splitlines()[-1] + "\n")  # the last row twice
    with pytest.raises(InputError, match=f"{name}: is not as the run wrote it: its SHA-256 differs"):
        satqkd.open_result(copy)


def test_notes_beside_a_run_do_not_matter(copy: Path) -> None:
    (copy / "notes.txt").write_text("cloudy")
    (copy / "report.html").unlink()
    assert satqkd.open_result(copy).keys.sizes["pass"] == 1
