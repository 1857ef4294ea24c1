"""What ground and satellite tell each other about the detections, in few bytes.

The ground announces pulse indices and bases (about 2.8 bytes per detection at 15 000 detections per second of a 625-MHz
source); the satellite answers with two bits each.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError

__all__ = ["decode_announcement", "encode_announcement", "pack_codes", "unpack_codes"]

_LARGEST: Final = 2**61
_MOST_BYTES: Final = 9


def _to_varints(values: NDArray[np.uint64]) -> bytes:
    """Seven bits per byte, lowest first; every byte of a number but the last has its highest bit set."""
    length = np.ones(values.size, np.int64)
    for j in range(1, _MOST_BYTES):
        length += values >= np.uint64(1) << np.uint64(7 * j)
    start = np.cumsum(length) - length
    out = np.empty(int(length.sum()), np.uint8)
    for j in range(int(length.max(initial=0))):
        has = length > j
        part = (values[has] >> np.uint64(7 * j)).astype(np.uint8) & 0x7F
        out[start[has] + j] = part | ((length[has] > j + 1).astype(np.uint8) << 7)
    return out.tobytes()


def _from_varints(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    end = np.flatnonzero(data < 128)
    if not end.size or end[-1] != data.size - 1:
        raise InputError("announcement: ends within a number, it is truncated")
    start = np.concatenate([[0], end[:-1] + 1])
    length = end - start + 1
    if length.max() > _MOST_BYTES:
        raise InputError(f"announcement: a number of {length.max()} bytes, allowed are {_MOST_BYTES}")
    values = np.zeros(end.size, np.uint64)
    for j in range(int(length.max())):
        has = length > j
        values[has] |= (data[start[has] + j] & 0x7F).astype(np.uint64) << np.uint64(7 * j)
    return values


def encode_announcement(pulse_index: NDArray[np.int64], basis: NDArray[np.uint8]) -> bytes:
    """Bytes of an announcement; each stands alone, whatever others were lost.

    Parameters
    ----------
    pulse_index : ndarray of int64
        Strictly ascending, below 2^61.
    basis : ndarray of uint8
        0: Z, 1: X.

    Returns
    -------
    bytes
        Variable-length numbers (LEB128): how many detections, then for each 2 * step + basis, where step is the index
        minus the one before, of the first the index itself.

    Raises
    ------
    InputError
        If the indices do not ascend or the arrays do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> data = encode_announcement(np.array([5, 300]), np.array([1, 0], np.uint8))
    >>> data.hex(), [a.tolist() for a in decode_announcement(data)]
    ('020bce04', [[5, 300], [1, 0]])
    """
    index = np.asarray(pulse_index, np.int64)
    if index.shape != np.shape(basis):
        raise InputError(f"basis: {np.size(basis)} values for {index.size} pulse indices")
    if index.size and (index[0] < 0 or index[-1] >= _LARGEST or np.any(np.diff(index) <= 0)):
        raise InputError("pulse_index: must be strictly ascending, at least 0 and below 2^61")
    step = np.diff(index, prepend=0).astype(np.uint64)
    numbers = (step << np.uint64(1)) | np.asarray(basis, np.uint64)
    return _to_varints(np.concatenate([np.array([index.size], np.uint64), numbers]))


def decode_announcement(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Pulse indices and bases of an announcement.

    Parameters
    ----------
    data : bytes
        Of :func:`encode_announcement`.

    Returns
    -------
    tuple of ndarray
        Pulse indices (int64) and bases (uint8).

    Raises
    ------
    InputError
        If the bytes are truncated or no announcement.
    """
    values = _from_varints(np.frombuffer(data, np.uint8))
    count, numbers = int(values[0]), values[1:]
    if count != numbers.size:
        raise InputError(f"announcement: says {count} detections and has {numbers.size}")
    step = numbers >> np.uint64(1)
    if np.any(step[1:] == 0):
        raise InputError("announcement: the same pulse twice")
    # in floating point a sum that overflows is seen; below 2^62 the whole numbers are exact
    fits = not step.size or float(step.astype(float).sum()) < 2.0 * _LARGEST
    index = np.cumsum(step).astype(np.int64)
    if not fits or (index.size and index[-1] >= _LARGEST):
        raise InputError("announcement: a pulse index of 2^61 or more")
    return index, (numbers & np.uint64(1)).astype(np.uint8)


def pack_codes(codes: NDArray[np.uint8]) -> bytes:
    """Four codes of two bits per byte, the first in the highest bits.

    Parameters
    ----------
    codes : ndarray of uint8
        0 to 3.

    Returns
    -------
    bytes
        The last byte is filled with zeros.
    """
    padded = np.zeros(-(-codes.size // 4) * 4, np.uint8)
    padded[: codes.size] = codes
    four = padded.reshape(-1, 4)
    return bytes(((four[:, 0] << 6) | (four[:, 1] << 4) | (four[:, 2] << 2) | four[:, 3]).tobytes())


def unpack_codes(data: bytes, count: int) -> NDArray[np.uint8]:
    """Codes of :func:`pack_codes`.

    Parameters
    ----------
    data : bytes
        Packed codes.
    count : int
        How many.

    Returns
    -------
    ndarray of uint8
        0 to 3.

    Raises
    ------
    InputError
        If the bytes hold another number of codes.
    """
    if count < 0 or len(data) != -(-count // 4):
        raise InputError(f"sifting reply: {len(data)} bytes, {count} detections need {-(-count // 4)}")
    packed = np.frombuffer(data, np.uint8)
    return np.stack([(packed >> shift) & 3 for shift in (6, 4, 2, 0)], axis=1).ravel()[:count]
