"""No spurious key: corners of the parameters where a careless implementation reports one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.security import lim2014
from satqkd.security.lim2014_variants import block_asymptote, standard_key_length
from satqkd.security.optimise import best
from satqkd.security.result import KeyLength
from satqkd.security.sampling import phase_error_exact

PASS = 2e-3 / (1.0 + (np.arange(-220.0, 221.0) / 90.0) ** 2)
LINK = {"pulses_per_slot": 1e8, "p_extraneous": 5e-7, "qber_intrinsic": 0.005, "p_afterpulse": 1e-3}
SETTING = {"intensities": (0.7, 0.12, 0.0), "intensity_probabilities": (0.82, 0.12, 0.06), "p_key_basis": 0.85}


def check(key: KeyLength) -> None:
    assert math.isfinite(key.key_bits_raw)
    assert 0 <= key.key_bits <= key.n0_key_lower + key.n1_key_lower <= key.sifted_bits * (1.0 + 1e-12)
    assert (key.reason is None) == (key.key_bits > 0)
    assert 0.0 <= key.phase_error_upper <= 0.5


@pytest.mark.parametrize("loss_db", [0.0, 6.0, 13.0])
@pytest.mark.parametrize("protocol", ["biased", "standard"])
def test_no_key_without_test_singles(loss_db: float, protocol: str) -> None:
    """Basis bias towards 1 or a revealed share towards 0: ever fewer test singles, and then no key."""
    eta = PASS * 10.0 ** (-loss_db / 10.0)
    shared = {**LINK, "intensities": (0.7, 0.12, 0.0), "intensity_probabilities": (0.82, 0.12, 0.06)}
    lengths = []
    for rest in np.geomspace(0.3, 1e-9, 40):
        if protocol == "biased":
            key = lim2014.key_length(eta, **shared, p_key_basis=1.0 - rest)
        else:
            key = standard_key_length(eta, **shared, revealed_fraction=rest)
        if protocol == "biased":
            check(key)
        lengths.append(key.key_bits)
        if key.n1_test_lower == 0.0:
            assert key.key_bits == 0
    assert lengths[-1] == 0
    after_first_zero = lengths[lengths.index(0) :]
    assert max(after_first_zero) == 0  # it does not come back


@pytest.mark.parametrize("leakage", ["achievable", "published"])
def test_optimiser_finds_no_key_in_the_corners(leakage: str) -> None:
    """Bounds that force the search towards bias 1 or mu2 = 0.98 mu1 give less key than the free optimum."""
    fixed = {**LINK, "transmittance": PASS * 10**-0.6, "leakage": leakage}
    free = best("lim2014", fixed=fixed)
    check(free.key)
    corners = [
        {"p_key_basis": (0.995, 0.9999)},
        {"intensities": ((0.3, 0.31), (0.29, 0.305), None)},
        {"intensities": ((0.02, 0.021), (1e-3, 2e-3), None)},
    ]
    for bounds in corners:
        cornered = best("lim2014", fixed=fixed, bounds=bounds)
        check(cornered.key)
        assert cornered.key.key_bits < free.key.key_bits
        mu = cornered.parameters["intensities"]
        assert mu[1] / mu[0] == pytest.approx(min(mu[1] / mu[0], 0.98), rel=1e-12)  # rounding


@pytest.mark.parametrize("changes", [
    {"p_extraneous": 0.0, "qber_intrinsic": 0.0, "p_afterpulse": 0.0},
    {"pulses_per_slot": 0.0},
    {"pulses_per_slot": 1.0 / 441.0},
    {"pulses_per_slot": 1e13 / 441.0},
    {"qber_intrinsic": 0.5},
    {"p_extraneous": 0.01},
])  # fmt: skip
def test_extreme_links(changes: dict[str, float]) -> None:
    for sampling in ("exact-smooth", "exact", "lim2014"):
        key = lim2014.key_length(PASS, **{**LINK, **changes}, **SETTING, sampling=sampling)
        check(key)
        found = best("lim2014", fixed={**LINK, **changes, "transmittance": PASS, "sampling": sampling})
        check(found.key)
        assert found.key.key_bits >= key.key_bits
    if changes.get("pulses_per_slot", 1e8) < 1e3 or (len(changes) == 1 and "pulses_per_slot" not in changes):
        assert found.key.key_bits == 0


@given(
    n=st.lists(st.floats(0.0, 1e13), min_size=6, max_size=6),
    share=st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6),
)
def test_key_never_exceeds_its_bounds_for_any_counts(n: list[float], share: list[float]) -> None:
    m = [x * y for x, y in zip(n, share, strict=True)]
    counts = SiftedCounts(tuple(n[:3]), tuple(n[3:]), tuple(m[:3]), tuple(m[3:]))
    setting = {k: SETTING[k] for k in ("intensities", "intensity_probabilities")}
    check(lim2014.key_length_from_counts(counts, **setting))


@pytest.mark.parametrize(
    "counts",
    [
        SiftedCounts((0.0,) * 3, (0.0,) * 3, (0.0,) * 3, (0.0,) * 3),
        SiftedCounts((1.0, 0.0, 0.0), (0.0,) * 3, (0.0,) * 3, (0.0,) * 3),
        SiftedCounts((1e6, 1e5, 1e4), (0.0, 1.0, 0.0), (0.0,) * 3, (0.0,) * 3),
        SiftedCounts((1e6,) * 3, (1e5,) * 3, (5e5,) * 3, (5e4,) * 3),  # all vacuum: the same at every intensity
    ],
    ids=["none", "one", "one test detection", "vacuum"],
)
def test_counts_without_information(counts: SiftedCounts) -> None:
    setting = {k: SETTING[k] for k in ("intensities", "intensity_probabilities")}
    key = lim2014.key_length_from_counts(counts, **setting)
    check(key)
    assert key.key_bits == 0


@pytest.mark.parametrize("singles", [10, 30, 100, 300, 1000, 3000])
@pytest.mark.parametrize("errors", [0, 1])
def test_phase_error_is_never_below_the_exact_bound(singles: int, errors: int) -> None:
    """No or one error seen: the sound sampling is the hypergeometric inversion, checked against exact integers."""
    eps, outside = 1e-9 / 21, 20_000
    population = singles + outside

    def tail(marked: int) -> float:
        seen = range(max(0, singles - (population - marked)), min(errors, marked) + 1)
        ways = sum(math.comb(marked, x) * math.comb(population - marked, singles - x) for x in seen)
        return ways / math.comb(population, singles)

    low, high = errors, population
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tail(middle) <= eps else (middle, high)
    bound = phase_error_exact(float(errors), float(singles), float(outside), eps)
    assert bound == pytest.approx(min((high - errors) / outside, 0.5), rel=1e-12)  # rounding of one division


def test_block_asymptote_is_the_limit_of_many_passes() -> None:
    for leakage, tolerance in (("achievable", 2e-3), ("finite", 2e-3), ("published", 2e-3)):
        limit = block_asymptote(PASS, **LINK, **SETTING, leakage=leakage)
        per_pass = [
            lim2014.key_length(PASS, **LINK, **SETTING, leakage=leakage, passes=m).key_bits_raw
            for m in (1, 10, 100, 10_000, 1_000_000)
        ]
        assert np.diff(per_pass).min() > 0.0
        assert per_pass[-1] < limit.key_bits_raw
        # fluctuations fall with the square root of the passes: 1e-3 of those of one pass are left
        assert per_pass[-1] == pytest.approx(limit.key_bits_raw, rel=tolerance)
    assert limit.epsilon.total == 1.0


def test_standard_protocol_is_two_blocks() -> None:
    """Counts by hand: N/4 per basis, the share 1 - f for the key, f of the other basis for its test."""
    f = 0.2
    setting = {k: SETTING[k] for k in ("intensities", "intensity_probabilities")}
    key = standard_key_length(PASS, **LINK, **setting, revealed_fraction=f)
    biased = lim2014.key_length(PASS, **LINK, **SETTING)
    whole = sum(biased.n_key) / 0.85**2
    assert sum(key.n_key) == pytest.approx(whole / 4.0 * (1.0 - f), rel=1e-12)  # rounding
    assert sum(key.n_test) == pytest.approx(whole / 4.0 * f, rel=1e-12)
    assert key.key_bits == 2 * int(key.key_bits_raw / 2.0)
    assert key.epsilon.total == pytest.approx(2.0 * biased.epsilon.total, rel=1e-12)
    assert key.key_bits < biased.key_bits
