"""Files of a plan for those who carry it out: tables, a calendar, a picture, and what made them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd._version import __version__
from satqkd.formats.icalendar import CalendarEvent, to_icalendar
from satqkd.planning.contacts import Contact, contacts_of
from satqkd.planning.single import IDLE, SWITCHING
from satqkd.study.plan import Plan, TimeAxis, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from satqkd.study.result import RunResult

__all__ = [
    "calendar",
    "figure",
    "pair_rows",
    "scenario_calendar",
    "schedule_rows",
    "station_rows",
    "usage_rows",
    "window_rows",
    "write_plan",
]


_WINDOW_COLUMNS = (
    "start", "end", "duration_s", "served_s", "satellite", "station", "bits", "first_interval", "last_interval",
)  # fmt: skip


def calendar(
    contacts: Sequence[Contact],
    *,
    satellites: Sequence[str],
    stations: Sequence[str],
    axis: TimeAxis,
    name: str,
    stamp: datetime,
) -> str:
    """Calendar of contacts, an entry each.

    Parameters
    ----------
    contacts : sequence of Contact
        The plan.
    satellites, stations : sequence of str
        Names.
    axis : TimeAxis
        When an interval is.
    name : str
        Name of the calendar.
    stamp : datetime
        When the plan was made.

    Returns
    -------
    str
        iCalendar text. An entry is identified by satellite, station, the start of the pass and its number in the pass:
        imported again after a change of plan, it replaces what was there.
    """
    events = []
    for one in contacts:
        satellite, station = satellites[one.satellite], stations[one.station]
        # the same wherever and whenever it is made; a hash because a name may hold anything
        identity = json.dumps([satellite, station, axis.text(one.view_first), one.part], ensure_ascii=True)
        start, end = axis.time(one.first), axis.time(one.last + 1)
        if end.microsecond:  # calendars have whole seconds: the entry contains the contact
            end = end.replace(microsecond=0) + timedelta(seconds=1)
        events.append(
            CalendarEvent(
                uid=f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}@satqkd",
                start=start,
                end=end,
                summary=f"{satellite} to {station}",
                description=f"Quantum downlink, {one.bits:,.0f} bit planned in {one.served * axis.step_s:g} s.\n"
                f"Intervals {one.first} to {one.last} of {axis.step_s:g} s, "
                f"{axis.text(one.first)} to {axis.text(one.last + 1)}.",
                location=station,
                categories=(station, satellite),
            )
        )
    return to_icalendar(events, name=name, stamp=stamp)


def scenario_calendar(result: RunResult) -> str:
    """Calendar of the schedule of a scenario's run."""
    from satqkd.planning.evaluate import interval_bits

    scenario, schedule = result.scenario, result.schedule
    stations = [str(name) for name in schedule.station.values]
    place = {"idle": IDLE, "switching": SWITCHING} | {name: number for number, name in enumerate(stations)}
    served = [[place[str(name)] for name in own] for own in schedule.assigned.values]
    interval, bits = interval_bits(scenario, result.link)
    contacts = contacts_of(served, interval=interval, bits=bits) if len(interval) else []
    return calendar(
        contacts, satellites=[str(name) for name in schedule.satellite.values], stations=stations,
        axis=TimeAxis(scenario.study.start, scenario.planning.interval), name=scenario.title or scenario.name,
        stamp=datetime.fromisoformat(result.provenance["created"]),
    )  # fmt: skip


def write_plan(plan: Plan, folder: Path, *, axis: TimeAxis, record: Mapping[str, Any]) -> None:
    """Write the files of a plan into a folder.

    Parameters
    ----------
    plan : Plan
        The plan.
    folder : Path
        An existing folder.
    axis : TimeAxis
        When an interval is.
    record : mapping
        What ``run.json`` says besides: options, inputs, wall time.
    """
    created = datetime.now(UTC).replace(microsecond=0)
    table = plan.table
    files = {
        "schedule.csv": _csv(schedule_rows(plan, axis)),
        "windows.csv": _csv(window_rows(plan, axis), _WINDOW_COLUMNS),
        "stations.csv": _csv(station_rows(plan, axis.step_s)),
        "schedule.ics": calendar(
            plan.contacts, satellites=table.satellites, stations=table.stations, axis=axis,
            name=f"Downlinks ({plan.schedule.objective})", stamp=created,
        ),
    }  # fmt: skip
    if plan.usages:
        files["pairs.csv"] = _csv(pair_rows(plan))
    provenance = {
        "satqkd": __version__,
        "python": platform.python_version(),
        "created": created.isoformat().replace("+00:00", "Z"),
        **record,
        "epoch": axis.text(0),
        "step_s": axis.step_s,
        "objective": plan.schedule.objective,
        "status": plan.schedule.status,
        "kl_max": plan.schedule.kl_max,
        "switch_intervals": plan.schedule.switch_intervals,
        "weights": plan.schedule.weights,
        **plan.numbers,
    }
    files["run.json"] = json.dumps(provenance, indent=1, ensure_ascii=False) + "\n"
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    figure(plan, axis).savefig(folder / "gantt.png", dpi=130, metadata={"Software": None})


