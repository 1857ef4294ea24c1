"""Calendars as iCalendar text (RFC 5545): what calendar programs import.

References
----------
.. [1] B. Desruisseaux (ed.), "Internet Calendaring and Scheduling Core Object Specification (iCalendar)", RFC 5545.
.. [2] C. Daboo, "New Properties for iCalendar", RFC 7986 (name of a calendar).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from satqkd._version import __version__

__all__ = ["CalendarEvent", "escape_text", "fold_line", "to_icalendar"]

_LONGEST_LINE = 75
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class CalendarEvent:
    """One entry of a calendar.

    Attributes
    ----------
    uid : str
        What identifies it in the world; an entry imported again with the same one replaces the old.
    start, end : datetime
        With time zone; written in UTC, whole seconds.
    summary, description, location : str
        Texts; an empty description or location is left out.
    categories : tuple of str
        Tags to filter by.
    """

    uid: str
    start: datetime
    end: datetime
    summary: str
    description: str = ""
    location: str = ""
    categories: tuple[str, ...] = ()


def escape_text(text: str) -> str:
    r"""Text as the value of a property (RFC 5545, 3.3.11): backslash, semicolon, comma and line end with a backslash.

    Parameters
    ----------
    text : str
        Any text; control characters that a calendar cannot hold become spaces.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> escape_text("Xi'an, day; night")
    "Xi'an\\, day\\; night"
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return _CONTROL.sub(" ", text)


def fold_line(line: str) -> str:
    """Line of content in pieces of at most 75 octets (RFC 5545, 3.1), never cutting a character.

    Parameters
    ----------
    line : str
        Name, parameters and value, without line end.

    Returns
    -------
    str
        Pieces joined by CR LF and a space.
    """
    pieces, piece, octets = [], "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > _LONGEST_LINE:
            pieces.append(piece)
            piece, octets = "", 1  # the space that begins a continuation
        piece += character
        octets += size
    return "\r\n ".join([*pieces, piece])


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _lines(event: CalendarEvent, stamp: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{escape_text(event.uid)}"
    yield f"DTSTAMP:{_utc(stamp)}"
    yield f"DTSTART:{_utc(event.start)}"
    yield f"DTEND:{_utc(event.end)}"
    yield f"SUMMARY:{escape_text(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{escape_text(event.description)}"
    if event.location:
        yield f"LOCATION:{escape_text(event.location)}"
    if event.categories:
        yield "CATEGORIES:" + ",".join(escape_text(text) for text in event.categories)
    yield "END:VEVENT"


def to_icalendar(events: Sequence[CalendarEvent], *, name: str, stamp: datetime) -> str:
    """Calendar of events.

    Parameters
    ----------
    events : sequence of CalendarEvent
        Entries.
    name : str
        Name of the calendar.
    stamp : datetime
        When this version of the entries was made; with time zone.

    Returns
    -------
    str
        ``text/calendar`` with CR LF line ends; write it as bytes, or with ``newline=""``.

    Raises
    ------
    ValueError
        For a time without time zone, or an event that does not end after its start.
    """
    if any(time.tzinfo is None for event in events for time in (event.start, event.end, stamp)):
        raise ValueError("times of a calendar need a time zone")
    for event in events:
        if event.end <= event.start:
            raise ValueError(f"event {event.uid} must end after its start")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//satqkd//satqkd {__version__}//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{escape_text(name)}",
        f"X-WR-CALNAME:{escape_text(name)}",
    ]
    for event in events:
        lines += _lines(event, stamp)
    return "".join(fold_line(line) + "\r\n" for line in [*lines, "END:VCALENDAR"])
