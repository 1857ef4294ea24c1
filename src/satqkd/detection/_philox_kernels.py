"""Compiled Philox4x64-10: random numbers as a function of a counter; see :mod:`satqkd.detection.pulses`."""

from __future__ import annotations

import numpy as np
from numba import njit

_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_LOW, _HALF, _UNIFORM = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(11)
_SCALE = 1.0 / 2.0**53


@njit(cache=True, inline="always")
def _high(a, b):  # type: ignore[no-untyped-def]
    """Upper 64 bits of the product of two 64-bit numbers."""
    a0, a1, b0, b1 = a & _LOW, a >> _HALF, b & _LOW, b >> _HALF
    middle = a1 * b0 + ((a0 * b0) >> _HALF)
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _HALF) + (other >> _HALF)


@njit(cache=True)
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Four random words for a counter of four words and a key of two, all uint64."""
    for _ in range(10):
        high0, low0 = _high(_M0, c0), _M0 * c0
        high1, low1 = _high(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0 += _W0
        k1 += _W1
    return c0, c1, c2, c3


@njit(cache=True)
def uniform(word):  # type: ignore[no-untyped-def]
    """Number in [0, 1) with 53 bits from a random word."""
    return float(word >> _UNIFORM) * _SCALE


@njit(cache=True)
def fill_choices(index, seed, stream, p_first, p_first_two, p_z, basis, bit, intensity):  # type: ignore[no-untyped-def]
    """Basis, bit and intensity of the pulses ``index`` (uint64); ``seed``: key and two counter words."""
    for i in range(index.size):
        w0, w1, w2, _ = philox(index[i], stream, seed[2], seed[3], seed[0], seed[1])
        u = uniform(w0)
        intensity[i] = 0 if u < p_first else (1 if u < p_first_two else 2)
        basis[i] = 0 if uniform(w1) < p_z else 1
        bit[i] = np.uint8(w2 >> np.uint64(63))


@njit(cache=True)
def fill_uniform(index, seed, stream, out):  # type: ignore[no-untyped-def]
    """One number in [0, 1) for each counter ``index`` (uint64)."""
    for i in range(index.size):
        out[i] = uniform(philox(index[i], stream, seed[2], seed[3], seed[0], seed[1])[0])
