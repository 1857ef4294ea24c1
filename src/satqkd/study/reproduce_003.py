"""Figures 2-7 and E1-E4 and Table II of Sidhu et al., npj Quantum Inf. 8, 18 (2022), as tables of our keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.security.lim2014_analysis import Lim2014
from satqkd.security.optimise import Optimum, best
from satqkd.study.overpasses import BASELINE, CURVE_ALTITUDE_M, annual_key, keys_over_offsets, overpass, pass_key
from satqkd.study.reproduction import Progress, Study, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CONVENTIONS", "PAPER", "STUDY", "checks", "figure", "offset_of", "tables"]

STUDY = Study(
    paper="Sidhu et al., Finite key effects in satellite quantum key distribution",
    lead="Full lines: conventions of the code published with the paper. Dashed: this package's defaults. "
    "Grey in a map: no key.",
    check_columns={
        "quantity": "quantity",
        "system_loss_db": "system loss [dB]",
        "paper": "paper",
        "published": "published conventions",
        "sound": "sound defaults",
    },
)

CONVENTIONS: Mapping[str, Mapping[str, str]] = {
    "published": {"sampling": "lim2014", "leakage": "satquma"},
    "sound": {},
}
"""The conventions of the code published with the paper, and this package's defaults."""

SYSTEMS_DB = (27.0, 30.0, 33.0, 37.0, 40.0)
PAPER = {
    "Table II, integral [bit m]": dict(zip(SYSTEMS_DB, (3.74e12, 1.52e12, 5.40e11, 8.75e10, 1.13e10), strict=True)),
    "Fig. 5, area lost to the limit of 10 deg [%]": {27.0: 18.82, 30.0: 13.37, 33.0: 3.58},
    "Fig. 7, biased over symmetric, gain [%]": {37.0: 86.0, 40.0: 182.0},
}
"""Numbers printed in the paper, by system loss in dB."""

_LABELS: Mapping[str, str] = {
    "half_window_s": "half window [s]",
    "system_loss_db": "system loss [dB]",
    "offset_km": "ground-track offset [km]",
    "p_extraneous": "extraneous counts per pulse",
    "qber_intrinsic": "intrinsic error rate",
    "passes": "passes in a block",
}
"""Axis of a column."""


def offset_of(max_elevation_deg: float) -> float:
    """Ground-track offset of a pass that culminates at an elevation. [m]"""
    elevation = math.radians(max_elevation_deg)
    ratio = MEAN_EARTH_RADIUS_M / (MEAN_EARTH_RADIUS_M + CURVE_ALTITUDE_M)
    return MEAN_EARTH_RADIUS_M * (math.acos(ratio * math.cos(elevation)) - elevation)


def _bits(found: Optimum | None) -> float:
    return 0.0 if found is None else max(float(found.key.key_bits_raw), 0.0)


class _Sweep:
    """Optimised passes with both conventions, each starting from its predecessor."""

    def __init__(self) -> None:
        self._last: dict[str, Optimum | None] = dict.fromkeys(CONVENTIONS)

    def at(self, offset_m: float, **options: Any) -> dict[str, float]:
        for name, convention in CONVENTIONS.items():
            self._last[name] = pass_key(offset_m, start=self._last[name], **{**convention, **options})
        return {f"key_bits_{name}": _bits(found) for name, found in self._last.items()}

    def optimum(self) -> Optimum | None:
        return self._last["published"]


def _window() -> Table:
    rows = []
    for system_db in SYSTEMS_DB:
        time_s, eta = overpass(0.0, min_elevation_deg=0.0, extra_loss_db=system_db - 27.0)
        last: dict[str, Optimum | None] = dict.fromkeys(CONVENTIONS)
        for half in np.arange(20.0, 341.0, 10.0):
            row: dict[str, Any] = {"system_loss_db": system_db, "half_window_s": float(half)}
            for name, convention in CONVENTIONS.items():
                fixed = {**BASELINE, **convention, "transmittance": eta[np.abs(time_s) <= half]}
                found = last[name] = best("lim2014", fixed=fixed, start=last[name])
                row[f"key_bits_{name}"], row["qber"] = _bits(found), found.key.qber
            rows.append(row)
    return Table("fig2", "Fig. 2: key against transmission window", "half_window_s", "system_loss_db", tuple(rows))


def _loss(name: str, title: str, parameter: str, values: Sequence[float]) -> Table:
    rows = []
    for value in values:
        for passes, kind in ((1, "one pass"), (2, "two passes"), (0, "block asymptote")):
            sweep = _Sweep()
            for extra_db in np.arange(0.0, 15.1, 1.0):
                options: dict[str, Any] = {parameter: value}
                if passes:
                    options["passes"] = passes
                else:
                    options |= {"bound": "asymptotic", "leakage": "block"}
                keys = sweep.at(0.0, extra_loss_db=float(extra_db), **options)
                rows.append({"curve": f"{value:g}, {kind}", "system_loss_db": 27.0 + float(extra_db), **keys})
    return Table(name, title, "system_loss_db", "curve", tuple(rows))


