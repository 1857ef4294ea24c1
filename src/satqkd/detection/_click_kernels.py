"""Compiled click statistics of BB84 receivers with threshold detectors; see :mod:`satqkd.detection.receivers`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def two_or_more(a, b, c, d):  # type: ignore[no-untyped-def]
    """Probability that at least two of four detectors click, from the logarithms of their no-click probabilities.

    A sum of positive terms: 1 minus the other outcomes would cancel.
    """
    none, one, more = 1.0, 0.0, 0.0
    for log_silent in (a, b, c, d):
        click, silent = -math.expm1(log_silent), math.exp(log_silent)
        more += one * click
        one = one * silent + none * click
        none *= silent
    return more


@njit(cache=True, error_model="numpy")
def pulse_statistics(receiver, light_z, light_x, noise_z, noise_x, misalignment, p_afterpulse, out):  # type: ignore[no-untyped-def]
    """Per pulse with matched bases: gain Z, X, errors Z, X, multi-clicks for Alice in Z, in X, and as printed.

    ``receiver``: 0 active, 1 asymmetric passive, 2 symmetric passive. ``light``: mean detected photons that reach
    each arm; ``noise``: click probability of one of its detectors without signal.
    """
    log_z, log_x = math.log1p(-noise_z), math.log1p(-noise_x)
    after_z = math.log1p(p_afterpulse * math.expm1(2.0 * log_z - light_z))
    after_x = math.log1p(p_afterpulse * math.expm1(2.0 * log_x - light_x))
    right_z, wrong_z = log_z - light_z * (1.0 - misalignment) + after_z, log_z - light_z * misalignment + after_z
    right_x, wrong_x = log_x - light_x * (1.0 - misalignment) + after_x, log_x - light_x * misalignment + after_x
    if receiver == 1:
        veto_z, veto_x = math.exp(right_x + wrong_x), math.exp(right_z + wrong_z)
        out[2] = -math.expm1(wrong_z) * math.exp(right_z) * veto_z
        out[3] = -math.expm1(wrong_x) * math.exp(right_x) * veto_x
        out[0] = -math.expm1(right_z) * math.exp(wrong_z) * veto_z + out[2]
        out[1] = -math.expm1(right_x) * math.exp(wrong_x) * veto_x + out[3]
        half_z, half_x = log_z - 0.5 * light_z + after_z, log_x - 0.5 * light_x + after_x
        out[4] = two_or_more(right_z, wrong_z, half_x, half_x)
        out[5] = two_or_more(right_x, wrong_x, half_z, half_z)
        out[6] = two_or_more(right_z, wrong_z, right_x, wrong_x)
        return
    veto_z, veto_x = 1.0, 1.0
    if receiver == 2:
        veto_z, veto_x = math.exp(right_x + wrong_x), math.exp(right_z + wrong_z)
    out[0] = -math.expm1(right_z + wrong_z) * veto_z
    out[1] = -math.expm1(right_x + wrong_x) * veto_x
    out[2] = -0.5 * math.expm1(wrong_z) * (1.0 + math.exp(right_z)) * veto_z
    out[3] = -0.5 * math.expm1(wrong_x) * (1.0 + math.exp(right_x)) * veto_x
    out[4:7] = 0.0


@njit(cache=True, error_model="numpy")
def fill_counts(setting, transmittance, intensities, probabilities, counts):  # type: ignore[no-untyped-def]
    """Expected counts into ``counts`` (4, 3): key, test, test errors, key errors per intensity; returns multi-clicks.

    ``setting``: receiver, pulses in all, noise Z, noise X, misalignment, afterpulse, p_test, split, disclosure,
    multi-clicks as printed (0) or with the light of the unmatched arm split evenly (1).
    """
    receiver, p_test, split, disclosure = int(setting[0]), setting[6], setting[7], setting[8]
    pulses = setting[1] / transmittance.size
    share_z, share_x = (1.0, 1.0) if receiver == 0 else (1.0 - split, split)
    weight_z, weight_x = (1.0 - p_test) * pulses, p_test * pulses
    if receiver == 0:
        weight_z *= 1.0 - p_test
        weight_x *= p_test
    elif receiver == 2:
        weight_z *= 1.0 - disclosure
        weight_x *= disclosure
    out = np.zeros(7)
    multi = 0.0
    counts[:] = 0.0
    for eta in transmittance:
        for k in range(3):
            light, p = eta * intensities[k], probabilities[k]
            pulse_statistics(
                receiver, light * share_z, light * share_x, setting[2], setting[3], setting[4], setting[5], out
            )
            counts[0, k] += weight_z * p * out[0]
            counts[1, k] += weight_x * p * out[1]
            counts[2, k] += weight_x * p * out[3]
            counts[3, k] += weight_z * p * out[2]
            multi += pulses * p * (((1.0 - p_test) * out[4] + p_test * out[5]) if setting[9] > 0.0 else out[6])
    return multi
