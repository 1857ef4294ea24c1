"""Loss and noise between the satellite's source and the station's detectors."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "adaptive_optics",
    "beam",
    "beam_wander",
    "budget",
    "coupling",
    "divergence",
    "empirical",
    "evaluate",
    "fades",
    "fibre",
    "fitted",
    "geostationary",
    "height_integrals",
    "models",
    "pointing",
    "profiles",
    "scintillation",
    "turbulence",
    "uplink",
    "uplink_budget",
)
