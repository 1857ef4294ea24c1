"""Maps of optimised keys over two quantities, such as loss and noise: a table, a picture and what made them."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from satqkd._version import __version__
from satqkd.errors import InputError

__all__ = ["Axis", "MapSummary", "parse_axis", "parse_setting", "run_map"]

Progress = Callable[[str, int, int], None]
_LARGEST: Final = 1_000_000


@dataclass(frozen=True)
class Axis:
    """One axis of a map.

    Attributes
    ----------
    name : str
        Argument of the key-length function, or ``loss_db``.
    values : tuple of float
        Its values.
    logarithmic : bool
        Whether they are spaced by a factor.
    """

    name: str
    values: tuple[float, ...]
    logarithmic: bool

    @property
    def argument(self) -> tuple[str, list[float]]:
        """Argument and values for the analysis: a loss is a transmittance."""
        if self.name == "loss_db":
            return "transmittance", [10.0 ** (-value / 10.0) for value in self.values]
        return self.name, list(self.values)


@dataclass(frozen=True)
class MapSummary:
    """What a map came to.

    Attributes
    ----------
    points, with_key : int
        Points, and those with at least one bit.
    evaluations : int
        Evaluations of the key in all.
    seconds : float
        Wall time. [s]
    """

    points: int
    with_key: int
    evaluations: int
    seconds: float


def parse_axis(text: str, option: str) -> Axis:
    """Read an axis.

    Parameters
    ----------
    text : str
        ``NAME=FIRST:LAST:COUNT``, evenly spaced, or ``...:COUNT:log``.
    option : str
        Option it comes from, for the error.

    Returns
    -------
    Axis
        Name and values.

    Raises
    ------
    InputError
        If it cannot be read.

    Examples
    --------
    >>> parse_axis("p_noise=1e-8:1e-6:3:log", "--y").values
    (1e-08, 1e-07, 1e-06)
    """
    import numpy as np

    name, _, rest = text.partition("=")
    parts = rest.split(":")
    logarithmic = len(parts) == 4 and parts[3] == "log"
    try:
        if not (len(parts) == 3 or logarithmic):
            raise ValueError
        first, last, count = float(parts[0]), float(parts[1]), int(parts[2])
    except ValueError:
        raise InputError(f'{option} "{text}": must be NAME=FIRST:LAST:COUNT or NAME=FIRST:LAST:COUNT:log') from None
    if not 1 <= count <= 10_000:
        raise InputError(f'{option} "{text}": COUNT must be 1 to 10000')
    if logarithmic and not (first > 0.0 and last > 0.0):
        raise InputError(f'{option} "{text}": a logarithmic axis needs positive ends')
    if not (math.isfinite(first) and math.isfinite(last)):
        raise InputError(f'{option} "{text}": the ends must be finite')
    spaced = np.geomspace(first, last, count) if logarithmic else np.linspace(first, last, count)
    return Axis(name.strip(), tuple(spaced.tolist()), logarithmic)


def parse_setting(text: str, option: str) -> tuple[str, Any]:
    """Read ``NAME=VALUE``, as a cell of the column NAME in a table for ``satqkd keyrate``.

    Parameters
    ----------
    text : str
        The text.
    option : str
        Option it comes from, for the error.

    Returns
    -------
    tuple of (str, object)
        Name and value.

    Raises
    ------
    InputError
        If there is no name or no value, the name is not known, or the value is of another kind or out of range.

    Examples
    --------
    >>> parse_setting("pulses=1e12", "--set"), parse_setting("receiver=active", "--set")
    (('pulses', 1000000000000.0), ('receiver', 'active'))
    """
    from satqkd.study.keyrate_variable_length import VARIABLE_LENGTH

    name, separator, value = (part.strip() for part in text.partition("="))
    if not (separator and name and value):
        raise InputError(f'{option} "{text}": must be NAME=VALUE')
    columns = {column.name: column for column in VARIABLE_LENGTH.columns}
    if name not in columns:
        raise InputError(f'{option} "{text}": "{name}" is not known: {", ".join(columns)}')
    try:
        return name, columns[name].parse(value)
    except InputError as error:
        raise InputError(f'{option} "{text}": {error}') from None


def run_map(
    folder: Path,
    *,
    x: Axis,
    y: Axis,
    settings: Mapping[str, Any],
    analysis: str = "variable-length",
    threads: int = 0,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> MapSummary:
    """Compute a map and write ``map.csv``, ``map.png`` and ``run.json`` into a folder.

    Parameters
    ----------
    folder : Path
        New folder.
    x, y : Axis
        Axes.
    settings : mapping
        Everything else that the key-length function needs; parameters of the protocol among it are not optimised.
    analysis : str
        ``variable-length``.
    threads : int
        Threads; 0: one per core.
    overwrite : bool
        Replace a folder that is there.
    progress : callable, optional
        Called with stage, points done, points in total.

    Returns
    -------
    MapSummary
        Counts and time.

    Raises
    ------
    InputError
        If an axis or a setting does not fit the analysis, or the folder cannot be written.
    """
    from satqkd.security.sweep import sweep
    from satqkd.study.storage import new_folder

    if analysis != "variable-length":
        raise InputError(f'analysis "{analysis}": maps are made with variable-length')
    points = len(x.values) * len(y.values)
    if points > _LARGEST:
        raise InputError(f"the map has {points} points: allowed are at most {_LARGEST}")
    fixed = dict(settings)
    if {"loss_db", "transmittance"} <= set(fixed):
        raise InputError("loss_db and transmittance: only one of them can be set")
    if "loss_db" in fixed:
        fixed["transmittance"] = 10.0 ** (-fixed.pop("loss_db") / 10.0)
    for axis in (x, y):
        if axis.argument[0] in fixed:
            raise InputError(f"{axis.name}: cannot be both set and vary along an axis")
    start = time.monotonic()
    with new_folder(folder, overwrite=overwrite) as aside:
        found = sweep(analysis, fixed=fixed, x=x.argument, y=y.argument, threads=threads, progress=progress)
        _write_table(aside / "map.csv", x, y, found)
        _draw(aside / "map.png", x, y, found, fixed)
        seconds = time.monotonic() - start
        record = {
            "satqkd": __version__,
            "analysis": analysis,
            "settings": fixed,
            "axes": {axis.name: [axis.values[0], axis.values[-1], len(axis.values)] for axis in (x, y)},
            "evaluations": found.evaluations,
            "wall_time_s": seconds,
            "citations": list(_citations()),
        }
        (aside / "run.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return MapSummary(points, int((found.key_bits >= 1.0).sum()), found.evaluations, seconds)


def _citations() -> Sequence[str]:
    from satqkd.security.variable_length import CITATIONS

    return CITATIONS


def _write_table(path: Path, x: Axis, y: Axis, found: Any) -> None:
    """One row per point: both values, key, un-clamped key, parameters of the optimum."""
    names = list(found.parameters)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([x.name, y.name, "key_bits", "key_bits_raw", *names])
        for j, y_value in enumerate(y.values):
            for i, x_value in enumerate(x.values):
                setting = [found.parameters[name][j, i].tolist() for name in names]
                cells = [" ".join(map(repr, v)) if isinstance(v, list) else repr(v) for v in setting]
                raw = float(found.key_bits_raw[j, i])
                writer.writerow([repr(x_value), repr(y_value), int(found.key_bits[j, i]), repr(raw), *cells])


def _draw(path: Path, x: Axis, y: Axis, found: Any, fixed: Mapping[str, Any]) -> None:
    import numpy as np

    from satqkd.plot.key_maps import key_maps

    per_pulse = "pulses" in fixed
    key = found.key_bits / (fixed["pulses"] if per_pulse else 1.0)
    texts = [f"{name} {value:g}" if isinstance(value, float) else str(value) for name, value in fixed.items()]
    figure = key_maps(
        np.array(x.values), np.array(y.values), {"": key},
        x_label=_label(x.name), y_label=_label(y.name),
        colour_label="key per pulse [bit]" if per_pulse else "key [bit]",
        title=", ".join(texts[:5]).replace("_", " "), log_x=x.logarithmic, log_y=y.logarithmic,
    )  # fmt: skip
    figure.savefig(path, dpi=150)


def _label(name: str) -> str:
    return "loss [dB]" if name == "loss_db" else name.replace("_", " ")
