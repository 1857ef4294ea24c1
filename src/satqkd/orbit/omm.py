"""CCSDS Orbit Mean-Elements Messages (502.0-B): KVN, XML and the JSON of CelesTrak and Space-Track.

Only SGP4 mean elements in TEME and UTC are taken. Units are those of the standard (degrees, revolutions per
day); catalogue numbers may have up to nine digits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np

from satqkd.errors import InputError
from satqkd.orbit.elements import OrbitalElements

__all__ = ["parse_omm_json", "parse_omm_kvn", "parse_omm_xml", "write_omm_kvn"]

_FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
}
_SGP4_EPHEMERIS_TYPES: Final = ("0", "2")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})-(?:(\d{2})-(\d{2})|(\d{3}))T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?Z?", re.ASCII)
_KVN_LINE: Final = re.compile(r"([A-Z0-9_]+)\s*=\s*(.*?)\s*(?:\[[^\]]*\])?")


def parse_omm_kvn(text: str, *, source: str = "OMM text") -> list[OrbitalElements]:
    """Messages in keyword = value notation, each beginning with ``CCSDS_OMM_VERS``.

    Parameters
    ----------
    text : str
        One or more messages.
    source : str
        What to call the text in errors.

    Returns
    -------
    list of OrbitalElements
        In the order of the text.

    Raises
    ------
    InputError
        A line cannot be read, a keyword is missing or twice, or a value is not supported.
    """
    messages: list[dict[str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped == "COMMENT" or stripped.startswith("COMMENT "):
            continue
        match = _KVN_LINE.fullmatch(stripped)
        if not match:
            raise InputError(f"{source}, line {number}: expected KEYWORD = value, found {stripped[:40]!r}")
        key, value = match.groups()
        if key == "CCSDS_OMM_VERS":
            messages.append({})
        if not messages:
            raise InputError(f"{source}, line {number}: an OMM must begin with CCSDS_OMM_VERS, found {key}")
        if key in messages[-1]:
            raise InputError(f"{source}, line {number}: {key} is given twice in one message")
        messages[-1][key] = value
    if not messages:
        raise InputError(f"{source}: no OMM found, the text is empty")
    return [_elements(each, f"{source}, message {k}") for k, each in enumerate(messages, 1)]


def parse_omm_xml(text: str, *, source: str = "OMM text") -> list[OrbitalElements]:
    """Messages in XML: one ``omm`` element or several in an ``ndm``. See :func:`parse_omm_kvn`."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError(f"{source}: XML with a document type or entities is not accepted")
    try:
        root = ElementTree.fromstring(text.strip())
    except ElementTree.ParseError as error:
        raise InputError(f"{source}: not well-formed XML: {error}") from None
    found = [element for element in root.iter() if _local(element.tag) == "omm"]
    if not found:
        raise InputError(f"{source}: no <omm> element found in <{_local(root.tag)}>")
    messages = []
    for k, omm in enumerate(found, 1):
        message: dict[str, str] = {}
        for element in omm.iter():
            key = _local(element.tag)
            if len(element) or key in ("COMMENT", "USER_DEFINED"):
                continue
            if key in message:
                raise InputError(f"{source}, message {k}: {key} is given twice")
            message[key] = (element.text or "").strip()
        messages.append(message)
    return [_elements(each, f"{source}, message {k}") for k, each in enumerate(messages, 1)]


def parse_omm_json(text: str, *, source: str = "OMM text") -> list[OrbitalElements]:
    """Messages as a JSON object or an array of them, with the standard's keywords.

    ``CENTER_NAME``, ``REF_FRAME``, ``TIME_SYSTEM`` and ``MEAN_ELEMENT_THEORY`` may be absent, because CelesTrak
    leaves them out; values may be numbers or strings. See :func:`parse_omm_kvn`.

    Parameters
    ----------
    text : str
        JSON.
    source : str
        Where the text comes from, for errors.

    Returns
    -------
    list of OrbitalElements
        One per message.

    Raises
    ------
    InputError
        In one line: which message, which keyword, what is allowed.
    """
    try:
        data: Any = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except ValueError as error:
        raise InputError(f"{source}: not valid JSON: {error}") from None
    items = [data] if isinstance(data, dict) else data
    if not isinstance(items, list) or not items:
        raise InputError(f"{source}: expected a JSON object or a non-empty array of objects with OMM keywords")
    messages = []
    for k, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise InputError(f"{source}, message {k}: expected an object with OMM keywords")
        messages.append({key: value for key, value in item.items() if isinstance(value, str)})
    defaults = {key: allowed[0] for key, allowed in _FIXED.items()}
    return [_elements(defaults | each, f"{source}, message {k}") for k, each in enumerate(messages, 1)]


