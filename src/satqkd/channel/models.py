"""The link models that a scenario can name, one function each: geometry in, loss terms out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from satqkd.channel.divergence import beam_radius_m, collected_fraction, slab_loss_db
from satqkd.channel.empirical import interpolate_efficiency
from satqkd.channel.fitted import FIXED_LOSS_DB, ZENITH_EXTINCTION_DB, collected_fraction_table2
from satqkd.channel.gaussian_beam import LinkTerms, gaussian_beam
from satqkd.errors import InputError
from satqkd.orbit.geometry import LinkGeometry
from satqkd.scenario.environment import EmpiricalChannel, FixedDivergenceChannel, GaussianBeamChannel
from satqkd.scenario.model import Scenario

__all__ = ["CHANNEL_CITATIONS", "CHANNEL_MODELS", "LinkModel", "channel_citations", "link_terms"]

LinkModel = Callable[[Scenario, LinkGeometry], LinkTerms]

_PAPER_001: Final = (
    "X. Wang et al., Exploiting potentialities for space-based quantum communication network: downlink quantum key "
    "distribution modelling and scheduling analysis (link model, Eqs. 1-3 and 5)"
)
_PAPER_003: Final = (
    "J. S. Sidhu, T. Brougham, D. McArthur, R. G. Pousa, D. K. L. Oi, Finite key effects in satellite quantum key "
    "distribution, npj Quantum Information 8, 18 (2022), doi:10.1038/s41534-022-00525-3"
)
_MICIUS_LINK: Final = (
    "J. Yin et al., Entanglement-based secure quantum cryptography over 1,120 kilometres, Nature 582, 501 (2020) "
    "(measured link efficiency)"
)
_MANNALATH: Final = "V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706 (link model, Sec. IV and App. H)"
_UPLINK: Final = (
    "X. Wang, C. Dong, S. Zhao, Y. Liu, X. Liu, H. Zhu, Feasibility of space-based measurement-device-independent "
    "quantum key distribution (uplink, Eqs. 1-3 and Table I)"
)


def fixed_divergence(scenario: Scenario, geometry: LinkGeometry) -> LinkTerms:
    """Transmittance per term of Wang et al. as printed (Eqs. 1, 2 and the slab atmosphere)."""
    channel, terminal = scenario.channel, scenario.terminal
    assert isinstance(channel, FixedDivergenceChannel)
    assert terminal is not None
    assert terminal.divergence is not None
    receivers = [scenario.receiver_of(station) for station in scenario.stations]
    aperture_m = np.array([receiver.aperture for receiver in receivers if receiver is not None])
    coupling = np.array([receiver.coupling for receiver in receivers if receiver is not None])
    radius_m = beam_radius_m(
        geometry.slant_range_m, wavelength_m=scenario.source.wavelength, divergence_rad=terminal.divergence
    )
    _above_horizon(geometry, "the slab atmosphere of this channel model")
    atmosphere_db = slab_loss_db(geometry.elevation_rad, zenith_loss_db=channel.zenith_extinction)
    terms = {
        "geometric": collected_fraction(radius_m, aperture_diameter_m=aperture_m[geometry.station_index]),
        "atmosphere": 10.0 ** (-atmosphere_db / 10.0),
        "pointing": np.full(radius_m.shape, terminal.pointing),
        "coupling": coupling[geometry.station_index],
        "detector": np.full(radius_m.shape, scenario.detector.efficiency),
    }
    return LinkTerms(terms)


def fixed_divergence_fitted(scenario: Scenario, geometry: LinkGeometry) -> LinkTerms:
    """Transmittance per term with the constants fitted to Table 2 of Wang et al.; its 8 dB stand under coupling."""
    assert scenario.terminal is not None
    assert scenario.terminal.divergence is not None
    radius_m = beam_radius_m(
        geometry.slant_range_m, wavelength_m=scenario.source.wavelength, divergence_rad=scenario.terminal.divergence
    )
    _above_horizon(geometry, "the slab atmosphere of this channel model")
    atmosphere_db = slab_loss_db(geometry.elevation_rad, zenith_loss_db=ZENITH_EXTINCTION_DB)
    terms = {
        "geometric": collected_fraction_table2(radius_m),
        "atmosphere": 10.0 ** (-atmosphere_db / 10.0),
        "coupling": np.full(radius_m.shape, 10.0 ** (-FIXED_LOSS_DB / 10.0)),
    }
    return LinkTerms(terms)


def empirical(scenario: Scenario, geometry: LinkGeometry) -> LinkTerms:
    """Transmittance per term of Sidhu et al.: measured efficiency and offset; detector as the scenario says."""
    channel, rows = scenario.channel, scenario.efficiency_rows()
    assert isinstance(channel, EmpiricalChannel)
    assert rows is not None
    try:
        measured = interpolate_efficiency(
            geometry.elevation_rad,
            curve_time_s=rows.time_s,
            curve_efficiency=rows.efficiency,
            curve_altitude_m=channel.curve_altitude,
        )
    except ValueError:
        lowest = float(np.degrees(geometry.elevation_rad.min()))
        raise InputError(
            f"channel.curve: {channel.curve.path} does not reach down to the elevation {lowest:.2f} deg that a station "
            "uses: raise stations.elevation_mask or give a longer curve"
        ) from None
    terms = {"measured": measured, "offset": np.full(measured.shape, 10.0 ** (-channel.offset / 10.0))}
    if scenario.detector.efficiency < 1.0:
        terms["detector"] = np.full(measured.shape, scenario.detector.efficiency)
    return LinkTerms(terms)


def gaussian_beam_above_horizon(scenario: Scenario, geometry: LinkGeometry) -> LinkTerms:
    """Gaussian beam through turbulence, :func:`satqkd.channel.gaussian_beam.gaussian_beam`."""
    _above_horizon(geometry, "this channel model")
    return gaussian_beam(scenario, geometry)


def _above_horizon(geometry: LinkGeometry, what: str) -> None:
    if geometry.elevation_rad.size and geometry.elevation_rad.min() <= 0.0:
        lowest = float(np.degrees(geometry.elevation_rad.min()))
        raise InputError(
            f"stations.elevation_mask: {what} needs elevations above 0 deg, the lowest sample has {lowest:.2f} deg"
        )


CHANNEL_MODELS: Final[Mapping[str, LinkModel]] = MappingProxyType(
    {
        "fixed-divergence": fixed_divergence,
        "fixed-divergence-fitted": fixed_divergence_fitted,
        "empirical": empirical,
        "gaussian-beam": gaussian_beam_above_horizon,
    }
)
"""Name in ``channel.model`` -> model."""

CHANNEL_CITATIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "fixed-divergence": (_PAPER_001,),
        "fixed-divergence-fitted": (_PAPER_001 + "; constants fitted to its Table 2",),
        "empirical": (_PAPER_003, _MICIUS_LINK),
        "gaussian-beam": (_MANNALATH,),
    }
)
"""What to cite for each model."""


def link_terms(scenario: Scenario, geometry: LinkGeometry) -> LinkTerms:
    """Terms of the scenario's channel at every sample."""
    return CHANNEL_MODELS[scenario.channel.model](scenario, geometry)


def channel_citations(scenario: Scenario) -> tuple[str, ...]:
    """What to cite for the scenario's channel."""
    channel = scenario.channel
    upward = isinstance(channel, GaussianBeamChannel) and channel.direction == "uplink"
    return (*CHANNEL_CITATIONS[channel.model], *((_UPLINK,) if upward else ()))
