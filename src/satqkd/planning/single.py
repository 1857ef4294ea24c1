"""The best schedule of one satellite, exact, by dynamic programming over intervals.

References
----------
.. [1] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum key
   distribution modelling and scheduling analysis", Eqs. 7 and 8 (objective S-GD).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.planning._dp import best_path, mark_switches
from satqkd.planning.partition import pad
from satqkd.planning.problem import IDLE, SWITCHING

__all__ = ["IDLE", "SWITCHING", "best_assignment"]


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
    padded, rows = pad(table, index, switch_intervals)
    _, served = best_path(padded, switch_intervals)
    mark_switches(served, switch_intervals, SWITCHING)
    return served[rows]
