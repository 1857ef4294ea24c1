"""Sky radiances of Table 3 of Mannalath, Zapatero and Curty, arXiv:2605.29706, and what follows from them.

View at 60 degrees from the zenith towards the south. By day the Sun stands in the east at 0, 60 or 90 degrees from
the zenith (high, moderate and low background). At night a full Moon stands at 30 degrees from the zenith, in the
azimuth of the view.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from satqkd.channel._inputs import choice
from satqkd.errors import InputError

__all__ = [
    "CONDITIONS",
    "RADIANCES",
    "SITES",
    "WAVELENGTHS_M",
    "night_scaling",
    "published_radiance",
    "table_wavelength_m",
]

SITES: Final = ("rural", "urban", "coastal")
"""Sites of Table 2."""

CONDITIONS: Final = ("day-high", "day-moderate", "day-low", "night")
"""Sun at 0, 60 and 90 degrees from the zenith; full Moon at 30 degrees."""

WAVELENGTHS_M: Final = (656.448e-9, 854.445e-9, 1550.027e-9)
"""H-alpha, Ca II and C band."""

_TABLE_3 = {
    "rural": ((18.98, 11.94, 0.80, 4.39e-4), (6.40, 4.05, 0.42, 1.91e-4), (2.62, 1.60, 0.32, 4.42e-5)),
    "urban": ((18.62, 10.40, 0.50, 4.52e-4), (7.23, 4.18, 0.30, 2.24e-4), (3.90, 2.29, 0.24, 6.99e-5)),
    "coastal": ((49.92, 27.22, 0.69, 9.44e-4), (21.88, 12.72, 0.40, 5.45e-4), (21.22, 12.90, 0.39, 3.34e-4)),
}

RADIANCES: Final[Mapping[tuple[str, str, float], float]] = MappingProxyType(
    {
        (site, condition, wavelength_m): value
        for site, rows in _TABLE_3.items()
        for wavelength_m, row in zip(WAVELENGTHS_M, rows, strict=True)
        for condition, value in zip(CONDITIONS, row, strict=True)
    }
)
"""Table 3 by (site, condition, wavelength in metres). [mW m-2 nm-1 sr-1]"""

_SAME_WAVELENGTH_M = 0.5e-9


def table_wavelength_m(wavelength_m: float) -> float:
    """The wavelength of Table 3 within half a nanometre of the one given. [m]"""
    for known in WAVELENGTHS_M:
        if abs(wavelength_m - known) <= _SAME_WAVELENGTH_M:
            return known
    allowed = ", ".join(f"{known * 1e9:g}" for known in WAVELENGTHS_M)
    raise InputError(
        f"wavelength: {wavelength_m * 1e9:g} nm is not in the tables, allowed: within 0.5 nm of {allowed} nm "
        "(others: satqkd.channel.live_atmosphere)"
    )


def published_radiance(*, site: str, condition: str, wavelength_m: float) -> float:
    """Sky radiance of Table 3, exactly as printed.

    Parameters
    ----------
    site : {"rural", "urban", "coastal"}
        Site of Table 2.
    condition : {"day-high", "day-moderate", "day-low", "night"}
        Sun at 0, 60 or 90 degrees from the zenith; full Moon at 30 degrees.
    wavelength_m : float
        656.448, 854.445 or 1550.027 nm, to half a nanometre: the first two lie in narrow solar lines. [m]

    Returns
    -------
    float
        Spectral radiance. [mW m-2 nm-1 sr-1]

    Raises
    ------
    InputError
        The table has no such case.

    Examples
    --------
    >>> published_radiance(site="urban", condition="day-moderate", wavelength_m=854.445e-9)
    4.18
    """
    choice("site", site, dict.fromkeys(SITES))
    choice("condition", condition, dict.fromkeys(CONDITIONS))
    return RADIANCES[site, condition, table_wavelength_m(wavelength_m)]


def night_scaling(*, site: str, wavelength_m: float) -> float:
    """Night radiance of a site per that of the rural one, Eqs. 175 and 176, from Table 3.

    Parameters
    ----------
    site : {"rural", "urban", "coastal"}
        Site of Table 2.
    wavelength_m : float
        As in :func:`published_radiance`. [m]

    Returns
    -------
    float
        Table 9's number before its rounding. [1] Coastal at 854 and 1550 nm it is 2.853 and 7.557, printed 2.86 and
        7.55: the three digits of Table 3 allow both.

    Raises
    ------
    InputError
        The table has no such case.
    """
    of_site = published_radiance(site=site, condition="night", wavelength_m=wavelength_m)
    return of_site / published_radiance(site="rural", condition="night", wavelength_m=wavelength_m)
