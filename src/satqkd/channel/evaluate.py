"""The link stage: every loss term and the noise at every step of every pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.clouds import CLOUD_CITATIONS, CLOUD_MODELS
from satqkd.channel.divergence import loss_db
from satqkd.channel.models import channel_citations, link_terms
from satqkd.channel.noise import noise_samples
from satqkd.errors import InputError
from satqkd.orbit.build import propagators, to_datetime64
from satqkd.orbit.geometry import LinkGeometry, count_times, sample_passes
from satqkd.orbit.kinematics import doppler_shift_hz, light_time_s
from satqkd.scenario.environment import ClearSky, ConstantClouds
from satqkd.scenario.model import Scenario
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["evaluate"]

Floats = NDArray[np.float64]

COLUMNS = 26
"""Variables per sample in a link table, roughly."""

MEMORY_LIMIT_BYTES = 4 * 1024**3
"""Largest link table that is made; a longer step or fewer satellites make it smaller."""


def cloud_transmittance(scenario: Scenario, geometry: LinkGeometry) -> Floats | None:
    """Transmittance of the clouds at each sample, or None for a sky declared clear.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    geometry : LinkGeometry
        Samples.

    Returns
    -------
    ndarray or None
        In [0, 1]; a table's row holds from its time on. [1]

    Raises
    ------
    InputError
        If the model of clouds does not hold for an elevation used.
    """
    clouds, rows = scenario.clouds, scenario.cloud_rows()
    if isinstance(clouds, ClearSky):
        return None
    if isinstance(clouds, ConstantClouds):
        thickness = np.full(geometry.slant_range_m.shape, clouds.thickness)
    else:
        assert rows is not None
        starts = np.array([to_datetime64(time) for time in rows.times])
        row = np.searchsorted(starts, geometry.times, side="right") - 1
        thickness = np.array(rows.thickness)[row[geometry.time_index], geometry.station_index]
    try:
        return CLOUD_MODELS[clouds.model](thickness, elevation_rad=geometry.elevation_rad)
    except InputError as error:
        raise InputError(f"clouds: {error}: raise stations.elevation_mask") from None


def _check_size(scenario: Scenario, passes: xr.Dataset) -> None:
    """Refuse a table that memory cannot hold, before it is computed."""
    shape = (len(scenario.stations), len(propagators(scenario)), count_times(scenario, passes))
    needed = 8 * math.prod(shape) * COLUMNS
    if needed > MEMORY_LIMIT_BYTES:
        raise InputError(
            f"the link table of {shape[0]} stations x {shape[1]} satellites x {shape[2]} times needs "
            f"{needed / 1024**3:.1f} GB, allowed are {MEMORY_LIMIT_BYTES / 1024**3:.0f} GB: "
            "use a longer study.step, a shorter window or fewer satellites"
        )


def evaluate(scenario: Scenario, passes: xr.Dataset) -> xr.Dataset:
    """Evaluate the link at every step of the passes.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    passes : xarray.Dataset
        Output of :func:`satqkd.orbit.passes.find_passes`.

    Returns
    -------
    xarray.Dataset
        Dimensions ``station``, ``satellite``, ``time`` (only instants with a pass): geometry, each loss term in dB,
        transmittance, noise. NaN where that pair has no pass.

    Raises
    ------
    InputError
        If the channel model does not hold for an elevation used, or the table would not fit into memory.
    """
    import xarray as xr

    _check_size(scenario, passes)
    geometry = sample_passes(scenario, passes)
    model, noise = link_terms(scenario, geometry), noise_samples(scenario, geometry)
    terms = dict(model.transmittance)
    clouds = cloud_transmittance(scenario, geometry)
    if clouds is not None:
        terms["cloud"] = clouds
    transmittance = np.ones(geometry.slant_range_m.shape)
    for term in terms.values():
        transmittance = transmittance * term
    samples: dict[str, Floats] = {
        "elevation": np.degrees(geometry.elevation_rad),
        "azimuth": np.degrees(geometry.azimuth_rad),
        "slant_range": geometry.slant_range_m,
        "range_rate": geometry.range_rate_m_s,
        "doppler": doppler_shift_hz(geometry.range_rate_m_s, scenario.source.wavelength),
        "light_time": light_time_s(geometry.slant_range_m),
        "point_ahead": geometry.point_ahead_rad,
        "sun_elevation": np.degrees(geometry.sun_elevation_rad),
        **{f"loss_{name}_db": loss_db(term) for name, term in terms.items()},
        "loss_total_db": loss_db(transmittance),
        "transmittance": transmittance,
        "p_noise": noise.p_noise,
        "background": noise.p_noise * scenario.source.pulse_rate,
        **model.details,
        **noise.details,
    }
    shape = (len(geometry.stations), len(geometry.satellites), len(geometry.times))
    at = (geometry.station_index, geometry.satellite_index, geometry.time_index)

    def spread(values: Floats) -> Floats:
        dense = np.full(shape, np.nan)
        dense[at] = values
        return dense

    dims = ("station", "satellite", "time")
    variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {
        name: (dims, spread(values)) for name, values in samples.items()
    }
    number = np.full(shape, -1, dtype=np.int64)
    number[at] = geometry.pass_number
    if noise.usable is not None:
        usable = np.zeros(shape, dtype=bool)
        usable[at] = noise.usable
        variables["usable"] = (dims, usable)
    dataset = xr.Dataset(
        {
            "pass_number": (dims, number),
            **variables,
            "satellite_latitude": (dims[1:], np.degrees(geometry.satellite_latitude_rad)),
            "satellite_longitude": (dims[1:], np.degrees(geometry.satellite_longitude_rad)),
        },
        coords={
            "station": np.array(geometry.stations, dtype=object),
            "satellite": np.array(geometry.satellites, dtype=object),
            "time": geometry.times,
        },
    )
    citations = [*channel_citations(scenario), *noise.citations]
    if not isinstance(scenario.clouds, ClearSky):
        citations += CLOUD_CITATIONS[scenario.clouds.model]
    return describe(dataset).assign_attrs(citations=citations)
