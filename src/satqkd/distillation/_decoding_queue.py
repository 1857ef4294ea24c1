"""Packets that are being decoded, or wait for more to be revealed; first come, first served."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from satqkd.distillation.ldpc_codes import Bits, LdpcCode
from satqkd.distillation.ldpc_decoder import PacketDecoder

FEWEST_SWEEPS, MOST_SWEEPS = 30, 140
PATIENCE = 12
"""Sweeps without a new lowest number of violated checks (by 1 %) after which an attempt has failed."""


class Job:
    """A packet to decode: parities of its error pattern (2, rows, circulant) and what is known about it."""

    def __init__(self, code: LdpcCode, parities: Bits, qber: float, split: int) -> None:
        self.code, self.qber = code, qber
        self._decoder: PacketDecoder | None = None  # 4 MB, taken when its turn comes
        self.more(parities, split)

    def more(self, parities: Bits, split: int) -> None:
        """Further rows are split; another attempt, from the state reached."""
        self._parities, self._split = parities, split
        if self._decoder is not None:
            self._decoder.set_parities(parities, split=split)
        self._begin()

    def reveal(self, positions: NDArray[np.int64], errors: Bits) -> None:
        """Bits of the error pattern are known; another attempt, from the state reached."""
        self.decoder.reveal(positions, errors)
        self._begin()

    def _begin(self) -> None:
        self._sweeps, self._fewest, self._since_fewest = 0, np.inf, 0

    @property
    def decoder(self) -> PacketDecoder:
        """Decoder with the state reached."""
        if self._decoder is None:
            self._decoder = PacketDecoder(self.code, self._parities, qber=self.qber, split=self._split)
        return self._decoder

    def sweep(self) -> tuple[bool, Bits | None]:
        """One iteration; whether the attempt is over, and the error pattern if it was found."""
        violated = self.decoder.sweep()
        if violated == 0:
            pattern = self.decoder.pattern()
            if self._satisfied_by(pattern):
                return True, pattern
        self._sweeps += 1
        self._since_fewest += 1
        if violated < 0.99 * self._fewest:
            self._fewest, self._since_fewest = violated, 0
        stuck = self._sweeps >= FEWEST_SWEEPS and self._since_fewest >= PATIENCE
        return stuck or self._sweeps >= MOST_SWEEPS, None

    def _satisfied_by(self, pattern: Bits) -> bool:
        """Whether a pattern has all the parities that are known, as those of a sweep are of the way, not of its end."""
        found = self.code.half_parities(pattern[None])[0]
        if not np.array_equal(found[0] ^ found[1], self._parities[0] ^ self._parities[1]):
            return False
        split = self.code.split_order[: self._split]
        return bool(np.array_equal(found[0, split], self._parities[0, split]))


class DecodingQueue:
    """Jobs by packet; one is decoded at a time, so that its arrays stay in the cache."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._turn: deque[int] = deque()

    @property
    def busy(self) -> bool:
        """Whether a sweep would do something."""
        return bool(self._turn)

    def has(self, packet: int) -> bool:
        """Whether a packet is decoded or waits for more."""
        return packet in self._jobs

    def add(self, packet: int, job: Job) -> None:
        """New packet, or the same with another code."""
        self.drop(packet)
        self._jobs[packet] = job
        self._turn.append(packet)

    def more(self, packet: int, parities: Bits, split: int) -> None:
        """Further rows of a packet are split."""
        self._jobs[packet].more(parities, split)
        self._queue(packet)

    def reveal(self, packet: int, positions: NDArray[np.int64], errors: Bits) -> None:
        """Bits of a packet's error pattern are known."""
        self._jobs[packet].reveal(positions, errors)
        self._queue(packet)

    def _queue(self, packet: int) -> None:
        if packet not in self._turn:
            self._turn.append(packet)

    def least_known(self, packet: int, count: int) -> NDArray[np.int64]:
        """Positions of a packet's lowest magnitudes, ascending."""
        magnitude = np.abs(self._jobs[packet].decoder.posterior())
        return np.sort(np.argpartition(magnitude, count)[:count])

    def drop(self, packet: int) -> None:
        """Forget a packet."""
        if self._jobs.pop(packet, None) is not None and packet in self._turn:
            self._turn.remove(packet)

    def sweep(self) -> tuple[int, Bits | None] | None:
        """One iteration of the first packet; if its attempt ended, the packet with its error pattern or None."""
        packet = self._turn[0]
        over, pattern = self._jobs[packet].sweep()
        if not over:
            return None
        self._turn.popleft()
        return packet, pattern
