"""Commands of ``satqkd``.

Everything heavy is imported inside the commands, so that ``satqkd --help`` answers at once.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from satqkd._version import __version__
from satqkd.cli.clouds import clouds
from satqkd.cli.distill import distill
from satqkd.cli.keyrate import annual, keymap, keyrate, reproduce
from satqkd.cli.mdi import mdi
from satqkd.cli.plan import plan
from satqkd.errors import InputError, SatqkdError, SatqkdWarning

if TYPE_CHECKING:
    import xarray as xr

    from satqkd.scenario.model import Scenario
    from satqkd.study.result import RunResult

app = typer.Typer(
    help="Satellite quantum key distribution, from orbital elements to secret keys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ScenarioArgument = Annotated[str, typer.Argument(help="Name of a preset, or path of a TOML file.", metavar="SCENARIO")]
FolderOption = Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.", metavar="DIR")]
FileOption = Annotated[
    Path | None, typer.Option("-o", "--output", help="File to write instead of printing.", metavar="FILE")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
PassesOption = Annotated[
    Path | None, typer.Option("--passes", help="Use this passes.csv instead of finding passes.", metavar="FILE")
]
LinkOption = Annotated[
    Path | None, typer.Option("--link", help="Use this link.nc instead of computing the link.", metavar="FILE")
]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"satqkd {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Satellite quantum key distribution, from orbital elements to secret keys."""


@app.command()
def run(
    scenario: ScenarioArgument,
    output: FolderOption,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    require_key: Annotated[
        bool, typer.Option("--require-key", help="End with exit code 1 if a station gets no finite key.")
    ] = False,
) -> None:
    """Run all stages of a scenario and write tables, link, report and run.json to a folder."""
    from satqkd.cli.show import progress, totals
    from satqkd.scenario.load import load_scenario
    from satqkd.study.run import run as run_scenario
    from satqkd.study.storage import new_folder, write_run

    mission = load_scenario(scenario)
    if not as_json:
        # the summary has them
        warnings.simplefilter("ignore", SatqkdWarning)
    with new_folder(output, overwrite=overwrite) as aside, progress(quiet or as_json) as update:
        result = run_scenario(mission, progress=update)
        update("report", 0, 1)
        write_run(result, aside)
        update("report", 1, 1)
    found = totals(result)
    if as_json:
        typer.echo(json.dumps({"folder": str(output), **found}, ensure_ascii=False))
    elif not quiet:
        _print(result)
        typer.echo(f"report: {output / 'report.html'}")
    if require_key and any(station["key_bits"] == 0 for station in found["stations"].values()):
        if not quiet:
            typer.echo("requirement not met: a station gets no finite key", err=True)
        raise typer.Exit(1)


@app.command()
def presets(as_json: JsonOption = False) -> None:
    """List the scenarios that come with the package."""
    from satqkd.scenario.load import load_scenario, preset_names

    titles = {name: load_scenario(name).title for name in preset_names()}
    if as_json:
        typer.echo(json.dumps(titles, ensure_ascii=False))
    else:
        width = max(map(len, titles))
        for name, title in titles.items():
            typer.echo(f"{name:<{width}}  {title}")


