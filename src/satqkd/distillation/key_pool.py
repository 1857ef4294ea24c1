"""Secret bits shared by a satellite and a ground station, spent on authentication and never twice.

A pool is a folder with two rows of 128-bit one-time values (*pads*), one for each direction, so that both sides can
seal messages without agreeing first on whose pad is next. That a pad is used is on the disk before the pad leaves
the pool: after a crash it is lost, not reused. Used pads are overwritten.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from satqkd.distillation.private_files import (
    lock_file,
    read_private,
    sync_folder,
    unlock,
    wipe,
    write_private,
)
from satqkd.errors import InputError, SatqkdError

__all__ = ["DIRECTIONS", "MINIMUM_SECRET_BYTES", "PAD_BYTES", "KeyPool", "PoolExhaustedError"]

PAD_BYTES = 16
"""Length of a pad. [byte]"""

DIRECTIONS = ("satellite", "ground")
"""Who seals with the pads of a row."""

MINIMUM_SECRET_BYTES = 4 * PAD_BYTES
"""One kept key and one pad for each direction. [byte]"""

_STATE = "state.json"
_GRAIN = 2 * PAD_BYTES


class PoolExhaustedError(SatqkdError):
    """No pad is left in a direction: the session cannot go on."""


class KeyPool:
    """A pool on the disk, open in one process at a time; use it as a context manager.

    Parameters
    ----------
    folder : Path
        Its folder.

    Raises
    ------
    InputError
        If there is no pool, it is damaged, or another process has it open.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not (folder / _STATE).is_file():
            raise InputError(f"{folder}: no key pool there")
        self._lock: int | None = lock_file(folder / "lock", "key pool")
        try:
            self._state = _read_state(folder / _STATE)
            for direction in DIRECTIONS:
                self._mend(direction)
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: str | Path, secret: bytes | bytearray) -> KeyPool:
        """Make a pool from a secret that both sides have, and nobody else.

        Parameters
        ----------
        path : str or Path
            New folder.
        secret : bytes or bytearray
            Uniformly random bytes, a multiple of 32 and at least 64. Half serves each direction; the first 16 bytes
            of a half are its kept key.

        Returns
        -------
        KeyPool
            The open pool.

        Raises
        ------
        InputError
            If the folder is there already, or the secret has the wrong length.
        """
        folder = Path(path)
        if len(secret) < MINIMUM_SECRET_BYTES or len(secret) % _GRAIN:
            raise InputError(
                f"pre-shared secret: has {len(secret)} bytes, must have a multiple of {_GRAIN}, "
                f"at least {MINIMUM_SECRET_BYTES}"
            )
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise InputError(f"{folder}: {(error.strerror or 'cannot be made').lower()}") from None
        half = len(secret) // 2
        for number, direction in enumerate(DIRECTIONS):
            write_private(folder / f"{direction}.pads", secret[number * half : (number + 1) * half])
        state = {"version": 1, "deposits": {}}
        state.update({side: {"bytes": half, "used": 0, "retired": 0} for side in DIRECTIONS})
        write_private(folder / _STATE, json.dumps(state).encode())
        return cls(folder)

    @classmethod
    def open(cls, path: str | Path) -> KeyPool:
        """Open the pool in the folder ``path``."""
        return cls(Path(path))

    def __enter__(self) -> KeyPool:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give the lock back; the pool can be opened again."""
        if self._lock is not None:
            unlock(self._lock)
            self._lock = None

    @property
    def deposits(self) -> Mapping[str, int]:
        """Deposits made so far: bytes by name."""
        return MappingProxyType(self._state["deposits"])

    def remaining(self, direction: str) -> int:
        """Pads that ``direction`` can still take."""
        row = self._row(direction)
        return int(row["bytes"]) // PAD_BYTES - 1 - int(row["used"])

    def deposit(self, deposit_id: str, material: bytes | bytearray) -> bool:
        """Add key to the pool, once.

        Parameters
        ----------
        deposit_id : str
            Its name; a name that was used before adds nothing.
        material : bytes or bytearray
            Key that both sides have, a multiple of 32 bytes; half serves each direction.

        Returns
        -------
        bool
            Whether anything was added.

        Raises
        ------
        InputError
            If the length is not a multiple of 32.
        """
        self._check_open()
        if deposit_id in self._state["deposits"]:
            return False
        if len(material) % _GRAIN:
            raise InputError(f"deposit of {len(material)} bytes: must be a multiple of {_GRAIN}")
        half = len(material) // 2
        for number, direction in enumerate(DIRECTIONS):
            self._write(direction, self._row(direction)["bytes"], material[number * half : (number + 1) * half])
        for direction in DIRECTIONS:  # counts only once it is here: what was written before a crash is cut off
            self._row(direction)["bytes"] += half
        self._state["deposits"][deposit_id] = len(material)
        self._save()
        return True

    def poly_key(self, direction: str) -> bytes:
        """Kept key of a direction, 16 bytes."""
        return self._read(direction, 0)

    def take_pad(self, direction: str) -> tuple[int, bytes]:
        """Number and bytes of a pad that nobody used, and that nobody can take again.

        Parameters
        ----------
        direction : {"satellite", "ground"}
            Who seals with it.

        Returns
        -------
        tuple
            Number, from 0, and 16 bytes.

        Raises
        ------
        PoolExhaustedError
            If none is left.
        """
        if self.remaining(direction) < 1:
            raise PoolExhaustedError(f"key pool exhausted: no one-time value left for messages of the {direction}")
        row = self._row(direction)
        number = int(row["used"])
        row["used"] = row["retired"] = number + 1
        self._save()
        pad = self._read(direction, number + 1)
        self._write(direction, PAD_BYTES * (number + 1), bytes(PAD_BYTES))
        return number, pad

    def peek_pad(self, direction: str, number: int) -> bytes:
        """Pad that the other side used, to check what it sealed.

        Parameters
        ----------
        direction : {"satellite", "ground"}
            Who sealed with it.
        number : int
            Number that the other side names.

        Returns
        -------
        bytes
            16 bytes.

        Raises
        ------
        InputError
            If the pad was retired, or is not in the pool.
        """
        row = self._row(direction)
        if not row["retired"] <= number < row["bytes"] // PAD_BYTES - 1:
            raise InputError(f"one-time value {number} of the {direction}: used up or not in the pool")
        return self._read(direction, number + 1)

    def retire(self, direction: str, number: int) -> None:
        """Overwrite the pads of ``direction`` up to and including ``number``: they check nothing any more."""
        row = self._row(direction)
        first, last = int(row["retired"]), number + 1
        if not 0 <= number < row["bytes"] // PAD_BYTES - 1:
            raise InputError(f"one-time value {number} of the {direction}: not in the pool")
        if last <= first:
            return
        row["retired"], row["used"] = last, max(int(row["used"]), last)
        self._save()
        self._write(direction, PAD_BYTES * (first + 1), bytes(PAD_BYTES * (last - first)))

    def _check_open(self) -> None:
        if self._lock is None:
            raise InputError(f"{self._folder}: the key pool is closed")

    def _row(self, direction: str) -> dict[str, int]:
        if direction not in DIRECTIONS:
            raise InputError(f"direction = {direction!r}: must be one of {', '.join(DIRECTIONS)}")
        self._check_open()
        row: dict[str, int] = self._state[direction]
        return row

    def _path(self, direction: str) -> Path:
        return self._folder / f"{direction}.pads"

    def _read(self, direction: str, index: int) -> bytes:
        self._check_open()
        with self._path(direction).open("rb") as file:
            file.seek(PAD_BYTES * index)
            return file.read(PAD_BYTES)

    def _write(self, direction: str, offset: int, data: bytes | bytearray) -> None:
        with self._path(direction).open("r+b") as file:
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _save(self) -> None:
        write_private(self._folder / _STATE, json.dumps(self._state).encode())

    def _mend(self, direction: str) -> None:
        """Finish what a crash interrupted: cut off an unfinished deposit, overwrite used pads."""
        row = self._row(direction)
        content = read_private(self._path(direction))
        size = len(content)
        kept = PAD_BYTES * (1 + int(row["retired"]))
        dirty = any(content[PAD_BYTES:kept])
        wipe(content)
        if size < row["bytes"]:
            raise InputError(f"{self._path(direction)}: {size} bytes, must be {row['bytes']}: the key pool is damaged")
        if size > row["bytes"]:
            with self._path(direction).open("r+b") as file:
                file.truncate(row["bytes"])
                os.fsync(file.fileno())
            sync_folder(self._folder)
        if dirty:
            self._write(direction, PAD_BYTES, bytes(kept - PAD_BYTES))


def _read_state(path: Path) -> dict[str, Any]:
    """Counters of a pool, checked."""
    try:
        state: dict[str, Any] = json.loads(bytes(read_private(path)))
        rows = [state[direction] for direction in DIRECTIONS]
        sound = state["version"] == 1 and all(
            0 <= row["retired"] <= row["used"] <= row["bytes"] // PAD_BYTES - 1 for row in rows
        )
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise InputError(f"{path}: not the state of a key pool, or damaged")
    return state
