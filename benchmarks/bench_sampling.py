"""Time to simulate a pass of 300 s, and to bring its detections to sifted bits, beside a pulse-by-pulse reference.

The reference draws every pulse of a short piece with NumPy, photon numbers and detectors, as most simulations do; its
time per pulse is scaled to the pass. Times are those of the processor, so that other programs matter less; ratios are
comparable between machines. Run: ``python benchmarks/bench_sampling.py``.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from satqkd.detection.pass_model import PassModel
from satqkd.detection.pulses import SeededChoices, seed_bytes
from satqkd.detection.records import GroundRecord
from satqkd.detection.sampling import simulate_pass
from satqkd.distillation.announcement import decode_announcement, encode_announcement
from satqkd.distillation.packets import PacketCutter
from satqkd.distillation.sifting import reply_codes, resolve_clicks, sift
from satqkd.distillation.synchronisation import synchronise

SECONDS = 300
TIME = np.arange(SECONDS + 1.0) - SECONDS / 2
RANGE = np.hypot(830e3, 7.3e3 * TIME)
PASS = PassModel(
    # about the 2 Mbit of sifted signals of the pass of 25 September 2022 (Li et al.)
    transmittance=1.5e-4 * (830e3 / RANGE[1:]) ** 3,
    background_hz=1250.0,
    misalignment=0.005,
    slant_range_m=RANGE,
    range_rate_m_s=7.3e3**2 * TIME / RANGE,
    p_afterpulse=0.002,
)
CHOICES = SeededChoices(seed=seed_bytes(1, "sender"))
PIECE = 4_000_000


def reference() -> float:
    """Seconds per pulse of drawing each pulse: choice, photons at four detectors, noise."""
    rng = np.random.default_rng(1)
    start = time.process_time()
    basis, bit = rng.integers(0, 2, PIECE), rng.integers(0, 2, PIECE)
    mean = np.array(PASS.intensities)[rng.choice(3, PIECE, p=(0.5, 0.25, 0.25))] * PASS.transmittance[0]
    clicks = np.zeros(PIECE, int)
    for detector in range(4):
        share = np.where(basis == detector // 2, np.where(bit == detector % 2, 0.4975, 0.0025), 0.25)
        clicks += (rng.poisson(mean * share) > 0) | (rng.random(PIECE) < 5e-7)
    np.flatnonzero(clicks)
    return (time.process_time() - start) / PIECE


def main() -> None:
    """Print the table."""
    simulate_pass(PASS.part(0, 1), CHOICES, seed=1)  # compiles
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        found = simulate_pass(PASS, CHOICES, seed=1)
        best = min(best, time.process_time() - start)
    naive = min(reference() for _ in range(3)) * PASS.pulses
    clicks = found.detections.tag_ps.size
    print(f"simulating {SECONDS} s, {PASS.pulses:.3g} pulses, {clicks} clicks: {best:.2f} s")
    print(f"  pulse by pulse (scaled from {PIECE} pulses): {naive:.0f} s, {naive / best:.0f} times as long")

    start = time.process_time()
    CHOICES.at(np.arange(PIECE))
    print(f"choices: {PIECE / (time.process_time() - start) * 1e-6:.1f} million pulses per second")

    record = GroundRecord("bench", 0, 1600.0, "passive", found.detections, found.sync)
    start = time.process_time()
    ours = synchronise(record, sender_start_unix_ns=0, pulses=found.pulses)
    print(f"synchronising: {time.process_time() - start:.2f} s with {found.sync.number.size} words")

    start = time.process_time()
    measured = resolve_clicks(ours.pulse_index, ours.channel)
    cutters, bits, sent, step = (PacketCutter(), PacketCutter()), 0, 0, 20_000
    for first in range(0, measured.pulse_index.size, step):
        part = slice(first, first + step)
        message = encode_announcement(measured.pulse_index[part], measured.basis[part])
        index, basis = decode_announcement(message)
        choices = CHOICES.at(index)
        codes = reply_codes(basis, choices)
        sides = (measured.bit[part], choices.bit)
        full = [cutter.push(sift(index, basis, bit, codes)) for cutter, bit in zip(cutters, sides, strict=True)]
        bits += sum(packet.bits.size for packet in full[0])
        sent += len(message)
    took = time.process_time() - start
    print(
        f"sifting, both sides: {took:.2f} s, {bits * 1e-6 / took:.1f} Mbit/s of sifted key, "
        f"{sent / measured.pulse_index.size:.2f} bytes announced per detection"
    )
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
