"""One end of a session put together: state machine, journal, transport. Still no socket and no clock.

Whoever drives it hands in datagrams and the time, and sends what :meth:`End.poll` gives: a loop over a UDP socket
(:mod:`satqkd.distillation.udp`), or a test in virtual time (:func:`satqkd.distillation.link.exchange`).
"""

from __future__ import annotations

import math
from typing import Final

from satqkd.distillation.authentication import AuthenticationError
from satqkd.distillation.ground import Ground
from satqkd.distillation.journal import Journal
from satqkd.distillation.satellite import Satellite
from satqkd.distillation.settings import SessionError
from satqkd.distillation.transport import LinkCounts, Transport

__all__ = ["End"]

_CONTROL_REPEAT_S: Final = 0.1
_REFUSAL_LINGERS: Final = 5.0
_STANDSTILL: Final = 10.0  # times the patience: the other end is there, but nothing moves


class End:
    """One end of a session.

    Parameters
    ----------
    party : Ground or Satellite
        Its state machine, fresh; what the journal holds is done again first.
    journal : Journal
        The party's.
    patience_s : float
        Silence after which it gives up for now; ten times that if the other end is there but nothing moves. [s]
    linger_s : float
        How long the satellite answers after its last word, in case that was lost; five times that for a refusal. [s]
    """

    def __init__(
        self, party: Ground | Satellite, journal: Journal, *, patience_s: float = 30.0, linger_s: float = 1.5
    ) -> None:
        self.party, self.journal = party, journal
        self.patience_s, self.linger_s = patience_s, linger_s
        self.silent = False
        party.replay()
        self.transport = Transport(party.session)
        self.transport.resume(received=party.messages_heard)
        self._heard_at = self._progress_at = self._last_control = -math.inf
        self._backlog = 0
        self._flush()

    @property
    def counts(self) -> LinkCounts:
        """Datagrams of this end."""
        return self.transport.counts

    @property
    def failure(self) -> SessionError | None:
        """Why there is not more key; None if all went well."""
        if self.party.failure is not None:
            return self.party.failure
        if self.silent:
            hint = f' (the other end said, without proof: "{self.party.hint}")' if self.party.hint else ""
            return SessionError(
                "SILENT",
                f"nothing heard for {self.patience_s:g} s{hint}; to continue, start both ends again with their folders",
            )
        return None

    def start(self, now: float) -> None:
        """Begin at time ``now``; the ground speaks first."""
        self._heard_at = self._progress_at = now
        if isinstance(self.party, Ground) and self.party.state == "waiting":
            self.party.go()
        self._flush()

    def over(self, now: float) -> bool:
        """Whether this end has nothing left to do at time ``now``."""
        party = self.party
        if not party.over and (
            now - self._heard_at > self.patience_s or now - self._progress_at > _STANDSTILL * self.patience_s
        ):
            self.silent = True
        if self.silent:
            return True
        if not party.over or self.transport.waiting_control:
            return False
        # who is refused repeats itself more and more slowly
        linger_s = self.linger_s * (_REFUSAL_LINGERS if party.state == "stopped" else 1.0)
        return isinstance(party, Ground) or now - self._heard_at > linger_s

    def excuse(self, seconds: float) -> None:
        """This end was computing for ``seconds`` and could not have heard anything."""
        self._heard_at += seconds
        self._progress_at += seconds

    @property
    def keep_alive(self) -> bytes | None:
        """Datagram that says no more than that this end is there."""
        return None if self.party.over else self.transport.sign_of_life()

    def receive(self, datagram: bytes, now: float) -> bool:
        """Take in a datagram at time ``now``; whether it is one of the session."""
        try:
            if not self.transport.receive(datagram, now):
                return False
        except AuthenticationError as error:
            self.party.stop("AUTHENTICATION", str(error))
            self._flush()
        self._heard_at = now
        if isinstance(self.party, Satellite) and self.party.state == "stopped":
            self.party.repeat_refusal()
        while (control := self.transport.next_control()) is not None:
            self.party.control(control)
            self._progress_at = now
        self._take_messages(now)
        self._flush()
        return True

    def _take_messages(self, now: float) -> None:
        party, transport = self.party, self.transport
        while self._talking:
            message = transport.next_message()
            if message is None:
                return
            if transport.session is None:
                assert isinstance(party, Satellite)
                assert transport.caller is not None
                transport.session = transport.caller
                refused = party.admit(message, transport.caller)
                if refused is not None:
                    party.refuse(refused)
                    return
            party.message(message)
            self._progress_at = now
            self.journal.sync()
            transport.accept()
            self._flush()

    def _flush(self) -> None:
        """What the party wants to say goes out only once all that it follows from is on the disk."""
        if not (self.party.outbox or self.party.answers or self.party.control_message):
            return
        self.journal.sync()
        for message in self.party.outbox:
            self.transport.send(message)
        for message in self.party.answers:
            self.transport.send_control(message)
        self.party.outbox.clear()
        self.party.answers.clear()

    def poll(self, now: float) -> list[bytes]:
        """Datagrams to send at time ``now``."""
        if self.transport.backlog < self._backlog:
            self._progress_at = now
        self._backlog = self.transport.backlog
        last_word = self.party.control_message if not self._talking else None
        if last_word and now - self._last_control >= _CONTROL_REPEAT_S:
            self._last_control = now
            self.transport.send_control(last_word)
        return self.transport.poll(now) if self._talking else self.transport.poll_control(now)

    @property
    def _talking(self) -> bool:
        """Whether the stream goes on: an end without trouble has its last word when all else is acknowledged."""
        if self.party.failure is not None:
            return False
        state = self.party.state
        return state in ("waiting", "hello", "running") or (state == "closing" and self.transport.backlog > 0)

    def next_time(self, now: float) -> float:
        """When :meth:`poll` or :meth:`over` should be asked again if nothing arrives. [s]"""
        times = [self.transport.next_time() if self._talking else math.inf, now + _CONTROL_REPEAT_S]
        if self.transport.waiting_control:
            times.append(now)
        return max(now, min(times))
