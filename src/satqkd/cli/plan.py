"""Command ``satqkd plan``: of a scenario, or of a table of deliverable bits."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from satqkd.errors import InputError

if TYPE_CHECKING:
    from satqkd.formats.key_table import KeyTable
    from satqkd.scenario.model import Scenario
    from satqkd.study.plan import Plan, TimeAxis

__all__ = ["plan"]

_STEP_S: Final = 10.0
_GAP: Final = 1e-3


def plan(
    scenario: Annotated[
        str | None,
        typer.Argument(help="Preset or TOML file, unless --keys is given.", metavar="SCENARIO", show_default=False),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="Deliverable bits: interval, a column per station [, satellite].", metavar="CSV"),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option("--objective", help="general (default), priority, traffic or max-min.", metavar="NAME"),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Table with the columns station, weight.", metavar="CSV")
    ] = None,
    kl_max: Annotated[
        float | None, typer.Option("--kl-max", help="traffic: largest divergence from the weights, nat.", metavar="X")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="New folder for the plan; of a SCENARIO alone: schedule.csv."),
    ] = None,
    epoch: Annotated[
        str | None, typer.Option("--epoch", help="Start of interval 0, such as 2016-09-19T00:00:00Z.", metavar="TIME")
    ] = None,
    step_s: Annotated[
        float | None, typer.Option("--step-s", help="Seconds of an interval (10).", metavar="S", show_default=False)
    ] = None,
    switch_intervals: Annotated[
        int | None,
        typer.Option("--switch-intervals", help="Intervals to turn to another station (1).", metavar="N"),
    ] = None,
    time_limit_s: Annotated[
        float, typer.Option("--time-limit", help="Seconds to search for a better plan.", metavar="S")
    ] = 60.0,
    gap: Annotated[float, typer.Option("--gap", help="Proven gap that is good enough.", metavar="X")] = _GAP,
    require_gap: Annotated[
        bool, typer.Option("--require-gap", help="End with exit code 1 if that gap is not proven in time.")
    ] = False,
    key_usage: Annotated[
        bool, typer.Option("--key-usage", help="Pair keys by XOR relay, for traffic w_i w_j or --traffic.")
    ] = False,
    traffic: Annotated[
        Path | None, typer.Option("--traffic", help="Traffic: station, a column per station; symmetric.", metavar="CSV")
    ] = None,
    finite: Annotated[
        str | None,
        typer.Option(
            "--finite", help="Finite keys of a SCENARIO, a block for each pass or each station.", metavar="BLOCK"
        ),
    ] = None,
    link: Annotated[
        Path | None, typer.Option("--link", help="Use this link.nc of the SCENARIO.", metavar="FILE")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Plan who is served when, from a table (--keys) or a SCENARIO (--objective), and prove how good the plan is."""
    if (scenario is None) == (keys is None):
        raise InputError("plan needs either a SCENARIO or --keys CSV")
    only_table = {"--epoch": epoch, "--step-s": step_s, "--switch-intervals": switch_intervals}
    if scenario is not None:
        for option, value in only_table.items():
            if value is not None:
                raise InputError(f"{option}: is for --keys; a scenario has its own")
        if finite is not None:
            _of_finite_keys(scenario, finite, objective, link, output, overwrite, quiet, as_json)
            return
        if objective is None:
            given = {"--weights": weights, "--kl-max": kl_max, "--traffic": traffic, "--key-usage": key_usage,
                     "--require-gap": require_gap}  # fmt: skip
            for option, setting in given.items():
                if setting is not None and setting is not False:
                    raise InputError(f"{option}: needs --objective")
            _stage(scenario, output, link, overwrite, as_json)
            return
    elif link is not None or finite is not None:
        raise InputError(f"{'--finite' if link is None else '--link'}: is for a SCENARIO")
    _check("--time-limit", time_limit_s, 0.001, 1e7)
    _check("--gap", gap, 0.0, 1.0)
    began = time.perf_counter()
    source = _of_scenario(scenario, link) if scenario is not None else _of_table(keys, epoch, step_s, switch_intervals)
    if output is not None and source.axis is None:
        raise InputError("-o needs --epoch, the start of interval 0")
    made = _plan(
        source, output=output, objective=objective or "general", weights=weights, kl_max=kl_max, gap=gap,
        time_limit_s=time_limit_s, pairs=key_usage, traffic=traffic, overwrite=overwrite, began=began,
    )  # fmt: skip
    _print(made, output, quiet, as_json)
    if require_gap and made.schedule.gap > gap:
        if not quiet:
            typer.echo(f"requirement not met: gap {made.schedule.gap:.3g}, asked for {gap:g}", err=True)
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Source:
    """What is to be planned."""

    table: KeyTable
    axis: TimeAxis | None
    switch_intervals: int
    record: dict[str, Any]


