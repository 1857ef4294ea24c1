"""From files of cloud data to the station tables and occurrence statistics that scenarios and planning use."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.clouds import (
    CLASS_CUTS,
    SkyFractions,
    fractions_of_bins,
    fractions_of_exceedance,
    fractions_of_samples,
    liquid_water_thickness,
)
from satqkd.errors import InputError
from satqkd.formats.cloud_occurrence import OccurrenceRow, read_occurrence, select_stations
from satqkd.formats.craas import CraasNames
from satqkd.scenario.model import Scenario

__all__ = ["MAX_GAP_S", "CloudExtract", "Occurrence", "extract_clouds", "occurrence_of_clouds"]

MAX_GAP_S = 1800.0
"""Time between two cloud files beyond which there is no data between them: two missing files of Himawari's. [s]"""


@dataclass(frozen=True)
class CloudExtract:
    """Optical thickness of clouds over stations.

    Parameters
    ----------
    stations : tuple of str
        Names.
    times : ndarray of datetime64[ns]
        Start of each row, UTC, shape (n,).
    thickness : ndarray
        Shape (n, station); NaN: no data. [1]
    files : int
        How many files were read.
    """

    stations: tuple[str, ...]
    times: NDArray[np.datetime64]
    thickness: NDArray[np.float64]
    files: int

    @property
    def missing(self) -> float:
        """Part of the cells without data. [1]"""
        return float(np.isnan(self.thickness).mean())

    def to_csv(self) -> str:
        """Table for ``[clouds] kind = "table"`` with ``model = "optical-thickness"``; no data is an empty cell."""
        out = io.StringIO()
        out.write(f"# optical thickness of clouds, {self.files} files; an empty cell is no data\n")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["time", *self.stations])
        for time, row in zip(self.times, self.thickness, strict=True):
            cells = ["" if np.isnan(value) else f"{value:.6g}" for value in row]
            writer.writerow([f"{np.datetime_as_string(time, unit='ms').removesuffix('.000')}Z", *cells])
        return out.getvalue()


@dataclass(frozen=True)
class Occurrence:
    """Occurrence of classes of sky over a scenario's stations.

    Parameters
    ----------
    rows : tuple of OccurrenceRow
        The table.
    comments : tuple of str
        Where it comes from.
    """

    rows: tuple[OccurrenceRow, ...]
    comments: tuple[str, ...]


def extract_clouds(
    files: Sequence[Path],
    scenario: Scenario,
    *,
    space: str = "nearest",
    time: str = "nearest",
    step_s: float | None = None,
    max_gap_s: float = MAX_GAP_S,
    progress: Callable[[str, int, int], None] | None = None,
) -> CloudExtract:
    """Optical thickness over a scenario's stations in its window, from Himawari files.

    Parameters
    ----------
    files : sequence of Path
        Files of :mod:`satqkd.formats.himawari`, in any order; those outside the window are not read.
    scenario : Scenario
        Stations and window.
    space : {"nearest", "bilinear"}
        Between cells.
    time : {"nearest", "linear"}
        Between files, if ``step_s`` is given.
    step_s : float, optional
        Time between rows; None: a row per file. [s]
    max_gap_s : float
        Longest time between files that is bridged; a longer one is a row without data. [s]
    progress : callable, optional
        Called with a word, the number of files done and of all.

    Returns
    -------
    CloudExtract
        Rows that cover the window.

    Raises
    ------
    InputError
        If a file cannot be used, the files do not cover the window, two have the same time, a station lies outside
        the grid, or there is no data at all.
    """
    from satqkd.formats.cloud_grids import sample_times
    from satqkd.formats.himawari import CADENCE_S, himawari_thickness, himawari_time
    from satqkd.orbit.build import to_datetime64

    if not files:
        raise InputError("no cloud files are given")
    if not max_gap_s >= CADENCE_S:
        raise InputError(f"a gap of {max_gap_s:g} s is shorter than the {CADENCE_S:g} s between files")
    start, end = to_datetime64(scenario.study.start), to_datetime64(scenario.study.end)
    dated = sorted((himawari_time(path), str(path), path) for path in files)
    for (before, name, _), (after, other, _) in pairwise(dated):
        if before == after:
            raise InputError(f"{other}: has the same time as {name}")
    cadence, gap = _nanoseconds(CADENCE_S), _nanoseconds(max_gap_s)
    if dated[0][0] > start or dated[-1][0] + cadence < end:
        raise InputError(
            f"the cloud files cover {_text(dated[0][0])} to {_text(dated[-1][0] + cadence)}, not the whole window "
            f"{_text(start)} to {_text(end)}"
        )
    # from the last file that is not after the start to the first that is not before the end
    first = sum(when <= start for when, _, _ in dated) - 1
    used = [(when, path) for when, _, path in dated[first : sum(when < end for when, _, _ in dated) + 1]]
    where = {
        "latitude_deg": np.degrees([station.latitude for station in scenario.stations]),
        "longitude_deg": np.degrees([station.longitude for station in scenario.stations]),
    }
    rows = []
    for count, (_, path) in enumerate(used):
        rows.append(himawari_thickness(path, space=space, **where))
        if progress:
            progress("cloud files", count + 1, len(used))
    times, values = np.array([when for when, _ in used], dtype="M8[ns]"), np.array(rows)
    if step_s is None:
        times, values = _rows_of_files(times, values, start, end, cadence, gap)
    else:
        if not 1.0 <= step_s <= (end - start) / np.timedelta64(1, "s"):
            raise InputError(f"step of {step_s:g} s is not allowed: from 1 s to the length of the window")
        wanted = np.arange(start, end, _nanoseconds(step_s))
        values = sample_times(times, values, wanted, time=time, max_gap_s=max_gap_s)
        times = wanted
    if np.isnan(values).all():
        raise InputError(
            f"no data: none of {len(used)} files has an optical thickness at a station in the window "
            "(the product is retrieved by day only)"
        )
    return CloudExtract(tuple(station.name for station in scenario.stations), times, values, len(used))


