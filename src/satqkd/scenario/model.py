"""The scenario: everything that a run depends on, in one frozen object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from satqkd.errors import InputError
from satqkd.scenario import catalogue
from satqkd.scenario.base import Duration, Model, UtcTime
from satqkd.scenario.combinations import check_background, check_channel
from satqkd.scenario.environment import Access, Channel, ClearSky, Clouds, CloudTable, EmpiricalChannel, Station
from satqkd.scenario.equipment import Detector, Receiver, Source, Terminal
from satqkd.scenario.light import Background, ConstantBackground
from satqkd.scenario.orbits import OverpassOrbit, Satellite
from satqkd.scenario.protocol import Planning, Protocol
from satqkd.scenario.tables import CloudRows, EfficiencyRows, parse_clouds, parse_efficiency
from satqkd.scenario.units import Quantity, parse_quantity, problem

__all__ = ["Scenario", "Study"]


class Study(Model):
    """What is simulated: the window, the step, and how old elements may be."""

    start: UtcTime = Field(description="start of the window")
    end: UtcTime = Field(description="end of the window")
    step: Duration = Field(1.0, description="sampling step of the link")
    max_elements_age: Annotated[float, Quantity("time", "d", 0.0, 1e5, exclusive_minimum=True)] = Field(
        60.0, description="largest distance of the window from the elements' epoch"
    )
    seed: int = Field(0, ge=0, description="seed of everything random (nothing yet in this stage chain)")

    @model_validator(mode="after")
    def _window(self) -> Study:
        length = (self.end - self.start).total_seconds()
        if length <= 0.0:
            raise problem(f"end {self.end.isoformat()} must be after start {self.start.isoformat()}")
        if self.step > length:
            raise problem(f"step of {self.step:g} s is longer than the window of {length:g} s")
        if self.step < 1e-3:
            raise problem(f"step of {self.step:g} s is too short: allowed is at least 0.001 s")
        if self.end - self.start > timedelta(days=3660):
            raise problem(f"window of {length / 86400.0:.0f} d is too long: allowed is at most 3660 d")
        return self


class Scenario(Model):
    """A satellite-QKD mission, complete in itself: files that it names are read into it."""

    name: str = Field(
        min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="short name without spaces"
    )
    title: str = Field("", max_length=200, description="one line; does not affect the hash")
    description: str = Field("", description="any text; does not affect the hash")
    study: Study
    satellites: tuple[Satellite, ...]
    stations: tuple[Station, ...]
    access: Access = Access()
    source: Source
    terminal: Terminal | None = Field(None, description="needed by all channels but the empirical one")
    receiver: Receiver | None = Field(None, description="common receiver, needed by fixed-divergence and gaussian-beam")
    detector: Detector
    channel: Channel
    background: Background | None = None
    clouds: Clouds = ClearSky()
    protocol: Protocol
    planning: Planning = Planning()

    @model_validator(mode="before")
    @classmethod
    def _devices(cls, data: Any) -> Any:
        """Devices of the catalogue give the numbers that the scenario does not state."""
        if not isinstance(data, dict):
            return data
        try:
            wavelength_m = parse_quantity(data["source"]["wavelength"], Quantity("length", "nm"))
        except (KeyError, TypeError, ValueError):
            return data  # the field itself has an error that says so

        def named(table: str, field: str, look_up: Callable[..., Any]) -> Any:
            stated = data.get(table)
            name = stated.get(field) if isinstance(stated, dict) else None
            if not isinstance(name, str):
                return None
            try:
                return look_up(name, wavelength_m=wavelength_m)
            except InputError as error:
                raise problem(f"{table}.{field}: {error}") from None

        light, channel = data.get("background"), data.get("channel")
        sky = isinstance(light, dict) and light.get("kind") != "constant"
        given: dict[str, dict[str, Any]] = {}
        if found := named("detector", "device", catalogue.detector):
            given["detector"] = {"efficiency": found.efficiency, "afterpulse": found.p_afterpulse}
            if sky:
                given["detector"]["dark_count_rate"] = found.dark_count_hz
        if found := named("background", "filter", catalogue.optical_filter):
            given["background"] = {"filter_width": f"{found.width_hz!r} Hz"}
        beams = isinstance(channel, dict) and channel.get("model") == "gaussian-beam"
        found = named("source", "laser", catalogue.laser)
        if found and beams and isinstance(data.get("terminal"), dict):
            given["terminal"] = {"beam_quality": found.beam_quality_below}
        return {**data, **{table: {**numbers, **data[table]} for table, numbers in given.items()}}

    @field_validator("background")
    @classmethod
    def _plain(cls, value: Background | None) -> Background | None:
        """A constant background, written or not, is the same scenario."""
        return None if isinstance(value, ConstantBackground) else value

    @field_validator("stations", "satellites")
    @classmethod
    def _unique(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if not value:
            raise problem("the list is empty: at least one is needed")
        names = [item.name for item in value]
        for index, name in enumerate(names):
            if name in names[:index]:
                first = names.index(name) + 1
                raise problem(f'entries {first} and {index + 1} are both named "{name}": names must differ')
        return value

    @field_validator("stations")
    @classmethod
    def _reserved(cls, value: tuple[Station, ...]) -> tuple[Station, ...]:
        for station in value:
            if station.name in ("idle", "switching"):
                raise problem(f'"{station.name}" names a state of the schedule: choose another')
        return value

    @model_validator(mode="after")
    def _complete(self) -> Scenario:
        names = [station.name for station in self.stations]
        for satellite in self.satellites:
            if isinstance(satellite.orbit, OverpassOrbit) and satellite.orbit.station not in names:
                raise problem(
                    f'satellite "{satellite.name}" passes station "{satellite.orbit.station}": '
                    f"known are {', '.join(names)}"
                )
        if self.planning.interval < self.study.step:
            raise problem(
                f"planning.interval of {self.planning.interval:g} s is shorter than study.step of {self.study.step:g} s"
            )
        check_channel(self)
        check_background(self)
        return self

    @model_validator(mode="after")
    def _tables(self) -> Scenario:
        """Read the tables once here, so that a fault in one is found before anything is computed."""
        try:
            self.cloud_rows()
            self.efficiency_rows()
        except ValueError as error:
            raise problem(str(error)) from None
        return self

    def cloud_rows(self) -> CloudRows | None:
        """The cloud table, stations in the scenario's order; None if clouds are not given by a table."""
        if not isinstance(self.clouds, CloudTable):
            return None
        names = [station.name for station in self.stations]
        clouds = self.clouds
        return parse_clouds(
            clouds.file.text, names, self.study.start, self.study.end, model=clouds.model, missing=clouds.missing
        )

    def efficiency_rows(self) -> EfficiencyRows | None:
        """The measured efficiency curve; None for other channels."""
        return parse_efficiency(self.channel.curve.text) if isinstance(self.channel, EmpiricalChannel) else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data that validates to the same scenario, quantities as text with units."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_json(self) -> str:
        """Canonical JSON of :meth:`to_dict`."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=True)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of everything that affects a result."""
        content = {key: value for key, value in self.to_dict().items() if key not in ("title", "description")}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    def receiver_of(self, station: Station) -> Receiver | None:
        """The station's own receiver, or the common one."""
        return station.receiver or self.receiver
