"""A pass of a scenario, simulated click by click: what the ground and the satellite would have recorded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from satqkd.detection.pass_model import PassModel, expected_pass_counts, gate_efficiency
from satqkd.detection.records import GroundRecord, SenderRecord
from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.scenario.load import load_scenario
from satqkd.scenario.model import Scenario

__all__ = ["PassInfo", "SimulatedRun", "pass_model", "simulate", "write"]

GATE_PS: Final = 800.0
"""Gate of Li et al. [ps]"""


@dataclass(frozen=True, slots=True)
class PassInfo:
    """Which pass it is.

    Attributes
    ----------
    scenario, satellite, station : str
        Names.
    number : int
        Number of the pass in the scenario.
    start_unix_ns : int
        When the first pulse leaves. [ns since 1970-01-01 UTC]
    duration_s : float
        How long the sender sends. [s]
    time_s, slant_range_m, elevation_deg : tuple of float
        Distance and elevation at the ends of the steps. [s], [m], [deg]
    """

    scenario: str
    satellite: str
    station: str
    number: int
    start_unix_ns: int
    duration_s: float
    time_s: tuple[float, ...]
    slant_range_m: tuple[float, ...]
    elevation_deg: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """A simulated pass.

    Attributes
    ----------
    ground : GroundRecord
        What the ground recorded.
    sender : SenderRecord
        What the satellite knows.
    model : PassModel
        What was simulated.
    info : PassInfo
        Which pass it is.
    expected : SiftedCounts
        Counts of the whole pass to expect within the gate.
    gate_ps : float
        That gate. [ps]
    """

    ground: GroundRecord
    sender: SenderRecord
    model: PassModel
    info: PassInfo
    expected: SiftedCounts
    gate_ps: float


def pass_model(
    scenario: Scenario | str,
    *,
    pass_number: int | None = None,
    duration_s: float | None = None,
    extra_loss_db: float = 0.0,
    gate_ps: float = GATE_PS,
    **changes: Any,
) -> tuple[PassModel, PassInfo]:
    """What to simulate for a pass of a scenario.

    Parameters
    ----------
    scenario : Scenario or str
        The mission, or what :func:`satqkd.load_scenario` takes.
    pass_number : int, optional
        Pass; without it the one through which most light comes.
    duration_s : float, optional
        Length in the middle of the pass where most light comes; without it all of the pass. [s]
    extra_loss_db : float
        Loss that the scenario does not have, such as clouds of the night. [dB]
    gate_ps : float
        Gate that the detections will be given. [ps]
    **changes
        Fields of :class:`~satqkd.detection.pass_model.PassModel` to change.

    Returns
    -------
    tuple of (PassModel, PassInfo)
        The model, and which pass it is.

    Raises
    ------
    InputError
        If there is no such pass, it cannot be used, or an argument is outside its range.

    Notes
    -----
    Transmittance and noise of a scenario's link are per gated pulse. So that gating the simulated clicks gives them
    again, the light is divided by the gate's efficiency, and the noise is spread over the whole slot. Between samples
    of the link the mean of both holds.
    """
    scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    if not 0.0 <= extra_loss_db < 100.0:
        raise InputError(f"extra_loss_db = {extra_loss_db!r}: must be at least 0 and below 100")
    link, number, samples = _samples(scenario, pass_number)
    time_ns = samples["time"]
    step_s = scenario.study.step
    chosen = _window(samples["transmittance"], step_s, duration_s)
    light = 0.5 * (samples["transmittance"][chosen][1:] + samples["transmittance"][chosen][:-1])
    noise = 0.5 * (samples["p_noise"][chosen][1:] + samples["p_noise"][chosen][:-1])
    fields: dict[str, Any] = {
        "background_hz": noise / (gate_ps * 1e-12),
        "misalignment": scenario.detector.misalignment,
        "slant_range_m": samples["slant_range"][chosen],
        "range_rate_m_s": samples["range_rate"][chosen],
        "step_s": step_s,
        "intensities": scenario.protocol.intensities,
        "slot_period_ps": 1e12 / scenario.source.pulse_rate,
        "p_afterpulse": scenario.detector.afterpulse,
        **changes,
    }
    unknown = set(fields) - set(PassModel.__dataclass_fields__)
    if unknown:
        raise InputError(f"{', '.join(sorted(unknown))}: not a field of the simulation")
    model = PassModel(transmittance=light * 0.0, **fields)
    gated = gate_efficiency(gate_ps, fwhm_ps=model.jitter_fwhm_ps)
    light = light * 10.0 ** (-0.1 * extra_loss_db) / gated
    if light.max(initial=0.0) > 1.0:
        raise InputError(
            f"transmittance: {light.max():.4g} before the gate; a gate that passes {gated:.3g} is too narrow"
        )
    model = replace(model, transmittance=fields.get("transmittance", light))
    start = int(time_ns[chosen][0])
    seconds = (time_ns[chosen] - start) * 1e-9
    info = PassInfo(
        scenario.name, str(link["satellite"]), str(link["station"]), number, start, model.steps * step_s,
        tuple(seconds.tolist()), tuple(samples["slant_range"][chosen].tolist()),
        tuple(samples["elevation"][chosen].tolist()),
    )  # fmt: skip
    return model, info


def _samples(scenario: Scenario, pass_number: int | None) -> tuple[dict[str, str], int, dict[str, Any]]:
    """Satellite and station, number of the pass, and its samples in order of time; unusable ones have no light."""
    import numpy as np

    from satqkd.study.run import compute_link, compute_passes

    passes = compute_passes(scenario)
    count = passes.sizes["pass"]
    if not count:
        raise InputError(f'scenario "{scenario.name}": has no pass in its window')
    if pass_number is not None and not 0 <= pass_number < count:
        raise InputError(f'pass {pass_number}: scenario "{scenario.name}" has passes 0 to {count - 1}')
    link = compute_link(scenario, passes)
    owner = link.pass_number.values
    light = np.nan_to_num(link.transmittance.values)
    if "usable" in link:
        light = np.where(link.usable.values, light, 0.0)
    if pass_number is None:
        pass_number = int(np.argmax(np.bincount(owner[owner >= 0], light[owner >= 0], minlength=count)))
    at = np.nonzero(owner == pass_number)
    if at[0].size < 2:
        raise InputError(f"pass {pass_number}: has {at[0].size} samples, two are needed: use a shorter study.step")
    found = {name: link[name].values[at] for name in ("p_noise", "slant_range", "range_rate", "elevation")}
    found["transmittance"] = light[at]
    found["time"] = link.time.values[at[2]].astype("datetime64[ns]").astype(np.int64)
    which = {name: str(passes[name].values[pass_number]) for name in ("satellite", "station")}
    return which, pass_number, found


def _window(light: Any, step_s: float, duration_s: float | None) -> slice:
    """Samples of the part of the pass with most light."""
    import numpy as np

    steps = light.size - 1
    if duration_s is None:
        return slice(None)
    if not duration_s > 0.0:
        raise InputError(f"duration_s = {duration_s!r}: must be above 0")
    wanted = round(duration_s / step_s)
    if not 1 <= wanted <= steps:
        raise InputError(f"duration_s = {duration_s!r}: must be between {step_s:g} and {steps * step_s:g}, the pass")
    total = np.concatenate([[0.0], np.cumsum(light)])
    first = int(np.argmax(total[wanted + 1 :] - total[: -wanted - 1]))
    return slice(first, first + wanted + 1)


def simulate(
    scenario: Scenario | str,
    *,
    seed: int,
    pass_number: int | None = None,
    duration_s: float | None = None,
    extra_loss_db: float = 0.0,
    gate_ps: float = GATE_PS,
    **changes: Any,
) -> SimulatedRun:
    """Simulate a pass of a scenario.

    Parameters
    ----------
    scenario : Scenario or str
        The mission, or what :func:`satqkd.load_scenario` takes.
    seed : int
        Seed of the sender's choices and of everything at the ground.
    pass_number, duration_s, extra_loss_db, gate_ps, **changes
        As in :func:`pass_model`.

    Returns
    -------
    SimulatedRun
        Both records, the model and the counts to expect.

    Raises
    ------
    InputError
        As :func:`pass_model`.
    """
    from satqkd.detection.pulses import SeededChoices, seed_bytes
    from satqkd.detection.sampling import simulate_pass

    scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    model, info = pass_model(
        scenario,
        pass_number=pass_number,
        duration_s=duration_s,
        extra_loss_db=extra_loss_db,
        gate_ps=gate_ps,
        **changes,
    )
    p, p_key_basis = scenario.protocol.intensity_probabilities, scenario.protocol.p_key_basis
    choices = SeededChoices(seed=seed_bytes(seed, "sender"), intensity_probabilities=p, p_key_basis=p_key_basis)
    found = simulate_pass(model, choices, seed=seed)
    # two simulations of one pass are two passes: their files must not be taken for each other's
    digest = hashlib.sha256(f"{scenario.hash} {info} {model} {seed}".encode()).hexdigest()[:12]
    pass_id = f"{scenario.name[:50]} {digest}"
    ground = GroundRecord(
        pass_id, info.start_unix_ns, model.slot_period_ps, model.receiver, found.detections, found.sync
    )
    sender = SenderRecord(
        pass_id, info.start_unix_ns, model.slot_period_ps, model.pulses, model.intensities, p, p_key_basis, choices
    )
    expected = expected_pass_counts(model, intensity_probabilities=p, p_key_basis=p_key_basis, gate_ps=gate_ps)
    return SimulatedRun(ground, sender, model, info, expected, gate_ps)


def write(run: SimulatedRun, folder: str | Path) -> tuple[Path, Path]:
    """Write both records of a simulated pass.

    Parameters
    ----------
    run : SimulatedRun
        Of :func:`simulate`.
    folder : str or Path
        Folder, made with mode 700 if it is not there.

    Returns
    -------
    tuple of Path
        ``ground.sqd`` and ``satellite.sqc``, mode 600.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    from satqkd.distillation.private_files import private_folder
    from satqkd.formats.detections import write_ground, write_sender

    private_folder(folder)
    paths = Path(folder) / "ground.sqd", Path(folder) / "satellite.sqc"
    write_ground(paths[0], run.ground)
    write_sender(paths[1], run.sender)
    return paths
