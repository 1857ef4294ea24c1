"""One end of a distillation on files: record of a pass in, keys out, resumable from its folder."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from satqkd.distillation.link import EmulatedLink
from satqkd.distillation.private_files import private_folder
from satqkd.distillation.randomness import fresh_bytes
from satqkd.distillation.settings import SessionError, Settings
from satqkd.errors import InputError
from satqkd.study.distill_equipment import EndOptions, equipment

if TYPE_CHECKING:
    from satqkd.detection.records import GroundRecord, SenderRecord
    from satqkd.distillation.party import Authenticator
    from satqkd.distillation.session import End
    from satqkd.distillation.sifting import Measured

__all__ = [
    "BAD_INPUT", "Outcome", "end_code", "ground_end", "outcome", "run_ground", "run_satellite", "satellite_end",
]  # fmt: skip

Report = Callable[[dict[str, Any]], None]

BAD_INPUT: Final = frozenset({"SECRET", "SETTINGS", "PASS", "CLOCK", "EMPTY"})
"""Reasons that are a matter of what was put in: exit code 2. The others are what happened: exit code 1."""

_LINK_REPORT_S: Final = 0.5
_CHUNK: Final = 1 << 18


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
    memory_bytes : int or None
        Most memory that this process ever had, where the system says so. [byte]
    processor_s : float or None
        Processor time of this process from sifting to the last key, if it ran this end alone. [s]
    """

    failure: SessionError | None
    blocks: dict[int, int]
    link: dict[str, int]
    authentication: str
    memory_bytes: int | None
    processor_s: float | None = None


def end_code(failure: SessionError | None, key_bytes: int) -> int:
    """Exit code: 0 with a key, 1 if the session or the key failed, 2 if what was put in does not fit."""
    if failure is not None:
        inner = str(failure)
        return 2 if failure.code in BAD_INPUT or any(f" {code}: " in inner for code in BAD_INPUT) else 1
    return 0 if key_bytes else 1


def _state_of(record: Path, state: Path) -> None:
    """Make the folder of a session, or refuse to continue one with another record."""
    private_folder(state)
    with record.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    known = state / "record"
    if known.exists():
        if known.read_bytes().strip() != digest.encode():
            raise InputError(f"{state}: belongs to a session with another record than {record}: use a new folder")
    else:
        known.write_text(digest + "\n", encoding="utf-8")


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


def outcome(end: End, authenticator: Authenticator) -> Outcome:
    """How the session went at an end that is done."""
    return Outcome(end.failure, dict(end.party.released), asdict(end.counts), authenticator.kind, _peak_memory_bytes())


class _Timed:
    """Passes events on and notes at what processor time sifting began."""

    def __init__(self, report: Report) -> None:
        self._report, self._since_s = report, time.process_time()

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "started":
            self._since_s = time.process_time()
        self._report(event)

    @property
    def seconds(self) -> float:
        """Processor time since then. [s]"""
        return time.process_time() - self._since_s


