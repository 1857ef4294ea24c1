"""Physical quantities as people write them: ``"850 nm"``, ``"10 urad"``, ``"200 MHz"``, ``"3 dB"``.

A :class:`Quantity` declares a field's dimension, the unit of a bare number, and the allowed range. Models hold
plain SI floats; the conversion happens once, here.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import PydanticCustomError, core_schema

__all__ = ["DIMENSIONS", "Quantity", "format_quantity", "parse_quantity", "problem"]

PROBLEM: Final = "satqkd"
"""Type of the errors made by :func:`problem`."""

_DEGREE: Final = math.pi / 180.0

DIMENSIONS: Final[Mapping[str, Mapping[str, float]]] = {
    "length": {
        "m": 1.0, "km": 1e3, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9,
    },
    "angle": {
        "rad": 1.0, "mrad": 1e-3, "urad": 1e-6, "nrad": 1e-9, "deg": _DEGREE,
        "arcmin": _DEGREE / 60.0, "arcsec": _DEGREE / 3600.0,
    },
    "frequency": {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "THz": 1e12},
    "time": {
        "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "min": 60.0, "h": 3600.0, "d": 86400.0,
    },
    "loss": {"dB": 1.0},
    "radiance": {"mW/m2/nm/sr": 1.0},
    "ratio": {"": 1.0, "%": 1e-2, "ppm": 1e-6},
}  # fmt: skip
"""Units of each dimension and their size in SI (loss: decibel; radiance: mW m-2 nm-1 sr-1)."""

_SPELLINGS: Final[Mapping[str, str]] = {
    "µm": "um", "μm": "um", "µrad": "urad", "μrad": "urad", "µs": "us", "μs": "us",
    "°": "deg", "degrees": "deg", "degree": "deg", "sec": "s", "day": "d", "days": "d", "hour": "h", "hours": "h",
}  # fmt: skip

_NUMBER_AND_UNIT: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?inf|nan)\s*(\S*)\s*\Z")


def problem(reason: str) -> PydanticCustomError:
    """Error for a validator to raise, whose message is exactly ``reason``."""
    return PydanticCustomError(PROBLEM, "{reason}", {"reason": reason})


@dataclass(frozen=True)
class Quantity:
    """Declaration of a physical field; used inside ``typing.Annotated[float, Quantity(...)]``.

    Parameters
    ----------
    dimension : str
        A key of :data:`DIMENSIONS`, or ``"transmittance"``: a ratio in [0, 1] that may also be written as a
        loss in dB.
    unit : str
        Unit of a bare number, and the unit used when the value is written out.
    minimum, maximum : float
        Allowed range in ``unit``.
    exclusive_minimum : bool
        Whether ``minimum`` itself is forbidden.
    """

    dimension: str
    unit: str
    minimum: float = -math.inf
    maximum: float = math.inf
    exclusive_minimum: bool = False

    @property
    def allowed(self) -> str:
        """The allowed range in words."""
        unit = f" {self.unit}" if self.unit else ""
        low = f"{'above' if self.exclusive_minimum else 'at least'} {self.minimum:g}{unit}"
        high = f"at most {self.maximum:g}{unit}"
        if math.isinf(self.minimum):
            return high if math.isfinite(self.maximum) else "any finite value"
        return low if math.isinf(self.maximum) else f"{low} and {high}"

    def parse(self, value: object) -> float:
        """SI value of what a user wrote; raises ``ValueError`` with the reason."""
        si = parse_quantity(value, self)
        shown = si / _scale(self)
        # A written bound is allowed although the unit conversion rounds it: half a unit in the 14th digit.
        slack = 1e-14 * abs(shown)
        too_low = shown <= self.minimum if self.exclusive_minimum else shown < self.minimum - slack
        if too_low or shown > self.maximum + slack:
            raise ValueError(f"{_quote(value)} is out of range: allowed is {self.allowed}")
        return si

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Validate from number or text to an SI float; serialise to text in the declared unit."""

        def validate(value: object) -> float:
            try:
                return self.parse(value)
            except ValueError as error:
                raise problem(str(error)) from None

        return core_schema.no_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value if value is None else format_quantity(value, self)
            ),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """JSON schema: a number in the declared unit, or text with a unit."""
        number: dict[str, Any] = {"type": "number"}
        if math.isfinite(self.minimum):
            number["exclusiveMinimum" if self.exclusive_minimum else "minimum"] = self.minimum
        if math.isfinite(self.maximum):
            number["maximum"] = self.maximum
        units = _units(self)
        return {
            "anyOf": [number, {"type": "string", "examples": [f"1 {u}".strip() for u in units]}],
            "x-unit": self.unit or "1",
            "x-dimension": self.dimension,
        }


