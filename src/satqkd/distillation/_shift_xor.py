"""Compiled carry-less product of a row of bits with the windows of another."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

__all__ = ["shift_xor_words"]


@njit(cache=True)
def shift_xor_words(bits: NDArray[np.uint8], packed: NDArray[np.uint64], words: int) -> NDArray[np.uint64]:
    """Exclusive or of the windows of ``packed`` that start at bit n - 1 - j, over all j with ``bits[j] == 1``.

    Parameters
    ----------
    bits : ndarray of uint8, shape (n,)
        Zeros and ones.
    packed : ndarray of uint64
        Bits, the lowest of a word first, with at least one word to spare.
    words : int
        Length of a window in words.

    Returns
    -------
    ndarray of uint64, shape (words,)
        The sum modulo 2; bits beyond the window's end hold whatever follows it.
    """
    n = len(bits)
    # Windows that start at the same bit of a word add up unshifted: 64 sums, shifted into place at the end.
    total = np.zeros(words, dtype=np.uint64)
    partial = np.zeros(words + 1, dtype=np.uint64)
    for shift in range(64):
        partial[:] = 0
        for start in range(shift, n, 64):
            if bits[n - 1 - start]:
                first = start // 64
                length = min(words + 1, len(packed) - first)
                for k in range(length):
                    partial[k] ^= packed[first + k]
        if shift == 0:
            for k in range(words):
                total[k] ^= partial[k]
        else:
            for k in range(words):
                total[k] ^= (partial[k] >> uint64(shift)) | (partial[k + 1] << uint64(64 - shift))
    return total
