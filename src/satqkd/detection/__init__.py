"""Source and receiver models: click and error statistics per pulse, expected counts, sampling of events."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "bell_measurement",
    "pass_model",
    "pulses",
    "receivers",
    "records",
    "sampling",
    "two_photon_interference",
    "weak_pulse",
)
