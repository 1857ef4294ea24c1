import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.orbit.elements_io import parse_elements, read_elements
from satqkd.orbit.tle import parse_tle

NAME = "MICIUS"
ONE = "1 41731U 16051A   16266.82653160  .00002347  00000-0  10105-3 0  9997"
TWO = "2 41731  97.3660 181.9185 0014904 125.7922 319.2797 15.23497871  5806"


def signed(line):
    """The line with the checksum that its other columns need."""
    return line[:68] + str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


def test_fields_are_those_of_the_columns():
    (one,) = parse_tle(f"{NAME}\n{ONE}\n{TWO}\n")
    assert (one.name, one.object_id, one.catalog_number) == ("MICIUS", "2016-051A", 41731)
    # day 266.82653160 of 2016: exactly 0.82653160 d = 71 412.330 240 s
    assert one.epoch == np.datetime64("2016-09-22T19:50:12.330240", "ns")
    assert np.degrees(
        [one.inclination_rad, one.raan_rad, one.argument_of_perigee_rad, one.mean_anomaly_rad]
    ) == pytest.approx([97.3660, 181.9185, 125.7922, 319.2797], rel=1e-15)
    assert (one.eccentricity, one.mean_motion_rev_day) == (0.0014904, 15.23497871)
    assert (one.bstar, one.mean_motion_dot, one.mean_motion_ddot) == (0.10105e-3, 0.00002347, 0.0)


def test_two_line_three_line_and_zero_name_forms_in_one_text():
    text = f"{ONE}\r\n{TWO}\r\n\r\nMICIUS\n{ONE}  \n{TWO}\n0 QUESS 1\n{ONE}\n{TWO}"
    assert [each.name for each in parse_tle(text)] == ["41731", "MICIUS", "QUESS 1"]


def test_a_name_that_begins_with_a_digit():
    assert parse_tle(f"2 FAST 2\n{ONE}\n{TWO}")[0].name == "2 FAST 2"


def test_negative_drag_and_exponents():
    one = signed("1 41731U 16051A   16266.82653160 -.00002347  12345-9 -10105-3 0  9997")
    elements = parse_tle(f"{one}\n{TWO}")[0]
    assert elements.mean_motion_dot == -0.00002347
    assert elements.mean_motion_ddot == pytest.approx(0.12345e-9, rel=1e-15)
    assert elements.bstar == pytest.approx(-0.10105e-3, rel=1e-15)


@pytest.mark.parametrize(
    ("columns", "number"),
    [
        ("   42", 42),
        ("99999", 99_999),
        ("A0000", 100_000),
        ("E8493", 148_493),
        ("J2931", 182_931),
        ("P0001", 230_001),
        ("Z9999", 339_999),
    ],
)
def test_alpha_5_catalogue_numbers(columns, number):
    one, two = signed(ONE[:2] + columns + ONE[7:]), signed(TWO[:2] + columns + TWO[7:])
    assert parse_tle(f"{one}\n{two}")[0].catalog_number == number


@pytest.mark.parametrize("columns", ["I0000", "O1234", "AA000", "4173A", "00000", "     "])
def test_other_catalogue_numbers_are_refused(columns):
    one, two = signed(ONE[:2] + columns + ONE[7:]), signed(TWO[:2] + columns + TWO[7:])
    with pytest.raises(InputError, match="line 1, columns 3-7: catalogue number must be"):
        parse_tle(f"{one}\n{two}")


def test_years_from_57_are_of_the_last_century():
    vanguard = signed(ONE[:18] + "58076.00000000" + ONE[32:])
    assert parse_tle(f"{vanguard}\n{TWO}")[0].epoch == np.datetime64("1958-03-17", "ns")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{ONE[:68]}3\n{TWO}", "line 1: checksum expected 7, found '3'"),
        (f"{ONE}\n{TWO[:68]}0", "line 2: checksum expected 6, found '0'"),
        (f"X\n{ONE}\n{signed(TWO.replace('41731', '25544'))}", "line 3: catalogue number expected 41731 .*found 25544"),
        (f"{ONE[:40]}\n{TWO}", "line 1: must have 69 characters, has 40"),
        (f"{ONE}\n{TWO[:-1]}", "line 2: must have 69 characters, has 68"),
        (f"{ONE}\n{TWO}7", "line 2: must have 69 characters, has 70"),
        (f"{ONE}", "line 1: line 2 of the element set is missing"),
        (f"{ONE}\n{ONE}", "line 2: expected line 2 of an element set, found '1 41731U"),
        (f"{TWO}\n{ONE}", "line 1: line 2 of an element set without line 1"),
        ("A\nB\n", "line 2: expected line 1 of an element set after a name, found 'B'"),
        ("No GP data found", "no element set follows the name 'No GP data found'"),
        (" \n", "the text is empty"),
        (f"{signed(ONE[:18] + '16367.00000000' + ONE[32:])}\n{TWO}", "day of the year must be 1 to 366, found 367"),
        (f"{signed(ONE[:18] + '16266,82653160' + ONE[32:])}\n{TWO}", "columns 19-32: cannot read epoch"),
        (f"{signed(ONE[:62] + '4' + ONE[63:])}\n{TWO}", "SGP4-XP"),
        (f"{ONE}\n{signed(TWO[:8] + '197.3660' + TWO[16:])}", "inclination is out of range, found 197.366 deg"),
        (f"{ONE}\n{signed(TWO[:26] + '00149 4' + TWO[33:])}", "columns 27-33: cannot read eccentricity"),
        (f"{ONE}\n{signed(TWO[:52] + ' 0.00000000' + TWO[63:])}", "mean motion must be in"),
    ],
)
def test_damaged_sets_are_refused_with_line_and_reason(text, message):
    with pytest.raises(InputError, match=message):
        parse_tle(text)


def test_the_files_error_names_the_file(tmp_path):
    path = tmp_path / "orbit.tle"
    path.write_text(f"{ONE}\n{TWO[:-1]}9\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"orbit\.tle, line 2: checksum expected 6, found '9'"):
        read_elements(path)
    with pytest.raises(InputError, match=r"no\.tle: cannot read orbital elements: No such file"):
        read_elements(tmp_path / "no.tle")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a UTF-8 text"):
        read_elements(path)


def test_any_changed_digit_of_a_set_is_noticed():
    for line, other in ((ONE, 0), (TWO, 1)):
        for column in range(68):
            if line[column].isdigit():
                changed = line[:column] + str((int(line[column]) + 1) % 10) + line[column + 1 :]
                with pytest.raises(InputError):
                    parse_elements(f"{changed}\n{TWO}" if other == 0 else f"{ONE}\n{changed}")
