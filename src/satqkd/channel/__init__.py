"""Loss and noise between the satellite's source and the station's detectors."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(__name__, "clouds", "divergence", "empirical", "evaluate", "fitted", "models")
