"""Compiled finite-key analysis of one block: expected counts, bounds and the un-clamped key length."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from satqkd.detection._click_kernels import pulse_statistics
from satqkd.security._decoy_kernels import label_probabilities, single_photon_bounds
from satqkd.security._tail_kernels import marked_threshold, mean_lower, mean_upper, trials_threshold, upper_threshold

FIELDS = (
    *(f"{name}_{end}" for name in ("n_key", "n_test", "m_test") for end in ("tail", "lower", "upper")),
    "vacuum_key_upper", "vacuum_test_upper", "multi_photon_upper",
    "n1_key_effective", "n1_test_effective", "m1_test_effective",
    "population", "sample", "sample_errors", "marked", "phase_error_unclamped", "phase_error",
    "infeasible",
)  # fmt: skip
"""Scalars of :func:`analyse` in their order; ``lower`` and ``upper`` are the single-photon bounds of a set of counts."""
SIZE = len(FIELDS)


@njit(cache=True, error_model="numpy")
def binary_entropy(x):  # type: ignore[no-untyped-def]
    """h(x) in bits, 0 at both ends."""
    if x <= 0.0 or x >= 1.0:
        return 0.0
    return -(x * math.log(x) + (1.0 - x) * math.log1p(-x)) / math.log(2.0)


@njit(cache=True, error_model="numpy")
def fill_counts(setting, intensities, probabilities, counts):  # type: ignore[no-untyped-def]
    """Expected counts into ``counts`` (3, 3): key, test, test errors per intensity; returns n_mc and the QBER.

    ``setting``: receiver, pulses, transmittance, noise Z, noise X, misalignment, afterpulse, p_test, split,
    disclosure, matched (1: multi-clicks with the unmatched arm split evenly; 0: as printed).
    """
    receiver = int(setting[0])
    pulses, eta, p_test, split, disclosure = setting[1], setting[2], setting[7], setting[8], setting[9]
    share_z, share_x = (1.0, 1.0) if receiver == 0 else (1.0 - split, split)
    weight_z, weight_x = (1.0 - p_test) * pulses, p_test * pulses
    if receiver == 0:
        weight_z *= 1.0 - p_test
        weight_x *= p_test
    elif receiver == 2:
        weight_z *= 1.0 - disclosure
        weight_x *= disclosure
    out = np.zeros(7)
    multi, errors, gains = 0.0, 0.0, 0.0
    for k in range(3):
        light = eta * intensities[k]
        pulse_statistics(
            receiver, light * share_z, light * share_x, setting[3], setting[4], setting[5], setting[6], out
        )
        p = probabilities[k]
        counts[0, k], counts[1, k], counts[2, k] = weight_z * p * out[0], weight_x * p * out[1], weight_x * p * out[3]
        gains += p * out[0]
        errors += p * out[2]
        if setting[10] > 0.0:
            multi += pulses * p * ((1.0 - p_test) * out[4] + p_test * out[5])
        else:
            multi += pulses * p * out[6]
    return multi, (errors / gains if gains > 0.0 else 0.0)


@njit(cache=True, error_model="numpy")
def conclude(out, pulses, multi_clicks, vacuum_z, vacuum_x, lambda_min, log_eps):  # type: ignore[no-untyped-def]
    """Single photons of the key and their phase error, from the bounds of the programs already in ``out``."""
    key, test, errors = out[1], out[4], out[8]
    errors_lower = out[7]
    if lambda_min > 0.0:  # passive: only where Bob received one photon
        out[9] = max(upper_threshold(pulses, vacuum_z, 1.0 - vacuum_z, log_eps), math.ceil(pulses * vacuum_z) + 1.0)
        out[10] = max(upper_threshold(pulses, vacuum_x, 1.0 - vacuum_x, log_eps), math.ceil(pulses * vacuum_x) + 1.0)
        out[11] = trials_threshold(multi_clicks, lambda_min, log_eps, pulses)
        key = max(0.0, key - out[9] - out[11])
        test = max(0.0, test - out[10] - out[11])
        errors_lower = max(0.0, errors_lower - out[10] - out[11])
    out[12], out[13], out[14] = key, test, errors_lower
    out[15] = math.ceil(out[2] + out[5])
    out[16], out[17] = math.floor(test), math.floor(errors)
    if key <= 0.0 or out[16] <= 0.0 or out[17] >= out[16]:
        out[18], out[19], out[20] = out[15] + 1.0, 1.0, 0.5
        return
    out[18] = marked_threshold(out[15], out[16], out[17], log_eps)
    out[19] = (out[18] - errors_lower) / key
    out[20] = min(max(out[19], 0.0), 0.5)


@njit(cache=True, error_model="numpy")
def analyse(
    counts, setting, intensities, probabilities, multi_clicks, vacuum_z, vacuum_x, lambda_min, log_eps, ends, out
):  # type: ignore[no-untyped-def]  # noqa: E501
    """All bounds of a block by the reduced program; ``setting``: pulses, Alice's pulses per basis Z, X, photon cut.

    ``ends`` (3, 2, 3): bounds of the expected counts per set, end and intensity. Returns n_1 (1 - h(phi)).
    """
    pulses, cut = setting[0], int(setting[3])
    label = np.empty((3, cut + 1))
    beyond = label_probabilities(intensities, probabilities, cut, label)
    out[:] = 0.0
    for s in range(3):
        sent = setting[1] if s == 0 else setting[2]
        total = counts[s, 0] + counts[s, 1] + counts[s, 2]
        for k in range(3):
            ends[s, 0, k] = mean_lower(counts[s, k], total, log_eps)
            ends[s, 1, k] = mean_upper(counts[s, k], total, log_eps)
        if s < 2:
            out[3 * s] = upper_threshold(sent, beyond, 1.0 - beyond, log_eps)
        else:
            out[6] = out[3]
        low, high, failed = single_photon_bounds(total, ends[s, 0], ends[s, 1], out[3 * s], label)
        out[3 * s + 1], out[3 * s + 2] = low, high
        if failed != 0:
            out[21] = 1.0
    if out[21] > 0.0:
        out[20] = 0.5
        return 0.0
    conclude(out, pulses, multi_clicks, vacuum_z, vacuum_x, lambda_min, log_eps)
    return out[12] * (1.0 - binary_entropy(out[20]))


@njit(cache=True, error_model="numpy")
def predict(setting, intensities, probabilities, photon_cut, p_dark, efficiency, f_ec, log_eps, penalty):  # type: ignore[no-untyped-def]
    """Un-clamped key of one basis from expected (real) counts; infeasible counts give minus the leakage."""
    counts, ends, out = np.empty((3, 3)), np.empty((3, 2, 3)), np.empty(22)
    multi, qber = fill_counts(setting, intensities, probabilities, counts)
    receiver, pulses, p_test, split = setting[0], setting[1], setting[7], setting[8]
    sizes = np.empty(4)
    sizes[0], sizes[3] = pulses, photon_cut
    sizes[1] = math.floor(pulses * (1.0 - p_test) * ((1.0 - p_test) if receiver == 0.0 else 1.0) + 0.5)
    sizes[2] = math.floor(pulses * p_test * (p_test if receiver == 0.0 else 1.0) + 0.5)
    vacuum = 2.0 * p_dark * (1.0 - p_dark) ** 3
    passive = receiver == 1.0
    secret = analyse(
        counts, sizes, intensities, probabilities, multi,
        (1.0 - p_test) * vacuum, p_test * vacuum,
        efficiency * efficiency * 2.0 * split * (1.0 - split) if passive else 0.0,
        log_eps, ends, out,
    )  # fmt: skip
    total = counts[0, 0] + counts[0, 1] + counts[0, 2]
    return secret - f_ec * total * binary_entropy(min(qber, 0.5)) - penalty
