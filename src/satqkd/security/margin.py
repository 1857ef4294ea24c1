"""How far a key is from vanishing: loss margins and the counts that would suffice, for any analysis."""

from __future__ import annotations

import math
from collections.abc import Callable

from satqkd.errors import InputError

__all__ = ["counts_needed", "margin_db"]


def margin_db(
    key_bits_raw: Callable[[float], float],
    *,
    limit_db: float = 60.0,
    max_gain_db: float = math.inf,
    tolerance_db: float = 1e-3,
) -> float:
    """Extra loss a key survives, or the loss that must be saved before there is one.

    Parameters
    ----------
    key_bits_raw : callable
        Un-clamped key length as a function of a factor on the transmittance. At least one bit counts as a key.
    limit_db : float
        Largest change looked at, either way. [dB]
    max_gain_db : float
        Largest loss that can be saved at all (where the transmittance reaches 1). [dB]
    tolerance_db : float
        Width at which the bisection ends. [dB]

    Returns
    -------
    float
        Positive: dB of extra loss with which the key still exists. Negative: dB of loss that have to be saved.
        ``inf`` if the key survives ``limit_db``; ``-inf`` if saving as much as allowed gives no key. [dB]

    Raises
    ------
    InputError
        If a limit is not positive.

    Notes
    -----
    The end towards no key is searched with steps of 1, 2, 4, ... dB, then by bisection: the nearest change of
    sign is found if the key does not come and go within a step. The value returned lies on the side with a key.

    Examples
    --------
    >>> round(margin_db(lambda factor: 100.0 * factor - 10.0), 2)   # a key of one bit at a factor of 0.11
    9.59
    """
    if not (0.0 < limit_db < math.inf and tolerance_db > 0.0 and max_gain_db >= 0.0):
        raise InputError(
            f"margin_db: limit_db = {limit_db!r}, tolerance_db = {tolerance_db!r}, max_gain_db = {max_gain_db!r} "
            "must be positive and limit_db finite"
        )

    def has_key(loss_db: float) -> bool:
        return key_bits_raw(10.0 ** (-loss_db / 10.0)) >= 1.0

    alive = has_key(0.0)
    sign, end = (1.0, limit_db) if alive else (-1.0, min(limit_db, max_gain_db))
    near, step = 0.0, 1.0
    while True:
        far = min(near + step, end)
        if has_key(sign * far) != alive:
            break
        if far >= end:
            return sign * math.inf
        near, step = far, 2.0 * step
    while far - near > tolerance_db:
        middle = 0.5 * (near + far)
        if has_key(sign * middle) == alive:
            near = middle
        else:
            far = middle
    return near if alive else -far


def counts_needed(
    key_bits_raw: Callable[[float], float], *, limit: float = 1e9, relative_tolerance: float = 0.01
) -> float | None:
    """Factor on the number of pulses, at the same rates, from which there is a key.

    Parameters
    ----------
    key_bits_raw : callable
        Un-clamped key length as a function of a factor on all the counts.
    limit : float
        Largest factor looked at. [1]
    relative_tolerance : float
        Relative width at which the bisection ends. [1]

    Returns
    -------
    float or None
        A factor with which there is a key of at least one bit; None if not even ``limit`` gives one. [1]

    Examples
    --------
    >>> 11.0 <= counts_needed(lambda factor: factor - 10.0) <= 11.2
    True
    """
    low, high = 1.0, 2.0
    while key_bits_raw(high) < 1.0:
        if high >= limit:
            return None
        low, high = high, min(4.0 * high, limit)
    while high / low > 1.0 + relative_tolerance:
        middle = math.sqrt(low * high)
        if key_bits_raw(middle) >= 1.0:
            high = middle
        else:
            low = middle
    return high
