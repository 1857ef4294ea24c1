"""Compiled finite-key analysis of one block, by the reduced program."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from satqkd.security._decoy_kernels import label_probabilities, single_photon_bounds
from satqkd.security._tail_kernels import (
    marked_threshold,
    mean_lower,
    mean_upper,
    normal_quantile,
    trials_threshold,
    upper_threshold,
)

FIELDS = (
    *(f"{name}_{end}" for name in ("n_key", "n_test", "m_test") for end in ("tail", "lower", "upper")),
    "vacuum_key_upper", "vacuum_test_upper", "multi_photon_upper",
    "n1_key_effective", "n1_test_effective", "m1_test_effective",
    "population", "sample", "sample_errors", "marked", "phase_error_unclamped", "phase_error",
    "infeasible",
)  # fmt: skip
"""Scalars of :func:`analyse` in their order; ``lower``, ``upper``: single-photon bounds of a set of counts."""
SIZE = len(FIELDS)


@njit(cache=True, error_model="numpy")
def binary_entropy(x):  # type: ignore[no-untyped-def]
    """h(x) in bits, 0 at both ends."""
    if x <= 0.0 or x >= 1.0:
        return 0.0
    return -(x * math.log(x) + (1.0 - x) * math.log1p(-x)) / math.log(2.0)


@njit(cache=True, error_model="numpy")
def conclude(out, pulses, multi_clicks, vacuum_z, vacuum_x, lambda_min, log_eps):  # type: ignore[no-untyped-def]
    """Single photons of the key and their phase error, from the bounds of the programs already in ``out``."""
    key, test, errors = out[1], out[4], out[8]
    errors_lower = out[7]
    if lambda_min > 0.0:  # passive: only where Bob received one photon
        out[9] = max(
            upper_threshold(pulses, vacuum_z, 1.0 - vacuum_z, log_eps), float(math.ceil(pulses * vacuum_z)) + 1.0
        )
        out[10] = max(
            upper_threshold(pulses, vacuum_x, 1.0 - vacuum_x, log_eps), float(math.ceil(pulses * vacuum_x)) + 1.0
        )
        out[11] = trials_threshold(multi_clicks, lambda_min, log_eps, pulses)
        key = max(0.0, key - out[9] - out[11])
        test = max(0.0, test - out[10] - out[11])
        errors_lower = max(0.0, errors_lower - out[10] - out[11])
    out[12], out[13], out[14] = key, test, errors_lower
    out[15] = float(math.ceil(out[2] + out[5]))
    out[16], out[17] = float(math.floor(test)), float(math.floor(errors))
    if key <= 0.0 or out[16] <= 0.0 or out[17] >= out[16]:
        out[18], out[19], out[20] = out[15] + 1.0, 1.0, 0.5
        return
    out[18] = marked_threshold(out[15], out[16], out[17], log_eps)
    out[19] = (out[18] - errors_lower) / key
    out[20] = min(max(out[19], 0.0), 0.5)


@njit(cache=True, error_model="numpy")
def analyse(counts, sizes, intensities, probabilities, multi_clicks, passive, log_eps, ends, out):  # type: ignore[no-untyped-def]
    """All bounds of a block by the reduced program; returns n_1 (1 - h(phi)), 0 if the counts are infeasible.

    ``counts`` (3, 3): key, test, test errors per intensity. ``sizes``: pulses, Alice's pulses in Z, in X, photon cut.
    ``passive``: largest probability of a count without light in Z, in X, least multi-click probability (0 unless
    asymmetric passive). ``ends`` (3, 2, 3): bounds of the expected counts per set, end and intensity.
    """
    cut = int(sizes[3])
    label = np.empty((3, cut + 1))
    beyond = label_probabilities(intensities, probabilities, cut, label)
    out[:] = 0.0
    z = normal_quantile(log_eps)
    for s in range(3):
        total = counts[s, 0] + counts[s, 1] + counts[s, 2]
        for k in range(3):
            ends[s, 0, k] = mean_lower(counts[s, k], total, log_eps, z)
            ends[s, 1, k] = mean_upper(counts[s, k], total, log_eps, z)
        out[3 * s] = out[3] if s == 2 else upper_threshold(sizes[1 + s], beyond, 1.0 - beyond, log_eps)
        low, high, failed = single_photon_bounds(total, ends[s, 0], ends[s, 1], out[3 * s], label)
        out[3 * s + 1], out[3 * s + 2] = low, high
        if failed != 0:
            out[21] = 1.0
    if out[21] > 0.0:
        out[20] = 0.5
        return 0.0
    conclude(out, sizes[0], multi_clicks, passive[0], passive[1], passive[2], log_eps)
    return out[12] * (1.0 - binary_entropy(out[20]))
