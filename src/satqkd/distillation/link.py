"""An optical link between satellite and ground as datagrams see it: loss, repetition, reordering, delay, bandwidth."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from satqkd.errors import InputError

if TYPE_CHECKING:
    from satqkd.distillation.session import End

__all__ = ["EmulatedLink", "LinkModel", "exchange"]

_LONGEST_QUEUE_S: Final = 0.25


@dataclass(frozen=True)
class LinkModel:
    """One direction of the link.

    Attributes
    ----------
    loss : float
        Probability that a datagram is lost. [1]
    duplication : float
        Probability that it arrives twice. [1]
    reordering : float
        Probability that it is overtaken: its delay is up to three times as long. [1]
    delay_s : float
        Time on the way; 4.5 ms each way is a satellite 1350 km off. [s]
    bandwidth_hz : float
        Bits per second (Li et al.: 156 Mbit/s). [bit/s]
    """

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    delay_s: float = 0.0045
    bandwidth_hz: float = 156e6

    def __post_init__(self) -> None:
        for name in ("loss", "duplication", "reordering"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} = {getattr(self, name)!r}: must be at least 0 and below 1")
        if not (0.0 <= self.delay_s < math.inf and self.bandwidth_hz > 0.0):
            raise InputError(f"delay_s = {self.delay_s!r}, bandwidth_hz = {self.bandwidth_hz!r}: must be positive")


class EmulatedLink:
    """Datagrams on their way in one direction.

    Parameters
    ----------
    model : LinkModel
        What happens to them.
    seed : int
        Of the random numbers.
    tamper : callable, optional
        From the number of a datagram, from 0, and its bytes to what arrives instead: an adversary, for tests.
    """

    def __init__(self, model: LinkModel, *, seed: int, tamper: Callable[[int, bytes], bytes] | None = None) -> None:
        self.model, self.lost = model, 0
        self._rng = np.random.default_rng(seed)
        self._drawn: list[list[float]] = []
        self._tamper = tamper
        self._queue: list[tuple[float, int, bytes]] = []
        self._count = self._sent = 0
        self._busy_until = -math.inf

    def send(self, datagram: bytes, now: float) -> None:
        """Put a datagram on the way at time ``now``."""
        if self._tamper is not None:
            datagram = self._tamper(self._sent, datagram)
        self._sent += 1
        if not self._drawn:
            self._drawn = self._rng.random((256, 4))[::-1].tolist()
        lost, twice, late, stretch = self._drawn.pop()
        self._busy_until = max(now, self._busy_until) + 8.0 * len(datagram) / self.model.bandwidth_hz
        if lost < self.model.loss or self._busy_until - now > _LONGEST_QUEUE_S:
            self.lost += 1
            return
        delay = self.model.delay_s * (1.0 + (2.0 * stretch if late < self.model.reordering else 0.0))
        for extra in (0.0, 0.5 * self.model.delay_s)[: 1 + (twice < self.model.duplication)]:
            self._count += 1
            heapq.heappush(self._queue, (self._busy_until + delay + extra, self._count, datagram))

    def arrived(self, now: float) -> list[bytes]:
        """Datagrams that have come out by ``now``."""
        out = []
        while self._queue and self._queue[0][0] <= now:
            out.append(heapq.heappop(self._queue)[2])
        return out

    def next_time(self) -> float:
        """When the next one comes out; infinite if none is on the way. [s]"""
        return self._queue[0][0] if self._queue else math.inf


def exchange(
    ground: End,
    satellite: End,
    *,
    up: EmulatedLink,
    down: EmulatedLink,
    start_s: float = 0.0,
    until_s: float = math.inf,
    watch: Callable[[float], bool] | None = None,
) -> float:
    """Let two ends talk in virtual time, as fast as they compute.

    Parameters
    ----------
    ground, satellite : End
        The two ends.
    up, down : EmulatedLink
        From the ground to the satellite, and back.
    start_s, until_s : float
        Virtual time of the beginning, and latest time. [s]
    watch : callable, optional
        Called with the time before each step; the exchange ends when it says True.

    Returns
    -------
    float
        Virtual time of the end. [s]
    """
    now = start_s
    ground.start(now)
    satellite.start(now)
    while now < until_s:
        if watch is not None and watch(now):
            break
        for end, out, back in ((ground, up, down), (satellite, down, up)):
            for datagram in back.arrived(now):
                end.receive(datagram, now)
            for datagram in end.poll(now):
                out.send(datagram, now)
        if ground.over(now) and satellite.over(now):
            break
        times = [up.next_time(), down.next_time()]
        times += [end.next_time(now) for end in (ground, satellite) if not end.over(now)]
        now = max(min(times), now + 1e-4)
    return now
