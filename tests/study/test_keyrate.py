"""Tables of points and counts to tables of keys: values, errors with row and column, resuming, several processes."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from satqkd.detection.weak_pulse import expected_counts
from satqkd.errors import InputError
from satqkd.security import lim2014, variable_length
from satqkd.security.lim2014_variants import standard_key_length
from satqkd.security.optimise import best
from satqkd.study.keyrate import TABLE_ANALYSES, Column, run_table

SETTING = {"intensities": (0.7, 0.1, 0.0), "intensity_probabilities": (0.85, 0.1, 0.05), "p_key_basis": 0.85}
SETTING_CELLS = {"intensities": "0.7 0.1 0", "intensity_probabilities": "0.85;0.1;0.05", "p_key_basis": "0.85"}
STANDARD_CELLS = {
    "intensities": "0.7 0.1 0", "intensity_probabilities": "0.85;0.1;0.05", "revealed_fraction": "0.2"
}  # fmt: skip
LINK_CELLS = {"loss_db": "33", "pulses": "4e10", "p_extraneous": "5e-7", "qber_intrinsic": "0.005"}
LINK = {"transmittance": 10**-3.3, "pulses_per_slot": 4e10, "p_extraneous": 5e-7, "qber_intrinsic": 0.005}


def write(path: Path, *rows: dict[str, str]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_point_is_the_key_of_the_function(tmp_path: Path) -> None:
    points = write(tmp_path / "in.csv", {"label": "x", **LINK_CELLS, **SETTING_CELLS, "passes": "3"})
    summary = run_table(points, tmp_path / "out.csv")
    assert (summary.rows, summary.computed, summary.kept, summary.with_key, summary.errors) == (1, 1, 0, 1, ())
    (row,) = read(tmp_path / "out.csv")
    key = lim2014.key_length(**LINK, **SETTING, passes=3)
    assert row["label"] == "x"
    assert int(row["key_bits"]) == key.key_bits
    for name in ("key_bits_raw", "qber", "sifted_bits", "phase_error_upper", "n1_test_lower", "leak_ec_bits"):
        assert float(row[name]) == getattr(key, name)  # written with every digit
    margin = lim2014.margin_db(**LINK, **SETTING, passes=3)
    assert float(row["margin_db"]) == pytest.approx(margin, abs=0.02)  # both bisect to 0.01 dB
    assert row["reason"] == row["predicted_key_bits"] == ""


def test_sensitivities_are_slopes(tmp_path: Path) -> None:
    run_table(write(tmp_path / "in.csv", {**LINK_CELLS, **SETTING_CELLS}), tmp_path / "out.csv")
    (row,) = read(tmp_path / "out.csv")

    def raw(**changes: float) -> float:
        return lim2014.key_length(**{**LINK, **changes}, **SETTING).key_bits_raw

    # differences over wider steps than the table's: their curvature, and the sampling bound's whole numbers
    per_db = (raw(transmittance=10**-3.32) - raw(transmittance=10**-3.28)) / 0.4
    assert float(row["key_bits_per_db"]) == pytest.approx(per_db, rel=0.01)
    per_qber = (raw(qber_intrinsic=0.006) - raw(qber_intrinsic=0.004)) / 0.2
    assert float(row["key_bits_per_qber_percent"]) == pytest.approx(per_qber, rel=0.03)
    per_noise = (raw(p_extraneous=5.5e-7) - raw(p_extraneous=4.5e-7)) / 20.0
    assert float(row["key_bits_per_noise_percent"]) == pytest.approx(per_noise, rel=0.03)


def test_empty_settings_are_optimised(tmp_path: Path) -> None:
    rows = ({**LINK_CELLS}, {**LINK_CELLS, "p_key_basis": "0.5"}, {**LINK_CELLS, **SETTING_CELLS})
    run_table(write(tmp_path / "in.csv", *rows), tmp_path / "out.csv", optimise=True)
    free, half, fixed = read(tmp_path / "out.csv")
    optimum = best("lim2014", fixed=LINK)
    assert int(free["key_bits"]) == optimum.key.key_bits
    assert tuple(map(float, free["used_intensities"].split())) == optimum.parameters["intensities"]
    assert free["converged"] == "true"
    assert float(half["used_p_key_basis"]) == 0.5
    assert int(fixed["key_bits"]) == lim2014.key_length(**LINK, **SETTING).key_bits
    assert int(half["key_bits"]) < int(free["key_bits"])
    assert int(fixed["key_bits"]) < int(free["key_bits"])


def test_counts_of_an_experiment_beside_their_prediction(tmp_path: Path) -> None:
    counts = expected_counts(**LINK, **SETTING)
    cells = {name: " ".join(map(repr, getattr(counts, name))) for name in ("n_key", "n_test", "m_key", "m_test")}
    worse = {**cells, "m_key": " ".join(repr(1.5 * x) for x in counts.m_key)}
    protocol = {k: v for k, v in SETTING_CELLS.items() if k != "p_key_basis"}
    rows = ({**cells, **protocol}, {**cells, **SETTING_CELLS, **LINK_CELLS}, {**worse, **SETTING_CELLS, **LINK_CELLS})
    summary = run_table(write(tmp_path / "in.csv", *rows), tmp_path / "out.csv")
    assert summary.errors == ()
    alone, same, observed = read(tmp_path / "out.csv")
    key = lim2014.key_length(**LINK, **SETTING)
    assert int(alone["key_bits"]) == int(same["key_bits"]) == int(same["predicted_key_bits"]) == key.key_bits
    assert alone["margin_db"] == alone["predicted_key_bits"] == ""  # counts say nothing about the link
    assert int(observed["predicted_key_bits"]) == key.key_bits > int(observed["key_bits"])
    assert float(observed["qber"]) == pytest.approx(1.5 * float(observed["predicted_qber"]), rel=1e-12)  # rounding


def test_bad_rows_are_named_and_good_ones_computed(tmp_path: Path) -> None:
    good = {**LINK_CELLS, **SETTING_CELLS}
    rows = (
        good,
        {**good, "loss_db": "abc"},
        {**good, "p_extraneous": "-1"},
        {**good, "qber_intrinsic": "nan"},
        {**good, "intensities": "0.7 0.1"},
        {**good, "intensities": "0.1 0.7 0"},
        {**good, "leakage": "magic"},
        {**good, "pulses": ""},
        {**good, "transmittance": "0.1"},
        {**good, "p_key_basis": ""},
        {**good, "pulses": "4e9"},
    )
    summary = run_table(write(tmp_path / "in.csv", *rows), tmp_path / "out.csv")
    assert (summary.rows, summary.with_key, len(summary.errors)) == (11, 2, 9)
    expected = [
        'row 3, column "loss_db": "abc" is not a number',
        'row 4, column "p_extraneous": -1 must be at least 0 and at most 0.5',
        'row 5, column "qber_intrinsic": nan must be at least 0',
        'row 6, column "intensities": "0.7 0.1" must be 3 numbers',
        "row 7: intensities = 0.1, 0.7, 0: must be descending",
        'row 8, column "leakage": "magic" must be one of achievable',
        'row 9, column "pulses": is empty',
        'row 10: columns "transmittance" and "loss_db": exactly one',
        'row 11, column "p_key_basis": is empty',
    ]
    for line, text in zip(summary.errors, expected, strict=True):
        assert text in line
    table = read(tmp_path / "out.csv")
    assert [bool(row["error"]) for row in table] == [False, *[True] * 9, False]
    assert all(row["key_bits"] == "" for row in table[1:10])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"los_db": "30"}, 'row 1, column 1: "los_db" is not known'),
        ({"loss_db": "30"}, "missing columns: pulses, p_extraneous, qber_intrinsic, intensities"),
        ({"n_key": "1 1 1", **SETTING_CELLS}, "missing columns: n_test, m_key, m_test"),
    ],
)
def test_a_wrong_header_stops(tmp_path: Path, header: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_table(write(tmp_path / "in.csv", header), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_rows_that_are_there_are_not_computed_again(tmp_path: Path) -> None:
    first = [{**LINK_CELLS, **SETTING_CELLS, "loss_db": str(30 + i)} for i in range(4)]
    points, out = tmp_path / "in.csv", tmp_path / "out.csv"
    run_table(write(points, *first), out)
    before = read(out)
    more = [first[2], {**first[0], "loss_db": "29"}, {**first[1], "loss_db": "31.0"}]  # another order, other text
    summary = run_table(write(points, *more), out)
    assert (summary.computed, summary.kept) == (1, 2)
    after = read(out)
    assert [after[0]["key_bits"], after[2]["key_bits"]] == [before[2]["key_bits"], before[1]["key_bits"]]
    assert run_table(points, out, optimise=True).kept == 0  # another option, another identity
    out.write_text("precious,data\n1,2\n")
    with pytest.raises(InputError, match="is no table of keys"):
        run_table(points, out)
    assert out.read_text() == "precious,data\n1,2\n"
    assert run_table(points, out, overwrite=True).computed == 3


def test_several_processes_give_the_same_table(tmp_path: Path) -> None:
    rows = [{**LINK_CELLS, **SETTING_CELLS, "loss_db": repr(25.0 + i)} for i in range(8)]
    points = write(tmp_path / "in.csv", *rows)
    seen: list[tuple[int, int]] = []
    run_table(points, tmp_path / "two.csv", jobs=2, progress=lambda stage, done, total: seen.append((done, total)))
    run_table(points, tmp_path / "one.csv", jobs=1)
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()
    assert seen == [(i, 8) for i in range(1, 9)]


def test_an_interrupted_table_is_kept_and_completed(tmp_path: Path) -> None:
    rows = [{**LINK_CELLS, **SETTING_CELLS, "loss_db": repr(25.0 + i)} for i in range(5)]
    points, out = write(tmp_path / "in.csv", *rows), tmp_path / "out.csv"

    def stop(stage: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_table(points, out, progress=stop)
    assert [bool(row["identity"]) for row in read(out)] == [True, True, True, False, False]
    summary = run_table(points, out)
    assert (summary.computed, summary.kept) == (2, 3)


def test_standard_protocol(tmp_path: Path) -> None:
    cells = {**LINK_CELLS, **SETTING_CELLS, "revealed_fraction": "0.2"}
    del cells["p_key_basis"]
    run_table(write(tmp_path / "in.csv", cells), tmp_path / "out.csv", analysis="lim2014-standard")
    setting = {k: v for k, v in SETTING.items() if k != "p_key_basis"}
    key = standard_key_length(**LINK, **setting, revealed_fraction=0.2)
    assert int(read(tmp_path / "out.csv")[0]["key_bits"]) == key.key_bits
    with pytest.raises(InputError, match="must be one of lim2014, lim2014-standard"):
        run_table(tmp_path / "in.csv", tmp_path / "no.csv", analysis="bb84")
    assert {"lim2014", "lim2014-standard", "three-intensity", "variable-length"} <= set(TABLE_ANALYSES)


def test_numbers_are_read_strictly() -> None:
    column = Column("x", "", low=0.0, high=1.0)
    assert column.parse("1e-3") == 1e-3
    for cell in ("1,5", "inf", "-0.1", "1.1", "0x1"):
        with pytest.raises(InputError):
            column.parse(cell)
    assert math.isinf(Column("y", "").high)


def test_command(tmp_path: Path) -> None:
    points = write(tmp_path / "in.csv", LINK_CELLS, {**LINK_CELLS, "loss_db": "many"})

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "satqkd.cli.main", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    done = run("keyrate", str(points), "-o", str(tmp_path / "out.csv"), "--optimise", "--json")
    assert done.returncode == 1
    assert done.stderr == f'error: {points}, row 3, column "loss_db": "many" is not a number\n'
    assert json.loads(done.stdout)["with_key"] == 1
    missing = run("keyrate", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out.csv"))
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.startswith("error: ")
    year = json.loads(run("annual", "55.9", "--system-loss", "40", "--step", "100", "--json").stdout)
    # 40 dB and the sound defaults: twice the one-sided integral, 2.45e-4 per metre; coarse steps
    assert year["annual_key_bits"] == pytest.approx(2 * 2.45e-4 * 9.15e9, rel=0.03)
    assert np.isfinite(year["zenith_key_bits"])


@pytest.mark.parametrize(
    ("analysis", "cells", "message"),
    [
        (  # every pulse clicks: 0.85^2 of 4e16
            "lim2014",
            {"pulses": "4e16", "p_extraneous": "0.5"},
            "2.89e+16 detections in the key basis, must be at most 2^52",
        ),
        ("lim2014", {"pulses": "1e30"}, "detections in the key basis, must be at most 2^52"),
        ("lim2014", {"f_ec": "1e308"}, "f_ec"),
        ("lim2014-standard", {"pulses": "1e30"}, "must be at most 2^5"),
    ],
)
def test_numbers_beyond_what_can_be_counted(tmp_path: Path, analysis: str, cells: dict[str, str], message: str) -> None:
    """Each is an error of its row; none takes for ever."""
    setting = {**SETTING_CELLS} if analysis == "lim2014" else {**STANDARD_CELLS}
    points = write(tmp_path / "in.csv", {**LINK_CELLS, **setting, **cells})
    (error,) = run_table(points, tmp_path / "out.csv", analysis=analysis).errors
    assert message in error


def test_a_noise_too_small_to_change_has_no_slope(tmp_path: Path) -> None:
    points = write(tmp_path / "in.csv", {**LINK_CELLS, **STANDARD_CELLS, "p_extraneous": "5e-324"})
    assert run_table(points, tmp_path / "out.csv", analysis="lim2014-standard").errors == ()
    (row,) = read(tmp_path / "out.csv")
    assert row["key_bits_per_noise_percent"] == ""
    assert float(row["key_bits_per_db"]) < 0.0


VARIABLE_LINK = {"loss_db": "40", "pulses": "1e12", "p_noise": "1e-7", "misalignment": "0.005"}
VARIABLE_SETTING = {"intensities": "0.7 0.08 0", "intensity_probabilities": "0.92 0.055 0.025", "p_test_basis": "0.07"}


def test_variable_length_points_and_counts(tmp_path: Path) -> None:
    passive = {"receiver": "asymmetric-passive", "split": "0.07"}
    first = run_table(
        write(
            tmp_path / "in.csv", {**VARIABLE_LINK, **VARIABLE_SETTING}, {**VARIABLE_LINK, **VARIABLE_SETTING, **passive}
        ),
        tmp_path / "out.csv",
        analysis="variable-length",
    )
    assert first.errors == ()
    link = {"transmittance": 1e-4, "pulses": 1e12, "p_noise": 1e-7, "misalignment": 0.005}
    setting = {"intensities": (0.7, 0.08, 0.0), "intensity_probabilities": (0.92, 0.055, 0.025), "p_test_basis": 0.07}
    keys = [
        variable_length.key_length(**link, **setting),
        variable_length.key_length(**link, **setting, receiver="asymmetric-passive", split=0.07),
    ]
    for row, key in zip(read(tmp_path / "out.csv"), keys, strict=True):
        assert int(row["key_bits"]) == key.key_bits > 0
        assert float(row["n1_key_lower"]) == key.n1_key_lower
        more = variable_length.key_length(**{**link, "transmittance": 1e-4 * 10**0.005}, **setting,
                                          **({} if key is keys[0] else passive | {"split": 0.07}))  # fmt: skip
        assert float(row["key_bits_per_db"]) == pytest.approx(
            -(more.key_bits_raw - key.key_bits_raw) / 0.05,
            rel=0.02,  # per dB of loss; the one-sided slope
        )
    # the very counts that were expected give the same key again, beside the prediction
    key = keys[1]
    cells = {name: " ".join(map(repr, getattr(key, name))) for name in ("n_key", "n_test", "m_key", "m_test")}
    cells |= {"multi_clicks": repr(key.intermediate["multi_clicks"])}
    observed = write(tmp_path / "both.csv", {**VARIABLE_LINK, **VARIABLE_SETTING, **passive, **cells})
    run_table(observed, tmp_path / "both-out.csv", analysis="variable-length")
    (row,) = read(tmp_path / "both-out.csv")
    assert int(row["predicted_key_bits"]) == key.key_bits
    assert float(row["key_bits_raw"]) == pytest.approx(key.key_bits_raw, rel=1e-12)


def test_variable_length_is_optimised_for_every_receiver(tmp_path: Path) -> None:
    rows = [{**VARIABLE_LINK, "receiver": name} for name in ("active", "asymmetric-passive", "symmetric-passive")]
    run_table(write(tmp_path / "in.csv", *rows), tmp_path / "out.csv", analysis="variable-length", optimise=True)
    found = read(tmp_path / "out.csv")
    keys = [int(row["key_bits"]) for row in found]
    assert keys == sorted(keys, reverse=True)
    assert keys[-1] > 1_000_000
    assert [row["converged"] for row in found] == ["true"] * 3
    assert (found[1]["used_split"] != "", found[2]["used_disclosure"] != "") == (True, True)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"receiver": "passive"}, 'column "receiver": "passive" must be one of active'),
        ({"p_noise": "", "loss_db": "40"}, "p_noise: missing"),
        ({"transmittance": "1e-4"}, '"transmittance" and "loss_db": exactly one'),
        ({"n_key": "1 2 3"}, 'column "n_test": is empty'),
        ({"photon_cut": "12.5"}, 'column "photon_cut": 12.5 must be a whole number'),
        ({"split": "0.2"}, "only an asymmetric passive receiver has one"),
        ({"intensities": "0.1 0.2 0"}, "must be descending"),
        ({"multi_clicks": "3"}, 'column "multi_clicks": only an asymmetric passive'),
    ],
)
def test_variable_length_rows_with_mistakes(tmp_path: Path, cells: dict[str, str], message: str) -> None:
    columns = dict.fromkeys(("n_key", "n_test", "m_key", "m_test"), "")
    points = write(tmp_path / "in.csv", {**VARIABLE_LINK, **VARIABLE_SETTING, **columns, **cells})
    summary = run_table(points, tmp_path / "out.csv", analysis="variable-length")
    assert len(summary.errors) == 1
    assert message in summary.errors[0]
