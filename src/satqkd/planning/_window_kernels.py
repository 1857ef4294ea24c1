"""Compiled dynamic programs over windows, Lagrangian ascent and repair; see :mod:`satqkd.planning.constellation`.

A *link* is a run with its first and last interval; ``links`` has a row (run, first, last) for each, those of window w
from ``slot[w]`` on, ``count[w]`` of them, last link first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_COMPILED = njit(cache=True, error_model="numpy", nogil=True)


@_COMPILED
def forward(windows, w, price, total, entered, rest, rest_run, rest_time, active):  # type: ignore[no-untyped-def]
    """Best total of window ``w`` at each state, ``total[s]`` with its own interval served, and at rest.

    ``rest[l]`` is the best before interval l of the window, reached after the link of run ``rest_run[l]`` that ends at
    ``rest_time[l]`` (run -1: nothing served). ``entered[s]``: the link begins at s.
    """
    origin, length = windows.window_first[w], windows.window_length[w]
    upcoming, end = windows.runs[w], windows.runs[w + 1]
    rest[0], rest_run[0], rest_time[0] = 0.0, -1, -1
    alive = 0
    for step in range(length):
        time = origin + step
        while upcoming < end and windows.run_first[upcoming] == time:
            active[alive] = upcoming
            alive += 1
            upcoming += 1
        rest[step + 1], rest_run[step + 1], rest_time[step + 1] = rest[step], rest_run[step], rest_time[step]
        kept = 0
        for place in range(alive):
            run = active[place]
            age = time - windows.run_first[run]
            s = windows.state[run] + age
            at = windows.cell_offset[run] + windows.station_setup[run] + age
            enter = rest[max(step - windows.setup[run], 0)]
            for before in range(at - windows.station_setup[run], at):
                enter -= price[windows.cell[before]]
            stay = total[s - 1] if age > 0 else -np.inf
            # on a tie a new link, which leaves the gap before it to others, unless it would overlap its own past
            entered[s] = enter > stay or (enter == stay and windows.setup[run] >= windows.station_setup[run])
            total[s] = max(enter, stay) + windows.value[s] - price[windows.cell[at]]
            if total[s] > rest[step + 1]:
                rest[step + 1], rest_run[step + 1], rest_time[step + 1] = total[s], run, time
            if s + 1 < windows.state[run + 1]:
                active[kept] = run
                kept += 1
        alive = kept
    return rest[length]


@_COMPILED
def backward(windows, w, price, ahead, taken_up, after):  # type: ignore[no-untyped-def]
    """Best still to come: ``ahead[s]`` while state s is served, ``taken_up[s]`` from a link that begins at s.

    ``after[l]`` is the best to come once interval l - 1 of the window is the last served (l = 0: none was); it needs
    one entry more than the window has intervals.
    """
    origin, length = windows.window_first[w], windows.window_length[w]
    begin, end = windows.runs[w], windows.runs[w + 1]
    after[: length + 1] = 0.0
    for step in range(length - 1, -1, -1):
        time = origin + step
        if step + 1 < length:
            after[step + 1] = max(after[step + 1], after[step + 2])
        for run in range(begin, end):
            age = time - windows.run_first[run]
            s = windows.state[run] + age
            if age < 0 or s >= windows.state[run + 1]:
                continue
            at = windows.cell_offset[run] + windows.station_setup[run] + age
            best = after[step + 1]
            if s + 1 < windows.state[run + 1]:
                best = max(best, ahead[s + 1] + windows.value[s + 1] - price[windows.cell[at + 1]])
            ahead[s] = best
            taken_up[s] = best + windows.value[s] - price[windows.cell[at]]
            for before in range(at - windows.station_setup[run], at):
                taken_up[s] -= price[windows.cell[before]]
            leave = max(step - windows.setup[run], 0)
            after[leave] = max(after[leave], taken_up[s])
    after[0] = max(after[0], after[1])


@_COMPILED
def best_links(windows, w, price, scratch, slot, count, links):  # type: ignore[no-untyped-def]
    """Best plan of one window under the prices: its value; its links are written into ``links``."""
    total, entered, rest, rest_run, rest_time, active = scratch
    value = forward(windows, w, price, total, entered, rest, rest_run, rest_time, active)
    origin, length = windows.window_first[w], windows.window_length[w]
    run, time, number = rest_run[length], rest_time[length], 0
    while run >= 0:
        s = windows.state[run] + time - windows.run_first[run]
        last = time
        while not entered[s]:
            s -= 1
            time -= 1
        row = slot[w] + number
        links[row, 0], links[row, 1], links[row, 2] = run, time, last
        number += 1
        leave = max(time - origin - windows.setup[run], 0)
        run, time = rest_run[leave], rest_time[leave]
    count[w] = number
    return value


@_COMPILED
def mark(windows, w, slot, count, links, change, used):  # type: ignore[no-untyped-def]
    """Add ``change`` to the use of every cell that the links of window ``w`` occupy."""
    for row in range(slot[w], slot[w] + count[w]):
        run = links[row, 0]
        begin = windows.cell_offset[run] + links[row, 1] - windows.run_first[run]
        end = begin + links[row, 2] - links[row, 1] + windows.station_setup[run] + 1
        for at in range(begin, end):
            used[windows.cell[at]] += change


@_COMPILED
def ascend(windows, price, best_price, state, target, iterations, scratch, slot, count, links, used, direction):  # type: ignore[no-untyped-def]
    """Deflected subgradient steps with Polyak's length: lowers the bound ``state[0]``, whose prices are kept.

    ``state``: bound, factor of the step, iterations without progress. Prices stay >= 0, and 0 at cell 0.
    """
    cells = windows.n_cells
    for _ in range(iterations):
        used[:] = 0
        bound = 0.0
        for w in range(len(windows.window_first)):
            bound += best_links(windows, w, price, scratch, slot, count, links)
            mark(windows, w, slot, count, links, 1, used)
        for c in range(1, cells):
            bound += price[c]
        if bound < state[0]:
            state[2] = 0.0 if bound < state[0] - 1e-5 * abs(state[0] - target) else state[2] + 1.0
            state[0] = bound
            best_price[:] = price
        else:
            state[2] += 1.0
        if state[2] >= 12.0:
            state[1] *= 0.6
            state[2] = 0.0
            price[:] = best_price
        if state[0] <= target or cells == 1:
            break
        norm = 0.0
        for c in range(1, cells):
            slope = used[c] - 1.0
            if slope < 0.0 and price[c] <= 0.0:
                direction[c] = 0.0
            else:
                direction[c] = slope + 0.3 * direction[c]
            norm += direction[c] ** 2
        if norm == 0.0:
            break
        length = state[1] * (bound - target) / norm
        for c in range(1, cells):
            price[c] = max(0.0, price[c] + length * direction[c])


@_COMPILED
def repair(windows, price, order, scratch, slot, count, links, used, charge):  # type: ignore[no-untyped-def]
    """A feasible plan: windows one by one in an order with the others' prices, then each anew until none gains.

    Returns its value; the links are left in ``links``.
    """
    used[:] = 0
    charge[:] = price
    for w in order:
        best_links(windows, w, charge, scratch, slot, count, links)
        mark(windows, w, slot, count, links, 1, used)
        for row in range(slot[w], slot[w] + count[w]):
            run = links[row, 0]
            begin = windows.cell_offset[run] + links[row, 1] - windows.run_first[run]
            for at in range(begin, begin + links[row, 2] - links[row, 1] + windows.station_setup[run] + 1):
                charge[windows.cell[at]] = np.inf
        charge[0] = 0.0
    return improve(windows, order, scratch, slot, count, links, used, charge)


@_COMPILED
def improve(windows, order, scratch, slot, count, links, used, charge):  # type: ignore[no-untyped-def]
    """Plan each window anew beside all others until none gains; returns the value of the plan."""
    charge[:] = 0.0
    for c in range(1, windows.n_cells):
        if used[c] > 0:
            charge[c] = np.inf
    before, total = -1.0, 0.0
    while total > before * (1.0 + 1e-12):
        before, total = total, 0.0
        for w in order:
            free(windows, w, slot, count, links, used, charge)
            total += best_links(windows, w, charge, scratch, slot, count, links)
            mark(windows, w, slot, count, links, 1, used)
            for row in range(slot[w], slot[w] + count[w]):
                run = links[row, 0]
                begin = windows.cell_offset[run] + links[row, 1] - windows.run_first[run]
                for at in range(begin, begin + links[row, 2] - links[row, 1] + windows.station_setup[run] + 1):
                    charge[windows.cell[at]] = np.inf
            charge[0] = 0.0
    return total


@_COMPILED
def free(windows, w, slot, count, links, used, charge):  # type: ignore[no-untyped-def]
    """Take the links of window ``w`` out of the use and the charges of cells."""
    mark(windows, w, slot, count, links, -1, used)
    for row in range(slot[w], slot[w] + count[w]):
        run = links[row, 0]
        begin = windows.cell_offset[run] + links[row, 1] - windows.run_first[run]
        for at in range(begin, begin + links[row, 2] - links[row, 1] + windows.station_setup[run] + 1):
            if used[windows.cell[at]] == 0:
                charge[windows.cell[at]] = 0.0
    charge[0] = 0.0