@app.command()
def show(preset: Annotated[str, typer.Argument(help="Name of a preset.", metavar="PRESET")]) -> None:
    """Print a preset as TOML, to copy and change."""
    from satqkd.scenario.load import preset_text

    typer.echo(preset_text(preset), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON schema of scenario files."""
    from satqkd.scenario.model import Scenario

    content = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False))


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check the installation: versions, presets, compiled functions, a key against a known value."""
    from satqkd.cli.doctor import examine

    findings = examine()
    if as_json:
        typer.echo(json.dumps([{"check": c, "ok": ok, "detail": d} for c, ok, d in findings]))
    else:
        for check, ok, detail in findings:
            typer.echo(f"{'ok  ' if ok else 'FAIL'}  {check}: {detail}")
    if not all(ok for _, ok, _ in findings):
        raise typer.Exit(1)


@app.command()
def passes(
    scenario: ScenarioArgument,
    output: FileOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find the usable passes: a table on screen, or passes.csv."""
    from satqkd.cli.show import PASS_COLUMNS, emit

    mission = _load(scenario)
    emit(_passes(mission, None), PASS_COLUMNS, output, overwrite, as_json)


@app.command()
def common(
    scenario: ScenarioArgument,
    station1: Annotated[str, typer.Argument(help="A station.", metavar="STATION1")],
    station2: Annotated[str, typer.Argument(help="Another station.", metavar="STATION2")],
    passes: PassesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print when two stations have a satellite in view together."""
    from satqkd.cli.show import COMMON_COLUMNS, rows_of
    from satqkd.orbit.passes import common_view

    mission = _load(scenario)
    names = [station.name for station in mission.stations]
    for name in (station1, station2):
        if name not in names:
            raise InputError(f'station "{name}" is not in scenario {mission.name}: known are {", ".join(names)}')
    rows = rows_of(common_view(_passes(mission, passes), station1, station2), COMMON_COLUMNS)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif rows:
        _print_rows(rows)
    else:
        typer.echo(f"{station1} and {station2} never have a satellite in common view in this window")


@app.command()
def ephemeris(
    scenario: ScenarioArgument,
    output: FileOption = None,
    satellite: Annotated[
        str | None, typer.Option("--satellite", help="Which satellite, if there are several.", metavar="NAME")
    ] = None,
    step_s: Annotated[float, typer.Option("--step", help="Seconds between states.", metavar="S")] = 60.0,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a satellite's Earth-fixed states as a CCSDS orbit ephemeris message (OEM)."""
    from satqkd.study.ephemeris import ephemeris as message
    from satqkd.study.storage import new_file

    text = message(_load(scenario), satellite=satellite, step_s=step_s)
    if output is None:
        typer.echo(text, nl=False)
        return
    with new_file(output, overwrite=overwrite) as aside:
        aside.write_text(text, encoding="utf-8")


@app.command()
def link(
    scenario: ScenarioArgument,
    output: FileOption = None,
    passes: PassesOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compute every loss term over the passes: a budget per pass on screen, or link.nc."""
    from satqkd.cli.show import budget
    from satqkd.formats.netcdf import write_netcdf
    from satqkd.study.run import attributes
    from satqkd.study.storage import new_file

    mission = _load(scenario)
    found = _passes(mission, passes)
    table = _link(mission, found, None)
    if output is None:
        rows = budget(table, found)
        typer.echo(json.dumps(rows)) if as_json else _print_rows(rows)
        return
    with new_file(output, overwrite=overwrite) as aside:
        write_netcdf(table, aside, attributes=attributes(mission))


@app.command()
def key(
    scenario: ScenarioArgument,
    output: FileOption = None,
    passes: PassesOption = None,
    link: LinkOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Estimate the key of every pass: a table on screen, or keys.csv."""
    from satqkd.cli.show import KEY_COLUMNS, emit
    from satqkd.study.run import compute_keys

    mission = _load(scenario)
    found = _passes(mission, passes)
    emit(compute_keys(mission, found, _link(mission, found, link)), KEY_COLUMNS, output, overwrite, as_json)


@app.command()
def compare(
    run1: Annotated[Path, typer.Argument(help="Folder of a run.", metavar="RUN1")],
    run2: Annotated[Path, typer.Argument(help="Folder of another run.", metavar="RUN2")],
    output: FileOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Set two runs side by side: a table on screen, or an HTML page."""
    from satqkd.cli.show import comparison_rows
    from satqkd.report.compare import compare as compare_html
    from satqkd.study.storage import new_file, open_result

    first, second = open_result(run1), open_result(run2)
    if output is not None:
        with new_file(output, overwrite=overwrite) as aside:
            aside.write_text(compare_html(first, second), encoding="utf-8")
        typer.echo(f"comparison: {output}")
        return
    rows = comparison_rows(first, second)
    typer.echo(json.dumps(rows, ensure_ascii=False)) if as_json else _print_rows(rows)


app.command()(plan)
app.command()(keyrate)
app.command()(keymap)
app.command()(annual)
app.command()(mdi)
app.command()(reproduce)
app.add_typer(clouds, name="clouds")
app.add_typer(distill, name="distill")


def _load(scenario: str) -> Scenario:
    from satqkd.scenario.load import load_scenario

    return load_scenario(scenario)


def _passes(mission: Scenario, file: Path | None) -> xr.Dataset:
    from satqkd.study.run import compute_passes
    from satqkd.study.stage_files import read_passes

    return compute_passes(mission) if file is None else read_passes(file, mission)


def _link(mission: Scenario, passes: xr.Dataset, file: Path | None) -> xr.Dataset:
    from satqkd.study.run import compute_link
    from satqkd.study.stage_files import read_link

    return compute_link(mission, passes) if file is None else read_link(file, mission)


def _print(result: RunResult) -> None:
    from satqkd.cli.show import print_wide
    from satqkd.report.summary import summary

    print_wide(summary(result))


def _print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    from satqkd.cli.show import print_rows

    print_rows(rows)


def entry() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    # a warning is one line on standard error, said once
    quiet = bool({"-q", "--quiet"} & set(sys.argv))
    warnings.simplefilter("ignore" if quiet else "once", SatqkdWarning)
    warnings.showwarning = lambda message, *_, **__: typer.echo(f"warning: {message}", err=True)
    try:
        app()
    except SatqkdError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:  # typer catches most of them itself, with the same exit code
        sys.exit(130)


if __name__ == "__main__":
    entry()
