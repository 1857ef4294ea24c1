"""Satellites and their orbits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from satqkd.scenario.base import Altitude, Angle, Model, UtcTime
from satqkd.scenario.files import EmbeddedFile
from satqkd.scenario.units import Quantity, problem

__all__ = [
    "CircularOrbit", "ElementsOrbit", "GeostationaryOrbit", "Orbit", "OverpassOrbit", "Satellite", "WalkerOrbit",
]  # fmt: skip

Inclination = Annotated[float, Quantity("angle", "deg", 0.0, 180.0)]


class ElementsOrbit(Model):
    """Published mean elements (OMM as KVN, XML or JSON, or TLE), propagated with SGP4."""

    kind: Literal["elements"]
    file: EmbeddedFile = Field(description="OMM or TLE file; of several sets the one nearest mid-window is used")
    catalog_number: int | None = Field(
        None, ge=1, le=999_999_999, description="NORAD catalogue number, to pick one satellite of the file"
    )
    altitude: Altitude | None = Field(
        None, description="raise the orbit: same angles and eccentricity, no drag, this altitude"
    )


class CircularOrbit(Model):
    """Circular Kepler orbit, by default with the secular drift of its node from Earth's oblateness."""

    kind: Literal["circular"]
    altitude: Altitude = Field(description="above the equatorial radius")
    inclination: Inclination | Literal["sun-synchronous"] = Field("sun-synchronous", description="of the orbit")
    raan: Angle = Field(0.0, description="right ascension of the ascending node at the epoch")
    argument_of_latitude: Angle = Field(0.0, description="angle from the ascending node at the epoch")
    epoch: UtcTime = Field(description="instant that the angles belong to")
    j2: bool = Field(True, description="secular J2 drift of node and phase")


class WalkerOrbit(Model):
    """Walker pattern ``i: total/planes/phasing`` of circular orbits."""

    kind: Literal["walker"]
    total: int = Field(ge=1, le=10_000, description="number of satellites")
    planes: int = Field(ge=1, description="number of orbital planes; divides the total")
    phasing: int = Field(0, ge=0, description="relative spacing of neighbouring planes, 0 .. planes - 1")
    pattern: Literal["delta", "star"] = Field(
        "delta", description="planes spread over 360 deg (delta) or 180 deg (star)"
    )
    altitude: Altitude = Field(description="above the equatorial radius")
    inclination: Inclination = Field(description="of all orbits")
    raan: Angle = Field(0.0, description="right ascension of the first plane's ascending node at the epoch")
    epoch: UtcTime = Field(description="instant that the angles belong to")
    j2: bool = Field(True, description="secular J2 drift of node and phase")

    @model_validator(mode="after")
    def _divides(self) -> WalkerOrbit:
        if self.total % self.planes or self.phasing >= self.planes:
            raise problem(
                f"walker {self.total}/{self.planes}/{self.phasing}: planes must divide total, phasing < planes"
            )
        return self


class GeostationaryOrbit(Model):
    """Satellite at rest above the equator."""

    kind: Literal["geostationary"]
    longitude: Angle = Field(description="east positive")


class OverpassOrbit(Model):
    """One pass given by its maximum elevation at one station (spherical Earth at rest, Sidhu et al.'s geometry)."""

    kind: Literal["overpass"]
    station: str = Field(description="name of the station it passes")
    max_elevation: Annotated[float, Quantity("angle", "deg", 0.0, 90.0, exclusive_minimum=True)] = Field(
        description="at culmination"
    )
    altitude: Altitude = Field(description="above the spherical Earth")
    culmination: UtcTime = Field(description="instant of the highest elevation")
    heading: Angle = Field(0.0, description="direction of motion over ground at culmination, from north over east")


Orbit = Annotated[
    ElementsOrbit | CircularOrbit | WalkerOrbit | GeostationaryOrbit | OverpassOrbit, Field(discriminator="kind")
]


class Satellite(Model):
    """A satellite, or a pattern of satellites, and where it flies."""

    name: str = Field(min_length=1, max_length=80, description="shown in tables and reports; unique")
    orbit: Orbit
