"""Tables that single stages take from a file instead of computing them, checked against the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from satqkd.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from satqkd.scenario.model import Scenario

__all__ = ["read_link", "read_passes"]


def read_passes(path: Path, scenario: Scenario) -> xr.Dataset:
    """Read a table of passes and check that it can belong to a scenario.

    Parameters
    ----------
    path : Path
        A ``passes.csv``.
    scenario : Scenario
        The mission that it is used for.

    Returns
    -------
    xarray.Dataset
        As :func:`satqkd.orbit.passes.find_passes` gives it.

    Raises
    ------
    InputError
        If the file cannot be read, or names a satellite or station that the scenario does not have.
    """
    import numpy as np

    from satqkd.formats.tables import from_csv
    from satqkd.orbit.build import propagators
    from satqkd.variables import describe

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read") from None
    table = from_csv(text, "pass", source=str(path))
    known = {
        "station": [station.name for station in scenario.stations],
        "satellite": [propagator.name for propagator in propagators(scenario)],
    }
    for column in ("satellite", "station", "start", "end"):
        if column not in table:
            raise InputError(f'{path}: has no column "{column}"')
    for column, names in known.items():
        for name in table[column].values:
            if name not in names:
                raise InputError(f'{path}: {column} "{name}" is not in scenario {scenario.name}')
    # rows may have been deleted by hand; the stages count the passes that are there
    return describe(table.assign_coords({"pass": np.arange(table.sizes["pass"])}))


def read_link(path: Path, scenario: Scenario) -> xr.Dataset:
    """Read a link table and check that it belongs to a scenario.

    Parameters
    ----------
    path : Path
        A ``link.nc``.
    scenario : Scenario
        The mission that it is used for.

    Returns
    -------
    xarray.Dataset
        As the link stage gives it.

    Raises
    ------
    InputError
        If the file cannot be read or was made from another scenario.
    """
    from satqkd.formats.netcdf import read_netcdf

    table = read_netcdf(path)
    if table.attrs.get("scenario_hash") != scenario.hash:
        raise InputError(f"{path}: was made from another scenario than {scenario.name} (hashes differ)")
    _check_link(table, path, scenario)
    return table


_AXES: Final = ("station", "satellite", "time")

_NEEDED: Final[Mapping[str, str]] = MappingProxyType(
    {"pass_number": "iu", "transmittance": "f", "p_noise": "f", "rate_asymptotic": "f"}
)
"""What later stages read of a link, over station, satellite and time -> kinds of numbers."""


def _check_link(table: xr.Dataset, path: Path, scenario: Scenario) -> None:
    """Refuse a link without what later stages read, or with other stations and satellites than the scenario's."""
    import numpy as np

    from satqkd.orbit.build import propagators

    for name in _AXES:
        if name not in table.variables or table[name].dims != (name,):
            raise InputError(f'{path}: has no coordinate "{name}"')
    usable = {"usable": "b"} if "usable" in table else {}
    for name, kinds in {**_NEEDED, **usable}.items():
        if name not in table:
            raise InputError(f'{path}: has no variable "{name}"')
        if table[name].dims != _AXES or table[name].dtype.kind not in kinds:
            raise InputError(f'{path}: variable "{name}": must hold {_KINDS[kinds]} over {", ".join(_AXES)}')
    for axis, names in (
        ("station", [station.name for station in scenario.stations]),
        ("satellite", [propagator.name for propagator in propagators(scenario)]),
    ):
        if [str(name) for name in table[axis].values] != names:
            raise InputError(f"{path}: {axis}: must be {', '.join(names)}, as in scenario {scenario.name}")
    time = table.time.values
    if time.dtype.kind != "M" or np.isnat(time).any() or (np.diff(time) <= np.timedelta64(0)).any():
        raise InputError(f"{path}: time: must be ascending instants")


_KINDS: Final[Mapping[str, str]] = MappingProxyType({"iu": "whole numbers", "f": "numbers", "b": "yes or no"})
