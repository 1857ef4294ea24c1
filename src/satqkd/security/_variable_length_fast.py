"""Compiled un-clamped key length of :mod:`satqkd.security.variable_length` with the reduced program, for optimisers.

The very formulas of ``variable_length.objective``, counts included, behind one address. Where there is no key at all
it is not the un-clamped key that leads a search to one (it grows as less and less is sent): see :func:`total_key`.

Import this module inside functions only: it loads Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from satqkd.detection._click_kernels import pulse_statistics
from satqkd.security import _variable_length_kernels as kernels
from satqkd.security._compiled import FLOAT, MATRIX, VECTOR, VOID, compiled

__all__ = ["HEADER", "NOISE_CODES", "total_key"]

HEADER = 17
"""Numbers before the transmittances: nodes, receiver, pulses, noise code, p_noise, p_noise_z, p_noise_x (negative: not
given), misalignment, afterpulse, p_dark, detector efficiency, f_ec, ln eps per bound, constant bits, photon cut,
multi-clicks matched (1) or as printed (0), keys (1 or 2)."""
NOISE_CODES = {"per-detector": 0.0, "received-light": 1.0}


@compiled(FLOAT(VECTOR, FLOAT, FLOAT))
def _arm_noise(data: Any, share: float, explicit: float) -> float:
    """Noise of a detector of an arm with a share of the light, as :func:`satqkd.detection.receivers.arm_noise`."""
    if explicit >= 0.0:
        return explicit
    if data[3] == 0.0 or data[1] == 0.0:
        return float(data[4])
    dark = math.log1p(-data[9])
    return -math.expm1(dark + share * (math.log1p(-data[4]) - dark))


@compiled(FLOAT(VECTOR, VECTOR, FLOAT, FLOAT, FLOAT, MATRIX))
def _count(p: Any, data: Any, p_test: float, share: float, disclosure: float, counts: Any) -> float:
    """Fill the counts (key, test, test errors, key errors per intensity) and return the multi-clicks."""
    nodes, receiver = int(data[0]), int(data[1])
    share_z, share_x = (1.0, 1.0) if receiver == 0 else (1.0 - share, share)
    noise_z, noise_x = _arm_noise(data, share_z, data[5]), _arm_noise(data, share_x, data[6])
    weight_z, weight_x = 1.0 - p_test, p_test
    if receiver == 0:
        weight_z, weight_x = weight_z * weight_z, weight_x * weight_x
    elif receiver == 2:
        weight_z, weight_x = weight_z * (1.0 - disclosure), weight_x * disclosure
    out = np.empty(7)
    multi = 0.0
    counts[:] = 0.0
    for i in range(nodes):
        eta, pulses = data[HEADER + i], data[HEADER + nodes + i]
        for k in range(3):
            light, sent = eta * p[k], pulses * p[3 + k]
            pulse_statistics(receiver, light * share_z, light * share_x, noise_z, noise_x, data[7], data[8], out)
            counts[0, k] += weight_z * sent * out[0]
            counts[1, k] += weight_x * sent * out[1]
            counts[2, k] += weight_x * sent * out[3]
            counts[3, k] += weight_z * sent * out[2]
            multi += sent * (((1.0 - p_test) * out[4] + p_test * out[5]) if data[15] > 0.0 else out[6])
    return multi


@compiled(VOID(VECTOR, FLOAT, FLOAT, VECTOR, VECTOR))
def _block(data: Any, p_test: float, share: float, sizes: Any, passive: Any) -> None:
    """Sizes of the block and terms of a passive receiver, as ``block_sizes`` and ``passive_terms``."""
    receiver, pulses = int(data[1]), data[2]
    z, x = 1.0 - p_test, p_test
    if receiver == 0:
        z, x = z * z, x * x
    sizes[0], sizes[3] = math.ceil(pulses), data[14]
    sizes[1], sizes[2] = math.floor(pulses * z + 0.5), math.floor(pulses * x + 0.5)
    passive[:] = 0.0
    if receiver == 1:
        dark = 2.0 * data[9] * (1.0 - data[9]) ** 3
        passive[0], passive[1] = (1.0 - p_test) * dark, p_test * dark
        passive[2] = data[10] ** 2 * 2.0 * share * (1.0 - share)


@compiled(FLOAT(VECTOR, VECTOR))
def total_key(p: Any, data: Any) -> float:
    """Un-clamped key of a block; where the phase error says nothing, below it by up to half the sifted bits.

    ``p``: three intensities, their probabilities, then test-basis probability (active), the same and the split
    (asymmetric passive), or the disclosed fraction (symmetric passive). ``data``: :data:`HEADER` numbers, then
    transmittances and pulses of the nodes. The extra term falls with the phase error before its clamp, so that a
    search without a key goes to where single photons can be told from noise.
    """
    receiver = int(data[1])
    p_test = 0.5 if receiver == 2 else p[6]
    share = p[7] if receiver == 1 else 0.5
    counts, ends, out = np.empty((4, 3)), np.empty((3, 2, 3)), np.empty(kernels.SIZE)
    sizes, passive = np.empty(4), np.empty(3)
    multi = _count(p, data, p_test, share, p[6], counts)
    _block(data, p_test, share, sizes, passive)
    secret = kernels.analyse(counts, sizes, p[:3], p[3:6], multi, passive, data[12], ends, out)
    sifted = counts[0, 0] + counts[0, 1] + counts[0, 2]
    wrong = counts[3, 0] + counts[3, 1] + counts[3, 2]
    leak = data[11] * sifted * kernels.binary_entropy(min(wrong / sifted, 0.5)) if sifted > 0.0 else 0.0
    if out[20] >= 0.5:
        secret -= sifted * (min(out[19], 1.0) - 0.5 if out[21] == 0.0 else 0.5)
    return float(data[16] * (secret - leak - data[13]))
