"""Places in grids and instants between files: exact cases, closure around the Earth, gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from satqkd.errors import InputError
from satqkd.formats.cloud_grids import SPACE_METHODS, corners, sample_times, weighted

LATITUDE, LONGITUDE = np.array([10.0, 11.0, 13.0, 16.0]), np.array([-2.0, 0.0, 1.0])
VALUES = np.random.default_rng(7).random((4, 3))


def value_at(north: float, east: float, space: str, sign: int = 1) -> float:
    cells = corners(LATITUDE[::sign], LONGITUDE[::sign], latitude_deg=[north], longitude_deg=[east], space=space)
    return float(weighted(VALUES[::sign, ::sign][cells.row, cells.column], cells.weight)[0])


@given(st.floats(10.0, 16.0), st.floats(-2.0, 1.0), st.sampled_from([1, -1]))
def test_bilinear_is_that_of_scipy_on_rising_and_falling_axes(north: float, east: float, sign: int) -> None:
    oracle = RegularGridInterpolator((LATITUDE, LONGITUDE), VALUES, method="linear")
    # longitudes pass through a remainder of 360: 1e-13 deg
    assert value_at(north, east, "bilinear", sign) == pytest.approx(float(oracle((north, east))), abs=1e-12)


@pytest.mark.parametrize("space", SPACE_METHODS)
def test_centres_give_their_own_values(space: str) -> None:
    for i, north in enumerate(LATITUDE):
        for k, east in enumerate(LONGITUDE):
            assert value_at(north, east + 360.0, space) == pytest.approx(VALUES[i, k], rel=1e-12)


@pytest.mark.parametrize(("space", "reach_deg"), [("nearest", 0.5), ("bilinear", 0.0)])
def test_how_far_a_grid_reaches(space: str, reach_deg: float) -> None:
    grid = {"grid_latitude_deg": [10.0, 11.0, 12.0], "grid_longitude_deg": [0.0, 1.0]}
    for north, sign in ((10.0, -1.0), (12.0, 1.0)):
        cells = corners(**grid, latitude_deg=[north + sign * reach_deg], longitude_deg=[0.5], space=space)
        assert cells.weight.sum() == 1.0
        with pytest.raises(InputError, match="is outside the grid, which has 10 to 12 deg"):
            corners(**grid, latitude_deg=[north + sign * (reach_deg + 0.01)], longitude_deg=[0.5], space=space)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("origin_deg", [-180.0, 0.0])
def test_a_grid_around_the_earth_is_closed(sign: int, origin_deg: float) -> None:
    longitude = (origin_deg + np.arange(0.0, 360.0, 90.0))[::sign]
    values = np.array([[1.0, 2.0, 4.0, 8.0]] * 2)[:, ::sign]
    places = origin_deg + np.array([315.0, -45.0, 350.0, 0.0])
    for space, expected in (("bilinear", [4.5, 4.5, 8 - 7 * 80 / 90, 1.0]), ("nearest", [None, None, 1.0, 1.0])):
        cells = corners([0.0, 1.0], longitude, latitude_deg=np.full(4, 0.5), longitude_deg=places, space=space)
        found = weighted(values[cells.row, cells.column], cells.weight)
        wanted = [pytest.approx(value, rel=1e-12) for value in expected if value is not None]
        assert list(found[-len(wanted) :]) == wanted


@pytest.mark.parametrize("axis", [[1.0], [1.0, 1.0], [1.0, 3.0, 2.0], [[1.0, 2.0]]])
def test_an_axis_that_is_none_is_refused(axis: object) -> None:
    with pytest.raises(InputError, match="latitude of the grid"):
        corners(axis, LONGITUDE, latitude_deg=[1.0], longitude_deg=[0.0])


def times(*minutes: float) -> np.ndarray:
    return np.datetime64("2016-09-23T00:00", "ns") + np.array([round(m * 60e9) for m in minutes], dtype="m8[ns]")


FILES, READ = times(0, 10, 20, 80), np.array([[0.0, 1.0], [2.0, np.nan], [4.0, 5.0], [10.0, 11.0]])
NAN = np.nan


@pytest.mark.parametrize(
    ("method", "minutes", "expected"),
    [
        ("linear", (0, 5, 10, 15, 20, 80), [[0, 1], [1, NAN], [2, NAN], [3, NAN], [4, 5], [10, 11]]),
        ("linear", (21, 50, 79), [[NAN, NAN]] * 3),  # inside a gap of an hour
        ("nearest", (-15, 4, 6, 35, 36, 66, 94), [[0, 1], [0, 1], [2, NAN], [4, 5], [NAN] * 2, [10, 11], [10, 11]]),
    ],
)
def test_between_files(method: str, minutes: tuple[float, ...], expected: list[list[float]]) -> None:
    found = sample_times(FILES, READ, times(*minutes), time=method, max_gap_s=1800.0)
    np.testing.assert_allclose(found, expected, atol=1e-14)  # quotients of whole seconds


@pytest.mark.parametrize(("method", "minutes"), [("linear", (-0.1, 5)), ("linear", (5, 80.1)), ("nearest", (5, 96))])
def test_instants_outside_the_files_are_an_error(method: str, minutes: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"not all within the files, which cover 2016-09-23T00:00:00Z to .*01:20:00Z"):
        sample_times(FILES, READ, times(*minutes), time=method, max_gap_s=1800.0)


def test_one_file_and_unknown_method() -> None:
    found = sample_times(FILES[:1], READ[:1], times(0), time="linear", max_gap_s=1800.0)
    np.testing.assert_array_equal(found, [[0.0, 1.0]])
    with pytest.raises(InputError, match="known are nearest, linear"):
        sample_times(FILES, READ, times(0), time="cubic", max_gap_s=1800.0)
