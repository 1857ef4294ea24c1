"""The 18 passes in Table 1 of Li et al., "Microsatellite-based real-time quantum key distribution" (Nature 640, 47).

The table prints sifted packets, mean error rate and key length of each pass, not the counts behind them. One reading
for all rows, nothing fitted: packets hold the sifted bits of the four signal and decoy sources; all errors are those
of polarisation, in every intensity alike (the background is not printed); the bases are analysed each with its own
sources and their keys added; failure probability 1e-10 per bound, blocks of five packets, packets left over give no
key, error correction leaks 1.2 times Shannon's limit of the signal bits, keys in multiples of 128 bits.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from satqkd.distillation.link import LinkModel
from satqkd.distillation.settings import Settings
from satqkd.security.three_intensity import JINAN1, expected_counts, key_length
from satqkd.study import reproduce_002, reproduce_002_pass
from satqkd.study.reproduce import reproduce
from satqkd.study.reproduce_002_pass import PassChoice
from satqkd.study.reproduce_002_table1 import READING, READINGS, block_key, pass_keys, passes, statistics

PRINTED = np.array([one.key_bits for one in passes()])


def test_the_table_is_the_printed_one() -> None:
    """Its 18 rows; what the text says of two of them; lengths that are multiples of 128 bits."""
    assert len(passes()) == 18
    keys = {one.date: (one.packets, one.key_bits) for one in passes()}
    assert keys["2022-09-25"] == (20, 406_784)
    assert max(PRINTED) == keys["2023-08-31"][1] == 592_384
    assert [one.date for one in passes() if one.key_bits % 128] == []


def test_a_block_is_what_the_analysis_gives() -> None:
    counts = expected_counts(sifted_bits=5e5, qber=0.0101, **JINAN1)
    for mode in ("paper", "composable"):
        key = key_length(counts, mode=mode, leakage="block", f_ec=1.2, xi=1e-10, **JINAN1)
        # the disclosed bits are given as numbers instead of by the model: another order of multiplications
        assert block_key(0.0101, mode).key_bits_raw == pytest.approx(key.key_bits_raw, rel=1e-12)


def test_keys_of_all_passes_with_one_convention() -> None:
    found = statistics("paper")
    assert found["mean"] == pytest.approx(1.0, abs=0.03)  # required; the number itself below
    assert found["rms"] == pytest.approx(0.04, abs=0.04)  # at most 8 %
    # as documented
    assert found["mean"] == pytest.approx(0.992, abs=5e-4)
    assert found["rms"] == pytest.approx(0.069, abs=5e-4)
    assert found["worst"] == pytest.approx(0.155, abs=5e-4)
    assert pass_keys("paper")[1] / PRINTED[1] == pytest.approx(1.071, abs=5e-4)  # 25 September 2022


@pytest.mark.parametrize(
    ("name", "mean", "rms"),
    [
        ("background 0.1 %", 0.931, 0.099),
        ("background 0.3 %", 0.890, 0.131),
        ("closed Chernoff", 0.976, 0.073),
        ("empty vacuum", 1.008, 0.068),
        ("vacuum of no basis", 0.997, 0.068),
        ("signal packets", 1.063, 0.096),
        ("pooled bases", 1.078, 0.101),
        ("leak of all", 0.952, 0.092),
        ("900-kbit blocks", 0.971, 0.197),
        ("rest counted", 1.078, 0.109),
    ],
)
def test_what_the_reading_is_worth(name: str, mean: float, rms: float) -> None:
    """One change each: numbers of the documentation."""
    found = statistics("paper", READINGS[name])
    assert (found["mean"], found["rms"]) == pytest.approx((mean, rms), abs=6e-4)  # three decimals


def test_readings_go_the_way_they_must() -> None:
    """More light in a packet, more statistics or less leak never shorten a key, background and wider bounds do."""
    keys = {name: np.array(pass_keys("paper", reading)) for name, reading in READINGS.items()}
    for name in ("empty vacuum", "vacuum of no basis", "signal packets", "pooled bases", "rest counted"):
        assert np.all(keys[name] >= keys["chosen"]), name
    for name in ("background 0.1 %", "closed Chernoff", "leak of all"):
        assert np.all(keys[name] < keys["chosen"]), name
    assert np.all(keys["background 0.3 %"] < keys["background 0.1 %"])
    assert READINGS["chosen"] is READING


def test_larger_blocks_would_have_given_more() -> None:
    assert statistics("paper")["one_block_gain"] == pytest.approx(0.122, abs=5e-4)  # as documented
    assert statistics("paper", READINGS["background 0.3 %"])["one_block_gain"] == pytest.approx(0.178, abs=5e-4)


def test_what_composable_security_costs() -> None:
    """The same counts with every term of a budget of 1e-9 paid for: numbers of the documentation."""
    keys = np.array(pass_keys("composable"))
    assert (keys / PRINTED).mean() == pytest.approx(0.798, abs=5e-4)
    assert np.all(keys < pass_keys("paper"))


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files; the pass is cut to two packets."""
    short = PassChoice(8.0, 0.0, 4, LinkModel(), Settings(packets_per_block=1, mode="paper"))
    monkeypatch.setattr(reproduce_002_pass, "PASS", short)
    monkeypatch.setattr(reproduce_002_pass, "_distilled", reproduce_002_pass._distilled.__wrapped__)
    reproduce("002", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    drawn = {"table1", "fig2a", "fig4b", "fig4c"}
    tables = drawn | {"readings", "extended_table3", "extended_table3_keys", "checks"}
    assert names == {"report.html", *(f"{name}.csv" for name in tables), *(f"{name}.png" for name in drawn)}
    with (tmp_path / "out" / "table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["paper_bits"]) for row in rows] == pass_keys("paper")
    ratios = [float(row["composable_ratio"]) for row in rows]
    assert ratios == pytest.approx(np.array(pass_keys("composable")) / PRINTED, rel=1e-12)  # rounding
    with (tmp_path / "out" / "checks.csv").open() as file:
        checks = {row["quantity"]: row for row in csv.DictReader(file)}
    mean = checks["mean ratio to the printed key"]
    assert float(mean["paper"]) == statistics("paper")["mean"]
    assert mean["reading"] == READING.text
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == len(drawn)
    for one in passes():
        assert f"{one.date} {one.station}" in page
    assert set(checks["key of all passes [bit]"]) == set(reproduce_002.STUDY.check_columns)
