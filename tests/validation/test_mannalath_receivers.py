"""Fig. 11 and App. F of Mannalath, Zapatero and Curty (arXiv:2605.29706): what is claimed of the three receivers."""

from __future__ import annotations

import csv

import pytest

from satqkd.study.reproduce_004 import (
    READINGS,
    RECEIVERS,
    crossing_db,
    largest_loss_db,
    least_pulses,
    optimum,
    order_holds,
    receivers,
)

LOSSES_DB = (2.0, 12.0, 14.0, 30.0, 40.0, 50.0, 55.0, 60.0)
"""Fewer than in the figure: 8 of 30, so that the whole file takes seconds."""


def rate(p_noise: float, receiver: str, loss_db: float, reading: str) -> float:
    (row,) = (r for r in receivers(p_noise, LOSSES_DB).rows if (r["receiver"], r["loss_db"]) == (receiver, loss_db))
    return float(row[f"rate_{reading}"])


@pytest.mark.parametrize("reading", [*READINGS])
def test_active_beats_asymmetric_beats_symmetric_from_30_to_60_db(reading: str) -> None:
    holds, points = order_holds(reading, LOSSES_DB)
    assert holds == points == 12  # of 15; at the others no receiver has a key


@pytest.mark.parametrize("p_noise", [1e-7, 1e-8, 1e-9])
@pytest.mark.parametrize("reading", [*READINGS])
def test_symmetric_wins_at_low_loss(p_noise: float, reading: str) -> None:
    # where the noise is far below the signal it cannot matter; interpolated between 12 and 14 dB
    assert crossing_db(p_noise, reading, LOSSES_DB) == pytest.approx(12.55, abs=0.1)
    symmetric, asymmetric = (rate(p_noise, name, 2.0, reading) for name in (RECEIVERS[2], RECEIVERS[1]))
    assert symmetric > 2.0 * asymmetric


def test_noise_of_1e_6_leaves_no_key_at_45_db() -> None:
    """ "about 45 dB": a key at 44, none at 45 without misalignment; the bisection ends at 0.05 dB."""
    assert largest_loss_db(1e-6, 0.0) == pytest.approx(44.1, abs=0.06)
    assert optimum("active", 45.0, "composable", p_noise=1e-6, misalignment=0.0).key.key_bits == 0
    assert largest_loss_db(1e-6, 0.005) == pytest.approx(43.45, abs=0.06)


@pytest.mark.parametrize(("loss_db", "pulses"), [(45.0, 2.7e9), (50.0, 1.15e10), (55.0, 7.9e10)])
def test_onset_of_the_key_with_the_block_size(loss_db: float, pulses: float) -> None:
    """ "at least 1e10 to 1e11" for the paper's links; the bisection ends at 2 percent."""
    assert least_pulses(loss_db) == pytest.approx(pulses, rel=0.03)


@pytest.mark.parametrize(("receiver", "expected"), [*zip(RECEIVERS, (1.96e-5, 1.94e-5, 1.09e-5), strict=True)])
def test_keys_at_40_db_of_an_independent_optimisation(receiver: str, expected: float) -> None:
    assert rate(1e-8, receiver, 40.0, "published") == pytest.approx(expected, rel=0.003)  # given with three digits


def test_optima_are_those_of_an_independent_optimisation(request: pytest.FixtureRequest) -> None:
    """Every listed point of the figure; that cold searches reach 1e-4 is a test of the optimiser."""
    names = dict(zip(("active", "apass", "spass"), RECEIVERS, strict=True))
    with (request.config.rootpath / "tests/golden/variable_length_optimised.csv").open() as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if (r["noise_mode"], float(r["emis"]), float(r["N"])) == ("det", 0.005, 1e12)
        ]
    compared = 0
    for row in rows:
        p_noise, loss_db, listed = float(row["p_noise"]), float(row["loss_dB"]), float(row["ell_over_N"])
        if p_noise in (1e-7, 1e-8, 1e-9) and loss_db in LOSSES_DB and float(row["pap"]) == 0.0:
            # two searches on a flat top: the listed ones end up to 1.1e-3 below ours, ours, started from 5 to 16 dB
            # away, up to 5e-4 below the listed; the keys that end the curves are differences of large numbers
            tolerance = 3e-3 if listed > 1e-8 else 0.02
            found = rate(p_noise, names[row["receiver"]], loss_db, "per_detector")
            assert found == pytest.approx(listed, rel=tolerance, abs=1e-12)
            compared += 1
    assert compared >= 20


@pytest.mark.parametrize(("loss_db", "percent"), [(30.0, 0.13), (45.0, 0.40), (50.0, 0.68)])
def test_what_sharing_the_security_parameter_costs(loss_db: float, percent: float) -> None:
    found = optimum("symmetric-passive", loss_db, "published", p_noise=1e-8)
    shared = optimum("symmetric-passive", loss_db, "composable", found, p_noise=1e-8)
    # two decimals; each of the two searches ends within about 2e-4 of its optimum
    assert 100.0 * (1.0 - shared.key.key_bits / found.key.key_bits) == pytest.approx(percent, abs=0.04)
