"""Runs on disk: written aside and renamed, so that a folder holds a whole run or none."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from satqkd.errors import InputError
from satqkd.scenario.load import validate_scenario
from satqkd.study.result import RunResult
from satqkd.study.run import attributes

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["RUN_FILE", "new_file", "new_folder", "open_result", "save_result"]

RUN_FILE = "run.json"
"""The file that makes a folder a run."""


@contextmanager
def new_folder(folder: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Folder that appears whole or not at all.

    Parameters
    ----------
    folder : str or Path
        Where it shall be.
    overwrite : bool
        Whether a run that is there may be replaced.

    Yields
    ------
    Path
        A folder beside it to write into; renamed when the block ends without an error, removed otherwise.

    Raises
    ------
    InputError
        If the place cannot be written or is taken: by a run (without ``overwrite``), or by anything else (always).
    """
    target = Path(folder).resolve()
    if target.exists():
        if not target.is_dir():
            raise InputError(f"{folder}: is a file, not a folder")
        try:
            content = {entry.name for entry in target.iterdir()}
        except OSError as error:
            raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
        if content and RUN_FILE not in content:
            raise InputError(f"{folder}: holds files that are not a run: choose another folder")
        if content and not overwrite:
            raise InputError(f"{folder}: already holds a run: use --overwrite (overwrite=True) to replace it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        aside.chmod(0o777 & ~_umask())  # mkdtemp makes it private; a run is as open as any new folder
        yield aside
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            try:
                target.rename(old / "run")
                aside.rename(target)
            except BaseException:  # an interrupt between the two must not cost the old run
                if (old / "run").exists() and not target.exists():
                    (old / "run").rename(target)
                raise
            finally:
                shutil.rmtree(old, ignore_errors=True)
        else:
            aside.rename(target)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def new_file(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """File that appears whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where it shall be.
    overwrite : bool
        Whether a file that is there may be replaced.

    Yields
    ------
    Path
        A file beside it to write; renamed when the block ends without an error, removed otherwise.

    Raises
    ------
    InputError
        If the place cannot be written or is taken.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{path}: is a folder, not a file")
    if target.exists() and not overwrite:
        raise InputError(f"{path}: exists: use --overwrite to replace it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        os.close(handle)
        Path(name).chmod(0o666 & ~_umask())
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    aside = Path(name)
    try:
        yield aside
        aside.replace(target)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        aside.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def schedule_table(schedule: xr.Dataset) -> xr.Dataset:
    """One row per satellite and interval, in order of time."""
    import numpy as np
    import xarray as xr

    count, satellites = schedule.sizes["interval"], schedule.satellite.values
    columns: dict[str, Any] = {
        "interval_start": np.repeat(schedule.interval_start.values, len(satellites)),
        "satellite": np.tile(satellites, count),
        "assigned": schedule.assigned.values.T.ravel(),
        "interval_bits": schedule.interval_bits.values.T.ravel(),
    }
    index = np.repeat(schedule.interval.values, len(satellites))
    return xr.Dataset({name: ("interval", values) for name, values in columns.items()}, coords={"interval": index})


def _schedule_from_table(table: xr.Dataset, stations: dict[str, dict[str, float]], satellites: Any) -> xr.Dataset:
    import numpy as np
    import xarray as xr

    from satqkd.variables import describe

    shape = (-1, len(satellites))
    names = list(stations)
    return describe(
        xr.Dataset(
            {
                "assigned": (("satellite", "interval"), table.assigned.values.reshape(shape).T),
                "interval_bits": (("satellite", "interval"), table.interval_bits.values.reshape(shape).T),
                "delivered_bits": ("station", np.array([stations[name]["delivered_bits"] for name in names], float)),
                "available_bits": ("station", np.array([stations[name]["available_bits"] for name in names], float)),
            },
            coords={
                "satellite": satellites,
                "station": np.array(names, dtype=object),
                "interval": table.interval.values.reshape(shape)[:, 0],
                "interval_start": ("interval", table.interval_start.values.reshape(shape)[:, 0]),
            },
        )
    )


def _digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_result(result: RunResult, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write a run: tables of passes, keys and schedule, link, calendar, report and ``run.json``.

    Parameters
    ----------
    result : RunResult
        The run.
    folder : str or Path
        New or empty folder, or one that holds a run.
    overwrite : bool
        Whether a run in the folder may be replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the folder is taken or cannot be written.
    """
    with new_folder(folder, overwrite=overwrite) as aside:
        write_run(result, aside)
    return Path(folder)


def write_run(result: RunResult, folder: Path) -> None:
    """Write the files of a run into a folder."""
    from satqkd.formats.netcdf import write_netcdf
    from satqkd.formats.tables import to_csv
    from satqkd.study.plan_files import scenario_calendar

    (folder / "passes.csv").write_text(to_csv(result.passes), encoding="utf-8")
    (folder / "keys.csv").write_text(to_csv(result.keys), encoding="utf-8")
    (folder / "schedule.csv").write_text(to_csv(schedule_table(result.schedule)), encoding="utf-8")
    (folder / "schedule.ics").write_text(scenario_calendar(result), encoding="utf-8", newline="")
    write_netcdf(result.link, folder / "link.nc", attributes=attributes(result.scenario))
    (folder / "report.html").write_text(result.report(), encoding="utf-8")
    totals = {
        str(name): {
            "delivered_bits": float(result.schedule.delivered_bits.values[index]),
            "available_bits": float(result.schedule.available_bits.values[index]),
        }
        for index, name in enumerate(result.schedule.station.values)
    }
    files = {path.name: _digest(path) for path in sorted(folder.iterdir())}
    record = {**result.provenance, "stations": totals, "files": files, "scenario": result.scenario.to_dict()}
    (folder / RUN_FILE).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def open_result(folder: str | Path) -> RunResult:
    """Open a run that was saved.

    Parameters
    ----------
    folder : str or Path
        Folder with ``run.json`` and the tables.

    Returns
    -------
    RunResult
        Equal to the one that was saved.

    Raises
    ------
    InputError
        If the folder holds no run, or one that was damaged or changed.
    """
    from satqkd.formats.netcdf import read_netcdf
    from satqkd.formats.tables import from_csv

    place = Path(folder)

    def text(name: str) -> str:
        try:
            return (place / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise InputError(f"{folder}: holds no run: {name} is missing or cannot be read") from None

    try:
        record = json.loads(text(RUN_FILE))
        totals, data, digests = record.pop("stations"), record.pop("scenario"), dict(record.pop("files"))
    except (json.JSONDecodeError, KeyError, AttributeError, TypeError, ValueError):
        raise InputError(f"{place / RUN_FILE}: is not the record of a run") from None
    scenario = validate_scenario(data, source=str(place / RUN_FILE))
    link = read_netcdf(place / "link.nc")
    table = from_csv(text("schedule.csv"), "interval", source=str(place / "schedule.csv"))
    passes = from_csv(text("passes.csv"), "pass", source=str(place / "passes.csv"))
    keys = from_csv(text("keys.csv"), "pass", source=str(place / "keys.csv"))
    for name in ("passes.csv", "link.nc", "keys.csv", "schedule.csv"):
        if digests.get(name) != _digest(place / name):
            raise InputError(f"{place / name}: is not as the run wrote it: its SHA-256 differs from that in {RUN_FILE}")
    return RunResult(
        scenario=scenario,
        passes=passes,
        link=link,
        keys=keys,
        schedule=_schedule_from_table(table, totals, link.satellite.values),
        provenance=record,
    )
