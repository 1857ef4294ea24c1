"""Channel and sky of Mannalath, Zapatero and Curty, arXiv:2605.29706: Figs. 2, 3, 10, 15, 17-22, 28, Tables 3, 9."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.published_radiance import WAVELENGTHS_M
from satqkd.study import reproduce_004_claims as claims
from satqkd.study import reproduce_004_distance as distance
from satqkd.study import reproduce_004_losses as losses
from satqkd.study import reproduce_004_sky as sky
from satqkd.study.reproduce_004_link import nanometres
from satqkd.study.reproduction import Progress, Study, Table, drawn_by_name, steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STUDY", "checks", "figure", "tables"]

STUDY = Study(
    paper="Mannalath, Zapatero, Curty, Finite-key feasibility of geostationary quantum key distribution: channel",
    lead="Loss, background light and keys of the geostationary downlink. Each figure has its caption's parameters, "
    "otherwise the defaults of Table 1: urban, 60 deg, apertures of 0.75 and 1.5 m, jitter 0.5 µrad, adaptive optics "
    "with 130 Hz, fibre, SNSPD Spec B. Few of the figures come with numbers; where the paper prints none, those of an "
    "independent program for its equations stand beside ours.",
    check_columns={
        "quantity": "quantity",
        "reading": "reading used",
        "source": "source",
        "there": "there",
        "ours": "ours",
        "difference_percent": "difference [%]",
    },
    headings={
        "residual_percent": "residual [%]",
        "from_table3": "from Table 3",
        "origin": "irradiance behind it",
    },
    check_title="Printed numbers and claims",
)

_TASKS: Final[tuple[Callable[[], Table], ...]] = (
    sky.sky_maps,
    losses.apertures,
    partial(distance.key_over_distance, WAVELENGTHS_M[1]),
    partial(distance.key_over_distance, WAVELENGTHS_M[2]),
    losses.spot_radius,
    losses.loss_terms,
    sky.sky_over_cities,
    sky.sun_paths,
    sky.moonlight,
    distance.transmission,
    distance.radiances_at_45,
    sky.noise_levels,
    losses.pointing_errors,
    sky.table_3,
    sky.table_3_ratios,
    sky.table_9,
)


def _left_out() -> Table:
    missing = (
        ("Figs. 9, 16, 26", "cloud statistics of CRAAS (NetCDF, not redistributed here)",
         "satqkd clouds occurrence reads the file, or takes ITU-R P.840 as a proxy"),
        ("Fig. 19", "ESO SkyCalc, an online service", "scattered moonlight anchored at Table 3"),
        ("Fig. 20, radiance against wavelength", "solar spectrum that resolves Fraunhofer lines", "three wavelengths"),
        ("Figs. 2 and 18 near the Sun", "phase function of the aerosol's forward peak", "Henyey-Greenstein"),
        ("Figs. 1, 4-8, 11, 23-25, 27, 29-32", "not part of this page",
         "Fig. 11: satqkd reproduce 004; maps of keys: satqkd keymap"),
    )  # fmt: skip
    rows = tuple({"figure": a, "what is missing": b, "here instead": c} for a, b, c in missing)
    return Table("left_out", "What is not reproduced, and why", "", "", rows, printed=True)


def tables(*, progress: Progress | None = None) -> list[Table]:
    """Compute every figure and table.

    Parameters
    ----------
    progress : callable, optional
        Called with the stage, tables done, tables in total.

    Returns
    -------
    list of Table
        In the order of the page.
    """
    return steps([*_TASKS, _left_out], progress)


def checks() -> list[dict[str, Any]]:
    """Numbers and statements of the paper, and of an independent implementation, beside ours.

    Returns
    -------
    list of dict
        See :func:`satqkd.study.reproduce_004_claims.checks`.
    """
    return claims.checks()


Rows = Sequence[Mapping[str, Any]]


def _panels(
    table: Table, row: str, column: str, value: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[Any, Any]]:
    """Fields of a table by the values of two columns."""
    from satqkd.plot.key_maps import fields_of

    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in table.rows:
        groups.setdefault((one[row] if row else "", one[column]), []).append(one)
    x = y = np.empty(0)
    made = {}
    for key, rows in groups.items():
        x, y, (made[key],) = fields_of(rows, x=table.x, y=table.ordinate, columns=[value])
    return x, y, made


def _apertures(table: Table) -> Figure:
    from satqkd.plot.panels import contour_panels

    x, y, fields = _panels(table, "wavelength", "adaptive_optics", "loss_db")
    named = {(row, f"adaptive optics {column}"): field for (row, column), field in fields.items()}
    return contour_panels(x, y, named, title=table.title, x_label="receiver aperture [m]",
                          y_label="transmitter aperture [m]", colour_label="system loss [dB]")  # fmt: skip


def _pointing(table: Table) -> Figure:
    from satqkd.plot.panels import contour_panels

    x, y, fields = _panels(table, "tx_aperture", "wavelength", "loss_db")
    named = {(f"transmitter {row}", column): field for (row, column), field in fields.items()}
    return contour_panels(x, y, named, title=table.title, x_label="receiver aperture [m]",
                          y_label="pointing error per axis [µrad]", colour_label="system loss [dB]")  # fmt: skip


_TERM_NAMES: Final = {"geometric_db": "collection", "pointing_db": "pointing", "coupling_db": "coupling",
                      "atmosphere_db": "atmosphere", "receiver_detector_db": "receiver and detector"}  # fmt: skip


def _terms(table: Table) -> Figure:
    from satqkd.plot.panels import stacked_panels

    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in table.rows:
        groups.setdefault((row["wavelength"], row["system"]), []).append(row)
    panels = {
        key: {name: np.array([row[term] for row in rows]) for term, name in _TERM_NAMES.items()}
        for key, rows in groups.items()
    }
    x = np.array([row["zenith_deg"] for row in next(iter(groups.values()))])
    return stacked_panels(x, panels, title=table.title, x_label="zenith angle [deg]", y_label="loss [dB]")


_RADIANCE: Final = "radiance [mW m⁻² nm⁻¹ sr⁻¹]"


def _sky(table: Table) -> Figure:
    from satqkd.plot.sky import sky_maps

    x, y, fields = _panels(table, "wavelength", "site", "radiance")
    levels, named = {}, {}
    for (wavelength, site), field in fields.items():
        named[f"{site}, {wavelength}"] = field
        own = next(one for one in sky.CRITICAL_FILTERS_HZ if nanometres(one) == wavelength)
        values = sky.critical_levels(own).tolist()
        levels[f"{site}, {wavelength}"] = [
            (value, f"{1e-9 * width:g} GHz") for value, width in zip(values, sky.CRITICAL_FILTERS_HZ[own], strict=True)
        ]
    return sky_maps(x, y, named, title=table.title, colour_label=_RADIANCE, levels=levels,
                    views_deg=dict.fromkeys(named, (180.0, 60.0)))  # fmt: skip


def _cities(table: Table) -> Figure:
    from satqkd.plot.sky import sky_maps

    x, y, fields = _panels(table, "", "city", "radiance")
    paths: dict[str, dict[str, Any]] = {}
    for row in sky.sun_paths().rows:
        line = paths.setdefault(row["city"], {}).setdefault(row["season"], ([], []))
        line[0].append(row["sun_azimuth_deg"])
        line[1].append(row["sun_zenith_deg"])
    named = {city: field for (_, city), field in fields.items()}
    views = {city: tuple(np.degrees(sky.view_from(city)[::-1]).tolist()) for city in named}
    return sky_maps(x, y, named, title=table.title, colour_label=_RADIANCE, views_deg=views, paths=paths, columns=3)


def _curves(
    table: Table, *, lines: Mapping[str, str], x_label: str, y_label: str, log_x: bool = False, log_y: bool = True
) -> Figure:
    from satqkd.plot.curves import curves

    return curves(table.rows, x=table.x, series=table.series, lines=lines, title=table.title, y_label=y_label,
                  x_label=x_label, log_x=log_x, log_y=log_y)  # fmt: skip


def _distance(table: Table) -> Figure:
    from satqkd.plot.curves import curves

    drawn = [row for row in table.rows if row["key_bits"] >= 1.0]  # fibres fall to 1e-400 bits
    return curves(drawn, x=table.x, series=table.series, lines={"key_bits": "key of 10¹² pulses"}, title=table.title,
                  x_label="ground arc [km]", y_label="key [bit]", log_x=True)  # fmt: skip


def _noise(table: Table) -> Figure:
    from satqkd.plot.marks import marks

    names = {"night": "night", "day-low": "day, low", "day-moderate": "day, moderate", "day-high": "day, high"}
    rows = [{**row, "site": row["site"][0].upper()} for row in table.rows]
    return marks(rows, block="condition", place="site", colour="wavelength", shape="detector", value="p_noise",
                 title=table.title, y_label="noise clicks per gate", names=names)  # fmt: skip


_FIGURES: Final[Mapping[str, Callable[[Table], Figure]]] = MappingProxyType(
    {
        "fig2": _sky,
        "fig3_fig28": _apertures,
        "fig10_854": _distance,
        "fig10_1550": _distance,
        "fig15": partial(
            _curves, lines={"vacuum_m": "vacuum", "turbulence_m": "with turbulence"}, x_label="zenith angle [deg]",
            y_label="1/e² radius [m]", log_y=False,
        ),
        "fig17": _terms,
        "fig18": _cities,
        "fig19": partial(
            _curves, lines={"radiance": "full Moon"}, x_label="zenith angle of the Moon [deg]", y_label=_RADIANCE,
        ),
        "fig20_transmittance": partial(
            _curves, lines={"transmittance": "direct light"}, x_label="wavelength [nm]", y_label="transmittance",
            log_y=False,
        ),
        "fig21": _noise,
        "fig22": _pointing,
    }
)  # fmt: skip
"""Name of a table -> its picture."""


figure = drawn_by_name(_FIGURES)
"""Picture of a table, if it has one."""
