"""Packets waiting for, and in, the lanes of decoders; a lane keeps its packet while more is revealed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from satqkd.distillation.ldpc_codes import Bits, LdpcCode
from satqkd.distillation.ldpc_decoder import LaneDecoder

FEWEST_SWEEPS, MOST_SWEEPS = 30, 140
PATIENCE = 12
"""Sweeps without a new lowest number of violated checks (by 1 %) after which an attempt has failed."""

DECODERS = 2
"""Decoders kept at once (each 25 MB), of the codes used last."""


@dataclass
class Job:
    """A packet to decode: parities of its error pattern (2, rows, circulant) and what is known about it."""

    packet: int
    code: LdpcCode
    parities: Bits
    qber: float
    split: int
    lane: int | None = None
    running: bool = True
    sweeps: int = 0
    sweeps_of_attempt: int = 0
    fewest: float = np.inf
    since_fewest: int = 0
    known: list[tuple[NDArray[np.int64], Bits]] = field(default_factory=list)

    def again(self) -> None:
        """Start another attempt from the state reached."""
        self.running, self.sweeps_of_attempt, self.fewest, self.since_fewest = True, 0, np.inf, 0

    def failed(self, violated: int) -> bool:
        """Count a sweep; whether the attempt is to be given up."""
        self.sweeps += 1
        self.sweeps_of_attempt += 1
        self.since_fewest += 1
        if violated < 0.99 * self.fewest:
            self.fewest, self.since_fewest = violated, 0
        if self.sweeps_of_attempt >= MOST_SWEEPS:
            return True
        return self.sweeps_of_attempt >= FEWEST_SWEEPS and self.since_fewest >= PATIENCE


class DecodingQueue:
    """First come, first served, by code; at most ``lanes`` packets of a code at a time."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._decoders: dict[str, LaneDecoder] = {}
        self._jobs: dict[int, Job] = {}
        self._waiting: deque[int] = deque()

    @property
    def busy(self) -> bool:
        """Whether a sweep would do something: packets may wait for lanes whose own packets wait for an answer."""
        return any(job.running and (job.lane is not None or self._has_room(job.code)) for job in self._jobs.values())

    def _has_room(self, code: LdpcCode) -> bool:
        """Whether a packet of this code could be put into a lane."""
        if code.name in self._decoders:
            return len(self._used(code)) < self._lanes
        return len(self._decoders) < DECODERS or any(not self._used(other.code) for other in self._decoders.values())

    def has(self, packet: int) -> bool:
        """Whether a packet is waiting or in a lane."""
        return packet in self._jobs

    def add(self, job: Job) -> None:
        """New packet, or the same with another code."""
        self.drop(job.packet)
        self._jobs[job.packet] = job
        self._waiting.append(job.packet)

    def more(self, packet: int, parities: Bits, split: int) -> None:
        """Further rows of a packet are split."""
        job = self._jobs[packet]
        job.parities, job.split = parities, split
        job.again()
        if job.lane is not None:
            self._decoders[job.code.name].set_parities(job.lane, parities, split=split)

    def reveal(self, packet: int, positions: NDArray[np.int64], errors: Bits) -> None:
        """Bits of a packet's error pattern are known."""
        job = self._jobs[packet]
        job.known.append((positions, errors))
        job.again()
        if job.lane is not None:
            self._decoders[job.code.name].reveal(job.lane, positions, errors)

    def least_known(self, packet: int, count: int) -> NDArray[np.int64]:
        """Positions of a packet's lowest magnitudes, ascending; for one that was attempted."""
        job = self._jobs[packet]
        assert job.lane is not None
        magnitude = np.abs(self._decoders[job.code.name].posterior(job.lane))
        return np.sort(np.argpartition(magnitude, count)[:count])

    def drop(self, packet: int) -> None:
        """Forget a packet and free its lane."""
        if self._jobs.pop(packet, None) is not None and packet in self._waiting:
            self._waiting.remove(packet)

    def _used(self, code: LdpcCode) -> dict[int, Job]:
        return {job.lane: job for job in self._jobs.values() if job.lane is not None and job.code is code}

    def _decoder(self, code: LdpcCode) -> LaneDecoder | None:
        """Decoder of a code; None while the others are all in use."""
        if code.name not in self._decoders:
            if len(self._decoders) >= DECODERS:
                idle = [name for name, decoder in self._decoders.items() if not self._used(decoder.code)]
                if not idle:
                    return None
                del self._decoders[idle[0]]
            self._decoders[code.name] = LaneDecoder(code)
        else:
            self._decoders[code.name] = self._decoders.pop(code.name)
        return self._decoders[code.name]

    def _fill(self) -> None:
        """Waiting packets into free lanes."""
        for packet in list(self._waiting):
            job = self._jobs[packet]
            used = self._used(job.code)
            free = [lane for lane in range(self._lanes) if lane not in used]
            decoder = self._decoder(job.code) if free else None
            if decoder is None:
                continue
            job.lane = free[0]
            decoder.load(job.lane, job.parities, qber=job.qber, split=job.split)
            for positions, errors in job.known:
                decoder.reveal(job.lane, positions, errors)
            self._waiting.remove(packet)

    def sweep(self) -> list[tuple[int, Bits | None]]:
        """One iteration of every decoder at work; the packets that ended, with their error pattern or None."""
        self._fill()
        ended: list[tuple[int, Bits | None]] = []
        for decoder in list(self._decoders.values()):
            at_work = [job for job in self._used(decoder.code).values() if job.running]
            if not at_work:
                continue
            violated = decoder.sweep()
            for job in at_work:
                assert job.lane is not None
                if violated[job.lane] == 0:
                    pattern = decoder.pattern(job.lane)
                    if _satisfies(job, pattern):
                        job.running = False
                        ended.append((job.packet, pattern))
                        continue
                if job.failed(int(violated[job.lane])):
                    job.running = False
                    ended.append((job.packet, None))
        return ended


def _satisfies(job: Job, pattern: Bits) -> bool:
    """Whether a pattern has all the parities that are known, as those of a sweep are of the way, not of its end."""
    found = job.code.half_parities(pattern[None])[0]
    if not np.array_equal(found[0] ^ found[1], job.parities[0] ^ job.parities[1]):
        return False
    split = job.code.split_order[: job.split]
    return bool(np.array_equal(found[0, split], job.parities[0, split]))
