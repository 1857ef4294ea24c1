"""Cloud liquid water from the maps in itur: values, no network, and what is said without the package."""

from __future__ import annotations

import socket
import sys

import numpy as np
import pytest

from satqkd.channel.clouds import fractions_of_exceedance, liquid_water_thickness
from satqkd.errors import InputError, MissingExtraError
from satqkd.formats.itu_clouds import PROBABILITIES, exceeded_liquid_water

CITIES = {
    "Madrid": (40.42, -3.70, 0.64),
    "Vienna": (48.21, 16.37, 0.46),
    "Warsaw": (52.23, 21.01, 0.33),
    "Edinburgh": (55.95, -3.19, 0.29),
}
"""Latitude, longitude and clear fraction by an independent implementation from the same maps."""


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "itur.models", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'satqkd\[clouds\]'"):
        exceeded_liquid_water(latitude_deg=40.0, longitude_deg=0.0)


class TestWithItur:
    @pytest.fixture(autouse=True)
    def offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("network used")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        pytest.importorskip("itur")

    def test_clear_fractions_of_four_cities(self) -> None:
        latitude, longitude, clear = np.array(list(CITIES.values())).T
        water = exceeded_liquid_water(latitude_deg=latitude, longitude_deg=longitude)
        found = fractions_of_exceedance(liquid_water_thickness(water), probability=PROBABILITIES)
        # printed to two digits
        np.testing.assert_allclose(found.clear, clear, atol=0.005)
        # what no way of interpolating could change: the classes are within the maps' own steps of probability
        thickness = liquid_water_thickness(water)
        for cut, above in ((0.05, 1.0 - found.clear), (3.6, found.opaque)):
            steps = np.array([np.searchsorted(-row, -cut) for row in thickness])
            assert np.all((np.array(PROBABILITIES)[steps - 1] <= above) & (above <= np.array(PROBABILITIES)[steps]))

    def test_grid_points_are_the_maps_values_and_the_earth_is_round(self) -> None:
        from itur.utils import dataset_dir

        with np.load(f"{dataset_dir}/840/v7_lred_10.npz") as file:
            table = file[file.files[0]]
        # 1.125 deg from 90 N 0 E
        found = exceeded_liquid_water(latitude_deg=90.0 - 1.125 * 40, longitude_deg=1.125 * np.array([8, 8 - 320]))
        np.testing.assert_allclose(found[:, PROBABILITIES.index(0.1)], table[40, 8], rtol=1e-9)  # bilinear weights

    def test_more_water_is_exceeded_less_often(self) -> None:
        rng = np.random.default_rng(5)
        water = exceeded_liquid_water(latitude_deg=rng.uniform(-60, 70, 50), longitude_deg=rng.uniform(-180, 180, 50))
        assert water.shape == (50, 18)
        assert np.all(np.diff(water, axis=1) <= 0.0)

    def test_place_without_a_value_is_an_error(self) -> None:
        with pytest.raises(InputError, match=r"no value at 90\.00 deg N"):
            exceeded_liquid_water(latitude_deg=[40.0, 90.0], longitude_deg=[0.0, 180.0])
