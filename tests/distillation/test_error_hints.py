"""Expected error rates: against the true ones, by the weights of the textbook, and in the corners."""

from types import SimpleNamespace

import numpy as np
import pytest

from satqkd.distillation.error_hints import Expected, expected_rates, qber_hint, trend
from satqkd.security.three_intensity import JINAN1, expected_counts


def test_decoys_hint_at_the_error_rate():
    """Counts of the mean: exact; drawn at random: right within the standard deviation that is told."""
    rng = np.random.default_rng(1)
    true = expected_counts(sifted_bits=106_250, qber=0.012, background_share=0.004, **JINAN1)
    n = np.array([true.n_key, true.n_test])
    m = np.array([true.m_key, true.m_test])
    none = np.zeros(2)
    rate, deviation = qber_hint(SimpleNamespace(n=n, m=m, sample_n=none, sample_m=none), JINAN1)
    assert rate == pytest.approx(0.012, rel=1e-4)  # signals are a whole number
    pulls = []
    for _ in range(400):
        drawn = SimpleNamespace(n=n, m=rng.poisson(m), sample_n=none, sample_m=none)
        found, its_deviation = qber_hint(drawn, JINAN1)
        pulls.append((found - 0.012) / its_deviation)
    # 400 draws: standard errors 0.05 of the mean and 0.035 of the width; low counts are told with too small a width
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.3)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.2)
    assert deviation / rate == pytest.approx(0.2, abs=0.15)  # some 60 errors of decoys, and the vacuum's


def test_a_sample_tells_it_itself():
    sample = SimpleNamespace(n=None, m=None, sample_n=np.array([5000, 5000]), sample_m=np.array([40, 60]))
    assert qber_hint(sample, JINAN1) == pytest.approx((0.01, 0.001))


def test_decoys_too_rare_to_tell_anything_give_no_hint():
    """Errors of decoys and vacuum that nearly cancel: a rate of 0.37, give or take 12."""
    source = {"intensities": (0.8, 0.1, 0.001), "intensity_probabilities": (0.75, 1.875e-5, 1.875e-5)}
    n, m = np.array([[5e4, 40.0, 30.0]] * 2), np.array([[300.0, 4.0, 4.0], [300.0, 4.0, 5.0]])
    packet = SimpleNamespace(n=n, m=m, sample_n=np.zeros(2), sample_m=np.zeros(2))
    assert qber_hint(packet, source) is None
    often = {**source, "intensity_probabilities": (0.5, 0.25, 0.25)}
    assert qber_hint(packet, often) == pytest.approx((1.8586e-5, 6.232e-4), rel=1e-3)


def test_with_weighs_by_variance():
    """Two measurements of one number: the mean of least variance, and its deviation, from many draws."""
    rng = np.random.default_rng(3)
    pairs = np.array([rng.normal(1.0, 0.3, 20_000), rng.normal(1.0, 0.1, 20_000)])
    found = np.array([Expected(a, 0.3).with_(Expected(b, 0.1)) for a, b in pairs.T])
    # 20,000 draws: 0.0007 of the mean, 0.5 % of the width
    assert found[:, 0].mean() == pytest.approx(1.0, abs=0.003)
    assert found[:, 0].std() == pytest.approx(found[0, 1], rel=0.02)
    weights = np.linspace(0.0, 1.0, 101)
    widths = [(w * pairs[0] + (1.0 - w) * pairs[1]).std() for w in weights]
    assert found[:, 0].std() == pytest.approx(min(widths), rel=1e-3)


def test_trend():
    assert trend([], 0.01) == (0.01, 0.01)
    assert trend([0.02], 0.01) == pytest.approx((0.02, 0.001))
    assert trend([0.04, 0.03, 0.02, 0.01], 0.01) == pytest.approx((0.025, 0.03))


def test_quiet_packets_keep_to_the_trend():
    """Hints of few decoys scatter by a third; in the middle of a pass they move what is expected by a few per cent."""
    rng = np.random.default_rng(8)
    before = trend([0.0078, 0.0080, 0.0079, 0.0081], 0.01)
    found = [
        expected.rate
        for _ in range(200)
        for expected in expected_rates(before, [Expected(max(h, 1e-4), 0.0027) for h in rng.normal(0.008, 0.0027, 5)])
    ]
    # without them 0.00795; hints are cut at 1e-4 and one in 700 stands alone
    assert np.mean(found) == pytest.approx(0.008, rel=0.02)
    assert np.percentile(np.abs(np.array(found) / 0.008 - 1.0), 90) == pytest.approx(0.05, abs=0.03)


def test_a_change_is_followed():
    """From 4 % down to 1 %: after the first block the hints of the next say more than what came before."""
    before = trend([0.0218, 0.0168, 0.0144, 0.0117], 0.01)
    hints = [Expected(rate, 0.0036) for rate in (0.0112, 0.0110, 0.0135, 0.0092, 0.0095)]
    found = expected_rates(before, hints)
    assert [expected.rate for expected in found] == pytest.approx([0.0109] * 5, rel=0.2)
    assert trend([0.0218, 0.0168, 0.0144, 0.0117], 0.01).rate == pytest.approx(0.0162, rel=0.01)


def test_a_packet_far_above_its_neighbours_is_believed():
    before = trend([0.008] * 4, 0.01)
    hints: list[Expected | None] = [Expected(0.008, 0.0027)] * 4
    found = expected_rates(before, [*hints, Expected(0.097, 0.009)])
    assert found[-1] == (0.097, 0.009)
    # one error where nine were expected: 0.0009 per error, so a third of 0.008 by chance; weight 0.05
    low = expected_rates(before, [*hints, Expected(0.0009, 0.0009)])
    assert low[-1].rate == pytest.approx(0.0077, rel=0.03)
    none = expected_rates(before, [*hints, Expected(0.0, 0.0009)])
    assert none[-1].rate == pytest.approx(0.0077, rel=0.03)


def test_packets_without_hints():
    before = Expected(0.008, 0.0004)
    assert expected_rates(before, [None, None]) == [pytest.approx((0.008, 0.0004 * 2**0.5))] * 2
    one = expected_rates(before, [None, Expected(0.008, 0.0001)])
    assert one[0].rate == pytest.approx(0.008)
    assert one[0].deviation == pytest.approx(0.0004, rel=0.05)
    assert one[1].deviation == pytest.approx(0.0001, rel=0.05)
