"""A simulated pass distilled by two programs that talk over a bad link."""

from __future__ import annotations

import json
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from satqkd._version import __version__
from satqkd.distillation.link import LinkModel
from satqkd.distillation.settings import SessionError, Settings
from satqkd.distillation.udp import open_socket
from satqkd.errors import InputError, SatqkdError
from satqkd.study.distill_ends import FolderKeys

if TYPE_CHECKING:
    from satqkd.study.simulate_pass import SimulatedRun

__all__ = ["PassDone", "run_pass", "run_programs"]

Report = Callable[[dict[str, Any]], None]
Watch = Callable[[float, Mapping[str, "subprocess.Popen[str]"]], None]

SECRET_BYTES: Final = 4096
"""Pre-shared secret of a simulated pass: 127 one-time values for each direction. [byte]"""

MOST_RESTARTS: Final = 10
"""How often a program that died is started again."""


@dataclass(frozen=True)
class PassDone:
    """How a pass went.

    Attributes
    ----------
    folder : Path
        Keys, report, record of the run.
    key_bytes : int
        Key that both ends have. [byte]
    failure : SessionError or None
        Why the session ended early.
    reason : str
        Why there is no key, if there is none.
    summary : dict
        The main numbers.
    """

    folder: Path
    key_bytes: int
    failure: SessionError | None
    reason: str
    summary: dict[str, Any]

    @property
    def text(self) -> str:
        """Summary in lines."""
        s = self.summary
        lines = [
            f"{s['packets']} packets ({s['packets_kept']} kept), mean QBER {100.0 * s['qber']:.2f} %, "
            f"f = {s['efficiency']:.3f}" if s["packets"] else "no packet",
            f"key: {s['key_bits']:,} bits at both ends; predicted {s['predicted_bits']:,.0f}",
            f"report: {self.folder / 'report.html'}",
        ]  # fmt: skip
        return "\n".join(lines)


