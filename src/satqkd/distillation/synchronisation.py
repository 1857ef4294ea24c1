"""From time tags to pulse indices: the synchronisation words of the downlink carry the sender's clock to the ground.

The delay of a word, its tag minus the time it was sent, holds distance, clock offset and drift. At 7 km/s it grows by
2.5 ns from one word to the next, more than a slot: a constant clock fails. Short pieces of the delays are fitted by
parabolas, and their values and slopes joined by cubics.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.records import FASTEST_DELAY, SYNC_PERIOD_PULSES, GroundRecord, SyncWords
from satqkd.errors import InputError

__all__ = ["DelayCurve", "SyncReport", "Synchronised", "fit_delay", "synchronise"]

Floats = NDArray[np.float64]

PIECE_S: Final = 0.1
"""Words that are fitted together: of its terms left out, the distance's third derivative (5 m/s^3) makes 0.4 ps."""

FEWEST_WORDS: Final = 12
"""Words a piece needs; they must span a quarter of it, or its slope would be noise."""

_OUTLIER: Final = 6.0
_CHUNK: Final = 1 << 18
_BINS: Final = 100


@dataclass(frozen=True, slots=True)
class DelayCurve:
    """Delay by the ground's time: cubics through values and slopes at the middle of the pieces.

    Attributes
    ----------
    time_ps, delay_ps, slope, bend : ndarray
        Middle of each piece, delay, its slope and its second derivative there. [ps], [ps], [1], [1/ps]
    first_ps, last_ps : ndarray
        First and last word of each piece. [ps]
    """

    time_ps: Floats
    delay_ps: Floats
    slope: Floats
    bend: Floats
    first_ps: Floats
    last_ps: Floats

    def at(self, tag_ps: NDArray[np.int64]) -> Floats:
        """Delay at times of the ground's clock; outside the middles, the parabolas of the ends. [ps]"""
        tag = np.asarray(tag_ps, float)
        end = np.where(tag < self.time_ps[0], 0, self.time_ps.size - 1)
        since = tag - self.time_ps[end]
        outside = self.delay_ps[end] + since * (self.slope[end] + 0.5 * self.bend[end] * since)
        if self.time_ps.size == 1:
            return np.asarray(outside)
        i = np.clip(np.searchsorted(self.time_ps, tag) - 1, 0, self.time_ps.size - 2)
        span = self.time_ps[i + 1] - self.time_ps[i]
        x = (tag - self.time_ps[i]) / span
        v0, v1, rise = self.slope[i] * span, self.slope[i + 1] * span, self.delay_ps[i + 1] - self.delay_ps[i]
        cubic = x * (v0 + x * (3.0 * rise - 2.0 * v0 - v1 + x * (v0 + v1 - 2.0 * rise)))
        return np.asarray(np.where((x < 0.0) | (x > 1.0), outside, self.delay_ps[i] + cubic))

    def covered(self, tag_ps: NDArray[np.int64], *, longest_gap_ps: float) -> NDArray[np.bool_]:
        """Whether a time lies between two words that are at most ``longest_gap_ps`` apart, or as near to an end."""
        tag = np.asarray(tag_ps, float)
        i = np.searchsorted(self.first_ps, tag, side="right") - 1
        before = np.where(i >= 0, self.last_ps[i], -np.inf)
        after = np.append(self.first_ps, np.inf)[i + 1]
        # at the two ends of the pass there is a word on one side only: half a piece of extrapolation
        ends = (np.isinf(before) & (after - tag <= _EDGE_PS)) | (np.isinf(after) & (tag - before <= _EDGE_PS))
        return np.asarray((tag <= before) | (after - before <= longest_gap_ps) | ends)


