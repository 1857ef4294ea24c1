"""Downlink budget: golden rows, the published figures, limits, speed, refusals."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.channel.budget import TERMS, downlink
from satqkd.channel.coupling import encircled_energy, fibre_overlap, seeing_encircled_energy
from satqkd.channel.profiles import TURBULENCE_PROFILES
from satqkd.channel.turbulence import greenwood_frequency_hz
from satqkd.errors import InputError

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "geo_channel.csv"
ROWS = list(csv.DictReader(GOLDEN.read_text(encoding="utf-8").splitlines()))
LOWER = {"ground": "h0", "published": "hogs"}
COUPLING = {"SMF": "single-mode-fibre", "FS": "free-space"}

URBAN: dict[str, Any] = {
    "slant_range_m": 38_611_520.0,
    "zenith_rad": np.radians(60.0),
    "wavelength_m": 854.445e-9,
    "tx_aperture_diameter_m": 0.75,
    "rx_aperture_diameter_m": 1.5,
    "site": "urban",
    "ao_bandwidth_hz": 130.0,
    "jitter_rad": 0.5e-6,
    "atmosphere": 10.0**-0.450918,
    "receiver": 10.0**-0.4,
    "detector": 0.95,
}


def link(**change: Any) -> Any:
    """The published default link at 854 nm with changes."""
    return downlink(**{**URBAN, **change})


def columns(rows: list[dict[str, str]], name: str) -> np.ndarray:
    """One column of golden rows as numbers."""
    return np.array([float(row[name]) for row in rows])


@pytest.mark.parametrize("lower", list(LOWER))
@pytest.mark.parametrize(("site", "coupling"), sorted({(row["site"], row["coupling"]) for row in ROWS}))
def test_golden_rows(site: str, coupling: str, lower: str) -> None:
    rows = [row for row in ROWS if row["site"] == site and row["coupling"] == coupling]
    found = downlink(
        slant_range_m=columns(rows, "slant_km") * 1e3,
        zenith_rad=np.radians(columns(rows, "zenith_deg")),
        wavelength_m=columns(rows, "wavelength_nm") * 1e-9,
        tx_aperture_diameter_m=columns(rows, "aT_m"),
        rx_aperture_diameter_m=columns(rows, "aR_m"),
        site=site,
        ao_bandwidth_hz=columns(rows, "fc_hz"),
        jitter_rad=columns(rows, "jitter_rad"),
        coupling=COUPLING[coupling],
        atmosphere=10.0 ** (-columns(rows, "atm_dB_sbdart") / 10.0),
        receiver=10.0**-0.4,
        detector=0.95,
        greenwood_lower_height=lower,
    )
    suffix = LOWER[lower]
    for name, value in {
        "omega_d_m": found.diffraction_radius_m,
        "T_turb": found.broadening,
        "omega_t_m": found.spot_radius_m,
        "r0_m": found.fried_m,
        f"fG_hz_low_{suffix}": found.greenwood_hz,
        f"fTG_hz_low_{suffix}": found.tracking_hz,
        f"r0_eff_m_low_{suffix}": found.fried_corrected_m,
        "geo_dB": found.loss_db("geometric"),
        "point_dB": found.loss_db("pointing"),
        f"cpl_dB_low_{suffix}": found.loss_db("coupling"),
        "atm_dB_sbdart": found.loss_db("atmosphere"),
        "rx_dB": found.loss_db("receiver"),
        "det_dB": found.loss_db("detector"),
        f"total_dB_low_{suffix}": found.loss_db(),
    }.items():
        # printed to six digits (5e-6), the slant range too
        np.testing.assert_allclose(value, columns(rows, name), rtol=1e-5, err_msg=name)


def test_every_golden_row_is_compared() -> None:
    assert len(ROWS) == 25
    assert {row["site"] for row in ROWS} == {"rural", "urban", "coastal"}
    assert {row["coupling"] for row in ROWS} == set(COUPLING)


def test_published_near_cancellation_of_collection_and_coupling() -> None:
    # Sec. V.2: "about 14 dB", "about 13.7 dB" from 0.4 to 2.0 m without adaptive optics
    found = link(rx_aperture_diameter_m=np.array([0.4, 2.0]), ao_bandwidth_hz=0.0)
    assert -np.diff(found.loss_db("geometric")) == pytest.approx(14.0, abs=0.05)
    assert np.diff(found.loss_db("coupling")) == pytest.approx(13.7, abs=0.06)


def test_totals_of_the_default_link_and_of_the_printed_limit() -> None:
    change = {
        "wavelength_m": np.array([656.448e-9, 854.445e-9, 1550.027e-9]),
        "atmosphere": 10.0 ** (-np.array([6.56427, 4.50918, 2.18454]) / 10.0),
    }
    # independent implementation, one digit after the point; two for the difference
    ground = link(**change).loss_db()
    np.testing.assert_allclose(ground, [50.6, 49.1, 49.8], atol=0.05)
    published = link(**change, greenwood_lower_height="published").loss_db()
    np.testing.assert_allclose(ground - published, [1.24, 0.87, 0.32], atol=0.005)


@given(st.floats(0.0, 1.5), st.floats(0.0, 500.0), st.sampled_from(["single-mode-fibre", "free-space"]))
def test_total_is_the_product_of_probabilities(zenith_rad: float, bandwidth: float, coupling: str) -> None:
    found = link(zenith_rad=zenith_rad, ao_bandwidth_hz=bandwidth, coupling=coupling)
    terms = np.array([float(getattr(found, name)) for name in TERMS])
    assert np.all((terms > 0.0) & (terms <= 1.0))
    assert float(found.total) == pytest.approx(math.prod(terms), rel=1e-14)
    assert sum(float(found.loss_db(name)) for name in TERMS) == pytest.approx(float(found.loss_db()), rel=1e-13)


def test_far_field_inverse_square_law() -> None:
    # jitter is an angle like the divergence, so it drops out; the broadening falls as the spot grows
    near, far = link(slant_range_m=np.array([4e11, 8e11])).total
    assert near / far == pytest.approx(4.0, rel=1e-5)  # T falls with L^(5/6) to 1e-6 there


def test_vanishing_turbulence_leaves_diffraction_and_the_fibre_mode() -> None:
    urban = TURBULENCE_PROFILES["urban"]
    cn2 = dataclasses.replace(urban.cn2, ground=1e-28, troposphere=0.0, tropopause=0.0)
    found = link(site=dataclasses.replace(urban, cn2=cn2), ao_bandwidth_hz=0.0)
    assert float(found.spot_radius_m) == pytest.approx(float(found.diffraction_radius_m), rel=1e-14)
    assert float(found.coupling) == pytest.approx(0.786, rel=1e-8)  # D/r0 = 1e-8 to 5/3


def test_perfect_adaptive_optics_and_pointing() -> None:
    found = link(ao_bandwidth_hz=np.inf, tip_tilt_bandwidth_hz=np.inf, jitter_rad=0.0)
    assert (float(found.strehl), float(found.coupling), float(found.pointing)) == (1.0, 0.786, 1.0)
    tilt = link(ao_bandwidth_hz=np.array([1e5, np.inf])).coupling
    assert tilt[0] == pytest.approx(tilt[1], rel=1e-4)  # the mirror's residual at 1e5 Hz is 7e-6


def test_corrected_coherence_grows_with_the_aperture_the_seeing_does_not() -> None:
    found = link(rx_aperture_diameter_m=np.array([1.0, 2.0]), tip_tilt_bandwidth_hz=np.inf)
    assert found.fried_m[0] == found.fried_m[1]
    # Eq. 166 without the tilt's sixth root, so the Strehl ratio stays
    assert found.fried_corrected_m[1] / found.fried_corrected_m[0] == pytest.approx(2.0, rel=1e-14)
    assert found.strehl[1] == pytest.approx(found.strehl[0], rel=1e-14)


def test_everything_broadcasts_and_elements_stand_alone() -> None:
    change = {
        "slant_range_m": np.array([3.7e7, 3.8e7]),
        "zenith_rad": np.radians([45.0, 60.0]),
        "wavelength_m": np.array([[656e-9], [854e-9], [1550e-9]]),
        "tx_aperture_diameter_m": np.array([0.5, 0.75])[:, None, None],
        "rx_aperture_diameter_m": np.array([0.8, 1.5])[:, None, None, None],
        "ao_bandwidth_hz": np.array([0.0, 130.0]),
        "jitter_rad": np.array([0.5e-6, 1e-6]),
        "atmosphere": np.array([0.5, 0.4]),
    }
    whole = link(**change)
    assert {getattr(whole, field.name).shape for field in dataclasses.fields(whole)} == {(2, 2, 3, 2)}
    for index in np.ndindex(2, 2, 3, 2):
        one = link(**{name: np.broadcast_to(values, (2, 2, 3, 2))[index] for name, values in change.items()})
        assert float(whole.total[index]) == pytest.approx(float(one.total), rel=1e-13)


def test_no_samples_are_no_error() -> None:
    none = np.array([])
    found = link(slant_range_m=none, zenith_rad=none, slew_rad_s=none)
    assert found.total.shape == found.fried_m.shape == (0,)


def test_slew_is_wind_to_the_correction_and_nothing_else() -> None:
    rate = 0.015
    still, moving = (link(slant_range_m=5e5, zenith_rad=0.0, slew_rad_s=value) for value in (0.0, rate))
    assert float(moving.geometric) == float(still.geometric)
    assert float(moving.fried_m) == float(still.fried_m)
    # a wind as fast as the slew at 10 km, 150 m/s, at all heights lags more: the ground layer is then fast as well
    urban = TURBULENCE_PROFILES["urban"]
    storm = dataclasses.replace(urban, wind=dataclasses.replace(urban.wind, ground_m_s=rate * 1e4))
    fast = link(slant_range_m=5e5, zenith_rad=0.0, site=storm)
    assert float(still.loss_db("coupling")) < float(moving.loss_db("coupling")) < float(fast.loss_db("coupling"))
    expected = greenwood_frequency_hz(profile="urban", wavelength_m=854.445e-9, zenith_rad=0.0, slew_rad_s=rate)
    assert float(moving.greenwood_hz) == float(expected)


def test_truncation_and_bias_and_reading_are_options() -> None:
    assert float(link(truncated=True).loss_db() - link().loss_db()) == pytest.approx(0.1606, abs=5e-5)  # (1-exp(-4))^2
    bias = link(bias_rad=0.5e-6)
    width = float(bias.spot_radius_m) ** 2 + (2.0 * 0.5e-6 * URBAN["slant_range_m"]) ** 2
    expected = math.exp(-2.0 * (0.5e-6 * URBAN["slant_range_m"]) ** 2 / width)
    assert float(bias.pointing / link().pointing) == pytest.approx(expected, rel=1e-12)
    assert float(link(jitter_reading="radial").loss_db("pointing")) == pytest.approx(0.662, abs=1e-3)


def test_obscuration_costs_area_and_overlap() -> None:
    ratio = 0.3
    ring, whole = link(obscuration_ratio=ratio), link()
    assert float(ring.geometric / whole.geometric) == pytest.approx(1.0 - ratio**2, rel=3e-4)  # D^2 / 4 w^2
    assert float(ring.coupling / whole.coupling) == pytest.approx(
        fibre_overlap(obscuration_ratio=ratio) / fibre_overlap(), rel=1e-12
    )
    free = [float(link(coupling="free-space", obscuration_ratio=value).coupling) for value in (0.0, ratio)]
    half = 1.22 * 854.445e-9 / 1.5
    unit = {"wavelength_m": 854.445e-9, "aperture_diameter_m": 1.5}
    expected = encircled_energy(half, **unit, obscuration_ratio=ratio) / encircled_energy(half, **unit)
    assert free[1] / free[0] == pytest.approx(float(expected), rel=1e-9)


def test_field_of_view_of_a_free_space_detector() -> None:
    airy = 1.22 * 854.445e-9 / 1.5
    rounded = link(coupling="free-space")
    exact = link(coupling="free-space", field_of_view_half_angle_rad=airy)
    # Table 1 rounds 0.83778 to 0.838: 0.0011 dB
    assert float(exact.loss_db() - rounded.loss_db()) == pytest.approx(0.0011, abs=1e-4)
    wide = link(coupling="free-space", field_of_view_half_angle_rad=1e-3)
    assert float(wide.coupling) == pytest.approx(float(wide.strehl), rel=1e-3)
    seeing = link(coupling="free-space-seeing", field_of_view_half_angle_rad=1e-3)
    assert float(seeing.coupling) == pytest.approx(1.0, abs=1e-3)
    expected = seeing_encircled_energy(
        3e-6, wavelength_m=854.445e-9, aperture_diameter_m=1.5, fried_m=link().fried_corrected_m
    )
    narrow = link(coupling="free-space-seeing", field_of_view_half_angle_rad=3e-6)
    assert float(narrow.coupling) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zenith_rad": np.radians(90.0)}, "zenith_rad: 90 deg is not above the horizon"),
        ({"zenith_rad": np.radians([10.0, 100.0])}, "zenith_rad: 100 deg"),
        ({"slant_range_m": 0.0}, "slant_range_m: 0 is not allowed"),
        ({"slant_range_m": np.nan}, "slant_range_m: nan"),
        ({"tx_aperture_diameter_m": -0.75}, "tx_aperture_diameter_m: -0.75"),
        ({"rx_aperture_diameter_m": 0.0}, "rx_aperture_diameter_m: 0"),
        ({"beam_quality": 0.5}, "beam_quality: 0.5"),
        ({"waist_fraction": 0.0}, "waist_fraction: 0"),
        ({"jitter_rad": -1e-6}, "jitter_rad"),
        ({"atmosphere": 1.2}, "atmosphere: 1.2 is not allowed, from 0 to 1 only"),
        ({"receiver": -0.1}, "receiver: -0.1"),
        ({"detector": 95.0}, "detector: 95"),
        ({"obscuration_ratio": 1.0}, "obscuration_ratio: 1 .*smaller than the aperture"),
        ({"site": "Rual"}, "site: 'Rual' is not known, nearest: rural"),
        ({"coupling": "fibre"}, "coupling: 'fibre' is not known.*single-mode-fibre"),
        ({"greenwood_lower_height": "sea"}, "allowed: ground, published"),
        ({"field_of_view_half_angle_rad": 1e-5}, "has its own field of view"),
        ({"coupling": "free-space-seeing"}, "field_of_view_half_angle_rad: coupling free-space-seeing needs it"),
        (
            {"coupling": "free-space-seeing", "field_of_view_half_angle_rad": 1e-5, "obscuration_ratio": 0.3},
            "unobscured aperture",
        ),
    ],
)
def test_bad_input_is_one_clear_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        link(**change)
    assert "\n" not in str(caught.value)


def test_a_budget_is_frozen_and_knows_its_terms() -> None:
    found = link()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.total = 1.0
    with pytest.raises(InputError, match="term: 'geometry' is not known, nearest: geometric"):
        found.loss_db("geometry")
