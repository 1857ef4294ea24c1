"""Tables that people make: what is read, and one line with the place for what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.errors import InputError
from satqkd.formats.key_table import parse_keys, read_keys, read_traffic, read_weights

PLAIN = "interval,Xi'an,Zürich\n3,1,2\n5,0,4.5\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_plain_table() -> None:
    table = parse_keys(PLAIN)
    assert table.satellites == ("satellite",)
    assert table.stations == ("Xi'an", "Zürich")
    np.testing.assert_array_equal(table.interval, [3, 5])
    np.testing.assert_array_equal(table.bits, [[[1.0, 2.0], [0.0, 4.5]]])


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "\n \n" + PLAIN.replace("\n", "\n\n") + ",,\n",
        'interval, Xi\'an , "Zürich"\n5,0,4.5\n3, 1 ,2',
        "Xi'an,interval,Zürich\n1,3,2\n0,5,4.5\n",
    ],
    ids=["semicolon", "tab", "bom", "crlf", "blank", "spaces", "order"],
)
def test_the_same_table_as_other_programs_write_it(tmp_path: Path, text: str) -> None:
    table, plain = read_keys(write(tmp_path, text)), parse_keys(PLAIN)
    assert table.stations == plain.stations
    np.testing.assert_array_equal(table.interval, plain.interval)
    np.testing.assert_array_equal(table.bits, plain.bits)


def test_several_satellites_share_the_intervals() -> None:
    table = parse_keys("satellite,interval,A\nS2,4,1\nS1,4,2\nS1,9,3\n")
    assert table.satellites == ("S2", "S1")
    np.testing.assert_array_equal(table.interval, [4, 9])
    np.testing.assert_array_equal(table.bits[:, :, 0], [[1.0, 0.0], [2.0, 3.0]])


@given(st.permutations(range(6)))
def test_the_order_of_rows_is_of_no_matter(order: list[int]) -> None:
    rows = [f"S{number % 2},{number // 2},{number}.5" for number in range(6)]
    ordered = parse_keys("satellite,interval,A\n" + "\n".join(rows))
    mixed = parse_keys("satellite,interval,A\n" + "\n".join(rows[number] for number in order))
    np.testing.assert_array_equal(mixed.interval, ordered.interval)
    for name in ("S0", "S1"):
        own = mixed.bits[mixed.satellites.index(name)]
        np.testing.assert_array_equal(own, ordered.bits[ordered.satellites.index(name)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("is empty",)),
        ("\n\n", ("is empty",)),
        ("interval,A\n", ("no rows",)),
        ("interval\n1\n", ("line 1", "no column of a station")),
        ("time,A\n1,2\n", ("line 1", 'no column "interval"', "time, A")),
        ("interval,A,A\n1,2,3\n", ("line 1", 'two columns are named "A"')),
        ("interval,A,\n1,2,3\n", ("line 1", "column 3 has no name")),
        ("interval,A\n1,2\n\n1,3\n", ("line 4", "interval 1", "line 2")),
        ("satellite,interval,A\nS,1,2\nS,1,3\n", ("line 3", 'satellite "S"')),
        ("satellite,interval,A\n,1,2\n", ("line 2", "satellite", "empty")),
        ("interval,A\n1,-2\n", ("line 2", 'column "A"', "-2", "at least 0")),
        ("interval,A\n1,nan\n", ("line 2", 'column "A"', "nan", "finite")),
        ("interval,A\n1,inf\n", ("line 2", "inf", "finite")),
        ("interval,A\n1,\n", ("line 2", 'column "A"', "empty")),
        ("interval,A\n1,many\n", ("line 2", '"many" is not a number')),
        ("interval,A\n1,1_000\n", ("line 2", '"1_000" is not a number')),
        ("interval;A\n1;2,5\n", ("line 2", "decimal comma")),
        ("interval,A\n1.5,2\n", ("line 2", '"1.5"', "whole number")),
        ("interval,A\n-1,2\n", ("line 2", '"-1"', "whole number")),
        ("interval,A\n1,2,3\n", ("line 2", "3 cells", "2")),
        ('interval,A\n1,"2\n', ("line 2", "CSV")),
        ("interval,A\n1,\0\n", ("not text",)),
        (b"interval,Z\xfcrich\n1,2\n", ("line 1", "UTF-8")),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str | bytes, words: tuple[str, ...]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_keys(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in (str(path), *words):
        assert word in message


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read"):
        read_keys(Path("nowhere.csv"))


def test_weights_in_the_order_of_the_stations(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffweight;station\n0;B\n\n2.5;Xi'an\n")
    assert list(read_weights(path, stations=("Xi'an", "B")).items()) == [("Xi'an", 2.5), ("B", 0.0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("station,weight\nA,1\nC,1\n", ('station "C"', "A, B")),
        ("station,weight\nA,1\n", ('no station "B"', "1 of 2")),
        ("station,weight\nA,0\nB,0\n", ("all weights are 0",)),
        ("station,weight\nA,1\nA,2\n", ("line 3", '"A"', "already")),
        ("station,weight\nA,-1\nB,1\n", ("line 2", "-1")),
        ("name,weight\nA,1\n", ("line 1", "station and weight", "name")),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        read_weights(write(tmp_path, text), stations=("A", "B"))
    for word in words:
        assert word in str(caught.value)


def test_traffic_in_the_order_of_the_stations(tmp_path: Path) -> None:
    path = write(tmp_path, "station,C,A,B\nB,3,1,0\nA,2,0,1\nC,0,2,3\n")
    np.testing.assert_array_equal(read_traffic(path, stations="ABC"), [[0, 1, 2], [1, 0, 3], [2, 3, 0]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("station,A,B\nA,0,1\nB,2,0\n", ("line 3", 'column "A"', "other direction")),
        ("station,A,B\nA,5,1\nB,1,0\n", ("line 2", 'column "A"', "itself")),
        ("station,A,B\nA,0,0\nB,0,0\n", ("all traffic is 0",)),
        ("station,A,B\nA,0,1\n", ('no station "B"',)),
        ("station,A,C\nA,0,1\nC,1,0\n", ('station "C"',)),
        ("from,A,B\nA,0,1\nB,1,0\n", ('no column "station"',)),
    ],
)
def test_traffic_that_does_not_fit(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        read_traffic(write(tmp_path, text), stations=("A", "B"))
    for word in words:
        assert word in str(caught.value)
