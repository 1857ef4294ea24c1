"""What a report needs of a run, so that this package does not depend on the one that makes runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from satqkd.plot.select import best_passes

if TYPE_CHECKING:
    import xarray as xr

    from satqkd.scenario import Scenario

__all__ = ["Run", "Totals", "best_of_stations", "heading", "reason_groups", "station_names"]


class Run(Protocol):
    """A finished run: its scenario, the tables of its stages, and where they come from."""

    @property
    def scenario(self) -> Scenario:
        """Its scenario."""

    @property
    def passes(self) -> xr.Dataset:
        """Table of the passes."""

    @property
    def link(self) -> xr.Dataset:
        """Table of the link stage."""

    @property
    def keys(self) -> xr.Dataset:
        """Table of the keys."""

    @property
    def schedule(self) -> xr.Dataset:
        """Table of the schedule."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Version, hash, wall times, citations, warnings, security of the mission."""


class Totals:
    """Sums over a run.

    Parameters
    ----------
    run : Run
        A finished run.

    Attributes
    ----------
    finite_bits, asymptotic_bits, delivered_bits : float
        Keys of all passes, and what the schedule delivers (asymptotic). [bit]
    passes, passes_with_key : int
        Number of passes, and of those with a finite key.
    duration_s : float
        Length of all passes. [s]
    """

    def __init__(self, run: Run) -> None:
        keys = run.keys
        self.finite_bits = float(keys["key_bits"].values.sum())
        self.asymptotic_bits = float(keys["key_bits_asymptotic"].values.sum())
        self.delivered_bits = float(run.schedule["delivered_bits"].values.sum())
        self.passes = int(run.passes.sizes["pass"])
        self.passes_with_key = int((keys["key_bits"].values > 0).sum())
        self.duration_s = float(run.passes["duration_s"].values.sum())


def heading(run: Run) -> str:
    """Title of the scenario, or else its name."""
    return run.scenario.title or run.scenario.name


def station_names(run: Run) -> list[str]:
    """Stations in the order of the scenario."""
    return [station.name for station in run.scenario.stations]


def best_of_stations(run: Run) -> list[tuple[str, int]]:
    """Each station that has a pass, with the number of its best one."""
    station = run.keys["station"].values.astype(str)
    order = best_passes(run.keys)
    found = ((name, order[station[order] == name]) for name in station_names(run))
    return [(name, int(numbers[0])) for name, numbers in found if len(numbers)]


def reason_groups(keys: xr.Dataset) -> list[tuple[str, list[int]]]:
    """Passes without a finite key by the code before the colon of their reason, in each the closest to a key first."""
    groups: dict[str, list[int]] = {}
    margin = np.nan_to_num(keys["margin_db"].values.astype(float), nan=-np.inf)
    for number in np.argsort(-margin, kind="stable"):
        reason = str(keys["reason"].values[number])
        if keys["key_bits"].values[number] <= 0:
            groups.setdefault(reason.partition(":")[0].strip() or "no reason given", []).append(int(number))
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
