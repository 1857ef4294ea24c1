"""Pages made from the code show what is in the code."""

import importlib.util
import sys
from pathlib import Path

import pytest

from satqkd.scenario.model import Scenario
from satqkd.variables import VARIABLES

EXTENSIONS = Path(__file__).resolve().parent.parent / "docs" / "_ext"


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))

    def load(name):
        spec = importlib.util.spec_from_file_location(name, EXTENSIONS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    sys.modules.pop("generated", None)


def test_every_scenario_field_is_on_its_page(extension):
    page = extension("scenario_fields").render()
    models = {"Scenario": Scenario.model_json_schema(), **Scenario.model_json_schema()["$defs"]}
    del models["EmbeddedFile"]  # written as a path
    for model, schema in models.items():
        for field, described in schema["properties"].items():
            # a nested table has a section, a value has a row
            shown = f"{field}``" in page or f"\n{field}" in page or f".{field}" in page
            assert shown, f"{model}.{field}"
            if "description" in described:
                assert described["description"].split("\n")[0] in page
    assert "* - ``source.wavelength``\n     - nm\n     - required\n     - at least 200 nm and at most 20000 nm" in page
    assert "<class" not in page
    assert "typing." not in page


def test_every_variable_is_in_the_nomenclature(extension):
    page = extension("nomenclature").render()
    assert [name for name in VARIABLES if f"``{name}``" not in page] == []


def test_every_command_is_on_its_page(extension):
    page = extension("command_line").render()
    for command in ("run", "presets", "show", "schema", "doctor", "passes", "link", "key", "plan"):
        assert f"$ satqkd {command}" in page
    assert "--overwrite" in page


def test_every_public_module_has_a_page(extension):
    api = extension("api_pages")
    names = [name for package in api.modules().values() for name in package]
    for name in ("satqkd", "satqkd.orbit.passes", "satqkd.security.lim2014", "satqkd.study.run"):
        assert name in names
    assert [name for name in names if not api.summary(name)] == []
