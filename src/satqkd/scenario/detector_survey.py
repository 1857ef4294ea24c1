"""Survey of single-photon detectors, Table 10 of Mannalath, Zapatero and Curty, arXiv:2605.29706."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["SURVEY", "Bounds", "SurveyedDetector"]

_NS, _US, _PS = 1e-9, 1e-6, 1e-12


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number, a range or a limit as a table states it.

    Attributes
    ----------
    lowest, highest : float or None
        Equal for a single number; ``None`` where the table gives only the other limit.
    """

    lowest: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class SurveyedDetector:
    """A row of Table 10; ``None`` is what the table leaves blank.

    Attributes
    ----------
    name : str
        Product or publication.
    technology : {"si-apd", "ingaas-apd", "snspd"}
        Kind of detector.
    efficiency : Mapping
        Detection efficiency by wavelength in nanometres. [1]
    dark_count_hz, dead_time_s, p_afterpulse, jitter_s, temperature_c : Bounds or None
        Dark-count rate [1/s], dead time [s], afterpulse probability [1], timing jitter [s], temperature [deg C].
    """

    name: str
    technology: str
    efficiency: Mapping[int, Bounds]
    dark_count_hz: Bounds | None
    dead_time_s: Bounds | None
    p_afterpulse: Bounds | None
    jitter_s: Bounds | None
    temperature_c: Bounds | None


_Cell = float | tuple[float | None, float | None] | None


def _bounds(cell: _Cell, unit: float = 1.0) -> Bounds | None:
    """Number, (lowest, highest) or None in a unit."""
    if cell is None:
        return None
    low, high = cell if isinstance(cell, tuple) else (cell, cell)
    return Bounds(None if low is None else low * unit, None if high is None else high * unit)


def _row(
    name: str,
    technology: str,
    efficiency: dict[int, Bounds],
    dark_count: _Cell,
    dead_time: Bounds | None,
    afterpulse_percent: _Cell,
    jitter_ps: _Cell,
    temperature_c: _Cell,
) -> SurveyedDetector:
    return SurveyedDetector(
        name,
        technology,
        MappingProxyType(efficiency),
        _bounds(dark_count),
        dead_time,
        _bounds(afterpulse_percent, 1e-2),
        _bounds(jitter_ps, _PS),
        _bounds(temperature_c),
    )


def _si(at_656: float | None, at_854: float) -> dict[int, Bounds]:
    found = {854: Bounds(at_854, at_854)}
    return found if at_656 is None else {656: Bounds(at_656, at_656)} | found


def _telecom(efficiency: _Cell) -> dict[int, Bounds]:
    bounds = _bounds(efficiency)
    return {} if bounds is None else {1550: bounds}


_ROOM = (10.0, 40.0)

_ROWS = (
    _row("laser-components-count", "si-apd", _si(0.70, 0.40), (10, 250), _bounds(45, _NS), 0.2, 1000, _ROOM),
    _row("laser-components-count-t", "si-apd", _si(0.70, 0.40), (100, 250), _bounds(45, _NS), 1, 350, _ROOM),
    _row("laser-components-count-nir", "si-apd", _si(0.65, 0.50), (50, 500), _bounds(45, _NS), 0.2, 1000, _ROOM),
    _row("excelitas-spcm-nir", "si-apd", _si(0.75, 0.55), (10, 1500), _bounds((22, 35), _NS), 1, 350, (5, 70)),
    _row("excelitas-spcm-aqrh", "si-apd", _si(0.70, 0.55), (25, 1500), _bounds((22, 42), _NS), 0.5, 350, (5, 70)),
    _row("thorlabs-spdmh", "si-apd", _si(0.70, 0.55), 100, _bounds(45, _NS), 0.2, 1000, _ROOM),
    _row("picoquant-tau-spad", "si-apd", _si(0.65, 0.55), (None, 20), _bounds(70, _NS), (None, 1), (350, 800), _ROOM),
    _row("idq-id120", "si-apd", _si(0.70, 0.60), (None, 300), _bounds(1, _US), None, (None, 400), _ROOM),
    _row("anisimova-et-al", "si-apd", _si(None, 0.50), (None, 5), _bounds(500, _NS), 0.35, (500, 1000), -100),
    _row("idq-id230", "ingaas-apd", _telecom(0.20), 200, _bounds((2, 100), _US), None, 200, (10, 25)),
    _row("idq-id-qube-nir", "ingaas-apd", _telecom(0.25), 1200, _bounds((0.1, 80), _US), None, 200, (10, 35)),
    _row("korzh-et-al", "ingaas-apd", _telecom(0.11), 1, _bounds(20, _US), 2.2, 400, -110),
    _row("comandar-et-al", "ingaas-apd", _telecom(0.55), None, _bounds(10, _NS), 10.2, 100, 20),
    _row("fang-et-al", "ingaas-apd", _telecom(0.40), 3000, _bounds(88, _NS), 5.5, None, -20),
    _row("xu-et-al", "ingaas-apd", _telecom(0.40), 2300, _bounds(10, _US), 8, 49, -80),
    _row("yan-et-al", "ingaas-apd", _telecom(0.10), 100, None, None, 30, -60),
    _row("signorelli-et-al", "ingaas-apd", _telecom(0.17), 2000, _bounds(1, _US), 4.5, 319, -48),
    _row("bouzid-et-al", "ingaas-apd", _telecom(0.20), 120, None, 1.2, None, -40),
    _row("li-et-al", "ingaas-apd", _telecom(0.20), 320, _bounds(1, _US), 0.57, None, -40),
    _row("aurea", "ingaas-apd", _telecom(0.30), (None, 800), _bounds((0.1, 1000), _US), (None, 0.1), 150, (10, 30)),
    _row("he-et-al", "ingaas-apd", _telecom(0.554), 43_800, None, None, None, -26),
    _row("ye-et-al", "ingaas-apd", _telecom(0.201), 6820, None, 0.15, 120, 20),
    _row("hu-et-al", "snspd", _telecom(0.95), 100, _bounds(42, _NS), None, 66, -271),
    _row("marsili-et-al", "snspd", _telecom((0.90, None)), 1, _bounds(40, _NS), None, 150, -271),
    _row("single-quantum", "snspd", _telecom((0.90, None)), (None, 100), _bounds(4, _NS), None, (None, 20), -270.7),
    # at 810 nm its dark counts are 1 to 5 per second; the row states those of 1550 nm
    _row("idq-id281-pro", "snspd", {810: Bounds(0.90, None)} | _telecom((0.90, None)), (1, 100),
         _bounds((1, 30), _NS), None, (3, 40), -270),
)  # fmt: skip

SURVEY: Final[Mapping[str, SurveyedDetector]] = MappingProxyType({row.name: row for row in _ROWS})
"""Table 10 by name."""
