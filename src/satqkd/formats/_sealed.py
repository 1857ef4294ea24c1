"""Binary files that are whole or refused: written aside, private, closed by a SHA-256 of everything before it."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from satqkd.errors import InputError

__all__ = ["DIGEST_BYTES", "PASS_ID_BYTES", "check_digest", "pack_pass_id", "read_header", "sealed", "unpack_pass_id"]

DIGEST_BYTES: Final = 32
PASS_ID_BYTES: Final = 64
_CHUNK: Final = 1 << 20


class _Hashing:
    """A file that takes bytes and keeps their SHA-256."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._hash.update(data)

    def close_with_digest(self) -> None:
        self._file.write(self._hash.digest())


@contextmanager
def sealed(path: Path) -> Iterator[_Hashing]:
    """File of mode 600 that appears whole, with its digest at the end, or not at all.

    Parameters
    ----------
    path : Path
        Where; a file that is there is replaced.

    Yields
    ------
    object
        Its ``write`` takes bytes.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            hashing = _Hashing(file)
            yield hashing
            hashing.close_with_digest()
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None
        raise


def read_header(path: Path, *, magic: bytes, length: int, version: int, what: str) -> bytes:
    """Header of a file, checked.

    Parameters
    ----------
    path : Path
        File.
    magic : bytes
        Its first bytes.
    length : int
        Length of the header, its CRC-32 in the last four bytes. [byte]
    version : int
        Version of the format that can be read, at byte 8.
    what : str
        Kind of file, for errors.

    Returns
    -------
    bytes
        The header without its CRC.

    Raises
    ------
    InputError
        If the file cannot be read, is of another kind or version, is truncated or damaged.
    """
    try:
        with path.open("rb") as file:
            header = file.read(length)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not header.startswith(magic[: len(header)]) or not header:
        raise InputError(f"{path}: is no {what}: begins with {header[:8]!r}, must be {magic!r}")
    if len(header) < length:
        raise InputError(f"{path}: truncated: the header has {len(header)} of {length} bytes")
    if zlib.crc32(header[:-4]) != struct.unpack("<I", header[-4:])[0]:
        raise InputError(f"{path}: damaged: the header does not agree with its checksum")
    found = struct.unpack_from("<H", header, 8)[0]
    if found != version:
        raise InputError(f"{path}: version {found} of the format, can be read: {version}")
    return header[:-4]


def check_digest(path: Path) -> None:
    """Compare the last 32 bytes of a file with the SHA-256 of all before them; InputError if they differ."""
    digest = hashlib.sha256()
    left = path.stat().st_size - DIGEST_BYTES
    with path.open("rb") as file:
        while left > 0:
            chunk = file.read(min(_CHUNK, left))
            digest.update(chunk)
            left -= len(chunk)
        stored = file.read(DIGEST_BYTES)
    if stored != digest.digest():
        raise InputError(f"{path}: damaged: the content does not agree with its checksum")


def pack_pass_id(pass_id: str) -> bytes:
    """UTF-8 with zeros up to 64 bytes; InputError if it is empty or longer."""
    text = pass_id.encode()
    if not 0 < len(text) <= PASS_ID_BYTES or b"\0" in text:
        raise InputError(f"pass_id {pass_id!r}: must have 1 to {PASS_ID_BYTES} bytes of UTF-8, none of them zero")
    return text.ljust(PASS_ID_BYTES, b"\0")


def unpack_pass_id(data: bytes, path: Path) -> str:
    """Text of :func:`pack_pass_id`; InputError if it is none."""
    try:
        return data.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise InputError(f"{path}: pass_id is no UTF-8") from None
