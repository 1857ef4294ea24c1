"""UTC instants, Julian dates, leap seconds, UT1 and sidereal time.

Times are ``datetime64[ns]`` arrays of UTC. That scale has 86 400 s in every day: the leap second itself
(23:59:60) cannot be written, and a difference across one is 1 s short, as it is in SGP4.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import SECONDS_PER_DAY, TWO_PI
from satqkd.errors import InputError, SatqkdWarning

__all__ = [
    "as_utc",
    "format_utc",
    "gmst_rad",
    "j2000_days",
    "julian_date_split",
    "tai_minus_utc_s",
    "tt_times",
    "ut1_minus_utc_s",
    "ut1_times",
]

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.datetime64]

NS_PER_DAY: Final = 86_400_000_000_000
UNIX_EPOCH_JULIAN_DATE: Final = 2_440_587.5
J2000_NS: Final = int(np.datetime64("2000-01-01T12:00:00", "ns").astype(np.int64))
TT_MINUS_TAI_S: Final = 32.184

# TAI - UTC in seconds from each date on (IERS Bulletin C; the last one is of 2017).
_LEAP_SECOND_DATES: Final = """
    1972-01-01 1972-07-01 1973-01-01 1974-01-01 1975-01-01 1976-01-01 1977-01-01
    1978-01-01 1979-01-01 1980-01-01 1981-07-01 1982-07-01 1983-07-01 1985-07-01
    1988-01-01 1990-01-01 1991-01-01 1992-07-01 1993-07-01 1994-07-01 1996-01-01
    1997-07-01 1999-01-01 2006-01-01 2009-01-01 2012-07-01 2015-07-01 2017-01-01
"""
_LEAP_NS: Final = np.array(_LEAP_SECOND_DATES.split(), dtype="datetime64[ns]").astype(np.int64)


def as_utc(times: ArrayLike | np.datetime64, what: str = "time") -> TimeArray:
    """Times as a ``datetime64[ns]`` array of at least one dimension.

    Parameters
    ----------
    times : array_like of datetime64
        UTC instants; strings in ISO 8601 are taken as well.
    what : str
        Name for the error's text.

    Returns
    -------
    ndarray of datetime64[ns]
        The same instants, shape (n,) or higher.

    Raises
    ------
    InputError
        An instant is missing (NaT), cannot be read, or lies outside 1678-2261 (the range of nanoseconds).

    Examples
    --------
    >>> as_utc("2016-09-19T00:00:00")
    array(['2016-09-19T00:00:00.000000000'], dtype='datetime64[ns]')
    """
    try:
        given = np.atleast_1d(np.asarray(times))
        if given.dtype.kind != "M":
            given = given.astype("datetime64[us]")
        if given.dtype != np.dtype("datetime64[ns]"):
            year = given.astype("datetime64[Y]").astype(np.int64) + 1970
            if not np.isnat(given).any() and ((year < 1678) | (year > 2261)).any():
                raise InputError(f"{what}: year must be from 1678 to 2261, got {int(year.min())}")
            given = given.astype("datetime64[ns]")
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what}: not a UTC instant: {times!r}; expected e.g. 2016-09-19T00:00:00") from None
    if np.isnat(given).any():
        raise InputError(f"{what}: an instant is missing (NaT)")
    return given


def format_utc(time: np.datetime64, unit: str = "ms") -> str:
    """ISO 8601 text of one instant with a final Z, rounded down to ``unit`` (``s``, ``ms``, ``us``, ``ns``).

    Examples
    --------
    >>> format_utc(np.datetime64("2016-09-19T12:00:00.25"))
    '2016-09-19T12:00:00.250Z'
    """
    return f"{np.datetime_as_string(time.astype(f'datetime64[{unit}]'))}Z"


def julian_date_split(times: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Julian date of midnight and the fraction of the day since, of the scale the times are in.

    Parameters
    ----------
    times : array_like of datetime64
        Instants, any shape.

    Returns
    -------
    day, fraction : ndarray
        Julian date ending in .5 (exact), and the fraction in [0, 1), correct to the last bit. [d]

    Examples
    --------
    >>> day, fraction = julian_date_split("2000-01-01T18:00:00")
    >>> float(day[0]), float(fraction[0])
    (2451544.5, 0.75)
    """
    days, rest = np.divmod(as_utc(times).astype(np.int64), NS_PER_DAY)
    return days + UNIX_EPOCH_JULIAN_DATE, rest / NS_PER_DAY


