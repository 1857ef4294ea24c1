"""All rows of ``tests/golden/variable_length_fixed.csv``.

The rows were computed with 45-digit arithmetic, quantiles by bisection and linear programs certified primal and dual,
by an implementation that shares no code with this package. Tolerance 1e-9 relative: the outward rounding of the
confidence bounds (2e-11 in ln(eps)) and of the certified programs (1e-14 of the total times the multipliers).
"""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import pytest

from satqkd.security import variable_length
from satqkd.security.result import KeyLength

GOLDEN = Path(__file__).parents[1] / "golden" / "variable_length_fixed.csv"
ROWS = list(csv.DictReader(GOLDEN.read_text().splitlines()))
REL = 1e-9
RECEIVER = {"active": "active", "apass": "asymmetric-passive", "spass": "symmetric-passive"}
COUNTS = {"real": "expected", "round": "rounded"}
NOISE = {"det": "per-detector", "sky": "received-light"}
WHOLE = {
    "NH": "population", "nH": "sample", "mH": "sample_errors", "K": "marked", "NZ": "pulses_key", "NX": "pulses_test",
    "B0Z": "vacuum_key_upper", "B0X": "vacuum_test_upper", "Vmp": "multi_photon_upper",
    "tailZ_U": "n_key_tail", "tailX_U": "n_test_tail", "tailm_U": "m_test_tail", "Sn": "bounds",
}  # fmt: skip


def arguments(row: dict[str, str]) -> dict[str, object]:
    x = {
        name: float(value)
        for name, value in row.items()
        if value and name not in ("receiver", "lp", "count_mode", "noise_mode")
    }
    return {
        "receiver": RECEIVER[row["receiver"]],
        "pulses": x["N"],
        "transmittance": x["eta"],
        "noise": NOISE[row["noise_mode"]],
        "p_noise": x["p_noise"],
        "p_noise_z": x["pnZ"],  # the values used: they carry the rounding of 1 - (1 - p)
        "p_noise_x": x["pnX"],
        "misalignment": x["emis"],
        "p_afterpulse": x["pap"],
        "intensities": (x["mu0"], x["mu1"], x["mu2"]),
        "intensity_probabilities": (x["pk0"], x["pk1"], x["pk2"]),
        "p_test_basis": x["pX"],
        "split": x.get("s"),
        "disclosure": x.get("r"),
        "p_dark": x["pdark"],
        "detector_efficiency": x["etaD"],
        "f_ec": x["fEC"],
        "eps_total": x["eps_tot"],
        "photon_cut": int(x["I"]),
        "program": row["lp"],
        "counts": COUNTS[row["count_mode"]],
        "convention": "published",
    }


@cache
def evaluated(number: int) -> KeyLength:
    return variable_length.key_length(**arguments(ROWS[number]))


def named(key: KeyLength) -> dict[str, float]:
    """Our numbers under the columns' names."""
    more = key.intermediate
    ours = {
        "n1Z_L": key.n1_key_lower, "n1Z_U": more["n1_key_upper"],
        "n1X_L": key.n1_test_lower, "n1X_U": more["n1_test_upper"],
        "m1X_L": more["m1_test_lower"], "m1X_U": key.m1_test_upper,
        "n1Z_eff": more["n1_key_effective"], "n1X_eff": more["n1_test_effective"],
        "m1X_Leff": more["m1_test_effective"],
        "phi_raw": more["phase_error_unclamped"], "phi_U": key.phase_error_upper,
        "lamEC": key.leak_ec_bits, "pen": more["constant_bits"], "eZ": key.qber, "ell_real": key.key_bits_raw,
        "n_mc": more["multi_clicks"], "eps_ind": more["eps_per_bound"],
        "pnZ": key.parameters["p_noise_z"], "pnX": key.parameters["p_noise_x"],
    }  # fmt: skip
    for k in range(3):
        ours[f"nZ{k}"], ours[f"nX{k}"], ours[f"mX{k}"] = key.n_key[k], key.n_test[k], key.m_test[k]
        for column, name in (("EZ", "n_key"), ("EX", "n_test"), ("Em", "m_test")):
            for end, word in (("L", "lower"), ("U", "upper")):
                ours[f"{column}{k}_{end}"] = more[f"{name}_{word}"][k]
    return ours


