"""Values of categories: blocks side by side, one mark per value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from satqkd.plot.curves import power_of_ten
from satqkd.plot.style import PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["marks"]

_SHAPES = ("o", "D", "s", "^")


@styled
def marks(
    rows: Sequence[Mapping[str, Any]], *, block: str, place: str, colour: str, shape: str, value: str, title: str,
    y_label: str, names: Mapping[str, str],
) -> Figure:  # fmt: skip
    """One panel per block on a common logarithmic ordinate; within a place the colours stand beside each other.

    Parameters
    ----------
    rows : sequence of mapping
        Table.
    block, place, colour, shape : str
        Columns: panel, abscissa within it, colour, and mark. Marks whose name ends in " A" are hollow.
    value : str
        Column of the ordinate, positive.
    title, y_label : str
        Text of the figure and of the ordinate.
    names : mapping of str to str
        Titles of the blocks, in their order.

    Returns
    -------
    matplotlib.figure.Figure
        The panels and a legend.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure = new_figure(8.2, 4.2)
    places, colours, shapes = (list(dict.fromkeys(row[name] for row in rows)) for name in (place, colour, shape))
    kinds = list(dict.fromkeys(name.rsplit(" ", 1)[0] for name in shapes))
    look = {
        name: {"marker": _SHAPES[kinds.index(name.rsplit(" ", 1)[0])], "hollow": name.endswith(" A")} for name in shapes
    }
    for axes, (name, text) in zip(figure.subplots(1, len(names), sharey=True), names.items(), strict=True):
        for row in (row for row in rows if row[block] == name):
            index = colours.index(row[colour])
            x = places.index(row[place]) + 0.22 * (index - 0.5 * (len(colours) - 1))
            ink = PALETTE[index]
            face = "white" if look[row[shape]]["hollow"] else ink
            axes.plot(x, row[value], ls="", marker=look[row[shape]]["marker"], ms=4.5, mec=ink, mfc=face, mew=1.0)
        axes.set(yscale="log", xlim=(-0.6, len(places) - 0.4))
        axes.set_title(text, fontsize=9.0, fontweight="normal")
        axes.set_xticks(range(len(places)), places)
        axes.grid(axis="x", visible=False)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: power_of_ten(number)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel(y_label)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.0, fontweight="bold")
    handles = [Line2D([], [], ls="", marker="s", ms=6, color=PALETTE[i], label=name) for i, name in enumerate(colours)]
    handles += [
        Line2D([], [], ls="", marker=str(one["marker"]), ms=5, mec="#444", mfc="white" if one["hollow"] else "#444",
               label=name)
        for name, one in look.items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8.0)
    return figure
