"""The satellite's end of a session: sifts, sends syndromes, amplifies as it is told (Li et al., Methods).

States: ``waiting`` for the first message; ``running``; ``aborting``, until the ground says which blocks count;
``closed``. A key is pending from the reply to the ground's instruction until the ground's commitment, or its last word.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from satqkd.distillation.amplification import integrity_checksum, pack_key, seed_bits, toeplitz_hash
from satqkd.distillation.announcement import decode_announcement, pack_codes
from satqkd.distillation.error_hints import Expected, expected_rates
from satqkd.distillation.messages import MalformedMessage, Message, decode, encode
from satqkd.distillation.packets import PacketCutter
from satqkd.distillation.party import Party
from satqkd.distillation.private_files import wipe
from satqkd.distillation.settings import SessionError
from satqkd.distillation.sifting import reply_codes, sampled, sift
from satqkd.distillation.verification import KEY_BYTES, tag_bits, verification_tag

if TYPE_CHECKING:
    from satqkd.detection.pulses import SenderChoices
    from satqkd.distillation.packets import Packet

__all__ = ["PassRecord", "Satellite", "SenderSide"]

SEED_BYTES = 32
"""Random bytes that choose the sample. [byte]"""


class Outcome(Protocol):
    """How the correction of a packet ended."""

    status: str


class SenderSide(Protocol):
    """The reconciliation's end that knows the reference bits."""

    @property
    def expected(self) -> Expected:
        """Error rate that it expects from the packets before."""

    def open(self, packet: int, bits: NDArray[np.uint8], *, qber: float | None = None, deviation: float = 0.0) -> bytes:
        """First message about a packet."""

    def receive(self, message: bytes) -> bytes | None:
        """Answer to the ground's reply."""

    def outcome(self, packet: int) -> Any:
        """How it ended."""

    def verified(self, packet: int) -> None:
        """Its tag fitted."""

    def drop(self, packet: int) -> None:
        """Forget it."""


class PassRecord(NamedTuple):
    """What the satellite knows of a pass.

    Attributes
    ----------
    choices : SenderChoices
        Basis, bit and intensity of every pulse.
    pulses : int
        Number of pulses.
    source : dict
        What the ground must know: start of the pulses, their period, intensities and probabilities.
    """

    choices: SenderChoices
    pulses: int
    source: dict[str, Any]


class _Block(NamedTuple):
    packets: list[Packet]
    last: bool


