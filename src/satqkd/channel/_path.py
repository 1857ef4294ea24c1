"""Checks of optical paths through the atmosphere."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import in_range
from satqkd.channel.profiles import TurbulenceProfile
from satqkd.errors import InputError

__all__ = ["check_beyond_turbulence", "optical_wavelength_m"]

Floats = NDArray[np.float64]

SHORTEST_M: Final = 1e-7
LONGEST_M: Final = 2e-5
"""Wavelengths that optical telescopes send; anything else is a unit mistake. [m]"""


def optical_wavelength_m(wavelength_m: ArrayLike) -> Floats:
    """Wavelengths, refused if they cannot be metres.

    Parameters
    ----------
    wavelength_m : array_like
        Vacuum wavelength, from 100 nm to 20 micrometres. [m]

    Returns
    -------
    ndarray
        The same as floats.

    Raises
    ------
    InputError
        For a value outside, as 780 (nm) or 0.78 (micrometres) are.
    """
    return in_range("wavelength_m (metres)", wavelength_m, SHORTEST_M, LONGEST_M)


def check_beyond_turbulence(slant_range_m: ArrayLike, sec: ArrayLike, profile: TurbulenceProfile) -> None:
    """Refuse a range that ends within the turbulence.

    Parameters
    ----------
    slant_range_m, sec : array_like
        Distance [m] and air mass [1], broadcast.
    profile : TurbulenceProfile
        The station.

    Returns
    -------
    None
        If all is well.

    Raises
    ------
    InputError
        If the satellite is not above the top of the profile.
    """
    depth = profile.upper_height_m - profile.lower_height_m
    if np.any(np.asarray(slant_range_m) <= depth * np.asarray(sec)):
        raise InputError(
            f"slant_range_m: {np.min(slant_range_m):g} m ends within the turbulence, the satellite must be beyond its "
            f"{depth:g} m of height along the path"
        )
