"""What the two ends of a session have in common: what was said, its tags, and how it ends. No socket, no clock.

An end does something only when it is told to by an event: it may start, a message came. All that it then says follows
from its own record of the pass, the events so far and what it drew (random numbers, tags), so an end that was killed is
rebuilt by going through its journal again.

Tags cover the whole conversation: each sealed message is tagged together with everything that its sender has said, and
has heard, since its last sealed message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from satqkd.distillation import journal as record
from satqkd.distillation.authentication import AuthenticationError
from satqkd.distillation.journal import Journal
from satqkd.distillation.key_pool import PoolExhaustedError
from satqkd.distillation.messages import MalformedMessage, Message, decode, encode, pack_many
from satqkd.distillation.settings import SessionError, Settings
from satqkd.errors import InputError

__all__ = ["MOST_FORGERIES", "Authenticator", "KeySink", "Party", "Pool", "Report"]

MOST_FORGERIES: Final = 100
"""Last words with a wrong tag that an end looks at: each is a forger's chance of 1e-29."""

Report = Callable[[dict[str, Any]], None]
"""Takes an event for the display: plain values with the name of the event."""


class Authenticator(Protocol):
    """What seals and checks messages."""

    kind: str

    def seal(self, message: bytes, *, context: bytes) -> bytes:
        """Tag for a message."""

    def check(self, message: bytes, blob: bytes, *, context: bytes) -> None:
        """Refuse a message whose tag does not fit."""

    def retire(self, blob: bytes) -> None:
        """The message of this tag is dealt with."""


class Pool(Protocol):
    """What is refilled with a part of each key."""

    def deposit(self, deposit_id: str, material: bytes | bytearray) -> bool:
        """Add key, once."""

    def remaining(self, direction: str) -> int:
        """One-time values left."""


class KeySink(Protocol):
    """Where keys go."""

    def add(self, key_id: str, material: bytes | bytearray) -> bool:
        """Keep a key on the disk, once."""


@dataclass
class _Step:
    """An event of the journal with what was drawn in it, before and after the session was stopped by it."""

    event: record.Record
    stopped: str = ""
    before: deque[bytes] = field(default_factory=deque)
    after: deque[bytes] = field(default_factory=deque)


def _error(text: str) -> SessionError:
    code, _, detail = text.partition(": ")
    return SessionError(code, detail)


