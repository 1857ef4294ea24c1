"""Goals that join the stations' bits: the linear programs' side of traffic and max-min schedules."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from satqkd.planning._exchange import SMALLEST_SHARE, TOTAL
from satqkd.planning.divergence import divergence_cut, kl_divergence

__all__ = ["MaxMin", "Traffic"]

Floats = NDArray[np.float64]


@dataclass
class Traffic:
    """Most bits with a divergence from the weights of at most ``kl_max``."""

    weights: Floats
    kl_max: float
    rows: list[Floats] = field(default_factory=list)
    """Cuts: coefficients of the stations' bits, then of the auxiliary variable; at most 0."""

    kind = TOTAL
    bits_cost = 1.0
    auxiliary_cost = 0.0

    def value(self, bits: Floats) -> float:
        """Total, or -inf if the schedule is not allowed. [bit]"""
        total = float(bits.sum())
        return total if total > 0.0 and kl_divergence(bits, self.weights) <= self.kl_max else -np.inf

    def separate(self, bits: Floats) -> bool:
        """Add the cut that these bits violate; False if there is none to speak of."""
        if bits.sum() <= 0.0:
            return False
        cut = divergence_cut(bits, self.weights, self.kl_max)
        violated = bool(cut @ bits > 1e-9 * bits.sum())
        if violated:
            self.rows.append(np.append(cut, 0.0))
        return violated

    def prices(self, duals: Floats) -> Floats:
        """Worth of a bit of each station that makes the priced optimum a bound, from the duals of the rows."""
        duals = np.maximum(duals, 0.0)
        return 1.0 - np.array(self.rows)[:, :-1].T @ duals if len(duals) else np.ones(len(self.weights))

    def penalty(self, duals: Floats) -> float:
        """Worth of the constraint to the annealing, in bits per bit of violation."""
        return 1.5 * float(np.maximum(duals, 0.0).sum()) + 1e-3


@dataclass
class MaxMin:
    """Most usable key: the largest t with t q_n bits for every station."""

    weights: Floats
    rows: list[Floats] = field(init=False)
    """One per station of positive weight: q_n t - E_n at most 0."""

    kind = SMALLEST_SHARE
    kl_max = 0.0
    bits_cost = 0.0
    auxiliary_cost = 1.0

    def __post_init__(self) -> None:
        served = np.flatnonzero(self.weights > 0.0)
        self.rows = [np.append(-np.eye(len(self.weights))[n], self.weights[n]) for n in served]

    def value(self, bits: Floats) -> float:
        """Smallest of the bits per weight. [bit]"""
        served = self.weights > 0.0
        return float(np.min(bits[served] / self.weights[served]))

    def separate(self, bits: Floats) -> bool:
        """No cuts are missing."""
        return False

    def prices(self, duals: Floats) -> Floats:
        """Worth of a bit of each station that makes the priced optimum a bound, from the duals of the rows."""
        duals = np.maximum(duals, 0.0)
        served = self.weights > 0.0
        prices = np.zeros(len(self.weights))
        share = float(duals @ self.weights[served])
        # Prices whose sum with the weights is one; equal ones while the program has none.
        prices[served] = duals / share if share > 0.0 else 1.0
        return prices

    def penalty(self, duals: Floats) -> float:
        """Weight of the priced total, which guides the annealing where the minimum is flat; fitted to one table."""
        return 3.0
