"""Time tags of an instrument into a record that ``satqkd distill ground`` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from satqkd.errors import InputError

if TYPE_CHECKING:
    from satqkd.detection.records import GroundRecord

__all__ = ["import_time_tags"]


def _ptu(path: Path, **options: Any) -> GroundRecord:
    from satqkd.formats.ptu import read_ptu

    return read_ptu(path, **options)


def _csv(path: Path, *, sync_marker: int | None, **options: Any) -> GroundRecord:
    from satqkd.formats.time_tags import read_time_tags

    if sync_marker is not None or options["sync_channel"] is None:
        raise InputError("--sync-marker: only PTU files have markers; a CSV file needs --sync-input")
    return read_time_tags(path, **options)


READERS: Final[Mapping[str, Callable[..., GroundRecord]]] = MappingProxyType({".ptu": _ptu, ".csv": _csv})
"""End of the file's name -> its reader."""


def import_time_tags(
    path: Path,
    output: Path,
    *,
    pass_id: str,
    start: str,
    slot_period_ps: float,
    inputs: Sequence[int],
    sync_input: int | None = None,
    sync_marker: int | None = None,
    first_sync_number: int = 0,
    receiver: str = "passive",
) -> dict[str, Any]:
    """Make a record of a file of time tags.

    Parameters
    ----------
    path : Path
        ``.ptu`` (T2 mode) or ``.csv`` (``tag_ps,input``).
    output : Path
        New file for the record, mode 600.
    pass_id : str
        Identifies the pass; the same on both sides.
    start : str
        When the recording began by the ground's clock, ISO 8601 with ``Z`` or an offset.
    slot_period_ps : float
        Time between pulses. [ps]
    inputs : sequence of int
        Inputs of the detectors of Z0, Z1, X0 and X1.
    sync_input, sync_marker : int, optional
        Where the synchronisation words are: an input, or the bit of a marker. One of the two.
    first_sync_number : int
        Number of the first synchronisation word.
    receiver : {"passive", "active"}
        Kind of receiver.

    Returns
    -------
    dict
        ``detections`` per detector, ``sync_words``, ``missing_words``, ``duration_s``, ``rate_hz``.

    Raises
    ------
    InputError
        If the file, an option or the output cannot be used; then nothing is written.
    """
    from satqkd.formats.detections import write_ground
    from satqkd.study.plan import parse_epoch

    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: must end in {' or '.join(READERS)}")
    if (sync_input is None) == (sync_marker is None):
        raise InputError("--sync-input, --sync-marker: give one of the two")
    if len(inputs) != 4 or len(set(inputs)) != 4:
        raise InputError(f"--inputs: {', '.join(map(str, inputs))}: must be four different inputs, of Z0, Z1, X0, X1")
    if sync_input in inputs:
        raise InputError(f"--sync-input: input {sync_input} is that of a detector")
    if output.exists():
        raise InputError(f"{output}: exists: records are never written over")
    since_1970 = parse_epoch(start, "--start") - datetime(1970, 1, 1, tzinfo=UTC)
    record = reader(
        path, pass_id=pass_id, start_unix_ns=1000 * (since_1970 // timedelta(microseconds=1)),
        slot_period_ps=slot_period_ps, channels={given: detector for detector, given in enumerate(inputs)},
        sync_channel=sync_input, sync_marker=sync_marker, first_sync_number=first_sync_number, receiver=receiver,
    )  # fmt: skip
    write_ground(output, record)
    tags, number = record.detections.tag_ps, record.sync.number
    duration_s = 1e-12 * float(tags[-1] - tags[0])
    return {
        "detections": np.bincount(record.detections.channel, minlength=4).tolist(),
        "sync_words": int(number.size),
        "missing_words": int(number[-1] - number[0] + 1 - number.size),
        "duration_s": duration_s,
        "rate_hz": tags.size / duration_s if duration_s else None,
    }
