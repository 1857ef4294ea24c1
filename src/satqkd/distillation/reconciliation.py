"""Reconciliation of sifted packets: the satellite reveals parities of its bits until the ground has found its errors.

Both ends are plain objects that exchange byte messages and do no input or output. The satellite starts with the
syndrome of a code chosen from the QBER of earlier packets; the ground estimates the packet's own QBER from the
syndrome and, while it cannot decode, asks for parities of half rows in an order fixed by the code. See
docs/reconciliation.md for the protocol, what is counted, and what the option ``disclosure="llr"`` assumes.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.distillation._decoding_queue import DecodingQueue, Job
from satqkd.distillation._reconciliation_messages import (
    Kind,
    Message,
    Verdict,
    combined_qber,
    decode_message,
    packed,
    qber_of,
    report_of,
    syndrome_qber,
    unpacked,
)
from satqkd.distillation._reconciliation_rules import Rules
from satqkd.distillation._reconciliation_state import Outcome, PacketState, asked_positions, state_of, wipe
from satqkd.distillation.error_hints import Expected, trend
from satqkd.distillation.ldpc_codes import PACKET_BITS, Bits, checked_bits, load_code
from satqkd.errors import InputError

__all__ = ["PACKET_BITS", "Outcome", "Receiver", "Rules", "Sender"]


EARLY = 64
"""First messages that are kept for packets which are not open yet."""


class Sender:
    """The satellite's side: it has the reference bits and reveals parities of them.

    Parameters
    ----------
    rules : Rules
        The same as the ground's.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._states: dict[int, PacketState] = {}
        self._bits: dict[int, Bits] = {}
        self._parities: dict[int, Bits] = {}
        self._tracked: deque[float] = deque(maxlen=self.rules.tracked_packets)

    def open(self, packet: int, bits: ArrayLike, *, qber: float | None = None, deviation: float = 0.0) -> bytes:
        """Begin with a packet.

        Parameters
        ----------
        packet : int
            Its number, 0 to 2^32 - 1.
        bits : array_like
            100,000 bits as uint8.
        qber : float, optional
            QBER that is expected; without it the mean of earlier, verified packets is used, or else the prior. It is
            sent along and not counted: it must follow from what is public.
        deviation : float
            Its standard deviation: the less certain, the smaller the code, as half rows can make good what it lacks.

        Returns
        -------
        bytes
            First message.
        """
        if packet in self._states:
            raise InputError(f"packet: {packet} is open already; a number is used once")
        if not 0 <= packet < 2**32:
            raise InputError(f"packet: {packet}; allowed are 0 to 2^32 - 1")
        checked = checked_bits(np.asarray(bits)[None], PACKET_BITS).copy()
        expected = self.expected.rate if qber is None else qber
        index = self.rules.first_code(expected, deviation)
        self._bits[packet] = checked
        self._states[packet] = PacketState(load_code(index))
        return self._syndrome(packet, index, expected)

    @property
    def expected(self) -> Expected:
        """QBER that the next packet is expected to have."""
        return trend(list(self._tracked), self.rules.prior_qber)

    def _syndrome(self, packet: int, index: int, expected_qber: float) -> bytes:
        state = self._states[packet]
        state.begin(load_code(index))
        self._parities[packet] = state.code.half_parities(self._bits[packet])[0]
        syndrome = self._parities[packet][0] ^ self._parities[packet][1]
        # what is expected follows from reports, which were counted, and from disclosed bits: it reveals nothing new
        expected = bytes([report_of(expected_qber)])
        message = Message(Kind.SYNDROME, packet, state.round, index, expected + packed(syndrome))
        state.last_sent = message.encode()
        return state.last_sent

    def receive(self, message: bytes) -> bytes | None:
        """Answer of the ground to the next message, or None if the packet is over or the answer is an old one."""
        reply = decode_message(message, {Kind.REPLY})
        state = self._states.get(reply.packet)
        if state is None:
            return None
        if reply.round != state.round or state.outcome is not None:
            repeated = reply.round == state.round - 1 and state.outcome is None
            return state.last_sent if repeated else None
        verdict = Verdict(reply.field)
        payload = reply.payload
        if state.fresh or verdict is Verdict.CORRECTED:
            if not payload:
                raise InputError("reconciliation message: a reply without the QBER report that belongs to it")
            state.report, payload = payload[0], payload[1:]
        if verdict is Verdict.CONTINUE and state.round >= self.rules.max_rounds:
            raise InputError(f"reconciliation message: round {state.round + 1}; allowed are {self.rules.max_rounds}")
        positions = asked_positions(payload, self.rules)
        state.count_reply(reply)
        fresh, state.fresh = state.fresh, False
        if verdict is not Verdict.CONTINUE:
            state.end(verdict)
            wipe(reply.packet, self._bits, self._parities)
            return None
        state.round += 1
        return self._more(reply.packet, positions, fresh)

    def _more(self, packet: int, positions: NDArray[np.int64], fresh: bool) -> bytes:
        state = self._states[packet]
        qber = qber_of(state.report)
        larger = self.rules.larger_code(state.code, qber) if fresh else None
        if larger is None and not positions.size:
            larger = self.rules.last_resort(state.code, state.split, qber, state.round)
        if larger is not None:
            return self._syndrome(packet, larger, qber)
        if positions.size:
            bits = self._bits[packet][0, positions]
            state.count("bits", bits.size)
            state.last_sent = Message(Kind.BITS, packet, state.round, 0, packed(bits)).encode()
            return state.last_sent
        rows = state.rows_to_split(self.rules)
        order = state.code.split_order[state.split : state.split + rows]
        state.split += rows
        state.count("parities", rows * state.code.circulant)
        message = Message(Kind.PARITIES, packet, state.round, 0, packed(self._parities[packet][0, order]))
        state.last_sent = message.encode()
        return state.last_sent

    def outcome(self, packet: int) -> Outcome | None:
        """How a packet ended, None while it is open."""
        return state_of(self._states, packet).outcome

    def verified(self, packet: int) -> None:
        """The packet's verification tag agreed: its QBER is used for the next ones."""
        outcome = self.outcome(packet)
        if outcome is None or outcome.status != "corrected":
            raise InputError(f"packet: {packet} is not corrected; only a corrected one can be verified")
        self._tracked.append(outcome.qber)

    def drop(self, packet: int) -> None:
        """Forget a packet; its bits are overwritten."""
        self._states.pop(packet, None)
        wipe(packet, self._bits, self._parities)


