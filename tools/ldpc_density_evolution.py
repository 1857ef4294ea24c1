"""Density evolution of irregular low-density parity-check ensembles on the binary symmetric channel.

Densities of log-likelihood ratios are symmetric, so a density is a mixture of binary symmetric channels and a check
node only needs magnitudes: with y = -log tanh(|L| / 2) the magnitudes of its inputs add up (Richardson, Urbanke,
*Modern Coding Theory*, ch. 4). Both domains are uniform grids; a value between two points is shared between them so
that its mean is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LLR_MAX = 25.0
LLR_POINTS = 1025
"""Points of the positive half of the grid, zero included."""

PHI_MAX = 7.0
PHI_POINTS = 3500
"""Step 0.002: a reliability beyond 7.6 cannot be told from 7.6, which matters for the last 1e-3 of the errors only."""


def binary_entropy(p: float) -> float:
    """Binary entropy. [bit]"""
    return -(p * math.log2(p) + (1.0 - p) * math.log2(1.0 - p))


def qber_of_entropy(entropy: float) -> float:
    """Smaller argument that has the binary entropy ``entropy``."""
    low, high = 1e-9, 0.5
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if binary_entropy(middle) < entropy else (low, middle)
    return 0.5 * (low + high)


def _shared(position: Array, size: int) -> tuple[NDArray[np.int64], Array]:
    """Lower neighbour and the share of the upper one, for positions in grid steps, ends included."""
    position = np.clip(position, 0.0, size - 1.0)
    lower = np.minimum(position.astype(np.int64), size - 2)
    return lower, position - lower


def _spread(mass: Array, place: tuple[NDArray[np.int64], Array], size: int) -> Array:
    lower, share = place
    return np.bincount(lower, mass * (1.0 - share), size) + np.bincount(lower + 1, mass * share, size)


@cache
def _grids() -> tuple[Array, tuple[NDArray[np.int64], Array], tuple[NDArray[np.int64], Array]]:
    llr = np.linspace(0.0, LLR_MAX, LLR_POINTS)
    step = PHI_MAX / (PHI_POINTS - 1)
    phi = -np.log(np.tanh(0.5 * np.maximum(llr, 1e-3)))
    y = step * np.arange(PHI_POINTS)
    y[0] = 0.25 * step  # what lies in the lowest cell has a reliability, not certainty
    back = -np.log(np.tanh(0.5 * y))
    back[-1] = 0.0
    return llr, _shared(phi / step, PHI_POINTS), _shared(back / (LLR_MAX / (LLR_POINTS - 1)), LLR_POINTS)


def _product(a: Array, b: Array) -> Array:
    """Distribution of the sum on the reliability grid; what exceeds it is no information: the last point."""
    full = np.fft.irfft(np.fft.rfft(a, 2 * PHI_POINTS) * np.fft.rfft(b, 2 * PHI_POINTS), 2 * PHI_POINTS)
    out = np.maximum(full[:PHI_POINTS], 0.0)
    out[-1] += max(1.0 - out.sum(), 0.0)
    return out


def _power(a: Array, exponent: int) -> Array:
    result = None
    while exponent:
        if exponent & 1:
            result = a if result is None else _product(result, a)
        exponent >>= 1
        if exponent:
            a = _product(a, a)
    assert result is not None
    return result


def check_node(magnitudes: Array, check_degrees: Mapping[int, float]) -> Array:
    """Magnitudes after check nodes; ``check_degrees`` are edge fractions by degree."""
    _, to_phi, to_llr = _grids()
    y = _spread(magnitudes, to_phi, PHI_POINTS)
    lowest = min(check_degrees)
    base = _power(y, lowest - 1)
    mixed = np.zeros(PHI_POINTS)
    for degree, fraction in sorted(check_degrees.items()):
        if degree > lowest + 1:
            base = _product(base, _power(y, degree - lowest))
        elif degree > lowest:
            base = _product(base, y)
        lowest = degree
        mixed += fraction * base
    return _spread(mixed, to_llr, LLR_POINTS)


def _signed(magnitudes: Array) -> Array:
    """Symmetric density on -LLR_MAX..LLR_MAX from its magnitudes."""
    llr, _, _ = _grids()
    positive = magnitudes / (1.0 + np.exp(-llr))
    positive[0] = magnitudes[0]
    negative = magnitudes - positive
    return np.concatenate([negative[:0:-1], positive])


def _magnitudes(signed: Array) -> Array:
    half = LLR_POINTS - 1
    out = signed[half:].copy()
    out[1:] += signed[half - 1 :: -1] if half else 0.0
    return np.maximum(out, 0.0)


def _added(a: Array, b: Array) -> Array:
    """Density of a sum of two messages, its ends clipped to the grid."""
    size = 4 * LLR_POINTS
    full = np.fft.irfft(np.fft.rfft(a, size) * np.fft.rfft(b, size), size)[: 4 * LLR_POINTS - 3]
    half = LLR_POINTS - 1
    out = full[half : 3 * half + 1].copy()
    out[0] += full[:half].sum()
    out[-1] += full[3 * half + 1 :].sum()
    return np.maximum(out, 0.0)


def channel_density(qber: float) -> Array:
    """Density of the channel's log-likelihood ratio."""
    position = np.array([math.log((1.0 - qber) / qber) / LLR_MAX * (LLR_POINTS - 1)])
    return _signed(_spread(np.ones(1), _shared(position, LLR_POINTS), LLR_POINTS))


