"""Who is served when."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "block_plans",
    "blocks",
    "branching",
    "checker",
    "columns",
    "constellation",
    "contacts",
    "divergence",
    "dual",
    "evaluate",
    "exact",
    "exact_shares",
    "genetic",
    "goals",
    "instances",
    "key_usage",
    "partition",
    "pool",
    "problem",
    "proportional",
    "scheduling",
    "several",
    "shares",
    "single",
    "tables",
    "weather",
    "windows",
    names={
        "Schedule": "satqkd.planning.scheduling",
        "schedule": "satqkd.planning.scheduling",
        "trade_off": "satqkd.planning.scheduling",
    },
)
