"""Who is served when."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "block_plans",
    "blocks",
    "branching",
    "checker",
    "columns",
    "contacts",
    "divergence",
    "evaluate",
    "genetic",
    "goals",
    "key_usage",
    "partition",
    "problem",
    "proportional",
    "scheduling",
    "single",
    "tables",
    "weather",
    names={
        "Schedule": "satqkd.planning.scheduling",
        "schedule": "satqkd.planning.scheduling",
        "trade_off": "satqkd.planning.scheduling",
    },
)
