"""What both sides of a reconciliation keep of a packet, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from satqkd.distillation._reconciliation_messages import QBER_REPORT_BITS, Message, Verdict, qber_of
from satqkd.distillation._reconciliation_rules import Rules
from satqkd.distillation.ldpc_codes import PACKET_BITS, Bits, LdpcCode
from satqkd.errors import InputError


@dataclass(frozen=True)
class Outcome:
    """How the reconciliation of a packet ended; equal on both sides.

    ``status``: ``"corrected"``, ``"abandoned"`` (not decoded after the last round) or ``"rejected"`` (QBER above the
    threshold). ``revealed_bits`` is the sum of ``parts``, everything that either side revealed. ``qber``: of a
    corrected packet its errors, else the syndrome's estimate, both as reported (in steps of 2.2 %).
    """

    status: str
    rounds: int
    revealed_bits: int
    code: str
    qber: float
    parts: dict[str, int]


STATUS = {Verdict.CORRECTED: "corrected", Verdict.ABANDONED: "abandoned", Verdict.REJECTED: "rejected"}


@dataclass
class PacketState:
    """What both sides keep of a packet."""

    code: LdpcCode
    round: int = 0
    split: int = 0
    report: int = 0
    parts: dict[str, int] = field(default_factory=dict)
    last_sent: bytes = b""
    outcome: Outcome | None = None
    syndrome_round: int = 0
    fresh: bool = True
    """A syndrome came since the last reply: the next one has an estimate."""

    def count(self, part: str, bits: int) -> None:
        """Add revealed bits."""
        self.parts[part] = self.parts.get(part, 0) + bits

    def begin(self, code: LdpcCode) -> None:
        """The syndrome of a code is revealed."""
        self.code, self.split, self.fresh, self.syndrome_round = code, 0, True, self.round
        self.count("syndromes", code.checks)

    def rows_to_split(self, rules: Rules) -> int:
        """Rows that the present round splits."""
        first = self.round == self.syndrome_round + 1
        return rules.rows_to_split(self.code, self.split, qber_of(self.report), self.round, first=first)

    def count_reply(self, message: Message) -> None:
        """Add what a reply reveals; positions of ``llr`` are functions of the error pattern and are not counted."""
        self.count("acknowledgements", 1)
        if message.field == Verdict.CORRECTED or self.fresh:
            self.count("qber_reports", QBER_REPORT_BITS)

    def end(self, verdict: Verdict) -> None:
        """Set the outcome."""
        self.outcome = Outcome(
            status=STATUS[verdict], rounds=self.round, revealed_bits=sum(self.parts.values()), code=self.code.name,
            qber=qber_of(self.report), parts=dict(self.parts),
        )  # fmt: skip


def state_of(states: dict[int, PacketState], packet: int) -> PacketState:
    """State of an open packet."""
    if packet not in states:
        raise InputError(f"packet: {packet} is not open")
    return states[packet]


def asked_positions(payload: bytes, rules: Rules) -> NDArray[np.int64]:
    """Positions asked for in a reply with the option ``llr``."""
    if payload and rules.disclosure != "llr":
        raise InputError("reconciliation message: positions asked for; the rules have disclosure 'public'")
    if len(payload) % 4:
        raise InputError(f"reconciliation message: {len(payload)} bytes of positions; allowed are multiples of 4")
    positions = np.frombuffer(payload, ">u4").astype(np.int64)
    if positions.size and positions.max() >= PACKET_BITS:
        raise InputError(f"reconciliation message: position {positions.max()}; allowed are below {PACKET_BITS}")
    return positions


def wipe(packet: int, *kept: dict[int, Bits]) -> None:
    """Overwrite and forget the arrays of a packet."""
    for arrays in kept:
        array = arrays.pop(packet, None)
        if array is not None:
            array.fill(0)
