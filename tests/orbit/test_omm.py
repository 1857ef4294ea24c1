import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.elements_io import parse_elements
from satqkd.orbit.omm import parse_date, parse_omm_json, parse_omm_kvn, parse_omm_xml, write_omm_kvn

FIELDS = {
    "OBJECT_NAME": "MICIUS",
    "OBJECT_ID": "2016-051A",
    "EPOCH": "2016-09-22T19:50:12.330240",
    "MEAN_MOTION": "15.23497871",
    "ECCENTRICITY": ".0014904",
    "INCLINATION": "97.3660",
    "RA_OF_ASC_NODE": "181.9185",
    "ARG_OF_PERICENTER": "125.7922",
    "MEAN_ANOMALY": "319.2797",
    "EPHEMERIS_TYPE": "0",
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": "41731",
    "ELEMENT_SET_NO": "999",
    "REV_AT_EPOCH": "580",
    "BSTAR": ".10105E-3",
    "MEAN_MOTION_DOT": ".2347E-4",
    "MEAN_MOTION_DDOT": "0",
}
META = {"CENTER_NAME": "EARTH", "REF_FRAME": "TEME", "TIME_SYSTEM": "UTC", "MEAN_ELEMENT_THEORY": "SGP4"}


def kvn(**changes):
    fields = {"CCSDS_OMM_VERS": "2.0", "CREATION_DATE": "2016-09-23T00:00:00", **META, **FIELDS, **changes}
    return "".join(f"{key:20}= {value}\n" for key, value in fields.items() if value is not None)


def elements_xml(*keys):
    return "".join(f"<{key}>{(FIELDS | META)[key]}</{key}>" for key in keys)


