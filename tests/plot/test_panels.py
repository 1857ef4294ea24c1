"""Grids of panels, maps of the sky and marks of categories: what is drawn where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from satqkd.plot.marks import marks
from satqkd.plot.panels import contour_panels, stacked_panels
from satqkd.plot.sky import sky_maps

X, Y = np.linspace(0.0, 1.0, 5), np.linspace(0.0, 2.0, 4)


def test_fields_share_a_scale_and_have_their_own_labelled_contours() -> None:
    low, high = 40.0 + 10.0 * X + Y[:, None], 60.0 + 10.0 * X + Y[:, None]
    figure: Any = contour_panels(
        X, Y, {("a", "1"): low, ("a", "2"): high}, title="t", x_label="x", y_label="y", colour_label="loss"
    )
    first, second, scale = figure.axes
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["a · 1", "a · 2"]
    meshes = [axes.collections[0] for axes in (first, second)]
    assert [mesh.get_clim() for mesh in meshes] == [(40.0, 72.0)] * 2
    np.testing.assert_array_equal(np.ravel(meshes[1].get_array()), high.ravel())
    # whole decibels within each field
    assert [text.get_text() for text in first.texts] == [f"{level:d}" for level in range(41, 52)][: len(first.texts)]
    assert len(first.texts) > 5
    assert scale.get_ylabel() == "loss"
    assert second.get_xlabel() == "x"  # the middle column
    assert first.get_ylabel() == "y"


def test_bars_stand_on_each_other_and_the_last_is_labelled() -> None:
    terms = {"one": np.array([1.0, 2.0]), "two": np.array([3.0, 4.4])}
    figure: Any = stacked_panels(np.array([0.0, 10.0]), {("a", "b"): terms}, title="t", x_label="x", y_label="dB")
    (axes,) = figure.axes
    bars = [(bar.get_y(), bar.get_height(), bar.get_width()) for bar in axes.patches]
    assert bars == [(0.0, 1.0, 8.0), (0.0, 2.0, 8.0), (1.0, 3.0, 8.0), (2.0, 4.4, 8.0)]
    assert [text.get_text() for text in axes.texts] == ["6"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "two"]


def test_north_is_up_east_is_right_and_only_levels_that_are_reached_are_drawn() -> None:
    azimuth, zenith = np.linspace(0.0, 360.0, 13), np.linspace(0.0, 90.0, 7)
    field = np.broadcast_to(10.0 + zenith[:, None], (7, 13)).copy()
    figure: Any = sky_maps(
        azimuth, zenith, {"a": field}, title="t", colour_label="radiance", views_deg={"a": (90.0, 45.0)},
        levels={"a": [(55.0, "reached"), (500.0, "beyond")]}, paths={"a": {"noon": (azimuth[:2], zenith[:2])}},
        columns=1,
    )  # fmt: skip
    axes = figure.axes[0]
    figure.canvas.draw()
    north, east = (axes.transData.transform((np.radians(angle), 90.0)) for angle in (0.0, 90.0))
    centre = axes.transData.transform((0.0, 0.0))
    assert (north - centre)[1] == pytest.approx((east - centre)[0], rel=1e-6)  # same radius, up and to the right
    assert (north - centre)[1] > 0.0
    labels = [text for text in axes.texts if text.get_text()]
    assert [text.get_text() for text in labels] == ["reached"]
    assert labels[0].xy[1] == pytest.approx(45.0, abs=1e-9)  # where 10 + zenith is 55
    (marked,) = [line.get_xydata() for line in axes.lines if line.get_marker() == "+"]
    np.testing.assert_allclose(marked, [[np.pi / 2, 45.0]], rtol=1e-12)  # rounding of radians
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["noon"]


def test_marks_stand_in_their_block_place_and_colour() -> None:
    rows = [
        {"sun": sun, "site": site, "band": band, "device": device, "p": 10.0**-exponent}
        for sun in ("day", "night")
        for site in ("R", "U")
        for band in ("red", "infrared")
        for device, exponent in (("APD A", 7), ("APD B", 8))
    ]
    figure: Any = marks(rows, block="sun", place="site", colour="band", shape="device", value="p", title="t",
                   y_label="noise", names={"night": "Night", "day": "Day"})  # fmt: skip
    night, day = figure.axes
    assert (night.get_title(loc="left"), day.get_title(loc="left")) == ("Night", "Day")
    assert len(night.lines) == len(day.lines) == 8
    drawn = np.array([line.get_xydata()[0] for line in night.lines])
    places = sorted({round(place, 6) for place in drawn[:, 0].tolist()})
    assert places == [-0.11, 0.11, 0.89, 1.11]
    faces = {str(line.get_markerfacecolor()) for line, p in zip(night.lines, drawn[:, 1], strict=True) if p > 5e-8}
    assert faces == {"white"}  # Spec A is hollow
