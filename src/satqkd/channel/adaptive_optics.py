r"""Adaptive optics as a longer coherence length, and the Strehl ratio that follows.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, App. H.10 (Eq. 166) and H.9 (Eq. 161).
.. [2] R. N. Lanning et al., "Quantum communication over atmospheric channels: a framework for optimizing wavelength
   and filtering", Phys. Rev. Applied 16, 044027 (2021).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import positive
from satqkd.errors import InputError

__all__ = ["corrected_fried_m", "strehl_ratio"]


def corrected_fried_m(
    *,
    fried_m: ArrayLike,
    aperture_diameter_m: ArrayLike,
    greenwood_hz: ArrayLike,
    tracking_hz: ArrayLike,
    ao_bandwidth_hz: ArrayLike,
    tip_tilt_bandwidth_hz: ArrayLike = 60.0,
) -> NDArray[np.float64]:
    r"""Fried parameter behind adaptive optics, Eq. 166, or the seeing's own where that is larger.

    Parameters
    ----------
    fried_m : array_like
        Fried parameter of the seeing. [m]
    aperture_diameter_m : array_like
        Diameter of the receiver. [m]
    greenwood_hz : array_like
        Greenwood frequency :math:`f_G`. [Hz]
    tracking_hz : array_like
        Tracking frequency :math:`f_{TG}`. [Hz]
    ao_bandwidth_hz : array_like
        Closed-loop bandwidth :math:`f_c` of the deformable mirror, 0 = no adaptive optics; infinity is allowed. [Hz]
    tip_tilt_bandwidth_hz : array_like, default 60
        That of the tip-tilt mirror, :math:`f_{tc}`; infinity is allowed; all broadcast. [Hz]

    Returns
    -------
    ndarray
        :math:`1.03^{3/5} D\,[(f_G/f_c)^{5/3} + (\tfrac{\pi}{2} f_{TG}/f_{tc})^2]^{-3/5}`, infinite for a perfect
        loop. [m]

    Raises
    ------
    InputError
        For a length or frequency that is not positive, a negative bandwidth, or adaptive optics without tip-tilt.

    Notes
    -----
    Eq. 166 knows the lag of the loops only, and a loop much slower than the turbulence would, literally, make the
    seeing worse. The paper states that the corrected value exceeds the seeing's, so the larger one is returned: it
    matters below a bandwidth of some 3 Hz for the urban station, and for none of the published settings. Without
    adaptive optics the tip-tilt mirror is taken to do nothing.
    """
    fried, aperture = positive("fried_m", fried_m), positive("aperture_diameter_m", aperture_diameter_m)
    greenwood, tracking = positive("greenwood_hz", greenwood_hz), positive("tracking_hz", tracking_hz)
    bandwidth = np.asarray(ao_bandwidth_hz, dtype=np.float64)
    tip_tilt = np.asarray(tip_tilt_bandwidth_hz, dtype=np.float64)
    if not np.all(bandwidth >= 0.0):
        raise InputError(f"ao_bandwidth_hz: {bandwidth.min():g} Hz is not allowed, 0 (none) or more only")
    if not np.any(bandwidth):
        return np.asarray(np.broadcast_arrays(fried, aperture, greenwood, tracking, bandwidth, tip_tilt)[0])
    if not np.all(tip_tilt > 0.0):
        raise InputError(f"tip_tilt_bandwidth_hz: {tip_tilt.min():g} Hz is not allowed, adaptive optics needs above 0")
    with np.errstate(divide="ignore", over="ignore"):
        # f_c = 0 gives an infinite residual and so the seeing's own value; a perfect loop gives none and infinity
        residual = (greenwood / bandwidth) ** (5.0 / 3.0) + (0.5 * np.pi * tracking / tip_tilt) ** 2
        return np.asarray(np.maximum(fried, aperture * (1.03 / residual) ** 0.6))


def strehl_ratio(*, aperture_diameter_m: ArrayLike, fried_m: ArrayLike) -> NDArray[np.float64]:
    r"""Strehl ratio of an aperture in turbulence, Eq. 161.

    Parameters
    ----------
    aperture_diameter_m : array_like
        Diameter of the receiver. [m]
    fried_m : array_like
        Fried parameter, corrected or not; infinity is allowed; broadcast. [m]

    Returns
    -------
    ndarray
        :math:`[1 + (D/r_0)^{5/3}]^{-6/5}`, in (0, 1]. [1]

    Raises
    ------
    InputError
        For a length that is not positive.
    """
    fried = np.asarray(fried_m, dtype=np.float64)
    if not np.all(fried > 0.0):
        raise InputError("fried_m: positive lengths only")
    ratio = positive("aperture_diameter_m", aperture_diameter_m) / fried
    return np.asarray((1.0 + ratio ** (5.0 / 3.0)) ** -1.2)
