"""A small parity-check code of the same structure as the shipped ones."""

from __future__ import annotations

import numpy as np
import pytest

from satqkd.distillation.ldpc_codes import CIRCULANT, LdpcCode, make_code


@pytest.fixture(scope="session")
def small_code() -> LdpcCode:
    """12 x 40 circulants of 50: 2,000 bits, 600 checks, columns of degree 2 to 5."""
    rng = np.random.default_rng(5)
    degrees = np.repeat([2, 3, 5], [8, 24, 8])
    rows: list[list[tuple[int, int]]] = [[] for _ in range(12)]
    for column, degree in enumerate(degrees):
        loads = np.array([len(row) for row in rows]) + rng.random(12)
        for row in np.argsort(loads)[:degree]:
            rows[row].append((column, int(rng.integers(CIRCULANT))))
    start = np.cumsum([0, *map(len, rows)])
    edges = np.array([edge for row in rows for edge in row])
    table = {
        "row_start": start, "row_middle": start[:-1] + np.diff(start) // 2, "column": edges[:, 0], "shift": edges[:, 1],
    }  # fmt: skip
    return make_code("small", table, columns=40, circulant=CIRCULANT)
