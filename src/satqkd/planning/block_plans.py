"""Plans of a scenario for the most finite key, and what the plan for the most asymptotic key promises too much."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError
from satqkd.orbit.build import to_datetime64
from satqkd.planning.blocks import KeyOf, best_runs, best_times, block_keys, pooled_ascent, split_windows
from satqkd.planning.evaluate import interval_bits
from satqkd.planning.single import IDLE, best_assignment
from satqkd.scenario.model import Scenario
from satqkd.security._lim2014 import Setup, asymptotic_limit, check
from satqkd.security.additive_bound import additive_upper_bound, key_of_counts
from satqkd.security.evaluate import analysis_options
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["POOLING", "plan_blocks"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_ANALYSIS = (
    "intensities",
    "intensity_probabilities",
    "eps_correctness",
    "eps_secrecy",
    "bound",
    "sampling",
    "leakage",
    "f_ec",
)


@dataclass(frozen=True, slots=True)
class _Mission:
    """What the planners need of a scenario and its link."""

    interval: Indices
    bits: Floats  # asymptotic key of the same analysis, (n_intervals, n_stations)
    counts: Floats  # expected, (n_intervals, n_stations, 4, 3)
    transmittance: Floats  # by sample, (n_stations, n_times), NaN where not to be used
    noise: Floats
    row_of_time: Indices  # row of `interval` of each time
    samples_per_interval: int
    switch_intervals: int
    options: dict[str, Any]
    setup: Setup

    def raw_key_of(self, counts: Floats) -> float:
        return key_of_counts(counts, self.setup)

    def key_of(self, counts: Floats) -> float:
        return float(max(math.floor(key_of_counts(counts, self.setup)), 0))

    def sample_counts(self, transmittance: Floats, noise: Floats) -> Floats:
        """Expected counts of some samples, shape (4, 3)."""
        from satqkd.detection.weak_pulse import expected_counts

        arguments = {k: v for k, v in self.options.items() if k not in _ANALYSIS or k.startswith("intensit")}
        found = expected_counts(transmittance, p_extraneous=noise, **arguments)
        return np.array([found.n_key, found.n_test, found.m_key, found.m_test])


def _read(scenario: Scenario, link: xr.Dataset) -> _Mission:
    """Arrays of the only satellite."""
    if link.sizes["satellite"] != 1:
        raise InputError(f"plans for finite keys: the link has {link.sizes['satellite']} satellites, must have one")
    options = analysis_options(scenario)
    interval, _ = interval_bits(scenario, link)
    length_ns = round(scenario.planning.interval * 1e9)
    index = (link.time.values - to_datetime64(scenario.study.start)).astype(np.int64) // length_ns
    used = link.pass_number.values[:, 0] >= 0
    if "usable" in link:
        used &= link.usable.values[:, 0]
    protocol = scenario.protocol
    setup = check(
        protocol.intensities,
        protocol.intensity_probabilities,
        protocol.eps_correctness,
        protocol.eps_secrecy,
        1,
        protocol.bound,
        protocol.sampling,
        protocol.leakage,
        protocol.f_ec,
    )
    mission = _Mission(
        interval,
        np.zeros((len(interval), len(link.station))),
        np.zeros((len(interval), len(link.station), 4, 3)),
        np.where(used, link.transmittance.values[:, 0], np.nan),
        link.p_noise.values[:, 0] / 2.0,
        np.searchsorted(interval, index),
        max(round(scenario.planning.interval / scenario.study.step), 1),
        scenario.planning.switch_intervals,
        options,
        setup,
    )
    limit = asymptotic_limit(setup)
    for n, eta in enumerate(mission.transmittance):
        valid = np.flatnonzero(np.isfinite(eta))
        rows = mission.row_of_time[valid]
        for row, first in zip(*np.unique(rows, return_index=True), strict=True):
            samples = valid[first : first + np.count_nonzero(rows == row)]
            mission.counts[row, n] = mission.sample_counts(eta[samples], mission.noise[n, samples])
            mission.bits[row, n] = max(key_of_counts(mission.counts[row, n], limit), 0.0)
    return mission


def _ceilings(mission: _Mission, rows: slice) -> list[Floats]:
    """For each station, the most key that a block of 0, 1, 2, ... intervals of the window can have.

    The best samples come first, and the best transmittances meet the lowest noise: no other choice of as many
    samples has more key, as a key grows with each transmittance and falls with each noise.
    """
    ceilings = []
    inside = (mission.row_of_time >= rows.start) & (mission.row_of_time < rows.stop)
    for eta, noise in zip(mission.transmittance[:, inside], mission.noise[:, inside], strict=True):
        valid = np.isfinite(eta)
        best, quiet = -np.sort(-eta[valid]), np.sort(noise[valid])
        total = np.zeros((4, 3))
        bits = [0.0]
        for first in range(0, len(best), mission.samples_per_interval):
            part = slice(first, first + mission.samples_per_interval)
            total = total + mission.sample_counts(best[part], quiet[part])
            bits.append(mission.key_of(total))
        ceilings.append(np.maximum.accumulate(bits))
    return ceilings


def _by_pass(mission: _Mission) -> tuple[Indices, float]:
    """Blocks of one window each: windows do not depend on each other."""
    plan = np.full(len(mission.interval), IDLE, dtype=np.int64)
    bound = 0.0
    for rows in split_windows(mission.interval, mission.switch_intervals):
        ceilings = _ceilings(mission, rows)
        amounts = mission.counts[rows]
        runs = best_runs(amounts, mission.key_of, ceilings=ceilings, switch_intervals=mission.switch_intervals)
        choices = [runs.assignment, _ascent(mission, rows, mission.bits[rows])]
        keys = [float(block_keys(choice, amounts, mission.key_of).sum()) for choice in choices]
        plan[rows] = choices[int(np.argmax(keys))]
        by_time = best_times(ceilings, n_intervals=len(amounts), switch_intervals=mission.switch_intervals)
        bound += max(min(by_time, _additive_bound(mission, rows)), *keys)
    return plan, bound


def _ascent(mission: _Mission, rows: slice, start: Floats) -> Indices:
    """Plan of these rows whose blocks take all of them."""
    return pooled_ascent(
        mission.counts[rows],
        mission.key_of,
        interval=mission.interval[rows],
        start=start,
        switch_intervals=mission.switch_intervals,
        raw_key_of=mission.raw_key_of,
    )


def _additive_bound(mission: _Mission, rows: slice) -> float:
    """Bound of a plan of these rows, from bits per interval that no block of them can exceed."""
    amounts = mission.counts[rows]
    analysis = {name: mission.options[name] for name in _ANALYSIS}
    share = np.zeros(amounts.shape[:2])
    for n in range(amounts.shape[1]):
        seen = amounts[:, n].any(axis=(1, 2))
        share[seen, n] = np.maximum(additive_upper_bound(amounts[seen, n], **analysis)[0], 0.0)
    plan = best_assignment(share, interval=mission.interval[rows], switch_intervals=mission.switch_intervals)
    total = float(share[plan >= 0, plan[plan >= 0]].sum())
    # whoever has a key pays the constants once
    return max(total - mission.setup.constants, 0.0)


def _by_station(mission: _Mission) -> tuple[Indices, float]:
    """Blocks that take all that a station gets."""
    everything = slice(0, len(mission.interval))
    by_pass = _by_pass(mission)[0][:, np.newaxis] == np.arange(mission.bits.shape[1])
    starts = [mission.bits, np.where(by_pass, mission.bits, 0.0)]
    plans = [_ascent(mission, everything, start) for start in starts]
    keys = [block_keys(plan, mission.counts, mission.key_of).sum() for plan in plans]
    best = int(np.argmax(keys))
    return plans[best], max(_additive_bound(mission, everything), float(keys[best]))


POOLING: Mapping[str, Callable[[_Mission], tuple[Indices, float]]] = MappingProxyType(
    {"pass": _by_pass, "station": _by_station}
)
"""What a block is: what a station gets in one pass, or in all passes of the plan."""


def plan_blocks(scenario: Scenario, link: xr.Dataset, *, pooling: str = "pass") -> xr.Dataset:
    """Plan of one satellite for the most finite key, with a bound, next to the plan for the most asymptotic key.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    link : xarray.Dataset
        Output of the link stage with ``rate_asymptotic``.
    pooling : {"pass", "station"}
        Whether a key is made from each pass of a station by itself, or from all its passes of the plan together.

    Returns
    -------
    xarray.Dataset
        ``assigned`` by interval; by station the finite key of this plan (``block_key_bits``), and of the additive plan
        what it promises (``promised_bits``) and the finite key it ends with (``additive_key_bits``). Attributes
        ``value``, ``bound`` and ``gap`` = (bound - value) / bound.

    Raises
    ------
    InputError
        If there is more than one satellite, or ``pooling`` is unknown.

    Notes
    -----
    The bound for ``pass`` is the smaller one of two for each window: the most key for any division of its time
    (:func:`satqkd.planning.blocks.best_times`), and an exact plan with
    :func:`satqkd.security.additive_bound.additive_upper_bound`; for ``station`` the second. The first takes for granted
    that a key grows with each sample's transmittance and falls with its noise. Expected counts throughout: what a pass
    really gives varies.
    """
    import xarray as xr

    if pooling not in POOLING:
        raise InputError(f"pooling = {pooling!r}: must be one of {', '.join(POOLING)}")
    mission = _read(scenario, link)
    plan, bound = POOLING[pooling](mission)
    additive = best_assignment(mission.bits, interval=mission.interval, switch_intervals=mission.switch_intervals)
    names = link.station.values
    served = additive >= 0
    promised = np.bincount(additive[served], mission.bits[served, additive[served]], len(names))
    key_bits = _keys(mission, plan, pooling)
    length = np.timedelta64(round(scenario.planning.interval * 1e9), "ns")
    value = float(key_bits.sum())
    dataset = xr.Dataset(
        {
            "assigned": ("interval", np.array(["idle", *names], dtype=object)[np.maximum(plan, IDLE) + 1]),
            "block_key_bits": ("station", key_bits),
            "promised_bits": ("station", promised),
            "additive_key_bits": ("station", _keys(mission, additive, pooling)),
        },
        coords={
            "station": link.station.variable,
            "interval": mission.interval,
            "interval_start": ("interval", to_datetime64(scenario.study.start) + mission.interval * length),
        },
        attrs={"pooling": pooling, "value": value, "bound": bound, "gap": (bound - value) / bound if bound else 0.0},
    )
    return describe(dataset)


def _keys(mission: _Mission, plan: Indices, pooling: str) -> Floats:
    """Finite key of each station under a plan."""
    key_of: KeyOf = mission.key_of
    if pooling == "station":
        return block_keys(plan, mission.counts, key_of)
    windows = split_windows(mission.interval, mission.switch_intervals)
    parts = [block_keys(plan[rows], mission.counts[rows], key_of) for rows in windows]
    return np.sum(parts, axis=0) if parts else np.zeros(mission.counts.shape[1])
