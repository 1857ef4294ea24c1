"""Intensities of measurement-device-independent QKD that follow a pass: optimised per time slot.

Both senders have intensities of their own, and one set of them serves a slot in which the links change.
:func:`optimise_rates` is for the limit of infinitely many pulses, with any decoy method; finite keys, where a slot is a
block, are :func:`optimise_keys`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.security._mdi_checks import in_range
from satqkd.security._mdi_searches import RateSearch, ratios, search
from satqkd.security.mdi import DECOYS, key_rate
from satqkd.security.mdi_keys import KeyPlan, check_limits, optimise_keys
from satqkd.security.slots import check_pass, slot_edges

__all__ = [
    "READINGS",
    "KeyPlan",
    "RatePlan",
    "compare_slots",
    "optimise_keys",
    "optimise_rates",
    "rates_of",
    "slot_edges",
]

Array = NDArray[np.float64]


def every_instant(transmittance: Array) -> Array:
    """All instants of the slot: the sum of their rates is maximised.

    Parameters
    ----------
    transmittance : ndarray
        Transmittances of a slot. [1]

    Returns
    -------
    ndarray
        The same. [1]
    """
    return transmittance


def mean_transmittance(transmittance: Array) -> Array:
    """One link with the slot's mean transmittance.

    Parameters
    ----------
    transmittance : ndarray
        Transmittances of a slot. [1]

    Returns
    -------
    ndarray
        One transmittance. [1]
    """
    return np.array([transmittance.mean()])


def mean_loss(transmittance: Array) -> Array:
    """One link with the slot's mean loss in dB.

    Parameters
    ----------
    transmittance : ndarray
        Transmittances of a slot. [1]

    Returns
    -------
    ndarray
        One transmittance. [1]
    """
    if not bool(np.all(transmittance > 0.0)):
        return np.zeros(1)
    return np.asarray(np.exp([np.log(transmittance).mean()]))


READINGS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"sum": every_instant, "mean-transmittance": mean_transmittance, "mean-loss": mean_loss}
)
"""What the intensities of a slot are optimised for, by name: from the slot's transmittances to those of the search."""


@dataclass(frozen=True, slots=True)
class RatePlan:
    """Intensities per slot, and what they give at every instant.

    Attributes
    ----------
    edges : ndarray of int
        First instant of every slot, and the number of instants.
    intensities_a, intensities_b : ndarray
        One row per slot: (mu,) or (mu, nu); the vacuum is left out. [1]
    rate : ndarray
        Key rate at every instant with its slot's intensities, never negative. [bit per pulse pair]
    slot_bits : ndarray
        Rate times pulses, summed over the instants of a slot: a limit of infinitely many pulses. [bit]
    decoy, reading : str
        Decoy method; what the intensities were optimised for.
    evaluations : int
        Evaluations of a slot's rate.
    """

    edges: NDArray[np.int64]
    intensities_a: Array
    intensities_b: Array
    rate: Array
    slot_bits: Array
    decoy: str
    reading: str
    evaluations: int

    @property
    def total_bits(self) -> float:
        """Sum over the pass. [bit]"""
        return float(self.slot_bits.sum())

    def lost(self, reference: RatePlan) -> float:
        """Share of another plan's total that this one gives away.

        Parameters
        ----------
        reference : RatePlan
            The plan to compare with, such as the one with the shortest slots.

        Returns
        -------
        float
            One less the quotient of the totals; 0 if the other plan has no key either. [1]
        """
        return 1.0 - self.total_bits / reference.total_bits if reference.total_bits > 0.0 else 0.0