def write_omm_kvn(
    sets: Sequence[OrbitalElements],
    *,
    originator: str = "SATQKD",
    creation_date: np.datetime64 | None = None,
) -> str:
    """Element sets as OMM messages in keyword = value notation.

    Parameters
    ----------
    sets : sequence of OrbitalElements
        One message is written for each.
    originator : str
        Who writes the message.
    creation_date : datetime64 or None
        UTC; None: now.

    Returns
    -------
    str
        Text that :func:`parse_omm_kvn` reads back to the same elements, to the last digits of an angle.
    """
    created = np.datetime64("now") if creation_date is None else creation_date
    messages = []
    for each in sets:
        fields = {
            "CCSDS_OMM_VERS": "2.0",
            "CREATION_DATE": np.datetime_as_string(created.astype("datetime64[s]")),
            "ORIGINATOR": originator,
            "OBJECT_NAME": each.name,
            "OBJECT_ID": each.object_id or "UNKNOWN",
            "CENTER_NAME": "EARTH",
            "REF_FRAME": "TEME",
            "TIME_SYSTEM": "UTC",
            "MEAN_ELEMENT_THEORY": "SGP4",
            "EPOCH": np.datetime_as_string(each.epoch),
            "MEAN_MOTION": repr(float(each.mean_motion_rev_day)),
            "ECCENTRICITY": repr(float(each.eccentricity)),
            "INCLINATION": repr(math.degrees(each.inclination_rad)),
            "RA_OF_ASC_NODE": repr(math.degrees(each.raan_rad)),
            "ARG_OF_PERICENTER": repr(math.degrees(each.argument_of_perigee_rad)),
            "MEAN_ANOMALY": repr(math.degrees(each.mean_anomaly_rad)),
            "EPHEMERIS_TYPE": "0",
            "NORAD_CAT_ID": str(each.catalog_number),
            "BSTAR": repr(float(each.bstar)),
            "MEAN_MOTION_DOT": repr(float(each.mean_motion_dot)),
            "MEAN_MOTION_DDOT": repr(float(each.mean_motion_ddot)),
        }
        messages.append("".join(f"{key} = {value}\n" for key, value in fields.items()))
    return "\n".join(messages)


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _elements(message: Mapping[str, str], where: str) -> OrbitalElements:
    for key, allowed in _FIXED.items():
        value = _text(message, key, where)
        if value.upper() not in allowed:
            raise InputError(f"{where}: {key} must be {allowed[0]}, found {value!r}")
    if message.get("EPHEMERIS_TYPE", "0") not in _SGP4_EPHEMERIS_TYPES:
        raise InputError(
            f"{where}: EPHEMERIS_TYPE must be 0 (SGP4), found {message['EPHEMERIS_TYPE']!r}; "
            "other theories such as SGP4-XP are not supported"
        )
    number = _text(message, "NORAD_CAT_ID", where)
    if not re.fullmatch(r"\d{1,9}", number, re.ASCII):
        raise InputError(f"{where}: NORAD_CAT_ID must be an integer of up to 9 digits, found {number!r}")
    object_id = message.get("OBJECT_ID", "")
    try:
        return OrbitalElements(
            name=message.get("OBJECT_NAME") or number,
            object_id="" if object_id.upper() == "UNKNOWN" else object_id,
            catalog_number=int(number),
            epoch=parse_date(_text(message, "EPOCH", where), f"{where}: EPOCH"),
            mean_motion_rev_day=_number(message, "MEAN_MOTION", where),
            eccentricity=_number(message, "ECCENTRICITY", where),
            inclination_rad=math.radians(_number(message, "INCLINATION", where)),
            raan_rad=math.radians(_number(message, "RA_OF_ASC_NODE", where)),
            argument_of_perigee_rad=math.radians(_number(message, "ARG_OF_PERICENTER", where)),
            mean_anomaly_rad=math.radians(_number(message, "MEAN_ANOMALY", where)),
            bstar=_number(message, "BSTAR", where),
            mean_motion_dot=_number(message, "MEAN_MOTION_DOT", where),
            mean_motion_ddot=_number(message, "MEAN_MOTION_DDOT", where),
        )
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(where) else f"{where}: {text}") from None


def _text(message: Mapping[str, str], key: str, where: str) -> str:
    value = message.get(key, "")
    if not value:
        raise InputError(f"{where}: {key} is missing")
    return value


def _number(message: Mapping[str, str], key: str, where: str) -> float:
    value = _text(message, key, where)
    if not _NUMBER.fullmatch(value):
        raise InputError(f"{where}: {key} must be a number, found {value!r}")
    return float(value)


def parse_date(text: str, where: str) -> np.datetime64:
    """A CCSDS date, calendar or day-of-year form, to nanoseconds.

    Examples
    --------
    >>> str(parse_date("2016-266T19:50:12.33024", "EPOCH"))
    '2016-09-22T19:50:12.330240000'
    """
    match = _DATE.fullmatch(text)
    if not match:
        raise InputError(f"{where} must be a date such as 2016-09-22T19:50:12.330240, found {text!r}")
    year, month, day, ordinal, clock, fraction = match.groups()
    try:
        if ordinal:
            date = np.datetime64(f"{year}-01-01", "D") + np.timedelta64(int(ordinal) - 1, "D")
            if not date.astype("datetime64[Y]") == np.datetime64(year, "Y"):
                raise ValueError(text)
        else:
            date = np.datetime64(f"{year}-{month}-{day}", "D")
        return np.datetime64(f"{date}T{clock}.{(fraction or '').ljust(9, '0')}", "ns")
    except ValueError:
        raise InputError(f"{where}: no such date or time: {text!r}") from None
