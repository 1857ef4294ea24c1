"""Layered sum-product decoding of many packets side by side.

The decoder looks for the error pattern between two strings whose syndromes differ by a known amount. It works on the
log-likelihood ratios of 8 packets at once, one per vector lane, all with the same code but each with its own parities,
its own rows split in two and its own number of iterations. A lane that is done takes the next packet while the others
go on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.distillation.ldpc_codes import Bits, LdpcCode
from satqkd.errors import InputError

KNOWN = np.float32(1e4)
"""Log-likelihood ratio of a bit that was revealed."""

CACHE_LINE = 64
"""[byte]"""


def _aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Zeros of float32 that start on a cache line."""
    size = math.prod(shape)
    raw = np.zeros(size + CACHE_LINE // 4, np.float32)
    start = -raw.ctypes.data % CACHE_LINE // 4
    return raw[start : start + size].reshape(shape)


class LaneDecoder:
    """Decoder of one code; memory: 32 bytes per bit of the packet and per one of the matrix (25 MB).

    Parameters
    ----------
    code : LdpcCode
        Of all its packets.
    """

    def __init__(self, code: LdpcCode) -> None:
        from satqkd.distillation._lanes import LANES

        self.code = code
        self.lanes = LANES
        edges = code.column.size * code.circulant
        self._posterior = _aligned((code.bits, LANES))
        self._message = _aligned((edges, LANES))
        self._whole = np.ones((code.rows, LANES), np.float32)
        self._sign = np.zeros((code.rows, 2, code.circulant, LANES), np.int32)
        self._scratch = _aligned((3, int(code.row_degrees().max()), LANES))
        self.unsatisfied = np.zeros(LANES, np.int64)
        """Checks that each lane violated during the last sweep."""

    def load(self, lane: int, parities: ArrayLike, *, qber: float, split: int = 0) -> None:
        """Put a packet into a lane.

        Parameters
        ----------
        lane : int
            Which lane; what was in it is forgotten.
        parities : array_like
            Parities of the error pattern's halves (2, rows, circulant); of rows that are not split the sum of the
            halves is used, so that the first alone may hold it.
        qber : float
            Error probability of every bit, in (0, 1/2).
        split : int
            Rows that are split, from the start of the code's order.
        """
        if not 0.0 < qber < 0.5:
            raise InputError(f"qber: {qber:g}; allowed is above 0 and below 0.5")
        self._posterior[:, lane] = math.log((1.0 - qber) / qber)
        self._message[:, lane] = 0.0
        self.set_parities(lane, parities, split=split)

    def set_parities(self, lane: int, parities: ArrayLike, *, split: int) -> None:
        """New parities and number of split rows of a lane, see :func:`load`; its state is kept."""
        halves = np.asarray(parities, np.int32)
        is_split = np.zeros(self.code.rows, bool)
        is_split[self.code.split_order[:split]] = True
        self._whole[:, lane] = ~is_split
        both = halves[0] ^ halves[1]
        first = np.where(is_split[:, None], halves[0], both)
        second = np.where(is_split[:, None], halves[1], 0)
        self._sign[:, 0, :, lane] = np.left_shift(first, 31)
        self._sign[:, 1, :, lane] = np.left_shift(second, 31)

    def reveal(self, lane: int, positions: ArrayLike, errors: ArrayLike) -> None:
        """Fix the error pattern of a lane at ``positions`` to ``errors`` (0 or 1)."""
        signs = np.where(np.asarray(errors) > 0, -KNOWN, KNOWN)
        self._posterior[np.asarray(positions), lane] += signs

    def sweep(self) -> NDArray[np.int64]:
        """One iteration of all lanes; returns :attr:`unsatisfied`."""
        from satqkd.distillation._ldpc_kernels import sweep

        code = self.code
        sweep(
            code.row_start, code.row_middle, code.column, code.shift, code.circulant, self._whole, self._sign,
            self._posterior, self._message, self.unsatisfied, self._scratch,
        )  # fmt: skip
        return self.unsatisfied

    def posterior(self, lane: int) -> NDArray[np.float32]:
        """Log-likelihood ratios of a lane's error pattern, positive where no error is likelier."""
        return self._posterior[:, lane].copy()

    def pattern(self, lane: int) -> Bits:
        """Likeliest error pattern of a lane."""
        return (self._posterior[:, lane] < 0.0).astype(np.uint8)
