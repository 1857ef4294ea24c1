"""Numbers and statements about the channel in Mannalath, Zapatero and Curty beside ours."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from satqkd.channel.coupling import airy_half_angle_rad, encircled_energy
from satqkd.channel.geostationary import ground_separation_m, slant_range_m, zenith_angle_rad
from satqkd.channel.published_radiance import CONDITIONS, SITES, WAVELENGTHS_M
from satqkd.study import reproduce_004_distance as distance
from satqkd.study import reproduce_004_losses as losses
from satqkd.study import reproduce_004_sky as sky
from satqkd.study.reproduce_004_link import budget, click_noise, nanometres

__all__ = ["Row", "checks"]

Row = dict[str, Any]
_OTHER: Final = "independent program"
_CITIES: Final = {
    "Madrid": (40.4168, -3.7038, 47.6), "Vienna": (48.2082, 16.3738, 56.4), "Warsaw": (52.2297, 21.0122, 61.6),
    "Edinburgh": (55.9533, -3.1883, 64.2), "Amsterdam": (52.3676, 4.9041, 59.9),
}  # fmt: skip
"""Latitude, longitude, and zenith angle of the satellite. [deg]"""


def _row(quantity: str, reading: str, source: str, there: float | str, ours: float | str) -> Row:
    percent = math.nan
    if isinstance(there, float) and isinstance(ours, float):
        percent = round(100.0 * (ours / there - 1.0), 3)
        if there >= 1e4:  # printed to whole units
            there, ours = int(there), round(ours)
    return {"quantity": quantity, "reading": reading, "source": source, "there": there, "ours": ours,
            "difference_percent": percent}  # fmt: skip


def _apertures() -> list[Row]:
    red = WAVELENGTHS_M[1]
    link = {hz: budget(wavelength_m=red, rx_aperture_diameter_m=np.array([0.4, 2.0]), ao_bandwidth_hz=hz)
            for hz in (0.0, 500.0)}  # fmt: skip
    reading = "854 nm, urban, 60 deg; profile from 10 m above ground"
    metre: dict[str, Any] = {"rx_aperture_diameter_m": 1.0, "tx_aperture_diameter_m": 1.0}
    rows = [
        _row("collection gained from 0.4 to 2 m receiver, no adaptive optics [dB]", reading, "Sec. V.2", 14.0,
             -float(np.diff(link[0.0].loss_db("geometric"))[0])),
        _row("coupling lost by it [dB]", reading, "Sec. V.2", 13.7, float(np.diff(link[0.0].loss_db("coupling"))[0])),
        _row("total gained by it with 500 Hz [dB]", reading, "Fig. 3", "cancellation largely removed",
             -float(np.diff(link[500.0].loss_db())[0])),
        *(
            _row(f"loss with both apertures 1 m, {nanometres(wavelength)} [dB]", "130 Hz, urban, 60 deg", "Sec. VI",
                 "50 to 60", float(budget(wavelength_m=wavelength, **metre).loss_db()))
            for wavelength in WAVELENGTHS_M
        ),
    ]  # fmt: skip
    totals = zip(WAVELENGTHS_M, (50.6, 49.1, 49.8), (1.24, 0.87, 0.32), strict=True)
    for wavelength, total, step in totals:
        ground = float(budget(wavelength_m=wavelength).loss_db())
        published = float(budget(wavelength_m=wavelength, greenwood_lower_height="published").loss_db())
        higher = float(budget(wavelength_m=wavelength, station_altitude="site").loss_db())
        name = nanometres(wavelength)
        rows += [
            _row(f"total loss of the default link, {name} [dB]", "column of air from sea level", _OTHER, total, ground),
            _row(f"same, air above the station's 200 m only, {name} [dB]", "aerosol below left out", "", "", higher),
            _row(f"less with the printed lower limit of Eqs. 167-168, {name} [dB]", "height counted from sea level",
                 _OTHER, step, ground - published),
        ]  # fmt: skip
    return rows


def _geometry() -> list[Row]:
    rows = [
        _row("energy within the first dark ring", "Eq. 160", "Eq. 160", 0.838, _airy()),
        _row("slant range at 60 deg [km]", "station 200 m above sea level", _OTHER, 38612.0,
             float(slant_range_m(np.pi / 3, station_altitude_m=200.0)) / 1e3),
    ]  # fmt: skip
    for zenith, arc in zip((30.0, 45.0, 60.0, 70.0, 80.0), (5713.0, 8652.0, 11682.0, 13765.0, 15903.0), strict=True):
        ours = float(ground_separation_m(np.radians(zenith))) / 1e3
        rows.append(_row(f"ground arc at {zenith:g} deg [km]", "Eq. 148, sphere of 6378 km", _OTHER, arc, ours))
    for city, (latitude, longitude, zenith) in _CITIES.items():
        angle = zenith_angle_rad(
            latitude_rad=np.radians(latitude),
            longitude_rad=np.radians(longitude),
            satellite_longitude_rad=np.radians(sky.SATELLITE_LONGITUDE_DEG),
        )
        ours = float(np.degrees(angle))
        rows.append(_row(f"zenith angle from {city} [deg]", "satellite at 5 deg E, Eq. 135", _OTHER, zenith, ours))
    for wavelength, radius, fried in zip(WAVELENGTHS_M, (51.6, 67.2, 121.9), (4.75, 6.52, 13.32), strict=True):
        link, name = budget(wavelength_m=wavelength), nanometres(wavelength)
        rows += [
            _row(f"beam radius in vacuum, {name} [m]", "Eq. 149", _OTHER, radius, float(link.diffraction_radius_m)),
            _row(f"Fried parameter, {name} [cm]", "Eq. 162 from 10 m on", _OTHER, fried, 100.0 * float(link.fried_m)),
        ]
    widest = max(
        row["turbulence_m"] / row["vacuum_m"] for row in losses.spot_radius().rows if row["zenith_deg"] <= 70.0
    )
    rows.append(_row("Fig. 15, spot with turbulence per spot without, up to 70 deg", "largest", "Fig. 15",
                     "essentially overlap", widest))  # fmt: skip
    return rows


def _airy() -> float:
    telescope = {"wavelength_m": 1e-6, "aperture_diameter_m": 1.0}
    return float(encircled_energy(airy_half_angle_rad(**telescope), **telescope))


def _noise() -> list[Row]:
    rows = []
    critical = zip(sky.CRITICAL_FILTERS_HZ, ((277.0, 92.0, 55.0), (141.0, 14.0, 4.7)), strict=True)
    for wavelength, values in critical:
        levels = sky.critical_levels(wavelength)
        for filter_hz, there, ours in zip(sky.CRITICAL_FILTERS_HZ[wavelength], values, levels.tolist(), strict=True):
            rows.append(_row(f"critical radiance, {nanometres(wavelength)}, {1e-9 * filter_hz:g} GHz",
                             "noise 1e-6, diffraction-limited view", _OTHER, there, ours))  # fmt: skip
    printed = {
        WAVELENGTHS_M[1]: (1.3e-7, 7.6e-8, 5.5e-9, 1.04e-10),
        WAVELENGTHS_M[2]: (1.4e-7, 8.2e-8, 8.7e-9, 1.02e-10),
    }
    for wavelength, clicks in printed.items():
        for condition, there in zip(CONDITIONS, clicks, strict=True):
            ours = float(click_noise(wavelength_m=wavelength, condition=condition).p_noise)
            rows.append(_row(f"noise clicks per gate, {nanometres(wavelength)}, {condition}",
                             "urban, fibre, SNSPD Spec B", _OTHER, there, ours))  # fmt: skip
    rows += [
        _row(f"Table 9, {row['site']}, {row['wavelength']}", "nights of Table 3", "Table 9", row["paper"],
             row["from_table3"])
        for row in sky.table_9().rows
    ]  # fmt: skip
    clicks_of = {tuple(row[name] for name in ("condition", "wavelength", "detector", "site")): row["p_noise"]
                 for row in sky.noise_levels().rows}  # fmt: skip
    cases = sorted({key[:3] for key in clicks_of})
    noisiest = [case for case in cases if max(SITES, key=lambda site: clicks_of[*case, site]) == "coastal"]
    rows.append(_row("cases of Fig. 21 in which the coastal station is noisiest", "radiances of Table 3", "App. I.3",
                     "consistently", f"{len(noisiest)} of {len(cases)}"))  # fmt: skip
    return rows


def _fibre() -> list[Row]:
    rows = []
    for wavelength in (WAVELENGTHS_M[1], WAVELENGTHS_M[2]):
        for condition in ("night", "day-moderate"):
            arc = ground_separation_m(np.radians(distance.ZENITH_DEG)) / 1e3
            key = distance.keys(wavelength, condition)
            near = float(np.interp(1e4, arc, key))
            rows.append(_row(f"repeaters with which a fibre of 10 000 km gives as much, {nanometres(wavelength)}, "
                             f"{condition}", "ideal repeaters, 0.2 dB/km", "Sec. V.2", "tens",
                             float(distance.repeaters_needed(1e4, near))))  # fmt: skip
    return rows


def _statements() -> list[Row]:
    """What the text says of figures without printing numbers."""
    terms = losses.loss_terms().rows
    share = min(row["geometric_db"] / row["total_db"] for row in terms)
    rows = [_row("Fig. 17, least share of the collection in the total", "nine systems and wavelengths, up to 80 deg",
                 "App. H.12", "dominated", share)]  # fmt: skip
    for wavelength in WAVELENGTHS_M:
        still, shaking = (
            float(budget(wavelength_m=wavelength, tx_aperture_diameter_m=0.8, jitter_rad=jitter).loss_db())
            for jitter in (0.1e-6, 2e-6)
        )
        rows.append(_row(f"Fig. 22, rise from 0.1 to 2 urad, {nanometres(wavelength)} [dB]", "apertures 0.8 and 1.5 m",
                         "App. J", "less steep at 1550 nm", shaking - still))  # fmt: skip
    bright = max(sky.moonlight(tuple(range(45, 76))).rows[31:62], key=lambda row: row["radiance"])
    rows.append(_row(f"Fig. 19, Moon's zenith angle of the brightest sky, {bright['wavelength']} [deg]",
                     "scattered moonlight", "Fig. 19", "line of sight, 60", bright["moon_zenith_deg"]))  # fmt: skip
    short, long = (np.array(distance.keys(wavelength, "night")) for wavelength in WAVELENGTHS_M[1:])
    crossing = float(np.interp(0.0, np.log(long / short), distance.ZENITH_DEG))
    rows.append(_row("zenith angle from which 1550 nm gives more key than 854 nm [deg]", "night, as in Fig. 10",
                     "text on Figs. 7 and 9", "deep in the large angles", crossing))  # fmt: skip
    return rows


def checks() -> list[Row]:
    """Numbers and statements beside ours.

    Returns
    -------
    list of dict
        ``quantity``, ``reading``, ``source``, ``there``, ``ours`` and ``difference_percent`` (NaN for statements).
    """
    return [*_apertures(), *_geometry(), *_noise(), *_fibre(), *_statements()]
