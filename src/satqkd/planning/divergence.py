"""How far delivered shares are from the shares asked for, and the linear cuts of that convex limit.

References
----------
.. [1] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum key
   distribution modelling and scheduling analysis", Eq. 9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["divergence_cut", "kl_divergence"]


def kl_divergence(delivered_bits: ArrayLike, weights: ArrayLike) -> float:
    r"""Kullback-Leibler divergence of the delivered shares from the weights.

    Parameters
    ----------
    delivered_bits : array_like, shape (n_stations,)
        Bits delivered, not negative and not all zero. [bit]
    weights : array_like, shape (n_stations,)
        Shares asked for, not negative, of sum 1.

    Returns
    -------
    float
        :math:`\sum_n p_n \ln(p_n / q_n)`, :math:`p_n = E_n / \sum E`, at least 0; infinite if a station of weight 0
        gets bits. [nat]

    Notes
    -----
    Eq. 9 of Wang et al. Summed as :math:`\sum q_n \phi(p_n / q_n)` with :math:`\phi(r) = r \ln r - r + 1`, whose terms
    are not negative: no cancellation near zero.

    Examples
    --------
    >>> round(kl_divergence([1, 1], [0.5, 0.5]), 12), round(kl_divergence([1, 0], [0.5, 0.5]), 6)
    (0.0, 0.693147)
    """
    from scipy.special import kl_div

    delivered = np.asarray(delivered_bits, dtype=np.float64)
    # kl_div is p ln(p/q) - p + q in each term: the sums of p and of q cancel.
    return float(np.sum(kl_div(delivered / delivered.sum(), np.asarray(weights, dtype=np.float64))))


def divergence_cut(delivered_bits: ArrayLike, weights: ArrayLike, kl_max: float) -> NDArray[np.float64]:
    r"""Linear inequality that every delivery within the divergence's limit satisfies, tight at this one's shares.

    Parameters
    ----------
    delivered_bits : array_like, shape (n_stations,)
        Bits delivered, not negative and not all zero. [bit]
    weights : array_like, shape (n_stations,)
        Shares asked for, positive wherever bits are delivered, of sum 1.
    kl_max : float
        Limit. [nat]

    Returns
    -------
    ndarray, shape (n_stations,)
        Coefficients :math:`a_n` of :math:`\sum_n a_n E_n \le 0`; zero for a station of weight 0.

    Notes
    -----
    :math:`\sum E_n \ln(E_n / (q_n S)) \le \delta S` with :math:`S = \sum E` is convex and homogeneous of degree one, so
    its gradient :math:`a_n = \ln(p_n / q_n) - \delta` gives a cut through the origin that is exact along the ray of
    *p*. A share of zero is replaced by 1e-12 (and the shares normalised), which keeps the cut finite and valid.
    """
    shares = np.maximum(np.asarray(delivered_bits, dtype=np.float64), 0.0)
    weight = np.asarray(weights, dtype=np.float64)
    shares = np.where(weight > 0.0, np.maximum(shares / shares.sum(), 1e-12), 0.0)
    shares /= shares.sum()
    ratio = np.divide(shares, weight, out=np.ones_like(shares), where=weight > 0.0)
    return np.where(weight > 0.0, np.log(ratio) - kl_max, 0.0)
