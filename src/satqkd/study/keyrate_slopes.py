"""Margin and sensitivities of a key, for the tables of :mod:`satqkd.study.keyrate`."""

from __future__ import annotations

import math
from collections.abc import Callable

from satqkd.security.margin import margin_db

__all__ = ["SENSITIVITIES", "margin_and_slopes"]

SENSITIVITIES = ("key_bits_per_db", "key_bits_per_qber_percent", "key_bits_per_noise_percent")
"""Output columns beside ``margin_db``."""


def margin_and_slopes(
    key_raw: Callable[..., float], transmittance: float, error: tuple[str, float], noise: tuple[str, float] | None
) -> dict[str, float | None]:
    """Margin and sensitivities of the un-clamped key, with the setting as it is.

    Parameters
    ----------
    key_raw : callable
        Un-clamped key with some arguments changed, given by name. [bit]
    transmittance : float
        Of the whole system; nothing is found if it is 0. [1]
    error : tuple of (str, float)
        Name and value of the argument that is the error rate of the signal. [1]
    noise : tuple of (str, float) or None
        Name and value of the argument that is the noise per gate; no slope if None or (next to) 0. [1]

    Returns
    -------
    dict
        ``margin_db`` [dB] and :data:`SENSITIVITIES` [bit per dB, percentage point, percent].
    """
    eta = transmittance
    if eta <= 0.0:
        return {}

    def at(factor: float) -> float:
        return key_raw(transmittance=min(eta * factor, 1.0))

    def slope(name: str, value: float, step: float) -> float:
        low, high = max(value - step, 0.0), min(value + step, 0.5)
        return float((key_raw(**{name: high}) - key_raw(**{name: low})) / (high - low))

    step_db = 0.05
    down, up = 10.0 ** (-step_db / 10.0), min(10.0 ** (step_db / 10.0), 1.0 / eta)
    per_noise = None
    if noise is not None and 0.05 * noise[1] > 0.0:
        per_noise = 0.01 * noise[1] * slope(*noise, 0.05 * noise[1])
    return {
        "margin_db": margin_db(at, max_gain_db=max(0.0, -10.0 * math.log10(eta)), tolerance_db=0.01),
        "key_bits_per_db": (at(down) - at(up)) / (10.0 * math.log10(up / down)),
        "key_bits_per_qber_percent": 0.01 * slope(*error, 5e-4),
        "key_bits_per_noise_percent": per_noise,
    }
