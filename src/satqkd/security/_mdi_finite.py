"""Finite keys of measurement-device-independent QKD, from expected counts of a channel or from counts observed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.detection.bell_measurement import x_basis, z_basis
from satqkd.errors import InputError
from satqkd.security._mdi_analysis import N_BOUNDS, Counts, Setup, Table, pack
from satqkd.security._mdi_checks import check_intensities, in_range
from satqkd.security._three_intensity import lookup_bound, lookup_leakage
from satqkd.security.result import EpsilonBudget, KeyLength

_AMPLIFICATION_SHARE = 0.1
_MOST_PULSES, _MOST_COUNTS = 1e18, 2.0**53
Array = NDArray[np.float64]


def _check_probabilities(name: str, values: Sequence[float]) -> tuple[float, ...]:
    p = tuple(float(value) for value in values)
    if len(p) != 3 or not (min(p) > 0.0 and abs(math.fsum(p) - 1.0) <= 1e-9):
        raise InputError(f"{name} = {p!r}: must be three positive numbers that add up to 1")
    return p


def prepare(
    *,
    intensities_a: Sequence[float],
    intensities_b: Sequence[float],
    signal_a: float,
    signal_b: float,
    probabilities_a: Sequence[float],
    probabilities_b: Sequence[float],
    p_z: float,
    f_ec: float,
    eps_secrecy: float,
    eps_correctness: float,
    bound: str,
    leakage: str,
) -> tuple[Setup, EpsilonBudget]:
    """Checked parameters of the analysis and its budget; see :func:`key_length`."""
    for name, value, least, most in (
        ("f_ec", f_ec, 1.0, 10.0),
        ("signal_a", signal_a, 1e-6, 10.0),
        ("signal_b", signal_b, 1e-6, 10.0),
        ("p_z", p_z, 1e-6, 1.0 - 1e-6),
        ("eps_secrecy", eps_secrecy, 1e-30, 0.1),
        ("eps_correctness", eps_correctness, 1e-30, 0.1),
    ):
        in_range(name, value, least, most)
    levels = [
        (*(float(level) for level in check_intensities(name, values, "three-intensity")), 0.0)
        for name, values in (("intensities_a", intensities_a), ("intensities_b", intensities_b))
    ]
    chances = (
        _check_probabilities("probabilities_a", probabilities_a),
        _check_probabilities("probabilities_b", probabilities_b),
    )
    limit = bound == "asymptotic"
    smoothing, amplification = (1.0 - _AMPLIFICATION_SHARE) * eps_secrecy, _AMPLIFICATION_SHARE * eps_secrecy
    singles_test = math.prod(
        math.fsum(p * k * math.exp(-k) for p, k in zip(*side, strict=True))
        for side in zip(chances, levels, strict=True)
    )
    pairs_test = (1.0 - p_z) ** 2 * singles_test
    pairs_key = p_z**2 * signal_a * signal_b * math.exp(-signal_a - signal_b)
    setup = Setup(
        intensities=(levels[0], levels[1]),
        probabilities=chances,
        singles_test=singles_test,
        key_share=pairs_key / (pairs_key + pairs_test),
        bound=lookup_bound(bound),
        exact=not limit,
        leakage=lookup_leakage(leakage),
        f_ec=f_ec,
        eps_bound=(0.5 * smoothing) ** 2 / N_BOUNDS,
        eps_correctness=eps_correctness,
        constants=0.0 if limit else math.log2(2.0 / eps_correctness) + 2.0 * math.log2(0.5 / amplification),
    )
    if limit:
        return setup, EpsilonBudget(1.0, 0.0, {"asymptotic limit: nothing is claimed about a finite key": 1.0})
    statistics = f"{N_BOUNDS} estimates of {setup.eps_bound:.3g}, 2 sqrt(sum)"
    terms = {statistics: smoothing, "privacy amplification": amplification, "verification": eps_correctness}
    return setup, EpsilonBudget(eps_secrecy, eps_correctness, terms)


def _parameters(setup: Setup, p_z: float, signals: tuple[float, float]) -> dict[str, object]:
    return {
        "p_z": p_z, "signals": signals, "intensities": setup.intensities,
        "intensity_probabilities": setup.probabilities, "f_ec": setup.f_ec,
    }  # fmt: skip


def instants(transmittance_a: ArrayLike, transmittance_b: ArrayLike, pulses: ArrayLike) -> tuple[Array, Array, Array]:
    """Checked transmittances and pulse pairs of the instants of a block, one-dimensional."""
    eta = [
        np.atleast_1d(in_range(name, value, 0.0, 1.0))
        for name, value in (("transmittance_a", transmittance_a), ("transmittance_b", transmittance_b))
    ]
    sent = np.asarray(pulses, float)
    for name, values in (("transmittance_a", eta[0]), ("transmittance_b", eta[1]), ("pulses", sent)):
        if values.ndim > 1:
            raise InputError(f"{name} has {values.ndim} dimensions: must be a number or one per instant")
    count = max(eta[0].size, eta[1].size, sent.size)
    for name, values in (("transmittance_a", eta[0]), ("transmittance_b", eta[1]), ("pulses", sent)):
        if values.size == 0:
            raise InputError(f"{name} is empty: a block needs at least one instant")
        if values.size not in (1, count):
            raise InputError(f"{name} has {values.size} values: must be one number or one per instant ({count})")
    in_range("pulses", sent, 0.0, _MOST_PULSES)
    each = np.full(count, float(sent) / count) if sent.ndim == 0 else np.broadcast_to(sent, (count,))
    in_range("pulses", sent if sent.ndim == 0 else float(each.sum()), 1.0, _MOST_PULSES)
    return np.broadcast_to(eta[0], (count,)), np.broadcast_to(eta[1], (count,)), each


def _table(values: Any) -> Table:
    return tuple(tuple(float(value) for value in row) for row in values)


def key_length(
    transmittance_a: ArrayLike,
    transmittance_b: ArrayLike,
    *,
    intensities_a: Sequence[float],
    intensities_b: Sequence[float],
    p_dark: float,
    misalignment: float,
    f_ec: float = 1.16,
    pulses: ArrayLike,
    signal_a: float,
    signal_b: float,
    probabilities_a: Sequence[float],
    probabilities_b: Sequence[float],
    p_z: float,
    eps_secrecy: float,
    eps_correctness: float,
    bound: str = "chernoff-implicit",
    leakage: str = "achievable",
    mode_overlap: float = 1.0,
) -> KeyLength:
    r"""Secret key of a block of pulse pairs, composably secure, from its expected counts.

    Parameters
    ----------
    transmittance_a, transmittance_b : array_like
        Whole links' transmittances in [0, 1]; where they change within the block, one per instant. [1]
    intensities_a, intensities_b : sequence of float
        ``(mu, nu, 0.0)`` of each sender in the X basis, descending, at most 10. [1]
    p_dark, misalignment, mode_overlap : float
        As in :func:`satqkd.security.mdi.key_rate`. [1]
    f_ec : float
        Error-correction inefficiency, from 1 to 10. [1]
    pulses : array_like
        Pulse pairs sent in the block, all bases and intensities, evenly over the instants; from 1 to 1e18,
        with at most 2^53 successes. An array: of each instant. [1]
    signal_a, signal_b : float
        Intensity of each sender in the Z basis, the only one there; from 1e-6 to 10. [1]
    probabilities_a, probabilities_b : sequence of float
        Probabilities of (mu, nu, 0) *given* the X basis; positive, sum 1. [1]
    p_z : float
        Probability of each sender to choose Z, from 1e-6 to 1 - 1e-6. [1]
    eps_secrecy, eps_correctness : float
        Security parameters, from 1e-30 to 0.1. [1]
    bound : {"chernoff-implicit", "chernoff", "hoeffding", "asymptotic"}
        Inequality for the counts; the last is the limit of infinitely many pulses and claims nothing.
    leakage : str
        Model of :data:`satqkd.security.leakage.LEAKAGE`.

    Returns
    -------
    KeyLength
        ``n_key`` has the signals' successes in Z; ``n_test`` those in X for (mu, mu), (mu, nu), (mu, 0), (nu, mu), ...

    Raises
    ------
    InputError
        If a value is outside its range.

    Notes
    -----
    Structure of Curty et al. [1]_ with the intensities of Wang, Xu, Lo [2]_: decoys in X balance the arms, the signals
    in Z serve the key. Single-photon pairs in X and their errors follow from 7 counts and 4 error counts; how many
    there are in Z, from the random choice of basis; their phase errors, from exact random sampling. With 14 estimates
    of failure probability :math:`\varepsilon_1`,

    .. math:: \ell = s_{11}[1 - h(\phi)] - \mathrm{leak} - \log_2\frac{2}{\varepsilon_{cor}}
                     - 2\log_2\frac{1}{2\varepsilon_{PA}}, \qquad
              \varepsilon_{sec} = 2\sqrt{14\,\varepsilon_1} + \varepsilon_{PA},

    a tenth of it for :math:`\varepsilon_{PA}`. No key is credited for empty pulses; authentication is not included.

    The bounds hold for any yields, also for such that change from pulse to pulse, as long as the settings do not: the
    counts of a block are the sums over its instants. Counts of different settings are not to be added up.

    References
    ----------
    .. [1] M. Curty et al., "Finite-key analysis for measurement-device-independent quantum key distribution", Nat.
       Commun. 5, 3732 (2014).
    .. [2] W. Wang, F. Xu, H.-K. Lo, "Asymmetric protocols for scalable high-rate measurement-device-independent quantum
       key distribution networks", Phys. Rev. X 9, 041012 (2019).
    """
    eta_a, eta_b, sent = instants(transmittance_a, transmittance_b, pulses)
    receiver = {"p_dark": p_dark, "misalignment": misalignment, "mode_overlap": mode_overlap}
    for name, most in (("p_dark", 0.5), ("misalignment", 0.5), ("mode_overlap", 1.0)):
        in_range(name, receiver[name], 0.0, most)
    setup, budget = prepare(
        intensities_a=intensities_a,
        intensities_b=intensities_b,
        signal_a=signal_a,
        signal_b=signal_b,
        probabilities_a=probabilities_a,
        probabilities_b=probabilities_b,
        p_z=p_z,
        f_ec=f_ec,
        eps_secrecy=eps_secrecy,
        eps_correctness=eps_correctness,
        bound=bound,
        leakage=leakage,
    )
    levels_a, levels_b = (np.array(side) for side in setup.intensities)
    key = [float(part @ sent) * p_z**2 for part in z_basis(eta_a * signal_a, eta_b * signal_b, **receiver)]
    test = x_basis(levels_a[:, None, None] * eta_a, levels_b[:, None] * eta_b, **receiver)
    chosen = (1.0 - p_z) ** 2 * np.outer(*setup.probabilities)
    counts = Counts(key[0], key[1], *(_table(chosen * (part @ sent)) for part in test))
    if not max(counts.n_key, math.fsum(map(math.fsum, counts.n_test))) <= _MOST_COUNTS:
        raise InputError(f"pulses = {float(sent.sum())!r}: more than 2^53 successes in a block")
    parameters = {"pulses": float(sent.sum()), **_parameters(setup, p_z, (signal_a, signal_b))}
    return pack(counts, setup, budget, parameters, {"bound": bound, "leakage": leakage})


def key_length_from_counts(
    *,
    n_key: float,
    m_key: float,
    n_test: ArrayLike,
    m_test: ArrayLike,
    intensities_a: Sequence[float],
    intensities_b: Sequence[float],
    signal_a: float,
    signal_b: float,
    probabilities_a: Sequence[float],
    probabilities_b: Sequence[float],
    p_z: float,
    eps_secrecy: float,
    eps_correctness: float,
    f_ec: float = 1.16,
    bound: str = "chernoff-implicit",
    leakage: str = "achievable",
) -> KeyLength:
    """Secret key of a block from the counts observed in it, by the analysis of :func:`key_length`.

    Parameters
    ----------
    n_key, m_key : float
        Successes with both signals in Z, and errors among them. [1]
    n_test, m_test : array_like
        Successes in X and errors among them, shape (3, 3): rows (mu, nu, 0) of a, columns of b. [1]
    intensities_a, intensities_b, signal_a, signal_b, probabilities_a, probabilities_b, p_z
        What was set during the whole block, as in :func:`key_length`. [1]
    eps_secrecy, eps_correctness, f_ec, bound, leakage
        As in :func:`key_length`.

    Returns
    -------
    KeyLength
        As of :func:`key_length`.

    Raises
    ------
    InputError
        If a value is outside its range, or there are more errors than successes.

    Notes
    -----
    Nothing about the channel enters. Intensities that differ from slot to slot make a block each: the coefficients of
    the decoy equations are those of one setting. ``m_key`` is used for the leakage only: who knows what the error
    correction disclosed subtracts that instead.
    """
    tables = []
    for name, values in (("n_test", n_test), ("m_test", m_test)):
        table = in_range(name, values, 0.0, _MOST_COUNTS)
        if table.shape != (3, 3):
            raise InputError(f"{name} has shape {table.shape}: must be (3, 3), intensities of a times those of b")
        tables.append(table)
    for name, value in (("n_key", n_key), ("m_key", m_key)):
        in_range(name, value, 0.0, _MOST_COUNTS)
    if m_key > n_key:
        raise InputError(f"m_key = {m_key!r}: must be at most n_key = {n_key!r}")
    if bool(np.any(tables[1] > tables[0])):
        at = tuple(int(i) for i in np.argwhere(tables[1] > tables[0])[0])
        raise InputError(
            f"m_test{list(at)} = {float(tables[1][at])!r}: must be at most n_test{list(at)} = {float(tables[0][at])!r}"
        )
    setup, budget = prepare(
        intensities_a=intensities_a,
        intensities_b=intensities_b,
        signal_a=signal_a,
        signal_b=signal_b,
        probabilities_a=probabilities_a,
        probabilities_b=probabilities_b,
        p_z=p_z,
        f_ec=f_ec,
        eps_secrecy=eps_secrecy,
        eps_correctness=eps_correctness,
        bound=bound,
        leakage=leakage,
    )
    counts = Counts(float(n_key), float(m_key), _table(tables[0]), _table(tables[1]))
    return pack(
        counts, setup, budget, _parameters(setup, p_z, (signal_a, signal_b)), {"bound": bound, "leakage": leakage}
    )
