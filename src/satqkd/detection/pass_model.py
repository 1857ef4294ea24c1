"""A pass as its detections are simulated: link by time, receiver, detectors and clocks, and the counts to expect."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import SPEED_OF_LIGHT_M_S
from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError

__all__ = ["RECEIVER_DETECTORS", "PassModel", "expected_pass_counts", "gate_efficiency", "jitter_fwhm_ps"]

Floats = NDArray[np.float64]

RECEIVER_DETECTORS: Final = {"passive": 4, "active": 2}
"""Receiver -> detectors: a beam splitter before four of them, or a basis switch before two."""

_FWHM: Final = 2.0 * math.sqrt(2.0 * math.log(2.0))
_LIMITS: Final = {
    # name -> least and largest value
    "step_s": (1e-9, 1e6),
    "slot_period_ps": (1.0, 1e9),
    "split": (0.0, 1.0),
    "dark_hz": (0.0, 1e9),
    "dead_time_ps": (0.0, 1e12),
    "p_afterpulse": (0.0, 0.5),
    "afterpulse_ps": (0.0, 1e9),
    "jitter_fwhm_ps": (0.0, 1e6),
    "sync_jitter_fwhm_ps": (0.0, 1e6),
    "sync_loss": (0.0, 1.0),
    "clock_offset_ps": (-9e17, 9e17),
    "clock_drift": (-1e-3, 1e-3),
}


@dataclass(frozen=True, slots=True)
class PassModel:
    """Everything that decides which detections a pass gives, in steps of equal length.

    Attributes
    ----------
    transmittance : ndarray, shape (steps,)
        From the sender's exit to a click, detector included, timing gate not included. [1]
    background_hz : ndarray, shape (steps,)
        Clicks by background light, all detectors together, at any time in the slot. [1/s]
    misalignment : ndarray, shape (steps,)
        Share of the light of the matching basis that goes to the wrong detector. [1]
    slant_range_m, range_rate_m_s : ndarray, shape (steps + 1,)
        Distance and its rate at the ends of the steps. [m], [m/s]
    step_s : float
        Length of a step. [s]
    intensities : tuple of float
        Mean photon numbers of signal, decoy and vacuum. [1]
    slot_period_ps : float
        Time between pulses. [ps]
    receiver : {"passive", "active"}
        Four detectors behind a beam splitter, or two behind a basis switch.
    split : float
        Share of the light in the X arm, or probability that an active receiver measures X. [1]
    dark_hz : float
        Dark counts of one detector. [1/s]
    dead_time_ps : float
        After a click the same detector is blind this long; a photon in that time does not extend it. [ps]
    p_afterpulse, afterpulse_ps : float
        Probability that a click leaves an after-pulse, and the mean of its exponential delay after the dead time.
        [1], [ps]
    jitter_fwhm_ps : float
        Gaussian spread of the arrival of signal photons, everything together, full width at half maximum. [ps]
    clock_offset_ps, clock_drift : float
        The ground's clock reads ``(1 + drift) t + offset`` when the light that left at 0 and flew for R/c arrives at
        t. [ps], [1]
    sync_jitter_fwhm_ps, sync_loss : float
        Spread of the tags of synchronisation words (Li et al.: 100 ps), and share of words that are lost. [ps], [1]
    sync_gaps_s : tuple of (float, float)
        Times without any synchronisation word. [s]

    Notes
    -----
    Steps, dead time and after-pulses run in the sender's time; the Doppler effect changes a dead time of 45 ns by
    1 fs. The defaults are those of Li et al. where they print them: 735 ps leave 80 % in a gate of 800 ps.
    """

    transmittance: Floats
    background_hz: Floats
    misalignment: Floats
    slant_range_m: Floats
    range_rate_m_s: Floats
    step_s: float = 1.0
    intensities: tuple[float, float, float] = (0.8, 0.1, 0.001)
    slot_period_ps: float = 1600.0
    receiver: str = "passive"
    split: float = 0.5
    dark_hz: float = 0.0
    dead_time_ps: float = 45_000.0
    p_afterpulse: float = 0.0
    afterpulse_ps: float = 50_000.0
    jitter_fwhm_ps: float = 735.0
    clock_offset_ps: float = 0.0
    clock_drift: float = 0.0
    sync_jitter_fwhm_ps: float = 100.0
    sync_loss: float = 0.0
    sync_gaps_s: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """Make arrays of one length and refuse what is outside its range."""
        by_step = ("transmittance", "background_hz", "misalignment")
        sizes = [np.size(getattr(self, name)) for name in by_step]
        sizes += [np.size(getattr(self, name)) - 1 for name in ("slant_range_m", "range_rate_m_s")]
        steps = max(sizes)
        for name, count, low, high in (
            ("transmittance", steps, 0.0, 1.0),
            ("background_hz", steps, 0.0, 1e11),
            ("misalignment", steps, 0.0, 0.5),
            ("slant_range_m", steps + 1, 0.0, 1e10),
            ("range_rate_m_s", steps + 1, -1e5, 1e5),
        ):
            given = np.asarray(getattr(self, name), float)
            if given.ndim > 1 or given.size not in (1, count):
                raise InputError(f"{name}: must be one number or {count} of them, has shape {given.shape}")
            values = np.array(np.broadcast_to(given.ravel(), (count,)))
            if not (values.size and np.all((values >= low) & (values <= high))):
                raise InputError(f"{name}: must hold numbers between {low:g} and {high:g}")
            object.__setattr__(self, name, values)
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(f"{name} = {value!r}: must be between {least:g} and {most:g}")
        if self.receiver not in RECEIVER_DETECTORS:
            raise InputError(f"receiver = {self.receiver!r}: must be one of {', '.join(RECEIVER_DETECTORS)}")
        if not (len(self.intensities) == 3 and all(0.0 <= mu <= 100.0 for mu in self.intensities)):
            raise InputError(f"intensities = {self.intensities!r}: must be three numbers between 0 and 100")

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.transmittance.size)

    @property
    def step_ps(self) -> float:
        """Length of a step. [ps]"""
        return self.step_s * 1e12

    def first_pulse(self, step: int) -> int:
        """Index of the first pulse of a step; that of the step after the last one is the number of pulses."""
        return math.ceil(step * self.step_ps / self.slot_period_ps)

    @property
    def pulses(self) -> int:
        """Number of pulses."""
        return self.first_pulse(self.steps)

    def arrival_ps(self, sent_ps: ArrayLike) -> Floats:
        """Time on the ground's clock when light arrives.

        Parameters
        ----------
        sent_ps : array_like
            When it left, by the sender's clock. [ps]

        Returns
        -------
        ndarray
            Between the ends of the steps the distance is the cubic with the given values and rates. [ps]
        """
        sent = np.asarray(sent_ps, float)
        position = sent / self.step_ps
        step = np.clip(np.floor(position).astype(np.int64), 0, self.steps - 1)
        x = position - step
        r, v = self.slant_range_m, self.range_rate_m_s * self.step_s
        r0, v0 = r[step], v[step]
        rise = r[step + 1] - r0
        v1 = v[step + 1]
        distance = r0 + x * (v0 + x * (3.0 * rise - 2.0 * v0 - v1 + x * (v0 + v1 - 2.0 * rise)))
        arrival = sent + distance * (1e12 / SPEED_OF_LIGHT_M_S)
        return np.asarray(arrival + (self.clock_drift * arrival + self.clock_offset_ps))

    def part(self, first: int, last: int) -> PassModel:
        """Steps ``first`` to ``last - 1`` as a pass of their own, which begins at its own time 0."""
        if not 0 <= first < last <= self.steps:
            raise InputError(f"part {first} to {last}: must be within 0 and {self.steps} steps")
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("transmittance", "background_hz", "misalignment"):
            values[name] = values[name][first:last]
        for name in ("slant_range_m", "range_rate_m_s"):
            values[name] = values[name][first : last + 1]
        return PassModel(**values)


def jitter_fwhm_ps(gate_ps: float, *, efficiency: float) -> float:
    r"""Width of a Gaussian of which a centred gate passes a given share.

    Parameters
    ----------
    gate_ps : float
        Length of the gate. [ps]
    efficiency : float
        Share that it passes, between 0 and 1. [1]

    Returns
    -------
    float
        Full width at half maximum, the inverse of :func:`gate_efficiency`. [ps]

    Examples
    --------
    >>> round(jitter_fwhm_ps(800.0, efficiency=0.8))
    735
    """
    from scipy.special import erfinv

    if not 0.0 < efficiency < 1.0:
        raise InputError(f"efficiency = {efficiency!r}: must be strictly between 0 and 1")
    return float(_FWHM * gate_ps / (2.0 * math.sqrt(2.0) * erfinv(efficiency)))


def gate_efficiency(gate_ps: float, *, fwhm_ps: float) -> float:
    r"""Share of Gaussian arrivals that a centred gate passes.

    Parameters
    ----------
    gate_ps : float
        Length of the gate. [ps]
    fwhm_ps : float
        Full width at half maximum of the arrivals. [ps]

    Returns
    -------
    float
        :math:`\mathrm{erf}(g / 2\sqrt2\sigma)`. [1]
    """
    if fwhm_ps == 0.0:
        return 1.0
    return math.erf(gate_ps * _FWHM / (2.0 * math.sqrt(2.0) * fwhm_ps))


def expected_pass_counts(
    model: PassModel,
    *,
    intensity_probabilities: tuple[float, float, float],
    p_key_basis: float = 0.5,
    gate_ps: float = 800.0,
) -> SiftedCounts:
    r"""Sifted counts to expect from a pass, gated, with dead time and after-pulses.

    Parameters
    ----------
    model : PassModel
        The pass.
    intensity_probabilities : tuple of float
        Of signal, decoy, vacuum. [1]
    p_key_basis : float
        Probability of Z at the sender. [1]
    gate_ps : float
        Gate, at most the slot. [ps]

    Returns
    -------
    SiftedCounts
        Not rounded.

    Raises
    ------
    InputError
        If the gate is longer than a slot.

    Notes
    -----
    Each arm has :math:`1 - e^{-(g\eta\mu_k s + b)}` clicks per pulse, with :math:`g` the gate's efficiency, :math:`s`
    the arm's share of the light and :math:`b` its noise in the gate. Of its detectors' time the share :math:`1-R\tau`
    is left by the dead time, :math:`R = r/(1 + r\tau - p_{ap})`; after-pulses fall on pulses of all kinds alike,
    :math:`p_{ap}R` per second. Double clicks and the light that jitter moves to the next slot are left out: exact to
    first order in the clicks per pulse and in :math:`r\tau`.
    """
    if not 0.0 < gate_ps <= model.slot_period_ps:
        raise InputError(f"gate_ps = {gate_ps!r}: must be above 0 and at most the slot of {model.slot_period_ps:g} ps")
    p = np.asarray(intensity_probabilities, float)[:, np.newaxis]
    mu = np.asarray(model.intensities)[:, np.newaxis]
    slot_s, gate_s, dead_s = (1e-12 * x for x in (model.slot_period_ps, gate_ps, model.dead_time_ps))
    efficiency = gate_efficiency(gate_ps, fwhm_ps=model.jitter_fwhm_ps)
    pulses = model.step_s / slot_s
    n, m = np.zeros((2, 3)), np.zeros((2, 3))
    for basis, sender in ((0, p_key_basis), (1, 1.0 - p_key_basis)):
        arm = model.split if basis else 1.0 - model.split
        # active: all of the light for a part of the time; passive: a part of the light all the time
        share, used = (1.0, arm) if model.receiver == "active" else (arm, 1.0)
        noise_hz = model.background_hz * share + 2.0 * model.dark_hz
        rate = 0.5 * (-np.expm1(-mu * model.transmittance * share) * p).sum(axis=0) / slot_s + 0.5 * noise_hz
        registered = rate / (1.0 + rate * dead_s - model.p_afterpulse)
        live = 1.0 - registered * dead_s
        noise = (noise_hz * live + 2.0 * model.p_afterpulse * registered) * gate_s
        light = mu * model.transmittance * (share * efficiency * live)
        weight = pulses * sender * used * p
        n[basis] = (weight * -np.expm1(-(light + noise))).sum(axis=1)
        wrong = model.misalignment * -np.expm1(-light) + 0.5 * noise * np.exp(-light)
        m[basis] = (weight * wrong).sum(axis=1)
    return SiftedCounts(tuple(n[0].tolist()), tuple(n[1].tolist()), tuple(m[0].tolist()), tuple(m[1].tolist()))
