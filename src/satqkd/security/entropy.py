"""Binary entropy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["binary_entropy", "binary_entropy_scalar"]


def binary_entropy(probability: ArrayLike) -> NDArray[np.float64]:
    r"""Shannon entropy of a biased bit.

    Parameters
    ----------
    probability : array_like
        Probability of one outcome, in [0, 1]. [1]

    Returns
    -------
    ndarray
        :math:`h(x) = -x\log_2 x - (1-x)\log_2(1-x)`; exactly 0 at 0 and 1. [bit]

    Raises
    ------
    InputError
        If a value is outside [0, 1] or not a number.

    References
    ----------
    .. [1] C. E. Shannon, "A mathematical theory of communication", Bell Syst. Tech. J. 27, 379 (1948).

    Examples
    --------
    >>> binary_entropy([0.0, 0.5, 1.0]).tolist()
    [0.0, 1.0, 0.0]
    """
    x = np.asarray(probability, float)
    if x.size and not bool(np.all((x >= 0.0) & (x <= 1.0))):
        raise InputError("binary_entropy: every probability must be between 0 and 1")
    inside = (x > 0.0) & (x < 1.0)
    y = np.where(inside, x, 0.5)
    entropy = -(y * np.log(y) + (1.0 - y) * np.log1p(-y)) / math.log(2.0)
    return np.where(inside, entropy, 0.0)


def binary_entropy_scalar(probability: float) -> float:
    """Binary entropy of one float, without array overhead; see :func:`binary_entropy`. [bit]"""
    x = probability
    if 0.0 < x < 1.0:
        return -(x * math.log(x) + (1.0 - x) * math.log1p(-x)) / math.log(2.0)
    if x in (0.0, 1.0):
        return 0.0
    raise InputError(f"binary_entropy: {x!r} must be between 0 and 1")
