import numpy as np
import pytest
from sgp4.propagation import gstime

from satqkd.errors import InputError, SatqkdWarning
from satqkd.orbit.time import (
    as_utc,
    format_utc,
    gmst_rad,
    julian_date_split,
    tai_minus_utc_s,
    tt_times,
    ut1_minus_utc_s,
    ut1_times,
)


def test_julian_date_is_exact_to_the_nanosecond():
    times = as_utc(["2016-09-22T19:50:12.330240"]) + np.arange(3).astype("timedelta64[ns]")
    day, fraction = julian_date_split(times)
    assert (day == 2457653.5).all()
    # 86 400e9 ns a day: the fraction distinguishes neighbouring nanoseconds and gives them back exactly
    np.testing.assert_array_equal(np.rint(fraction * 86_400e9), 71_412_330_240_000 + np.arange(3))


def test_julian_date_before_1970_has_a_positive_fraction():
    day, fraction = julian_date_split("1960-03-01T06:00:00")
    assert (day[0], fraction[0]) == (2436994.5, 0.25)


def test_gmst_agrees_with_the_function_of_the_sgp4_package():
    times = np.arange("1975-01-01", "2030-01-01", 997, dtype="datetime64[h]")
    day, fraction = julian_date_split(times)
    expected = np.array([gstime(jd) for jd in day + fraction])
    difference = np.angle(np.exp(1j * (gmst_rad(times) - expected)))
    # the oracle takes one float for the Julian date: 20 us, so 1.5e-9 rad
    np.testing.assert_allclose(difference, 0.0, atol=4e-9)


def test_leap_seconds_step_at_the_start_of_their_days():
    assert tai_minus_utc_s(["2016-12-31T23:59:59.999999", "2017-01-01"]).tolist() == [36.0, 37.0]
    assert tai_minus_utc_s(["1969-01-01", "1972-01-01", "1972-07-01"]).tolist() == [10.0, 10.0, 11.0]


def test_tt_agrees_with_skyfield(skyfield):
    times = as_utc(["1980-05-01T12:00:00", "2016-09-19T00:00:00", "2020-02-29T23:59:59"])
    tt = skyfield.time(times)
    day, fraction = julian_date_split(tt_times(times))
    np.testing.assert_allclose((day - tt.whole) + (fraction - tt.tt_fraction), 0.0, atol=1e-14)  # 1 ns


def test_ut1_agrees_with_the_daily_iers_values(skyfield):
    times = np.arange("1973-01-03", "2025-08-01", 3, dtype="datetime64[D]").astype("datetime64[ns]")
    expected = skyfield.time(times).dut1
    # tides within the months that the table leaves out: up to 7 ms, 1.7 ms rms
    np.testing.assert_allclose(ut1_minus_utc_s(times), expected, atol=7e-3)
    assert np.std(ut1_minus_utc_s(times) - expected) == pytest.approx(1.7e-3, abs=0.5e-3)


@pytest.mark.parametrize(
    ("day", "published_s"), [("2025-12-24", 0.0776201), ("2026-04-09", 0.0477048), ("2026-09-20", -0.0099913)]
)
def test_recent_days_of_bulletin_a(day, published_s):
    """Between the nodes of the table, after the end of skyfield's file."""
    assert ut1_minus_utc_s(day)[0] == pytest.approx(published_s, abs=7e-3)


def test_ut1_minus_utc_jumps_with_a_leap_second_but_ut1_does_not():
    before, after = ut1_minus_utc_s(["2016-12-31T23:59:59", "2017-01-01T00:00:00"])
    assert after - before == pytest.approx(1.0, abs=1e-6)  # a second of UT1-TAI drift is 1e-8 s
    interval_s = np.diff(ut1_times(["2016-12-31T23:59:59", "2017-01-01T00:00:00"])).astype(np.int64) / 1e9
    assert interval_s[0] == pytest.approx(2.0, abs=1e-6)  # the leap second is between them


@pytest.mark.parametrize("time", ["1970-01-01", "2090-01-01"])
def test_outside_the_table_ut1_is_utc_with_a_warning(time):
    with pytest.warns(SatqkdWarning, match="tabulated from 1973-01-02 to"):
        assert ut1_minus_utc_s(time).tolist() == [0.0]


@pytest.mark.parametrize(
    ("bad", "text"),
    [("NaT", "missing"), ("soon", "not a UTC instant"), ("2500-01-01", "1678 to 2261"), (object(), "not a UTC")],
)
def test_bad_instants_are_input_errors(bad, text):
    with pytest.raises(InputError, match=text):
        as_utc(bad, "start")


def test_format_says_utc():
    assert format_utc(np.datetime64("2016-09-19T00:00:01.5", "ns")) == "2016-09-19T00:00:01.500Z"
