"""Printed numbers and claims of Wang, Dong et al. beside ours, with the reading used."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from satqkd.orbit.kinematics import doppler_shift_hz
from satqkd.study import reproduce_000_losses as losses
from satqkd.study import reproduce_000_orbits as orbits
from satqkd.study import reproduce_000_pair as pair
from satqkd.study import reproduce_000_slots as slots
from satqkd.study.reproduce_000_link import READINGS, WIDE_RADII_M, dual_pass, single_pass, wide_pass

__all__ = ["PRINTED_TOTAL_BITS", "Row", "checks"]

Row = dict[str, Any]

PRINTED_TOTAL_BITS: Final = 1.9508e8
"""Maximum total of Fig. 10. [bit]"""


def _row(quantity: str, reading: str, source: str, paper: float | str, ours: float | str) -> Row:
    return {"quantity": quantity, "reading": reading, "source": source, "paper": paper, "ours": ours}


def _span(values: Any, digits: int = 1) -> str:
    return f"{float(np.min(values)):.{digits}f} to {float(np.max(values)):.{digits}f}"


def _links() -> list[Row]:
    single, dual = single_pass(), dual_pass()
    orbit = "real elements of Micius"
    rows = [
        _row("highest elevation over Ngari [deg]", orbit, "Fig. 3", 75.9, float(single.elevation.max())),
        _row("closest distance [km]", orbit, "Fig. 3", 501.0, float(single.slant_range.min()) / 1e3),
        _row("distance at 15 deg [km]", orbit, "Fig. 3", 1385.0, float(single.slant_range.max()) / 1e3),
        *(
            _row("loss over Ngari [dB]", name, "Fig. 3", "42.5 to 52.3", _span(loss))
            for name, loss in losses.single_losses().items()
        ),
        _row("time in common view [s]", orbit, "Fig. 4", 278.0, float(dual.sizes["time"])),
        _row("distances [km]", "sum of both links", "Fig. 4", "1611 to 2428",
             _span(dual.slant_range.values.sum(axis=0) / 1e3, 0)),
        *(
            _row("sum of both losses [dB]", name, "Fig. 4", "94.0 to 100.2", _span(losses.dual_losses(name)))
            for name in READINGS
        ),
    ]  # fmt: skip
    tx, rx = WIDE_RADII_M
    rows += [
        _row("sum at the shortest length, R_s 0.75 m, R_r 1.2 m [dB]", name, "Fig. 5 a", 55.0,
             float(losses.aperture_losses(name, tx, rx)))
        for name in ("air mass counted once", "Eqs. 1-3 as printed", "no turbulence")
    ]  # fmt: skip
    made = losses.turbulence_losses().loss_sum_db
    rows += [
        _row(f"sum, R_s 1.0 m, R_r 1.2 m, A = {strength:g} [dB]", name, "Fig. 5 b", "below 65",
             _span(made.sel(reading=name, ground_turbulence=strength)))
        for name in made.reading.values.tolist()
        for strength in losses.STRENGTHS[1:]
    ]  # fmt: skip
    return rows


def _orbits() -> list[Row]:
    made = orbits.sweep()
    seen, at_ten = made.common_view_s.values, orbits.MASKS_DEG.index(10)
    rows = [
        _row("common view, 600 km and 5 deg over 400 km and 15 deg", "circular orbit, same plane", "Fig. 6 a", "longer",
             f"{seen[-1, 0] / seen[0, -1]:.2f} times"),
    ]  # fmt: skip
    middle = orbits.ALTITUDES_KM.index(500)
    for name in orbits.READINGS_M:
        total = 1e8 * made.rate_total.sel(reading=name, decoy="infinite").values
        reading = f"{name}, R_r 1.2 m, unlimited decoys, intensity 0.5"
        rows += [
            _row("sum of rates, least elevation 5 and 10 deg, 500 km [1e-8 s]", reading, "Fig. 6 b",
                 "not obvious improved", f"{total[middle, 0]:.3g} and {total[middle, at_ten]:.3g}"),
            _row("sum of rates, 400 and 600 km, 10 deg [1e-8 s]", reading, "Fig. 6 b", "not obvious improved",
                 f"{total[0, at_ten]:.3g} and {total[-1, at_ten]:.3g}"),
        ]  # fmt: skip
    most = float(made.rate_total.sel(decoy="three-intensity").max())
    return [*rows, _row("key with three intensities 0.5, 0.1, 0", "all readings", "Fig. 6 b", "some", most)]


def _motion() -> list[Row]:
    link = dual_pass()
    rates = link.range_rate.values
    shifts = [doppler_shift_hz(rates, wave) / 1e9 for wave in pair.WAVELENGTHS_M]
    difference = link.relative_doppler.values / 1e9
    apart = [float(np.abs(values).max()) for values in (shifts[0], difference)]
    ratio = 1.0 - pair.WAVELENGTHS_M[0] / pair.WAVELENGTHS_M[1]
    errors = pair.offset_errors().rows
    missed = [
        max(row["error_ns"] for row in errors if row["distances"] == name)
        for name in dict.fromkeys(row["distances"] for row in errors)
    ]
    wide = wide_pass()
    single = wide.error_11_x.sel(decoy="infinite").values
    best = int(np.argmin(single))
    return [
        _row("Doppler shift of a link, 780 nm [GHz]", "first order", "Fig. 7 a", "about ± 10", _span(shifts[0])),
        _row("Doppler shift of a link, 1550 nm [GHz]", "first order", "Fig. 7 b", "", _span(shifts[1])),
        _row("difference of both shifts, 780 nm [GHz]", "first order", "Sec. III.D", "order of GHz", _span(difference)),
        _row("1550 instead of 780 nm saves [GHz]", "one link; difference of both", "Fig. 7", "up to 10",
             f"{ratio * apart[0]:.1f}; {ratio * apart[1]:.1f}"),
        _row("error of |L_A - L_B|/c [ns]", "distances of the instant of arrival", "Fig. 8", "0", missed[0]),
        _row("error of |L_A - L_B|/c [ns]", "distances of the instant of sending", "Fig. 8", "0", missed[1]),
        _row("delays by the air differ by [ns]", "dry air, standard pressure, 780 nm", "Fig. 8", "0", missed[2]),
        _row("what of it ranging at 532 nm misses [ns]", "dispersion not corrected", "", "", missed[3]),
        _row("asymmetry where the single-photon error is least [dB]", "R_r 1.2 m, exact yields", "Fig. 9",
             "symmetric", float(wide.loss_asymmetry_db.values[best])),
        _row("least and largest single-photon error", "exact yields", "Fig. 9", "", _span(single, 4)),
    ]  # fmt: skip


def _totals() -> list[Row]:
    reading = "14 µrad, fitted air, R_r 1.2 m, p_d 3e-6 per detector, limit of infinitely many pulses"
    rows = []
    for decoy in slots.DECOYS:
        fixed, best = slots.fixed(decoy).total_bits, slots.optimised(decoy, 1.0).total_bits
        slowest = slots.optimised(decoy, 25.0)
        rows += [
            _row(f"total optimised every second, {decoy} [bit]", reading, "Fig. 10", PRINTED_TOTAL_BITS, best),
            _row(f"total with 0.5, 0.1 throughout, {decoy} [bit]", reading, "Fig. 10", "2 orders less", fixed),
            _row(f"optimised over fixed, {decoy}", reading, "Fig. 10", "almost 100",
                 f"{best / fixed:.2f}" if fixed > 0.0 else "no key with fixed"),
            _row(f"lost with 25 s, {decoy} [%]", reading, "Fig. 10", "same order",
                 100.0 * slowest.lost(slots.optimised(decoy, 1.0))),
        ]  # fmt: skip
    return [
        *rows,
        *(
            _row(f"finite key, {rate:g} pairs per second, p_d {dark:g} [bit]", "composable, best part as one block",
                 "Fig. 10" if number == 0 else "", PRINTED_TOTAL_BITS if number == 0 else "",
                 float(slots.finite_keys(rate, dark)))
            for number, (rate, dark) in enumerate(((1e14, slots.P_DARK), (1e9, slots.P_DARK), (1e9, 1e-7)))
        ),
    ]  # fmt: skip


def checks() -> list[Row]:
    """Printed numbers and claims beside ours.

    Returns
    -------
    list of dict
        ``quantity``, ``reading``, ``source``, ``paper`` (number or words; empty if nothing is printed), ``ours``.
    """
    return [*_links(), *_orbits(), *_motion(), *_totals()]
