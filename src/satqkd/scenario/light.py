"""Background light: where the clicks without signal come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from satqkd.scenario.base import Model
from satqkd.scenario.environment import SkyName
from satqkd.scenario.units import Quantity

__all__ = ["Background", "ConstantBackground", "RadianceBackground", "SkyBackground"]

Radiance = Annotated[float, Quantity("radiance", "mW/m2/nm/sr", 0.0, 1e9)]
FilterName = Annotated[
    str | None, Field(description="filter of the catalogue at the source's wavelength: gives filter_width")
]
FilterWidth = Annotated[float, Quantity("frequency", "GHz", 0.0, 1e6, exclusive_minimum=True)]
Gate = Annotated[float, Quantity("time", "ns", 0.0, 1e6, exclusive_minimum=True)]
Exclusion = Annotated[float, Quantity("angle", "deg", 0.0, 180.0)]


class ConstantBackground(Model):
    """The same for every pulse: ``detector.background_yield``. So it is without this table."""

    kind: Literal["constant"] = "constant"


class RadianceBackground(Model):
    """A constant radiance of what the receiver looks at: for an uplink that is the Earth."""

    kind: Literal["radiance"]
    radiance: Radiance = Field(description="spectral radiance of the scene")
    filter: FilterName = None
    filter_width: FilterWidth = Field(description="full width of the receiver's filter in frequency")
    gate: Gate = Field(description="detection gate of one pulse")


class SkyBackground(Model):
    """The cloudless sky behind the satellite at every sample: sunlight by day, moonlight at night."""

    kind: Literal["sky"]
    site: SkyName = Field(description="air of the sky's tables; a station may have its own, stations.sky")
    filter: FilterName = None
    filter_width: FilterWidth = Field(description="full width of the receiver's filter in frequency")
    gate: Gate = Field(description="detection gate of one pulse")
    urban_light: Radiance = Field(0.0, description="light that is neither the Sun's nor the Moon's, always added")
    twilight: Literal["refuse", "sunset", "unusable"] = Field(
        "refuse",
        description="Sun below the horizon, sky not dark yet: an error, or as bright as at sunset, or not used",
    )
    sun_exclusion: Exclusion = Field(0.0, description="samples closer to the Sun are not used")
    moon_exclusion: Exclusion = Field(0.0, description="samples closer to the Moon are not used")
    noise_limit: Annotated[float, Quantity("ratio", "", 0.0, 1.0, exclusive_minimum=True)] | None = Field(
        None, description="samples with more noise clicks per pulse are not used; left out: none is too noisy"
    )


Background = Annotated[ConstantBackground | RadianceBackground | SkyBackground, Field(discriminator="kind")]
