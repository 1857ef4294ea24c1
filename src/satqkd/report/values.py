"""Numbers as people read them, and text made safe for HTML."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np

from satqkd.plot.select import utc
from satqkd.plot.style import bit_unit, three_digits

__all__ = [
    "bits", "escape", "instant", "integer", "number", "percent", "power_of_ten", "ratio", "seconds", "signed_db",
    "table", "utc", "window_text",
]  # fmt: skip


def escape(text: Any) -> str:
    """Text safe between tags and in quoted attributes."""
    return html.escape(str(text), quote=True)


def bits(count: float) -> str:
    """Number of bits with three digits and the unit that fits.

    Examples
    --------
    >>> bits(1_234_567), bits(0), bits(312)
    ('1.23 Mbit', '0 bit', '312 bit')
    """
    count = float(count)
    size, unit = bit_unit(count)
    if size > 1.0 and count / size >= 999.5:  # rounds up to the next unit
        size, unit = bit_unit(1000.0 * size)
    return f"{count:.0f} bit" if size == 1.0 else f"{three_digits(count / size)} {unit}"


def number(value: float, digits: int = 1) -> str:
    """Number with a fixed count of decimals; a dash for what is unknown.

    Examples
    --------
    >>> number(12.345), number(float("nan")), number(-3.0)
    ('12.3', '–', '−3.0')
    """
    value = float(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def signed_db(value: float) -> str:
    """Margin in dB with its sign; infinite margins in words.

    Examples
    --------
    >>> signed_db(1.25), signed_db(float("-inf"))
    ('+1.2', 'out of reach')
    """
    value = float(value)
    if value == -math.inf:
        return "out of reach"
    return number(value) if not value > 0 else f"+{number(value)}"


def percent(value: float, digits: int = 1) -> str:
    """Ratio as a percentage."""
    text = number(100.0 * float(value), digits)
    return text if text == "–" else f"{text} %"


def ratio(a: float, b: float) -> str:
    """How many times ``a`` is ``b``; a dash if ``a`` is nothing.

    Examples
    --------
    >>> ratio(200, 300), ratio(0, 5)
    ('1.500', '–')
    """
    return "–" if a == 0 else number(b / a, 3)


def integer(value: float) -> str:
    """Whole number with thin spaces between groups of three digits."""
    return f"{round(float(value)):,}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace("-", "−")


def seconds(value: float) -> str:
    """Duration in the units that fit.

    Examples
    --------
    >>> seconds(0.0123), seconds(312.4), seconds(12_240)
    ('12 ms', '312 s', '3 h 24 min')
    """
    value = float(value)
    if value < 1.0:
        return f"{1e3 * value:.0f} ms"
    if value < 10.0:
        return f"{value:.1f} s"
    if value < 600.0:
        return f"{value:.0f} s"
    minutes = round(value / 60.0)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 2880:
        return f"{minutes // 60} h {minutes % 60} min".removesuffix(" 0 min")
    return f"{value / 86400.0:.3g} d"


def table(
    header: list[str], rows: list[list[str]], *, text_columns: int = 1, caption: str = "", css: str = "",
    last_text: bool = False,
) -> str:  # fmt: skip
    """HTML table; cells are HTML already, the first ``text_columns`` columns left-aligned.

    Parameters
    ----------
    header : list of str
        Column titles, HTML.
    rows : list of list of str
        Cells, HTML.
    text_columns : int
        Columns of text, on the left; the others are numbers.
    caption : str
        HTML above the table.
    css : str
        Classes of the table.
    last_text : bool
        Whether the last column is text too.

    Returns
    -------
    str
        ``<div class="scroll"><table>...</table></div>``.
    """

    def cell(tag: str, column: int, content: str) -> str:
        words = column < text_columns or (last_text and column == len(header) - 1)
        scope = ' scope="col"' if tag == "th" else ""
        css_class = "" if words else ' class="n"'
        return f"<{tag}{scope}{css_class}>{content}</{tag}>"

    head = "".join(cell("th", i, text) for i, text in enumerate(header))
    body = "\n".join("<tr>" + "".join(cell("td", i, text) for i, text in enumerate(row)) + "</tr>" for row in rows)
    title = f"<caption>{caption}</caption>" if caption else ""
    classes = f' class="{css}"' if css else ""
    content = f"{title}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>"
    return f'<div class="scroll"><table{classes}>{content}</table></div>'


def instant(value: Any) -> str:
    """HTML of an instant, kept on one line."""
    return f"<time>{utc(value)}</time>"


def power_of_ten(value: float) -> str:
    """HTML of a small number with two digits.

    Examples
    --------
    >>> power_of_ten(4.0e-9), power_of_ten(0.0)
    ('4.0&times;10<sup>−9</sup>', '0')
    """
    if not value > 0.0:
        return "0"
    mantissa, exponent = f"{float(value):.1e}".split("e")
    return f"{mantissa}&times;10<sup>{number(int(exponent), 0)}</sup>"


def window_text(start: Any, end: Any) -> str:
    """Window of time, days only where it begins and ends at midnight."""
    texts = [utc(np.datetime64(instant.replace(tzinfo=None))) for instant in (start, end)]
    if all(text.endswith(" 00:00:00") for text in texts):
        texts = [text[:10] for text in texts]
    return f"{texts[0]} to {texts[1]} UTC"
