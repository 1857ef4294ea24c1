"""File formats."""

from satqkd._lazy import lazy as _lazy

__getattr__, __dir__ = _lazy(
    __name__, "cloud_grids", "cloud_occurrence", "craas", "himawari", "icalendar", "itu_clouds", "key_table", "netcdf",
    "oem", "tables",
)  # fmt: skip
