"""Passes and losses of Wang et al.: Figs. 4 and 6, Table 2, and what is left of Fig. 5 without its cloud data."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.divergence import beam_radius_m, collected_fraction, loss_db, slab_loss_db
from satqkd.channel.fitted import FIXED_LOSS_DB, ZENITH_EXTINCTION_DB, collected_fraction_table2
from satqkd.scenario.load import load_scenario, validate_scenario
from satqkd.scenario.model import Scenario
from satqkd.study.reproduce_001_paper import CITIES, DURATIONS_S, LOSSES_DB
from satqkd.study.reproduction import Table

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "ORBITS", "clear_losses_of_fig5", "daily_union_s", "durations", "geometric_loss", "link_of", "losses", "passes_of",
    "timeline", "union_s", "week",
]  # fmt: skip

Floats = NDArray[np.float64]

PRESET: Final = "micius-china-week"
WAVELENGTH_M: Final = 1550e-9
APERTURE_M: Final = 1.2
DIVERGENCES_URAD: Final = (1.0, 3.0, 5.0, 10.0)

ORBITS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "LEO": {},
        "MEO 2500 km": {"altitude": "2500 km"},
        "MEO 5000 km": {"altitude": "5000 km"},
        "MEO 5110 km": {"altitude": "5110 km"},
        "GEO": {"kind": "geostationary", "longitude": "116 deg"},
    }
)
"""Orbit -> what differs from the preset's. The medium orbits keep angles and eccentricity of Micius; 5110 km and
116 deg east are *fitted*: they meet the paper's durations."""

_PAPER_ORBIT: Final = {"MEO 5110 km": "MEO 5000 km"}


@functools.cache
def week(orbit: str = "LEO", model: str = "fixed-divergence", step_s: float = 1.0) -> Scenario:
    """The preset's week with another orbit, channel model or step."""
    data = load_scenario(PRESET).to_dict()
    own = dict(ORBITS[orbit])
    satellite = data["satellites"][0]
    satellite["orbit"] = own if "kind" in own else {**satellite["orbit"], **own}
    data["study"]["step"] = f"{step_s:g} s"
    data["planning"]["interval"] = f"{max(10.0, step_s):g} s"
    if model != "fixed-divergence":
        data["channel"] = {"model": model}
    return validate_scenario(data)


@functools.cache
def passes_of(orbit: str) -> xr.Dataset:
    """Passes of the week; medium and high orbits to 10 s."""
    from satqkd.orbit.passes import find_passes

    return find_passes(week(orbit, step_s=1.0 if orbit == "LEO" else 10.0))


@functools.cache
def link_of(orbit: str) -> xr.Dataset:
    """Distance and elevation at every sample of the passes."""
    from satqkd.channel.evaluate import evaluate

    return evaluate(week(orbit, step_s=1.0 if orbit == "LEO" else 10.0), passes_of(orbit))


def union_s(start: NDArray[np.datetime64], end: NDArray[np.datetime64]) -> float:
    """Time in which at least one of several intervals holds. [s]"""
    order = np.argsort(start)
    first, last = start[order].astype("datetime64[ns]"), np.maximum.accumulate(end[order].astype("datetime64[ns]"))
    begin = np.concatenate([first[:1], np.maximum(first[1:], last[:-1])])
    return float(np.maximum((last - begin).astype(np.int64), 0).sum()) / 1e9


def daily_union_s() -> dict[str, tuple[float, int]]:
    """Usable time and number of overflights for each night of the low orbit, by date (UTC)."""
    passes = passes_of("LEO")
    start, end = passes.start.values, passes.end.values
    found = {}
    for day in np.unique(start.astype("datetime64[D]")):
        own = start.astype("datetime64[D]") == day
        begun = np.sort(start[own])
        groups = 1 + int((np.diff(begun) > np.timedelta64(30, "m")).sum())
        found[str(day)] = union_s(start[own], end[own]), groups
    return found


def timeline() -> Table:
    """Fig. 4: every pass of the week."""
    passes = passes_of("LEO")
    rows = [
        {
            "station": str(passes.station.values[number]),
            "start": str(np.datetime_as_string(passes.start.values[number], unit="ms")) + "Z",
            "end": str(np.datetime_as_string(passes.end.values[number], unit="ms")) + "Z",
            "duration_s": float(passes.duration_s.values[number]),
            "max_elevation_deg": float(passes.max_elevation_deg.values[number]),
        }
        for number in passes["pass"].values
    ]
    note = (
        "Each bar is a city that has Micius above 10 deg by night. The paper's figure labels 10-s intervals with the "
        "cities in view; these are the same passes to the second."
    )
    return Table("fig4_passes", "Fig. 4: passes of the week", "", "", tuple(rows), note=note)


