"""Make the parity-check codes that the package ships: ``python tools/design_ldpc.py``.

Degree profiles come from ``ldpc_profiles.json``, in part found by ``ldpc_profiles.py``. Each code's profile is
interpolated between the two designs next to its rate, and its matrix is grown without 4-cycles. The same seed gives
the same tables. ``--thresholds`` prints what density evolution says about each of them instead.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from ldpc_construct import construct
from ldpc_density_evolution import binary_entropy, threshold_qber

COLUMNS, CIRCULANT = 2000, 50
FEWEST_ROWS, MOST_ROWS, CODES = 60, 1000, 49
PROFILES = Path(__file__).with_name("ldpc_profiles.json")
OUTPUT = Path(__file__).resolve().parents[1] / "src" / "satqkd" / "distillation" / "data" / "ldpc_codes.npz"


def family() -> list[int]:
    """Rows of circulants of every code, in equal ratios of 6 %."""
    return [int(rows) for rows in np.round(np.geomspace(FEWEST_ROWS, MOST_ROWS, CODES))]


def profile(rows: int) -> dict[int, float]:
    """Column degrees of a code, interpolated in the logarithm of its rate; constant beyond the outermost designs."""
    designs = json.loads(PROFILES.read_text(encoding="utf-8"))["profiles"]
    rates = np.log([design["rows_per_column"] for design in designs])
    degrees = sorted({int(degree) for design in designs for degree in design["node_degree_fractions"]})
    at = np.log(rows / COLUMNS)
    mixed = {
        degree: float(
            np.interp(at, rates, [design["node_degree_fractions"].get(str(degree), 0.0) for design in designs])
        )
        for degree in degrees
    }
    total = sum(mixed.values())
    return {degree: fraction / total for degree, fraction in mixed.items() if fraction > 0.0}


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--thresholds", action="store_true", help="print thresholds instead")
    arguments = parser.parse_args()
    if arguments.thresholds:
        for rows in family():
            qber = threshold_qber(profile(rows), rows / COLUMNS)
            print(f"{rows:5d} rows: {100 * qber:.3f} %, f = {rows / COLUMNS / binary_entropy(qber):.4f}", flush=True)
        return
    tables: dict[str, np.ndarray] = {"rows": np.array(family(), np.int32)}
    kinds = {"row_start": np.uint16, "row_middle": np.uint16, "column": np.uint16, "shift": np.uint8}
    for index, rows in enumerate(family()):
        table = construct(
            profile(rows), rows=rows, columns=COLUMNS, circulant=CIRCULANT, seed=arguments.seed + index
        )  # fmt: skip
        for key, kind in kinds.items():
            tables[f"{key}_{index}"] = table[key].astype(kind)
        print(f"{rows} rows, {table['column'].size} circulants", flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.output, **tables)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
