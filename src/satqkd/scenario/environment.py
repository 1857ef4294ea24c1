"""Stations, when they can be used, and what is between them and the satellite."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from satqkd.constants import WANG_OPAQUE_THICKNESS
from satqkd.scenario.base import Angle, Latitude, LossDb, Model, StationAltitude
from satqkd.scenario.equipment import Receiver
from satqkd.scenario.files import EmbeddedFile
from satqkd.scenario.units import Quantity, problem

__all__ = [
    "Access", "Channel", "ClearSky", "CloudTable", "Clouds", "ConstantClouds", "EmpiricalChannel",
    "FixedDivergenceChannel", "FixedDivergenceFittedChannel", "GaussianBeamChannel", "Station",
]  # fmt: skip

MaskElevation = Annotated[float, Quantity("angle", "deg", -5.0, 89.0)]
Azimuth = Annotated[float, Quantity("angle", "deg", 0.0, 360.0)]
Thickness = Annotated[float, Quantity("ratio", "", 0.0, WANG_OPAQUE_THICKNESS)]
CloudModelName = Literal["wang", "optical-thickness"]
TurbulenceName = Literal["rural", "urban", "coastal", "hv-5-7"]
AerosolName = Literal["rural", "urban", "maritime"]
SkyName = Literal["rural", "urban", "coastal"]
SpreadName = Literal["long-term", "long-term-integral", "tilt-corrected", "vacuum", "published", "fixed-divergence"]
Visibility = Annotated[float, Quantity("length", "km", 0.0, 1e3, exclusive_minimum=True)]
Bandwidth = Annotated[float, Quantity("frequency", "Hz", 0.0, 1e6)]


class Station(Model):
    """Optical ground station on the WGS84 ellipsoid."""

    name: str = Field(min_length=1, max_length=80, description="shown in tables and reports; unique")
    latitude: Latitude = Field(description="geodetic, north positive")
    longitude: Angle = Field(description="east positive")
    altitude: StationAltitude = Field(0.0, description="above the ellipsoid")
    elevation_mask: MaskElevation | tuple[tuple[Azimuth, MaskElevation], ...] = Field(
        10.0,
        description="lowest usable elevation, or a list of [azimuth, elevation] joined linearly around the horizon",
    )
    receiver: Receiver | None = Field(None, description="this station's own receiver instead of the common one")
    turbulence: TurbulenceName | None = Field(None, description="this station's own instead of the channel's")
    aerosol: AerosolName | None = Field(None, description="this station's own instead of the channel's")
    visibility: Visibility | None = Field(None, description="this station's own instead of the channel's")
    sky: SkyName | None = Field(None, description="this station's own instead of the background's")

    @field_validator("elevation_mask")
    @classmethod
    def _mask(cls, value: float | tuple[tuple[float, float], ...]) -> float | tuple[tuple[float, float], ...]:
        if isinstance(value, tuple):
            azimuths = [azimuth for azimuth, _ in value]
            if not value or any(b <= a for a, b in pairwise(azimuths)) or azimuths[-1] >= 2.0 * math.pi:
                raise problem(
                    "needs at least one point, azimuths increasing from 0 to below 360 deg (it closes itself)"
                )
        return value


class Access(Model):
    """When a link may be used."""

    darkness: Literal["horizon", "civil", "nautical", "astronomical", "any"] | Angle = Field(
        "horizon",
        description="Sun below this at the station: horizon -0.833 deg, civil -6, nautical -12, astronomical -18 deg",
    )
    satellite: Literal["any", "umbra", "sunlit"] = Field("any", description="illumination of the satellite")


class FixedDivergenceChannel(Model):
    """Wang et al., Eqs. 1-3 and 5 as printed: beam of fixed divergence, slab atmosphere."""

    model: Literal["fixed-divergence"]
    zenith_extinction: LossDb = Field(description="atmospheric loss at zenith, divided by sin(elevation)")


class FixedDivergenceFittedChannel(Model):
    """Wang et al.'s geometric loss with the constants *fitted* to its Table 2."""

    model: Literal["fixed-divergence-fitted"]


class EmpiricalChannel(Model):
    """Measured link efficiency against elevation with a constant offset (Sidhu et al.)."""

    model: Literal["empirical"]
    curve: EmbeddedFile = Field(description="CSV: time [s], elevation [rad], efficiency of a zenith pass")
    curve_altitude: Annotated[float, Quantity("length", "km", 100.0, 1e6)] = Field(
        500.0, description="altitude of the curve's circular orbit, from which its elevations are recomputed"
    )
    offset: Annotated[float, Quantity("loss", "dB", -60.0, 100.0)] = Field(
        0.0, description="added to the curve's loss at every elevation"
    )


class GaussianBeamChannel(Model):
    """Gaussian beam through turbulence from first principles, up or down: every term its own."""

    model: Literal["gaussian-beam"]
    direction: Literal["downlink", "uplink"] = Field("downlink", description="who sends: the satellite, or the station")
    turbulence: TurbulenceName = Field(description="profile of turbulence and wind above a station, by name")
    extinction: Literal["atmosphere", "none"] | LossDb = Field(
        description="atmosphere: by wavelength, aerosol, visibility and altitude; a number: loss at zenith of a flat "
        "atmosphere, divided by sin(elevation); none: as if there were no air"
    )
    aerosol: AerosolName | None = Field(None, description='needed by extinction = "atmosphere"')
    visibility: Visibility | None = Field(
        None, description='meteorological range at sea level, needed by extinction = "atmosphere"'
    )
    ao_bandwidth: Bandwidth | None = Field(
        None, description="closed-loop bandwidth of a downlink's adaptive optics; left out: none"
    )
    tip_tilt_bandwidth: Annotated[float, Quantity("frequency", "Hz", 0.0, 1e6, exclusive_minimum=True)] | None = Field(
        None, description="that of its tip-tilt mirror; left out: 60 Hz"
    )
    greenwood_lower_height: Literal["ground", "published"] = Field(
        "ground", description="where the integrals of the Greenwood and tracking frequency begin"
    )
    spread: SpreadName | None = Field(None, description="size of an uplink's spot; left out: long-term")


Channel = Annotated[
    FixedDivergenceChannel | FixedDivergenceFittedChannel | EmpiricalChannel | GaussianBeamChannel,
    Field(discriminator="model"),
]


class ClearSky(Model):
    """No clouds."""

    kind: Literal["clear"] = "clear"


class _NamedClouds(Model):
    """Clouds whose attenuation has a name; defaults are not written, so that older scenarios keep their hash."""

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in handler(self).items()
            if fields[name].is_required() or getattr(self, name) != fields[name].default
        }


class ConstantClouds(_NamedClouds):
    """The same cloud at every station and time."""

    kind: Literal["constant"]
    thickness: Thickness = Field(description="on the scale of clouds.model, 0: cloudless")
    model: CloudModelName = Field(
        "wang", description="wang: scale of Wang et al., 150 opaque; optical-thickness: along the slant path"
    )


class CloudTable(_NamedClouds):
    """Cloud per station and time from a CSV file: column ``time``, then one column per station."""

    kind: Literal["table"]
    file: EmbeddedFile = Field(
        description="a row holds from its time to the next row's; the last one as long as the one before"
    )
    model: CloudModelName = Field(
        "wang", description="wang: scale of Wang et al., 150 opaque; optical-thickness: along the slant path"
    )
    missing: Literal["error", "opaque", "clear"] = Field(
        "error", description="what an empty cell (no data) means: refuse the table, or take the sky as opaque or clear"
    )


Clouds = Annotated[ClearSky | ConstantClouds | CloudTable, Field(discriminator="kind")]
