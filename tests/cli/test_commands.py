"""The command line as its users meet it: output, exit codes, one line for a mistake."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

import satqkd
from satqkd.scenario.load import preset_text


def satqkd_command(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "satqkd.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=120)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "run"
    done = satqkd_command("run", "micius-zenith", "-o", folder, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["passes"] == found["passes_with_key"] == 1
    assert done.stderr == ""
    return folder


def assert_mistake(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def test_run_writes_all_files_and_opens_again(run_folder: Path) -> None:
    names = {path.name for path in run_folder.iterdir()}
    assert names == {"passes.csv", "link.nc", "keys.csv", "schedule.csv", "schedule.ics", "report.html", "run.json"}
    assert satqkd.open_result(run_folder).keys.key_bits.item() > 1_000_000
    mode = stat.S_IMODE(run_folder.stat().st_mode)
    assert mode == 0o777 & ~_umask()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def test_single_stages_chain_to_the_tables_of_the_run(run_folder: Path, tmp_path: Path) -> None:
    passes, link = tmp_path / "passes.csv", tmp_path / "link.nc"
    for arguments in (
        ("passes", "micius-zenith", "-o", passes),
        ("link", "micius-zenith", "--passes", passes, "-o", link),
        ("key", "micius-zenith", "--passes", passes, "--link", link, "-o", tmp_path / "keys.csv"),
        ("plan", "micius-zenith", "--link", link, "-o", tmp_path / "schedule.csv"),
    ):
        done = satqkd_command(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in ("passes.csv", "link.nc", "keys.csv", "schedule.csv"):
        assert (tmp_path / name).read_bytes() == (run_folder / name).read_bytes(), name


def test_stages_print_tables_and_json() -> None:
    for command in ("passes", "link", "key", "plan"):
        table = satqkd_command(command, "micius-zenith")
        assert table.returncode == 0, table.stderr
        assert "Delingha" in table.stdout
        rows = json.loads(satqkd_command(command, "micius-zenith", "--json").stdout)
        assert rows[0]["station"] == "Delingha"


def test_preset_that_is_shown_runs_when_copied(tmp_path: Path) -> None:
    shown = satqkd_command("show", "micius-zenith")
    assert shown.stdout == preset_text("micius-zenith")
    (tmp_path / "mine.toml").write_text(shown.stdout.replace('offset = "0 dB"', 'offset = "3 dB"'))
    done = satqkd_command("run", "mine.toml", "-o", "out", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert satqkd.open_result(tmp_path / "out").scenario.channel.offset == 3.0  # type: ignore[union-attr]


def test_schema_is_valid_and_presets_are_listed() -> None:
    schema = json.loads(satqkd_command("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "micius-china-week" in satqkd_command("presets").stdout


def test_doctor_finds_this_installation_sound() -> None:
    done = satqkd_command("doctor")
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout


def test_compare_sets_runs_side_by_side(run_folder: Path, tmp_path: Path) -> None:
    done = satqkd_command("compare", run_folder, run_folder)
    assert done.returncode == 0, done.stderr
    assert "Delingha" in done.stdout
    page = tmp_path / "compare.html"
    assert satqkd_command("compare", run_folder, run_folder, "-o", page).returncode == 0
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_require_key_ends_with_1(tmp_path: Path) -> None:
    text = preset_text("micius-zenith").replace('offset = "0 dB"', 'offset = "40 dB"')
    (tmp_path / "dim.toml").write_text(text)
    done = satqkd_command("run", tmp_path / "dim.toml", "-o", tmp_path / "out", "--require-key", "--quiet")
    assert done.returncode == 1
    assert (tmp_path / "out" / "run.json").exists()


def test_run_without_any_pass_ends_with_0_and_says_so(tmp_path: Path) -> None:
    text = preset_text("micius-zenith").replace("T16:20:00Z", "T16:01:00Z")
    (tmp_path / "early.toml").write_text(text)
    done = satqkd_command("run", tmp_path / "early.toml", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "no usable pass" in done.stdout.lower()


def _with(old: str, new: str) -> str:
    text = preset_text("micius-china-week")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('divergence = "10 urad"', 'divergense = "10 urad"', ("terminal.divergense", "did you mean divergence")),
        ('"10 urad"', '"10 MHz"', ("terminal.divergence", '"10 MHz"', "wrong unit")),
        ('latitude = "39.9042 deg"', 'latitude = "95 deg"', ("stations[2].latitude", '"95 deg"', "at most 90 deg")),
        ('altitude = "44 m"', 'altitude = "-5 km"', ("stations[2].altitude", "at least -500 m")),
        ('name = "Beijing"', 'name = "Shanghai"', ("stations", "both named")),
        ("end = 2016-09-26", "end = 2016-09-16", ("study", "must be after start")),
        ('step = "1 s"', "step = 0", ("study.step", "above 0 s")),
        ('file = "bundled:micius-2016.tle"', 'file = "none.tle"', ("satellites[1].orbit.file", "none.tle")),
        ("[study]", "[study", ("not valid TOML",)),
    ],
)
def test_mistake_in_a_scenario_is_one_line_and_leaves_nothing(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "bad.toml").write_text(_with(old, new))
    assert_mistake(satqkd_command("run", "bad.toml", "-o", "out", cwd=tmp_path), "bad.toml", *words)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


def test_empty_station_list(tmp_path: Path) -> None:
    text = preset_text("micius-china-week")
    (tmp_path / "bad.toml").write_text("stations = []\n" + text[: text.index("[[stations]]")])
    assert_mistake(satqkd_command("run", tmp_path / "bad.toml", "-o", tmp_path / "out"), "stations", "empty")


TLE = """MICIUS
1 41731U 16051A   16266.82653160  .00002347  00000-0  10105-3 0  9997
2 41731  97.3660 181.9185 0014904 125.7922 319.2797 15.23497871  5806
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TLE.replace(" 9997", " 9991"), ("checksum",)),
        (TLE.replace("2 41731  97", "2 41732  97").replace(" 5806", " 5807"), ("41731", "41732")),
        (TLE[:100], ("line",)),
        ("", ("elements.tle",)),
    ],
)
def test_fault_in_elements_is_one_line(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    (tmp_path / "elements.tle").write_text(text)
    (tmp_path / "bad.toml").write_text(_with('file = "bundled:micius-2016.tle"', 'file = "elements.tle"'))
    assert_mistake(satqkd_command("passes", tmp_path / "bad.toml"), "elements.tle", *words)


def test_elements_ten_years_from_the_window(tmp_path: Path) -> None:
    text = _with("start = 2016-09-19", "start = 2026-09-19").replace("end = 2016-09-26", "end = 2026-09-26")
    (tmp_path / "late.toml").write_text(text)
    assert_mistake(satqkd_command("passes", tmp_path / "late.toml"), "max_elements_age", "d")


def test_output_that_holds_a_run_is_kept(run_folder: Path) -> None:
    before = (run_folder / "run.json").read_text()
    assert_mistake(satqkd_command("run", "micius-zenith", "-o", run_folder), "already holds a run", "--overwrite")
    assert (run_folder / "run.json").read_text() == before


def test_output_that_is_a_file_or_below_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert_mistake(satqkd_command("run", "micius-zenith", "-o", tmp_path / "file"), "is a file")
    assert_mistake(satqkd_command("run", "micius-zenith", "-o", tmp_path / "file" / "x"), "cannot be written")
    assert (tmp_path / "file").read_text() == "mine"


def test_unknown_preset_names_the_nearest() -> None:
    assert_mistake(satqkd_command("run", "micius-chna-week", "-o", "x"), 'did you mean "micius-china-week"')


def test_link_of_another_scenario_is_refused(run_folder: Path) -> None:
    done = satqkd_command("key", "micius-china-week", "--link", run_folder / "link.nc")
    assert_mistake(done, "another scenario")
    assert_mistake(satqkd_command("key", "micius-china-week", "--passes", run_folder / "passes.csv"), "Delingha")


def test_common_view_and_ephemeris(tmp_path: Path) -> None:
    rows = json.loads(satqkd_command("common", "micius-china-week", "Urumqi", "Lhasa", "--json").stdout)
    assert len(rows) == 9
    assert_mistake(satqkd_command("common", "micius-china-week", "Urumqi", "Lasa"), 'station "Lasa"', "Lhasa")
    done = satqkd_command("common", "micius-china-week", "Urumqi", "Shanghai")
    assert "never" in done.stdout
    assert satqkd_command("ephemeris", "micius-zenith", "-o", tmp_path / "o.oem").returncode == 0
    assert (tmp_path / "o.oem").read_text().startswith("CCSDS_OEM_VERS")


def test_warning_is_one_line_said_once(tmp_path: Path) -> None:
    text = _with("start = 2016-09-19", "start = 2016-10-25").replace("end = 2016-09-26", "end = 2016-10-26")
    (tmp_path / "late.toml").write_text(text)
    done = satqkd_command("passes", "late.toml", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "warning: Micius: elements of 2016-09-29T18:55:28Z are used 26.2 days from their epoch"
    ]
    assert json.loads(done.stdout)
    done = satqkd_command("run", "late.toml", "-o", "out", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.count("are used 26.2 days") == 1
    assert satqkd_command("run", "late.toml", "-o", "out", "--overwrite", "-q", cwd=tmp_path).stderr == ""


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    orbit = 'orbit = { kind = "elements", file = "bundled:micius-2016.tle" }'
    walker = (
        'orbit = { kind = "walker", total = 60, planes = 6, altitude = "780 km", inclination = "86 deg", '
        "epoch = 2016-09-19T00:00:00Z }"
    )
    (tmp_path / "long.toml").write_text(_with(orbit, walker))
    command = [sys.executable, "-m", "satqkd.cli.main", "run", "long.toml", "-o", "out"]
    default = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    try:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    finally:
        signal.signal(signal.SIGINT, default)
    while process.poll() is None and len(list(tmp_path.iterdir())) < 2:  # until the folder aside is there
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    # 130 from the command line's own handling; the signal itself if it meets the interpreter in an import
    assert process.wait(timeout=60) in (130, -signal.SIGINT)
    assert [path.name for path in tmp_path.iterdir()] == ["long.toml"]


def test_passes_deleted_by_hand_are_left_out_but_not_mixed_up_with_a_link_of_all(tmp_path: Path) -> None:
    text = _with("end = 2016-09-26", "end = 2016-09-20")
    (tmp_path / "night.toml").write_text(text)
    assert satqkd_command("run", "night.toml", "-o", "run", "-q", cwd=tmp_path).returncode == 0
    lines = (tmp_path / "run" / "passes.csv").read_text().splitlines(keepends=True)
    (tmp_path / "few.csv").write_text("".join([lines[0], *lines[3:]]))
    done = satqkd_command("key", "night.toml", "--passes", "few.csv", "--json", cwd=tmp_path)
    full = json.loads(satqkd_command("key", "night.toml", "--json", cwd=tmp_path).stdout)
    found = json.loads(done.stdout)
    assert [row["key_bits"] for row in found] == [row["key_bits"] for row in full[2:]]
    assert [row["start"] for row in found] == [row["start"] for row in full[2:]]
    assert_mistake(
        satqkd_command("key", "night.toml", "--passes", "few.csv", "--link", "run/link.nc", cwd=tmp_path), "link"
    )
    swapped = "".join([lines[0], lines[2].replace("1,", "0,", 1), lines[1].replace("0,", "1,", 1), *lines[3:]])
    (tmp_path / "swapped.csv").write_text(swapped)
    done = satqkd_command("key", "night.toml", "--passes", "swapped.csv", "--link", "run/link.nc", cwd=tmp_path)
    assert_mistake(done, "do not belong together")
