r"""From the telescope's focus into a single-mode fibre or onto a detector of given field of view.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, App. H.9 (Eqs. 156-165) and Table 1.
.. [2] M. Born, E. Wolf, *Principles of Optics*, 7th ed., Cambridge University Press, 1999, sec. 8.5.
.. [3] F. Roddier, "The effects of atmospheric turbulence in optical astronomy", Prog. Optics 19, 281 (1981).
.. [4] C. Ruilier, "A study of degraded light coupling into single-mode fibers", Proc. SPIE 3350, 319 (1998).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range, positive
from satqkd.errors import InputError

__all__ = [
    "FIBRE_LIMIT",
    "FREE_SPACE_LIMIT",
    "airy_half_angle_rad",
    "encircled_energy",
    "fibre_half_angle_rad",
    "fibre_overlap",
    "seeing_encircled_energy",
    "solid_angle_sr",
]

FIBRE_LIMIT: Final = 0.786
"""Largest coupling of an unobscured aperture into a step-index single-mode fibre, Table 1. [1]"""

FREE_SPACE_LIMIT: Final = 0.838
"""Share of the light within the first Airy ring as rounded in Eq. 160 and Table 1; Eq. 157 gives 0.83778. [1]"""

_AIRY: Final = 1.22
_FIBRE: Final = 2.24
_NO_SEEING: Final = 1e-6


def airy_half_angle_rad(*, wavelength_m: ArrayLike, aperture_diameter_m: ArrayLike) -> NDArray[np.float64]:
    r"""Half angle of the first dark ring, Eq. 159.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength. [m]
    aperture_diameter_m : array_like
        Diameter of the receiver, broadcast. [m]

    Returns
    -------
    ndarray
        :math:`1.22\lambda/D`. [rad]

    Raises
    ------
    InputError
        For a length that is not positive.
    """
    return np.asarray(
        _AIRY * positive("wavelength_m", wavelength_m) / positive("aperture_diameter_m", aperture_diameter_m)
    )


def fibre_half_angle_rad(*, wavelength_m: ArrayLike, aperture_diameter_m: ArrayLike) -> NDArray[np.float64]:
    r"""Effective half angle of a single-mode fibre's field of view, Eq. 164.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength. [m]
    aperture_diameter_m : array_like
        Diameter of the receiver, broadcast. [m]

    Returns
    -------
    ndarray
        :math:`2.24\lambda/\pi D`. [rad]

    Raises
    ------
    InputError
        For a length that is not positive.

    Notes
    -----
    For background light only: it is not a hard edge that :func:`encircled_energy` may take.
    """
    aperture = positive("aperture_diameter_m", aperture_diameter_m)
    return np.asarray(_FIBRE * positive("wavelength_m", wavelength_m) / (np.pi * aperture))


def solid_angle_sr(half_angle_rad: ArrayLike) -> NDArray[np.float64]:
    r"""Solid angle of a circular field of view, Eq. 158.

    Parameters
    ----------
    half_angle_rad : array_like
        Half angle in [0, pi], any shape. [rad]

    Returns
    -------
    ndarray
        :math:`2\pi(1-\cos\gamma) = 4\pi\sin^2(\gamma/2)`; the printed form loses all digits at microradians. [sr]

    Raises
    ------
    InputError
        For an angle outside 0 to pi.
    """
    half = in_range("half_angle_rad", half_angle_rad, 0.0, np.pi)
    return np.asarray(4.0 * np.pi * np.sin(0.5 * half) ** 2)


def encircled_energy(
    half_angle_rad: ArrayLike,
    *,
    wavelength_m: ArrayLike,
    aperture_diameter_m: ArrayLike,
    obscuration_ratio: float = 0.0,
) -> NDArray[np.float64]:
    r"""Share of a point's light within a field of view, diffraction only: Eq. 157, and with a central obscuration.

    Parameters
    ----------
    half_angle_rad : array_like
        Half angle of the field of view, at least 0. [rad]
    wavelength_m : array_like
        Vacuum wavelength. [m]
    aperture_diameter_m : array_like
        Diameter of the receiver; all broadcast. [m]
    obscuration_ratio : float, default 0
        Diameter of the obscuration per that of the aperture, in [0, 1). [1]

    Returns
    -------
    ndarray
        :math:`1 - J_0^2(u) - J_1^2(u)`, :math:`u = \pi D\sin\gamma/\lambda`, of the light that entered. [1]

    Raises
    ------
    InputError
        For an angle outside 0 to pi/2, a length that is not positive, or a ratio outside [0, 1).

    Notes
    -----
    With the ratio :math:`\epsilon`, and :math:`L` the function above,
    :math:`[L(u) + \epsilon^2 L(\epsilon u) - 4\epsilon\int_0^u J_1(t)J_1(\epsilon t)\,dt/t]/(1-\epsilon^2)`;
    the integral by Gauss-Legendre panels of :math:`\pi`.
    """
    from scipy.special import j0, j1

    half = in_range("half_angle_rad", half_angle_rad, 0.0, 0.5 * np.pi)
    ratio = float(in_range("obscuration_ratio", obscuration_ratio, 0.0, np.nextafter(1.0, 0.0)))
    aperture = positive("aperture_diameter_m", aperture_diameter_m)
    u = np.asarray(np.pi * aperture * np.sin(half) / positive("wavelength_m", wavelength_m))

    def unobscured(argument: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1.0 - j0(argument) ** 2 - j1(argument) ** 2)

    if ratio == 0.0:
        return unobscured(u)
    nodes, weights = np.polynomial.legendre.leggauss(12)

    def integral(start: NDArray[Any], stop: NDArray[Any]) -> NDArray[np.float64]:
        width = 0.5 * (stop - start)
        t = start[..., None] + width[..., None] * (1.0 + nodes)
        return np.asarray(width * ((j1(t) * j1(ratio * t) / t) @ weights))

    panel = np.floor(u / np.pi).astype(np.int64)
    edges = np.asarray(np.pi * np.arange(int(panel.max()) + 1))
    whole = np.concatenate([[0.0], np.cumsum(integral(edges[:-1], edges[1:]))])
    cross = np.where(u > 0.0, whole[panel] + integral(edges[panel], np.maximum(u, 1e-300)), 0.0)
    total = unobscured(u) + ratio**2 * unobscured(ratio * u) - 4.0 * ratio * cross
    return np.asarray(total / (1.0 - ratio**2))


def fibre_overlap(*, obscuration_ratio: float = 0.0) -> float:
    r"""Largest overlap of an obscured aperture's focus with a Gaussian fibre mode.

    Parameters
    ----------
    obscuration_ratio : float, default 0
        Diameter of the obscuration per that of the aperture, in [0, 1). [1]

    Returns
    -------
    float
        :math:`\max_\beta 2\,[e^{-\beta^2\epsilon^2} - e^{-\beta^2}]^2/[\beta^2(1-\epsilon^2)]`, 0.8145 unobscured. [1]

    Raises
    ------
    InputError
        For a ratio outside [0, 1).

    Notes
    -----
    Of the light that entered; the mode's size is matched to the aperture. Its ratio to the unobscured value scales
    :data:`FIBRE_LIMIT`, which is for a step-index fibre's own mode.
    """
    from scipy.optimize import minimize_scalar

    square = float(in_range("obscuration_ratio", obscuration_ratio, 0.0, np.nextafter(1.0, 0.0))) ** 2

    def lost(beta: float) -> float:
        difference = math.exp(-(beta**2) * square) * -math.expm1(-(beta**2) * (1.0 - square))
        return -2.0 * difference**2 / (beta**2 * (1.0 - square))

    return -float(minimize_scalar(lost, bounds=(0.2, 2.0), method="bounded", options={"xatol": 1e-10}).fun)


def seeing_encircled_energy(
    half_angle_rad: ArrayLike, *, wavelength_m: ArrayLike, aperture_diameter_m: ArrayLike, fried_m: ArrayLike
) -> NDArray[np.float64]:
    r"""Share of a point's light within a field of view, diffraction and long-exposure seeing.

    Parameters
    ----------
    half_angle_rad : array_like
        Half angle of the field of view, 0 to 0.01. [rad]
    wavelength_m : array_like
        Vacuum wavelength. [m]
    aperture_diameter_m : array_like
        Diameter of the unobscured receiver. [m]
    fried_m : array_like
        Fried parameter; infinity gives :func:`encircled_energy`; all broadcast. [m]

    Returns
    -------
    ndarray
        :math:`2u\int_0^1 M_D(x)\,\exp[-3.44(xD/r_0)^{5/3}]\,J_1(2ux)\,dx`, :math:`M_D` the aperture's transfer
        function. [1]

    Raises
    ------
    InputError
        For an angle outside 0 to 0.01 rad or a length that is not positive.

    Notes
    -----
    Exact for a detector that takes all light in its field of view. Eq. 163 multiplies diffraction's share by the
    Strehl ratio instead and so tends to that ratio, not to 1, in a wide field: it counts as lost all light that
    seeing displaced, even within the field. Gauss-Legendre with panels that follow the oscillation, relative error
    below 1e-6 for D/r_0 up to 100 and :math:`u` up to 1000. Quick for many Fried parameters at one :math:`u`; every
    other :math:`u` costs 64 integrals.
    """
    half = in_range("half_angle_rad", half_angle_rad, 0.0, 0.01)
    aperture = positive("aperture_diameter_m", aperture_diameter_m)
    u = np.pi * aperture * np.sin(half) / positive("wavelength_m", wavelength_m)
    fried = np.asarray(fried_m, dtype=np.float64)
    if not np.all(fried > 0.0):
        raise InputError("fried_m: positive lengths only")
    u_all, blur = np.broadcast_arrays(u, np.maximum(aperture / fried, _NO_SEEING))
    share = np.zeros(u_all.shape)
    for value in np.unique(u_all[u_all > 0.0]):
        chosen = u_all == value
        share[chosen] = _seeing_share(float(value), blur[chosen])
    return share


def _seeing_share(u: float, blur: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encircled energy at one u for many D/r_0; more than 64 are interpolated in log(D/r_0) between as many."""
    from scipy.special import j1

    nodes, weights = np.polynomial.legendre.leggauss(16)
    # panels shrink towards 0, where the seeing cuts off, and towards 1, where the transfer function has a root
    fixed = [0.0, *np.geomspace(1e-4, 0.5, 16), *(1.0 - np.geomspace(0.4, 1e-5, 14)), 1.0]
    edges = np.unique([*fixed, *np.linspace(0.0, 1.0, 2 + math.ceil(u / np.pi))])
    width = 0.5 * np.diff(edges)[:, None]
    x = (edges[:-1, None] + width * (1.0 + nodes)).ravel()
    telescope = 2.0 / np.pi * (np.arccos(x) - x * np.sqrt(1.0 - x * x))
    kernel = 2.0 * u * (width * weights).ravel() * telescope * j1(2.0 * u * x)

    def direct(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([np.exp(-3.44 * (value * x) ** (5.0 / 3.0)) @ kernel for value in ratio])

    low, high = math.log(float(blur.min())), math.log(float(blur.max()))
    if blur.size <= 64 or high - low < 1e-12:
        return direct(blur) if blur.size <= 64 else np.full(blur.shape, direct(blur[:1])[0])
    series = np.polynomial.Chebyshev.interpolate(lambda y: direct(np.exp(y)), 63, domain=[low, high])
    return np.asarray(series(np.log(blur)))
