"""The dual pass of Wang, Dong et al. as one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.build import propagators, sites
from satqkd.orbit.frames import look_angles
from satqkd.scenario.load import load_scenario
from satqkd.scenario.model import Scenario
from satqkd.security.mdi import key_rate
from satqkd.study.interference import Interference
from satqkd.study.mdi_pass import mdi_pass, pair_motion

Change = Callable[..., Scenario]
PRESET = "micius-delingha-lijiang"


@pytest.fixture(scope="module")
def wide(changed: Change) -> Scenario:
    """Receiver with R_r = 1.2 m."""
    return changed(PRESET, {"receiver.aperture": "2.4 m"})


@pytest.fixture(scope="module")
def made(wide: Scenario) -> Any:
    return mdi_pass(wide)


def test_the_pass_is_that_of_figures_4_and_7(made: Any) -> None:
    assert made.sizes["time"] == pytest.approx(266, abs=1)  # an independent propagation of the same elements
    assert made.elevation.values.min() == pytest.approx(10.0, abs=0.06)  # a second at 0.06 deg/s
    # independent propagation: -9.0 to +8.7 GHz, two digits
    np.testing.assert_allclose([made.doppler.min() / 1e9, made.doppler.max() / 1e9], [-9.0, 8.7], atol=0.05)
    # R_r = 1.2 m instead of 0.15 m takes up to 2 x 18.06 dB off 93.6 and 101.3 dB
    np.testing.assert_allclose([made.loss_sum_db.min(), made.loss_sum_db.max()], [93.6 - 36.1, 101.3 - 36.1], atol=0.15)


def test_columns_follow_from_each_other(made: Any) -> None:
    np.testing.assert_allclose(made.relative_doppler, made.doppler[0] - made.doppler[1], rtol=1e-12)
    np.testing.assert_allclose(made.loss_sum_db, -10.0 * np.log10(made.transmittance.prod("station")), rtol=1e-12)
    parts = sum(made[name] for name in made.data_vars if name.startswith("loss_") and name.count("_") == 2
                and name not in ("loss_total_db", "loss_sum_db", "loss_asymmetry_db"))  # fmt: skip
    np.testing.assert_allclose(parts, made.loss_total_db, rtol=1e-12)
    slew = np.gradient(made.doppler.values, 1.0, axis=1)[:, 1:-1]
    np.testing.assert_allclose(made.doppler_slew.values[:, 1:-1], slew, atol=4e5)  # third derivative, oblateness


def test_rates_are_those_of_the_analysis_and_sum_to_the_independent_total(made: Any) -> None:
    for decoy in ("infinite", "three-intensity"):
        rate = key_rate(*made.transmittance.values, intensities_a=(0.5, 0.1, 0.0), intensities_b=(0.5, 0.1, 0.0),
                        p_dark=3e-6, misalignment=0.015, decoy=decoy)  # fmt: skip
        np.testing.assert_allclose(made.rate.sel(decoy=decoy), rate.rate, rtol=1e-12)
    # an independent program, three digits: 1.04e8 with unlimited decoys, none with three intensities
    assert float(made.rate.sel(decoy="infinite").sum()) * 1e14 == pytest.approx(1.04e8, rel=0.005)
    assert float(made.rate.sel(decoy="three-intensity").sum()) == pytest.approx(0.0, abs=0.0)


def test_published_offset_misses_nanoseconds_and_the_instant_of_sending_matters_more(made: Any, wide: Scenario) -> None:
    offset, published = made.send_time_offset.values, made.send_time_offset_published.values
    x, y, _ = propagators(wide)[0].states_ecef(made.time.values)[0].T
    swept = [y * site.position_m[0] - x * site.position_m[1] for site in sites(wide)]  # twice the areas
    sagnac = 7.292115e-5 * (swept[0] - swept[1]) / 299_792_458.0**2
    # sign of the offset: negative while B has to send first
    np.testing.assert_allclose(offset - np.sign(offset) * published, sagnac, atol=1e-13)  # next order, 6 digits
    late = made.arrival_difference.values - offset
    # in the time of flight the satellite moves: (L_A dL_A/dt - L_B dL_B/dt) / c^2
    moved = (made.slant_range * made.range_rate).values / 299_792_458.0**2
    np.testing.assert_allclose(late, moved[0] - moved[1], atol=1.5e-9)  # Sagnac and next order


def test_visibility_without_dark_counts_is_that_of_the_ratio_of_intensities(wide: Scenario) -> None:
    made = mdi_pass(wide, p_dark=0.0, interference=Interference(range_error_m=0.05))
    ratio = 10.0 ** (0.1 * made.loss_asymmetry_db.values)
    # weak pulses: the next order is the detected photon number, below 1e-3
    expected = 2.0 * made.mode_overlap.values * ratio / (1.0 + ratio) ** 2
    np.testing.assert_allclose(made.visibility, expected, rtol=2e-3)
    np.testing.assert_allclose(made.qber_x, 0.5 - (0.5 - 0.015) * expected, rtol=2e-3)  # misalignment flips the rest


def test_air_delays_more_lower_in_the_sky(made: Any) -> None:
    metres = made.air_delay.values * 299_792_458.0
    # 1.6 m at the zenith (0.68 of the pressure at sea level), 5.4 times as much at 10 deg
    np.testing.assert_allclose([metres.min(), metres.max()], [1.62, 1.62 * 5.45], rtol=0.02)
    for side in range(2):
        order = np.argsort(made.elevation.values[side])
        assert (np.diff(made.air_delay.values[side][order]) < 0.0).all()


def test_derivatives_of_the_distance(made: Any, wide: Scenario) -> None:
    flight, pair = propagators(wide)[0], sites(wide)
    times = made.time.values[50:60]
    motion = pair_motion(flight, (pair[0], pair[1]), times)
    step = np.timedelta64(2, "s")
    for side, site in enumerate(pair):
        far, near, mid, close, away = (
            look_angles(*flight.states_ecef(times + k * step), site).slant_range_m for k in (-2, -1, 0, 1, 2)
        )
        np.testing.assert_allclose(motion.range_derivatives[1][side], (away - 2 * close + 2 * near - far) / 16.0,
                                   atol=0.01)  # fmt: skip  # fifth derivative times 1 s^2
        np.testing.assert_allclose(motion.light_time_s[side] * 299_792_458.0, mid, rtol=2e-6)  # rotation: 1e-6
    np.testing.assert_array_equal(motion.cosine <= 1.0, True)


def test_worse_timing_costs_key(wide: Scenario, made: Any) -> None:
    rates = [
        float(mdi_pass(wide, decoys=("infinite",), interference=Interference(range_error_m=error)).rate.sum())
        for error in (0.0, 0.05, 0.2)
    ]
    assert rates == sorted(rates, reverse=True)
    best = float(made.rate.sel(decoy="infinite").sum())
    assert rates[0] < best
    assert rates[2] < 0.5 * best


def test_exchange_of_the_stations(made: Any, wide: Scenario) -> None:
    back = mdi_pass(wide, stations=["Lijiang", "Delingha"])
    np.testing.assert_allclose(back.rate, made.rate, rtol=1e-9)
    np.testing.assert_allclose(back.send_time_offset, -made.send_time_offset, rtol=1e-12)
    np.testing.assert_array_equal(back.transmittance.values, made.transmittance.values[::-1])


def test_stations_that_never_see_it_together_get_the_closest_approach(changed: Change) -> None:
    stations = load_scenario(PRESET).to_dict()["stations"]
    stations[1] |= {"name": "Sydney", "latitude": "-33.87 deg", "longitude": "151.2 deg", "altitude": "0 m"}
    with pytest.raises(InputError) as caught:
        mdi_pass(changed(PRESET, {"stations": stations}))
    text = str(caught.value)
    assert text.startswith("Delingha and Sydney never have Micius in common view from 2016-09-24T17:30:00Z to ")
    assert text.endswith("deg over Sydney; needed are 10 and 10 deg")
    assert "closest at 2016-09-24T1" in text
    assert "\n" not in text


def test_when_only_the_light_forbids_it(changed: Change) -> None:
    with pytest.raises(InputError, match=r"access.darkness, access.satellite or a mask forbids it"):
        mdi_pass(changed(PRESET, {"access.satellite": "sunlit"}))


@pytest.mark.parametrize(
    ("preset", "arguments", "message"),
    [
        ("micius-ngari-uplink", {}, "micius-ngari-uplink: two uplinks need two stations, it has 1: Ngari"),
        (PRESET, {"stations": ["Delingha", "Paris"]}, 'station "Paris" is not in scenario'),
        (PRESET, {"number": 1}, "common view 1: micius-delingha-lijiang has 1, numbered from 0"),
        (PRESET, {"decoys": ()}, "decoys: none given"),
        (PRESET, {"intensities_a": (0.1, 0.5, 0.0)}, "must be in descending order"),
        ("micius-china-week", {"stations": ["Jinan", "Hefei"]}, 'channel.model = "fixed-divergence": two senders'),
    ],
)
def test_bad_input(preset: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mdi_pass(preset, **arguments)
