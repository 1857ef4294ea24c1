"""Loss and noise between the satellite's source and the station's detectors."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "acceptance", "aerosol", "air_mass", "atmosphere_layers", "atmosphere_tables", "background", "divergence",
    "empirical", "evaluate", "extinction", "fitted", "gases", "live_atmosphere", "models", "moonlight",
    "published_radiance", "rayleigh", "sky_radiance", "uvspec",
)  # fmt: skip
