r"""From the keys that a satellite shares with each station to keys that pairs of stations share.

The satellite holds a key with every station and announces the exclusive or of two of them (XOR relay): one bit of a
pair's key takes one bit of either station's key, so :math:`\sum_j x_{ij} \le K_i`. The satellite is trusted: it knows
every key.

References
----------
.. [1] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum key
   distribution modelling and scheduling analysis" (Figs. 8 and 9: use of the keys under a traffic distribution).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = [
    "AES_KEY_BITS", "READINGS", "KeyUsage", "free_pair_bits", "key_usage", "most_pair_bits_total",
    "network_pair_bits", "pair_traffic", "station_pair_bits",
]  # fmt: skip

Floats = NDArray[np.float64]

AES_KEY_BITS: Final = 256
"""Bits of a key of AES-256, which a block cipher needs anew for every rekeying. [bit]"""


@dataclass(frozen=True)
class KeyUsage:
    """Keys that pairs share.

    Attributes
    ----------
    pair_bits : ndarray, shape (n, n)
        Symmetric, diagonal 0: bits shared by each pair. [bit]
    whole_bits : ndarray of int64, shape (n, n)
        The same in whole bits: what a pair can use. [bit]
    shared_bits : float
        Sum over the pairs. [bit]
    unused_bits : ndarray, shape (n,)
        Left at each station. [bit]
    utilisation : float
        Part of the delivered bits that went into pair keys, ``2 shared_bits / sum(K)``; 0 where nothing was delivered.
    one_time_pad_bits : int
        Bits of messages that the pairs can encrypt with a one-time pad: the whole bits of every pair. [bit]
    aes256_keys : int
        Whole keys of 256 bits that the pairs hold: how often they can rekey.
    """

    pair_bits: Floats
    whole_bits: NDArray[np.int64]
    shared_bits: float
    unused_bits: Floats
    utilisation: float
    one_time_pad_bits: int
    aes256_keys: int


def pair_traffic(weights: ArrayLike) -> Floats:
    r"""Traffic between stations in proportion to the product of their weights.

    Parameters
    ----------
    weights : array_like, shape (n,)
        Weights of the stations, not negative, at least two positive.

    Returns
    -------
    ndarray, shape (n, n)
        :math:`T_{ij} \propto w_i w_j`, :math:`T_{ii} = 0`, the sum over pairs being 1.

    Raises
    ------
    InputError
        For weights that are negative or not finite, or fewer than two positive ones.

    Notes
    -----
    A model: gravity without distance. The traffic of a station is then not in proportion to its weight:
    :math:`\sum_j T_{ij} \propto w_i (W - w_i)`, so a plan with keys in proportion to the weights is not quite the
    best one for it.
    """
    weight = np.asarray(weights, np.float64)
    if not np.all(np.isfinite(weight)) or np.any(weight < 0.0):
        raise InputError("weights must be finite numbers, at least 0")
    if np.count_nonzero(weight) < 2:
        raise InputError("traffic between stations needs at least two weights above 0")
    traffic = np.outer(weight / weight.sum(), weight / weight.sum())
    np.fill_diagonal(traffic, 0.0)
    return np.asarray(2.0 * traffic / traffic.sum())


def _checked(station_bits: ArrayLike, traffic: ArrayLike) -> tuple[Floats, Floats]:
    keys, demand = np.asarray(station_bits, np.float64), np.asarray(traffic, np.float64)
    if not np.all(np.isfinite(keys)) or np.any(keys < 0.0):
        raise InputError("bits of the stations must be finite numbers, at least 0")
    if demand.shape != (keys.size, keys.size):
        raise InputError(f"traffic of {keys.size} stations must have {keys.size} rows and columns, not {demand.shape}")
    if not np.all(np.isfinite(demand)) or np.any(demand < 0.0):
        raise InputError("traffic must be finite numbers, at least 0")
    if np.any(np.diag(demand) != 0.0):
        raise InputError("traffic of a station with itself must be 0")
    if not np.allclose(demand, demand.T, rtol=1e-9, atol=0.0):
        raise InputError("traffic must be symmetric: pair keys serve both directions")
    if not demand.any():
        raise InputError("traffic must be above 0 for at least one pair")
    return keys, demand


def network_pair_bits(station_bits: ArrayLike, traffic: ArrayLike) -> Floats:
    r"""Pair keys in the proportions of the traffic, the whole network's.

    Parameters
    ----------
    station_bits : array_like, shape (n,)
        :math:`K_i`, keys delivered to the stations. [bit]
    traffic : array_like, shape (n, n)
        :math:`T_{ij}`, symmetric, zero on the diagonal, in any unit.

    Returns
    -------
    ndarray, shape (n, n)
        :math:`x_{ij} = t\,T_{ij}` with the largest :math:`t = \min_i K_i / \sum_j T_{ij}`. [bit]

    Notes
    -----
    The traffic that the week's keys carry if every pair is to have the same share of what it asks for: the station
    worst off decides for all. A station without key and with traffic leaves nothing.
    """
    keys, demand = _checked(station_bits, traffic)
    rates = demand.sum(axis=1)
    asked = rates > 0.0
    return np.asarray(float(np.min(keys[asked] / rates[asked])) * demand)


def station_pair_bits(station_bits: ArrayLike, traffic: ArrayLike) -> Floats:
    r"""Pair keys when every station divides its own key by its own traffic.

    Parameters
    ----------
    station_bits : array_like, shape (n,)
        :math:`K_i`, keys delivered to the stations. [bit]
    traffic : array_like, shape (n, n)
        :math:`T_{ij}`, symmetric, zero on the diagonal, in any unit.

    Returns
    -------
    ndarray, shape (n, n)
        :math:`x_{ij} = T_{ij} \min(K_i / R_i, K_j / R_j)` with :math:`R_i = \sum_k T_{ik}`. [bit]

    Notes
    -----
    A reading of Wang et al.: "the proportion of the resulting number of shared keys determined by a traffic
    distribution to that of the secure keys". The paper gives no formula.
    """
    keys, demand = _checked(station_bits, traffic)
    rates = demand.sum(axis=1)
    share = np.divide(keys, rates, out=np.zeros_like(keys), where=rates > 0.0)
    return np.asarray(demand * np.minimum.outer(share, share))


def free_pair_bits(station_bits: ArrayLike, traffic: ArrayLike) -> Floats:
    r"""Pair keys with the largest sum, whatever their proportions, between pairs that have traffic.

    Parameters
    ----------
    station_bits : array_like, shape (n,)
        :math:`K_i`, keys delivered to the stations. [bit]
    traffic : array_like, shape (n, n)
        Only pairs with :math:`T_{ij} > 0` can get a key.

    Returns
    -------
    ndarray, shape (n, n)
        A maximiser of :math:`\sum_{i<j} x_{ij}` under :math:`\sum_j x_{ij} \le K_i` (linear program). [bit]

    Notes
    -----
    Scaled by the largest key for the solver; each :math:`x_{ij}` is then exact to about 1e-9 of it and cut back where
    a row would exceed its key by that much.
    """
    from scipy.optimize import linprog

    keys, demand = _checked(station_bits, traffic)
    first, second = np.nonzero(np.triu(demand, 1))
    found = np.zeros_like(demand)
    scale = float(keys.max())
    if scale == 0.0:
        return found
    rows = np.zeros((keys.size, first.size))
    rows[first, np.arange(first.size)] = rows[second, np.arange(first.size)] = 1.0
    solved = linprog(-np.ones(first.size), A_ub=rows, b_ub=keys / scale, bounds=(0.0, None), method="highs")
    if not solved.success:  # 0 is feasible and the sum bounded: never for checked input
        raise RuntimeError(f"linear program of the pair keys: {solved.message}")
    found[first, second] = found[second, first] = np.maximum(scale * solved.x, 0.0)
    excess = np.maximum(found.sum(axis=1) / np.where(keys > 0.0, keys, 1.0), 1.0)
    excess[keys == 0.0] = math.inf
    return np.asarray(found / np.maximum.outer(excess, excess))


READINGS: Final[Mapping[str, Callable[[ArrayLike, ArrayLike], Floats]]] = MappingProxyType(
    {"network": network_pair_bits, "station": station_pair_bits, "free": free_pair_bits}
)
"""Name of a way to divide the keys -> pair keys from the keys of the stations and the traffic."""


def most_pair_bits_total(station_bits: ArrayLike) -> float:
    r"""Largest sum of pair keys when any two stations may share one.

    Parameters
    ----------
    station_bits : array_like, shape (n,)
        :math:`K_i`. [bit]

    Returns
    -------
    float
        :math:`\min\bigl(\tfrac12 \sum_i K_i,\ \sum_i K_i - \max_i K_i\bigr)`. [bit]

    Examples
    --------
    >>> most_pair_bits_total([5.0, 3.0, 4.0]), most_pair_bits_total([9.0, 3.0, 4.0])
    (6.0, 7.0)
    """
    keys = np.asarray(station_bits, np.float64)
    return float(min(keys.sum() / 2.0, keys.sum() - keys.max())) if keys.size else 0.0


def key_usage(station_bits: ArrayLike, traffic: ArrayLike, *, reading: str = "network") -> KeyUsage:
    """Pair keys and what they can be used for.

    Parameters
    ----------
    station_bits : array_like, shape (n,)
        Keys delivered to the stations. [bit]
    traffic : array_like, shape (n, n)
        Traffic between stations: symmetric, zero on the diagonal, not negative, in any unit.
    reading : str
        One of :data:`READINGS`: ``network`` (default), ``station`` or ``free``.

    Returns
    -------
    KeyUsage
        Pair keys, their sum, utilisation, whole AES-256 keys.

    Raises
    ------
    InputError
        For an unknown reading, or bits or traffic that are not as described.
    """
    if reading not in READINGS:
        raise InputError(f'key usage "{reading}": must be one of {", ".join(READINGS)}')
    keys = np.asarray(station_bits, np.float64)
    pairs = READINGS[reading](keys, traffic)
    shared, total = float(np.triu(pairs).sum()), float(keys.sum())
    # rounding of a division must not cost a whole bit
    whole = np.floor(pairs * (1.0 + 8.0 * np.finfo(float).eps)).astype(np.int64)
    return KeyUsage(
        pair_bits=pairs,
        whole_bits=whole,
        shared_bits=shared,
        unused_bits=np.maximum(keys - pairs.sum(axis=1), 0.0),
        utilisation=2.0 * shared / total if total > 0.0 else 0.0,
        one_time_pad_bits=int(np.triu(whole).sum()),
        aes256_keys=int((np.triu(whole) // AES_KEY_BITS).sum()),
    )
