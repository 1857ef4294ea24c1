"""Compiled clicks of pulses, dead time and after-pulses of detectors; see :mod:`satqkd.detection.sampling`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from satqkd.detection._philox_kernels import philox, uniform

_ZERO, _ONE = np.uint64(0), np.uint64(1)


@njit(cache=True)
def draw_clicks(pulse, basis, bit, intensity, level, measured, split, misalignment, light, seed):  # type: ignore[no-untyped-def]
    """Clicks of the pulses: position of the pulse and detector of each.

    ``level``: uniform below the largest probability of a click. ``measured``: basis that an active receiver measures,
    or empty for a passive one. ``light``: mean photons detected for each intensity.
    """
    active = measured.size > 0
    detectors = 2 if active else 4
    limit = -np.expm1(-light)
    capacity = pulse.size + 16
    where, which = np.empty(capacity, np.int64), np.empty(capacity, np.uint8)
    found = 0
    mean = np.empty(4)
    for i in range(pulse.size):
        k = intensity[i]
        u = level[i]
        if u >= limit[k]:
            continue
        for arm in range(detectors // 2):
            total = light[k]
            if not active:
                total *= split if arm == 1 else 1.0 - split
            side = measured[i] if active else arm
            one = 0.5
            if side == basis[i]:
                one = 1.0 - misalignment if bit[i] == 1 else misalignment
            mean[2 * arm], mean[2 * arm + 1] = total * (1.0 - one), total * one
        if found + 4 > where.size:
            where, which = _wider(where, 2 * where.size), _wider(which, 2 * which.size)
        w0, w1, w2, _ = philox(np.uint64(pulse[i]), _ONE, seed[2], seed[3], seed[0], seed[1])
        spare = (uniform(w0), uniform(w1), uniform(w2))
        draws, sofar = 0, 0.0
        for d in range(detectors):
            sofar += mean[d]
            # u tells the first detector that clicks among those from the last click on
            if u < -math.expm1(-sofar) or (draws == 0 and d == detectors - 1):
                where[found], which[found] = i, d
                found += 1
                u = spare[min(draws, 2)]
                draws += 1
                sofar = 0.0
    return where[:found], which[:found]


@njit(cache=True)
def _wider(array, length):  # type: ignore[no-untyped-def]
    wide = np.empty(length, array.dtype)
    wide[: array.size] = array
    return wide


@njit(cache=True)
def register(time, detector, origin, horizon, dead, p_after, mean_after, seed, counter, last, pending):  # type: ignore[no-untyped-def]
    """Clicks that are registered before ``horizon``.

    ``time`` ascending, all below the horizon; ``last``: time of the last click of each detector, updated; ``pending``
    (2, n): times, ascending, and detectors of after-pulses to come. Returns times, detectors, origins (2: after-pulse,
    else as given), the position of each in ``time`` (-1: after-pulse), what is pending then, and the counter then.
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
            w0, w1, _, _ = philox(counter, _ZERO, seed[2], seed[3], seed[0], seed[1])
            counter += np.uint64(1)
            if uniform(w0) < p_after:
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
    return out_time[:found], out_detector[:found], out_origin[:found], out_source[:found], left, counter
