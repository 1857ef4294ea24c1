"""Uplink budget: reciprocity with the downlink, sums, readings by name, refusals."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel.budget import TERMS, LinkBudget, downlink
from satqkd.channel.turbulence import TURBULENCE_PROFILES
from satqkd.channel.uplink import UPLINK_SPREADS
from satqkd.channel.uplink_budget import uplink
from satqkd.errors import InputError

CALM = dataclasses.replace(
    TURBULENCE_PROFILES["hv-5-7"],
    cn2=dataclasses.replace(TURBULENCE_PROFILES["hv-5-7"].cn2, ground=1e-30, troposphere=0.0, tropopause=0.0),
)
LINK: dict[str, Any] = {
    "slant_range_m": 6e5, "zenith_rad": 0.5, "wavelength_m": 780e-9, "tx_aperture_diameter_m": 0.13,
    "rx_aperture_diameter_m": 0.30, "site": "hv-5-7", "coupling": 0.25, "atmosphere": 0.8, "receiver": 0.5,
    "detector": 0.5,
}  # fmt: skip


def link(**changes: Any) -> LinkBudget:
    return uplink(**{**LINK, **changes})


@given(st.floats(0.05, 0.5), st.floats(0.05, 0.5), st.floats(4e5, 4e7), st.floats(1.0, 2.0))
def test_without_turbulence_telescopes_may_be_exchanged(a: float, b: float, distance_m: float, quality: float) -> None:
    """The same light gets through upwards from a to b, upwards from b to a, and downwards."""
    common = {"slant_range_m": distance_m, "zenith_rad": 0.4, "wavelength_m": 850e-9, "atmosphere": 0.7}
    common |= {"receiver": 0.5, "detector": 0.6, "beam_quality": quality, "waist_fraction": 0.25, "site": CALM}
    up = uplink(**common, tx_aperture_diameter_m=a, rx_aperture_diameter_m=b)
    swapped = uplink(**common, tx_aperture_diameter_m=b, rx_aperture_diameter_m=a)
    down = downlink(**common, tx_aperture_diameter_m=b, rx_aperture_diameter_m=a, jitter_rad=0.0, coupling="free-space")
    # far field: the next orders are (waist / spot)^2 and the exponential's, both from the Fresnel number a b / lambda L
    near_field = (max(a, b) ** 2 / (850e-9 * distance_m)) ** 2
    assert float(up.total / swapped.total) == pytest.approx(1.0, abs=5.0 * near_field + 1e-12)
    assert float(swapped.total / down.total) == pytest.approx(1.0, abs=5.0 * near_field + 1e-12)
    assert float(down.total / up.total) == pytest.approx(1.0, abs=5.0 * near_field + 1e-12)


def test_an_uplink_loses_to_turbulence_what_a_downlink_loses_in_its_coupling() -> None:
    """Reciprocity: the ground telescope's mode meets the same wavefront in both directions."""
    common = {"slant_range_m": 4e7, "zenith_rad": 0.5, "wavelength_m": 780e-9, "atmosphere": 1.0, "receiver": 1.0}
    common |= {"detector": 1.0, "beam_quality": 1.0, "waist_fraction": 0.316, "site": "hv-5-7"}
    up = uplink(
        **common, tx_aperture_diameter_m=1.0, rx_aperture_diameter_m=0.1, coupling=1.0, spread="long-term-integral"
    )
    down = downlink(**common, tx_aperture_diameter_m=0.1, rx_aperture_diameter_m=1.0, jitter_rad=0.0)
    # turbulence does not widen a downlink's spot
    np.testing.assert_allclose(down.broadening, 0.0, atol=1e-3)
    upward_db = 10.0 * np.log10(1.0 + float(up.broadening))
    downward_db = -10.0 * np.log10(float(down.strehl))
    # strong turbulence: (D0/r0)^2 and (D/r0)^2, D0 = sqrt(8) 0.316 D; the Strehl ratio's closed form is good to 0.3 dB
    assert upward_db == pytest.approx(downward_db + 20.0 * np.log10(np.sqrt(8.0) * 0.316), abs=0.35)
    # not small: D0 is ten times r0; the next order takes 1.2 (r0/D0)^(5/3) of the exponent's, 0.1 dB
    assert upward_db == pytest.approx(20.0 * np.log10(np.sqrt(8.0) * 0.316 / float(up.fried_m)), abs=0.2)


def test_published_numbers_of_the_closest_approach() -> None:
    this = link(
        slant_range_m=499.5e3, coupling=10**-0.59, atmosphere=1.0, receiver=10**-0.3, detector=10**-0.3,
        spread="fixed-divergence", divergence_rad=14e-6,
    )  # fmt: skip
    # 2 R_r^2 / (theta L)^2 = 2 * 0.15^2 / 6.993^2 = 9.2e-4, plus 11.9 dB
    expected = -10 * np.log10(2 * 0.15**2 / (14e-6 * 499.5e3) ** 2) + 11.9
    # first order of the exponential: 9.2e-4 / 2 = 0.002 dB
    assert this.loss_db().item() == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("spread", sorted(UPLINK_SPREADS))