def _check(option: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{option} {value:g}: must be {low:g} to {high:g}")


def _of_table(keys: Path | None, epoch: str | None, step_s: float | None, switch_intervals: int | None) -> _Source:
    from satqkd.formats.key_table import read_keys
    from satqkd.study.plan import TimeAxis, parse_epoch

    assert keys is not None
    start = None if epoch is None else parse_epoch(epoch)
    axis = None if start is None else TimeAxis(start, _STEP_S if step_s is None else step_s)
    table = read_keys(keys)
    if axis is not None:
        axis.time(int(table.interval[-1]) + 1)
    record = {"keys": {"file": keys.name, "sha256": hashlib.sha256(keys.read_bytes()).hexdigest()}}
    return _Source(table, axis, 1 if switch_intervals is None else switch_intervals, record)


def _link(scenario: Scenario, link: Path | None) -> Any:
    from satqkd.study.run import compute_link, compute_passes
    from satqkd.study.stage_files import read_link

    return compute_link(scenario, compute_passes(scenario)) if link is None else read_link(link, scenario)


def _of_scenario(name: str, link: Path | None) -> _Source:
    from satqkd.planning.evaluate import interval_bits
    from satqkd.scenario.load import load_scenario
    from satqkd.study.plan import TimeAxis, key_table_of

    scenario = load_scenario(name)
    table = _link(scenario, link)
    axis = TimeAxis(scenario.study.start, scenario.planning.interval)
    record = {"scenario": scenario.name, "scenario_hash": scenario.hash}
    bits = key_table_of(*interval_bits(scenario, table), table)
    if not len(bits.interval):
        raise InputError(f"{name}: no station can be served in the window")
    return _Source(bits, axis, scenario.planning.switch_intervals, record)


def _of_finite_keys(
    name: str, pooling: str, objective: str | None, link: Path | None, output: Path | None, overwrite: bool,
    quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    from satqkd.cli.plan_finite import finite_plan
    from satqkd.planning.block_plans import POOLING, plan_blocks
    from satqkd.scenario.load import load_scenario

    if objective is not None:
        raise InputError("--finite: is an objective of its own, without --objective")
    if pooling not in POOLING:
        raise InputError(f"--finite {pooling}: must be one of {', '.join(POOLING)}")
    scenario = load_scenario(name)
    dataset = plan_blocks(scenario, _link(scenario, link), pooling=pooling)
    finite_plan(dataset, output=output, overwrite=overwrite, quiet=quiet, as_json=as_json)


def _stage(name: str, output: Path | None, link: Path | None, overwrite: bool, as_json: bool) -> None:
    """The schedule stage of a scenario, as ``satqkd run`` has it."""
    from satqkd.cli.show import SCHEDULE_COLUMNS, emit, print_rows, station_rows
    from satqkd.scenario.load import load_scenario
    from satqkd.study.run import compute_schedule
    from satqkd.study.storage import schedule_table

    scenario = load_scenario(name)
    schedule = compute_schedule(scenario, _link(scenario, link))
    if output is None:
        rows = station_rows(schedule)
        typer.echo(json.dumps(rows, ensure_ascii=False)) if as_json else print_rows(rows)
        return
    emit(schedule_table(schedule), SCHEDULE_COLUMNS, output, overwrite, as_json)


def _plan(
    source: _Source, *, output: Path | None, objective: str, weights: Path | None, kl_max: float | None,
    time_limit_s: float, gap: float, pairs: bool, traffic: Path | None, overwrite: bool, began: float,
) -> Plan:  # fmt: skip
    from satqkd.formats.key_table import read_traffic, read_weights
    from satqkd.planning.key_usage import pair_traffic
    from satqkd.study.plan import make_plan
    from satqkd.study.plan_files import write_plan
    from satqkd.study.storage import new_folder

    stations = source.table.stations
    weight = None if weights is None else read_weights(weights, stations=stations)
    demand = None
    if traffic is not None:
        demand = read_traffic(traffic, stations=stations)
    elif pairs and weight is not None:
        demand = pair_traffic(list(weight.values()))
    elif pairs:
        raise InputError("--key-usage: needs --weights (traffic w_i w_j) or --traffic")
    with ExitStack() as stack:
        aside = None if output is None else stack.enter_context(new_folder(output, overwrite=overwrite))
        made = make_plan(
            source.table, objective=objective, weights=weight, kl_max=kl_max,
            switch_intervals=source.switch_intervals, time_limit_s=time_limit_s, gap=gap, traffic=demand,
        )  # fmt: skip
        if aside is not None and source.axis is not None:
            record = {**source.record, "time_limit_s": time_limit_s, "gap_asked": gap,
                      "wall_time_s": round(time.perf_counter() - began, 3)}  # fmt: skip
            write_plan(made, aside, axis=source.axis, record=record)
    return made


def _print(made: Plan, output: Path | None, quiet: bool, as_json: bool) -> None:
    if made.schedule.status == "time limit" and not quiet:
        typer.echo(f"warning: stopped at the time limit, best plan so far: gap {made.schedule.gap:.3g}", err=True)
    from satqkd.cli.show import print_rows
    from satqkd.study.plan_files import station_rows, usage_rows

    if as_json:
        typer.echo(json.dumps(made.numbers, ensure_ascii=False, allow_nan=False))
        return
    if quiet:
        return
    print_rows(station_rows(made))
    if made.usages:
        typer.echo("")
        print_rows(usage_rows(made))
    typer.echo("")
    typer.echo(made.summary)
    if output is not None:
        typer.echo(f"plan: {output}")
