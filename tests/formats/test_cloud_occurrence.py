"""Tables of occurrence: written and read back, both formats, and what is no such table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from satqkd.errors import InputError
from satqkd.formats.cloud_occurrence import OccurrenceRow, read_occurrence, select_stations, write_occurrence

YEAR = (OccurrenceRow("Madrid", None, 0.64, 0.05, 0.06), OccurrenceRow("Aix, nord", None, 0.5, 0.5, 0.0))
MONTHS = tuple(OccurrenceRow("Madrid", month, month / 16, 0.125, 0.0625) for month in (1, 7, 12))


@pytest.mark.parametrize("rows", [YEAR, MONTHS, YEAR + MONTHS], ids=["year", "months", "both"])
def test_written_tables_read_back(tmp_path: Path, rows: tuple[OccurrenceRow, ...]) -> None:
    path = tmp_path / "o.csv"
    path.write_text(write_occurrence(rows, comments=["where it comes from"]), encoding="utf-8")
    assert read_occurrence(path) == rows
    assert path.read_text(encoding="utf-8").startswith("# where it comes from\nstation,")
    path.write_text(write_occurrence(rows), encoding="utf-8-sig")  # as spreadsheets save it
    assert read_occurrence(path) == rows


def test_netcdf_by_month_in_any_order_of_dimensions(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3) / 30.0
    data = {name: (("station", "month"), values + k / 10.0) for k, name in enumerate(("clear", "thin", "thick"))}
    dataset = xr.Dataset(data, coords={"station": np.array(["A", "B"], dtype=object), "month": [1, 2, 3]})
    path = tmp_path / "o.nc"
    dataset.transpose("month", "station").to_netcdf(path, engine="h5netcdf")
    found = read_occurrence(path)
    assert [(row.station, row.month) for row in found] == [(s, m) for s in "AB" for m in (1, 2, 3)]
    assert found[4].thin == pytest.approx(4 / 30 + 0.1, rel=1e-14)


def test_netcdf_of_the_year_and_without_a_class(tmp_path: Path) -> None:
    data = {name: (("station",), [0.25]) for name in ("clear", "thin", "thick")}
    dataset = xr.Dataset(data, coords={"station": np.array(["A"], dtype=object)})
    path = tmp_path / "o.nc"
    dataset.to_netcdf(path, engine="h5netcdf")
    assert read_occurrence(path) == (OccurrenceRow("A", None, 0.25, 0.25, 0.25),)
    dataset.drop_vars("thin").to_netcdf(path, engine="h5netcdf")
    with pytest.raises(InputError, match='no variable "thin"; it has clear, station, thick'):
        read_occurrence(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("station,clear,thin\nA,0.5,0.1\n", 'needs one column "thick", found 0'),
        ("station,clear,thin,thick,season\nA,0.5,0.1,0.1,1\n", 'column "season" is not known'),
        ("station,clear,thin,thick\n", "has no rows"),
        ("", 'needs one column "station"'),
        ("station,clear,thin,thick\nA,0.5,0.1\n", "row 2: 3 cells, the header has 4"),
        ("# c\nstation,clear,thin,thick\nA,0.5,,0.1\n", 'row 3, column "thin": "" is not allowed'),
        ("station,clear,thin,thick\nA,0.5,nan,0.1\n", 'row 2, column "thin": "nan" is not allowed'),
        ("station,clear,thin,thick\nA,64,5,6\n", 'row 2, column "clear": 64 is not allowed: a fraction from 0 to 1'),
        ("station,clear,thin,thick\nA,0.6,0.3,0.2\n", "row 2: clear, thin and thick sum to 1.1, more than 1"),
        ("station,month,clear,thin,thick\nA,13,0.6,0.3,0.1\n", '"13" is not allowed: 1 to 12'),
        ("station,clear,thin,thick\nA,0.6,0.3,0.1\nA,0.6,0.3,0.1\n", 'station "A" is given twice'),
    ],
)
def test_fault_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "o.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_occurrence(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stations_are_selected_in_order_or_missed_by_name() -> None:
    rows = YEAR + MONTHS
    found = select_stations(rows, ["Aix, nord", "Madrid"], source="o.csv")
    assert [row.station for row in found] == ["Aix, nord"] + ["Madrid"] * 4
    with pytest.raises(InputError, match=r'o\.csv: no data for station "Wien"; it has Madrid, Aix, nord'):
        select_stations(rows, ["Madrid", "Wien"], source="o.csv")
