"""Quasi-cyclic parity-check matrices without 4-cycles, by progressive edge growth on the matrix of circulants."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

GROWN_DEGREE = 3
"""Columns up to this degree are placed where the shortest cycle through them is longest."""

DEPTH = 4
"""Length, in columns, up to which cycles of lightly connected columns are avoided."""


@njit(cache=True)
def _distances(row_edges, row_count, column_edges, column_count, shift_of, circulant, column, depth, distance):  # type: ignore[no-untyped-def]
    """Distance in columns of every lifted check from those of position 0 of ``column``; else depth + 1."""
    distance[:] = depth + 1
    queue = np.empty(distance.size, np.int64)
    tail = 0
    for e in range(column_count[column]):
        start = column_edges[column, e] * circulant + (-shift_of[column, e]) % circulant
        distance[start] = 0
        queue[tail] = start
        tail += 1
    head = 0
    while head < tail:
        node = queue[head]
        head += 1
        far = distance[node]
        if far == depth:
            break
        row, place = node // circulant, node % circulant
        for k in range(row_count[row]):
            neighbour, shift = row_edges[row, k, 0], row_edges[row, k, 1]
            # check (row, p) meets position p + shift of the column
            position = (place + shift) % circulant
            for e in range(column_count[neighbour]):
                reached = column_edges[neighbour, e] * circulant + (position - shift_of[neighbour, e]) % circulant
                if distance[reached] > far + 1:
                    distance[reached] = far + 1
                    queue[tail] = reached
                    tail += 1


@njit(cache=True)
def _root(parent, row):  # type: ignore[no-untyped-def]
    """Representative of a row's tree of columns with two edges."""
    while parent[row] != row:
        row = parent[row]
    return row


