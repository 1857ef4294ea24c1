r"""Delay of a pulse by the air, and what another wavelength misses of it.

Two uplinks at different elevations pass different amounts of air; laser ranging feels nearly the same delay, at its own
wavelength. Dry air in hydrostatic equilibrium; water vapour adds about 0.1 %, bending less than 1 % above 10 deg.

References
----------
.. [1] International Association of Geodesy, Resolution 3 (1999): group refractive index of standard air.
.. [2] J. W. Marini, C. W. Murray, "Correction of laser range tracking data for atmospheric refraction at elevations
   above 10 degrees", NASA X-591-73-351 (1973).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._path import optical_wavelength_m
from satqkd.channel.air_mass import exponential_shell
from satqkd.channel.rayleigh import pressure_ratio
from satqkd.constants import SPEED_OF_LIGHT_M_S

__all__ = ["air_delay_s", "group_refractivity"]

Array = NDArray[np.float64]

_STANDARD_HEIGHT_M: Final = 8.314_462_618 * 273.15 / (0.028_964_4 * 9.806_65)
"""Height of standard air (0 deg C, 1013.25 hPa) with the mass of the atmosphere: RT/Mg. [m]"""

_SCALE_HEIGHT_M: Final = 8.0e3  # of the density, for the slanted path


def group_refractivity(wavelength_m: ArrayLike) -> Array:
    r"""Group refractive index of dry air at 0 deg C and 1013.25 hPa, less 1.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength, 100 nm to 20 micrometres; the formula is for visible and near infrared light. [m]

    Returns
    -------
    ndarray
        :math:`10^{-6}(287.6155 + 4.88660/\lambda^2 + 0.06800/\lambda^4)`, wavelength in micrometres. [1]

    Examples
    --------
    >>> (1e6 * group_refractivity([532e-9, 780e-9, 1550e-9])).round(2)
    array([305.73, 295.83, 289.66])
    """
    inverse2 = 1.0 / (1e6 * optical_wavelength_m(wavelength_m)) ** 2
    return np.asarray(1e-6 * (287.6155 + 4.88660 * inverse2 + 0.06800 * inverse2**2))


def air_delay_s(zenith_rad: ArrayLike, *, wavelength_m: ArrayLike, altitude_m: ArrayLike) -> Array:
    r"""Time by which the air above a station delays a pulse.

    Parameters
    ----------
    zenith_rad : array_like
        Zenith angle from 0 to below pi/2; all arrays broadcast. [rad]
    wavelength_m : array_like
        Vacuum wavelength. [m]
    altitude_m : array_like
        Of the station, standard pressure. [m]

    Returns
    -------
    ndarray
        :math:`\frac{(n_g-1)H}{c}\,\frac{P}{P_0}\,X(z)` with the height H that it would have as standard air,
        and the air mass X of an exponential shell. [s]

    Notes
    -----
    :math:`\int(n-1)\,dh` depends on the pressure below only, since refractivity is proportional to density.

    Examples
    --------
    At the zenith over sea level, in metres:

    >>> round(float(air_delay_s(0.0, wavelength_m=780e-9, altitude_m=0.0)) * 299792458.0, 3)
    2.365
    """
    vertical_m = group_refractivity(wavelength_m) * _STANDARD_HEIGHT_M * pressure_ratio(altitude_m)
    mass = exponential_shell(zenith_rad, scale_height_m=_SCALE_HEIGHT_M, altitude_m=altitude_m)
    return np.asarray(vertical_m * mass / SPEED_OF_LIGHT_M_S)
