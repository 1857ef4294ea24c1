"""Common base of the scenario models and the quantities they share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from satqkd.scenario.units import Quantity, problem

__all__ = [
    "Altitude", "Angle", "Count", "Duration", "Latitude", "Length", "LossDb", "Model", "Probability",
    "StationAltitude", "Transmittance", "UtcTime",
]  # fmt: skip


class Model(BaseModel):
    """Frozen model that rejects keys it does not know and reads fields by their TOML name (the alias)."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, serialize_by_alias=True)


def _utc(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise problem("needs a date and time with a zone, such as 2016-09-19T00:00:00Z")
    return value.astimezone(UTC)


UtcTime = Annotated[datetime, BeforeValidator(_utc)]
"""An instant; a zone is required, and UTC is what is kept."""

Length = Annotated[float, Quantity("length", "m", 0.0, 1e4, exclusive_minimum=True)]
Altitude = Annotated[float, Quantity("length", "km", 100.0, 1e6)]
StationAltitude = Annotated[float, Quantity("length", "m", -500.0, 20_000.0)]
Angle = Annotated[float, Quantity("angle", "deg", -360.0, 360.0)]
Latitude = Annotated[float, Quantity("angle", "deg", -90.0, 90.0)]
Duration = Annotated[float, Quantity("time", "s", 0.0, 1e7, exclusive_minimum=True)]
LossDb = Annotated[float, Quantity("loss", "dB", 0.0, 300.0)]
Transmittance = Annotated[float, Quantity("transmittance", "", 0.0, 1.0)]
Probability = Annotated[float, Quantity("ratio", "", 0.0, 1.0)]
Count = Annotated[float, Quantity("ratio", "", 0.0)]
