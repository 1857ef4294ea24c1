"""Parts of the study of the receivers that need no optimisation."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from satqkd.study import reproduce, reproduce_004
from satqkd.study.reproduction import Table


def panel(symmetric: float) -> Table:
    """Made-up keys: the active receiver always first, the symmetric one ahead of the other below a crossing."""
    rows = []
    for receiver in reproduce_004.RECEIVERS:
        for loss_db in reproduce_004.LOSSES_DB:
            value = {
                "active": 1.0,
                "asymmetric-passive": 0.5,
                "symmetric-passive": 0.5 * math.exp(symmetric - 0.1 * loss_db),
            }[receiver]
            rates = {f"rate_{reading}": value * 10.0 ** (-0.1 * loss_db) for reading in reproduce_004.READINGS}
            rows.append({"receiver": receiver, "loss_db": loss_db, **rates})
    return Table("panel", "panel", "loss_db", "receiver", tuple(rows))


def test_crossing_and_order_of_made_up_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduce_004, "receivers", lambda p_noise, losses_db: panel(1.5))
    assert reproduce_004.crossing_db(1e-7, "published") == pytest.approx(15.0, rel=1e-9)  # exp(1.5 - 0.1 x) = 1
    assert reproduce_004.order_holds("published") == (48, 48)
    monkeypatch.setattr(reproduce_004, "receivers", lambda p_noise, losses_db: panel(3.5))  # crossing at 35 dB
    assert reproduce_004.order_holds("composable") == (39, 48)
    monkeypatch.setattr(reproduce_004, "receivers", lambda p_noise, losses_db: panel(-1.0))
    assert math.isnan(reproduce_004.crossing_db(1e-7, "published"))


def test_a_sweep_ends_where_the_key_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def optimum(receiver: str, loss_db: float, reading: str, **changes: Any) -> Any:
        asked.append(loss_db)
        return SimpleNamespace(key=SimpleNamespace(key_bits=max(0, 100 - 10 * int(loss_db))))

    monkeypatch.setattr(reproduce_004, "optimum", optimum)
    rates = reproduce_004._sweep("active", "published", 1e-7, reproduce_004.LOSSES_DB)
    assert asked == [2.0, 4.0, 6.0, 8.0, 10.0]
    assert rates[:5] == [80e-12, 60e-12, 40e-12, 20e-12, 0.0]
    assert set(rates[5:]) == {0.0}
    assert len(rates) == len(reproduce_004.LOSSES_DB)


def test_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onset = ({"loss_db": 45.0, "pulses": 1e10, "rate_composable": 1e-7},
             {"loss_db": 45.0, "pulses": 1e11, "rate_composable": 2e-7})  # fmt: skip
    made = [panel(1.5), Table("onset", "Onset", "pulses", "loss_db", onset)]
    check = {"quantity": "a < b", "source": "App. F", "reference": "all", "composable": "4 of 4", "published": 12.5,
             "per_detector": math.nan}  # fmt: skip
    monkeypatch.setattr(reproduce_004, "tables", lambda progress: made)
    monkeypatch.setattr(reproduce_004, "checks", lambda: [check])
    reproduce.reproduce("004", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "45 dB" in page
    assert "a &lt; b" in page
    assert "12.5" in page
    assert (tmp_path / "out" / "checks.csv").read_text().splitlines()[1] == "a < b,App. F,all,4 of 4,12.5,"
