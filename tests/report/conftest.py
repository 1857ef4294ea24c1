"""Synthetic runs with the tables of a real one: a circular orbit on a sphere, a plain link, a plain key."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from satqkd.scenario import load_scenario
from satqkd.scenario.load import validate_scenario
from satqkd.variables import describe

RADIUS_M, HEIGHT_M, STEP_S = 6_371_000.0, 500_000.0, 10.0
OVERFLIGHTS = (("2016-09-19T16:30", 112.0), ("2016-09-19T18:03", 96.0), ("2016-09-20T16:12", 117.0),
               ("2016-09-20T17:45", 104.0), ("2016-09-21T23:59", 113.0))  # fmt: skip


def scenario(stations: int = 3, **changes: Any) -> Any:
    data = load_scenario("micius-china-week").to_dict()
    data["stations"] = data["stations"][:stations]
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = data
        for parent in parents:
            place = place[parent]
        place[last] = value
    return validate_scenario(data)


def _direction(latitude: Any, longitude: Any) -> np.ndarray:
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1
    )


def synthetic_run(case: Any = None, *, overflights: Any = OVERFLIGHTS, extra_loss_db: float = 0.0) -> Any:
    """One satellite flying due south over the stations at the given instants and longitudes."""
    case = case or scenario()
    names = [station.name for station in case.stations]
    satellite = case.satellites[0].name
    seconds = np.arange(-420.0, 421.0, STEP_S)
    site = _direction(*np.transpose([(s.latitude, s.longitude) for s in case.stations]))
    columns: dict[str, list[Any]] = {name: [] for name in ("time", "lat", "lon", "elevation", "range", "number")}
    rows: list[dict[str, Any]] = []
    for instant, longitude_deg in overflights:
        time = np.datetime64(instant, "ns") + (seconds * 1e9).astype("timedelta64[ns]")
        latitude = np.radians(34.0) - 7.6e3 * seconds / (RADIUS_M + HEIGHT_M)
        longitude = np.radians(longitude_deg - 0.004 * seconds)
        offset = (RADIUS_M + HEIGHT_M) * _direction(latitude, longitude)[None] - RADIUS_M * site[:, None]
        distance = np.linalg.norm(offset, axis=-1)
        elevation = np.degrees(np.arcsin(np.einsum("stk,sk->st", offset, site) / distance))
        number = np.full(elevation.shape, -1)
        for row, name in enumerate(names):
            seen = np.flatnonzero(elevation[row] >= 10.0)
            if seen.size < 3:
                continue
            dark = instant.endswith("23:59") and row == 1
            if dark:
                seen = seen[: seen.size // 2]
            number[row, seen] = len(rows)
            top = seen[elevation[row, seen].argmax()]
            rows.append(
                {
                    "satellite": satellite, "station": name, "start": time[seen[0]], "end": time[seen[-1]],
                    "culmination": time[top], "start_limit": "elevation",
                    "end_limit": "darkness" if dark else "elevation",
                    "max_elevation_deg": elevation[row, top], "min_slant_range_km": distance[row, top] / 1e3,
                    "duration_s": STEP_S * (seen.size - 1), "truncated": False, "elements_age_d": -2.0,
                }
            )  # fmt: skip
        used = (number >= 0).any(axis=0)
        for key, value in zip(columns, (time, np.degrees(latitude), np.degrees(longitude)), strict=False):
            columns[key].append(value[used])
        for key, table in (("elevation", elevation), ("range", distance), ("number", number)):
            columns[key].append(np.where(number >= 0, table, np.nan if key != "number" else -1)[:, used])
    if rows:
        rows[-1] |= {"end_limit": "window", "truncated": True}
    link = _link(case, names, satellite, columns, extra_loss_db)
    passes = _table(rows, _PASS_TYPES)
    keys = _keys(case, rows, link)
    return SimpleNamespace(
        scenario=case, passes=passes, link=link, keys=keys, schedule=_schedule(case, names, link),
        provenance={
            "satqkd": "0.1.0", "python": "3.11.0", "numpy": "2.0.0", "scenario_hash": case.hash, "seed": 0,
            "created": "2026-01-02T03:04:05Z",
            "wall_time_s": {"passes": 0.1234567890123, "link": 1.5, "keys": 2.25, "schedule": 0.01},
            "citations": ["Lim et al., Phys. Rev. A 89, 022307 (2014)"],
            "warnings": ["elements are 61 d from the window"],
            "mission_epsilon": {
                name: {
                    "keys": int(((keys["station"] == name) & (keys["key_bits"] > 0)).sum()),
                    "eps_total": 1.000001e-9 * int(((keys["station"] == name) & (keys["key_bits"] > 0)).sum()),
                }
                for name in names
            },
        },
    )  # fmt: skip


_PASS_TYPES = {
    "satellite": "U", "station": "U", "start": "M8[ns]", "end": "M8[ns]", "culmination": "M8[ns]", "start_limit": "U",
    "end_limit": "U", "max_elevation_deg": float, "min_slant_range_km": float, "duration_s": float,
    "truncated": bool, "elements_age_d": float,
}  # fmt: skip
_KEY_TYPES = {
    "satellite": "U", "station": "U", "start": "M8[ns]", "day": "U", "pulses": float, "sifted_bits": float,
    "qber": float, "vacuum_lower": float, "single_photon_lower": float, "phase_error_upper": float,
    "leak_ec_bits": float, "key_bits": np.int64, "key_bits_asymptotic": float, "reason": "U", "margin_db": float,
    "mean_loss_db": float, "eps_secrecy": float, "eps_correctness": float,
}  # fmt: skip


def _table(rows: list[dict[str, Any]], types: dict[str, Any]) -> xr.Dataset:
    def column(name: str, kind: Any) -> np.ndarray:
        values = [row[name] for row in rows]
        return np.array(values, dtype=str if kind == "U" else kind)

    data = {name: ("pass", column(name, kind)) for name, kind in types.items()}
    return describe(xr.Dataset(data, coords={"pass": np.arange(len(rows))}))


def _link(case: Any, names: list[str], satellite: str, columns: Any, extra_loss_db: float) -> xr.Dataset:
    empty = not columns["time"]
    shape = (len(names), 0)
    join = {k: np.concatenate(v, axis=-1) if v else np.zeros(shape) for k, v in columns.items()}
    elevation, distance = join["elevation"], join["range"]
    sine = np.sin(np.radians(elevation))
    losses = {
        "loss_geometric_db": 20.0 * np.log10(distance * 10e-6 / 1.2) + extra_loss_db,
        "loss_atmosphere_db": 2.0 / sine, "loss_pointing_db": 2.0 + 0.0 * sine,
        "loss_coupling_db": 3.0 + 0.0 * sine, "loss_detector_db": 3.0 + 0.0 * sine,
    }  # fmt: skip
    total = sum(losses.values())
    eta = 10.0 ** (-total / 10.0)
    data = {"elevation": elevation, "azimuth": 0.0 * elevation, "slant_range": distance, **losses,
            "loss_total_db": total, "transmittance": eta, "p_noise": 3e-6 + 0.0 * eta, "background": 600.0 + 0.0 * eta,
            "rate_asymptotic": np.where(np.isnan(eta), np.nan, np.maximum(0.0, 200e6 * (0.2 * eta - 4e-6))),
            "pass_number": join["number"].astype(int)}  # fmt: skip
    track = {"satellite_latitude": join["lat"], "satellite_longitude": join["lon"]}
    return describe(
        xr.Dataset(
            {name: (("station", "satellite", "time"), np.asarray(v)[:, None]) for name, v in data.items()}
            | {name: (("satellite", "time"), np.asarray(v).reshape(1, -1)) for name, v in track.items()},
            coords={
                "station": names, "satellite": [satellite],
                "time": np.array([], "M8[ns]") if empty else join["time"],
            },
        )
    )  # fmt: skip


def _keys(case: Any, rows: list[dict[str, Any]], link: xr.Dataset) -> xr.Dataset:
    table = []
    for number, row in enumerate(rows):
        inside = link["pass_number"].values == number
        eta, rate = link["transmittance"].values[inside], link["rate_asymptotic"].values[inside]
        sifted = float(200e6 * STEP_S * 0.3 * eta.sum())
        key = int(max(0.0, 0.15 * sifted - 40_000.0))
        reason = "" if key else f"TOO_FEW_COUNTS: {sifted:.0f} sifted bits, {40_000 / 0.15:.0f} would suffice"
        if rate.sum() == 0.0:
            reason = "QBER_TOO_HIGH: 8.1 %, below 5 % would suffice"
        table.append(
            {
                "satellite": row["satellite"], "station": row["station"], "start": row["start"],
                "day": str(row["start"])[:10], "pulses": 200e6 * row["duration_s"], "sifted_bits": sifted,
                "qber": 0.02, "vacuum_lower": 10.0, "single_photon_lower": 0.5 * sifted, "phase_error_upper": 0.04,
                "leak_ec_bits": 0.16 * sifted, "key_bits": key,
                "key_bits_asymptotic": float(rate.sum() * STEP_S), "reason": reason,
                "margin_db": 10.0 * np.log10(sifted * 0.15 / 40_000.0) if rate.sum() else -np.inf,
                "mean_loss_db": -10.0 * np.log10(eta.mean()), "eps_secrecy": 1e-9, "eps_correctness": 1e-15,
            }
        )  # fmt: skip
    return _table(table, _KEY_TYPES)


def _schedule(case: Any, names: list[str], link: xr.Dataset) -> xr.Dataset:
    rate = np.nan_to_num(link["rate_asymptotic"].values[:, 0]) * STEP_S
    best = rate.argmax(axis=0) if rate.size else np.zeros(0, int)
    assigned = np.array(names)[best] if rate.size else np.array([], "U9")
    if assigned.size:
        assigned = np.where(rate.max(axis=0) > 0.0, assigned, "idle")
    bits = rate.max(axis=0) if rate.size else np.zeros(0)
    start = np.datetime64(case.study.start.replace(tzinfo=None), "ns")
    number = ((link["time"].values - start) / np.timedelta64(10, "s")).astype(int)
    return describe(
        xr.Dataset(
            {
                "assigned": (("satellite", "interval"), assigned[None]),
                "interval_bits": (("satellite", "interval"), bits[None]),
                "delivered_bits": ("station", [float(bits[assigned == name].sum()) for name in names]),
                "available_bits": ("station", rate.sum(axis=1)),
            },
            coords={
                "satellite": link["satellite"].values, "station": names, "interval": number,
                "interval_start": ("interval", link["time"].values),
            },
        )
    )  # fmt: skip


@pytest.fixture(scope="session")
def run() -> Any:
    return synthetic_run()


@pytest.fixture(scope="session")
def empty_run() -> Any:
    return synthetic_run(overflights=())


@pytest.fixture(scope="session")
def make_run() -> Any:
    """Function that makes a synthetic run."""
    return synthetic_run


@pytest.fixture(scope="session")
def make_scenario() -> Any:
    """Function that makes its scenario."""
    return scenario
