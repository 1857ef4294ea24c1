"""CCSDS Orbit Ephemeris Messages (502.0-B-2) in keyword = value notation: state vectors for other tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.orbit.omm import parse_date
from satqkd.orbit.time import as_utc

__all__ = ["Ephemeris", "parse_oem", "write_oem"]

FloatArray = NDArray[np.float64]

_FRAMES: Final = {"ITRF": "ITRF2000", "TEME": "TEME"}


@dataclass(frozen=True)
class Ephemeris:
    """State vectors of one object.

    Parameters
    ----------
    object_name, object_id : str
        Name and international designator.
    frame : str
        ``ITRF`` or ``TEME``.
    times : ndarray of datetime64[ns]
        UTC, ascending, shape (n,).
    position_m, velocity_m_s : ndarray
        Shape (n, 3) each; in ITRF the velocity is that in the rotating frame. [m], [m/s]
    """

    object_name: str
    object_id: str
    frame: str
    times: NDArray[np.datetime64]
    position_m: FloatArray
    velocity_m_s: FloatArray


def write_oem(
    times: ArrayLike,
    position_m: ArrayLike,
    velocity_m_s: ArrayLike,
    *,
    object_name: str,
    object_id: str,
    frame: Literal["ITRF", "TEME"] = "ITRF",
    originator: str = "SATQKD",
    creation_date: np.datetime64 | None = None,
) -> str:
    """State vectors as an OEM, positions to 0.1 mm, velocities to 1e-6 m/s, times to a nanosecond.

    Parameters
    ----------
    times : array_like of datetime64
        UTC, ascending, shape (n,), n at least 1.
    position_m, velocity_m_s : array_like
        Shape (n, 3) each. [m], [m/s]
    object_name, object_id : str
        Name and international designator of the object.
    frame : {"ITRF", "TEME"}
        Frame of the states. ``ITRF`` is written as ITRF2000, as the standard asks for a realisation; their
        differences (centimetres) are far below the neglected polar motion (20 m).
    originator : str
        Who writes the message.
    creation_date : datetime64 or None
        UTC; None: now.

    Returns
    -------
    str
        The message.

    Raises
    ------
    InputError
        Shapes do not match, times do not ascend, a number is not finite or the frame is unknown.
    """
    utc = as_utc(times)
    position, velocity = np.asarray(position_m, dtype=np.float64), np.asarray(velocity_m_s, dtype=np.float64)
    if frame not in _FRAMES:
        raise InputError(f"OEM: frame must be one of {sorted(_FRAMES)}, got {frame!r}")
    if utc.ndim != 1 or not utc.size or position.shape != (utc.size, 3) or velocity.shape != (utc.size, 3):
        raise InputError(
            f"OEM: needs n times and n x 3 positions and velocities, got shapes {utc.shape}, "
            f"{position.shape}, {velocity.shape}"
        )
    if (np.diff(utc.astype(np.int64)) <= 0).any():
        raise InputError("OEM: times must ascend")
    if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
        raise InputError("OEM: positions and velocities must be finite")
    created = np.datetime64("now") if creation_date is None else creation_date
    stamps = np.datetime_as_string(utc)
    header = {
        "CCSDS_OEM_VERS": "2.0",
        "CREATION_DATE": np.datetime_as_string(created.astype("datetime64[s]")),
        "ORIGINATOR": originator,
    }
    meta = {
        "OBJECT_NAME": object_name,
        "OBJECT_ID": object_id or "UNKNOWN",
        "CENTER_NAME": "EARTH",
        "REF_FRAME": _FRAMES[frame],
        "TIME_SYSTEM": "UTC",
        "START_TIME": stamps[0],
        "STOP_TIME": stamps[-1],
    }
    states = np.hstack([position, velocity]) / 1e3
    rows = [
        "{} {:.7f} {:.7f} {:.7f} {:.9f} {:.9f} {:.9f}".format(stamp, *row)
        for stamp, row in zip(stamps, states, strict=True)
    ]
    return "\n".join(
        [
            *(f"{key} = {value}" for key, value in header.items()),
            "",
            "META_START",
            *(f"{key} = {value}" for key, value in meta.items()),
            "META_STOP",
            "",
            *rows,
            "",
        ]
    )


def parse_oem(text: str, *, source: str = "OEM text") -> Ephemeris:
    """Read an OEM of one segment, as :func:`write_oem` writes it.

    Parameters
    ----------
    text : str
        The message; covariance blocks and accelerations are not supported.
    source : str
        What to call the text in errors.

    Returns
    -------
    Ephemeris
        The states in metres.

    Raises
    ------
    InputError
        A line cannot be read, a keyword is missing, or frame or time system are not supported.
    """
    fields: dict[str, str] = {}
    stamps: list[np.datetime64] = []
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{source}, line {number}"
        stripped = line.strip()
        if not stripped or stripped.split()[0] == "COMMENT" or stripped == "META_STOP":
            continue
        if stripped == "META_START":
            if rows:
                raise InputError(f"{where}: more than one segment is not supported")
            continue
        if "=" in stripped:
            key, _, value = stripped.partition("=")
            fields[key.strip()] = value.strip()
            continue
        parts = stripped.split()
        if len(parts) != 7:
            raise InputError(f"{where}: expected a time and 6 numbers, found {stripped[:40]!r}")
        stamps.append(parse_date(parts[0], f"{where}: time"))
        try:
            row = [float(part) for part in parts[1:]]
        except ValueError:
            raise InputError(f"{where}: expected a time and 6 numbers, found {stripped[:40]!r}") from None
        rows.append(row)
    for key in ("CCSDS_OEM_VERS", "OBJECT_NAME", "OBJECT_ID", "REF_FRAME", "TIME_SYSTEM"):
        if not fields.get(key):
            raise InputError(f"{source}: {key} is missing")
    frames = {written: name for name, written in _FRAMES.items()}
    if fields["REF_FRAME"] not in frames:
        raise InputError(f"{source}: REF_FRAME must be one of {sorted(frames)}, found {fields['REF_FRAME']!r}")
    if fields["TIME_SYSTEM"] != "UTC":
        raise InputError(f"{source}: TIME_SYSTEM must be UTC, found {fields['TIME_SYSTEM']!r}")
    if not rows:
        raise InputError(f"{source}: there are no states")
    states = np.array(rows) * 1e3
    if not np.isfinite(states).all():
        raise InputError(f"{source}: a state is not a finite number")
    return Ephemeris(
        object_name=fields["OBJECT_NAME"],
        object_id="" if fields["OBJECT_ID"] == "UNKNOWN" else fields["OBJECT_ID"],
        frame=frames[fields["REF_FRAME"]],
        times=np.array(stamps),
        position_m=states[:, :3],
        velocity_m_s=states[:, 3:],
    )
