"""Clicks of a pass.

What do ground and satellite hold after a pass, and what do they have to tell each other to end with packets of raw key?
Ten seconds of Jinan-1 are simulated click by click, synchronised and sifted.
"""

from satqkd.distillation.announcement import encode_announcement
from satqkd.distillation.packets import PacketCutter
from satqkd.distillation.sifting import error_flags, reply_codes, resolve_clicks, sift
from satqkd.distillation.synchronisation import synchronise
from satqkd.study.simulate_pass import simulate

# Set-up: the middle of the pass, 10 % of the synchronisation words lost, a clock that is 0.2 s off and drifts.
run = simulate("jinan-1", seed=7, duration_s=10.0, sync_loss=0.1, clock_offset_ps=2e11, clock_drift=1e-6)

# Action: the ground finds the pulses, announces them; the satellite answers.
clicks = synchronise(run.ground, sender_start_unix_ns=run.sender.start_unix_ns, pulses=run.sender.pulses)
ground = resolve_clicks(clicks.pulse_index, clicks.channel)
announced = encode_announcement(ground.pulse_index, ground.basis)
satellite = run.sender.choices.at(ground.pulse_index)
codes = reply_codes(ground.basis, satellite)
ours = sift(ground.pulse_index, ground.basis, ground.bit, codes)
theirs = sift(ground.pulse_index, ground.basis, satellite.bit, codes)
wrong = error_flags(ours.disclosed_bits, theirs.disclosed_bits)
packets = PacketCutter(50_000).push(ours, wrong)
others = PacketCutter(50_000).push(theirs, wrong)

report = clicks.report
print(f"{report.detections} clicks, {report.outside_gate} outside the gate, jitter {report.jitter_rms_ps:.0f} ps")
print(f"{report.words} synchronisation words, {report.word_rms_ps:.0f} ps around the curve")
print(f"{len(announced) / ground.pulse_index.size:.2f} bytes announced per detection")
for mine, other in zip(packets, others, strict=True):
    rate = 100.0 * (mine.bits != other.bits).mean()
    decoys, vacuum = mine.n[:, 1].sum(), mine.n[:, 2].sum()
    print(f"packet {mine.number}: error rate {rate:.2f} %, {decoys} decoys, {vacuum} vacuum")

# Check: the counts are those that the link predicts, within five standard deviations.
expected = run.expected.n_key[0] + run.expected.n_test[0]
assert abs(ours.key_bits.size - expected) < 5.0 * expected**0.5 + 2e-3 * expected
assert [packet.first_pulse for packet in packets] == [packet.first_pulse for packet in others]
