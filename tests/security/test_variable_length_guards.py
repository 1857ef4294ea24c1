"""Against spurious variable-length keys: any counts, corners of the optimiser, few or no errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from satqkd.detection.receivers import ReceiverCounts
from satqkd.security import _tail_kernels, variable_length
from satqkd.security import _variable_length as arithmetic
from satqkd.security.optimise import best

SOURCE = {"intensities": (0.7, 0.1, 0.0), "intensity_probabilities": (0.85, 0.1, 0.05)}
SETTINGS: dict[str, dict[str, Any]] = {
    "active": {"p_test_basis": 0.1},
    "asymmetric-passive": {"p_test_basis": 0.1, "split": 0.1},
    "symmetric-passive": {"p_test_basis": 0.5, "disclosure": 0.1},
}


def check(key: variable_length.KeyLength) -> None:
    """What holds for every key: within its bounds, a number, and a reason where there is none."""
    bases = 2 if "symmetric" in key.options["receiver"] and "asymmetric" not in key.options["receiver"] else 1
    assert math.isfinite(key.key_bits_raw)
    assert 0.0 <= key.n1_key_lower <= key.sifted_bits * (1 + 1e-12)
    assert 0.0 <= key.phase_error_upper <= 0.5
    assert key.key_bits <= bases * max(0.0, key.n1_key_lower - key.leak_ec_bits)
    assert (key.key_bits == 0) == (key.reason is not None)


@settings(max_examples=60)
@example(n=[542387087.0456607, 0.0, 0.0, 0.0, 0.0, 0.0], share=[1.0, 0.0, 0.0, 1.0, 1.0, 0.0], multi=5e-324)
@given(
    n=st.lists(st.one_of(st.just(0.0), st.floats(0.0, 1e9)), min_size=6, max_size=6),
    share=st.lists(st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 1.0)), min_size=6, max_size=6),
    multi=st.floats(0.0, 1e6),
)
@pytest.mark.parametrize("receiver", list(SETTINGS))
def test_any_counts_give_a_key_within_its_bounds(
    receiver: str, n: list[float], share: list[float], multi: float
) -> None:
    m = [a * b for a, b in zip(n, share, strict=True)]
    counts = ReceiverCounts(tuple(n[:3]), tuple(n[3:]), tuple(m[:3]), tuple(m[3:]), multi_clicks=multi)
    sets = [counts, counts] if receiver == "symmetric-passive" else counts
    check(variable_length.key_length_from_counts(sets, receiver=receiver, pulses=1e12, **SOURCE, **SETTINGS[receiver]))


@pytest.mark.parametrize("receiver", list(SETTINGS))
@pytest.mark.parametrize(
    "link",
    [
        {"pulses": 1.0, "transmittance": 1.0, "p_noise": 0.0, "p_dark": 0.0, "misalignment": 0.0},
        {"pulses": 1e3, "transmittance": 1.0, "p_noise": 0.0, "p_dark": 0.0, "misalignment": 0.0},
        {"pulses": 1e13, "transmittance": 1e-9, "p_noise": 0.0, "p_dark": 0.0, "misalignment": 0.0},
        {"pulses": 1e13, "transmittance": 0.0, "p_noise": 1e-6, "misalignment": 0.005},
        {"pulses": 1e13, "transmittance": 1e-3, "p_noise": 0.3, "misalignment": 0.005},
        {"pulses": 1e13, "transmittance": 1e-2, "p_noise": 1e-7, "misalignment": 0.5},
        {"pulses": 1e12, "transmittance": 10**-5.5, "p_noise": 1e-6, "misalignment": 0.0},
    ],
)
def test_the_optimiser_finds_no_key_where_there_is_none(receiver: str, link: dict[str, float]) -> None:
    """Corners of the setting included: the search is free to go to any basis bias, intensities or shares."""
    found = best("variable-length", fixed={**link, "receiver": receiver})
    check(found.key)
    assert found.key.key_bits == 0


@pytest.mark.parametrize("receiver", list(SETTINGS))
def test_corners_of_the_setting_give_no_more_than_the_optimum(receiver: str) -> None:
    link = {"pulses": 1e11, "transmittance": 1e-3, "p_noise": 1e-7, "misalignment": 0.005, "receiver": receiver}
    top = best("variable-length", fixed=link).key.key_bits
    assert top > 1_000_000
    name = "disclosure" if receiver == "symmetric-passive" else "p_test_basis"
    corners: list[dict[str, Any]] = [
        {name: (1e-5, 1e-4)},
        {name: (0.98, 0.99)},
        {"intensities": ((1.9, 2.0), None, None)},
    ]
    for bounds in corners:
        found = best("variable-length", fixed=link, bounds=bounds)
        check(found.key)
        assert found.key.key_bits < top
    close = best("variable-length", fixed={**link, "intensities": (0.7, 0.98 * 0.7, 0.0)})  # decoy = signal, nearly
    check(close.key)
    assert close.key.key_bits < top


@pytest.mark.parametrize("errors", [0, 1, 5])
@pytest.mark.parametrize("singles", [10, 100, 1000, 3000])
def test_phase_error_is_never_below_the_exact_bound(errors: int, singles: int) -> None:
    """The step from the test errors to the key is the library's hypergeometric tail: the smallest count below eps."""
    population, key = 50 * singles, 49 * singles
    eps = arithmetic.epsilon_per_bound(1e-8, arithmetic.bound_count("active", "reduced", 20))
    marked = _tail_kernels.marked_threshold(float(population), float(singles), float(errors), math.log(eps))
    tail = hypergeom.cdf(errors, population, int(marked), singles)
    before = hypergeom.cdf(errors, population, int(marked) - 1, singles)
    assert tail <= eps * (1 + 1e-6) < before * (1 + 2e-6) or marked > population
    assert (marked - errors) / key > 0.0


def test_a_key_never_needs_a_clamp() -> None:
    """Random links and settings: what is reported never exceeds what an infinite block would give."""
    rng = np.random.default_rng(11)
    for _ in range(40):
        link = {
            "transmittance": 10 ** -rng.uniform(1.0, 6.0),
            "p_noise": 10 ** -rng.uniform(5.0, 9.0),
            "misalignment": rng.uniform(0.0, 0.1),
        }
        for receiver, options in SETTINGS.items():
            key = variable_length.key_length(
                receiver=receiver, pulses=10 ** rng.uniform(6, 13), **link, **SOURCE, **options
            )
            check(key)
            if key.key_bits:
                more = variable_length.key_length(receiver=receiver, pulses=1e15, **link, **SOURCE, **options)
                assert key.key_bits / key.parameters["pulses"] < more.key_bits / 1e15
