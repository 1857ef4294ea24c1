"""Compiled syndromes and layered sum-product sweeps; see :mod:`satqkd.distillation.ldpc_decoder`."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, var-annotated"

from __future__ import annotations

import numpy as np
from numba import njit

from satqkd.distillation._lanes import LANES, backward, forward, give, take
from satqkd.distillation._vector import ZERO, certainty, doubt


@njit(cache=True, error_model="numpy")
def doubts(x, out):
    """1 - tanh(x / 2) of every element."""
    for i in range(x.size):
        out[i] = doubt(x[i])


@njit(cache=True, error_model="numpy")
def certainties(x, out):
    """Log-likelihood ratio of every doubt."""
    for i in range(x.size):
        out[i] = certainty(x[i])


@njit(cache=True, error_model="numpy")
def half_parities(bits, row_start, row_middle, column, shift, circulant, out):
    """Parities of both halves of every row into ``out`` (packets, 2, rows, circulant)."""
    for packet in range(bits.shape[0]):
        for row in range(row_middle.size):
            for half in range(2):
                first = row_start[row] if half == 0 else row_middle[row]
                last = row_middle[row] if half == 0 else row_start[row + 1]
                parity = out[packet, half, row]
                parity[:] = 0
                for e in range(first, last):
                    block = bits[packet, column[e] * circulant : (column[e] + 1) * circulant]
                    s = shift[e]
                    for place in range(circulant - s):
                        parity[place] ^= block[place + s]
                    for place in range(circulant - s, circulant):
                        parity[place] ^= block[place + s - circulant]


@njit(cache=True, error_model="numpy")
def sweep(row_start, row_middle, column, shift, circulant, whole, sign_of, posterior, message, unsatisfied, scratch):
    """One layered iteration over all rows, all lanes.

    ``whole`` (rows, lanes): 1 where the row is one check, 0 where its halves are two. ``sign_of`` (rows, 2,
    circulant, lanes): sign bit of the parity of each half; of a whole row, of both together in the first.
    ``posterior`` (bits, lanes), ``message`` (edges x circulant, lanes): log-likelihood ratios, updated.
    ``unsatisfied`` (lanes): checks that were violated when their turn came. ``scratch`` (3, most edges, lanes).
    """
    extrinsic, own, others = scratch[0], scratch[1], scratch[2]
    flat_extrinsic, flat_own, flat_others = extrinsic.ravel(), own.ravel(), others.ravel()
    signs, violated = np.empty((2, LANES), np.int32), np.empty((2, LANES), np.int32)
    running = np.empty((1, LANES), np.float32)
    places = np.empty(scratch.shape[1], np.int64)
    unsatisfied[:] = 0
    base = 0
    for row in range(row_middle.size):
        first = row_start[row]
        degree, middle = row_start[row + 1] - first, row_middle[row] - first
        for place in range(circulant):
            for half in range(2):
                for lane in range(LANES):
                    signs[half, lane] = violated[half, lane] = sign_of[row, half, place, lane]
                low, high = (0, middle) if half == 0 else (middle, degree)
                for e in range(low, high):
                    position = place + shift[first + e]
                    if position >= circulant:
                        position -= circulant
                    position += column[first + e] * circulant
                    places[e] = position
                    take(posterior, position, message, base + e, extrinsic, e, signs, half, violated, half)
            for lane in range(LANES):
                a, b = signs[0, lane], signs[1, lane]
                c, d = violated[0, lane], violated[1, lane]
                if whole[row, lane] > ZERO:
                    signs[0, lane] = signs[1, lane] = a ^ b
                    unsatisfied[lane] += (c ^ d) < 0
                else:
                    unsatisfied[lane] += (c < 0) + (d < 0)
            for i in range(degree * LANES):
                flat_own[i] = doubt(abs(flat_extrinsic[i]))
            # from both ends, as taking one's own part out of the whole would cancel; a split row ends in the middle
            running[:] = ZERO
            for e in range(middle):
                forward(own, e, running, 0, others, e)
            for lane in range(LANES):
                running[0, lane] *= whole[row, lane]
            for e in range(middle, degree):
                forward(own, e, running, 0, others, e)
            running[:] = ZERO
            for e in range(degree - 1, middle - 1, -1):
                backward(own, e, running, 0, others, e)
            for lane in range(LANES):
                running[0, lane] *= whole[row, lane]
            for e in range(middle - 1, -1, -1):
                backward(own, e, running, 0, others, e)
            for i in range(degree * LANES):
                flat_others[i] = certainty(flat_others[i])
            for e in range(middle):
                give(extrinsic, e, others, e, signs, 0, message, base + e, posterior, places[e])
            for e in range(middle, degree):
                give(extrinsic, e, others, e, signs, 1, message, base + e, posterior, places[e])
            base += degree
