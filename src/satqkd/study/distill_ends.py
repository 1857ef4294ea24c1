"""One end of a distillation on files: record of a pass in, keys out, resumable from its folder."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from satqkd.distillation.link import EmulatedLink, LinkModel
from satqkd.distillation.settings import SessionError, Settings
from satqkd.errors import InputError

if TYPE_CHECKING:
    from satqkd.detection.records import GroundRecord
    from satqkd.distillation.party import Authenticator, KeySink, Pool
    from satqkd.distillation.session import End
    from satqkd.distillation.sifting import Measured

__all__ = ["BAD_INPUT", "EndOptions", "FolderKeys", "Outcome", "end_code", "run_ground", "run_satellite"]

Report = Callable[[dict[str, Any]], None]

BAD_INPUT: Final = frozenset({"SECRET", "SETTINGS", "PASS", "CLOCK", "EMPTY"})
"""Reasons that are a matter of what was put in: exit code 2. The others are what happened: exit code 1."""

_LINK_REPORT_S: Final = 0.5


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


@dataclass(frozen=True)
class Outcome:
    """How a session went at one end.

    Attributes
    ----------
    failure : SessionError or None
        Why there is not more key.
    blocks : dict
        Blocks with a key, and its length. [byte]
    link : dict
        Datagrams and bytes of this end.
    authentication : str
        ``pads`` or ``signatures``.
    """

    failure: SessionError | None
    blocks: dict[int, int]
    link: dict[str, int]
    authentication: str


def end_code(failure: SessionError | None, key_bytes: int) -> int:
    """Exit code: 0 with a key, 1 if the session or the key failed, 2 if what was put in does not fit."""
    if failure is not None:
        inner = str(failure)
        return 2 if failure.code in BAD_INPUT or any(f" {code}: " in inner for code in BAD_INPUT) else 1
    return 0 if key_bytes else 1


class FolderKeys:
    """Keys as files of mode 600 in a folder, named by their blocks.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
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


def _private_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made: {(error.strerror or str(error)).lower()}") from None


def _same_record(state: Path, record: Path) -> None:
    """Refuse to continue a session with another record."""
    with record.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    known = state / "record"
    if known.exists():
        if known.read_text(encoding="utf-8").strip() != digest:
            raise InputError(f"{state}: belongs to a session with another record than {record}: use a new folder")
    else:
        known.write_text(digest + "\n", encoding="utf-8")


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
def _equipment(side: str, options: EndOptions) -> Iterator[tuple[Authenticator, Pool | None, KeySink]]:
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
            authenticator = SignatureAuthenticator(SigningIdentity.load(options.identity), peer, side)
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


def _rules(settings: Settings) -> Any:
    from satqkd.distillation.reconciliation import Rules

    return Rules(qber_threshold=settings.qber_threshold, disclosure=settings.disclosure)


def _run(end: End, listen: tuple[str, int], options: EndOptions, report: Report, peer: tuple[str, int] | None) -> None:
    from satqkd.distillation.udp import open_socket, serve

    sock = open_socket(listen)
    side = end.party.side
    report({"event": "listening", "side": side, "port": sock.getsockname()[1]})
    link = EmulatedLink(options.link, seed=options.seed)
    last = [0.0]

    def watch() -> None:
        now = time.monotonic()
        if now - last[0] >= _LINK_REPORT_S:
            last[0] = now
            report({"event": "link", "side": side, "lost": link.lost, **asdict(end.counts)})

    with sock:
        serve(end, sock, link=link, peer=peer, watch=watch)
    report({"event": "link", "side": side, "lost": link.lost, **asdict(end.counts)})


def _outcome(end: End, authenticator: Authenticator) -> Outcome:
    return Outcome(end.failure, dict(end.party.released), asdict(end.counts), authenticator.kind)


