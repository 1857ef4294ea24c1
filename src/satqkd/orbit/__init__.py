from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "build",
    "elements",
    "elements_io",
    "frames",
    "geometry",
    "intervals",
    "kinematics",
    "moon",
    "omm",
    "passes",
    "propagation",
    "site",
    "sky",
    "sun",
    "time",
    "tle",
    "visibility",
)
