"""Losses of Wang, Dong et al.: Figs. 3 to 5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from satqkd.study.reproduce_000_link import (
    READINGS,
    WIDE_RADII_M,
    dual_pass,
    loss_db,
    seconds,
    single_pass,
    turbulence,
)
from satqkd.study.reproduction import Table
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "STRENGTHS",
    "aperture_losses",
    "apertures",
    "dual_losses",
    "dual_uplinks",
    "single_losses",
    "single_uplink",
    "turbulence_losses",
    "turbulences",
]  # fmt: skip

Array = NDArray[np.float64]

STRENGTHS: Final = (0.0, 1.7e-15, 1.7e-14, 1.7e-13)
"""Ground strengths A of Fig. 5 b. [m^(-2/3)]"""

_BY_EQUATIONS: Final = ("air mass counted once", "Eqs. 1-3 as printed")


def single_losses() -> dict[str, Array]:
    """Loss over Ngari by reading of the spot. [dB]"""
    link = single_pass()
    return {name: loss_db(link.slant_range.values, link.elevation.values, reading=name) for name in READINGS}


def dual_losses(reading: str, **settings: Any) -> Array:
    """Sum of both losses of the dual pass; settings as of :func:`satqkd.study.reproduce_000_link.loss_db`. [dB]"""
    link = dual_pass()
    return np.asarray(loss_db(link.slant_range.values, link.elevation.values, reading=reading, **settings).sum(axis=0))


def single_uplink() -> Table:
    """Fig. 3: the pass over Ngari."""
    link = single_pass()
    time, distance, elevation = seconds(link), link.slant_range.values / 1e3, link.elevation.values
    rows = tuple(
        {"time_s": t, "reading": name, "distance_km": d, "elevation_deg": e, "loss_db": loss}
        for name, losses in single_losses().items()
        for t, d, e, loss in zip(time.tolist(), distance.tolist(), elevation.tolist(), losses.tolist(), strict=True)
    )
    note = "Printed: 42.5 dB at 501 km and 75.9 deg, 52.3 dB at 1,385 km and 15 deg. Time from the first row."
    return Table("fig3", "Fig. 3: uplink from Ngari, 25 September 2016", "time_s", "reading", rows, note=note)


def dual_uplinks() -> Table:
    """Fig. 4: both uplinks from Delingha and Lijiang."""
    link = dual_pass()
    time, distance = seconds(link).tolist(), (link.slant_range.sum("station").values / 1e3).tolist()
    rows = tuple(
        {"time_s": t, "reading": name, "distance_sum_km": d, "loss_sum_db": loss}
        for name in READINGS
        for t, d, loss in zip(time, distance, dual_losses(name).tolist(), strict=True)
    )
    note = "Printed: 278 s, 94.0 dB at 1,611 km, 100.2 dB at 2,428 km, which are sums of both links."
    return Table("fig4", "Fig. 4: uplinks from Delingha and Lijiang, 24 September 2016", "time_s",
                 "reading", rows, note=note)  # fmt: skip


def aperture_losses(
    reading: str, tx_radius_m: NDArray[np.float64] | float, rx_radius_m: NDArray[np.float64] | float
) -> Array:
    """Sum of both losses at the shortest overall length, by radii that broadcast. [dB]"""
    link = dual_pass()
    nearest = int(np.argmin(link.slant_range.values.sum(axis=0)))
    at = link.isel(time=nearest)
    return np.asarray(
        sum(
            loss_db(distance, elevation, reading=reading, radii_m=(tx_radius_m, rx_radius_m))
            for distance, elevation in zip(at.slant_range.values, at.elevation.values, strict=True)
        )
    )


def apertures() -> Table:
    """Fig. 5 a: loss against both apertures."""
    import xarray as xr

    tx, rx = np.linspace(0.05, 0.75, 29), np.linspace(0.15, 1.2, 22)
    fields = np.stack([aperture_losses(name, tx[np.newaxis], rx[:, np.newaxis]) for name in _BY_EQUATIONS])
    dataset = xr.Dataset(
        {"loss_sum_db": (("reading", "rx_radius", "tx_radius"), fields)},
        coords={"reading": np.array(_BY_EQUATIONS, object), "rx_radius": rx, "tx_radius": tx},
    )
    rows = tuple(
        {"reading": name, "tx_radius_m": float(tx[i]), "rx_radius_m": float(rx[j]), "loss_sum_db": float(field[j, i])}
        for name, field in zip(_BY_EQUATIONS, fields, strict=True)
        for j, i in np.ndindex(field.shape)
    )
    note = "Printed: 55 dB at R_s = 0.75 m, R_r = 1.2 m. A transmitter larger than r0 gains nothing."
    return Table("fig5a", "Fig. 5 a: sum of both losses at the shortest overall length, HV 5/7", "tx_radius_m",
                 "reading", rows, ordinate="rx_radius_m", note=note, dataset=describe(dataset))  # fmt: skip


def turbulence_losses() -> xr.Dataset:
    """Sum of both losses by reading, ground strength and time, R_s = 1 m, R_r = 1.2 m."""
    import xarray as xr

    def field(reading: str, strength: float) -> Array:
        name = reading if strength else "no turbulence"
        return dual_losses(name, radii_m=(1.0, WIDE_RADII_M[1]), profile=turbulence(strength))

    values = np.array([[field(reading, strength) for strength in STRENGTHS] for reading in _BY_EQUATIONS])
    made = xr.Dataset(
        {"loss_sum_db": (("reading", "ground_turbulence", "time"), values)},
        coords={"reading": np.array(_BY_EQUATIONS, object), "ground_turbulence": np.array(STRENGTHS),
                "time": dual_pass().time.values},
    )  # fmt: skip
    return describe(made)


def turbulences() -> Table:
    """Fig. 5 b: loss of the pass under weak and strong turbulence."""
    made, time = turbulence_losses(), seconds(dual_pass()).tolist()
    once, printed = made.loss_sum_db.values
    rows = tuple(
        {"time_s": t, "turbulence": f"A = {strength:g}", "loss_sum_db": float(once[k, n]),
         "loss_sum_published_db": float(printed[k, n])}
        for k, strength in enumerate(STRENGTHS)
        for n, t in enumerate(time)
    )  # fmt: skip
    note = "A is the ground strength of HV 5/7 in m^(-2/3). Printed: below 65 dB for 1.7e-15 to 1.7e-13."
    return Table("fig5b", "Fig. 5 b: sum of both losses, R_s = 1.0 m, R_r = 1.2 m", "time_s", "turbulence", rows,
                 note=note, dataset=made)  # fmt: skip
