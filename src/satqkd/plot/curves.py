"""Curves of a table: one line per value of a column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from satqkd.plot.style import PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curves"]


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """Label of a logarithmic axis; Matplotlib's own needs mathematical text, which the figures' style leaves off.

    Parameters
    ----------
    value : float
        A positive number.

    Returns
    -------
    str
        Such as ``10⁻⁶``; empty for what is no whole power.

    Examples
    --------
    >>> power_of_ten(1e-6), power_of_ten(3.0)
    ('10⁻⁶', '')
    """
    exponent = round(math.log10(value)) if value > 0.0 else 0
    whole = value > 0.0 and math.isclose(value, 10.0**exponent, rel_tol=1e-6)
    return "10" + str(exponent).translate(_SUPERSCRIPTS) if whole else ""


def few_digits(value: float) -> str:
    """Label between the powers of ten of a logarithmic axis: 2 and 5 times a power.

    Parameters
    ----------
    value : float
        A positive number.

    Returns
    -------
    str
        Such as ``5·10⁻⁶``; empty for another multiple.

    Examples
    --------
    >>> few_digits(2e4), few_digits(3e4)
    ('2·10⁴', '')
    """
    power = 10.0 ** math.floor(math.log10(value)) if value > 0.0 else 1.0
    digit = round(value / power)
    whole = math.isclose(value, digit * power, rel_tol=1e-6) and digit in (2, 5)
    return f"{digit}·{power_of_ten(power)}" if whole else ""


@styled
def curves(
    rows: Sequence[Mapping[str, Any]], *, x: str, series: str, lines: Mapping[str, str], title: str, y_label: str,
    log_x: bool = False, log_y: bool = True, x_label: str = "",
) -> Figure:  # fmt: skip
    """Curves with one colour per series and one dash pattern per column.

    Parameters
    ----------
    rows : sequence of mapping
        Table.
    x, series : str
        Columns of the abscissa and of what distinguishes the curves.
    lines : mapping of str to str
        Column to draw -> its name in the legend (empty: none); the first is drawn full, the others dashed.
    title, y_label : str
        Text of the figure and of the ordinate.
    log_x, log_y : bool
        Logarithmic axes; values that are not positive are left out of a logarithmic ordinate.
    x_label : str
        Text of the abscissa; empty: the column's name.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes with a legend.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    figure = new_figure(8.2, 4.4)
    axes = figure.subplots()
    names = list(dict.fromkeys(row[series] for row in rows))
    for index, name in enumerate(names):
        own = [row for row in rows if row[series] == name]
        for number, (column, _) in enumerate(lines.items()):
            points = [(row[x], row[column]) for row in own if column in row and (row[column] > 0.0 or not log_y)]
            if points:
                axes.plot(*zip(*points, strict=True), color=PALETTE[index % len(PALETTE)], lw=1.3,
                          ls="-" if number == 0 else (0, (4, 2 * number)),
                          label=f"{name:g}" if isinstance(name, float) and number == 0 else
                          str(name) if number == 0 else None)  # fmt: skip
    for number, label in enumerate(lines.values()):
        axes.plot([], [], color="#555", lw=1.3, ls="-" if number == 0 else (0, (4, 2 * number)), label=label)
    axes.set(title=title, xlabel=x_label or x.replace("_", " "), ylabel=y_label)
    for axis, logarithmic in ((axes.xaxis, log_x), (axes.yaxis, log_y)):
        if logarithmic:
            getattr(axes, f"set_{axis.axis_name}scale")("log")
            axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
            low, high = axis.get_view_interval()
            few = low > 0.0 and high < 30.0 * low  # so few powers of ten that others are needed
            axis.set_minor_formatter(FuncFormatter(lambda value, _: few_digits(value)) if few else NullFormatter())
        elif all(isinstance(row[x], int) for row in rows) and axis is axes.xaxis:
            axis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside right upper", fontsize=6.5 if len(names) > 12 else 8)
    return figure