class Receiver:
    """The ground's side: it decodes.

    Parameters
    ----------
    rules : Rules
        The same as the satellite's.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._states: dict[int, PacketState] = {}
        self._bits: dict[int, Bits] = {}
        self._own: dict[int, Bits] = {}
        self._parities: dict[int, Bits] = {}
        self._early: dict[int, bytes] = {}
        self._patterns: dict[int, Bits] = {}
        self._asked: dict[int, NDArray[np.int64]] = {}
        self._ready: list[bytes] = []
        self._queue = DecodingQueue()

    def open(self, packet: int, bits: ArrayLike) -> None:
        """Begin with a packet of 100,000 bits (uint8)."""
        if packet in self._bits:
            raise InputError(f"packet: {packet} is open already; a number is used once")
        self._bits[packet] = checked_bits(np.asarray(bits)[None], PACKET_BITS).copy()
        if packet in self._early:
            self.receive(self._early.pop(packet))

    def receive(self, message: bytes) -> bytes | None:
        """Message of the satellite; returns the earlier reply if it is a repeat, else None: see :meth:`work`."""
        came = decode_message(message, {Kind.SYNDROME, Kind.PARITIES, Kind.BITS})
        state = self._states.get(came.packet)
        if came.packet not in self._bits:
            if came.kind is Kind.SYNDROME and came.round == 0 and len(self._early) < EARLY:
                self._early[came.packet] = message
            return None
        if state is None:
            if came.kind is Kind.SYNDROME and came.round == 0:
                self._states[came.packet] = PacketState(load_code(came.field))
                try:
                    self._syndrome(came)
                except InputError:
                    del self._states[came.packet]
                    raise
            return None
        if came.round <= state.round:
            return (state.last_sent or None) if came.round == state.round else None
        if came.round != state.round + 1 or state.outcome is not None or not state.last_sent:
            return None
        previous = state.last_sent
        state.round, state.last_sent = came.round, b""
        try:
            {Kind.SYNDROME: self._syndrome, Kind.PARITIES: self._more, Kind.BITS: self._revealed}[came.kind](came)
        except InputError:
            state.round, state.last_sent = came.round - 1, previous
            raise
        return None

    def _syndrome(self, came: Message) -> None:
        code = load_code(came.field)
        if not came.payload:
            raise InputError("reconciliation message: a syndrome without the expected QBER before it")
        syndrome = unpacked(came.payload[1:], code.checks).reshape(code.rows, code.circulant)
        state = self._states[came.packet]
        state.begin(code)
        self._queue.drop(came.packet)  # an earlier attempt with another code
        own = code.half_parities(self._bits[came.packet])[0]
        self._own[came.packet] = own
        parities = np.stack([syndrome ^ own[0] ^ own[1], np.zeros_like(syndrome)])
        self._parities[came.packet] = parities
        qber, saturated = syndrome_qber(code, int(parities[0].sum()))
        expected = qber_of(came.payload[0])
        qber = self.rules.beyond(qber) if saturated else combined_qber(qber, code, expected)
        state.report = report_of(qber)
        if qber_of(state.report) > self.rules.qber_threshold:
            self._reply(came.packet, Verdict.REJECTED)
        elif self.rules.hopeless(code, qber_of(state.report)) and state.round < self.rules.max_rounds:
            self._reply(came.packet, Verdict.CONTINUE)
        else:
            self._queue.add(came.packet, Job(code, parities, qber_of(state.report), 0))

    def _more(self, came: Message) -> None:
        state = self._states[came.packet]
        code, parities, own = state.code, self._parities[came.packet], self._own[came.packet]
        rows = state.rows_to_split(self.rules)
        revealed = unpacked(came.payload, rows * code.circulant).reshape(rows, code.circulant)
        order = code.split_order[state.split : state.split + rows]
        whole = parities[0, order].copy()
        parities[0, order] = revealed ^ own[0, order]
        parities[1, order] = whole ^ parities[0, order]
        state.split += rows
        state.count("parities", rows * code.circulant)
        if self._queue.has(came.packet):
            self._queue.more(came.packet, parities, state.split)
        else:
            self._queue.add(came.packet, Job(code, parities, qber_of(state.report), state.split))

    def _revealed(self, came: Message) -> None:
        state = self._states[came.packet]
        positions = self._asked.get(came.packet, np.zeros(0, np.int64))
        bits = unpacked(came.payload, positions.size)
        state.count("bits", positions.size)
        self._queue.reveal(came.packet, positions, bits ^ self._bits[came.packet][0, positions])

    def _reply(self, packet: int, verdict: Verdict) -> None:
        state = self._states[packet]
        payload = bytes([state.report]) if state.fresh or verdict is Verdict.CORRECTED else b""
        if verdict is Verdict.CONTINUE and not state.fresh and self.rules.disclosure == "llr":
            rows = self.rules.rows_to_split(state.code, 0, qber_of(state.report), state.round + 1, first=False)
            self._asked[packet] = self._queue.least_known(packet, rows * state.code.circulant)
            payload += self._asked[packet].astype(">u4").tobytes()
        reply = Message(Kind.REPLY, packet, state.round, verdict, payload)
        state.count_reply(reply)
        state.fresh = False
        state.last_sent = reply.encode()
        if verdict is not Verdict.CONTINUE:
            state.end(verdict)
            self._queue.drop(packet)
            wipe(packet, self._own, self._parities)
            self._asked.pop(packet, None)
        self._ready.append(state.last_sent)

    @property
    def busy(self) -> bool:
        """Whether :meth:`work` has something to do."""
        return bool(self._ready) or self._queue.busy

    def work(self, sweeps: int | None = None) -> list[bytes]:
        """Decode until there is a reply, at most ``sweeps`` iterations; returns the replies for the satellite."""
        done = 0
        while not self._ready and self._queue.busy and (sweeps is None or done < sweeps):
            ended = self._queue.sweep()
            done += 1
            if ended is not None:
                self._ended(*ended)
        replies, self._ready = self._ready, []
        return replies

    def _ended(self, packet: int, pattern: Bits | None) -> None:
        """An attempt at a packet is over."""
        state = self._states[packet]
        if pattern is not None:
            self._patterns[packet] = pattern
            state.report = report_of(float(pattern.mean()))
            self._reply(packet, Verdict.CORRECTED)
        else:
            over = state.round >= self.rules.max_rounds or self._out_of_rows(state)
            self._reply(packet, Verdict.ABANDONED if over else Verdict.CONTINUE)

    def _out_of_rows(self, state: PacketState) -> bool:
        """Whether a packet has neither half rows left nor a larger code."""
        again = self.rules.last_resort(state.code, state.split, qber_of(state.report), state.round + 1)
        return state.split == state.code.rows and again is None

    def corrected(self, packet: int) -> Bits:
        """The satellite's bits of a corrected packet."""
        bits: Bits = self._bits[packet][0] ^ self._pattern(packet)
        return bits

    def errors(self, packet: int) -> int:
        """Errors found in a corrected packet."""
        return int(self._pattern(packet).sum())

    def _pattern(self, packet: int) -> Bits:
        if packet not in self._patterns:
            raise InputError(f"packet: {packet} is not corrected")
        return self._patterns[packet]

    def outcome(self, packet: int) -> Outcome | None:
        """How a packet ended, None while it is open."""
        return None if packet in self._bits and packet not in self._states else state_of(self._states, packet).outcome

    def drop(self, packet: int) -> None:
        """Forget a packet; its bits are overwritten."""
        self._queue.drop(packet)
        for kept in (self._states, self._early, self._asked):
            kept.pop(packet, None)
        wipe(packet, self._bits, self._own, self._parities, self._patterns)
