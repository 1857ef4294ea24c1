"""Which tables and keys of a scenario go together: one clear line for each that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from satqkd.scenario.base import Model
from satqkd.scenario.environment import GaussianBeamChannel
from satqkd.scenario.light import SkyBackground
from satqkd.scenario.units import problem

if TYPE_CHECKING:
    from satqkd.scenario.model import Scenario

__all__ = ["check_background", "check_channel"]

TERMINAL_KEYS = ("aperture", "beam_quality", "waist_fraction", "jitter", "bias", "optics")
RECEIVER_KEYS = ("obscuration", "field_of_view", "optics")
STATION_KEYS = ("turbulence", "aerosol", "visibility")
BEAM = 'channel.model "gaussian-beam"'


def check_channel(scenario: Scenario) -> None:
    """Refuse a channel without what it needs, or with what it would not use."""
    if isinstance(scenario.channel, GaussianBeamChannel):
        _check_beam(scenario, scenario.channel)
    else:
        _check_simple(scenario)


def _check_simple(scenario: Scenario) -> None:
    model, terminal = scenario.channel.model, scenario.terminal
    if model != "empirical" and (terminal is None or terminal.divergence is None):
        raise problem(f'channel.model "{model}" needs a [terminal] with its divergence')
    if model == "fixed-divergence" and any(scenario.receiver_of(station) is None for station in scenario.stations):
        raise problem('channel.model "fixed-divergence" needs a [receiver] with its aperture')
    owners: list[tuple[str, Model | None, tuple[str, ...]]] = [
        ("terminal", terminal, TERMINAL_KEYS),
        ("receiver", scenario.receiver, RECEIVER_KEYS),
    ]
    for station in scenario.stations:
        owners.append((f'station "{station.name}"', station, STATION_KEYS))
        owners.append((f'station "{station.name}": receiver', station.receiver, RECEIVER_KEYS))
    for place, owner, keys in owners:
        for key in keys:
            if getattr(owner, key, None) is not None:
                raise problem(f'{place}: {key} is for {BEAM} only, "{model}" does not use it')
        coupling = getattr(owner, "coupling", 1.0)
        if isinstance(coupling, str):
            raise problem(f'{place}: coupling "{coupling}" is for {BEAM} only, "{model}" needs an efficiency')


def _check_beam(scenario: Scenario, channel: GaussianBeamChannel) -> None:
    terminal = scenario.terminal
    if terminal is None or terminal.aperture is None:
        raise problem(f"{BEAM} needs a [terminal] with its aperture")
    fixed = channel.spread == "fixed-divergence"
    if fixed and terminal.divergence is None:
        raise problem('channel.spread "fixed-divergence" needs terminal.divergence')
    if terminal.divergence is not None and not fixed:
        raise problem('terminal.divergence: the beam has its own unless channel.spread is "fixed-divergence"')
    if channel.direction == "downlink" and channel.spread is not None:
        raise problem(f'channel.spread "{channel.spread}" is for direction "uplink" only')
    if channel.direction == "uplink":
        for key in ("ao_bandwidth", "tip_tilt_bandwidth"):
            if getattr(channel, key) is not None:
                raise problem(f'channel.{key} is for direction "downlink" only')
        if scenario.receiver is None:
            raise problem('channel.direction "uplink" needs a [receiver], the one on the satellite')
    if channel.tip_tilt_bandwidth is not None and channel.ao_bandwidth is None:
        raise problem("channel.tip_tilt_bandwidth is part of adaptive optics: needs channel.ao_bandwidth")
    for station in scenario.stations:
        if channel.direction == "uplink" and station.receiver is not None:
            raise problem(f'station "{station.name}": receiver: in an uplink the receiver is on the satellite')
        if scenario.receiver_of(station) is None:
            raise problem(f'{BEAM} needs a [receiver] for station "{station.name}"')
        for key in ("aerosol", "visibility"):
            own = getattr(station, key) if getattr(station, key) is not None else getattr(channel, key)
            if channel.extinction == "atmosphere" and own is None:
                raise problem(f'channel.extinction "atmosphere" needs {key}, of the channel or of "{station.name}"')
            if channel.extinction != "atmosphere" and own is not None:
                raise problem(f'{key} is used with channel.extinction "atmosphere" only')


def check_background(scenario: Scenario) -> None:
    """Refuse light without a receiver that sees it, or noise given twice."""
    background, detector = scenario.background, scenario.detector
    if background is None:
        if detector.background_yield is None:
            raise problem("detector.background_yield: is missing; or give a [background] from which it follows")
        if detector.dark_count_rate is not None:
            raise problem("detector.dark_count_rate is used with a [background] only: background_yield includes it")
    else:
        kind = background.kind
        if detector.background_yield is not None:
            raise problem(f'detector.background_yield: follows from background.kind "{kind}", leave it out')
        if detector.dark_count_rate is None:
            raise problem(f'background.kind "{kind}" needs detector.dark_count_rate, or a detector.device')
        if not isinstance(scenario.channel, GaussianBeamChannel):
            raise problem(f'background.kind "{kind}" needs {BEAM}, whose receiver has a field of view')
        if kind == "sky" and scenario.channel.direction == "uplink":
            raise problem('background.kind "sky" is for downlinks: a satellite looks down, use kind "radiance"')
        for station in scenario.stations:
            receiver = scenario.receiver_of(station)
            if receiver is not None and not isinstance(receiver.coupling, str) and receiver.field_of_view is None:
                raise problem(f'background.kind "{kind}" needs receiver.field_of_view, as the coupling is a number')
    for station in scenario.stations:
        if station.sky is not None and not isinstance(background, SkyBackground):
            raise problem(f'station "{station.name}": sky is used with background.kind "sky" only')
