"""Satellite quantum key distribution, from orbital elements to secret keys."""

from satqkd._version import __version__

__all__ = ["__version__"]
