"""The channel from first principles for a scenario: every station's samples to one call of a budget, up or down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.budget import LinkBudget, downlink
from satqkd.channel.extinction import beer_lambert_transmittance, transmittance
from satqkd.channel.profiles import TURBULENCE_PROFILES, TurbulenceProfile
from satqkd.channel.uplink_budget import uplink
from satqkd.errors import InputError
from satqkd.orbit.geometry import LinkGeometry
from satqkd.scenario.environment import GaussianBeamChannel, Station
from satqkd.scenario.model import Scenario

__all__ = ["BUDGETS", "LinkTerms", "gaussian_beam", "station_profile"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinkTerms:
    """What a link model gives; arrays of one entry per sample.

    Attributes
    ----------
    transmittance : dict of ndarray
        Transmittance by term, ``loss_<name>_db`` of :data:`satqkd.variables.LOSS_TERMS`. [1]
    details : dict of ndarray
        Other variables of the link table, in their units.
    """

    transmittance: dict[str, Floats]
    details: dict[str, Floats] = field(default_factory=dict)


def station_profile(channel: GaussianBeamChannel, station: Station) -> TurbulenceProfile:
    """Turbulence of a station: the profile by name, at the station's own altitude."""
    return replace(TURBULENCE_PROFILES[station.turbulence or channel.turbulence], altitude_m=station.altitude)


def _given(**values: Any) -> dict[str, Any]:
    """Arguments that the scenario states; the kernel's own defaults hold for the others."""
    return {name: value for name, value in values.items() if value is not None}


def _down(scenario: Scenario, arguments: dict[str, Any]) -> LinkBudget:
    channel = scenario.channel
    assert isinstance(channel, GaussianBeamChannel)
    optics = _given(ao_bandwidth_hz=channel.ao_bandwidth, tip_tilt_bandwidth_hz=channel.tip_tilt_bandwidth)
    return downlink(**arguments, **optics)


def _up(scenario: Scenario, arguments: dict[str, Any]) -> LinkBudget:
    channel, terminal = scenario.channel, scenario.terminal
    assert isinstance(channel, GaussianBeamChannel)
    assert terminal is not None
    return uplink(**arguments, **_given(spread=channel.spread, divergence_rad=terminal.divergence))


BUDGETS: Final[Mapping[str, Callable[[Scenario, dict[str, Any]], LinkBudget]]] = MappingProxyType(
    {"downlink": _down, "uplink": _up}
)
"""Direction -> budget of the arguments that both have."""


def _atmosphere(scenario: Scenario, station: Station, zenith_rad: Floats) -> Floats:
    """Extinction of the air above one station."""
    channel = scenario.channel
    assert isinstance(channel, GaussianBeamChannel)
    if channel.extinction == "none":
        return np.ones(zenith_rad.shape)
    if channel.extinction != "atmosphere":
        return beer_lambert_transmittance(zenith_rad, zenith_loss_db=channel.extinction)
    aerosol = station.aerosol or channel.aerosol
    visibility_m = station.visibility or channel.visibility
    assert aerosol is not None
    assert visibility_m is not None
    return transmittance(
        zenith_rad,
        wavelength_m=scenario.source.wavelength,
        aerosol=aerosol,
        visibility_m=visibility_m,
        altitude_m=station.altitude,
    )


def _station_budget(scenario: Scenario, station: Station, geometry: LinkGeometry, own: NDArray[np.bool_]) -> LinkBudget:
    channel, terminal, receiver = scenario.channel, scenario.terminal, scenario.receiver_of(station)
    assert isinstance(channel, GaussianBeamChannel)
    assert terminal is not None
    assert receiver is not None
    zenith_rad = 0.5 * np.pi - geometry.elevation_rad[own]
    # a field of view beside a coupling given as a number is for the background light alone
    half_angle_rad = receiver.field_of_view if isinstance(receiver.coupling, str) else None
    arguments = _given(
        slant_range_m=geometry.slant_range_m[own],
        zenith_rad=zenith_rad,
        slew_rad_s=geometry.slew_rate_rad_s[own],
        wavelength_m=scenario.source.wavelength,
        tx_aperture_diameter_m=terminal.aperture,
        rx_aperture_diameter_m=receiver.aperture,
        beam_quality=terminal.beam_quality,
        waist_fraction=terminal.waist_fraction,
        site=station_profile(channel, station),
        jitter_rad=terminal.jitter or 0.0,
        bias_rad=terminal.bias,
        coupling=receiver.coupling,
        obscuration_ratio=(receiver.obscuration or 0.0) / receiver.aperture,
        field_of_view_half_angle_rad=half_angle_rad,
        atmosphere=_atmosphere(scenario, station, zenith_rad),
        receiver=1.0 if receiver.optics is None else receiver.optics,
        detector=scenario.detector.efficiency,
        greenwood_lower_height=channel.greenwood_lower_height,
    )
    return BUDGETS[channel.direction](scenario, arguments)


TERMS: Final = ("geometric", "atmosphere", "pointing", "coupling", "receiver", "detector")


def gaussian_beam(scenario: Scenario, geometry: LinkGeometry) -> LinkTerms:
    """Every term of Mannalath, Zapatero, Curty (App. H) or of an uplink, and the lengths behind them.

    Parameters
    ----------
    scenario : Scenario
        The mission; its channel is the ``gaussian-beam``.
    geometry : LinkGeometry
        Samples above the horizon.

    Returns
    -------
    LinkTerms
        Terms; radius of the spot and Fried parameter.

    Raises
    ------
    InputError
        If the model does not hold for a station's samples; the message names the station.
    """
    terminal = scenario.terminal
    assert terminal is not None
    shape = geometry.slant_range_m.shape
    terms = {name: np.ones(shape) for name in TERMS}
    details = {"spot_radius": np.empty(shape), "fried_parameter": np.empty(shape)}
    for index, station in enumerate(scenario.stations):
        own = geometry.station_index == index
        if not own.any():
            continue
        try:
            budget = _station_budget(scenario, station, geometry, own)
        except InputError as error:
            raise InputError(f'station "{station.name}": {error}') from None
        for name, values in terms.items():
            values[own] = getattr(budget, name)
        details["spot_radius"][own] = budget.spot_radius_m
        details["fried_parameter"][own] = budget.fried_m
    terms["pointing"] *= terminal.pointing
    if terminal.optics is not None:
        terms["transmitter"] = np.full(shape, terminal.optics)
    return LinkTerms(terms, details)
