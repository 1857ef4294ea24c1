"""From detections to keys: synchronisation, sifting and what follows."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(__name__, "announcement", "packets", "sifting", "synchronisation")
