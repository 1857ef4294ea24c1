"""Two-line element sets: an import format, checked column by column.

Columns (from 1) after T. S. Kelso, "FAQs: Two-Line Element Set Format", CelesTrak. Catalogue numbers above
99 999 are in Alpha-5 (A0000 is 100 000, Z9999 is 339 999; I and O are not used); larger ones need OMM.
"""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np

from satqkd.errors import InputError
from satqkd.orbit.elements import OrbitalElements

__all__ = ["parse_tle"]

_LENGTH: Final = 69
_ALPHA5: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_ELEMENT_LINE: Final = re.compile(r"[12] ([ 0-9A-Z][ \d]{3}\d|.{58})")  # a name can begin so, but is short
_NS_PER_1E8TH_DAY: Final = 864_000


def parse_tle(text: str, *, source: str = "TLE text") -> list[OrbitalElements]:
    """All element sets of a text: two lines each, optionally after a line with the name (``0 NAME`` too).

    Parameters
    ----------
    text : str
        The text; blank lines are skipped.
    source : str
        What to call the text in errors.

    Returns
    -------
    list of OrbitalElements
        In the order of the text, at least one. Without a line for the name, the catalogue number is the name.

    Raises
    ------
    InputError
        A line has a wrong length, checksum or field, belongs to another object or is missing. The text says
        which line, what was expected and what was found.

    Examples
    --------
    >>> iss = parse_tle('''ISS (ZARYA)
    ... 1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927
    ... 2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537''')[0]
    >>> iss.name, iss.object_id, iss.catalog_number, str(iss.epoch)
    ('ISS (ZARYA)', '1998-067A', 25544, '2008-09-20T12:25:40.104192000')
    """
    lines = [(k, line.rstrip()) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise InputError(f"{source}: no element set found, the text is empty")
    sets: list[OrbitalElements] = []
    name: str | None = None
    at = 0
    while at < len(lines):
        number, line = lines[at]
        where = f"{source}, line {number}"
        if not _ELEMENT_LINE.match(line):
            if name is not None:
                raise InputError(f"{where}: expected line 1 of an element set after a name, found {line[:30]!r}")
            name = line.removeprefix("0 ").strip()
            at += 1
            continue
        if line[0] == "2":
            raise InputError(f"{where}: line 2 of an element set without line 1 before it")
        if at + 1 == len(lines):
            raise InputError(f"{where}: line 2 of the element set is missing, the text ends")
        next_number, next_line = lines[at + 1]
        next_where = f"{source}, line {next_number}"
        if not next_line.startswith("2 "):
            raise InputError(f"{next_where}: expected line 2 of an element set, found {next_line[:30]!r}")
        _check_line(line, where)
        _check_line(next_line, next_where)
        sets.append(_elements(name, line, next_line, where, next_where))
        name = None
        at += 2
    if name is not None:
        raise InputError(f"{source}: no element set follows the name {name[:30]!r}")
    return sets


def _check_line(line: str, where: str) -> None:
    if len(line) != _LENGTH:
        raise InputError(f"{where}: must have {_LENGTH} characters, has {len(line)}")
    if not line.isascii():
        raise InputError(f"{where}: has characters other than ASCII")
    digits = sum(int(c) if c.isdigit() else c == "-" for c in line[:-1])
    if line[-1] != str(digits % 10):
        raise InputError(f"{where}: checksum expected {digits % 10}, found {line[-1]!r}")


def _elements(name: str | None, one: str, two: str, where: str, next_where: str) -> OrbitalElements:
    catalog_number = _catalog_number(one[2:7], where)
    second = _catalog_number(two[2:7], next_where)
    if second != catalog_number:
        raise InputError(f"{next_where}: catalogue number expected {catalog_number} as on line 1, found {second}")
    if one[62] not in " 02":
        raise InputError(
            f"{where}, column 63: ephemeris type must be 0 (SGP4), found {one[62]!r}; "
            "other theories such as SGP4-XP are not supported"
        )
    object_id = _object_id(one[9:17], where)

    def angle(columns: slice, what: str) -> float:
        value = _number(two, columns, r" *\d{1,3}\.\d+", what, next_where)
        if value > (180.0 if what == "inclination" else 360.0):
            raise InputError(f"{next_where}: {what} is out of range, found {value} deg")
        return math.radians(value)

    return OrbitalElements(
        name=name or str(catalog_number),
        object_id=object_id,
        catalog_number=catalog_number,
        epoch=_epoch(one[18:32], where),
        mean_motion_dot=_number(one, slice(33, 43), r"[ +-]\.\d{8}", "first derivative", where),
        mean_motion_ddot=_exponential(one, slice(44, 52), "second derivative", where),
        bstar=_exponential(one, slice(53, 61), "drag term", where),
        inclination_rad=angle(slice(8, 16), "inclination"),
        raan_rad=angle(slice(17, 25), "right ascension of the node"),
        eccentricity=_number(two, slice(26, 33), r"\d{7}", "eccentricity", next_where) / 1e7,
        argument_of_perigee_rad=angle(slice(34, 42), "argument of perigee"),
        mean_anomaly_rad=angle(slice(43, 51), "mean anomaly"),
        mean_motion_rev_day=_number(two, slice(52, 63), r" *\d{1,2}\.\d{8}", "mean motion", next_where),
    )


def _number(line: str, columns: slice, pattern: str, what: str, where: str) -> float:
    text = line[columns]
    if not re.fullmatch(pattern, text, re.ASCII):
        raise InputError(f"{where}, columns {columns.start + 1}-{columns.stop}: cannot read {what} {text!r}")
    return float(text.replace(" ", ""))


def _exponential(line: str, columns: slice, what: str, where: str) -> float:
    """A number such as `` 12345-6`` that means 0.12345e-6."""
    text = line[columns]
    match = re.fullmatch(r"([ +-])(\d{5})([ +-]\d)", text, re.ASCII)
    if not match:
        raise InputError(f"{where}, columns {columns.start + 1}-{columns.stop}: cannot read {what} {text!r}")
    sign, digits, exponent = match.groups()
    return float(f"{sign.strip()}0.{digits}e{exponent.strip()}")


def _catalog_number(text: str, where: str) -> int:
    match = re.fullmatch(rf"( *)(\d+)|([{_ALPHA5}])(\d{{4}})", text, re.ASCII)
    if not match:
        raise InputError(
            f"{where}, columns 3-7: catalogue number must be 5 digits or Alpha-5 (a letter but I and O, "
            f"then 4 digits), found {text!r}"
        )
    if match[3]:
        return (10 + _ALPHA5.index(match[3])) * 10_000 + int(match[4])
    if not int(match[2]):
        raise InputError(f"{where}, columns 3-7: catalogue number must be at least 1, found {text!r}")
    return int(match[2])


def _object_id(text: str, where: str) -> str:
    if not text.strip():
        return ""
    match = re.fullmatch(r"(\d{2})(\d{3})([A-Z]{1,3}) *", text, re.ASCII)
    if not match:
        raise InputError(f"{where}, columns 10-17: cannot read international designator {text!r}")
    return f"{_full_year(int(match[1]))}-{match[2]}{match[3]}"


def _full_year(two_digits: int) -> int:
    return two_digits + (1900 if two_digits >= 57 else 2000)


def _epoch(text: str, where: str) -> np.datetime64:
    match = re.fullmatch(r"(\d{2})([ \d]{2}\d)\.(\d{8})", text, re.ASCII)
    if not match:
        raise InputError(f"{where}, columns 19-32: cannot read epoch {text!r}, expected e.g. 16266.82653160")
    year, day = _full_year(int(match[1])), int(match[2])
    first = np.datetime64(f"{year}-01-01", "D")
    days = int((np.datetime64(f"{year + 1}-01-01", "D") - first).astype(int))
    if not 1 <= day <= days:
        raise InputError(f"{where}, columns 19-32: day of the year must be 1 to {days}, found {day}")
    offset_ns = ((day - 1) * 100_000_000 + int(match[3])) * _NS_PER_1E8TH_DAY
    epoch: np.datetime64 = first.astype("datetime64[ns]") + np.timedelta64(offset_ns, "ns")
    return epoch
