"""Running scenarios and keeping their results."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "clouds",
    "ephemeris",
    "keyrate",
    "keyrate_lim2014",
    "overpasses",
    "plan",
    "plan_files",
    "reproduce",
    "reproduce_003",
    "result",
    "run",
    "storage",
)
