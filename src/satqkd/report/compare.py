"""Two runs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from satqkd import plot
from satqkd.report.page import Section, figure, page, tiles
from satqkd.report.run import Run, Totals, heading, station_names
from satqkd.report.values import (
    bits,
    escape,
    instant,
    integer,
    number,
    ratio,
    signed_db,
    table,
    window_text,
)

__all__ = ["ComparisonRow", "compare", "compare_table", "match_passes", "scenario_differences"]

_MOST_ROWS = 500
_MOST_TEXT = 80


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One quantity of two runs.

    Parameters
    ----------
    station : str
        Station, or an empty text for the whole run.
    quantity : str
        ``key_bits``, ``key_bits_asymptotic``, ``delivered_bits``, ``passes`` or ``passes_with_key``.
    a, b : float
        Value in the first and in the second run; NaN for a station that a run does not have.
    """

    station: str
    quantity: str
    a: float
    b: float

    @property
    def difference(self) -> float:
        """Second less first."""
        return self.b - self.a

    @property
    def ratio(self) -> float:
        """Second by first; NaN if the first is zero."""
        return self.b / self.a if self.a else float("nan")


def compare_table(a: Run, b: Run) -> list[ComparisonRow]:
    """Totals and keys per station of two runs.

    Parameters
    ----------
    a, b : RunResult
        Finished runs, of any two scenarios.

    Returns
    -------
    list of ComparisonRow
        First the whole runs, then the stations in the order of the scenarios.
    """
    rows = []
    sums = (_sums(a), _sums(b))
    for name in ("", *_all_stations(a, b)):
        for quantity in _QUANTITIES:
            values = [run[name][quantity] if name in run else float("nan") for run in sums]
            rows.append(ComparisonRow(name, quantity, values[0], values[1]))
    return rows


_QUANTITIES = ("key_bits", "key_bits_asymptotic", "delivered_bits", "passes", "passes_with_key")


def _sums(run: Run) -> dict[str, dict[str, float]]:
    total = Totals(run)
    whole = (total.finite_bits, total.asymptotic_bits, total.delivered_bits, total.passes, total.passes_with_key)
    sums = {"": dict(zip(_QUANTITIES, map(float, whole), strict=True))}
    station = run.keys["station"].values.astype(str)
    served = run.schedule["station"].values.astype(str)
    for name in station_names(run):
        mine = station == name
        keys = run.keys["key_bits"].values[mine]
        values = (
            keys.sum(),
            run.keys["key_bits_asymptotic"].values[mine].sum(),
            run.schedule["delivered_bits"].values[served == name].sum(),
            mine.sum(),
            (keys > 0).sum(),
        )
        sums[name] = dict(zip(_QUANTITIES, map(float, values), strict=True))
    return sums


def _all_stations(a: Run, b: Run) -> list[str]:
    return list(dict.fromkeys([*station_names(a), *station_names(b)]))


def scenario_differences(a: Run, b: Run) -> list[tuple[str, str, str]]:
    """Find everything in which two scenarios differ.

    Parameters
    ----------
    a, b : RunResult
        Finished runs.

    Returns
    -------
    list of (str, str, str)
        Path and the two values, a dash for what a scenario does not have. Entries of a list are found by their name
        where they have one, so that a station added in front of others differs in itself only.
    """
    flat_a, flat_b = (_flat(run.scenario.to_dict()) for run in (a, b))
    paths = list(dict.fromkeys([*flat_a, *flat_b]))
    return [
        (path, flat_a.get(path, "–"), flat_b.get(path, "–")) for path in paths if flat_a.get(path) != flat_b.get(path)
    ]


