"""A plan as contacts: a satellite stays with a station, perhaps with pauses, until it turns away or the pass ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.planning.single import IDLE

__all__ = ["Contact", "contacts_of"]

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Contact:
    """Time that a satellite stays with a station.

    Attributes
    ----------
    satellite, station : int
        Positions in the table of bits.
    first, last : int
        Indices of the first and of the last interval in which the station is served.
    served : int
        Intervals in which it is served; the others between the first and the last are idle.
    bits : float
        Bits delivered. [bit]
    view_first : int
        Index of the first interval of the pass: before it, or in a gap, this station gets nothing from this satellite.
    part : int
        How many contacts of the same pass come before.
    """

    satellite: int
    station: int
    first: int
    last: int
    served: int
    bits: float
    view_first: int
    part: int


def contacts_of(
    assignment: ArrayLike, *, interval: ArrayLike, bits: ArrayLike, over_idle: bool = True
) -> list[Contact]:
    """Contacts of a plan, in order of their start, then of the satellite.

    Parameters
    ----------
    assignment : array_like of int, shape (n_satellites, n_intervals)
        Position of the station served, ``IDLE`` or ``SWITCHING`` of :mod:`satqkd.planning.single`.
    interval : array_like of int, shape (n_intervals,)
        Indices of the intervals, increasing.
    bits : array_like, shape (n_satellites, n_intervals, n_stations)
        Bits that each satellite can deliver to each station. [bit]
    over_idle : bool
        Whether a contact goes on over idle intervals after which the satellite serves the same station. It never goes
        on where an index is missing or another satellite serves the station meanwhile.

    Returns
    -------
    list of Contact
        Each as long as it can be.

    Examples
    --------
    >>> made = contacts_of([[0, -1, 0, -2, 1]], interval=[7, 8, 9, 10, 11], bits=np.ones((1, 5, 2)))
    >>> [(one.station, one.first, one.last, one.served, one.bits) for one in made]
    [(0, 7, 9, 2, 2.0), (1, 11, 11, 1, 1.0)]
    """
    served, index, table = np.asarray(assignment), np.asarray(interval, np.int64), np.asarray(bits, np.float64)
    found: list[Contact] = []
    for satellite, own in enumerate(served):
        parts: dict[tuple[int, int], int] = {}
        others = np.delete(served, satellite, axis=0)
        for rows in _stays(own, index, others, over_idle):
            station = int(own[rows[0]])
            view = int(rows[0])
            while view and index[view] - index[view - 1] == 1 and table[satellite, view - 1, station] > 0.0:
                view -= 1
            key = (station, view)
            parts[key] = parts.get(key, -1) + 1
            delivered = float(table[satellite, rows, station].sum())
            found.append(Contact(satellite, station, int(index[rows[0]]), int(index[rows[-1]]), len(rows), delivered,
                                 int(index[view]), parts[key]))  # fmt: skip
    return sorted(found, key=lambda one: (one.first, one.satellite))


def _stays(own: Indices, index: Indices, others: Indices, over_idle: bool) -> list[list[int]]:
    """Rows served in each contact of one satellite."""
    found: list[list[int]] = []
    for row in np.flatnonzero(own >= 0).tolist():
        before = found[-1][-1] if found else row
        between = slice(before + 1, row)
        stays = (
            bool(found)
            and own[before] == own[row]
            and index[row] - index[before] == row - before
            and (row - before == 1 or over_idle)
            and bool(np.all(own[between] == IDLE))
            and not np.any(others[:, between] == own[row])
        )
        if stays:
            found[-1].append(row)
        else:
            found.append([row])
    return found
