"""CSV tables read back to the same bits; faults are found by row and column."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from satqkd.errors import InputError
from satqkd.formats.tables import from_csv, to_csv
from satqkd.variables import describe

floats = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    st.lists(st.tuples(floats, st.text(st.characters(blacklist_categories=("Cs", "Cc"))), st.booleans()), max_size=5)
)
def test_round_trip_is_exact(rows: list[tuple[float, str, bool]]) -> None:
    number = np.array([a for a, _, _ in rows], dtype=float)
    dataset = describe(
        xr.Dataset(
            {
                "duration_s": ("pass", number),
                "reason": ("pass", np.array([b for _, b, _ in rows], dtype=object)),
                "truncated": ("pass", np.array([c for _, _, c in rows], dtype=bool)),
                "start": ("pass", np.array([1, 10**9, 1474300800 * 10**9, 7, 0], "M8[ns]")[: len(rows)]),
            },
            coords={"pass": np.arange(len(rows))},
        )
    )
    again = from_csv(to_csv(dataset), "pass", source="t.csv")
    xr.testing.assert_identical(again, dataset)
    for a, b in zip(again.duration_s.values, number, strict=True):
        assert math.isnan(a) or math.copysign(1, a) == math.copysign(1, b) or a == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("duration_s\n1\n", 'no column "pass"'),
        ("pass,speed\n0,1\n", 'column "speed" is not known'),
        ("pass,duration_s\n0\n", "row 2: 1 cells"),
        ("pass,duration_s\n0,abc\n", 'row 2, column "duration_s": "abc"'),
        ("pass,truncated\n0,maybe\n", 'column "truncated": "maybe"'),
        ("pass,start\n0,yesterday\n", 'column "start": "yesterday"'),
        ("", 'no column "pass"'),
    ],
)
def test_fault_is_one_line_with_row_and_column(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        from_csv(text, "pass", source="t.csv")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
