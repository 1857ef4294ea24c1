"""PicoQuant PTU files (T2 mode) as recorded detections, with the extra ``satqkd[ptu]``.

References
----------
.. [1] PicoQuant, "Unified TTTR file format (PTU)", and the header documentation of its demo programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from satqkd.detection.records import GroundRecord
from satqkd.errors import InputError, MissingExtraError
from satqkd.formats.time_tags import recorded

__all__ = ["read_ptu"]


def read_ptu(
    path: str | Path,
    *,
    pass_id: str,
    start_unix_ns: int,
    slot_period_ps: float,
    channels: Mapping[int, int],
    sync_channel: int | None = None,
    sync_marker: int | None = None,
    first_sync_number: int = 0,
    receiver: str = "passive",
) -> GroundRecord:
    """Read detections and synchronisation words from a PTU file in T2 mode.

    Parameters
    ----------
    path : str or Path
        File.
    pass_id : str
        Identifies the pass; the same on both sides.
    start_unix_ns : int
        When the recording began, by the ground's clock. [ns since 1970-01-01 UTC]
    slot_period_ps : float
        Time between pulses. [ps]
    channels : mapping of int to int
        Channel of the file, counted from 0, to detector: 2 * basis + bit. Other channels are left out.
    sync_channel, sync_marker : int, optional
        Where the synchronisation words are: a channel, or the bit of a marker (1, 2, 4 or 8). One of the two.
    first_sync_number : int
        Number of the first synchronisation word; the others are counted by their times.
    receiver : {"passive", "active"}
        Kind of receiver.

    Returns
    -------
    GroundRecord
        The record.

    Raises
    ------
    InputError
        If the file cannot be read, is not of T2 mode, or an argument does not fit.
    MissingExtraError
        If ``ptufile`` is not installed.

    Notes
    -----
    Times are whole multiples of the file's resolution, often 1, 4 or 80 ps. A HydraHarp's own sync input is read as
    channel 0, as its first input is: connect only one of them.
    """
    try:
        from ptufile import PtuFile
    except ImportError:
        raise MissingExtraError("reading PTU files", "ptu") from None
    if (sync_channel is None) == (sync_marker is None):
        raise InputError("sync_channel, sync_marker: give one of the two")
    try:
        with PtuFile(str(path)) as file:
            if file.is_t3:
                raise InputError(f"{path}: is a file of T3 mode, T2 is needed: it has the times since the start")
            records = file.decode_records()
            resolution_ps = file.global_resolution * 1e12
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception as error:
        raise InputError(f"{path}: is no PTU file: {error}") from None
    tags = np.rint(records["time"].astype(np.float64) * resolution_ps).astype(np.int64)
    channel, marker = records["channel"], records["marker"]
    is_sync = channel == sync_channel if sync_channel is not None else (channel < 0) & ((marker & sync_marker) != 0)
    return recorded(
        tags, channel.astype(np.int64), tags[is_sync], pass_id=pass_id, start_unix_ns=start_unix_ns,
        slot_period_ps=slot_period_ps, channels=channels, first_sync_number=first_sync_number, receiver=receiver,
    )  # fmt: skip
