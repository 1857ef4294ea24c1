"""Duration and key of the dual pass against altitude and least elevation: Fig. 6 of Wang, Dong et al."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from satqkd.security.mdi import key_rate
from satqkd.study.mdi_pass import common_link
from satqkd.study.reproduce_000_link import at_altitude
from satqkd.study.reproduction import Table
from satqkd.variables import describe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ALTITUDES_KM", "MASKS_DEG", "durations", "keys", "sweep"]

ALTITUDES_KM: Final = tuple(range(400, 601, 25))
MASKS_DEG: Final = tuple(range(5, 16))
_INTENSITIES: Final = (0.5, 0.1, 0.0)
_DECOYS: Final = ("infinite", "three-intensity")


@cache
def sweep() -> xr.Dataset:
    """Seconds in common view and sum of the rates per second, by altitude and least elevation.

    Returns
    -------
    xarray.Dataset
        Dimensions ``altitude``, ``elevation_mask``, ``decoy``.
    """
    import xarray as xr

    shape = (len(ALTITUDES_KM), len(MASKS_DEG))
    seen, total = np.zeros(shape), np.zeros((*shape, len(_DECOYS)))
    for row, altitude in enumerate(ALTITUDES_KM):
        scenario = at_altitude(float(altitude), float(MASKS_DEG[0]))
        link, _ = common_link(scenario)
        detector = scenario.detector
        rates = [
            key_rate(*link.transmittance.values, intensities_a=_INTENSITIES, intensities_b=_INTENSITIES, decoy=decoy,
                     p_dark=detector.background_yield or 0.0, misalignment=detector.misalignment).rate
            for decoy in _DECOYS
        ]  # fmt: skip
        lower = link.elevation.min("station").values
        for column, mask in enumerate(MASKS_DEG):
            above = lower >= mask
            seen[row, column] = above.sum() * scenario.study.step
            total[row, column] = [float(rate[above].sum()) * scenario.study.step for rate in rates]
    dims = ("altitude", "elevation_mask")
    return describe(
        xr.Dataset(
            {"common_view_s": (dims, seen), "rate_total": ((*dims, "decoy"), total)},
            coords={"altitude": np.array(ALTITUDES_KM) * 1e3, "elevation_mask": np.array(MASKS_DEG, float),
                    "decoy": np.array(_DECOYS, object)},
        )
    )  # fmt: skip


def _rows() -> tuple[dict[str, float], ...]:
    made = sweep()
    return tuple(
        {
            "altitude_km": float(altitude) / 1e3,
            "elevation_mask_deg": float(mask),
            "common_view_s": float(made.common_view_s[row, column]),
            "rate_total_infinite": float(made.rate_total[row, column, 0]),
            "rate_total_three_intensity": float(made.rate_total[row, column, 1]),
        }
        for row, altitude in enumerate(made.altitude.values)
        for column, mask in enumerate(made.elevation_mask.values)
    )


def durations() -> Table:
    """Fig. 6 a: time in common view."""
    note = "Circular orbit in the plane of Micius that crosses the same point in the middle of the pass."
    return Table("fig6a", "Fig. 6 a: time in common view", "altitude_km", "", _rows(), ordinate="elevation_mask_deg",
                 note=note, dataset=sweep())  # fmt: skip


def keys() -> Table:
    """Fig. 6 b: sum of the rates of every second."""
    note = (
        "Sum over the seconds of the rate per pulse pair, intensity 0.5, unlimited decoys, R_r = 1.2 m, 14 µrad, "
        "fitted air. With the printed decoys (three intensities) there is no key anywhere."
    )
    return Table("fig6b", "Fig. 6 b: sum of the rates over a pass", "altitude_km", "", _rows(),
                 ordinate="elevation_mask_deg", note=note)  # fmt: skip
