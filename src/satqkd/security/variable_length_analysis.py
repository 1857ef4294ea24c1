"""The analysis of :mod:`satqkd.security.variable_length` as :func:`satqkd.security.optimise.best` needs it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.receivers import RECEIVERS
from satqkd.errors import InputError
from satqkd.security import _variable_length as arithmetic
from satqkd.security import variable_length
from satqkd.security.optimise import Parameter, Problem
from satqkd.security.quadrature import gauss_nodes
from satqkd.security.result import KeyLength

__all__ = ["VariableLength", "block_data"]

_SOURCE = (
    Parameter("intensities", 0, "interval", 0.02, 2.0),
    Parameter("intensities", 1, "interval", 1e-4, 1.5, below=(0, 0.98), together_below=2),
    Parameter("intensities", 2, "interval", 0.0, 0.5, default=0.0, below=(1, 0.98)),
    Parameter("intensity_probabilities", 0, "simplex"),
    Parameter("intensity_probabilities", 1, "simplex"),
    Parameter("intensity_probabilities", 2, "simplex"),
)
_BIAS = Parameter("p_test_basis", None, "interval", 1e-5, 0.99)
_OWN: Mapping[str, tuple[Parameter, ...]] = {
    "active": (_BIAS,),
    "asymmetric-passive": (_BIAS, Parameter("split", None, "interval", 1e-5, 0.99)),
    "symmetric-passive": (Parameter("disclosure", None, "interval", 1e-5, 0.99),),
}
# From 2700 optima of the three receivers: a long block at little loss, a short one at much.
_STARTS = (
    (0.75, 0.06, 0.0, 0.94, 0.04, 0.02),
    (0.60, 0.20, 0.0, 0.55, 0.32, 0.13),
    (0.40, 0.15, 0.0, 0.40, 0.35, 0.25),
)
_SHARES = (0.05, 0.25, 0.45)
_NODES = 24


@cache
def _defaults() -> Mapping[str, Any]:
    """Arguments of the key-length function with their defaults."""
    parameters = inspect.signature(variable_length.key_length).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


class VariableLength:
    """Decoy-state BB84 with exact statistics and linear programs, for each of its receivers.

    Parameters
    ----------
    receiver : {"active", "asymmetric-passive", "symmetric-passive"}
        Bob's receiver; :func:`satqkd.security.optimise.best` takes it from what is fixed.

    Notes
    -----
    Varied: ``intensities`` (``mu2 <= 0.98 mu1``, the weakest one 0 unless bounds are given),
    ``intensity_probabilities``, and, by receiver, ``p_test_basis`` (active), ``p_test_basis`` and ``split``
    (asymmetric passive) or ``disclosure`` (symmetric passive). The search uses the reduced program with expected
    counts, and stands 24 Gauss nodes for the slots of a pass; the key reported is that of
    :func:`satqkd.security.variable_length.key_length` with everything as fixed.

    Examples
    --------
    >>> from satqkd.security.optimise import best
    >>> link = {"pulses": 1e12, "transmittance": 1e-4, "p_noise": 1e-8, "misalignment": 0.005}
    >>> optimum = best("variable-length", fixed={**link, "receiver": "symmetric-passive"})
    >>> optimum.converged, 0.6 < optimum.parameters["intensities"][0] < 0.8, optimum.key.key_bits > 10_000_000
    (True, True, True)
    """

    tolerance = 1e-8

    def __init__(self, receiver: str = "active") -> None:
        if receiver not in _OWN:
            raise InputError(f"receiver = {receiver!r}: must be one of {', '.join(_OWN)}")
        self._receiver = receiver
        self.parameters: tuple[Parameter, ...] = (*_SOURCE, *_OWN[receiver])
        self.starts: Sequence[Sequence[float]] = tuple(
            (*source, *(share for _ in _OWN[receiver])) for source, share in zip(_STARTS, _SHARES, strict=True)
        )

    def for_fixed(self, fixed: Mapping[str, Any]) -> VariableLength:
        """Analysis of the receiver that is fixed.

        Parameters
        ----------
        fixed : mapping
            Arguments of the key-length function that are not varied.

        Returns
        -------
        VariableLength
            This one if no receiver is named.

        Raises
        ------
        InputError
            If there is no such receiver.
        """
        receiver = fixed.get("receiver", self._receiver)
        return self if receiver == self._receiver else VariableLength(receiver)

    def prepare(self, fixed: Mapping[str, Any]) -> Problem:
        """Problem of everything that is fixed.

        Parameters
        ----------
        fixed : mapping
            Arguments of the key-length function.

        Returns
        -------
        Problem
            Compiled objective, its data, and the exact key.

        Raises
        ------
        InputError
            If an argument is unknown, missing or outside its range.
        """
        from satqkd.security._variable_length_fast import total_key

        arguments = {**fixed, "receiver": self._receiver}
        if self._receiver == "symmetric-passive":
            arguments.setdefault("p_test_basis", 0.5)
        varied = {parameter.name for parameter in self.parameters}
        known = [name for name in _defaults() if name not in varied]
        for name in arguments:
            if name not in known:
                raise InputError(f"fixed: {name!r} is not an argument of the analysis: {', '.join(known)}")
        for name in ("pulses", "transmittance", "misalignment"):
            if name not in arguments:
                raise InputError(f"fixed: {name} is missing")
        # everything that is fixed is checked once, where it will be used
        start = self.starts[0]
        trial = dict(zip((p.name for p in self.parameters[6:]), start[6:], strict=True))
        setting: dict[str, Any] = {"intensities": start[:3], "intensity_probabilities": start[3:6], **trial}
        variable_length.key_length(**{**arguments, "program": "reduced"}, **setting)

        def data(choice: float | None, factor: float = 1.0) -> NDArray[np.float64]:
            del choice
            return block_data({**arguments, "pulses": min(factor * arguments["pulses"], 1e15)})

        def report(parameters: Mapping[str, Any], choice: float | None) -> KeyLength:
            del choice
            return variable_length.key_length(**arguments, **parameters)

        return Problem(total_key, data, report, more_pulses=data)


def block_data(arguments: Mapping[str, Any]) -> NDArray[np.float64]:
    """Numbers of a block for the compiled objective, slots reduced to Gauss nodes.

    Parameters
    ----------
    arguments : mapping
        Arguments of :func:`satqkd.security.variable_length.key_length` but for what is varied; already checked.

    Returns
    -------
    ndarray
        Header, transmittances, pulses, one number of each per node.
    """
    from satqkd.security import _variable_length_fast as fast

    given = {**_defaults(), **arguments}
    receiver, cut, pulses = given["receiver"], int(given["photon_cut"]), float(given["pulses"])
    symmetric = receiver == "symmetric-passive"
    eps = float(given["eps_total"]) * (0.5 if symmetric and given["convention"] == "composable" else 1.0)
    eta = np.atleast_1d(np.asarray(given["transmittance"], float)).ravel()
    eta, weights = gauss_nodes(eta, np.full(eta.size, pulses / eta.size), order=_NODES)
    noise = [-1.0 if given[name] is None else float(given[name]) for name in ("p_noise", "p_noise_z", "p_noise_x")]
    header = [
        float(eta.size),
        float(RECEIVERS[receiver]),
        pulses,
        fast.NOISE_CODES[given["noise"]],
        *noise,
        float(given["misalignment"]),
        float(given["p_afterpulse"]),
        float(given["p_dark"]),
        float(given["detector_efficiency"]),
        float(given["f_ec"]),
        math.log(arithmetic.epsilon_per_bound(eps, arithmetic.bound_count(receiver, given["program"], cut))),
        arithmetic.penalty_bits(eps),
        float(cut),
        float(given["multi_click"] == "matched"),
        2.0 if symmetric else 1.0,
    ]
    return np.concatenate([header, eta, weights])
