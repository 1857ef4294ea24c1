"""From detections to identical secret keys on both ends of a link."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "amplification",
    "announcement",
    "authentication",
    "blocks",
    "frames",
    "ground",
    "journal",
    "key_pool",
    "key_store",
    "ldpc_codes",
    "ldpc_decoder",
    "link",
    "messages",
    "packets",
    "party",
    "private_files",
    "randomness",
    "reconciliation",
    "satellite",
    "session",
    "settings",
    "sifting",
    "signatures",
    "synchronisation",
    "transport",
    "udp",
    "verification",
)
