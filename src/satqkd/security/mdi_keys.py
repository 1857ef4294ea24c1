"""Finite keys of a pass with measurement-device-independent QKD: settings optimised per block.

A block has one setting of intensities and probabilities, and its links may change within it. Slots of a pass are blocks
of their own: the decoy equations of a count have the photon-number distribution of one setting as coefficients, so that
counts of different settings cannot be added up. Longer slots fit the links less and fluctuate less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError
from satqkd.security._mdi_checks import LARGEST_INTENSITY, in_range
from satqkd.security._mdi_finite import key_length, prepare
from satqkd.security._mdi_searches import KeySearch, ratios, search
from satqkd.security.result import KeyLength
from satqkd.security.slots import check_pass, slot_edges

__all__ = ["KeyPlan", "check_limits", "optimise_keys"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """Settings and keys of the blocks of a pass.

    Attributes
    ----------
    edges : ndarray of int
        First instant of every block, and the number of instants.
    intensities_a, intensities_b : ndarray
        mu and nu of the X basis, one row per block. [1]
    signal_a, signal_b : ndarray
        Intensity of the Z basis, per block. [1]
    probabilities_a, probabilities_b : ndarray
        Probabilities of (mu, nu, 0) given X, one row per block. [1]
    p_z : ndarray
        Probability of Z, per block. [1]
    keys : tuple of KeyLength
        The exact key of every block.
    key_bits : ndarray
        Their lengths. [bit]
    evaluations : int
        Evaluations of a block's key.
    """

    edges: NDArray[np.int64]
    intensities_a: Array
    intensities_b: Array
    signal_a: Array
    signal_b: Array
    probabilities_a: Array
    probabilities_b: Array
    p_z: Array
    keys: tuple[KeyLength, ...]
    key_bits: Array
    evaluations: int

    @property
    def total_bits(self) -> float:
        """Sum over the pass. [bit]"""
        return float(self.key_bits.sum())


def optimise_keys(
    transmittance_a: ArrayLike,
    transmittance_b: ArrayLike,
    *,
    pulses_per_s: float,
    p_dark: float,
    misalignment: float,
    f_ec: float = 1.16,
    mode_overlap: float = 1.0,
    slot_s: float | None = None,
    step_s: float = 1.0,
    eps_secrecy: float = 1e-9,
    eps_correctness: float = 1e-12,
    bound: str = "chernoff-implicit",
    leakage: str = "achievable",
    limits: tuple[float, float] = (1e-3, 2.0),
    weakest: float = 1e-3,
    start: KeyPlan | None = None,
) -> KeyPlan:
    """Intensities and probabilities of both senders in every block of a pass with the longest finite key.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        Whole links' transmittances at the instants of the pass, shape (n,). [1]
    pulses_per_s : float
        Pulse pairs per second, all bases and intensities. [1/s]
    p_dark, misalignment, f_ec, mode_overlap : float
        As in :func:`satqkd.security.mdi.key_rate`. [1]
    slot_s : float or None
        Length of a block, a multiple of ``step_s``; None: the pass is one block. [s]
    step_s : float
        Time between instants. [s]
    eps_secrecy, eps_correctness : float
        Security parameters of all keys of the *pass* together; every block has an equal part. [1]
    bound, leakage : str
        As in :func:`satqkd.security.mdi.key_length`, but for the bound "asymptotic": without fluctuations the weakest
        decoys are the best, and :func:`satqkd.security.mdi_optimise.optimise_rates` is for that.
    limits : tuple of float
        Least and largest intensity, but for the decoy. [1]
    weakest : float
        Least ratio of decoy to signal, from 1e-6 to 0.5. [1]
    start : KeyPlan, optional
        Plan whose first block's setting is where the search starts, such as that of a similar pass.

    Returns
    -------
    KeyPlan
        Settings and exact keys.

    Raises
    ------
    InputError
        If a value is outside its range, the pass is empty, or a slot is longer than the pass.

    Notes
    -----
    The search is that of :func:`satqkd.security.optimise.best`, over a smooth form of the key; every key that is
    reported is that of :func:`satqkd.security.mdi.key_length`. The first block starts from several settings, the others
    from their neighbour's.

    Examples
    --------
    >>> plan = optimise_keys([0.02] * 600, [0.01] * 600, pulses_per_s=1e10, p_dark=1e-7, misalignment=0.015)
    >>> len(plan.keys), plan.total_bits > 1000, bool((plan.intensities_a < plan.intensities_b).all())
    (1, True, True)
    """
    eta_a, eta_b = check_pass(transmittance_a, transmittance_b, pulses_per_s, step_s)
    edges = slot_edges(eta_a.size, slot_s, step_s)
    check_limits(limits, weakest)
    if bound == "asymptotic":
        raise InputError("bound = 'asymptotic': has no best setting; optimise_rates is for infinitely many pulses")
    blocks = edges.size - 1
    receiver: dict[str, Any] = {"p_dark": p_dark, "misalignment": misalignment, "mode_overlap": mode_overlap}
    for name, most in (("p_dark", 0.5), ("misalignment", 0.5), ("mode_overlap", 1.0)):
        in_range(name, receiver[name], 0.0, most)
    in_range("eps_secrecy", eps_secrecy, 1e-27, 0.1)
    in_range("eps_correctness", eps_correctness, 1e-27, 0.1)
    security: dict[str, Any] = {
        "eps_secrecy": eps_secrecy / blocks, "eps_correctness": eps_correctness / blocks, "f_ec": f_ec,
        "bound": bound, "leakage": leakage,
    }  # fmt: skip
    any_setting: dict[str, Any] = {f"{name}_{side}": value for side in "ab" for name, value in (
        ("intensities", (0.2, 0.1, 0.0)), ("signal", 0.2), ("probabilities", (0.2, 0.5, 0.3)))}  # fmt: skip
    setup, _ = prepare(**any_setting, p_z=0.5, **security)
    analysis = KeySearch(setup, {"bound": bound, "leakage": leakage}, receiver, limits, weakest)
    near: Mapping[str, Any] | None = None if start is None else _as_start(start)
    evaluations, settings, keys = 0, [], []
    for i, j in pairwise(edges.tolist()):
        sent = np.full(j - i, pulses_per_s * step_s)
        found = search(analysis, {"eta_a": eta_a[i:j], "eta_b": eta_b[i:j], "pulses": sent}, near)
        evaluations += found.evaluations
        near = found.parameters if found.objective_bits > 0.0 else None
        setting = as_arguments(found.parameters, weakest)
        settings.append(setting)
        keys.append(key_length(eta_a[i:j], eta_b[i:j], pulses=sent, **setting, **receiver, **security))

    def column(name: str) -> Array:
        return np.array([setting[name] for setting in settings])

    return KeyPlan(
        edges=edges,
        intensities_a=column("intensities_a")[:, :2],
        intensities_b=column("intensities_b")[:, :2],
        signal_a=column("signal_a"),
        signal_b=column("signal_b"),
        probabilities_a=column("probabilities_a"),
        probabilities_b=column("probabilities_b"),
        p_z=column("p_z"),
        keys=tuple(keys),
        key_bits=np.array([key.key_bits for key in keys], dtype=np.float64),
        evaluations=evaluations,
    )


def _as_start(plan: KeyPlan) -> dict[str, float]:
    """Values of the search for the setting of a plan's first block."""
    (mu_a, nu_a), (mu_b, nu_b) = plan.intensities_a[0], plan.intensities_b[0]
    found = {
        "mu_a": float(mu_a),
        "mu_b": float(mu_b),
        "ratio": math.sqrt(nu_a / mu_a * nu_b / mu_b),
        "balance": 0.5 * math.log(nu_b / mu_b / (nu_a / mu_a)),
        "signal_a": float(plan.signal_a[0]),
        "signal_b": float(plan.signal_b[0]),
        "p_z": float(plan.p_z[0]),
    }
    for side, (p_mu, p_nu, p_vacuum) in (("a", plan.probabilities_a[0]), ("b", plan.probabilities_b[0])):
        found[f"p_mu_{side}"] = float(p_mu)
        found[f"share_nu_{side}"] = float(p_nu / (p_nu + p_vacuum))
    return found


