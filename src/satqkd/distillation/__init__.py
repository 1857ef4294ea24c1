"""From detections to identical secret keys on both ends of a link."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "amplification",
    "announcement",
    "authentication",
    "key_pool",
    "key_store",
    "ldpc_codes",
    "ldpc_decoder",
    "packets",
    "private_files",
    "reconciliation",
    "sifting",
    "signatures",
    "synchronisation",
    "verification",
)
