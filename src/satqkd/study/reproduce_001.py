"""Figures 4 and 6-9 and Table 2 of Wang et al., downlink modelling and scheduling, beside the printed numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from satqkd.study import reproduce_001_orbits as orbits
from satqkd.study import reproduce_001_plans as plans
from satqkd.study.reproduce_001_paper import CITIES, LOSSES_ABOVE_DB
from satqkd.study.reproduction import Progress, Study, Table, drawn_by_name, steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STUDY", "checks", "figure", "tables"]

STUDY = Study(
    paper="Wang et al., Exploiting potentialities for space-based quantum communication network: downlink modelling "
    "and scheduling",
    lead="A week of Micius from 19 September 2016 over eleven cities. printed: the link by Eqs. 1 and 2 with Table 1; "
    "fitted: three constants fitted to the geostationary row of Table 2. The sky is clear everywhere, as the paper's "
    "cloud data are not in it.",
    check_columns={"quantity": "quantity", "paper": "paper", "printed": "link as printed", "fitted": "link fitted"},
    headings={
        "difference_percent": "difference [%]",
        "what": "time",
        "utilisation_percent": "utilisation [%]",
        "delivered_mbit": "delivered [Mbit]",
        "shared_mbit": "shared by pairs [Mbit]",
        "aes256_keys": "AES-256 keys",
        "paper": "paper [s]",
        "ours": "ours [s]",
        "genetic_mbit": "genetic [Mbit]",
        "ours_mbit": "ours [Mbit]",
        "bound_mbit": "bound [Mbit]",
        "genetic_percent_of_bound": "genetic [% of bound]",
        "genetic_kl": "genetic, divergence [nat]",
        "ours_kl": "ours, divergence [nat]",
    },
    check_title="Printed numbers and claims",
)

_LEFT_OUT: Final = (
    ("Fig. 5a", "the cloud cover is Himawari-8 data of 23 September 2016, which the paper does not contain"),
    (
        "Fig. 5b",
        "only its clear part: the total less the cloud loss in the text. The text dates the overflight 23 and 24 "
        "September; at 16:32:40 to 16:35:00 UTC Micius passes on the 23rd only",
    ),
    (
        "Fig. 7",
        "totals: a cloud-free week gives 260 Mbit with the link as printed and 1.89 Gbit with the fitted one, and the "
        "paper's weekly keys are about 25 times below the latter. Nothing is tuned to them",
    ),
    (
        "Fig. 8",
        "bits of single cities, for the same reason. Which plan gives a city more, and that S-PD leaves Hefei and "
        "Jinan without key, can be compared",
    ),
    (
        "Figs. 8 and 9",
        "the limit of the divergence at which S-TD was stopped, and the weights: said to be proportional to the "
        "population and not printed. Ours are those of the census of 2020",
    ),
    (
        "Table 2",
        "upper ends of its losses: they contain clouds (Inf: overcast). The lower ends of low and medium orbits lie "
        "1.1 to 1.6 dB above the constants that fit the geostationary row within 0.05 dB: the table does not agree "
        "with itself",
    ),
)


def _left_out() -> Table:
    rows = tuple({"figure": name, "why": text} for name, text in _LEFT_OUT)
    return Table("left_out", "What cannot be reproduced", "", "", rows, printed=True)


_TASKS: Final[tuple[Callable[[], Table], ...]] = (
    orbits.timeline,
    orbits.durations,
    orbits.losses,
    orbits.geometric_loss,
    partial(plans.daily_keys, "printed"),
    partial(plans.daily_keys, "fitted"),
    plans.delivered,
    plans.proportions,
    plans.usage,
    plans.genetic,
    _left_out,
)


def tables(*, progress: Progress | None = None) -> list[Table]:
    """Compute every figure.

    Parameters
    ----------
    progress : callable, optional
        Called with the stage, figures done, figures in total.

    Returns
    -------
    list of Table
        Figures in the paper's order, key usage, and what is left out.
    """
    return steps(_TASKS, progress)


def checks() -> list[dict[str, Any]]:
    """Printed numbers beside ours, with the link as printed and as fitted.

    Returns
    -------
    list of dict
        ``quantity``, ``paper``, ``printed``, ``fitted``.
    """
    rows = orbits.clear_losses_of_fig5()
    by_orbit: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in orbits.losses().rows:
        by_orbit.setdefault((row["orbit"], row["divergence_urad"]), []).append(row)
    for (orbit, divergence), own in by_orbit.items():
        above = LOSSES_ABOVE_DB.get((orbit, divergence))
        lowest = {name: np.array([row[f"{name}_lowest_db"] for row in own]) for name in ("paper", "printed", "fitted")}
        what = "lowest loss, mean of the cities" if above is None else "lowest loss (paper: above)"
        rows.append(
            {
                "quantity": f"Table 2, {orbit}, {divergence:g} µrad, {what} [dB]",
                "paper": float(lowest["paper"].mean()) if above is None else above,
                **{
                    name: float(lowest[name].mean() if above is None else lowest[name].min())
                    for name in ("printed", "fitted")
                },
            }
        )
    return rows + plans.printed_keys()


def _draw_passes(table: Table) -> Figure:
    from satqkd.plot.gantt import Bar, gantt

    bars = [
        Bar(
            "in view by night",
            row["station"],
            *(np.datetime64(row[end].removesuffix("Z"), "ns") for end in ("start", "end")),
        )
        for row in table.rows
    ]
    return gantt(bars, stations=CITIES, title=table.title)


def _draw_losses(table: Table) -> Figure:
    from satqkd.plot.curves import curves

    lines = {"paper_lowest_db": "paper", "fitted_lowest_db": "fitted", "printed_lowest_db": "as printed"}
    means = []
    for key in dict.fromkeys((row["orbit"], row["divergence_urad"]) for row in table.rows):
        own = [row for row in table.rows if (row["orbit"], row["divergence_urad"]) == key]
        mean = {name: float(np.mean([row[name] for row in own])) for name in lines}
        means.append(
            {"orbit": key[0], "divergence_urad": key[1], **{k: v for k, v in mean.items() if not math.isnan(v)}}
        )
    return curves(means, x="divergence_urad", series="orbit", lines=lines, log_y=False, x_label="divergence [µrad]",
                  title="Table 2: lowest loss, mean of the cities", y_label="loss [dB]")  # fmt: skip


def _draw_geometric(table: Table) -> Figure:
    from satqkd.plot.curves import curves

    lines = {"printed_db": "as printed", "fitted_db": "fitted"}
    return curves(table.rows, x="altitude_km", series="divergence", lines=lines, title=table.title,
                  x_label="altitude [km]", y_label="geometric loss at zenith [dB]", log_x=True,
                  log_y=False)  # fmt: skip


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in names}


def _draw_days(table: Table) -> Figure:
    from satqkd.plot.bars import grouped_bars

    days = list(dict.fromkeys(row["day"] for row in table.rows))
    series = {day: [row["kbit"] / 1e3 for row in table.rows if row["day"] == day] for day in days}
    return grouped_bars(CITIES, series, title=table.title, y_label="key [Mbit]")


def _draw_delivered(table: Table) -> Figure:
    from satqkd.plot.bars import grouped_bars

    series = _columns(table.rows[: len(CITIES)], list(plans.PLANS))
    return grouped_bars(CITIES, series, title="Fig. 8: keys delivered by plan", y_label="key of the week [Mbit]")


def _draw_proportions(table: Table) -> Figure:
    from satqkd.plot.bars import grouped_bars

    return grouped_bars(CITIES, _columns(table.rows, list(plans.PLANS)), title=table.title, y_label="proportion",
                        marks=_columns(table.rows, ["weight"]))  # fmt: skip


def _draw_usage(table: Table) -> Figure:
    from satqkd.plot.bars import grouped_bars

    readings = list(dict.fromkeys(row["pair keys"] for row in table.rows))
    series = {name: [row["utilisation_percent"] for row in table.rows if row["pair keys"] == name] for name in readings}
    return grouped_bars(list(plans.PLANS), series, title="Part of the delivered keys that pairs can share",
                        y_label="utilisation [%]")  # fmt: skip


_PICTURES: Final[Mapping[str, Callable[[Table], Figure]]] = {
    "fig4_passes": _draw_passes,
    "table2": _draw_losses,
    "fig6": _draw_geometric,
    "fig7_printed": _draw_days,
    "fig7_fitted": _draw_days,
    "fig8": _draw_delivered,
    "fig9": _draw_proportions,
    "usage": _draw_usage,
}

figure = drawn_by_name(_PICTURES)
"""Picture of a table, if it has one."""
