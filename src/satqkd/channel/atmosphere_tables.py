"""The bundled tables of aerosols and gases, read once, and names looked up in them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["AEROSOLS", "AerosolTable", "GasTable", "aerosol_table", "check_in_range", "gas_table", "look_up"]

Item = TypeVar("Item")

AEROSOLS: Final = ("rural", "urban", "maritime")
"""Aerosol models of the table."""


@dataclass(frozen=True)
class AerosolTable:
    """Optical properties of one aerosol model on a grid of humidity and wavelength.

    Parameters
    ----------
    relative_humidity : ndarray, shape (m,)
        Increasing, from 0. [1]
    wavelength_m : ndarray, shape (n,)
        Increasing. [m]
    relative_extinction, single_scattering_albedo, asymmetry : ndarray, shape (m, n)
        Extinction relative to 550 nm, scattered fraction of it, mean cosine of scattering. [1]
    """

    relative_humidity: NDArray[np.float64]
    wavelength_m: NDArray[np.float64]
    relative_extinction: NDArray[np.float64]
    single_scattering_albedo: NDArray[np.float64]
    asymmetry: NDArray[np.float64]


@dataclass(frozen=True)
class GasTable:
    """Vertical optical depth of absorbing gases above sea level, U.S. Standard Atmosphere 1976.

    Parameters
    ----------
    wavelength_m : ndarray, shape (n,)
        Increasing. [m]
    ozone, water, mixed : ndarray, shape (n,)
        Optical depth of ozone, water vapour and uniformly mixed gases at unit air mass. [1]
    water_growth, mixed_growth : ndarray, shape (n,)
        How far a band is saturated at unit air mass, b of the band law. [1]
    usable : ndarray of bool, shape (n,)
        False within a strong absorption band.
    anchor : ndarray of bool, shape (n,)
        True where a band average stands instead of the spectral model.
    """

    wavelength_m: NDArray[np.float64]
    ozone: NDArray[np.float64]
    water: NDArray[np.float64]
    mixed: NDArray[np.float64]
    water_growth: NDArray[np.float64]
    mixed_growth: NDArray[np.float64]
    usable: NDArray[np.bool_]
    anchor: NDArray[np.bool_]


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("satqkd.channel").joinpath(f"data/{name}").read_text(encoding="ascii")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def _column(rows: Iterable[Mapping[str, str]], name: str, exponent: str = "") -> NDArray[np.float64]:
    # "400" + "e-9" is the number that a user writes; 400.0 * 1e-9 is not
    values = np.array([float(row[name] + exponent) for row in rows])
    values.flags.writeable = False
    return values


@cache
def aerosol_table(aerosol: str) -> AerosolTable:
    """Optical properties of one model.

    Parameters
    ----------
    aerosol : str
        One of :data:`AEROSOLS`.

    Returns
    -------
    AerosolTable
        Read-only arrays.

    Raises
    ------
    InputError
        For a name that is not in the table.
    """
    look_up(aerosol, dict.fromkeys(AEROSOLS), what="aerosol")
    rows = [row for row in _rows("aerosol_optics.csv") if row["aerosol"] == aerosol]
    humidity = np.unique(_column(rows, "relative_humidity"))
    return AerosolTable(
        relative_humidity=humidity,
        wavelength_m=np.unique(_column(rows, "wavelength_nm", "e-9")),
        relative_extinction=_column(rows, "extinction_ratio_to_550_nm").reshape(humidity.size, -1),
        single_scattering_albedo=_column(rows, "single_scattering_albedo").reshape(humidity.size, -1),
        asymmetry=_column(rows, "asymmetry").reshape(humidity.size, -1),
    )


@cache
def gas_table() -> GasTable:
    """Optical depths of the gases, read once."""
    rows = _rows("gas_optical_depth.csv")
    return GasTable(
        wavelength_m=_column(rows, "wavelength_nm", "e-9"),
        ozone=_column(rows, "ozone"),
        water=_column(rows, "water"),
        mixed=_column(rows, "mixed"),
        water_growth=_column(rows, "water_growth"),
        mixed_growth=_column(rows, "mixed_growth"),
        usable=np.array([row["source"] != "no data" for row in rows]),
        anchor=np.array([row["source"] == "anchor" for row in rows]),
    )


def look_up(name: str, table: Mapping[str, Item], *, what: str) -> Item:
    """Entry of a table of models, with the nearest name in the error if there is none.

    Parameters
    ----------
    name : str
        The name asked for.
    table : mapping of str to object
        Names and models.
    what : str
        What is chosen, for the error.

    Returns
    -------
    object
        ``table[name]``.

    Raises
    ------
    InputError
        For a name that the table does not have.
    """
    if name in table:
        return table[name]
    near = get_close_matches(str(name).lower(), list(table), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(f"{what}: unknown name {name!r}, must be one of {', '.join(table)}{hint}")


def check_in_range(
    values: ArrayLike, lowest: float, highest: float, *, what: str, unit: str, scale: float = 1.0
) -> NDArray[np.float64]:
    """Values as an array, refused if one is outside a closed range or not a number.

    Parameters
    ----------
    values : array_like
        Values to check, any shape.
    lowest, highest : float
        The range allowed.
    what : str
        What the values are, for the error.
    unit : str
        Unit in which the error states them.
    scale : float
        What to multiply with to state them in that unit.

    Returns
    -------
    ndarray
        The values.

    Raises
    ------
    InputError
        With the first value that is not in range.
    """
    array = np.asarray(values, dtype=np.float64)
    good = (array >= lowest) & (array <= highest)
    if not np.all(good):
        bad = float(array[~good].flat[0]) * scale
        raise InputError(f"{what}: {bad:.8g} {unit}, must be from {lowest * scale:.6g} to {highest * scale:.6g} {unit}")
    return array