def rates_of(
    transmittance_a: ArrayLike,
    transmittance_b: ArrayLike,
    *,
    intensities_a: Sequence[ArrayLike],
    intensities_b: Sequence[ArrayLike],
    pulses_per_s: float,
    p_dark: float,
    misalignment: float,
    f_ec: float = 1.16,
    mode_overlap: float = 1.0,
    decoy: str = "infinite",
    step_s: float = 1.0,
) -> RatePlan:
    """Rates of a pass with one setting throughout.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        Whole links' transmittances at the instants of the pass, shape (n,). [1]
    intensities_a, intensities_b : sequence of float
        ``(mu,)`` or ``(mu, nu, 0.0)``. [1]
    pulses_per_s : float
        Pulse pairs per second. [1/s]
    p_dark, misalignment, f_ec, mode_overlap, decoy
        As in :func:`satqkd.security.mdi.key_rate`.
    step_s : float
        Time between instants. [s]

    Returns
    -------
    RatePlan
        One slot, the pass.

    Raises
    ------
    InputError
        If a value is outside its range, the pass is empty, or intensities are not in order.
    """
    eta_a, eta_b = check_pass(transmittance_a, transmittance_b, pulses_per_s, step_s)
    found = key_rate(
        eta_a, eta_b, intensities_a=intensities_a, intensities_b=intensities_b, p_dark=p_dark,
        misalignment=misalignment, f_ec=f_ec, mode_overlap=mode_overlap, decoy=decoy,
    )  # fmt: skip
    level_a, level_b = (
        np.array([[float(np.asarray(level)) for level in side[:2]]]) for side in (intensities_a, intensities_b)
    )
    edges = np.array([0, eta_a.size])
    bits = np.array([found.rate.sum() * pulses_per_s * step_s])
    return RatePlan(edges, level_a, level_b, found.rate, bits, decoy, "fixed", 0)


def optimise_rates(
    transmittance_a: ArrayLike,
    transmittance_b: ArrayLike,
    *,
    pulses_per_s: float,
    p_dark: float,
    misalignment: float,
    f_ec: float = 1.16,
    mode_overlap: float = 1.0,
    decoy: str = "infinite",
    slot_s: float | None = 1.0,
    step_s: float = 1.0,
    reading: str = "sum",
    design: tuple[ArrayLike, ArrayLike] | None = None,
    limits: tuple[float, float] = (1e-4, 2.0),
    weakest: float = 1e-3,
) -> RatePlan:
    """Intensities of both senders in every time slot with the largest asymptotic key.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        Whole links' transmittances at the instants of the pass, shape (n,). [1]
    pulses_per_s : float
        Pulse pairs per second. [1/s]
    p_dark, misalignment, f_ec, mode_overlap : float
        As in :func:`satqkd.security.mdi.key_rate`. [1]
    decoy : {"infinite", "three-intensity", "linear-program"}
        Method of :data:`satqkd.security.mdi.DECOYS`.
    slot_s : float or None
        Length of a slot, a multiple of ``step_s``; the last one may be shorter. None: the whole pass. [s]
    step_s : float
        Time between instants. [s]
    reading : {"sum", "mean-transmittance", "mean-loss"}
        What a slot's intensities are optimised for (:data:`READINGS`): the sum of the rates of its instants, or one
        representative link. The rates are those of the instants in any case.
    design : tuple of array_like, optional
        Transmittances of a and b, one per slot, to optimise the intensities for instead of ``reading``: such as those
        at the slot's mean distance.
    limits : tuple of float
        Least and largest signal intensity. [1]
    weakest : float
        Least ratio of decoy to signal, from 1e-6 to 0.5. [1]

    Returns
    -------
    RatePlan
        Intensities, rates and totals.

    Raises
    ------
    InputError
        If a value is outside its range, the pass is empty, or a slot is longer than the pass.

    Notes
    -----
    A slot's instants without a key count as 0. Every slot starts from its neighbour's optimum, the first one from
    several. With decoys of infinitely many pulses the weaker is the better: the optimum leans on ``weakest``, and only
    a finite key (:func:`optimise_keys`) has a best decoy.

    Examples
    --------
    >>> eta_a, eta_b = np.geomspace(1e-3, 4e-3, 6), np.geomspace(3e-3, 1e-3, 6)
    >>> plan = optimise_rates(eta_a, eta_b, pulses_per_s=1e9, p_dark=1e-7, misalignment=0.015, slot_s=2.0)
    >>> plan.edges.tolist(), bool((plan.intensities_a[:, 0] > plan.intensities_b[:, 0])[0])
    ([0, 2, 4, 6], True)
    """
    eta_a, eta_b = check_pass(transmittance_a, transmittance_b, pulses_per_s, step_s)
    edges = slot_edges(eta_a.size, slot_s, step_s)
    if decoy not in DECOYS:
        raise InputError(f"decoy = {decoy!r}: must be one of {', '.join(DECOYS)}")
    receiver: dict[str, Any] = {
        "p_dark": p_dark, "misalignment": misalignment, "mode_overlap": mode_overlap, "f_ec": f_ec,
    }  # fmt: skip
    key_rate(1.0, 1.0, intensities_a=(1.0,), intensities_b=(1.0,), **receiver)  # checks the receiver
    check_limits(limits, weakest)
    designs = _designs(eta_a, eta_b, edges, reading, design)
    analysis, near, evaluations = RateSearch(decoy, receiver, limits, weakest), None, 0
    levels: list[tuple[list[float], list[float]]] = []
    for a, b in designs:
        found = search(analysis, {"eta_a": a, "eta_b": b}, near)
        evaluations += found.evaluations
        setting = found.parameters
        near = setting if found.objective_bits > 0.0 else None
        levels.append(_levels(setting, weakest))
    sides = [np.array([slot[side] for slot in levels]) for side in (0, 1)]
    slot_of = np.repeat(np.arange(edges.size - 1), np.diff(edges))
    per_instant: list[tuple[Any, ...]] = [
        (*(side[slot_of, k] for k in range(side.shape[1])), *((0.0,) if side.shape[1] > 1 else ())) for side in sides
    ]
    rates = key_rate(
        eta_a, eta_b, intensities_a=per_instant[0], intensities_b=per_instant[1], decoy=decoy, **receiver
    ).rate  # fmt: skip
    bits = np.add.reduceat(rates, edges[:-1]) * pulses_per_s * step_s
    return RatePlan(edges, sides[0], sides[1], rates, bits, decoy, reading if design is None else "design", evaluations)


