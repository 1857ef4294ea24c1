"""Clicks without signal for a scenario: constant, from a radiance, or from the sky at every sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel import background as light
from satqkd.channel.sky_background import sky_background
from satqkd.errors import InputError
from satqkd.orbit.build import sites
from satqkd.orbit.geometry import LinkGeometry
from satqkd.scenario.light import RadianceBackground, SkyBackground
from satqkd.scenario.model import Scenario

__all__ = ["BACKGROUNDS", "NoiseSamples", "noise_samples"]

Floats = NDArray[np.float64]

CITATIONS: Final = (
    "V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706 (background light, App. B and H.13; sky radiance, Table 3)",
)


@dataclass(frozen=True)
class NoiseSamples:
    """Noise at every sample of a link.

    Attributes
    ----------
    p_noise : ndarray
        Probability of a click without signal in either of the two detectors of a basis. [1]
    usable : ndarray of bool or None
        False where the line of sight must not be used: Sun, Moon, twilight or noise; None: everywhere usable.
    details : dict of ndarray
        Other variables of the link table, in their units.
    citations : tuple of str
        What to cite.
    """

    p_noise: Floats
    usable: NDArray[np.bool_] | None = None
    details: dict[str, Floats] = field(default_factory=dict)
    citations: tuple[str, ...] = ()


def _constant(scenario: Scenario, geometry: LinkGeometry) -> NoiseSamples:
    assert scenario.detector.background_yield is not None
    return NoiseSamples(np.full(geometry.slant_range_m.shape, scenario.detector.background_yield))


def _from_radiance(
    scenario: Scenario, geometry: LinkGeometry, radiance_mw_m2_nm_sr: Floats, usable: NDArray[np.bool_] | None
) -> NoiseSamples:
    """Photons and clicks of each station's receiver."""
    background, detector = scenario.background, scenario.detector
    assert isinstance(background, RadianceBackground | SkyBackground)
    assert detector.dark_count_rate is not None
    click, photons = np.empty(radiance_mw_m2_nm_sr.shape), np.empty(radiance_mw_m2_nm_sr.shape)
    for index, station in enumerate(scenario.stations):
        receiver = scenario.receiver_of(station)
        assert receiver is not None
        own = geometry.station_index == index
        level = light.noise(
            radiance_mw_m2_nm_sr=radiance_mw_m2_nm_sr[own],
            wavelength_m=scenario.source.wavelength,
            filter_hz=background.filter_width,
            gate_s=background.gate,
            rx_aperture_diameter_m=receiver.aperture,
            # a coupling given as a number has its field of view stated
            coupling=receiver.coupling if isinstance(receiver.coupling, str) else "free-space",
            receiver=1.0 if receiver.optics is None else receiver.optics,
            detector=detector.efficiency,
            dark_count_hz=detector.dark_count_rate,
            field_of_view_half_angle_rad=receiver.field_of_view,
            obscuration_ratio=(receiver.obscuration or 0.0) / receiver.aperture,
        )
        click[own], photons[own] = level.p_noise, level.photons_per_gate
    if click.size and click.max() >= 0.5:
        raise InputError(
            f"background: a detector clicks without signal with probability {click.max():.3g}, allowed is below 0.5: "
            "use a narrower filter, gate or field of view"
        )
    details = {
        "sky_radiance": radiance_mw_m2_nm_sr,
        "background_photons": photons * scenario.source.pulse_rate,
    }
    # Y0 = 2 p_ec: either of the two detectors of a basis, as in detector.background_yield
    return NoiseSamples(2.0 * click, usable, details, CITATIONS)


def _radiance(scenario: Scenario, geometry: LinkGeometry) -> NoiseSamples:
    background = scenario.background
    assert isinstance(background, RadianceBackground)
    return _from_radiance(scenario, geometry, np.full(geometry.slant_range_m.shape, background.radiance), None)


def _sky(scenario: Scenario, geometry: LinkGeometry) -> NoiseSamples:
    background = scenario.background
    assert isinstance(background, SkyBackground)
    shape = geometry.slant_range_m.shape
    radiance, usable = np.empty(shape), np.ones(shape, dtype=bool)
    for index, (station, place) in enumerate(zip(scenario.stations, sites(scenario), strict=True)):
        own = geometry.station_index == index
        if not own.any():
            continue
        try:
            sky = sky_background(
                geometry.times[geometry.time_index[own]],
                place=place,
                view_zenith_rad=0.5 * np.pi - geometry.elevation_rad[own],
                view_azimuth_rad=geometry.azimuth_rad[own],
                site=station.sky or background.site,
                wavelength_m=scenario.source.wavelength,
                twilight="refuse" if background.twilight == "refuse" else "sunset",
                urban_light_mw_m2_nm_sr=background.urban_light,
                sun_exclusion_rad=background.sun_exclusion,
                moon_exclusion_rad=background.moon_exclusion,
            )
        except InputError as error:
            raise InputError(f'background, station "{station.name}": {error}') from None
        radiance[own] = sky.radiance_mw_m2_nm_sr
        usable[own] = ~sky.excluded
        if background.twilight == "unusable":
            usable[own] &= sky.day | sky.night
    found = _from_radiance(scenario, geometry, radiance, usable)
    if background.noise_limit is not None:
        usable &= found.p_noise <= background.noise_limit
    return found


BACKGROUNDS: Final[Mapping[str, Callable[[Scenario, LinkGeometry], NoiseSamples]]] = MappingProxyType(
    {"constant": _constant, "radiance": _radiance, "sky": _sky}
)
"""``background.kind`` -> noise of all samples."""


def noise_samples(scenario: Scenario, geometry: LinkGeometry) -> NoiseSamples:
    """Noise of a scenario's links.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    geometry : LinkGeometry
        Samples.

    Returns
    -------
    NoiseSamples
        One value per sample.

    Raises
    ------
    InputError
        If there is no sky for an instant or a direction, or the noise saturates the detectors.
    """
    kind = "constant" if scenario.background is None else scenario.background.kind
    return BACKGROUNDS[kind](scenario, geometry)
