"""File formats."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__,
    "cloud_grids",
    "cloud_occurrence",
    "craas",
    "detections",
    "himawari",
    "itu_clouds",
    "netcdf",
    "oem",
    "ptu",
    "tables",
)
