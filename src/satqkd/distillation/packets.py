"""Packets of raw key and their counts, frozen before anything about the errors of the key is known.

A packet is the next :data:`PACKET_BITS` key bits of the pass. Its counts are those of all sifted detections from the
pulse of its first key bit up to, not including, that of the next packet's first key bit: a rule on public data alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.distillation.sifting import KEY, SAMPLE, Sifted
from satqkd.errors import InputError

__all__ = ["PACKET_BITS", "Packet", "PacketCutter", "block_counts", "count_signal_errors"]

PACKET_BITS: Final = 100_000
"""Key bits per packet (Li et al.)."""

Bits = NDArray[np.uint8]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of raw key.

    Attributes
    ----------
    number : int
        0 for the first of the pass.
    first_pulse, stop_pulse : int
        Range of pulses whose detections are counted.
    bits : ndarray of uint8
        This side's raw key. Secret.
    basis : ndarray of uint8
        Basis of each bit.
    n : ndarray of int64, shape (2, 3)
        Sifted detections by basis and intensity, without the sample.
    m : ndarray of int64, shape (2, 3)
        Errors among the disclosed ones; 0 for the signals, whose errors the reconciliation tells.
    sample_n, sample_m : ndarray of int64, shape (2,)
        Signals in the sample, by basis, and errors among them.
    """

    number: int
    first_pulse: int
    stop_pulse: int
    bits: Bits = field(repr=False)
    basis: Bits = field(repr=False)
    n: Counts
    m: Counts
    sample_n: Counts
    sample_m: Counts

    @property
    def sample_qber(self) -> float | None:
        """Error rate of the sample, None without one. [1]"""
        total = int(self.sample_n.sum())
        return int(self.sample_m.sum()) / total if total else None


class PacketCutter:
    """Cuts sifted detections into packets as they come; keeps at most one packet and a frame.

    Parameters
    ----------
    packet_bits : int
        Key bits per packet.

    Raises
    ------
    InputError
        If a packet has no bits.
    """

    def __init__(self, packet_bits: int = PACKET_BITS) -> None:
        if packet_bits < 1:
            raise InputError(f"packet_bits = {packet_bits!r}: must be at least 1")
        self.packet_bits = packet_bits
        self._number = 0
        self._last_pulse = -1
        self._waiting: list[tuple[Sifted, Bits]] = []
        self._key_bits = 0

    @property
    def left_over_bits(self) -> int:
        """Key bits that wait for their packet to be full; at the end of the pass they are dropped, not disclosed."""
        return self._key_bits

    def push(self, sifted: Sifted, errors: Bits | None = None) -> list[Packet]:
        """Take the next detections and give the packets that are full.

        Parameters
        ----------
        sifted : Sifted
            Detections after all those taken before.
        errors : ndarray of uint8, optional
            For each disclosed detection, in order, whether the two sides differ; without it the errors count as 0.

        Returns
        -------
        list of Packet
            Usually none or one.

        Raises
        ------
        InputError
            If detections come again or out of order, or the errors are not as many as were disclosed.
        """
        if not sifted.pulse_index.size:
            return []
        if int(sifted.pulse_index[0]) <= self._last_pulse:
            raise InputError(
                f"pulse_index {int(sifted.pulse_index[0])}: must come after pulse {self._last_pulse}, taken before"
            )
        wrong = np.zeros(sifted.bit.size, np.uint8)
        if errors is not None:
            disclosed = sifted.disclosed
            if errors.size != int(disclosed.sum()):
                raise InputError(f"errors: {errors.size} values for {int(disclosed.sum())} disclosed detections")
            wrong[disclosed] = errors
        self._last_pulse = int(sifted.pulse_index[-1])
        self._waiting.append((sifted, wrong))
        self._key_bits += int((sifted.role == KEY).sum())
        full: list[Packet] = []
        if self._key_bits > self.packet_bits:
            joined, wrong = self._join()
            key = np.flatnonzero(joined.role == KEY)
            cut = 0
            while key.size - cut > self.packet_bits:
                first, stop = int(key[cut]), int(key[cut + self.packet_bits])
                full.append(self._packet(joined, wrong, first, stop, int(joined.pulse_index[stop])))
                cut += self.packet_bits
            rest = int(key[cut])
            self._waiting = [(_part(joined, rest, joined.bit.size), wrong[rest:])]
            self._key_bits = int(key.size) - cut
        return full

    def finish(self) -> list[Packet]:
        """The last packet if it is full, at the end of the pass; what is left over is dropped."""
        if self._key_bits != self.packet_bits:
            return []
        joined, wrong = self._join()
        first = int(np.argmax(joined.role == KEY))
        packet = self._packet(joined, wrong, first, joined.bit.size, self._last_pulse + 1)
        self._waiting, self._key_bits = [], 0
        return [packet]

    def _join(self) -> tuple[Sifted, Bits]:
        names = ("pulse_index", "basis", "intensity", "bit", "role")
        arrays = [np.concatenate([getattr(part, name) for part, _ in self._waiting]) for name in names]
        return Sifted(*arrays), np.concatenate([wrong for _, wrong in self._waiting])

    def _packet(self, all_: Sifted, wrong: Bits, first: int, stop: int, stop_pulse: int) -> Packet:
        part, wrong = _part(all_, first, stop), wrong[first:stop]
        in_sample = part.role == SAMPLE
        cell = part.basis.astype(np.int64) * 3 + part.intensity
        key = part.role == KEY
        packet = Packet(
            number=self._number,
            first_pulse=int(part.pulse_index[0]),
            stop_pulse=stop_pulse,
            bits=part.bit[key].copy(),
            basis=part.basis[key].copy(),
            n=_count(cell[~in_sample], 6).reshape(2, 3),
            m=_count(cell[~in_sample & (wrong == 1)], 6).reshape(2, 3),
            sample_n=_count(part.basis[in_sample], 2),
            sample_m=_count(part.basis[in_sample & (wrong == 1)], 2),
        )
        self._number += 1
        return packet


