"""The ground station's end of a session: announces detections, decodes, computes key lengths (Li et al., Methods).

States: ``waiting``; ``hello``, until the satellite answers; ``running``; ``closing``, until the satellite has the last
word's answer; ``closed``. The ground leads: it releases the key of a block when the satellite's sealed reply says that
the satellite has it too, then commits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from satqkd.distillation.amplification import integrity_checksum, random_seed, seed_bits
from satqkd.distillation.announcement import encode_announcement, unpack_codes
from satqkd.distillation.blocks import PAD_BYTES, SEALS_PER_BLOCK, SEALS_PER_SESSION, block_key, none_kept
from satqkd.distillation.error_hints import qber_hint
from satqkd.distillation.messages import MalformedMessage, Message
from satqkd.distillation.packets import PacketCutter, block_counts, count_signal_errors
from satqkd.distillation.party import Party
from satqkd.distillation.private_files import wipe
from satqkd.distillation.satellite import amplify, split_key, verification_bits
from satqkd.distillation.settings import SessionError
from satqkd.distillation.sifting import error_flags, sampled, sift
from satqkd.distillation.verification import KEY_BYTES, tags_equal, verification_tag

if TYPE_CHECKING:
    from satqkd.distillation.packets import Packet
    from satqkd.distillation.sifting import Measured

__all__ = ["Ground", "ReceiverSide"]

OPEN_BLOCKS = 3
"""Blocks that may be under way before more detections are announced."""

_RESERVE = 4  # one-time values kept back for commitment and the end of the session


class ReceiverSide(Protocol):
    """The reconciliation's end that corrects its bits."""

    def open(self, packet: int, bits: NDArray[np.uint8]) -> None:
        """Bits of a packet, as detected."""

    def receive(self, message: bytes) -> bytes | None:
        """Queue the satellite's message; an earlier reply if it is a repeat."""

    @property
    def busy(self) -> bool:
        """Whether :meth:`work` has something to do."""

    def work(self) -> list[bytes]:
        """Decode what is queued until there is a reply."""

    def corrected(self, packet: int) -> NDArray[np.uint8]:
        """Bits after correction."""

    def outcome(self, packet: int) -> Any:
        """How it ended."""

    def drop(self, packet: int) -> None:
        """Forget it."""


_REFUSED = ("SECRET", "SETTINGS", "PASS")


class _Block(NamedTuple):
    number: int
    packets: list[Packet]
    first_word: tuple[int, int]  # messages sent and received before its first one


class _Waiting(NamedTuple):
    """A block whose reply is awaited."""

    kept: list[int]
    seed: bytes
    key_bytes: int
    refill_bytes: int