class Party:
    """One end of a session.

    Parameters
    ----------
    side : {"satellite", "ground"}
        Which.
    settings : Settings
        The session's.
    pass_id : str
        Pass that the record is of.
    authenticator : Authenticator
        Seals and checks.
    pool : Pool or None
        Is refilled from the keys; None with signatures.
    keys : KeySink
        Takes the keys.
    journal : Journal
        Its own.
    report : callable
        Takes events for the display.
    rules : bytes
        What identifies the rules and codes of the reconciliation, compared at the beginning.
    """

    def __init__(
        self,
        side: str,
        *,
        settings: Settings,
        pass_id: str,
        authenticator: Authenticator,
        pool: Pool | None,
        keys: KeySink,
        journal: Journal,
        report: Report,
        rules: bytes = b"",
    ) -> None:
        self.side, self.settings, self.pass_id, self.rules = side, settings, pass_id, rules
        self.session: bytes | None = None
        self.state = "waiting"
        self.failure: SessionError | None = None
        self.hint: str | None = None
        """What the other end said about its trouble, not authenticated."""
        self.outbox: list[bytes] = []
        self.control_message: bytes | None = None
        """Message outside the stream that is to be repeated."""
        self.answers: list[bytes] = []
        """Messages outside the stream that are to be sent once."""
        self.released: dict[int, int] = {}
        """Blocks whose key is in the store, and their bytes."""
        self.pool = pool
        self.messages_heard = 0
        self._authenticator, self._keys, self._journal, self._report = authenticator, keys, journal, report
        self._replayed: deque[bytes] = deque()
        self._replayed_after_stop: deque[bytes] = deque()
        self._replaying = False
        self._forgeries = 0
        self._sent: list[bytes] = []
        self._received: list[bytes] = []
        self._own_seals = (0, 0)  # what was said and heard up to the last message that this end sealed
        self._peer_seals = (0, 0)  # what was heard and said up to the last that the other end sealed
        self._already_released: set[int] = set()

    @property
    def over(self) -> bool:
        """Whether nothing more will come of this session."""
        return self.state in ("closed", "stopped")

    # --- events -----------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Start, or go on."""
        if not self._replaying:
            self._journal.append(record.GO, b"")
        self._guarded(self._go)

    def message(self, data: bytes) -> None:
        """A message of the stream came."""
        if not self._replaying:
            self._journal.append(record.MESSAGE, data)
        self.messages_heard += 1
        self._received.append(data)
        if self.state in ("running", "waiting", "hello"):
            self._guarded(lambda: self._handle(decode(data)))

    def control(self, data: bytes) -> None:
        """A message outside the stream came: it counts only if its tag fits."""
        try:
            message = decode(data)
            if message.kind == "refusal":
                self._refused(message.get("reason", str)[:200])
                return
            if self.session is None or self._forgeries >= MOST_FORGERIES:
                return
            if not self._replaying:
                self._check_control(message, data)
                self._journal.append(record.CONTROL, data)
        except (MalformedMessage, AuthenticationError, InputError):
            self._forgeries += 1
            return  # as if it had been lost; the other end repeats it
        self._guarded(lambda: self._handle_control(message))

    def replay(self) -> None:
        """Do everything in the journal again, as after a crash."""
        events = self._journal.records()
        self._already_released = {int(e.data.partition(b" ")[0]) for e in events if e.kind == record.RELEASED}
        steps: list[_Step] = []
        for event in events:
            if event.kind in (record.GO, record.MESSAGE, record.CONTROL, record.HALTED):
                steps.append(_Step(event))
            elif steps and event.kind == record.DRAWN:
                (steps[-1].after if steps[-1].stopped else steps[-1].before).append(event.data)
            elif steps and event.kind == record.STOPPED:
                steps[-1].stopped = event.data.decode()
        redo: dict[int, Callable[[bytes], None]] = {
            record.GO: lambda _: self.go(),
            record.MESSAGE: self.message,
            record.CONTROL: self.control,
            record.HALTED: lambda data: self._stop(_error(data.decode())),
        }
        for step in steps:
            self._replaying, self._replayed, self._replayed_after_stop = True, step.before, step.after
            redo[step.event.kind](step.event.data)
            if step.stopped:
                self._stop(_error(step.stopped))
        self._replaying = False
        self._replayed = self._replayed_after_stop = deque()

    def stop(self, code: str, detail: str) -> None:
        """Give the session up for a reason that comes from outside the conversation."""
        if not (self.over or self.failure):
            self._journal.append(record.HALTED, f"{code}: {detail}".encode())
            self._stop(SessionError(code, detail))

    # --- what the two ends do ---------------------------------------------------------------------------------------

    def _go(self) -> None:
        raise NotImplementedError

    def _handle(self, message: Message) -> None:
        raise NotImplementedError

    def _handle_control(self, message: Message) -> None:
        raise NotImplementedError

    def _refused(self, reason: str) -> None:
        self.hint = reason

    def _give_up(self) -> None:
        """Tell the other end that the session is over."""
        raise NotImplementedError

    # --- tools ------------------------------------------------------------------------------------------------------

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except SessionError as error:
            self._stop(error)
        except PoolExhaustedError as error:
            self._stop(SessionError("POOL_EXHAUSTED", str(error)))
        except (AuthenticationError, MalformedMessage, InputError) as error:
            self._stop(SessionError("AUTHENTICATION", str(error)))
        except (LookupError, ValueError, TypeError, OverflowError) as error:  # no honest end says such a thing
            self._stop(SessionError("AUTHENTICATION", f"a message makes no sense ({type(error).__name__})"))

    def _stop(self, error: SessionError) -> None:
        if self.failure is not None or self.over:
            return
        self.failure = error
        self._replayed = self._replayed_after_stop
        if not self._replaying:
            self._journal.append(record.STOPPED, str(error).encode())
        self.tell("stopped", reason=str(error))
        try:
            self._give_up()
        except PoolExhaustedError:
            self.control_message = encode("refusal", {"reason": str(error)})
            self.state = "stopped"

    def tell(self, event: str, **values: Any) -> None:
        """Report an event for the display."""
        self._report({"event": event, "side": self.side, **values})

    def _draw(self, make: Callable[[], bytes]) -> bytes:
        """What ``make`` gives the first time; after a crash what it gave then."""
        if self._replayed:
            return self._replayed.popleft()
        value = make()
        self._journal.append(record.DRAWN, value)
        return value

    def _context(self, label: str) -> bytes:
        assert self.session is not None
        return b"satqkd distillation 1\0" + self.session + label.encode()

    def _say(self, kind: str, head: dict[str, Any], *parts: bytes) -> None:
        self._sent.append(encode(kind, head, *parts))
        self.outbox.append(self._sent[-1])

    def _say_sealed(self, kind: str, head: dict[str, Any], *parts: bytes) -> int:
        """Say something with a tag over all since the last one; returns the bytes that it covers."""
        heard = len(self._received)
        body = encode(kind, {**head, "heard": heard}, *parts)
        said_before, heard_before = self._own_seals
        covered = pack_many([*self._sent[said_before:], *self._received[heard_before:heard], body])
        blob = self._draw(lambda: self._authenticator.seal(covered, context=self._context("stream")))
        self._sent.append(body + pack_many([blob]))
        self.outbox.append(self._sent[-1])
        self._own_seals = (len(self._sent), heard)
        return len(covered)

    def _skip_sealed(self) -> None:
        """In place of a sealed message that the other end is known to have."""
        self._draw(bytes)
        self._sent.append(b"")
        self.outbox.append(b"")
        self._own_seals = (len(self._sent), len(self._received))

    def _sealed(self, message: Message, *, accept: bool = True) -> list[bytes]:
        """Parts of the message that has just come, once its tag is found to fit everything said and heard."""
        heard = message.get("heard", int)
        index = len(self._received) - 1
        heard_before, said_before = self._peer_seals
        if not said_before <= heard <= len(self._sent) or not message.parts:
            raise MalformedMessage(f"message {message.kind}: heard {heard} messages of {len(self._sent)}")
        *parts, blob = message.parts
        body = self._received[index][: -4 - len(blob)]

        def check() -> bytes:
            covered = pack_many([*self._received[heard_before:index], *self._sent[said_before:heard], body])
            self._authenticator.check(covered, blob, context=self._context("stream"))
            return b"fits"

        if not accept:
            check()
            return parts
        if self._draw(check) != b"fits":  # the journal has nothing else
            raise AuthenticationError("the journal holds no verdict on this tag")
        if not self._replaying:
            self._journal.sync()  # a tag is retired only once its verdict is safe
            self._authenticator.retire(blob)
        self._peer_seals = (index + 1, heard)
        return parts

    def _control_sealed(self, kind: str, head: dict[str, Any]) -> bytes:
        body = encode(kind, head)
        return body + pack_many([self._draw(lambda: self._authenticator.seal(body, context=self._context("control")))])

    def _check_control(self, message: Message, data: bytes) -> None:
        blob = message.part(len(message.parts) - 1) if message.parts else message.part(0)
        self._authenticator.check(data[: -4 - len(blob)], blob, context=self._context("control"))

    def _release(self, block: int, key: bytes | bytearray, refill: bytes | bytearray) -> None:
        """Put the key of a block into the store, and its refill into the pool; both do it once only."""
        assert self.session is not None
        self.released[block] = len(key)
        if block in self._already_released:
            return
        name = f"{self.pass_id}/{self.session.hex()}/{block}"
        self._keys.add(name, key)
        if refill and self.pool is not None:
            self.pool.deposit(name, refill)
        self._journal.append(record.RELEASED, f"{block} {len(key)}".encode())
        self._already_released.add(block)
        self.tell("released", block=block, bytes=len(key))
