"""Concentration inequalities: from an observed count to bounds on its expectation.

Each function takes the observed count, the total over all intensities and ``beta = ln(1/eps)``, and returns
``(delta_minus, delta_plus)``: the expectation lies above ``count - delta_minus`` and below ``count + delta_plus``,
each except with probability ``eps``. Choose one by name from :data:`BOUNDS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

__all__ = ["BOUNDS", "Bound", "asymptotic", "chernoff", "chernoff_implicit", "hoeffding"]

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


def chernoff_implicit(count: float, total: float, beta: float) -> tuple[float, float]:
    r"""Chernoff bound without closing approximations: the implicit equations, solved numerically.

    Parameters
    ----------
    count : float
        Observed count X of a sum of independent Bernoulli variables. [1]
    total : float
        Not used.
    beta : float
        :math:`\ln(1/\varepsilon)`, positive. [1]

    Returns
    -------
    tuple of float
        :math:`\delta^- = X - E^L`, :math:`\delta^+ = E^U - X` with :math:`E^L = X/(1+\delta_1)`,
        :math:`E^U = X/(1-\delta_2)`, and :math:`\delta_1, \delta_2` from
        :math:`[e^{\delta_1}(1+\delta_1)^{-1-\delta_1}]^{X/(1+\delta_1)} = \varepsilon`,
        :math:`[e^{-\delta_2}(1-\delta_2)^{-1+\delta_2}]^{X/(1-\delta_2)} = \varepsilon`. [1]

    Notes
    -----
    Both equations are :math:`E - X + X\ln(X/E) = \beta`; the roots below and above X are the bounds. With
    :math:`E = X(1+u)` that is :math:`u - \ln(1+u) = \beta/X`, solved by Newton's method without cancellation. For
    :math:`X = 0` the bounds are 0 and :math:`\beta`. Never wider than :func:`chernoff`, which is its closed form.

    References
    ----------
    .. [1] Y. Li et al., "Microsatellite-based real-time quantum key distribution", Nature 640, 47 (2025),
       Methods 0.6, Eqs. 3-6; C. Jiang, Z.-W. Yu, X.-B. Wang, Phys. Rev. A 95, 032325 (2017).

    Examples
    --------
    >>> chernoff_implicit(0.0, 0.0, 23.0)
    (0.0, 23.0)
    """
    del total
    if count <= beta * 1e-15:  # E^U - beta - X(1 + ln(beta/X)) is of second order in X
        return count, beta + (count * (math.log(beta) - math.log(count)) if count > 0.0 else 0.0)
    c = beta / count
    s = math.sqrt(2.0 * c)
    if c < 0.5:
        below, above = -s + s * s / 3.0, s + s * s / 3.0
    else:
        below, above = math.exp(-1.0 - c) - 1.0, c + math.log1p(c + s)
    return -count * _root(below, c), count * _root(above, c)


def _root(start: float, c: float) -> float:
    """Root of u - ln(1+u) = c on the side of 0 where ``start`` is; the function is convex, Newton converges."""
    u = start
    for _ in range(50):
        if u <= -1.0:
            return -1.0  # the root is closer to -1 than a rounding error
        step = (_excess(u) - c) * (1.0 + u) / u
        u -= step
        if abs(step) <= 1e-15 * abs(u):
            break
    return max(u, -1.0)


def _excess(u: float) -> float:
    """The function u - ln(1 + u), without cancellation near 0."""
    if abs(u) > 0.1:
        return u - math.log1p(u)
    v = u / (2.0 + u)  # ln(1 + u) = 2 artanh(v), and u - 2v = uv
    square, power, rest = v * v, v, 0.0
    for k in range(3, 33, 2):
        power *= square
        rest += power / k
    return u * v - 2.0 * rest


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


BOUNDS: Mapping[str, Bound] = MappingProxyType(
    {
        "chernoff": chernoff,
        "hoeffding": hoeffding,
        "asymptotic": asymptotic,
        "chernoff-implicit": chernoff_implicit,
    }
)
"""Concentration inequality by name."""
