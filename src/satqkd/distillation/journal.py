"""Append-only record of a session's public events, from which a side is rebuilt after a crash.

It holds what came over the link and what was drawn at random or sealed for it: all of it public. The secret bits stay
in the records of the pass, from which they are computed again.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from satqkd.errors import InputError

__all__ = [
    "CONTROL", "DRAWN", "GO", "HALTED", "MESSAGE", "RELEASED", "STOPPED", "FileJournal", "Journal", "MemoryJournal",
    "Record",
]  # fmt: skip

GO: Final = 1
"""The side was allowed to do the next thing that it does of its own accord."""

MESSAGE: Final = 2
"""A message of the stream arrived."""

CONTROL: Final = 3
"""A message outside the stream arrived and its tag fitted."""

DRAWN: Final = 4
"""Something that cannot be computed again: random numbers, a tag, the verdict on a tag."""

RELEASED: Final = 5
"""The key of a block is in the key store."""

STOPPED: Final = 6
"""The session was given up, with the reason."""

HALTED: Final = 7
"""The session was given up for a reason from outside the conversation."""

_HEAD: Final = struct.Struct(">BI")
_CHECKSUM: Final = struct.Struct(">I")
_MAGIC: Final = b"satqkd journal 1\n"


class Record(NamedTuple):
    """One event.

    Attributes
    ----------
    kind : int
        One of the constants of this module.
    data : bytes
        What belongs to it.
    """

    kind: int
    data: bytes


class Journal(Protocol):
    """What a session needs of a journal."""

    def records(self) -> list[Record]:
        """Events so far."""

    def append(self, kind: int, data: bytes) -> None:
        """Add an event; safe only after :meth:`sync`."""

    def sync(self) -> None:
        """Return when everything added is on the disk."""


class MemoryJournal:
    """Journal for tests: what was not synchronised is lost by :meth:`crash`."""

    def __init__(self) -> None:
        self._safe: list[Record] = []
        self._new: list[Record] = []

    def records(self) -> list[Record]:
        """Events so far."""
        return [*self._safe, *self._new]

    def append(self, kind: int, data: bytes) -> None:
        """Add an event."""
        self._new.append(Record(kind, bytes(data)))

    def sync(self) -> None:
        """Make everything added safe."""
        self._safe += self._new
        self._new = []

    def crash(self, kept: int = 0) -> None:
        """Lose what was added since :meth:`sync`, but for its first ``kept`` events."""
        self._safe += self._new[:kept]
        self._new = []


class FileJournal:
    """Journal in a file of mode 600.

    Parameters
    ----------
    path : Path
        Created if it is not there. A last event that a crash cut short is dropped.

    Raises
    ------
    InputError
        If the file is something else or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be opened: {error.strerror}") from None
        if content and not content.startswith(_MAGIC[: len(content)]):
            os.close(self._file)
            raise InputError(f"{path}: is not the journal of a session")
        self._records, length = _parse(content)
        self._buffer = bytearray()
        os.ftruncate(self._file, length)
        if not length:
            self._buffer += _MAGIC
        self.sync()

    def records(self) -> list[Record]:
        """Events so far."""
        return list(self._records)

    def append(self, kind: int, data: bytes) -> None:
        """Add an event."""
        body = _HEAD.pack(kind, len(data)) + data
        self._buffer += body + _CHECKSUM.pack(zlib.crc32(body))

    def sync(self) -> None:
        """Write what was added and wait for the disk."""
        if self._buffer:
            view = memoryview(bytes(self._buffer))
            while view:
                view = view[os.write(self._file, view) :]
            self._buffer.clear()
            os.fsync(self._file)

    def close(self) -> None:
        """Write the rest and close the file."""
        self.sync()
        os.close(self._file)


def _parse(content: bytes) -> tuple[list[Record], int]:
    """Whole events, and the length of the file up to the last of them."""
    if len(content) < len(_MAGIC):
        return [], 0
    records, at = [], len(_MAGIC)
    while at + _HEAD.size <= len(content):
        kind, length = _HEAD.unpack_from(content, at)
        end = at + _HEAD.size + length + _CHECKSUM.size
        if end > len(content):
            break
        body = content[at : end - _CHECKSUM.size]
        if zlib.crc32(body) != _CHECKSUM.unpack_from(content, end - _CHECKSUM.size)[0]:
            break
        records.append(Record(kind, body[_HEAD.size :]))
        at = end
    return records, at
