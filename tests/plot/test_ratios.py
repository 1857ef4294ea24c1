"""Ratios: every value at its place, the line of agreement, zero in view."""

from __future__ import annotations

import numpy as np

from satqkd.plot.ratios import ratios


def test_every_ratio_is_drawn_above_its_label() -> None:
    figure = ratios(["a", "b", "c"], {"one": [0.9, 1.1, 1.0], "two": [0.5, 0.6, 0.7]}, title="t", y_label="ratio")
    (axes,) = figure.axes
    agreement, *drawn = axes.lines
    np.testing.assert_array_equal(agreement.get_ydata(), [1.0, 1.0])
    np.testing.assert_array_equal([line.get_ydata() for line in drawn], [[0.9, 1.1, 1.0], [0.5, 0.6, 0.7]])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert axes.get_ylim()[0] == 0.0
