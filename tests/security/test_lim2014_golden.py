"""All rows of ``tests/golden/lim2014_fixed.csv``.

The rows were computed with the code published with Sidhu et al. (npj Quantum Inf. 8, 18, 2022) and an independent
implementation that agrees with it to 1.5e-14. Tolerance 1e-10 relative: rounding of sums over 441 slots.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from satqkd.security import lim2014
from satqkd.security.leakage import LEAKAGE
from satqkd.security.result import KeyLength

GOLDEN = Path(__file__).parents[1] / "golden" / "lim2014_fixed.csv"
ROWS = list(csv.DictReader(GOLDEN.read_text().splitlines()))
REL = 1e-10
REL_DIFFERENCE = 1e-9  # differences of nearly equal numbers, and the published code's 1 - (1 - 2e-6) in the vacuum
FLOOR = 1e-10  # the published code's stand-in for a bound that is not positive; here it is 0


def _zenith_link() -> tuple[np.ndarray, np.ndarray]:
    path = files("satqkd.scenario") / "presets" / "micius_zenith_link_efficiency.csv"
    rows = [line.split(",")[:3] for line in path.read_text().splitlines() if line and not line.startswith("#")]
    table = np.array(rows, float)
    return table[:, 0], table[:, 2]


TIME_S, EFFICIENCY = _zenith_link()


def _key(row: dict[str, str]) -> KeyLength:
    x = {k: float(v) for k, v in row.items() if v and k not in ("row", "bound", "errcorr")}
    inside = np.abs(TIME_S) <= x["dt_s"]
    assert inside.sum() == x["n_slots"]
    return lim2014.key_length(
        EFFICIENCY[inside] * 10.0 ** (-x["ls_dB"] / 10.0),
        pulses_per_slot=x["fs_Hz"],
        intensities=(x["mu1"], x["mu2"], x["mu3"]),
        intensity_probabilities=(x["p1"], x["p2"], x["p3"]),
        p_key_basis=x["pX"],
        p_extraneous=x["pec"],
        qber_intrinsic=x["QBERI"],
        p_afterpulse=x["pap"],
        eps_correctness=x["eps_c"],
        eps_secrecy=x["eps_s"],
        passes=int(x["NoPass"]),
        bound=row["bound"].lower(),
        sampling="lim2014",
        leakage={"logM": "satquma", "block": "block"}[row["errcorr"]],
        f_ec=x["fEC"],
    )


def _outputs(key: KeyLength) -> dict[str, float]:
    ours = {
        "QBERx": key.qber,
        "phi_X": key.phase_error_upper,
        "n_X": key.sifted_bits,
        "n_Z": sum(key.n_test),
        "m_X": sum(key.m_key),
        "lambda_EC": key.leak_ec_bits,
        "s_X0": key.n0_key_lower,
        "s_X1": key.n1_key_lower,
        "v_Z1": key.m1_test_upper,
        "s_Z1": key.n1_test_lower,
        "sX0_raw": key.intermediate["n0_key_unclamped"],
        "sX1_raw": key.intermediate["n1_key_unclamped"],
        "sZ0_raw": key.intermediate["n0_test_unclamped"],
        "sZ1_raw": key.intermediate["n1_test_unclamped"],
        "vZ1_raw": key.intermediate["m1_test_unclamped"],
    }
    for k in range(3):
        for column, counts in (("n_X", key.n_key), ("n_Z", key.n_test), ("m_Z", key.m_test)):
            ours[f"{column}{k + 1}"] = counts[k]
        for column, name in (("n_X", "n_key"), ("n_Z", "n_test"), ("m_Z", "m_test")):
            ours[f"{column}min{k + 1}"] = key.intermediate[f"{name}_lower"][k]
            ours[f"{column}plus{k + 1}"] = key.intermediate[f"{name}_upper"][k]
    return ours


def test_the_file_has_its_70_rows() -> None:
    assert len(ROWS) == 70


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r['row']}-{r['bound']}-{r['errcorr']}")
def test_reproduces_every_column(row: dict[str, str]) -> None:
    key = _key(row)
    for column, ours in _outputs(key).items():
        golden = float(row[column])
        if golden == FLOOR:
            assert ours == 0.0, column
        else:
            difference = "min" in column or "_raw" in column
            assert ours == pytest.approx(golden, rel=REL_DIFFERENCE if difference else REL), column
    if row["errcorr"] == "logM":
        leak = LEAKAGE["published"](key.sifted_bits, key.qber, float(row["eps_c"]), 1.16)
        assert leak == pytest.approx(float(row["logM_raw"]), rel=REL)
    if row["gamma_U"] and 0.0 < key.phase_error_upper < 0.5:
        gamma = key.phase_error_upper - key.m1_test_upper / key.n1_test_lower
        assert gamma == pytest.approx(float(row["gamma_U"]), rel=1e-9)  # a difference of rates ten times as large
    skl = float(row["SKL"])
    if skl > 0.0:
        assert key.key_bits_raw == pytest.approx(skl, rel=REL)
        assert key.key_bits == int(key.key_bits_raw * int(row["NoPass"]) * (1 + 1e-15))
        assert key.reason is None
    else:
        assert key.key_bits == 0
        assert key.key_bits_raw < 0.0
        assert key.reason
