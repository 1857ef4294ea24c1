"""Messages in order and exactly once over a link that loses, repeats and reorders datagrams; no socket, no clock.

Either side numbers its messages. A message counts as received when the receiver has written it to its journal, and
only then is acknowledged; until then the sender repeats its fragments. After a crash a side is rebuilt from its journal
with the numbers it had (:meth:`Transport.resume`), so that nothing is delivered twice and nothing is left out.

Acknowledgements are not authenticated, so they are believed for a while only: a message stays in memory, and is sent
again if the other end goes on asking for it.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from satqkd.distillation import frames
from satqkd.distillation.authentication import AuthenticationError

__all__ = ["FIRST_REPEAT_S", "RECEIVE_WINDOW", "SEND_WINDOW", "LinkCounts", "Transport"]

FIRST_REPEAT_S: Final = 0.03
"""A datagram is repeated first after this: three round trips. [s]"""

SEND_WINDOW: Final = 192
"""Datagrams on the way without acknowledgement; 156 Mbit/s times 9 ms are 146. [1]"""

RECEIVE_WINDOW: Final = 64
"""Messages ahead of the next one that a receiver keeps. [1]"""

_LONGEST_REPEAT_S: Final = 0.5
_LONGEST_ROUND_TRIP_S: Final = 0.05  # what takes longer waited for an end that was computing
_ACKNOWLEDGE_AFTER_S: Final = 0.002
_ACKNOWLEDGE_AGAIN_S: Final = 0.02  # while a message lacks something
_MOST_ACKNOWLEDGEMENTS: Final = 10
_IDLE_S: Final = 1.0
_CONTROL_FRAGMENTS: Final = 8  # signatures of ML-DSA take three
_CONTROL_OPEN: Final = 4  # messages outside the stream that lack a fragment; older ones are forgotten
_MESSAGE: Final = struct.Struct(">IH")
_NEXT: Final = struct.Struct(">I")


@dataclass
class LinkCounts:
    """What went through one end.

    Attributes
    ----------
    sent, repeated, received : int
        Datagrams sent, those of them sent again, and those received undamaged.
    foreign : int
        Datagrams that were damaged, of another session, or of no use any more.
    bytes_sent, bytes_received : int
        Of these. [byte]
    """

    sent: int = 0
    repeated: int = 0
    received: int = 0
    foreign: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


class _Outgoing:
    """Fragments of a message on its way."""

    def __init__(self, datagrams: list[bytes], now: float) -> None:
        count = len(datagrams)
        self.datagrams = datagrams
        self.due = np.full(count, now)
        self.tries = np.zeros(count, np.int64)
        self.sent_at = np.full(count, -np.inf)
        self.order = np.full(count, -1)  # number of the datagram among all that were sent
        self.there = np.zeros(count, np.bool_)
        self.next_due = now

    def on_the_way(self, now: float) -> int:
        """Fragments that were sent and may yet be acknowledged."""
        return int(np.count_nonzero((self.due > now) & (self.tries > 0) & ~self.there))

    def gives_room(self, now: float) -> float:
        """When the next of the fragments on their way counts as lost. [s]"""
        return float(self.due[self.due > now].min(initial=math.inf))

    def arrived(self, bitmap: bytes, now: float) -> int:
        """The other end has these fragments; the newest of them by its number, -1 if there is none."""
        given = np.unpackbits(np.frombuffer(bitmap, np.uint8))[: self.due.size]
        here = np.flatnonzero(given)
        self.there[here] = True
        self.due[here] = np.maximum(self.due[here], now + _LONGEST_REPEAT_S)
        self.next_due = float(self.due.min())
        return int(self.order[here].max(initial=-1))

    def overtaken(self, newest: int, now: float, round_trip_s: float) -> None:
        """Send again what the other end lacks although it has what was sent after it."""
        late = ~self.there & (self.order < newest) & (now - self.sent_at >= round_trip_s)
        self.due[late] = np.minimum(self.due[late], now)
        self.next_due = float(self.due.min())


class Transport:
    """One end of the stream.

    Parameters
    ----------
    session : bytes or None
        8 bytes; None at the end that waits to be called, until :attr:`session` is set.
    round_trip_s : float
        A datagram that later ones have overtaken is sent again after this. [s]
    """

    def __init__(self, session: bytes | None, *, round_trip_s: float = 0.012) -> None:
        self.session, self.round_trip_s = session, round_trip_s
        self.caller = session
        """Session of the first message at an end that waits to be called."""
        self.counts = LinkCounts()
        self._messages: list[bytes] = []
        self._outgoing: dict[int, _Outgoing] = {}
        self._first_open = 0  # oldest message that the other end has not acknowledged
        self._next_out = 0
        self._advanced_at = -math.inf
        self._full_until = -math.inf  # the window is full till then, unless an acknowledgement comes
        self._numbered = self._acknowledged = 0
        self._smoothed_s = round_trip_s  # round trips as they are, with what the other end takes to write its journal
        self._incoming: dict[int, tuple[int, dict[int, bytes]]] = {}
        self._next_in = 0
        self._acknowledge_at = math.inf
        self._acknowledged_at = -math.inf
        self._control_in: deque[bytes] = deque()
        self._control_out: deque[bytes] = deque()
        self._control_parts: dict[tuple[int, int], dict[int, bytes]] = {}

    def resume(self, *, received: int) -> None:
        """Continue after ``received`` messages that the journal has."""
        self._next_in = received

    def send(self, message: bytes) -> None:
        """Queue a message of the stream."""
        self._messages.append(message)

    def send_control(self, message: bytes) -> None:
        """Send a message outside the stream once; fragments of the same message, sent again, fill each other's gaps."""
        assert self.session is not None
        assert len(message) <= _CONTROL_FRAGMENTS * frames.PAYLOAD_BYTES
        name = zlib.crc32(message)
        self._control_out.extend(frames.split(message, kind=frames.CONTROL, session=self.session, sequence=name))

    @property
    def backlog(self) -> int:
        """Messages that were given to :meth:`send` and are not acknowledged."""
        return len(self._messages) - self._first_open

    def receive(self, datagram: bytes, now: float) -> bool:
        """Take in a datagram.

        Parameters
        ----------
        datagram : bytes
            As it came.
        now : float
            Time on any steady clock. [s]

        Returns
        -------
        bool
            Whether it is one of the session.

        Raises
        ------
        AuthenticationError
            If a datagram with a valid checksum contradicts another of the same message: somebody changed one.
        """
        frame = frames.unpack(datagram)
        if frame is None or (self.session is not None and frame.session != self.session):
            self.counts.foreign += 1
            return False
        if self.session is None and (frame.kind, frame.sequence) != (frames.DATA, 0):
            self.counts.foreign += 1
            return False
        self.counts.received += 1
        self.counts.bytes_received += len(datagram)
        if frame.kind == frames.DATA:
            self._receive_data(frame, now)
        elif frame.kind == frames.ACKNOWLEDGE:
            self._receive_acknowledgement(frame.payload, now)
        elif frame.kind == frames.CONTROL:
            self._receive_control(frame)
        return True

    def _receive_control(self, frame: frames.Frame) -> None:
        if not 0 <= frame.fragment < frame.fragments <= _CONTROL_FRAGMENTS:
            self.counts.foreign += 1
            return
        name = (frame.sequence, frame.fragments)
        parts = self._control_parts.setdefault(name, {})
        parts[frame.fragment] = frame.payload
        if len(parts) == frame.fragments:
            self._control_in.append(b"".join(parts[i] for i in range(frame.fragments)))
            del self._control_parts[name]
        elif len(self._control_parts) > _CONTROL_OPEN:
            del self._control_parts[next(iter(self._control_parts))]

    def _receive_data(self, frame: frames.Frame, now: float) -> None:
        if self.session is None:
            self.caller = frame.session
        self._acknowledge_at = min(self._acknowledge_at, now + _ACKNOWLEDGE_AFTER_S)
        self._acknowledged = 0
        if not self._next_in <= frame.sequence < self._next_in + RECEIVE_WINDOW:
            self.counts.foreign += 1
            return
        fragments, parts = self._incoming.setdefault(frame.sequence, (frame.fragments, {}))
        known = parts.get(frame.fragment)
        if fragments != frame.fragments or frame.fragment >= fragments or known not in (None, frame.payload):
            raise AuthenticationError(
                f"message {frame.sequence} came in two versions, both with valid checksums: somebody changed one"
            )
        parts[frame.fragment] = frame.payload

    def next_message(self) -> bytes | None:
        """Next message of the stream if it is complete; call :meth:`accept` once it is in the journal."""
        fragments, parts = self._incoming.get(self._next_in, (1, {}))
        if len(parts) < fragments:
            return None
        return b"".join(parts[i] for i in range(fragments))

    def accept(self) -> None:
        """The message of :meth:`next_message` is safe: acknowledge it."""
        self._incoming.pop(self._next_in)
        self._next_in += 1

    def next_control(self) -> bytes | None:
        """Next message outside the stream."""
        return self._control_in.popleft() if self._control_in else None

    def _receive_acknowledgement(self, payload: bytes, now: float) -> None:
        if len(payload) < _NEXT.size:
            return
        (following,) = _NEXT.unpack_from(payload)
        if following > len(self._messages):
            return
        if following > self._first_open:
            for sequence in range(self._first_open, following):
                arrived = self._outgoing.pop(sequence, None)
                if arrived is not None and arrived.tries.max() == 1:
                    took_s = min(now - float(arrived.sent_at.max()), _LONGEST_ROUND_TRIP_S)
                    self._smoothed_s += 0.125 * (took_s - self._smoothed_s)
            self._first_open = following
            self._next_out = max(self._next_out, following)  # from before a crash: need not be sent again
            self._advanced_at = now
        elif following < self._first_open and now - self._advanced_at > _LONGEST_REPEAT_S:
            # not an old acknowledgement that was overtaken: the one believed before was wrong
            self._first_open = self._next_out = following
            self._outgoing.clear()
        self._full_until = -math.inf
        at, newest = _NEXT.size, -1
        while at + _MESSAGE.size <= len(payload):
            sequence, length = _MESSAGE.unpack_from(payload, at)
            bitmap = payload[at + _MESSAGE.size : at + _MESSAGE.size + length]
            at += _MESSAGE.size + length
            if sequence in self._outgoing:
                newest = max(newest, self._outgoing[sequence].arrived(bitmap, now))
        for out in self._outgoing.values():
            out.overtaken(newest, now, max(self.round_trip_s, self._smoothed_s))

    def _acknowledge(self, now: float, ready: list[bytes]) -> None:
        # now and then also unasked: the other end may have believed a wrong acknowledgement
        if now >= min(self._acknowledge_at, self._acknowledged_at + _IDLE_S):
            self._acknowledged_at = now
            self._acknowledged += 1
            again = self._incoming and self._acknowledged <= _MOST_ACKNOWLEDGEMENTS
            self._acknowledge_at = now + _ACKNOWLEDGE_AGAIN_S if again else math.inf
            ready.append(self._acknowledgement())

    def _acknowledgement(self) -> bytes:
        payload = _NEXT.pack(self._next_in)
        for sequence in sorted(self._incoming):
            fragments, parts = self._incoming[sequence]
            bitmap = bytearray(-(-fragments // 8))
            for i in parts:
                bitmap[i // 8] |= 0x80 >> i % 8
            entry = _MESSAGE.pack(sequence, len(bitmap)) + bitmap
            if len(payload) + len(entry) > frames.PAYLOAD_BYTES:
                break
            payload += entry
        assert self.session is not None
        return frames.pack(frames.Frame(frames.ACKNOWLEDGE, self.session, 0, 0, 1, payload))

    def sign_of_life(self) -> bytes | None:
        """Acknowledgement of nothing in particular."""
        if self.session is None:
            return None
        return frames.pack(frames.Frame(frames.ACKNOWLEDGE, self.session, 0, 0, 1, _NEXT.pack(self._next_in)))

    def poll(self, now: float) -> list[bytes]:
        """Datagrams to send now.

        Parameters
        ----------
        now : float
            Time on the clock of :meth:`receive`. [s]

        Returns
        -------
        list of bytes
            New ones, repeats and acknowledgements.
        """
        if self.session is None:
            return []
        ready = self._control_ready()
        self._acknowledge(now, ready)
        last = self._sendable
        anything = self._next_out < last or any(out.next_due <= now for out in self._outgoing.values())
        if not anything or now < self._full_until:
            return self._counted(ready)
        budget = SEND_WINDOW - sum(out.on_the_way(now) for out in self._outgoing.values())
        sequence = self._first_open
        while budget > 0 and sequence < last:
            if sequence not in self._outgoing:
                datagrams = frames.split(
                    self._messages[sequence], kind=frames.DATA, session=self.session, sequence=sequence
                )
                self._outgoing[sequence] = _Outgoing(datagrams, now)
                self._next_out = max(self._next_out, sequence + 1)
            budget -= self._send_due(self._outgoing[sequence], now, budget, ready)
            sequence += 1
        if budget <= 0:
            self._full_until = min(out.gives_room(now) for out in self._outgoing.values())
        return self._counted(ready)

    @property
    def _sendable(self) -> int:
        """End of the messages that the other end may be sent."""
        return min(len(self._messages), self._first_open + RECEIVE_WINDOW)

    @property
    def waiting_control(self) -> bool:
        """Whether a message outside the stream is still to be sent."""
        return bool(self._control_out)

    def poll_control(self, now: float) -> list[bytes]:
        """Datagrams to send at time ``now`` when the stream is over: those outside it, and acknowledgements."""
        ready = self._control_ready()
        if self.session is not None and now >= self._acknowledge_at:
            self._acknowledge(now, ready)
        return self._counted(ready)

    def _control_ready(self) -> list[bytes]:
        ready = list(self._control_out)
        self._control_out.clear()
        return ready

    def _counted(self, ready: list[bytes]) -> list[bytes]:
        self.counts.sent += len(ready)
        self.counts.bytes_sent += sum(map(len, ready))
        return ready

    def _send_due(self, out: _Outgoing, now: float, budget: int, ready: list[bytes]) -> int:
        if out.next_due > now:
            return 0
        which = np.flatnonzero(out.due <= now)[:budget]
        ready.extend(out.datagrams[i] for i in which)
        self.counts.repeated += int(np.count_nonzero(out.tries[which]))
        out.there[which] = False
        out.sent_at[which] = now
        out.order[which] = self._numbered + np.arange(which.size)
        self._numbered += which.size
        out.tries[which] += 1
        first = max(FIRST_REPEAT_S, 3.0 * self._smoothed_s)
        out.due[which] = now + np.minimum(first * out.tries[which], max(first, _LONGEST_REPEAT_S))
        out.next_due = float(out.due.min())
        return which.size

    def next_time(self) -> float:
        """When :meth:`poll` has something to send again; infinite if nothing is outstanding. [s]"""
        if self._control_out:
            return -math.inf
        unsent = self._next_out < self._sendable
        due = min((out.next_due for out in self._outgoing.values()), default=math.inf)
        return min(self._acknowledge_at, max(-math.inf if unsent else due, self._full_until))
