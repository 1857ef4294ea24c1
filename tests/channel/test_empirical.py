"""Measured efficiency against elevation: geometry by vectors, interpolation at and between nodes."""

from __future__ import annotations

import numpy as np
import pytest

from satqkd.channel.empirical import interpolate_efficiency, zenith_pass_elevation_rad

TIMES = np.array([0.0, 100.0, 200.0, 300.0])
EFFICIENCY = np.array([2e-3, 1e-3, 2e-4, 7e-5])
CURVE = {"curve_time_s": TIMES, "curve_efficiency": EFFICIENCY, "curve_altitude_m": 500e3}


def test_elevation_is_that_of_vectors() -> None:
    radius, orbit = 6371e3, 6871e3
    rate = np.sqrt(3.986004418e14 / orbit**3)
    for time in (1.0, 60.0, 220.0, 340.0):
        satellite = orbit * np.array([np.sin(rate * time), np.cos(rate * time)])
        line = satellite - np.array([0.0, radius])
        expected = np.arcsin(line[1] / np.linalg.norm(line))
        # cancellation in the vertical component near the horizon: 1e-16 * R / 500 km
        assert float(zenith_pass_elevation_rad(time, altitude_m=500e3)) == pytest.approx(expected, rel=1e-11)


def test_culmination_is_zenith_and_the_pass_is_symmetric() -> None:
    assert float(zenith_pass_elevation_rad(0.0, altitude_m=500e3)) == np.pi / 2
    before, after = zenith_pass_elevation_rad([-50.0, 50.0], altitude_m=500e3)
    assert before == after


def test_printed_elevations_agree_within_their_rounding() -> None:
    from satqkd.scenario.load import load_scenario

    scenario = load_scenario("micius-zenith")
    text = scenario.channel.curve.text  # type: ignore[union-attr]
    rows = [line.split(",")[:2] for line in text.splitlines() if not line.startswith("#")]
    time, printed = np.array(rows, dtype=float).T
    computed = zenith_pass_elevation_rad(time, altitude_m=500e3)
    # three significant digits are printed: 0.005 rad from 1 rad on; the authors' radius and GM differ a little
    np.testing.assert_allclose(computed, printed, atol=0.0051)


def test_nodes_are_met_and_the_logarithm_is_linear_between_them() -> None:
    nodes = zenith_pass_elevation_rad(TIMES, altitude_m=500e3)
    np.testing.assert_allclose(interpolate_efficiency(nodes, **CURVE), EFFICIENCY, rtol=1e-14)
    middle = interpolate_efficiency((nodes[1] + nodes[2]) / 2.0, **CURVE)
    assert float(middle) == pytest.approx(np.sqrt(EFFICIENCY[1] * EFFICIENCY[2]), rel=1e-13)  # geometric mean


def test_nothing_is_extrapolated() -> None:
    lowest = float(zenith_pass_elevation_rad(300.0, altitude_m=500e3))
    with pytest.raises(ValueError, match="below the measured curve"):
        interpolate_efficiency([lowest - 1e-6], **CURVE)