class Satellite(Party):
    """The satellite's end.

    Parameters
    ----------
    record : PassRecord
        What it sent.
    reconciliation : SenderSide
        Sends syndromes.
    **common
        As in :class:`satqkd.distillation.party.Party`.
    """

    def __init__(self, *, record: PassRecord, reconciliation: SenderSide, **common: Any) -> None:
        super().__init__("satellite", **common)
        self._record, self._reconciliation = record, reconciliation
        self._cutter = PacketCutter(self.settings.packet_bits)
        self._packets: dict[int, Packet] = {}
        self._blocks: dict[int, _Block] = {}
        self._pending: dict[int, tuple[bytearray, bytearray]] = {}
        self._chunks = 0
        self._finished = False

    def admit(self, data: bytes, session: bytes) -> SessionError | None:
        """Whether a first message may begin a session: None, or why not. Nothing is kept if not."""
        try:
            message = decode(data)
            if message.kind != "hello" or message.get("session", str) != session.hex():
                raise MalformedMessage("the first message is not the beginning of a session")
        except MalformedMessage as error:
            return SessionError("AUTHENTICATION", str(error))
        self.session = session
        self._received.append(data)
        try:
            self._sealed(message, accept=False)
        except Exception as error:
            return SessionError("SECRET", f"the first message's tag is refused ({error})")
        finally:
            self._received.clear()
            self.session = None
        difference = self.settings.difference(message.head.get("settings"))
        if difference:
            return SessionError("SETTINGS", difference)
        if message.head.get("rules") != self.rules.hex():
            return SessionError("SETTINGS", "the codes of the error correction are not the same here and there")
        if message.get("pass", str) != self.pass_id:
            return SessionError(
                "PASS", f'the record here is of pass "{self.pass_id}", there of "{message.get("pass", str)}"'
            )
        return None

    def refuse(self, error: SessionError) -> None:
        """End without having begun."""
        self.failure, self.state = error, "stopped"
        self.tell("stopped", reason=str(error))
        self.repeat_refusal()

    def repeat_refusal(self) -> None:
        """Say once more why there is no session; not sealed, since there is no session."""
        if self.failure is not None:
            self.answers.append(encode("refusal", {"reason": str(self.failure)[:500]}))

    def _give_up(self) -> None:
        self._drop_secrets()
        if self.session is None:
            self.state = "stopped"
            return
        assert self.failure is not None
        self.state = "aborting"
        self.control_message = self._control_sealed("abort", {"reason": str(self.failure)[:500]})

    def _drop_secrets(self) -> None:
        for number, packet in self._packets.items():
            packet.bits[:] = 0
            self._reconciliation.drop(number)
        self._packets.clear()

    def _handle(self, message: Message) -> None:
        handlers = {
            "hello": self._hello, "announcement": self._announcement, "finished": self._finish, "start": self._start,
            "results": self._results, "instruction": self._instruction, "commit": self._commit,
        }  # fmt: skip
        if message.kind not in handlers or (message.kind == "hello") != (self.state == "waiting"):
            raise MalformedMessage(f"message {message.kind}: not expected by the satellite in state {self.state}")
        handlers[message.kind](message)

    def _hello(self, message: Message) -> None:
        self.session = bytes.fromhex(message.get("session", str))
        self._sealed(message)
        self.state = "running"
        self._say_sealed("welcome", {"pass": self.pass_id, "source": self._record.source})
        self.tell("started", session=self.session.hex())

    def _announcement(self, message: Message) -> None:
        if message.get("chunk", int) != self._chunks or self._finished:
            raise MalformedMessage("message announcement: out of order")
        index, basis = decode_announcement(message.part(0))
        if index.size and not 0 <= int(index[0]) <= int(index[-1]) < self._record.pulses:
            raise MalformedMessage(f"message announcement: pulses up to {int(index[-1])} of {self._record.pulses}")
        choices = self._record.choices.at(index)
        codes = reply_codes(basis, choices)
        share, seed, sample = self.settings.sample_share, b"", None
        if share:
            seed = self._draw(lambda: secrets.token_bytes(SEED_BYTES))
            sample = sampled(index, seed=seed, share=share)
        sifted = sift(index, basis, choices.bit, codes, sample=sample)
        disclosed = np.packbits(sifted.disclosed_bits).tobytes()
        self._say("comparison", {"chunk": self._chunks}, pack_codes(codes), disclosed, seed)
        self._chunks += 1
        self._keep(self._cutter.push(sifted, None))

    def _keep(self, packets: list[Packet]) -> None:
        self._packets.update({packet.number: packet for packet in packets})

    def _finish(self, message: Message) -> None:
        if message.get("chunks", int) != self._chunks or self._finished:
            raise MalformedMessage("message finished: out of order")
        self._finished = True
        self._keep(self._cutter.finish())

    def _start(self, message: Message) -> None:
        block, numbers = message.get("block", int), message.get("packets", list)
        hints = message.get("qber_hints", list)
        known = [self._packets[n] for n in numbers if isinstance(n, int) and n in self._packets]
        first = block * self.settings.packets_per_block
        if numbers != list(range(first, first + len(known))) or not known or block in self._blocks:
            raise MalformedMessage(f"message start: packets {numbers} of block {block}")
        if len(known) != self.settings.packets_per_block and not self._finished:
            raise MalformedMessage(f"message start: {len(known)} packets in block {block}")
        if len(hints) != len(known):
            raise MalformedMessage("message start: number of hints")
        self._blocks[block] = _Block(known, self._finished)
        rates = expected_rates(self._reconciliation.expected, [_checked_hint(hint) for hint in hints])
        opened = [
            self._reconciliation.open(p.number, p.bits, qber=rate, deviation=deviation)
            for p, (rate, deviation) in zip(known, rates, strict=True)
        ]
        self._say("syndromes", {"block": block}, *opened)

    def _open_block(self, message: Message) -> tuple[int, _Block]:
        block = message.get("block", int)
        if block not in self._blocks:
            raise MalformedMessage(f"message {message.kind}: block {block} is not open")
        return block, self._blocks[block]

    def _results(self, message: Message) -> None:
        number, block = self._open_block(message)
        answers = [self._reconciliation.receive(part) for part in message.parts]
        more = [answer for answer in answers if answer is not None]
        if more:
            self._say("syndromes", {"block": number}, *more)
            return
        outcomes = {p.number: self._reconciliation.outcome(p.number) for p in block.packets}
        if any(outcome is None for outcome in outcomes.values()):
            raise MalformedMessage(f"message results: says nothing about a packet of block {number}")
        good = [p for p in block.packets if outcomes[p.number].status == "corrected"]
        length = verification_bits(self.settings.packets_per_block, self.settings.packet_bits,
                                   self.settings.eps_correctness)  # fmt: skip
        tags = []
        for packet in good:
            key = self._draw(lambda: secrets.token_bytes(KEY_BYTES))
            tags.append(key + verification_tag(packet.bits, key=key, tag_bits=length))
        self._say("verification", {"block": number, "packets": [p.number for p in good]}, *tags)

    def _instruction(self, message: Message) -> None:
        number, block = self._open_block(message)
        (seed,) = self._sealed(message)
        kept, key_bytes = message.get("packets", list), message.get("key_bytes", int)
        refill_bytes = message.get("refill_bytes", int)
        corrected = {p.number: p for p in block.packets if self._reconciliation.outcome(p.number).status == "corrected"}
        if not set(kept) <= set(corrected) or kept != sorted(set(kept)) or number in self._pending:
            raise MalformedMessage(f"message instruction: packets {kept} of block {number}")
        for packet in kept:
            self._reconciliation.verified(packet)
        checksum = 0
        if key_bytes and number not in self._already_released:
            bits = np.concatenate([corrected[n].bits for n in kept])
            key = amplify(bits, seed, key_bytes + refill_bytes)
            checksum = integrity_checksum(key)
            self._pending[number] = split_key(key, refill_bytes)
        elif key_bytes:  # released before a crash: the other end has the reply, or it would not have said so
            self._pending[number] = (bytearray(key_bytes), bytearray())
        self._say_sealed("reply", {"block": number, "checksum": checksum})
        for packet in block.packets:
            packet.bits[:] = 0
            self._reconciliation.drop(packet.number)
            self._packets.pop(packet.number, None)

    def _commit(self, message: Message) -> None:
        number, _ = self._open_block(message)
        self._sealed(message)
        del self._blocks[number]
        self._settle(number, True)

    def _settle(self, number: int, counts: bool) -> None:
        """Release a pending key, or drop it."""
        key, refill = self._pending.pop(number, (bytearray(), bytearray()))
        if counts and key:
            self._release(number, key, refill)
        wipe(key)
        wipe(refill)

    def _handle_control(self, message: Message) -> None:
        if message.kind != "close":
            return
        if self.state != "closed":
            counting = int(message.get("blocks", str), 16)
            for number in sorted(self._pending):
                self._settle(number, bool(counting >> number & 1))
            self._drop_secrets()
            self.state = "closed"
            reason = message.get("reason", str)
            if reason and self.failure is None:
                code, _, detail = reason.partition(": ")
                self.failure = SessionError("PEER", f"the ground says: {code}: {detail}")
                self.tell("stopped", reason=str(self.failure))
            self.control_message = None
            self._last_word = self._control_sealed("closed", {})
            self.tell("closed", blocks=len(self.released))
        self.answers.append(self._last_word)


