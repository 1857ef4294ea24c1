"""Satellite quantum key distribution, from orbital elements to secret keys.

>>> import satqkd
>>> scenario = satqkd.load_scenario("micius-zenith")
>>> result = satqkd.run(scenario)
>>> int(result.keys.key_bits[0]) > 1_000_000
True
"""

from satqkd._lazy import lazy as _lazy
from satqkd._version import __version__

__all__ = ["__version__", "load_scenario", "open_result", "preset_names", "run"]

__getattr__, __dir__ = _lazy(
    __name__,
    "channel",
    "constants",
    "detection",
    "errors",
    "formats",
    "orbit",
    "planning",
    "plot",
    "report",
    "scenario",
    "security",
    "study",
    "variables",
    names={
        "load_scenario": "satqkd.scenario.load",
        "preset_names": "satqkd.scenario.load",
        "run": "satqkd.study.run",
        "open_result": "satqkd.study.storage",
    },
)
