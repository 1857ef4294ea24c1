"""The analyses of :mod:`satqkd.security.lim2014` as :func:`satqkd.security.optimise.best` needs them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.weak_pulse import expected_counts
from satqkd.errors import InputError
from satqkd.security import lim2014, lim2014_variants
from satqkd.security._lim2014 import check
from satqkd.security.optimise import Parameter, Problem
from satqkd.security.quadrature import gauss_nodes
from satqkd.security.result import KeyLength
from satqkd.security.sampling import N_SECRECY_TERMS

__all__ = ["Lim2014", "Lim2014Standard", "block_data"]

_INTENSITIES = (
    Parameter("intensities", 0, "interval", 0.02, 2.0),
    Parameter("intensities", 1, "interval", 1e-3, 1.5, below=(0, 0.98), together_below=2),
    Parameter("intensities", 2, "interval", 0.0, 0.5, default=0.0, below=(0, 1.0), together_below=1),
    Parameter("intensity_probabilities", 0, "simplex"),
    Parameter("intensity_probabilities", 1, "simplex"),
    Parameter("intensity_probabilities", 2, "simplex"),
)
_POLES = (0.05, 0.14, 0.37, 1.0)  # mean intensities, evenly spread on a logarithmic scale
_ANY = ((0.7, 0.1, 0.0), (0.7, 0.2, 0.1), 0.7)  # a setting to check everything else with


class Lim2014:
    """Efficient BB84 with two decoys, basis bias varied; of one block or of several with one setting.

    Parameters
    ----------
    blocks : sequence of mapping
        Arguments that differ from block to block, such as the transmittance of every pass. With more than one block
        the sum of their keys is maximised (where none has a key, the best of them), and the result is a tuple.
    order : int
        Gauss nodes that stand for the slots while optimising; 0: use every slot.

    Notes
    -----
    Varied: ``intensities`` (``mu2 <= 0.98 mu1``, the weakest one 0 unless bounds are given), and
    ``intensity_probabilities``, ``p_key_basis``. Everything else is fixed. If ``time_s`` (one time per slot, 0 at
    culmination) is given the slots with ``|time_s| <= half_window_s`` are used and ``half_window_s`` is varied, too,
    unless it is fixed.

    Examples
    --------
    >>> from satqkd.security.optimise import best
    >>> link = {"pulses_per_slot": 1e8, "p_extraneous": 5e-7, "qber_intrinsic": 0.005}
    >>> passes = [{"transmittance": [5e-4] * 200}, {"transmittance": [2e-4] * 150}]
    >>> optimum = best(Lim2014(passes), fixed=link)
    >>> len(optimum.key), all(key.key_bits > 0 for key in optimum.key)
    (2, True)
    """

    parameters: tuple[Parameter, ...] = (*_INTENSITIES, Parameter("p_key_basis", None, "interval", 0.05, 0.9999))
    starts: Sequence[Sequence[float]] = (
        (0.70, 0.10, 0.0, 0.90, 0.07, 0.03, 0.92),
        (0.65, 0.15, 0.0, 0.70, 0.20, 0.10, 0.80),
        (0.50, 0.20, 0.0, 0.50, 0.30, 0.20, 0.65),
    )
    _function: Callable[..., KeyLength] = staticmethod(lim2014.key_length)
    _standard = 0.0
    _capped = True

    def __init__(self, blocks: Sequence[Mapping[str, Any]] = ({},), *, order: int = 8) -> None:
        if not blocks:
            raise InputError("blocks: at least one is needed")
        self._blocks, self._order = tuple(blocks), order

    def prepare(self, fixed: Mapping[str, Any]) -> Problem:
        """Problem of everything that is fixed.

        Parameters
        ----------
        fixed : mapping
            Arguments of the key-length function, and ``time_s``, ``half_window_s``.

        Returns
        -------
        Problem
            Compiled objective, its data per window, and the exact key.

        Raises
        ------
        InputError
            If an argument is unknown, missing or outside its range.
        """
        from satqkd.security._lim2014_fast import total_key

        varied = {parameter.name for parameter in self.parameters}
        known = [n for n in _arguments(self._function) if n not in varied]
        merged = [{**fixed, **block} for block in self._blocks]
        for arguments in merged:
            for name in arguments:
                if name not in (*known, "time_s", "half_window_s"):
                    raise InputError(f"fixed: {name!r} is not an argument of the analysis: {', '.join(known)}, time_s")
            for name in ("transmittance", "pulses_per_slot", "p_extraneous", "qber_intrinsic"):
                if name not in arguments:
                    raise InputError(f"fixed: {name} is missing")
        timed = [arguments.get("time_s") is not None for arguments in merged]
        window = merged[0].get("half_window_s")
        choices: Sequence[float] = ()
        if any(timed) and window is None:
            if not all(timed):
                raise InputError("time_s: must be given for every block, or for none")
            choices = np.unique(np.abs(np.concatenate([np.ravel(a["time_s"]) for a in merged]))).tolist()

        def cut(arguments: Mapping[str, Any], choice: float | None) -> dict[str, Any]:
            half = arguments.get("half_window_s") if choice is None else choice
            return _inside({k: v for k, v in arguments.items() if k != "half_window_s"}, half)

        def data(choice: float | None, factor: float = 1.0) -> NDArray[np.float64]:
            sent = merged
            if factor != 1.0:
                sent = [{**a, "pulses_per_slot": factor * np.asarray(a["pulses_per_slot"], float)} for a in merged]
            standard, order, capped = self._standard > 0.0, self._order, self._capped
            parts = [block_data(cut(a, choice), standard=standard, order=order, capped=capped) for a in sent]
            return np.concatenate([[float(len(parts))], *parts])

        def report(parameters: Mapping[str, Any], choice: float | None) -> KeyLength | tuple[KeyLength, ...]:
            keys = tuple(self._function(**cut(arguments, choice), **parameters) for arguments in merged)
            return keys[0] if len(keys) == 1 else keys

        return Problem(total_key, data, report, choices, "half_window_s", data)


class Lim2014Standard(Lim2014):
    """Standard BB84 with two decoys, the revealed fraction varied instead of the basis bias; else as :class:`Lim2014`.

    Notes
    -----
    See :func:`satqkd.security.lim2014_variants.standard_key_length`.
    """

    parameters = (*_INTENSITIES, Parameter("revealed_fraction", None, "interval", 0.002, 0.95))
    starts = (
        (0.70, 0.10, 0.0, 0.80, 0.14, 0.06, 0.05),
        (0.65, 0.15, 0.0, 0.65, 0.25, 0.10, 0.20),
        (0.50, 0.20, 0.0, 0.50, 0.30, 0.20, 0.40),
    )
    _function = staticmethod(lim2014_variants.standard_key_length)
    _standard = 1.0


@cache
def _arguments(function: Callable[..., KeyLength]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _inside(arguments: Mapping[str, Any], half_window_s: float | None) -> dict[str, Any]:
    """Arguments of the slots within the window, without the times."""
    cut = {name: value for name, value in arguments.items() if name != "time_s"}
    if arguments.get("time_s") is None or half_window_s is None:
        return cut
    times = np.ravel(np.asarray(arguments["time_s"], float))
    slots = np.ravel(np.asarray(arguments["transmittance"], float))
    if times.shape != slots.shape:
        raise InputError(f"time_s has {times.size} values, transmittance {slots.size}: must be equally many")
    inside = np.abs(times) <= half_window_s
    for name in ("transmittance", "pulses_per_slot", "p_extraneous", "qber_intrinsic"):
        value = np.asarray(cut[name], float)
        if value.ndim and value.size == times.size:
            cut[name] = value.ravel()[inside]
    return cut


def block_data(arguments: Mapping[str, Any], *, standard: bool, order: int, capped: bool = True) -> NDArray[np.float64]:
    """Numbers of one block for the compiled objective, slots reduced to Gauss nodes.

    Parameters
    ----------
    arguments : mapping
        Arguments of :func:`satqkd.security.lim2014.key_length` but for what is varied.
    standard : bool
        Whether it is standard BB84.
    order : int
        Gauss nodes; 0: every slot as it is.
    capped : bool
        Whether the errors of single photons are at most the errors seen, as in the exact key.

    Returns
    -------
    ndarray
        Header, transmittances, pulses, noise and errors, one number of each per node.

    Raises
    ------
    InputError
        If an argument is outside its range.

    Notes
    -----
    The nodes represent the measure of pulses over transmittance. Where noise or errors differ from slot to slot no
    such measure exists, and every slot is used.
    """
    from satqkd.security import _lim2014_fast as fast

    given = dict(arguments)
    link = {n: given.pop(n) for n in ("transmittance", "pulses_per_slot", "p_extraneous", "qber_intrinsic")}
    afterpulse, passes = float(given.pop("p_afterpulse", 0.0)), given.pop("passes", 1)
    options = {"eps_correctness": 1e-15, "eps_secrecy": 1e-9, "bound": "chernoff", "sampling": "exact-smooth",
               "leakage": "achievable", "f_ec": 1.16, **given}  # fmt: skip
    mu, p, bias = _ANY
    setup = check(
        mu, p, options["eps_correctness"], options["eps_secrecy"], passes, options["bound"], options["sampling"],
        options["leakage"], options["f_ec"],
    )  # fmt: skip
    eta = np.asarray(link["transmittance"], float).ravel()
    per_slot = []
    for name in ("pulses_per_slot", "p_extraneous", "qber_intrinsic"):
        value = np.asarray(link[name], float).ravel()
        if value.size not in (1, eta.size):
            raise InputError(f"{name} has {value.size} values: must be one number or one per slot ({eta.size})")
        per_slot.append(value)
    uniform = True
    if eta.size:
        ends = [(float(x.min()), float(x.max())) if x.size > 1 else (float(x[0]),) * 2 for x in (eta, *per_slot)]
        if not _plainly_valid(ends, afterpulse):  # ranges are checked at the extremes
            transmittances, *noise = (np.array(pair) for pair in ends)
            expected_counts(
                transmittances, pulses_per_slot=noise[0], intensities=mu, intensity_probabilities=p, p_key_basis=bias,
                p_extraneous=noise[1], qber_intrinsic=noise[2], p_afterpulse=afterpulse, passes=passes,
            )  # fmt: skip
        uniform = all(low == high for low, high in ends[2:])
    pulses = np.full(eta.size, float(passes) * per_slot[0])
    if order and eta.size > order and uniform:
        eta, pulses = _few_nodes(eta, pulses, ends[0], ends[2][0], order)
        per_slot = [value[:1] for value in per_slot]
    noise_columns = [np.full(eta.size, value) for value in per_slot[1:]]
    finite = setup.options["bound"] != "asymptotic"
    eps = setup.eps_secrecy / N_SECRECY_TERMS
    quantile = NormalDist().inv_cdf
    header = [
        float(eta.size),
        float(standard),
        afterpulse,
        setup.f_ec,
        *(setup.beta * width for width in fast.BOUND_WIDTHS[setup.options["bound"]]),
        setup.constants,
        fast.SAMPLING_CODES[setup.options["sampling"] if finite else "none"],
        fast.LEAKAGE_CODES[setup.options["leakage"]],
        math.log(setup.eps_correctness),
        -math.log(eps),
        -quantile(setup.eps_correctness),
        -quantile(eps**2 if setup.options["sampling"] == "exact-smooth" else eps),
        float(capped),
    ]
    return np.concatenate([header, eta, pulses, *noise_columns])


def _plainly_valid(ends: Sequence[tuple[float, float]], afterpulse: float) -> bool:
    """Whether everything is inside its range at a glance; if not the detection model says what is wrong."""
    (eta_low, eta_high), (pulses_low, pulses_high), (dark_low, dark_high), (error_low, error_high) = ends
    return (
        0.0 <= eta_low <= eta_high <= 0.4
        and 0.0 <= pulses_low <= pulses_high < math.inf
        and 0.0 <= dark_low <= dark_high <= 0.1
        and 0.0 <= error_low <= error_high <= 0.5
        and 0.0 <= afterpulse <= 0.2
    )


def _few_nodes(
    eta: NDArray[np.float64], pulses: NDArray[np.float64], ends: tuple[float, float], extraneous: float, order: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rational Gauss nodes of the pulses over the transmittance.

    Detections are smooth in the transmittance, but errors split by detections have a pole at minus twice the extraneous
    counts over the mean intensity. Half of the nodes' degrees go to poles at such places; as many as the dynamic range
    of the weights leaves room for in double precision.
    """
    scale, room = np.ones(()), 1e12
    poles: list[float] = []
    for mean_intensity in _POLES[: order // 2]:
        pole = 2.0 * extraneous / mean_intensity
        if extraneous > 0.0:
            room *= (ends[0] + pole) / (ends[1] + pole)
            if room < 1.0:
                break
            poles.append(pole)
            scale = scale * (eta + pole)
    nodes, weights = gauss_nodes(eta, pulses / scale if poles else pulses, order=order)
    for pole in poles:
        weights *= nodes + pole
    return nodes, weights
