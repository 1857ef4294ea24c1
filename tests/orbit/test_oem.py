import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.formats.oem import parse_oem, write_oem
from satqkd.orbit.propagation import Sgp4Orbit

TIMES = np.arange("2016-09-22T00:00:00", "2016-09-22T00:10:00", 30, dtype="datetime64[s]")


@pytest.mark.parametrize("frame", ["ITRF", "TEME"])
def test_states_read_back(micius, frame):
    orbit = Sgp4Orbit(micius)
    states = orbit.states_ecef(TIMES) if frame == "ITRF" else orbit.states_teme(TIMES)
    text = write_oem(TIMES, *states, object_name="MICIUS", object_id="2016-051A", frame=frame)
    back = parse_oem(text)
    assert (back.object_name, back.object_id, back.frame) == ("MICIUS", "2016-051A", frame)
    np.testing.assert_array_equal(back.times, TIMES)
    # written digits: 1e-7 km, 1e-9 km/s
    np.testing.assert_allclose(back.position_m, states[0], atol=0.51e-4)
    np.testing.assert_allclose(back.velocity_m_s, states[1], atol=0.51e-6)


def test_the_message_has_the_standards_keywords_in_order(micius):
    states = Sgp4Orbit(micius).states_ecef(TIMES)
    text = write_oem(TIMES, *states, object_name="M", object_id="", creation_date=np.datetime64("2026-01-01"))
    assert text.splitlines()[:13] == [
        "CCSDS_OEM_VERS = 2.0",
        "CREATION_DATE = 2026-01-01T00:00:00",
        "ORIGINATOR = SATQKD",
        "",
        "META_START",
        "OBJECT_NAME = M",
        "OBJECT_ID = UNKNOWN",
        "CENTER_NAME = EARTH",
        "REF_FRAME = ITRF2000",
        "TIME_SYSTEM = UTC",
        "START_TIME = 2016-09-22T00:00:00.000000000",
        "STOP_TIME = 2016-09-22T00:09:30.000000000",
        "META_STOP",
    ]
    assert len(text.splitlines()) == 14 + TIMES.size


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame": "GCRF"}, "frame must be one of"),
        ({"times": TIMES[::-1]}, "times must ascend"),
        ({"times": TIMES[:-1]}, "n x 3"),
        ({"position_m": np.full((20, 3), np.nan)}, "finite"),
    ],
)
def test_bad_states_are_not_written(changes, message):
    good = {"times": TIMES, "position_m": np.ones((20, 3)), "velocity_m_s": np.ones((20, 3))}
    with pytest.raises(InputError, match=message):
        write_oem(**(good | {"object_name": "M", "object_id": ""} | changes))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("TIME_SYSTEM = UTC", "TIME_SYSTEM = TAI", "TIME_SYSTEM must be UTC"),
        ("REF_FRAME = ITRF2000", "REF_FRAME = EME2000", "REF_FRAME must be one of"),
        ("OBJECT_NAME = M", "", "OBJECT_NAME is missing"),
        (" 0.0010000 0.0010000 0.0010000", "", "line 15: expected a time and 6 numbers"),
        ("0.0010000 ", "zero ", "line 15: expected a time and 6 numbers"),
    ],
)
def test_damaged_messages_are_refused(old, new, message):
    text = write_oem(TIMES, np.ones((20, 3)), np.ones((20, 3)), object_name="M", object_id="X")
    with pytest.raises(InputError, match=message):
        parse_oem(text.replace(old, new))
