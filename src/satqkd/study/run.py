"""From a scenario to a result: all stages in order."""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from satqkd._version import __version__
from satqkd.errors import SatqkdWarning
from satqkd.scenario.load import load_scenario
from satqkd.scenario.model import Scenario
from satqkd.study.result import RunResult

__all__ = ["STAGES", "attributes", "compute_keys", "compute_link", "compute_passes", "run"]

STAGES = ("passes", "link", "keys", "schedule")
"""Stages in the order they run."""

Progress = Callable[[str, int, int], None]


def attributes(scenario: Scenario) -> dict[str, Any]:
    """What identifies the origin of a data file; the same scenario gives the same."""
    return {
        "title": scenario.title or scenario.name,
        "source": f"satqkd {__version__}",
        "scenario": scenario.to_json(),
        "scenario_hash": scenario.hash,
        "seed": scenario.study.seed,
    }


def compute_passes(scenario: Scenario) -> Any:
    """The passes stage; see :func:`satqkd.orbit.passes.find_passes`."""
    from satqkd.orbit.passes import find_passes

    return find_passes(scenario)


def compute_link(scenario: Scenario, passes: Any) -> Any:
    """The link stage with the asymptotic rate at every step."""
    from satqkd.channel.evaluate import evaluate
    from satqkd.security.evaluate import add_asymptotic_rate

    return add_asymptotic_rate(scenario, evaluate(scenario, passes))


def compute_keys(scenario: Scenario, passes: Any, link: Any) -> Any:
    """The key stage; see :func:`satqkd.security.evaluate.evaluate`."""
    from satqkd.security.evaluate import evaluate

    return evaluate(scenario, passes, link)


def compute_schedule(scenario: Scenario, link: Any) -> Any:
    """The schedule stage; see :func:`satqkd.planning.evaluate.evaluate`."""
    from satqkd.planning.evaluate import evaluate

    return evaluate(scenario, link)


def run(scenario: Scenario | str, *, progress: Progress | None = None) -> RunResult:
    """Run all stages of a scenario.

    Parameters
    ----------
    scenario : Scenario or str
        The mission, or what :func:`satqkd.load_scenario` takes.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` when a stage begins and when it ends.

    Returns
    -------
    RunResult
        Passes, link, keys, schedule and where they come from.

    Raises
    ------
    InputError
        If the scenario, or a file it names, cannot be used.
    """
    from satqkd.security.evaluate import mission_security

    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    wall_time_s: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        if progress:
            progress(name, STAGES.index(name), len(STAGES))
        began = time.perf_counter()
        yield
        wall_time_s[name] = time.perf_counter() - began
        if progress:
            progress(name, STAGES.index(name) + 1, len(STAGES))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SatqkdWarning)
        with stage("passes"):
            passes = compute_passes(scenario)
        with stage("link"):
            link = compute_link(scenario, passes)
        with stage("keys"):
            keys = compute_keys(scenario, passes, link)
        with stage("schedule"):
            schedule = compute_schedule(scenario, link)
    said = list(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, SatqkdWarning)))
    for message in dict.fromkeys((str(w.message), w.category) for w in caught):
        warnings.warn(*message, stacklevel=2)
    plan = {name: schedule.attrs.pop(name) for name in ("bound_bits", "gap") if name in schedule.attrs}
    citations = [text for stage in (passes, link, keys) for text in stage.attrs.get("citations", [])]
    provenance = {
        "satqkd": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "scipy", "numba", "xarray", "sgp4")},
        "scenario_hash": scenario.hash,
        "seed": scenario.study.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "wall_time_s": wall_time_s,
        "citations": list(dict.fromkeys(citations)),
        "warnings": said,
        "mission_epsilon": mission_security(scenario, keys),
        **({"plan": plan} if plan else {}),
    }
    return RunResult(scenario, passes, link, keys, schedule, provenance)
