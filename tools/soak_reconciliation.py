"""Efficiency of the reconciliation over many packets with independent errors: ``python tools/soak_reconciliation.py``.

The sender starts without any knowledge of the QBER. Printed per QBER: f = all bits revealed / sum of n h(true QBER) and
where it is lost, rounds, abandoned packets, packets that end up different, and the speed of both sides together on one
core. Ends with status 1 if a requirement is not met.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from satqkd.distillation._reconciliation_rules import binary_entropy
from satqkd.distillation.reconciliation import PACKET_BITS, Outcome, Receiver, Rules, Sender

LIMITS = {0.005: 1.24, 0.01: 1.16, 0.02: 1.13, 0.04: 1.12}


@dataclass
class Tally:
    """Outcomes of a QBER."""

    qber: float
    outcomes: list[Outcome] = field(default_factory=list)
    different: int = 0
    seconds: float = 0.0

    @property
    def efficiency(self) -> float:
        """All bits that either side revealed, over the sum of n h(true QBER)."""
        revealed = sum(o.revealed_bits for o in self.outcomes)
        return revealed / (len(self.outcomes) * PACKET_BITS * binary_entropy(self.qber))

    def share(self, part: str) -> float:
        """Contribution of a part to the efficiency."""
        bits = sum(o.parts.get(part, 0) for o in self.outcomes)
        return bits / (len(self.outcomes) * PACKET_BITS * binary_entropy(self.qber))

    def count(self, status: str) -> int:
        """Packets that ended so."""
        return sum(o.status == status for o in self.outcomes)


def run(qber: float, packets: int, seed: int, rules: Rules | None = None, in_flight: int = 20) -> Tally:
    """Reconcile packets, up to ``in_flight`` at a time, every message delivered at once."""
    rng = np.random.default_rng([seed, round(1e6 * qber)])
    sender, receiver, tally = Sender(rules), Receiver(rules), Tally(qber)
    bits: dict[int, np.ndarray] = {}
    waiting = deque(range(packets))
    open_packets: set[int] = set()
    while waiting or open_packets:
        # the first packet tells the QBER to the others
        while waiting and len(open_packets) < (in_flight if tally.outcomes else 1):
            packet = waiting.popleft()
            bits[packet] = rng.integers(0, 2, PACKET_BITS, np.uint8)
            errors = (rng.random(PACKET_BITS) < qber).astype(np.uint8)
            open_packets.add(packet)
            start = time.process_time()
            receiver.open(packet, bits[packet] ^ errors)
            receiver.receive(sender.open(packet, bits[packet]))
            tally.seconds += time.process_time() - start
        start = time.process_time()
        for reply in receiver.work():
            answer = sender.receive(reply)
            if answer is not None:
                receiver.receive(answer)
        tally.seconds += time.process_time() - start
        for packet in [packet for packet in open_packets if receiver.outcome(packet) is not None]:
            outcome = sender.outcome(packet)
            assert outcome is not None
            assert outcome == receiver.outcome(packet)
            if outcome.status == "corrected":
                same = np.array_equal(receiver.corrected(packet), bits[packet])
                tally.different += not same
                if same:
                    sender.verified(packet)
            tally.outcomes.append(outcome)
            sender.drop(packet)
            receiver.drop(packet)
            del bits[packet]
            open_packets.remove(packet)
    return tally


def code_threshold(tally: Tally) -> float:
    """Efficiency at which density evolution of the code used most succeeds."""
    from design_ldpc import COLUMNS, profile
    from ldpc_density_evolution import threshold_qber

    name = Counter(outcome.code for outcome in tally.outcomes).most_common(1)[0][0]
    rows = int(name.removeprefix("qc"))
    return rows / COLUMNS / binary_entropy(threshold_qber(profile(rows), rows / COLUMNS))


def report(tally: Tally, *, threshold: bool) -> bool:
    """Print a tally; whether the requirements hold."""
    packets = len(tally.outcomes)
    rounds = Counter(outcome.rounds for outcome in tally.outcomes)
    acknowledgements = tally.share("acknowledgements") + tally.share("qber_reports")
    limit = LIMITS.get(tally.qber)
    print(f"QBER {100 * tally.qber:g} %: f = {tally.efficiency:.4f}" + (f" (limit {limit})" if limit else ""))
    print(f"  syndromes {tally.share('syndromes'):.4f}, further parities {tally.share('parities'):.4f}, ", end="")
    print(f"bits {tally.share('bits'):.4f}, acknowledgements and QBER reports {acknowledgements:.4f}")
    if threshold:
        lost = code_threshold(tally)
        rest = tally.efficiency - lost - acknowledgements
        print(f"  lost: code's threshold {lost - 1:.4f}, finite length and rounds {rest:.4f}")
    print(f"  rounds {dict(sorted(rounds.items()))}, codes {dict(Counter(o.code for o in tally.outcomes))}")
    print(f"  {packets} packets: {tally.count('corrected')} corrected, {tally.count('abandoned')} abandoned, ", end="")
    print(f"{tally.count('rejected')} rejected, {tally.different} different from the sender's; ", end="")
    print(f"{packets * PACKET_BITS / tally.seconds / 1e6:.2f} Mbit/s per core", flush=True)
    return (
        tally.different == 0
        and tally.count("corrected") > 0.99 * packets
        and max(rounds) <= 6
        and (limit is None or tally.efficiency <= limit)
    )


def main() -> None:
    """All the QBERs asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=1000)
    parser.add_argument("--qber", type=float, nargs="+", default=list(LIMITS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--disclosure", default="public", help="public or llr")
    parser.add_argument("--threshold", action="store_true", help="density evolution of the code: where f is lost")
    arguments = parser.parse_args()
    rules = Rules(disclosure=arguments.disclosure)
    run(arguments.qber[0], 1, 0)  # compile
    held = [
        report(run(q, arguments.packets, arguments.seed, rules), threshold=arguments.threshold) for q in arguments.qber
    ]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
