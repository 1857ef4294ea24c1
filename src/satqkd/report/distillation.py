"""Report of a distilled pass: one HTML file that stands on its own, without anything secret."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from satqkd.plot.distillation import counts_and_range, errors_and_key, errors_without_noise
from satqkd.plot.style import to_inline
from satqkd.report.page import Section, figure, page, tiles
from satqkd.report.values import bits, escape, integer, number, percent, power_of_ten, seconds, table

__all__ = ["block_rows", "render"]

Record = Mapping[str, Any]


def render(record: Record) -> str:
    """Write the report of a distilled pass.

    Parameters
    ----------
    record : mapping
        What ``run.json`` holds.

    Returns
    -------
    str
        HTML with pictures and style inside.
    """
    summary, link = record["summary"], record["link"]
    lead = (
        f'<p class="lead">{escape(record["satellite"])} over {escape(record["station"])}, simulated, '
        f"{seconds(record['duration_s'])}. Both ends ran as programs of their own and talked over an emulated optical "
        f"link: {percent(link['loss'])} of the datagrams lost, {percent(link['duplication'])} repeated, "
        f"{percent(link['reordering'])} overtaken, {number(1e3 * link['delay_s'], 1)} ms each way, "
        f"{number(1e-6 * link['bandwidth_hz'], 0)} Mbit/s.</p>"
    )
    if record["failure"]:
        lead += f'<div class="warning"><p>{escape(record["failure"])}</p></div>'
    if record["authentication"] == "signatures":
        lead += '<div class="warning"><p>First session computationally authenticated: by signatures.</p></div>'
    top = tiles(
        [
            (bits(summary["key_bits"]), "key, identical at both ends"),
            (bits(summary["predicted_bits"]), "predicted before the pass"),
            (f"{summary['packets_kept']} of {summary['packets']}", "packets kept"),
            (f"{100.0 * summary['qber']:.2f} %", "mean QBER of these"),
            (f"{summary['efficiency']:.3f}" if summary["efficiency"] else "–", "revealed bits over Shannon's limit"),
            (str(summary["restarts"]), "restarts after a crash"),
        ]
    )
    sections = [
        _counts(record), _errors(record), _noise(record), _prediction(record), _leaks(record), _budget(record),
        _link(record), _provenance(record),
    ]  # fmt: skip
    return page(
        title=f"{record['scenario']} - satqkd distillation",
        kind="Key distillation of a satellite pass",
        heading=f"{record['satellite']} over {record['station']}",
        lead=lead,
        top=top,
        sections=sections,
    )


def _counts(record: Record) -> Section:
    sync = record["synchronisation"]
    where = record["range"]
    picture = counts_and_range(
        sync.get("counts_per_s", []), time_s=where["time_s"], slant_range_m=where["slant_range_m"]
    )
    alt = "Detections per second, and distance of the satellite, over the pass"
    body = figure(to_inline(picture, name="counts", alt=alt), alt + ".")
    if sync:
        rows = [
            ["synchronisation words", integer(sync["words"])],
            ["of these rejected", integer(sync["words_rejected"])],
            ["spread of the words around the fit", f"{number(sync['word_rms_ps'], 0)} ps"],
            ["spread of the detections in their slots", f"{number(sync['jitter_rms_ps'], 0)} ps"],
            ["detections recorded", integer(sync["detections"])],
            ["outside the gate", integer(sync["outside_gate"])],
            ["without synchronisation", integer(sync["in_gaps"])],
            ["double clicks", integer(sync["double_clicks"] + sync["cross_clicks"])],
        ]
        body += table(["Time", ""], rows)
    return Section("counts", "Counts and range", body)


def _errors(record: Record) -> Section:
    packets = record["summary"]["packet_rows"]
    picture = errors_and_key(packets, block_rows(record), threshold=record["settings"]["qber_threshold"])
    alt = "Error rate of every packet and secure key of every block over the pass"
    body = figure(to_inline(picture, name="errors", alt=alt), alt + ".")
    rows = [
        [
            str(p["packet"]), f"{number(p['start_s'], 1)} to {number(p['end_s'], 1)} s", f"{100.0 * p['qber']:.2f} %",
            integer(p["revealed_bits"]), "–" if p["efficiency"] is None else number(p["efficiency"], 3),
            str(p["rounds"]), escape(p["status"]),
        ]
        for p in packets
    ]  # fmt: skip
    header = ["Packet", "Time", "QBER", "Revealed bits", "f", "Rounds", "Status"]
    if rows:
        body += table(header, rows, css="sortable")
    body += (
        "<p>A packet that is rejected (error rate above the threshold), abandoned (not corrected after the last round) "
        "or whose tag does not fit (mismatch) leaves its block with all of its pulses: a rule that is public "
        "beforehand and looks at public data only. At the end of the pass "
        f"{integer(record['left_over_bits'])} sifted bits made no full packet and were dropped.</p>"
    )
    return Section("errors", "Error rate and key over time", body)


def block_rows(record: Record) -> list[dict[str, Any]]:
    """Time and released key of every block.

    Parameters
    ----------
    record : mapping
        As :func:`render` takes it.

    Returns
    -------
    list of dict
        ``start_s``, ``end_s``, ``key_bits``.
    """
    times = {p["packet"]: p for p in record["summary"]["packet_rows"]}
    rows = []
    for block in record["blocks"]:
        own = [times[p["packet"]] for p in block["packets"]]
        released = str(block["block"]) in record["released"] and record["key_bytes"]
        rows.append(
            {
                "start_s": own[0]["start_s"], "end_s": own[-1]["end_s"],
                "key_bits": 8 * block["key"]["key_bytes"] if released else 0,
            }
        )  # fmt: skip
    return rows


def _noise(record: Record) -> Section:
    picture = errors_without_noise(record["summary"]["packet_rows"])
    alt = "Error rate of every packet with and without the errors of background light and dark counts"
    text = (
        "<p>The share of background among the signals follows from the detections of the pulses that were sent empty; "
        "half of its bits are wrong.</p>"
    )
    body = figure(to_inline(picture, name="noise", alt=alt), alt + ".")
    return Section("noise", "Error rate without background", body + text)


def _prediction(record: Record) -> Section:
    steps = record["summary"]["prediction"]
    rows = []
    before = steps[0]["bits"]
    for step in steps:
        change = step["bits"] - before
        rows.append([escape(step["step"]), bits(step["bits"]), f"{'+' if change >= 0 else '−'}{bits(abs(change))}"])
        before = step["bits"]
    ratio = steps[-1]["bits"] / steps[0]["bits"] if steps[0]["bits"] else math.nan
    text = f"<p>Distilled over predicted: {number(ratio, 3)}. What makes the difference, one step after the other:</p>"
    return Section("prediction", "Predicted and distilled key", text + table(["Step", "Key", "Change"], rows))


_LEAKS = {
    "secret_bits": "secret bits before anything is revealed",
    "correction_bits": "error correction, acknowledgements included",
    "verification_bits": "verification tags",
    "checksum_bits": "check of the finished key, sent in clear",
    "authentication_bits": "one-time values paid back to the pool",
    "amplification_bits": "price of the amplification",
    "rounding_bits": "cut off for whole bytes",
}


def _leaks(record: Record) -> Section:
    blocks = [block for block in record["blocks"] if "secret_bits" in block["key"]]
    header = ["", *(f"Block {block['block']}" for block in blocks), "All"]
    rows = []
    for name, text in _LEAKS.items():
        values = [block["key"][name] for block in blocks]
        rows.append([text, *(integer(round(v)) for v in values), integer(round(math.fsum(values)))])
    keys = [8 * block["key"]["key_bytes"] for block in blocks]
    rows.append(["<strong>key</strong>", *(integer(k) for k in keys), integer(sum(keys))])
    body = table(header, rows) if blocks else "<p>No block.</p>"
    for block in record["blocks"]:
        if block["key"].get("reason"):
            body += f"<p>Block {block['block']}: {escape(block['key']['reason'])}</p>"
    note = "<p>In bits. The bits of the key and its tags are subtracted as they were really revealed and spent.</p>"
    return Section("leaks", "What was revealed and spent", body + note)


def _budget(record: Record) -> Section:
    settings = record["settings"]
    terms: dict[str, list[float]] = {}
    for block in record["blocks"]:
        for name, value in block["key"].get("epsilon", {}).items():
            terms.setdefault(name, []).append(value)
    rows = [
        [escape(name), power_of_ten(values[0]), integer(len(values)), power_of_ten(math.fsum(values))]
        for name, values in terms.items()
    ]
    total = record["summary"]["eps_total"]
    rows.append(["<strong>all keys together</strong>", "", "", f"<strong>{power_of_ten(total)}</strong>"])
    text = (
        f"<p>Mode {escape(settings['mode'])}: every block's key is {power_of_ten(settings['eps_secrecy'])}-secret and "
        f"{power_of_ten(settings['eps_correctness'])}-correct; a key made of several blocks fails if one of them does."
        "</p>"
        if settings["mode"] == "composable"
        else "<p>Mode paper: the equations of Li et al. as printed, without a claim of composable security.</p>"
    )
    return Section("budget", "Security budget", text + table(["Term", "Each", "Blocks", "Sum"], rows))


def _link(record: Record) -> Section:
    rows = [
        [
            escape(side), integer(c.get("sent", 0)), integer(c.get("repeated", 0)), integer(c.get("received", 0)),
            bits(8 * c.get("bytes_sent", 0)), bits(8 * c.get("bytes_received", 0)),
        ]
        for side, c in record["datagrams"].items()
    ]  # fmt: skip
    header = ["End", "Datagrams sent", "Of these again", "Received", "Sent", "Received"]
    note = "<p>Of the last start of each program.</p>" if record["restarts"] else ""
    return Section("link", "Classical link", table(header, rows) + note)


def _provenance(record: Record) -> Section:
    entries = {
        "satqkd": record["satqkd"], "scenario": record["scenario"], "pass": record["pass"], "seed": record["seed"],
        **record["settings"], **{f"wall time, {k}": f"{v:.1f} s" for k, v in record["wall_time_s"].items()},
    }  # fmt: skip
    body = "<dl>"
    for name, value in entries.items():
        body += f"<dt>{escape(str(name).replace('_', ' '))}</dt><dd>{escape(value)}</dd>"
    citations = sorted({text for block in record["blocks"] for text in block["key"].get("citations", [])})
    body += "</dl>"
    if citations:
        body += "<h3>Models used: please cite</h3><ul>" + "".join(f"<li>{escape(c)}</li>" for c in citations) + "</ul>"
    return Section("provenance", "Provenance", body)
