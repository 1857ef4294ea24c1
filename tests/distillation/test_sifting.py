"""Sifting: clicks to bits, replies, samples, roles; against plain loops."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.detection.pulses import Choices, SeededChoices, seed_bytes
from satqkd.detection.records import Detections
from satqkd.distillation import sifting
from satqkd.distillation.sifting import (
    DECOY,
    KEY,
    SAMPLE,
    error_flags,
    reply_codes,
    resolve_clicks,
    sampled,
    secret_bits,
    sift,
)
from satqkd.errors import InputError

CLICKS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=60).map(sorted)


def as_arrays(clicks):
    index = np.array([i for i, _ in clicks], np.int64)
    return index, np.array([c for _, c in clicks], np.uint8)


def ones(count):
    return np.ones(count, np.uint8)


@given(CLICKS, st.sampled_from(["random", "discard-cross", "discard"]))
def test_clicks_become_what_a_loop_says(clicks, rule):
    found = resolve_clicks(*as_arrays(clicks), rule=rule, random_bits=ones)
    expected, double, cross = [], 0, 0
    for pulse in sorted({i for i, _ in clicks}):
        channels = {c for i, c in clicks if i == pulse}
        bases = {c // 2 for c in channels}
        if len(channels) == 1:
            expected.append((pulse, min(channels) // 2, min(channels) % 2))
        elif len(bases) == 1:
            double += 1
            if rule != "discard":
                expected.append((pulse, min(bases), 1))
        else:
            cross += 1
            if rule == "random":
                expected.append((pulse, 1, 1))
    assert list(zip(found.pulse_index.tolist(), found.basis.tolist(), found.bit.tolist(), strict=True)) == expected
    assert (found.double_clicks, found.cross_clicks) == (double, cross)
    assert found.discarded == len({i for i, _ in clicks}) - len(expected)


def test_double_clicks_become_even_bits_and_cross_clicks_even_bases():
    index = np.repeat(np.arange(20_000), 2)
    channel = np.tile(np.array([0, 1, 1, 2], np.uint8), 10_000)
    found = resolve_clicks(index, channel)
    limit = 5.0 * np.sqrt(2500.0)
    assert int(found.bit[0::2].sum()) == pytest.approx(5000, abs=limit)
    assert int(found.bit[1::2].sum()) == pytest.approx(5000, abs=limit)
    assert int(found.basis[1::2].sum()) == pytest.approx(5000, abs=limit)
    assert found.basis[0::2].tolist() == [0] * 10_000
    both = found.basis[1::2] & found.bit[1::2]  # basis and bit of a cross click are independent
    assert int(both.sum()) == pytest.approx(2500, abs=5.0 * np.sqrt(1875.0))


def test_secret_bits_are_as_many_as_asked_for():
    assert [secret_bits(n).size for n in (0, 1, 8, 13)] == [0, 1, 8, 13]
    assert int(secret_bits(10_000).sum()) == pytest.approx(5000, abs=5 * 50)


def pulses(count=400, seed=2):
    rng = np.random.default_rng(seed)
    index = np.sort(rng.choice(10**6, count, replace=False)).astype(np.int64)
    choices = SeededChoices(seed=seed_bytes(seed, "sender")).at(index)
    basis = rng.integers(0, 2, count, np.uint8)
    return index, basis, rng.integers(0, 2, count, np.uint8), choices


def test_roles_are_what_a_loop_says_and_the_same_on_both_sides():
    index, basis, bit, choices = pulses()
    sample = sampled(index, seed=b"s" * 32, share=0.3)
    codes = reply_codes(basis, choices)
    ground = sift(index, basis, bit, codes, sample=sample)
    satellite = sift(index, basis, choices.bit, codes, sample=sample)
    expected = []
    for i in range(index.size):
        if basis[i] == choices.basis[i]:
            k = int(choices.intensity[i])
            role = DECOY if k else (SAMPLE if sample[i] else KEY)
            expected.append((int(index[i]), int(basis[i]), k, int(bit[i]), role))
    names = ("pulse_index", "basis", "intensity", "bit", "role")
    assert list(zip(*(getattr(ground, name).tolist() for name in names), strict=True)) == expected
    for name in ("pulse_index", "basis", "intensity", "role"):
        assert getattr(ground, name).tolist() == getattr(satellite, name).tolist()
    roles = [row[4] for row in expected]
    assert ground.key_bits.tolist() == [row[3] for row in expected if row[4] == KEY]
    assert ground.disclosed_bits.size == len(roles) - roles.count(KEY)
    flags = error_flags(ground.disclosed_bits, satellite.disclosed_bits)
    assert flags.tolist() == [int(a != b) for a, b in zip(ground.disclosed_bits, satellite.disclosed_bits, strict=True)]


def test_nothing_is_told_of_pulses_whose_bases_differ():
    index, basis, _, choices = pulses()
    codes = reply_codes(basis, choices)
    assert set(codes[basis != choices.basis].tolist()) == {0}
    other = Choices(choices.basis, choices.bit ^ 1, choices.intensity)
    assert reply_codes(basis, other).tolist() == codes.tolist()  # bits do not enter the reply
    del index


def test_a_sample_has_its_share_and_depends_on_its_seed_only_by_pulse():
    index = np.arange(50_000)
    chosen = sampled(index, seed=b"a" * 32, share=0.1)
    assert int(chosen.sum()) == pytest.approx(5000, abs=5.0 * np.sqrt(4500.0))
    assert sampled(index[::7], seed=b"a" * 32, share=0.1).tolist() == chosen[::7].tolist()
    other = sampled(index, seed=b"b" * 32, share=0.1)
    assert int((chosen & other).sum()) == pytest.approx(500, abs=5.0 * np.sqrt(500.0))
    assert not sampled(index, seed=b"a" * 32, share=0.0).any()


def test_bits_are_not_shown():
    index, basis, _, choices = pulses(64)
    marked = np.full(64, 7, np.uint8)  # no bit, but easy to find
    codes = np.ones(64, np.uint8)
    shown = [
        repr(sift(index, basis, marked, codes)),
        repr(resolve_clicks(index, np.full(64, 3, np.uint8))),
        repr(Choices(choices.basis, marked, choices.intensity)),
        repr(Detections(index, marked)),
    ]
    assert [text for text in shown if "bit" in text or "channel" in text or " 7, 7" in text] == []


def test_no_detections_pass_through():
    none = np.empty(0, np.int64)
    found = resolve_clicks(none, none.astype(np.uint8))
    assert found.pulse_index.size == 0
    empty = np.empty(0, np.uint8)
    assert sift(none, empty, empty, empty).key_bits.size == 0


@pytest.mark.parametrize(
    ("do", "complaint"),
    [
        (lambda i, b, x, c: resolve_clicks(i, x, rule="first"), 'rule = \'first\': must be one of random'),
        (lambda i, b, x, c: resolve_clicks(i[::-1], x), "must be ascending"),
        (lambda i, b, x, c: resolve_clicks(i, x + np.uint8(3)), "channel contains 4"),
        (lambda i, b, x, c: resolve_clicks(i, x[1:]), "channel: 399 values for 400"),
        (lambda i, b, x, c: sift(i, b, x[1:], reply_codes(b, c)), "bit: 399 values for 400"),
        (lambda i, b, x, c: sift(i[::-1], b, x, reply_codes(b, c)), "strictly ascending"),
        (lambda i, b, x, c: reply_codes(b[1:], c), "choices: of 400 pulses, announced are 399"),
        (lambda i, b, x, c: error_flags(b, b[1:]), "disclosed bits: 399 received, 400 are known here"),
        (lambda i, b, x, c: sampled(i, seed=b"a" * 32, share=1.0), "share = 1.0: must be at least 0 and below 1"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(do, complaint):
    with pytest.raises(InputError, match=complaint):
        do(*pulses())


@pytest.mark.parametrize("rule", ["random", "discard-cross", "discard"])
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_clicks_in_parts_are_the_same_as_at_once(monkeypatch, rule, chunk):
    """Same pulses, same random bits in the same order, wherever the parts end."""
    rng = np.random.default_rng(3)
    index = np.sort(rng.integers(0, 2500, 4000))
    channel = rng.integers(0, 4, index.size, np.uint8)

    def result():
        drawn = np.random.default_rng(4)
        return resolve_clicks(
            index, channel, rule=rule, random_bits=lambda count: drawn.integers(0, 2, count, np.uint8)
        )  # fmt: skip

    whole = result()
    monkeypatch.setattr(sifting, "_CHUNK", chunk)
    parts = result()
    for name in ("pulse_index", "basis", "bit"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
        assert getattr(parts, name).dtype == getattr(whole, name).dtype
    assert parts.double_clicks == whole.double_clicks > 100
    assert parts.cross_clicks == whole.cross_clicks > 100
    assert parts.discarded == whole.discarded


def test_memory_is_that_of_the_result():
    """10 bytes a click, and a part of 262,144 clicks at work."""
    index = np.arange(3_000_000)
    channel = np.zeros(index.size, np.uint8)
    tracemalloc.start()
    try:
        resolve_clicks(index, channel)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / index.size == pytest.approx(13.0, abs=3.0)
