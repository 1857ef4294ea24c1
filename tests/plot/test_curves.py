"""Curves of tables: axes, data, labels of logarithmic axes."""

from __future__ import annotations

import numpy as np
import pytest

from satqkd.plot.curves import curves, power_of_ten

ROWS = [
    {"loss_db": x, "noise": n, "published": 10.0 ** (7 - x / 5) / n, "sound": 10.0 ** (6 - x / 5)}
    for n in (1.0, 2.0)
    for x in (0.0, 5.0, 10.0)
]


def test_one_line_per_series_and_column_with_the_table_s_values() -> None:
    figure = curves(ROWS, x="loss_db", series="noise", lines={"published": "a", "sound": "b"}, title="t", y_label="key")
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if len(line.get_xdata())]
    assert len(drawn) == 4
    np.testing.assert_array_equal(drawn[0].get_ydata(), [row["published"] for row in ROWS[:3]])
    assert axes.get_yscale() == "log"
    assert axes.get_xlabel() == "loss db"


def test_logarithmic_labels_are_plain_text() -> None:
    figure = curves(ROWS, x="loss_db", series="noise", lines={"published": "a"}, title="t", y_label="key")
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "10⁶" in labels
    assert not any("$" in label for label in labels)


@pytest.mark.parametrize(("value", "text"), [(1.0, "10⁰"), (1e-12, "10⁻¹²"), (1e7, "10⁷"), (2e7, ""), (0.0, "")])
def test_powers_of_ten(value: float, text: str) -> None:
    assert power_of_ten(value) == text
