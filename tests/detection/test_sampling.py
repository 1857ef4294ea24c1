"""Sparse sampling against a brute force that follows every photon of every pulse, and against closed forms."""

import heapq
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from satqkd.detection.pass_model import PassModel
from satqkd.detection.pulses import Choices, SeededChoices, seed_bytes
from satqkd.detection.sampling import candidate_pulses, sample_steps, simulate_pass
from satqkd.detection.weak_pulse import click_probability
from satqkd.errors import InputError

P = (0.5, 0.3, 0.2)
CHOICES = SeededChoices(seed=seed_bytes(3, "sender"), intensity_probabilities=P)
PULSES, STEPS = 900_000, 3
STEP_S = PULSES / STEPS * 1600e-12
BRIGHT = PassModel(
    transmittance=np.array([0.1, 0.35, 0.2]),
    background_hz=np.array([6e6, 2e7, 1e7]),
    misalignment=np.array([0.03, 0.05, 0.08]),
    slant_range_m=0.0,
    range_rate_m_s=0.0,
    step_s=STEP_S,
    intensities=(1.2, 0.4, 0.02),
    split=0.4,
    dark_hz=1e6,
    dead_time_ps=5300.0,
    p_afterpulse=0.15,
    afterpulse_ps=3000.0,
    jitter_fwhm_ps=735.0,
)


