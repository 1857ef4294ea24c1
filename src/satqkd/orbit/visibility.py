"""When a satellite is visible from sites: a search that cannot miss a pass.

1. Coarse nodes (about every 20 s): a satellite farther from the site's zenith than the rim of its visibility
   cap, plus what it and the rim can move in half a node spacing, is invisible around that node. The same with
   the Sun. Both bounds are rigorous, whatever the orbit.
2. Fine samples (the caller's grid, at most 10 s apart) around the other nodes.
3. Each change of visibility between samples is bisected to 1 ms. Extrema of the margin between samples are
   refined as well, so that passes and gaps shorter than a step are found.

An instant is visible when every margin is at least 0: elevation above the mask, Sun below the threshold,
satellite inside (outside) the umbra. The returned ends of an interval are themselves visible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from satqkd.constants import EARTH_ROTATION_RAD_S, WGS72_EQUATORIAL_RADIUS_M, WGS72_GM_M3_S2
from satqkd.errors import InputError
from satqkd.orbit._search import RESOLUTION_NS, Grid, highest, make_grid
from satqkd.orbit.intervals import Intervals, Windows, common_view, union_duration_s
from satqkd.orbit.propagation import Propagator
from satqkd.orbit.site import Site
from satqkd.orbit.sun import elevation_of_rad, sun_position_ecef_m, umbra_margin_rad

__all__ = [
    "Intervals",
    "Windows",
    "common_view",
    "union_duration_s",
    "visible_intervals",
    "visible_intervals_many",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
SatelliteCondition = Literal["any", "umbra", "sunlit"]

MAX_RADIAL_SPEED_M_S: Final = math.sqrt(2.0 * WGS72_GM_M3_S2 / WGS72_EQUATORIAL_RADIUS_M)
MAX_SUN_RATE_RAD_S: Final = EARTH_ROTATION_RAD_S * 1.01


def visible_intervals(
    propagator: Propagator,
    site: Site,
    start: np.datetime64,
    end: np.datetime64,
    *,
    step_s: float = 1.0,
    darkness_threshold_rad: float | None = None,
    satellite_condition: SatelliteCondition = "any",
) -> Intervals:
    """When a satellite is visible from one site; see :func:`visible_intervals_many`."""
    return visible_intervals_many(
        propagator,
        [site],
        start,
        end,
        step_s=step_s,
        darkness_threshold_rad=darkness_threshold_rad,
        satellite_condition=satellite_condition,
    )[0]


def visible_intervals_many(
    propagator: Propagator,
    sites: Sequence[Site],
    start: np.datetime64,
    end: np.datetime64,
    *,
    step_s: float = 1.0,
    darkness_threshold_rad: float | None = None,
    satellite_condition: SatelliteCondition = "any",
) -> list[Intervals]:
    """When a satellite is visible from each of several sites, propagating it once.

    Parameters
    ----------
    propagator : Propagator
        The satellite.
    sites : sequence of Site
        The sites, each with its elevation mask.
    start, end : datetime64
        Window, UTC; ``end`` after ``start``.
    step_s : float
        Distance of the samples ``start + k step_s`` for which the result is exact: such a sample is visible
        if and only if it lies in an interval. [s] At least 1 ms. Steps above 10 s are subdivided.
    darkness_threshold_rad : float or None
        Elevation of the Sun at the site (geometric, see :data:`satqkd.orbit.sun.TWILIGHTS_RAD`) up to which
        it is night; None: by day as well. [rad]
    satellite_condition : {"any", "umbra", "sunlit"}
        ``umbra``: only while the Earth hides the whole Sun from the satellite; ``sunlit``: only while it
        does not.

    Returns
    -------
    list of Intervals
        One for each site, in order, clipped to the window. Ends are exact to 1 ms.

    Raises
    ------
    InputError
        The window is empty or inverted, the step is not positive, or the condition is unknown.

    Notes
    -----
    Features of a mask that are narrower than the satellite's change of azimuth in one step can be missed.
    """
    if satellite_condition not in ("any", "umbra", "sunlit"):
        raise InputError(f"satellite_condition must be one of any, umbra, sunlit, got {satellite_condition!r}")
    grid = make_grid(start, end, step_s)
    tests = [_Margins(propagator, site, darkness_threshold_rad, satellite_condition) for site in sites]
    found = [_Found() for _ in sites]
    for node_low, node_high in grid.blocks():
        _search_block(propagator, tests, found, grid, node_low, node_high)
    return [_assemble(test, each, grid) for test, each in zip(tests, found, strict=True)]


class _Margins:
    """Margins of one satellite and site, each at least 0 where the satellite can be used. [rad]"""

    def __init__(
        self,
        propagator: Propagator,
        site: Site,
        darkness_threshold_rad: float | None,
        condition: SatelliteCondition,
    ) -> None:
        self.propagator, self.site, self.condition = propagator, site, condition
        self.darkness_threshold_rad = darkness_threshold_rad
        self.needs_sun = darkness_threshold_rad is not None or condition != "any"
        self.limits = ["elevation"]
        self.limits += ["darkness"] if darkness_threshold_rad is not None else []
        self.limits += ["eclipse"] if condition != "any" else []

    def parts(self, position_m: FloatArray, sun_m: FloatArray | None) -> FloatArray:
        """Margins by limit, shape (number of limits, n)."""
        local_m = (position_m - self.site.position_m) @ self.site.enu.T
        elevation = np.arctan2(local_m[:, 2], np.hypot(local_m[:, 0], local_m[:, 1]))
        mask = self.site.mask
        lowest: FloatArray | float = mask.minimum_rad
        if not mask.is_constant:
            lowest = mask.at(np.arctan2(local_m[:, 0], local_m[:, 1]))
        rows = [elevation - lowest]
        if sun_m is not None and self.darkness_threshold_rad is not None:
            rows.append(self.darkness_threshold_rad - elevation_of_rad(sun_m, self.site))
        if sun_m is not None and self.condition != "any":
            depth = umbra_margin_rad(position_m, sun_m)
            rows.append(depth if self.condition == "umbra" else -depth)
        return np.stack(rows)

    def parts_at(self, times_ns: IntArray) -> FloatArray:
        times = times_ns.astype("datetime64[ns]")
        sun_m = sun_position_ecef_m(times) if self.needs_sun else None
        return self.parts(self.propagator.states_ecef(times)[0], sun_m)

    def at(self, times_ns: IntArray) -> FloatArray:
        return np.asarray(self.parts_at(times_ns).min(axis=0))

    def elevation_and_range(self, times_ns: IntArray) -> tuple[FloatArray, FloatArray]:
        position_m, _ = self.propagator.states_ecef(times_ns.astype("datetime64[ns]"))
        line_m = position_m - self.site.position_m
        range_m = np.sqrt(np.einsum("ij,ij->i", line_m, line_m))
        local_m = line_m @ self.site.enu.T
        return np.arctan2(local_m[:, 2], np.hypot(local_m[:, 0], local_m[:, 1])), range_m

    def possible(self, position_m: FloatArray, sun_m: FloatArray | None, half_s: float) -> NDArray[np.bool_]:
        """Whether the satellite can be visible within ``half_s`` of a node at all."""
        radius_m = np.linalg.norm(position_m, axis=1)
        bound_m = radius_m + MAX_RADIAL_SPEED_M_S * half_s
        if radius_m.max() <= self.propagator.max_radius_m:
            bound_m = np.minimum(bound_m, self.propagator.max_radius_m)
        site_m = float(np.linalg.norm(self.site.position_m))
        zenith = self.site.position_m / site_m
        deflection = math.acos(min(1.0, float(zenith @ self.site.up)))
        lowest = self.site.mask.minimum_rad - deflection
        rim = np.arccos(np.minimum(site_m * math.cos(lowest) / bound_m, 1.0)) - lowest
        reach = rim + self.propagator.max_angular_rate_rad_s * half_s + 1e-6
        possible = (position_m @ zenith) >= radius_m * np.cos(np.minimum(reach, math.pi))
        possible |= bound_m <= site_m
        if sun_m is not None and self.darkness_threshold_rad is not None:
            highest = self.darkness_threshold_rad + MAX_SUN_RATE_RAD_S * half_s + 1e-6
            possible &= elevation_of_rad(sun_m, self.site) <= highest
        return np.asarray(possible)


class _Found:
    """What the blocks contribute for one site: brackets of changes, and visibility at the window's ends."""

    def __init__(self) -> None:
        self.before: list[IntArray] = []
        self.after: list[IntArray] = []
        self.rising: list[NDArray[np.bool_]] = []
        self.at_start = False
        self.at_end = False

    def add(self, before: IntArray, after: IntArray, rising: NDArray[np.bool_]) -> None:
        self.before.append(before)
        self.after.append(after)
        self.rising.append(rising)


