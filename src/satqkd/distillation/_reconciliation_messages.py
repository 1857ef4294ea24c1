"""Messages of the reconciliation, the grid of reported QBERs, and the estimate of a QBER from a syndrome."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from satqkd.distillation.ldpc_codes import LdpcCode
from satqkd.errors import InputError

HEADER = struct.Struct(">BIBB")
QBER_REPORT_BITS = 8
LOWEST_QBER, QBER_RATIO = 5e-4, 1.022
"""Reported QBERs: a logarithmic grid in steps of 2.2 %, 0.05 % to 12.8 %."""

SATURATION = 2.5
"""Standard deviations that a syndrome's weight must be away from one half to tell a QBER."""


class Kind(IntEnum):
    """First byte of a message."""

    SYNDROME = 1
    PARITIES = 2
    BITS = 3
    REPLY = 16


class Verdict(IntEnum):
    """What a reply asks for."""

    CONTINUE = 0
    CORRECTED = 1
    ABANDONED = 2
    REJECTED = 3


@dataclass(frozen=True)
class Message:
    """A message taken apart; ``field``: index of a code, or a verdict."""

    kind: Kind
    packet: int
    round: int
    field: int
    payload: bytes

    def encode(self) -> bytes:
        """Bytes on the wire."""
        return HEADER.pack(self.kind, self.packet, self.round, self.field) + self.payload


def decode_message(data: bytes, kinds: set[Kind]) -> Message:
    """Message of one of ``kinds`` from its bytes, or InputError."""
    if len(data) < HEADER.size:
        raise InputError(f"reconciliation message: {len(data)} bytes; a header has {HEADER.size}")
    kind, packet, number, field = HEADER.unpack_from(data)
    if kind not in set(kinds):
        raise InputError(f"reconciliation message: kind {kind}; allowed here are {sorted(int(k) for k in kinds)}")
    if kind == Kind.REPLY and field not in set(Verdict):
        raise InputError(f"reconciliation message: verdict {field}; allowed are 0 to {max(Verdict)}")
    return Message(Kind(kind), packet, number, field, data[HEADER.size :])


def packed(bits: NDArray[np.uint8]) -> bytes:
    """Bits on the wire, first bit highest."""
    return np.packbits(bits.ravel()).tobytes()


def unpacked(payload: bytes, count: int) -> NDArray[np.uint8]:
    """``count`` bits from the wire, or InputError if that is not what it holds."""
    if len(payload) != (count + 7) // 8:
        raise InputError(f"reconciliation message: {len(payload)} bytes of bits; {count} bits are expected")
    return np.unpackbits(np.frombuffer(payload, np.uint8), count=count)


def qber_of(index: int) -> float:
    """QBER of a report."""
    return LOWEST_QBER * QBER_RATIO**index


def report_of(qber: float) -> int:
    """Report nearest to a QBER; the grid's ends stand for what is beyond."""
    if qber <= LOWEST_QBER:
        return 0
    return min(255, round(math.log(qber / LOWEST_QBER) / math.log(QBER_RATIO)))


def syndrome_qber(code: LdpcCode, weight: int) -> tuple[float, bool]:
    """QBER from the number of checks that disagree, and whether it is only a lower limit.

    A check of degree d is violated with probability (1 - (1 - 2 Q)^d) / 2. Within 2.5 standard deviations of one half
    the weight tells no more than that the QBER is at least the value given.
    """
    degrees, counts = np.unique(code.row_degrees(), return_counts=True)
    share = counts / counts.sum()
    bias = 1.0 - 2.0 * weight / code.checks
    saturated = bias < SATURATION / math.sqrt(code.checks)
    bias = max(bias, SATURATION / math.sqrt(code.checks))
    low, high = 0.0, 0.5
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if share @ (1.0 - 2.0 * middle) ** degrees > bias else (low, middle)
    return 0.5 * (low + high), saturated


def combined_qber(own: float, code: LdpcCode, expected: float) -> float:
    """Syndrome's estimate drawn towards what was expected, each with the inverse of its variance.

    The syndrome's error follows from its weight, and from the columns that the errors happen to be in. A packet with
    the expected QBER scatters by its number of errors, and the expectation by that of as few packets as it comes from:
    twice that variance. Where the two are further apart than three of their standard deviations the QBER has changed,
    and the syndrome alone is right.
    """
    columns = code.column_degrees()
    degree = code.row_degrees().mean()
    slope = degree * (1.0 - 2.0 * own) ** (degree - 1.0)
    bias = 0.5 * (1.0 - (1.0 - 2.0 * own) ** degree)
    variance = bias * (1.0 - bias) / code.checks / slope**2
    variance += own / code.bits * (float((columns**2).mean() / columns.mean() ** 2) - 1.0)
    scatter = 2.0 * expected / code.bits
    if (own - expected) ** 2 > 9.0 * (variance + scatter):
        return own
    return float((own * scatter + expected * variance) / (variance + scatter))