def schedule_rows(plan: Plan, axis: TimeAxis) -> list[dict[str, Any]]:
    """One row per interval and satellite: who is served and the bits."""
    states = {IDLE: "idle", SWITCHING: "switching"}
    names = plan.table.stations
    served, bits = plan.schedule.assignment.values, plan.schedule.bits.values
    return [
        {
            "interval": index,
            "interval_start": axis.text(index),
            "satellite": satellite,
            "assigned": states[station] if station < 0 else names[station],
            "interval_bits": plain(float(bits[number, row])),
        }
        for row, index in enumerate(plan.table.interval.tolist())
        for number, satellite in enumerate(plan.table.satellites)
        for station in [int(served[number, row])]
    ]


def window_rows(plan: Plan, axis: TimeAxis) -> list[dict[str, Any]]:
    """One row per contact."""
    return [
        {
            "start": axis.text(one.first),
            "end": axis.text(one.last + 1),
            "duration_s": plain((one.last + 1 - one.first) * axis.step_s),
            "served_s": plain(one.served * axis.step_s),
            "satellite": plan.table.satellites[one.satellite],
            "station": plan.table.stations[one.station],
            "bits": plain(one.bits),
            "first_interval": one.first,
            "last_interval": one.last,
        }
        for one in plan.contacts
    ]


def station_rows(plan: Plan, step_s: float | None = None) -> list[dict[str, Any]]:
    """One row per station: what it gets, how much of all that is, and its term of the divergence from the weights."""
    total = sum(plan.schedule.delivered_bits.values())
    weights = plan.schedule.weights
    available = plan.table.bits.sum(axis=(0, 1))
    rows = []
    for number, name in enumerate(plan.table.stations):
        got = plan.schedule.delivered_bits[name]
        share = got / total if total > 0.0 else 0.0
        own = [one for one in plan.contacts if one.station == number]
        row: dict[str, Any] = {"station": name, "delivered_bits": plain(got), "share": share}
        if weights is not None:
            weight = weights[name]
            term = 0.0 if share == 0.0 else math.inf if weight == 0.0 else share * math.log(share / weight)
            row |= {"weight": weight, "kl_term_nat": plain(term)}
        row["available_bits"] = plain(float(available[number]))
        row["contacts"] = len(own)
        if step_s is not None:
            row["served_s"] = plain(sum(one.served * step_s for one in own))
        rows.append(row)
    return rows


def usage_rows(plan: Plan) -> list[dict[str, Any]]:
    """One row per reading of how the keys are divided among pairs."""
    return [
        {
            "pair keys": name,
            "shared_bits": plain(one.shared_bits),
            "utilisation": one.utilisation,
            "one_time_pad_bits": one.one_time_pad_bits,
            "aes256_keys": one.aes256_keys,
        }
        for name, one in plan.usages.items()
    ]


def pair_rows(plan: Plan) -> list[dict[str, Any]]:
    """One row per pair of stations: traffic and key by every reading."""
    assert plan.traffic is not None
    names = plan.table.stations
    return [
        {
            "station1": names[i],
            "station2": names[j],
            "traffic": float(plan.traffic[i, j]),
            **{f"{reading}_bits": int(one.whole_bits[i, j]) for reading, one in plan.usages.items()},
        }
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]


def figure(plan: Plan, axis: TimeAxis) -> Figure:
    """Gantt chart of a plan, with the time in which each station could be served."""
    from satqkd.plot.gantt import Bar, gantt
    from satqkd.plot.style import bit_unit, three_digits

    table = plan.table

    def bars(contacts: Sequence[Contact]) -> list[Bar]:
        return [
            Bar(table.satellites[one.satellite], table.stations[one.station], axis.numpy(one.first),
                axis.numpy(one.last + 1))
            for one in contacts
        ]  # fmt: skip

    views: list[Contact] = []
    for number in range(len(table.stations)):
        seen = np.where(table.bits[:, :, number] > 0.0, number, -1)
        views += contacts_of(seen, interval=table.interval, bits=table.bits, over_idle=False)
    served = contacts_of(plan.schedule.assignment.values, interval=table.interval, bits=table.bits, over_idle=False)
    delivered = plan.schedule.delivered_bits
    size, unit = bit_unit(max(delivered.values()))
    amounts = {name: f"{three_digits(bits / size)} {unit}" for name, bits in delivered.items()}
    text = f"Plan ({plan.schedule.objective}): {plan.schedule.value:,.0f} bit, gap {100 * plan.schedule.gap:.2g} %"
    return gantt(bars(served), stations=table.stations, views=bars(views), amounts=amounts, title=text)


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