def _search_block(
    propagator: Propagator,
    tests: Sequence[_Margins],
    found: Sequence[_Found],
    grid: Grid,
    node_low: int,
    node_high: int,
) -> None:
    """Look at the cells between two nodes (and one sample before, for extrema)."""
    needs_sun = any(test.needs_sun for test in tests)
    nodes = np.minimum(np.arange(node_low, node_high + 1) * grid.spacing, grid.last)
    node_times = grid.times(nodes).astype("datetime64[ns]")
    node_position_m, _ = propagator.states_ecef(node_times)
    node_sun_m = sun_position_ecef_m(node_times) if needs_sun else None

    low, high = int(nodes[0]), int(nodes[-1])
    base = max(low - 1, 0)
    wanted = np.zeros((len(tests), high - base + 1), dtype=bool)
    for row, test in zip(wanted, tests, strict=True):
        near = test.possible(node_position_m, node_sun_m, grid.half_node_s)
        cells = near[:-1] | near[1:]
        row[low - base : high - base] = np.repeat(cells, np.diff(nodes))
        row[low - base + 1 :] |= row[low - base : -1]
        row[0] |= row[low - base]
    any_site = wanted.any(axis=0)
    index = np.flatnonzero(any_site)
    if not index.size:
        return
    times_ns = grid.times(index + base)
    times = times_ns.astype("datetime64[ns]")
    position_m, _ = propagator.states_ecef(times)
    sun_m = sun_position_ecef_m(times) if needs_sun else None
    for row, test, each in zip(wanted, tests, found, strict=True):
        chosen = np.flatnonzero(row[index])
        if chosen.size:
            margin = test.parts(position_m[chosen], None if sun_m is None else sun_m[chosen]).min(axis=0)
            _scan(test, each, grid, index[chosen] + base, times_ns[chosen], margin, low, high)


