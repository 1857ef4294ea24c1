"""Who is served when."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "branching",
    "checker",
    "columns",
    "divergence",
    "evaluate",
    "goals",
    "partition",
    "problem",
    "proportional",
    "scheduling",
    "single",
    "tables",
    names={
        "Schedule": "satqkd.planning.scheduling",
        "schedule": "satqkd.planning.scheduling",
        "trade_off": "satqkd.planning.scheduling",
    },
)
