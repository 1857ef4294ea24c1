"""Who is served when."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(__name__, "block_plans", "blocks", "evaluate", "genetic", "single", "weather")
