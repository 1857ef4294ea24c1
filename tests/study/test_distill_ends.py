"""Both ends on files over UDP, in two threads of this process: keys, and every kind of wrong input."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from satqkd.detection.records import Detections, SyncWords
from satqkd.distillation.key_store import KeyStore, new_key_file
from satqkd.distillation.link import LinkModel
from satqkd.distillation.private_files import write_private
from satqkd.distillation.settings import Settings
from satqkd.errors import InputError
from satqkd.formats.detections import read_ground, write_ground
from satqkd.study.distill_ends import end_code, run_ground, run_satellite
from satqkd.study.distill_equipment import EndOptions
from satqkd.study.distill_export import make_identity
from satqkd.study.simulate_pass import simulate, write

SETTINGS = Settings(packets_per_block=1, mode="paper")
SECRET = bytes(range(256)) * 4


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Two packets of Jinan-1."""
    folder = tmp_path_factory.mktemp("records")
    ground, satellite = write(simulate("jinan-1", seed=3, duration_s=8.0), folder)
    return {"ground": ground, "satellite": satellite}


def options(folder: Path, side: str, **changes) -> EndOptions:
    folder.mkdir(exist_ok=True)
    secret = folder / f"{side}.secret"
    if not secret.exists():
        write_private(secret, changes.pop("secret_bytes", SECRET))
    changes.pop("secret_bytes", None)
    plain = EndOptions(
        state=folder / side, pool=folder / f"{side}.pool", secret=secret, settings=SETTINGS, patience_s=20.0
    )
    return replace(plain, **changes)


def run_both(folder, records, *, ground=None, satellite=None):
    """Outcomes and events of both ends; ``ground`` and ``satellite``: changes of their options."""
    events, outcomes, port = [], {}, threading.Event()
    where = []

    def report(event):
        events.append(json.loads(json.dumps(event)))
        if event["event"] == "listening" and event["side"] == "satellite":
            where.append(event["port"])
            port.set()

    def serve_satellite():
        try:
            outcomes["satellite"] = run_satellite(
                records["satellite"], options(folder, "satellite", **(satellite or {})), listen=("127.0.0.1", 0),
                report=report,
            )  # fmt: skip
        finally:
            port.set()

    thread = threading.Thread(target=serve_satellite)
    thread.start()
    port.wait(60)
    try:
        outcomes["ground"] = run_ground(
            records["ground"], options(folder, "ground", **(ground or {})), peer=("127.0.0.1", where[0]), report=report
        )
    finally:
        thread.join()
    return outcomes, events


def keys(folder, side):
    return {path.name: path.read_bytes() for path in sorted((folder / side / "keys").glob("*.key"))}


def test_keys_on_a_bad_link(tmp_path, records):
    link = LinkModel(loss=0.2, duplication=0.1, reordering=0.1)
    outcomes, events = run_both(tmp_path, records, ground={"link": link}, satellite={"link": link})
    assert outcomes["ground"].failure is outcomes["satellite"].failure is None
    assert outcomes["ground"].blocks == outcomes["satellite"].blocks
    assert len(keys(tmp_path, "ground")) == 2
    assert keys(tmp_path, "ground") == keys(tmp_path, "satellite")
    for path in tmp_path.rglob("*.key"):
        assert path.stat().st_mode & 0o777 == 0o600
    text = json.dumps(events)
    for key in keys(tmp_path, "ground").values():
        assert key.hex()[:16] not in text  # no key in what is shown
        for journal in tmp_path.glob("*/journal"):
            assert key[:16] not in journal.read_bytes()
    assert not (tmp_path / "ground" / "clicks").exists()
    # once more with the same folders: the session is over, nothing is added
    again, _ = run_both(tmp_path, records)
    assert again["ground"].blocks == outcomes["ground"].blocks
    assert again["ground"].failure is None


def test_keys_into_encrypted_stores_and_a_second_session_from_the_same_pool(tmp_path, records):
    new_key_file(tmp_path / "k")
    changes = {side: {"store": tmp_path / f"{side}.store", "key_file": tmp_path / "k"} for side in records}
    run_both(tmp_path, records, **changes)
    second = {side: {**changes[side], "state": tmp_path / f"{side}2"} for side in records}
    outcomes, _ = run_both(tmp_path, records, **second)
    assert outcomes["ground"].failure is None
    taken = []
    for side in records:
        with KeyStore(tmp_path / f"{side}.store", tmp_path / "k") as store:
            assert len(store.entries()) == 4
            taken.append(store.take(store.available_bytes))
    assert taken[0] == taken[1]


