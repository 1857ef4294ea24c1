"""``satqkd plan SCENARIO --finite``: the plan for the most finite key, block by block."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["finite_plan"]

_COLUMNS = ("block_key_bits", "additive_key_bits", "promised_bits")


def finite_plan(dataset: xr.Dataset, *, output: Path | None, overwrite: bool, quiet: bool, as_json: bool) -> None:
    """Print a block-aware plan, and write its tables.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of :func:`satqkd.planning.block_plans.plan_blocks`.
    output : Path or None
        New folder for ``schedule.csv``, ``stations.csv`` and ``run.json``.
    overwrite, quiet, as_json : bool
        As in the other commands.
    """
    from satqkd.cli.show import print_rows
    from satqkd.formats.tables import to_csv
    from satqkd.study.storage import new_folder

    numbers = _numbers(dataset)
    if output is not None:
        with new_folder(output, overwrite=overwrite) as aside:
            (aside / "schedule.csv").write_text(
                to_csv(dataset.reset_coords("interval_start")[["interval_start", "assigned"]]), encoding="utf-8"
            )
            stations = dataset[list(_COLUMNS)].reset_coords(drop=True)
            (aside / "stations.csv").write_text(to_csv(stations), encoding="utf-8")
            (aside / "run.json").write_text(json.dumps(numbers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(numbers, ensure_ascii=False))
        return
    if quiet:
        return
    print_rows([
        {"station": str(name), **{column: float(dataset[column].values[n]) for column in _COLUMNS}}
        for n, name in enumerate(dataset.station.values)
    ])  # fmt: skip
    promised = sum(numbers["promised_bits"].values())
    kept = sum(numbers["additive_key_bits"].values())
    typer.echo("")
    typer.echo(
        f"finite keys by {numbers['pooling']}: {numbers['value']:,.0f} bit, proven at most {numbers['bound']:,.0f} "
        f"(gap {100 * numbers['gap']:.3g} %); the additive plan promises {promised:,.0f} and ends with {kept:,.0f}"
    )
    if output is not None:
        typer.echo(f"plan: {output}")


def _numbers(dataset: xr.Dataset) -> dict[str, Any]:
    names = [str(name) for name in dataset.station.values]
    return {
        **{name: dataset.attrs[name] for name in ("value", "bound", "gap", "pooling")},
        **{column: dict(zip(names, dataset[column].values.tolist(), strict=True)) for column in _COLUMNS},
    }