def _scan(
    test: _Margins,
    found: _Found,
    grid: Grid,
    index: IntArray,
    times_ns: IntArray,
    margin: FloatArray,
    low: int,
    high: int,
) -> None:
    """Collect the changes of visibility between samples ``low`` and ``high`` of one site."""
    visible = margin >= 0.0
    found.at_start |= bool(index[0] == 0 and visible[0])
    found.at_end |= bool(index[-1] == grid.last and visible[-1])

    adjacent = np.diff(index) == 1
    change = np.flatnonzero(adjacent & (visible[1:] != visible[:-1]) & (index[:-1] >= low))
    found.add(times_ns[change], times_ns[change + 1], visible[change + 1])

    # Extrema of the margin towards the other sign: highest invisible, lowest visible sample.
    towards = np.where(visible, -margin, margin)
    sign = np.where(visible, -1.0, 1.0)
    left_is, right_is = np.concatenate([[False], adjacent]), np.concatenate([adjacent, [False]])
    left = np.where(left_is, sign * np.roll(margin, 1), -np.inf)
    right = np.where(right_is, sign * np.roll(margin, -1), -np.inf)
    step = np.maximum(np.where(left_is, np.abs(towards - left), 0.0), np.where(right_is, np.abs(towards - right), 0.0))
    owned = (index >= low) & ((index < high) | (index == grid.last))
    peak = np.flatnonzero(owned & (towards > left) & (towards >= right) & (-towards <= 4.0 * step))
    if not peak.size:
        return
    centre_ns = times_ns[peak]
    from_ns = np.where(left_is[peak], times_ns[np.maximum(peak - 1, 0)], centre_ns)
    until_ns = np.where(right_is[peak], times_ns[np.minimum(peak + 1, index.size - 1)], centre_ns)
    direction = sign[peak]
    best_ns, _ = highest(lambda t, k: direction[k] * test.at(t), centre_ns, towards[peak], from_ns, until_ns)
    flipped = np.flatnonzero((test.at(best_ns) >= 0.0) != visible[peak])
    for k in flipped:
        middle = best_ns[k]
        before = centre_ns[k] if middle > centre_ns[k] else from_ns[k]
        after = until_ns[k] if middle > centre_ns[k] else centre_ns[k]
        rises = bool(direction[k] > 0)
        found.add(np.array([before, middle]), np.array([middle, after]), np.array([rises, not rises]))