def run_satellite(record: Path, options: EndOptions, *, listen: tuple[str, int], report: Report) -> Outcome:
    """Run the satellite's end until the session is over.

    Parameters
    ----------
    record : Path
        What it sent, a file of :mod:`satqkd.formats.detections`.
    options : EndOptions
        Everything else.
    listen : tuple
        Host and port.
    report : callable
        Takes events for the display.

    Returns
    -------
    Outcome
        How it went.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    from satqkd.distillation.journal import FileJournal
    from satqkd.distillation.reconciliation import Sender
    from satqkd.distillation.satellite import PassRecord, Satellite
    from satqkd.distillation.session import End
    from satqkd.formats.detections import read_sender

    sent = read_sender(record)
    _private_folder(options.state)
    _same_record(options.state, record)
    source = {
        "start_unix_ns": sent.start_unix_ns,
        "slot_period_ps": sent.slot_period_ps,
        "pulses": sent.pulses,
        "intensities": list(sent.intensities),
        "intensity_probabilities": list(sent.intensity_probabilities),
    }
    with _equipment("satellite", options) as (authenticator, pool, keys):
        journal = FileJournal(options.state / "journal")
        party = Satellite(
            record=PassRecord(sent.choices, sent.pulses, source), reconciliation=Sender(_rules(options.settings)),
            settings=options.settings, pass_id=sent.pass_id, authenticator=authenticator, pool=pool, keys=keys,
            journal=journal, report=report, rules=_rules(options.settings).identity(),
        )  # fmt: skip
        end = End(party, journal, patience_s=options.patience_s)
        _run(end, listen, options, report, None)
        journal.close()
        return _outcome(end, authenticator)


def run_ground(record: Path, options: EndOptions, *, peer: tuple[str, int], report: Report) -> Outcome:
    """Run the ground station's end until the session is over.

    Parameters
    ----------
    record : Path
        What it detected, a file of :mod:`satqkd.formats.detections`.
    options : EndOptions
        Everything else.
    peer : tuple
        Host and port of the satellite's end.
    report : callable
        Takes events for the display.

    Returns
    -------
    Outcome
        How it went.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    from satqkd.distillation.ground import Ground
    from satqkd.distillation.journal import FileJournal
    from satqkd.distillation.reconciliation import Receiver
    from satqkd.distillation.session import End
    from satqkd.formats.detections import read_ground

    detected = read_ground(record)
    _private_folder(options.state)
    _same_record(options.state, record)
    with _equipment("ground", options) as (authenticator, pool, keys):
        journal = FileJournal(options.state / "journal")
        party = Ground(
            measure=lambda source: _measure(detected, source, options, report),
            reconciliation=Receiver(_rules(options.settings)), session=_session_name(options.state),
            settings=options.settings, pass_id=detected.pass_id, authenticator=authenticator, pool=pool, keys=keys,
            journal=journal, report=report, rules=_rules(options.settings).identity(),
        )  # fmt: skip
        end = End(party, journal, patience_s=options.patience_s)
        _run(end, ("0.0.0.0" if peer[0] != "127.0.0.1" else "127.0.0.1", 0), options, report, peer)
        journal.close()
        if end.party.over:
            detected.detections.channel[:] = 0
            (options.state / "clicks").unlink(missing_ok=True)
        return _outcome(end, authenticator)


def _session_name(state: Path) -> bytes:
    path = state / "session"
    if not path.exists():
        path.write_text(secrets.token_hex(8) + "\n", encoding="utf-8")
    try:
        name = bytes.fromhex(path.read_text(encoding="utf-8"))
    except ValueError:
        name = b""
    if len(name) != 8:
        raise InputError(f"{path}: is not the name of a session")
    return name


def _measure(record: GroundRecord, source: dict[str, Any], options: EndOptions, report: Report) -> Measured:
    """Detections with their pulses; the random bits for double clicks are the same after a crash."""
    import numpy as np

    from satqkd.distillation.private_files import read_private, write_private
    from satqkd.distillation.sifting import resolve_clicks
    from satqkd.distillation.synchronisation import synchronise

    if source.get("slot_period_ps") != record.slot_period_ps:
        raise SessionError(
            "CLOCK", f"slots of {record.slot_period_ps!r} ps here and of {source.get('slot_period_ps')!r} ps there"
        )
    if not record.detections.tag_ps.size:
        raise SessionError("EMPTY", "the record has no detections: nothing to distil")
    try:
        found = synchronise(
            record, sender_start_unix_ns=source["start_unix_ns"], pulses=source["pulses"], gate_ps=options.gate_ps,
            search_range_s=options.search_range_s,
        )  # fmt: skip
    except InputError as error:
        raise SessionError("CLOCK", str(error)) from None
    path = options.state / "clicks"
    if not path.exists():
        write_private(path, secrets.token_bytes(-(-found.pulse_index.size // 8)))
    bits = np.unpackbits(np.frombuffer(bytes(read_private(path)), dtype=np.uint8))
    used = 0

    def random_bits(count: int) -> Any:
        nonlocal used
        used += count
        return bits[used - count : used]

    measured = resolve_clicks(found.pulse_index, found.channel, random_bits=random_bits)
    seconds = (measured.pulse_index * (record.slot_period_ps * 1e-12)).astype(np.int64)
    report(
        {
            "event": "synchronised", "side": "ground", **asdict(found.report), "double_clicks": measured.double_clicks,
            "cross_clicks": measured.cross_clicks, "counts_per_s": np.bincount(seconds).tolist(),
        }
    )  # fmt: skip
    return measured


def plain(value: Any) -> Any:
    """Value for JSON: numbers that are not finite become text."""
    return json.loads(json.dumps(value, default=lambda x: x.item() if hasattr(x, "item") else str(x)))
