"""Keys out of a store for applications, and the secrets that a first session needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from satqkd.distillation.randomness import fresh_bytes
from satqkd.errors import InputError

__all__ = ["FORMATS", "GRAIN_BYTES", "export_key", "make_identity", "make_secret", "stock"]

GRAIN_BYTES: Final = 32
"""Keys are handed out in multiples of this: AES-256 keys. [byte]"""

_LARGEST_SECRET: Final = 2**27  # 2^21 blocks; it is held in memory

FORMATS: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {"raw": lambda key: key, "hex": lambda key: key.hex().encode() + b"\n"}
)
"""Form of the exported file -> its content."""


def _write_new(path: Path, content: bytes | bytearray) -> None:
    """Write a private file that must not be there yet."""
    from satqkd.distillation.private_files import write_private

    if path.exists():
        raise InputError(f"{path}: exists: keys are never written over")
    write_private(path, content)


def stock(store: Path, key_file: Path) -> dict[str, Any]:
    """What a store holds: ``keys``, ``available_bytes`` and ``taken_bytes``."""
    from satqkd.distillation.key_store import KeyStore

    _must_exist(store)
    with KeyStore(store, key_file) as opened:
        entries = opened.entries()
        return {
            "keys": len(entries),
            "available_bytes": opened.available_bytes,
            "taken_bytes": sum(entry.taken_bytes for entry in entries),
        }


def _must_exist(store: Path) -> None:
    if not store.is_file():
        raise InputError(f"{store}: no key store there")


def export_key(store: Path, key_file: Path, output: Path, *, count: int | None = None, form: str = "raw") -> int:
    """Take key out of a store into a new file of mode 600.

    Parameters
    ----------
    store, key_file : Path
        Store and its key.
    output : Path
        File that is not there yet.
    count : int, optional
        A multiple of 32; without it as much as there is. [byte]
    form : {"raw", "hex"}
        Of :data:`FORMATS`.

    Returns
    -------
    int
        Bytes of key in the file. [byte]

    Raises
    ------
    InputError
        If there is not that much, or something cannot be read or written; nothing is taken then.
    """
    from satqkd.distillation.key_store import KeyStore

    if form not in FORMATS:
        raise InputError(f"--format {form}: must be one of {', '.join(FORMATS)}")
    if count is not None and (count < GRAIN_BYTES or count % GRAIN_BYTES):
        raise InputError(f"--bytes {count}: must be a multiple of {GRAIN_BYTES}, at least {GRAIN_BYTES}")
    if output.exists():
        raise InputError(f"{output}: exists: keys are never written over")
    if not os.access(output.parent, os.W_OK):
        raise InputError(f"{output}: cannot be written")
    _must_exist(store)
    with KeyStore(store, key_file) as opened:
        available = opened.available_bytes // GRAIN_BYTES * GRAIN_BYTES
        wanted = available if count is None else count
        if not 0 < wanted <= available:
            raise InputError(f"{store}: has {opened.available_bytes} bytes of key, asked for {wanted or GRAIN_BYTES}")
        _write_new(output, FORMATS[form](opened.take(wanted)))
    return wanted


def make_secret(path: Path, size: int) -> None:
    """Write ``size`` random bytes, a multiple of 32 from 64 to 2^27, to the new file ``path``."""
    if not 64 <= size <= _LARGEST_SECRET or size % GRAIN_BYTES:
        raise InputError(f"--bytes {size}: must be a multiple of {GRAIN_BYTES} from 64 to {_LARGEST_SECRET}")
    _write_new(path, fresh_bytes(size))


def make_identity(path: Path, public: Path, algorithm: str = "ed25519") -> None:
    """Write a new signing key (``ed25519`` or ``ml-dsa-65``) to ``path`` and its public part to ``public``."""
    from satqkd.distillation.signatures import SigningIdentity

    if path.resolve() == public.resolve():
        raise InputError(f"{public}: is the file of the private key: the public key needs one of its own")
    for file in (path, public):
        if file.exists():
            raise InputError(f"{file}: exists: keys are never written over")
    identity = SigningIdentity.generate(algorithm)
    identity.save(path)
    try:
        public.write_bytes(identity.public_bytes)
    except OSError as error:
        path.unlink()
        raise InputError(f"{public}: cannot be written: {(error.strerror or str(error)).lower()}") from None