@njit(cache=True)
def _grow(degrees, rows, circulant, row_target, grown_degree, seed):  # type: ignore[no-untyped-def]
    """Rows and shifts of every column's circulants; -1 where none was found without a 4-cycle."""
    np.random.seed(seed)  # noqa: NPY002
    columns, most = degrees.size, degrees.max()
    column_edges = np.full((columns, most), -1, np.int64)
    shift_of = np.zeros((columns, most), np.int64)
    column_count = np.zeros(columns, np.int64)
    # edges of the columns grown by distance; the others are kept free of 4-cycles only
    capacity = 4 * (np.sum(degrees[degrees <= grown_degree]) // rows + 8)
    row_edges = np.zeros((rows, capacity, 2), np.int64)
    row_count = np.zeros(rows, np.int64)
    load = np.zeros(rows, np.int64)
    used = np.zeros((rows, rows, circulant), np.bool_)
    distance = np.empty(rows * circulant, np.int64)
    order, parent = np.arange(rows), np.arange(rows)
    failures, heavy = 0, np.sum(degrees > grown_degree)
    # the heaviest first, while the matrix is empty; then the light ones, which must find long cycles
    for turn in range(columns):
        column = columns - 1 - turn if turn < heavy else turn - heavy
        degree = degrees[column]
        grown = degree <= grown_degree
        for e in range(degree):
            np.random.shuffle(order)  # noqa: NPY002
            best_row, best_shift, best_score = -1, 0, -1e18
            if e > 0 and grown:
                _distances(
                    row_edges, row_count, column_edges, column_count, shift_of, circulant,
                    column, DEPTH, distance,
                )  # fmt: skip
            fewest = row_target[0] * 2
            for row in order:
                room = load[row] - row_target[row]
                if e > 0 and not grown and room > fewest:
                    continue
                taken = False
                for k in range(e):
                    if column_edges[column, k] == row:
                        taken = True
                # a cycle of columns with two edges alone would be a light codeword: they form a forest
                if degree == 2 and e == 1 and _root(parent, row) == _root(parent, column_edges[column, 0]):
                    taken = True
                if taken:
                    continue
                if e == 0:
                    if -room > best_score:
                        best_score, best_row, best_shift = -room, row, 0
                    continue
                first = np.random.randint(circulant)  # noqa: NPY002
                for step in range(circulant):
                    shift = (first + step) % circulant
                    free = True
                    for k in range(e):
                        if used[column_edges[column, k], row, (shift_of[column, k] - shift) % circulant]:
                            free = False
                            break
                    if not free:
                        continue
                    if grown:
                        score = 1e3 * distance[row * circulant + (-shift) % circulant] - room
                    else:
                        score = -1.0 * room
                        fewest = room
                    if score > best_score:
                        best_score, best_row, best_shift = score, row, shift
                    if not grown:
                        break
            if best_row < 0:
                failures += 1
                continue
            for k in range(e):
                other, difference = column_edges[column, k], shift_of[column, k] - best_shift
                used[other, best_row, difference % circulant] = True
                used[best_row, other, (-difference) % circulant] = True
            column_edges[column, e], shift_of[column, e] = best_row, best_shift
            if degree == 2 and e == 1:
                parent[_root(parent, best_row)] = _root(parent, column_edges[column, 0])
            load[best_row] += 1
            column_count[column] = e + 1
        if grown:
            for e in range(degree):
                row = column_edges[column, e]
                row_edges[row, row_count[row], 0], row_edges[row, row_count[row], 1] = column, shift_of[column, e]
                row_count[row] += 1
    return column_edges, shift_of, failures


def column_degrees(node_fractions: Mapping[int, float], columns: int, rows: int) -> NDArray[np.int64]:
    """Degrees of the columns, ascending, by largest remainders; no more of degree 2 than a forest on the rows has."""
    degrees = sorted(node_fractions)
    wanted = np.array([node_fractions[degree] for degree in degrees]) * columns / sum(node_fractions.values())
    counts = np.floor(wanted).astype(np.int64)
    counts[np.argsort(counts - wanted, kind="stable")[: columns - counts.sum()]] += 1
    if degrees[0] == 2 and counts[0] > rows - 1:
        counts[1] += counts[0] - (rows - 1)
        counts[0] = rows - 1
    return np.repeat(degrees, counts)


def construct(
    node_fractions: Mapping[int, float], *, rows: int, columns: int, circulant: int, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Table of a matrix of ``rows`` x ``columns`` circulants: the edges row by row, both halves of a row alike.

    Parameters
    ----------
    node_fractions : dict
        Fraction of the columns by degree.
    rows, columns : int
        Size in circulants.
    circulant : int
        Size of a circulant.
    seed : int
        Of the random choices.

    Returns
    -------
    dict
        ``row_start`` (rows + 1), ``row_middle`` (rows), ``column`` and ``shift`` (edges).
    """
    degrees = column_degrees(node_fractions, columns, rows)
    edges = int(degrees.sum())
    target = np.full(rows, edges // rows)
    target[: edges % rows] += 1
    row_of, shift_of, failures = _grow(degrees, rows, circulant, target, GROWN_DEGREE, seed)
    # a heavy column may lack an edge where a matrix of few rows is full
    if failures > 0.01 * edges:
        raise SystemExit(
            f"{failures} of {edges} circulants have no place without a 4-cycle: a lighter profile is needed"
        )
    rng = np.random.default_rng(seed)
    place = rng.permutation(columns)
    column, shift, middle, start = [], [], [], [0]
    for row in range(rows):
        at, e = np.nonzero(row_of == row)
        order = np.argsort(degrees[at], kind="stable")
        at, e = at[order], e[order]
        halves = [np.arange(0, at.size, 2), np.arange(1, at.size, 2)]
        middle.append(start[-1] + halves[0].size)
        start.append(start[-1] + at.size)
        for half in halves:
            inner = half[np.argsort(place[at[half]])]
            column.append(place[at[inner]])
            shift.append(shift_of[at[inner], e[inner]])
    return {
        "row_start": np.array(start), "row_middle": np.array(middle),
        "column": np.concatenate(column), "shift": np.concatenate(shift),
    }  # fmt: skip