def test_the_file_has_its_23_rows() -> None:
    assert len(ROWS) == 23


@pytest.mark.parametrize(
    "number", range(len(ROWS)), ids=lambda i: f"{ROWS[i]['id']}-{ROWS[i]['receiver']}-{ROWS[i]['lp']}"
)
def test_reproduces_every_column(number: int) -> None:
    row, key = ROWS[number], evaluated(number)
    for column, ours in named(key).items():
        assert ours == pytest.approx(float(row[column]), rel=REL, abs=0.0), column
    for column, name in WHOLE.items():
        assert key.intermediate[name] == float(row[column]), column
    assert key.key_bits == int(row["ell"])
    assert (key.reason is None) == (key.key_bits > 0)


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda i: ROWS[i]["id"])
def test_bounds_are_on_the_safe_side_of_the_exact_ones(number: int) -> None:
    row, ours = ROWS[number], named(evaluated(number))
    digits = 1e-15  # the file has 17 digits
    for column in ("n1Z", "n1X", "m1X", "EZ0", "EZ1", "EZ2", "EX0", "EX1", "EX2", "Em0", "Em1", "Em2"):
        if row["count_mode"] == "real" and "Z" not in column and float(row["mX0"]) < 1.0 and column[0] == "E":
            continue  # less than one error in all: the total itself is rounded
        assert ours[f"{column}_L"] <= float(row[f"{column}_L"]) * (1 + digits), column
        assert ours[f"{column}_U"] >= float(row[f"{column}_U"]) * (1 - digits), column
    assert ours["phi_raw"] >= float(row["phi_raw"]) * (1 - digits)
    assert ours["ell_real"] <= float(row["ell_real"]) + abs(float(row["ell_real"])) * digits


@pytest.mark.parametrize(
    "number", [i for i, r in enumerate(ROWS) if r["lp"] == "reduced" and r["count_mode"] == "real"]
)
def test_objective_is_the_same_number(number: int) -> None:
    given = arguments(ROWS[number])
    del given["program"], given["counts"]
    assert variable_length.objective(**given) == pytest.approx(evaluated(number).key_bits_raw, rel=1e-14)


@pytest.mark.parametrize("row", [r for r in ROWS if r["noise_mode"] == "sky"], ids=lambda r: r["id"])
def test_received_light_is_split_like_the_signal(row: dict[str, str]) -> None:
    given = {**arguments(row), "p_noise_z": None, "p_noise_x": None}
    used = variable_length.key_length(**given).parameters
    # the file's values were formed as 1 - (1 - p) in floating point: 1e-16 absolute
    assert used["p_noise_z"] == pytest.approx(float(row["pnZ"]), rel=0.0, abs=2e-16)
    assert used["p_noise_x"] == pytest.approx(float(row["pnX"]), rel=0.0, abs=2e-16)


def test_composable_convention_halves_the_budget_of_each_basis() -> None:
    number = next(i for i, r in enumerate(ROWS) if r["receiver"] == "spass")
    published = evaluated(number)
    key = variable_length.key_length(**{**arguments(ROWS[number]), "convention": "composable"})
    half = variable_length.key_length(**{**arguments(ROWS[number]), "eps_total": 5e-9})
    assert key.epsilon.total == pytest.approx(1e-8, rel=1e-12)
    assert published.epsilon.total == pytest.approx(2e-8, rel=1e-12)
    assert key.key_bits_raw == half.key_bits_raw
    assert 0.995 < key.key_bits_raw / published.key_bits_raw < 1.0
    assert math.floor(key.intermediate["key_bits_raw_per_basis"][0]) * 2 == key.key_bits
