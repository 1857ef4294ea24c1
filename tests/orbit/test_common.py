"""The closest that a satellite comes to being seen from two stations."""

from __future__ import annotations

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.common import closest_approach
from satqkd.orbit.frames import look_angles
from satqkd.orbit.propagation import GeostationaryOrbit, Sgp4Orbit

START, END = np.datetime64("2016-09-24T17:30", "ns"), np.datetime64("2016-09-24T18:05", "ns")


@pytest.fixture(scope="module")
def far(make_site):
    return make_site("Delingha", 37.379, 97.7269, 3153.0), make_site("Sydney", -33.87, 151.2, 0.0)


def lower(orbit, pair, times):
    return np.min([look_angles(*orbit.states_ecef(times), site).elevation_rad for site in pair], axis=0)


@pytest.mark.parametrize("days", [0, 2])
def test_no_instant_of_a_dense_search_is_better(micius, far, days):
    orbit = Sgp4Orbit(micius)
    end = END + np.timedelta64(days, "D")
    found = closest_approach(orbit, *far, START, end)
    dense = np.arange(START, end, np.timedelta64(1, "s"))
    values = lower(orbit, far, dense)
    assert found.lower_rad == pytest.approx(values.max(), abs=np.radians(0.01))  # half a second at 0.02 deg/s
    assert found.lower_rad >= values.max() - 1e-12  # a sample cannot beat the peak between samples
    assert abs(found.time - dense[values.argmax()]) <= np.timedelta64(1, "s")


def test_exchange_of_the_stations(micius, far):
    there, back = (closest_approach(Sgp4Orbit(micius), *pair, START, END) for pair in (far, far[::-1]))
    assert there.time == back.time
    assert (there.elevation_a_rad, there.elevation_b_rad) == (back.elevation_b_rad, back.elevation_a_rad)
    assert there.lower_rad < 0.0  # 9,000 km apart: 500 km high is below the horizon of both


def test_a_satellite_at_rest_is_always_as_close(far):
    found = closest_approach(GeostationaryOrbit("G", np.radians(125.0)), *far, START, END)
    assert found.lower_rad == pytest.approx(
        lower(GeostationaryOrbit("G", np.radians(125.0)), far, [START])[0], rel=1e-9
    )
    with pytest.raises(InputError, match="end must be after start"):
        closest_approach(GeostationaryOrbit("G", 2.0), *far, END, START)
