"""Public rules of the reconciliation: which code, how many parities, when to give up. Both sides follow them."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass

from satqkd.distillation._reconciliation_messages import LOWEST_QBER
from satqkd.distillation.ldpc_codes import CIRCULANT, PACKET_BITS, LdpcCode, code_rows, load_code
from satqkd.errors import InputError

DISCLOSURES = ("public", "llr")

FEWEST_ROWS, MOST_ROWS = 2, 5
"""Rows of circulants of 50 parities that are split per round: 100 to 250 bits, more in the last two."""

LATE = {1: 2, 0: 8}
"""Factors by the rounds left, which few packets reach: to give a packet up costs all of it."""


CAUTION, COVER = 0.75, 2.0
"""Standard deviations of the expected QBER: a first code is for so many less, and its half rows do for so many more."""

HALVES = 1.8
"""Parities over those of a code that all of its half rows bring it to; a little below 2, as they serve worse."""

LAST_SHARE = 1.12
"""Parities of a code that must do in the last round, over those that begin a first attempt."""


def binary_entropy(p: float) -> float:
    """Binary entropy. [bit]"""
    return 0.0 if p in (0.0, 1.0) else -(p * math.log2(p) + (1.0 - p) * math.log2(1.0 - p))


@dataclass(frozen=True)
class Rules:
    """What both sides agree on beforehand.

    ``qber_threshold``: a packet with a higher estimate is rejected. ``prior_qber``: expected of the first packet.
    ``start_efficiency`` + ``start_excess`` / sqrt(n h): parities over n h(QBER) of the first attempt, with the estimate
    from the syndrome (fitted to what the shipped codes need). ``first_share``: share of them, for the expected QBER,
    that the first code may have. ``step_efficiency``: parities over n h of a further round.
    ``tracked_packets``: verified packets whose mean QBER is expected next. ``disclosure``: ``"public"``, parities in
    the order fixed by the code, or ``"llr"``, bits where the decoder is least certain.
    """

    qber_threshold: float = 0.08
    prior_qber: float = 0.01
    max_rounds: int = 6
    first_share: float = 0.99
    start_efficiency: float = 1.05
    start_excess: float = 5.0
    step_efficiency: float = 0.018
    tracked_packets: int = 4
    disclosure: str = "public"

    def __post_init__(self) -> None:
        for name, low, high in (
            ("qber_threshold", 0.0, 0.09), ("prior_qber", 0.0, 0.11), ("first_share", 0.5, 1.2),
            ("start_efficiency", 1.0, 2.0), ("start_excess", -1e-9, 50.0), ("step_efficiency", 0.0, 0.2),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low < value <= high:
                raise InputError(f"{name}: {value:g}; allowed is above {low:g} and at most {high:g}")
        if not 1 <= self.max_rounds <= 20:
            raise InputError(f"max_rounds: {self.max_rounds}; allowed are 1 to 20")
        if self.tracked_packets < 1:
            raise InputError(f"tracked_packets: {self.tracked_packets}; allowed is at least 1")
        if self.disclosure not in DISCLOSURES:
            raise InputError(f"disclosure: {self.disclosure!r}; allowed are {', '.join(DISCLOSURES)}")

    def identity(self) -> bytes:
        """32 bytes that differ if the rules or the codes do, for both sides to compare before they begin."""
        digest = hashlib.sha256(repr(sorted(asdict(self).items())).encode())
        for index in range(len(code_rows())):
            code = load_code(index)
            for array in (code.row_start, code.row_middle, code.column, code.shift, code.split_order):
                digest.update(array.astype("<i4").tobytes())
        return digest.digest()

    def first_code(self, qber: float, deviation: float = 0.0) -> int:
        """Index of the largest code within ``first_share``; the smallest for any QBER that is lower still.

        With a standard deviation: what too large a code has revealed is lost, what too small a one lacks its half rows
        make good, unless even they do not do.
        """
        if not 0.0 <= qber <= 0.5 or not 0.0 <= deviation <= 1.0:
            raise InputError(f"qber: {qber:g} +- {deviation:g}; allowed are 0 to 0.5, and 0 to 1")
        low, high = qber - CAUTION * deviation, min(qber + COVER * deviation, max(self.qber_threshold, qber))
        needed = max(self.start_bits(max(low, LOWEST_QBER)), self.start_bits(max(high, LOWEST_QBER)) / HALVES)
        budget = self.first_share * needed
        return max([k for k, rows in enumerate(code_rows()) if rows * CIRCULANT <= budget], default=0)

    def start_bits(self, qber: float) -> float:
        """Parities with which the first attempt begins."""
        entropy = PACKET_BITS * binary_entropy(qber)
        return self.start_efficiency * entropy + self.start_excess * math.sqrt(entropy)

    def larger_code(self, code: LdpcCode, qber: float) -> int | None:
        """Code to begin again with if all the half rows of the present one would not do, or None."""
        if self.start_bits(qber) <= 2 * code.checks:
            return None
        index = self.first_code(qber)
        return index if code_rows()[index] > code.rows else None

    def last_resort(self, code: LdpcCode, split: int, qber: float, number: int) -> int | None:
        """Code to begin again with in round ``number`` when the present one's half rows have run out, or will not do.

        Costs a second syndrome, but not the packet. In the last round there is nothing after it, so it is larger.
        """
        last = number >= self.max_rounds
        enough = LAST_SHARE * self.start_bits(qber)
        if split < code.rows and not (last and enough > 2 * code.checks):
            return None
        budget = enough if last else self.first_share * self.start_bits(qber)
        index = next((k for k, rows in enumerate(code_rows()) if rows * CIRCULANT >= budget), len(code_rows()) - 1)
        return index if code_rows()[index] > code.rows else None

    def hopeless(self, code: LdpcCode, qber: float) -> bool:
        """Whether a syndrome is so short that the first attempt waits for more."""
        step = self.step_efficiency * PACKET_BITS * binary_entropy(qber)
        return code.checks < self.start_bits(qber) - 0.5 * step

    def rows_to_split(self, code: LdpcCode, split: int, qber: float, number: int, *, first: bool) -> int:
        """Rows to split in a round.

        Parameters
        ----------
        code : LdpcCode
            Present code.
        split : int
            Rows split already.
        qber : float
            Estimate from the syndrome.
        number : int
            The round's number, from 1.
        first : bool
            Whether it is the first round after a syndrome: up to ``start_efficiency`` at once.

        Returns
        -------
        int
            At least ``FEWEST_ROWS`` unless fewer are left.
        """
        entropy = PACKET_BITS * binary_entropy(qber)
        rows = min(max(round(self.step_efficiency * entropy / code.circulant), FEWEST_ROWS), MOST_ROWS)
        rows *= LATE.get(self.max_rounds - number, 1)
        if first:
            rows = max(rows, math.ceil((self.start_bits(qber) - code.checks) / code.circulant))
        return min(rows, code.rows - split)

    def beyond(self, qber: float) -> float:
        """QBER to go on with when a syndrome only says that it is at least ``qber``."""
        return max(min(1.25 * qber, self.qber_threshold), qber)
