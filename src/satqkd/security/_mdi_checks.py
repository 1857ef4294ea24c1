"""Parameter checks shared by the asymptotic and the finite analysis of measurement-device-independent QKD."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

Array = NDArray[np.float64]
LARGEST_INTENSITY = 10.0


def in_range(name: str, value: ArrayLike, low: float, high: float) -> Array:
    """Array of finite values within limits."""
    array = np.asarray(value, float)
    allowed = (array >= low) & (array <= high)
    if not bool(np.all(allowed)):
        bad = float(array[~allowed].flat[0])
        raise InputError(f"{name} = {bad!r}: must be between {low:g} and {high:g}")
    return array


def check_intensities(name: str, intensities: Sequence[ArrayLike], decoy: str) -> tuple[Array, ...]:
    """Signal and weak intensity; the vacuum is checked and left out."""
    if len(intensities) not in (1, 3):
        raise InputError(f"{name} has {len(intensities)} values: must be (signal,) or (signal, weak, 0.0)")
    if decoy != "infinite" and len(intensities) != 3:
        raise InputError(f"{name} has 1 value: decoy = {decoy!r} needs (signal, weak, 0.0)")
    signal = in_range(f"{name}[0]", intensities[0], 0.0, LARGEST_INTENSITY)
    if not bool(np.all(signal > 0.0)):
        raise InputError(f"{name}[0] = 0.0: a signal must have more than 0 photons on average")
    if len(intensities) == 1:
        return (signal,)
    weak = np.asarray(intensities[1], float)
    ordered = (weak > 0.0) & (weak < signal)
    if not bool(np.all(ordered)):
        at = np.argmin(ordered)
        pair = [float(part.flat[at]) for part in np.broadcast_arrays(signal, weak)]
        raise InputError(f"{name} = ({pair[0]!r}, {pair[1]!r}, ...): must be in descending order, the second above 0")
    if not bool(np.all(np.asarray(intensities[2]) == 0.0)):
        raise InputError(f"{name}[2] = {intensities[2]!r}: must be 0.0, the vacuum")
    return signal, weak
