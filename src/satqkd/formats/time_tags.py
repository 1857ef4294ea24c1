"""Time tags of an instrument as recorded detections: which input is which detector, and where the sync words are."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.records import Detections, GroundRecord, SyncWords, number_words
from satqkd.errors import InputError

__all__ = ["read_time_tags", "recorded"]

_HEADER: Final = "tag_ps,input"
_LARGEST: Final = 2**62


def recorded(
    tag_ps: NDArray[np.int64],
    source: NDArray[np.int64],
    words_ps: NDArray[np.int64],
    *,
    pass_id: str,
    start_unix_ns: int,
    slot_period_ps: float,
    channels: Mapping[int, int],
    first_sync_number: int = 0,
    receiver: str = "passive",
) -> GroundRecord:
    """Record of time tags.

    Parameters
    ----------
    tag_ps, source : ndarray of int64
        Times since the recording began [ps], in any order, and the inputs they came in by.
    words_ps : ndarray of int64
        Times of the synchronisation words. [ps]
    pass_id : str
        Identifies the pass; the same on both sides.
    start_unix_ns : int
        When the recording began, by the ground's clock. [ns since 1970-01-01 UTC]
    slot_period_ps : float
        Time between pulses. [ps]
    channels : mapping of int to int
        Input to detector: 2 * basis + bit. Other inputs are left out.
    first_sync_number : int
        Number of the first synchronisation word; the others are counted by their times.
    receiver : {"passive", "active"}
        Kind of receiver.

    Returns
    -------
    GroundRecord
        In order of time.

    Raises
    ------
    InputError
        If the channels are no detectors, there is no detection or no word, or the words cannot be counted.
    """
    if not channels or not all(0 <= detector <= 3 for detector in channels.values()):
        raise InputError(f"channels = {dict(channels)!r}: must give detectors 0 to 3 (2 * basis + bit)")
    detector = np.full(tag_ps.size, 255, np.uint8)
    for given, target in channels.items():
        detector[source == given] = target
    kept = detector < 255
    if not (kept.any() and words_ps.size):
        lacking = (
            "synchronisation word where they should be" if kept.any() else f"detection on inputs {_listed(channels)}"
        )
        raise InputError(f"no {lacking}; inputs with time tags: {_listed(np.unique(source)) or 'none'}")
    order = np.argsort(tag_ps[kept], kind="stable")
    words = np.sort(words_ps)
    number = number_words(words, slot_period_ps=slot_period_ps, first_number=first_sync_number)
    return GroundRecord(
        pass_id, start_unix_ns, slot_period_ps, receiver,
        Detections(tag_ps[kept][order], detector[kept][order]), SyncWords(words, number),
    )  # fmt: skip


def _listed(inputs: Iterable[int]) -> str:
    return ", ".join(map(str, inputs))


def read_time_tags(
    path: str | Path,
    *,
    pass_id: str,
    start_unix_ns: int,
    slot_period_ps: float,
    channels: Mapping[int, int],
    sync_channel: int,
    first_sync_number: int = 0,
    receiver: str = "passive",
) -> GroundRecord:
    """Read detections and synchronisation words from a CSV file ``tag_ps,input``.

    Parameters
    ----------
    path : str or Path
        File: a header ``tag_ps,input``, then two whole numbers per line, a time in ps and an input, in any order.
    pass_id, start_unix_ns, slot_period_ps, channels
        As in :func:`recorded`.
    sync_channel : int
        Input of the synchronisation words.
    first_sync_number, receiver
        As in :func:`recorded`.

    Returns
    -------
    GroundRecord
        The record.

    Raises
    ------
    InputError
        If the file cannot be read, has another header, or a line that is not two whole numbers; as :func:`recorded`.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig") as file:  # spreadsheets put a byte-order mark first
            header = file.readline().strip()
            if header.replace(" ", "") != _HEADER:
                raise InputError(f'{path}: line 1 is "{header[:80]}", must be "{_HEADER}"')
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a file without rows is answered below
                table = np.loadtxt(file, dtype=np.int64, delimiter=",", ndmin=2, comments=None)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text file") from None
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path}: after the header: {error}") from None
    if table.size and table.shape[1] != 2:
        raise InputError(f"{path}: {table.shape[1]} columns, must be 2 ({_HEADER})")
    tags, source = (table[:, 0], table[:, 1]) if table.size else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    if tags.size and not (tags.min() >= -_LARGEST and tags.max() <= _LARGEST):
        raise InputError(f"{path}: a time beyond 2^62 ps")
    return recorded(
        tags, source, tags[source == sync_channel], pass_id=pass_id, start_unix_ns=start_unix_ns,
        slot_period_ps=slot_period_ps, channels=channels, first_sync_number=first_sync_number, receiver=receiver,
    )  # fmt: skip