def xml(*numbers):
    meta = elements_xml("OBJECT_NAME", "OBJECT_ID", *META)
    shape = elements_xml("EPOCH", "MEAN_MOTION", "ECCENTRICITY", "INCLINATION")
    angles = elements_xml("RA_OF_ASC_NODE", "ARG_OF_PERICENTER", "MEAN_ANOMALY")
    drag = elements_xml("EPHEMERIS_TYPE", "BSTAR", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT")
    messages = [
        "<omm id='CCSDS_OMM_VERS' version='2.0'><header><COMMENT>x</COMMENT><ORIGINATOR>y</ORIGINATOR></header>"
        f"<body><segment><metadata>{meta}</metadata><data><meanElements>{shape}{angles}</meanElements>"
        f"<tleParameters><NORAD_CAT_ID>{number}</NORAD_CAT_ID>{drag}</tleParameters></data></segment></body></omm>"
        for number in numbers
    ]
    return "<?xml version='1.0' encoding='UTF-8'?>\n<ndm xmlns='urn:x'>" + "".join(messages) + "</ndm>"


def celestrak_json(**changes):
    """As CelesTrak writes it: numbers, and no keywords for frame, time system and theory."""
    text = {"OBJECT_NAME", "OBJECT_ID", "EPOCH", "CLASSIFICATION_TYPE"}
    return {k: v if k in text else json.loads(str(float(v)) if "." in v else v) for k, v in FIELDS.items()} | changes


def assert_same(a, b):
    a, b = asdict(a), asdict(b)
    for key, value in a.items():
        # degrees to radians and back loses the last bit
        assert value == (pytest.approx(b[key], rel=1e-15) if isinstance(value, float) else b[key]), key


def test_all_forms_give_the_elements_of_the_tle(micius):
    expected = replace(micius, name="MICIUS")
    space_track = json.dumps([{"CCSDS_OMM_VERS": "2.0", "COMMENT": "GP", **META, **FIELDS, "DECAY_DATE": None}])
    for text in (kvn(), xml(41731), json.dumps([celestrak_json()]), json.dumps(celestrak_json()), space_track):
        (elements,) = parse_elements(text)
        assert_same(elements, expected)


def test_several_messages_and_large_catalogue_numbers():
    numbers = [339_999, 340_000, 799_500_001]
    assert [e.catalog_number for e in parse_omm_kvn("\n".join(kvn(NORAD_CAT_ID=n) for n in numbers))] == numbers
    assert [e.catalog_number for e in parse_omm_xml(xml(*numbers))] == numbers
    many = json.dumps([celestrak_json(NORAD_CAT_ID=n) for n in numbers])
    assert [e.catalog_number for e in parse_omm_json(many)] == numbers


def test_written_messages_read_back(micius_sets):
    sets = [replace(micius_sets[0], catalog_number=987_654_321, object_id=""), *micius_sets[1:]]
    text = write_omm_kvn(sets, creation_date=np.datetime64("2026-01-01"))
    assert text.startswith("CCSDS_OMM_VERS = 2.0\nCREATION_DATE = 2026-01-01T00:00:00\n")
    for before, after in zip(sets, parse_elements(text), strict=True):
        assert_same(before, after)


def test_units_comments_and_day_of_year_dates_are_understood():
    text = "COMMENT a = b\n" + kvn(EPOCH="2016-266T19:50:12.33024Z", INCLINATION="97.3660 [deg]")
    (elements,) = parse_elements(text)
    assert elements.epoch == np.datetime64("2016-09-22T19:50:12.330240", "ns")
    assert np.degrees(elements.inclination_rad) == pytest.approx(97.3660, rel=1e-15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TIME_SYSTEM": "TAI"}, "TIME_SYSTEM must be UTC, found 'TAI'"),
        ({"REF_FRAME": "GCRF"}, "REF_FRAME must be TEME, found 'GCRF'"),
        ({"REF_FRAME": None}, "REF_FRAME is missing"),
        ({"MEAN_ELEMENT_THEORY": "DSST"}, "MEAN_ELEMENT_THEORY must be SGP4, found 'DSST'"),
        ({"CENTER_NAME": "MARS"}, "CENTER_NAME must be EARTH"),
        ({"EPHEMERIS_TYPE": "4"}, "SGP4-XP"),
        ({"MEAN_MOTION": None, "SEMI_MAJOR_AXIS": "6800"}, "MEAN_MOTION is missing"),
        ({"BSTAR": "nan"}, "BSTAR must be a number, found 'nan'"),
        ({"BSTAR": "1_0"}, "BSTAR must be a number"),
        ({"NORAD_CAT_ID": "1234567890"}, "up to 9 digits"),
        ({"NORAD_CAT_ID": "A0000"}, "NORAD_CAT_ID must be an integer"),
        ({"EPOCH": "yesterday"}, "EPOCH must be a date"),
        ({"EPOCH": "2016-02-30T00:00:00"}, "EPOCH: no such date"),
        ({"EPOCH": "2015-366T00:00:00"}, "EPOCH: no such date"),
        ({"ECCENTRICITY": "1.5"}, r"message 1: MICIUS: eccentricity must be in \[0, 1\)"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(changes, message):
    with pytest.raises(InputError, match=message):
        parse_omm_kvn(kvn(**changes))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (kvn() + "BSTAR = 1\n", "line 24: BSTAR is given twice"),
        (kvn() + "nonsense\n", "line 24: expected KEYWORD = value"),
        ("COMMENT only\n", "no OMM found"),
        ("COMMENT x\nBSTAR = 1\n", "line 2: an OMM must begin with CCSDS_OMM_VERS"),
        ("[]", "non-empty array"),
        ("[1]", "message 1: expected an object"),
        ("[{]", "not valid JSON"),
        ("<a", "not well-formed"),
        ("<a/>", "no <omm> element found in <a>"),
        ("<!DOCTYPE a><omm/>", "entities is not accepted"),
        (json.dumps([celestrak_json(TIME_SYSTEM="TDB")]), "TIME_SYSTEM must be UTC"),
        (json.dumps([celestrak_json(BSTAR=float("nan"))]), "BSTAR must be a number, found 'NaN'"),
        (json.dumps([celestrak_json(BSTAR=None)]), "BSTAR is missing"),
    ],
)
def test_damaged_messages_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_elements(text)


def test_dates_keep_nanoseconds():
    assert parse_date("2020-01-01T00:00:00.123456789", "EPOCH") == np.datetime64("2020-01-01T00:00:00.123456789", "ns")
