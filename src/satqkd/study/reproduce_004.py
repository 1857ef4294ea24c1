"""Fig. 11 and App. F of Mannalath, Zapatero and Curty, arXiv:2605.29706: three receivers compared, and limits of keys.

Every point is optimised: intensities and their probabilities, the basis, and what divides the light or the detections
of a passive receiver.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from satqkd.security.optimise import Optimum, best
from satqkd.study.reproduction import Progress, Study, Table, steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "LOSSES_DB", "NOISES", "READINGS", "RECEIVERS", "SETUP", "STUDY", "checks", "crossing_db", "figure",
    "largest_loss_db", "least_pulses", "optimum", "order_holds", "receivers", "tables",
]  # fmt: skip

STUDY = Study(
    paper="Mannalath, Zapatero, Curty, Finite-key feasibility of geostationary quantum key distribution",
    lead="Optimised keys per pulse. Composable: the two keys of a symmetric passive receiver share the security "
    "parameter. Published: each takes all of it. Both have the paper's model of the noise, light that a passive "
    "receiver divides; the third reading gives every detector the printed noise probability.",
    check_columns={
        "quantity": "claim or quantity",
        "source": "source",
        "reference": "there",
        "composable": "composable",
        "published": "published",
        "per_detector": "published, noise per detector",
    },
    check_title="Claims and numbers",
)

RECEIVERS: Final = ("active", "asymmetric-passive", "symmetric-passive")
NOISES: Final = (1e-7, 1e-8, 1e-9)
"""Noise-click probabilities of the three panels of Fig. 11."""

SETUP: Final[Mapping[str, Any]] = MappingProxyType({"pulses": 1e12, "misalignment": 0.005, "eps_total": 1e-8})
"""What the caption of Fig. 11 prints; everything else is the package's default, which is the paper's."""

READINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "composable": {"convention": "composable", "noise": "received-light"},
        "published": {"convention": "published", "noise": "received-light"},
        "per_detector": {"convention": "published", "noise": "per-detector"},
    }
)
"""Conventions that are set side by side."""

LOSSES_DB: Final = tuple(float(loss) for loss in range(2, 61, 2))
_CLAIMED_FROM_DB = 30.0
_SAME: Mapping[str, Mapping[str, str]] = {
    "active": {"published": "composable", "per_detector": "composable"},
    "asymmetric-passive": {"published": "composable"},
    "symmetric-passive": {},
}
"""Readings that are one and the same for a receiver: one basis gives key, or nothing divides the noise."""


def optimum(receiver: str, loss_db: float, reading: str, start: Optimum | None = None, **changes: Any) -> Optimum:
    """Best setting of a receiver at a loss.

    Parameters
    ----------
    receiver : str
        One of :data:`RECEIVERS`.
    loss_db : float
        Overall system loss. [dB]
    reading : str
        One of :data:`READINGS`.
    start : Optimum, optional
        That of a neighbouring point.
    **changes
        Arguments of :func:`satqkd.security.variable_length.key_length` besides or instead of :data:`SETUP`.

    Returns
    -------
    Optimum
        Parameters and key.
    """
    fixed = {**SETUP, **READINGS[reading], "receiver": receiver, "transmittance": 10.0 ** (-0.1 * loss_db), **changes}
    return best("variable-length", fixed=fixed, start=start)


def _sweep(receiver: str, reading: str, p_noise: float, losses_db: Sequence[float]) -> list[float]:
    """Keys per pulse over the losses; once there is none, more loss brings none back."""
    rates: list[float] = []
    for loss_db in losses_db:
        if rates and rates[-1] == 0.0:
            rates.append(0.0)
            continue
        # cold: a search from a neighbour can stay on the lower of two optima
        rates.append(optimum(receiver, loss_db, reading, p_noise=p_noise).key.key_bits / SETUP["pulses"])
    return rates


@cache
def receivers(p_noise: float, losses_db: tuple[float, ...] = LOSSES_DB) -> Table:
    """One panel of Fig. 11.

    Parameters
    ----------
    p_noise : float
        Noise-click probability per gate. [1]
    losses_db : tuple of float
        Overall system losses, ascending. [dB]

    Returns
    -------
    Table
        Keys per pulse by receiver, loss and reading.
    """
    rows = []
    for receiver in RECEIVERS:
        found: dict[str, list[float]] = {}
        for reading in READINGS:
            same = _SAME[receiver].get(reading)
            found[reading] = found[same] if same else _sweep(receiver, reading, p_noise, losses_db)
        for index, loss_db in enumerate(losses_db):
            rates = {f"rate_{reading}": values[index] for reading, values in found.items()}
            rows.append({"receiver": receiver, "loss_db": loss_db, **rates})
    title = f"Fig. 11: three receivers, noise {p_noise:.0e} per gate"
    return Table(f"fig11_{p_noise:.0e}", title, "loss_db", "receiver", tuple(rows))


def _rates(p_noise: float, reading: str, losses_db: tuple[float, ...] = LOSSES_DB) -> dict[str, list[float]]:
    column, rows = f"rate_{reading}", receivers(p_noise, losses_db).rows
    return {name: [row[column] for row in rows if row["receiver"] == name] for name in RECEIVERS}


def order_holds(reading: str, losses_db: tuple[float, ...] = LOSSES_DB) -> tuple[int, int]:
    """Points from 30 to 60 dB, all panels, where active >= asymmetric passive >= symmetric passive.

    Parameters
    ----------
    reading : str
        One of :data:`READINGS`.
    losses_db : tuple of float
        Losses of the panels. [dB]

    Returns
    -------
    tuple of int
        Points where it holds, and points where any receiver has a key.
    """
    holds = points = 0
    for p_noise in NOISES:
        for loss_db, *rates in zip(losses_db, *_rates(p_noise, reading, losses_db).values(), strict=True):
            if loss_db >= _CLAIMED_FROM_DB and max(rates) > 0.0:
                points += 1
                holds += rates == sorted(rates, reverse=True)
    return holds, points


def crossing_db(p_noise: float, reading: str, losses_db: tuple[float, ...] = LOSSES_DB) -> float:
    """Loss below which the symmetric passive receiver gives more key than the asymmetric one.

    Parameters
    ----------
    p_noise : float
        Noise-click probability per gate. [1]
    reading : str
        One of :data:`READINGS`.
    losses_db : tuple of float
        Losses of the panel. [dB]

    Returns
    -------
    float
        Where the ratio of their keys is 1, interpolated between the losses of the figure; NaN if it never is. [dB]
    """
    rates = _rates(p_noise, reading, losses_db)
    log_ratio = [
        math.log(symmetric / asymmetric) if symmetric > 0.0 and asymmetric > 0.0 else -math.inf
        for symmetric, asymmetric in zip(rates[RECEIVERS[2]], rates[RECEIVERS[1]], strict=True)
    ]
    for index in range(len(log_ratio) - 1):
        here, there = log_ratio[index], log_ratio[index + 1]
        if here > 0.0 >= there > -math.inf:
            return losses_db[index] + (losses_db[index + 1] - losses_db[index]) * here / (here - there)
    return math.nan


@cache
def largest_loss_db(p_noise: float, misalignment: float) -> float:
    """Largest loss with a key of an active receiver.

    Parameters
    ----------
    p_noise : float
        Noise-click probability per gate. [1]
    misalignment : float
        Fraction of the light that goes to the wrong detector. [1]

    Returns
    -------
    float
        To 0.05 dB, on the side with a key. [dB]
    """
    low, high, last = 20.0, 70.0, None
    while high - low > 0.05:
        middle = 0.5 * (low + high)
        found = optimum("active", middle, "composable", last, p_noise=p_noise, misalignment=misalignment)
        if found.key.key_bits > 0:
            low, last = middle, found
        else:
            high = middle
    return low


@cache
def least_pulses(loss_db: float, p_noise: float = 1e-8) -> float:
    """Fewest pulses with a key of an active receiver.

    Parameters
    ----------
    loss_db : float
        Overall system loss. [dB]
    p_noise : float
        Noise-click probability per gate. [1]

    Returns
    -------
    float
        To 2 percent, on the side with a key. [1]
    """
    low, high, last = 8.0, 13.0, None
    while high - low > 0.008:
        middle = 0.5 * (low + high)
        found = optimum("active", loss_db, "composable", last, p_noise=p_noise, pulses=10.0**middle)
        if found.key.key_bits > 0:
            high, last = middle, found
        else:
            low = middle
    return float(10.0**high)


_ONSET_DB = (45.0, 50.0, 55.0)


def _onset() -> Table:
    """Key per pulse against the block size; the first with a key is the onset itself."""
    rows = []
    for loss_db in _ONSET_DB:
        first = math.log10(least_pulses(loss_db))
        last = None
        for exponent in [first, *(x for x in np.arange(9.0, 13.01, 0.125).tolist() if x > first)]:
            last = optimum("active", loss_db, "composable", last, p_noise=1e-8, pulses=10.0**exponent)
            rate = last.key.key_bits / 10.0**exponent
            rows.append({"loss_db": loss_db, "pulses": 10.0**exponent, "rate_composable": rate})
    title = "Onset of the key with the block size, active receiver, noise 1e-08"
    return Table("onset", title, "pulses", "loss_db", tuple(rows))


def _noise_limit() -> Table:
    """Key per pulse up to the largest loss at the noise that the paper calls critical."""
    rows = []
    for misalignment in (0.0, SETUP["misalignment"]):
        end, last = largest_loss_db(1e-6, misalignment), None
        for loss_db in [*(x for x in np.arange(20.0, 60.0).tolist() if x < end), end]:
            last = optimum("active", loss_db, "composable", last, p_noise=1e-6, misalignment=misalignment)
            rows.append({"misalignment": f"misalignment {100 * misalignment:g} %", "loss_db": loss_db,
                         "rate_composable": last.key.key_bits / SETUP["pulses"]})  # fmt: skip
    return Table("noise_limit", "Noise 1e-06 per gate, active receiver", "loss_db", "misalignment", tuple(rows))


def tables(*, progress: Progress | None = None) -> list[Table]:
    """Compute the three panels of Fig. 11, the onset with the block size and the limit at high noise.

    Parameters
    ----------
    progress : callable, optional
        Called with the stage, tables done, tables in total.

    Returns
    -------
    list of Table
        Keys per pulse.
    """
    return steps([*(partial(receivers, p_noise) for p_noise in NOISES), _onset, _noise_limit], progress)


def checks() -> list[dict[str, Any]]:
    """What the paper states beside what we find.

    Returns
    -------
    list of dict
        ``quantity``, ``source``, ``reference`` and one value per reading; empty where a reading makes no difference.
    """
    rows: list[dict[str, Any]] = []

    def add(quantity: str, source: str, reference: Any, values: Mapping[str, Any]) -> None:
        filled = {reading: values.get(reading, math.nan) for reading in READINGS}
        rows.append({"quantity": quantity, "source": source, "reference": reference, **filled})

    holds = {reading: order_holds(reading) for reading in READINGS}
    add("points from 30 to 60 dB with active ≥ asymmetric ≥ symmetric", "App. F", "all",
        {reading: f"{held} of {points}" for reading, (held, points) in holds.items()})  # fmt: skip
    for p_noise in NOISES:
        values = {reading: crossing_db(p_noise, reading) for reading in READINGS}
        add(f"symmetric wins over asymmetric below [dB], noise {p_noise:.0e}", "App. F", "low loss", values)
    for misalignment in (0.0, SETUP["misalignment"]):
        add(f"largest loss with a key [dB], noise 1e-06, misalignment {100 * misalignment:g} %", "text on Fig. 2",
            "about 45", {"composable": largest_loss_db(1e-6, misalignment)})  # fmt: skip
    for loss_db in _ONSET_DB:
        add(f"fewest pulses with a key, {loss_db:g} dB, noise 1e-08", "Sec. VI", "1e10 to 1e11",
            {"composable": least_pulses(loss_db)})  # fmt: skip
    for receiver, reference in zip(RECEIVERS, ("1.96e-05", "1.94e-05", "1.09e-05"), strict=True):
        index = LOSSES_DB.index(40.0)
        values = {reading: _rates(1e-8, reading)[receiver][index] for reading in READINGS}
        add(f"key per pulse, {receiver}, 40 dB, noise 1e-08", "independent optimisation", reference, values)
    return rows


def figure(table: Table) -> Figure:
    """Curves of a table, one dash pattern per reading."""
    from satqkd.plot.curves import curves

    there = [name for name in READINGS if f"rate_{name}" in table.rows[0]]
    lines = {f"rate_{name}": STUDY.check_columns[name] for name in there}
    return curves(_named(table.rows), x=table.x, series=table.series, lines=lines, title=table.title,
                  y_label="key per pulse", log_x=table.x == "pulses")  # fmt: skip


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose loss, where it distinguishes curves, reads as one."""
    return [{**row, "loss_db": f"{row['loss_db']:g} dB"} if "pulses" in row else dict(row) for row in rows]