@pytest.mark.parametrize("algorithms", [("ed25519", "ed25519"), ("ml-dsa-65", "ml-dsa-65"), ("ml-dsa-65", "ed25519")])
def test_a_first_contact_by_signatures_makes_a_pool(tmp_path, records, algorithms):
    for side, algorithm in zip(records, algorithms, strict=True):
        make_identity(tmp_path / f"{side}.private", tmp_path / f"{side}.public", algorithm)
    other = {"ground": "satellite", "satellite": "ground"}
    changes = {
        side: {"identity": tmp_path / f"{side}.private", "peer": tmp_path / f"{other[side]}.public"} for side in records
    }
    outcomes, _ = run_both(tmp_path, records, **changes)
    assert outcomes["ground"].failure is None
    assert outcomes["ground"].authentication == "signatures"
    second = {side: {"state": tmp_path / f"{side}2"} for side in records}
    outcomes, _ = run_both(tmp_path, records, **second)
    assert outcomes["ground"].failure is None
    assert outcomes["ground"].authentication == "pads"


def changed_ground(path, folder, **changes):
    """A copy of a record with some fields changed."""
    record = replace(read_ground(path), **changes)
    write_ground(folder / "changed.sqd", record)
    return folder / "changed.sqd"


EMPTY = Detections(np.empty(0, np.int64), np.empty(0, np.uint8))


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"pass_id": "another pass"}, "PASS", "another pass"),
        ({"detections": EMPTY}, "EMPTY", "no detections"),
        ({"sync": SyncWords(np.empty(0, np.int64), np.empty(0, np.int64))}, "CLOCK", "sync"),
        ({"start_unix_ns": 1_500_000_000_000_000_000}, "CLOCK", "search"),
        ({"slot_period_ps": 1000.0}, "CLOCK", "slots"),
    ],
)
def test_records_that_give_no_key(tmp_path, records, changes, code, says):
    wrong = {**records, "ground": changed_ground(records["ground"], tmp_path, **changes)}
    outcomes, _ = run_both(tmp_path, wrong)
    failure = outcomes["ground"].failure
    assert failure.code == code
    assert says in str(failure)
    assert code in str(outcomes["satellite"].failure)
    for side, outcome in outcomes.items():
        assert not outcome.blocks
        assert not keys(tmp_path, side)
        assert end_code(outcome.failure, 0) == 2


def test_different_secrets(tmp_path, records):
    outcomes, _ = run_both(tmp_path, records, satellite={"secret_bytes": bytes(1024)})
    assert {outcome.failure.code for outcome in outcomes.values()} == {"SECRET"}
    assert not keys(tmp_path, "ground")
    assert not keys(tmp_path, "satellite")


def test_a_truncated_record(tmp_path, records):
    short = tmp_path / "short.sqd"
    short.write_bytes(records["ground"].read_bytes()[:-1000])
    with pytest.raises(InputError, match="truncated"):
        run_ground(short, options(tmp_path, "ground"), peer=("127.0.0.1", 9), report=lambda event: None)
    assert not (tmp_path / "ground").exists()


@pytest.mark.parametrize("known", [b"0" * 64, b"\xff\xfe", b""])
def test_a_state_of_another_record(tmp_path, records, known):
    state = tmp_path / "ground"
    state.mkdir()
    (state / "record").write_bytes(known)
    with pytest.raises(InputError, match="another record"):
        run_ground(records["ground"], options(tmp_path, "ground"), peer=("127.0.0.1", 9), report=lambda event: None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pool": None}, "--pool"), ({"secret": None}, "--secret"), ({"store": Path("s")}, "--key-file"),
        ({"identity": Path("i")}, "both are needed"),
    ],
)  # fmt: skip
def test_missing_options(tmp_path, records, changes, says):
    with pytest.raises(InputError, match=says):
        run_ground(
            records["ground"], options(tmp_path, "ground", **changes), peer=("127.0.0.1", 9), report=lambda event: None
        )


def test_an_end_that_nobody_answers_gives_up_and_can_go_on(tmp_path, records):
    outcome = run_ground(
        records["ground"], options(tmp_path, "ground", patience_s=0.3), peer=("127.0.0.1", 9), report=lambda event: None
    )
    assert outcome.failure.code == "SILENT"
    assert end_code(outcome.failure, 0) == 1
    outcomes, _ = run_both(tmp_path, records)
    assert outcomes["ground"].failure is None
    assert len(keys(tmp_path, "ground")) == 2
