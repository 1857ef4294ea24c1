"""The key stage: asymptotic rate at every step, finite key of every pass."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satqkd.errors import InputError
from satqkd.scenario.model import Scenario
from satqkd.security import gllp, lim2014
from satqkd.security.result import EpsilonBudget, KeyLength, mission_epsilon
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["add_asymptotic_rate", "evaluate", "mission_security"]

Floats = NDArray[np.float64]


def add_asymptotic_rate(scenario: Scenario, link: xr.Dataset) -> xr.Dataset:
    """Link with the asymptotic secret rate of Wang et al., Eq. 4, times the pulse rate.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    link : xarray.Dataset
        Output of :func:`satqkd.channel.evaluate.evaluate`.

    Returns
    -------
    xarray.Dataset
        The same with ``rate_asymptotic`` in bit/s: NaN outside passes, 0 where the link must not be used.
    """
    transmittance = link.transmittance.values
    rate = np.full(transmittance.shape, np.nan)
    inside = np.isfinite(transmittance)
    if "usable" in link:
        rate[inside] = 0.0
        inside &= link.usable.values
    protocol, detector = scenario.protocol, scenario.detector
    rate[inside] = scenario.source.pulse_rate * gllp.key_rate(
        transmittance[inside],
        mu=protocol.intensities[0],
        nu=protocol.intensities[1],
        y0=link.p_noise.values[inside],
        misalignment=detector.misalignment,
        f_ec=protocol.f_ec,
        sifting=protocol.asymptotic_sifting,
        e0=detector.background_error,
    )
    return describe(link.assign(rate_asymptotic=(link.transmittance.dims, rate)))


def analysis_options(scenario: Scenario) -> dict[str, Any]:
    """Arguments of :func:`satqkd.security.lim2014.key_length` but ``p_extraneous``, which the link has by slot."""
    protocol, detector = scenario.protocol, scenario.detector
    return {
        "pulses_per_slot": scenario.source.pulse_rate * scenario.study.step,
        "intensities": protocol.intensities,
        "intensity_probabilities": protocol.intensity_probabilities,
        "p_key_basis": protocol.p_key_basis,
        "qber_intrinsic": detector.misalignment,
        "p_afterpulse": detector.afterpulse,
        "eps_correctness": protocol.eps_correctness,
        "eps_secrecy": protocol.eps_secrecy,
        "bound": protocol.bound,
        "sampling": protocol.sampling,
        "leakage": protocol.leakage,
        "f_ec": protocol.f_ec,
    }


def evaluate(scenario: Scenario, passes: xr.Dataset, link: xr.Dataset) -> xr.Dataset:
    """Finite and asymptotic key of every pass, each pass processed as one block.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    passes : xarray.Dataset
        Output of the passes stage.
    link : xarray.Dataset
        Output of the link stage with ``rate_asymptotic``.

    Returns
    -------
    xarray.Dataset
        Dimension ``pass``: counts, bounds, finite key, why there is none and by how many dB, asymptotic key, and
        the protocol parameters used. Samples that must not be used are left out.

    Raises
    ------
    InputError
        If the link was computed for other passes.
    """
    import xarray as xr

    options, step = analysis_options(scenario), scenario.study.step
    numbers = link.pass_number.values
    _check_same_passes(passes, link)
    used = numbers >= 0
    if "usable" in link:
        used &= link.usable.values
    inside = np.flatnonzero(used.ravel())
    owner = numbers.ravel()[inside]
    order = np.argsort(owner, kind="stable")  # within a pass in order of time, as the last dimension is time
    edges = np.searchsorted(owner[order], np.arange(passes.sizes["pass"] + 1))
    eta = link.transmittance.values.ravel()[inside][order]
    rate = link.rate_asymptotic.values.ravel()[inside][order]
    # Y0 counts a click in either of the two detectors of a basis, p_ec one of them: 1 - (1 - 2 p_ec) = Y0
    extraneous = link.p_noise.values.ravel()[inside][order] / 2.0
    columns: dict[str, list[Any]] = {name: [] for name in _KEY_COLUMNS}
    for first, last in pairwise(edges):
        own = eta[first:last]
        noise = extraneous[first:last]
        key = lim2014.key_length(own, p_extraneous=noise, **options)
        margin = lim2014.margin_db(own, p_extraneous=noise, **options) if len(own) else -math.inf
        mean = float(own.mean()) if len(own) else 0.0
        for name, value in _row(key).items():
            columns[name].append(value)
        columns["margin_db"].append(margin)
        columns["mean_loss_db"].append(-10.0 * math.log10(mean) if mean > 0.0 else math.inf)
        columns["pulses"].append(options["pulses_per_slot"] * len(own))
        columns["key_bits_asymptotic"].append(math.floor(float(rate[first:last].sum()) * step))
    data: dict[str, Any] = {name: passes[name].variable for name in ("satellite", "station", "start")}
    data["day"] = ("pass", np.datetime_as_string(passes.start.values, unit="D").astype(object))
    for name, values in columns.items():
        data[name] = ("pass", np.array(values, dtype=_KEY_COLUMNS[name]))
    for name, value in _parameters(scenario).items():
        data[name] = ("pass", np.full(passes.sizes["pass"], value))
    dataset = describe(xr.Dataset(data, coords={"pass": passes["pass"].variable}))
    # those of the options are the same for every pass, so one evaluation tells them
    cited = lim2014.key_length([1e-4], p_extraneous=0.0, **options).citations
    return dataset.assign_attrs(citations=[*cited, *gllp.CITATIONS])


def _check_same_passes(passes: xr.Dataset, link: xr.Dataset) -> None:
    """Refuse a link whose samples are not those of the passes: keys would be given to the wrong pass."""
    at = np.nonzero(link.pass_number.values >= 0)
    number = link.pass_number.values[at]
    time = link.time.values[at[2]]
    if number.size and number.max() >= passes.sizes["pass"]:
        raise InputError(f"link has samples of pass {number.max()}, the passes end at {passes.sizes['pass'] - 1}")
    belongs = (
        (passes.station.values[number] == link.station.values[at[0]])
        & (passes.satellite.values[number] == link.satellite.values[at[1]])
        & (passes.start.values[number] <= time)
        & (time <= passes.end.values[number])
    )
    if not np.all(belongs):
        wrong = int(number[~belongs][0])
        raise InputError(f"link and passes do not belong together: pass {wrong} is another one in the link")


_KEY_COLUMNS: dict[str, Any] = {
    "pulses": np.float64,
    "sifted_bits": np.float64,
    "qber": np.float64,
    "vacuum_lower": np.float64,
    "single_photon_lower": np.float64,
    "single_photon_test_lower": np.float64,
    "single_photon_errors_upper": np.float64,
    "phase_error_upper": np.float64,
    "leak_ec_bits": np.float64,
    "key_bits": np.int64,
    "key_bits_asymptotic": np.int64,
    "reason": object,
    "margin_db": np.float64,
    "mean_loss_db": np.float64,
}


def _row(key: KeyLength) -> dict[str, Any]:
    return {
        "sifted_bits": key.sifted_bits,
        "qber": key.qber,
        "vacuum_lower": key.n0_key_lower,
        "single_photon_lower": key.n1_key_lower,
        "single_photon_test_lower": key.n1_test_lower,
        "single_photon_errors_upper": key.m1_test_upper,
        "phase_error_upper": key.phase_error_upper,
        "leak_ec_bits": key.leak_ec_bits,
        "key_bits": key.key_bits,
        "reason": key.reason or "",
    }


def _parameters(scenario: Scenario) -> dict[str, float]:
    protocol = scenario.protocol
    names = ("mu_signal", "mu_decoy", "mu_vacuum", "p_signal", "p_decoy", "p_vacuum")
    values = (*protocol.intensities, *protocol.intensity_probabilities)
    return {
        **dict(zip(names, values, strict=True)),
        "p_key_basis": protocol.p_key_basis,
        "eps_secrecy": protocol.eps_secrecy,
        "eps_correctness": protocol.eps_correctness,
    }


def mission_security(scenario: Scenario, keys: xr.Dataset) -> dict[str, dict[str, float]]:
    """Security parameter of all the keys a station gets, which add up over its passes.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    keys : xarray.Dataset
        Output of :func:`evaluate`.

    Returns
    -------
    dict
        Per station and for ``all stations``: passes run, keys among them, and the sum of the passes' secrecy and
        correctness parameters. A pass that ends without a key was a run of the protocol all the same, so it counts.
    """
    budget = EpsilonBudget(scenario.protocol.eps_secrecy, scenario.protocol.eps_correctness)
    with_key = keys.key_bits.values > 0
    everyone = np.ones(with_key.shape, dtype=bool)
    members = {station.name: keys.station.values == station.name for station in scenario.stations}
    return {
        name: {
            "passes": int(np.count_nonzero(own)),
            "keys": int(np.count_nonzero(own & with_key)),
            "eps_total": mission_epsilon([budget] * int(np.count_nonzero(own))),
        }
        for name, own in {**members, "all stations": everyone}.items()
    }