def _noise_map(system_db: float, elevation_deg: float) -> Table:
    rows = []
    for qber in np.linspace(0.0, 0.05, 11):
        sweep = _Sweep()
        for noise in np.geomspace(1e-8, 1e-5, 16):
            keys = sweep.at(offset_of(elevation_deg), extra_loss_db=system_db - 27.0, p_extraneous=float(noise),
                            qber_intrinsic=float(qber))  # fmt: skip
            place = {"p_extraneous": float(noise), "qber_intrinsic": float(qber)}
            rows.append({"curve": f"QBER_I {100 * qber:g} %", **place, **keys})
    title = f"Figs. 4 and E1: key against noise, {system_db:g} dB, {elevation_deg:g} deg"
    return Table(f"fig4_{system_db:g}db_{elevation_deg:g}deg", title, "p_extraneous", "curve", tuple(rows),
                 ordinate="qber_intrinsic")  # fmt: skip


def _offsets() -> Table:
    rows = []
    for system_db in SYSTEMS_DB:
        for limit_deg in (10.0, 0.0):
            sweep = _Sweep()
            for offset_km in np.arange(0.0, 2401.0, 50.0):
                keys = sweep.at(1e3 * float(offset_km), extra_loss_db=system_db - 27.0, min_elevation_deg=limit_deg)
                curve = f"{system_db:g} dB, above {limit_deg:g} deg"
                rows.append({"curve": curve, "offset_km": float(offset_km), **keys})
                if max(keys.values()) <= 0.0:
                    break
    return Table("fig5", "Fig. 5: key against ground-track offset", "offset_km", "curve", tuple(rows))


def _passes() -> Table:
    systems = {"A": (45.7, 1e-7, 0.005), "B": (44.8, 1e-7, 0.01), "C": (40.5, 5e-7, 0.01)}
    rows = []
    for label, (system_db, noise, qber) in systems.items():
        sweep = _Sweep()
        for passes in range(1, 21):
            keys = sweep.at(0.0, extra_loss_db=system_db - 27.0, p_extraneous=noise, qber_intrinsic=qber, passes=passes)
            rows.append({"system": label, "passes": passes, **keys})
    return Table("fig6", "Fig. 6: key per pass against passes in a block", "passes", "system", tuple(rows))


def _protocols() -> Table:
    rows = []
    for system_db in (37.0, 40.0):
        for analysis, protocol in (("lim2014", "biased"), ("lim2014-standard", "symmetric")):
            sweep = _Sweep()
            for offset_km in np.arange(0.0, 1001.0, 25.0):
                keys = sweep.at(1e3 * float(offset_km), analysis=analysis, extra_loss_db=system_db - 27.0)
                rows.append({"curve": f"{system_db:g} dB, {protocol}", "offset_km": float(offset_km), **keys})
                if max(keys.values()) <= 0.0:
                    break
    return Table("fig7", "Fig. 7: biased and symmetric BB84 against offset", "offset_km", "curve", tuple(rows))