def _checked_hint(hint: Any) -> Expected | None:
    """Hint of a message."""
    if hint is None:
        return None
    rate, deviation = map(float, hint)
    if not (0.0 <= rate <= 0.5 and 0.0 < deviation <= 1.0):
        raise MalformedMessage(f"message start: error rate {rate!r}")
    return Expected(rate, deviation)


def verification_bits(packets: int, packet_bits: int, eps_correctness: float) -> int:
    """Length of the tags of a block of ``packets`` packets. [bit]"""
    return tag_bits(packets=packets, packet_bits=packet_bits, eps_correctness=eps_correctness)


def amplify(bits: NDArray[np.uint8], seed: bytes, output_bytes: int) -> bytearray:
    """Key of ``output_bytes`` bytes from the corrected bits of a block, which are wiped, and the public seed."""
    needed = seed_bits(input_bits=bits.size, output_bits=8 * output_bytes)
    if not 0 < 8 * output_bytes <= bits.size or len(seed) != -(-needed // 8):
        raise MalformedMessage(f"message instruction: {output_bytes} bytes of key from {bits.size} bits")
    hashed = toeplitz_hash(bits, seed=seed, output_bits=8 * output_bytes)
    key = pack_key(hashed)
    bits[:] = 0
    hashed[:] = 0
    return key


def split_key(key: bytearray, refill_bytes: int) -> tuple[bytearray, bytearray]:
    """Key proper, and the bytes before it that go to the pool; ``key`` is wiped."""
    refill, rest = bytearray(key[:refill_bytes]), bytearray(key[refill_bytes:])
    wipe(key)
    return rest, refill
