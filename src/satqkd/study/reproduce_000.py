"""Figures 3-10 of Wang, Dong et al., space-based measurement-device-independent QKD, computed again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from satqkd.study import reproduce_000_claims as claims
from satqkd.study import reproduce_000_losses as losses
from satqkd.study import reproduce_000_orbits as orbits
from satqkd.study import reproduce_000_pair as pair
from satqkd.study import reproduce_000_slots as slots
from satqkd.study.reproduction import Progress, Study, Table, drawn_by_name, steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STUDY", "checks", "figure", "tables"]

STUDY = Study(
    paper="Wang, Dong et al., Feasibility of space-based measurement-device-independent quantum key distribution",
    lead="Micius from its real elements, Table I, stations as named. The figures do not share one model of the uplink: "
    "Figs. 3 and 4 were made with the fixed divergence of Table I, Fig. 5 with the equations; Figs. 6, 9 and 10 here "
    "have a receiver of R_r = 1.2 m with the fixed divergence and an extinction fitted to Fig. 3. Rates are limits of "
    "infinitely many pulses; bits are rates times the paper's 1e14 pulse pairs in every second, 100 THz.",
    check_columns={
        "quantity": "quantity",
        "reading": "reading used",
        "source": "source",
        "paper": "paper",
        "ours": "ours",
    },
    headings={
        "link_ghz": "one link [GHz]",
        "difference_ghz": "difference [GHz]",
        "slew_mhz_s": "slew [MHz/s]",
        "update_ms": "update [ms]",
        "velocity_error_m_s": "velocity known to [m/s]",
        "residual_mhz": "residual [MHz]",
        "range_error_mm": "range error [mm]",
        "jitter_ps": "jitter [ps]",
        "delay_ps": "delay [ps]",
        "added_error": "added to E_X",
        "key_change_percent": "key, unlimited decoys [%]",
        "key_change_weak_percent": "key, three intensities [%]",
    },
    check_title="Printed numbers and claims",
    pictures=True,
    printed=True,
)

_TASKS: Final[tuple[Callable[[], Table], ...]] = (
    losses.single_uplink,
    losses.dual_uplinks,
    losses.apertures,
    losses.turbulences,
    orbits.durations,
    orbits.keys,
    pair.doppler,
    pair.frequency_budget,
    pair.offsets,
    pair.offset_errors,
    pair.timing_budget,
    pair.errors,
    pair.asymmetry,
    slots.totals,
    slots.finite_totals,
)


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
    return steps(_TASKS, progress)


def checks() -> list[dict[str, Any]]:
    """Numbers and claims of the paper beside ours.

    Returns
    -------
    list of dict
        See :func:`satqkd.study.reproduce_000_claims.checks`.
    """
    return claims.checks()


def _curves(
    table: Table, *, lines: Mapping[str, str], y_label: str, x_label: str = "time in the pass [s]", log_y: bool = False
) -> Figure:
    from satqkd.plot.curves import curves

    return curves(table.rows, x=table.x, series=table.series, lines=lines, title=table.title, y_label=y_label,
                  x_label=x_label, log_y=log_y)  # fmt: skip


def _apertures(table: Table) -> Figure:
    from satqkd.plot.panels import contour_panels

    assert table.dataset is not None
    made = table.dataset
    panels = {("HV 5/7", name): made.loss_sum_db.sel(reading=name).values for name in made.reading.values.tolist()}
    return contour_panels(made.tx_radius.values, made.rx_radius.values, panels, title=table.title,
                          x_label="radius R_s of the transmitter [m]", y_label="radius R_r of the receiver [m]",
                          colour_label="sum of both losses [dB]")  # fmt: skip


_ORBIT_AXES: Final = {"x_label": "altitude of the orbit [km]", "y_label": "least elevation [deg]"}


def _durations(table: Table) -> Figure:
    from satqkd.plot.key_maps import fields_of
    from satqkd.plot.panels import contour_panels

    x, y, (field,) = fields_of(table.rows, x=table.x, y=table.ordinate, columns=["common_view_s"])
    return contour_panels(x, y, {("Delingha", "Lijiang"): field}, title=table.title, colour_label="time [s]",
                          **_ORBIT_AXES)  # fmt: skip


def _keys(table: Table) -> Figure:
    from satqkd.plot.panels import contour_panels

    made = orbits.sweep()
    total = 1e8 * made.rate_total.sel(decoy="infinite").transpose("reading", "elevation_mask", "altitude")
    panels = {("R_r 1.2 m", name): total.sel(reading=name).values for name in made.reading.values.tolist()}
    return contour_panels(
        made.altitude.values / 1e3,
        made.elevation_mask.values,
        panels,
        title=table.title,
        colour_label="sum of the rates [10⁻⁸ s]",
        **_ORBIT_AXES,
    )


def _slots(table: Table) -> Figure:
    from satqkd.plot.bars import grouped_bars

    labels = list(dict.fromkeys(row["slot"] for row in table.rows))
    series = dict.fromkeys(row["decoys"] for row in table.rows)
    values = {name: [row["total_bits"] / 1e8 for row in table.rows if row["decoys"] == name] for name in series}
    return grouped_bars(
        labels,
        values,
        title=table.title,
        x_label="intensities optimised once in",
        y_label="total [10⁸ bit]",
        line=("printed, per second", claims.PRINTED_TOTAL_BITS / 1e8),
        numbers=True,
    )


_FIGURES: Final[Mapping[str, Callable[[Table], Figure]]] = MappingProxyType(
    {
        "fig3": partial(_curves, lines={"loss_db": ""}, y_label="loss [dB]"),
        "fig4": partial(_curves, lines={"loss_sum_db": ""}, y_label="sum of both losses [dB]"),
        "fig5a": _apertures,
        "fig5b": partial(
            _curves,
            lines={"loss_sum_db": "air mass once", "loss_sum_published_db": "as printed"},
            y_label="sum of both losses [dB]",
        ),
        "fig6a": _durations,
        "fig6b": _keys,
        "fig7": partial(
            _curves, lines={"shift_780_ghz": "780 nm", "shift_1550_ghz": "1550 nm"}, y_label="Doppler shift [GHz]"
        ),
        "fig8": partial(
            _curves, lines={"offset_ms": "light times", "published_ms": "|L_A - L_B|/c"}, y_label="offset [ms]"
        ),
        "fig8_errors": partial(_curves, lines={"error_ns": ""}, y_label="error [ns]", log_y=True),
        "fig9": partial(_curves, lines={"error_rate": ""}, y_label="error rate of the X basis"),
        "fig9_asymmetry": partial(
            _curves,
            lines={"qber_x": "all pulses, 0.1", "error_11": "single photons"},
            x_label="asymmetry [dB]",
            y_label="error rate of the X basis",
        ),
        "timing_budget": partial(
            _curves, lines={"jitter_ps": ""}, x_label="error of a range [mm]", y_label="jitter [ps]"
        ),
        "fig10": _slots,
    }
)
"""Name of a table -> its picture."""


figure = drawn_by_name(_FIGURES)
"""Picture of a table, if it has one."""
