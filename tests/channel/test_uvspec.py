"""Adapter of uvspec: input text, recorded output, a stand-in program, one line for everything that can go wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from satqkd.channel.uvspec import UvspecCase, find_uvspec, input_text, parse_output, run_uvspec
from satqkd.errors import InputError

CASE = UvspecCase(
    wavelength_m=854.445e-9, aerosol="urban", visibility_m=10e3, sun_zenith_rad=np.radians(60), altitude_m=200.0
)
SKY = UvspecCase(
    wavelength_m=854.445e-9, aerosol="maritime", visibility_m=5e3, sun_zenith_rad=0.5, view_zenith_rad=np.radians(60),
    relative_azimuth_rad=-np.pi / 2,
)  # fmt: skip

# Written by hand in the format that the user's guide describes for "output_user lambda edir" and "... edir uu":
# one line per wavelength, fixed-width columns. Not the output of a run.
RECORDED = """\
 852.445  1.763000e-01
 853.445  1.764000e-01
 854.345  1.765000e-01
 854.545  1.767000e-01
 856.445  1.768000e-01
"""
RECORDED_SKY = """\
# lambda edir uu
 853.445  7.0e-02  9.0e-02
 855.445  8.0e-02  9.4e-02
"""

EXPECTED_INPUT = """\
data_files_path DATA/
atmosphere_file DATA/atmmod/afglus.dat
source solar
mol_abs_param reptran fine
wavelength 852.4450 856.4450
altitude 0.2000
albedo 0.0000
aerosol_default
aerosol_haze 5
aerosol_season 1
aerosol_vulcan 1
aerosol_visibility 10.0000
sza 60.000000
rte_solver disort
pseudospherical
number_of_streams 16
zout sur
output_quantity transmittance
output_user lambda edir
quiet
"""


def program(folder: Path, body: str) -> Path:
    """A stand-in for uvspec: a script of this Python."""
    path = folder / "uvspec"
    path.write_text(f"#!{sys.executable}\nimport sys\ntext = sys.stdin.read()\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_input_is_the_text_that_the_guide_describes() -> None:
    assert input_text(CASE, data_path=Path("DATA")) == EXPECTED_INPUT


def test_line_of_sight_adds_its_direction() -> None:
    added = set(input_text(SKY, data_path=Path("DATA")).splitlines()) - set(EXPECTED_INPUT.splitlines())
    # looking up is a negative cosine, -90 deg of azimuth is 270 deg
    assert {"umu -0.50000000", "phi 270.000000", "phi0 0.0", "output_user lambda edir uu", "aerosol_haze 4"} < added


def test_recorded_output_is_interpolated_and_taken_normal_to_the_beam() -> None:
    # midway between 854.345 and 854.545 nm; horizontal irradiance over cos 60 deg
    result = parse_output(RECORDED, CASE)
    assert result.transmittance == pytest.approx(2.0 * 0.1766, rel=1e-12)
    assert result.radiance_per_irradiance is None
    sky = parse_output(RECORDED_SKY, SKY)
    assert sky.transmittance == pytest.approx(0.075 / np.cos(0.5), rel=1e-9)
    assert sky.radiance_per_irradiance == pytest.approx(0.092, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "uvspec output: nothing, must enclose the wavelength 854.445 nm"),
        ("850.0 0.1\n852.0 0.1\n", "850 to 852 nm, must enclose"),
        ("854.0 0.1 0.2\n", "line 1: '854.0 0.1 0.2', must be 2 numbers"),
        ("\n854.0 nan\n", "line 2: '854.0 nan', must be 2 numbers"),
        ("854.0 -0.1\n", "must be 2 numbers, not negative"),
        ("Error, cannot open file\n", "line 1: 'Error, cannot open file'"),
        ("854.0 0.6\n855.0 0.6\n", "direct transmittance 1.2, must be at most 1"),
    ],
)
def test_output_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_output(text, CASE)


def test_program_on_the_path_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, f"assert 'aerosol_haze 5' in text and 'sza 60.000000' in text\nprint({RECORDED!r})")
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    assert find_uvspec() == tmp_path / "uvspec"
    assert run_uvspec(CASE, data_path=tmp_path).transmittance == pytest.approx(0.3532, rel=1e-9)


def test_absence_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="uvspec: not found on PATH; install libRadtran"):
        run_uvspec(CASE, data_path=tmp_path)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "print('one', file=sys.stderr); sys.exit('Error: no file afglus.dat')",
            "code 1, its last line: Error: no file",
        ),
        ("import time; time.sleep(60)", "no result within 0.5 s"),
    ],
)
def test_failing_program_is_one_clear_line(tmp_path: Path, body: str, message: str) -> None:
    script = program(tmp_path, body)
    with pytest.raises(InputError, match=message):
        run_uvspec(CASE, data_path=tmp_path, program=script, timeout_s=0.5 if "sleep" in body else 60.0)


def test_missing_data_and_missing_program_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*nowhere"):
        run_uvspec(CASE, data_path=tmp_path / "nowhere", program=tmp_path / "uvspec")
    with pytest.raises(InputError, match=r"cannot run .*uvspec: No such file"):
        run_uvspec(CASE, data_path=tmp_path, program=tmp_path / "uvspec")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aerosol": "marine"}, "aerosol: unknown name 'marine', .*did you mean 'maritime'"),
        ({"resolution": "finest"}, "uvspec resolution: unknown name 'finest'"),
        ({"visibility_m": 0.0}, "visibility_m = 0.0"),
        ({"sun_zenith_rad": np.pi / 2}, "sun_zenith_rad = 1.57"),
        ({"wavelength_m": float("nan")}, "wavelength_m = nan"),
    ],
)
def test_bad_case_is_one_clear_line(change: dict[str, object], message: str) -> None:
    good = {"wavelength_m": 8e-7, "aerosol": "rural", "visibility_m": 23e3, "sun_zenith_rad": 0.0}
    with pytest.raises(InputError, match=message):
        UvspecCase(**(good | change))
