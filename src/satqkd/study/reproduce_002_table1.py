"""Table 1 of Li et al., Nature 640, 47 (2025): the keys of 18 passes beside ours, with one reading for all rows.

The table prints sifted packets, mean error rate and key of each pass, not the counts behind them: a :class:`Reading`
says how counts follow from it. Nothing is fitted.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.result import KeyLength
from satqkd.security.three_intensity import JINAN1, PACKET_BITS, expected_counts, key_length, pass_key_bits
from satqkd.study.reproduction import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "MODES", "READING", "READINGS", "Pass", "Reading", "block_key", "checks", "pass_keys", "passes", "ratio_figure",
    "readings", "statistics", "table",
]  # fmt: skip

MODES: Final = ("paper", "composable")


@dataclass(frozen=True)
class Pass:
    """A row of the table.

    Attributes
    ----------
    date, station : str
        When and where.
    packets : int
        Sifted packets of 100 kbit.
    qber : float
        Mean error rate of the signals. [1]
    key_bits : int
        Printed length of the key. [bit]
    """

    date: str
    station: str
    packets: int
    qber: float
    key_bits: int


@dataclass(frozen=True)
class Reading:
    """How counts and keys follow from what the table prints.

    Attributes
    ----------
    text : str
        What is read differently.
    packets_hold : {"signal and decoy", "signal"}
        Sources whose sifted bits make up the packets.
    background_share : float
        Share of background among the signals' detections. [1]
    vacuum_intensity : float
        Mean photon number of the vacuum source. [1]
    vacuum_basis : {"drawn", "none"}
        Whether vacuum pulses are sifted like the others, or count in whatever basis they were detected (the text
        lists one vacuum source beside two signal and two decoy sources).
    bound : str
        Chernoff bound, see :data:`satqkd.security.bounds.BOUNDS`.
    pooled : bool
        Whether the counts of both bases are estimated together.
    leak_of : {"signal", "signal and decoy"}
        Bits whose correction leaks 1.2 times Shannon's limit.
    packets_per_block : int
        Packets in a block.
    rest : {"dropped", "in proportion"}
        What the packets left over give.
    """

    text: str
    packets_hold: str = "signal and decoy"
    background_share: float = 0.0
    vacuum_intensity: float = 0.001
    vacuum_basis: str = "drawn"
    bound: str = "chernoff-implicit"
    pooled: bool = False
    leak_of: str = "signal"
    packets_per_block: int = 5
    rest: str = "dropped"


READING: Final = Reading("blocks of 500 kbit, 1e-10 per bound, f = 1.2, no background, rest dropped")
"""The reading of this package."""

READINGS: Final[Mapping[str, Reading]] = MappingProxyType(
    {
        "chosen": READING,
        "background 0.1 %": replace(READING, text="0.1 % of the signals' detections", background_share=0.001),
        "background 0.3 %": replace(READING, text="0.3 % of the signals' detections", background_share=0.003),
        "closed Chernoff": replace(READING, text="closed form instead of Eqs. 5 and 6", bound="chernoff"),
        "empty vacuum": replace(READING, text="vacuum source of intensity 0, not 0.001", vacuum_intensity=0.0),
        "vacuum of no basis": replace(READING, text="no vacuum detection is lost to sifting", vacuum_basis="none"),
        "signal packets": replace(READING, text="packets hold signal bits only", packets_hold="signal"),
        "pooled bases": replace(READING, text="both bases estimated together", pooled=True),
        "leak of all": replace(READING, text="signal and decoy bits corrected", leak_of="signal and decoy"),
        "900-kbit blocks": replace(READING, text="blocks of nine packets", packets_per_block=9),
        "rest counted": replace(READING, text="packets left over give key in proportion", rest="in proportion"),
    }
)
"""The reading and what else the text would allow, one change each."""

_F_EC = 1.2
_XI = 1e-10
_MULTIPLE_BITS = 128


@cache
def passes() -> tuple[Pass, ...]:
    """Rows of Table 1 in its order."""
    text = (files("satqkd.study") / "data" / "li_table1.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Pass(row["date"], row["station"], int(row["sifted_100kbit"]), float(row["qber_percent"]) / 100.0,
             int(row["key_bits"]))
        for row in csv.DictReader(lines)
    )  # fmt: skip


def block_key(qber: float, mode: str, reading: Reading = READING, *, packets: float | None = None) -> KeyLength:
    """Key of a block with an error rate.

    Parameters
    ----------
    qber : float
        Error rate of the signals. [1]
    mode : {"paper", "composable"}
        Of :func:`satqkd.security.three_intensity.key_length`.
    reading : Reading
        Of the table.
    packets : float, optional
        Packets in the block; those of the reading if it is not given. [1]

    Returns
    -------
    KeyLength
        Its key; with pooled bases that of a block of twice the size.
    """
    source: dict[str, Any] = dict(JINAN1)
    mu, p = JINAN1["intensities"], JINAN1["intensity_probabilities"]
    source["intensities"] = (*mu[:2], reading.vacuum_intensity)
    if reading.vacuum_basis == "none":  # twice as many vacuum pulses for each basis
        total = p[0] + p[1] + 2.0 * p[2]
        source["intensity_probabilities"] = (p[0] / total, p[1] / total, 2.0 * p[2] / total)
    bits = PACKET_BITS * (reading.packets_per_block if packets is None else packets)
    share = reading.background_share
    if reading.packets_hold == "signal":
        bits *= 1.0 + p[1] / p[0] * (share + (1.0 - share) * mu[1] / mu[0])
    counts = expected_counts(sifted_bits=bits, qber=qber, background_share=share, **source)
    if reading.pooled:
        counts = counts.scaled(2.0)
    corrected = {"signal": 1, "signal and decoy": 2}[reading.leak_of]
    leaks = [_F_EC * binary_entropy_scalar(qber) * math.fsum(n[:corrected]) for n in (counts.n_key, counts.n_test)]
    return key_length(counts, mode=mode, bound=reading.bound, xi=_XI, leak_ec_bits=leaks, **source)


def pass_keys(mode: str, reading: Reading = READING) -> list[int]:
    """Keys of all passes.

    Parameters
    ----------
    mode : {"paper", "composable"}
        As in :func:`block_key`.
    reading : Reading
        Of the table.

    Returns
    -------
    list of int
        Lengths, each a multiple of 128 bits if nothing is left over. [bit]
    """
    keys = []
    for one in passes():
        key = block_key(one.qber, mode, reading)
        if reading.pooled:
            key = replace(key, key_bits=key.key_bits // 2)
        size = reading.packets_per_block
        made = pass_key_bits(key, packets=one.packets, packets_per_block=size, multiple_bits=_MULTIPLE_BITS)
        if reading.rest == "in proportion":
            made += int(key.key_bits * (one.packets % size / size))
        keys.append(made)
    return keys


def statistics(mode: str, reading: Reading = READING) -> dict[str, float]:
    """Ratios of our keys to the printed ones.

    Parameters
    ----------
    mode : {"paper", "composable"}
        As in :func:`block_key`.
    reading : Reading
        Of the table.

    Returns
    -------
    dict
        ``mean``; ``rms`` and ``worst``, deviations from 1; ``one_block_gain`` of the pass of 25 September 2022, if
        all its 20 packets made one block.
    """
    ratio = np.array(pass_keys(mode, reading)) / [one.key_bits for one in passes()]
    example = passes()[1]
    blocks = example.packets / reading.packets_per_block
    parts, whole = (block_key(example.qber, mode, reading, packets=n).key_bits for n in (None, example.packets))
    return {
        "mean": float(ratio.mean()),
        "rms": float(np.sqrt(np.mean((ratio - 1.0) ** 2))),
        "worst": float(np.abs(ratio - 1.0).max()),
        "one_block_gain": whole / (blocks * parts) - 1.0 if parts else math.nan,
    }


def table() -> Table:
    """Keys of all passes."""
    keys = {mode: pass_keys(mode) for mode in MODES}
    rows: list[dict[str, Any]] = []
    for index, one in enumerate(passes()):
        row = {"date": one.date, "station": one.station, "packets": one.packets,
               "qber_percent": round(100.0 * one.qber, 2), "printed_bits": one.key_bits}  # fmt: skip
        for mode in MODES:
            row |= {f"{mode}_bits": keys[mode][index], f"{mode}_ratio": keys[mode][index] / one.key_bits}
        rows.append(row)
    return Table("table1", "Table 1: our keys over the printed ones", "date", "mode", tuple(rows), printed=True)


def readings() -> Table:
    """Statistics of all readings."""
    rows = []
    for name, reading in READINGS.items():
        row: dict[str, Any] = {"reading": name, "what": reading.text}
        for mode in MODES:
            found = statistics(mode, reading)
            row |= {f"{mode}_{key}": found[key] for key in ("mean", "rms")}
            if mode == "paper":
                row |= {key: found[key] for key in ("worst", "one_block_gain")}
        rows.append(row)
    return Table("readings", "What the reading of the table is worth", "", "", tuple(rows), printed=True)


def checks() -> list[dict[str, Any]]:
    """Printed numbers beside ours.

    Returns
    -------
    list of dict
        ``quantity``, ``reading``, ``printed``, ``paper``, ``composable``.
    """
    found = {mode: statistics(mode) for mode in MODES}
    keys = {mode: pass_keys(mode) for mode in MODES}
    printed = [one.key_bits for one in passes()]

    def row(quantity: str, value: float, ours: Mapping[str, float]) -> dict[str, Any]:
        return {"quantity": quantity, "reading": READING.text, "printed": value, **ours}

    def over(index: int) -> dict[str, float]:
        return {mode: keys[mode][index] for mode in MODES}

    last = printed.index(max(printed))
    return [
        row("key of 25 September 2022 [bit]", printed[1], over(1)),
        row("longest key, 31 August 2023 [bit]", printed[last], over(last)),
        row("key of all passes [bit]", sum(printed), {mode: sum(keys[mode]) for mode in MODES}),
        row(
            "keys that are multiples of 128 bit", _multiples(printed), {mode: _multiples(keys[mode]) for mode in MODES}
        ),
        row("mean ratio to the printed key", math.nan, {mode: found[mode]["mean"] for mode in MODES}),
        row("rms deviation of the ratio from 1", math.nan, {mode: found[mode]["rms"] for mode in MODES}),
        row("largest deviation of the ratio from 1", math.nan, {mode: found[mode]["worst"] for mode in MODES}),
    ]


def _multiples(keys: Sequence[int]) -> int:
    return sum(bits % _MULTIPLE_BITS == 0 for bits in keys)


def ratio_figure(table: Table) -> Figure:
    """Ratio of every pass, in both modes."""
    from satqkd.plot.ratios import ratios

    labels = [f"{row['date']} {row['station']}" for row in table.rows]
    values = {f"mode {mode}": [row[f"{mode}_ratio"] for row in table.rows] for mode in MODES}
    return ratios(labels, values, title=table.title, y_label="our key / printed key")
