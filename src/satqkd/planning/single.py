"""The best schedule of one satellite, exact, by dynamic programming over intervals.

References
----------
.. [1] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum key
   distribution modelling and scheduling analysis", Eqs. 7 and 8 (objective S-GD).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["IDLE", "SWITCHING", "best_assignment"]

IDLE = -1
"""No station is served, and none needs to be turned to."""

SWITCHING = -2
"""The satellite turns to the next station."""


def best_assignment(
    bits: ArrayLike, *, interval: ArrayLike | None = None, switch_intervals: int = 1
) -> NDArray[np.int64]:
    r"""Assignment of intervals to stations that delivers most.

    Parameters
    ----------
    bits : array_like, shape (n_intervals, n_stations)
        Bits that each station would get in each interval, non-negative and finite.
    interval : array_like of int, shape (n_intervals,), optional
        Index of each row's interval, increasing; rows that are not listed deliver nothing. Default: no gaps.
    switch_intervals : int
        Intervals without delivery that a change of station needs, at least 0.

    Returns
    -------
    ndarray of int, shape (n_intervals,)
        Index of the station served, :data:`IDLE`, or :data:`SWITCHING`.

    Raises
    ------
    ValueError
        For negative or non-finite bits, indices that do not increase, or a negative switch time.

    Notes
    -----
    With :math:`V_n` the best total when station *n* is served in the interval just past and :math:`F` the best total
    when any station may be served next,

    .. math:: V_n \leftarrow \max(V_n, F) + K_n, \qquad F \leftarrow \max(F, \max_n V_n^{(s)})

    where both right-hand sides use values of the interval before and :math:`V^{(s)}` is :math:`V` as it was
    *s* = ``switch_intervals`` intervals earlier. Maximum of a finite set of sums: exact, no tolerance.

    Examples
    --------
    >>> best_assignment([[5, 0], [4, 3], [0, 9]]).tolist()
    [0, -2, 1]
    """
    table = np.atleast_2d(np.asarray(bits, dtype=np.float64))
    index = np.arange(len(table)) if interval is None else np.asarray(interval, dtype=np.int64)
    if not np.all(np.isfinite(table)) or np.any(table < 0.0):
        raise ValueError("bits must be finite and not negative")
    if np.any(np.diff(index) <= 0):
        raise ValueError("interval indices must increase")
    if switch_intervals < 0:
        raise ValueError("switch_intervals must be at least 0")
    if not table.size:
        return np.full(len(table), IDLE, dtype=np.int64)
    # A gap longer than the switch time is as good as one of the switch time: put in that many empty rows.
    gaps = np.minimum(np.diff(index, prepend=index[0] - 1) - 1, switch_intervals)
    rows = np.cumsum(gaps + 1) - 1
    padded = np.zeros((rows[-1] + 1, table.shape[1]))
    padded[rows] = table
    served = _trace(padded, switch_intervals)
    # Between two different stations the last idle intervals are the switch.
    for position in np.flatnonzero((served[1:] >= 0) & (served[:-1] < 0)) + 1:
        before = np.flatnonzero(served[:position] >= 0)
        if len(before) and served[before[-1]] != served[position]:
            served[max(position - switch_intervals, before[-1] + 1) : position] = SWITCHING
    return np.asarray(served[rows])


def _trace(table: NDArray[np.float64], switch_intervals: int) -> NDArray[np.int64]:
    """Forward pass and trace-back; ``IDLE`` wherever no station is served."""
    length, stations = table.shape
    total = np.zeros((length, stations))  # V after each interval
    from_free = np.zeros((length, stations), dtype=bool)  # station taken up in this interval
    free = np.zeros(length + 1)  # F before each interval
    source = np.full(length + 1, -1)  # interval whose V is F; -1: nothing served yet
    for m in range(length):
        if m:
            free[m], source[m] = free[m - 1], source[m - 1]
        past = m - 1 - switch_intervals
        if past >= 0 and total[past].max() > free[m]:
            free[m], source[m] = total[past].max(), past
        stay = total[m - 1] if m else np.full(stations, -np.inf)
        from_free[m] = free[m] >= stay
        total[m] = np.maximum(stay, free[m]) + table[m]
    served = np.full(length, IDLE, dtype=np.int64)
    best = int(np.argmax(total.max(axis=1)))
    while best >= 0:
        station = int(np.argmax(total[best]))
        while True:
            if table[best, station] > 0.0:
                served[best] = station
            if from_free[best, station]:
                best = int(source[best])
                break
            best -= 1
    return served
