"""What an end of a distillation works with: options, pool of one-time values, place for its keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from satqkd.distillation.link import LinkModel
from satqkd.distillation.private_files import private_folder
from satqkd.distillation.settings import Settings
from satqkd.errors import InputError

if TYPE_CHECKING:
    from satqkd.distillation.party import Authenticator, KeySink, Pool

__all__ = ["EndOptions", "FolderKeys", "equipment"]


@dataclass(frozen=True)
class EndOptions:
    """What one end needs besides its record.

    Attributes
    ----------
    state : Path
        Folder of this session; made if it is not there, continued if it is.
    pool : Path or None
        Folder of the key pool shared with the other end.
    secret : Path or None
        File with the pre-shared secret, from which the pool is made if it is not there.
    store, key_file : Path or None
        Encrypted key store, and the file with its key. Without them keys go to files in ``state``.
    identity, peer : Path or None
        Own signing key and the other end's public one, in place of a pool.
    settings : Settings
        The session's, the same at both ends.
    link : LinkModel
        Emulated on what this end sends.
    seed : int
        Of the emulation.
    patience_s : float
        Silence after which to give up for now. [s]
    gate_ps : float
        Ground only: width of the gate. [ps]
    search_range_s : float
        Ground only: largest difference of the clocks. [s]
    """

    state: Path
    pool: Path | None = None
    secret: Path | None = None
    store: Path | None = None
    key_file: Path | None = None
    identity: Path | None = None
    peer: Path | None = None
    settings: Settings = field(default_factory=Settings)
    link: LinkModel = field(default_factory=LinkModel)
    seed: int = 0
    patience_s: float = 30.0
    gate_ps: float = 800.0
    search_range_s: float = 1.0


class FolderKeys:
    """Keys as files of mode 600 in a folder, named by their blocks.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        private_folder(folder)
        self._folder = folder

    def add(self, key_id: str, material: bytes | bytearray) -> bool:
        """Keep a key, once."""
        from satqkd.distillation.private_files import write_private

        path = self._folder / f"{int(key_id.rpartition('/')[2]):05}.key"
        if path.exists():
            return False
        write_private(path, material)
        return True

    def joined(self, blocks: dict[int, int]) -> bytearray:
        """Keys of these blocks one after the other."""
        from satqkd.distillation.private_files import read_private

        whole = bytearray()
        for block in sorted(blocks):
            whole += read_private(self._folder / f"{block:05}.key")
        return whole


class _NewPool:
    """Pool that is made from the first key of a session authenticated by signatures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remaining(self, direction: str) -> int:
        """Signatures need none."""
        return 1_000_000

    def deposit(self, deposit_id: str, material: bytes | bytearray) -> bool:
        """Make the pool, or add to it, once."""
        from satqkd.distillation.key_pool import KeyPool

        if self._folder.exists():
            with KeyPool.open(self._folder) as pool:
                return pool.deposit(deposit_id, material)
        aside = self._folder.with_name(self._folder.name + ".new")
        if aside.exists():
            import shutil

            shutil.rmtree(aside)
        with KeyPool.create(aside, material) as pool:
            pool.deposit(deposit_id, b"")
        aside.rename(self._folder)
        return True


@contextmanager
def equipment(side: str, options: EndOptions) -> Iterator[tuple[Authenticator, Pool | None, KeySink]]:
    """Authenticator, pool and key store of an end, closed at the end."""
    from satqkd.distillation.authentication import PadAuthenticator, SignatureAuthenticator
    from satqkd.distillation.key_pool import KeyPool
    from satqkd.distillation.key_store import KeyStore
    from satqkd.distillation.private_files import read_private, wipe
    from satqkd.distillation.signatures import SigningIdentity

    with ExitStack() as stack:
        authenticator: Authenticator
        pool: Pool | None
        if options.identity is not None or options.peer is not None:
            if options.identity is None or options.peer is None:
                raise InputError("--identity and --peer-key: both are needed")
            try:
                peer = options.peer.read_bytes()
            except OSError as error:
                raise InputError(f"{options.peer}: cannot be read: {(error.strerror or '').lower()}") from None
            identity = SigningIdentity.load(options.identity)
            authenticator = SignatureAuthenticator(identity, peer, side)
            pool = _NewPool(options.pool) if options.pool is not None else None
        elif options.pool is None:
            raise InputError("--pool: a key pool (or --identity and --peer-key) is needed to authenticate messages")
        else:
            if not options.pool.exists():
                if options.secret is None:
                    raise InputError(f"{options.pool}: no key pool there, and no --secret to make one from")
                secret = read_private(options.secret)
                KeyPool.create(options.pool, secret).close()
                wipe(secret)
            opened = stack.enter_context(KeyPool.open(options.pool))
            authenticator, pool = PadAuthenticator(opened, side), opened
        keys: KeySink
        if options.store is not None:
            if options.key_file is None:
                raise InputError("--store: needs --key-file")
            keys = stack.enter_context(KeyStore(options.store, options.key_file))
        else:
            keys = FolderKeys(options.state / "keys")
        yield authenticator, pool, keys
