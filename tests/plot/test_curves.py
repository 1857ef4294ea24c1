"""Curves of tables: axes, data, labels of logarithmic axes."""

from __future__ import annotations

import numpy as np
import pytest

from satqkd.plot.curves import curves, few_digits, power_of_ten
from satqkd.plot.key_maps import fields_of, key_maps

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


@pytest.mark.parametrize(("value", "text"), [(2e4, "2·10⁴"), (5e-6, "5·10⁻⁶"), (3e4, ""), (1e4, ""), (0.0, "")])
def test_labels_between_powers_of_ten(value: float, text: str) -> None:
    assert few_digits(value) == text


def test_counts_have_whole_ticks() -> None:
    rows = [{"passes": n, "system": "A", "key": 1e4 * n} for n in range(1, 7)]
    figure = curves(rows, x="passes", series="system", lines={"key": "k"}, title="t", y_label="key", x_label="passes")
    figure.canvas.draw()
    (axes,) = figure.axes
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert "2·10⁴" in [label.get_text() for label in axes.get_yticklabels(minor=True)]


def test_maps_show_the_table_and_leave_out_what_has_no_key() -> None:
    rows = [
        {"noise": x, "errors": y, "a": 1e-2 / x if y < 0.02 else 0.0, "b": -1.0}
        for y in (0.0, 0.01, 0.02)
        for x in (1e-8, 1e-7, 1e-6, 1e-5)
    ]
    labels = {"title": "t", "x_label": "noise", "y_label": "errors", "colour_label": "key"}
    x, y, (first, second) = fields_of(rows, x="noise", y="errors", columns=["a", "b"])
    figure = key_maps(x, y, {"first": first, "second": second}, log_x=True, **labels)
    first, second, scale = figure.axes
    assert (first.get_title(loc="left"), second.get_title(loc="left"), scale.get_ylabel()) == ("first", "second", "key")
    field = first.collections[0].get_array()
    np.testing.assert_allclose(np.ma.filled(field, 0.0).reshape(3, 4)[1], [1e6, 1e5, 1e4, 1e3], rtol=1e-12)
    assert np.ma.getmaskarray(field).reshape(3, 4)[2].all()
    assert np.ma.getmaskarray(second.collections[0].get_array()).all()
    assert first.get_xscale() == "log"