_EDGE_PS: Final = 0.5e12 * PIECE_S


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How well the clocks were brought together.

    Attributes
    ----------
    words, words_rejected : int
        Synchronisation words received, and those that do not fit: false ones, or in pieces with too few.
    longest_gap_s : float
        Longest time without a word. [s]
    word_rms_ps : float
        Spread of the words around the fit. [ps]
    offset_ps : float
        First delay: the clocks' difference and the time of flight. [ps]
    phase_ps : float
        Mean position of the detections in their slots before it was taken out. [ps]
    jitter_rms_ps : float
        Spread of the detections around the middle of the slots, without the even background. [ps]
    detections, outside_gate, in_gaps, outside_pass : int
        Detections recorded; of these, those outside the gate, in gaps longer than allowed, and from before
        pulse 0 or after the last one.
    """

    words: int
    words_rejected: int
    longest_gap_s: float
    word_rms_ps: float
    offset_ps: float
    phase_ps: float
    jitter_rms_ps: float
    detections: int
    outside_gate: int
    in_gaps: int
    outside_pass: int


@dataclass(frozen=True, slots=True)
class Synchronised:
    """Detections with the pulses they belong to.

    Attributes
    ----------
    pulse_index : ndarray of int64
        Ascending; a pulse with several clicks appears several times.
    channel : ndarray of uint8
        As in :class:`~satqkd.detection.records.Detections`. Secret.
    report : SyncReport
        How well it went.
    """

    pulse_index: NDArray[np.int64]
    channel: NDArray[np.uint8] = field(repr=False)
    report: SyncReport


def fit_delay(sync: SyncWords, *, word_period_ps: float) -> tuple[DelayCurve, float, int]:
    """Delay by time from the synchronisation words; false ones are left out.

    Parameters
    ----------
    sync : SyncWords
        Words received, in any order.
    word_period_ps : float
        Time between words at the sender. [ps]

    Returns
    -------
    tuple of (DelayCurve, float, int)
        The curve, the spread of the words around it [ps], and the number of words not used.

    Raises
    ------
    InputError
        If no piece has enough words that agree.

    Notes
    -----
    In each piece of :data:`PIECE_S` words further from the median than :data:`FASTEST_DELAY` explains are left out,
    then those beyond 6 robust standard deviations of a parabola, which is fitted again.
    """
    tags, number = sync.tag_ps, sync.number
    if np.any(tags[1:] < tags[:-1]):
        order = np.argsort(tags, kind="stable")
        tags, number = tags[order], number[order]
    if not tags.size:
        raise InputError("sync words: none were received, the detections cannot be given to pulses")
    span = int(tags[-1] - tags[0])
    pieces = max(1, round(span / (PIECE_S * 1e12)))
    edges = np.searchsorted(tags, tags[0] + np.arange(1, pieces) * (span / pieces))
    found: list[tuple[float, ...]] = []
    squares, used = 0.0, 0
    for start, stop in pairwise([0, *edges.tolist(), tags.size]):
        tag = tags[start:stop].astype(float)
        fitted = _fit_piece(tag, tag - number[start:stop] * word_period_ps) if tag.size else None
        if fitted is not None:
            row, good = fitted
            found.append(row)
            squares += float(good @ good)
            used += good.size
    if not found:
        raise InputError(
            f"sync words: no {PIECE_S:g} s of the pass have {FEWEST_WORDS} words that agree, of {tags.size} received"
        )
    columns = np.array(found).T
    curve = DelayCurve(*columns)
    _check_smooth(curve)
    return curve, math.sqrt(squares / used), int(tags.size - used)


def _fit_piece(tag: Floats, delay: Floats) -> tuple[tuple[float, ...], Floats] | None:
    """Row of the curve, and by how much the words used are off it; None if too few agree."""
    kept = np.abs(delay - np.median(delay)) <= FASTEST_DELAY * PIECE_S * 1e12
    for _ in range(2):
        if kept.sum() < FEWEST_WORDS:
            return None
        t, d = tag[kept], delay[kept]
        if t[-1] - t[0] < 0.25e12 * PIECE_S:
            return None
        middle = 0.5 * (t[0] + t[-1])
        half = 0.5 * (t[-1] - t[0])
        base = d[0]
        x = (t - middle) / half
        terms = np.stack([np.ones_like(x), x, x * x])
        value = np.linalg.solve(terms @ terms.T, terms @ (d - base))  # x within 1: well conditioned
        x = (tag - middle) / half
        rest = delay - base - (value[0] + x * (value[1] + x * value[2]))
        spread = 1.4826 * float(np.median(np.abs(rest[kept])))
        kept &= np.abs(rest) <= _OUTLIER * max(spread, 1.0)
    row = (middle, base + value[0], value[1] / half, 2.0 * value[2] / half**2, t[0], t[-1])
    return row, rest[kept]


def _check_smooth(curve: DelayCurve) -> None:
    """Refuse a clock that jumps between pieces: the words would belong to two passes or a restarted sender."""
    if curve.time_ps.size < 2:
        return
    mean = np.diff(curve.delay_ps) / np.diff(curve.time_ps)
    worst = int(np.argmax(np.abs(mean)))
    if abs(mean[worst]) > FASTEST_DELAY:
        jump = (curve.delay_ps[worst + 1] - curve.delay_ps[worst]) * 1e-6
        raise InputError(
            f"sync words: the delay jumps by {jump:.4g} us at {curve.time_ps[worst] * 1e-12:.3f} s, "
            "more than any satellite or clock: the words do not belong to one pass"
        )


def synchronise(
    record: GroundRecord,
    *,
    sender_start_unix_ns: int,
    pulses: int | None = None,
    gate_ps: float = 800.0,
    search_range_s: float = 1.0,
    longest_gap_s: float = 2.0,
    largest_rms_ps: float = 200.0,
    path_delay_ps: float = 0.0,
) -> Synchronised:
    """Give every detection the index of its pulse and leave out those outside the gate.

    Parameters
    ----------
    record : GroundRecord
        What the ground recorded.
    sender_start_unix_ns : int
        When pulse 0 left, by the satellite's clock. [ns since 1970-01-01 UTC]
    pulses : int, optional
        Pulses sent; later detections are left out.
    gate_ps : float
        Gate around the middle of a slot, at most the slot. [ps]
    search_range_s : float
        Largest difference of the clocks, time of flight included. [s]
    longest_gap_s : float
        Detections in gaps between words longer than this are left out. [s]
    largest_rms_ps : float
        Largest spread of the words around the fit. [ps]
    path_delay_ps : float
        Calibrated delay of the quantum light behind the words'. The fraction of a slot that is left is found from
        the detections. [ps]

    Returns
    -------
    Synchronised
        Detections in the order of their pulses.

    Raises
    ------
    InputError
        If there are no words, the clocks differ by more than the search range, the words do not fit one smooth
        curve, or an argument is outside its range.

    Notes
    -----
    A cubic between values and slopes follows a pass at 500 km across a gap of 1 s within 0.3 ps, plus what the noise of
    the slopes adds: about 10 ps. Recordings are told apart by their words' numbers: an offset in the search range
    needs no search.
    """
    slot = record.slot_period_ps
    if not 0.0 < gate_ps <= slot:
        raise InputError(f"gate_ps = {gate_ps!r}: must be above 0 and at most the slot of {slot:g} ps")
    for name, value in (("search_range_s", search_range_s), ("longest_gap_s", longest_gap_s)):
        if not 0.0 < value < 1e4:
            raise InputError(f"{name} = {value!r}: must be above 0 and below 10000")
    curve, rms, rejected = fit_delay(record.sync, word_period_ps=SYNC_PERIOD_PULSES * slot)
    started_ns = record.start_unix_ns - sender_start_unix_ns
    offset_s = float(curve.delay_ps[0]) * 1e-12 + started_ns * 1e-9
    if abs(offset_s) > search_range_s:
        raise InputError(
            f"clocks: satellite and ground differ by {offset_s:.6g} s, allowed are {search_range_s:g} s "
            "(search range): the recordings are of different passes, or a clock is wrong"
        )
    if rms > largest_rms_ps:
        raise InputError(
            f"sync words: they scatter by {rms:.4g} ps around the best curve, allowed are {largest_rms_ps:g} ps"
        )
    tag = record.detections.tag_ps
    gap_ps = longest_gap_s * 1e12

    def positions() -> Iterator[tuple[slice, NDArray[np.bool_], Floats]]:
        """Part by part, which detections lie between words, and where these are in units of slots."""
        for first in range(0, tag.size, _CHUNK):
            part = slice(first, first + _CHUNK)
            covered = curve.covered(tag[part], longest_gap_ps=gap_ps)
            between = tag[part][covered]
            yield part, covered, (between - curve.at(between) - path_delay_ps) / slot

    longest_ps = float(np.diff(np.sort(record.sync.tag_ps)).max(initial=0))
    phase = _mean_phase(position for _, _, position in positions())
    histogram = np.zeros(_BINS)
    # memory that nothing is written to is not taken: room for all costs what the kept ones need
    index, channel, size = np.empty(tag.size, np.int64), np.empty(tag.size, np.uint8), 0
    in_gaps = outside = nowhere = 0
    for part, covered, position in positions():
        nearest = np.rint(position - phase)
        rest = position - phase - nearest
        inside = np.abs(rest) * slot <= 0.5 * gate_ps
        exists = (nearest >= 0) & (nearest < (np.inf if pulses is None else pulses))
        kept = inside & exists
        new = slice(size, size + int(kept.sum()))
        index[new] = nearest[kept]
        channel[new] = record.detections.channel[part][covered][kept]
        size = new.stop
        histogram += np.histogram(rest, bins=_BINS, range=(-0.5, 0.5))[0]
        in_gaps += int((~covered).sum())
        outside += int((~inside).sum())
        nowhere += int((inside & ~exists).sum())
    index, channel = index[:size], channel[:size]
    if np.any(index[1:] < index[:-1]):  # jitter can exchange neighbours
        order = np.argsort(index, kind="stable")
        index, channel = index[order], channel[order]
    report = SyncReport(
        words=int(record.sync.tag_ps.size),
        words_rejected=rejected,
        longest_gap_s=longest_ps * 1e-12,
        word_rms_ps=rms,
        offset_ps=offset_s * 1e12,
        phase_ps=phase * slot,
        jitter_rms_ps=_signal_rms(histogram, slot),
        detections=int(tag.size),
        outside_gate=outside,
        in_gaps=in_gaps,
        outside_pass=nowhere,
    )
    return Synchronised(index, channel, report)


def _mean_phase(positions: Iterable[Floats]) -> float:
    """Circular mean of the positions in their slots, in slots; 0 if the detections do not stand out of the noise."""
    total, count = 0j, 0
    for position in positions:
        total += complex(np.exp(2j * np.pi * (position - np.rint(position))).sum())
        count += position.size
    # an even background has a sum of about sqrt(n)
    return cmath.phase(total) / (2.0 * math.pi) if abs(total) > 5.0 * math.sqrt(count) else 0.0


def _signal_rms(count: Floats, slot_ps: float) -> float:
    """Standard deviation of Gaussian arrivals on an even background, by expectation maximisation. [ps]"""
    if count.sum() < 100:
        return 0.0
    # a late arrival falls into the next slot: the Gaussian is wrapped
    middle = slot_ps * ((np.arange(_BINS) + 0.5) / _BINS - 0.5 + np.array([[-1.0], [0.0], [1.0]]))
    share, sigma = 0.5, 0.2 * slot_ps
    for _ in range(1000):
        peak = share * np.exp(-0.5 * (middle / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
        weight = count * (peak / (peak.sum(axis=0) + (1.0 - share) / slot_ps))
        total = max(float(weight.sum()), 1e-9)
        share = min(total / float(count.sum()), 1.0 - 1e-9)
        sigma = math.sqrt(float((weight * middle**2).sum()) / total)
    return sigma
