"""Compiled arithmetic in GF(2^128), the field of polynomials over GF(2) modulo x^128 + x^7 + x^2 + x + 1."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["horner"]


@njit(cache=True)
def _times(a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Product of two elements, by shift and add from the highest bit of b."""
    high, low = np.uint64(0), np.uint64(0)
    for word in (b_high, b_low):
        for bit in range(63, -1, -1):
            carry = high >> np.uint64(63)
            high = (high << np.uint64(1)) | (low >> np.uint64(63))
            low = (low << np.uint64(1)) ^ (carry * np.uint64(0x87))
            chosen = np.uint64(0) - ((word >> np.uint64(bit)) & np.uint64(1))  # all ones or zeros
            high ^= a_high & chosen
            low ^= a_low & chosen
    return high, low


@njit(cache=True)
def horner(words: NDArray[np.uint64], key_high: np.uint64, key_low: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Sum of w_i K^(k-i+1) over the words w_1 ... w_k, given as rows (high half, low half).

    Parameters
    ----------
    words : ndarray of uint64, shape (k, 2)
        Elements of the field.
    key_high, key_low : uint64
        Halves of K.

    Returns
    -------
    tuple of uint64
        Halves of the sum, which has no constant term.
    """
    high, low = np.uint64(0), np.uint64(0)
    for row in range(words.shape[0]):
        high, low = _times(key_high, key_low, high ^ words[row, 0], low ^ words[row, 1])
    return high, low
