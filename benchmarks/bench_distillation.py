"""Memory and speed of the two programs that distil a pass, beside what is required of them.

Run: ``python benchmarks/bench_distillation.py`` (a whole pass: some minutes), or with ``--duration 60``. Speed is the
sifted bits of all packets by the processor time of each program from its first sifted bit to its last key, so that
other programs, and waiting for the link, matter less. ``--most-memory 500`` ends with code 1 if a program had more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from satqkd.distillation.link import LinkModel
from satqkd.distillation.settings import Settings
from satqkd.study.distill_pass import run_pass

MOST_MEMORY_MB = 500.0
LEAST_MBIT_S = 0.3
AIM_MBIT_S = 1.0


def main() -> int:
    """Print one line per program, and what came of the pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="jinan-1")
    parser.add_argument("--duration", type=float, help="seconds around the best moment; default: all of the pass")
    parser.add_argument("--frame-loss", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--most-memory", type=float, help="end with code 1 if a program had more [MB]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = run_pass(
            arguments.scenario, Path(folder) / "out", duration_s=arguments.duration, seed=arguments.seed,
            link=LinkModel(loss=arguments.frame_loss, delay_s=0.0045, bandwidth_hz=156e6), settings=Settings(),
        )  # fmt: skip
        record = json.loads((Path(folder) / "out" / "run.json").read_text(encoding="utf-8"))
    bits = sum(packet["bits"] for block in record["blocks"] for packet in block["packets"])
    print(
        f"{record['scenario']}, {record['duration_s']:.0f} s, {record['synchronisation'].get('detections', 0)} clicks"
    )
    print(done.text.rsplit("\n", 1)[0])
    print(f"wall time of the distillation {record['wall_time_s']['distillation']:.0f} s")
    print("program    peak MB (below)    processor s    sifted Mbit/s per core (at least, aim)")
    largest = 0.0
    for side in ("satellite", "ground"):
        memory, seconds = 1e-6 * (record["memory_bytes"][side] or 0), record["processor_s"][side]
        largest = max(largest, memory)
        print(f"{side:10} {memory:7.0f}  ({MOST_MEMORY_MB:.0f})  {seconds:13.1f}", end="")
        print(f"    {1e-6 * bits / seconds:13.2f}  ({LEAST_MBIT_S}, {AIM_MBIT_S:g})")
    return int(arguments.most_memory is not None and largest > arguments.most_memory)


if __name__ == "__main__":
    sys.exit(main())