def _units(quantity: Quantity) -> dict[str, float]:
    if quantity.dimension == "transmittance":
        return {**DIMENSIONS["ratio"], "dB": 1.0}
    return dict(DIMENSIONS[quantity.dimension])


def _scale(quantity: Quantity) -> float:
    return _units(quantity)[quantity.unit]


def _quote(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def parse_quantity(value: object, quantity: Quantity) -> float:
    """Convert a number or a text with a unit to SI, without a range check.

    Parameters
    ----------
    value : object
        A number in ``quantity.unit`` or a text such as ``"850 nm"``.
    quantity : Quantity
        Declaration of the field.

    Returns
    -------
    float
        Value in SI (loss: dB; transmittance: linear).

    Raises
    ------
    ValueError
        If the value is no finite number, or its unit is missing or of another dimension.

    Examples
    --------
    >>> parse_quantity("850 nm", Quantity("length", "nm"))
    8.5e-07
    >>> round(parse_quantity("3 dB", Quantity("transmittance", "")), 4)
    0.5012
    """
    units = _units(quantity)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{_quote(value)} is not a number or a text such as {_example(quantity)}")
    if isinstance(value, str):
        match = _NUMBER_AND_UNIT.match(value)
        if not match:
            raise ValueError(f"{_quote(value)} is not a number with a unit, such as {_example(quantity)}")
        number, unit = float(match[1]), _SPELLINGS.get(match[2], match[2])
        if not unit and quantity.dimension not in ("ratio", "transmittance"):
            unit = quantity.unit
    else:
        number, unit = float(value), quantity.unit
    if unit not in units:
        names = [name for name in units if name]
        near = [name for name in names if name.lower() == unit.lower()]
        near = near or difflib.get_close_matches(unit, names, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{_quote(value)} has a wrong unit: {quantity.dimension} is given in {', '.join(names)}{hint}")
    if not math.isfinite(number):
        raise ValueError(f"{_quote(value)} is not a finite number")
    if quantity.dimension == "transmittance" and unit == "dB":
        return float(10.0 ** (-number / 10.0))
    # Dividing by the whole number of sub-units is exact to the last bit: "850 nm" is 8.5e-07.
    per_unit = round(1.0 / units[unit])
    exact = per_unit > 1 and abs(per_unit * units[unit] - 1.0) < 1e-12
    return number / per_unit if exact else number * units[unit]


def format_quantity(si_value: float, quantity: Quantity) -> str | float:
    """Text that :func:`parse_quantity` reads back to the same float; a bare float for ratios.

    Examples
    --------
    >>> format_quantity(8.5e-07, Quantity("length", "nm"))
    '850 nm'
    """
    if not quantity.unit:
        return si_value
    number = si_value / _scale(quantity)
    for digits in (15, 16, 17):
        text = f"{number:.{digits}g} {quantity.unit}"
        if parse_quantity(text, quantity) == si_value:
            return text
    for near in (math.nextafter(number, math.inf), math.nextafter(number, -math.inf)):
        text = f"{near:.17g} {quantity.unit}"
        if parse_quantity(text, quantity) == si_value:
            return text
    si_unit = next(name for name, scale in _units(quantity).items() if scale == 1.0)
    return f"{si_value!r} {si_unit}".strip()


def _example(quantity: Quantity) -> str:
    return f'"1 {quantity.unit}"' if quantity.unit else "0.5"
