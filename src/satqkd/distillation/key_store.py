"""Finished keys in an encrypted file, given out once.

The file is a log that only grows: keys, and how many bytes were taken. Each entry is encrypted and authenticated by
AES-256-GCM together with its position, so that entries cannot be read, changed, moved or left out in the middle.
A taking is on the disk before the bytes are given out: after a crash they are lost, not given out again. Somebody who
puts back an *older copy* of the whole file can make keys come out twice: keep the file where that cannot happen.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from satqkd.distillation.private_files import lock_file, read_private, unlock, wipe, write_private
from satqkd.errors import InputError

__all__ = ["KEY_FILE_BYTES", "KeyStore", "StoredKey", "new_key_file", "read_key_file"]

KEY_FILE_BYTES = 32
"""Length of a key file: a key of AES-256. [byte]"""

_MAGIC = b"SATQKDK1"
_ID_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_LONGEST_ENTRY = 1 << 26


def new_key_file(path: str | Path) -> None:
    """Write 32 random bytes to the new file ``path``, mode 600; a file that is there stays, with an InputError."""
    if Path(path).exists():
        raise InputError(f"{path}: exists already; a store's key is never overwritten")
    write_private(path, secrets.token_bytes(KEY_FILE_BYTES))


def read_key_file(path: str | Path) -> bytearray:
    """Content of a key file; an InputError if it has not 32 bytes or others may read it."""
    key = read_private(path)
    if len(key) != KEY_FILE_BYTES:
        found = len(key)
        wipe(key)
        raise InputError(f"{path}: has {found} bytes, a key file has {KEY_FILE_BYTES}")
    return key


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What the store tells about a key.

    Attributes
    ----------
    key_id : str
        Its name.
    length_bytes, taken_bytes : int
        Its length, and how much of it was given out. [byte]
    """

    key_id: str
    length_bytes: int
    taken_bytes: int


