"""A plan as contacts: uninterrupted service of one station by one satellite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Contact", "contacts_of"]


@dataclass(frozen=True)
class Contact:
    """Intervals in a row in which a satellite serves a station.

    Attributes
    ----------
    satellite, station : int
        Positions in the table of bits.
    first, last : int
        Indices of the first and of the last interval.
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
    bits: float
    view_first: int
    part: int


def contacts_of(assignment: ArrayLike, *, interval: ArrayLike, bits: ArrayLike) -> list[Contact]:
    """Contacts of a plan, in order of their start, then of the satellite.

    Parameters
    ----------
    assignment : array_like of int, shape (n_satellites, n_intervals)
        Position of the station served; negative: none.
    interval : array_like of int, shape (n_intervals,)
        Indices of the intervals, increasing.
    bits : array_like, shape (n_satellites, n_intervals, n_stations)
        Bits that each satellite can deliver to each station. [bit]

    Returns
    -------
    list of Contact
        Each as long as it can be: one ends where the station changes or an index is missing.

    Examples
    --------
    >>> made = contacts_of([[0, 0, -2, 1]], interval=[7, 8, 9, 10], bits=np.ones((1, 4, 2)))
    >>> [(one.station, one.first, one.last, one.bits) for one in made]
    [(0, 7, 8, 2.0), (1, 10, 10, 1.0)]
    """
    served, index, table = np.asarray(assignment), np.asarray(interval, np.int64), np.asarray(bits, np.float64)
    found: list[Contact] = []
    for satellite, own in enumerate(served):
        parts: dict[tuple[int, int], int] = {}
        cuts = np.flatnonzero((own[1:] != own[:-1]) | (np.diff(index) != 1)) + 1
        for rows in np.split(np.arange(len(own)), cuts):
            if not len(rows) or (station := int(own[rows[0]])) < 0:
                continue
            view = int(rows[0])
            while view and index[view] - index[view - 1] == 1 and table[satellite, view - 1, station] > 0.0:
                view -= 1
            key = (station, view)
            parts[key] = parts.get(key, -1) + 1
            delivered = float(table[satellite, rows, station].sum())
            found.append(Contact(satellite, station, int(index[rows[0]]), int(index[rows[-1]]), delivered,
                                 int(index[view]), parts[key]))  # fmt: skip
    return sorted(found, key=lambda one: (one.first, one.satellite))
