"""Noise of scenarios: that of the kernels at every sample, and the samples that must not be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from satqkd.channel.background import noise
from satqkd.channel.evaluate import evaluate
from satqkd.channel.sky_background import sky_background
from satqkd.errors import InputError
from satqkd.orbit.build import sites
from satqkd.orbit.passes import find_passes
from satqkd.scenario.model import Scenario
from satqkd.security.evaluate import add_asymptotic_rate
from satqkd.security.evaluate import evaluate as keys_of
from satqkd.security.gllp import key_rate
from satqkd.security.lim2014 import key_length

Change = Callable[..., Scenario]
COARSE = {"study.step": "30 min", "planning.interval": "30 min"}


def linked(scenario: Scenario) -> tuple[Any, Any]:
    passes = find_passes(scenario)
    return passes, add_asymptotic_rate(scenario, evaluate(scenario, passes))


@pytest.fixture(scope="module")
def day(changed: Change) -> tuple[Scenario, Any, Any]:
    scenario = changed("geo-europe", COARSE)
    return (scenario, *linked(scenario))


def test_noise_of_every_sample_is_the_kernels(day: tuple[Scenario, Any, Any]) -> None:
    scenario, _, link = day
    for index, place in enumerate(sites(scenario)):
        sky = sky_background(
            link.time.values,
            place=place,
            view_zenith_rad=np.radians(90.0 - link.elevation.values[index, 0]),
            view_azimuth_rad=np.radians(link.azimuth.values[index, 0]),
            site="urban",
            wavelength_m=854.445e-9,
            twilight="sunset",
            sun_exclusion_rad=np.radians(5.0),
            moon_exclusion_rad=np.radians(1.0),
        )
        level = noise(
            radiance_mw_m2_nm_sr=sky.radiance_mw_m2_nm_sr,
            wavelength_m=854.445e-9,
            filter_hz=10e9,
            gate_s=1e-9,
            rx_aperture_diameter_m=1.5,
            coupling="single-mode-fibre",
            receiver=10**-0.4,
            detector=0.95,
            dark_count_hz=0.1,
        )
        # the table holds degrees; a spline of cubes magnifies their rounding
        np.testing.assert_allclose(link.sky_radiance.values[index, 0], sky.radiance_mw_m2_nm_sr, rtol=1e-9)
        np.testing.assert_allclose(link.p_noise.values[index, 0], 2.0 * level.p_noise, rtol=1e-9)
        np.testing.assert_allclose(link.background_photons.values[index, 0], 1e9 * level.photons_per_gate, rtol=1e-9)
        np.testing.assert_array_equal(link.usable.values[index, 0], ~sky.excluded)


def test_night_is_the_published_order_of_magnitude_and_day_far_above(day: tuple[Scenario, Any, Any]) -> None:
    _, _, link = day
    sun = link.sun_elevation.values
    night = link.p_noise.values[sun < -18.0]
    # 0.1 dark counts per second in 1 ns and two detectors are 2e-10; the paper's night has 4 % more, by a full Moon
    np.testing.assert_allclose(night, 2.04e-10, rtol=0.06)
    assert link.p_noise.values[sun > 20.0].min() > 1e-7


def test_the_sun_behind_the_satellite_stops_the_key_there_and_nowhere_else(
    day: tuple[Scenario, Any, Any], changed: Change
) -> None:
    scenario, passes, link = day
    out = ~link.usable.values
    assert out.any(axis=(1, 2)).all()
    assert np.all(link.rate_asymptotic.values[out] == 0.0)
    assert np.all(np.isfinite(link.p_noise.values[out]))
    open_sky = changed(
        "geo-europe", COARSE | {"background.sun_exclusion": "0 deg", "background.moon_exclusion": "0 deg"}
    )
    _, free = linked(open_sky)
    assert free.usable.values.all()
    np.testing.assert_array_equal(free.rate_asymptotic.values[~out], link.rate_asymptotic.values[~out])
    keys, all_keys = keys_of(scenario, passes, link), keys_of(open_sky, passes, free)
    lost = out.sum(axis=(1, 2))
    np.testing.assert_allclose(all_keys.pulses.values - keys.pulses.values, lost * 1e9 * 1800.0, rtol=1e-12)


def test_key_of_a_pass_takes_the_noise_of_every_slot(day: tuple[Scenario, Any, Any]) -> None:
    scenario, passes, link = day
    keys, protocol = keys_of(scenario, passes, link), scenario.protocol
    used = link.usable.values[0, 0]
    options: dict[str, Any] = {
        "pulses_per_slot": 1e9 * 1800.0,
        "intensities": protocol.intensities,
        "intensity_probabilities": protocol.intensity_probabilities,
        "p_key_basis": protocol.p_key_basis,
        "qber_intrinsic": 0.005,
        "eps_secrecy": 1e-8,
    }
    eta, extraneous = (link[name].values[0, 0][used] for name in ("transmittance", "p_noise"))
    key = key_length(eta, p_extraneous=extraneous / 2.0, **options)
    assert keys.key_bits.values[0] == key.key_bits > 0
    assert keys.qber.values[0] == key.qber
    mean = key_length(eta, p_extraneous=float(extraneous.mean()) / 2.0, **options)
    assert mean.key_bits != key.key_bits
    rate = key_rate(
        link.transmittance.values[0, 0, 3], mu=0.77, nu=0.08, y0=link.p_noise.values[0, 0, 3], misalignment=0.005,
        f_ec=1.16, sifting=protocol.asymptotic_sifting,
    )  # fmt: skip
    assert link.rate_asymptotic.values[0, 0, 3] == 1e9 * rate


def test_a_constant_in_every_slot_is_the_constant(changed: Change) -> None:
    """Bit for bit: arrays of one value go through the same operations as the number."""
    scenario = changed("jinan-1", {"study.step": "5 s"})
    passes, link = linked(scenario)
    keys, protocol = keys_of(scenario, passes, link), scenario.protocol
    eta = link.transmittance.values[link.pass_number.values >= 0]
    key = key_length(
        eta,
        pulses_per_slot=625e6 * 5.0,
        intensities=protocol.intensities,
        intensity_probabilities=protocol.intensity_probabilities,
        p_key_basis=0.5,
        p_extraneous=1e-6 / 2.0,
        qber_intrinsic=0.005,
        f_ec=1.2,
    )
    assert keys.key_bits.values[0] == key.key_bits > 0
    assert keys.phase_error_upper.values[0] == key.phase_error_upper
    rate = 625e6 * key_rate(eta, mu=0.8, nu=0.1, y0=1e-6, misalignment=0.005, f_ec=1.2, sifting=0.25)
    np.testing.assert_array_equal(link.rate_asymptotic.values[link.pass_number.values >= 0], rate)
    assert "usable" not in link


def test_a_satellite_looks_at_a_constant_radiance(changed: Change) -> None:
    light = {"kind": "radiance", "radiance": "0.01 mW/m2/nm/sr", "filter_width": "100 GHz", "gate": "2 ns"}
    changes = {
        "background": light,
        "receiver.field_of_view": "30 urad",
        "detector": {"efficiency": 0.5, "dark_count_rate": "50 Hz", "misalignment": 0.015},
        "study.step": "30 s",
        "planning.interval": "30 s",
    }
    scenario = changed("micius-ngari-uplink", changes)
    _, link = linked(scenario)
    level = noise(
        radiance_mw_m2_nm_sr=0.01,
        wavelength_m=780e-9,
        filter_hz=100e9,
        gate_s=2e-9,
        rx_aperture_diameter_m=0.3,
        coupling="free-space",
        receiver=10**-0.15,
        detector=0.5,
        dark_count_hz=50.0,
        field_of_view_half_angle_rad=30e-6,
    )
    found = link.p_noise.values[link.pass_number.values >= 0]
    np.testing.assert_allclose(found, 2.0 * level.p_noise, rtol=1e-12)
    assert link.background.values[link.pass_number.values >= 0][0] == pytest.approx(100e6 * found[0], rel=1e-12)


def test_twilight_is_an_error_or_what_the_scenario_says(changed: Change) -> None:
    refused = changed("geo-europe", COARSE | {"background.twilight": "refuse"})
    with pytest.raises(
        InputError, match=r'background, station "Madrid": time: 2026-03-01T\S+ is in twilight'
    ) as caught:
        linked(refused)
    assert "\n" not in str(caught.value)
    skipped = changed("geo-europe", COARSE | {"background.twilight": "unusable", "background.sun_exclusion": "0 deg"})
    _, link = linked(skipped)
    sun = link.sun_elevation.values
    # the Sun's centre between the horizon and 18 deg below it; the two ends within the error of the comparison
    clear = np.minimum(np.abs(sun), np.abs(sun + 18.0)) > 0.01
    np.testing.assert_array_equal(link.usable.values[clear], ~((sun < 0.0) & (sun > -18.0))[clear])


def test_noisy_samples_are_left_out_where_the_scenario_says_so(day: tuple[Scenario, Any, Any], changed: Change) -> None:
    scenario, passes, link = day
    limited = changed("geo-europe", COARSE | {"background.noise_limit": 3e-7})
    _, quiet = linked(limited)
    np.testing.assert_array_equal(quiet.usable.values, link.usable.values & (link.p_noise.values <= 3e-7))
    before, after = keys_of(scenario, passes, link), keys_of(limited, passes, quiet)
    pulses = quiet.usable.values.sum(axis=(1, 2)) * 1e9 * 1800.0
    np.testing.assert_allclose(after.pulses.values, pulses, rtol=1e-12)
    # at the highest losses noisy hours cost a block more in errors than they add in photons
    edinburgh = after.station.values == "Edinburgh"
    assert after.key_bits.values[edinburgh] > before.key_bits.values[edinburgh]
    assert after.sifted_bits.values[edinburgh] < before.sifted_bits.values[edinburgh]
    assert after.qber.values[edinburgh] < before.qber.values[edinburgh]


def test_a_mask_below_the_sky_tables_is_one_line(changed: Change) -> None:
    changes = {"satellites.0.orbit.longitude": "-78 deg", "stations.0.elevation_mask": "1 deg"}
    low = changed("geo-europe", COARSE | changes)
    with pytest.raises(InputError, match='background, station "Madrid": view zenith angle') as caught:
        linked(low)
    assert "\n" not in str(caught.value)


def test_light_that_blinds_the_detectors_is_refused(changed: Change) -> None:
    bright = changed("geo-europe", COARSE | {"background.urban_light": 1e8})
    with pytest.raises(InputError, match="background: a detector clicks without signal with probability"):
        linked(bright)
