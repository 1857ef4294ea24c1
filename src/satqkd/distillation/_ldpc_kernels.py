"""Compiled syndromes and layered sum-product sweeps; see :mod:`satqkd.distillation.ldpc_decoder`."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, var-annotated"

from __future__ import annotations

import numpy as np
from numba import njit

from satqkd.distillation._circulant_steps import backward, forward, give, take
from satqkd.distillation._vector import ZERO, certainty, doubt
from satqkd.distillation.ldpc_codes import CIRCULANT


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
def sweep(row_start, row_middle, column, turn, is_split, sign_of, posterior, message, scratch):
    """One layered iteration over all rows; the number of checks that were violated when their turn came.

    ``turn`` (edges): by how much a column's circulant is turned since its row before, in the order of the sweeps.
    ``is_split`` (rows): whether the halves of a row are checks of their own. ``sign_of`` (rows, 2, 50): sign bit of the
    parity of each half; of a whole row, of both together in the first. ``posterior`` (columns x 100): every column
    twice, from the bit on that its latest row began with; ``message`` (edges x 50): log-likelihood ratios, updated.
    ``scratch`` (3, most edges x 50).
    """
    extrinsic, own, others = scratch[0], scratch[1], scratch[2]
    signs, violated = np.empty(2 * CIRCULANT, np.int32), np.empty(2 * CIRCULANT, np.int32)
    running = np.empty(CIRCULANT, np.float32)
    unsatisfied = 0
    for row in range(row_middle.size):
        first, split = row_start[row], is_split[row]
        degree, middle = row_start[row + 1] - first, row_middle[row] - first
        for half in range(2):
            for place in range(CIRCULANT):
                signs[half * CIRCULANT + place] = violated[half * CIRCULANT + place] = sign_of[row, half, place]
        for e in range(degree):
            start = 2 * CIRCULANT * column[first + e] + turn[first + e]
            half = CIRCULANT if e >= middle else 0
            take(
                posterior,
                start,
                message,
                CIRCULANT * (first + e),
                extrinsic,
                CIRCULANT * e,
                signs,
                half,
                violated,
                half,
            )
        for place in range(CIRCULANT):
            if split:
                unsatisfied += (violated[place] < 0) + (violated[CIRCULANT + place] < 0)
            else:
                unsatisfied += (violated[place] ^ violated[CIRCULANT + place]) < 0
                signs[place] = signs[CIRCULANT + place] = signs[place] ^ signs[CIRCULANT + place]
        for i in range(degree * CIRCULANT):
            own[i] = doubt(abs(extrinsic[i]))
        # from both ends, as taking one's own part out of the whole would cancel; a split row begins anew in the middle
        running[:] = ZERO
        for e in range(degree):
            if split and e == middle:
                running[:] = ZERO
            forward(own, CIRCULANT * e, running, 0, others, CIRCULANT * e)
        running[:] = ZERO
        for e in range(degree - 1, -1, -1):
            if split and e == middle - 1:
                running[:] = ZERO
            backward(own, CIRCULANT * e, running, 0, others, CIRCULANT * e)
        for i in range(degree * CIRCULANT):
            others[i] = certainty(others[i])
        for e in range(degree):
            start = 2 * CIRCULANT * column[first + e]
            half = CIRCULANT if e >= middle else 0
            give(
                extrinsic, CIRCULANT * e, others, CIRCULANT * e, signs, half, message, CIRCULANT * (first + e),
                posterior, start, posterior, start + CIRCULANT,
            )  # fmt: skip
    return unsatisfied
