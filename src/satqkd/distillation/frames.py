"""Datagrams of the session: a message cut into numbered fragments, each with a checksum against damage.

Layout, big-endian: magic ``SQKD``, version (1 byte), kind (1), session (8), sequence number of the message (4),
fragment (2), fragments (2), length of the payload (2), payload, CRC-32 of all before (4). The checksum finds noise, not
an adversary: what frames carry is believed only after the tags of :mod:`satqkd.distillation.authentication`.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

from satqkd.errors import InputError

__all__ = [
    "ACKNOWLEDGE", "CONTROL", "DATA", "LARGEST_DATAGRAM", "PAYLOAD_BYTES", "Frame", "pack", "rewritten", "split",
    "unpack",
]  # fmt: skip

DATA: Final = 1
"""Fragment of a message of the ordered stream."""

ACKNOWLEDGE: Final = 2
"""What has arrived of the stream."""

CONTROL: Final = 3
"""Fragment of a message outside the stream: closing the session. The sequence number is the message's CRC-32."""

LARGEST_DATAGRAM: Final = 1200
"""Bytes of a datagram, below what any path of the Internet cuts up. [byte]"""

VERSION: Final = 1

_MAGIC: Final = b"SQKD"
_HEADER: Final = struct.Struct(">4sBB8sIHHH")
_CHECKSUM: Final = struct.Struct(">I")
PAYLOAD_BYTES: Final = LARGEST_DATAGRAM - _HEADER.size - _CHECKSUM.size
"""Most bytes of a message in one datagram. [byte]"""


class Frame(NamedTuple):
    """One datagram's content.

    Attributes
    ----------
    kind : int
        :data:`DATA`, :data:`ACKNOWLEDGE` or :data:`CONTROL`.
    session : bytes
        8 bytes that name the session.
    sequence : int
        Number of the message in its direction.
    fragment, fragments : int
        Which part of how many.
    payload : bytes
        The part.
    """

    kind: int
    session: bytes
    sequence: int
    fragment: int
    fragments: int
    payload: bytes


def pack(frame: Frame) -> bytes:
    """Datagram of a frame."""
    head = _HEADER.pack(
        _MAGIC, VERSION, frame.kind, frame.session, frame.sequence, frame.fragment, frame.fragments, len(frame.payload)
    )
    body = head + frame.payload
    return body + _CHECKSUM.pack(zlib.crc32(body))


def unpack(datagram: bytes) -> Frame | None:
    """Frame of a datagram; None if it is damaged or not ours, which is the same as lost.

    Examples
    --------
    >>> frame = Frame(DATA, bytes(8), 7, 0, 1, b"bits")
    >>> unpack(pack(frame)) == frame, unpack(pack(frame)[:-1] + b"?")
    (True, None)
    """
    if not _HEADER.size + _CHECKSUM.size <= len(datagram) <= LARGEST_DATAGRAM:
        return None
    body, checksum = datagram[: -_CHECKSUM.size], datagram[-_CHECKSUM.size :]
    magic, version, kind, session, sequence, fragment, fragments, length = _HEADER.unpack_from(body)
    if (magic, version) != (_MAGIC, VERSION) or length != len(body) - _HEADER.size:
        return None
    if zlib.crc32(body) != _CHECKSUM.unpack(checksum)[0]:
        return None
    return Frame(kind, session, sequence, fragment, fragments, bytes(body[_HEADER.size :]))


def rewritten(datagram: bytes, position: int, change: int) -> bytes:
    """Datagram with one byte changed by exclusive or and the checksum made to fit: what an adversary sends.

    Examples
    --------
    >>> unpack(rewritten(pack(Frame(DATA, bytes(8), 7, 0, 1, b"bits")), 24, 1)).payload
    b'cits'
    """
    body = bytearray(datagram[: -_CHECKSUM.size])
    body[position % len(body)] ^= change
    return bytes(body) + _CHECKSUM.pack(zlib.crc32(body))


def split(message: bytes, *, kind: int, session: bytes, sequence: int) -> list[bytes]:
    """Datagrams of a message.

    Parameters
    ----------
    message : bytes
        Up to 65,535 fragments of :data:`PAYLOAD_BYTES`.
    kind : int
        As in :class:`Frame`.
    session : bytes
        8 bytes.
    sequence : int
        Number of the message.

    Returns
    -------
    list of bytes
        In order; an empty message is one datagram.

    Raises
    ------
    InputError
        If the message is too long.
    """
    fragments = max(1, -(-len(message) // PAYLOAD_BYTES))
    if fragments > 0xFFFF:
        raise InputError(f"message of {len(message)} bytes: must be at most {0xFFFF * PAYLOAD_BYTES}")
    return [
        pack(Frame(kind, session, sequence, i, fragments, message[i * PAYLOAD_BYTES : (i + 1) * PAYLOAD_BYTES]))
        for i in range(fragments)
    ]
