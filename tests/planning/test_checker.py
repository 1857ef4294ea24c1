"""Each kind of broken plan is rejected, a sound one is not."""

from __future__ import annotations

from typing import Any

import pytest

from satqkd.planning.checker import services, violations

BITS = [[[5, 0, 2], [4, 3, 2], [0, 9, 2], [0, 9, 2]], [[5, 0, 1], [4, 3, 1], [6, 9, 1], [7, 1, 1]]]
STATIONS = ("A", "B", "C")
SOUND = [("one", 10, "A"), ("one", 12, "B"), ("one", 13, "B"), ("two", 10, "C"), ("two", 12, "A"), ("two", 13, "A")]
DELIVERED = {"A": 18, "B": 18, "C": 1}


def check(plan: list[tuple[str, int, str]] = SOUND, **said: Any) -> list[str]:
    options: dict[str, Any] = {
        "bits": BITS, "interval": [10, 11, 12, 13], "satellites": ("one", "two"), "stations": STATIONS,
    } | said  # fmt: skip
    return violations(plan, **options)


def test_a_sound_plan_passes() -> None:
    weights = {"A": 2, "B": 2, "C": 0.5}
    assigned = [[5, 0, 9, 9], [1, 0, 6, 7]]
    said = {"assigned_bits": assigned, "delivered_bits": DELIVERED, "weights": weights, "station_switch_intervals": 1}
    assert check(**said, value=37, bound=37, kl_max=0.1) == []
    assert check(**said, objective="priority", value=(36 * 2 + 0.5) / 4.5) == []
    assert check(**said, objective="max-min", value=1 / (0.5 / 4.5)) == []
    assert check(**said, objective="traffic", value=37, bound=40) == []


@pytest.mark.parametrize(
    ("plan", "said", "complaint"),
    [
        ([("one", 10, "A"), ("one", 10, "C")], {}, "satellite one has A and C at once in interval 10"),
        ([("one", 10, "A"), ("one", 10, "A")], {}, "satellite one has A and A at once"),
        ([("one", 10, "A"), ("two", 10, "A")], {}, "station A has one and two at once in interval 10"),
        ([("one", 11, "A"), ("one", 12, "B")], {}, "satellite one turns from A to B between intervals 11 and 12"),
        ([("one", 10, "A"), ("one", 12, "B")], {"switch_intervals": 2}, "2 needed between them"),
        ([("one", 10, "A"), ("two", 11, "A")], {"station_switch_intervals": 1}, "station A turns from one to two"),
        ([("one", 10, "D")], {}, "unknown station D"),
        ([("three", 10, "A")], {}, "unknown satellite three"),
        ([("one", 14, "A")], {}, "unknown interval 14"),
        (SOUND, {"assigned_bits": [[5, 0, 9, 8], [1, 0, 6, 7]]}, "one does not deliver what is said in interval 13"),
        (SOUND, {"assigned_bits": [[5, 1, 9, 9], [1, 0, 6, 7]]}, "one does not deliver what is said in interval 11"),
        (SOUND, {"delivered_bits": DELIVERED | {"B": 18.001}}, "B gets 18 bits, not 18.001"),
        (SOUND, {"delivered_bits": {"A": 18, "B": 18}}, "not those of the stations"),
        (SOUND, {"weights": {"A": 1, "B": 1, "C": 1}, "kl_max": 0.2}, "divergence 0.299947978 above 0.2"),
        (SOUND, {"weights": {"A": 1, "B": 1, "C": 0}, "kl_max": 9.0}, "divergence inf above 9"),
        ([], {"weights": {"A": 1, "B": 1, "C": 1}, "kl_max": 9.0}, "divergence inf"),
        (SOUND, {"value": 38}, "value 38 is said, 37 is reached"),
        (SOUND, {"value": 37, "objective": "priority", "weights": {"A": 1, "B": 1, "C": 1}}, "is reached"),
        (SOUND, {"value": 37, "bound": 36.9}, "above the bound"),
    ],
)
def test_a_broken_plan_does_not(plan: list[tuple[str, int, str]], said: dict[str, Any], complaint: str) -> None:
    found = check(plan, **said)
    assert len(found) >= 1
    assert any(complaint in line for line in found), found


def test_services_of_an_assignment() -> None:
    names = {"interval": [10, 12], "satellites": ("one", "two"), "stations": STATIONS}
    assert services([[0, -2], [-1, 2]], **names) == [("one", 10, "A"), ("two", 12, "C")]
    assert services([[7, -1], [-1, -1]], **names) == [("one", 10, "station 7")]
