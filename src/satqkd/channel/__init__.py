"""Loss and noise between the satellite's source and the station's detectors."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "acceptance", "adaptive_optics", "aerosol", "air_mass", "atmosphere_layers", "atmosphere_tables", "background",
    "beam", "beam_wander", "budget", "clouds", "coupling", "divergence", "empirical", "evaluate", "extinction", "fades",
    "fibre", "fitted", "gases", "gaussian_beam", "geostationary", "height_integrals", "live_atmosphere", "models",
    "moonlight", "noise", "pointing", "profiles", "published_radiance", "rayleigh", "scintillation", "sky_background",
    "sky_radiance", "turbulence", "uplink", "uplink_budget", "uvspec",
)  # fmt: skip