class _Program:
    """One end as a process, started again when it dies."""

    def __init__(self, side: str, command: list[str], inbox: queue.Queue[dict[str, Any]]) -> None:
        self.side, self.command, self.inbox = side, command, inbox
        self.restarts = 0
        self.end: dict[str, Any] | None = None
        self.errors: list[str] = []
        self.start()

    def start(self) -> None:
        """Start the process and threads that read what it prints."""
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.threads = [
            threading.Thread(target=self._events, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._complaints, args=(self.process.stderr,), daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def _events(self, stream: IO[str]) -> None:
        for line in stream:
            try:
                event = json.loads(line)
            except ValueError:  # cut short when it was killed
                continue
            if event["event"] == "end":
                self.end = event
            self.inbox.put(event)

    def _complaints(self, stream: IO[str]) -> None:
        self.errors += [line.strip() for line in stream if line.strip()]

    def check(self) -> bool:
        """Whether it is finished; starts it again if it died."""
        if self.process.poll() is None:
            return False
        for thread in self.threads:
            thread.join(timeout=5.0)
        if self.end is not None:
            return True
        if self.process.returncode >= 0 and self.process.returncode != 137:
            text = self.errors[-1].removeprefix("error: ") if self.errors else f"code {self.process.returncode}"
            raise InputError(f"{self.side}: {text}")
        if self.restarts >= MOST_RESTARTS:
            raise SatqkdError(f"{self.side}: died {self.restarts + 1} times, given up")
        self.stop()
        self.restarts += 1
        self.inbox.put({"event": "restarted", "side": self.side})
        self.start()
        return False

    def stop(self) -> None:
        """Make sure that it is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def _command(side: str, record: Path, work: Path, settings: Settings, link: LinkModel, *more: str) -> list[str]:
    values = {
        "--state": work / side, "--pool": work / f"{side}.pool", "--secret": work / "secret",
        "--packets-per-block": settings.packets_per_block, "--sample": settings.sample_share,
        "--qber-threshold": settings.qber_threshold, "--mode": settings.mode, "--eps-secrecy": settings.eps_secrecy,
        "--eps-correctness": settings.eps_correctness, "--disclosure": settings.disclosure,
        "--frame-loss": link.loss, "--duplication": link.duplication, "--reordering": link.reordering,
        "--delay": 1e3 * link.delay_s, "--bandwidth": 1e-6 * link.bandwidth_hz,
    }  # fmt: skip
    given = [text for name, value in values.items() for text in (name, str(value))]
    return [sys.executable, "-m", "satqkd.cli.main", "distill", side, str(record), *given, "--events", *more]


def _free_port() -> int:
    """UDP port of this computer that nobody uses."""
    with open_socket(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


def run_programs(
    records: Mapping[str, Path],
    work: Path,
    *,
    settings: Settings,
    link: LinkModel,
    seed: int,
    patience_s: float,
    report: Report,
    watch: Watch | None = None,
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Start both ends as programs and wait until they are done.

    Parameters
    ----------
    records : mapping
        Files of ``satellite`` and ``ground``.
    work : Path
        Folder with the pre-shared ``secret``; the ends' folders are made in it.
    settings : Settings
        The session's.
    link : LinkModel
        Emulated in both directions.
    seed : int
        Of the emulation.
    patience_s : float
        Silence after which an end gives up. [s]
    report : callable
        Takes events for the display.
    watch : callable, optional
        Called now and then with the time since the beginning and the processes by side.

    Returns
    -------
    tuple
        Last event of each end, by side; all events but those of the link.

    Raises
    ------
    InputError
        If a program cannot use what it was given.
    """
    inbox: queue.Queue[dict[str, Any]] = queue.Queue()
    events: list[dict[str, Any]] = []
    programs: dict[str, _Program] = {}
    patience = ("--patience", str(patience_s))

    where = f"127.0.0.1:{_free_port()}"
    began = time.monotonic()
    try:
        for number, (side, option) in enumerate((("satellite", "--listen"), ("ground", "--peer"))):
            more = (*patience, "--seed", str(2 * seed + number), option, where)
            programs[side] = _Program(side, _command(side, records[side], work, settings, link, *more), inbox)
        while True:
            done = [program.check() for program in list(programs.values())]
            try:
                event = inbox.get(timeout=0.02)
            except queue.Empty:
                if all(done):
                    break
                event = None
            if watch is not None:
                watch(time.monotonic() - began, {side: program.process for side, program in programs.items()})
            if event is None:
                continue
            if event["event"] != "link":
                events.append(event)
            report(event)
    finally:
        for program in programs.values():
            program.stop()
    return {side: program.end or {} for side, program in programs.items()}, events


def run_pass(
    scenario: str,
    output: Path,
    *,
    duration_s: float | None = None,
    pass_number: int | None = None,
    extra_loss_db: float = 0.0,
    seed: int = 0,
    link: LinkModel,
    settings: Settings,
    patience_s: float = 30.0,
    keep_records: bool = False,
    overwrite: bool = False,
    report: Report = lambda event: None,
    watch: Watch | None = None,
) -> PassDone:
    """Simulate a pass, distil it with two programs, write keys and report.

    Parameters
    ----------
    scenario : str
        Preset or file.
    output : Path
        New folder: ``satellite.key``, ``ground.key``, ``report.html``, ``run.json``.
    duration_s, pass_number, extra_loss_db
        Of :func:`satqkd.study.simulate_pass.simulate`.
    seed : int
        Of the simulation and the emulated link.
    link : LinkModel
        Emulated in both directions.
    settings : Settings
        The session's.
    patience_s : float
        Silence after which an end gives up. [s]
    keep_records : bool
        Whether both ends' records stay in the folder; they hold the key.
    overwrite : bool
        Whether a run that is there may be replaced.
    report : callable
        Takes events for the display.
    watch : callable, optional
        Of :func:`run_programs`.

    Returns
    -------
    PassDone
        How it went.

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    from satqkd.distillation.private_files import write_private
    from satqkd.report.distillation import render
    from satqkd.study.distill_summary import summarise
    from satqkd.study.simulate_pass import simulate, write
    from satqkd.study.storage import new_folder

    started = time.monotonic()
    with new_folder(output, overwrite=overwrite) as aside:
        report({"event": "stage", "text": "simulating the pass"})
        run = simulate(
            scenario, seed=seed, pass_number=pass_number, duration_s=duration_s, extra_loss_db=extra_loss_db
        )  # fmt: skip
        simulated = time.monotonic()
        work = aside / "work"
        work.mkdir(mode=0o700)
        ground_file, satellite_file = write(run, work)
        write_private(work / "secret", secrets.token_bytes(SECRET_BYTES))
        report({"event": "stage", "text": "starting both ends"})
        ends, events = run_programs(
            {"satellite": satellite_file, "ground": ground_file}, work, settings=settings, link=link, seed=seed,
            patience_s=patience_s, report=report, watch=watch,
        )  # fmt: skip
        failure = _failure(ends)
        key_bytes = _keep_keys(work, aside, ends, failure)
        walls = {"simulation": simulated - started, "distillation": time.monotonic() - simulated}
        record = _record(run, settings, link, seed, ends, events, walls, failure, key_bytes)
        record["summary"] = summarise(record)
        _clear(work, aside if keep_records else None)
        (aside / "report.html").write_text(render(record), encoding="utf-8")
        (aside / "run.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    reason = next((b["key"].get("reason") or "" for b in record["blocks"]), "not one full packet was sifted")
    return PassDone(output, key_bytes, failure, reason, record["summary"])


def _failure(ends: Mapping[str, dict[str, Any]]) -> SessionError | None:
    """What ended the session early, from the end that noticed it rather than the one that was told."""
    found = [end["failure"] for end in ends.values() if end.get("failure")]
    if not found:
        return None
    code, _, detail = min(found, key=lambda text: text.startswith("PEER")).partition(": ")
    return SessionError(code, detail)


def _keep_keys(work: Path, folder: Path, ends: Mapping[str, dict[str, Any]], failure: SessionError | None) -> int:
    """Write both ends' keys, if they are the same; returns their length. [byte]"""
    from satqkd.distillation.private_files import wipe, write_private

    blocks = {side: {int(b): n for b, n in end["blocks"].items()} for side, end in ends.items()}
    if blocks["satellite"] != blocks["ground"]:
        if failure is not None:  # one end was not heard of any more: what it holds is settled when it comes back
            return 0
        raise SatqkdError("the two ends released the keys of different blocks")
    if not blocks["ground"]:
        return 0
    keys = {side: FolderKeys(work / side / "keys").joined(blocks[side]) for side in ends}
    try:
        if keys["satellite"] != keys["ground"]:
            raise SatqkdError("the two ends hold different keys")
        for side, key in keys.items():
            write_private(folder / f"{side}.key", key)
        return len(keys["ground"])
    finally:
        for key in keys.values():
            wipe(key)


def _clear(work: Path, records_to: Path | None) -> None:
    """Remove everything secret but the keys: written over first, for what that is worth on today's disks."""
    if records_to is not None:
        for path in work.glob("*.sq?"):
            path.rename(records_to / path.name)
    for path in sorted(work.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
            path.unlink()
    work.rmdir()


def _record(
    run: SimulatedRun,
    settings: Settings,
    link: LinkModel,
    seed: int,
    ends: Mapping[str, dict[str, Any]],
    events: list[dict[str, Any]],
    walls: dict[str, float],
    failure: SessionError | None,
    key_bytes: int,
) -> dict[str, Any]:
    """Everything about the run that is public, for ``run.json`` and the report."""
    blocks: dict[int, dict[str, Any]] = {}
    synchronised: dict[str, Any] = {}
    left_over = 0
    for event in events:  # after a crash an end tells everything again: the last word counts
        if event["event"] == "block":
            blocks[event["block"]] = {name: event[name] for name in ("block", "packets", "tag_bits", "key")}
        elif event["event"] == "synchronised":
            synchronised = {name: value for name, value in event.items() if name not in ("event", "side")}
        elif event["event"] == "announced":
            left_over = event["left_over_bits"]
    info = run.info
    return {
        "satqkd": __version__,
        "scenario": info.scenario,
        "satellite": info.satellite,
        "station": info.station,
        "pass": info.number,
        "start_unix_ns": info.start_unix_ns,
        "duration_s": info.duration_s,
        "seed": seed,
        "settings": settings.to_dict(),
        "link": asdict(link),
        "source": {
            "slot_period_ps": run.sender.slot_period_ps,
            "pulses": run.sender.pulses,
            "intensities": list(run.sender.intensities),
            "intensity_probabilities": list(run.sender.intensity_probabilities),
        },
        "range": {"time_s": list(info.time_s), "slant_range_m": list(info.slant_range_m),
                  "elevation_deg": list(info.elevation_deg)},
        "expected": {name: list(getattr(run.expected, name)) for name in ("n_key", "m_key", "n_test", "m_test")},
        "synchronisation": synchronised,
        "left_over_bits": left_over,
        "blocks": [blocks[number] for number in sorted(blocks)],
        "released": ends["ground"].get("blocks", {}),
        "datagrams": {side: end.get("link", {}) for side, end in ends.items()},
        "authentication": ends["ground"].get("authentication", ""),
        "restarts": sum(event["event"] == "restarted" for event in events),
        "failure": None if failure is None else str(failure),
        "key_bytes": key_bytes,
        "wall_time_s": walls,
    }  # fmt: skip
