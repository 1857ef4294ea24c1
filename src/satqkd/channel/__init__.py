"""Loss and noise between the satellite's source and the station's detectors."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "adaptive_optics", "aerosol", "air_mass", "atmosphere_layers", "atmosphere_tables", "beam", "beam_wander",
    "budget", "clouds", "coupling", "divergence", "empirical", "evaluate", "extinction", "fades", "fibre",
    "fitted", "gases", "geostationary", "height_integrals", "live_atmosphere", "models", "pointing", "profiles",
    "rayleigh", "scintillation", "turbulence", "uplink", "uplink_budget", "uvspec",
)  # fmt: skip
