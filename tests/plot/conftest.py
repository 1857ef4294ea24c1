"""The synthetic runs of the report's tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_path = Path(__file__).parent.parent / "report" / "conftest.py"
_spec = importlib.util.spec_from_file_location("satqkd_test_synthetic_run", _path)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)

empty_run = _module.empty_run
make_run = _module.make_run
make_scenario = _module.make_scenario
run = _module.run
