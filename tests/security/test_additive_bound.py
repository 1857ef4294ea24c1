"""The additive bound lies above the key of every part of a block, and close to that of a large one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.detection.weak_pulse import expected_counts
from satqkd.errors import InputError
from satqkd.security._lim2014 import check
from satqkd.security.additive_bound import additive_upper_bound, key_of_counts
from satqkd.security.bounds import BOUNDS

PROTOCOL = {"intensities": (0.5, 0.08, 0.0), "intensity_probabilities": (0.72, 0.18, 0.1)}


def slot_counts(eta, noise, pulses):
    """Counts of each slot on its own, shape (n_slots, 4, 3)."""
    rows = []
    for transmittance, extraneous in zip(eta, noise, strict=True):
        counts = expected_counts(
            [transmittance], pulses_per_slot=pulses, p_key_basis=0.9, p_extraneous=extraneous,
            qber_intrinsic=0.01, **PROTOCOL,
        )  # fmt: skip
        rows.append([counts.n_key, counts.n_test, counts.m_key, counts.m_test])
    return np.array(rows)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 12),
    bound=st.sampled_from(sorted(BOUNDS)),
    leakage=st.sampled_from(["achievable", "finite", "block", "published", "published-eq9", "satquma"]),
    sampling=st.sampled_from(["exact", "exact-smooth", "lim2014"]),
)
def test_no_part_of_a_block_has_more_key(seed, n, bound, leakage, sampling):
    generator = np.random.default_rng(seed)
    eta = 10.0 ** generator.uniform(-4.5, -2.0, n)
    noise = 10.0 ** generator.uniform(-8.0, -5.0, n)
    counts = slot_counts(eta, noise, 10.0 ** generator.uniform(7.0, 10.0))
    options = {"bound": bound, "leakage": leakage, "sampling": sampling}
    share, once = additive_upper_bound(counts, **PROTOCOL, **options)
    setup = check(*PROTOCOL.values(), 1e-15, 1e-9, 1, *(options[k] for k in ("bound", "sampling", "leakage")), 1.16)
    for _ in range(20):
        part = generator.random(n) < generator.uniform(0.1, 1.0)
        if part.any():
            key = key_of_counts(counts[part].sum(axis=0), setup)
            limit = max(share[part].sum() - once, 0.0)
            # a key so short that it is rounding of counts of 1e9 does not count
            assert max(key, 0.0) <= limit + 1e-6 * counts[part, 0].sum()
            within = np.sort(counts, axis=0)[::-1][: part.sum()].sum(axis=0)  # no block of as many slots has more
            tighter, _ = additive_upper_bound(counts, **PROTOCOL, **options, largest=within)
            assert max(key, 0.0) <= max(tighter[part].sum() - once, 0.0) + 1e-6 * counts[part, 0].sum()


def test_close_for_a_large_block_of_equal_slots():
    """Equal slots, many pulses: all that is left out is the sampling correction, which vanishes."""
    gaps = []
    for pulses in (1e9, 1e11, 1e13):
        counts = slot_counts([1e-3] * 10, [1e-7] * 10, pulses)
        share, once = additive_upper_bound(counts, **PROTOCOL)
        setup = check(*PROTOCOL.values(), 1e-15, 1e-9, 1, "chernoff", "exact-smooth", "achievable", 1.16)
        key = key_of_counts(counts.sum(axis=0), setup)
        gaps.append((share.sum() - once) / key - 1.0)
    assert np.all(np.diff(gaps) < 0.0)
    assert gaps[-1] == pytest.approx(0.0, abs=2e-3)
    assert gaps[0] > 0.0


def test_widths_are_concave():
    """Step 1 needs delta(n) >= delta(N) n / N for all n <= N."""
    for name in ("chernoff", "chernoff-implicit"):
        for whole in (1.0, 30.0, 1e4, 1e8):
            full = np.array(BOUNDS[name](whole, whole, 23.0))
            for fraction in (1e-3, 0.1, 0.5, 0.9):
                part = np.array(BOUNDS[name](fraction * whole, fraction * whole, 23.0))
                assert np.all(part >= fraction * full * (1.0 - 1e-12))


def test_shape():
    with pytest.raises(InputError, match="n_slots, 4, 3"):
        additive_upper_bound(np.zeros((4, 3)), **PROTOCOL)
    share, once = additive_upper_bound(np.zeros((0, 4, 3)), **PROTOCOL)
    assert share.size == 0
    assert once > 200.0