def _assemble(test: _Margins, found: _Found, grid: Grid) -> Intervals:
    """Bisect the changes, pair them, and look for the culminations."""
    empty = np.zeros(0, dtype=np.int64)
    before = np.concatenate([empty, *found.before])
    after = np.concatenate([empty, *found.after])
    rising = np.concatenate([np.zeros(0, dtype=bool), *found.rising])
    order = np.lexsort((after, before))
    before, after, rising = before[order], after[order], rising[order]
    while before.size and (after - before).max() > RESOLUTION_NS:
        middle = (before + after) // 2
        keep_after = (test.at(middle) >= 0.0) == rising
        before, after = np.where(keep_after, before, middle), np.where(keep_after, middle, after)

    names = np.array(test.limits)
    outside = np.where(rising, before, after)
    limit = names[test.parts_at(outside).argmin(axis=0)] if outside.size else np.zeros(0, dtype="<U9")
    start_ns, end_ns = after[rising], before[~rising]
    start_limit, end_limit = limit[rising].astype("<U9"), limit[~rising].astype("<U9")
    if found.at_start:
        start_ns = np.concatenate([[grid.start_ns], start_ns])
        start_limit = np.concatenate([["window"], start_limit])
    if found.at_end:
        end_ns = np.concatenate([end_ns, [grid.end_ns]])
        end_limit = np.concatenate([end_limit, ["window"]])
    culmination_ns, elevation, range_m = _culmination(test, start_ns, end_ns)
    return Intervals(
        start=start_ns.astype("datetime64[ns]"),
        end=end_ns.astype("datetime64[ns]"),
        start_limit=start_limit,
        end_limit=end_limit,
        culmination=culmination_ns.astype("datetime64[ns]"),
        max_elevation_rad=elevation,
        min_range_m=range_m,
    )


def _culmination(test: _Margins, start_ns: IntArray, end_ns: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Instant and value of the greatest elevation, and the least distance, in each interval."""
    if not start_ns.size:
        return start_ns, np.zeros(0), np.zeros(0)
    fractions = np.linspace(0.0, 1.0, 65)
    length_ns = (end_ns - start_ns)[:, np.newaxis]
    samples = start_ns[:, np.newaxis] + np.rint(length_ns * fractions).astype(np.int64)
    samples = np.minimum(samples, end_ns[:, np.newaxis])
    rows = np.arange(start_ns.size)
    values = [each.reshape(samples.shape) for each in test.elevation_and_range(samples.ravel())]

    def refine(objective: FloatArray, column: int, sign: float) -> tuple[IntArray, FloatArray]:
        at = objective.argmax(axis=1)
        return highest(
            lambda t, _: sign * test.elevation_and_range(t)[column],
            samples[rows, at],
            objective[rows, at],
            samples[rows, np.maximum(at - 1, 0)],
            samples[rows, np.minimum(at + 1, fractions.size - 1)],
        )

    culmination_ns, elevation = refine(values[0], 0, 1.0)
    _, negative_range = refine(-values[1], 1, -1.0)
    return culmination_ns, elevation, -negative_range
