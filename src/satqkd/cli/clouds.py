"""Commands ``satqkd clouds extract`` and ``satqkd clouds occurrence``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["clouds"]

clouds = typer.Typer(help="Clouds from files of satellite data or statistics.", no_args_is_help=True)

ScenarioOption = Annotated[
    str, typer.Option("--scenario", help="Name of a preset, or path of a TOML file: its stations.", metavar="SCENARIO")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
SpaceOption = Annotated[
    str, typer.Option("--space", help="Between cells: nearest or bilinear.", metavar="nearest|bilinear")
]


@clouds.command()
def extract(
    files: Annotated[list[Path], typer.Argument(help="Himawari L2 CLP files (NetCDF-4).", metavar="FILES...")],
    scenario: ScenarioOption,
    output: Annotated[Path, typer.Option("-o", "--output", help="Table of clouds (CSV) to write.", metavar="FILE")],
    space: SpaceOption = "nearest",
    time: Annotated[
        str, typer.Option("--time", help="Between files, with --step: nearest or linear.", metavar="nearest|linear")
    ] = "nearest",
    step_s: Annotated[
        float | None, typer.Option("--step", help="Seconds between rows; default: a row per file.", metavar="S")
    ] = None,
    max_gap_s: Annotated[
        float, typer.Option("--max-gap", help="Longest time between files without a row of no data.", metavar="S")
    ] = 1800.0,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the optical thickness of clouds over a scenario's stations as a table for its clouds."""
    from satqkd.cli.show import progress
    from satqkd.scenario.load import load_scenario
    from satqkd.study.clouds import extract_clouds
    from satqkd.study.storage import new_file

    mission = load_scenario(scenario)
    with new_file(output, overwrite=overwrite) as aside, progress(quiet or as_json) as update:
        found = extract_clouds(
            files, mission, space=space, time=time, step_s=step_s, max_gap_s=max_gap_s, progress=update
        )
        aside.write_text(found.to_csv(), encoding="utf-8")
    summary = {
        "file": str(output),
        "files": found.files,
        "rows": len(found.times),
        "stations": len(found.stations),
        "missing_fraction": found.missing,
    }
    if as_json:
        typer.echo(json.dumps(summary))
    elif not quiet:
        typer.echo(
            f"{output}: {len(found.times)} rows of {len(found.stations)} stations from {found.files} files, "
            f"{100.0 * found.missing:.1f} % of the cells without data"
        )


@clouds.command()
def occurrence(
    scenario: ScenarioOption,
    output: Annotated[Path, typer.Option("-o", "--output", help="Table of occurrence (CSV) to write.", metavar="FILE")],
    source: Annotated[
        str,
        typer.Option(
            "--source",
            help="itur (proxy from ITU-R P.840: liquid water only), or a file: occurrence (CSV, NetCDF), a table of "
            "satqkd clouds extract (CSV), CRAAS (NetCDF).",
            metavar="itur|FILE",
        ),
    ] = "itur",
    space: SpaceOption = "nearest",
    monthly: Annotated[bool, typer.Option("--monthly", help="A row per month, if the file has times.")] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            help="Name in a CRAAS file, like histogram=cot_ctp; also latitude, longitude, cot, pressure, phase, time.",
            metavar="WHAT=NAME",
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write how often the sky over a scenario's stations is clear, thinly or thickly clouded."""
    from satqkd.errors import InputError
    from satqkd.formats.cloud_occurrence import write_occurrence
    from satqkd.formats.craas import CraasNames
    from satqkd.scenario.load import load_scenario
    from satqkd.study.clouds import occurrence_of_clouds
    from satqkd.study.storage import new_file

    pairs = [item.partition("=") for item in name or []]
    for what, equals, value in pairs:
        if not (what and equals and value):
            raise InputError(f'--name "{what}{equals}{value}": must be WHAT=NAME, like histogram=cot_ctp')
    names = CraasNames.of(**{what: value for what, _, value in pairs})
    mission = load_scenario(scenario)
    with new_file(output, overwrite=overwrite) as aside:
        found = occurrence_of_clouds(mission, source, space=space, monthly=monthly, names=names)
        aside.write_text(write_occurrence(found.rows, comments=found.comments), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"file": str(output), "source": found.comments, "rows": len(found.rows)}))
        return
    for line in found.comments:
        typer.echo(line)
    for row in found.rows:
        month = "" if row.month is None else f" month {row.month:>2}"
        typer.echo(f"{row.station}{month}: clear {row.clear:.3f}, thin {row.thin:.3f}, thick {row.thick:.3f}")
