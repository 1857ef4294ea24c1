"""Make src/satqkd/plot/data/land_110m.csv from Natural Earth's 1:110 million land polygons.

Source: the file land-110m.json (TopoJSON) of the npm package world-atlas, version 2.0.2, made from Natural Earth
(naturalearthdata.com), which is in the public domain. Usage::

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python tools/make_coastlines.py package/land-110m.json
"""

from __future__ import annotations

import json
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parent.parent / "src" / "satqkd" / "plot" / "data" / "land_110m.csv"
HEADER = """\
# Land, Natural Earth 1:110 million (public domain, naturalearthdata.com), by way of world-atlas 2.0.2 land-110m.json.
# One closed ring per line: longitude,latitude,longitude,latitude,... in units of 0.01 degree. Holes turn the other way.
# Rings that cross the date line go on beyond 180 degrees.
# Made by tools/make_coastlines.py.
"""


def decode_arcs(topology: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """Arcs in degrees: TopoJSON stores each point as an integer step from the one before it."""
    (scale_x, scale_y), (shift_x, shift_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        columns, rows = (list(accumulate(steps)) for steps in zip(*arc, strict=True))
        arcs.append([(x * scale_x + shift_x, y * scale_y + shift_y) for x, y in zip(columns, rows, strict=True)])
    return arcs


def ring(numbers: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Join arcs to a closed ring; ``~n`` stands for arc n run backwards, and joints are stored twice."""
    points: list[tuple[float, float]] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    if points[0] != points[-1]:
        raise ValueError("ring is not closed")
    return points


def unroll(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ring in 0.01 degree without jumps at the date line; one around a pole is closed along the pole."""
    out = [points[0]]
    for x, y in points[1:]:
        turns = round((x - out[-1][0]) / 36000)
        out.append((x - 36000 * turns, y))
    if out[-1] != out[0]:
        pole = 9000 if out[0][1] > 0 else -9000
        out += [(out[-1][0], pole), (out[0][0], pole), out[0]]
    return out


def main(path: str) -> None:
    """Read the TopoJSON file and write the table."""
    topology = json.loads(Path(path).read_text(encoding="utf-8"))
    arcs = decode_arcs(topology)
    lines = []
    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            for numbers in polygon:
                rounded = [(round(100 * x), round(100 * y)) for x, y in ring(numbers, arcs)]
                kept = [p for i, p in enumerate(rounded) if i == 0 or p != rounded[i - 1]]
                if len(kept) >= 4:
                    lines.append(",".join(f"{x},{y}" for x, y in unroll(kept)))
    OUTPUT.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(lines)} rings, {OUTPUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(*sys.argv[1:])