def durations() -> Table:
    """Fig. 4 and Table 2: visible time by night and by orbit."""
    rows: list[dict[str, Any]] = [
        {"orbit": "LEO", "what": f"{day}, {groups} overflights", "paper": 1800, "ours": round(seconds)}
        for day, (seconds, groups) in daily_union_s().items()
    ]
    for orbit in ORBITS:
        passes = passes_of(orbit)
        printed = DURATIONS_S[_PAPER_ORBIT.get(orbit, orbit)]
        ours = round(union_s(passes.start.values, passes.end.values))
        rows.append({"orbit": orbit, "what": "week, at least one city", "paper": round(printed), "ours": ours})
    for city in CITIES:
        own = passes_of("LEO").station.values == city
        rows.append({"orbit": "LEO", "what": f"week, {city}, {int(own.sum())} passes", "paper": math.nan,
                     "ours": round(float(passes_of("LEO").duration_s.values[own].sum()))})  # fmt: skip
    for row in rows:
        row["difference_percent"] = 100.0 * (row["ours"] / row["paper"] - 1.0)
    note = (
        "The paper: about 30 minutes a day in two or three overflights, and the totals of Table 2. Its 5000 km are met "
        "at 5110 km (fitted); its geostationary satellite at 116 deg east (fitted)."
    )
    return Table("durations", "Fig. 4, Table 2: usable time", "", "", tuple(rows), printed=True, note=note)


def _loss_db(slant_range_m: Floats, elevation_rad: Floats, divergence_rad: float, reading: str) -> Floats:
    """Clear-sky loss of a link, receiver and detector included. [dB]"""
    radius_m = beam_radius_m(slant_range_m, wavelength_m=WAVELENGTH_M, divergence_rad=divergence_rad)
    if reading == "fitted":
        collected, zenith_db = collected_fraction_table2(radius_m), ZENITH_EXTINCTION_DB
    else:
        collected, zenith_db = collected_fraction(radius_m, aperture_diameter_m=APERTURE_M), 2.0
    return loss_db(collected) + slab_loss_db(elevation_rad, zenith_loss_db=zenith_db) + FIXED_LOSS_DB


@functools.cache
def _samples(orbit: str, city: str) -> tuple[Floats, Floats]:
    """Distance [m] and elevation [rad] while a city has the satellite in view."""
    link = link_of(orbit).sel(station=city)
    seen = np.isfinite(link.slant_range.values)
    return link.slant_range.values[seen], np.radians(link.elevation.values[seen])


def _ranges(orbit: str, city: str, divergence_rad: float, reading: str) -> tuple[float, float]:
    lost = _loss_db(*_samples(orbit, city), divergence_rad, reading)
    return float(lost.min()), float(lost.max())


def losses() -> Table:
    """Table 2: lowest and highest loss by orbit, divergence and city."""
    rows = []
    for orbit in ("LEO", "MEO 2500 km", "MEO 5110 km", "GEO"):
        for divergence in DIVERGENCES_URAD:
            printed = LOSSES_DB.get((_PAPER_ORBIT.get(orbit, orbit), divergence))
            for city in CITIES:
                row: dict[str, Any] = {"orbit": orbit, "divergence_urad": divergence, "city": city}
                row["paper_lowest_db"], row["paper_highest_db"] = printed[city] if printed else (math.nan, math.nan)
                for reading in ("printed", "fitted"):
                    low, high = _ranges(orbit, city, 1e-6 * divergence, reading)
                    row |= {f"{reading}_lowest_db": low, f"{reading}_highest_db": high}
                rows.append(row)
    note = (
        "Clear sky. printed: Eqs. 1 and 2 with Table 1 (aperture 1.2 m, 2 dB at zenith); fitted: constants fitted to "
        "the geostationary row. The paper's upper ends contain its clouds (inf: overcast) and cannot be compared; its "
        "lower ends should be free of them."
    )
    return Table("table2", "Table 2: losses by orbit and city", "city", "orbit", tuple(rows), note=note)


def clear_losses_of_fig5() -> list[dict[str, Any]]:
    """Fig. 5b: highest loss from 16:32:40 to 16:35:00 UTC on 23 September, and the paper's without its clouds."""
    rows = []
    for city, total, cloud in (("Xi'an", 37.6, 4.7), ("Chengdu", 33.8, 2.1)):
        link = link_of("LEO").sel(station=city).isel(satellite=0)
        chosen = (link.time.values >= np.datetime64("2016-09-23T16:32:40")) & (
            link.time.values <= np.datetime64("2016-09-23T16:35:00")
        )
        own = link.isel(time=chosen)
        arguments = own.slant_range.values, np.radians(own.elevation.values), 10e-6
        rows.append(
            {
                "quantity": f"Fig. 5b, {city}: highest loss less clouds [dB]",
                "paper": total - cloud,
                "printed": float(np.nanmax(_loss_db(*arguments, "printed"))),
                "fitted": float(np.nanmax(_loss_db(*arguments, "fitted"))),
            }
        )
    return rows


def geometric_loss() -> Table:
    """Fig. 6: geometric loss at zenith against altitude."""
    altitude_m = np.geomspace(3e5, 3.6e7, 60)
    rows = []
    for divergence in DIVERGENCES_URAD:
        radius_m = beam_radius_m(altitude_m, wavelength_m=WAVELENGTH_M, divergence_rad=1e-6 * divergence)
        printed = loss_db(collected_fraction(radius_m, aperture_diameter_m=APERTURE_M))
        fitted = loss_db(collected_fraction_table2(radius_m))
        rows += [
            {
                "divergence": f"{divergence:g} µrad",
                "altitude_km": float(altitude / 1e3),
                "printed_db": float(one),
                "fitted_db": float(other),
            }
            for altitude, one, other in zip(altitude_m, printed, fitted, strict=True)
        ]
    note = "The figure has no printed numbers. At 1 µrad the waist of Eq. 2, λ/πφ = 0.49 m, is as large as the spot."
    return Table("fig6", "Fig. 6: geometric loss against altitude", "altitude_km", "divergence", tuple(rows), note=note)
