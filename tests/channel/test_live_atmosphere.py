"""The live solver: path integrals, single scattering in the thin limit, Table 3, a missing extra."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from satqkd.channel.aerosol import SITES
from satqkd.channel.atmosphere_layers import AtmosphereLayers, atmosphere_layers
from satqkd.channel.extinction import slant_depth
from satqkd.channel.live_atmosphere import live_radiance, live_transmittance
from satqkd.errors import InputError, MissingExtraError

URBAN = {"aerosol": "urban", "visibility_m": 10e3}


@pytest.fixture(scope="module")
def layers() -> AtmosphereLayers:
    pytest.importorskip("sasktran2")
    return atmosphere_layers(wavelength_m=854.445e-9, **URBAN)


def test_direct_light_agrees_with_the_closed_form(layers: AtmosphereLayers) -> None:
    zenith = np.radians([0.0, 30.0, 60.0, 75.0, 85.0])
    traced = -np.log(live_transmittance(layers, zenith_rad=zenith))
    closed = slant_depth(zenith, wavelength_m=854.445e-9, **URBAN)
    # levels of 250 m to 20 km, extinction linear in between: 1.4 % at 85 deg; the gases' band law 0.3 % more
    np.testing.assert_allclose(traced, closed, rtol=0.02)
    assert traced[0] == pytest.approx(float(closed[0]), rel=1e-6)


def thin_air(layers: AtmosphereLayers, asymmetry: float) -> AtmosphereLayers:
    """A layer of molecules and particles that is optically thin and 100 m high."""
    per_m = np.where(layers.altitude_m <= 250.0, 1e-8, 0.0) + 1e-16
    return dataclasses.replace(
        layers, rayleigh_per_m=per_m, absorption_per_m=0.0 * per_m, aerosol_per_m=per_m,
        aerosol_albedo=0.5, aerosol_asymmetry=asymmetry,
    )  # fmt: skip


@pytest.mark.parametrize("azimuth_deg", [0.0, 70.0, 180.0])
def test_thin_air_scatters_once(layers: AtmosphereLayers, azimuth_deg: float) -> None:
    air = thin_air(layers, 0.6)
    sun, view, azimuth = np.radians([35.0, 50.0, azimuth_deg])
    cosine = np.cos(sun) * np.cos(view) + np.sin(sun) * np.sin(view) * np.cos(azimuth)
    scattered_depth = 0.5 * np.trapezoid(air.rayleigh_per_m, air.altitude_m)
    henyey_greenstein = (1.0 - 0.36) / (1.36 - 1.2 * cosine) ** 1.5
    molecules = 0.75 * (1.0 + cosine**2)
    expected = scattered_depth * (henyey_greenstein + 2.0 * molecules) / (4.0 * np.pi * np.cos(view))
    found = live_radiance(air, sun_zenith_rad=sun, view_zenith_rad=view, relative_azimuth_rad=azimuth)
    # second order: optical depth 1e-5; the sphere: 500 m / 6371 km
    assert float(found) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("site", "wavelength_nm", "irradiance", "published"),
    [("rural", "656.448", 495.0, 11.94), ("urban", "854.445", 238.0, 4.18), ("urban", "1550.027", 281.0, 2.29)],
)
def test_sky_radiance_is_within_5_percent_of_table_3(
    layers: AtmosphereLayers, site: str, wavelength_nm: str, irradiance: float, published: float
) -> None:
    air = SITES[site]
    sky = atmosphere_layers(
        wavelength_m=float(wavelength_nm + "e-9"), aerosol=air.aerosol, visibility_m=air.visibility_m
    )
    # view 60 deg south, Sun 60 deg east; irradiances in mW m-2 nm-1 fitted to Table 3 of Mannalath, Zapatero, Curty
    found = live_radiance(
        sky, sun_zenith_rad=np.radians(60), view_zenith_rad=np.radians(60), relative_azimuth_rad=np.radians(90)
    )
    assert float(found) * irradiance == pytest.approx(published, rel=0.05)  # required: 5 %


def test_more_streams_change_little(layers: AtmosphereLayers) -> None:
    where = {"sun_zenith_rad": 1.0, "view_zenith_rad": np.radians(60), "relative_azimuth_rad": np.radians(90)}
    few, many = (float(live_radiance(layers, streams=streams, **where)) for streams in (16, 32))
    assert few == pytest.approx(many, rel=2e-3)  # delta-M with exact single scattering


def test_brighter_ground_brightens_the_sky_and_angles_broadcast(layers: AtmosphereLayers) -> None:
    where = {"sun_zenith_rad": 1.0, "view_zenith_rad": np.radians([[20.0], [70.0]]), "relative_azimuth_rad": [1.0, 3.0]}
    dark, bright = (live_radiance(layers, albedo=albedo, **where) for albedo in (0.0, 0.3))
    assert dark.shape == (2, 2)
    assert (bright > dark).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sun_zenith_rad": 2.0}, "Sun zenith: 114.59.* deg, must be from 0 to 95 deg"),
        ({"view_zenith_rad": np.pi / 2}, "view zenith: 90 deg, must be from 0 to 89 deg"),
        ({"albedo": 1.5}, "ground albedo: 1.5"),
        ({"streams": 5}, "streams: 5, must be even and at least 4"),
    ],
)
def test_bad_input_is_one_clear_line(layers: AtmosphereLayers, change: dict[str, float], message: str) -> None:
    good = {"sun_zenith_rad": 1.0, "view_zenith_rad": 1.0, "relative_azimuth_rad": 0.0}
    with pytest.raises(InputError, match=message):
        live_radiance(layers, **(good | change))


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sasktran2", None)  # what import makes of a package that is not there
    air = atmosphere_layers(wavelength_m=854.445e-9, **URBAN)
    with pytest.raises(MissingExtraError, match=r"satqkd\[atmosphere\]"):
        live_transmittance(air, zenith_rad=0.0)
    with pytest.raises(MissingExtraError, match=r"satqkd\[atmosphere\]"):
        live_radiance(air, sun_zenith_rad=0.0, view_zenith_rad=0.0, relative_azimuth_rad=0.0)
