"""Calendars: read back by another program's parser, and the letter of RFC 5545."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.formats.icalendar import CalendarEvent, escape_text, fold_line, to_icalendar

START = datetime(2016, 9, 19, 16, 20, 30, tzinfo=UTC)
STAMP = datetime(2016, 9, 1, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)


def event(**options: object) -> CalendarEvent:
    given_: dict[str, object] = {
        "uid": "1@x", "start": START, "end": START + timedelta(minutes=4), "summary": "Micius to Xi'an",
    } | options  # fmt: skip
    return CalendarEvent(**given_)  # type: ignore[arg-type]


def unfolded(text: str) -> list[str]:
    """Lines of content by RFC 5545, 3.1, written from its text."""
    assert text.endswith("\r\n")
    lines: list[str] = []
    for raw in text.encode().split(b"\r\n")[:-1]:
        assert len(raw) <= 75
        line = raw.decode()  # a character cut in two would not decode
        if line.startswith(" "):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return lines


def unescaped(value: str) -> str:
    found, characters = "", iter(value)
    for character in characters:
        if character == "\\":
            following = next(characters)
            found += "\n" if following in "nN" else following
        else:
            assert character not in ";,"
            found += character
    return found


@given(TEXT, TEXT)
def test_texts_come_back(summary: str, description: str) -> None:
    text = to_icalendar([event(summary=summary, description="a\n" + description)], name="n", stamp=STAMP)
    values = dict(line.split(":", 1) for line in unfolded(text))
    assert unescaped(values["SUMMARY"]) == summary
    assert unescaped(values["DESCRIPTION"]) == "a\n" + description


@given(st.text(st.sampled_from("aé中😀"), max_size=200))
def test_folding_keeps_characters_whole_and_lines_short(line: str) -> None:
    pieces = fold_line(line).split("\r\n ")
    assert "".join(pieces) == line
    assert max(len(piece.encode()) for piece in pieces) <= 75
    # and no line is cut before it must be: the next character would not have fitted
    for number, (piece, following) in enumerate(pairwise(pieces)):
        assert len((piece + following[0]).encode()) + (number > 0) > 75


def test_another_programs_parser_reads_the_same() -> None:
    icalendar = pytest.importorskip("icalendar")
    names = ("Xi'an", "Zürich; a, b\\c", "乌鲁木齐市" * 12, "two\nlines")
    events = [
        event(uid=f"{number}@x", summary=f"Micius to {name}", description=f"{name}: 1,234 bit", location=name,
              categories=(name, "Micius"), start=START + timedelta(hours=number),
              end=START + timedelta(hours=number, seconds=70))
        for number, name in enumerate(names)
    ]  # fmt: skip
    calendar = icalendar.Calendar.from_ical(to_icalendar(events, name="Week, all", stamp=STAMP).encode())
    assert unescaped(str(calendar["NAME"])) == "Week, all"  # it takes the property as of unknown type
    assert str(calendar["VERSION"]) == "2.0"
    read = list(calendar.walk("VEVENT"))
    for own, theirs in zip(events, read, strict=True):
        assert theirs.errors == []
        assert str(theirs["UID"]) == own.uid
        assert (theirs.decoded("DTSTART"), theirs.decoded("DTEND")) == (own.start, own.end)
        assert theirs.decoded("DTSTAMP") == STAMP
        assert str(theirs["SUMMARY"]) == own.summary
        assert str(theirs["DESCRIPTION"]) == own.description
        assert str(theirs["LOCATION"]) == own.location
        assert [str(name) for name in theirs["CATEGORIES"].cats] == list(own.categories)


def test_times_are_utc_whatever_their_zone() -> None:
    beijing = START.astimezone(timezone(timedelta(hours=8)))
    text = to_icalendar([event(start=beijing)], name="n", stamp=STAMP)
    assert "DTSTART:20160919T162030Z" in unfolded(text)


def test_what_a_calendar_must_have() -> None:
    lines = unfolded(to_icalendar([event()], name="n", stamp=STAMP))
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert lines[1] == "VERSION:2.0"
    names = [line.partition(":")[0] for line in lines]
    assert names.count("PRODID") == names.count("UID") == names.count("DTSTAMP") == 1
    assert "DESCRIPTION" not in names  # empty ones are left out


def test_control_characters_do_not_break_a_line() -> None:
    assert escape_text("a\r\nb\rc\x00d\te") == "a\\nb\\nc d\te"


def test_times_without_zone_and_empty_events_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_icalendar([event(start=START.replace(tzinfo=None))], name="n", stamp=STAMP)
    with pytest.raises(ValueError, match="must end after"):
        to_icalendar([event(end=START)], name="n", stamp=STAMP)
