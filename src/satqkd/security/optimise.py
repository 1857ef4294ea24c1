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
from satqkd.security._coordinates import Runner, make_table, named, values_of

__all__ = ["ANALYSES", "Analysis", "Optimum", "Parameter", "Problem", "best"]

FloatArray = NDArray[np.float64]
Objective = Callable[[FloatArray, FloatArray], float]

ANALYSES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "lim2014": ("satqkd.security.lim2014_analysis", "Lim2014"),
        "lim2014-standard": ("satqkd.security.lim2014_analysis", "Lim2014Standard"),
        "satqkd.security.lim2014.key_length": ("satqkd.security.lim2014_analysis", "Lim2014"),
        "satqkd.security.lim2014_variants.standard_key_length": (
            "satqkd.security.lim2014_analysis",
            "Lim2014Standard",
        ),
        "variable-length": ("satqkd.security.variable_length_analysis", "VariableLength"),
        "satqkd.security.variable_length.key_length": ("satqkd.security.variable_length_analysis", "VariableLength"),
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
    more_pulses : callable or None
        ``more_pulses(choice, factor)`` -> the data with so many times the pulses. Where there is no key at all the
        parameters reported are those that give one with the fewest of 100, 10^4 or 10^8 times as many pulses: the
        un-clamped optimum there sends next to nothing and tells nobody what is missing.
    """

    objective: Objective
    data: Callable[[float | None], FloatArray]
    report: Callable[[Mapping[str, Any], float | None], Any]
    choices: Sequence[float] = ()
    choice_name: str = ""
    more_pulses: Callable[[float | None, float], FloatArray] | None = None


class Analysis(Protocol):
    """What :func:`best` needs to know.

    It may have two more members: ``tolerance``, the relative accuracy at which a simplex ends (1e-10 if there is none),
    and ``for_fixed(fixed)``, which gives the analysis for what is fixed, if its parameters depend on that.
    """

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
        Largest un-clamped key that the optimiser found, in its own arithmetic. [bit]
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
    tolerance: float | None = None,
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
    tolerance : float, optional
        Relative accuracy of the objective at which a simplex ends; the analysis' own if not given. [1]
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
    chosen = resolve(analysis, fixed)
    problem, table = state(chosen, fixed, bounds or {})
    accuracy = getattr(chosen, "tolerance", 1e-10) if tolerance is None else tolerance
    runner = Runner(chosen, problem, table, accuracy, float(most_evaluations))
    first = None
    if start is not None:
        given = dict(start.parameters if isinstance(start, Optimum) else start)
        first = values_of(chosen.parameters, given)
    found = runner.over_choices(first) if problem.choices else runner.at(None, first)
    value, point, choice = found
    if not value > 0.0:
        point = runner.nearest_to_a_key(choice, point)
    parameters = named(chosen.parameters, point)
    return Optimum(
        parameters=parameters if choice is None else {**parameters, problem.choice_name: choice},
        key=problem.report(parameters, choice),
        evaluations=int(runner.evaluations),
        converged=runner.converged,
        objective_bits=value,
    )


def resolve(analysis: Analysis | str | Callable[..., Any], fixed: Mapping[str, Any]) -> Analysis:
    """Look up an analysis by name or key-length function, and make it fit what is ``fixed``."""
    made: Any
    if not isinstance(analysis, str) and hasattr(analysis, "prepare"):
        made = analysis
    else:
        named = (
            analysis if isinstance(analysis, str) else f"{analysis.__module__}.{getattr(analysis, '__qualname__', '')}"
        )
        if named not in ANALYSES:
            raise InputError(f"analysis = {named!r}: must be one of {', '.join(n for n in ANALYSES if '.' not in n)}")
        module, class_name = ANALYSES[named]
        made = getattr(importlib.import_module(module), class_name)()
    found: Analysis = made.for_fixed(fixed) if hasattr(made, "for_fixed") else made
    return found


def state(
    analysis: Analysis, fixed: Mapping[str, Any], bounds: Mapping[str, Any]
) -> tuple[Problem, NDArray[np.float64]]:
    """State the problem of an analysis.

    Parameters
    ----------
    analysis : Analysis
        As :func:`resolve` gives it.
    fixed, bounds : mapping
        As in :func:`best`.

    Returns
    -------
    tuple of (Problem, ndarray)
        What is left to vary, and the table of its coordinates.

    Raises
    ------
    InputError
        If a name is unknown, or a fixed value or bound cannot be met.
    """
    names = {parameter.name for parameter in analysis.parameters}
    own = {name: value for name, value in fixed.items() if name in names}
    problem = analysis.prepare({name: value for name, value in fixed.items() if name not in names})
    return problem, make_table(analysis.parameters, own, bounds)
