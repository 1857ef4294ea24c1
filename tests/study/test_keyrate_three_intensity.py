"""Tables of blocks of Li et al.: counts, sizes and links to keys; errors with row and column."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from satqkd.detection import weak_pulse
from satqkd.errors import InputError
from satqkd.security.three_intensity import JINAN1, expected_counts, key_length, pass_key_bits
from satqkd.study.keyrate import run_table

SETTING = {"intensities": "0.8 0.1 0.001", "intensity_probabilities": "0.5;0.25;0.25"}
BLOCK = {"block_bits": "500000", "block_qber": "0.01"}
LINK = {"loss_db": "33", "pulses": "5e9", "p_extraneous": "1e-7", "qber_intrinsic": "0.005"}
COUNTS = expected_counts(sifted_bits=5e5, qber=0.01, **JINAN1)
CELLS = {name: " ".join(map(repr, getattr(COUNTS, name))) for name in ("n_key", "n_test", "m_key", "m_test")}


def table(folder: Path, *rows: dict[str, str]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (folder / "in.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    done = run_table(folder / "in.csv", folder / "out.csv", analysis="three-intensity", overwrite=True)
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file)), done.errors


def test_counts_of_an_experiment_in_both_modes(tmp_path: Path) -> None:
    paper = {"mode": "paper", "leakage": "block", "f_ec": "1.2"}
    (first, second), errors = table(tmp_path, {**CELLS, **SETTING, **paper}, {**CELLS, **SETTING})
    assert errors == ()
    for row, options in ((first, {"mode": "paper", "leakage": "block", "f_ec": 1.2}), (second, {})):
        key = key_length(COUNTS, **options, **JINAN1)
        assert int(row["key_bits"]) == key.key_bits > 0
        for name in ("key_bits_raw", "sifted_bits", "qber", "n1_test_lower", "m1_test_upper", "phase_error_upper"):
            assert float(row[name]) == getattr(key, name)  # written with every digit
        for name, value in key.intermediate.items():
            assert float(row[name]) == value
        assert float(row["eps_total"]) == key.epsilon.total
        assert row["reason"] == row["margin_db"] == row["pass_key_bits"] == row["predicted_key_bits"] == ""
    assert int(first["key_bits"]) > int(second["key_bits"])


def test_margin_in_counts_is_where_the_key_ends(tmp_path: Path) -> None:
    cut = {name: " ".join(repr(0.05 * x) for x in getattr(COUNTS, name)) for name in CELLS}
    (whole, part), _ = table(tmp_path, {**CELLS, **SETTING}, {**cut, **SETTING})
    margin = float(whole["margin_counts_db"])
    assert margin > 0.0 > float(part["margin_counts_db"])
    # the same place from both sides: a twentieth of the counts is 13.01 dB less; two bisections to 0.01 dB
    assert margin - float(part["margin_counts_db"]) == pytest.approx(13.0103, abs=0.02)
    for factor, has_key in ((10.0 ** (-0.1 * (margin - 0.02)), True), (10.0 ** (-0.1 * (margin + 0.02)), False)):
        assert (key_length(COUNTS.scaled(factor), **JINAN1).key_bits > 0) == has_key
    assert part["reason"].startswith("TOO_FEW_COUNTS")


def test_disclosed_bits_replace_the_model(tmp_path: Path) -> None:
    (row,), _ = table(tmp_path, {**CELLS, **SETTING, "leak_ec_bits": "20000 21000"})
    key = key_length(COUNTS, leak_ec_bits=(20000.0, 21000.0), **JINAN1)
    assert int(row["key_bits"]) == key.key_bits
    assert float(row["leak_ec_bits"]) == 41000.0
    assert float(row["margin_counts_db"]) > 0.0


def test_a_block_known_by_its_size_and_its_pass(tmp_path: Path) -> None:
    options = {"mode": "paper", "leakage": "block", "f_ec": "1.2", "packets": "23", "multiple_bits": "128"}
    (row,), errors = table(tmp_path, {**BLOCK, **SETTING, **options})
    key = key_length(COUNTS, mode="paper", leakage="block", f_ec=1.2, **JINAN1)
    assert errors == ()
    assert int(row["key_bits"]) == key.key_bits
    assert int(row["pass_key_bits"]) == pass_key_bits(key, packets=23, multiple_bits=128)
    assert int(row["pass_key_bits"]) % (4 * 128) == 0


def test_a_link_promises_counts_with_margin_and_slopes(tmp_path: Path) -> None:
    rows = ({**LINK, **SETTING}, {**LINK, **SETTING, **CELLS}, {**LINK, **SETTING, "p_key_basis": "0.7"})
    (alone, beside, biased), errors = table(tmp_path, *rows)
    assert errors == ()
    link = {"pulses_per_slot": 5e9, "p_extraneous": 1e-7, "qber_intrinsic": 0.005}

    def key(loss_db: float, share: float = 0.5) -> float:
        counts = weak_pulse.expected_counts(10.0 ** (-0.1 * loss_db), **link, **JINAN1, p_key_basis=share)
        return key_length(counts, **JINAN1).key_bits_raw

    assert float(alone["key_bits_raw"]) == pytest.approx(key(33.0), rel=1e-12)  # rounding
    assert float(biased["key_bits_raw"]) == pytest.approx(key(33.0, 0.7), rel=1e-12)
    margin = float(alone["margin_db"])
    assert key(33.0 + margin - 0.01) > 0.0 > key(33.0 + margin + 0.02)  # bisected to 0.01 dB
    # wider steps than the table's: their curvature
    assert float(alone["key_bits_per_db"]) == pytest.approx((key(33.2) - key(32.8)) / 0.4, rel=0.01)
    assert int(beside["key_bits"]) == key_length(COUNTS, **JINAN1).key_bits
    assert int(beside["predicted_key_bits"]) == int(alone["key_bits"])
    assert beside["margin_db"] == alone["margin_db"]
    assert alone["predicted_key_bits"] == ""


def test_bad_rows_are_named_and_good_ones_computed(tmp_path: Path) -> None:
    good = {**CELLS, **SETTING}
    rows = (
        good,
        {**good, "n_key": "1 2"},
        {**good, "m_test": ""},
        {**good, "m_key": "1e9 0 0"},
        {**good, "mode": "proven"},
        {**good, "intensities": ""},
        {**SETTING},
        {**SETTING, **BLOCK, **LINK},
        {**SETTING, **BLOCK, "leak_ec_bits": "1 1"},
        {**SETTING, **BLOCK, "block_qber": ""},
        {**good, "multiple_bits": "128"},
        {**good, "tags_per_packet": "1.5"},
        {**SETTING, **LINK, "pulses": ""},
    )
    out, errors = table(tmp_path, *rows)
    expected = [
        'row 3, column "n_key": "1 2" must be 3 numbers',
        'row 4, column "m_test": is empty',
        "row 5: counts: z basis, intensity 1: 1000000000.0 errors",
        'row 6, column "mode": "proven" must be one of paper, composable',
        'row 7, column "intensities": is empty',
        "row 8: the row has neither counts nor a block nor a link",
        "row 9: the row has a block and a link",
        'row 10, column "leak_ec_bits": only counts',
        'row 11, column "block_qber": is empty',
        'row 12, column "packets": is empty, multiple_bits need it',
        "row 13: tags_per_packet = 1.5: must be a whole number",
        'row 14, column "pulses": is empty',
    ]
    assert len(errors) == len(expected)
    for line, text in zip(errors, expected, strict=True):
        assert text in line
    assert [bool(row["key_bits"]) for row in out] == [True, *[False] * 12]


def test_the_example_of_the_documentation(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = (request.config.rootpath / "docs" / "keyrate.md").read_text(encoding="utf-8")
    points = tmp_path / "in.csv"
    example, rest = text.split("```text\n")[1].split("```", 1)
    points.write_text(example)
    run_table(points, tmp_path / "out.csv", analysis="three-intensity")
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    stated = rest.split("gives ")[1].split(" bit and a margin of ")
    assert int(row["key_bits"]) == int(stated[0].replace(",", ""))
    # stated with one decimal
    assert float(row["margin_counts_db"]) == pytest.approx(float(stated[1].split(" dB")[0]), abs=0.05)


def test_no_detections_are_a_reason_not_an_error(tmp_path: Path) -> None:
    zero = dict.fromkeys(CELLS, "0 0 0")
    (row,), errors = table(tmp_path, {**zero, **SETTING})
    assert errors == ()
    assert (row["key_bits"], row["margin_counts_db"]) == ("0", "-inf")
    assert row["reason"].startswith("NO_COUNTS")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"n_key": "1 1 1", **SETTING}, "missing columns: n_test, m_key, m_test"),
        ({"block_bits": "1", **SETTING}, "missing columns: block_qber"),
        ({"loss_db": "1", **SETTING}, "missing columns: pulses, p_extraneous, qber_intrinsic"),
        ({"pulses": "1", "p_extraneous": "0", "qber_intrinsic": "0", **SETTING}, r"transmittance \(or loss_db\)"),
        ({"intensities": "0.8 0.1 0.001"}, "missing columns: n_key, n_test, m_key, m_test .or block_bits"),
        ({**CELLS}, "missing columns: intensities, intensity_probabilities"),
        ({**CELLS, "sifted_bits": "1", **SETTING}, '"sifted_bits" is not known'),
    ],
)
def test_a_wrong_header_stops(tmp_path: Path, header: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        table(tmp_path, header)


def test_there_is_nothing_to_optimise(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(",".join(BLOCK) + "\n1,0\n")
    with pytest.raises(InputError, match="three-intensity has no optimiser"):
        run_table(tmp_path / "in.csv", tmp_path / "out.csv", analysis="three-intensity", optimise=True)
