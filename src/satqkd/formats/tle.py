"""Two-line element sets; the parser is :mod:`satqkd.orbit.tle`."""

from satqkd.orbit.tle import parse_tle

__all__ = ["parse_tle"]
