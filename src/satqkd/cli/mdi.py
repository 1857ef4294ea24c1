"""Command ``satqkd mdi``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["mdi"]

_SHOWN: Final = (
    "elevation", "slant_range", "loss_total_db", "loss_sum_db", "loss_asymmetry_db", "doppler", "relative_doppler",
    "doppler_slew", "send_time_offset", "air_delay", "residual_delay_jitter", "residual_frequency_jitter",
    "mode_overlap", "visibility", "qber_x", "qber_x_added",
)  # fmt: skip


def mdi(
    scenario: Annotated[str, typer.Argument(help="Name of a preset, or path of a TOML file.", metavar="SCENARIO")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="NetCDF file to write.", metavar="FILE")
    ] = None,
    stations: Annotated[
        tuple[str, str] | None, typer.Option("--stations", help="Two stations, if there are more.", metavar="A B")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--number", help="Which common view, from 0; default: the longest.", metavar="N")
    ] = None,
    range_error_mm: Annotated[
        float | None,
        typer.Option("--range-error", help="Error of a laser range; default: perfect timing and frequency.",
                     metavar="MM"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:  # fmt: skip
    """Follow two uplinks to one satellite in common view: losses, Doppler shifts, timing, interference, rates."""
    from satqkd.cli.show import print_rows
    from satqkd.formats.netcdf import write_netcdf
    from satqkd.scenario.load import load_scenario
    from satqkd.study.interference import Interference
    from satqkd.study.mdi_pass import mdi_pass
    from satqkd.study.run import attributes
    from satqkd.study.storage import new_file

    mission = load_scenario(scenario)
    control = None if range_error_mm is None else Interference(range_error_m=1e-3 * range_error_mm)
    made = mdi_pass(mission, stations=stations, number=number, interference=control)
    if output is not None:
        with new_file(output, overwrite=overwrite) as aside:
            write_netcdf(made, aside, attributes=attributes(mission))
    if as_json:
        typer.echo(json.dumps(_totals(made, mission.study.step), ensure_ascii=False))
        return
    rows: list[dict[str, Any]] = [
        {"quantity": made[name].attrs["long_name"], "unit": made[name].attrs["units"],
         "least": float(made[name].min()), "greatest": float(made[name].max())}
        for name in _SHOWN if name in made
    ]  # fmt: skip
    print_rows(rows)
    found = _totals(made, mission.study.step)
    for decoy, total_s in found["rate_total_s"].items():
        typer.echo(f"{decoy}: {total_s:.4g} bit in {found['common_view_s']:g} s for each pulse pair sent per second")


def _totals(made: xr.Dataset, step_s: float) -> dict[str, Any]:
    """What a script asks for: where, when, ends of every quantity, and sums of the rates."""
    import numpy as np

    time = np.datetime_as_string(made.time.values[[0, -1]], unit="s")
    return {
        "stations": made.station.values.tolist(),
        "start": f"{time[0]}Z",
        "end": f"{time[1]}Z",
        "common_view_s": made.sizes["time"] * step_s,
        **{name: [float(made[name].min()), float(made[name].max())] for name in _SHOWN if name in made},
        "rate_total_s": {
            decoy: float(rate.sum()) * step_s
            for decoy, rate in zip(made.decoy.values.tolist(), made.rate.values, strict=True)
        },
    }
