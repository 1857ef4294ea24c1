"""Messages of the session: a kind, named numbers and texts, and byte strings.

A message is believed for what it says only when a tag covers it, so reading one never trusts it: whatever is not as it
must be is :class:`MalformedMessage`, and that ends the session like a wrong tag.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final, NamedTuple, TypeVar

from satqkd.errors import SatqkdError

__all__ = ["KINDS", "MalformedMessage", "Message", "decode", "encode", "pack_many", "unpack_many"]

KINDS: Final = (
    "hello", "welcome", "announcement", "comparison", "finished", "start", "syndromes", "results", "verification",
    "instruction", "reply", "commit", "close", "closed", "abort", "refusal",
)  # fmt: skip
"""Names of the messages; the byte that stands for one is its place here."""

_LENGTH: Final = struct.Struct(">I")
T = TypeVar("T")


class MalformedMessage(SatqkdError):
    """A message that no honest end would send."""


class Message(NamedTuple):
    """A message that was read.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    head : dict
        Numbers and texts by name.
    parts : list of bytes
        Byte strings.
    """

    kind: str
    head: dict[str, Any]
    parts: list[bytes]

    def get(self, name: str, kind: type[T]) -> T:
        """Entry of the head that must be of a type, whole numbers not negative."""
        value = self.head.get(name)
        if type(value) is not kind or (kind is int and value < 0):  # type: ignore[operator]
            raise MalformedMessage(f"message {self.kind}: {name} = {value!r}")
        return value

    def part(self, index: int) -> bytes:
        """Byte string that must be there."""
        if index >= len(self.parts):
            raise MalformedMessage(f"message {self.kind}: part {index} is missing")
        return self.parts[index]


def pack_many(parts: list[bytes]) -> bytes:
    """Byte strings one after the other, each with its length."""
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def unpack_many(data: bytes) -> list[bytes]:
    """Inverse of :func:`pack_many`.

    Examples
    --------
    >>> unpack_many(pack_many([b"", b"ab"]))
    [b'', b'ab']
    """
    parts, at = [], 0
    while at < len(data):
        if at + _LENGTH.size > len(data):
            raise MalformedMessage("a message ends within a length")
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if at + length > len(data):
            raise MalformedMessage("a message ends within a part")
        parts.append(data[at : at + length])
        at += length
    return parts


def encode(kind: str, head: dict[str, Any], *parts: bytes) -> bytes:
    """Bytes of a message.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    head : dict
        Numbers and texts by name.
    *parts : bytes
        Byte strings.

    Returns
    -------
    bytes
        What :func:`decode` reads.
    """
    text = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    return bytes([KINDS.index(kind)]) + pack_many([text, *parts])


def decode(data: bytes) -> Message:
    """Read a message.

    Parameters
    ----------
    data : bytes
        From :func:`encode`, or anything at all.

    Returns
    -------
    Message
        Its kind and content.

    Raises
    ------
    MalformedMessage
        If it is none.

    Examples
    --------
    >>> decode(encode("start", {"block": 3}, b"x"))
    Message(kind='start', head={'block': 3}, parts=[b'x'])
    """
    if not data or data[0] >= len(KINDS):
        raise MalformedMessage("not a message of this protocol")
    text, *parts = unpack_many(data[1:]) or [b""]
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedMessage(f"message {KINDS[data[0]]}: its head cannot be read") from None
    if not isinstance(head, dict):
        raise MalformedMessage(f"message {KINDS[data[0]]}: its head is not a table")
    return Message(KINDS[data[0]], head, parts)
