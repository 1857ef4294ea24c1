"""Brightness of the sky in Mannalath, Zapatero and Curty: Figs. 2, 18, 19 and 21, Tables 3 and 9."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.background import critical_radiance
from satqkd.channel.geostationary import azimuth_rad, zenith_angle_rad
from satqkd.channel.moonlight import night_radiance
from satqkd.channel.published_radiance import CONDITIONS, SITES, WAVELENGTHS_M, night_scaling, published_radiance
from satqkd.channel.sky_radiance import day_radiance
from satqkd.orbit.site import ElevationMask, Site
from satqkd.orbit.sky import relative_azimuth_rad, zenith_azimuth_rad
from satqkd.orbit.sun import sun_position_ecef_m
from satqkd.study.reproduce_004_link import DEFAULTS, GATE_S, RECEIVER, click_noise, nanometres
from satqkd.study.reproduction import Table

__all__ = [
    "CITIES_DEG", "CRITICAL_FILTERS_HZ", "SATELLITE_LONGITUDE_DEG", "critical_levels", "moonlight", "noise_levels",
    "sky_maps", "sky_over_cities", "sun_paths", "table_3", "table_3_ratios", "table_9", "view_from",
]  # fmt: skip

SATELLITE_LONGITUDE_DEG: Final = 5.0
CITIES_DEG: Final = {"Barcelona": (41.39, 2.17), "Geneva": (46.20, 6.14), "Amsterdam": (52.37, 4.90)}
"""Cities of Fig. 18: latitude and longitude. [deg]"""

CRITICAL_FILTERS_HZ: Final = {WAVELENGTHS_M[1]: (10e9, 30e9, 50e9), WAVELENGTHS_M[2]: (1e9, 10e9, 30e9)}
"""Filters of the contours of Fig. 2."""

_SEASONS: Final = {"summer solstice": "2025-06-21", "equinox": "2025-03-20", "winter solstice": "2025-12-21"}
_SUN_DEG: Final = {"day-high": 0.0, "day-moderate": 60.0, "day-low": 90.0}
_FITTED_CELLS: Final = {(site, sun) for site in ("rural", "urban") for sun in ("day-high", "day-moderate")}
_VIEW_RAD: Final = np.pi / 3
_DETECTORS: Final = ("SNSPD A", "SNSPD B", "APD A", "APD B")

FloatArray = NDArray[np.float64]


def _grid() -> tuple[FloatArray, FloatArray]:
    """Zenith angles and azimuths of the Sun. [deg]"""
    return np.linspace(0.0, 90.0, 19), np.linspace(0.0, 360.0, 73)


def _map(view_zenith_rad: float, view_azimuth_rad: float, site: str, wavelength_m: float) -> list[dict[str, float]]:
    zenith_deg, azimuth_deg = _grid()
    radiance = day_radiance(
        view_zenith_rad=view_zenith_rad,
        relative_azimuth_rad=relative_azimuth_rad(view_azimuth_rad, np.radians(azimuth_deg)),
        sun_zenith_rad=np.radians(zenith_deg)[:, None],
        site=site,
        wavelength_m=wavelength_m,
    )
    return [
        {"sun_azimuth_deg": azimuth, "sun_zenith_deg": zenith, "radiance": radiance[j, i].item()}
        for j, zenith in enumerate(zenith_deg.tolist())
        for i, azimuth in enumerate(azimuth_deg.tolist())
    ]


def critical_levels(wavelength_m: float) -> FloatArray:
    """Radiances of the contours of Fig. 2: noise 1e-6 with the diffraction-limited field of view.

    Parameters
    ----------
    wavelength_m : float
        A key of :data:`CRITICAL_FILTERS_HZ`. [m]

    Returns
    -------
    ndarray, shape (3,)
        Descending. [mW m-2 nm-1 sr-1]
    """
    return critical_radiance(
        p_noise=1e-6,
        wavelength_m=wavelength_m,
        filter_hz=CRITICAL_FILTERS_HZ[wavelength_m],
        gate_s=GATE_S,
        rx_aperture_diameter_m=DEFAULTS["rx_aperture_diameter_m"],
        receiver=RECEIVER,
        detector=0.95,
    )


def sky_maps() -> Table:
    """Fig. 2: radiance of the line of sight, 60 deg to the south, for every place of the Sun.

    Returns
    -------
    Table
        By site, wavelength, azimuth and zenith angle of the Sun.
    """
    rows = [
        {"wavelength": nanometres(wavelength_m), "site": site, **row}
        for wavelength_m in CRITICAL_FILTERS_HZ
        for site in ("rural", "urban")
        for row in _map(_VIEW_RAD, np.pi, site, wavelength_m)
    ]
    note = (
        "Each point is a place of the Sun, north up, zenith in the centre, circles every 30 deg; the cross is the line "
        "of sight. Black lines: radiances at which the noise is 1e-6 with a filter. The Henyey-Greenstein phase "
        "function of our aerosol has no forward peak, which dims the 10 deg around the Sun: at 854 nm the sky reaches "
        "67, enough for the line of 50 GHz only, at 1550 nm 48, enough for 10 and 30 GHz."
    )
    return Table("fig2", "Fig. 2: sky radiance by place of the Sun", "sun_azimuth_deg", "site", tuple(rows),
                 ordinate="sun_zenith_deg", note=note)  # fmt: skip


def view_from(city: str) -> tuple[float, float]:
    """Zenith angle and azimuth of the satellite from a city. [rad]"""
    latitude, longitude = np.radians(CITIES_DEG[city])
    place = {"latitude_rad": latitude, "longitude_rad": longitude,
             "satellite_longitude_rad": np.radians(SATELLITE_LONGITUDE_DEG)}  # fmt: skip
    return float(zenith_angle_rad(**place)), float(azimuth_rad(**place))


def sky_over_cities() -> Table:
    """Fig. 18: the same for three cities and the satellite at 5 deg E.

    Returns
    -------
    Table
        By city, azimuth and zenith angle of the Sun.
    """
    rows = [{"city": city, **row} for city in CITIES_DEG for row in _map(*view_from(city), "urban", WAVELENGTHS_M[1])]
    note = (
        "Urban at 854 nm: the caption names neither site nor wavelength. The cross is the satellite; the Sun's paths "
        "are of 2025 (fig18_paths.csv)."
    )
    return Table("fig18", "Fig. 18: sky radiance towards the satellite at 5 deg E", "sun_azimuth_deg", "city",
                 tuple(rows), ordinate="sun_zenith_deg", note=note)  # fmt: skip


def sun_paths(step_min: int = 10) -> Table:
    """Paths of the Sun of Fig. 18, from sunrise to sunset.

    Parameters
    ----------
    step_min : int
        Time step. [min]

    Returns
    -------
    Table
        Azimuth and zenith angle by city, season and time of day.
    """
    rows: list[dict[str, Any]] = []
    for city, place_deg in CITIES_DEG.items():
        latitude, longitude = np.radians(place_deg)
        site = Site(city, float(latitude), float(longitude), 0.0, ElevationMask((0.0,), (0.0,)))
        for season, day in _SEASONS.items():
            time = np.datetime64(day) + np.arange(0, 24 * 60, step_min) * np.timedelta64(1, "m")
            zenith, azimuth = np.degrees(zenith_azimuth_rad(sun_position_ecef_m(time), site))
            rows += [
                {"city": city, "season": season, "time_utc": str(when), "sun_azimuth_deg": float(az),
                 "sun_zenith_deg": float(z)}
                for when, az, z in zip(time, azimuth, zenith, strict=True)
                if z <= 90.0
            ]  # fmt: skip
    note = f"Azimuth and zenith angle from sunrise to sunset, every {step_min} minutes."
    return Table("fig18_paths", "Fig. 18: paths of the Sun, 2025", "", "", tuple(rows), note=note)


def moonlight(zenith_deg: tuple[float, ...] = tuple(range(0, 91, 3))) -> Table:
    """Fig. 19: radiance of the rural night against the zenith angle of the full Moon.

    Parameters
    ----------
    zenith_deg : tuple of float
        Zenith angles of the Moon, in the azimuth of the view. [deg]

    Returns
    -------
    Table
        Radiance by wavelength and angle.
    """
    rows = []
    for wavelength_m in WAVELENGTHS_M:
        radiance = night_radiance(
            view_zenith_rad=_VIEW_RAD,
            relative_azimuth_rad=0.0,
            moon_zenith_rad=np.radians(zenith_deg),
            site="rural",
            wavelength_m=wavelength_m,
        )
        rows += [
            {"wavelength": nanometres(wavelength_m), "moon_zenith_deg": float(zenith), "radiance": float(value)}
            for zenith, value in zip(zenith_deg, radiance, strict=True)
        ]
    note = (
        "The paper's curves are made with ESO SkyCalc, an online service; ours are scattered moonlight, scaled to meet "
        "Table 3 at 30 deg (its airglow and starlight are thus scaled with the Moon; without Moon nothing is left)."
    )
    return Table("fig19", "Fig. 19: night sky under a full Moon, rural, view at 60 deg", "moon_zenith_deg",
                 "wavelength", tuple(rows), note=note)  # fmt: skip


def noise_levels() -> Table:
    """Fig. 21: noise-click probabilities of all sites, detectors and skies.

    Returns
    -------
    Table
        By condition, site, wavelength and detector.
    """
    rows = []
    for condition in reversed(CONDITIONS):
        for site in SITES:
            for wavelength_m in WAVELENGTHS_M:
                for name in _DETECTORS:
                    kind, spec = name.split()
                    material = "" if kind == "SNSPD" else "si-" if wavelength_m < 1e-6 else "ingaas-"
                    level = click_noise(wavelength_m=wavelength_m, condition=condition, site=site,
                                        detector=f"{material}{kind.lower()}-spec-{spec.lower()}")  # fmt: skip
                    rows.append(
                        {"condition": condition, "site": site, "wavelength": nanometres(wavelength_m), "detector": name,
                         "p_noise": float(level.p_noise), "p_dark": float(level.p_dark)}
                    )  # fmt: skip
    note = (
        "Radiances of Table 3 as printed. The text says that coastal stations are consistently the noisiest; with the "
        "Sun at the horizon Table 3 itself has the rural sky brighter at 656 and 854 nm."
    )
    return Table("fig21", "Fig. 21: noise clicks per detector and gate", "site", "wavelength", tuple(rows), note=note)


def _computed(site: str, condition: str, wavelength_m: float) -> float:
    view: dict[str, Any] = {"view_zenith_rad": _VIEW_RAD, "site": site, "wavelength_m": wavelength_m}
    if condition == "night":
        return float(night_radiance(**view, relative_azimuth_rad=0.0, moon_zenith_rad=np.pi / 6, model="irradiance"))
    sun_rad = np.radians(_SUN_DEG[condition])
    return float(day_radiance(**view, relative_azimuth_rad=np.pi / 2, sun_zenith_rad=sun_rad))


def _origin(site: str, condition: str) -> str:
    if condition == "night":
        return "fitted" if site == "rural" else "predicted"
    return "fitted, mean of four" if (site, condition) in _FITTED_CELLS else "predicted"


def table_3() -> Table:
    """Table 3: radiances as computed beside the printed ones.

    Returns
    -------
    Table
        All 36 cells.
    """
    rows = []
    for site in SITES:
        for wavelength_m in WAVELENGTHS_M:
            for condition in CONDITIONS:
                paper = published_radiance(site=site, condition=condition, wavelength_m=wavelength_m)
                ours = _computed(site, condition, wavelength_m)
                rows.append(
                    {"site": site, "wavelength": nanometres(wavelength_m), "condition": condition,
                     "origin": _origin(site, condition), "paper": paper, "ours": ours,
                     "residual_percent": 100.0 * (ours / paper - 1.0)}
                )  # fmt: skip
    note = (
        "Radiative transfer times one irradiance per wavelength, fitted to the mean of four cells: three numbers for "
        "twelve cells. The nine statements that remain as predictions are the ratios of the next table. By night one "
        "lunar irradiance per wavelength is fitted to the rural cell. Nothing else is tuned: coastal air and the Sun "
        "at the horizon are off as shown."
    )
    return Table("table3", "Table 3: sky radiance [mW m-2 nm-1 sr-1]", "", "", tuple(rows), printed=True, note=note)


def table_3_ratios() -> Table:
    """The nine predictions among the twelve cells of Table 3 behind which three irradiances are fitted.

    Returns
    -------
    Table
        Ratios of cells, in which the fitted irradiance cancels.
    """
    pairs = (
        ("urban / rural, Sun 0 deg", ("urban", "day-high"), ("rural", "day-high")),
        ("urban / rural, Sun 60 deg", ("urban", "day-moderate"), ("rural", "day-moderate")),
        ("Sun 60 deg / 0 deg, rural", ("rural", "day-moderate"), ("rural", "day-high")),
    )
    rows = []
    for wavelength_m in WAVELENGTHS_M:
        for name, above, below in pairs:
            paper = published_radiance(site=above[0], condition=above[1], wavelength_m=wavelength_m)
            paper /= published_radiance(site=below[0], condition=below[1], wavelength_m=wavelength_m)
            ours = _computed(*above, wavelength_m) / _computed(*below, wavelength_m)
            rows.append({"wavelength": nanometres(wavelength_m), "ratio": name, "paper": paper, "ours": ours,
                         "residual_percent": 100.0 * (ours / paper - 1.0)})  # fmt: skip
    return Table("table3_ratios", "Table 3: ratios without any fitted number", "", "", tuple(rows), printed=True)


def table_9() -> Table:
    """Table 9: night radiance of a site per that of the rural one.

    Returns
    -------
    Table
        Printed, from the nights of Table 3, and from our sky with the Sun at 30 deg (Eq. 176).
    """
    printed = {"urban": (1.03, 1.17, 1.58), "coastal": (2.15, 2.86, 7.55)}
    rows = []
    for site, values in printed.items():
        for wavelength_m, paper in zip(WAVELENGTHS_M, values, strict=True):
            at = {"view_zenith_rad": _VIEW_RAD, "relative_azimuth_rad": 0.0, "sun_zenith_rad": np.pi / 6,
                  "wavelength_m": wavelength_m}  # fmt: skip
            computed = float(day_radiance(**at, site=site) / day_radiance(**at, site="rural"))
            from_table = night_scaling(site=site, wavelength_m=wavelength_m)
            rows.append({"site": site, "wavelength": nanometres(wavelength_m), "paper": paper,
                         "from_table3": from_table, "computed": computed})  # fmt: skip
    note = (
        "From Table 3: coastal at 854 and 1550 nm come out as 2.85 and 7.56 instead of 2.86 and 7.55, which the three "
        "digits of its radiances allow. Computed: Eq. 176 with the Sun in the azimuth of the view, as Table 3's Moon "
        "is; the paper does not say where it was."
    )
    return Table(
        "table9", "Table 9: night sky of the sites per rural sky", "", "", tuple(rows), printed=True, note=note
    )