def entropy(signed: Array) -> float:
    """Conditional entropy of a bit given its log-likelihood ratio, by which progress is measured. [bit]

    The error rate would not do: two-level inputs are not turned by the first, weak messages.
    """
    return float(signed @ _entropy_weights())


@cache
def _entropy_weights() -> Array:
    half = LLR_POINTS - 1
    return np.logaddexp(0.0, -np.linspace(-LLR_MAX, LLR_MAX, 2 * half + 1)) / math.log(2.0)


def variable_powers(channel: Array, message: Array, degrees: list[int]) -> dict[int, Array]:
    """Densities leaving variable nodes of the given degrees: channel plus (degree - 1) messages."""
    out: dict[int, Array] = {}
    powers = {1: message}

    def power(k: int) -> Array:
        if k not in powers:
            powers[k] = _added(power(k // 2), power(k - k // 2))
        return powers[k]

    for degree in degrees:
        out[degree] = _added(channel, power(degree - 1))
    return out


@dataclass(frozen=True)
class Trajectory:
    """Course of a density evolution: entropies into, and by degree out of, every iteration."""

    converged: bool
    before: Array
    by_degree: Array


def stability(qber: float, variable_degrees: Mapping[int, float], check_degrees: Mapping[int, float]) -> float:
    """Growth of few errors per iteration, below 1 if they die out."""
    growth = sum(fraction * (degree - 1) for degree, fraction in check_degrees.items())
    return variable_degrees.get(2, 0.0) * growth * 2.0 * math.sqrt(qber * (1.0 - qber))


def evolve(
    qber: float, variable_degrees: Mapping[int, float], check_degrees: Mapping[int, float], *,
    record: list[int] | None = None, target: float = 5e-3, iterations: int = 1500, stall: float = 2e-4,
) -> Trajectory:  # fmt: skip
    """Density evolution; degrees are edge fractions. ``record``: degrees whose entropies are kept.

    Converged: ``target`` of the channel's entropy is left, and the fixed point without errors is stable.
    """
    channel = channel_density(qber)
    present = [degree for degree, fraction in variable_degrees.items() if fraction > 0.0]
    signed, before, rows = channel, [], []
    rate, converged = entropy(channel), False
    target *= rate
    for _ in range(iterations):
        message = _signed(check_node(_magnitudes(signed), check_degrees))
        out = variable_powers(channel, message, sorted(set(present) | set(record or [])))
        if record:
            before.append(rate)
            rows.append([entropy(out[degree]) for degree in record])
        signed = sum(variable_degrees[degree] * out[degree] for degree in present)  # type: ignore[assignment]
        signed = _signed(_magnitudes(signed / signed.sum()))
        new = entropy(signed)
        if new < target:
            converged = stability(qber, variable_degrees, check_degrees) < 1.0
            break
        if new > rate * (1.0 - stall):
            break
        rate = new
    return Trajectory(converged, np.array(before), np.array(rows))


def edge_fractions(node_fractions: Mapping[int, float]) -> dict[int, float]:
    """Edge perspective of node fractions."""
    total = sum(degree * fraction for degree, fraction in node_fractions.items())
    return {degree: degree * fraction / total for degree, fraction in node_fractions.items()}


def concentrated(mean_degree: float) -> dict[int, float]:
    """Edge fractions of checks whose degrees are the two integers next to their mean."""
    low = math.floor(mean_degree)
    return edge_fractions({low: low + 1 - mean_degree, low + 1: mean_degree - low})


def threshold_qber(
    node_fractions: Mapping[int, float], rows_per_column: float, *, check_degrees: Mapping[int, float] | None = None,
    accuracy: float = 2e-3,
) -> float:  # fmt: skip
    """Largest QBER at which the ensemble decodes."""
    edges = sum(degree * fraction for degree, fraction in node_fractions.items())
    checks = check_degrees or concentrated(edges / rows_per_column)
    high = qber_of_entropy(rows_per_column)
    low = 0.3 * high
    lam = edge_fractions(node_fractions)
    while high - low > accuracy * low:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if evolve(middle, lam, checks).converged else (low, middle)
    return low
