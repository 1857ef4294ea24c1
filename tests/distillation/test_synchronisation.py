"""Time tags to pulse indices under Doppler, drift, lost and false words."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from satqkd.detection.pass_model import PassModel
from satqkd.detection.pulses import SeededChoices, seed_bytes
from satqkd.detection.records import SYNC_PERIOD_PULSES, Detections, GroundRecord, SyncWords, number_words
from satqkd.detection.sampling import SimulatedPass, simulate_pass
from satqkd.distillation import synchronisation
from satqkd.distillation.synchronisation import fit_delay, synchronise
from satqkd.errors import InputError

CHOICES = SeededChoices(seed=seed_bytes(1, "sender"))
WORD_PS = SYNC_PERIOD_PULSES * 1600.0
SECONDS = 5


def model(closest_s: float = 2.5, closest_m: float = 5e5, **changes) -> PassModel:
    """Five seconds of a straight flight at 7.6 km/s: around the zenith, or a minute before or after it."""
    time = np.arange(SECONDS + 1.0) - closest_s
    distance = np.hypot(closest_m, 7.6e3 * time)
    base = PassModel(
        transmittance=np.full(SECONDS, 4e-5), background_hz=3000.0, misalignment=0.01, slant_range_m=distance,
        range_rate_m_s=7.6e3**2 * time / distance,
    )  # fmt: skip
    return replace(base, **changes)


@cache
def simulated(closest_s: float = 2.5, closest_m: float = 5e5, **changes) -> tuple[PassModel, SimulatedPass]:
    made = model(closest_s, closest_m, **changes)
    return made, simulate_pass(made, CHOICES, seed=9)


def record(found: SimulatedPass, **changes) -> GroundRecord:
    return replace(GroundRecord("x", 0, 1600.0, "passive", found.detections, found.sync), **changes)


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"closest_s": -60.0},
        {"closest_s": 60.0},
        {"clock_offset_ps": -4.2e11, "clock_drift": 2e-5},
        {"sync_loss": 0.5},
        {"sync_loss": 0.97},
        {"sync_gaps_s": ((1.0, 2.5), (3.2, 3.3))},
        {"sync_gaps_s": ((1.0, 2.5),), "closest_s": -60.0, "clock_drift": -3e-6},
    ],
    ids=str,
)
def test_photons_come_back_to_their_pulses(case):
    _, found = simulated(**case)
    ours = synchronise(record(found), sender_start_unix_ns=0, pulses=found.pulses)
    signal = found.origin == 0
    # arrivals of 312 ps rms are within half a gate with 80.0 %
    expected = 0.800 * signal.sum()
    true = np.intersect1d(found.true_pulse[signal], ours.pulse_index)
    assert true.size == pytest.approx(expected, abs=5.0 * np.sqrt(0.2 * expected))
    assert ours.report.word_rms_ps == pytest.approx(100.0 / 2.3548, rel=0.05)
    assert ours.report.jitter_rms_ps == pytest.approx(735.0 / 2.3548, rel=0.03)
    assert ours.report.in_gaps == 0
    assert ours.report.phase_ps == pytest.approx(0.0, abs=25.0)
    assert np.all(np.diff(ours.pulse_index) >= 0)


def test_a_constant_clock_would_fail():
    """From one word to the next, at 5.1 km/s, the arrival moves by more than a slot."""
    made, _ = simulated(closest_s=-60.0)
    words = made.arrival_ps(np.array([0.0, WORD_PS])) - np.array([0.0, WORD_PS])
    assert words[1] - words[0] == pytest.approx(made.range_rate_m_s[0] / 299792458.0 * WORD_PS, rel=1e-3)
    assert (words[1] - words[0]) / 1600.0 == pytest.approx(1.12, abs=0.02)


@pytest.mark.parametrize(
    ("case", "limit_ps"), [({}, 12.0), ({"closest_s": 30.0}, 12.0), ({"sync_gaps_s": ((1.0, 2.5),)}, 40.0)], ids=str
)
def test_the_curve_is_the_true_delay(case, limit_ps):
    made, found = simulated(**case)
    curve, _, rejected = fit_delay(found.sync, word_period_ps=WORD_PS)
    sent = np.linspace(0.0, 5e12 - 1.0, 2001)
    arrival = made.arrival_ps(sent)
    error = curve.at(np.rint(arrival).astype(np.int64)) - (arrival - sent)
    # 950 words of 42 ps per piece; across a gap the noise of the slopes, 45 ps/s, adds
    assert error == pytest.approx(np.zeros(2001), abs=limit_ps)
    assert rejected == 0


def test_detections_in_a_long_gap_are_left_out_and_counted():
    _, found = simulated(sync_gaps_s=((1.0, 2.5),))
    ours = synchronise(record(found), sender_start_unix_ns=0, longest_gap_s=1.0)
    sent_s = found.true_pulse * 1.6e-9
    inside = (sent_s > 1.0) & (sent_s < 2.5)
    # at either end of the gap a word's period and the flight's 2 ms are between the two clocks
    assert ours.report.in_gaps == pytest.approx(inside.sum(), abs=0.005 * inside.sum())
    assert ours.report.longest_gap_s == pytest.approx(1.5, abs=2e-4)
    after = ours.pulse_index * 1.6e-9
    assert np.count_nonzero((after > 1.001) & (after < 2.499)) == 0


def test_false_words_are_rejected():
    _, found = simulated()
    rng = np.random.default_rng(4)
    number = found.sync.number.copy()
    hit = rng.choice(number.size, number.size // 20, replace=False)
    number[hit] ^= 1 << rng.integers(0, 16, hit.size)  # one bit of the number wrong
    false = SyncWords(found.sync.tag_ps, number)
    ours = synchronise(record(found, sync=false), sender_start_unix_ns=0, pulses=found.pulses)
    clean = synchronise(record(found), sender_start_unix_ns=0, pulses=found.pulses)
    assert ours.report.words_rejected == pytest.approx(hit.size, abs=3)
    same = np.intersect1d(ours.pulse_index, clean.pulse_index).size
    assert same / clean.pulse_index.size == pytest.approx(1.0, abs=0.01)


def test_gating_leaves_half_of_the_noise():
    _, found = simulated(transmittance=4e-7, background_hz=20_000.0)
    ours = synchronise(record(found), sender_start_unix_ns=0, pulses=found.pulses)
    noise = int((found.origin == 1).sum())
    kept = ours.pulse_index.size - 0.8 * int((found.origin == 0).sum())
    assert kept / noise == pytest.approx(0.5, abs=4.0 * 0.5 / np.sqrt(noise))


def test_a_delay_of_the_quantum_light_is_found_within_a_slot():
    _, found = simulated()
    late = Detections(found.detections.tag_ps + 500, found.detections.channel)
    ours = synchronise(record(found, detections=late), sender_start_unix_ns=0, pulses=found.pulses)
    same = synchronise(record(found), sender_start_unix_ns=0, pulses=found.pulses)
    assert ours.report.phase_ps - same.report.phase_ps == pytest.approx(500.0, abs=1.0)
    known = synchronise(
        record(found, detections=Detections(found.detections.tag_ps + 2100, found.detections.channel)),
        sender_start_unix_ns=0, pulses=found.pulses, path_delay_ps=2000.0,
    )  # fmt: skip
    assert known.report.phase_ps - same.report.phase_ps == pytest.approx(100.0, abs=1.0)
    shared = np.intersect1d(known.pulse_index, same.pulse_index).size
    assert shared / same.pulse_index.size == pytest.approx(1.0, abs=0.002)


def test_detections_before_the_first_pulse_are_left_out():
    made, found = simulated()
    early = Detections(
        np.concatenate([[int(made.arrival_ps(0.0)) - 16_000], found.detections.tag_ps]),
        np.concatenate([[0], found.detections.channel]).astype(np.uint8),
    )
    ours = synchronise(record(found, detections=early), sender_start_unix_ns=0, pulses=found.pulses)
    assert ours.report.outside_pass == pytest.approx(1, abs=0)
    assert ours.pulse_index.min() >= 0


def test_no_detections_give_no_pulses():
    _, found = simulated()
    none = Detections(np.empty(0, np.int64), np.empty(0, np.uint8))
    ours = synchronise(record(found, detections=none), sender_start_unix_ns=0)
    assert (ours.pulse_index.size, ours.report.phase_ps, ours.report.jitter_rms_ps) == (0, 0.0, 0.0)


def test_a_short_pass_is_one_piece():
    made = model().part(0, 1)
    short = replace(made, step_s=0.06, transmittance=4e-4, range_rate_m_s=np.diff(made.slant_range_m)[0] / 0.06)
    found = simulate_pass(short, CHOICES, seed=1)
    ours = synchronise(record(found), sender_start_unix_ns=0, pulses=found.pulses)
    signal = found.true_pulse[found.origin == 0]
    assert np.intersect1d(signal, ours.pulse_index).size / signal.size == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("change", "options", "complaint"),
    [
        ({"start_unix_ns": 5 * 10**9}, {}, r"clocks: satellite and ground differ by 5\.00\d+ s, allowed are 1 s"),
        ({"start_unix_ns": -(10**9)}, {"search_range_s": 0.2}, "search range"),
        ({"sync": SyncWords(np.empty(0, np.int64), np.empty(0, np.int64))}, {}, "sync words: none were received"),
        ({}, {"gate_ps": 1700.0}, "gate_ps = 1700.0: must be above 0 and at most the slot of 1600 ps"),
        ({}, {"longest_gap_s": 0.0}, "longest_gap_s = 0.0"),
        ({}, {"largest_rms_ps": 20.0}, "they scatter by 42.* allowed are 20 ps"),
    ],
)
def test_what_cannot_be_synchronised_is_refused(change, options, complaint):
    _, found = simulated()
    with pytest.raises(InputError, match=complaint) as caught:
        synchronise(record(found, **change), **{"sender_start_unix_ns": 0, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("chunk", [1000, 4099])
def test_parts_are_the_same_as_at_once(monkeypatch, chunk):
    """A second of random times and the light; only the sum that gives the phase rounds differently."""
    _, found = simulated(sync_gaps_s=((1.0, 3.5),))
    rng = np.random.default_rng(2)
    tags = np.concatenate([found.detections.tag_ps, rng.integers(-(10**11), 6 * 10**12, 50_000)])
    channel = np.concatenate([found.detections.channel, rng.integers(0, 4, 50_000, np.uint8)])
    order = np.argsort(tags, kind="stable")
    mixed = record(found, detections=Detections(tags[order], channel[order]))
    monkeypatch.setattr(synchronisation, "_CHUNK", tags.size)
    whole = synchronise(mixed, sender_start_unix_ns=0, pulses=found.pulses)
    monkeypatch.setattr(synchronisation, "_CHUNK", chunk)
    parts = synchronise(mixed, sender_start_unix_ns=0, pulses=found.pulses)
    assert parts.pulse_index.tolist() == whole.pulse_index.tolist()
    assert parts.channel.tolist() == whole.channel.tolist()
    assert parts.report.phase_ps == pytest.approx(whole.report.phase_ps, abs=1e-6)
    assert parts.report.jitter_rms_ps == pytest.approx(whole.report.jitter_rms_ps, rel=1e-6)
    for name in ("outside_gate", "in_gaps", "outside_pass"):
        assert getattr(parts.report, name) == getattr(whole.report, name) > 100


def test_words_of_two_passes_are_refused():
    _, found = simulated()
    number = found.sync.number.copy()
    number[number.size // 2 :] += 4000
    with pytest.raises(InputError, match=r"the delay jumps by .* do not belong to one pass"):
        synchronise(record(found, sync=SyncWords(found.sync.tag_ps, number)), sender_start_unix_ns=0)


def test_words_without_agreement_are_refused():
    _, found = simulated()
    number = np.random.default_rng(1).integers(0, 2**31, found.sync.number.size)
    with pytest.raises(InputError, match="words that agree"):
        synchronise(record(found, sync=SyncWords(found.sync.tag_ps, number)), sender_start_unix_ns=0)


def test_words_are_numbered_by_their_times():
    _, found = simulated(sync_loss=0.5, closest_s=-60.0)
    tags, number = found.sync.tag_ps, found.sync.number
    again = number_words(tags, slot_period_ps=1600.0, first_number=int(number[0]))
    assert again.tolist() == number.tolist()
    assert number_words(tags[:0], slot_period_ps=1600.0).size == 0


@pytest.mark.parametrize(
    ("tags", "complaint"),
    [([0, 50_000_000], "apart, must be a whole number"), ([0, int(5e11)], "a gap of 0.5 s is too long")],
)
def test_words_that_cannot_be_counted_are_refused(tags, complaint):
    with pytest.raises(InputError, match=complaint):
        number_words(np.array(tags), slot_period_ps=1600.0)
