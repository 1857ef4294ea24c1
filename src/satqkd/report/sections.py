"""Sections of a run's report."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from satqkd import plot
from satqkd.plot.keys import day_groups, key_table
from satqkd.plot.select import LOSS_NAMES, loss_terms
from satqkd.report.page import Section, figure, tiles
from satqkd.report.run import Run, Totals, best_of_stations, reason_groups, station_names
from satqkd.report.values import (
    bits,
    escape,
    instant,
    integer,
    number,
    percent,
    power_of_ten,
    seconds,
    signed_db,
    table,
    utc,
    window_text,
)  # fmt: skip

__all__ = [
    "best_pass", "headline", "keys", "loss_budget", "map_", "no_key", "passes", "provenance", "schedule", "security",
    "timeline", "warnings",
]  # fmt: skip

_MOST_ROWS = 500
_MOST_TEXT = 600


def headline(run: Run) -> str:
    """The numbers that count, or a plain sentence that there was no pass."""
    total = Totals(run)
    study = run.scenario.study
    days = (study.end - study.start).total_seconds() / 86400.0
    top = tiles(
        [
            (bits(total.finite_bits), "secret key, finite-size security"),
            (bits(total.asymptotic_bits), "secret key, asymptotic"),
            (f"{integer(total.passes_with_key)} of {integer(total.passes)}", "passes give a finite key"),
            (
                seconds(total.duration_s) if total.passes else "0 s",
                f"of passes in {seconds(86400.0 * days)}, all stations together",
            ),
            (bits(total.delivered_bits), "delivered by the schedule, asymptotic"),
        ]
    )
    if total.passes:
        best = plot.best_pass(run.keys)
        assert best is not None
        protocol = run.scenario.protocol
        key, pass_ = run.keys.isel({"pass": best}), run.passes.isel({"pass": best})
        where = (
            f"{escape(pass_['satellite'].item())} over {escape(pass_['station'].item())}, "
            f"{utc(pass_['culmination'].values)} UTC, up to {number(pass_['max_elevation_deg'].item())}&deg;"
        )
        if total.asymptotic_bits + total.finite_bits == 0.0:
            margin = float(key["margin_db"].item())
            lacks = f"lacks {number(-margin)} dB" if np.isfinite(margin) else "is out of reach of one"
            return top + (
                '<div class="warning"><p><strong>No pass gives a key.</strong> '
                f"The one closest to a key, {where}, {lacks}.</p></div>"
            )
        sifting = (
            ""
            if protocol.sifting is None
            else f'<p class="small">The asymptotic key adds up rates with the sifting factor {protocol.sifting:g}; the '
            f"finite key sends and measures in the key basis with probability {protocol.p_key_basis:g}. So the one is "
            "no upper bound of the other.</p>"
        )
        return top + (
            f"<p>Best pass: {where}, "
            f"{bits(key['key_bits'].item())} finite and {bits(key['key_bits_asymptotic'].item())} asymptotic key.</p>"
            + sifting
        )
    access = run.scenario.access
    sky = access.darkness if isinstance(access.darkness, str) else f"Sun below {np.degrees(access.darkness):g}°"
    return top + (
        '<div class="warning"><p><strong>No usable pass in this window, so no key.</strong></p>'
        "<p>What can be behind it: "
        f"no night falls together with an overflight (darkness required: {escape(sky)}; satellite: "
        f"{escape(access.satellite)}); the elevation masks of the stations are above every overflight; the window of "
        f"{seconds(86400.0 * days)} is too short; or the orbit does not reach the stations' latitudes.</p></div>"
    )


def map_(run: Run) -> Section:
    """Stations and ground tracks."""
    names = ", ".join(station_names(run))
    picture = plot.ground_track(run.link, stations=run.scenario.stations)
    text = plot.to_inline(picture, name="map", alt=f"Map of the stations {names} and the satellites' ground tracks")
    caption = "Ground tracks are drawn where at least one station has a usable pass. Land: Natural Earth."
    return Section("map", "Map", figure(text, caption))


def timeline(run: Run) -> Section:
    """When the passes are and who is served."""
    picture = plot.timeline(
        run.passes, keys=run.keys, schedule=run.schedule, interval_s=run.scenario.planning.interval,
        stations=station_names(run),
    )  # fmt: skip
    alt = f"Timeline of {run.passes.sizes['pass']} passes, one row per station"
    caption = "Usable time of each pass. Dark: the time that the schedule gives to this station."
    return Section("timeline", "Timeline of passes", figure(plot.to_inline(picture, name="timeline", alt=alt), caption))


def best_pass(run: Run) -> Section:
    """Curves of the pass with the most key."""
    picture = plot.pass_curves(run.link, run.keys)
    alt = "Elevation, slant range, total loss and asymptotic key rate over the pass with the most key"
    return Section("best", "Best pass", figure(plot.to_inline(picture, name="best", alt=alt), alt + "."))


def loss_budget(run: Run) -> Section:
    """Terms of the link budget."""
    terms = loss_terms(run.link)
    best = plot.best_pass(run.keys)
    samples = None if best is None else plot.pass_samples(run.link, best)
    if best is None or samples is None:
        return Section("losses", "Loss budget", "<p>No pass, so no loss budget.</p>")
    picture = plot.to_inline(
        plot.loss_budget(run.link, run.keys), name="losses", alt="Terms of the loss over the pass with the most key"
    )
    top = int(np.argmax(samples["elevation"].values))
    rows = []
    for name in (*terms, "loss_total_db"):
        values = samples[name].values
        rows.append(
            [
                f"<strong>{escape(text)}</strong>" if name == "loss_total_db" else escape(text)
                for text in (
                    LOSS_NAMES.get(name, "whole link"), number(values[top], 2), number(float(np.nanmean(values)), 2),
                    number(float(np.nanmax(values)), 2),
                )
            ]
        )  # fmt: skip
    body = figure(picture, "Loss terms of the best pass, on top of each other in the order in which light meets them.")
    body += table(
        ["Term", "At culmination [dB]", "Mean over the pass [dB]", "Largest [dB]"], rows,
        caption=f"Best pass: {escape(samples['satellite'].item())} over {escape(samples['station'].item())}, "
        f"{utc(run.passes['culmination'].values[best])} UTC. The loss of the mean transmittance over it is "
        f"{number(run.keys['mean_loss_db'].values[best], 2)} dB.",
    )  # fmt: skip
    rows = []
    several = run.link.sizes["satellite"] > 1
    for station, number_ in best_of_stations(run):
        one = plot.pass_samples(run.link, number_)
        assert one is not None
        at = int(np.argmax(one["elevation"].values))
        rows.append(
            [escape(station), *([escape(one["satellite"].item())] if several else []),
             instant(run.passes["culmination"].values[number_]),
             number(run.passes["max_elevation_deg"].values[number_]), number(one["slant_range"].values[at] / 1e3, 0)]
            + [number(one[name].values[at], 2) for name in terms]
            + [f"<strong>{number(one['loss_total_db'].values[at], 2)}</strong>",
               number(run.keys["mean_loss_db"].values[number_], 2)]
        )  # fmt: skip
    header = ["Station", *(["Satellite"] if several else []), "Culmination (UTC)", "Elevation [deg]", "Range [km]"]
    header += [LOSS_NAMES[name].capitalize() for name in terms] + ["Whole link", "Mean over pass"]
    caption = "Each station's best pass: losses in dB at culmination, and that of the pass's mean transmittance."
    if len(rows) > 1:
        picture = plot.to_inline(plot.station_budgets(run.link, run.keys), name="stations", alt="Loss terms by station")
        body += figure(picture, "Loss terms of each station's best pass at its highest elevation, in dB.")
    body += table(header, rows, text_columns=3 if several else 2, caption=caption, css="sortable")
    return Section("losses", "Loss budget", body)


def keys(run: Run) -> Section:
    """Keys per station and day: picture and tables."""
    if not run.keys.sizes["pass"]:
        return Section("keys", "Keys per station and day", "<p>No pass in the window, so no key.</p>")
    names = station_names(run)
    alt = "Finite and asymptotic key of each station, days stacked"
    body = figure(
        plot.to_inline(plot.keys_by_day(run.keys, stations=names), name="keys", alt=alt),
        "All keys if every pass is used by every station; the schedule below divides the satellite's time.",
    )
    for variable, title in (("key_bits", "Finite key"), ("key_bits_asymptotic", "Asymptotic key")):
        _, days, counts = key_table(run.keys, names, variable)
        labels, group = day_groups(days, most=14)
        sums = np.stack([counts[:, group == period].sum(axis=1) for period in range(len(labels))], axis=1)
        rows = [
            [escape(name), *(_cell(value) for value in row), f"<strong>{bits(row.sum())}</strong>"]
            for name, row in zip(names, sums, strict=True)
        ]
        rows.append(["<strong>All</strong>", *(f"<strong>{bits(v)}</strong>" for v in (*sums.sum(axis=0), sums.sum()))])
        body += f"<h3>{title}</h3>" + table(["Station", *labels, "All"], rows)
    return Section("keys", "Keys per station and day", body)


def _cell(value: float) -> str:
    return bits(value) if value else '<span class="lead">0</span>'


def _sortable(value: float, text: str) -> str:
    value = float(value)
    plain = "-1e999" if np.isnan(value) or value == -np.inf else "1e999" if value == np.inf else f"{value:.6g}"
    return f'<data value="{plain}">{text}</data>'


def passes(run: Run) -> Section:
    """Every pass with its key, or why it has none."""
    count = run.passes.sizes["pass"]
    if not count:
        return Section("passes", "All passes", "<p>No pass in the window.</p>")
    chosen = np.arange(count)
    remark = ""
    if count > _MOST_ROWS:
        chosen = np.sort(plot.best_passes(run.keys)[:_MOST_ROWS])
        remark = (
            f"<p>The {_MOST_ROWS} passes with the most key, of {integer(count)}; passes.csv and keys.csv have all.</p>"
        )
    p, k = run.passes, run.keys
    several = run.link.sizes["satellite"] > 1
    rows = []
    for i in chosen:
        limits = f"{p['start_limit'].values[i]} – {p['end_limit'].values[i]}"
        texts = [instant(p["start"].values[i]), escape(p["station"].values[i])]
        texts += [escape(p["satellite"].values[i])] if several else []
        rows.append(
            [
                *texts,
                _sortable(p["max_elevation_deg"].values[i], number(p["max_elevation_deg"].values[i])),
                _sortable(p["min_slant_range_km"].values[i], integer(p["min_slant_range_km"].values[i])),
                _sortable(p["duration_s"].values[i], integer(p["duration_s"].values[i])),
                _sortable(k["mean_loss_db"].values[i], number(k["mean_loss_db"].values[i])),
                _sortable(k["sifted_bits"].values[i], bits(k["sifted_bits"].values[i])),
                _sortable(k["qber"].values[i], percent(k["qber"].values[i], 2)),
                _sortable(k["key_bits"].values[i], _cell(k["key_bits"].values[i])),
                _sortable(k["key_bits_asymptotic"].values[i], _cell(k["key_bits_asymptotic"].values[i])),
                _sortable(k["margin_db"].values[i], signed_db(k["margin_db"].values[i])),
                escape(limits if limits != "elevation – elevation" else "elevation"),
            ]
        )
    header = [
        "Start (UTC)", "Station", *(["Satellite"] if several else []), "Highest elevation [deg]",
        "Shortest range [km]", "Duration [s]", "Mean loss [dB]", "Sifted", "QBER", "Finite key", "Asymptotic key",
        "Margin [dB]", "Limited by",
    ]  # fmt: skip
    content = table(header, rows, text_columns=3 if several else 2, css="sortable", last_text=True,
                    caption="Click a heading to sort.")  # fmt: skip
    if len(rows) > 40:
        content = f"<details><summary>Show {integer(len(rows))} passes</summary>{content}</details>"
    return Section("passes", "All passes", remark + content)


def no_key(run: Run) -> Section:
    """Why passes gave nothing, and how far they were from a key."""
    title = "Margins and missing keys"
    count = run.keys.sizes["pass"]
    if not count:
        return Section("reasons", title, "<p>No pass in the window.</p>")
    alt = "Loss margin of each pass against its highest elevation"
    body = figure(
        plot.to_inline(plot.margins(run.passes, run.keys), name="margins", alt=alt),
        "Above zero: extra loss with which the pass would still give a finite key. Below: loss to be saved to get one.",
    )
    groups = reason_groups(run.keys)
    if not groups:
        return Section("reasons", title, body + f"<p>All {integer(count)} passes give a finite key.</p>")
    rows = []
    for code, members in groups:
        nearest = members[0]
        margin = float(run.keys["margin_db"].values[nearest])
        detail = str(run.keys["reason"].values[nearest]).partition(":")[2].strip()
        where = f"{escape(run.keys['station'].values[nearest])}, {instant(run.keys['start'].values[nearest])}"
        save = f"{number(-margin, 1)} dB" if np.isfinite(margin) else "out of reach"
        rows.append([f"<code>{escape(code)}</code>", where, escape(detail), integer(len(members)), save])
    lacking = sum(len(members) for _, members in groups)
    body += f"<p>{integer(lacking)} of {integer(count)} passes give no finite key:</p>"
    header = ["Reason", "Closest pass (start, UTC)", "What it lacks", "Passes", "Closest: loss to be saved"]
    return Section("reasons", title, body + table(header, rows, text_columns=3))


def schedule(run: Run) -> Section:
    """What the plan delivers and how well it uses the time."""
    plan = run.schedule
    assigned = plan["assigned"].values.astype(str)
    if not assigned.size:
        return Section("schedule", "Schedule", "<p>No pass, so nothing to schedule.</p>")
    served = ~np.isin(assigned, ("idle", "switching"))
    delivered, available = plan["delivered_bits"].values, plan["available_bits"].values
    length = run.scenario.planning.interval
    rows = []
    for name, got, could in zip(plan["station"].values.astype(str), delivered, available, strict=True):
        rows.append(
            [escape(name), integer((assigned == name).sum()), _cell(got), _cell(could),
             percent(got / could) if could > 0.0 else "–", percent(got / delivered.sum()) if delivered.sum() else "–"]
        )  # fmt: skip
    total = delivered.sum()
    rows.append(
        ["<strong>All</strong>", f"<strong>{integer(served.sum())}</strong>", f"<strong>{bits(total)}</strong>",
         f"<strong>{bits(available.sum())}</strong>", percent(total / available.sum()) if available.sum() else "–", ""]
    )  # fmt: skip
    text = (
        f"<p>Intervals of {number(length, 0) if length == round(length) else number(length, 2)} s with at least one "
        f"station in view: {integer(assigned.size)}. Served: {integer(served.sum())} ({percent(served.mean())}), "
        f"turning to another station: {integer((assigned == 'switching').sum())} "
        f"({percent((assigned == 'switching').mean())}), idle: {integer((assigned == 'idle').sum())} "
        f"({percent((assigned == 'idle').mean())}). Keys here are asymptotic; available means that the satellite "
        "would serve this station alone.</p>"
    )
    proof = run.provenance.get("plan")
    if proof:
        text += (
            f"<p>All satellites are planned together: no plan delivers more than {bits(proof['bound_bits'])}, "
            f"so this one is within {percent(proof['gap'], 3)} of the best.</p>"
        )
    header = ["Station", "Intervals", "Delivered", "Available", "Delivered of available", "Share of delivered"]
    return Section("schedule", "Schedule", text + table(header, rows, css=""))


def security(run: Run) -> Section:
    """How the failure probabilities of many passes add up."""
    protocol = run.scenario.protocol
    budget: dict[str, Any] = dict(run.provenance.get("mission_epsilon") or {})
    attempts = all("passes" in entry for entry in budget.values())
    text = (
        f"<p>Each pass's key is {power_of_ten(protocol.eps_secrecy)}-secret and "
        f"{power_of_ten(protocol.eps_correctness)}-correct. A key made of the keys of several passes "
        "fails if any of them fails, so their parameters add up"
        f"{'; a pass that ended without a key counts too' if attempts and budget else ''}:</p>"
    )
    rows = [
        [escape(name), *([integer(entry["passes"])] if attempts else []), integer(entry["keys"]),
         power_of_ten(entry["eps_total"])]
        for name, entry in budget.items()
    ]  # fmt: skip
    header = ["Station", *(["Passes"] if attempts else []), "Keys", "Total epsilon (secrecy and correctness)"]
    body = table(header, rows) if rows else "<p>No keys.</p>"
    return Section("security", "Security of the mission", text + body)


def warnings(run: Run) -> Section | None:
    """Warnings of the run; ``None`` without any."""
    texts = run.provenance.get("warnings") or []
    if not texts:
        return None
    body = "".join(f"<p>{escape(text)}</p>" for text in texts)
    return Section("warnings", "Warnings", f'<div class="warning">{body}</div>')


def provenance(run: Run) -> Section:
    """Version, hash, time per stage, citations, the scenario itself."""
    data = dict(run.provenance)
    walls = data.pop("wall_time_s", None) or {}
    citations = data.pop("citations", None) or []
    for name in ("warnings", "mission_epsilon"):
        data.pop(name, None)
    study = run.scenario.study
    entries = [("window", window_text(study.start, study.end)), ("step", f"{study.step:g} s")]
    entries += [
        (str(key).replace("_", " "), json.dumps(value) if isinstance(value, dict | list) else str(value))
        for key, value in data.items()
    ]
    body = "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in entries) + "</dl>"
    if walls:
        rows = [[escape(stage), seconds(value)] for stage, value in walls.items()]
        body += table(["Stage", "Wall time"], rows)
    if citations:
        body += "<h3>Models used: please cite</h3><ul>" + "".join(f"<li>{escape(c)}</li>" for c in citations) + "</ul>"
    text = json.dumps(_abbreviated(run.scenario.to_dict()), indent=2, ensure_ascii=False)
    body += f"<details><summary>Scenario (JSON)</summary><pre>{escape(text)}</pre></details>"
    return Section("provenance", "Provenance", body)


def _abbreviated(value: Any) -> Any:
    """The same data with long texts, the content of files, cut short."""
    if isinstance(value, dict):
        return {key: _abbreviated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_abbreviated(item) for item in value]
    if isinstance(value, str) and len(value) > _MOST_TEXT:
        return f"{value[:_MOST_TEXT]} ... ({len(value)} characters in all)"
    return value
