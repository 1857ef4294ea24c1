"""CCSDS Orbit Mean-Elements Messages; parsers and writer are in :mod:`satqkd.orbit.omm`."""

from satqkd.orbit.omm import parse_omm_json, parse_omm_kvn, parse_omm_xml, write_omm_kvn

__all__ = ["parse_omm_json", "parse_omm_kvn", "parse_omm_xml", "write_omm_kvn"]
