"""Pointing loss: averages over the jitter, limits, readings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel.beam import annular_collected_fraction
from satqkd.channel.pointing import pointing_transmittance
from satqkd.errors import InputError

GEO = {"slant_range_m": 38_611_500.0, "beam_radius_m": 67.2849}


def averaged(sigma_x: float, sigma_y: float, bias_x: float, bias_y: float) -> float:
    """Irradiance on the axis averaged over the pointing by Gauss-Hermite quadrature per axis."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    distance, radius = GEO["slant_range_m"], GEO["beam_radius_m"]
    means = [
        np.sum(weights * np.exp(-2.0 * ((bias + sigma * nodes) * distance / radius) ** 2)) / np.sqrt(2.0 * np.pi)
        for sigma, bias in ((sigma_x, bias_x), (sigma_y, bias_y))
    ]
    return float(means[0] * means[1])


@pytest.mark.parametrize("sigma", [0.2e-6, 0.5e-6, 1e-6])
@pytest.mark.parametrize("bias", [0.0, 0.8e-6])
def test_pointing_is_the_average_over_both_axes(sigma: float, bias: float) -> None:
    found = pointing_transmittance(**GEO, jitter_rad=sigma, bias_x_rad=bias, bias_y_rad=-0.3 * bias)
    # 100 nodes: the Gaussian is at most 0.57 of the beam's width
    assert float(found) == pytest.approx(averaged(sigma, sigma, bias, -0.3 * bias), rel=1e-10)


def test_axes_may_differ() -> None:
    found = pointing_transmittance(**GEO, jitter_rad=0.3e-6, jitter_y_rad=0.9e-6, bias_y_rad=0.4e-6)
    assert float(found) == pytest.approx(averaged(0.3e-6, 0.9e-6, 0.0, 0.4e-6), rel=1e-10)
    same = pointing_transmittance(**GEO, jitter_rad=0.3e-6, jitter_y_rad=0.3e-6)
    assert float(same) == pytest.approx(float(pointing_transmittance(**GEO, jitter_rad=0.3e-6)), rel=1e-14)


def test_no_jitter_loses_nothing_and_little_jitter_little() -> None:
    assert float(pointing_transmittance(**GEO, jitter_rad=0.0)) == 1.0
    shift = (1e-9 * GEO["slant_range_m"] / GEO["beam_radius_m"]) ** 2
    # next order: 4 x the shift, 1e-6
    assert 1.0 - float(pointing_transmittance(**GEO, jitter_rad=1e-9)) == pytest.approx(4.0 * shift, rel=1e-5)


def test_radial_reading_has_half_the_variance() -> None:
    loss = [
        -10.0 * np.log10(pointing_transmittance(**GEO, jitter_rad=0.5e-6, reading=r)) for r in ("per-axis", "radial")
    ]
    assert loss == pytest.approx([1.236, 0.662], abs=1e-3)  # printed in the docs
    halved = pointing_transmittance(**GEO, jitter_rad=0.5e-6 / np.sqrt(2.0))
    np.testing.assert_allclose(pointing_transmittance(**GEO, jitter_rad=0.5e-6, reading="radial"), halved, rtol=1e-14)


@given(st.floats(0.1, 10.0), st.floats(0.0, 3.0))
def test_small_receiver_sees_a_jittering_beam_as_a_wider_one(radius: float, sigma: float) -> None:
    # jitter and beam are both Gaussian, so their convolution is a Gaussian of w^2 + 4 sigma^2
    receiver = 1e-3 * radius
    jittered = pointing_transmittance(1.0, beam_radius_m=radius, jitter_rad=sigma) * annular_collected_fraction(
        radius, aperture_diameter_m=receiver
    )
    wide = annular_collected_fraction(np.hypot(radius, 2.0 * sigma), aperture_diameter_m=receiver)
    # next order: D^2 / 4 w^2 = 2.5e-7
    assert float(jittered) == pytest.approx(float(wide), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jitter_rad": -1e-6}, "jitter_rad: -1e-06 is not allowed, from 0"),
        ({"jitter_rad": np.nan}, "jitter_rad: nan"),
        ({"jitter_rad": 1e-6, "jitter_y_rad": -1e-6}, "jitter_y_rad"),
        ({"jitter_rad": 1e-6, "bias_x_rad": np.inf}, "bias_x_rad"),
        ({"jitter_rad": 1e-6, "reading": "axis"}, "nearest: per-axis"),
        ({"jitter_rad": 1e-6, "slant_range_m": 0.0}, "slant_range_m: 0"),
    ],
)
def test_bad_pointing_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pointing_transmittance(**{**GEO, **change})
