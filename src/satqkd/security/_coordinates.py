"""From named parameters to the coordinates of a search and back: behind :mod:`satqkd.security.optimise`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError

if TYPE_CHECKING:
    from satqkd.security.optimise import Analysis, Parameter, Problem

__all__ = ["Runner", "make_table", "named", "values_of"]

FloatArray = NDArray[np.float64]


def _members(value: Any, name: str, count: int) -> list[Any]:
    members = list(value) if isinstance(value, Sequence | np.ndarray) else [value]
    if len(members) != count:
        raise InputError(f"{name}: {len(members)} values, must be {count}")
    return members


def _spread(parameters: tuple[Parameter, ...], given: Mapping[str, Any], what: str) -> list[Any]:
    """One entry per parameter: the member of its argument, None if nothing is given."""
    groups: dict[str, list[int]] = {}
    for i, parameter in enumerate(parameters):
        groups.setdefault(parameter.name, []).append(i)
    entries: list[Any] = [None] * len(parameters)
    for name, value in given.items():
        if name not in groups:
            raise InputError(f"{what}: {name!r} is not a parameter of the analysis: {', '.join(groups)}")
        places = groups[name]
        scalar = parameters[places[0]].place is None
        for i, member in zip(places, [value] if scalar else _members(value, name, len(places)), strict=True):
            entries[i] = member
    return entries


def make_table(
    parameters: tuple[Parameter, ...], own: Mapping[str, Any], bounds: Mapping[str, Any]
) -> NDArray[np.float64]:
    """Rows for :func:`satqkd.security._search.decode`."""
    values, ranges = _spread(parameters, own, "fixed"), _spread(parameters, bounds, "bounds")
    table = [[-1.0] * 6 for _ in parameters]
    for i, (parameter, value, ends) in enumerate(zip(parameters, values, ranges, strict=True)):
        label = parameter.name if parameter.place is None else f"{parameter.name}[{parameter.place}]"
        if value is None and ends is None and parameter.default is not None:
            value = parameter.default
        if value is not None:
            if not math.isfinite(float(value)):
                raise InputError(f"fixed: {label} = {value!r} is not a number")
            table[i][:3] = 0.0, float(value), float(value)
            table[i][3] = -2.0 if parameter.kind == "simplex" else -1.0
        elif parameter.kind == "simplex":
            if ends is not None:
                raise InputError(f"bounds: {label} is one of several that add up to 1: it can be fixed, not bounded")
            table[i][0] = 2.0
        else:
            lower, upper = (parameter.lower, parameter.upper) if ends is None else map(float, ends)
            if not parameter.lower <= lower < upper <= max(parameter.upper, lower):
                raise InputError(
                    f"bounds: {label} from {lower:g} to {upper:g}: must be within {parameter.lower:g} to "
                    f"{parameter.upper:g} and ascending"
                )
            table[i][:3] = 1.0, lower, upper
            if parameter.below is not None:
                table[i][3], table[i][4] = parameter.below
                other = parameter.together_below
                if other is not None and (
                    other < i
                    or table[other][0] == 0.0
                    or values[other] is not None
                    or (ranges[other] is None and parameters[other].default is not None)
                ):
                    table[i][5] = other
    _make_room(parameters, table)
    members = [i for i, parameter in enumerate(parameters) if parameter.kind == "simplex"]
    free = [i for i in members if table[i][0] == 2.0]
    rest = 1.0 - math.fsum(table[i][1] for i in members if table[i][0] == 0.0)
    if free:
        if not rest > 0.0:
            raise InputError(f"fixed: {parameters[free[0]].name} leaves nothing for the members that are not fixed")
        table[free[-1]][5] = 0.0
    return np.array(table, dtype=np.float64)


def _make_room(parameters: tuple[Parameter, ...], table: list[list[float]]) -> None:
    """Raise the lower end of a limiting parameter so that those it limits keep room."""
    for i in reversed(range(len(parameters))):
        limit = parameters[i].below
        if limit is None or table[limit[0]][0] != 1.0:
            continue
        needed = table[i][1] / limit[1]
        other = parameters[i].together_below
        if other is not None:
            needed = max(needed, table[i][1] + table[other][1])
        row = table[limit[0]]
        row[1] = max(row[1], needed * (1.0 + 1e-9))
        if not row[1] < row[2]:
            raise InputError(
                f"{parameters[limit[0]].name}: no room between {row[1]:g} (needed by another parameter) and {row[2]:g}"
            )


def values_of(parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> FloatArray:
    names = {parameter.name for parameter in parameters}
    entries = _spread(parameters, {k: v for k, v in given.items() if k in names}, "start")
    return np.array([math.nan if entry is None else float(entry) for entry in entries])


def named(parameters: tuple[Parameter, ...], point: FloatArray) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for parameter, value in zip(parameters, point.tolist(), strict=True):
        if parameter.place is None:
            named[parameter.name] = value
        else:
            named[parameter.name] = (*named.get(parameter.name, ()), value)
    return named


def _encode(values: Sequence[float], default: Sequence[float], rows: list[list[float]]) -> list[float]:
    """Coordinates of values (or of the default where there is none), moved inside the intervals."""
    point = [d if math.isnan(v) else v for v, d in zip(values, default, strict=True)]
    free = [i for i, row in enumerate(rows) if row[0] == 2.0]
    last = max(point[free[-1]], 1e-9) if free else 1.0
    coordinates = []
    for i, (kind, lower, upper, limit, factor, other) in enumerate(rows):
        if kind == 0.0:
            point[i] = lower
        elif kind == 1.0:
            if limit >= 0.0:
                upper = min(upper, factor * point[int(limit)])
                if other >= 0.0:
                    upper = min(upper, point[int(limit)] - point[int(other)])
            share = (point[i] - lower) / (upper - lower) if upper > lower else 0.5
            share = min(max(share, 1e-3), 1.0 - 1e-3)
            point[i] = lower + (upper - lower) * share
            coordinates.append(math.log(share / (1.0 - share)))
        elif i != free[-1]:
            coordinates.append(math.log(max(point[i], 1e-9) / last))
    return coordinates


class Runner:
    """Searches of one problem; adds up the evaluations."""

    def __init__(
        self, analysis: Analysis, problem: Problem, table: NDArray[np.float64], tolerance: float, most: float
    ) -> None:
        self._problem, self._table = problem, table
        self._tolerance, self._most = tolerance, most
        self._default, self._rows = analysis.starts[0], table.tolist()
        self._cold = np.array([_encode(start, start, self._rows) for start in analysis.starts], dtype=np.float64)
        self.evaluations = 0.0
        self.converged = False

    def at(self, choice: float | None, start: FloatArray | None) -> tuple[float, FloatArray, float | None]:
        data = self._problem.data(choice)
        found = None if start is None else self.near(start, data)
        if found is None or not found[0] > 0.0:
            cold = self._search(self._cold, 0.6, data)
            if not cold[0] > 0.0:
                cold = self._from_more_pulses(choice, data, cold)
            found = cold if found is None or cold[0] > found[0] else found
        value, point, self.converged = found
        return value, point, choice

    def near(self, start: FloatArray, data: FloatArray) -> tuple[float, FloatArray, bool]:
        """Search from one point, such as the optimum of a neighbour: value, point, whether it converged."""
        warm = np.array([_encode(start.tolist(), self._default, self._rows)], dtype=np.float64)
        return self._search(warm, 0.15, data)

    def _from_more_pulses(
        self, choice: float | None, data: FloatArray, found: tuple[float, FloatArray, bool]
    ) -> tuple[float, FloatArray, bool]:
        """Follow the optimum down from three times the pulses: at the end of the keys no start may lead there."""
        if self._problem.more_pulses is None:
            return found
        value, point, _ = self.near(found[1], self._problem.more_pulses(choice, 3.0))
        if not value > 0.0:
            return found
        follow = self.near(point, data)
        return follow if follow[0] > found[0] else found

    def _search(self, starts: FloatArray, step: float, data: FloatArray) -> tuple[float, FloatArray, bool]:
        from satqkd.security._search import decode, plain_search, search

        objective, point = self._problem.objective, np.empty(len(self._table))
        starts = np.array(starts, order="C")  # overwritten
        if starts.shape[1] == 0:
            decode(np.zeros(0), self._table, point)
            self.evaluations += 1.0
            return float(objective(point, data)), point, True
        run = search if hasattr(objective, "py_func") else plain_search()
        value, used, done = run(objective, starts, step, self._tolerance, self._most, self._table, data, point)
        self.evaluations += used
        decode(starts[0], self._table, point)
        return float(value), point, done > 0.0

    def nearest_to_a_key(self, choice: float | None, point: FloatArray) -> FloatArray:
        """Point that gives a key with the fewest times as many pulses; the first start if none does."""
        if self._problem.more_pulses is None:
            return point
        for factor in (1e2, 1e4, 1e8):
            value, better, _ = self._search(self._cold, 0.6, self._problem.more_pulses(choice, factor))
            if value > 0.0:
                return better
        from satqkd.security._search import decode

        first = np.empty(len(self._table))
        decode(self._cold[0].copy(), self._table, first)
        return first

    def over_choices(self, start: FloatArray | None) -> tuple[float, FloatArray, float | None]:
        choices = self._problem.choices
        last = len(choices) - 1
        stride = max(1, 1 << max(0, (last // 8).bit_length() - 1))
        known: dict[int, tuple[tuple[float, FloatArray, float | None], bool]] = {}

        def look(index: int, near: FloatArray | None) -> float:
            if index not in known:
                known[index] = (self.at(choices[index], near), self.converged)
            return known[index][0][0]

        near = start
        for index in range(last, -1, -stride):
            if look(index, near) > 0.0:
                near = known[index][0][1]
        top = max(known, key=lambda i: known[i][0][0])
        while stride > 1:
            stride //= 2
            for index in (top - stride, top + stride):
                if 0 <= index <= last:
                    look(index, known[top][0][1])
            top = max(known, key=lambda i: known[i][0][0])
        found, self.converged = known[top]
        return found
