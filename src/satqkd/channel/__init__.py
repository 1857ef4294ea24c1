"""Loss and noise between the satellite's source and the station's detectors."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "aerosol", "air_mass", "atmosphere_layers", "atmosphere_tables", "divergence", "empirical", "evaluate",
    "extinction", "fitted", "gases", "live_atmosphere", "models", "rayleigh", "uvspec",
)  # fmt: skip