def _part(sifted: Sifted, first: int, stop: int) -> Sifted:
    cut = slice(first, stop)
    return Sifted(sifted.pulse_index[cut], sifted.basis[cut], sifted.intensity[cut], sifted.bit[cut], sifted.role[cut])


def _count(cells: NDArray[np.integer], kinds: int) -> Counts:
    return np.bincount(cells, minlength=kinds).astype(np.int64)


def count_signal_errors(basis: Bits, before: Bits, after: Bits) -> tuple[int, int]:
    """Errors of a packet that the reconciliation has corrected.

    Parameters
    ----------
    basis : ndarray of uint8
        Basis of each bit.
    before, after : ndarray of uint8
        The packet's bits before and after.

    Returns
    -------
    tuple of int
        Errors in Z and in X.

    Raises
    ------
    InputError
        If the arrays differ in length.
    """
    if not basis.shape == before.shape == after.shape:
        raise InputError(f"bits: {basis.size} bases, {before.size} bits before and {after.size} after")
    wrong = before != after
    in_x = int((wrong & (basis == 1)).sum())
    return int(wrong.sum()) - in_x, in_x


def block_counts(packets: Sequence[Packet], signal_errors: Sequence[tuple[int, int]]) -> SiftedCounts:
    """Counts of a block of packets; those of abandoned packets are not given and so have left it.

    Parameters
    ----------
    packets : sequence of Packet
        Packets that stay.
    signal_errors : sequence of tuple of int
        Of :func:`count_signal_errors`, for each packet.

    Returns
    -------
    SiftedCounts
        For :func:`satqkd.security.three_intensity.key_length`.

    Raises
    ------
    InputError
        If a packet has no errors given for it, or more than it has bits, or is given twice.
    """
    if len(packets) != len(signal_errors):
        raise InputError(f"signal_errors: {len(signal_errors)} pairs for {len(packets)} packets")
    if len({packet.number for packet in packets}) != len(packets):
        raise InputError("packets: one of them is given twice")
    n, m = np.zeros((2, 3)), np.zeros((2, 3))
    for packet, errors in zip(packets, signal_errors, strict=True):
        if not all(0 <= e <= k for e, k in zip(errors, packet.n[:, 0].tolist(), strict=True)):
            raise InputError(
                f"signal_errors {errors}: packet {packet.number} has {packet.n[:, 0].tolist()} bits in Z and X"
            )
        n += packet.n
        m += packet.m
        m[:, 0] += errors
    return SiftedCounts(*(tuple(row) for row in (*n.tolist(), *m.tolist())))