def tai_minus_utc_s(times: ArrayLike) -> FloatArray:
    """TAI - UTC from the leap-second table. [s]

    Parameters
    ----------
    times : array_like of datetime64
        UTC instants. Before 1972, when UTC had no leap seconds, the value of 1972 (10 s) is used; after the
        last leap second announced, the last value (37 s).

    Returns
    -------
    ndarray
        Whole seconds, the shape of ``times``. [s]
    """
    count = np.searchsorted(_LEAP_NS, as_utc(times).astype(np.int64), side="right")
    return 9.0 + np.maximum(count, 1)


@cache
def _ut1_table() -> tuple[FloatArray, FloatArray]:
    text = resources.files("satqkd.orbit").joinpath("data/ut1_minus_tai.csv").read_text(encoding="ascii")
    rows = [line.split(",") for line in text.splitlines() if line and line[0].isdigit()]
    mjd = np.array([float(row[0]) for row in rows])
    return (mjd - 40_587.0) * NS_PER_DAY, np.array([float(row[1]) for row in rows])


def ut1_minus_utc_s(times: ArrayLike) -> FloatArray:
    """UT1 - UTC from the bundled table of monthly IERS values. [s]

    UT1 - TAI is smooth, so that is what is interpolated; the leap seconds are added afterwards.

    Parameters
    ----------
    times : array_like of datetime64
        UTC instants.

    Returns
    -------
    ndarray
        UT1 - UTC. [s] Within 7 ms of what IERS measured (3.2 m on the equator; tides in UT1 between the months),
        2 ms rms; the table's last year is predicted (a year ahead 0.11 s, 50 m, off in 2026). Outside it is 0, which
        is at most 0.9 s (420 m on the equator, 0.004 deg) off while UTC keeps to its definition.

    Warns
    -----
    SatqkdWarning
        Some instants lie outside the table.
    """
    utc = as_utc(times)
    nodes_ns, values_s = _ut1_table()
    ns = utc.astype(np.int64)
    inside = (ns >= nodes_ns[0]) & (ns <= nodes_ns[-1])
    result = np.interp(ns.astype(np.float64), nodes_ns, values_s) + tai_minus_utc_s(utc)
    if not inside.all():
        first, last = (np.datetime64(int(node), "ns").astype("datetime64[D]") for node in nodes_ns[[0, -1]])
        warnings.warn(
            f"UT1-UTC is tabulated from {first} to {last} only; outside it is taken as 0 "
            "(at most 0.9 s off, 420 m on the equator)",
            SatqkdWarning,
            stacklevel=2,
        )
        result = np.where(inside, result, 0.0)
    return result


def ut1_times(times: ArrayLike) -> TimeArray:
    """UT1 clock readings at UTC instants, as ``datetime64[ns]``."""
    utc = as_utc(times)
    return np.asarray(utc + np.rint(ut1_minus_utc_s(utc) * 1e9).astype("timedelta64[ns]"))


def tt_times(times: ArrayLike) -> TimeArray:
    """Terrestrial-time clock readings at UTC instants, as ``datetime64[ns]``."""
    utc = as_utc(times)
    offset_ns = np.rint((tai_minus_utc_s(utc) + TT_MINUS_TAI_S) * 1e9)
    return np.asarray(utc + offset_ns.astype("timedelta64[ns]"))


def j2000_days(clock: ArrayLike) -> FloatArray:
    """Days since 2000-01-01 12:00 of the scale the clock readings are in. [d]"""
    return (as_utc(clock).astype(np.int64) - J2000_NS) / NS_PER_DAY


def gmst_rad(ut1: ArrayLike) -> FloatArray:
    r"""Greenwich mean sidereal time, IAU 1982: the angle from TEME to the Earth-fixed frame.

    Parameters
    ----------
    ut1 : array_like of datetime64
        UT1 clock readings, see :func:`ut1_times`.

    Returns
    -------
    ndarray
        Angle in [0, 2 pi). [rad]

    Notes
    -----
    In seconds :math:`67310.54841 + (876600 \cdot 3600 + 8640184.812866) T + 0.093104 T^2
    - 6.2\times10^{-6} T^3`, with T in Julian centuries of UT1 since J2000 [1]_, Eq. 3-47. The term in
    whole days is taken from integers, so that no digits are lost.

    References
    ----------
    .. [1] D. A. Vallado, *Fundamentals of Astrodynamics and Applications*, 4th ed., Microcosm, 2013.
    """
    ns = as_utc(ut1).astype(np.int64) - J2000_NS
    day_fraction = np.mod(ns, NS_PER_DAY) / NS_PER_DAY
    t = ns / (NS_PER_DAY * 36_525.0)
    seconds = 67_310.54841 + t * (8_640_184.812866 + t * (0.093104 - t * 6.2e-6))
    return np.mod(TWO_PI * (day_fraction + seconds / SECONDS_PER_DAY), TWO_PI)
