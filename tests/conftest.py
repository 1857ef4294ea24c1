"""Scenarios changed from a preset; property tests without a deadline, as machines can be busy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from satqkd.scenario.load import load_scenario, validate_scenario
from satqkd.scenario.model import Scenario

settings.register_profile("satqkd", deadline=None)
settings.load_profile("satqkd")


@pytest.fixture(scope="session")
def changed() -> Callable[..., Scenario]:
    """Preset with keys replaced: ``changed("micius-zenith", {"study.step": "10 s"})``."""

    def change(preset: str, changes: dict[str, Any]) -> Scenario:
        data = copy.deepcopy(load_scenario(preset).to_dict())
        for path, value in changes.items():
            *parents, last = path.split(".")
            place = data
            for key in parents:
                place = place[int(key) if isinstance(place, list) else key]
            place[last] = value
        return validate_scenario(data)

    return change
