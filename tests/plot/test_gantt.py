"""Gantt charts: every contact is drawn once, where and as long as it is."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from satqkd.plot.bars import grouped_bars
from satqkd.plot.gantt import Bar, gantt

DAY = np.datetime64("2016-09-19T00:00:00", "ns")


def at(minutes: float) -> np.datetime64:
    return DAY + np.timedelta64(round(60e9 * minutes), "ns")


def bar(station: str, start: float, length: float, satellite: str = "S") -> Bar:
    return Bar(satellite, station, at(start), at(start + length))


def drawn(figure: Figure, kind: str) -> list[tuple[str, float]]:
    """Station and length in minutes of every bar."""
    found = []
    for axes in figure.axes:
        names = [label.get_text() for label in axes.get_yticklabels()]
        for patch in axes.patches:
            if patch.get_gid() == kind:
                row = patch.get_y() + patch.get_height() / 2  # type: ignore[attr-defined]
                found.append((names[round(row)], patch.get_width()))  # type: ignore[attr-defined]
    return found


def test_time_without_passes_is_left_out_and_bars_keep_their_length() -> None:
    contacts = [bar("A", 0, 5), bar("B", 95, 4), bar("A", 1440, 6)]
    figure = gantt(contacts, stations=("A", "B"), views=[bar("A", 0, 9), bar("B", 93, 8), bar("A", 1438, 9)])
    assert sorted(drawn(figure, "contact")) == [
        ("A", pytest.approx(5)),
        ("A", pytest.approx(6)),
        ("B", pytest.approx(4)),
    ]
    assert len(drawn(figure, "view")) == 3
    (axes,) = figure.axes
    # 26 minutes of passes and the space between, of a day
    assert np.diff(axes.get_xlim())[0] == pytest.approx(30.0, abs=2.0)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["00:00\n09-19", "01:33\n09-19", "23:58\n09-19"]


def test_continuous_service_is_one_plain_axis() -> None:
    contacts = [bar("A", 30 * number, 25, f"S{number % 3}") for number in range(48)]
    figure = gantt(contacts, stations=("A",))
    assert [axes.get_xlim() for axes in figure.axes] == [pytest.approx((0.0, 1435.0 / 4))] * 4
    bars = [patch for axes in figure.axes for patch in axes.patches if patch.get_gid() == "contact"]
    # 48 contacts, one on each of the three cuts between lines: drawn on both and clipped by the axes
    assert len(bars) in (48, 49, 50, 51)
    colours = {patch.get_facecolor() for patch in bars}
    assert len(colours) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()][:3] == ["S0", "S1", "S2"]


def test_many_passes_are_on_lines_of_one_scale() -> None:
    contacts = [bar("A", 95 * number, 8) for number in range(90)]
    figure = gantt(contacts, stations=("A", "B"))
    assert len(figure.axes) == 5
    assert len(drawn(figure, "contact")) == 90
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_many_satellites_have_colours_of_their_own() -> None:
    contacts = [bar("A", 10 * number, 9, f"S{number:02d}") for number in range(30)]
    figure = gantt(contacts, stations=("A",))
    assert len({patch.get_facecolor() for patch in figure.axes[0].patches if patch.get_gid() == "contact"}) == 30
    assert "and 6 more" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_nothing_planned_is_said() -> None:
    figure = gantt([], stations=("A",))
    assert "Nothing to plan" in figure.axes[0].texts[0].get_text()


def test_grouped_bars_stand_at_their_place() -> None:
    figure = grouped_bars(
        ["A", "B"], {"x": [1.0, 2.0], "y": [3.0, 4.0]}, title="t", y_label="y", marks={"m": [5.0, float("nan")]}
    )
    (axes,) = figure.axes
    centres = [patch.get_x() + patch.get_width() / 2 for patch in axes.patches]  # type: ignore[attr-defined]
    assert centres == pytest.approx([-0.21, 0.79, 0.21, 1.21])
    assert [patch.get_height() for patch in axes.patches] == [1.0, 2.0, 3.0, 4.0]  # type: ignore[attr-defined]
    assert [segment[0][1] for segment in axes.collections[0].get_segments()] == [5.0]  # type: ignore[attr-defined]
