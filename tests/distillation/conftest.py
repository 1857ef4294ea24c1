"""Fixtures of the session's tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from session_tools import small_pass


@pytest.fixture(scope="session")
def quiet_pass():
    """Four blocks of two packets without trouble."""
    return small_pass(1)