def _against_loss(name: str, title: str, curves: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = []
    for elevation in (90.0,) if name == "e3" else (90.0, 60.0):
        for curve, options in curves.items():
            sweep = _Sweep()
            for extra_db in np.arange(0.0, 18.1, 1.0):
                keys = sweep.at(offset_of(elevation), extra_loss_db=float(extra_db), **options)
                row = {"curve": f"{curve}, {elevation:g} deg", "system_loss_db": 27.0 + float(extra_db), **keys}
                if name == "e3" and (found := sweep.optimum()) is not None and _bits(found) > 0.0:
                    mu, p = found.parameters["intensities"], found.parameters["intensity_probabilities"]
                    row |= {"mu_1": mu[0], "mu_2": mu[1], "p_1": p[0], "p_2": p[1], "p_3": p[2],
                            "p_key_basis": found.parameters["p_key_basis"]}  # fmt: skip
                rows.append(row)
    return Table(name, title, "system_loss_db", "curve", tuple(rows))


def tables(*, progress: Progress | None = None) -> list[Table]:
    """Compute every figure.

    Parameters
    ----------
    progress : callable, optional
        Called with the stage, figures done, figures in total.

    Returns
    -------
    list of Table
        One per figure, for Figs. 4 and E1 one per panel.
    """
    rates = {f"{rate:g} MHz": {"pulses_per_slot": 1e6 * rate} for rate in (100.0, 200.0, 500.0, 1000.0)}
    both = {"biased": {"analysis": "lim2014"}, "symmetric": {"analysis": "lim2014-standard"}}
    tasks: list[Callable[[], Table]] = [
        _window,
        lambda: _loss("fig3a", "Fig. 3a: key against loss and noise", "p_extraneous", (1e-7, 5e-7, 1e-6, 5e-6)),
        lambda: _loss("fig3b", "Fig. 3b: key against loss and errors", "qber_intrinsic", (0.001, 0.005, 0.01, 0.03)),
        *(
            partial(_noise_map, system_db, elevation_deg)
            for elevation_deg in (90.0, 60.0)
            for system_db in (33.0, 37.0, 40.5)
        ),
        _offsets,
        _passes,
        _protocols,
        lambda: _against_loss("e2", "Fig. E2: key against loss and pulse rate", rates),
        lambda: _against_loss("e3", "Fig. E3: optimised parameters against loss", {"optimum": {}}),
        lambda: _against_loss("e4", "Fig. E4: biased and symmetric BB84 against loss", both),
    ]
    made = []
    for done, task in enumerate(tasks, 1):
        made.append(task())
        if progress is not None:
            progress("figures", done, len(tasks))
    return made


class _WithoutCap(Lim2014):
    """The printed formulas: single-photon errors of the test basis may exceed the errors seen there."""

    _capped = False


def _area_without_cap(system_db: float, limit_deg: float) -> float:
    """Integral of the key over the offset, as the search computes it (within 1e-5). [bit m]"""
    step_m, keys, found = 25e3, [math.inf], None
    while keys[-1] > 0.0:
        found = pass_key(step_m * (len(keys) - 1), analysis=_WithoutCap(), extra_loss_db=system_db - 27.0,
                         min_elevation_deg=limit_deg, start=found, sampling="lim2014", leakage="published")  # fmt: skip
        keys.append(0.0 if found is None else max(found.objective_bits, 0.0))
    return float(np.trapezoid(keys[1:], dx=step_m))


def checks() -> list[dict[str, Any]]:
    """Printed numbers beside ours, with the published conventions and with the sound defaults.

    Returns
    -------
    list of dict
        ``quantity``, ``system_loss_db``, ``paper``, ``published``, ``sound``.
    """
    rows: list[dict[str, Any]] = []

    def area(system_db: float, **options: Any) -> float:
        return keys_over_offsets(extra_loss_db=system_db - 27.0, **options).integral_bit_m

    def add(quantity: str, value: Callable[[float, Mapping[str, str]], float], published: Mapping[str, str]) -> None:
        for system_db, printed in PAPER[quantity].items():
            ours = {"published": value(system_db, published), "sound": value(system_db, {})}
            rows.append({"quantity": quantity, "system_loss_db": system_db, "paper": printed, **ours})

    def lost(system_db: float, options: Mapping[str, str]) -> float:
        return 100.0 * (1.0 - area(system_db, **options) / area(system_db, min_elevation_deg=0.0, **options))

    def lost_without_cap(system_db: float) -> float:
        limited, whole = (_area_without_cap(system_db, limit_deg) for limit_deg in (10.0, 0.0))
        return 100.0 * (1.0 - limited / whole)

    def gain(system_db: float, options: Mapping[str, str]) -> float:
        return 100.0 * (area(system_db, **options) / area(system_db, analysis="lim2014-standard", **options) - 1.0)

    without_floor = {"sampling": "lim2014", "leakage": "published"}
    integral, limit, protocol = PAPER
    add(integral, lambda system_db, options: area(system_db, **options), without_floor)
    add(limit, lost, without_floor)
    for system_db, printed in PAPER[limit].items():
        rows.append({"quantity": "Fig. 5, errors not capped [%]", "system_loss_db": system_db, "paper": printed,
                     "published": lost_without_cap(system_db), "sound": math.nan})  # fmt: skip
    add(protocol, gain, CONVENTIONS["published"])
    for system_db in SYSTEMS_DB:
        keys = keys_over_offsets(extra_loss_db=system_db - 27.0)
        value = annual_key(keys, latitude_deg=55.9) / 1e9
        rows.append({"quantity": "key per year at 55.9 deg, both sides [Gbit]", "system_loss_db": system_db,
                     "paper": math.nan, "published": math.nan, "sound": value})  # fmt: skip
    return rows


def figure(table: Table) -> Figure:
    """Curves of a table: keys, or the optimum's parameters."""
    from satqkd.plot.curves import curves
    from satqkd.plot.key_maps import fields_of, key_maps

    rows: Sequence[Mapping[str, Any]] = table.rows
    parameters = any("mu_1" in row for row in rows)
    lines = {"key_bits_published": "published conventions", "key_bits_sound": "sound defaults"}
    label, series = "key per pass [bit]", table.series
    if parameters:  # one curve per parameter
        names = {name: name.replace("_", " ") for name in ("p_key_basis", "mu_1", "mu_2", "p_1", "p_2", "p_3")}
        rows = [{table.x: row[table.x], "parameter": text, "value": row[column]}
                for column, text in names.items() for row in table.rows if column in row]  # fmt: skip
        lines, label, series = {"value": "published conventions"}, "optimum", "parameter"
    elif series == "system_loss_db":
        rows = [{**row, series: f"{row[series]:g} dB"} for row in rows]
    x_label = _LABELS.get(table.x, table.x)
    if table.ordinate:
        x, y, fields = fields_of(rows, x=table.x, y=table.ordinate, columns=list(lines))
        return key_maps(x, y, dict(zip(lines.values(), fields, strict=True)), title=table.title, x_label=x_label,
                        y_label=_LABELS[table.ordinate], colour_label=label, log_x=True)  # fmt: skip
    return curves(rows, x=table.x, series=series, lines=lines, title=table.title, x_label=x_label,
                  y_label=label, log_y=not parameters)  # fmt: skip
