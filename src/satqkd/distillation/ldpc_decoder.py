"""Layered sum-product decoding of a packet.

The decoder looks for the error pattern between two strings whose syndromes differ by a known amount. It works on the
log-likelihood ratios of the 50 checks of a row of circulants at once, so that one packet fills the vector units. A
column of circulants is kept from the bit on that its latest row began with, and twice: wherever the next row begins,
its 50 bits are neighbours.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.distillation.ldpc_codes import CIRCULANT, Bits, LdpcCode
from satqkd.errors import InputError

KNOWN = np.float32(1e4)
"""Log-likelihood ratio of a bit that was revealed."""


class PacketDecoder:
    """Decoder of one packet; memory: 8 bytes per bit of the packet, 4 per one of the matrix (4 MB).

    Parameters
    ----------
    code : LdpcCode
        With circulants of 50.
    parities : array_like
        Parities of the error pattern's halves (2, rows, circulant); of rows that are not split the sum of the
        halves is used, so that the first alone may hold it.
    qber : float
        Error probability of every bit, in (0, 1/2).
    split : int
        Rows that are split, from the start of the code's order.

    Raises
    ------
    InputError
        If the QBER or the circulants are out of range.
    """

    def __init__(self, code: LdpcCode, parities: ArrayLike, *, qber: float, split: int = 0) -> None:
        if not 0.0 < qber < 0.5:
            raise InputError(f"qber: {qber:g}; allowed is above 0 and below 0.5")
        if code.circulant != CIRCULANT:
            raise InputError(f"code: circulants of {code.circulant}; allowed are those of {CIRCULANT}")
        self.code = code
        self._turn, self._place = code.turns
        self._posterior = np.full(2 * code.bits, math.log((1.0 - qber) / qber), np.float32)
        self._message = np.zeros(code.column.size * CIRCULANT, np.float32)
        self._scratch = np.empty((3, int(code.row_degrees().max()) * CIRCULANT), np.float32)
        self.set_parities(parities, split=split)

    def set_parities(self, parities: ArrayLike, *, split: int) -> None:
        """New parities and number of split rows; what was found so far is kept."""
        halves = np.asarray(parities, np.int32)
        is_split = np.zeros(self.code.rows, bool)
        is_split[self.code.split_order[:split]] = True
        first = np.where(is_split[:, None], halves[0], halves[0] ^ halves[1])
        second = np.where(is_split[:, None], halves[1], 0)
        self._is_split = is_split
        self._sign = np.left_shift(np.stack([first, second], axis=1), 31).astype(np.int32)

    def reveal(self, positions: ArrayLike, errors: ArrayLike) -> None:
        """Fix the error pattern at ``positions`` to ``errors`` (0 or 1)."""
        signs = np.where(np.asarray(errors) > 0, -KNOWN, KNOWN)
        place = self._place[np.asarray(positions)]
        for copy in (0, CIRCULANT):
            self._posterior[place + copy] += signs

    def sweep(self) -> int:
        """One iteration; returns the number of checks that were violated when their turn came."""
        from satqkd.distillation._ldpc_kernels import sweep

        code = self.code
        return int(
            sweep(
                code.row_start, code.row_middle, code.column, self._turn, self._is_split, self._sign, self._posterior,
                self._message, self._scratch,
            )
        )  # fmt: skip

    def posterior(self) -> NDArray[np.float32]:
        """Log-likelihood ratios of the error pattern, positive where no error is likelier."""
        return self._posterior[self._place]

    def pattern(self) -> Bits:
        """Likeliest error pattern."""
        return (self.posterior() < 0.0).astype(np.uint8)
