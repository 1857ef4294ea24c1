"""Absorption by gases: vertical optical depth outside strong bands.

References
----------
.. [1] R. E. Bird, C. Riordan, "Simple solar spectral model for direct and diffuse irradiance on horizontal and tilted
   planes at the earth's surface for cloudless atmospheres", SERI/TR-215-2436 (1984).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel.atmosphere_tables import check_in_range, gas_table, look_up
from satqkd.channel.rayleigh import pressure_ratio
from satqkd.errors import InputError

__all__ = ["GASES", "WATER_SCALE_HEIGHT_M", "covered", "optical_depth", "windows_m"]

WATER_SCALE_HEIGHT_M: Final = 2000.0
"""Scale height of water vapour. [m]"""

BAND_EXPONENT: Final = 0.45
"""Exponent of the band law of [1]."""

LONGEST_WAVELENGTH_M: Final = 1700e-9
"""End of the range in which optical depths are given. [m]"""


def _ozone_share(altitude_m: ArrayLike) -> NDArray[np.float64]:
    return np.ones_like(pressure_ratio(altitude_m))


def _water_share(altitude_m: ArrayLike) -> NDArray[np.float64]:
    return np.exp(-np.asarray(altitude_m, dtype=np.float64) / WATER_SCALE_HEIGHT_M)


GASES: Final[Mapping[str, Callable[[ArrayLike], NDArray[np.float64]]]] = MappingProxyType(
    {"ozone": _ozone_share, "water": _water_share, "mixed": pressure_ratio}
)
"""Gas -> its share above a station's altitude."""


def covered(wavelength_m: ArrayLike) -> NDArray[np.bool_]:
    """Whether the table has data: within 400 to 1700 nm and not in a strong absorption band.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength, any shape. [m]

    Returns
    -------
    ndarray of bool
        True where :func:`optical_depth` has a value: on a usable node or between two of them.
    """
    table = gas_table()
    wavelength = np.asarray(wavelength_m, dtype=np.float64)
    grid = table.wavelength_m
    inside = (wavelength >= grid[0]) & (wavelength <= LONGEST_WAVELENGTH_M)
    left = np.clip(np.searchsorted(grid, wavelength, side="right") - 1, 0, grid.size - 1)
    right = np.clip(np.searchsorted(grid, wavelength, side="left"), 0, grid.size - 1)
    return np.asarray(inside & table.usable[left] & table.usable[right])


def windows_m() -> list[tuple[float, float]]:
    """Shortest and longest wavelength of each interval with data. [m]"""
    table = gas_table()
    found: list[tuple[float, float]] = []
    start: float | None = None
    for wavelength, usable in zip(table.wavelength_m.tolist(), table.usable.tolist(), strict=True):
        if usable:
            start = wavelength if start is None else start
            end = min(wavelength, LONGEST_WAVELENGTH_M)
        elif start is not None:
            found.append((start, end))
            start = None
    if start is not None:
        found.append((start, end))
    return found


def optical_depth(
    wavelength_m: ArrayLike, *, gas: str, altitude_m: ArrayLike = 0.0, air_mass: ArrayLike = 1.0
) -> NDArray[np.float64]:
    r"""Optical depth of one gas above a station, along a path of any air mass.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength from 400 to 1700 nm, outside strong absorption bands. [m]
    gas : str
        ``"ozone"``, ``"water"`` or ``"mixed"`` (oxygen, carbon dioxide, methane).
    altitude_m : array_like
        Altitude of the station above sea level from -500 to 9000 m. [m]
    air_mass : array_like
        Air mass of the path, 1 for the vertical optical depth. [1]

    Returns
    -------
    ndarray
        Optical depth, the arguments' broadcast shape. [1]

    Raises
    ------
    InputError
        For a wavelength without data or an unknown gas.

    Notes
    -----
    U.S. Standard Atmosphere 1976: 1.42 cm of water, 0.344 atm cm of ozone. The spectral model of [1], linear between
    its wavelengths; at 656.448, 854.445 and 1550.027 nm stand band averages of the program SBDART instead. Near those
    three the value is known, elsewhere it is a smooth average that does not resolve lines.

    A band average does not follow Beer's law: with the amount of gas :math:`a` relative to the vertical at sea level
    (air mass times the share above the station), water and mixed gases have
    :math:`\tau = \tau_1\,a\,[(1 + b)/(1 + b a)]^{0.45}`, Eqs. 2-8 and 2-11 of [1]; ozone is linear.
    """
    table = gas_table()
    columns = {
        "ozone": (table.ozone, np.zeros_like(table.ozone)),
        "water": (table.water, table.water_growth),
        "mixed": (table.mixed, table.mixed_growth),
    }
    share = look_up(gas, GASES, what="gas")(altitude_m)
    wavelength = check_in_range(
        wavelength_m, table.wavelength_m[0], LONGEST_WAVELENGTH_M, what="wavelength", unit="nm", scale=1e9
    )
    has_data = covered(wavelength)
    if not np.all(has_data):
        bad = float(wavelength[~has_data].flat[0])
        below = max(end for _, end in windows_m() if end < bad)
        above = min(start for start, _ in windows_m() if start > bad)
        raise InputError(
            f"wavelength: {bad * 1e9:.8g} nm lies in a strong absorption band for which there is no data, "
            f"must be at most {below * 1e9:.6g} nm or at least {above * 1e9:.6g} nm"
        )
    vertical, growth = (np.interp(wavelength, table.wavelength_m, column) for column in columns[gas])
    amount = share * np.asarray(air_mass, dtype=np.float64)
    return np.asarray(vertical * amount * ((1.0 + growth) / (1.0 + growth * amount)) ** BAND_EXPONENT)
