from dataclasses import replace

import numpy as np
import pytest
from sgp4.api import Satrec

from satqkd.errors import ElementsAgeWarning, InputError
from satqkd.orbit.elements import OrbitalElements, check_age, nearest_elements
from satqkd.orbit.propagation import Sgp4Orbit
from satqkd.orbit.time import julian_date_split


def test_states_equal_those_of_the_packages_own_tle_reader(micius, micius_text):
    line1, line2 = micius_text.splitlines()[4:6]
    times = np.arange("2016-09-19", "2016-09-26", 1801, dtype="datetime64[s]").astype("datetime64[ns]")
    _, position_km, velocity_km_s = Satrec.twoline2rv(line1, line2).sgp4_array(*julian_date_split(times))
    position_m, velocity_m_s = Sgp4Orbit(micius).states_teme(times)
    # angles in radians rounded differently, over 50 revolutions: micrometres
    np.testing.assert_allclose(position_m, position_km * 1e3, atol=1e-4)
    np.testing.assert_allclose(velocity_m_s, velocity_km_s * 1e3, atol=1e-7)


def test_a_large_catalogue_number_changes_nothing(micius):
    times = np.array(["2016-09-23"], dtype="datetime64[ns]")
    big = Sgp4Orbit(replace(micius, catalog_number=799_500_001))
    np.testing.assert_array_equal(big.states_teme(times)[0], Sgp4Orbit(micius).states_teme(times)[0])
    assert big.elements.catalog_number == 799_500_001


def test_the_epoch_keeps_its_nanoseconds(micius):
    shift = np.timedelta64(123, "ns")
    times = micius.epoch + np.array([0, 1000], dtype="timedelta64[s]")
    moved = Sgp4Orbit(replace(micius, epoch=micius.epoch + shift))
    np.testing.assert_allclose(moved.states_teme(times + shift)[0], Sgp4Orbit(micius).states_teme(times)[0], atol=1e-6)
    satrec = moved.elements.to_satrec()
    fraction_ns = (satrec.jdsatepoch - 2457653.5 + satrec.jdsatepochF) * 86_400e9
    assert fraction_ns == pytest.approx(71_412_330_240_123, abs=0.1)


def test_at_altitude_keeps_the_orientation_and_obeys_kepler(micius):
    high = micius.at_altitude(2500e3)
    assert high.semi_major_axis_m == pytest.approx(6_378_135.0 + 2_500e3, rel=1e-14)
    # a geosynchronous orbit (42 164.172 km) makes one turn in a sidereal day; GM of WGS72 and WGS84 differ by 1e-6
    geosynchronous = micius.at_altitude(42_164_172.0 - 6_378_135.0)
    assert geosynchronous.mean_motion_rev_day == pytest.approx(1.002_737_9, rel=1e-6)
    assert (high.raan_rad, high.eccentricity, high.mean_anomaly_rad) == (
        micius.raan_rad,
        micius.eccentricity,
        micius.mean_anomaly_rad,
    )
    assert (high.bstar, high.mean_motion_dot, high.mean_motion_ddot) == (0.0, 0.0, 0.0)


def test_too_low_an_altitude_is_refused(micius):
    with pytest.raises(InputError, match="at least 100000 m, got 5000"):
        micius.at_altitude(5000.0)


def test_nearest_set_by_epoch(micius_sets):
    chosen = [nearest_elements(micius_sets, np.datetime64(t)).epoch for t in ("2016-09-01", "2016-09-23", "2017-01-01")]
    assert chosen == [each.epoch for each in micius_sets]
    with pytest.raises(InputError, match="no orbital elements"):
        nearest_elements([], np.datetime64("2016-09-01"))
    other = replace(micius_sets[0], catalog_number=5)
    with pytest.raises(InputError, match=r"several objects .*5, 41731"):
        nearest_elements([*micius_sets, other], np.datetime64("2016-09-01"))


def test_age_is_the_greatest_distance_from_the_epoch(micius):
    end = micius.epoch + np.timedelta64(36, "h")
    assert check_age(micius, micius.epoch, end) == 1.5
    assert check_age(micius, micius.epoch - np.timedelta64(3, "D"), end) == 3.0


def test_old_elements_warn_then_are_refused(micius):
    later = micius.epoch + np.timedelta64(20, "D")
    with pytest.warns(ElementsAgeWarning, match=r"20\.0 days"):
        assert check_age(micius, micius.epoch, later) == 20.0
    with pytest.raises(InputError, match=r"20\.0 days .* study.max_age = 15; .* raise study.max_age"):
        check_age(micius, micius.epoch, later, limit_days=15.0, option="study.max_age")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("eccentricity", 1.0, r"\[0, 1\), got 1.0"),
        ("eccentricity", float("nan"), "finite"),
        ("mean_motion_rev_day", 0.0, r"\(0, 20\]"),
        ("inclination_rad", 3.2, "inclination_rad"),
        ("catalog_number", 0, "catalog_number"),
        ("epoch", np.datetime64("NaT"), "epoch"),
    ],
)
def test_impossible_elements_are_refused(micius, field, value, text):
    with pytest.raises(InputError, match=text):
        replace(micius, **{field: value})


def test_decay_is_an_input_error_that_names_satellite_and_time():
    low = OrbitalElements(
        name="Low",
        object_id="",
        catalog_number=7,
        epoch=np.datetime64("2016-09-22"),
        mean_motion_rev_day=16.4,
        eccentricity=0.001,
        inclination_rad=1.0,
        raan_rad=0.0,
        argument_of_perigee_rad=0.0,
        mean_anomaly_rad=0.0,
        bstar=0.01,
    )
    times = np.arange("2016-09-22", "2016-10-22", dtype="datetime64[D]").astype("datetime64[ns]")
    with pytest.raises(InputError, match=r"Low: SGP4 cannot propagate to 2016-.*Z: "):
        Sgp4Orbit(low).states_ecef(times)
