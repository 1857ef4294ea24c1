"""The closest that a satellite comes to standing in the sky of two stations at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.orbit._search import highest, make_grid
from satqkd.orbit.frames import look_angles
from satqkd.orbit.propagation import Propagator
from satqkd.orbit.site import Site

__all__ = ["ClosestApproach", "closest_approach"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_STEP_S: Final = 10.0
_SLACK_RAD: Final = 0.12
"""More than an elevation can rise in half a step (1.1 deg/s overhead at 400 km)."""


@dataclass(frozen=True)
class ClosestApproach:
    """Where the lower of two elevations is highest.

    Attributes
    ----------
    time : datetime64
        Instant, UTC.
    elevation_a_rad, elevation_b_rad : float
        Geometric elevations at both stations, negative below the horizon. [rad]
    """

    time: np.datetime64
    elevation_a_rad: float
    elevation_b_rad: float

    @property
    def lower_rad(self) -> float:
        """The lower of both elevations. [rad]"""
        return min(self.elevation_a_rad, self.elevation_b_rad)


def _elevations(propagator: Propagator, sites: tuple[Site, Site], times_ns: Integers) -> tuple[Array, Array]:
    states = propagator.states_ecef(times_ns.astype("M8[ns]"))
    a, b = (look_angles(*states, site).elevation_rad for site in sites)
    return a, b


def closest_approach(
    propagator: Propagator, site_a: Site, site_b: Site, start: np.datetime64, end: np.datetime64
) -> ClosestApproach:
    """Find the instant at which the lower of a satellite's elevations at two stations is highest.

    Parameters
    ----------
    propagator : Propagator
        The satellite.
    site_a, site_b : Site
        The stations; their masks do not matter.
    start, end : datetime64
        Window, UTC; ``end`` after ``start``.

    Returns
    -------
    ClosestApproach
        To 0.1 ms.

    Raises
    ------
    InputError
        If the window is empty or inverted.
    """
    sites = (site_a, site_b)
    grid = make_grid(start, end, _STEP_S)

    def lower(times_ns: Integers, _: Integers) -> Array:
        return np.minimum(*_elevations(propagator, sites, times_ns))

    found = [
        highest(lower, times, values, np.maximum(times - grid.step_ns, grid.start_ns),
                np.minimum(times + grid.step_ns, grid.end_ns))
        for times, values in _candidates(grid.times(np.arange(grid.last + 1)), lower)
    ]  # fmt: skip
    times, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
    best = times[np.argmax(values)][np.newaxis]
    a, b = _elevations(propagator, sites, best)
    return ClosestApproach(best.astype("M8[ns]")[0], float(a[0]), float(b[0]))


def _candidates(times_ns: Integers, lower: Callable[[Integers, Integers], Array]) -> Iterator[tuple[Integers, Array]]:
    """Samples that no neighbour exceeds and that could lead to the highest, in blocks."""
    block = 20_000
    none = np.empty(0, np.int64)
    for first in range(0, times_ns.size, block):
        own = times_ns[first : first + block + 2]
        values = lower(own, none)
        padded = np.pad(values, 1, constant_values=-np.inf)
        peak = (values >= padded[:-2]) & (values >= padded[2:]) & (values >= values.max() - _SLACK_RAD)
        yield own[peak], values[peak]
