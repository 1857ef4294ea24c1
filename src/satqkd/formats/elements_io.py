"""Orbital elements of any format; the reader is :mod:`satqkd.orbit.elements_io`."""

from satqkd.orbit.elements_io import parse_elements, read_elements

__all__ = ["parse_elements", "read_elements"]
