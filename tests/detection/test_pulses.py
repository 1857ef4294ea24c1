"""Choices by pulse index: NumPy's own Philox as oracle, statistics, and recorded choices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from satqkd.detection.pulses import (
    RecordedChoices,
    SeededChoices,
    counter_uniform,
    pack_choices,
    seed_bytes,
)
from satqkd.errors import InputError

SEED = seed_bytes(11, "sender")


@pytest.mark.parametrize("index", [1, 2, 12345, 187_500_000_000, 2**61])
def test_words_are_those_of_numpys_philox(index):
    words = np.frombuffer(SEED, "<u8").astype(np.uint64)

    def block(stream):
        # NumPy steps the counter before its first block
        counter = np.array([index - 1, stream, words[2], words[3]], np.uint64)
        return np.random.Philox(counter=counter, key=words[:2]).random_raw(4)

    uniform = [(int(word) >> 11) / 2**53 for word in block(0)]
    found = SeededChoices(seed=SEED, intensity_probabilities=(0.3, 0.3, 0.4), p_key_basis=0.7).at([index])
    assert found.intensity.tolist() == [np.searchsorted([0.3, 0.6], uniform[0], side="right")]
    assert found.basis.tolist() == [0 if uniform[1] < 0.7 else 1]
    assert found.bit.tolist() == [int(block(0)[2]) >> 63]
    assert counter_uniform([index], seed=SEED).tolist() == [(int(block(1)[0]) >> 11) / 2**53]


def test_frequencies_are_those_asked_for_and_independent():
    p, z = np.array([0.5, 0.3, 0.2]), 0.8
    found = SeededChoices(seed=SEED, intensity_probabilities=tuple(p), p_key_basis=z).at(
        np.arange(10**9, 10**9 + 300_000)
    )
    cell = found.intensity * 4 + found.basis * 2 + found.bit
    expected = 300_000 * np.einsum("i,j,k->ijk", p, [z, 1.0 - z], [0.5, 0.5]).ravel()
    # a fixed seed: the limits are those that one in 1000 seeds would break on either side
    assert 5e-4 < stats.chisquare(np.bincount(cell, minlength=12), expected).pvalue < 1.0 - 5e-4


def test_an_intensity_of_probability_zero_never_appears():
    found = SeededChoices(seed=SEED, intensity_probabilities=(0.7, 0.1 + 0.2, 0.0)).at(np.arange(100_000))
    assert np.unique(found.intensity).tolist() == [0, 1]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=30))
def test_order_and_company_do_not_matter(index):
    choices = SeededChoices(seed=SEED)
    together = choices.at(index)
    alone = [choices.at([i]) for i in index]
    for name in ("basis", "bit", "intensity"):
        assert getattr(together, name).tolist() == [int(getattr(one, name)[0]) for one in alone]


def test_another_seed_or_purpose_gives_other_choices():
    bits = [SeededChoices(seed=seed_bytes(s, p)).at(range(256)).bit for s, p in ((1, "a"), (2, "a"), (1, "b"))]
    agree = [(bits[i] == bits[j]).sum() for i, j in ((0, 1), (0, 2), (1, 2))]
    assert agree == pytest.approx([128] * 3, abs=5 * 8)  # five standard deviations of sqrt(256 / 4)


@pytest.mark.parametrize("pulses", [1, 2, 999, 1000])
def test_recorded_choices_come_back(pulses):
    whole = SeededChoices(seed=SEED).at(np.arange(pulses))
    recorded = RecordedChoices(pack_choices(whole), pulses=pulses, first_pulse=70)
    index = np.random.default_rng(1).permutation(pulses)
    for name, found in zip(whole._fields, recorded.at(index + 70), strict=True):
        assert found.tolist() == getattr(whole, name)[index].tolist()


@pytest.mark.parametrize(
    ("do", "complaint"),
    [
        (lambda: SeededChoices(seed=b"short"), "must be 32 bytes, is 5"),
        (lambda: SeededChoices(seed=SEED, intensity_probabilities=(0.5, 0.5, 0.5)), "sum 1"),
        (lambda: SeededChoices(seed=SEED, p_key_basis=1.5), "p_key_basis = 1.5: must be between 0 and 1"),
        (lambda: SeededChoices(seed=SEED).at([-1]), "pulse_index contains -1"),
        (lambda: SeededChoices(seed=SEED).at([0.5]), "must be whole numbers"),
        (lambda: seed_bytes(-1, "x"), "seed = -1"),
        (lambda: RecordedChoices(np.zeros(4, np.uint8), pulses=9), "need 5 bytes, there are 4"),
        (lambda: RecordedChoices(np.zeros(4, np.uint8), pulses=8).at([8]), "contains 8: recorded are pulses 0 to 7"),
        (lambda: RecordedChoices(np.full(4, 0xCC, np.uint8), pulses=8).at([0]), "an intensity is 3"),
    ],
)
def test_bad_input_is_one_clear_line(do, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        do()
    assert "\n" not in str(caught.value)


def test_the_seed_is_not_printed():
    assert SEED.hex() not in repr(SeededChoices(seed=SEED))
    assert repr(SEED) not in repr(SeededChoices(seed=SEED))
