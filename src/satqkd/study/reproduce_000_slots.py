"""Totals of a pass with intensities that follow it: Fig. 10 of Wang, Dong et al., and what finite keys leave of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.security.mdi_optimise import RatePlan, optimise_keys, optimise_rates, rates_of, slot_edges
from satqkd.study.reproduce_000_link import loss_db, wide_pass
from satqkd.study.reproduction import Table

__all__ = ["DECOYS", "PULSES_PER_S", "P_DARK", "SLOTS_S", "finite_keys", "finite_totals", "fixed", "near", "optimised",
           "totals"]  # fmt: skip

Array = NDArray[np.float64]

PULSES_PER_S: Final = 1e14
"""Pulse pairs per second of the paper: "a finite data set N = 10^14 every second"."""

SLOTS_S: Final = (1.0, 5.0, 10.0, 15.0, 20.0, 25.0, None)
"""Lengths of the slots of Fig. 10, and the whole pass. [s]"""

DECOYS: Final[Mapping[str, tuple[float, ...]]] = {"infinite": (0.5,), "three-intensity": (0.5, 0.1, 0.0)}
"""Decoy method -> the paper's fixed intensities."""

P_DARK: Final = 3e-6
"""Y_0 of Table I, read as that of one detector. [1]"""

_MISALIGNMENT: Final = 0.015
_LINK: Final[dict[str, Any]] = {"p_dark": P_DARK, "misalignment": _MISALIGNMENT}


@cache
def fixed(decoy: str) -> RatePlan:
    """The pass with the paper's fixed intensities."""
    levels = DECOYS[decoy]
    return rates_of(*wide_pass().transmittance.values, intensities_a=levels, intensities_b=levels, decoy=decoy,
                    pulses_per_s=PULSES_PER_S, **_LINK)  # fmt: skip


@cache
def optimised(decoy: str, slot_s: float | None, *, at_mean_length: bool = False) -> RatePlan:
    """The pass with intensities optimised once per slot.

    Parameters
    ----------
    decoy : str
        A name of :data:`DECOYS`.
    slot_s : float or None
        Length of a slot; None: the whole pass. [s]
    at_mean_length : bool
        Whether the intensities are those for the mean distance of the slot, as the paper says; default: those with the
        largest sum of the rates.

    Returns
    -------
    RatePlan
        Rates of every second.
    """
    link = wide_pass()
    design = None
    if at_mean_length:
        edges = slot_edges(link.sizes["time"], slot_s, 1.0)
        means = [
            np.add.reduceat(link[name].values, edges[:-1], axis=1) / np.diff(edges)
            for name in ("slant_range", "elevation")
        ]
        eta = 10.0 ** (-0.1 * loss_db(*means, reading="14 µrad, air fitted", radii_m=(0.065, 1.2)))
        design = (eta[0], eta[1])
    return optimise_rates(*link.transmittance.values, slot_s=slot_s, decoy=decoy, pulses_per_s=PULSES_PER_S,
                          design=design, **_LINK)  # fmt: skip


def totals() -> Table:
    """Fig. 10: totals with fixed and with optimised intensities."""
    rows: list[dict[str, Any]] = []
    for decoy in DECOYS:
        best = optimised(decoy, SLOTS_S[0])
        rows.append({"decoys": decoy, "slot": "never: 0.5, 0.1", "total_bits": fixed(decoy).total_bits})
        for slot in SLOTS_S:
            plan = optimised(decoy, slot)
            mean = optimised(decoy, slot, at_mean_length=True)
            rows.append(
                {
                    "decoys": decoy,
                    "slot": "pass" if slot is None else f"{slot:g} s",
                    "total_bits": plan.total_bits,
                    "lost_percent": 100.0 * plan.lost(best),
                    "total_at_mean_length_bits": mean.total_bits,
                }
            )
    note = (
        "Rates of infinitely many pulses times 1e14 pulse pairs per second, R_r = 1.2 m, 14 µrad, fitted air. Printed: "
        "1.9508e8 bits with 1 s, almost two orders of magnitude more than fixed. total_at_mean_length: intensities for "
        "the mean distance of a slot, as the paper does it."
    )
    return Table("fig10", "Fig. 10: totals of a pass", "slot", "decoys", tuple(rows), printed=True, note=note)


@cache
def finite_keys(pulses_per_s: float, p_dark: float) -> int:
    """Finite key of the best part of the same pass as one block, intensities and probabilities optimised.

    Parameters
    ----------
    pulses_per_s : float
        Pulse pairs per second. [1/s]
    p_dark : float
        Click probability of one detector without light. [1]

    Returns
    -------
    int
        Length, of the seconds whose sum of losses is within 1 dB of the least. [bit]
    """
    eta = wide_pass().transmittance.values[:, near()]
    plan = optimise_keys(*eta, slot_s=None, pulses_per_s=pulses_per_s, p_dark=p_dark, misalignment=_MISALIGNMENT)
    return int(plan.total_bits)


def near() -> NDArray[np.bool_]:
    """Seconds whose sum of losses is within 1 dB of the least: the rest of the pass adds more errors than key."""
    loss = wide_pass().loss_sum_db.values
    return np.asarray(loss <= loss.min() + 1.0)


def finite_totals() -> Table:
    """What a finite key of the pass is, by source and dark counts."""
    seconds = int(near().sum())
    rows = tuple(
        {"p_dark": dark, "pulses_per_s": rate, "pulse_pairs": rate * seconds, "key_bits": finite_keys(rate, dark)}
        for dark in (3e-6, 1e-7)
        for rate in (1e9, 1e12, 1e13, 1e14, 1e15)
    )
    note = (
        f"eps_secrecy 1e-9, eps_correctness 1e-12; the {seconds} s within 1 dB of the least loss as one block, every "
        "setting optimised."
    )
    return Table("finite", "Finite key of the same pass", "", "", rows, printed=True, note=note)
