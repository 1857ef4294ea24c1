"""Both ends of a distillation as programs of their own, started again when they die."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

from satqkd.distillation.link import LinkModel
from satqkd.distillation.settings import Settings
from satqkd.distillation.udp import open_socket
from satqkd.errors import InputError, SatqkdError

__all__ = ["MOST_RESTARTS", "Watch", "run_programs"]

Report = Callable[[dict[str, Any]], None]
Watch = Callable[[float, Mapping[str, "subprocess.Popen[str]"]], None]

MOST_RESTARTS: Final = 10
"""How often a program that died is started again."""


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
