"""A small pass in memory, and a toy reconciliation, so that a whole session takes milliseconds."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from satqkd.detection.pulses import SeededChoices, seed_bytes
from satqkd.distillation import frames
from satqkd.distillation.authentication import PadAuthenticator
from satqkd.distillation.error_hints import Expected
from satqkd.distillation.ground import Ground
from satqkd.distillation.journal import MemoryJournal
from satqkd.distillation.key_pool import KeyPool, PoolExhaustedError
from satqkd.distillation.link import EmulatedLink, LinkModel, exchange
from satqkd.distillation.satellite import PassRecord, Satellite
from satqkd.distillation.session import End
from satqkd.distillation.settings import Settings
from satqkd.distillation.sifting import Measured
from satqkd.errors import InputError

SMALL = Settings(packet_bits=3000, packets_per_block=2, bound="asymptotic", announce=5000, ahead=4)
"""Packets of 3 kbit have a key only in the asymptotic limit; everything else is as in a real session."""

SOURCE = {"intensities": [0.8, 0.1, 0.001], "intensity_probabilities": [0.5, 0.25, 0.25]}
GROUP = 16


class ToySender:
    """Parities of groups of 16 bits, then the groups in which they differ: corrects all single errors of a group."""

    expected = Expected(0.001, 0.0005)

    def __init__(self, threshold=0.08):
        self._bits, self._outcome, self._threshold = {}, {}, threshold
        self.checked = []

    def open(self, packet, bits, *, qber=None, deviation=0.0):
        self._bits[packet] = bits
        return struct.pack(">IB", packet, 0) + np.packbits(_parities(bits)).tobytes()

    def receive(self, message):
        packet, kind = struct.unpack_from(">IB", message)
        if packet not in self._bits:
            return None
        bits = self._bits[packet]
        if kind == 1:  # groups wanted
            groups = np.flatnonzero(np.unpackbits(np.frombuffer(message[5:], np.uint8))[: _groups(bits)])
            return struct.pack(">IB", packet, 1) + np.packbits(_grouped(bits)[groups]).tobytes()
        status = {2: "corrected", 3: "rejected"}[kind]
        self._outcome[packet] = SimpleNamespace(status=status)
        return None

    def outcome(self, packet):
        return self._outcome.get(packet)

    def verified(self, packet):
        self.checked.append(packet)

    def drop(self, packet):
        self._bits.pop(packet, None)


class ToyReceiver:
    """The other end of :class:`ToySender`."""

    def __init__(self, threshold=0.08):
        self._bits, self._corrected, self._wanted, self._outcome = {}, {}, {}, {}
        self._threshold = threshold
        self._queue = []

    def open(self, packet, bits):
        self._bits[packet] = bits

    def receive(self, message):
        self._queue.append(message)

    @property
    def busy(self):
        return bool(self._queue)

    def work(self):
        replies = [self._answer(message) for message in self._queue]
        self._queue.clear()
        return replies

    def _answer(self, message):
        packet, kind = struct.unpack_from(">IB", message)
        if packet not in self._bits:
            raise InputError(f"packet {packet} is not open")
        bits = self._bits[packet]
        n = _groups(bits)
        content = np.unpackbits(np.frombuffer(message[5:], np.uint8))
        if kind == 0:
            wrong = (content[:n] ^ _parities(bits)).astype(bool)
            self._wanted[packet] = wrong
            if wrong.mean() > 0.4:
                self._finish(packet, "rejected", n + 1)
                return struct.pack(">IB", packet, 3)
            return struct.pack(">IB", packet, 1) + np.packbits(wrong).tobytes()
        wanted = self._wanted[packet]
        after = _grouped(bits).copy()
        after[wanted] = content[: GROUP * int(wanted.sum())].reshape(-1, GROUP)
        self._corrected[packet] = after.ravel()[: bits.size].copy()
        self._finish(packet, "corrected", n + GROUP * int(wanted.sum()) + n + 1)
        return struct.pack(">IB", packet, 2)

    def _finish(self, packet, status, revealed):
        self._outcome[packet] = SimpleNamespace(status=status, rounds=1, revealed_bits=revealed, code="toy", qber=0.0)

    def outcome(self, packet):
        return self._outcome.get(packet)

    def corrected(self, packet):
        return self._corrected[packet]

    def drop(self, packet):
        for table in (self._bits, self._corrected, self._wanted):
            table.pop(packet, None)


def _groups(bits):
    return -(-bits.size // GROUP)


def _grouped(bits):
    return np.pad(bits, (0, -bits.size % GROUP)).reshape(-1, GROUP)


def _parities(bits):
    return _grouped(bits).sum(axis=1).astype(np.uint8) & 1


@dataclass
class SmallPass:
    """What two ends know of a pass with some hundred detections per packet."""

    choices: SeededChoices
    pulses: int
    measured: Measured


def small_pass(seed, *, detections=54_000, qber=0.001, noisy=None):
    """Detections of random pulses, most of them of bright ones; ``noisy``: range of detections with an error rate."""
    rng = np.random.default_rng(seed)
    choices = SeededChoices(seed=seed_bytes(seed, "choices"))
    candidates = np.cumsum(rng.integers(1, 100, 4 * detections)).astype(np.int64)
    pulses = 200 * detections + 1
    sent = choices.at(candidates)
    weight = np.array([0.8, 0.1, 0.002])[sent.intensity]
    kept = np.flatnonzero(rng.random(candidates.size) < weight)[:detections]
    index, sent = candidates[kept], choices.at(candidates[kept])
    basis = rng.integers(0, 2, index.size).astype(np.uint8)
    rate = np.full(index.size, qber)
    if noisy is not None:
        rate[noisy[0] : noisy[1]] = noisy[2]
    wrong = rng.random(index.size) < rate
    bit = np.where(basis == sent.basis, sent.bit ^ wrong, rng.integers(0, 2, index.size)).astype(np.uint8)
    return SmallPass(choices, pulses, Measured(index, basis, bit, 0, 0, 0))


class MemoryKeys:
    """Key store in memory that survives a crash, and refuses to be given two keys by one name."""

    def __init__(self):
        self.keys = {}

    def add(self, key_id, material):
        known = self.keys.setdefault(key_id, bytes(material))
        assert known == bytes(material)
        return True


class MemoryPool:
    """One-time values in memory with the rules of :class:`KeyPool`; remembers each value that was ever taken."""

    def __init__(self, secret):
        self.rows = {
            "satellite": bytearray(secret[: len(secret) // 2]),
            "ground": bytearray(secret[len(secret) // 2 :]),
        }
        self.used = {"satellite": 0, "ground": 0}
        self.retired = {"satellite": 0, "ground": 0}
        self.deposits = {}
        self.taken = []

    def remaining(self, direction):
        return len(self.rows[direction]) // 16 - 1 - self.used[direction]

    def poly_key(self, direction):
        return bytes(self.rows[direction][:16])

    def take_pad(self, direction):
        if self.remaining(direction) < 1:
            raise PoolExhaustedError(f"key pool exhausted: no one-time value left for messages of the {direction}")
        number = self.used[direction]
        self.used[direction] = self.retired[direction] = number + 1
        self.taken.append((direction, number))
        return number, bytes(self.rows[direction][16 * (number + 1) : 16 * (number + 2)])

    peek_pad = None

    def retire(self, direction, number):
        self.retired[direction] = max(self.retired[direction], number + 1)
        self.used[direction] = max(self.used[direction], number + 1)

    def deposit(self, deposit_id, material):
        if deposit_id in self.deposits:
            return False
        self.deposits[deposit_id] = bytes(material)
        half = len(material) // 2
        self.rows["satellite"] += material[:half]
        self.rows["ground"] += material[half:]
        return True


def _peek(self, direction, number):
    if not self.retired[direction] <= number < len(self.rows[direction]) // 16 - 1:
        raise InputError("not there")
    return bytes(self.rows[direction][16 * (number + 1) : 16 * (number + 2)])


MemoryPool.peek_pad = _peek


class Side:
    """One end with everything of it that survives a crash."""

    def __init__(self, side, small, *, settings=SMALL, secret=None, pass_id="p1", pool=None, linger_s=1.5):
        self.side, self.small, self.settings, self.pass_id = side, small, settings, pass_id
        self.pool = pool or MemoryPool(secret or bytes(range(256)) * 2)
        self.keys, self.journal, self.events = MemoryKeys(), MemoryJournal(), []
        self.sealed = {}
        self.linger_s = linger_s
        self.boot()

    def boot(self):
        """Start, or start again after a crash."""
        authenticator = PadAuthenticator(self.pool, self.side)
        seal = authenticator.seal

        def watched(message, *, context):
            blob = seal(message, context=context)
            pad = blob[:8]
            assert self.sealed.setdefault(pad, message) == message, "a one-time value sealed two messages"
            return blob

        authenticator.seal = watched
        common = {
            "settings": self.settings, "pass_id": self.pass_id, "authenticator": authenticator, "pool": self.pool,
            "keys": self.keys, "journal": self.journal, "report": self.events.append,
        }  # fmt: skip
        if self.side == "ground":
            party = Ground(
                measure=lambda source: _copy(self.small.measured),
                reconciliation=ToyReceiver(),
                session=b"session1",
                **common,
            )
        else:
            record = PassRecord(self.small.choices, self.small.pulses, dict(SOURCE))
            party = Satellite(record=record, reconciliation=ToySender(), **common)
        self.end = End(party, self.journal, linger_s=self.linger_s)
        return self.end

    def crash(self, kept=0):
        """Lose everything in memory and start again."""
        self.journal.crash(kept)
        return self.boot()


def _copy(measured):
    return Measured(measured.pulse_index, measured.basis, measured.bit.copy(), 0, 0, 0)


def talk(ground, satellite, *, model=None, seed=0, tamper_up=None, tamper_down=None, crashes=(), until_s=200.0):
    """Run a session in virtual time; ``crashes``: (time, side, records kept of those not yet on the disk)."""
    model = model or LinkModel()
    links = {
        "up": EmulatedLink(model, seed=2 * seed, tamper=tamper_up),
        "down": EmulatedLink(model, seed=2 * seed + 1, tamper=tamper_down),
    }
    now = 0.0
    for time, side, kept in sorted(crashes):
        now = exchange(
            ground.end, satellite.end, **links, start_s=now, until_s=until_s, watch=lambda t, time=time: t >= time
        )
        (ground if side == "ground" else satellite).crash(kept)
    return exchange(ground.end, satellite.end, **links, start_s=now, until_s=until_s)


def both(small, **options):
    """A ground station and a satellite."""
    return Side("ground", small, **options), Side("satellite", small, **options)


def check_keys(ground, satellite):
    """Both ends hold identical keys or none, and no one-time value was used twice."""
    assert ground.keys.keys == satellite.keys.keys
    for side in (ground, satellite):
        assert len(side.pool.taken) == len(set(side.pool.taken))
        assert [number for _, number in side.pool.taken] == sorted({number for _, number in side.pool.taken})
    assert ground.pool.deposits == satellite.pool.deposits


def file_pool(folder: Path, secret: bytes) -> KeyPool:
    """A real pool."""
    return KeyPool.create(folder, secret)


def changing(which, position, change, kinds):
    """Change a byte of the ``which``-th datagram of some kinds, with a checksum that fits."""
    seen = []

    def tamper(_, datagram):
        if frames.unpack(datagram).kind not in kinds:
            return datagram
        seen.append(1)
        return frames.rewritten(datagram, position(len(datagram)), change) if len(seen) - 1 == which else datagram

    return tamper


def torture(small, seed):
    """A session with everything that can go wrong chosen at random; what came of it."""
    rng = np.random.default_rng([seed, 99])
    model = LinkModel(
        loss=float(rng.uniform(0, 0.5)), duplication=float(rng.uniform(0, 0.3)), reordering=float(rng.uniform(0, 0.5))
    )
    crashes, changed, kinds = [], {}, (frames.DATA, frames.ACKNOWLEDGE, frames.CONTROL)
    if seed % 2:
        times = sorted(rng.uniform(0.0, 0.8, rng.integers(1, 4)))
        crashes = [(float(t), ("ground", "satellite")[rng.integers(2)], int(rng.integers(4))) for t in times]
    if seed % 4 >= 2:
        where, change = rng.random(), int(rng.integers(1, 256))
        way = ("tamper_up", "tamper_down")[int(rng.integers(2))]
        changed = {way: changing(int(rng.integers(0, 120)), lambda n: int(where * (n - 4)), change, kinds)}
    ground, satellite = both(small)
    talk(ground, satellite, model=model, seed=seed, crashes=crashes, until_s=400.0, **changed)
    check_keys(ground, satellite)
    codes = {side.end.failure.code for side in (ground, satellite) if side.end.failure is not None}
    # a satellite that has refused keeps nothing: killed and started again it waits for a call that does not come
    forgotten = bool(crashes) and codes == {"SECRET", "SILENT"} and not ground.keys.keys
    assert codes <= {"AUTHENTICATION", "SECRET", "PEER"} or forgotten, codes
    assert not codes or changed, "nobody changed anything"
    found = "found" if codes & {"AUTHENTICATION", "SECRET"} else "without effect"
    what = ["killed"] * bool(crashes) + [f"changed, {found}"] * bool(changed)
    return " and ".join(what) or "bad link only", len(ground.keys.keys)
