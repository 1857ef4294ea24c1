"""Presets and scenario files, and what is said about bad ones."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from satqkd.errors import InputError
from satqkd.scenario import Scenario, load_scenario, preset_names, preset_text
from satqkd.scenario.load import parse_scenario, validate_scenario


def set_at(data, path, value):
    *outer, last = path
    for step in outer:
        data = data[step]
    if value is ...:
        del data[last]
    else:
        data[last] = value


def message_of(data, **options):
    with pytest.raises(InputError) as caught:
        validate_scenario(data, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("scenario: ")
    return message


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_under_its_own_name(name):
    assert load_scenario(name).name == name


def test_the_week_is_what_it_says():
    scenario = load_scenario("micius-china-week")
    assert [station.name for station in scenario.stations][:3] == ["Shanghai", "Beijing", "Chengdu"]
    assert len(scenario.stations) == 11
    assert scenario.study.start == datetime(2016, 9, 19, tzinfo=UTC)
    assert scenario.study.end - scenario.study.start == timedelta(days=7)
    assert scenario.source.wavelength == 1.55e-6
    assert scenario.source.pulse_rate == 200e6
    assert scenario.terminal.divergence == 10e-6
    assert scenario.receiver.coupling == pytest.approx(10**-0.3, rel=1e-14)  # rounding of the power only
    assert scenario.satellites[0].orbit.file.text.startswith("MICIUS")


def test_a_copied_preset_is_the_same_scenario(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(preset_text("micius-china-week"), encoding="utf-8")
    assert load_scenario(path) == load_scenario("micius-china-week")
    assert load_scenario(str(path)).hash == load_scenario("micius-china-week").hash


def test_files_are_read_relative_to_the_scenario(tmp_path, monkeypatch):
    folder = tmp_path / "mission"
    folder.mkdir()
    elements = load_scenario("micius-china-week").satellites[0].orbit.file.text
    (folder / "orbit.tle").write_text(elements, encoding="utf-8")
    text = preset_text("micius-china-week").replace("bundled:micius-2016.tle", "orbit.tle")
    (folder / "mission.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_scenario("mission/mission.toml").satellites[0].orbit.file.text == elements


def test_models_are_frozen():
    scenario = load_scenario("micius-zenith")
    with pytest.raises(ValueError, match="frozen"):
        scenario.name = "other"
    with pytest.raises(ValueError, match="frozen"):
        scenario.source.wavelength = 1.0


BAD_VALUES = [
    # path of what is spoilt, its new value (... removes it), words of the message
    (["source", "wavelenght"], "1550 nm", ["source.wavelenght", "unknown key", "did you mean wavelength?"]),
    (["sorce"], {}, ["sorce", "unknown key", "did you mean source?"]),
    (["stations", 1, "lattitude"], 1, ["stations[2].lattitude", "did you mean latitude?"]),
    (["channel", "zenith_extincton"], 1, ["channel.zenith_extincton", "did you mean zenith_extinction?"]),
    (["satellites", 0, "orbit", "fille"], "x", ["satellites[1].orbit.fille", "did you mean file?"]),
    (["source", "wavelength"], "1550 mn", ["source.wavelength", '"1550 mn"', "wrong unit", "nm"]),
    (["source", "wavelength"], "10 MHz", ["source.wavelength", "wrong unit", "length"]),
    (["source", "wavelength"], "1550 um", ["source.wavelength", "out of range", "200 nm", "20000 nm"]),
    (["source", "pulse_rate"], 0, ["source.pulse_rate", "out of range", "above 0 MHz"]),
    (["source", "pulse_rate"], True, ["source.pulse_rate", "True", "not a number"]),
    (["source", "wavelength"], ..., ["source.wavelength", "is missing"]),
    (["detector"], ..., ["detector", "is missing"]),
    (["detector", "misalignment"], 0.6, ["detector.misalignment", "0.6", "at most 0.5"]),
    (["detector", "background_yield"], -1e-9, ["detector.background_yield", "at least 0"]),
    (["detector", "efficiency"], 1.01, ["detector.efficiency", "1.01", "at most 1"]),
    (["receiver", "aperture"], "-1 m", ["receiver.aperture", "above 0 m"]),
    (["stations"], [], ["stations", "empty", "at least one"]),
    (["satellites"], [], ["satellites", "empty", "at least one"]),
    (["stations", 3, "name"], "Beijing", ["stations", "entries 2 and 4", '"Beijing"', "must differ"]),
    (["stations", 3, "name"], "", ["stations[4].name"]),
    (["stations", 0, "name"], "idle", ["stations", '"idle"', "schedule"]),
    (["stations", 0, "latitude"], "90.1 deg", ["stations[1].latitude", "at most 90 deg"]),
    (["stations", 0, "longitude"], "400 deg", ["stations[1].longitude", "at most 360 deg"]),
    (["stations", 0, "altitude"], "-5 km", ["stations[1].altitude", '"-5 km"', "at least -500 m"]),
    (["stations", 0, "altitude"], "100 km", ["stations[1].altitude", "at most 20000 m"]),
    (["stations", 0, "elevation_mask"], "95 deg", ["stations[1].elevation_mask", "at most 89 deg"]),
    (["stations", 0, "elevation_mask"], [[90, 10], [0, 10]], ["stations[1].elevation_mask", "increasing"]),
    (["study", "end"], "2016-09-18T00:00:00Z", ["study", "end", "after start"]),
    (["study", "end"], "2016-09-19T00:00:00Z", ["study", "end", "after start"]),
    (["study", "end"], "2036-09-19T00:00:00Z", ["study", "too long", "3660 d"]),
    (["study", "start"], "2016-09-19T00:00:00", ["study.start", "zone", "2016-09-19T00:00:00Z"]),
    (["study", "start"], datetime(2016, 9, 19), ["study.start", "zone"]),
    (["study", "start"], "yesterday", ["study.start", "date and time with a zone"]),
    (["study", "start"], 1474243200, ["study.start", "date and time with a zone"]),
    (["study", "step"], 0, ["study.step", "out of range", "above 0 s"]),
    (["study", "step"], "-1 s", ["study.step", "above 0 s"]),
    (["study", "step"], "1 us", ["study", "step", "too short", "0.001 s"]),
    (["study", "step"], "8 d", ["study", "step", "longer than the window"]),
    (["study", "seed"], -1, ["study.seed", "-1"]),
    (
        ["satellites", 0, "orbit", "file"],
        "nowhere.tle",
        ["satellites[1].orbit.file", '"nowhere.tle"', "cannot be read"],
    ),
    (["satellites", 0, "orbit", "file"], "bundled:no.tle", ["satellites[1].orbit.file", "cannot be read"]),
    (["satellites", 0, "orbit", "kind"], "elemnts", ["satellites[1].orbit.kind", 'did you mean "elements"?']),
    (["satellites", 0, "orbit", "kind"], ..., ["satellites[1].orbit.kind", "is missing"]),
    (["satellites", 0, "orbit"], {"kind": "overpass"}, ["satellites[1].orbit.", "is missing"]),
    (["channel", "model"], "fixed-divergense", ["channel.model", 'did you mean "fixed-divergence"?']),
    (["terminal"], ..., ["channel.model", "needs a [terminal]"]),
    (["receiver"], ..., ["channel.model", "needs a [receiver]"]),
    (["clouds"], {"kind": "constant", "thickness": 200}, ["clouds.thickness", "at most 150"]),
    (["clouds"], {"kind": "constant", "thickness": 1, "model": "wong"}, ["clouds.model", 'did you mean "wang"']),
    (["access", "darkness"], "dusk", ["access.darkness"]),
    (["protocol", "intensities"], [0.1, 0.5, 0.0], ["protocol.intensities", "descend"]),
    (["protocol", "intensities"], [0.5, 0.1], ["protocol.intensities"]),
    (["protocol", "intensities"], [0.5, 0.3, 0.25], ["protocol.intensities", "signal > decoy + vacuum"]),
    (["protocol", "intensity_probabilities"], [0.5, 0.3, 0.1], ["protocol", "sum to 0.9"]),
    (["protocol", "p_key_basis"], 1.0, ["protocol.p_key_basis", "no test basis"]),
    (["protocol", "eps_secrecy"], 0, ["protocol.eps_secrecy", "above 0"]),
    (["protocol", "bound"], "chernof", ["protocol.bound", 'did you mean "chernoff"?']),
    (["protocol", "f_ec"], 0.9, ["protocol.f_ec", "at least 1"]),
    (["planning", "switch_intervals"], -1, ["planning.switch_intervals"]),
    (["planning", "interval"], 0, ["planning.interval", "above 0 s"]),
]


@pytest.mark.parametrize(
    ("path", "value", "words"), BAD_VALUES, ids=[f"{'.'.join(map(str, p))}={v}"[:60] for p, v, _ in BAD_VALUES]
)
def test_bad_value_is_one_line_that_says_where_and_what(week, path, value, words):
    set_at(week, path, value)
    message = message_of(week)
    for word in words:
        assert word in message


def test_overpass_of_an_unknown_station_lists_the_known(zenith):
    zenith["satellites"][0]["orbit"]["station"] = "Delinga"
    message = message_of(zenith)
    assert '"Delinga"' in message
    assert "known are Delingha" in message


def test_several_problems_are_counted_and_still_one_line(week):
    week["source"] = {"wavelength": "1 s", "pulse_rate": -1}
    message = message_of(week)
    assert "source.wavelength" in message
    assert "(and 1 more: source.pulse_rate" in message


@pytest.mark.parametrize("latitude", ["90 deg", "-90 deg", 90, -90.0])
def test_the_poles_are_places(week, latitude):
    week["stations"][0]["latitude"] = latitude
    assert abs(validate_scenario(week).stations[0].latitude) == pytest.approx(1.5707963267948966, rel=1e-15)


def test_mask_of_one_elevation_and_mask_around_the_horizon(week):
    week["stations"][0]["elevation_mask"] = "15 deg"
    week["stations"][1]["elevation_mask"] = [[0, 10], ["90 deg", "20 deg"]]
    first, second = validate_scenario(week).stations[:2]
    assert first.elevation_mask == pytest.approx(0.2617993877991494, rel=1e-15)
    assert second.elevation_mask[1] == pytest.approx((1.5707963267948966, 0.3490658503988659), rel=1e-15)


def test_other_zones_are_the_same_instant(week):
    there = copy.deepcopy(week)
    there["study"]["start"] = "2016-09-19T08:00:00+08:00"
    assert validate_scenario(there).hash == validate_scenario(week).hash


class TestFiles:
    def test_unknown_preset_suggests_the_nearest(self):
        with pytest.raises(InputError, match='did you mean "micius-china-week"') as caught:
            load_scenario("micius-china-weak")
        assert "\n" not in str(caught.value)

    def test_missing_file(self):
        with pytest.raises(InputError, match=r"nowhere\.toml: cannot be read: No such file") as caught:
            load_scenario("nowhere.toml")
        assert "\n" not in str(caught.value)

    def test_folder(self, tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            load_scenario(tmp_path)

    def test_not_toml(self):
        with pytest.raises(InputError, match=r"scenario: not valid TOML: .*line 1") as caught:
            parse_scenario("a = = 1")
        assert "\n" not in str(caught.value)

    def test_empty(self):
        with pytest.raises(InputError, match="is missing") as caught:
            parse_scenario("")
        assert "\n" not in str(caught.value)

    def test_not_text(self, tmp_path):
        path = tmp_path / "x.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(InputError, match="not a UTF-8 text file"):
            load_scenario(path)

    def test_changed_content_is_noticed(self):
        data = load_scenario("micius-china-week").to_dict()
        data["satellites"][0]["orbit"]["file"]["text"] += " "
        with pytest.raises(InputError, match="content and sha256 differ"):
            validate_scenario(data)

    def test_only_presets_files_are_bundled(self):
        with pytest.raises(InputError, match="no preset"):
            preset_text("../model")


def test_a_scenario_is_of_one_class():
    assert isinstance(load_scenario("micius-zenith"), Scenario)
