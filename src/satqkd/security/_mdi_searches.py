"""Rates and keys of :mod:`satqkd.security.mdi` as :func:`satqkd.security.optimise.best` needs them.

The coordinates are the signals, the geometric mean of both senders' ratios of decoy to signal, and half the logarithm
of the quotient of these ratios, ``balance``: the analytic yield bound has an edge where they are equal, and a simplex
that meets an edge askew gets stuck on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.bell_measurement import single_photon_pair
from satqkd.security._mdi_analysis import Setup
from satqkd.security.entropy import binary_entropy
from satqkd.security.optimise import Optimum, Parameter, Problem, best

Array = NDArray[np.float64]
LARGEST_RATIO = 0.95
_BALANCE = 4.0
_EDGE = 0.05
RATE_STARTS = ((0.45, 0.45, 0.05, 0.0), (0.15, 0.5, 0.1, 0.0), (0.5, 0.15, 0.1, 0.0), (0.2, 0.2, 0.1, 0.0))
KEY_STARTS = (
    (0.25, 0.25, 0.22, 0.0, 0.35, 0.35, 0.10, 0.65, 0.10, 0.65, 0.50),
    (0.10, 0.30, 0.22, 0.0, 0.20, 0.40, 0.10, 0.65, 0.10, 0.65, 0.50),
    (0.30, 0.10, 0.22, 0.0, 0.40, 0.20, 0.10, 0.65, 0.10, 0.65, 0.50),
    (0.22, 0.22, 0.25, 0.0, 0.40, 0.40, 0.15, 0.65, 0.15, 0.65, 0.75),
)


def _source(least: float, most: float, ratio: float) -> tuple[Parameter, ...]:
    return (
        Parameter("mu_a", None, "interval", least, most),
        Parameter("mu_b", None, "interval", least, most),
        Parameter("ratio", None, "interval", ratio, LARGEST_RATIO),
        Parameter("balance", None, "interval", -_BALANCE, _BALANCE),
    )


def ratios(ratio: float, balance: float, least: float) -> tuple[float, float]:
    """Decoy over signal, of a and of b; as the compiled objectives decode them."""
    factor = math.exp(balance)
    return min(max(ratio / factor, least), LARGEST_RATIO), min(max(ratio * factor, least), LARGEST_RATIO)


class RateSearch:
    """Sum of the rates of the instants of a slot, as a search problem.

    Parameters
    ----------
    decoy : str
        Method of :data:`satqkd.security.mdi.DECOYS`.
    receiver : mapping
        ``p_dark``, ``misalignment``, ``mode_overlap``, ``f_ec``.
    limits : tuple of float
        Least and largest signal intensity.
    weakest : float
        Least decoy over signal.
    """

    tolerance = 1e-10

    def __init__(self, decoy: str, receiver: Mapping[str, float], limits: tuple[float, float], weakest: float) -> None:
        self._decoy, self._receiver, self._weakest = decoy, receiver, weakest
        known = 2 if decoy == "infinite" else 4
        self.parameters: tuple[Parameter, ...] = _source(*limits, weakest)[:known]
        self.starts: Sequence[Sequence[float]] = tuple(start[:known] for start in RATE_STARTS)

    def prepare(self, fixed: Mapping[str, Any]) -> Problem:
        """Problem of the transmittances in ``fixed``."""
        from satqkd.security import _mdi_rates_fast as fast

        objective = {
            "infinite": fast.exact_decoys,
            "three-intensity": fast.three_decoys,
            "linear-program": fast.program_decoys,
        }[self._decoy]
        eta_a, eta_b = fixed["eta_a"], fixed["eta_b"]
        at = {name: self._receiver[name] for name in ("p_dark", "misalignment", "mode_overlap")}
        pair, errors = single_photon_pair(eta_a, eta_b, **at)
        factor = 1e7 / max(float(pair.sum()), 1e-300)  # to the order of bits, which a search's tolerance is about
        header = [float(eta_a.size), factor, *at.values(), self._receiver["f_ec"], self._weakest]
        columns = [eta_a, eta_b]
        if self._decoy == "infinite":
            error = np.divide(errors, pair, out=np.full(pair.shape, 0.5), where=pair > 0.0)
            columns.append(pair * (1.0 - binary_entropy(error)))
        if self._decoy == "linear-program":
            columns.append(np.tile([400.0, 401.0, 402.0, 403.0], 3 * eta_a.size))
        data = np.concatenate([header, *columns])
        return Problem(objective, lambda choice: data, lambda parameters, choice: None)


class KeySearch:
    """Finite key of a block, as a search problem; everything but the channel is in a checked set-up.

    Parameters
    ----------
    setup : Setup
        Security parameters, bound, leakage and inefficiency of :func:`satqkd.security.mdi.key_length`.
    names : mapping
        ``bound`` and ``leakage`` by name.
    receiver : mapping
        ``p_dark``, ``misalignment``, ``mode_overlap``.
    limits : tuple of float
        Least and largest intensity of a signal.
    weakest : float
        Least decoy over signal.
    """

    tolerance = 1e-9
    starts: Sequence[Sequence[float]] = KEY_STARTS

    def __init__(
        self,
        setup: Setup,
        names: Mapping[str, str],
        receiver: Mapping[str, float],
        limits: tuple[float, float],
        weakest: float,
    ) -> None:
        self._setup, self._names, self._receiver, self._weakest = setup, names, receiver, weakest
        self.parameters: tuple[Parameter, ...] = (
            *_source(*limits, weakest),
            Parameter("signal_a", None, "interval", *limits),
            Parameter("signal_b", None, "interval", *limits),
            *(Parameter(f"{name}_{s}", None, "interval", 1e-3, 0.999) for s in "ab" for name in ("p_mu", "share_nu")),
            Parameter("p_z", None, "interval", 1e-3, 0.999),
        )

    def prepare(self, fixed: Mapping[str, Any]) -> Problem:
        """Problem of the transmittances and pulse pairs in ``fixed``."""
        from satqkd.security import _lim2014_fast, _mdi_finite_fast

        setup, quantile = self._setup, NormalDist().inv_cdf
        eta_a, eta_b, pulses = fixed["eta_a"], fixed["eta_b"], fixed["pulses"]
        at = [self._receiver[name] for name in ("p_dark", "misalignment", "mode_overlap")]
        header = [
            float(eta_a.size),
            *at,
            setup.f_ec,
            -math.log(setup.eps_bound),
            _mdi_finite_fast.BOUND_CODES[self._names["bound"]],
            setup.constants,
            _lim2014_fast.LEAKAGE_CODES[self._names["leakage"]],
            math.log(setup.eps_correctness),
            -quantile(setup.eps_correctness),
            -quantile(setup.eps_bound),
            2.0 if setup.exact else 0.0,
            self._weakest,
        ]

        data = np.concatenate([header, eta_a, eta_b, pulses])
        return Problem(_mdi_finite_fast.block_key, lambda choice: data, lambda parameters, choice: None)


def search(analysis: RateSearch | KeySearch, fixed: Mapping[str, Any], near: Mapping[str, Any] | None) -> Optimum:
    """Optimum of a slot, from its neighbour's if there is one; where no start leads to a key, from more pulses."""
    found = _both_ways(analysis, fixed, near)
    if found.objective_bits > 0.0 or not isinstance(analysis, KeySearch):
        return found
    used = found.evaluations

    def with_more(exponent: float, start: Mapping[str, Any] | None) -> Optimum:
        return best(analysis, fixed={**fixed, "pulses": 10.0**exponent * fixed["pulses"]}, start=start)

    setting: Mapping[str, Any] = dict(zip((p.name for p in analysis.parameters), KEY_STARTS[0], strict=True))
    for exponent in (2.0, 4.0, 8.0):
        more = with_more(exponent, None)
        used += more.evaluations
        if more.objective_bits > 0.0:
            break
    if more.objective_bits > 0.0:  # what needs the fewest pulses says best what is missing
        setting = more.parameters
        for step in range(round(4.0 * exponent) - 1, -1, -1):
            more = with_more(0.25 * step, setting)
            used += more.evaluations
            if not more.objective_bits > 0.0:
                return replace(found, parameters=setting, evaluations=used)
            setting = more.parameters
        found = _both_ways(analysis, fixed, setting)
        return replace(found, evaluations=used + found.evaluations)
    return replace(found, parameters=setting, evaluations=used)


def _both_ways(analysis: RateSearch | KeySearch, fixed: Mapping[str, Any], near: Mapping[str, Any] | None) -> Optimum:
    """Search on the edge of equal ratios and off it."""
    if len(analysis.parameters) == 2:
        return best(analysis, fixed=fixed, start=near)
    found = None
    if near is not None:
        found = best(analysis, fixed=fixed, start=near)
        if found.objective_bits > 0.0 and abs(found.parameters["balance"]) > _EDGE:
            return found
    on_edge = best(analysis, fixed={**fixed, "balance": 0.0}, start=near if found is None else found.parameters)
    off_edge = best(analysis, fixed=fixed, start=on_edge.parameters)
    tried = [one for one in (off_edge, on_edge, found) if one is not None]
    top = max(tried, key=lambda one: one.objective_bits)
    return replace(top, evaluations=sum(one.evaluations for one in tried))
