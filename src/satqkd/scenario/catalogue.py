"""Lasers, filters and detectors by name, with the numbers that a publication states for them.

Tables 4, 7, 8 and 10 of Mannalath, Zapatero and Curty, arXiv:2605.29706. A name and a wavelength give one entry
(:func:`detector`, :func:`optical_filter`, :func:`laser`); what a table leaves out stays out (``None``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

from satqkd.constants import SPEED_OF_LIGHT_M_S
from satqkd.errors import InputError
from satqkd.scenario.detector_survey import SURVEY, Bounds, SurveyedDetector

__all__ = [
    "DETECTORS",
    "FILTERS",
    "LASERS",
    "SURVEY",
    "Bounds",
    "Detector",
    "Filter",
    "Laser",
    "SurveyedDetector",
    "detector",
    "laser",
    "optical_filter",
]

SOURCE: Final = "Mannalath, Zapatero, Curty, arXiv:2605.29706"

WAVELENGTH_TOLERANCE_M: Final = 5e-9
"""How far from a table's wavelength its row still counts."""


@dataclass(frozen=True, slots=True)
class Laser:
    """A laser source.

    Attributes
    ----------
    name, source : str
        Product and where the numbers are from.
    shortest_m, longest_m : float
        Wavelengths it covers. [m]
    beam_quality_below : float
        Specified upper limit of M^2. [1]
    """

    name: str
    shortest_m: float
    longest_m: float
    beam_quality_below: float
    source: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A band-pass filter at one wavelength.

    Attributes
    ----------
    name, source : str
        Product and where the numbers are from.
    wavelength_m : float
        Centre. [m]
    width_hz : float
        Full width in frequency. [Hz]
    loss_db_below : float
        Upper limit of the insertion loss. [dB]
    """

    name: str
    wavelength_m: float
    width_hz: float
    loss_db_below: float
    source: str

    @property
    def width_m(self) -> float:
        """Full width in wavelength. [m]"""
        return self.wavelength_m**2 * self.width_hz / SPEED_OF_LIGHT_M_S


@dataclass(frozen=True, slots=True)
class Detector:
    """A class of single-photon detectors at one wavelength, as simulated.

    Attributes
    ----------
    name, source : str
        Class and tier, and where the numbers are from.
    wavelength_m : float
        Wavelength of the row. [m]
    efficiency : float
        Detection efficiency. [1]
    dark_count_hz : float
        Dark-count rate. [1/s]
    p_afterpulse : float
        Probability that a click is followed by an afterpulse. [1]
    """

    name: str
    wavelength_m: float
    efficiency: float
    dark_count_hz: float
    p_afterpulse: float
    source: str


def _detectors() -> dict[str, tuple[Detector, ...]]:
    rows = {
        "snspd-spec-a": ((656.448, 0.85, 10.0, 0.0), (854.445, 0.85, 10.0, 0.0), (1550.027, 0.85, 10.0, 0.0)),
        "snspd-spec-b": ((656.448, 0.95, 0.1, 0.0), (854.445, 0.95, 0.1, 0.0), (1550.027, 0.95, 0.1, 0.0)),
        "si-apd-spec-a": ((656.448, 0.50, 100.0, 0.02), (854.445, 0.40, 100.0, 0.02)),
        "si-apd-spec-b": ((656.448, 0.70, 10.0, 0.005), (854.445, 0.50, 10.0, 0.005)),
        "ingaas-apd-spec-a": ((1550.027, 0.25, 300.0, 0.03),),
        "ingaas-apd-spec-b": ((1550.027, 0.35, 50.0, 0.01),),
    }
    return {
        name: tuple(Detector(name, row[0] * 1e-9, *row[1:], f"{SOURCE}, Table 4") for row in table)
        for name, table in rows.items()
    }


def _filters() -> dict[str, tuple[Filter, ...]]:
    rows = {
        "thorlabs-fpqfa": ((656.448, 30.0, 0.97), (854.445, 30.0, 0.97), (1550.027, 30.0, 0.97)),
        "alluxa-ultra": ((656.448, 70.0, 1.0), (854.445, 310.0, 0.7), (1550.027, 225.0, 0.46)),
        "optigrate-braggrate": ((656.448, 10.0, 0.46), (854.445, 10.0, 0.46), (1550.027, 10.0, 0.46)),
        "exail-ixc-fbg-ps": ((1550.027, 1.0, 1.0),),  # printed also as ~0.006 nm, but 1 GHz is 0.008 nm
    }
    return {
        name: tuple(Filter(name, nm * 1e-9, ghz * 1e9, loss, f"{SOURCE}, Table 8") for nm, ghz, loss in table)
        for name, table in rows.items()
    }


DETECTORS: Final[Mapping[str, tuple[Detector, ...]]] = MappingProxyType(_detectors())
"""Detector classes of Table 4 (Spec A: standard, Spec B: high performance), a row per wavelength."""

FILTERS: Final[Mapping[str, tuple[Filter, ...]]] = MappingProxyType(_filters())
"""Filters of Table 8, a row per wavelength; of the two widths the one in frequency."""

LASERS: Final[Mapping[str, Laser]] = MappingProxyType(
    {
        "crystalaser": Laser("crystalaser", 653.5e-9, 659.5e-9, 1.1, f"{SOURCE}, Table 7"),
        "solstis": Laser("solstis", 700e-9, 1000e-9, 1.1, f"{SOURCE}, Table 7"),
        "menhir-photonics": Laser("menhir-photonics", 1545e-9, 1565e-9, 1.05, f"{SOURCE}, Table 7"),
    }
)
"""Lasers of Table 7."""


_Row = TypeVar("_Row", Detector, Filter)


def _row(kind: str, table: Mapping[str, tuple[_Row, ...]], name: str, wavelength_m: float) -> _Row:
    if name not in table:
        raise InputError(f"{kind} = {name!r}: must be one of {', '.join(table)}")
    for row in table[name]:
        if abs(row.wavelength_m - wavelength_m) <= WAVELENGTH_TOLERANCE_M:
            return row
    allowed = ", ".join(f"{row.wavelength_m * 1e9:g}" for row in table[name])
    raise InputError(f"{kind} = {name!r}: no numbers for {wavelength_m * 1e9:g} nm, only within 5 nm of {allowed} nm")


def detector(name: str, *, wavelength_m: float) -> Detector:
    """A detector of Table 4.

    Parameters
    ----------
    name : str
        Name in :data:`DETECTORS`.
    wavelength_m : float
        Vacuum wavelength, within 5 nm of one of the table's. [m]

    Returns
    -------
    Detector
        Efficiency, dark counts and afterpulsing.

    Raises
    ------
    InputError
        Unknown name, or no numbers at this wavelength.

    Examples
    --------
    >>> detector("si-apd-spec-b", wavelength_m=850e-9).efficiency
    0.5
    """
    return _row("detector", DETECTORS, name, wavelength_m)


def optical_filter(name: str, *, wavelength_m: float) -> Filter:
    """A filter of Table 8.

    Parameters
    ----------
    name : str
        Name in :data:`FILTERS`.
    wavelength_m : float
        Vacuum wavelength, within 5 nm of one of the table's. [m]

    Returns
    -------
    Filter
        Width and upper limit of the loss.

    Raises
    ------
    InputError
        Unknown name, or no numbers at this wavelength.

    Examples
    --------
    >>> optical_filter("optigrate-braggrate", wavelength_m=1550e-9).width_hz
    10000000000.0
    """
    return _row("filter", FILTERS, name, wavelength_m)


def laser(name: str, *, wavelength_m: float) -> Laser:
    """A laser of Table 7.

    Parameters
    ----------
    name : str
        Name in :data:`LASERS`.
    wavelength_m : float
        Vacuum wavelength that it must cover. [m]

    Returns
    -------
    Laser
        Range and beam quality.

    Raises
    ------
    InputError
        Unknown name, or a laser of other wavelengths.

    Examples
    --------
    >>> laser("menhir-photonics", wavelength_m=1550.027e-9).beam_quality_below
    1.05
    """
    if name not in LASERS:
        raise InputError(f"laser = {name!r}: must be one of {', '.join(LASERS)}")
    found = LASERS[name]
    if not found.shortest_m <= wavelength_m <= found.longest_m:
        raise InputError(
            f"laser = {name!r}: {wavelength_m * 1e9:g} nm is outside its {found.shortest_m * 1e9:g} to "
            f"{found.longest_m * 1e9:g} nm"
        )
    return found
