"""One optimiser for all analyses: intensities, probabilities, basis bias, shares and the transmission window.

:func:`best` maximises the *un-clamped* key length of an analysis. An analysis says which parameters it has
(:class:`Parameter`), where to start, and how to make a :class:`Problem` from everything that is fixed; see
:mod:`satqkd.security.lim2014_analysis` for one.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError

__all__ = ["ANALYSES", "Analysis", "Optimum", "Parameter", "Problem", "best"]

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray, FloatArray], float]
_CLOSE = 1e-9  # relative distance that coordinates keep from the ends of an interval

ANALYSES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "lim2014": ("satqkd.security.lim2014_analysis", "Lim2014"),
        "lim2014-standard": ("satqkd.security.lim2014_analysis", "Lim2014Standard"),
        "satqkd.security.lim2014.key_length": ("satqkd.security.lim2014_analysis", "Lim2014"),
        "satqkd.security.lim2014_variants.standard_key_length": (
            "satqkd.security.lim2014_analysis",
            "Lim2014Standard",
        ),
    }
)
"""Analysis by name, or by the full name of its key-length function -> module and class."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number that an analysis can vary.

    Attributes
    ----------
    name : str
        The analysis' parameter that it belongs to, as in its key-length function.
    place : int or None
        Index in that parameter if it is a sequence, else None.
    kind : {"interval", "simplex"}
        Between two ends, or one of several probabilities that add up to 1.
    lower, upper : float
        Default ends of an interval.
    default : float or None
        Value that it keeps unless ``bounds`` are given for it; None: it is varied.
    below : tuple of (int, float) or None
        Index (in the analysis' parameters) of one that limits this one, and the factor: ``x <= factor * other``.
    together_below : int or None
        Index of one whose sum with this one stays below the limiting one.
    """

    name: str
    place: int | None
    kind: str
    lower: float = 0.0
    upper: float = 1.0
    default: float | None = None
    below: tuple[int, float] | None = None
    together_below: int | None = None


@dataclass(frozen=True)
class Problem:
    """What is left to optimise when everything that is fixed is known.

    Attributes
    ----------
    objective : callable
        ``objective(values, data)`` -> un-clamped key length, values in the order of the analysis' parameters. Compiled
        by Numba with the signature ``float64(float64[::1], float64[::1])``, or plain Python (slower).
    data : callable
        ``data(choice)`` -> the array for the objective.
    report : callable
        ``report(parameters, choice)`` -> the exact result at the optimum.
    choices : sequence of float
        Ordered values of one further parameter (a window), each of which needs its own data; may be empty.
    choice_name : str
        Its name.
    """

    objective: Objective
    data: Callable[[float | None], FloatArray]
    report: Callable[[Mapping[str, Any], float | None], Any]
    choices: Sequence[float] = ()
    choice_name: str = ""


class Analysis(Protocol):
    """What :func:`best` needs to know."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be varied; a parameter that limits another one stands before it, or has a default."""

    @property
    def starts(self) -> Sequence[Sequence[float]]:
        """Values to start from when nothing is known."""

    def prepare(self, fixed: Mapping[str, Any]) -> Problem:
        """Problem of everything that is fixed and not among the parameters."""


@dataclass(frozen=True)
class Optimum:
    """Where the key is longest.

    Attributes
    ----------
    parameters : mapping
        Every parameter of the analysis, fixed ones too, ready to be passed to its key-length function.
    key : KeyLength
        The exact result with them (a tuple if the analysis has several blocks).
    evaluations : int
        Evaluations of the objective.
    converged : bool
        Whether a restart from the optimum gained nothing before the evaluations ran out.
    objective_bits : float
        Un-clamped key at the optimum as the optimiser computed it. [bit]
    """

    parameters: Mapping[str, Any]
    key: Any
    evaluations: int
    converged: bool
    objective_bits: float = field(default=math.nan)


def best(
    analysis: Analysis | str | Callable[..., Any],
    *,
    fixed: Mapping[str, Any],
    bounds: Mapping[str, Any] | None = None,
    start: Optimum | Mapping[str, Any] | None = None,
    tolerance: float = 1e-10,
    most_evaluations: int = 20_000,
) -> Optimum:
    """Parameters with the longest key.

    Parameters
    ----------
    analysis : Analysis, str or callable
        An analysis, its name in :data:`ANALYSES`, or its key-length function.
    fixed : mapping
        Arguments of the key-length function that are not varied. A parameter of the analysis may be among them; of a
        sequence some members, the others being None: ``{"intensities": (None, 0.1, 0.0)}``.
    bounds : mapping, optional
        Parameter -> (lower, upper); for a sequence one pair or None per member. Probabilities that add up to 1 cannot
        be bounded, only fixed.
    start : Optimum or mapping, optional
        Where to start, such as the optimum of a neighbouring point. If it leads to no key the cold starts follow.
    tolerance : float
        Relative accuracy of the objective at which a simplex ends. [1]
    most_evaluations : int
        Evaluations allowed, per choice of the window.

    Returns
    -------
    Optimum
        Parameters, exact key, evaluations, convergence.

    Raises
    ------
    InputError
        If a name is unknown, or a fixed value or bound cannot be met.

    Notes
    -----
    Nelder-Mead with coefficients that depend on the dimension [1]_, in coordinates without constraints (logarithms of
    odds in intervals, of ratios in a simplex), from several starts; the best is restarted until that gains nothing.
    The objective is not clamped at zero, so that a start without a key still finds its way.

    A window is searched over a coarse grid, then by halving steps around its best point, every choice starting from
    the optimum of the last.

    References
    ----------
    .. [1] F. Gao, L. Han, "Implementing the Nelder-Mead simplex algorithm with adaptive parameters",
       Comput. Optim. Appl. 51, 259 (2012).

    Examples
    --------
    >>> optimum = best("lim2014", fixed={"transmittance": [5e-4] * 200, "pulses_per_slot": 1e8, "p_extraneous": 5e-7,
    ...     "qber_intrinsic": 0.005, "intensity_probabilities": (0.8, 0.15, 0.05)})
    >>> optimum.converged, 0.6 < optimum.parameters["intensities"][0] < 0.8, optimum.key.key_bits > 1_000_000
    (True, True, True)
    """
    chosen = _analysis(analysis)
    names = {parameter.name for parameter in chosen.parameters}
    own = {name: value for name, value in fixed.items() if name in names}
    problem = chosen.prepare({name: value for name, value in fixed.items() if name not in names})
    table = _table(chosen.parameters, own, bounds or {})
    runner = _Runner(chosen, problem, table, tolerance, float(most_evaluations))
    first = None
    if start is not None:
        given = dict(start.parameters if isinstance(start, Optimum) else start)
        first = _values(chosen.parameters, given)
    found = runner.over_choices(first) if problem.choices else runner.at(None, first)
    value, point, choice = found
    parameters = _named(chosen.parameters, point)
    return Optimum(
        parameters=parameters if choice is None else {**parameters, problem.choice_name: choice},
        key=problem.report(parameters, choice),
        evaluations=int(runner.evaluations),
        converged=runner.converged,
        objective_bits=value,
    )


def _analysis(analysis: Analysis | str | Callable[..., Any]) -> Analysis:
    if not isinstance(analysis, str) and hasattr(analysis, "prepare"):
        return analysis  # type: ignore[return-value]
    name = analysis if isinstance(analysis, str) else f"{analysis.__module__}.{getattr(analysis, '__qualname__', '')}"
    if name not in ANALYSES:
        raise InputError(f"analysis = {name!r}: must be one of {', '.join(n for n in ANALYSES if '.' not in n)}")
    module, class_name = ANALYSES[name]
    made: Analysis = getattr(importlib.import_module(module), class_name)()
    return made


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


def _table(
    parameters: tuple[Parameter, ...], own: Mapping[str, Any], bounds: Mapping[str, Any]
) -> NDArray[np.float64]:
    """Rows for :func:`satqkd.security._search.decode`."""
    values, ranges = _spread(parameters, own, "fixed"), _spread(parameters, bounds, "bounds")
    table = np.full((len(parameters), 6), -1.0)
    for i, (parameter, value, ends) in enumerate(zip(parameters, values, ranges, strict=True)):
        label = parameter.name if parameter.place is None else f"{parameter.name}[{parameter.place}]"
        if value is None and ends is None and parameter.default is not None:
            value = parameter.default
        if value is not None:
            if not math.isfinite(float(value)):
                raise InputError(f"fixed: {label} = {value!r} is not a number")
            table[i, :3] = 0.0, float(value), float(value)
            table[i, 3] = -2.0 if parameter.kind == "simplex" else -1.0
        elif parameter.kind == "simplex":
            if ends is not None:
                raise InputError(f"bounds: {label} is one of several that add up to 1: it can be fixed, not bounded")
            table[i, 0] = 2.0
        else:
            lower, upper = (parameter.lower, parameter.upper) if ends is None else map(float, ends)
            if not parameter.lower <= lower < upper <= max(parameter.upper, lower):
                raise InputError(
                    f"bounds: {label} from {lower:g} to {upper:g}: must be within {parameter.lower:g} to "
                    f"{parameter.upper:g} and ascending"
                )
            table[i, :3] = 1.0, lower, upper
            if parameter.below is not None:
                table[i, 3], table[i, 4] = parameter.below
                other = parameter.together_below
                if other is not None and (other < i or table[other, 0] == 0.0 or values[other] is not None
                                          or (ranges[other] is None and parameters[other].default is not None)):
                    table[i, 5] = other
    _make_room(parameters, table)
    members = [i for i, parameter in enumerate(parameters) if parameter.kind == "simplex"]
    free = [i for i in members if table[i, 0] == 2.0]
    rest = 1.0 - math.fsum(table[i, 1] for i in members if table[i, 0] == 0.0)
    if free:
        if not rest > 0.0:
            raise InputError(f"fixed: {parameters[free[0]].name} leaves nothing for the members that are not fixed")
        table[free[-1], 5] = 0.0
    return table


def _make_room(parameters: tuple[Parameter, ...], table: NDArray[np.float64]) -> None:
    """Raise the lower end of a limiting parameter so that those it limits keep room."""
    for i in reversed(range(len(parameters))):
        limit = parameters[i].below
        if limit is None or table[limit[0], 0] != 1.0:
            continue
        needed = table[i, 1] / limit[1]
        other = parameters[i].together_below
        if other is not None:
            needed = max(needed, table[i, 1] + table[other, 1])
        row = table[limit[0]]
        row[1] = max(row[1], needed * (1.0 + 1e-9))
        if not row[1] < row[2]:
            raise InputError(
                f"{parameters[limit[0]].name}: no room between {row[1]:g} (needed by another parameter) and {row[2]:g}"
            )


def _values(parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> FloatArray:
    names = {parameter.name for parameter in parameters}
    entries = _spread(parameters, {k: v for k, v in given.items() if k in names}, "start")
    return np.array([math.nan if entry is None else float(entry) for entry in entries])


def _named(parameters: tuple[Parameter, ...], point: FloatArray) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for parameter, value in zip(parameters, point.tolist(), strict=True):
        if parameter.place is None:
            named[parameter.name] = value
        else:
            named[parameter.name] = (*named.get(parameter.name, ()), value)
    return named


def _encode(values: FloatArray, default: FloatArray, table: NDArray[np.float64]) -> FloatArray:
    """Coordinates of values (or of the default where there is none), moved inside the intervals."""
    point = np.where(np.isnan(values), default, values)
    free = [i for i in range(point.size) if table[i, 0] == 2.0]
    last = point[free[-1]] if free else 1.0
    coordinates = []
    for i in range(point.size):
        kind, lower, upper, limit, factor, other = table[i]
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
            coordinates.append(math.log(max(point[i], 1e-9) / max(last, 1e-9)))
    return np.array(coordinates)


class _Runner:
    """Searches of one problem; adds up the evaluations."""

    def __init__(
        self, analysis: Analysis, problem: Problem, table: NDArray[np.float64], tolerance: float, most: float
    ) -> None:
        self._problem, self._table = problem, table
        self._tolerance, self._most = tolerance, most
        defaults = [np.asarray(start, float) for start in analysis.starts]
        self._default = defaults[0]
        self._cold = np.array([_encode(start, start, table) for start in defaults])
        self.evaluations = 0.0
        self.converged = False

    def at(self, choice: float | None, start: FloatArray | None) -> tuple[float, FloatArray, float | None]:
        data = self._problem.data(choice)
        found = None
        if start is not None:
            warm = _encode(start, self._default, self._table)[np.newaxis, :]
            found = self._search(warm, 0.15, data)
        if found is None or not found[0] > 0.0:
            cold = self._search(self._cold, 0.6, data)
            found = cold if found is None or cold[0] > found[0] else found
        value, point, self.converged = found
        return value, point, choice

    def _search(self, starts: FloatArray, step: float, data: FloatArray) -> tuple[float, FloatArray, bool]:
        from satqkd.security._search import decode, search

        objective, point = self._problem.objective, np.empty(len(self._table))
        starts = np.array(starts, order="C")  # overwritten
        if starts.shape[1] == 0:
            decode(np.zeros(0), self._table, point)
            self.evaluations += 1.0
            return float(objective(point, data)), point, True
        run = search if hasattr(objective, "py_func") else search.py_func
        value, used, done = run(
            objective, starts, step, self._tolerance, self._most, self._table, data, point
        )
        self.evaluations += used
        decode(starts[0], self._table, point)
        return float(value), point, done > 0.0

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
