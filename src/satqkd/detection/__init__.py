"""Source and receiver models: click and error statistics per pulse, and expected counts."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(__name__, "bell_measurement", "receivers", "two_photon_interference", "weak_pulse")
