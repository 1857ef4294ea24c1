"""Saved scenarios are complete, and the hash is the identity of everything that affects a result."""

import copy
import hashlib
import json

import jsonschema
import pytest
from pydantic import BaseModel

from satqkd.scenario import Scenario, load_scenario, preset_names
from satqkd.scenario.load import _models_in, validate_scenario

WITHOUT_EFFECT = {("title",), ("description",)}


@pytest.mark.parametrize("name", preset_names())
def test_saved_data_is_the_same_scenario(name):
    scenario = load_scenario(name)
    data = json.loads(json.dumps(scenario.to_dict()))
    again = validate_scenario(data)
    assert again == scenario
    assert again.hash == scenario.hash
    assert again.to_dict() == scenario.to_dict()


def test_saved_data_needs_no_files(tmp_path, monkeypatch):
    data = load_scenario("micius-china-week").to_dict()
    data["satellites"][0]["orbit"]["file"]["path"] = "gone.tle"
    monkeypatch.chdir(tmp_path)
    assert validate_scenario(data).satellites[0].orbit.file.text.startswith("MICIUS")


def leaves(data, path=()):
    """Paths of all values of plain data."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*path, index))
    else:
        yield path


def changed(value):
    """Another value of the same kind, inside every range there is."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 0.999 if value else 1e-4
    number, _, unit = value.partition(" ")
    try:
        return f"{float(number) * 0.999 or 1.0:.17g} {unit}"
    except ValueError:
        return value


OTHER_WORDS = {
    "horizon": "civil", "any": "sunlit", "chernoff": "hoeffding", "exact-smooth": "lim2014", "achievable": "finite",
    "2016-09-19T00:00:00Z": "2016-09-19T00:00:01Z", "2016-09-26T00:00:00Z": "2016-09-26T00:00:01Z",
}  # fmt: skip
NEEDS_A_PARTNER = {
    # a change of these alone is not valid: changed together with what keeps the scenario valid
    ("protocol", "intensity_probabilities"): [0.71, 0.19, 0.10],
    ("channel",): {"model": "fixed-divergence-fitted"},
    ("clouds",): {"kind": "constant", "thickness": 1},
    ("satellites", 0, "orbit"): {"kind": "geostationary", "longitude": "100 deg"},
}


def value_at(data, path):
    for step in path:
        data = data[step]
    return data


def with_change(data, path, value):
    data = copy.deepcopy(data)
    value_at(data, path[:-1])[path[-1]] = value
    return data


def test_hash_changes_with_every_field_but_title_and_description():
    scenario = load_scenario("micius-china-week")
    data = scenario.to_dict()
    changes = dict(NEEDS_A_PARTNER)
    for path in leaves(data):
        if any(path[: len(whole)] == whole for whole in NEEDS_A_PARTNER):
            continue
        value = value_at(data, path)
        other = OTHER_WORDS.get(value, changed(value)) if isinstance(value, str) else changed(value)
        changes[path] = other if other != value else f"{value}-2"
    hashes = {path: validate_scenario(with_change(data, path, value)).hash for path, value in changes.items()}
    assert {path for path, value in hashes.items() if value == scenario.hash} == WITHOUT_EFFECT
    affecting = [value for path, value in hashes.items() if path not in WITHOUT_EFFECT]
    assert len(set(affecting)) == len(affecting)  # different changes are different scenarios
    # every field of every model in use was changed
    assert {path[0] for path in changes} == set(data)
    assert len(changes) > 70


def test_hash_sees_the_content_of_files():
    data = load_scenario("micius-china-week").to_dict()
    text = data["satellites"][0]["orbit"]["file"]["text"]
    other = {"path": "x.tle", "text": text + "\n", "sha256": hashlib.sha256((text + "\n").encode()).hexdigest()}
    changed_file = with_change(data, ("satellites", 0, "orbit", "file"), other)
    assert validate_scenario(changed_file).hash != validate_scenario(data).hash


def test_hash_does_not_depend_on_how_a_value_is_written(week):
    scenario = validate_scenario(week)
    week["source"]["wavelength"] = "1.55 um"
    week["source"]["pulse_rate"] = 200
    week["study"]["step"] = 1
    assert validate_scenario(week).hash == scenario.hash


def test_hash_does_not_depend_on_written_defaults(week):
    scenario = validate_scenario(week)
    del week["planning"], week["access"], week["clouds"]
    assert validate_scenario(week).hash == scenario.hash


@pytest.fixture(scope="module")
def validator():
    schema = Scenario.model_json_schema(by_alias=True)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class TestSchema:
    @pytest.mark.parametrize("name", preset_names())
    def test_saved_presets_satisfy_it(self, validator, name):
        validator.validate(load_scenario(name).to_dict())

    @pytest.mark.parametrize("preset", ["week", "zenith"])
    def test_presets_as_written_satisfy_it(self, validator, preset, request):
        data = request.getfixturevalue(preset)
        data["study"] |= {key: data["study"][key].isoformat() for key in ("start", "end")}
        for satellite in data["satellites"]:
            if "culmination" in satellite["orbit"]:
                satellite["orbit"]["culmination"] = satellite["orbit"]["culmination"].isoformat()
        validator.validate(data)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("source", "wavelenght"), 1),
            (("source", "wavelength"), -1),
            (("clouds", "kind"), "x"),
            (("stations", 0), {}),
        ],
    )
    def test_it_rejects_what_loading_rejects(self, validator, path, value):
        data = load_scenario("micius-china-week").to_dict()
        validator.validate(data)
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(with_change(data, path, value))

    def test_every_field_has_a_unit_or_a_type(self):
        for name, model in Scenario.model_json_schema(by_alias=True)["$defs"].items():
            for field, schema in model.get("properties", {}).items():
                assert {"type", "anyOf", "oneOf", "$ref", "const", "enum"} & set(schema), f"{name}.{field}"


def models(model=Scenario):
    """Every model that a scenario can hold."""
    found = {model}
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            found |= models(inner)
    return found


@pytest.mark.parametrize("model", sorted(models(), key=lambda model: model.__name__), ids=lambda model: model.__name__)
def test_every_model_is_frozen_and_closed_and_described(model):
    assert issubclass(model, BaseModel)
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"
    assert model.__doc__


@pytest.mark.parametrize("model", sorted(models(), key=lambda model: model.__name__), ids=lambda model: model.__name__)
def test_every_value_is_described(model):
    if model.__name__ == "EmbeddedFile":
        return  # written as a path
    values = {
        name: field
        for name, field in model.model_fields.items()
        if name not in ("kind", "model") and not _models_in(field.annotation)
    }
    assert [name for name, field in values.items() if not field.description] == []
