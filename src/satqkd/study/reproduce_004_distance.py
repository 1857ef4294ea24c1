"""Transmission and keys against distance in Mannalath, Zapatero and Curty: Figs. 10 and 20."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np

from satqkd.channel.extinction import spectrum
from satqkd.channel.fibre import log10_repeater_bound
from satqkd.channel.geostationary import ground_separation_m
from satqkd.channel.profiles import VISIBILITY_M
from satqkd.channel.published_radiance import SITES, WAVELENGTHS_M
from satqkd.channel.sky_radiance import day_radiance
from satqkd.scenario.catalogue import detector
from satqkd.security.sweep import sweep
from satqkd.study.reproduce_004_link import AEROSOL, GATE_S, budget, click_noise, nanometres
from satqkd.study.reproduction import Table

__all__ = [
    "PULSES",
    "REPEATERS",
    "ZENITH_DEG",
    "key_over_distance",
    "keys",
    "radiances_at_45",
    "repeaters_needed",
    "transmission",
]

PULSES: Final = 1e12
"""Pulses of the whole comparison; each of the two satellite links sends half of them. [1]"""

REPEATERS: Final = (0, 1, 5, 30)
_SKIES: Final = {"night": "night", "day-moderate": "day, moderate"}
ZENITH_DEG: Final = (1.0, 2.0, 4.0, 7.0, *(float(angle) for angle in range(10, 81, 5)))
MISALIGNMENT: Final = 0.005


@cache
def keys(wavelength_m: float, condition: str, zenith_deg: tuple[float, ...] = ZENITH_DEG) -> tuple[float, ...]:
    """Optimised keys of one link with half of the pulses, asymmetric passive receiver.

    Parameters
    ----------
    wavelength_m : float
        One of Table 1's. [m]
    condition : str
        One of :data:`satqkd.channel.published_radiance.CONDITIONS`.
    zenith_deg : tuple of float
        Zenith angles, ascending. [deg]

    Returns
    -------
    tuple of float
        Whole bits; 0 where there is no key. [bit]
    """
    link = budget(wavelength_m=wavelength_m, zenith_rad=np.radians(zenith_deg))
    device = detector("snspd-spec-b", wavelength_m=wavelength_m)
    fixed = {
        "receiver": "asymmetric-passive",
        "pulses": 0.5 * PULSES,
        "misalignment": MISALIGNMENT,
        "p_noise": float(click_noise(wavelength_m=wavelength_m, condition=condition).p_noise),
        "p_dark": device.dark_count_hz * GATE_S,
        "detector_efficiency": device.efficiency,
        "p_afterpulse": device.p_afterpulse,
    }
    found = sweep("variable-length", fixed=fixed, x=("transmittance", link.total.tolist()), threads=1)
    return tuple(found.key_bits[0].tolist())


def key_over_distance(wavelength_m: float, zenith_deg: tuple[float, ...] = ZENITH_DEG) -> Table:
    """One panel of Fig. 10.

    Parameters
    ----------
    wavelength_m : float
        One of Table 1's. [m]
    zenith_deg : tuple of float
        Zenith angles of the satellite from both stations, ascending. [deg]

    Returns
    -------
    Table
        Key by link and ground arc; of fibres the logarithm, too, where the key itself is below one bit.
    """
    rows = []
    separation_km = ground_separation_m(np.radians(zenith_deg)) / 1e3
    for condition, name in _SKIES.items():
        for zenith, arc, key in zip(zenith_deg, separation_km, keys(wavelength_m, condition, zenith_deg), strict=True):
            log10 = math.log10(key) if key > 0.0 else math.nan
            rows.append({"link": f"satellite, {name}", "arc_km": float(arc), "zenith_deg": zenith, "key_bits": key,
                         "log10_key_bits": log10})  # fmt: skip
    arc_km = np.geomspace(50.0, 2e4, 105)
    for repeaters in REPEATERS:
        log10_keys = math.log10(PULSES) + log10_repeater_bound(1e3 * arc_km, repeaters=repeaters)
        name = f"fibre, {repeaters} repeater{'' if repeaters == 1 else 's'}" if repeaters else "fibre, no repeater"
        rows += [
            {"link": name, "arc_km": float(arc), "zenith_deg": math.nan, "key_bits": float(10.0**exponent),
             "log10_key_bits": float(exponent)}
            for arc, exponent in zip(arc_km, log10_keys, strict=True)
        ]  # fmt: skip
    note = (
        f"Each of two links sends {0.5 * PULSES:g} pulses, the fibre {PULSES:g}. Asymmetric passive receiver, urban, "
        "SNSPD Spec B, misalignment 0.5 % as in Fig. 11 (the caption names none). The sky is that of Table 3, seen at "
        "60 deg, for all angles. Fibre: what no protocol can exceed, with ideal repeaters."
    )
    title = f"Fig. 10: key against ground arc, {nanometres(wavelength_m)}"
    return Table(f"fig10_{int(wavelength_m * 1e9)}", title, "arc_km", "link", tuple(rows), note=note)


def repeaters_needed(arc_km: float, key_bits: float) -> int:
    """Fewest ideal repeaters with which a fibre could give a key.

    Parameters
    ----------
    arc_km : float
        Length of the fibre. [km]
    key_bits : float
        Key to reach with :data:`PULSES`. [bit]

    Returns
    -------
    int
        Repeaters.
    """
    counts = np.arange(0, 1000)
    bound = math.log10(PULSES) + log10_repeater_bound(1e3 * arc_km, repeaters=counts)
    return int(counts[np.argmax(bound >= math.log10(key_bits))])


def transmission(step_nm: float = 2.0) -> Table:
    """Fig. 20, lower panel: transmittance of the air against wavelength, view at 60 deg.

    Parameters
    ----------
    step_nm : float
        Step. [nm]

    Returns
    -------
    Table
        By site and wavelength; empty in strong absorption bands.
    """
    rows = []
    for site in SITES:
        scan = spectrum(
            zenith_rad=np.pi / 3, aerosol=AEROSOL[site], visibility_m=VISIBILITY_M[site], step_m=step_nm * 1e-9
        )
        known = dict(zip(scan.wavelength_m.tolist(), scan.transmittance.tolist(), strict=True))
        missing = dict.fromkeys(scan.no_data_m.tolist(), math.nan)
        rows += [
            {"site": site, "wavelength_nm": round(1e9 * wavelength, 3), "transmittance": value}
            for wavelength, value in sorted({**known, **missing}.items())
        ]
    note = "Gaps: strong absorption bands, for which the tables have no data."
    return Table(
        "fig20_transmittance", "Fig. 20: transmittance at 60 deg", "wavelength_nm", "site", tuple(rows), note=note
    )


def radiances_at_45() -> Table:
    """Fig. 20, upper panel, at the three wavelengths that have a fitted solar irradiance.

    Returns
    -------
    Table
        Radiance by site and wavelength.
    """
    rows = [
        {"site": site, "wavelength": nanometres(wavelength_m),
         "radiance": float(day_radiance(view_zenith_rad=np.pi / 3, relative_azimuth_rad=np.pi / 2,
                                        sun_zenith_rad=np.pi / 4, site=site, wavelength_m=wavelength_m))}
        for site in SITES
        for wavelength_m in WAVELENGTHS_M
    ]  # fmt: skip
    note = (
        "The curve against wavelength needs a solar spectrum that resolves the Fraunhofer lines; no package we use "
        "has one: only the three wavelengths with a fitted irradiance are here. Sun in the east; the caption "
        "does not say where it stands."
    )
    title = "Fig. 20: sky radiance at the three wavelengths, Sun at 45 deg [mW m-2 nm-1 sr-1]"
    return Table("fig20_radiance", title, "", "", tuple(rows), printed=True, note=note)