def _peak_memory_bytes() -> int | None:
    """From Linux's account of this process; ``getrusage`` would count the one that started it too."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


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
    from satqkd.formats.detections import read_sender

    sent = read_sender(record)
    _state_of(record, options.state)
    timed = _Timed(report)
    with satellite_end(sent, options, timed) as (end, authenticator):
        _run(end, listen, options, report, None)
        return replace(outcome(end, authenticator), processor_s=timed.seconds)


@contextmanager
def satellite_end(sent: SenderRecord, options: EndOptions, report: Report) -> Iterator[tuple[End, Authenticator]]:
    """Satellite's end of a session on what it sent, with its authenticator; pool, keys and journal closed afterwards.

    Parameters
    ----------
    sent : SenderRecord
        What it sent.
    options : EndOptions
        Everything else; its folder is there.
    report : callable
        Takes events for the display.
    """
    from satqkd.distillation.journal import FileJournal
    from satqkd.distillation.reconciliation import Sender
    from satqkd.distillation.satellite import PassRecord, Satellite
    from satqkd.distillation.session import End

    source = {
        "start_unix_ns": sent.start_unix_ns,
        "slot_period_ps": sent.slot_period_ps,
        "pulses": sent.pulses,
        "intensities": list(sent.intensities),
        "intensity_probabilities": list(sent.intensity_probabilities),
    }
    with equipment("satellite", options) as (authenticator, pool, keys):
        journal = FileJournal(options.state / "journal")
        party = Satellite(
            record=PassRecord(sent.choices, sent.pulses, source), reconciliation=Sender(_rules(options.settings)),
            settings=options.settings, pass_id=sent.pass_id, authenticator=authenticator, pool=pool, keys=keys,
            journal=journal, report=report, rules=_rules(options.settings).identity(),
        )  # fmt: skip
        yield End(party, journal, patience_s=options.patience_s), authenticator
        journal.close()


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
    from satqkd.formats.detections import read_ground

    held = [read_ground(record)]
    timed = _Timed(report)
    _state_of(record, options.state)
    with ground_end(held, options, timed) as (end, authenticator):
        _run(end, ("0.0.0.0" if peer[0] != "127.0.0.1" else "127.0.0.1", 0), options, report, peer)
        if end.party.over:
            for detected in held:
                detected.detections.channel[:] = 0
            (options.state / "clicks").unlink(missing_ok=True)
        return replace(outcome(end, authenticator), processor_s=timed.seconds)


@contextmanager
def ground_end(held: list[GroundRecord], options: EndOptions, report: Report) -> Iterator[tuple[End, Authenticator]]:
    """Ground station's end of a session on what it detected, as :func:`satellite_end`.

    Parameters
    ----------
    held : list of GroundRecord
        What it detected, one record; taken out, and its channels wiped, when they are brought to pulses.
    options : EndOptions
        Everything else; its folder is there.
    report : callable
        Takes events for the display.
    """
    from satqkd.distillation.ground import Ground
    from satqkd.distillation.journal import FileJournal
    from satqkd.distillation.reconciliation import Receiver
    from satqkd.distillation.session import End

    with equipment("ground", options) as (authenticator, pool, keys):
        journal = FileJournal(options.state / "journal")
        party = Ground(
            measure=lambda source: _measure(held, source, options, report),
            reconciliation=Receiver(_rules(options.settings)), session=_session_name(options.state),
            settings=options.settings, pass_id=held[0].pass_id, authenticator=authenticator, pool=pool, keys=keys,
            journal=journal, report=report, rules=_rules(options.settings).identity(),
        )  # fmt: skip
        yield End(party, journal, patience_s=options.patience_s), authenticator
        journal.close()


def _session_name(state: Path) -> bytes:
    path = state / "session"
    if not path.exists():
        path.write_text(fresh_bytes(8).hex() + "\n", encoding="utf-8")
    try:
        name = bytes.fromhex(path.read_text(encoding="utf-8"))
    except ValueError:
        name = b""
    if len(name) != 8:
        raise InputError(f"{path}: is not the name of a session")
    return name


def _measure(held: list[GroundRecord], source: dict[str, Any], options: EndOptions, report: Report) -> Measured:
    """Detections with their pulses; the random bits for double clicks are the same after a crash.

    The record is taken out of ``held``, so that its memory is free for the session; its channels are wiped.
    """
    import numpy as np

    from satqkd.distillation.private_files import read_private, write_private
    from satqkd.distillation.sifting import resolve_clicks
    from satqkd.distillation.synchronisation import synchronise

    record = held[0]
    if source.get("slot_period_ps") != record.slot_period_ps:
        raise SessionError(
            "CLOCK", f"slots of {record.slot_period_ps!r} ps here and of {source.get('slot_period_ps')!r} ps there"
        )
    if not record.detections.tag_ps.size:
        raise SessionError("EMPTY", "the record has no detections: nothing to distil")
    held.clear()
    try:
        found = synchronise(
            record, sender_start_unix_ns=source["start_unix_ns"], pulses=source["pulses"], gate_ps=options.gate_ps,
            search_range_s=options.search_range_s,
        )  # fmt: skip
    except InputError as error:
        raise SessionError("CLOCK", str(error)) from None
    finally:
        record.detections.channel[:] = 0
    slot_s = record.slot_period_ps * 1e-12
    del record
    path = options.state / "clicks"
    if not path.exists():
        write_private(path, fresh_bytes(-(-found.pulse_index.size // 8)))
    bits = np.unpackbits(np.frombuffer(bytes(read_private(path)), dtype=np.uint8))
    used = 0

    def random_bits(count: int) -> Any:
        nonlocal used
        used += count
        return bits[used - count : used]

    measured = resolve_clicks(found.pulse_index, found.channel, random_bits=random_bits)
    found.channel[:] = 0
    counts = np.zeros(1 + int(measured.pulse_index.max(initial=0) * slot_s), np.int64)
    for first in range(0, measured.pulse_index.size, _CHUNK):
        seconds = (measured.pulse_index[first : first + _CHUNK] * slot_s).astype(np.int64)
        counts += np.bincount(seconds, minlength=counts.size)
    report(
        {
            "event": "synchronised", "side": "ground", **asdict(found.report), "double_clicks": measured.double_clicks,
            "cross_clicks": measured.cross_clicks, "counts_per_s": counts.tolist(),
        }
    )  # fmt: skip
    return measured
