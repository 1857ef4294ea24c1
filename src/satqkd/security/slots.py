"""Time slots of a pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.security._mdi_checks import in_range

__all__ = ["check_pass", "slot_edges"]

Array = NDArray[np.float64]


def slot_edges(instants: int, slot_s: float | None, step_s: float = 1.0) -> NDArray[np.int64]:
    """First instant of every slot, and the number of instants.

    Parameters
    ----------
    instants : int
        Equally spaced instants of the pass, each standing for ``step_s``. [1]
    slot_s : float or None
        Length of a slot, a whole multiple of ``step_s``; the last slot may be shorter. None: the whole pass. [s]
    step_s : float
        Time between instants. [s]

    Returns
    -------
    ndarray of int
        Edges, shape (slots + 1,).

    Raises
    ------
    InputError
        If the pass is empty, the slot longer than the pass, or no multiple of the step.

    Examples
    --------
    >>> slot_edges(12, 5.0).tolist(), slot_edges(12, None).tolist()
    ([0, 5, 10, 12], [0, 12])
    """
    if instants < 1:
        raise InputError("the pass is empty: it needs at least one instant in common view")
    if not step_s > 0.0:
        raise InputError(f"step_s = {step_s!r}: must be above 0")
    if slot_s is None:
        return np.array([0, instants])
    length = slot_s / step_s
    whole = round(length) if np.isfinite(length) else 0
    if whole < 1 or abs(length - whole) > 1e-9 * whole:
        raise InputError(f"slot_s = {slot_s!r}: must be a whole multiple of the step, {step_s:g} s")
    if whole > instants:
        raise InputError(f"slot_s = {slot_s!r}: longer than the pass, {instants * step_s:g} s")
    return np.append(np.arange(0, instants, whole), instants)


def check_pass(
    transmittance_a: ArrayLike, transmittance_b: ArrayLike, pulses_per_s: float, step_s: float
) -> tuple[Array, Array]:
    """Transmittances of both links at the instants of a pass.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        Transmittances, shape (n,) or one number for all. [1]
    pulses_per_s : float
        Pulse pairs per second, at least one in a step. [1/s]
    step_s : float
        Time between instants. [s]

    Returns
    -------
    tuple of ndarray
        Both, shape (n,).

    Raises
    ------
    InputError
        If the pass is empty, there are no pulses, or a value is outside its range.
    """
    sides = [
        np.atleast_1d(in_range(name, value, 0.0, 1.0))
        for name, value in (("transmittance_a", transmittance_a), ("transmittance_b", transmittance_b))
    ]
    for name, side in zip(("transmittance_a", "transmittance_b"), sides, strict=True):
        if side.ndim != 1:
            raise InputError(f"{name} has {side.ndim} dimensions: must be one value per instant")
        if side.size == 0:
            raise InputError(f"{name} is empty: the pass needs at least one instant in common view")
    count = max(side.size for side in sides)
    for name, side in zip(("transmittance_a", "transmittance_b"), sides, strict=True):
        if side.size not in (1, count):
            raise InputError(f"{name} has {side.size} values: must be one per instant ({count})")
    if not step_s > 0.0:
        raise InputError(f"step_s = {step_s!r}: must be above 0")
    if not 1.0 <= pulses_per_s * step_s <= 1e18:
        raise InputError(f"pulses_per_s = {pulses_per_s!r}: must give between 1 and 1e+18 pulse pairs in {step_s:g} s")
    return np.broadcast_to(sides[0], (count,)).copy(), np.broadcast_to(sides[1], (count,)).copy()
