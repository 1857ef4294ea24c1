r"""What optical fibre could do at best: repeaterless and repeater bounds against distance.

References
----------
.. [1] S. Pirandola, R. Laurenza, C. Ottaviani, L. Banchi, "Fundamental limits of repeaterless quantum communications",
   Nat. Commun. 8, 15043 (2017).
.. [2] S. Pirandola, "End-to-end capacities of a quantum communication network", Commun. Phys. 2, 51 (2019).
.. [3] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, Sec. V and Fig. 10.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range
from satqkd.errors import InputError

__all__ = [
    "FIBRE_ATTENUATION_DB_PER_M",
    "fibre_length_m",
    "fibre_loss_db",
    "log10_repeater_bound",
    "repeater_bound",
    "repeaterless_bound",
]

Floats = NDArray[np.float64]

FIBRE_ATTENUATION_DB_PER_M: Final = 0.2e-3
"""Attenuation of telecom fibre at 1550 nm, 0.2 dB/km as in Fig. 10. [dB/m]"""

_LN10: Final = np.log(10.0)
_LN2: Final = np.log(2.0)


def fibre_loss_db(length_m: ArrayLike, *, attenuation_db_per_m: ArrayLike = FIBRE_ATTENUATION_DB_PER_M) -> Floats:
    r"""Loss of a fibre.

    Parameters
    ----------
    length_m : array_like
        Length, at least 0, any shape. [m]
    attenuation_db_per_m : array_like, default 2e-4
        Attenuation from 1e-6 (0.001 dB/km) to 0.1 dB/m, broadcast. [dB/m]

    Returns
    -------
    ndarray
        Loss, :math:`\alpha d`. [dB]

    Raises
    ------
    InputError
        For a negative length, or an attenuation outside its range, as 0.2 (dB/km) is.

    Examples
    --------
    >>> fibre_loss_db([0.0, 100e3])
    array([ 0., 20.])
    """
    attenuation = in_range("attenuation_db_per_m (dB per metre)", attenuation_db_per_m, 1e-6, 0.1)
    return np.asarray(attenuation * in_range("length_m", length_m, 0.0, np.inf))


def repeaterless_bound(transmittance: ArrayLike) -> Floats:
    r"""Secret-key capacity of a lossy channel, the PLOB bound.

    Parameters
    ----------
    transmittance : array_like
        :math:`\eta` in [0, 1), any shape. [1]

    Returns
    -------
    ndarray
        :math:`-\log_2(1-\eta)`. [bit per use]

    Raises
    ------
    InputError
        For a transmittance outside [0, 1): at 1 the capacity is infinite.

    Notes
    -----
    No protocol without repeaters gets more [1], whatever its source, detectors and computing power.

    Examples
    --------
    >>> repeaterless_bound(0.5).item()
    1.0
    """
    eta = np.asarray(transmittance, dtype=np.float64)
    if not np.all((eta >= 0.0) & (eta < 1.0)):
        raise InputError("transmittance: only from 0 to below 1 is allowed")
    return np.asarray(-np.log1p(-eta) / _LN2 + 0.0)


def _segments(repeaters: ArrayLike) -> Floats:
    count = in_range("repeaters", repeaters, 0.0, 1e9)
    if np.any(count != np.rint(count)):
        raise InputError("repeaters: only whole numbers are allowed")
    return np.asarray(count + 1.0)


def repeater_bound(transmittance: ArrayLike, *, repeaters: ArrayLike) -> Floats:
    r"""Capacity of a chain of equally spaced ideal repeaters.

    Parameters
    ----------
    transmittance : array_like
        :math:`\eta` of the whole fibre in [0, 1), any shape. [1]
    repeaters : array_like of int
        N, at least 0, broadcast. [1]

    Returns
    -------
    ndarray
        :math:`-\log_2(1-\eta^{1/(N+1)})`, the capacity of one of the N + 1 equal segments. [bit per use]

    Raises
    ------
    InputError
        For a transmittance outside [0, 1) or a number of repeaters that is negative or not whole.

    Notes
    -----
    The weakest segment limits a chain [2]; equal segments are the best placing. Ideal memories, no processing loss.
    """
    segments = _segments(repeaters)
    return repeaterless_bound(np.asarray(transmittance, dtype=np.float64) ** (1.0 / segments))


def log10_repeater_bound(
    length_m: ArrayLike,
    *,
    repeaters: ArrayLike = 0,
    attenuation_db_per_m: ArrayLike = FIBRE_ATTENUATION_DB_PER_M,
) -> Floats:
    r"""Decimal logarithm of :func:`repeater_bound` at a distance where the transmittance itself may underflow.

    Parameters
    ----------
    length_m : array_like
        Length of the whole fibre, above 0, any shape. [m]
    repeaters : array_like of int, default 0
        N, 0 = the repeaterless bound. [1]
    attenuation_db_per_m : array_like, default 2e-4
        Attenuation; all broadcast. [dB/m]

    Returns
    -------
    ndarray
        :math:`\log_{10}R_\mathrm{fib}^\mathrm{rep}`. [1]

    Raises
    ------
    InputError
        As :func:`fibre_loss_db` and :func:`repeater_bound`, and for a length of 0.

    Notes
    -----
    0.2 dB/km over half the Earth are 4000 dB: 1e-400, below the smallest float.

    Examples
    --------
    With 30 repeaters, over 10 000 km:

    >>> f"{10 ** log10_repeater_bound(1e7, repeaters=30):.2e}"
    '5.10e-07'
    """
    segment_db = fibre_loss_db(length_m, attenuation_db_per_m=attenuation_db_per_m) / _segments(repeaters)
    if np.any(segment_db == 0.0):
        raise InputError("length_m: 0 is not allowed, the capacity is infinite there")
    exponent = -0.1 * _LN10 * segment_db
    # -log(1 - eta) underflows with eta; below 1e-16 it is eta
    small = exponent < -37.0
    near = np.log(-_log_one_minus_exp(np.where(small, -1.0, exponent)))
    return np.asarray((np.where(small, exponent, near) - np.log(_LN2)) / _LN10)


def _log_one_minus_exp(exponent: Floats) -> Floats:
    """Logarithm of 1 - exp(x) for x < 0, full precision at both ends."""
    half = exponent < -_LN2
    low = np.log1p(-np.exp(np.where(half, exponent, -1.0)))
    return np.asarray(np.where(half, low, np.log(-np.expm1(np.where(half, -1.0, exponent)))))


def fibre_length_m(
    rate: ArrayLike, *, repeaters: ArrayLike = 0, attenuation_db_per_m: ArrayLike = FIBRE_ATTENUATION_DB_PER_M
) -> Floats:
    r"""Distance at which the bound falls to a given rate: where a satellite starts to win.

    Parameters
    ----------
    rate : array_like
        Bits per use, above 0, any shape. [bit per use]
    repeaters : array_like of int, default 0
        N. [1]
    attenuation_db_per_m : array_like, default 2e-4
        Attenuation; all broadcast. [dB/m]

    Returns
    -------
    ndarray
        :math:`-(N+1)\,10\log_{10}(1-2^{-R})/\alpha`. [m]

    Raises
    ------
    InputError
        For a rate that is not positive, and as :func:`log10_repeater_bound`.
    """
    bits = in_range("rate", rate, np.finfo(np.float64).tiny, np.inf)
    per_segment_db = -10.0 / _LN10 * _log_one_minus_exp(-_LN2 * bits)
    per_metre_db = fibre_loss_db(1.0, attenuation_db_per_m=attenuation_db_per_m)
    return np.asarray(_segments(repeaters) * per_segment_db / per_metre_db)
