"""Integrals of Cn2 over the height above a station, done once per profile.

Composite Gauss-Legendre quadrature, 16 nodes in each of some 15 panels: relative error below 1e-11.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.profiles import TurbulenceProfile
from satqkd.errors import InputError

__all__ = ["cn2_integral", "cn2_moment", "quadrature"]

_PANELS_M: Final = (30.0, 100.0, 200.0, 400.0, 800.0, 1500.0, 3e3, 5e3, 7e3, 9e3, 11e3, 13e3, 15e3, 17e3, 20e3)
_NODES: Final = 16
_DIRECT: Final = 32


@lru_cache(maxsize=256)
def quadrature(profile: TurbulenceProfile, lower_m: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Composite Gauss-Legendre rule over a profile, with edges where the profile is not smooth.

    Parameters
    ----------
    profile : TurbulenceProfile
        The station.
    lower_m : float
        Lower limit above ground; the upper one is the profile's. [m]

    Returns
    -------
    tuple of ndarray, each shape (n,)
        Heights above ground [m], and Cn2 there times the weight [m^(1/3)]; both read-only.

    Raises
    ------
    InputError
        For a lower limit that is negative or not below the upper one.
    """
    if not 0.0 <= lower_m < profile.upper_height_m:
        raise InputError(f"lower height of the turbulence: {lower_m:g} m, allowed 0 to {profile.upper_height_m:g} m")
    inner = [edge for edge in (*_PANELS_M, *profile.cn2.breaks_m) if lower_m < edge < profile.upper_height_m]
    edges = np.unique([lower_m, *inner, profile.upper_height_m])
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * np.diff(edges)[:, None]
    heights = (edges[:-1, None] + half * (1.0 + nodes)).ravel()
    strength = (half * weights).ravel() * profile.cn2.at(heights)
    heights.setflags(write=False)
    strength.setflags(write=False)
    return heights, strength


@lru_cache(maxsize=1024)
def cn2_moment(
    profile: TurbulenceProfile, height_power: float = 0.0, wind_power: float = 0.0, lower_m: float = -1.0
) -> float:
    r"""Integral over the height of Cn2 with powers of height and wind.

    Parameters
    ----------
    profile : TurbulenceProfile
        The station.
    height_power : float, default 0
        p, power of the height above the lower limit.
    wind_power : float, default 0
        q, power of the wind.
    lower_m : float, default -1
        Lower limit above ground; negative: the profile's own. [m]

    Returns
    -------
    float
        :math:`\int C_n^2(h)\,(h - h_0)^p\,V^q(h)\,dh`, relative error below 1e-11. [SI]
    """
    lower = profile.lower_height_m if lower_m < 0.0 else lower_m
    heights, strength = quadrature(profile, lower)
    return float(np.sum(strength * (heights - lower) ** height_power * profile.wind_m_s(heights) ** wind_power))


def cn2_integral(
    profile: TurbulenceProfile,
    lower_m: float,
    parameter: NDArray[np.float64],
    offset: float,
    weight: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    r"""Integral of Cn2 with a weight that depends on height and on one parameter, for many values of it.

    Parameters
    ----------
    profile : TurbulenceProfile
        The station.
    lower_m : float
        Lower limit above ground. [m]
    parameter : ndarray
        Values of the parameter x, at least 0, any shape.
    offset : float
        The weight is smooth for x above minus this, positive.
    weight : callable
        From heights (n,) and parameters (..., 1) to weights (..., n).

    Returns
    -------
    ndarray
        :math:`\int C_n^2(h)\,w(h, x)\,dh`, the shape of ``parameter``.

    Notes
    -----
    Up to 32 samples are integrated one by one. More are interpolated by Chebyshev polynomials in
    :math:`\log(x + \text{offset})` through 32 integrals; relative error below 1e-11 for the weights of this package.
    """
    heights, strength = quadrature(profile, lower_m)

    def direct(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(weight(heights, values[..., None]) @ strength)

    if parameter.size <= _DIRECT:
        return direct(parameter)
    position = np.log(parameter + offset)
    low, high = float(position.min()), float(position.max())
    if high - low < 1e-12:
        return np.full(parameter.shape, direct(parameter.flat[:1])[0])
    series = np.polynomial.Chebyshev.interpolate(
        lambda y: direct(np.maximum(np.exp(y) - offset, 0.0)), _DIRECT - 1, domain=[low, high]
    )
    return np.asarray(series(position))