def compare_slots(
    transmittance_a: ArrayLike,
    transmittance_b: ArrayLike,
    *,
    slots_s: Sequence[float | None] = (1.0, 5.0, 10.0, 15.0, 20.0, 25.0, None),
    **settings: Any,
) -> dict[float | None, RatePlan]:
    """Plans of one pass with slots of several lengths.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        As in :func:`optimise_rates`. [1]
    slots_s : sequence of float or None
        Lengths of the slots; None: the whole pass. [s]
    **settings
        Everything else that :func:`optimise_rates` takes.

    Returns
    -------
    dict of float or None to RatePlan
        Plan by length of slot; ``plan.lost(plans[1.0])`` is what slower updates give away.

    Raises
    ------
    InputError
        As :func:`optimise_rates`.
    """
    return {slot: optimise_rates(transmittance_a, transmittance_b, slot_s=slot, **settings) for slot in slots_s}


def _designs(
    eta_a: Array, eta_b: Array, edges: NDArray[np.int64], reading: str, design: tuple[ArrayLike, ArrayLike] | None
) -> list[tuple[Array, Array]]:
    """Transmittances that every slot's intensities are optimised for."""
    count = edges.size - 1
    if design is not None:
        given = [np.asarray(in_range(f"design[{k}]", side, 0.0, 1.0)).ravel() for k, side in enumerate(design)]
        for k, side in enumerate(given):
            if side.size != count:
                raise InputError(f"design[{k}] has {side.size} values: must be one per slot ({count})")
        return [(given[0][k : k + 1], given[1][k : k + 1]) for k in range(count)]
    if reading not in READINGS:
        raise InputError(f"reading = {reading!r}: must be one of {', '.join(READINGS)}")
    pick = READINGS[reading]
    return [(pick(eta_a[i:j]), pick(eta_b[i:j])) for i, j in pairwise(edges.tolist())]


def _levels(setting: Mapping[str, float], weakest: float) -> tuple[list[float], list[float]]:
    mu_a, mu_b = setting["mu_a"], setting["mu_b"]
    if "ratio" not in setting:
        return [mu_a], [mu_b]
    ratio_a, ratio_b = ratios(setting["ratio"], setting["balance"], weakest)
    return [mu_a, ratio_a * mu_a], [mu_b, ratio_b * mu_b]
