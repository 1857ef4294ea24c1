"""A simulated pass distilled by two programs that talk over a bad link."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from satqkd._version import __version__
from satqkd.distillation.link import LinkModel
from satqkd.distillation.randomness import fresh_bytes
from satqkd.distillation.settings import SessionError, Settings
from satqkd.errors import SatqkdError
from satqkd.study.distill_equipment import FolderKeys
from satqkd.study.distill_programs import Watch, run_programs

if TYPE_CHECKING:
    from satqkd.study.simulate_pass import SimulatedRun

__all__ = ["SECRET_BYTES", "PassDone", "clear", "keep_keys", "pass_record", "run_pass", "session_failure"]

Report = Callable[[dict[str, Any]], None]

SECRET_BYTES: Final = 4096
"""Pre-shared secret of a simulated pass: 127 one-time values for each direction. [byte]"""


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
        write_private(work / "secret", fresh_bytes(SECRET_BYTES))
        report({"event": "stage", "text": "starting both ends"})
        ends, events = run_programs(
            {"satellite": satellite_file, "ground": ground_file}, work, settings=settings, link=link, seed=seed,
            patience_s=patience_s, report=report, watch=watch,
        )  # fmt: skip
        failure = session_failure(ends)
        key_bytes = keep_keys(work, aside, ends, failure)
        walls = {"simulation": simulated - started, "distillation": time.monotonic() - simulated}
        record = pass_record(run, settings, link, seed, ends, events, walls, failure, key_bytes)
        record["summary"] = summarise(record)
        clear(work, aside if keep_records else None)
        (aside / "report.html").write_text(render(record), encoding="utf-8")
        (aside / "run.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    reasons = [b["key"]["reason"] for b in record["blocks"] if b["key"].get("reason")]
    reason = reasons[0] if reasons else "" if record["blocks"] else "not one full packet was sifted"
    return PassDone(output, key_bytes, failure, reason, record["summary"])


def session_failure(ends: Mapping[str, dict[str, Any]]) -> SessionError | None:
    """What ended the session early, from the end that noticed it rather than the one that was told."""
    found = [end["failure"] for end in ends.values() if end.get("failure")]
    if not found:
        return None
    code, _, detail = min(found, key=lambda text: text.startswith("PEER")).partition(": ")
    return SessionError(code, detail)


def keep_keys(work: Path, folder: Path, ends: Mapping[str, dict[str, Any]], failure: SessionError | None) -> int:
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


def clear(work: Path, records_to: Path | None) -> None:
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


def pass_record(
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
        "memory_bytes": {side: end.get("memory_bytes") for side, end in ends.items()},
        "processor_s": {side: end.get("processor_s") for side, end in ends.items()},
        "authentication": ends["ground"].get("authentication", ""),
        "restarts": sum(event["event"] == "restarted" for event in events),
        "failure": None if failure is None else str(failure),
        "key_bytes": key_bytes,
        "wall_time_s": walls,
    }  # fmt: skip