def _flat(value: Any, path: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        entries = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        names = [item.get("name", i) if isinstance(item, dict) else i for i, item in enumerate(value)]
        entries = [(f"{path}[{name}]", item) for name, item in zip(names, value, strict=True)]
    else:
        return {path: ", ".join(map(str, value)) if isinstance(value, list) else str(value)}
    return {name: text for entry, item in entries for name, text in _flat(item, entry).items()}


def match_passes(a: Run, b: Run) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Find the same passes in two runs: same station and satellite, overlapping in time.

    Parameters
    ----------
    a, b : RunResult
        Finished runs.

    Returns
    -------
    pairs : list of (int, int)
        Pass numbers in the first and the second run. A pass is in one pair at most: of several that overlap,
        the pair with the longest common time.
    only_a, only_b : list of int
        Passes without a partner.
    """
    candidates: list[tuple[float, int, int]] = []
    identity_a, identity_b = (
        np.char.add(
            np.char.add(run.passes["station"].values.astype(str), "\n"), run.passes["satellite"].values.astype(str)
        )
        for run in (a, b)
    )
    for identity in np.intersect1d(identity_a, identity_b):
        left, right = np.flatnonzero(identity_a == identity), np.flatnonzero(identity_b == identity)
        start_b, end_b = b.passes["start"].values[right], b.passes["end"].values[right]
        for i in left.tolist():
            start, end = a.passes["start"].values[i], a.passes["end"].values[i]
            common = (np.minimum(end, end_b) - np.maximum(start, start_b)) / np.timedelta64(1, "s")
            candidates += [(-float(common[j]), i, int(right[j])) for j in np.flatnonzero(common > 0.0)]
    partner_a: dict[int, int] = {}
    taken_b: set[int] = set()
    for _, i, j in sorted(candidates):
        if i not in partner_a and j not in taken_b:
            partner_a[i] = j
            taken_b.add(j)
    only_a = [i for i in range(a.passes.sizes["pass"]) if i not in partner_a]
    only_b = [j for j in range(b.passes.sizes["pass"]) if j not in taken_b]
    return sorted(partner_a.items()), only_a, only_b


def compare(a: Run, b: Run) -> str:
    """Write the comparison of two runs.

    Parameters
    ----------
    a, b : RunResult
        Finished runs.

    Returns
    -------
    str
        HTML with pictures and style inside; it loads nothing.
    """
    labels = (f"A: {a.scenario.name}", f"B: {b.scenario.name}")
    rows = compare_table(a, b)
    whole = {row.quantity: row for row in rows if not row.station}
    lead = "".join(
        f'<p class="lead"><strong>{letter}</strong> {escape(heading(run))} ({escape(run.scenario.name)}, '
        f"<time>{escape(window_text(run.scenario.study.start, run.scenario.study.end))}</time>, "
        f"scenario {escape(str(run.provenance.get('scenario_hash', ''))[:12])})</p>"
        for letter, run in (("A", a), ("B", b))
    )
    finite, asymptotic = whole["key_bits"], whole["key_bits_asymptotic"]
    delivered, passes = whole["delivered_bits"], whole["passes"]
    top = tiles(
        [
            (f"{bits(finite.a)} → {bits(finite.b)}", f"finite key, ratio {ratio(finite.a, finite.b)}"),
            (
                f"{bits(asymptotic.a)} → {bits(asymptotic.b)}",
                f"asymptotic key, ratio {ratio(asymptotic.a, asymptotic.b)}",
            ),
            (f"{bits(delivered.a)} → {bits(delivered.b)}", f"delivered, ratio {ratio(delivered.a, delivered.b)}"),
            (f"{integer(passes.a)} → {integer(passes.b)}", "passes"),
        ]
    )  # fmt: skip
    return page(
        title=f"{a.scenario.name} and {b.scenario.name} - satqkd comparison",
        kind="Comparison of two satellite QKD runs",
        heading=heading(a) if heading(a) == heading(b) else f"{heading(a)} / {heading(b)}",
        lead=lead,
        top=top,
        sections=[_differences(a, b), _stations(a, b, rows, labels), _passes(a, b, labels)],
    )


def _differences(a: Run, b: Run) -> Section:
    title = "What differs in the scenarios"
    found = scenario_differences(a, b)
    if not found:
        return Section("differences", title, "<p>Nothing: the scenarios are the same.</p>")
    rows = [[f"<code>{escape(path)}</code>", escape(_cut(one)), escape(_cut(two))] for path, one, two in found]
    return Section("differences", title, table(["Path", "A", "B"], rows, text_columns=3))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} ... ({len(text)} characters)"


def _stations(a: Run, b: Run, rows: list[ComparisonRow], labels: tuple[str, str]) -> Section:
    names = _all_stations(a, b)
    alt = "Finite and asymptotic key of each station in both runs"
    picture = plot.compare_keys(a.keys, b.keys, stations=names, labels=labels)
    body = figure(plot.to_inline(picture, name="keys", alt=alt), alt + ".")
    for quantity, title in zip(
        _QUANTITIES[:3], ("Finite key", "Asymptotic key", "Delivered by the schedule"), strict=True
    ):
        chosen = [row for row in rows if row.quantity == quantity]
        cells = [
            [escape(row.station) or "<strong>All</strong>", _bits(row.a), _bits(row.b), _change(row.difference),
             number(row.ratio, 3)]
            for row in [*chosen[1:], chosen[0]]
        ]  # fmt: skip
        body += f"<h3>{title}</h3>" + table(["Station", "A", "B", "B − A", "B / A"], cells)
    return Section("stations", "Keys per station", body)


def _bits(value: float) -> str:
    return "–" if np.isnan(value) else bits(value)


def _change(value: float) -> str:
    if np.isnan(value):
        return "–"
    return bits(0.0) if value == 0.0 else f"{'+' if value > 0 else '−'}{bits(abs(value))}"


def _passes(a: Run, b: Run, labels: tuple[str, str]) -> Section:
    pairs, only_a, only_b = match_passes(a, b)
    alt = "Finite key and loss margin of every pass of both runs against its highest elevation"
    picture = plot.compare_passes(a.passes, a.keys, b.passes, b.keys, labels=labels)
    body = figure(plot.to_inline(picture, name="passes", alt=alt), alt + ".")
    body += (
        f"<p>{integer(len(pairs))} passes are in both runs (same station and satellite, overlapping in time), "
        f"{integer(len(only_a))} in A only, {integer(len(only_b))} in B only.</p>"
    )
    ka, kb = a.keys, b.keys
    if pairs:
        best = max(pairs, key=lambda pair: (ka["key_bits"].values[pair[0]], ka["key_bits_asymptotic"].values[pair[0]]))
        one_pass, other_pass = plot.pass_samples(a.link, best[0]), plot.pass_samples(b.link, best[1])
        if one_pass is not None and other_pass is not None:
            alt = "Total loss and asymptotic key rate over the best of the common passes, in both runs"
            picture = plot.compare_curves(one_pass, other_pass, labels=labels)
            body += figure(plot.to_inline(picture, name="curves", alt=alt), alt + ".")
    rows = []
    for i, j in pairs[:_MOST_ROWS]:
        one, two = float(ka["key_bits"].values[i]), float(kb["key_bits"].values[j])
        rows.append(
            [
                instant(a.passes["start"].values[i]), escape(a.passes["station"].values[i]),
                escape(a.passes["satellite"].values[i]),
                number(a.passes["max_elevation_deg"].values[i]), number(b.passes["max_elevation_deg"].values[j]),
                number(ka["mean_loss_db"].values[i]), number(kb["mean_loss_db"].values[j]),
                bits(one), bits(two), ratio(one, two),
                signed_db(ka["margin_db"].values[i]), signed_db(kb["margin_db"].values[j]),
            ]
        )  # fmt: skip
    if rows:
        header = [
            "Start in A (UTC)", "Station", "Satellite", "Elevation A [deg]", "B", "Mean loss A [dB]", "B",
            "Finite key A", "B", "B / A", "Margin A [dB]", "B",
        ]  # fmt: skip
        shown = "" if len(rows) == len(pairs) else f", the first {_MOST_ROWS}"
        content = table(header, rows, text_columns=3, css="sortable")
        body += f"<details><summary>Passes in both runs{shown}</summary>{content}</details>"
    return Section("passes", "Passes", body)