class KeyStore:
    """An encrypted store, open in one process at a time; use it as a context manager.

    Parameters
    ----------
    path : str or Path
        The store's file; made if it is not there.
    key_file : str or Path
        File of 32 bytes that encrypts it, see :func:`new_key_file`.

    Raises
    ------
    InputError
        If the key does not fit, the file is damaged, or another process has it open.
    """

    def __init__(self, path: str | Path, key_file: str | Path) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._path = Path(path)
        key = read_key_file(key_file)
        self._cipher = AESGCM(bytes(key))
        wipe(key)
        if not self._path.exists():
            write_private(self._path, _MAGIC + secrets.token_bytes(_ID_BYTES))
        self._lock: int | None = lock_file(self._path, "key store")
        self._keys: dict[str, bytearray] = {}
        self._taken: dict[str, int] = {}
        self._entries = 0
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> KeyStore:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Overwrite the keys in memory and give the lock back."""
        for material in self._keys.values():
            wipe(material)
        self._keys.clear()
        if self._lock is not None:
            unlock(self._lock)
            self._lock = None

    @property
    def available_bytes(self) -> int:
        """Key that was not taken yet. [byte]"""
        return sum(entry.length_bytes - entry.taken_bytes for entry in self.entries())

    def entries(self) -> list[StoredKey]:
        """All keys ever added, in their order."""
        return [StoredKey(name, len(material), self._taken[name]) for name, material in self._keys.items()]

    def add(self, key_id: str, material: bytes | bytearray) -> bool:
        """Put a key in, once.

        Parameters
        ----------
        key_id : str
            Its name; a name that was used before adds nothing.
        material : bytes or bytearray
            The key.

        Returns
        -------
        bool
            Whether it was added.

        Raises
        ------
        InputError
            If the key is empty or too long for one entry, or the store is closed.
        """
        self._check_open()
        if key_id in self._keys:
            return False
        if not 0 < len(material) <= _LONGEST_ENTRY // 2:
            raise InputError(f"key {key_id}: {len(material)} bytes, must be from 1 to {_LONGEST_ENTRY // 2}")
        head = json.dumps({"key": key_id}).encode()
        self._append(head, material)
        self._keys[key_id], self._taken[key_id] = bytearray(material), 0
        return True

    def take(self, n_bytes: int) -> bytes:
        """Give out key, the oldest first, never the same twice.

        Parameters
        ----------
        n_bytes : int
            How much, at least 1. [byte]

        Returns
        -------
        bytes
            The key.

        Raises
        ------
        InputError
            If there is not that much.
        """
        self._check_open()
        available = self.available_bytes
        if not 1 <= n_bytes <= available:
            raise InputError(f"{n_bytes} bytes of key: the store has {available}, ask for 1 to that many")
        ranges: dict[str, int] = {}
        given = bytearray()
        for entry in self.entries():
            count = min(n_bytes - len(given), entry.length_bytes - entry.taken_bytes)
            if count > 0:
                given += self._keys[entry.key_id][entry.taken_bytes : entry.taken_bytes + count]
                ranges[entry.key_id] = entry.taken_bytes + count
        self._append(json.dumps({"taken": ranges}).encode(), b"")
        self._taken.update(ranges)
        return bytes(given)

    def _check_open(self) -> None:
        if self._lock is None:
            raise InputError(f"{self._path}: the key store is closed")

    def _position(self) -> bytes:
        """What binds an entry to its store and place."""
        return self._identity + struct.pack(">Q", self._entries)

    def _append(self, head: bytes, material: bytes | bytearray) -> None:
        """Encrypt an entry and put it at the end, on the disk before this returns."""
        plain = bytearray(struct.pack(">I", len(head)) + head) + material
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, bytes(plain), self._position())
        wipe(plain)
        with self._path.open("ab") as file:
            file.write(struct.pack(">I", len(sealed)) + sealed)
            file.flush()
            os.fsync(file.fileno())
        self._entries += 1

    def _load(self) -> None:
        """Read all entries; cut off a last one that a crash left unfinished."""
        from cryptography.exceptions import InvalidTag

        data = read_private(self._path)
        start = len(_MAGIC) + _ID_BYTES
        if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
            raise InputError(f"{self._path}: not a key store")
        self._identity = bytes(data[len(_MAGIC) : start])
        while start < len(data):
            size = int.from_bytes(data[start : start + 4], "big")
            end = start + 4 + size
            if size > _LONGEST_ENTRY:
                raise InputError(f"{self._path}: entry {self._entries + 1} is damaged")
            if len(data) - start < 4 or end > len(data):
                self._cut_off(data[start:], start)
                break
            nonce, sealed = data[start + 4 : start + 4 + _NONCE_BYTES], data[start + 4 + _NONCE_BYTES : end]
            try:
                plain = bytearray(self._cipher.decrypt(bytes(nonce), bytes(sealed), self._position()))
            except (InvalidTag, ValueError):
                raise InputError(
                    f"{self._path}: entry {self._entries + 1} does not open: another key file, or a damaged store"
                ) from None
            self._replay(plain)
            wipe(plain)
            self._entries += 1
            start = end

    def _cut_off(self, rest: bytearray, start: int) -> None:
        """Remove the start of an entry that a crash left at the end; it is kept in a file beside, in case."""
        write_private(self._path.with_name(f"{self._path.name}.unfinished-{self._entries + 1}"), rest)
        with self._path.open("r+b") as file:
            file.truncate(start)
            os.fsync(file.fileno())

    def _replay(self, plain: bytearray) -> None:
        """Take an entry into account."""
        length = int.from_bytes(plain[:4], "big")
        head = json.loads(bytes(plain[4 : 4 + length]))
        if "key" in head:
            self._keys[head["key"]], self._taken[head["key"]] = plain[4 + length :], 0
        else:
            self._taken.update(head["taken"])
