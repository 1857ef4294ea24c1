"""The scenario: everything that a run depends on, in one frozen object."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import Field, model_validator

from satqkd.scenario.base import Duration, Model, UtcTime
from satqkd.scenario.environment import Station
from satqkd.scenario.equipment import Receiver
from satqkd.scenario.orbits import OverpassOrbit
from satqkd.scenario.units import Quantity, problem

__all__ = ["Scenario", "Study"]


class Study(Model):
    """What is simulated: the window, the step, and how old elements may be."""

    start: UtcTime
    end: UtcTime
    step: Duration = Field(1.0, description="sampling step of the link")
    max_elements_age: Annotated[float, Quantity("time", "d", 0.0, exclusive_minimum=True)] = Field(
        60.0, description="largest distance of the window from the elements' epoch"
    )
    seed: int = Field(0, ge=0, description="seed of everything random (nothing yet in this stage chain)")

    @model_validator(mode="after")
    def _window(self) -> Study:
        names = [station.name for station in self.stations]
        for satellite in self.satellites:
            if isinstance(satellite.orbit, OverpassOrbit) and satellite.orbit.station not in names:
                raise problem(
                    f'satellite "{satellite.name}" passes station "{satellite.orbit.station}": '
                    f"known are {', '.join(names)}"
                )
        if self.channel.model != "empirical" and self.terminal is None:
            raise problem(f'channel.model "{self.channel.model}" needs a [terminal] with its divergence')
        if self.channel.model == "fixed-divergence" and any(
            station.receiver is None and self.receiver is None for station in self.stations
        ):
            raise problem(
                'channel.model "fixed-divergence" needs a [receiver] with its aperture, common or at each station'
            )
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain data that validates to the same scenario, quantities as text with units."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of everything that affects a result."""
        content = {key: value for key, value in self.to_dict().items() if key not in ("title", "description")}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    def receiver_of(self, station: Station) -> Receiver | None:
        """The station's own receiver, or the common one."""
        return station.receiver or self.receiver
