"""Quantities as text: exact round trips, and errors that name the right unit."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.scenario.units import DIMENSIONS, Quantity, format_quantity, parse_quantity

EVERY_UNIT = [Quantity(dimension, unit) for dimension, units in DIMENSIONS.items() for unit in units]
PHYSICAL = [quantity for quantity in EVERY_UNIT if quantity.unit]
MAGNITUDES = (
    st.floats(min_value=1e-200, max_value=1e200) | st.floats(min_value=-1e200, max_value=-1e-200) | st.just(0.0)
)


@pytest.mark.parametrize("quantity", EVERY_UNIT, ids=lambda quantity: f"{quantity.dimension}-{quantity.unit}")
@settings(deadline=None)  # a loaded machine is no fault
@given(si_value=MAGNITUDES)
def test_text_reads_back_to_the_same_float(quantity, si_value):
    written = format_quantity(si_value, quantity)
    # A percentage is written with its unit; a pure ratio is written as a bare number.
    assert isinstance(written, str) == bool(quantity.unit)
    assert parse_quantity(written, quantity) == si_value  # to the last bit: the hash of a scenario depends on it


@settings(deadline=None)  # a loaded machine is no fault
@given(transmittance=st.floats(0.0, 1.0))
def test_a_transmittance_is_written_as_the_number_it_is(transmittance):
    quantity = Quantity("transmittance", "")
    assert parse_quantity(format_quantity(transmittance, quantity), quantity) == transmittance


@pytest.mark.parametrize(
    ("text", "quantity", "si_value"),
    [
        # Exact: the decimal text and the decimal SI value are the same number, so the nearest float is the same.
        ("850 nm", Quantity("length", "nm"), 8.5e-07),
        ("848.6 nm", Quantity("length", "nm"), 8.486e-07),
        ("1.2 m", Quantity("length", "m"), 1.2),
        ("500km", Quantity("length", "m"), 500e3),
        ("10 µrad", Quantity("angle", "urad"), 1e-05),
        ("200 MHz", Quantity("frequency", "Hz"), 200e6),
        ("1 d", Quantity("time", "s"), 86400.0),
        ("  2.5e-3   s ", Quantity("time", "s"), 2.5e-3),
        ("90 min", Quantity("time", "h"), 5400.0),
        ("180°", Quantity("angle", "deg"), math.pi),
        ("7 ppm", Quantity("ratio", ""), 7e-6),
        ("0.5", Quantity("ratio", ""), 0.5),
        ("12", Quantity("length", "km"), 12e3),
    ],
)
def test_known_conversions_are_exact(text, quantity, si_value):
    assert parse_quantity(text, quantity) == si_value


@pytest.mark.parametrize(
    ("text", "quantity", "si_value"),
    [
        ("1 arcsec", Quantity("angle", "rad"), math.pi / 648_000.0),
        ("1 deg", Quantity("angle", "rad"), math.pi / 180.0),
        ("1.5 %", Quantity("ratio", ""), 0.015),
        ("10 dB", Quantity("transmittance", ""), 0.1),
        ("3 dB", Quantity("transmittance", ""), 0.501187233627272),  # 10^-0.3
    ],
)
def test_known_conversions_to_rounding(text, quantity, si_value):
    # Irrational factors: a few units in the last place.
    assert parse_quantity(text, quantity) == pytest.approx(si_value, rel=1e-14)


@pytest.mark.parametrize("quantity", PHYSICAL, ids=lambda quantity: f"{quantity.dimension}-{quantity.unit}")
def test_a_bare_number_has_the_declared_unit(quantity):
    assert parse_quantity(3.0, quantity) == parse_quantity(f"3 {quantity.unit}", quantity)


@pytest.mark.parametrize(
    ("value", "quantity", "words"),
    [
        ("850 mn", Quantity("length", "nm"), ['"850 mn"', "length", "did you mean"]),
        ("10 murad", Quantity("angle", "urad"), ["angle", "did you mean", "urad"]),
        ("200 mhz", Quantity("frequency", "MHz"), ["frequency", "did you mean MHz?"]),
        ("10 s", Quantity("length", "m"), ["wrong unit", "m, km, cm, mm, um, nm"]),
        ("3 dB", Quantity("ratio", ""), ["wrong unit", "ratio"]),
        ("1 m/s", Quantity("length", "m"), ["wrong unit"]),
        ("ten km", Quantity("length", "km"), ['"ten km"', '"1 km"']),
        ("", Quantity("length", "km"), ['""', '"1 km"']),
        ("nan", Quantity("ratio", ""), ["not a finite number"]),
        ("inf km", Quantity("length", "km"), ["not a finite number"]),
        ("1e999 m", Quantity("length", "m"), ["not a finite number"]),
        (math.nan, Quantity("length", "m"), ["not a finite number"]),
        (True, Quantity("length", "m"), ["not a number"]),
        (None, Quantity("length", "m"), ["not a number"]),
        ([1], Quantity("length", "m"), ["not a number"]),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(value, quantity, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole message is looked at below)
        parse_quantity(value, quantity)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("quantity", "inside", "outside"),
    [
        (Quantity("angle", "deg", -90.0, 90.0), ["90 deg", -90, "1.5707963267948966 rad"], ["90.001 deg", -91]),
        (Quantity("length", "m", 0.0, exclusive_minimum=True), ["1e-300 m"], [0, "0 m", "-1 mm"]),
        (Quantity("transmittance", ""), ["0 dB", 0, 1], []),
        (Quantity("transmittance", "", 0.0, 1.0), [0.0, 1.0, "300 dB"], [1.0001, "-1 dB", -0.1]),
    ],
)
def test_range_holds_at_its_ends(quantity, inside, outside):
    for value in inside:
        quantity.parse(value)
    for value in outside:
        with pytest.raises(ValueError, match="out of range: allowed is"):
            quantity.parse(value)
