"""A pass that two stations see at once, for measurement-device-independent keys: one table, one row per step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.air_delay import air_delay_s
from satqkd.channel.evaluate import evaluate
from satqkd.detection.two_photon_interference import extra_x_basis_error, visibility, x_basis_error
from satqkd.errors import InputError
from satqkd.orbit.build import propagators, sites, to_datetime64
from satqkd.orbit.common import closest_approach
from satqkd.orbit.pair import (
    doppler_slew_hz_s,
    light_time_from_sending_s,
    light_time_to_arrival_s,
    published_send_time_offset_s,
    range_acceleration_m_s2,
    relative_doppler_hz,
    send_time_offset_s,
)
from satqkd.orbit.passes import common_view, find_passes
from satqkd.orbit.site import Site
from satqkd.orbit.time import format_utc
from satqkd.scenario.environment import GaussianBeamChannel
from satqkd.scenario.load import load_scenario
from satqkd.scenario.model import Scenario
from satqkd.security.mdi import key_rate
from satqkd.study.interference import Interference, PairMotion, Residuals
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

    from satqkd.orbit.propagation import Propagator

__all__ = ["common_link", "mdi_pass", "pair_motion", "pair_stations"]

Array = NDArray[np.float64]

_LINK = ("elevation", "azimuth", "slant_range", "range_rate", "doppler", "light_time", "loss_total_db", "transmittance")


def pair_stations(scenario: Scenario, stations: Sequence[str] | None) -> tuple[str, str]:
    """Names of the two stations, checked.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    stations : sequence of str or None
        Two names; None: the scenario has two stations.

    Returns
    -------
    tuple of str
        First and second.

    Raises
    ------
    InputError
        If they are not two stations of the scenario.
    """
    known = [station.name for station in scenario.stations]
    names = list(known if stations is None else stations)
    if len(names) != 2:
        what = "has" if stations is None else "was asked for"
        raise InputError(f"{scenario.name}: two uplinks need two stations, it {what} {len(names)}: {', '.join(names)}")
    for name in names:
        if name not in known:
            raise InputError(f'station "{name}" is not in scenario {scenario.name}: known are {", ".join(known)}')
    return names[0], names[1]


def common_link(
    scenario: Scenario, *, stations: Sequence[str] | None = None, number: int | None = None
) -> tuple[xr.Dataset, Propagator]:
    """Both links while they are in common view, and the satellite.

    Parameters
    ----------
    scenario : Scenario
        The mission; its channel is an uplink.
    stations : sequence of str, optional
        Two names; default: the scenario's only two.
    number : int, optional
        Which common view, from 0 in order of start; default: the longest.

    Returns
    -------
    tuple
        Link table of :func:`satqkd.channel.evaluate.evaluate` with dimensions ``station`` (2) and ``time``, no NaN;
        the propagator.

    Raises
    ------
    InputError
        If the stations are not two of the scenario, have no common view (with the closest approach), or the channel is
        no uplink.
    """
    channel = scenario.channel
    if not (isinstance(channel, GaussianBeamChannel) and channel.direction == "uplink"):
        raise InputError(
            f'{scenario.name}: channel.model = "{channel.model}": two senders on the ground need the model '
            '"gaussian-beam" with direction = "uplink"'
        )
    names = pair_stations(scenario, stations)
    passes = find_passes(scenario)
    windows = common_view(passes, *names)
    count = windows.sizes["pass"]
    if not count:
        raise InputError(_never(scenario, names))
    if number is not None and not 0 <= number < count:
        raise InputError(f"common view {number}: {scenario.name} has {count}, numbered from 0")
    chosen = windows.isel({"pass": int(np.argmax(windows.duration_s.values)) if number is None else number})
    satellite = chosen.satellite.item()
    own = np.isin(passes.station.values, names) & (passes.satellite.values == satellite)
    own &= (passes.start.values <= chosen.end.values) & (passes.end.values >= chosen.start.values)
    link = evaluate(scenario, passes.isel({"pass": np.flatnonzero(own)}))
    seen = (link.time.values >= chosen.start.values) & (link.time.values <= chosen.end.values)
    if not seen.any():
        raise InputError(
            f"study.step = {scenario.study.step:g} s: no step within the common view of "
            f"{float(chosen.duration_s):.3g} s at {format_utc(chosen.start.values, 's')}"
        )
    flight = next(one for one in propagators(scenario) if one.name == satellite)
    return link.sel(satellite=satellite, station=list(names)).isel(time=np.flatnonzero(seen)), flight


def _never(scenario: Scenario, names: tuple[str, str]) -> str:
    """Why two stations have no common view, with the closest approach."""
    a, b = (next(site for site in sites(scenario) if site.name == name) for name in names)
    window = to_datetime64(scenario.study.start), to_datetime64(scenario.study.end)
    nearest = {flight.name: closest_approach(flight, a, b, *window) for flight in propagators(scenario)}
    satellite = max(nearest, key=lambda name: nearest[name].lower_rad)
    best = nearest[satellite]
    elevations = [(names[0], best.elevation_a_rad, a), (names[1], best.elevation_b_rad, b)]
    where = " and ".join(f"{math.degrees(angle):.1f} deg over {name}" for name, angle, _ in elevations)
    masks = " and ".join(f"{math.degrees(site.mask.minimum_rad):g}" for _, _, site in elevations)
    high = all(angle >= site.mask.minimum_rad for _, angle, site in elevations)
    rest = f"needed are {masks} deg" if not high else "access.darkness, access.satellite or a mask forbids it"
    return (
        f"{names[0]} and {names[1]} never have {satellite} in common view from {format_utc(window[0], 's')} to "
        f"{format_utc(window[1], 's')}: closest at {format_utc(best.time, 's')}, {where}; {rest}"
    )


def pair_motion(
    flight: Propagator, pair: tuple[Site, Site], times: NDArray[np.datetime64], *, orders: int = 3
) -> PairMotion:
    """Light times, derivatives of the distances and the angle between the lines of sight.

    Parameters
    ----------
    flight : Propagator
        The satellite.
    pair : tuple of Site
        Both stations.
    times : ndarray of datetime64, shape (n,)
        Instants of arrival.
    orders : int
        How many derivatives from the second on; those above it are central differences over 2 s.

    Returns
    -------
    PairMotion
        At the instants.
    """
    second = np.timedelta64(1, "s")
    grid = (times[np.newaxis] + second * np.arange(-orders + 1, orders)[:, np.newaxis]).ravel()
    states = flight.states_ecef(grid)
    shape = (2 * orders - 1, times.size)
    falling = [np.stack([range_acceleration_m_s2(*states, site).reshape(shape) for site in pair], axis=1)]
    for _ in range(orders - 1):
        falling.append(0.5 * (falling[-1][2:] - falling[-1][:-2]))
    position = states[0].reshape(*shape, 3)[orders - 1]
    lines = [position - site.position_m for site in pair]
    norms = [np.linalg.norm(line, axis=1) for line in lines]
    return PairMotion(
        np.stack([light_time_to_arrival_s(position, site) for site in pair]),
        tuple(derivative[len(derivative) // 2] for derivative in falling),
        np.einsum("ij,ij->i", *lines) / (norms[0] * norms[1]),
    )


def mdi_pass(
    scenario: Scenario | str,
    *,
    stations: Sequence[str] | None = None,
    number: int | None = None,
    intensities_a: Sequence[float] = (0.5, 0.1, 0.0),
    intensities_b: Sequence[float] | None = None,
    decoys: Sequence[str] = ("infinite", "three-intensity"),
    p_dark: float | None = None,
    interference: Interference | None = None,
) -> xr.Dataset:
    """Links, Doppler shifts, timing, interference and key rates of a pass in common view, step by step.

    Parameters
    ----------
    scenario : Scenario or str
        The mission, or what :func:`satqkd.load_scenario` takes.
    stations : sequence of str, optional
        Two names; default: the scenario's only two.
    number : int, optional
        Which common view, from 0 in order of start; default: the longest.
    intensities_a, intensities_b : sequence of float
        Signal, weak decoy and vacuum of each station; the second's are the first's by default. [1]
    decoys : sequence of str
        Methods of :data:`satqkd.security.mdi.DECOYS`.
    p_dark : float, optional
        Click probability of one detector without light; default: the scenario's ``detector.background_yield``, read as
        that of one detector. [1]
    interference : Interference, optional
        Timing and frequency control; default: pulses that cannot be told apart.

    Returns
    -------
    xarray.Dataset
        Dimensions ``station`` (2, in order), ``time``, ``decoy``; every variable in
        :data:`satqkd.variables.VARIABLES`.

    Raises
    ------
    InputError
        If there is no common view (with the closest approach), or a value is outside its range.

    Examples
    --------
    >>> made = mdi_pass("micius-delingha-lijiang")
    >>> made.sizes["time"], made.station.values.tolist()
    (266, ['Delingha', 'Lijiang'])
    """
    import xarray as xr

    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    names = pair_stations(scenario, stations)
    dark = scenario.detector.background_yield if p_dark is None else p_dark
    if dark is None:
        raise InputError(f"{scenario.name}: has no detector.background_yield: give p_dark")
    link, flight = common_link(scenario, stations=names, number=number)
    a, b = (next(site for site in sites(scenario) if site.name == name) for name in names)
    states = flight.states_ecef(link.time.values)
    wavelength_m = scenario.source.wavelength
    motion = pair_motion(flight, (a, b), link.time.values)
    left = None if interference is None else interference.residuals(motion, wavelength_m=wavelength_m)
    rates = _rates(link.transmittance.values, intensities_a, intensities_b or intensities_a, decoys, dark,
                   scenario.detector.misalignment, scenario.protocol.f_ec, left)  # fmt: skip
    losses = link.loss_total_db.values
    out, back = (light_time_from_sending_s(*states, site) for site in (a, b))
    pair: dict[str, Any] = {
        "relative_doppler": relative_doppler_hz(link.range_rate.values[0], link.range_rate.values[1], wavelength_m),
        "arrival_difference": out - back,
        "send_time_offset": send_time_offset_s(states[0], a, b),
        "send_time_offset_published": published_send_time_offset_s(states[0], a, b),
        "loss_sum_db": losses[0] + losses[1],
        "loss_asymmetry_db": losses[0] - losses[1],
        **rates["time"],
    }
    zenith_rad = np.radians(90.0 - link.elevation.values)
    heights_m = np.array([[site.altitude_m] for site in (a, b)])
    air = air_delay_s(zenith_rad, wavelength_m=wavelength_m, altitude_m=heights_m)
    slew = doppler_slew_hz_s(motion.range_derivatives[0], wavelength_m)
    terms = [str(name) for name in link.data_vars if str(name).startswith("loss_") and name not in _LINK]
    dataset = xr.Dataset(
        {
            **{name: (("station", "time"), link[name].values) for name in (*_LINK, *terms)},
            "doppler_slew": (("station", "time"), slew),
            "air_delay": (("station", "time"), air),
            **{name: ("time", values) for name, values in pair.items()},
            **{name: (("decoy", "time"), values) for name, values in rates["decoy"].items()},
        },
        coords={"station": np.array(names, dtype=object), "time": link.time.values,
                "decoy": np.array(list(decoys), dtype=object)},
    )  # fmt: skip
    return describe(dataset).assign_attrs(citations=link.attrs["citations"])


def _rates(
    eta: Array,
    levels_a: Sequence[float],
    levels_b: Sequence[float],
    decoys: Sequence[str],
    p_dark: float,
    misalignment: float,
    f_ec: float,
    left: Residuals | None,
) -> dict[str, dict[str, Array]]:
    """Error rates and key rates at every step, by dimension."""
    overlap = np.ones(eta.shape[1]) if left is None else left.mode_overlap
    receiver: dict[str, Any] = {"p_dark": p_dark, "misalignment": misalignment, "mode_overlap": overlap}
    found = [
        key_rate(*eta, intensities_a=levels_a, intensities_b=levels_b, f_ec=f_ec, decoy=decoy, **receiver)
        for decoy in decoys
    ]
    if not found:
        raise InputError("decoys: none given")
    seen_a, seen_b = eta[0] * levels_a[0], eta[1] * levels_b[0]
    made: dict[str, Array] = {
        "mode_overlap": overlap,
        "visibility": visibility(seen_a, seen_b, mode_overlap=overlap, p_dark=p_dark),
        "gain_z": found[0].gain_z,
        "qber_z": found[0].qber_z,
        "qber_x": found[0].qber_x,
        "qber_x_added": extra_x_basis_error(seen_a, seen_b, **receiver),
    }
    if len(levels_a) > 1 and len(levels_b) > 1:
        made["qber_x_weak"] = x_basis_error(eta[0] * levels_a[1], eta[1] * levels_b[1], **receiver)
    if left is not None:
        made["residual_delay"] = left.delay_s
        made["residual_delay_jitter"] = left.delay_jitter_s
        made["residual_frequency_jitter"] = left.frequency_jitter_hz
    by_decoy = {name: np.stack([getattr(one, name) for one in found]) for name in ("rate", "error_11_x")}
    return {"time": made, "decoy": by_decoy}
