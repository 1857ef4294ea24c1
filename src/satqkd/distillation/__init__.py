"""From detections to identical secret keys on both ends of a link."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "amplification",
    "announcement",
    "authentication",
    "key_pool",
    "key_store",
    "packets",
    "private_files",
    "sifting",
    "signatures",
    "synchronisation",
    "verification",
)
