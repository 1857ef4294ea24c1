"""The map: outlines of land, what a station sees, tracks, the date line."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.path import Path

from satqkd import plot
from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.plot.ground_track import track_segments
from satqkd.plot.land import land_rings
from satqkd.plot.select import footprint


def _direction(latitude, longitude):
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1
    )


def _is_land(longitude, latitude):
    inside = 0
    for turn in (-360.0, 0.0, 360.0):
        inside += sum(Path(ring).contains_point((longitude + turn, latitude)) for ring in land_rings())
    return inside % 2 == 1


@pytest.mark.parametrize(
    ("longitude", "latitude", "land"),
    [
        (116.4, 39.9, True), (-100.0, 40.0, True), (25.0, -30.0, True), (0.0, -85.0, True), (140.0, -75.0, True),
        (178.0, 67.5, True), (-174.0, 66.5, True), (-40.0, 75.0, True),
        (-160.0, 0.0, False), (-30.0, 40.0, False), (51.0, 42.0, False), (90.0, 0.0, False), (0.0, 89.0, False),
    ],
)  # fmt: skip
def test_land_is_where_it_is(longitude, latitude, land):
    # cities and open sea; the Caspian is a hole, Chukotka crosses the date line, Antarctica surrounds the pole
    assert _is_land(longitude, latitude) is land


def test_rings_are_closed_and_do_not_jump():
    for ring in land_rings():
        assert np.array_equal(ring[0], ring[-1])
        on_pole = np.abs(ring[:, 1]) == 90.0
        steps = np.abs(np.diff(ring[:, 0]))[~(on_pole[1:] & on_pole[:-1])]
        assert steps.max() < 60.0


def _elevation(latitude_rad, longitude_rad, outline, altitude_m):
    """Elevation of the satellite above each point of the outline, from vectors."""
    site = _direction(latitude_rad, longitude_rad)
    place = (MEAN_EARTH_RADIUS_M + altitude_m) * _direction(*np.radians(outline))
    line = place - MEAN_EARTH_RADIUS_M * site
    return np.arcsin(line @ site / np.linalg.norm(line, axis=-1))


@pytest.mark.parametrize("latitude_deg", [-75.0, 0.0, 31.0, 88.0])
def test_the_satellite_is_at_the_mask_on_the_edge_of_the_view(latitude_deg):
    site = {"latitude_rad": np.radians(latitude_deg), "longitude_rad": np.radians(170.0)}
    outline = footprint(**site, mask=np.radians(20.0), altitude_m=500e3)
    elevation = _elevation(*site.values(), outline, 500e3)
    np.testing.assert_allclose(elevation, np.radians(20.0), atol=1e-9)  # near the pole the arcsine loses digits


def test_a_mask_around_the_horizon_shapes_the_view():
    mask = tuple((np.radians(a), np.radians(e)) for a, e in ((0.0, 10.0), (90.0, 40.0), (180.0, 10.0), (270.0, 10.0)))
    outline = footprint(latitude_rad=0.5, longitude_rad=0.0, mask=mask, altitude_m=500e3, points=5)
    elevation = _elevation(0.5, 0.0, outline, 500e3)
    np.testing.assert_allclose(np.degrees(elevation), [10.0, 40.0, 10.0, 10.0, 10.0], atol=1e-9)


def _lines(figure, gid):
    return [line for line in figure.axes[0].get_lines() if line.get_gid() == gid]


def test_map_shows_stations_views_and_tracks_in_degrees(run):
    figure = plot.ground_track(run.link, stations=run.scenario.stations)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Longitude [deg]", "Latitude [deg]")
    (stations,) = _lines(figure, "stations")
    np.testing.assert_allclose(stations.get_xdata(), [121.4737, 116.4074, 104.0668], rtol=1e-12)
    np.testing.assert_allclose(stations.get_ydata(), [31.2304, 39.9042, 30.5728], rtol=1e-12)
    assert len(_lines(figure, "view")) == 3
    tracks = _lines(figure, "track")
    assert len(tracks) == 5
    shown = np.concatenate([line.get_xydata() for line in tracks])
    known = {tuple(p) for p in np.column_stack([run.link["satellite_longitude"][0], run.link["satellite_latitude"][0]])}
    rounded = {tuple(np.round(p, 6)) for p in known}
    assert {tuple(np.round(p, 6)) for p in shown} <= rounded
    names = {text.get_text() for text in axes.texts}
    assert names == {"Shanghai", "Beijing", "Chengdu"}


def test_view_on_the_map_has_the_height_of_the_orbit(run):
    figure = plot.ground_track(run.link, stations=run.scenario.stations[:1])
    (view,) = _lines(figure, "view")
    station = run.scenario.stations[0]
    outline = (view.get_ydata(), view.get_xdata())
    elevation = _elevation(station.latitude, station.longitude, outline, 500e3)
    np.testing.assert_allclose(np.degrees(elevation), 10.0, atol=1e-6)  # the height is found from the samples


def test_names_of_neighbours_do_not_overlap(make_run, make_scenario):
    case = make_run(make_scenario(11))
    figure = plot.ground_track(case.link, stations=case.scenario.stations)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    overlaps = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert overlaps == []


def test_map_across_the_date_line_is_one_piece():
    stations = [
        SimpleNamespace(name=name, latitude=np.radians(lat), longitude=np.radians(lon), elevation_mask=0.2)
        for name, lat, lon in (("Suva", -18.1, 178.4), ("Apia", -13.8, -171.8))
    ]
    import xarray as xr

    longitude = np.array([[175.0, 177.0, 179.0, -179.0, -177.0]])
    shape = ("station", "satellite", "time")
    link = xr.Dataset(
        {
            "pass_number": (shape, np.zeros((2, 1, 5), int)),
            "slant_range": (shape, np.full((2, 1, 5), 500e3)),
            "elevation": (shape, np.full((2, 1, 5), 90.0)),
            "satellite_latitude": (("satellite", "time"), np.full((1, 5), -15.0)),
            "satellite_longitude": (("satellite", "time"), longitude),
        },
        coords={
            "station": ["Suva", "Apia"], "satellite": ["s"],
            "time": np.datetime64("2026-01-01", "ns") + np.arange(5) * np.timedelta64(1, "s"),
        },
    )  # fmt: skip
    figure = plot.ground_track(link, stations=stations)
    (track,) = _lines(figure, "track")
    np.testing.assert_allclose(np.diff(track.get_xdata()), 2.0)
    low, high = figure.axes[0].get_xlim()
    assert low < 178.4 - 360.0 < -171.8 < high
    assert high - low < 120.0  # not half the world, but no strip either
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert "180" in labels
    assert any(label.startswith("\N{MINUS SIGN}17") for label in labels)


def test_tracks_are_split_between_passes(run):
    segments = track_segments(run.link, 0)
    assert len(segments) == 5
    assert sum(len(latitude) for latitude, _ in segments) == run.link.sizes["time"]


def test_from_a_high_orbit_the_map_shows_stations_and_satellite_not_half_the_world(run):
    link = run.link.copy(deep=True)
    link["satellite_latitude"] = 0.0 * link["satellite_latitude"]
    link["satellite_longitude"] = 0.0 * link["satellite_longitude"] + 105.0
    link["slant_range"] = 0.0 * link["slant_range"] + 37_000e3
    figure = plot.ground_track(link, stations=run.scenario.stations)
    (track,) = _lines(figure, "track")
    assert track.get_marker() == "D"
    assert (set(track.get_xdata()), set(track.get_ydata())) == ({105.0}, {0.0})
    assert _lines(figure, "view") == []
    low, high = figure.axes[0].get_xlim()
    assert low < 104.0 < 121.5 < high
    assert high - low < 120.0  # not half the world, but no strip either
    assert "beyond the map" in figure.axes[0].get_title(loc="right")


def test_many_satellites_are_one_entry_of_the_legend(run):
    import xarray as xr

    names = [f"S{i}" for i in range(8)]
    link = xr.concat([run.link.isel(satellite=0)] * 8, dim=xr.Variable("satellite", names))
    figure = plot.ground_track(link, stations=run.scenario.stations)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0] == "8 satellites"
    assert len(labels) == 2
    assert len(_lines(figure, "track")) == 40
