"""Plans of tables of deliverable bits: the schedule, its contacts, the keys that pairs of stations get from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from satqkd.errors import InputError
from satqkd.formats.key_table import KeyTable
from satqkd.planning.contacts import Contact, contacts_of
from satqkd.planning.key_usage import READINGS, KeyUsage, key_usage

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

    from satqkd.planning.scheduling import Schedule

__all__ = ["Plan", "TimeAxis", "key_table_of", "make_plan", "parse_epoch", "plain", "usage"]

_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Times are kept in nanoseconds, which end in 2262."""

_UNITS: Final[Mapping[str, str]] = {"priority": "weighted bit", "max-min": "bit per weight"}
"""Unit of an objective's value where it is not bits."""


@dataclass(frozen=True)
class TimeAxis:
    """When an interval is.

    Attributes
    ----------
    epoch : datetime
        Start of interval 0, with time zone.
    step_s : float
        Length of an interval. [s]
    """

    epoch: datetime
    step_s: float

    def __post_init__(self) -> None:
        """Refuse a length that is none."""
        if not (math.isfinite(self.step_s) and 1e-3 <= self.step_s <= 86400.0):
            raise InputError(f"length of an interval {self.step_s:g} s: must be 0.001 to 86400 s")

    def time(self, index: int) -> datetime:
        """Start of an interval, UTC."""
        try:
            found = self.epoch.astimezone(UTC) + timedelta(seconds=index * self.step_s)
        except OverflowError:
            found = _LATEST
        if not datetime(1900, 1, 1, tzinfo=UTC) <= found < _LATEST:
            raise InputError(f"interval {index}: is not between the years 1900 and 2200 with this epoch and length")
        return found

    def numpy(self, index: int) -> np.datetime64:
        """Start of an interval as NumPy's time."""
        return np.datetime64(self.time(index).replace(tzinfo=None), "ns")

    def text(self, index: int) -> str:
        """Start of an interval as text, to a second or, where it has a part of one, to a microsecond."""
        return self.time(index).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Plan:
    """A plan and what it was made from.

    Attributes
    ----------
    table : KeyTable
        Deliverable bits.
    schedule : Schedule
        What :func:`satqkd.planning.schedule` found.
    contacts : tuple of Contact
        Its contacts in order of time.
    usages : mapping of str to KeyUsage
        Pair keys by reading; empty unless asked for.
    traffic : ndarray or None
        Traffic that the pair keys are for.
    """

    table: KeyTable
    schedule: Schedule
    contacts: tuple[Contact, ...]
    usages: Mapping[str, KeyUsage] = field(default_factory=dict)
    traffic: NDArray[np.float64] | None = None

    @property
    def numbers(self) -> dict[str, Any]:
        """Value, bound, gap, divergence, bits per station; pair keys if there are any. Plain numbers, valid JSON."""
        made = self.schedule
        found: dict[str, Any] = {
            "value": plain(made.value),
            "bound": plain(made.bound),
            "gap": plain(made.gap),
            "kl": None if made.kl is None else plain(made.kl),
            "delivered_bits": {name: plain(bits) for name, bits in made.delivered_bits.items()},
        }
        if self.usages:
            found["key_usage"] = {
                name: {
                    "shared_bits": plain(one.shared_bits),
                    "utilisation": one.utilisation,
                    "one_time_pad_bits": one.one_time_pad_bits,
                    "aes256_keys": one.aes256_keys,
                    "unused_bits": dict(zip(self.table.stations, map(plain, one.unused_bits.tolist()), strict=True)),
                }
                for name, one in self.usages.items()
            }
        return found

    @property
    def summary(self) -> str:
        """One sentence on how good the plan is."""
        made = self.schedule
        unit = _UNITS.get(made.objective, "bit")
        text = (
            f"{made.objective}: {made.value:,.0f} {unit}, proven at most {made.bound:,.0f} (gap {100 * made.gap:.3g} %)"
        )
        if made.kl is not None:
            limit = f", at most {made.kl_max:g} asked for" if made.kl_max is not None else ""
            text += f"; divergence {made.kl:.4g} nat{limit}"
        return text + f"; {len(self.contacts)} contacts; {made.status}"


def parse_epoch(text: str, option: str = "--epoch") -> datetime:
    """Read a time, such as that of interval 0.

    Parameters
    ----------
    text : str
        ISO 8601 with ``Z`` or an offset.
    option : str
        Where it was given.

    Returns
    -------
    datetime
        With time zone.

    Raises
    ------
    InputError
        If it is no such time.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(f'{option} "{text}": must be a time with Z or an offset, such as 2016-09-19T00:00:00Z')
    return found


def make_plan(
    table: KeyTable,
    *,
    objective: str = "general",
    weights: Mapping[str, float] | None = None,
    kl_max: float | None = None,
    switch_intervals: int = 1,
    time_limit_s: float = 60.0,
    gap: float = 1e-3,
    traffic: ArrayLike | None = None,
) -> Plan:
    """Plan of a table; arguments as :func:`satqkd.planning.schedule` has them.

    Parameters
    ----------
    table : KeyTable
        Deliverable bits.
    objective : str
        ``general``, ``priority``, ``traffic`` or ``max-min``.
    weights : mapping of str to float, optional
        Weights of the stations.
    kl_max : float, optional
        Largest divergence from the weights. [nat]
    switch_intervals : int
        Intervals that a change of station takes.
    time_limit_s : float
        Time to search. [s]
    gap : float
        Proven gap at which to stop.
    traffic : array_like, shape (n, n), optional
        Traffic between the stations; if given, pair keys are computed.

    Returns
    -------
    Plan
        Checked for feasibility.
    """
    import xarray as xr

    from satqkd.planning.scheduling import schedule

    keys = xr.DataArray(
        table.bits,
        dims=("satellite", "interval", "station"),
        coords={
            "satellite": np.array(table.satellites, dtype=object),
            "interval": table.interval,
            "station": np.array(table.stations, dtype=object),
        },
    )
    made = schedule(
        keys, objective=objective, weights=weights, kl_max=kl_max, switch_intervals=switch_intervals,
        time_limit_s=time_limit_s, gap=gap,
    )  # fmt: skip
    contacts = contacts_of(made.assignment.values, interval=table.interval, bits=table.bits)
    return Plan(
        table=table,
        schedule=made,
        contacts=tuple(contacts),
        usages={} if traffic is None else usage(made, traffic),
        traffic=None if traffic is None else np.asarray(traffic, np.float64),
    )


def usage(schedule: Schedule, traffic: ArrayLike) -> dict[str, KeyUsage]:
    """Pair keys of a plan by every reading."""
    delivered = [schedule.delivered_bits[name] for name in schedule.stations]
    return {name: key_usage(delivered, traffic, reading=name) for name in READINGS}


def key_table_of(interval: NDArray[np.int64], bits: NDArray[np.float64], link: xr.Dataset) -> KeyTable:
    """Table of a scenario's bits, as :func:`satqkd.planning.evaluate.interval_bits` gives them."""
    satellites, stations = (tuple(str(name) for name in link[what].values) for what in ("satellite", "station"))
    return KeyTable(satellites, stations, interval, bits)


def plain(value: float) -> int | float | str:
    """Number for CSV and JSON: a whole number without a point, infinity as text.

    Examples
    --------
    >>> plain(3.0), plain(0.5), plain(math.inf)
    (3, 0.5, 'inf')
    """
    if not math.isfinite(value):
        return str(value)
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)
