"""Figures, one per question, from the stages' tables.

Every function takes datasets and returns a :class:`matplotlib.figure.Figure` of its own, without global state;
save it with ``figure.savefig("name.svg")`` or show it in a notebook. Matplotlib is loaded by the first call.
"""

from satqkd.plot.budget import noise_curves, station_budgets
from satqkd.plot.comparison import compare_curves, compare_keys, compare_passes
from satqkd.plot.ground_track import ground_track
from satqkd.plot.keys import key_table, keys_by_day
from satqkd.plot.passes import loss_budget, margins, pass_curves
from satqkd.plot.select import best_pass, best_passes, pass_samples
from satqkd.plot.style import to_inline
from satqkd.plot.timeline import timeline

__all__ = [
    "best_pass", "best_passes", "compare_curves", "compare_keys", "compare_passes", "ground_track", "key_table",
    "keys_by_day", "loss_budget", "margins", "noise_curves", "pass_curves", "pass_samples", "station_budgets",
    "timeline", "to_inline",
]  # fmt: skip
