"""Outlines of the continents: Natural Earth 1:110 million, public domain."""

from __future__ import annotations

import functools
from importlib import resources

import numpy as np
from numpy.typing import NDArray

__all__ = ["land_rings"]


@functools.cache
def land_rings() -> tuple[NDArray[np.float64], ...]:
    """Closed rings of longitude and latitude, shape (points, 2); holes turn the other way. [degree]"""
    text = (resources.files("satqkd.plot") / "data" / "land_110m.csv").read_text(encoding="utf-8")
    rows = (line for line in text.splitlines() if not line.startswith("#"))
    return tuple(np.array(row.split(","), dtype=float).reshape(-1, 2) / 100.0 for row in rows)
