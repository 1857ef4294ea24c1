"""Commands ``satqkd keyrate``, ``satqkd keymap``, ``satqkd annual`` and ``satqkd reproduce``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["annual", "keymap", "keyrate", "reproduce"]


def keyrate(
    points: Annotated[Path, typer.Argument(help="Table of points or counts (CSV).", metavar="POINTS")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Table of keys to write or complete.", metavar="OUT")],
    optimise: Annotated[bool, typer.Option("--optimise", help="Optimise settings that a row leaves empty.")] = False,
    analysis: Annotated[
        str,
        typer.Option(
            "--analysis", help="lim2014, lim2014-standard, three-intensity or variable-length.", metavar="NAME"
        ),
    ] = "lim2014",
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; 0: as many as cores.", min=0, metavar="N")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Compute every row anew.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Compute keys, bounds, margins and sensitivities of a table of operating points or counts, bad rows left out."""
    from satqkd.cli.show import progress
    from satqkd.study.keyrate import run_table

    with progress(quiet or as_json) as update:
        done = run_table(
            points, output, analysis=analysis, optimise=optimise, overwrite=overwrite, jobs=jobs, progress=update
        )
    for line in done.errors:
        typer.echo(f"error: {line}", err=True)
    if as_json:
        counts = {name: getattr(done, name) for name in ("rows", "computed", "kept", "with_key")}
        typer.echo(json.dumps({**counts, "errors": list(done.errors)}, ensure_ascii=False))
    elif not quiet:
        typer.echo(
            f"{output}: {done.rows} rows, {done.computed} computed, {done.kept} were there, {done.with_key} with a "
            f"key, {len(done.errors)} bad"
        )
    if done.errors:
        raise typer.Exit(1)


def keymap(
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder for table and picture.", metavar="DIR")],
    x: Annotated[
        str, typer.Option("--x", help="NAME=FIRST:LAST:COUNT, with :log spaced by a factor.", metavar="AXIS")
    ] = "loss_db=30:60:60",
    y: Annotated[
        str, typer.Option("--y", help="The same for the ordinate.", metavar="AXIS")
    ] = "p_noise=1e-9:1e-6:40:log",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Everything else, such as pulses=1e12 or receiver=active.", metavar="NAME=VALUE"),
    ] = None,
    analysis: Annotated[str, typer.Option("--analysis", help="variable-length.", metavar="NAME")] = "variable-length",
    threads: Annotated[int, typer.Option("--threads", help="Threads; 0: as many as cores.", min=0, metavar="N")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Map optimised keys over two quantities, such as loss and noise: map.csv, map.png, run.json."""
    from satqkd.cli.show import progress
    from satqkd.study.keymap import parse_axis, parse_setting, run_map

    axes = parse_axis(x, "--x"), parse_axis(y, "--y")
    varied = {axis.argument[0] for axis in axes}
    given = {name: value for name, value in (("pulses", 1e12), ("misalignment", 0.005)) if name not in varied}
    given |= dict(parse_setting(text, "--set") for text in settings or [])
    with progress(quiet or as_json) as update:
        done = run_map(
            output, x=axes[0], y=axes[1], settings=given, analysis=analysis, threads=threads, overwrite=overwrite,
            progress=update,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps({"points": done.points, "with_key": done.with_key, "evaluations": done.evaluations}))
    elif not quiet:
        typer.echo(f"{output}: {done.points} points in {done.seconds:.1f} s, {done.with_key} with a key")


def annual(
    latitude_deg: Annotated[
        float, typer.Argument(help="Latitude in degrees (negative: after --).", metavar="LATITUDE")
    ],
    system_loss_db: Annotated[
        float, typer.Option("--system-loss", help="System loss at zenith, at least 27 dB.", metavar="DB")
    ] = 27.0,
    orbits: Annotated[float, typer.Option("--orbits", help="Revolutions per year.", metavar="N")] = 5500.0,
    step_km: Annotated[float, typer.Option("--step", help="Distance between ground tracks.", metavar="KM")] = 25.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Print the key that single passes of a 500 km orbit give a station in a year, without weather."""
    from satqkd.errors import InputError
    from satqkd.study.overpasses import annual_key, keys_over_offsets

    if not 27.0 <= system_loss_db <= 80.0:
        raise InputError(f"--system-loss {system_loss_db:g}: must be 27 to 80 dB (the measured curve has 27 dB)")
    if not 0.1 <= step_km <= 500.0:
        raise InputError(f"--step {step_km:g}: must be 0.1 to 500 km")
    keys = keys_over_offsets(step_m=1e3 * step_km, extra_loss_db=system_loss_db - 27.0)
    found = {
        "latitude_deg": latitude_deg,
        "system_loss_db": system_loss_db,
        "zenith_key_bits": int(keys.key_bits[0]),
        "last_offset_with_key_km": float(keys.offset_m[-2]) / 1e3 if keys.offset_m.size > 1 else 0.0,
        "annual_key_bits": annual_key(keys, latitude_deg=latitude_deg, orbits_per_year=orbits),
    }
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(
            f"{found['annual_key_bits']:.4g} bit a year at {latitude_deg:g} deg, {system_loss_db:g} dB system loss "
            f"(zenith pass {found['zenith_key_bits']:,} bit, key up to {found['last_offset_with_key_km']:g} km off "
            "track)"
        )


def reproduce(
    study: Annotated[str, typer.Argument(help="Name of a study: 000, 001, 002, 003 or 004.", metavar="STUDY")],
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder for tables and page.", metavar="DIR")],
    channel: Annotated[bool, typer.Option("--channel", help="Loss and sky instead of keys (004 only).")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Compute a paper's figures and tables, and set them beside the printed numbers (some take minutes)."""
    from satqkd.cli.show import print_rows, progress
    from satqkd.errors import InputError
    from satqkd.study.reproduce import STUDIES
    from satqkd.study.reproduce import reproduce as compute

    name = f"{study}-channel" if channel else study
    if channel and name not in STUDIES:
        raise InputError(f'--channel: study "{study}" has no such part, only 004 has')
    with progress(quiet) as update:
        said = compute(name, output, progress=update)
    if not quiet:
        if said:
            print_rows(said)
        typer.echo(f"report: {output / 'report.html'}")
