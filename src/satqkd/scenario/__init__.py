"""Scenario files: frozen models, units as people write them, presets."""

from satqkd.scenario.load import load_scenario, preset_names, preset_text
from satqkd.scenario.model import Scenario

__all__ = ["Scenario", "load_scenario", "preset_names", "preset_text"]
