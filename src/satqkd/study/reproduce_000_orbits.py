"""Duration and key of the dual pass against altitude and least elevation: Fig. 6 of Wang, Dong et al."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from satqkd.security.mdi import key_rate
from satqkd.study.mdi_pass import common_link
from satqkd.study.reproduce_000_link import WIDE_RADII_M, at_altitude, loss_db
from satqkd.study.reproduction import Table
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ALTITUDES_KM", "DECOYS", "MASKS_DEG", "READINGS_M", "durations", "keys", "sweep"]

ALTITUDES_KM: Final = tuple(range(400, 601, 25))
MASKS_DEG: Final = tuple(range(5, 16))
READINGS_M: Final = {
    "14 µrad, air fitted": (0.065, WIDE_RADII_M[1]),
    "air mass counted once": WIDE_RADII_M,
    "Eqs. 1-3 as printed": WIDE_RADII_M,
}
"""Reading of the spot -> radii of transmitter and receiver. [m]"""

DECOYS: Final = ("infinite", "three-intensity")
_INTENSITIES: Final = (0.5, 0.1, 0.0)


@cache
def sweep() -> xr.Dataset:
    """Seconds in common view and sum of the rates per second, by altitude and least elevation.

    Returns
    -------
    xarray.Dataset
        Dimensions ``reading``, ``altitude``, ``elevation_mask``, ``decoy``.
    """
    import xarray as xr

    shape = (len(ALTITUDES_KM), len(MASKS_DEG))
    seen, total = np.zeros(shape), np.zeros((len(READINGS_M), *shape, len(DECOYS)))
    for row, altitude in enumerate(ALTITUDES_KM):
        scenario = at_altitude(float(altitude), float(MASKS_DEG[0]))
        link, _ = common_link(scenario)
        above = link.elevation.values.min(axis=0) >= np.array(MASKS_DEG)[:, np.newaxis]
        seen[row] = above.sum(axis=1) * scenario.study.step
        for number, (reading, radii_m) in enumerate(READINGS_M.items()):
            loss = loss_db(link.slant_range.values, link.elevation.values, reading=reading, radii_m=radii_m)
            for column, decoy in enumerate(DECOYS):
                rate = key_rate(*10.0 ** (-0.1 * loss), intensities_a=_INTENSITIES, intensities_b=_INTENSITIES,
                                decoy=decoy, p_dark=3e-6, misalignment=0.015).rate  # fmt: skip
                total[number, row, :, column] = (above * rate).sum(axis=1) * scenario.study.step
    dims = ("altitude", "elevation_mask")
    return describe(
        xr.Dataset(
            {"common_view_s": (dims, seen), "rate_total": (("reading", *dims, "decoy"), total)},
            coords={"reading": np.array(list(READINGS_M), object), "altitude": np.array(ALTITUDES_KM) * 1e3,
                    "elevation_mask": np.array(MASKS_DEG, float), "decoy": np.array(DECOYS, object)},
        )
    )  # fmt: skip


def durations() -> Table:
    """Fig. 6 a: time in common view."""
    made = sweep()
    rows = tuple(
        {"altitude_km": float(made.altitude[row]) / 1e3, "elevation_mask_deg": float(made.elevation_mask[column]),
         "common_view_s": float(made.common_view_s[row, column])}
        for row, column in np.ndindex(made.common_view_s.shape)
    )  # fmt: skip
    note = "Circular orbit in the plane of Micius that crosses the same point in the middle of the pass."
    return Table("fig6a", "Fig. 6 a: time in common view", "altitude_km", "", rows, ordinate="elevation_mask_deg",
                 note=note, dataset=made)  # fmt: skip


def keys() -> Table:
    """Fig. 6 b: sum of the rates of every second."""
    made = sweep()
    rows = tuple(
        {
            "reading": str(made.reading.values[number]),
            "altitude_km": float(made.altitude[row]) / 1e3,
            "elevation_mask_deg": float(made.elevation_mask[column]),
            **{f"rate_total_{decoy.replace('-', '_')}": float(made.rate_total[number, row, column, k])
               for k, decoy in enumerate(DECOYS)},
        }
        for number, row, column in np.ndindex(made.rate_total.shape[:3])
    )  # fmt: skip
    note = (
        "Sum over the seconds of the rate per pulse pair, intensity 0.5, unlimited decoys, R_r = 1.2 m; the equations "
        "have R_s = 0.75 m. With the printed decoys (three intensities) there is no key anywhere."
    )
    return Table("fig6b", "Fig. 6 b: sum of the rates over a pass", "altitude_km", "reading", rows,
                 ordinate="elevation_mask_deg", note=note)  # fmt: skip
