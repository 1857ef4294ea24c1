"""Extended Data Table 3 of Li et al.: keys relayed between two stations, beside what the keys allow.

The satellite announces the exclusive or of the keys of two passes (XOR relay): one bit relayed takes one bit of either
key. All printed keys are multiples of 128 bit and all printed sizes of relayed data multiples of 1792 bit, which is
read as the length of a frame.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from satqkd.planning.key_usage import key_usage
from satqkd.security.three_intensity import pass_key_bits
from satqkd.study.reproduce_002_table1 import MODES, READING, block_key, passes
from satqkd.study.reproduction import Table

__all__ = ["FRAME_BITS", "RelayPass", "checks", "implied_qber", "pairs", "relay", "relay_keys", "relayed_bits"]

FRAME_BITS: Final = 1792
"""Common divisor of all printed sizes of relayed data, 14 keys of 128 bit; the paper names none. [bit]"""

_KEY_BITS: Final = 128
"""Key of AES-128; all printed keys are multiples of it. [bit]"""

_RELAY_READING = "least of the two printed keys, whole frames of 1792 bit"


@dataclass(frozen=True)
class RelayPass:
    """A row of the table.

    Attributes
    ----------
    date, station : str
        When and where.
    packets : int
        Sifted packets of 100 kbit.
    key_bits : int
        Printed length of the key. [bit]
    one_time_pad_bits : int or None
        Printed size of the data relayed with this pass and the other of its pair; None where there was no one-time
        pad. [bit]
    qber : float
        Mean error rate that Table 1 prints for the pass; not a number if the pass is not in it. [1]
    """

    date: str
    station: str
    packets: int
    key_bits: int
    one_time_pad_bits: int | None
    qber: float


@cache
def pairs() -> tuple[tuple[RelayPass, RelayPass], ...]:
    """Pairs of passes in the order of the table."""
    text = (files("satqkd.study") / "data" / "li_extended_table3.csv").read_text(encoding="utf-8")
    known = {(one.date, one.station): one.qber for one in passes()}
    rows: dict[str, list[RelayPass]] = {}
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        size = row["one_time_pad_bits"]
        rows.setdefault(row["pair"], []).append(
            RelayPass(row["date"], row["station"], int(row["sifted_100kbit"]), int(row["key_bits"]),
                      int(size) if size else None, known.get((row["date"], row["station"]), math.nan))
        )  # fmt: skip
    return tuple((first, second) for first, second in rows.values())


def relayed_bits(first_bits: int, second_bits: int) -> int:
    """Most data that two keys can relay.

    Parameters
    ----------
    first_bits, second_bits : int
        Lengths of the keys. [bit]

    Returns
    -------
    int
        Whole frames of :data:`FRAME_BITS` in what a pair of stations can use as one-time pad. [bit]

    Examples
    --------
    >>> relayed_bits(4000, 100_000)
    3584
    """
    usable = key_usage([first_bits, second_bits], [[0.0, 1.0], [1.0, 0.0]]).one_time_pad_bits
    return usable // FRAME_BITS * FRAME_BITS


def pass_key(one: RelayPass, mode: str) -> int | None:
    """Key of a pass by the chosen reading of Table 1; None where no error rate is printed. [bit]"""
    if math.isnan(one.qber):
        return None
    size = READING.packets_per_block
    key = block_key(one.qber, mode)
    return pass_key_bits(key, packets=one.packets, packets_per_block=size, multiple_bits=_KEY_BITS)


def implied_qber(one: RelayPass) -> float:
    """Error rate, alike in all blocks, with which the chosen reading (mode paper) gives the printed key.

    Parameters
    ----------
    one : RelayPass
        The pass.

    Returns
    -------
    float
        Between 0.1 and 10 %. Nothing else is computed with it. [1]
    """
    from scipy.optimize import bisect

    target = one.key_bits / (one.packets // READING.packets_per_block)
    return float(bisect(lambda qber: block_key(qber, "paper").key_bits - target, 1e-3, 0.1, xtol=1e-6))


def relay_keys() -> Table:
    """Keys of the passes of the table, with ours where the error rate is printed."""
    rows = []
    for number, pair in enumerate(pairs(), 1):
        for one in pair:
            ours = {mode: pass_key(one, mode) for mode in MODES}
            rows.append(
                {
                    "date": one.date, "station": one.station, "pair": number, "packets": one.packets,
                    "printed_bits": one.key_bits, "printed_keys_128": one.key_bits / _KEY_BITS,
                    "qber_percent": 100.0 * one.qber,
                    **{f"{mode}_bits": math.nan if bits is None else bits for mode, bits in ours.items()},
                    "paper_ratio": math.nan if ours["paper"] is None else ours["paper"] / one.key_bits,
                    "implied_qber_percent": 100.0 * implied_qber(one),
                }
            )  # fmt: skip
    return Table(
        "extended_table3_keys",
        "Extended Data Table 3: keys of the passes",
        "",
        "",
        tuple(rows),
        printed=True,
        note="Mean error rates are printed for the passes that are in Table 1, too; the last column is the error rate "
        "with which our reading would give the printed key, for comparison only. The pass of Wuhan had packets of 1.4 "
        "to 9.7 %.",
    )


def relay() -> Table:
    """Relayed data as printed, and what the keys allow."""
    rows = []
    for first, second in pairs():
        most = relayed_bits(first.key_bits, second.key_bits)
        ours = [[pass_key(one, mode) for one in (first, second)] for mode in MODES]
        sent = math.nan if first.one_time_pad_bits is None else first.one_time_pad_bits
        row: dict[str, Any] = {
            "first": f"{first.date} {first.station}", "second": f"{second.date} {second.station}",
            "printed_relayed_bits": sent, "printed_frames": sent / FRAME_BITS,
            "most_from_printed_keys_bits": most, "share_of_most": sent / most,
            "aes128_keys": min(first.key_bits, second.key_bits) // _KEY_BITS,
        }  # fmt: skip
        for mode, keys in zip(MODES, ours, strict=True):
            row[f"most_{mode}_bits"] = math.nan if None in keys else relayed_bits(*(bits or 0 for bits in keys))
        rows.append(row)
    return Table(
        "extended_table3",
        "Extended Data Table 3: data relayed with one-time pads",
        "",
        "",
        tuple(rows),
        printed=True,
        note="Reading: both keys of a pair serve this relay only, one bit of each per bit relayed, in whole frames of "
        "1792 bit. The paper does not say why less was sent than the keys allow. The passes of 14 and 15, and of 22 "
        "and 25 July 2023 are printed with the same station, Nanshan. The pair of 1 September used its keys for "
        "AES-128 only, as all pairs did for 1 MByte of data.",
    )


def checks() -> list[dict[str, Any]]:
    """Printed sizes beside ours.

    Returns
    -------
    list of dict
        ``quantity``, ``reading``, ``printed``, ``paper``, ``composable``.
    """
    rows: list[dict[str, Any]] = []

    def row(quantity: str, reading: str, printed: float, paper: float, composable: float = math.nan) -> None:
        rows.append({"quantity": quantity, "reading": reading, "printed": printed, "paper": paper,
                     "composable": composable})  # fmt: skip

    table = relay().rows
    for (first, second), made in zip(pairs(), table, strict=True):
        between = f"{first.date} and {second.date}"
        if first.one_time_pad_bits is not None:
            row(f"relayed with the keys of {between} [bit]", _RELAY_READING, first.one_time_pad_bits,
                made["most_from_printed_keys_bits"])  # fmt: skip
        if not math.isnan(made["most_paper_bits"]):
            row(f"most to relay between {between} [bit]", "least of our keys, whole frames of 1792 bit", math.nan,
                made["most_paper_bits"], made["most_composable_bits"])  # fmt: skip
    keys = [one.key_bits for pair in pairs() for one in pair]
    sent = [one.one_time_pad_bits for one, _ in pairs() if one.one_time_pad_bits is not None]
    row("keys of Extended Data Table 3 that are multiples of 128 bit", f"of {len(keys)}",
        sum(bits % _KEY_BITS == 0 for bits in keys), math.nan)  # fmt: skip
    row("relayed sizes that are multiples of 1792 bit", f"of {len(sent)}",
        sum(bits % FRAME_BITS == 0 for bits in sent), math.nan)  # fmt: skip
    return rows
