"""The Gaussian-beam channel of scenarios: each term is the kernel's for the same geometry, up and down."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest

from satqkd.channel.budget import COUPLINGS, downlink
from satqkd.channel.evaluate import evaluate
from satqkd.channel.extinction import beer_lambert_transmittance, transmittance
from satqkd.channel.gaussian_beam import BUDGETS
from satqkd.channel.models import CHANNEL_MODELS
from satqkd.channel.noise import BACKGROUNDS
from satqkd.channel.profiles import TURBULENCE_PROFILES
from satqkd.channel.published_radiance import SITES
from satqkd.channel.turbulence import GREENWOOD_LOWER_HEIGHTS
from satqkd.channel.uplink import UPLINK_SPREADS
from satqkd.channel.uplink_budget import uplink
from satqkd.errors import InputError
from satqkd.orbit.geometry import sample_passes
from satqkd.orbit.passes import find_passes
from satqkd.scenario import environment, light
from satqkd.scenario.equipment import CouplingName
from satqkd.scenario.load import preset_text, validate_scenario
from satqkd.scenario.model import Scenario
from satqkd.variables import LOSS_TERMS

Change = Callable[..., Scenario]
SLOW = {"study.step": "10 s", "planning.interval": "10 s"}
SIMPLE = {"model": "gaussian-beam", "turbulence": "urban", "extinction": "none"}


def test_names_of_scenarios_are_those_of_the_kernels() -> None:
    assert set(get_args(environment.TurbulenceName)) == set(TURBULENCE_PROFILES)
    assert set(get_args(environment.SpreadName)) == set(UPLINK_SPREADS)
    assert set(get_args(environment.SkyName)) == set(SITES)
    assert set(get_args(CouplingName)) == set(COUPLINGS)
    fields = environment.GaussianBeamChannel.model_fields
    assert set(get_args(fields["greenwood_lower_height"].annotation)) == set(GREENWOOD_LOWER_HEIGHTS)
    assert set(get_args(fields["direction"].annotation)) == set(BUDGETS)
    tables = get_args(get_args(light.Background)[0])
    assert {get_args(table.model_fields["kind"].annotation)[0] for table in tables} == set(BACKGROUNDS)
    models = get_args(get_args(environment.Channel)[0])
    assert {get_args(table.model_fields["model"].annotation)[0] for table in models} == set(CHANNEL_MODELS)


def inside(link: Any, name: str) -> Any:
    return link[name].values[link.pass_number.values >= 0]


def test_every_term_of_a_downlink_is_the_kernels(changed: Change) -> None:
    """Jinan-1 with adaptive optics, an obscuration, a bias and tracking that follows the satellite."""
    changes = {
        "receiver": {"aperture": "0.4 m", "coupling": "single-mode-fibre", "obscuration": "0.1 m", "optics": 0.49},
        "terminal.bias": "0.4 urad",
        "terminal.optics": "0.5 dB",
        "terminal.pointing": "1 dB",
        "channel.ao_bandwidth": "200 Hz",
        "channel.tip_tilt_bandwidth": "80 Hz",
        "channel.greenwood_lower_height": "published",
    }
    scenario = changed("jinan-1", {**SLOW, **changes})
    passes = find_passes(scenario)
    link, geometry = evaluate(scenario, passes), sample_passes(scenario, passes)
    zenith = np.pi / 2 - geometry.elevation_rad
    assert geometry.slew_rate_rad_s.max() > 5e-3
    expected = downlink(
        slant_range_m=geometry.slant_range_m,
        zenith_rad=zenith,
        wavelength_m=850e-9,
        tx_aperture_diameter_m=0.2,
        rx_aperture_diameter_m=0.4,
        beam_quality=1.0,
        waist_fraction=0.285,
        site=dataclasses.replace(TURBULENCE_PROFILES["urban"], altitude_m=50.0),
        ao_bandwidth_hz=200.0,
        tip_tilt_bandwidth_hz=80.0,
        jitter_rad=1.1e-6,
        bias_rad=0.4e-6,
        coupling="single-mode-fibre",
        obscuration_ratio=0.25,
        atmosphere=transmittance(zenith, wavelength_m=850e-9, aerosol="urban", visibility_m=10e3, altitude_m=50.0),
        receiver=0.49,
        detector=0.6,
        greenwood_lower_height="published",
        slew_rad_s=geometry.slew_rate_rad_s,
    )
    for name, extra_db in (
        ("geometric", 0.0), ("atmosphere", 0.0), ("pointing", 1.0), ("coupling", 0.0), ("receiver", 0.0),
        ("detector", 0.0),
    ):  # fmt: skip
        # rounding of logarithms
        np.testing.assert_allclose(
            inside(link, f"loss_{name}_db"), expected.loss_db(name) + extra_db, rtol=1e-12, atol=1e-12, err_msg=name
        )
    np.testing.assert_allclose(inside(link, "loss_transmitter_db"), 0.5, rtol=1e-12)
    np.testing.assert_allclose(inside(link, "loss_total_db"), expected.loss_db() + 1.5, rtol=1e-12)
    np.testing.assert_array_equal(inside(link, "spot_radius"), expected.spot_radius_m)
    np.testing.assert_array_equal(inside(link, "fried_parameter"), expected.fried_m)
    terms = [name for name in LOSS_TERMS if name in link]
    assert len(terms) == 7
    np.testing.assert_allclose(sum(inside(link, name) for name in terms), inside(link, "loss_total_db"), rtol=1e-12)
    assert any("2605.29706" in text for text in link.attrs["citations"])


@pytest.mark.parametrize("spread", sorted(UPLINK_SPREADS))
def test_every_term_of_an_uplink_is_the_kernels(changed: Change, spread: str) -> None:
    fixed = spread == "fixed-divergence"
    terminal = {"aperture": "0.13 m", "jitter": "1 urad"} | ({"divergence": "14 urad"} if fixed else {})
    channel = {**SIMPLE, "direction": "uplink", "turbulence": "hv-5-7", "spread": spread, "extinction": "0.34 dB"}
    receiver = {"aperture": "0.3 m", "coupling": "free-space-seeing", "field_of_view": "50 urad"}
    changes = {"terminal": terminal, "channel": channel, "receiver": receiver}
    scenario = changed("micius-ngari-uplink", {**SLOW, **changes})
    passes = find_passes(scenario)
    link, geometry = evaluate(scenario, passes), sample_passes(scenario, passes)
    zenith = np.pi / 2 - geometry.elevation_rad
    expected = uplink(
        slant_range_m=geometry.slant_range_m,
        zenith_rad=zenith,
        wavelength_m=780e-9,
        tx_aperture_diameter_m=0.13,
        rx_aperture_diameter_m=0.3,
        site=dataclasses.replace(TURBULENCE_PROFILES["hv-5-7"], altitude_m=5100.0),
        jitter_rad=1e-6,
        coupling="free-space-seeing",
        field_of_view_half_angle_rad=50e-6,
        atmosphere=beer_lambert_transmittance(zenith, zenith_loss_db=0.34),
        receiver=1.0,
        detector=scenario.detector.efficiency,
        spread=spread,
        divergence_rad=14e-6 if fixed else None,
        slew_rad_s=geometry.slew_rate_rad_s,
    )
    for name in ("geometric", "atmosphere", "pointing", "coupling", "receiver", "detector"):
        np.testing.assert_allclose(
            inside(link, f"loss_{name}_db"), expected.loss_db(name), rtol=1e-12, atol=1e-12, err_msg=name
        )
    np.testing.assert_allclose(inside(link, "loss_total_db"), expected.loss_db(), rtol=1e-12)
    assert any("measurement-device-independent" in text for text in link.attrs["citations"])


def test_direction_is_one_word(changed: Change) -> None:
    """The same telescopes: as long as nothing turns on turbulence, up and down lose the same light."""
    same: dict[str, Any] = {"terminal": {"aperture": "0.2 m", "beam_quality": 1.0, "waist_fraction": 0.25}}
    same |= {"receiver": {"aperture": "0.3 m"}, "source.wavelength": "1550 nm"}
    found = {}
    for direction in BUDGETS:
        scenario = changed("jinan-1", {**SLOW, **same, "channel": {**SIMPLE, "direction": direction}})
        found[direction] = evaluate(scenario, find_passes(scenario))
    down, up = (inside(found[name], "loss_total_db") for name in ("downlink", "uplink"))
    assert np.all(up > down)  # turbulence is next to the transmitter
    vacuum = changed("jinan-1", {**SLOW, **same, "channel": {**SIMPLE, "direction": "uplink", "spread": "vacuum"}})
    link = evaluate(vacuum, find_passes(vacuum))
    spread = inside(found["downlink"], "spot_radius") / inside(link, "spot_radius")
    np.testing.assert_allclose(spread, 1.0, atol=0.01)  # a downlink broadens by the end of its path only
    # what is left of reciprocity: the light per area of the spot, next order 1 % of D^2/4w^2 = 4e-4
    np.testing.assert_allclose(down - inside(link, "loss_total_db"), 20.0 * np.log10(spread), atol=2e-4)


def test_stations_have_their_own_receiver_and_air(changed: Change) -> None:
    own = {
        "stations.1.receiver": {"aperture": "0.75 m", "coupling": 0.5, "optics": "3 dB"},
        "stations.1.turbulence": "coastal",
        "stations.1.aerosol": "maritime",
        "stations.1.visibility": "5 km",
        "stations.1.sky": "coastal",
        "stations.1.receiver.field_of_view": "10 urad",
    }
    coarse = {"study.step": "6 h", "planning.interval": "6 h"}
    plain, other = (changed("geo-europe", coarse | more) for more in ({}, own))
    first, second = (evaluate(case, find_passes(case)) for case in (plain, other))
    for name in ("loss_total_db", "p_noise", "fried_parameter"):
        changes = np.abs(second[name].values / first[name].values - 1.0).max(axis=(1, 2))
        assert changes[1] > 0.01, name
        np.testing.assert_array_equal(np.delete(changes, 1), 0.0)
    # a coupling as a number is that number
    np.testing.assert_allclose(second.loss_coupling_db.values[1], 10 * np.log10(2), rtol=1e-12)


def test_extinction_none_loses_nothing_and_a_number_is_the_loss_at_zenith(changed: Change) -> None:
    for extinction, zenith_db in (("none", 0.0), ("2 dB", 2.0)):
        scenario = changed("jinan-1", {**SLOW, "channel": {**SIMPLE, "extinction": extinction}})
        link = evaluate(scenario, find_passes(scenario))
        sine = np.sin(np.radians(inside(link, "elevation")))
        np.testing.assert_allclose(inside(link, "loss_atmosphere_db") * sine, zenith_db, rtol=1e-12, atol=1e-14)


def test_fault_of_a_kernel_names_the_station(changed: Change) -> None:
    too_high = changed("jinan-1", {**SLOW, "stations.0.altitude": "9500 m"})
    with pytest.raises(InputError, match=r'station "Jinan": altitude_m.*9000 m') as caught:
        evaluate(too_high, find_passes(too_high))
    assert "\n" not in str(caught.value)
    narrow = changed("micius-ngari-uplink", {**SLOW, "terminal.divergence": "1 urad"})
    with pytest.raises(InputError, match='station "Ngari": divergence_rad: below diffraction'):
        evaluate(narrow, find_passes(narrow))


def test_samples_below_the_horizon_are_refused_with_the_way_out(changed: Change) -> None:
    low = changed("jinan-1", {**SLOW, "stations.0.elevation_mask": "-1 deg"})
    with pytest.raises(InputError, match=r"stations.elevation_mask: this channel model needs elevations above 0 deg"):
        evaluate(low, find_passes(low))


def test_text_of_a_preset_is_its_saved_form() -> None:
    """What is left out stays out: no default of a kernel is written into a scenario."""
    import tomllib

    written = tomllib.loads(preset_text("jinan-1"))
    saved = validate_scenario(written).to_dict()
    assert set(saved["terminal"]) == set(written["terminal"]) | {"pointing"}
    assert set(saved["receiver"]) == set(written["receiver"])
    assert "background" not in saved
    assert set(saved["channel"]) == set(written["channel"]) | {"greenwood_lower_height"}
