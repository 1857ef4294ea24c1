"""Adaptive optics and Strehl ratio: limits and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel.adaptive_optics import corrected_fried_m, strehl_ratio
from satqkd.errors import InputError

URBAN = {"fried_m": 0.0652, "aperture_diameter_m": 1.5, "greenwood_hz": 79.5, "tracking_hz": 9.31}


def test_no_bandwidth_leaves_the_seeing() -> None:
    assert float(corrected_fried_m(**URBAN, ao_bandwidth_hz=0.0)) == 0.0652
    mixed = corrected_fried_m(**URBAN, ao_bandwidth_hz=[0.0, 130.0])
    assert mixed[0] == 0.0652
    assert mixed[1] == pytest.approx(2.31, abs=0.01)  # independent implementation, 2.31451


def test_a_perfect_loop_gives_a_perfect_wavefront() -> None:
    perfect = corrected_fried_m(**URBAN, ao_bandwidth_hz=np.inf, tip_tilt_bandwidth_hz=np.inf)
    assert float(perfect) == np.inf
    assert float(strehl_ratio(aperture_diameter_m=1.5, fried_m=perfect)) == 1.0


def test_a_fast_mirror_leaves_the_residual_tilt() -> None:
    # 1 - S = 1.2 (D/r)^(5/3), and (D/r)^(5/3) = residual / 1.03
    tilt = corrected_fried_m(**{**URBAN, "tracking_hz": 0.01}, ao_bandwidth_hz=np.inf)
    residual = (0.5 * np.pi * 0.01 / 60.0) ** 2 / 1.03
    strehl = float(strehl_ratio(aperture_diameter_m=1.5, fried_m=tilt))
    assert 1.0 - strehl == pytest.approx(1.2 * residual, rel=1e-6)  # next order: the residual, 7e-8


def test_a_loop_at_the_greenwood_frequency_leaves_about_a_radian() -> None:
    found = corrected_fried_m(**URBAN, ao_bandwidth_hz=79.5, tip_tilt_bandwidth_hz=np.inf)
    # (D/r)^(5/3) = 1 / 1.03: wavefront variance 1.03 (D/r)^(5/3) = 1 rad^2, the definition of that frequency
    assert 1.03 * (1.5 / float(found)) ** (5 / 3) == pytest.approx(1.0, rel=1e-14)


@given(st.floats(0.01, 1e5), st.floats(0.01, 1e5))
def test_more_bandwidth_never_hurts(a: float, b: float) -> None:
    slow, fast = corrected_fried_m(**URBAN, ao_bandwidth_hz=np.array(sorted((a, b))))
    assert URBAN["fried_m"] <= slow <= fast


def test_without_adaptive_optics_strehl_falls_with_the_square_of_the_aperture() -> None:
    small, large = strehl_ratio(aperture_diameter_m=np.array([1e4, 2e4]), fried_m=0.05)
    assert small / large == pytest.approx(4.0, rel=1e-7)  # next order: 1.2 (r/D)^(5/3) = 2e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ao_bandwidth_hz": -1.0}, "ao_bandwidth_hz: -1 Hz"),
        ({"ao_bandwidth_hz": np.nan}, "ao_bandwidth_hz: nan"),
        ({"ao_bandwidth_hz": 130.0, "tip_tilt_bandwidth_hz": 0.0}, "tip_tilt_bandwidth_hz: 0 Hz"),
        ({"ao_bandwidth_hz": 130.0, "aperture_diameter_m": -1.5}, "aperture_diameter_m: -1.5"),
        ({"ao_bandwidth_hz": 130.0, "fried_m": 0.0}, "fried_m: 0"),
    ],
)
def test_bad_loops_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        corrected_fried_m(**{**URBAN, **change})


def test_a_negative_fried_parameter_has_no_strehl_ratio() -> None:
    with pytest.raises(InputError, match="fried_m"):
        strehl_ratio(aperture_diameter_m=1.0, fried_m=-0.1)
