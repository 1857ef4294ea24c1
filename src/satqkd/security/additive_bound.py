r"""Upper bound on the finite key of any part of a block, as a sum over its time slots.

A finite key is no sum over time: fluctuations grow with the square root of the counts and some bits are paid once
per block. A planner needs something that adds up, to prove how good a plan is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security._lim2014 import Setup, check
from satqkd.security.decoy import single_errors_upper, single_lower, vacuum_lower
from satqkd.security.entropy import binary_entropy

__all__ = ["additive_upper_bound", "counts_of", "key_of_counts"]

Floats = NDArray[np.float64]

_CONCAVE = ("chernoff", "chernoff-implicit")
"""Bounds whose width is a concave function of the count alone."""

_FACTOR_OF_LEAKAGE = ("achievable", "block", "satquma")
"""Leakages that are never below f n h(Q); all others are never below n h(Q)."""


def counts_of(row: Floats) -> SiftedCounts:
    """Counts from an array of shape (4, 3): n_key, n_test, m_key, m_test by intensity."""
    return SiftedCounts(*(tuple(part) for part in row.tolist()))


def key_of_counts(row: Floats, setup: Setup) -> float:
    """Un-clamped key of a block with counts of shape (4, 3). [bit]"""
    from satqkd.security._lim2014 import analyse

    return analyse(counts_of(row), setup).raw_total


def additive_upper_bound(
    counts: ArrayLike,
    *,
    intensities: Sequence[float],
    intensity_probabilities: Sequence[float],
    eps_correctness: float = 1e-15,
    eps_secrecy: float = 1e-9,
    bound: str = "chernoff",
    sampling: str = "exact-smooth",
    leakage: str = "achievable",
    f_ec: float = 1.16,
    largest: ArrayLike | None = None,
) -> tuple[Floats, float]:
    r"""Bits per slot whose sum over any slots is at least the key of a block of these slots.

    Parameters
    ----------
    counts : array_like, shape (n_slots, 4, 3)
        Expected ``n_key, n_test, m_key, m_test`` by intensity in each slot of the largest block. [1]
    intensities, intensity_probabilities, eps_correctness, eps_secrecy, bound, sampling, leakage, f_ec
        As in :func:`satqkd.security.lim2014.key_length`.
    largest : array_like, shape (4, 3), optional
        Counts that no block of interest exceeds; default: those of all the slots. A smaller block fluctuates more, so
        the bound is lower, and holds for sets of slots within these counts only. [1]

    Returns
    -------
    tuple
        ``(share, once)``: for every set S of slots, a block of the slots in S has a key of at most
        ``max(0, sum(share[S]) - once)``. A share may be negative. [bit]

    Raises
    ------
    InputError
        If a parameter is outside its range, or the counts have another shape.

    Notes
    -----
    Four steps, each on the safe side (here: upwards). (1) The width :math:`\delta(n)` of a Chernoff interval is
    concave in the count, so for a part of the block :math:`\delta(n) \ge \delta(N)\,n/N`, with *N* the largest block's
    count: bounds become linear in the counts. Other inequalities get width 0. (2) Clamps at zero are applied to
    each slot, which only raises the sums. (3) For any *r*,
    :math:`s_X[1-h(v/s_Z)] \le r\,s_Z[1-h(v/s_Z)] + \max(s_X - r s_Z, 0)`. The first term is convex and homogeneous,
    so at most the sum over the slots; the second counts as private. The sampling correction is left out.
    (4) :math:`n\,h(m/n)` is concave and homogeneous, so at least the sum over the slots.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 3 or table.shape[1:] != (4, 3):
        raise InputError(f"counts: shape {table.shape}, must be (n_slots, 4, 3)")
    setup = check(intensities, intensity_probabilities, eps_correctness, eps_secrecy, 1, bound, sampling, leakage, f_ec)
    if not len(table):
        return np.zeros(0), setup.constants
    n_key, n_test, m_key, m_test = (table[:, kind] for kind in range(4))
    whole = table.sum(axis=0) if largest is None else np.asarray(largest, dtype=np.float64)
    key_low, key_high = _linear_bounds(n_key, whole[0], setup)
    test_low, test_high = _linear_bounds(n_test, whole[1], setup)
    error_low, error_high = _linear_bounds(m_test, whole[3], setup)
    mu, tau = setup.intensities, setup.tau

    def singles(low: tuple[Floats, ...], high: tuple[Floats, ...]) -> tuple[Floats, Floats]:
        vacuum = np.maximum(vacuum_lower(low, high, mu, tau[0]), 0.0)  # type: ignore[arg-type]
        return vacuum, np.maximum(single_lower(low, high, vacuum, mu, tau), 0.0)  # type: ignore[arg-type]

    s0_key, s1_key = singles(key_low, key_high)
    _, s1_test = singles(test_low, test_high)
    errors = np.minimum(single_errors_upper(error_low, error_high, mu, tau[1]), m_test.sum(axis=1))  # type: ignore[arg-type]
    secret = s1_key if np.any(errors < 0.0) else _private_singles(s1_key, s1_test, errors)
    total = n_key.sum(axis=1)
    qber = np.divide(m_key.sum(axis=1), total, out=np.zeros_like(total), where=total > 0.0)
    factor = setup.f_ec if leakage in _FACTOR_OF_LEAKAGE else 1.0
    leak = factor * total * binary_entropy(np.minimum(qber, 0.5))
    return np.asarray(s0_key + secret - leak), setup.constants


def _private_singles(s1_key: Floats, s1_test: Floats, errors: Floats) -> Floats:
    """Bound on each slot's single-photon bits that stay private: step 3, for the ratio *r* that serves best."""
    known = s1_test > 0.0
    phase = np.divide(errors, s1_test, out=np.full_like(errors, 0.5), where=known)
    private = s1_test * (1.0 - binary_entropy(np.minimum(phase, 0.5)))
    if not known.any():
        return s1_key
    ratios = np.quantile(s1_key[known] / s1_test[known], np.linspace(0.0, 1.0, 21))
    choices = ratios[:, np.newaxis] * private + np.maximum(s1_key - ratios[:, np.newaxis] * s1_test, 0.0)
    return np.asarray(choices[np.argmin(choices.sum(axis=1))])


def _linear_bounds(counts: Floats, largest: Floats, setup: Setup) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Scaled lower and upper bounds of each slot, with its share of the whole block's fluctuation."""
    low, high = [], []
    for k, weight in enumerate(setup.weights):
        whole = float(largest[k])
        below, above = 0.0, 0.0
        if whole > 0.0 and setup.options["bound"] in _CONCAVE:
            minus, plus = setup.bound(whole, whole, setup.beta)
            below, above = minus / whole, plus / whole
        low.append(weight * counts[:, k] * (1.0 - below))
        high.append(weight * counts[:, k] * (1.0 + above))
    return tuple(low), tuple(high)