def _rows_of_files(
    times: NDArray[np.datetime64],
    values: NDArray[np.float64],
    start: np.datetime64,
    end: np.datetime64,
    cadence: np.timedelta64,
    gap: np.timedelta64,
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Rows that hold until the next: one per file, and an empty one where a gap begins."""
    ends = np.flatnonzero(np.diff(times) > gap)
    empty = np.full((ends.size, values.shape[1]), np.nan)
    times = np.insert(times, ends + 1, times[ends] + cadence)
    values = np.insert(values, ends + 1, empty, axis=0)
    first = np.searchsorted(times, start, side="right") - 1
    kept = slice(int(first), int(np.searchsorted(times, end, side="left")))
    return times[kept], values[kept]


def occurrence_of_clouds(
    scenario: Scenario,
    source: str | Path = "itur",
    *,
    space: str = "nearest",
    monthly: bool = False,
    names: CraasNames | None = None,
) -> Occurrence:
    """How often the sky over a scenario's stations is clear, thinly or thickly clouded.

    Parameters
    ----------
    scenario : Scenario
        Stations.
    source : str or Path
        ``itur`` for the proxy of ITU-R P.840; a CSV file with columns station, clear, thin, thick (and month), or with
        a station table of :func:`extract_clouds`, whose rows are counted; a NetCDF file (``.nc``) of the first kind
        or of CRAAS.
    space : {"nearest", "bilinear"}
        Between cells of CRAAS.
    monthly : bool
        Whether to count by month, for a station table or CRAAS with times.
    names : CraasNames, optional
        Names in a CRAAS file.

    Returns
    -------
    Occurrence
        One row per station, or per station and month.

    Raises
    ------
    InputError
        If the file cannot be used or has no data for a station.
    MissingExtraError
        For ``itur`` without that package.
    """
    stations = [station.name for station in scenario.stations]
    if str(source) == "itur":
        if monthly:
            raise InputError("the statistics of itur are annual: there is none by month")
        return _from_itu(scenario)
    path = Path(source)
    if path.suffix == ".nc":
        if _is_occurrence(path):
            found = select_stations(read_occurrence(path), stations, source=str(path))
            return Occurrence(tuple(found), (f"from {path.name}",))
        return _from_craas(path, scenario, space, monthly, names)
    text = _text_of(path)
    head = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    if head.partition(",")[0].strip().lower() == "time":
        return _from_samples(path, text, scenario, monthly)
    found = select_stations(read_occurrence(path), stations, source=str(path))
    # what a table says of itself goes with it: a proxy stays one
    own = [line.lstrip("# ").rstrip() for line in text.splitlines() if line.startswith("#")]
    return Occurrence(tuple(found), (f"from {path.name}", *own))


def _from_itu(scenario: Scenario) -> Occurrence:
    from satqkd.formats.itu_clouds import PROBABILITIES, exceeded_liquid_water

    latitude, longitude = _places(scenario)
    water = exceeded_liquid_water(latitude_deg=latitude, longitude_deg=longitude)
    found = fractions_of_exceedance(liquid_water_thickness(water), probability=PROBABILITIES)
    return Occurrence(
        _rows(scenario, [None], found),
        (
            "proxy from the cloud liquid water of ITU-R P.840 (annual maps of the package itur): no ice clouds",
            _classes_comment(),
        ),
    )


def _from_craas(path: Path, scenario: Scenario, space: str, monthly: bool, names: CraasNames | None) -> Occurrence:
    from satqkd.formats.craas import read_craas

    latitude, longitude = _places(scenario)
    bins = read_craas(path, latitude_deg=latitude, longitude_deg=longitude, space=space, names=names)
    if monthly and bins.times is None:
        raise InputError(f"{path}: has no times: there is no occurrence by month")
    months, groups = _groups(bins.times, bins.fraction.shape[0], monthly)
    known = ~np.isnan(bins.fraction[..., 0])
    mean = np.empty((len(scenario.stations), len(months), bins.fraction.shape[-1]))
    for column, group in enumerate(groups):
        for number, station in enumerate(scenario.stations):
            rows = group & known[:, number]
            if not rows.any():
                raise InputError(f'{path}: no data at station "{station.name}"{_in_month(months[column])}')
            mean[number, column] = bins.fraction[rows, number].mean(axis=0)
    return Occurrence(
        _rows(scenario, months, fractions_of_bins(mean)),
        (f"from {path.name}: clear is what no bin of optical thickness holds, thin the first bin, thick the second",),
    )


def _from_samples(path: Path, text: str, scenario: Scenario, monthly: bool) -> Occurrence:
    from satqkd.orbit.build import to_datetime64
    from satqkd.scenario.tables import read_cloud_rows

    stations = [station.name for station in scenario.stations]
    try:
        table = read_cloud_rows(text, stations, model="optical-thickness", empty=True)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    times = np.array([to_datetime64(when) for when in table.times])
    thickness = np.array(table.thickness)
    months, groups = _groups(times, times.size, monthly)
    for month, group in zip(months, groups, strict=True):
        for number, name in enumerate(stations):
            if np.isnan(thickness[group, number]).all():
                raise InputError(f'{path}: no data at station "{name}"{_in_month(month)}')
    counted = [fractions_of_samples(thickness[group].T) for group in groups]
    found = SkyFractions(
        *(np.stack([getattr(part, name) for part in counted], axis=1) for name in ("clear", "thin", "thick"))
    )
    return Occurrence(_rows(scenario, months, found), (f"rows of {path.name}, counted", _classes_comment()))


def _groups(
    times: NDArray[np.datetime64] | None, count: int, monthly: bool
) -> tuple[list[int | None], list[NDArray[np.bool_]]]:
    """Months there are, and which of the times belong to each; without months all belong together."""
    if times is None or not monthly:
        return [None], [np.ones(count, dtype=np.bool_)]
    month = times.astype("M8[M]").astype(np.int64) % 12 + 1
    present = sorted(set(month.tolist()))
    return list(present), [month == number for number in present]


def _rows(scenario: Scenario, months: Sequence[int | None], found: SkyFractions) -> tuple[OccurrenceRow, ...]:
    shape = (len(scenario.stations), len(months))
    clear, thin, thick = (part.reshape(shape) for part in (found.clear, found.thin, found.thick))
    return tuple(
        OccurrenceRow(station.name, month, float(clear[i, k]), float(thin[i, k]), float(thick[i, k]))
        for i, station in enumerate(scenario.stations)
        for k, month in enumerate(months)
    )


def _is_occurrence(path: Path) -> bool:
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
            return "station" in dataset.variables
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a readable NetCDF-4 file ({type(error).__name__})") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a UTF-8 text file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _places(scenario: Scenario) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    latitude = np.degrees([station.latitude for station in scenario.stations])
    return latitude, np.degrees([station.longitude for station in scenario.stations])


def _classes_comment() -> str:
    return "optical thickness: clear up to {:g}, thin up to {:g}, thick up to {:g}".format(*CLASS_CUTS)


def _in_month(month: int | None) -> str:
    return "" if month is None else f" in month {month}"


def _nanoseconds(seconds: float) -> np.timedelta64:
    return np.timedelta64(round(seconds * 1e9), "ns")


def _text(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, unit='s')}Z"
