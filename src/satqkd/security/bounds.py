"""Concentration inequalities: from an observed count to bounds on its expectation.

Each function takes the observed count, the total over all intensities and ``beta = ln(1/eps)``, and returns
``(delta_minus, delta_plus)``: the expectation lies above ``count - delta_minus`` and below ``count + delta_plus``,
each except with probability ``eps``. Choose one by name from :data:`BOUNDS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

__all__ = ["BOUNDS", "Bound", "asymptotic", "chernoff", "hoeffding"]

Bound = Callable[[float, float, float], tuple[float, float]]


def chernoff(count: float, total: float, beta: float) -> tuple[float, float]:
    r"""Inverse multiplicative Chernoff bound for a sum of independent Bernoulli variables.

    Parameters
    ----------
    count : float
        Observed count y. [1]
    total : float
        Not used.
    beta : float
        :math:`\ln(1/\varepsilon)`. [1]

    Returns
    -------
    tuple of float
        :math:`\delta^- = \beta/2 + \sqrt{2\beta y + \beta^2/4}`, :math:`\delta^+ = \beta + \sqrt{2\beta y+\beta^2}`.

    References
    ----------
    .. [1] H.-L. Yin et al., Sci. Rep. 10, 14312 (2020); J. S. Sidhu et al., npj Quantum Inf. 8, 18 (2022), Eq. 7.
    """
    del total
    square = 2.0 * beta * count
    half = 0.5 * beta
    return half + math.sqrt(square + half * half), beta + math.sqrt(square + beta * beta)


def hoeffding(count: float, total: float, beta: float) -> tuple[float, float]:
    r"""Hoeffding's inequality over all the events of a basis.

    Parameters
    ----------
    count : float
        Not used.
    total : float
        Events of all intensities together. [1]
    beta : float
        :math:`\ln(1/\varepsilon)`. [1]

    Returns
    -------
    tuple of float
        :math:`\delta^\pm = \sqrt{n_\mathrm{total}\,\beta/2}`.

    References
    ----------
    .. [1] C. C. W. Lim et al., Phys. Rev. A 89, 022307 (2014).
    """
    del count
    delta = math.sqrt(0.5 * total * beta)
    return delta, delta


def asymptotic(count: float, total: float, beta: float) -> tuple[float, float]:
    """No fluctuations: the limit of infinitely many pulses, not a security statement about a finite key.

    Parameters
    ----------
    count, total, beta : float
        Not used.

    Returns
    -------
    tuple of float
        ``(0.0, 0.0)``.
    """
    del count, total, beta
    return 0.0, 0.0


BOUNDS: Mapping[str, Bound] = MappingProxyType({"chernoff": chernoff, "hoeffding": hoeffding, "asymptotic": asymptotic})
"""Concentration inequality by name."""
