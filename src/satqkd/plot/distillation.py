"""Pictures of a distilled pass: counts and range, error rates and key over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from satqkd.plot.style import MUTED, PALETTE, message, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["counts_and_range", "errors_and_key", "errors_without_noise"]

Rows = Sequence[Mapping[str, Any]]


@styled
def counts_and_range(
    counts_per_s: Sequence[float], *, time_s: Sequence[float], slant_range_m: Sequence[float]
) -> Figure:
    """Detections per second and distance of the satellite over the pass.

    Parameters
    ----------
    counts_per_s : sequence of float
        Gated detections in each second. [1/s]
    time_s, slant_range_m : sequence of float
        Distance at some times. [s], [m]

    Returns
    -------
    Figure
        Two curves with an axis each.
    """
    if not counts_per_s:
        return message("No detections.")
    figure = new_figure(8.0, 3.0)
    axes = figure.add_subplot()
    whole = list(counts_per_s)[: max(1, int(time_s[-1]))] if time_s else list(counts_per_s)
    axes.plot([i + 0.5 for i in range(len(whole))], [1e-3 * n for n in whole], color=PALETTE[0])
    axes.set(xlabel="time since the first pulse [s]", ylabel="detections [1000/s]", ylim=(0.0, 1.1e-3 * max(whole)))
    axes.yaxis.label.set_color(PALETTE[0])
    other = axes.twinx()
    other.plot(time_s, [1e-3 * r for r in slant_range_m], color=PALETTE[1], linestyle="--")
    other.set_ylabel("range [km]", color=PALETTE[1])
    other.grid(visible=False)
    return figure


def _band(axes: Axes, printed: tuple[float, float] | None) -> None:
    if printed is not None:
        axes.axhspan(*(100.0 * q for q in printed), color=MUTED, alpha=0.18, linewidth=0.0, label="published range")


@styled
def errors_and_key(
    packets: Rows, blocks: Rows, *, threshold: float, printed: tuple[float, float] | None = None
) -> Figure:
    """Error rate of each packet, and the key of each block, over time.

    Parameters
    ----------
    packets : sequence of mapping
        ``start_s``, ``end_s``, ``qber``, ``status``.
    blocks : sequence of mapping
        ``start_s``, ``end_s``, ``key_bits``.
    threshold : float
        Error rate above which packets are dropped. [1]
    printed : tuple of float, optional
        Lowest and highest error rate of a published pass, drawn as a band. [1]

    Returns
    -------
    Figure
        Points, dropped packets hollow, over bars.
    """
    if not packets:
        return message("Not one full packet.")
    figure = new_figure(8.0, 3.4)
    axes = figure.add_subplot()
    other = axes.twinx()
    axes.set_zorder(other.get_zorder() + 1)
    axes.patch.set_visible(False)
    for block in blocks:
        width = block["end_s"] - block["start_s"]
        other.bar(block["start_s"], 1e-3 * block["key_bits"], width=width, align="edge", color=PALETTE[1], alpha=0.35)
    other.set_ylabel("secure key of the block [kbit]", color=PALETTE[1])
    other.set_ylim(0.0, 1.5e-3 * max([b["key_bits"] for b in blocks] or [1.0]) or 1.0)
    other.grid(visible=False)
    for kept in (True, False):
        some = [p for p in packets if (p["status"] == "corrected") == kept]
        if some:
            axes.plot(
                [p["end_s"] for p in some], [100.0 * p["qber"] for p in some], "o", color=PALETTE[0],
                markerfacecolor=PALETTE[0] if kept else "white", label="packet" if kept else "dropped packet",
            )  # fmt: skip
    if any(p["status"] != "corrected" for p in packets):
        axes.axhline(100.0 * threshold, color=MUTED, linewidth=1.0, linestyle=":", label="threshold")
    _band(axes, printed)
    axes.set(xlabel="time since the first pulse [s]", ylim=(0.0, 130.0 * max(p["qber"] for p in packets) or 1.0))
    axes.set_ylabel("QBER [%]", color=PALETTE[0])
    axes.legend(loc="upper left", ncols=3)
    return figure


@styled
def errors_without_noise(
    packets: Rows, *, contrast: float = 10.0**-2.5, printed: tuple[float, float] | None = None
) -> Figure:
    """Error rate of each packet as it is, and without that of the background.

    Parameters
    ----------
    packets : sequence of mapping
        ``end_s``, ``qber``, ``qber_without_noise``.
    contrast : float
        Error rate of a source's polarisation, drawn as a line (Li et al.: 25 dB). [1]
    printed : tuple of float, optional
        Lowest and highest error rate without background of a published pass, drawn as a band. [1]

    Returns
    -------
    Figure
        Two rows of points.
    """
    if not packets:
        return message("Not one full packet.")
    figure = new_figure(8.0, 3.0)
    axes = figure.add_subplot()
    time = [p["end_s"] for p in packets]
    axes.plot(time, [100.0 * p["qber"] for p in packets], "o", color=MUTED, label="measured")
    axes.plot(
        time, [100.0 * p["qber_without_noise"] for p in packets], "s", color=PALETTE[2], label="background removed"
    )  # fmt: skip
    axes.axhline(100.0 * contrast, color=PALETTE[2], linewidth=1.0, linestyle="--", label="25 dB")
    _band(axes, printed)
    top = 130.0 * max(contrast, *(p["qber"] for p in packets))
    axes.set(xlabel="time since the first pulse [s]", ylabel="QBER [%]", ylim=(0.0, top))
    axes.legend(loc="upper left", ncols=3)
    return figure
