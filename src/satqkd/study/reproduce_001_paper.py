"""What Wang et al. print: Table 2 and the numbers in the text of their downlink study."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["CITIES", "DELIVERED_KBIT", "DURATIONS_S", "LOSSES_ABOVE_DB", "LOSSES_DB", "WEIGHTS"]

CITIES: Final = (
    "Shanghai", "Beijing", "Chengdu", "Guangzhou", "Wuhan", "Xi'an", "Shenyang", "Hefei", "Jinan", "Urumqi", "Lhasa",
)  # fmt: skip
"""Columns of Table 2."""

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    dict(zip(CITIES, (24.87, 21.89, 20.94, 18.68, 12.33, 12.95, 9.07, 9.37, 9.20, 4.05, 0.87), strict=True))
)
"""Population in millions (census of 2020). The paper's weights are "proportional to the population" and not printed."""

DURATIONS_S: Final[Mapping[str, float]] = MappingProxyType(
    {"LEO": 12_240.0, "MEO 2500 km": 45_370.0, "MEO 5000 km": 81_910.0, "GEO": 358_700.0}
)
"""Table 2: total visible duration in the week. [s]"""

_TABLE_2 = """\
LEO; 1; 9.32 9.65 9.27 9.42 9.36 9.48 9.4 9.46 9.36 9.3 9.35;
    14.28 15.53 14.51 14.09 14.02 19.9 15.19 14.25 14.32 17.71 17.11
LEO; 3; 11.52 12.58 11.47 12.08 11.8 11.65 11.77 11.74 11.79 11.5 11.92;
    22.28 23.52 22.45 22.07 22.02 27.9 23.22 22.24 22.33 25.71 25.03
LEO; 5; 14.79 15.93 14.75 15.53 15.17 14.92 15.09 15.05 15.15 14.78 15.34;
    26.61 27.84 26.77 26.39 26.35 32.22 27.55 26.56 26.65 30.03 29.34
LEO; 10; 20.29 21.45 20.25 21.11 20.71 20.41 20.62 20.56 20.69 20.28 20.91;
    32.58 33.81 32.74 32.36 32.32 38.19 33.52 32.53 32.62 36.01 35.31
MEO 2500 km; 1; 15.22 15.33 14.94 15 15.04 15.12 15.12 15.12 15.15 15.11 14.95;
    inf 25.98 23.07 22.51 23.11 42.37 26.79 22.84 26.29 inf inf
MEO 2500 km; 3; 24.04 24.17 23.74 23.8 23.84 23.93 23.93 23.92 23.95 23.92 23.75;
    inf 35.34 32.43 31.87 32.47 51.73 36.15 32.2 35.65 inf inf
MEO 2500 km; 5; 28.42 28.56 28.12 28.18 28.23 28.31 28.31 28.3 28.34 28.31 28.14;
    inf 39.77 36.86 36.29 36.9 56.16 40.57 36.63 40.08 inf inf
MEO 2500 km; 10; 34.42 34.56 34.12 34.18 34.23 34.31 34.31 34.3 34.34 34.31 34.14;
    inf 45.78 42.87 42.31 42.91 62.17 46.59 42.64 46.09 inf inf
MEO 5000 km; 1; 21.24 21.51 21.25 21.27 21.24 21.62 21.28 21.32 21.21 21.24 21.15;
    inf 30.39 27.21 27.24 28.92 inf inf 27.68 27.64 inf inf
MEO 5000 km; 3; 30.62 30.89 30.63 30.65 30.62 31 30.66 30.71 30.59 30.62 30.54;
    inf 39.87 36.69 36.72 38.4 inf inf 37.16 37.12 inf inf
MEO 5000 km; 5; 35.05 35.32 35.06 35.08 35.05 35.42 35.09 35.14 35.01 35.05 34.96;
    inf 44.31 41.12 41.15 42.83 inf inf 41.59 41.55 inf inf
MEO 5000 km; 10; 41.06 41.34 41.08 41.09 41.07 41.44 41.11 41.15 41.03 41.06 40.98;
    inf 50.33 47.14 47.17 48.85 inf inf 47.61 47.57 inf inf
GEO; 1; 36.61 36.82 36.68 36.46 36.59 36.69 36.87 36.62 36.73 37.13 36.73;
    inf inf 42.45 inf 42.38 inf inf inf 42.52 inf inf
"""


def _losses() -> dict[tuple[str, float], dict[str, tuple[float, float]]]:
    found = {}
    for block in _TABLE_2.replace(";\n", ";").strip().splitlines():
        orbit, divergence, lowest, highest = (part.strip() for part in block.split(";"))
        pairs = zip(map(float, lowest.split()), map(float, highest.split()), strict=True)
        found[orbit, float(divergence)] = dict(zip(CITIES, pairs, strict=True))
    return found


LOSSES_DB: Final[Mapping[tuple[str, float], Mapping[str, tuple[float, float]]]] = MappingProxyType(_losses())
"""Table 2: orbit, divergence in microradian -> city -> lowest and highest loss, clouds included. [dB]"""

LOSSES_ABOVE_DB: Final[Mapping[tuple[str, float], float]] = MappingProxyType(
    {("GEO", 3.0): 45.0, ("GEO", 5.0): 50.0, ("GEO", 10.0): 55.0}
)
"""Table 2: what all losses of a row exceed. [dB]"""

DELIVERED_KBIT: Final[Mapping[tuple[str, str], float]] = MappingProxyType(
    {("S-GD", "Urumqi"): 7_468.0, ("S-GD", "Shanghai"): 8_332.0 - 2_551.0, ("S-PD", "Shanghai"): 8_332.0}
)
"""Text on Fig. 8: keys of the week by plan and city. [kbit]"""
