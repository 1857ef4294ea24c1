"""Doppler shifts, timing and interference of the dual pass: Figs. 7 to 9 of Wang, Dong et al., and their budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.air_delay import air_delay_s
from satqkd.detection.two_photon_interference import (
    extra_x_basis_error,
    temporal_overlap,
    tolerable_frequency_offset_hz,
    x_basis_error,
)
from satqkd.orbit.build import propagators, sites
from satqkd.orbit.kinematics import doppler_shift_hz
from satqkd.orbit.pair import doppler_slew_hz_s, relative_doppler_hz, residual_frequency_hz
from satqkd.scenario.load import load_scenario
from satqkd.security.mdi import key_rate
from satqkd.study.interference import Interference, PairMotion, Residuals
from satqkd.study.mdi_pass import pair_motion
from satqkd.study.reproduce_000_link import DUAL, dual_pass, seconds, wide_pass
from satqkd.study.reproduction import Table

__all__ = ["FWHM_S", "WAVELENGTHS_M", "air", "asymmetry", "doppler", "errors", "frequency_budget", "motion",
           "offset_errors", "offsets", "residuals", "timing_budget"]  # fmt: skip

Array = NDArray[np.float64]

WAVELENGTHS_M: Final = (780e-9, 1550e-9)
FWHM_S: Final = 1e-9
"""Pulses of the budgets; the paper names no duration. [s]"""

_P_DARK: Final = 3e-6
_MISALIGNMENT: Final = 0.015
_WEAK: Final = (0.25, 0.005, 0.0)
"""Intensities with which three are enough on this pass."""


def doppler() -> Table:
    """Fig. 7: Doppler shift of each uplink and their difference, both wavelengths."""
    link = dual_pass()
    rates = link.range_rate.values
    lines = {name: rates[number] for number, name in enumerate(link.station.values.tolist())}
    made = {name: [doppler_shift_hz(rate, wave) for wave in WAVELENGTHS_M] for name, rate in lines.items()}
    made["difference"] = [relative_doppler_hz(rates[0], rates[1], wave) for wave in WAVELENGTHS_M]
    rows = tuple(
        {"time_s": t, "link": name, "shift_780_ghz": float(short[n]) / 1e9, "shift_1550_ghz": float(long[n]) / 1e9}
        for name, (short, long) in made.items()
        for n, t in enumerate(seconds(link).tolist())
    )
    note = "Printed: about ± 10 GHz at 780 nm. The difference of both shifts is what has to vanish on the satellite."
    return Table("fig7", "Fig. 7: Doppler shift of both uplinks", "time_s", "link", rows, note=note, dataset=link)


def offsets() -> Table:
    """Fig. 8: when to send."""
    link = dual_pass()
    offset, published = link.send_time_offset.values, link.send_time_offset_published.values
    rows = tuple(
        {"time_s": t, "curve": "Delingha before Lijiang", "offset_ms": 1e3 * float(offset[n]),
         "published_ms": 1e3 * float(published[n])}
        for n, t in enumerate(seconds(link).tolist())
    )  # fmt: skip
    note = "Negative: Lijiang has to send first. The printed |L_A - L_B|/c has no sign."
    return Table("fig8", "Fig. 8: how much earlier Delingha sends than Lijiang", "time_s", "curve", rows, note=note)


def air(wavelength_m: float) -> Array:
    """Delay by the air over Delingha less that over Lijiang. [s]"""
    link = dual_pass()
    heights_m = np.array([[site.altitude_m] for site in sites(load_scenario(DUAL))])
    zenith_rad = np.radians(90.0 - link.elevation.values)
    both = air_delay_s(zenith_rad, wavelength_m=wavelength_m, altitude_m=heights_m)
    return np.asarray(both[0] - both[1])


def offset_errors() -> Table:
    """What the printed formula of Fig. 8 misses, for distances of two instants."""
    link = dual_pass()
    offset, published = link.send_time_offset.values, link.send_time_offset_published.values
    missed = {
        "distances when the pulses arrive": np.abs(np.abs(offset) - published),
        "distances when they are sent": np.abs(offset - link.arrival_difference.values),
        "air, 780 nm": np.abs(air(WAVELENGTHS_M[0])),
        "air, ranging at 532 nm": np.abs(air(532e-9) - air(WAVELENGTHS_M[0])),
    }
    rows = tuple(
        {"time_s": t, "distances": name, "error_ns": 1e9 * float(error[n])}
        for name, error in missed.items()
        for n, t in enumerate(seconds(link).tolist())
    )
    note = (
        "Distances of the instant of arrival neglect how far the Earth turns while light travels; those of the instant "
        "of sending also how far the satellite flies. Air: dry, standard pressure; ranging feels it at its own "
        "wavelength. Pulses of 1 ns that miss each other by 1 ns overlap by a quarter."
    )
    return Table("fig8_errors", "Fig. 8: what |L_A - L_B|/c misses", "time_s", "distances", rows, note=note)


def errors() -> Table:
    """Fig. 9: error rates of the X basis along the pass."""
    link = wide_pass()
    curves = {
        "single-photon pairs, known": link.error_11_x.sel(decoy="infinite").values,
        "single-photon pairs, three intensities": link.error_11_x.sel(decoy="three-intensity").values,
        "all pulses, intensity 0.1": link.qber_x_weak.values,
    }
    rows = tuple(
        {"time_s": t, "quantity": name, "error_rate": float(values[n]),
         "asymmetry_db": float(link.loss_asymmetry_db.values[n])}
        for name, values in curves.items()
        for n, t in enumerate(seconds(link).tolist())
    )  # fmt: skip
    note = "Intensities 0.5, 0.1, 0 on both sides, R_r = 1.2 m. An error rate of 1/2 for three intensities is no bound."
    return Table("fig9", "Fig. 9: error rates of the X basis along the pass", "time_s", "quantity", rows, note=note,
                 dataset=link)  # fmt: skip


def asymmetry() -> Table:
    """Errors of the X basis against asymmetry at a constant sum of both losses."""
    rows = []
    for total_db in (55.0, 60.0):
        for difference_db in np.arange(0.0, 15.1, 0.5):
            eta = [10.0 ** (-0.05 * (total_db + sign * difference_db)) for sign in (1.0, -1.0)]
            link: dict[str, Any] = {"p_dark": _P_DARK, "misalignment": _MISALIGNMENT}
            single = key_rate(*eta, intensities_a=(0.5,), intensities_b=(0.5,), **link).error_11_x
            rows.append(
                {
                    "loss_sum": f"{total_db:g} dB",
                    "asymmetry_db": float(difference_db),
                    "error_11": float(single),
                    "qber_x": float(x_basis_error(0.1 * eta[0], 0.1 * eta[1], **link)),
                }
            )
    note = "Intensity 0.1 on both sides. Single-photon pairs do not mind the asymmetry itself, only dark counts."
    return Table("fig9_asymmetry", "Error rates of the X basis against asymmetry", "asymmetry_db", "loss_sum",
                 tuple(rows), note=note)  # fmt: skip


@cache
def motion() -> PairMotion:
    """Motion of the satellite during the dual pass."""
    scenario = load_scenario(DUAL)
    a, b = sites(scenario)
    return pair_motion(propagators(scenario)[0], (a, b), dual_pass().time.values)


def residuals(settings: Interference, wavelength_m: float = WAVELENGTHS_M[0]) -> Residuals:
    """What timing and frequency control leave on the dual pass."""
    return settings.residuals(motion(), wavelength_m=wavelength_m)


def frequency_budget() -> Table:
    """What the lasers must follow, and what a predicted orbit leaves."""
    rows = []
    link = dual_pass()
    for wavelength in WAVELENGTHS_M:
        rates = link.range_rate.values
        shift, relative = doppler_shift_hz(rates, wavelength), relative_doppler_hz(rates[0], rates[1], wavelength)
        slew = np.abs(doppler_slew_hz_s(motion().range_derivatives[0], wavelength)).max()
        allowed = float(tolerable_frequency_offset_hz(0.99, fwhm_s=FWHM_S))
        row: dict[str, Any] = {
            "wavelength": f"{wavelength * 1e9:.0f} nm",
            "link_ghz": f"{shift.min() / 1e9:.1f} to {shift.max() / 1e9:.1f}",
            "difference_ghz": f"{relative.min() / 1e9:.1f} to {relative.max() / 1e9:.1f}",
            "slew_mhz_s": float(slew) / 1e6,
            "update_ms": 1e3 * 2.0 * allowed / float(slew),
        }
        for error in (0.1, 1.0, 10.0, 100.0):
            remaining = residual_frequency_hz(
                range_rate_error_a_m_s=error,
                range_rate_error_b_m_s=error,
                wavelength_m=wavelength,
                correlation=motion().cosine,
            )
            left = float(remaining.max())
            overlap = float(temporal_overlap(fwhm_a_s=FWHM_S, fwhm_b_s=FWHM_S, frequency_jitter_hz=left))
            rows.append({**row, "velocity_error_m_s": error, "residual_mhz": left / 1e6, "overlap": overlap})
    note = (
        "Pulses of 1 ns. update: time after which a frequency that is set in steps is off by what leaves an overlap of "
        "0.99 (38 MHz). The residual is the rms of the difference at the widest angle between the lines of sight."
    )
    return Table("frequency_budget", "Doppler shifts: range, slew rate, and what a predicted orbit leaves", "", "",
                 tuple(rows), printed=True, note=note)  # fmt: skip


def _totals(overlap: Array) -> tuple[float, float]:
    """Sum of the rates over the pass: unlimited decoys at 0.5, three weak intensities."""
    eta = wide_pass().transmittance.values
    link: dict[str, Any] = {"p_dark": _P_DARK, "misalignment": _MISALIGNMENT, "mode_overlap": overlap}
    fixed = key_rate(*eta, intensities_a=(0.5,), intensities_b=(0.5,), **link)
    weak = key_rate(*eta, intensities_a=_WEAK, intensities_b=_WEAK, decoy="three-intensity", **link)
    return float(fixed.rate.sum()), float(weak.rate.sum())


def timing_budget(range_errors_m: Sequence[float] = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)) -> Table:
    """From the error of a range to the key: kilohertz ranging, one pulse at a time, and no ranging at all."""
    fitted = Interference(fwhm_s=FWHM_S)
    eta = wide_pass().transmittance.values
    reference = _totals(np.ones(eta.shape[1]))
    ways: dict[str, Interference] = {
        "100 shots at 1 kHz, predicted by a parabola": fitted,
        "2 shots at 10 Hz, predicted by a line": replace(fitted, shots=2, ranging_interval_s=0.1, degree=1),
        "10 shots at 10 Hz, predicted by a parabola": replace(fitted, shots=10, ranging_interval_s=0.1),
    }
    rows = []
    for name, settings in ways.items():
        for error in range_errors_m:
            left = residuals(replace(settings, range_error_m=error))
            added = extra_x_basis_error(
                0.1 * eta[0], 0.1 * eta[1], mode_overlap=left.mode_overlap, p_dark=_P_DARK, misalignment=_MISALIGNMENT
            )
            totals = _totals(left.mode_overlap)
            rows.append(
                {
                    "ranging": name,
                    "range_error_mm": 1e3 * error,
                    "jitter_ps": 1e12 * float(left.delay_jitter_s.max()),
                    "delay_ps": 1e12 * float(np.abs(left.delay_s).max()),
                    "overlap": float(left.mode_overlap.min()),
                    "added_error": float(added.max()),
                    "key_change_percent": 100.0 * (totals[0] / reference[0] - 1.0),
                    "key_change_weak_percent": 100.0 * (totals[1] / reference[1] - 1.0),
                }
            )
    note = (
        "Pulses of 1 ns, clocks of 10 ps on each side, lasers of 10 MHz, orbit known to 1 m/s; ranges are as old as "
        "the longest round trip. Key: sum over the pass, R_r = 1.2 m, unlimited decoys at intensity 0.5, and three "
        "intensities 0.25, 0.005, 0."
    )
    return Table("timing_budget", "Laser ranging: from the error of a range to the key", "range_error_mm", "ranging",
                 tuple(rows), printed=True, note=note)  # fmt: skip
