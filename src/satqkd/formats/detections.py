"""Files of a recorded pass: detections and synchronisation words of the ground, choices of the satellite.

Little-endian; a header with its own checksum, the records, a SHA-256 of everything. The page "Recorded passes" of the
documentation has them byte by byte. Both hold raw key: they are written with mode 600.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.pass_model import RECEIVER_DETECTORS
from satqkd.detection.pulses import RecordedChoices, SeededChoices, SenderChoices
from satqkd.detection.records import Detections, GroundRecord, SenderRecord, SyncWords
from satqkd.errors import InputError
from satqkd.formats._sealed import (
    DIGEST_BYTES,
    check_digest,
    pack_pass_id,
    read_header,
    sealed,
    unpack_pass_id,
)

__all__ = ["read_ground", "read_sender", "write_ground", "write_sender"]

VERSION: Final = 1
GROUND_MAGIC: Final = b"SATQKDGR"
SENDER_MAGIC: Final = b"SATQKDSE"
GROUND_HEADER: Final = struct.Struct("<8sHHIQQqd64s12x")
SENDER_HEADER: Final = struct.Struct("<8sHHIQqqd64s3d3dd84x")
DETECTION: Final = np.dtype([("tag_ps", "<i8"), ("channel", "u1")])
WORD: Final = np.dtype([("tag_ps", "<i8"), ("number", "<u4")])
_CRC: Final = struct.Struct("<I")
_RECEIVERS: Final = tuple(RECEIVER_DETECTORS)
_SEED, _RECORDED = 0, 1
_CHUNK: Final = 1 << 20


def write_ground(path: str | Path, record: GroundRecord) -> None:
    """Write what the ground recorded.

    Parameters
    ----------
    path : str or Path
        File, replaced if it is there.
    record : GroundRecord
        The record.

    Raises
    ------
    InputError
        If the record breaks a rule of the format, or the place cannot be written.
    """
    path = Path(path)
    _check_ground(record, str(path))
    detections, sync = record.detections, record.sync
    header = GROUND_HEADER.pack(
        GROUND_MAGIC, VERSION, _RECEIVERS.index(record.receiver), GROUND_HEADER.size + _CRC.size,
        detections.tag_ps.size, sync.tag_ps.size, record.start_unix_ns, record.slot_period_ps,
        pack_pass_id(record.pass_id),
    )  # fmt: skip
    with sealed(path) as file:
        file.write(header + _CRC.pack(zlib.crc32(header)))
        for first in range(0, detections.tag_ps.size, _CHUNK):
            part = slice(first, first + _CHUNK)
            rows = np.empty(detections.tag_ps[part].size, DETECTION)
            rows["tag_ps"], rows["channel"] = detections.tag_ps[part], detections.channel[part]
            file.write(rows.tobytes())
        words = np.empty(sync.tag_ps.size, WORD)
        words["tag_ps"], words["number"] = sync.tag_ps, sync.number
        file.write(words.tobytes())


def read_ground(path: str | Path) -> GroundRecord:
    """Read what the ground recorded.

    Parameters
    ----------
    path : str or Path
        File of :func:`write_ground`.

    Returns
    -------
    GroundRecord
        The record.

    Raises
    ------
    InputError
        If the file is of another kind, truncated (with how much is missing) or damaged, or breaks a rule of the format.
    """
    path = Path(path)
    size = GROUND_HEADER.size + _CRC.size
    header = read_header(path, magic=GROUND_MAGIC, length=size, version=VERSION, what="recorded detections")
    _, _, receiver, _, clicks, words, start, period, pass_id = GROUND_HEADER.unpack(header)
    expected = size + clicks * DETECTION.itemsize + words * WORD.itemsize + DIGEST_BYTES
    missing = expected - path.stat().st_size
    if missing > 0:
        there = max(0, min(clicks, (path.stat().st_size - size) // DETECTION.itemsize))
        raise InputError(
            f"{path}: truncated: {missing} of {expected} bytes are missing, "
            f"it holds {there} of {clicks} detections and not all of the {words} sync words"
        )
    if missing < 0:
        raise InputError(f"{path}: {-missing} bytes too many after the {expected} that the header says")
    check_digest(path)
    if receiver >= len(_RECEIVERS):
        raise InputError(f"{path}: receiver {receiver}: must be 0 ({_RECEIVERS[0]}) or 1 ({_RECEIVERS[1]})")
    with path.open("rb") as file:
        file.seek(size)
        detections = Detections(*_columns(file, DETECTION, clicks, np.int64, np.uint8))
        sync = SyncWords(*_columns(file, WORD, words, np.int64, np.int64))
    record = GroundRecord(unpack_pass_id(pass_id, path), start, period, _RECEIVERS[receiver], detections, sync)
    _check_ground(record, str(path))
    return record


def _columns(file: BinaryIO, kind: np.dtype[Any], count: int, *types: type) -> list[NDArray[Any]]:
    """Fields of the next ``count`` rows of a file, read part by part: as rows they are in memory a part at a time."""
    columns: list[NDArray[Any]] = [np.empty(count, t) for t in types]
    for first in range(0, count, _CHUNK):
        rows = np.fromfile(file, kind, min(_CHUNK, count - first))
        for column, name in zip(columns, kind.names or (), strict=True):
            column[first : first + rows.size] = rows[name]
    return columns


def _check_ground(record: GroundRecord, where: str) -> None:
    _check_clock(record.start_unix_ns, record.slot_period_ps, where)
    if record.receiver not in _RECEIVERS:
        raise InputError(f"{where}: receiver {record.receiver!r}: must be one of {', '.join(_RECEIVERS)}")
    tags, channel = record.detections.tag_ps, record.detections.channel
    if tags.shape != channel.shape or record.sync.tag_ps.shape != record.sync.number.shape:
        raise InputError(f"{where}: as many channels as time tags are needed, and as many numbers as sync words")
    if channel.size and channel.max() > 3:
        raise InputError(f"{where}: channel {channel.max()}: must be 0 to 3 (2 * basis + bit)")
    if np.any(tags[1:] < tags[:-1]):
        bad = int(np.argmax(tags[1:] < tags[:-1])) + 1
        raise InputError(f"{where}: detection {bad} is earlier than the one before: time tags must ascend")
    number = record.sync.number
    if number.size and not (number.min() >= 0 and number.max() < 2**32):
        raise InputError(f"{where}: number of a sync word must be at least 0 and below 2^32")


def _check_clock(start_unix_ns: int, period: float, where: str) -> None:
    if not -(2**63) <= start_unix_ns < 2**63:
        raise InputError(f"{where}: start_unix_ns = {start_unix_ns}: must be from 1678 to 2261, in 64 bits")
    if not (math.isfinite(period) and 1.0 <= period <= 1e9):
        raise InputError(f"{where}: slot_period_ps = {period!r}: must be between 1 and 1e9")


def write_sender(path: str | Path, record: SenderRecord) -> None:
    """Write what the satellite knows of a pass: the seed of a simulation, or the choices that it recorded.

    Parameters
    ----------
    path : str or Path
        File, replaced if it is there.
    record : SenderRecord
        The record, with :class:`~satqkd.detection.pulses.SeededChoices` or
        :class:`~satqkd.detection.pulses.RecordedChoices`.

    Raises
    ------
    InputError
        If the record breaks a rule of the format, or the place cannot be written.
    """
    path, choices = Path(path), record.choices
    _check_clock(record.start_unix_ns, record.slot_period_ps, str(path))
    first, kind = 0, _SEED
    if isinstance(choices, RecordedChoices):
        first, kind = choices.first_pulse, _RECORDED
        if choices.pulses != record.pulses:
            raise InputError(f"{path}: {record.pulses} pulses, choices are recorded for {choices.pulses}")
    elif not isinstance(choices, SeededChoices):
        raise InputError(f"{path}: choices of type {type(choices).__name__} cannot be written")
    header = SENDER_HEADER.pack(
        SENDER_MAGIC, VERSION, kind, SENDER_HEADER.size + _CRC.size, record.pulses, first, record.start_unix_ns,
        record.slot_period_ps, pack_pass_id(record.pass_id), *record.intensities, *record.intensity_probabilities,
        record.p_key_basis,
    )  # fmt: skip
    with sealed(path) as file:
        file.write(header + _CRC.pack(zlib.crc32(header)))
        if isinstance(choices, RecordedChoices):
            for at in range(0, choices.codes.size, _CHUNK):
                file.write(choices.codes[at : at + _CHUNK].tobytes())
        else:
            file.write(choices.seed)


def read_sender(path: str | Path) -> SenderRecord:
    """Read what the satellite knows of a pass.

    Parameters
    ----------
    path : str or Path
        File of :func:`write_sender`.

    Returns
    -------
    SenderRecord
        The record; recorded choices stay on disk and are mapped into memory.

    Raises
    ------
    InputError
        If the file is of another kind, truncated (with how much is missing) or damaged.
    """
    path = Path(path)
    size = SENDER_HEADER.size + _CRC.size
    header = read_header(path, magic=SENDER_MAGIC, length=size, version=VERSION, what="recorded choices of a sender")
    _, _, kind, _, pulses, first, start, period, pass_id, *numbers = SENDER_HEADER.unpack(header)
    if kind not in (_SEED, _RECORDED):
        raise InputError(f"{path}: kind {kind}: must be {_SEED} (seed) or {_RECORDED} (recorded choices)")
    body = 32 if kind == _SEED else (pulses + 1) // 2
    missing = size + body + DIGEST_BYTES - path.stat().st_size
    if missing > 0:
        raise InputError(f"{path}: truncated: {missing} of {size + body + DIGEST_BYTES} bytes are missing")
    if missing < 0:
        raise InputError(f"{path}: {-missing} bytes too many after the {size + body + DIGEST_BYTES} of the header")
    check_digest(path)
    _check_clock(start, period, str(path))
    mu, p, p_key_basis = tuple(numbers[:3]), tuple(numbers[3:6]), numbers[6]
    choices: SenderChoices
    if kind == _SEED:
        with path.open("rb") as file:
            file.seek(size)
            seed = file.read(32)
        choices = SeededChoices(seed=seed, intensity_probabilities=p, p_key_basis=p_key_basis)
    else:
        codes = np.memmap(path, np.uint8, "r", offset=size, shape=(body,)) if body else np.empty(0, np.uint8)
        choices = RecordedChoices(codes, pulses=pulses, first_pulse=first)
    return SenderRecord(
        unpack_pass_id(pass_id, path), start, period, pulses,
        (mu[0], mu[1], mu[2]), (p[0], p[1], p[2]), p_key_basis, choices,
    )  # fmt: skip