def brute_force(model: PassModel, choices: Choices, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Times and channels: photon by photon, then detector by detector with a heap of what is still to come."""
    pulses = choices.bit.size
    step = np.arange(pulses) // (pulses // model.steps)
    photons = rng.poisson(np.asarray(model.intensities)[choices.intensity] * model.transmittance[step])
    owner = np.repeat(np.arange(pulses), photons)
    in_x = rng.random(owner.size) < model.split
    if model.receiver == "active":
        switch = (rng.random(pulses) < model.split).astype(int)
        in_x = switch[owner] == 1
    matched = in_x == (choices.basis[owner] == 1)
    flipped = rng.random(owner.size) < np.where(matched, model.misalignment[step[owner]], 0.5)
    bit = choices.bit[owner] ^ flipped
    physical = bit if model.receiver == "active" else 2 * in_x + bit
    sigma = model.jitter_fwhm_ps / 2.3548200450309493
    time = owner * 1600.0 + rng.normal(0.0, sigma, owner.size)
    detectors = 2 if model.receiver == "active" else 4
    share = np.array([0.5, 0.5] if detectors == 2 else [0.3, 0.3, 0.2, 0.2])
    found_time, found_channel = [], []
    for detector in range(detectors):
        dark = [
            rng.random(rng.poisson((model.background_hz[s] * share[detector] + model.dark_hz) * model.step_s))
            * model.step_ps + s * model.step_ps
            for s in range(model.steps)
        ]  # fmt: skip
        coming = sorted(np.concatenate([time[physical == detector], *dark]).tolist())
        alive, end = -np.inf, model.steps * model.step_ps
        while coming:
            t = heapq.heappop(coming)
            if t < alive:
                continue
            found_time.append(t)
            found_channel.append(detector)
            alive = t + model.dead_time_ps
            if rng.random() < model.p_afterpulse:
                after = alive + rng.exponential(model.afterpulse_ps)
                if after < end:
                    heapq.heappush(coming, after)
    channel, time = np.array(found_channel), np.array(found_time)
    if model.receiver == "active":
        channel = channel + 2 * switch[np.clip(np.rint(time / 1600.0).astype(int), 0, pulses - 1)]
    return time, channel


def outcomes(time: np.ndarray, channel: np.ndarray, choices: Choices) -> np.ndarray:
    """Number of pulses in each cell of (intensity, basis, bit) x pattern of the four channels."""
    pulses = choices.bit.size
    slot = np.clip(np.rint(time / 1600.0).astype(int), 0, pulses - 1)
    pattern = np.zeros(pulses, int)
    for c in range(4):
        pattern[slot[channel == c]] |= 1 << c
    kind = choices.intensity * 4 + choices.basis * 2 + choices.bit
    return np.bincount(kind * 16 + pattern, minlength=192)


def compare(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, int]:
    """p-value of both tables coming from one distribution, and the cells compared; rare cells are put together."""
    table = np.stack([ours, theirs])
    rare = table.sum(axis=0) < 16
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    found = stats.chi2_contingency(table)
    return float(found.pvalue), table.shape[1]


def simulated(model: PassModel, seed: int) -> np.ndarray:
    found = simulate_pass(model, CHOICES, seed=seed)
    return outcomes(found.detections.tag_ps.astype(float), found.detections.channel, CHOICES.at(np.arange(PULSES)))


def truth(model: PassModel, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    # its own random choices: their frequencies are compared too
    sent = Choices(
        rng.integers(0, 2, PULSES, np.uint8), rng.integers(0, 2, PULSES, np.uint8),
        rng.choice(3, PULSES, p=P).astype(np.uint8),
    )  # fmt: skip
    return outcomes(*brute_force(model, sent, rng), sent)


@pytest.mark.parametrize("receiver", ["passive", "active"])
def test_every_outcome_is_as_frequent_as_in_a_brute_force(receiver):
    model = replace(BRIGHT, receiver=receiver)
    p, cells = compare(simulated(model, 7), truth(model, 8))
    assert cells == pytest.approx(130 if receiver == "passive" else 85, abs=25)
    # fixed seeds; 24 others together, 2 x 21.6 million pulses, gave p = 0.62 (passive) and 0.77 (active)
    assert 1e-3 < p < 1.0 - 1e-4


@pytest.mark.parametrize(
    "change",
    [
        {"dead_time_ps": 3700.0},
        {"p_afterpulse": 0.05},
        {"misalignment": BRIGHT.misalignment + 0.03},
        {"background_hz": 0.5 * BRIGHT.background_hz},
        {"split": 0.425},
        {"jitter_fwhm_ps": 1100.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_comparison_sees_a_model_that_is_a_little_off(change):
    p, _ = compare(simulated(replace(BRIGHT, **change), 5), truth(BRIGHT, 6))
    assert 0.0 <= p < 1e-3


def test_after_a_click_a_detector_is_blind_for_its_dead_time():
    found = simulate_pass(BRIGHT, CHOICES, seed=8).detections
    for channel in range(4):
        gaps = np.diff(found.tag_ps[found.channel == channel])
        # tags are rounded to a picosecond; after-pulses and photons come right at the end of the dead time
        assert gaps.min() == pytest.approx(5300, abs=25)


def test_dead_time_of_an_active_receiver_holds_across_bases():
    found = simulate_pass(replace(BRIGHT, receiver="active"), CHOICES, seed=8).detections
    for bit in range(2):
        assert np.diff(found.tag_ps[found.channel % 2 == bit]).min() == pytest.approx(5300, abs=25)


def test_a_click_leaves_an_afterpulse_as_often_as_asked():
    quiet = replace(
        BRIGHT, transmittance=0.002, background_hz=0.0, dark_hz=0.0, misalignment=0.05, p_afterpulse=0.3,
        afterpulse_ps=20_000.0,        dead_time_ps=20_000.0, step_s=2e-3, slant_range_m=0.0, range_rate_m_s=0.0,
    )  # fmt: skip
    found = simulate_pass(quiet, CHOICES, seed=4)
    after, total = int((found.origin == 2).sum()), found.origin.size
    # a few are lost to photons in the dead time or come after the end: 4 detectors x 0.25 clicks/us x 20 ns
    assert after / total == pytest.approx(0.3, abs=4.0 * np.sqrt(0.21 / total) + 0.002)
    tags, channel = found.detections.tag_ps, found.detections.channel
    delays = []
    for c in range(4):
        t, kind = tags[channel == c], found.origin[channel == c]
        delays.append((np.diff(t) - 20_000.0)[kind[1:] == 2])
    delay = np.concatenate(delays)
    assert stats.kstest(delay, stats.expon(scale=20_000.0).cdf).pvalue > 1e-3


def test_clicks_per_intensity_follow_the_closed_form():
    model = replace(
        BRIGHT, transmittance=0.004, background_hz=0.0, misalignment=0.05, dark_hz=0.0, dead_time_ps=0.0,
        p_afterpulse=0.0, jitter_fwhm_ps=0.0,
        step_s=4e-3,
    )  # fmt: skip
    found = simulate_pass(model, CHOICES, seed=12)
    pulse = np.unique(found.true_pulse)
    intensity = CHOICES.at(pulse).intensity
    for k, (mu, p) in enumerate(zip(model.intensities, P, strict=True)):
        expected = model.pulses * p * float(click_probability(0.004, intensity=mu))
        assert (intensity == k).sum() == pytest.approx(expected, abs=4.0 * np.sqrt(expected))


def test_times_ascend_and_steps_put_together_are_the_pass():
    parts = list(sample_steps(BRIGHT, CHOICES, seed=21))
    whole = simulate_pass(BRIGHT, CHOICES, seed=21)
    assert len(parts) == STEPS
    assert np.concatenate([p.detections.tag_ps for p in parts]).tolist() == whole.detections.tag_ps.tolist()
    assert np.diff(whole.detections.tag_ps).min() == pytest.approx(0, abs=1)
    assert whole.pulses == PULSES


def test_the_same_seed_gives_the_same_pass_and_another_one_does_not():
    one, two, three = (simulate_pass(BRIGHT, CHOICES, seed=s).detections.tag_ps for s in (1, 1, 2))
    assert one.tolist() == two.tolist()
    assert one[:100].tolist() != three[:100].tolist()


def test_gaps_between_candidates_are_geometric():
    rng = np.random.default_rng(2)
    found = candidate_pulses(rng, first=1000, stop=4_001_000, probability=0.01)
    assert found[0] >= 1000
    assert found[-1] < 4_001_000
    assert found.size == pytest.approx(40_000, abs=4.0 * np.sqrt(40_000 * 0.99))
    gaps = np.minimum(np.diff(found), 300)
    observed = np.bincount(gaps, minlength=301)[1:]
    expected = 0.01 * 0.99 ** np.arange(300)
    expected[-1] = 0.99**299
    assert 1e-3 < stats.chisquare(observed, observed.sum() * expected / expected.sum()).pvalue < 1.0 - 1e-3


def test_without_light_only_noise_comes_and_without_noise_nothing():
    dark = replace(BRIGHT, transmittance=0.0)
    assert set(simulate_pass(dark, CHOICES, seed=1).origin.tolist()) == {1, 2}
    nothing = replace(dark, background_hz=0.0, dark_hz=0.0)
    assert simulate_pass(nothing, CHOICES, seed=1).origin.size == 0


def test_too_many_clicks_for_a_step_are_refused():
    with pytest.raises(InputError, match="step 0: more than 2e8 clicks"):
        simulate_pass(replace(BRIGHT, step_s=10.0), CHOICES, seed=1)
