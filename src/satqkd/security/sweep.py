"""Optimised keys over one or two of an analysis' fixed arguments, every point started from its neighbours."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError
from satqkd.security._coordinates import Runner
from satqkd.security.optimise import Analysis, resolve, state

__all__ = ["KeyMap", "sweep"]

FloatArray = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
_STRIP: Final = 20
"""Rows that one thread computes one after the other; fixed, so that the number of threads does not change a bit."""
_JUMP: Final = 0.1
"""Relative difference of a parameter between neighbours from which on a point is searched from both optima."""


@dataclass(frozen=True)
class KeyMap:
    """Optimised keys over a grid.

    Attributes
    ----------
    x_name, y_name : str
        Arguments that vary along a row and from row to row.
    x, y : ndarray
        Their values, shapes (nx,) and (ny,).
    key_bits_raw : ndarray, shape (ny, nx)
        Un-clamped optimised key; negative where there is none. [bit]
    parameters : mapping of str to ndarray
        Parameters of the optimum by name, shape (ny, nx) or (ny, nx, members).
    evaluations : int
        Evaluations of the objective in all.
    """

    x_name: str
    y_name: str
    x: FloatArray
    y: FloatArray
    key_bits_raw: FloatArray
    parameters: Mapping[str, FloatArray]
    evaluations: int

    @property
    def key_bits(self) -> FloatArray:
        """Key of every point: whole bits, 0 where there is none. [bit]"""
        return np.maximum(np.floor(self.key_bits_raw), 0.0)


def sweep(
    analysis: Analysis | str | Callable[..., Any],
    *,
    fixed: Mapping[str, Any],
    x: tuple[str, Sequence[float]],
    y: tuple[str, Sequence[float]] | None = None,
    bounds: Mapping[str, Any] | None = None,
    tolerance: float = 1e-4,
    threads: int = 0,
    progress: Progress | None = None,
) -> KeyMap:
    """Optimise every point of a grid.

    Parameters
    ----------
    analysis : Analysis, str or callable
        As in :func:`satqkd.security.optimise.best`; its objective must be the un-clamped key itself where there is a
        key (``variable-length``: counts expected, program reduced).
    fixed : mapping
        Arguments that are the same at every point.
    x, y : tuple of (str, sequence of float)
        Argument and values that vary along a row, and from row to row; neighbouring values should be close.
    bounds : mapping, optional
        As in :func:`satqkd.security.optimise.best`.
    tolerance : float
        Relative accuracy at which a search ends. [1]
    threads : int
        Threads; 0: one per core. The result does not depend on it.
    progress : callable, optional
        Called with stage, points done, points in total.

    Returns
    -------
    KeyMap
        Keys and parameters.

    Raises
    ------
    InputError
        If an argument is unknown or outside its range, or a grid is empty.

    Notes
    -----
    A point starts from whichever of its neighbours' optima gives the longer key there; only the first of every strip
    of rows starts cold. The optimum jumps where another set of constraints of the linear programs becomes active, so
    that a second round goes the other way and searches again wherever a neighbour's parameters beat those found or are
    far from them. Keys stay within 1e-4 of those of :func:`satqkd.security.optimise.best` but next to such a jump,
    where they may be 1e-3 below.

    Examples
    --------
    >>> link = {"receiver": "active", "pulses": 1e12, "misalignment": 0.005, "p_noise": 1e-7}
    >>> found = sweep("variable-length", fixed=link, x=("transmittance", [1e-4, 9e-5, 8e-5]))
    >>> found.key_bits.shape, bool((np.diff(found.key_bits_raw) < 0).all())
    ((1, 3), True)
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    x_name, xs = x[0], np.asarray(x[1], float).ravel()
    y_name, ys = ("", np.zeros(1)) if y is None else (y[0], np.asarray(y[1], float).ravel())
    if xs.size == 0 or ys.size == 0:
        raise InputError("sweep: a grid needs at least one value along each axis")
    if x_name == y_name:
        raise InputError(f"sweep: {x_name} cannot vary along both axes")
    arguments = [{y_name: float(value)} if y is not None else {} for value in ys]
    corners = [{**fixed, x_name: float(a), **row} for a in (xs[0], xs[-1]) for row in (arguments[0], arguments[-1])]
    for corner in corners:  # a mistake is found before anything is computed
        state(resolve(analysis, corner), corner, bounds or {})
    made = resolve(analysis, corners[0])
    value = np.full((ys.size, xs.size), -math.inf)
    point = np.empty((ys.size, xs.size, len(made.parameters)))
    done, counted = 0, 0.0

    def strip(first: int) -> float:
        used = 0.0
        for j in range(first, min(first + _STRIP, ys.size)):
            row = _Row(made, {**fixed, **arguments[j]}, x_name, xs, bounds or {}, tolerance)
            above = point[j - 1] if j > first else None
            row.search(value[j], point[j], above)
            used += row.evaluations
        return used

    starts = range(0, ys.size, _STRIP)
    with ThreadPoolExecutor(min(threads or os.cpu_count() or 1, len(starts))) as pool:
        for future in as_completed([pool.submit(strip, first) for first in starts]):
            counted += future.result()
            done = min(done + _STRIP * xs.size, value.size)
            if progress is not None:
                progress("points", done, value.size)
    places: dict[str, list[int]] = {}
    for index, parameter in enumerate(made.parameters):
        places.setdefault(parameter.name, []).append(index)
    single = {parameter.name for parameter in made.parameters if parameter.place is None}
    parameters = {name: point[..., at[0] if name in single else at] for name, at in places.items()}
    return KeyMap(x_name, y_name, xs, ys, value, parameters, int(counted))


class _Row:
    """Searches of one row of the grid."""

    def __init__(
        self,
        analysis: Analysis,
        fixed: Mapping[str, Any],
        name: str,
        xs: FloatArray,
        bounds: Mapping[str, Any],
        tolerance: float,
    ) -> None:
        self._runners, self._data, self._objectives = [], [], []
        for x in xs.tolist():
            problem, table = state(analysis, {**fixed, name: x}, bounds)
            self._runners.append(Runner(analysis, problem, table, tolerance, 20_000.0))
            self._data.append(problem.data(None))
            self._objectives.append(problem.objective)

    @property
    def evaluations(self) -> float:
        """Evaluations of all points."""
        return sum(runner.evaluations for runner in self._runners)

    def search(self, value: FloatArray, point: FloatArray, above: FloatArray | None) -> None:
        """Fill ``value`` and ``point``, from the left and from ``above``, then once more from the right."""
        for i in range(value.size):
            near = [point[i - 1]] if i > 0 else []
            if above is not None:
                near.append(above[i])
            if not near:
                value[i], point[i], _ = self._runners[i].at(None, None)
            else:
                value[i], point[i], _ = self._runners[i].near(max(near, key=lambda p: self._at(i, p)), self._data[i])
        for i in range(value.size - 2, -1, -1):
            apart = float(np.max(np.abs(point[i] - point[i + 1]) / np.maximum(point[i + 1], 1e-12)))
            if apart > _JUMP or self._at(i, point[i + 1]) > value[i]:
                better = self._runners[i].near(point[i + 1], self._data[i])
                if better[0] > value[i]:
                    value[i], point[i], _ = better

    def _at(self, index: int, point: FloatArray) -> float:
        self._runners[index].evaluations += 1.0
        return float(self._objectives[index](point, self._data[index]))