def check_limits(limits: tuple[float, float], weakest: float) -> None:
    """Refuse limits of intensities that are not in order.

    Parameters
    ----------
    limits : tuple of float
        Least and largest signal intensity. [1]
    weakest : float
        Least ratio of decoy to signal. [1]

    Raises
    ------
    InputError
        If they are not ascending, or outside their range.
    """
    low, high = limits
    if not 0.0 < low < high <= LARGEST_INTENSITY:
        raise InputError(f"limits = ({low!r}, {high!r}): must be ascending, above 0 and at most {LARGEST_INTENSITY:g}")
    in_range("weakest", weakest, 1e-6, 0.5)


def as_arguments(found: Mapping[str, float], weakest: float) -> dict[str, Any]:
    """Arguments of ``key_length`` from the values of the search.

    Parameters
    ----------
    found : mapping
        Values of the search.
    weakest : float
        Least ratio of decoy to signal. [1]

    Returns
    -------
    dict
        Intensities, signals, probabilities of both senders, and the probability of Z.
    """
    setting: dict[str, Any] = {"p_z": found["p_z"]}
    for side, ratio in zip("ab", ratios(found["ratio"], found["balance"], weakest), strict=True):
        mu, p_mu, share = (found[f"{name}_{side}"] for name in ("mu", "p_mu", "share_nu"))
        setting[f"intensities_{side}"] = (mu, ratio * mu, 0.0)
        setting[f"signal_{side}"] = found[f"signal_{side}"]
        p_nu = (1.0 - p_mu) * share
        setting[f"probabilities_{side}"] = (p_mu, p_nu, 1.0 - p_mu - p_nu)
    return setting
