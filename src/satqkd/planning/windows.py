"""Who can serve whom when, in the sparse form that the joint plan works on.

A *run* is a stretch of intervals in which one satellite can serve one station; a *window* is a stretch of time in which
a satellite has runs, far enough from its other windows that what is done in one never restricts another; a *cell* is
one interval of one station that two or more windows want.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["Windows", "from_samples", "from_table", "split"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class Windows(NamedTuple):
    """Runs of all satellites, window by window, each window's in order of their start.

    ``value`` holds one number per *state*, an interval of a run; ``state[r]`` is the first of run r, and one more entry
    ends the last. ``cell`` likewise holds, for each run, the cells of the ``station_setup`` intervals before it and of
    its own; 0 stands for every station interval that nobody else wants.
    """

    runs: Integers
    """First run of each window, and the end."""
    window_satellite: Integers
    window_first: Integers
    """First interval of each window."""
    window_length: Integers
    run_station: Integers
    run_first: Integers
    """First interval of each run."""
    setup: Integers
    """Per run: intervals in which the satellite delivers nothing before a new link."""
    station_setup: Integers
    """Per run: intervals in which the station is kept free before a new link."""
    state: Integers
    value: Floats
    cell_offset: Integers
    cell: Integers
    n_cells: int
    """Cells, that of index 0 included."""


def setup_table(name: str, setup: ArrayLike, satellites: int, stations: int) -> Integers:
    """Switch time of each pair of terminals.

    Parameters
    ----------
    name : str
        Argument, for the error.
    setup : array_like of int
        One number, or one per satellite and station.
    satellites, stations : int
        How many there are.

    Returns
    -------
    ndarray of int, shape (satellites, stations)
        The table.

    Raises
    ------
    InputError
        For another shape, fractions or negative numbers.
    """
    table = np.asarray(setup)
    if table.shape not in {(), (satellites, stations)}:
        raise InputError(
            f"{name} must be one number or of shape (satellites, stations) = ({satellites}, {stations}), "
            f"got shape {table.shape}"
        )
    if table.size and (not np.all(np.isfinite(table)) or np.any(table < 0) or np.any(table != np.floor(table))):
        raise InputError(f"{name} must be whole numbers of intervals, at least 0, got {table.min()} to {table.max()}")
    return np.ascontiguousarray(np.broadcast_to(table, (satellites, stations)), dtype=np.int64)


def from_table(
    bits: ArrayLike,
    *,
    interval: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    switch_intervals: ArrayLike = 1,
    station_switch_intervals: ArrayLike | None = None,
) -> Windows:
    """Windows of a dense table; see :func:`from_samples`.

    Parameters
    ----------
    bits : array_like, shape (n_satellites, n_intervals, n_stations)
        Bits that each satellite could deliver, non-negative and finite.
    interval : array_like of int, shape (n_intervals,), optional
        Index of each interval, increasing; those not listed deliver nothing. Default: no gaps.
    weights, switch_intervals, station_switch_intervals : array_like
        See :func:`satqkd.planning.constellation.plan_jointly`.

    Returns
    -------
    Windows
        Of all satellites.

    Raises
    ------
    InputError
        For a table, indices, weights or switch times that are not as said.
    """
    table = np.asarray(bits, dtype=np.float64)
    if table.ndim != 3:
        raise InputError(f"bits must have the axes (satellite, interval, station), got shape {table.shape}")
    index = np.arange(table.shape[1]) if interval is None else np.asarray(interval)
    if index.shape != (table.shape[1],) or np.any(np.diff(index) <= 0) or not np.all(index == np.floor(index)):
        raise InputError("interval must hold one increasing whole number for each of the table's intervals")
    bad = ~np.isfinite(table) | (table < 0.0)
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"bits must be finite and not negative, got {table[at]} at (satellite, interval, station) {at}"
        )
    satellite, row, station = np.nonzero(table)
    return from_samples(
        satellite,
        index.astype(np.int64)[row],
        station,
        table[satellite, row, station],
        shape=(table.shape[0], table.shape[2]),
        weights=weights,
        switch_intervals=switch_intervals,
        station_switch_intervals=station_switch_intervals,
    )


def from_samples(
    satellite: ArrayLike,
    interval: ArrayLike,
    station: ArrayLike,
    bits: ArrayLike,
    *,
    shape: tuple[int, int],
    weights: ArrayLike | None = None,
    switch_intervals: ArrayLike = 1,
    station_switch_intervals: ArrayLike | None = None,
) -> Windows:
    """Windows of a list of what can be delivered, for instances too large for a dense table.

    Parameters
    ----------
    satellite, interval, station : array_like of int, shape (n,)
        Indices of each sample, every triple at most once, in any order.
    bits : array_like, shape (n,)
        Bits of each sample, non-negative and finite.
    shape : tuple of int
        Numbers of satellites and stations.
    weights, switch_intervals, station_switch_intervals : array_like
        See :func:`satqkd.planning.constellation.plan_jointly`.

    Returns
    -------
    Windows
        Of all satellites.

    Raises
    ------
    InputError
        For duplicates, negative or non-finite bits, weights or switch times that do not match.
    """
    satellites, stations = shape
    setup = setup_table("switch_intervals", switch_intervals, satellites, stations)
    own = setup if station_switch_intervals is None else station_switch_intervals
    station_setup = setup_table("station_switch_intervals", own, satellites, stations)
    _check_return(setup, station_setup)
    share = np.ones(stations) if weights is None else np.asarray(weights, dtype=np.float64)
    if share.shape != (stations,) or not np.all(np.isfinite(share)) or np.any(share < 0.0):
        raise InputError(f"weights must be {stations} finite numbers, none negative (one per station)")
    s, i, n = (np.asarray(each, dtype=np.int64) for each in (satellite, interval, station))
    value = np.asarray(bits, dtype=np.float64) * share[n]
    if not np.all(np.isfinite(value)) or np.any(value < 0.0):
        raise InputError("bits must be finite and not negative")
    wanted = value > 0.0
    s, i, n, value = s[wanted], i[wanted], n[wanted], value[wanted]
    if not len(s):
        empty = np.zeros(0, dtype=np.int64)
        nought = np.zeros(1, dtype=np.int64)
        return Windows(
            nought, empty, empty, empty, empty, empty, empty, empty, nought, np.zeros(0), nought, empty, 1
        )  # fmt: skip
    longest = np.maximum(setup, station_setup).max(axis=1)
    window_of = _window_numbers(s, i, longest)
    # runs: same window and station, gaps short enough that holding on could pay
    order = np.lexsort((i, n, window_of))
    s, i, n, value, window_of = s[order], i[order], n[order], value[order], window_of[order]
    same = (window_of[1:] == window_of[:-1]) & (n[1:] == n[:-1])
    step = np.diff(i)
    if np.any(same & (step == 0)):
        at = int(np.flatnonzero(same & (step == 0))[0])
        raise InputError(f"satellite {s[at]}, interval {i[at]}, station {n[at]} is listed twice")
    first = np.flatnonzero(np.concatenate([[True], ~(same & (step <= longest[s[1:]] + 1))]))
    last = np.concatenate([first[1:], [len(s)]]) - 1
    order = np.lexsort((n[first], i[first], window_of[first]))
    first, last = first[order], last[order]
    length = i[last] - i[first] + 1
    state = np.concatenate([[0], np.cumsum(length)])
    filled = np.zeros(state[-1])
    size = last - first + 1
    sample = np.repeat(first - np.concatenate([[0], np.cumsum(size)[:-1]]), size) + np.arange(size.sum())
    filled[np.repeat(state[:-1] - i[first], size) + i[sample]] = value[sample]
    runs = np.searchsorted(window_of[first], np.arange(window_of[first][-1] + 2))
    heads = runs[:-1]
    window_first = i[first][heads]
    window_last = np.maximum.reduceat(i[last], heads)
    run_station_setup = station_setup[s[first], n[first]]
    window_of_run = np.repeat(np.arange(len(heads)), np.diff(runs))
    offset, cell, n_cells = _contested(window_of_run, n[first], i[first], length, run_station_setup)
    return Windows(
        runs=runs,
        window_satellite=s[first][heads],
        window_first=window_first,
        window_length=window_last - window_first + 1,
        run_station=n[first],
        run_first=i[first],
        setup=setup[s[first], n[first]],
        station_setup=run_station_setup,
        state=state,
        value=filled,
        cell_offset=offset,
        cell=cell,
        n_cells=n_cells,
    )


def _check_return(setup: Integers, station_setup: Integers) -> None:
    """Refuse station switch times so long that a satellite could be back before its own station is ready."""
    if setup.shape[1] < 2:
        return
    least = np.sort(setup, axis=1)
    return_time = setup + 1 + np.where(setup == least[:, :1], least[:, 1:2], least[:, :1])
    bad = station_setup > return_time
    if bad.any():
        s, n = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"station_switch_intervals of satellite {s} and station {n} is {station_setup[s, n]}, must be at most "
            f"{return_time[s, n]}: the intervals in which the satellite can turn away and back"
        )


def _window_numbers(satellite: Integers, interval: Integers, longest: Integers) -> Integers:
    """Window of each sample: a new one where a satellite was idle for longer than any of its switch times."""
    order = np.lexsort((interval, satellite))
    s, i = satellite[order], interval[order]
    new = np.concatenate([[True], (np.diff(s) != 0) | (np.diff(i) > longest[s[1:]] + 1)])
    number = np.empty(len(s), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    return number


def _contested(
    window: Integers, station: Integers, first: Integers, length: Integers, station_setup: Integers
) -> tuple[Integers, Integers, int]:
    """Offsets, cells of all runs and the number of cells; runs of a window come one after the other."""
    span = length + station_setup
    offset = np.concatenate([[0], np.cumsum(span)])
    time = np.arange(offset[-1]) - np.repeat(offset[:-1] - (first - station_setup), span)
    low = time.min()
    key = np.repeat(station, span) * (time.max() - low + 1) + (time - low)
    owner = np.repeat(window, span)
    order = np.lexsort((owner, key))
    key, owner = key[order], owner[order]
    new = np.concatenate([[True], np.diff(key) != 0])
    group = np.cumsum(new) - 1
    contested = np.zeros(group[-1] + 1, dtype=bool)
    contested[group[1:][(~new[1:]) & (owner[1:] != owner[:-1])]] = True
    number = np.where(contested, np.cumsum(contested), 0)
    cell = np.empty(len(key), dtype=np.int64)
    cell[order] = number[group]
    return offset, cell, int(contested.sum()) + 1


def split(windows: Windows) -> list[tuple[Windows, Integers]]:
    """Parts that share no cell, each with the numbers of its windows: they can be planned one by one.

    Parameters
    ----------
    windows : Windows
        Of all satellites.

    Returns
    -------
    list of tuple
        Windows of each part, and which of the given windows they are; in order of time.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(windows.window_first)
    if not count:
        return []
    span = np.diff(windows.cell_offset)
    owner = np.repeat(np.repeat(np.arange(count), np.diff(windows.runs)), span)
    shared = windows.cell > 0
    size = count + windows.n_cells
    graph = coo_matrix((np.ones(shared.sum()), (owner[shared], count + windows.cell[shared])), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    label = label[:count]
    order = np.lexsort((windows.window_first, label))
    groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    groups.sort(key=lambda group: int(windows.window_first[group[0]]))
    return [(_take(windows, np.sort(group)), np.sort(group)) for group in groups]


def _take(windows: Windows, chosen: Integers) -> Windows:
    """Some of the windows, their cells renumbered."""
    counts = np.diff(windows.runs)[chosen]
    run = _ranges(windows.runs[chosen], counts)
    lengths = np.diff(windows.state)[run]
    spans = np.diff(windows.cell_offset)[run]
    cell = windows.cell[_ranges(windows.cell_offset[run], spans)]
    used = np.unique(np.concatenate([[0], cell]))
    return Windows(
        runs=_ends(counts),
        window_satellite=windows.window_satellite[chosen],
        window_first=windows.window_first[chosen],
        window_length=windows.window_length[chosen],
        run_station=windows.run_station[run],
        run_first=windows.run_first[run],
        setup=windows.setup[run],
        station_setup=windows.station_setup[run],
        state=_ends(lengths),
        value=windows.value[_ranges(windows.state[run], lengths)],
        cell_offset=_ends(spans),
        cell=np.searchsorted(used, cell),
        n_cells=len(used),
    )


def _ends(counts: Integers) -> Integers:
    """0 and the running sums."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


def _ranges(start: Integers, counts: Integers) -> Integers:
    """All of ``start[k] .. start[k] + counts[k] - 1`` in order."""
    begin = _ends(counts)
    return np.repeat(start - begin[:-1], counts) + np.arange(begin[-1])
