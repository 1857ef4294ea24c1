"""Security analyses: from counts or transmittances to a secret key length with a stated epsilon."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "_lim2014",
    "_three_intensity",
    "bounds",
    "decoy",
    "entropy",
    "evaluate",
    "exact_bounds",
    "gllp",
    "leakage",
    "lim2014",
    "lim2014_analysis",
    "lim2014_variants",
    "margin",
    "mdi",
    "optimise",
    "quadrature",
    "reasons",
    "result",
    "sampling",
    "tails",
    "three_intensity",
    "variable_length",
)
