"""Torture the distillation: thousands of sessions in virtual time with loss, kills and changed bytes; print a tally.

    python tools/soak.py --sessions 2000

Ends with an error at the first session whose ends hold different keys, that uses a one-time value twice, or that
overlooks a change; its seed repeats it.
"""

from __future__ import annotations

import argparse
import collections
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "distillation"))
from session_tools import small_pass, torture


def main() -> None:
    """Run the sessions and print what came of them."""
    parser = argparse.ArgumentParser(description="Torture the distillation session.")
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    given = parser.parse_args()
    small = small_pass(1)
    tally: dict[str, list[int]] = collections.defaultdict(list)
    start = time.monotonic()
    for seed in range(given.first, given.first + given.sessions):
        try:
            what, keys = torture(small, seed)
        except BaseException:
            print(f"seed {seed}:", file=sys.stderr)
            raise
        tally[what].append(keys)
        if sys.stderr.isatty():
            print(f"\r{seed - given.first + 1} of {given.sessions}", end="", file=sys.stderr)
    width = max(map(len, tally))
    print(f"{'what was done':<{width}}  sessions  all keys  some  none")
    for what, keys in sorted(tally.items()):
        whole = max(max(row) for row in tally.values())
        counts = (len(keys), keys.count(whole), sum(0 < n < whole for n in keys), keys.count(0))
        print(f"{what:<{width}}  " + "  ".join(f"{n:>{w}}" for n, w in zip(counts, (8, 8, 4, 4), strict=True)))
    seconds = time.monotonic() - start
    print(f"{given.sessions} sessions in {seconds:.0f} s: identical keys at both ends, no one-time value used twice")


if __name__ == "__main__":
    main()
