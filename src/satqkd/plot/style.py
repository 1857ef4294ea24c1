"""One look for all figures, and their way into a page: same fonts, colours and units, the same bytes every time."""

from __future__ import annotations

import contextlib
import functools
import html
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "ASYMPTOTIC", "FINITE", "INK", "MUTED", "NONE", "PALETTE", "STYLE", "bit_unit", "message", "new_figure",
    "note", "sequence", "styled", "three_digits", "time_unit", "to_inline", "to_png",
]  # fmt: skip

INK: Final = "#1b2733"
MUTED: Final = "#5d6b7a"
FINITE: Final = "#0b5fa5"
"""Finite keys, wherever they are drawn."""
ASYMPTOTIC: Final = "#e0a030"
"""Asymptotic keys."""
NONE: Final = "#b9c2cc"
"""Passes without any key."""

PALETTE: Final = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#332288", "#999933", "#117733",
    "#661100", "#888888",
)  # fmt: skip
"""Colours of Okabe-Ito and of Tol's muted scheme, distinguishable with any common colour vision deficiency."""

STYLE: Final[dict[str, Any]] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "white",
    "axes.unicode_minus": True,
    "grid.color": "#e3e8ed",
    "grid.linewidth": 0.7,
    "figure.facecolor": "white",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.6,
    "path.simplify": True,
    "svg.fonttype": "none",
    "text.parse_math": False,  # a station may have a $ in its name
    "timezone": "UTC",
}
"""Matplotlib settings under which every figure is made."""

_P = ParamSpec("_P")
_PAGE_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def styled(function: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Make a plot function draw under :data:`STYLE`, leaving the user's settings as they were."""

    @functools.wraps(function)
    def draw(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with _settings():
            return function(*args, **kwargs)

    return draw


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)  # type: ignore[arg-type]
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Figure without any global state; it can be saved as any format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def message(text: str, width_in: float = 8.0, height_in: float = 1.6) -> Figure:
    """Figure that says in one sentence why there is nothing to draw."""
    figure = new_figure(width_in, height_in)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=11, color=MUTED, transform=axes.transAxes)
    return figure


def note(axes: Axes, text: str) -> None:
    """Small remark at the top right, level with the title."""
    axes.set_title(text, loc="right", fontsize=8.0, fontweight="normal", color=MUTED)


def time_unit(span_s: float) -> tuple[float, str]:
    """Unit in which a span of time reads well: its length in seconds, and its name.

    Examples
    --------
    >>> time_unit(400.0), time_unit(86400.0)
    ((1.0, 's'), (3600.0, 'h'))
    """
    return (3600.0, "h") if span_s > 7200.0 else (1.0, "s")


def bit_unit(largest_bits: float) -> tuple[float, str]:
    """Unit in which a number of bits reads well: its size in bits, and its name.

    Examples
    --------
    >>> bit_unit(2.5e6)
    (1000000.0, 'Mbit')
    """
    for size, name in ((1e12, "Tbit"), (1e9, "Gbit"), (1e6, "Mbit"), (1e3, "kbit")):
        if largest_bits >= size:
            return size, name
    return 1.0, "bit"


def three_digits(value: float) -> str:
    """Number from 0 to below 1000 with three significant digits.

    Examples
    --------
    >>> three_digits(16.0), three_digits(0.1234), three_digits(0.0)
    ('16.0', '0.123', '0')
    """
    value = float(value)
    if value == 0.0:
        return "0"
    return f"{value:.{min(6, max(0, 2 - math.floor(math.log10(float(f'{value:.3g}')))))}f}"


def sequence(count: int) -> Sequence[Any]:
    """Colours of ``count`` things that have an order, light to dark."""
    import matplotlib as mpl
    import numpy as np

    return list(mpl.colormaps["YlGnBu"](np.linspace(0.3, 1.0, count) if count > 1 else [0.7]))


def to_inline(figure: Figure, *, name: str, alt: str, limit_bytes: int = 400_000) -> str:
    """Figure as text for an HTML page: SVG, or PNG where the SVG would be large.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to show.
    name : str
        Prefix of the ids in the SVG: unique within the page, letters, digits and hyphens.
    alt : str
        What is to be seen, for readers who cannot.
    limit_bytes : int
        Largest SVG. [byte]

    Returns
    -------
    str
        ``<svg ...>...</svg>`` or ``<img src="data:image/png;base64,...">``, the same for the same figure.
    """
    import matplotlib as mpl

    label = html.escape(alt, quote=True)
    with _settings():
        mpl.rcParams["svg.hashsalt"] = name
        stream = io.StringIO()
        figure.savefig(
            stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}, dpi=72
        )
        text = _compact(stream.getvalue(), name, label)
        if len(text.encode()) <= limit_bytes:
            return text
    import base64

    width = 72.0 * figure.get_figwidth()
    data = base64.b64encode(to_png(figure)).decode()
    return f'<img alt="{label}" style="width:{width:.0f}pt" src="data:image/png;base64,{data}">'


def to_png(figure: Figure) -> bytes:
    """Figure as the content of a PNG file, the same for the same figure."""
    with _settings():
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=150, metadata={"Software": None})
    return picture.getvalue()


def _compact(svg: str, name: str, label: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    kept = {first or second for first, second in used}
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in kept else "", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r' d="([^"]*)"', lambda m: f' d="{_round(m[1])}"', svg)
    svg = re.sub(r"'DejaVu Sans'(, sans-serif)?", _PAGE_FONT, svg)
    svg = svg.replace(" xmlns:xlink", f' role="img" aria-label="{label}" xmlns:xlink', 1)
    return re.sub(r"\n\s*", "\n", svg).strip()


def _round(path: str) -> str:
    """Path data with two decimals, a fortieth of a pixel."""
    path = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), path)
    return re.sub(r"\s+", " ", path).strip()
