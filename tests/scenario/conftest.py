"""A scenario to spoil: the Micius week as plain data."""

import tomllib

import pytest

from satqkd.scenario import preset_text


@pytest.fixture
def week():
    return tomllib.loads(preset_text("micius-china-week"))


@pytest.fixture
def zenith():
    return tomllib.loads(preset_text("micius-zenith"))
