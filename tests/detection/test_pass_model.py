"""The pass as it is simulated: gate, arrival times, expected counts against simulated ones, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from satqkd.constants import SPEED_OF_LIGHT_M_S
from satqkd.detection import weak_pulse
from satqkd.detection.pass_model import PassModel, expected_pass_counts, gate_efficiency, jitter_fwhm_ps
from satqkd.detection.pulses import SeededChoices, seed_bytes
from satqkd.detection.records import GroundRecord
from satqkd.detection.sampling import simulate_pass
from satqkd.distillation.synchronisation import synchronise
from satqkd.errors import InputError

P = (0.5, 0.25, 0.25)
TIME = np.arange(5) * 1.0
RANGE = np.hypot(5e5, 7e3 * (TIME - 1.7))
RATE = 7e3**2 * (TIME - 1.7) / RANGE
MODEL = PassModel(
    transmittance=np.array([2e-4, 3e-4, 4e-4, 3e-4]), background_hz=4000.0, misalignment=0.01, slant_range_m=RANGE,
    range_rate_m_s=RATE, dark_hz=200.0, p_afterpulse=0.02,
)  # fmt: skip


@pytest.mark.parametrize("fwhm_ps", [100.0, 735.0, 2000.0])
def test_gate_passes_the_integral_of_the_gaussian(fwhm_ps):
    sigma = fwhm_ps / (2.0 * np.sqrt(2.0 * np.log(2.0)))
    inside, _ = integrate.quad(stats.norm(scale=sigma).pdf, -400.0, 400.0, epsabs=1e-13)
    assert gate_efficiency(800.0, fwhm_ps=fwhm_ps) == pytest.approx(inside, rel=1e-9)
    if inside < 0.999:  # beyond, the inverse loses digits
        assert jitter_fwhm_ps(800.0, efficiency=inside) == pytest.approx(fwhm_ps, rel=1e-9)


def test_gate_of_li_et_al_halves_noise_and_passes_four_fifths():
    # printed: 800 ps of 1600 ps suppress noise by 3 dB and pass about 80 %
    assert gate_efficiency(800.0, fwhm_ps=735.0) == pytest.approx(0.80, abs=0.002)


def test_arrivals_follow_light_time_offset_and_drift():
    model = replace(MODEL, clock_offset_ps=3e9, clock_drift=2e-6)
    sent_s = np.linspace(0.0, 4.0, 101)
    flight_s = np.hypot(5e5, 7e3 * (sent_s - 1.7)) / SPEED_OF_LIGHT_M_S
    expected = (sent_s + flight_s) * (1.0 + 2e-6) * 1e12 + 3e9
    # the cubic is off by h^4/384 of the fourth derivative, 3 v^4/R^3 at the closest point: 0.50 ps; rounding 0.06 ps
    assert model.arrival_ps(sent_s * 1e12) == pytest.approx(expected, rel=0.0, abs=0.56)


def test_arrivals_are_straight_beyond_nothing_and_smooth_across_steps():
    at = np.array([1e12 - 1.0, 1e12, 1e12 + 1.0])
    low, middle, high = MODEL.arrival_ps(at)
    assert middle - low == pytest.approx(high - middle, abs=1e-3)


@pytest.mark.parametrize("receiver", ["passive", "active"])
def test_expected_counts_are_what_a_simulation_gives(receiver):
    model = replace(MODEL, receiver=receiver, split=0.35, dead_time_ps=100_000.0)
    choices = SeededChoices(seed=seed_bytes(1, "sender"), intensity_probabilities=P, p_key_basis=0.6)
    found = simulate_pass(model, choices, seed=2)
    record = GroundRecord("x", 0, 1600.0, receiver, found.detections, found.sync)
    ours = synchronise(record, sender_start_unix_ns=0, pulses=found.pulses)
    sent = choices.at(ours.pulse_index)
    wrong = sent.bit != ours.channel % 2
    expected = expected_pass_counts(model, intensity_probabilities=P, p_key_basis=0.6)
    for basis, n, m in ((0, expected.n_key, expected.m_key), (1, expected.n_test, expected.m_test)):
        matched = (ours.channel // 2 == basis) & (sent.basis == basis)
        for k in range(3):
            of = matched & (sent.intensity == k)
            # four standard deviations; the model is first order: 2e-3
            assert of.sum() == pytest.approx(n[k], abs=4.0 * np.sqrt(n[k]) + 2e-3 * n[k])
            assert (of & wrong).sum() == pytest.approx(m[k], abs=4.0 * np.sqrt(m[k]) + 1e-2 * m[k])


def test_expected_counts_without_detector_effects_are_the_closed_form():
    plain = replace(
        MODEL, dead_time_ps=0.0, p_afterpulse=0.0, jitter_fwhm_ps=0.0, dark_hz=0.0, receiver="active",
        transmittance=np.array([1e-5, 2e-5, 4e-5, 3e-5]),
    )  # fmt: skip
    found = expected_pass_counts(plain, intensity_probabilities=P, gate_ps=1600.0)
    theirs = weak_pulse.expected_counts(
        plain.transmittance, pulses_per_slot=625e6, intensities=plain.intensities, intensity_probabilities=P,
        p_key_basis=0.5, p_extraneous=0.5 * 4000.0 * 1600e-12, qber_intrinsic=0.01,
    )  # fmt: skip
    # their key basis is squared: half of the pulses at either end; terms of second order in the noise are 1e-5
    assert found.n_key == pytest.approx(theirs.n_key, rel=3e-5)
    assert found.m_key == pytest.approx(theirs.m_key, rel=3e-5)


def test_counts_of_parts_add_up_to_the_pass():
    whole = expected_pass_counts(MODEL, intensity_probabilities=P)
    parts = [expected_pass_counts(MODEL.part(i, i + 1), intensity_probabilities=P) for i in range(4)]
    assert np.sum([part.n_key for part in parts], axis=0) == pytest.approx(whole.n_key, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"transmittance": [0.1, 0.2]}, "transmittance: must be one number or 4 of them"),
        ({"misalignment": 0.6}, "misalignment: must hold numbers between 0 and 0.5"),
        ({"transmittance": [0.1, 0.2, np.nan, 0.1]}, "transmittance: must hold numbers between 0 and 1"),
        ({"p_afterpulse": 0.7}, "p_afterpulse = 0.7: must be between 0 and 0.5"),
        ({"dead_time_ps": float("nan")}, "dead_time_ps = nan"),
        ({"receiver": "six-state"}, "must be one of passive, active"),
        ({"intensities": (0.5, 0.1)}, "must be three numbers"),
    ],
)
def test_values_outside_their_range_are_refused(change, complaint):
    with pytest.raises(InputError, match=complaint):
        replace(MODEL, **change)


def test_other_refusals():
    with pytest.raises(InputError, match=r"gate_ps = 2000\.0: must be above 0 and at most the slot of 1600 ps"):
        expected_pass_counts(MODEL, intensity_probabilities=P, gate_ps=2000.0)
    with pytest.raises(InputError, match="part 3 to 9"):
        MODEL.part(3, 9)
    with pytest.raises(InputError, match="efficiency = 1"):
        jitter_fwhm_ps(800.0, efficiency=1)
