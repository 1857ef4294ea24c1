"""Compiled clicks of pulses, dead time and after-pulses of detectors; see :mod:`satqkd.detection.sampling`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from satqkd.detection._philox_kernels import philox, uniform

_ZERO = np.uint64(0)


@njit(cache=True)
def click_tables(light, split, misalignment, active):  # type: ignore[no-untyped-def]
    """Probability that any of the detectors ``start`` to ``d`` clicks: (intensity, basis, bit, measured, start, d).

    ``light``: mean photons detected for each intensity. ``measured``: basis of an active receiver; 0 for a passive one.
    """
    detectors = 2 if active else 4
    table = np.zeros((3, 2, 2, 2, detectors, detectors))
    mean = np.empty(4)
    for k in range(3):
        for basis in range(2):
            for bit in range(2):
                for measured in range(2):
                    for arm in range(detectors // 2):
                        total = light[k]
                        if not active:
                            total *= split if arm == 1 else 1.0 - split
                        one = 0.5
                        if (measured if active else arm) == basis:
                            one = 1.0 - misalignment if bit == 1 else misalignment
                        mean[2 * arm], mean[2 * arm + 1] = total * (1.0 - one), total * one
                    for start in range(detectors):
                        sofar = 0.0
                        for d in range(start, detectors):
                            sofar += mean[d]
                            table[k, basis, bit, measured, start, d] = -math.expm1(-sofar)
    return table


@njit(cache=True)
def draw_clicks(basis, bit, intensity, level, measured, table):  # type: ignore[no-untyped-def]
    """Clicks of candidate pulses: position of the pulse and detector of each.

    ``level``: uniform below the largest probability of a click; ``measured``: empty for a passive receiver; ``table``
    of :func:`click_tables`. The level tells the first detector that clicks; its position between that detector's
    limits is uniform again, and tells the next one in the same way.
    """
    active = measured.size > 0
    detectors = table.shape[5]
    capacity = basis.size + 16
    where, which = np.empty(capacity, np.int64), np.empty(capacity, np.uint8)
    found = 0
    for i in range(basis.size):
        own = table[intensity[i], basis[i], bit[i], measured[i] if active else 0]
        u = level[i]
        if u >= own[0, detectors - 1]:
            continue
        if found + 4 > where.size:
            where, which = _wider(where, 2 * where.size), _wider(which, 2 * which.size)
        start = 0
        while start < detectors:
            d = start
            while d < detectors and u >= own[start, d]:
                d += 1
            if d == detectors:
                break
            where[found], which[found] = i, d
            found += 1
            below = own[start, d - 1] if d > start else 0.0
            u = (u - below) / (own[start, d] - below)
            start = d + 1
    return where[:found], which[:found]


@njit(cache=True)
def _wider(array, length):  # type: ignore[no-untyped-def]
    wide = np.empty(length, array.dtype)
    wide[: array.size] = array
    return wide


@njit(cache=True)
def register(time, detector, origin, horizon, dead, p_after, mean_after, seed, counts, last, pending):  # type: ignore[no-untyped-def]
    """Clicks that are registered before ``horizon``.

    ``time`` ascending, all below the horizon; ``last``: time of the last click of each detector, updated; ``pending``
    (2, n): times, ascending, and detectors of after-pulses to come. ``counts``: random numbers drawn, and clicks until
    the next one that leaves an after-pulse, updated. Returns times, detectors, origins (2: after-pulse, else as
    given), the position of each in ``time`` (-1: after-pulse), and what is pending then.
    """
    total = time.size
    capacity = total + 16
    out_time, out_detector = np.empty(capacity), np.empty(capacity, np.uint8)
    out_origin, out_source = np.empty(capacity, np.uint8), np.empty(capacity, np.int64)
    waiting = pending.shape[1]
    wait_time, wait_detector = pending[0].copy(), pending[1].copy()
    head, found, i = 0, 0, 0
    while True:
        if head < waiting and wait_time[head] < horizon and (i == total or wait_time[head] < time[i]):
            t, d, kind, source = wait_time[head], int(wait_detector[head]), np.uint8(2), -1
            head += 1
        elif i < total:
            t, d, kind, source = time[i], int(detector[i]), origin[i], i
            i += 1
        else:
            break
        if t - last[d] < dead:
            continue
        last[d] = t
        if found == out_time.size:
            out_time, out_detector = _wider(out_time, 2 * found), _wider(out_detector, 2 * found)
            out_origin, out_source = _wider(out_origin, 2 * found), _wider(out_source, 2 * found)
        out_time[found], out_detector[found], out_origin[found], out_source[found] = t, d, kind, source
        found += 1
        if p_after > 0.0:
            # clicks between those that leave an after-pulse are geometric: one draw instead of one for each
            counts[1] -= 1
            if counts[1] < 0:
                w0, w1, _, _ = philox(np.uint64(counts[0]), _ZERO, seed[2], seed[3], seed[0], seed[1])
                counts[0] += 1
                counts[1] = int(min(math.log(1.0 - uniform(w0)) / math.log1p(-p_after), 1e18))
                after = t + dead - mean_after * math.log(1.0 - uniform(w1))
                if waiting == wait_time.size:
                    # the front that is done is given back first
                    kept = waiting - head
                    wait_time[:kept], wait_detector[:kept] = (
                        wait_time[head:waiting].copy(),
                        wait_detector[head:waiting].copy(),
                    )
                    head, waiting = 0, kept
                    if 2 * kept >= wait_time.size:
                        wait_time, wait_detector = (
                            _wider(wait_time, 2 * kept + 64),
                            _wider(wait_detector, 2 * kept + 64),
                        )
                j = waiting
                while j > head and wait_time[j - 1] > after:
                    wait_time[j], wait_detector[j] = wait_time[j - 1], wait_detector[j - 1]
                    j -= 1
                wait_time[j], wait_detector[j] = after, d
                waiting += 1
    left = np.empty((2, waiting - head))
    left[0], left[1] = wait_time[head:waiting], wait_detector[head:waiting]
    return out_time[:found], out_detector[:found], out_origin[:found], out_source[:found], left
