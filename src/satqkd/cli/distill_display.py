"""What ``satqkd distill`` shows while it runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Board", "display", "print_event"]

_ROWS = 12


def print_event(event: dict[str, Any]) -> None:
    """An event as a line of JSON on standard output, at once."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Board:
    """State of a session as its events tell it, and a picture of it."""

    def __init__(self) -> None:
        self.stage = "starting"
        self.sifted = (0, 0)
        self.packets: list[dict[str, Any]] = []
        self.blocks: dict[int, dict[str, Any]] = {}
        self.released: dict[str, int] = {"satellite": 0, "ground": 0}
        self.links: dict[str, dict[str, Any]] = {}
        self.remarks: list[str] = []

    def take(self, event: dict[str, Any]) -> None:
        """Note an event."""
        kind, side = event["event"], event.get("side", "")
        if kind == "stage":
            self.stage = event["text"]
        elif kind == "sifted":
            self.stage, self.sifted = "sifting and correcting", (event["detections"], event["of"])
        elif kind == "block" and event["block"] not in self.blocks:
            self.blocks[event["block"]] = event["key"]
            self.packets += event["packets"]
        elif kind == "released":
            self.released[side] += 8 * event["bytes"]
        elif kind == "link":
            self.links[side] = event
        elif kind in ("stopped", "restarted"):
            self.remarks.append(f"{side}: {event.get('reason', 'started again')}")
        elif kind == "closed":
            self.stage = "done"

    def picture(self) -> RenderableType:
        """Tables for a terminal."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        done, of = self.sifted
        share = f", {100.0 * done / of:.0f} % of {of:,} detections" if of else ""
        parts: list[RenderableType] = [Text(f"{self.stage}{share}", style="bold")]
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for title in ("packet", "QBER", "f", "revealed", "rounds", "status"):
            table.add_column(title, justify="left" if title == "status" else "right")
        for row in self.packets[-_ROWS:]:
            table.add_row(
                str(row["packet"]), f"{100.0 * row['qber']:.2f} %", efficiency_text(row), f"{row['revealed_bits']:,}",
                str(row["rounds"]), row["status"],
            )  # fmt: skip
        if self.packets:
            parts.append(table)
        secure = min(self.released.values())
        parts.append(
            Text(f"{len(self.packets)} packets sifted, {len(self.blocks)} blocks, {secure:,} secure bits at both ends")
        )
        for side, counts in self.links.items():
            parts.append(
                Text(
                    f"{side:>9}: sent {counts['sent']:,} datagrams ({counts['repeated']:,} again, {counts['lost']:,} "
                    f"lost), {counts['bytes_sent'] / 1e6:.2f} MB", style="dim",
                )
            )  # fmt: skip
        parts += [Text(remark, style="yellow") for remark in self.remarks[-3:]]
        return Group(*parts)


def efficiency_text(row: dict[str, Any]) -> str:
    """Revealed bits over Shannon's limit, for a packet that was corrected."""
    from satqkd.security.entropy import binary_entropy_scalar

    limit = row["bits"] * binary_entropy_scalar(row["qber"])
    return f"{row['revealed_bits'] / limit:.3f}" if row["status"] == "corrected" and limit > 0.0 else "-"


@contextmanager
def display(hidden: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Live picture on standard error; nothing when hidden or where nobody watches."""
    if hidden or not sys.stderr.isatty():
        yield lambda event: None
        return
    from rich.console import Console
    from rich.live import Live

    board = Board()
    with Live(board.picture(), console=Console(stderr=True), refresh_per_second=8, transient=True) as live:

        def take(event: dict[str, Any]) -> None:
            board.take(event)
            live.update(board.picture())

        yield take
