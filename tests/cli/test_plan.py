"""``satqkd plan`` on a table: what scripts get, what an operator gets, one line for a mistake."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from satqkd.cli.main import app
from satqkd.errors import InputError
from satqkd.scenario.load import load_scenario

WEEK = Path(__file__).parents[1] / "golden" / "schedule_china_week.csv"
POPULATION = {
    "Shanghai": 24.87, "Beijing": 21.89, "Chengdu": 20.94, "Guangzhou": 18.68, "Wuhan": 12.33, "Xi'an": 12.95,
    "Shenyang": 9.07, "Hefei": 9.37, "Jinan": 9.20, "Urumqi": 4.05, "Lhasa": 0.87,
}  # fmt: skip
EPOCH = ("--epoch", "2016-09-19T00:00:00Z", "--step-s", "10")


def plan(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["plan", *map(str, arguments)])


def found(*arguments: str | Path) -> dict[str, object]:
    result = plan(*arguments, "--json")
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "w.csv"
    lines = "".join(f"{name},{weight}\n" for name, weight in POPULATION.items())
    path.write_text("station,weight\n" + lines, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("plan") / "out"
    done = plan("--keys", WEEK, "--objective", "priority", "--weights", weights, *EPOCH, "--key-usage", "-o", place)
    assert done.exit_code == 0, done.exception
    return place


def test_json_of_the_week_as_a_script_gets_it(weights: Path) -> None:
    """The documented command in a process of its own."""
    command = [sys.executable, "-m", "satqkd.cli.main", "plan", "--keys", WEEK, "--objective", "general", "--weights",
               weights, *EPOCH, "--switch-intervals", "1", "--time-limit", "60", "--json"]  # fmt: skip
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    numbers = json.loads(done.stdout)
    assert list(numbers) == ["value", "bound", "gap", "kl", "delivered_bits"]
    assert numbers["value"] == 847_364_243  # proven optimum, found by an independent program
    assert sum(numbers["delivered_bits"].values()) == 847_364_243
    assert list(numbers["delivered_bits"]) == list(POPULATION)


def test_traffic_keeps_its_limit(weights: Path) -> None:
    numbers = found("--keys", WEEK, "--objective", "traffic", "--kl-max", "0.3", "--gap", "0.01", "--weights", weights)
    assert numbers["gap"] == pytest.approx(0.005, abs=0.005)
    assert numbers["kl"] == pytest.approx(0.29, abs=0.01)  # the limit binds, and is not passed
    assert not numbers["kl"] > 0.3
    # bound by an independent column generation: 750.63 Mbit, which the optimum is within 0.01 % of
    assert numbers["value"] == pytest.approx(750.6e6, rel=0.01)


def test_files_of_a_plan_agree_with_each_other(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "schedule.csv", "windows.csv", "stations.csv", "pairs.csv", "schedule.ics", "gantt.png", "run.json",
    }  # fmt: skip
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["value"] == pytest.approx(79_704_303.75329, abs=1e-4)  # an independent program's optimum
    delivered = record["delivered_bits"]
    assert delivered["Hefei"] == delivered["Jinan"] == 0
    stations = rows(folder / "stations.csv")
    assert {row["station"]: int(row["delivered_bits"]) for row in stations} == delivered
    assert sum(float(row["kl_term_nat"]) for row in stations) == pytest.approx(record["kl"], rel=1e-12)
    assert sum(float(row["share"]) for row in stations) == pytest.approx(1.0, rel=1e-12)
    for name, path in (("assigned", "schedule.csv"), ("station", "windows.csv")):
        bits = dict.fromkeys(delivered, 0)
        for row in rows(folder / path):
            if row[name] in bits:
                bits[row[name]] += int(row["interval_bits" if name == "assigned" else "bits"])
        assert bits == delivered


def test_windows_are_the_service_of_the_schedule_with_its_pauses(folder: Path) -> None:
    schedule = {int(row["interval"]): row for row in rows(folder / "schedule.csv")}
    windows = rows(folder / "windows.csv")
    starts = [row["start"] for row in windows]
    assert starts == sorted(starts)
    served = 0
    for row in windows:
        first, last = int(row["first_interval"]), int(row["last_interval"])
        states = [schedule[index]["assigned"] for index in range(first, last + 1)]
        assert states[0] == states[-1] == row["station"]
        assert set(states) <= {row["station"], "idle"}
        assert float(row["served_s"]) == 10 * states.count(row["station"])
        assert row["start"] == schedule[first]["interval_start"]
        start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
        assert end - start == timedelta(seconds=float(row["duration_s"])) == timedelta(seconds=10 * (last + 1 - first))
        served += states.count(row["station"])
    assert served == sum(row["assigned"] in POPULATION for row in schedule.values())


def test_calendar_has_an_entry_per_window(folder: Path) -> None:
    text = (folder / "schedule.ics").read_bytes().decode()
    lines = text.replace("\r\n ", "").split("\r\n")
    windows = rows(folder / "windows.csv")
    starts = [line.removeprefix("DTSTART:") for line in lines if line.startswith("DTSTART:")]
    assert starts == [row["start"].replace("-", "").replace(":", "") for row in windows]
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == len(windows)


def test_entries_keep_their_identity_when_the_plan_changes(weights: Path, folder: Path, tmp_path: Path) -> None:
    assert plan("--keys", WEEK, *EPOCH, "-o", tmp_path / "other", "-q").exit_code == 0

    def uids(place: Path) -> dict[str, tuple[str, str]]:
        lines = (place / "schedule.ics").read_bytes().decode().replace("\r\n ", "").split("\r\n")
        keep = {name: [line for line in lines if line.startswith(name)] for name in ("UID", "LOCATION", "DTSTART")}
        return {a: (b, c) for a, b, c in zip(*keep.values(), strict=True)}

    first, second = uids(folder), uids(tmp_path / "other")
    common = set(first) & set(second)
    # most passes are used by both plans
    assert len(common) > 30
    assert {name for name in common if first[name][0] != second[name][0]} == set()
    # and a contact that begins at another time of the same pass is the same entry
    assert {name for name in common if first[name][1] != second[name][1]} != set()


def test_key_usage_in_json_and_as_a_table(weights: Path, folder: Path) -> None:
    numbers = found("--keys", WEEK, "--weights", weights, "--key-usage")
    usage = numbers["key_usage"]
    assert list(usage) == ["network", "station", "free"]
    # no city has more than the others together: half of everything can be shared
    assert usage["free"]["shared_bits"] == pytest.approx(847_364_243 / 2, rel=1e-9)
    assert usage["network"]["utilisation"] == pytest.approx(2 * usage["network"]["shared_bits"] / 847_364_243)
    pairs = rows(folder / "pairs.csv")
    assert len(pairs) == 11 * 10 / 2
    assert sum(float(row["traffic"]) for row in pairs) == pytest.approx(1.0, rel=1e-12)
    assert {row["network_bits"] for row in pairs} == {"0"}  # S-PD leaves two cities without key


def test_traffic_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("interval,A,B,C\n0,6,0,0\n5,0,4,0\n9,0,0,9\n")
    (tmp_path / "t.csv").write_text("station,A,B,C\nA,0,1,0\nB,1,0,0\nC,0,0,0\n")
    numbers = found("--keys", tmp_path / "k.csv", "--traffic", tmp_path / "t.csv")
    assert numbers["key_usage"]["network"]["shared_bits"] == 4
    assert numbers["key_usage"]["network"]["unused_bits"] == {"A": 2, "B": 0, "C": 9}


def test_two_satellites_do_not_serve_one_station_together(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("interval;satellite;Xi'an;Zürich\n0;S1;5;0\n\n1;S1;4;3\n1;S2;6;7\n2;S2;8;0\n")
    done = plan("--keys", tmp_path / "k.csv", *EPOCH, "-o", tmp_path / "out", "--json")
    numbers = json.loads(done.stdout)
    # S2 keeps Xi'an for 6 + 8 while S1 has Zürich's 3: 17. S1 with Xi'an for 5 + 4 leaves Zürich's 7 to S2: 16. Xi'an's
    # telescope needs an interval to turn from S1 (5, in interval 0) to S2 (8, in interval 2): 13
    assert numbers["delivered_bits"] == {"Xi'an": 14, "Zürich": 3}
    assert numbers["value"] == 17
    assert numbers["bound"] == pytest.approx(17, rel=1e-3)
    windows = rows(tmp_path / "out" / "windows.csv")
    assert [(row["satellite"], row["station"]) for row in windows] == [("S1", "Zürich"), ("S2", "Xi'an")]
    assert "SUMMARY:S1 to Zürich" in (tmp_path / "out" / "schedule.ics").read_bytes().decode()


def test_table_for_people(weights: Path) -> None:
    done = plan("--keys", WEEK, "--weights", weights)
    assert done.exit_code == 0
    assert "Xi'an" in done.stdout
    assert "847,364,243 bit, proven at most 847,364,243 (gap 0 %)" in done.stdout
    assert plan("--keys", WEEK, "-q").stdout == ""


def test_gap_that_is_not_reached_ends_with_1_and_keeps_the_plan(weights: Path, tmp_path: Path) -> None:
    done = plan("--keys", WEEK, "--weights", weights, "--objective", "traffic", "--kl-max", "0.02", "--gap", "0",
                "--time-limit", "0.3", "--require-gap", "--json", *EPOCH, "-o", tmp_path / "out")  # fmt: skip
    assert done.exit_code == 1
    assert json.loads(done.stdout)["gap"] > 0.0
    assert "warning: stopped at the time limit" in done.stderr
    assert "requirement not met: gap" in done.stderr
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "time limit"


def test_a_plan_of_a_scenario_has_its_times(tmp_path: Path) -> None:
    done = plan("micius-zenith", "--objective", "general", "-o", tmp_path / "out", "-q")
    assert done.exit_code == 0, done.exception
    (window,) = rows(tmp_path / "out" / "windows.csv")
    assert (window["satellite"], window["station"]) == ("Micius", "Delingha")
    study, length_s = load_scenario("micius-zenith").study, 10.0
    first = study.start + timedelta(seconds=length_s * int(window["first_interval"]))
    assert datetime.fromisoformat(window["start"]) == first
    kept = plan("micius-zenith", "--json")
    assert json.loads(kept.stdout)[0]["delivered_bits"] == pytest.approx(float(window["bits"]), rel=1e-12)


def test_folder_is_kept_unless_asked(folder: Path) -> None:
    before = (folder / "run.json").read_bytes()
    with pytest.raises(InputError, match="already holds a run"):
        raise plan("--keys", WEEK, *EPOCH, "-o", folder).exception or AssertionError
    assert (folder / "run.json").read_bytes() == before


SMALL = "interval,A,B\n0,5,0\n1,4,3\n2,0,9\n"


@pytest.mark.parametrize(
    ("keys", "weight", "options", "words"),
    [
        (None, None, [], "either a SCENARIO or --keys"),
        (SMALL, None, ["micius-zenith"], "either a SCENARIO or --keys"),
        (SMALL, None, ["--objective", "best"], "general, priority, traffic, max-min"),
        (SMALL, None, ["--objective", "priority"], "weights"),
        (SMALL, "A,1\nB,1\n", ["--objective", "traffic"], "kl_max"),
        (SMALL, "A,1\nB,1\n", ["--objective", "traffic", "--kl-max", "nan"], "kl_max"),
        (SMALL, "A,1\nB,1\n", ["--objective", "traffic", "--kl-max", "0.001"], "smallest reachable is 0.041"),
        (SMALL, "A,1\n", [], 'no station "B"'),
        (SMALL, "A,0\nB,0\n", [], "all weights are 0"),
        (SMALL.replace("2,0,9", "1,0,9"), None, [], "interval 1 is there already, in line 3"),
        (SMALL.replace("9", "-9"), None, [], "line 4"),
        (SMALL.replace("9", "NaN"), None, [], "line 4"),
        ("interval,A\n", None, [], "no rows"),
        (SMALL, None, ["-o", "out"], "-o needs --epoch"),
        (SMALL, None, ["-o", "out", "--epoch", "2016-09-19"], "Z or an offset"),
        (SMALL, None, ["-o", "out", "--epoch", "9999-01-01T00:00:00Z"], "1900 and 2200"),
        (SMALL, None, ["-o", "out", *EPOCH[:2], "--step-s", "0"], "0.001 to 86400 s"),
        (SMALL, None, ["--switch-intervals", "-1"], "switch_intervals"),
        (SMALL, None, ["--time-limit", "nan"], "--time-limit"),
        (SMALL, None, ["--gap", "2"], "--gap 2"),
        (SMALL, None, ["--key-usage"], "--weights .* or --traffic"),
        (SMALL, None, ["--link", "x.nc"], "--link"),
        (None, None, ["micius-zenith", "--epoch", "2016-09-19T00:00:00Z"], "a scenario has its own"),
        (None, None, ["micius-zenith", "--key-usage"], "needs --objective"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: str | None,
    weight: str | None,
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = list(options)
    if keys is not None:
        Path("k.csv").write_text(keys)
        arguments += ["--keys", "k.csv"]
    if weight is not None:
        Path("w.csv").write_text("station,weight\n" + weight)
        arguments += ["--weights", "w.csv"]
    done = plan(*arguments)
    assert done.stdout == ""
    with pytest.raises(InputError, match=words) as caught:
        raise done.exception or AssertionError
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} <= {"k.csv", "w.csv"}


def test_finite_keys_of_a_scenario(tmp_path: Path) -> None:
    zenith = plan("micius-zenith", "--finite", "pass", "-o", tmp_path / "out", "--json")
    assert (zenith.exit_code, zenith.stderr) == (0, "")
    numbers = json.loads(zenith.stdout)
    # one pass of one station: all of it is the best plan, and its key is that of the key stage
    row = json.loads(CliRunner().invoke(app, ["key", "micius-zenith", "--json"]).stdout)[0]
    assert numbers["value"] == numbers["block_key_bits"][row["station"]] == row["key_bits"]
    assert numbers["value"] <= numbers["bound"]
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8")) == numbers
    lines = (tmp_path / "out" / "schedule.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "interval,interval_start,assigned"
    assert {line.split(",")[2] for line in lines[1:]} <= {row["station"], "idle"}
    shown = plan("micius-zenith", "--finite", "station")
    assert "the additive plan promises" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("micius-zenith", "--finite", "week"), "--finite week: must be one of pass, station"),
        (("micius-zenith", "--finite", "pass", "--objective", "general"), "without --objective"),
        (("--keys", WEEK, "--finite", "pass"), "--finite: is for a SCENARIO"),
    ],
)
def test_misused_finite(arguments: tuple[str | Path, ...], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        app(["plan", *map(str, arguments)], standalone_mode=False)
