"""From a scenario's satellites and stations to propagators and sites."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.errors import InputError
from satqkd.orbit.site import ElevationMask, Site
from satqkd.scenario.model import Scenario
from satqkd.scenario.orbits import (
    CircularOrbit,
    ElementsOrbit,
    GeostationaryOrbit,
    OverpassOrbit,
    Satellite,
    WalkerOrbit,
)

if TYPE_CHECKING:
    from satqkd.orbit.propagation import Propagator

__all__ = ["propagators", "sites", "to_datetime64"]


def to_datetime64(time: datetime) -> np.datetime64:
    """UTC instant as ``datetime64[ns]``."""
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "ns")


def sites(scenario: Scenario) -> list[Site]:
    """The scenario's stations as geometry, in its order.

    Parameters
    ----------
    scenario : Scenario
        The mission.

    Returns
    -------
    list of Site
        One per station.
    """
    found = []
    for station in scenario.stations:
        mask = station.elevation_mask
        found.append(
            Site(
                name=station.name,
                latitude_rad=station.latitude,
                longitude_rad=station.longitude,
                altitude_m=station.altitude,
                mask=ElevationMask.by_azimuth(*zip(*mask, strict=True))
                if isinstance(mask, tuple)
                else ElevationMask.constant(mask),
            )
        )
    return found


def propagators(scenario: Scenario) -> list[Propagator]:
    """The scenario's satellites, a Walker pattern as its single satellites.

    Parameters
    ----------
    scenario : Scenario
        The mission.

    Returns
    -------
    list of Propagator
        With unique names.

    Raises
    ------
    InputError
        Elements that cannot be read, are too old, or two satellites of one name.
    """
    found: list[Propagator] = []
    for satellite in scenario.satellites:
        found += _BUILDERS[type(satellite.orbit)](satellite, scenario)
    names = [propagator.name for propagator in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f'satellites: two are named "{name}": names must differ')
    return found


def _from_elements(satellite: Satellite, scenario: Scenario) -> list[Propagator]:
    from satqkd.orbit.elements import check_age, nearest_elements
    from satqkd.orbit.elements_io import parse_elements
    from satqkd.orbit.propagation import Sgp4Orbit

    orbit = satellite.orbit
    assert isinstance(orbit, ElementsOrbit)
    sets = parse_elements(orbit.file.text, source=orbit.file.path)
    numbers = sorted({elements.catalog_number for elements in sets})
    if orbit.catalog_number is not None:
        sets = [elements for elements in sets if elements.catalog_number == orbit.catalog_number]
        if not sets:
            known = ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
            raise InputError(
                f'satellite "{satellite.name}": {orbit.file.path} has no catalogue number {orbit.catalog_number}; '
                f"it has {known}"
            )
    elif len(numbers) > 1:
        raise InputError(
            f'satellite "{satellite.name}": {orbit.file.path} holds {len(numbers)} satellites: '
            f"choose one with orbit.catalog_number, such as {numbers[0]}"
        )
    start, end = to_datetime64(scenario.study.start), to_datetime64(scenario.study.end)
    elements = replace(nearest_elements(sets, start + (end - start) // 2), name=satellite.name)
    limit_days = scenario.study.max_elements_age / 86400.0
    check_age(elements, start, end, limit_days=limit_days, option="study.max_elements_age")
    if orbit.altitude is not None:
        elements = elements.at_altitude(orbit.altitude)
    return [Sgp4Orbit(elements)]


def _inclination_rad(orbit: CircularOrbit) -> float:
    from satqkd.orbit.propagation import sun_synchronous_inclination_rad

    if orbit.inclination == "sun-synchronous":
        return sun_synchronous_inclination_rad(orbit.altitude)
    assert isinstance(orbit.inclination, float)
    return orbit.inclination


def _circular(satellite: Satellite, scenario: Scenario) -> list[Propagator]:
    from satqkd.orbit import propagation

    orbit = satellite.orbit
    assert isinstance(orbit, CircularOrbit)
    return [
        propagation.CircularOrbit(
            name=satellite.name,
            epoch=to_datetime64(orbit.epoch),
            altitude_m=orbit.altitude,
            inclination_rad=_inclination_rad(orbit),
            raan_rad=orbit.raan,
            argument_of_latitude_rad=orbit.argument_of_latitude,
            j2=orbit.j2,
        )
    ]


def _walker(satellite: Satellite, scenario: Scenario) -> list[Propagator]:
    from satqkd.orbit.propagation import walker

    orbit = satellite.orbit
    assert isinstance(orbit, WalkerOrbit)
    return list(
        walker(
            inclination_rad=orbit.inclination,
            total=orbit.total,
            planes=orbit.planes,
            phasing=orbit.phasing,
            altitude_m=orbit.altitude,
            epoch=to_datetime64(orbit.epoch),
            pattern=orbit.pattern,
            raan_rad=orbit.raan,
            j2=orbit.j2,
            name=satellite.name,
        )
    )


def _geostationary(satellite: Satellite, scenario: Scenario) -> list[Propagator]:
    from satqkd.orbit import propagation

    orbit = satellite.orbit
    assert isinstance(orbit, GeostationaryOrbit)
    return [propagation.GeostationaryOrbit(name=satellite.name, longitude_rad=orbit.longitude)]


def _overpass(satellite: Satellite, scenario: Scenario) -> list[Propagator]:
    from satqkd.orbit.propagation import Overpass

    orbit, study = satellite.orbit, scenario.study
    assert isinstance(orbit, OverpassOrbit)
    flight = Overpass(
        name=satellite.name,
        site=next(site for site in sites(scenario) if site.name == orbit.station),
        max_elevation_rad=orbit.max_elevation,
        altitude_m=orbit.altitude,
        culmination=to_datetime64(orbit.culmination),
        heading_rad=orbit.heading,
    )
    half_s = math.pi / flight.angular_rate_rad_s
    if max(orbit.culmination - study.start, study.end - orbit.culmination).total_seconds() > half_s:
        # the Earth stands still in this geometry: every further revolution would repeat the pass
        raise InputError(
            f'satellite "{satellite.name}": an overpass is a single pass, the window must lie within '
            f"{half_s / 60.0:.0f} min of its culmination {orbit.culmination:%Y-%m-%dT%H:%M:%SZ}"
        )
    return [flight]


_BUILDERS: dict[type, Callable[[Satellite, Scenario], list[Any]]] = {
    ElementsOrbit: _from_elements,
    CircularOrbit: _circular,
    WalkerOrbit: _walker,
    GeostationaryOrbit: _geostationary,
    OverpassOrbit: _overpass,
}
