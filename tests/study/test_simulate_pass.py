"""A scenario's pass simulated: counts of the key stage come back, files, windows, refusals."""

import numpy as np
import pytest

from satqkd.detection import weak_pulse
from satqkd.distillation.announcement import decode_announcement, encode_announcement
from satqkd.distillation.packets import PacketCutter, block_counts, count_signal_errors
from satqkd.distillation.sifting import error_flags, reply_codes, resolve_clicks, sift
from satqkd.distillation.synchronisation import synchronise
from satqkd.errors import InputError
from satqkd.formats.detections import read_ground, read_sender
from satqkd.scenario.load import load_scenario
from satqkd.security.three_intensity import key_length
from satqkd.study.run import compute_link, compute_passes
from satqkd.study.simulate_pass import pass_model, simulate, write


@pytest.fixture(scope="module")
def jinan():
    return load_scenario("jinan-1")


@pytest.fixture(scope="module")
def run(jinan):
    return simulate(jinan, seed=7, duration_s=6.0)


def distilled(ground, sender, packet_bits):
    """Both sides up to the packets, as they would talk."""
    ours = synchronise(ground, sender_start_unix_ns=sender.start_unix_ns, pulses=sender.pulses)
    measured = resolve_clicks(ours.pulse_index, ours.channel)
    index, basis = decode_announcement(encode_announcement(measured.pulse_index, measured.basis))
    sent = sender.choices.at(index)
    codes = reply_codes(basis, sent)
    at_ground = sift(measured.pulse_index, measured.basis, measured.bit, codes)
    at_satellite = sift(index, basis, sent.bit, codes)
    flags = error_flags(at_ground.disclosed_bits, at_satellite.disclosed_bits)
    cutters = PacketCutter(packet_bits), PacketCutter(packet_bits)
    mine = cutters[0].push(at_ground, flags) + cutters[0].finish()
    theirs = cutters[1].push(at_satellite, flags) + cutters[1].finish()
    return mine, theirs, cutters[0].left_over_bits


def test_counts_of_a_pass_are_those_that_the_key_stage_expects(jinan, run):
    mine, theirs, left = distilled(run.ground, run.sender, 5000)
    errors = [count_signal_errors(a.basis, a.bits, b.bits) for a, b in zip(mine, theirs, strict=True)]
    counts = block_counts(mine, errors)
    expected = run.expected
    # signals: those in packets and those left over; four standard deviations
    signals = counts.n_key[0] + counts.n_test[0] + left
    model = expected.n_key[0] + expected.n_test[0]
    assert signals == pytest.approx(model, abs=4.0 * np.sqrt(model) + 2e-3 * model)
    share = 1.0 - left / signals
    for found, theory in (
        (counts.n_key, expected.n_key),
        (counts.m_key, expected.m_key),
        (counts.m_test, expected.m_test),
    ):
        for k in range(3):
            assert found[k] == pytest.approx(share * theory[k], abs=5.0 * np.sqrt(theory[k]) + 0.01 * theory[k])
    key = key_length(
        counts, intensities=run.sender.intensities, intensity_probabilities=run.sender.intensity_probabilities,
        mode="paper",
    )  # fmt: skip
    assert key.qber == pytest.approx(0.0085, abs=0.002)


def test_gated_simulation_has_the_links_transmittance_and_noise(jinan, run):
    """Without dead time the counts are those of the detection model that the key stage uses."""
    link = compute_link(jinan, compute_passes(jinan))
    model, info = pass_model(jinan, duration_s=6.0, dead_time_ps=0.0)
    first = int(np.argmin(np.abs(link.time.values.astype("datetime64[ns]").astype(np.int64) - info.start_unix_ns)))
    eta = link.transmittance.values[0, 0, first : first + 7]
    theirs = weak_pulse.expected_counts(
        0.5 * (eta[1:] + eta[:-1]), pulses_per_slot=625e6, intensities=jinan.protocol.intensities,
        intensity_probabilities=jinan.protocol.intensity_probabilities, p_key_basis=0.5, p_extraneous=0.5e-6,
        qber_intrinsic=0.005,
    )  # fmt: skip
    from satqkd.detection.pass_model import expected_pass_counts

    ours = expected_pass_counts(model, intensity_probabilities=jinan.protocol.intensity_probabilities)
    # four detectors: half of the light and of the noise in each arm, every basis; second order is 1e-4
    assert ours.n_key == pytest.approx(theirs.n_key, rel=3e-4)
    assert ours.m_key == pytest.approx(theirs.m_key, rel=3e-4)


def test_the_window_is_where_most_light_comes(jinan):
    whole, all_of_it = pass_model(jinan)
    part, info = pass_model(jinan, duration_s=10.0)
    sums = np.convolve(whole.transmittance, np.ones(10), "valid")
    assert part.transmittance.sum() == pytest.approx(sums.max(), rel=1e-3)
    assert info.start_unix_ns - all_of_it.start_unix_ns == pytest.approx(1e9 * int(np.argmax(sums)), abs=1.1e9)
    assert min(all_of_it.slant_range_m) == pytest.approx(830.3e3, rel=1e-4)
    assert max(all_of_it.elevation_deg) == pytest.approx(34.1, abs=0.01)
    assert all_of_it.duration_s == pytest.approx(404.0, abs=0)


def test_extra_loss_divides_the_light(jinan):
    without, _ = pass_model(jinan, duration_s=3.0)
    behind, _ = pass_model(jinan, duration_s=3.0, extra_loss_db=3.0)
    assert behind.transmittance == pytest.approx(without.transmittance * 10**-0.3, rel=1e-12)
    assert behind.background_hz == pytest.approx(without.background_hz, rel=1e-12)


def test_files_of_a_run_come_back(run, tmp_path):
    ground, satellite = write(run, tmp_path / "a" / "b")
    found = read_ground(ground)
    assert found.detections.tag_ps.tolist() == run.ground.detections.tag_ps.tolist()
    assert found.pass_id == read_sender(satellite).pass_id
    assert read_sender(satellite).choices.at([5]).bit.tolist() == run.sender.choices.at([5]).bit.tolist()


def test_a_folder_that_cannot_be_made(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        write(run, tmp_path / "file")


def test_another_seed_is_another_pass(jinan, run):
    other = simulate(jinan, seed=8, duration_s=6.0)
    assert other.ground.pass_id != run.ground.pass_id
    assert simulate(jinan, seed=7, duration_s=6.0).ground.pass_id == run.ground.pass_id


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"pass_number": 3}, 'pass 3: scenario "jinan-1" has passes 0 to 0'),
        ({"duration_s": 1e4}, "duration_s = 10000.0: must be between 1 and 404"),
        ({"duration_s": -1.0}, "duration_s = -1.0: must be above 0"),
        ({"extra_loss_db": -3.0}, "extra_loss_db = -3.0"),
        ({"dead_time": 3.0}, "dead_time: not a field"),
        ({"gate_ps": 0.01}, "too narrow"),
    ],
)
def test_bad_input_is_one_clear_line(jinan, options, complaint):
    with pytest.raises(InputError, match=complaint):
        pass_model(jinan, **options)