class Ground(Party):
    """The ground station's end.

    Parameters
    ----------
    measure : callable
        From what the satellite says of its source to the detections, in order of the pulses; the same each time.
    reconciliation : ReceiverSide
        Corrects bits.
    session : bytes
        8 random bytes, the name of the session.
    **common
        As in :class:`satqkd.distillation.party.Party`.
    """

    def __init__(
        self,
        *,
        measure: Callable[[dict[str, Any]], Measured],
        reconciliation: ReceiverSide,
        session: bytes,
        **common: Any,
    ) -> None:
        super().__init__("ground", **common)
        self.session = session
        self._measure, self._reconciliation = measure, reconciliation
        self._cutter = PacketCutter(self.settings.packet_bits)
        self._detections = 0
        self._parts: dict[int, tuple[NDArray[Any], ...]] = {}  # index, basis, bit of chunks that are not answered
        self._source: dict[str, Any] = {}
        self._announced: dict[int, int] = {}  # chunks that the satellite has not answered, and where they end
        self._next_detection = self._chunks = self._answered = 0
        self._ready: list[Packet] = []
        self._blocks: dict[int, _Block] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._next_block = 0
        self._all_announced = False
        self._debt = SEALS_PER_SESSION  # one-time values that the next key pays back

    def _go(self) -> None:
        if self.state != "waiting":
            return
        assert self.session is not None
        self.state = "hello"
        self._say_sealed(
            "hello",
            {
                "session": self.session.hex(),
                "pass": self.pass_id,
                "settings": self.settings.to_dict(),
                "rules": self.rules.hex(),
            },
        )

    def _refused(self, reason: str) -> None:
        super()._refused(reason)
        if self.state == "hello" and self.failure is None:
            code, _, detail = reason.partition(": ")
            self.stop(code if code in _REFUSED else "SECRET", f"the satellite refuses: {detail}")

    def _give_up(self) -> None:
        if self.failure is not None and self.failure.code in _REFUSED:
            self.state = "stopped"
            return
        self._close(str(self.failure))

    def _close(self, reason: str) -> None:
        for block in self._blocks.values():
            for packet in block.packets:
                packet.bits[:] = 0
                self._reconciliation.drop(packet.number)
        self._blocks.clear()
        self._waiting.clear()
        for _, _, bit in self._parts.values():
            bit[:] = 0
        self._parts.clear()
        counting = sum(1 << block for block in self.released)
        self.state = "closing"
        self.control_message = self._control_sealed("close", {"blocks": f"{counting:x}", "reason": reason[:500]})

    def _handle_control(self, message: Message) -> None:
        if message.kind == "closed" and self.state == "closing":
            self.state, self.control_message = "closed", None
            self.tell("closed", blocks=len(self.released))
        elif message.kind == "abort" and self.failure is None and not self.over:
            reason = message.get("reason", str)
            code = reason.partition(":")[0]
            self._stop(SessionError("AUTHENTICATION" if code == "AUTHENTICATION" else "PEER",
                                    f"the satellite gave up: {reason}"))  # fmt: skip

    def _handle(self, message: Message) -> None:
        handlers = {
            "welcome": self._welcome, "comparison": self._comparison, "syndromes": self._syndromes,
            "verification": self._verification, "reply": self._reply,
        }  # fmt: skip
        if message.kind not in handlers or (message.kind == "welcome") != (self.state == "hello"):
            raise MalformedMessage(f"message {message.kind}: not expected by the ground in state {self.state}")
        handlers[message.kind](message)
        if self.state == "running":
            self._go_on()

    def _welcome(self, message: Message) -> None:
        self._sealed(message)
        self._source = message.get("source", dict)
        measured = self._measure(self._source)
        if not measured.pulse_index.size:
            raise SessionError("EMPTY", "no detection lies within the gates: nothing to distil")
        self._detections, step = measured.pulse_index.size, self.settings.announce
        for chunk, first in enumerate(range(0, self._detections, step)):  # each is let go when it is answered
            arrays = (measured.pulse_index, measured.basis, measured.bit)
            self._parts[chunk] = tuple(array[first : first + step].copy() for array in arrays)
        measured.bit[:] = 0
        self.state = "running"
        self.tell("started", session=self.session.hex() if self.session else "", detections=measured.pulse_index.size)

    def _go_on(self) -> None:
        """Announce more, begin blocks, or end."""
        size = self._detections
        while (
            len(self._announced) < self.settings.ahead
            and len(self._blocks) < OPEN_BLOCKS
            and self._next_detection < size
        ):
            index, basis, _ = self._parts[self._chunks]
            self._next_detection += index.size
            self._announced[self._chunks] = self._next_detection
            self._say("announcement", {"chunk": self._chunks}, encode_announcement(index, basis))
            self._chunks += 1
        if not self._announced and self._next_detection == size and not self._all_announced:
            self._all_announced = True
            self._say("finished", {"chunks": self._chunks})
            self._ready += self._cutter.finish()
            self.tell("announced", left_over_bits=int(self._cutter.left_over_bits))
        per_block = self.settings.packets_per_block
        while (len(self._ready) >= per_block or (self._all_announced and self._ready)) and self._may_begin():
            self._begin_block(self._ready[:per_block])
            self._ready = self._ready[per_block:]
        if self._all_announced and not (self._blocks or self._ready):
            self._close("")

    def _comparison(self, message: Message) -> None:
        chunk = message.get("chunk", int)
        if chunk != self._answered or chunk not in self._announced:
            raise MalformedMessage("message comparison: out of order")
        stop = self._announced.pop(chunk)
        self._answered += 1
        index, basis, bit = self._parts.pop(chunk)
        codes = unpack_codes(message.part(0), index.size)
        share = self.settings.sample_share
        sample = sampled(index, seed=message.part(2), share=share) if share else None
        sifted = sift(index, basis, bit, codes, sample=sample)
        bit[:] = 0
        own = sifted.disclosed_bits
        if len(message.part(1)) != -(-own.size // 8):
            raise MalformedMessage("message comparison: number of disclosed bits")
        theirs = np.unpackbits(np.frombuffer(message.part(1), dtype=np.uint8), count=own.size)
        self._ready += self._cutter.push(sifted, error_flags(own, theirs))
        self.tell("sifted", detections=stop, of=self._detections)

    def _may_begin(self) -> bool:
        """Whether the pool can authenticate another block; if not now, perhaps when an open one has paid it back."""
        pool = self.pool
        if pool is None:
            return True
        needed = _RESERVE + 2 * len(self._blocks)
        if self._draw(lambda: b"yes" if pool.remaining("ground") >= needed else b"no") == b"yes":
            return True
        if not self._blocks:
            raise SessionError("POOL_EXHAUSTED", "the pool of one-time values cannot authenticate another block")
        return False

    def _begin_block(self, packets: list[Packet]) -> None:
        number = self._next_block
        self._next_block += 1
        self._blocks[number] = _Block(number, packets, (len(self._sent), len(self._received)))
        self._say(
            "start",
            {
                "block": number,
                "packets": [int(p.number) for p in packets],
                "qber_hints": [qber_hint(p, self._source) for p in packets],
            },
        )
        if number not in self._already_released:
            for packet in packets:
                self._reconciliation.open(packet.number, packet.bits)

    def _open_block(self, message: Message) -> _Block:
        block = message.get("block", int)
        if block not in self._blocks:
            raise MalformedMessage(f"message {message.kind}: block {block} is not open")
        return self._blocks[block]

    def _syndromes(self, message: Message) -> None:
        block = self._open_block(message)
        if block.number in self._already_released and self._replaying:
            self._sent.append(b"")
            self.outbox.append(b"")
            return
        replies = [reply for part in message.parts if (reply := self._reconciliation.receive(part)) is not None]
        while self._reconciliation.busy:  # all of the block, so that a replay comes to the same replies
            replies += self._reconciliation.work()
        self._say("results", {"block": block.number}, *replies)

    def _verification(self, message: Message) -> None:
        block = self._open_block(message)
        self._debt += SEALS_PER_BLOCK
        if block.number in self._already_released and self._replaying:
            summary = json.loads(self._draw(lambda: b"null"))
            self.tell("block", **summary)
            key = summary["key"]
            self._debt -= key["refill_bytes"] // PAD_BYTES
            self._waiting[block.number] = _Waiting([], b"", key["key_bytes"], key["refill_bytes"])
            self._draw(bytes)  # the seed
            self._skip_sealed()
            return
        numbers = message.get("packets", list)
        if len(message.parts) != len(numbers):
            raise MalformedMessage("message verification: number of tags")
        tags = dict(zip(numbers, message.parts, strict=True))
        length = verification_bits(self.settings.packets_per_block, self.settings.packet_bits,
                                   self.settings.eps_correctness)  # fmt: skip
        kept, rows, errors, revealed = [], [], [], np.zeros(2)
        for packet in block.packets:
            row, good = self._verify(packet, tags.pop(packet.number, None), length)
            rows.append(row)
            if good is not None:
                kept.append(packet)
                errors.append(good)
                share = np.bincount(packet.basis, minlength=2)[:2] / packet.bits.size
                revealed += row["revealed_bits"] * share
        if tags:
            raise MalformedMessage("message verification: tags of packets that are not in the block")
        summary = {
            "block": block.number,
            "packets": rows,
            "tag_bits": length,
            "key": {"key_bytes": 0, "refill_bytes": 0, "reason": None if kept else none_kept(rows)},
        }
        seed = b""
        if kept:
            said, heard = block.first_word
            transcript = sum(map(len, self._sent[said:])) + sum(map(len, self._received[heard:]))
            found = block_key(
                block_counts(kept, errors), revealed_bits=[float(x) for x in revealed], tags=len(kept), tag_bits=length,
                refill=PAD_BYTES * self._debt if self.pool is not None else 0,
                transcript_bytes=transcript + 2 * self.settings.packet_bits * len(kept), settings=self.settings,
                source=self._source,
            )  # fmt: skip
            summary["key"] = found.to_dict()
        self._draw(lambda: json.dumps(summary).encode())
        self.tell("block", **summary)
        key_bytes, refill = summary["key"]["key_bytes"], summary["key"]["refill_bytes"]
        if key_bytes:
            self._debt -= refill // PAD_BYTES
            bits = sum(p.bits.size for p in kept)
            seed = self._draw(lambda: random_seed(seed_bits(input_bits=bits, output_bits=8 * (key_bytes + refill))))
        numbers = [int(p.number) for p in kept]
        self._waiting[block.number] = _Waiting(numbers, seed, key_bytes, refill)
        self._say_sealed(
            "instruction",
            {"block": block.number, "packets": numbers, "key_bytes": key_bytes, "refill_bytes": refill},
            seed,
        )

    def _verify(self, packet: Packet, tag: bytes | None, length: int) -> tuple[dict[str, Any], tuple[int, int] | None]:
        """What is to be told of a packet, and its errors in both bases if it stays in the block."""
        outcome = self._reconciliation.outcome(packet.number)
        if outcome is None:
            raise MalformedMessage(f"message verification: packet {packet.number} is not corrected yet")
        row = {
            "packet": int(packet.number), "first_pulse": int(packet.first_pulse), "stop_pulse": int(packet.stop_pulse),
            "status": outcome.status, "rounds": int(outcome.rounds), "revealed_bits": int(outcome.revealed_bits),
            "code": str(outcome.code), "qber": float(outcome.qber), "bits": int(packet.bits.size),
            "n": packet.n.tolist(), "m": packet.m.tolist(),
        }  # fmt: skip
        if outcome.status != "corrected":
            return row, None
        if tag is None:
            raise MalformedMessage(f"message verification: packet {packet.number} has no tag")
        bits = self._reconciliation.corrected(packet.number)
        own = verification_tag(bits, key=tag[:KEY_BYTES], tag_bits=length)
        if not tags_equal(own, tag[KEY_BYTES:]):
            row["status"] = "mismatch"
            return row, None
        errors = count_signal_errors(packet.basis, packet.bits, bits)
        row["qber"] = sum(map(int, errors)) / packet.bits.size
        row["errors"] = [int(x) for x in errors]
        return row, errors

    def _reply(self, message: Message) -> None:
        block = self._open_block(message)
        self._sealed(message)
        if block.number not in self._waiting:
            raise MalformedMessage(f"message reply: block {block.number} was not asked for")
        waiting = self._waiting.pop(block.number)
        if waiting.key_bytes and block.number in self._already_released:
            self.released[block.number] = waiting.key_bytes
        elif waiting.key_bytes:
            bits = np.concatenate([self._reconciliation.corrected(n) for n in waiting.kept])
            whole = amplify(bits, waiting.seed, waiting.key_bytes + waiting.refill_bytes)
            if integrity_checksum(whole) != message.get("checksum", int):
                wipe(whole)
                raise SessionError("INTEGRITY", f"block {block.number}: checksums of the keys differ")
            key, refill = split_key(whole, waiting.refill_bytes)
            self._release(block.number, key, refill)
            wipe(key)
            wipe(refill)
        self._say_sealed("commit", {"block": block.number})
        for packet in block.packets:
            packet.bits[:] = 0
            self._reconciliation.drop(packet.number)
        del self._blocks[block.number]
