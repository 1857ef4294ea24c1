"""From detections to identical secret keys on both ends of a link."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "amplification",
    "authentication",
    "key_pool",
    "key_store",
    "private_files",
    "signatures",
    "verification",
)
