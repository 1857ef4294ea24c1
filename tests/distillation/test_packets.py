"""Packets and counts: any division into frames gives the same packets, as a plain loop makes them."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.distillation.packets import Packet, PacketCutter, block_counts, count_signal_errors
from satqkd.distillation.sifting import DECOY, KEY, SAMPLE, Sifted, error_flags
from satqkd.errors import InputError

SIZE = 40


def sides(count: int, seed: int) -> tuple[Sifted, Sifted]:
    rng = np.random.default_rng(seed)
    index = np.cumsum(rng.integers(1, 50, count))
    basis = rng.integers(0, 2, count, np.uint8)
    intensity = rng.choice(3, count, p=[0.6, 0.3, 0.1]).astype(np.uint8)
    role = np.where(intensity > 0, DECOY, np.where(rng.random(count) < 0.15, SAMPLE, KEY)).astype(np.uint8)
    bit = rng.integers(0, 2, count, np.uint8)
    wrong = (rng.random(count) < 0.2).astype(np.uint8)
    return Sifted(index, basis, intensity, bit, role), Sifted(index, basis, intensity, bit ^ wrong, role)


def part(sifted: Sifted, cut: slice) -> Sifted:
    return Sifted(*(getattr(sifted, f.name)[cut] for f in fields(Sifted)))


def cut(ours: Sifted, theirs: Sifted, edges: list[int]) -> tuple[list[Packet], PacketCutter]:
    cutter, found = PacketCutter(SIZE), []
    for first, stop in zip([0, *edges], [*edges, ours.bit.size], strict=True):
        a, b = part(ours, slice(first, stop)), part(theirs, slice(first, stop))
        found += cutter.push(a, error_flags(a.disclosed_bits, b.disclosed_bits))
    return found + cutter.finish(), cutter


def by_loop(ours: Sifted, theirs: Sifted) -> list[dict]:
    rows = list(zip(*(getattr(ours, f.name).tolist() for f in fields(Sifted)), theirs.bit.tolist(), strict=True))
    starts = [i for n, i in enumerate(j for j, row in enumerate(rows) if row[4] == KEY) if n % SIZE == 0]
    packets = []
    for n, first in enumerate(starts):
        stop = starts[n + 1] if n + 1 < len(starts) else len(rows)
        inside = rows[first:stop]
        key = [row for row in inside if row[4] == KEY]
        if len(key) < SIZE:
            break
        count, errors, sample = np.zeros((2, 3), int), np.zeros((2, 3), int), np.zeros((2, 2), int)
        for _, basis, k, bit, role, other in inside:
            if role == SAMPLE:
                sample[0, basis] += 1
                sample[1, basis] += bit != other
                continue
            count[basis, k] += 1
            errors[basis, k] += role == DECOY and bit != other
        last = rows[stop][0] if stop < len(rows) else rows[-1][0] + 1
        packets.append(
            {
                "number": n, "first_pulse": rows[first][0], "stop_pulse": last, "bits": [row[3] for row in key],
                "basis": [row[1] for row in key], "n": count.tolist(), "m": errors.tolist(),
                "sample_n": sample[0].tolist(), "sample_m": sample[1].tolist(),
            }
        )  # fmt: skip
    return packets


def plain(packet: Packet) -> dict:
    values = {f.name: getattr(packet, f.name) for f in fields(Packet)}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


@settings(max_examples=60)
@given(st.integers(0, 400), st.integers(0, 1000), st.lists(st.integers(0, 400), max_size=6))
def test_packets_are_those_of_a_loop_however_they_arrive(count, seed, edges):
    ours, theirs = sides(count, seed)
    found, cutter = cut(ours, theirs, sorted(min(edge, count) for edge in edges))
    assert [plain(packet) for packet in found] == by_loop(ours, theirs)
    assert cutter.left_over_bits == ours.key_bits.size - SIZE * len(found)


def test_both_sides_cut_at_the_same_places():
    ours, theirs = sides(500, 3)
    (a, _), (b, _) = cut(ours, theirs, [100]), cut(theirs, ours, [7, 300])
    for one, other in zip(a, b, strict=True):
        assert (one.first_pulse, one.stop_pulse) == (other.first_pulse, other.stop_pulse)
        assert one.m.tolist() == other.m.tolist()
        wrong = count_signal_errors(one.basis, one.bits, other.bits)
        assert sum(wrong) == np.count_nonzero(one.bits != other.bits)


def test_a_packet_ends_where_the_next_one_begins_and_blocks_add_up():
    ours, theirs = sides(900, 5)
    found, _ = cut(ours, theirs, [])
    other, _ = cut(theirs, ours, [])
    assert [packet.stop_pulse for packet in found[:-1]] == [packet.first_pulse for packet in found[1:]]
    errors = [count_signal_errors(a.basis, a.bits, b.bits) for a, b in zip(found, other, strict=True)]
    whole = block_counts(found, errors)
    inside = (ours.pulse_index >= found[0].first_pulse) & (ours.pulse_index < found[-1].stop_pulse)
    inside &= ours.role != SAMPLE
    wrong = ours.bit != theirs.bit
    for basis, n, m in ((0, whole.n_key, whole.m_key), (1, whole.n_test, whole.m_test)):
        for k in range(3):
            of = inside & (ours.basis == basis) & (ours.intensity == k)
            assert (n[k], m[k]) == (of.sum(), (of & wrong).sum())
    less = block_counts(found[:1] + found[2:], errors[:1] + errors[2:])
    assert np.subtract(whole.n_key, less.n_key).tolist() == found[1].n[0].tolist()
    assert found[1].sample_qber == pytest.approx(found[1].sample_m.sum() / found[1].sample_n.sum())


def test_what_is_left_over_is_not_a_packet():
    ours, theirs = sides(100, 6)
    keys = np.flatnonzero(ours.role == KEY)
    exactly = part(ours, slice(0, keys[SIZE - 1] + 1))
    assert len(cut(exactly, part(theirs, slice(0, keys[SIZE - 1] + 1)), [])[0]) == 1
    short = slice(0, keys[SIZE - 1])
    found, cutter = cut(part(ours, short), part(theirs, short), [])
    assert (found, cutter.left_over_bits) == ([], SIZE - 1)


def test_bits_are_not_shown():
    ours, theirs = sides(100, 6)
    shown = repr(cut(ours, theirs, [])[0][0])
    assert "bits" not in shown
    assert "basis" not in shown


def test_bad_input_is_one_clear_line():
    ours, theirs = sides(200, 7)
    found, cutter = cut(ours, theirs, [])
    with pytest.raises(InputError, match="must come after pulse"):
        cutter.push(ours)
    with pytest.raises(InputError, match="errors: 3 values"):
        PacketCutter(SIZE).push(ours, np.zeros(3, np.uint8))
    with pytest.raises(InputError, match="packet_bits = 0"):
        PacketCutter(0)
    with pytest.raises(InputError, match="signal_errors: 0 pairs for 2 packets"):
        block_counts(found[:2], [])
    with pytest.raises(InputError, match="given twice"):
        block_counts([found[0], found[0]], [(0, 0), (0, 0)])
    with pytest.raises(InputError, match=r"signal_errors \(99, 0\): packet 0 has"):
        block_counts(found[:1], [(99, 0)])
    with pytest.raises(InputError, match="2 bases, 3 bits before and 3 after"):
        count_signal_errors(np.zeros(2, np.uint8), np.zeros(3, np.uint8), np.zeros(3, np.uint8))
