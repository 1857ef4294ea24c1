"""Exact sparse sampling of a pass: detections and synchronisation words, without touching the pulses without a click.

:func:`simulate_pass` draws 300 s of a 625-MHz source in about two seconds. Every pulse that clicks has the choices
that the sender computes for its index, so the sender can be asked for them afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satqkd.detection.pass_model import PassModel
from satqkd.detection.pulses import SenderChoices, counter_uniform, seed_bytes
from satqkd.detection.records import SYNC_PERIOD_PULSES, Detections, SyncWords
from satqkd.errors import InputError

__all__ = ["ORIGINS", "SimulatedPass", "candidate_pulses", "sample_steps", "simulate_pass"]

ORIGINS: Final = ("signal", "background", "afterpulse")
"""Meaning of :attr:`SimulatedPass.origin`."""

_SIGMA: Final = 1.0 / (2.0 * math.sqrt(2.0 * math.log(2.0)))
_TAIL: Final = 10.0
"""Arrivals are waited for this many standard deviations: later ones have a probability below 1e-23."""


@dataclass(frozen=True, slots=True)
class SimulatedPass:
    """Detections of a pass or of a part of it, and where they truly come from.

    Attributes
    ----------
    detections : Detections
        What the ground records.
    sync : SyncWords
        Synchronisation words received.
    pulses : int
        Pulses sent in all from the start.
    true_pulse : ndarray of int64
        Index of the pulse a photon came from; of the slot it fell into for any other click.
    origin : ndarray of uint8
        Index into :data:`ORIGINS`.
    """

    detections: Detections
    sync: SyncWords
    pulses: int
    true_pulse: NDArray[np.int64]
    origin: NDArray[np.uint8]


def candidate_pulses(rng: np.random.Generator, *, first: int, stop: int, probability: float) -> NDArray[np.int64]:
    """Indices of the successes among independent trials, by their geometric gaps.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    first, stop : int
        Trials ``first`` to ``stop - 1``.
    probability : float
        Of a success, below 1. [1]

    Returns
    -------
    ndarray of int64
        Ascending.
    """
    if probability <= 0.0 or stop <= first:
        return np.empty(0, np.int64)
    expected = (stop - first) * probability
    rate = -math.log1p(-probability)
    parts: list[NDArray[np.int64]] = []
    at = first - 1
    while at < stop:
        count = int(expected + 6.0 * math.sqrt(expected) + 16.0)
        # the exponential's whole part is geometric: P(gap > g) = (1 - p)^g
        gaps = np.minimum(rng.standard_exponential(count) / rate, 2.0**52 / count).astype(np.int64) + 1
        found = at + np.cumsum(gaps)
        parts.append(found)
        at = int(found[-1])
    together = np.concatenate(parts)
    return together[: np.searchsorted(together, stop)]


@dataclass
class _State:
    """What goes from one step into the next."""

    last: NDArray[np.float64]
    pending: NDArray[np.float64]
    counts: NDArray[np.int64]
    time: NDArray[np.float64]
    detector: NDArray[np.uint8]
    origin: NDArray[np.uint8]
    pulse: NDArray[np.int64]


def sample_steps(model: PassModel, choices: SenderChoices, *, seed: int) -> Iterator[SimulatedPass]:
    """Detections of a pass, one step after the other.

    Parameters
    ----------
    model : PassModel
        The pass.
    choices : SenderChoices
        The sender's choices by the index of the pulse.
    seed : int
        Seed of everything that happens at the ground.

    Yields
    ------
    SimulatedPass
        Those of one step; a few of its last picoseconds come with the next one. Times ascend throughout.

    Raises
    ------
    InputError
        If the seed is negative, or the light or the noise is so strong that a step has more than 2e8 clicks.
    """
    from satqkd.detection._event_kernels import click_tables, draw_clicks, register

    rng = np.random.default_rng(np.frombuffer(seed_bytes(seed, "arrivals"), "<u4"))
    key = np.frombuffer(seed_bytes(seed, "afterpulses"), "<u8").astype(np.uint64)
    switch = seed_bytes(seed, "receiver basis")
    active = model.receiver == "active"
    detectors = 2 if active else 4
    none, no_basis = np.empty(0), np.empty(0, np.uint8)
    state = _State(
        np.full(detectors, -np.inf), np.empty((2, 0)), np.zeros(2, np.int64), none, no_basis, no_basis,
        none.astype(np.int64),
    )  # fmt: skip
    if model.p_afterpulse > 0.0:
        state.counts[1] = rng.geometric(model.p_afterpulse) - 1
    sigma, slot = model.jitter_fwhm_ps * _SIGMA, model.slot_period_ps
    brightest = max(model.intensities)
    for step in range(model.steps):
        first, stop = model.first_pulse(step), model.first_pulse(step + 1)
        p_max = -math.expm1(-brightest * model.transmittance[step])
        noise = _noise_rates(model, step, detectors) * model.step_s
        if p_max * (stop - first) + noise.sum() > 2e8:
            raise InputError(f"step {step}: more than 2e8 clicks; use shorter steps, or check transmittance and noise")
        pulse = candidate_pulses(rng, first=first, stop=stop, probability=p_max)
        sent = choices.at(pulse)
        measured = (counter_uniform(pulse, seed=switch) < model.split).astype(np.uint8) if active else no_basis
        light = np.asarray(model.intensities) * model.transmittance[step]
        table = click_tables(light, model.split, model.misalignment[step], active)
        position, detector = draw_clicks(*sent, p_max * rng.random(pulse.size), measured, table)
        pulse = pulse[position]
        time = pulse * slot
        if sigma > 0.0:
            time = time + sigma * rng.standard_normal(pulse.size)
        dark = np.repeat(np.arange(detectors), rng.poisson(noise))
        dark_time = (step + rng.random(dark.size)) * model.step_ps
        time = np.concatenate([state.time, time, dark_time])
        order = np.argsort(time, kind="stable")
        time = time[order]
        kind = np.repeat(np.array([0, 1], np.uint8), [pulse.size, dark.size])
        origin = np.concatenate([state.origin, kind])[order]
        detector = np.concatenate([state.detector, detector, dark.astype(np.uint8)])[order]
        pulse = np.concatenate([state.pulse, pulse, np.full(dark.size, -1)])[order]
        horizon = np.inf if step == model.steps - 1 else (step + 1) * model.step_ps - _TAIL * sigma - slot
        ready = int(np.searchsorted(time, horizon))
        # an after-pulse may come at most at the end of the pass
        limit = min(horizon, model.steps * model.step_ps)
        seen, where, why, source, state.pending = register(
            time[:ready], detector[:ready], origin[:ready], limit, model.dead_time_ps, model.p_afterpulse,
            model.afterpulse_ps, key, state.counts, state.last, state.pending,
        )  # fmt: skip
        state.time, state.detector, state.origin, state.pulse = (
            time[ready:], detector[ready:], origin[ready:], pulse[ready:],
        )  # fmt: skip
        fell = np.clip(np.rint(seen / slot).astype(np.int64), 0, model.pulses - 1)
        true = np.where(why == 0, pulse[source], fell) if seen.size else fell
        channel = where
        if active:
            channel = where + np.uint8(2) * (counter_uniform(fell, seed=switch) < model.split).astype(np.uint8)
        tags = np.rint(model.arrival_ps(seen)).astype(np.int64)
        yield SimulatedPass(Detections(tags, channel), _sync_words(model, rng, first, stop), stop, true, why)


def _noise_rates(model: PassModel, step: int, detectors: int) -> NDArray[np.float64]:
    """Background and dark counts of every detector. [1/s]"""
    x = 0.5 * model.split
    share = np.full(2, 0.5) if detectors == 2 else np.array([0.5 - x, 0.5 - x, x, x])
    return np.asarray(model.background_hz[step] * share + model.dark_hz)


def _sync_words(model: PassModel, rng: np.random.Generator, first: int, stop: int) -> SyncWords:
    """Synchronisation words that leave with the pulses ``first`` to ``stop - 1`` and are received."""
    number = np.arange(-(-first // SYNC_PERIOD_PULSES), -(-stop // SYNC_PERIOD_PULSES))
    sent = number * (SYNC_PERIOD_PULSES * model.slot_period_ps)
    kept = rng.random(number.size) >= model.sync_loss
    for start_s, end_s in model.sync_gaps_s:
        kept &= ~((sent >= start_s * 1e12) & (sent < end_s * 1e12))
    spread = model.sync_jitter_fwhm_ps * _SIGMA * rng.standard_normal(number.size)
    tags = np.rint(model.arrival_ps(sent) + spread).astype(np.int64)
    return SyncWords(tags[kept], number[kept])


def simulate_pass(model: PassModel, choices: SenderChoices, *, seed: int) -> SimulatedPass:
    """Detections of a whole pass.

    Parameters
    ----------
    model : PassModel
        The pass.
    choices : SenderChoices
        The sender's choices by the index of the pulse.
    seed : int
        Seed of everything that happens at the ground.

    Returns
    -------
    SimulatedPass
        All detections in order of time; about 18 bytes each.

    Raises
    ------
    InputError
        As :func:`sample_steps`.

    Notes
    -----
    Laser light divided among detectors gives each an independent Poisson number of photons,
    :math:`\\lambda_d = \\mu_k\\eta s_d`. Candidates are drawn by geometric gaps with the probability :math:`p_{max}` of
    the brightest intensity and a level uniform in [0, p_max): a pulse clicks if its level is below its own
    :math:`P_k`, and the level then tells the first detector that clicks,
    :math:`S_{j-1} \\le u < S_j = 1-e^{-\\sum_{i\\le j}\\lambda_i}`; later ones are independent of it. Background and
    dark counts are Poisson processes in time. Dead time and after-pulses are applied to all of them in order of time,
    detector by detector.
    """
    parts = list(sample_steps(model, choices, seed=seed))
    return SimulatedPass(
        Detections(
            np.concatenate([part.detections.tag_ps for part in parts]),
            np.concatenate([part.detections.channel for part in parts]),
        ),
        SyncWords(
            np.concatenate([part.sync.tag_ps for part in parts]), np.concatenate([part.sync.number for part in parts])
        ),
        model.pulses,
        np.concatenate([part.true_pulse for part in parts]),
        np.concatenate([part.origin for part in parts]),
    )