def test_terms_multiply_to_the_total(spread: str) -> None:
    ranges = np.array([[5e5, 1e6, 2e6]]).T
    this = link(
        slant_range_m=ranges, zenith_rad=[0.0, 0.7], spread=spread, jitter_rad=1e-6,
        divergence_rad=14e-6 if spread == "fixed-divergence" else None,
    )  # fmt: skip
    assert this.total.shape == (3, 2)
    total_db = sum(this.loss_db(term) for term in TERMS)
    np.testing.assert_allclose(total_db, this.loss_db(), rtol=1e-12)  # six logarithms
    assert np.all(np.isfinite(total_db))
    np.testing.assert_allclose(this.spot_radius_m, this.diffraction_radius_m * np.sqrt(1 + this.broadening), rtol=1e-12)


def test_inverse_square_law_of_every_spread() -> None:
    for spread in UPLINK_SPREADS:
        divergence = 14e-6 if spread == "fixed-divergence" else None
        this = link(slant_range_m=[1e7, 2e7], spread=spread, divergence_rad=divergence)
        # lever arm of the turbulence 20 km / 1e7 m (tilt-corrected), waist / spot
        assert float(this.geometric[0] / this.geometric[1]) == pytest.approx(4.0, rel=3e-3)


def test_readings_order_as_they_should() -> None:
    loss = {name: float(link(zenith_rad=1.0, spread=name).loss_db()) for name in UPLINK_SPREADS if "fixed" not in name}
    order = ["vacuum", "tilt-corrected", "long-term-integral", "long-term", "published"]
    assert sorted(loss, key=loss.__getitem__) == order


def test_what_arrives_is_coherent_over_the_receiver() -> None:
    this = link(coupling="single-mode-fibre", zenith_rad=[0.0, 1.3])
    assert np.all(this.fried_corrected_m > 10.0 * this.fried_m)
    # Strehl ratio of 0.3 m in a wave that is coherent over metres: (0.3 / r0)^(5/3), 1 % and less
    np.testing.assert_allclose(this.coupling, 0.786, rtol=0.05)
    free = link(coupling="free-space", zenith_rad=[0.0, 1.3])
    np.testing.assert_allclose(free.coupling / this.coupling, 0.838 / 0.786, rtol=1e-12)  # same Strehl ratio


def test_jitter_and_bias_lower_the_total() -> None:
    still, shaken = link(), link(jitter_rad=2e-6)
    spot = float(still.spot_radius_m)
    expected = spot**2 / (spot**2 + 4 * (2e-6 * 6e5) ** 2)
    assert float(shaken.total / still.total) == pytest.approx(expected, rel=1e-12)  # same formula
    biased = link(bias_rad=2e-6)
    assert float(biased.pointing) == pytest.approx(np.exp(-2 * (2e-6 * 6e5) ** 2 / spot**2), rel=1e-12)  # Gaussian


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zenith_rad": np.pi / 2}, "above the horizon"),
        ({"zenith_rad": -0.1}, "above the horizon"),
        ({"wavelength_m": 780.0}, "wavelength_m .metres.: 780"),
        ({"wavelength_m": 0.78}, "wavelength_m .metres.: 0.78"),
        ({"tx_aperture_diameter_m": -0.13}, "tx_aperture_diameter_m"),
        ({"rx_aperture_diameter_m": 0.0}, "rx_aperture_diameter_m"),
        ({"slant_range_m": 0.0}, "slant_range_m"),
        ({"slant_range_m": 15e3}, "must leave the turbulence"),
        ({"slant_range_m": np.nan}, "slant_range_m"),
        ({"beam_quality": 0.9}, "beam_quality"),
        ({"waist_fraction": 0.0}, "waist_fraction"),
        ({"site": "hv-57"}, "nearest: hv-5-7"),
        ({"jitter_rad": -1e-6}, "jitter_rad"),
        ({"atmosphere": 1.1}, "atmosphere"),
        ({"receiver": -0.1}, "receiver"),
        ({"detector": np.nan}, "detector"),
        ({"coupling": 1.5}, "coupling"),
        ({"coupling": "fibre"}, "nearest: single-mode-fibre"),
        ({"coupling": 0.5, "field_of_view_half_angle_rad": 1e-5}, "given as a number"),
        ({"obscuration_ratio": 1.0}, "obscuration_ratio"),
        ({"spread": "longterm"}, "nearest: long-term"),
        ({"spread": "fixed-divergence"}, "divergence_rad"),
        ({"divergence_rad": 14e-6}, "fixed-divergence only"),
        ({"spread": "fixed-divergence", "divergence_rad": 1e-6}, "below diffraction"),
        ({"spread": "fixed-divergence", "divergence_rad": -14e-6}, "divergence_rad"),
        ({"spread": "published", "waist_fraction": 0.25}, "waist_fraction"),
        ({"spread": "published", "beam_quality": 1.2}, "beam_quality"),
    ],
)
def test_bad_input_is_one_clear_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        link(**changes)
    assert "\n" not in str(caught.value)
