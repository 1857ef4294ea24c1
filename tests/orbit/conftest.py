"""What the orbit tests share: eleven cities, the elements of Micius, skyfield as an independent oracle."""

from __future__ import annotations

import warnings
from importlib import resources
from types import SimpleNamespace

import numpy as np
import pytest

from satqkd.orbit.elements_io import parse_elements
from satqkd.orbit.site import ElevationMask, Site

CITIES_DEG_M = {
    "Shanghai": (31.2304, 121.4737, 4.0),
    "Beijing": (39.9042, 116.4074, 44.0),
    "Chengdu": (30.5728, 104.0668, 500.0),
    "Guangzhou": (23.1291, 113.2644, 21.0),
    "Wuhan": (30.5928, 114.3055, 23.0),
    "Xi'an": (34.3416, 108.9398, 405.0),
    "Shenyang": (41.8057, 123.4315, 45.0),
    "Hefei": (31.8206, 117.2272, 37.0),
    "Jinan": (36.6512, 117.1201, 23.0),
    "Urumqi": (43.8256, 87.6168, 800.0),
    "Lhasa": (29.6520, 91.1721, 3650.0),
}


def place(name, latitude_deg, longitude_deg, altitude_m, mask_deg=10.0):
    """A site from degrees, with a constant mask."""
    return Site(
        name,
        float(np.radians(latitude_deg)),
        float(np.radians(longitude_deg)),
        altitude_m,
        ElevationMask.constant(float(np.radians(mask_deg))),
    )


@pytest.fixture(scope="session")
def make_site():
    return place


@pytest.fixture(scope="session")
def cities():
    """City centres of Wang et al., elevation above 10 degrees."""
    return [place(name, *where) for name, where in CITIES_DEG_M.items()]


@pytest.fixture(scope="session")
def micius_text():
    return resources.files("satqkd.scenario").joinpath("presets/micius-2016.tle").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def micius_sets(micius_text):
    return parse_elements(micius_text)


@pytest.fixture(scope="session")
def micius(micius_sets):
    """The set of 22 September 2016, 19:50 UTC."""
    return micius_sets[1]


@pytest.fixture(scope="session")
def skyfield():
    """Skyfield's time scale (with measured UT1) and ephemeris, read offline; ``time(utc)`` converts arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from skyfield.api import Loader
        from skyfield_data import get_skyfield_data_path

        loader = Loader(get_skyfield_data_path(), verbose=False)
        scale = loader.timescale(builtin=False)
        ephemeris = loader("de421.bsp")

    def time(utc):
        ns = np.asarray(utc, dtype="datetime64[ns]").astype(np.int64)
        day, rest = np.divmod(ns, 86_400_000_000_000)
        return scale.utc(1970, 1, 1 + day, 0, 0, rest / 1e9)

    yield SimpleNamespace(scale=scale, ephemeris=ephemeris, time=time)
    ephemeris.close()
