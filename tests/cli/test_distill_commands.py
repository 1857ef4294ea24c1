"""``satqkd distill``: secrets, identities, export, display, and what is said when something is wrong."""

import io
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from satqkd.cli.distill_display import Board, display, efficiency_text
from satqkd.cli.main import app
from satqkd.distillation.key_store import KeyStore, new_key_file
from satqkd.distillation.settings import SessionError
from satqkd.errors import InputError
from satqkd.report.distillation import render
from satqkd.study.distill_ends import end_code
from satqkd.study.distill_export import export_key, make_identity, make_secret


def run(*arguments):
    return CliRunner().invoke(app, ["distill", *map(str, arguments)])


@pytest.fixture
def store(tmp_path):
    new_key_file(tmp_path / "k")
    with KeyStore(tmp_path / "s", tmp_path / "k") as opened:
        opened.add("a", bytes(range(100)))
        opened.add("b", bytes(range(100, 150)))
    return tmp_path / "s"


def test_keys_are_handed_out_in_order_and_once(store, tmp_path):
    assert json.loads(run("export", store, "--key-file", tmp_path / "k", "--json").stdout)["available_bytes"] == 150
    assert run("export", store, "--key-file", tmp_path / "k", "--bytes", 96, "-o", tmp_path / "1").exit_code == 0
    assert run("export", store, "--key-file", tmp_path / "k", "--format", "hex", "-o", tmp_path / "2").exit_code == 0
    assert (tmp_path / "1").read_bytes() == bytes(range(96))
    assert bytes.fromhex((tmp_path / "2").read_text()) == bytes(range(96, 128))
    assert (tmp_path / "1").stat().st_mode & 0o777 == 0o600
    found = json.loads(run("export", store, "--key-file", tmp_path / "k", "--json").stdout)
    assert found == {"keys": 2, "available_bytes": 22, "taken_bytes": 128}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"count": 33}, "multiple of 32"), ({"count": 0}, "multiple of 32"), ({"count": 160}, "has 150 bytes"),
        ({"form": "base64"}, "raw, hex"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_takes_nothing(store, tmp_path, changes, says):
    with pytest.raises(InputError, match=says):
        export_key(store, tmp_path / "k", tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()
    assert export_key(store, tmp_path / "k", tmp_path / "out") == 128


def test_nothing_is_written_over(store, tmp_path):
    (tmp_path / "there").write_text("x")
    for action in (
        lambda: export_key(store, tmp_path / "k", tmp_path / "there"),
        lambda: make_secret(tmp_path / "there", 64),
        lambda: make_identity(tmp_path / "new", tmp_path / "there"),
    ):
        with pytest.raises(InputError, match="exists"):
            action()
    assert (tmp_path / "there").read_text() == "x"
    assert not (tmp_path / "new").exists()
    with pytest.raises(InputError, match="no key store"):
        export_key(tmp_path / "none", tmp_path / "k", tmp_path / "out")


def test_secrets_and_identities(tmp_path):
    assert run("secret", tmp_path / "s", "--bytes", 128).exit_code == 0
    assert (tmp_path / "s").stat().st_size == 128
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
    for size in (100, 32, 2**27 + 32):
        with pytest.raises(InputError, match="multiple of 32 from 64 to 134217728"):
            make_secret(tmp_path / "t", size)
    for path, public, says in (
        ("i", "i", "is the file of the private key"),
        ("i", "no/p", "cannot be written: no such"),
    ):
        with pytest.raises(InputError, match=says):
            make_identity(tmp_path / path, tmp_path / public)
        assert not (tmp_path / "i").exists()
    assert run("identity", tmp_path / "i", "--public", tmp_path / "p").exit_code == 0
    assert (tmp_path / "i").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("failure", "size", "code"),
    [
        (None, 5, 0), (None, 0, 1), (SessionError("AUTHENTICATION", "x"), 5, 1), (SessionError("SECRET", "x"), 0, 2),
        (SessionError("PEER", "the ground says: CLOCK: far off"), 0, 2), (SessionError("SILENT", "x"), 0, 1),
        (SessionError("PEER", "the ground says: INTEGRITY: x"), 0, 1),
    ],
)  # fmt: skip
def test_exit_codes(failure, size, code):
    assert end_code(failure, size) == code


PACKET = {
    "packet": 0, "first_pulse": 0, "stop_pulse": 625_000_000, "status": "corrected", "rounds": 2, "revealed_bits": 9000,
    "code": "c", "qber": 0.01, "bits": 100_000, "n": [[50_000, 3000, 20], [50_000, 3000, 20]],
    "m": [[0, 30, 10], [0, 30, 10]],
}  # fmt: skip
EVENTS = [
    {"event": "stage", "text": "simulating"},
    {"event": "sifted", "side": "ground", "detections": 50, "of": 200},
    {"event": "link", "side": "ground", "sent": 10, "repeated": 2, "lost": 1, "bytes_sent": 5000, "received": 3},
    {"event": "block", "side": "ground", "block": 0, "key": {"key_bytes": 10},
     "packets": [PACKET, {**PACKET, "packet": 1, "status": "rejected", "qber": 0.2}]},
    {"event": "released", "side": "ground", "block": 0, "bytes": 10},
    {"event": "released", "side": "satellite", "block": 0, "bytes": 10},
    {"event": "restarted", "side": "ground"},
    {"event": "stopped", "side": "ground", "reason": "AUTHENTICATION: something"},
]  # fmt: skip


def test_the_live_display():
    from rich.console import Console

    board = Board()
    for event in [*EVENTS, EVENTS[3]]:  # a block told again after a crash counts once
        board.take(event)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(board.picture())
    text = console.export_text()
    for part in ("25 % of 200", "1.00 %", "rejected", "2 packets sifted, 1 blocks, 80 secure bits", "10 datagrams",
                 "started again", "AUTHENTICATION"):  # fmt: skip
        assert part in text
    assert float(efficiency_text(PACKET)) == pytest.approx(9000 / 8079.3, rel=1e-3)  # 1e5 h(0.01) = 8079.3


def test_no_display_where_nobody_watches():
    with display(False) as report:
        report(EVENTS[0])


def test_a_report_without_any_packet():
    record = {
        "satqkd": "0", "scenario": "s", "satellite": "<Sat>", "station": "G&G", "pass": 0, "duration_s": 5.0, "seed": 1,
        "settings": {"mode": "paper", "qber_threshold": 0.08, "eps_secrecy": 1e-9, "eps_correctness": 1e-15},
        "link": {"loss": 0.1, "duplication": 0.0, "reordering": 0.0, "delay_s": 0.0045, "bandwidth_hz": 156e6},
        "range": {"time_s": [], "slant_range_m": []}, "synchronisation": {}, "left_over_bits": 17, "blocks": [],
        "released": {}, "datagrams": {"ground": {}}, "authentication": "signatures", "restarts": 1,
        "failure": "CLOCK: <far off>", "key_bytes": 0, "wall_time_s": {"simulation": 1.0},
        "summary": {"key_bits": 0, "predicted_bits": 0.0, "packets": 0, "packets_kept": 0, "qber": 0.0,
                    "efficiency": 0.0, "restarts": 1, "eps_total": 0.0, "packet_rows": [],
                    "prediction": [{"step": "predicted", "bits": 0.0}]},
    }  # fmt: skip
    page = render(record)
    for part in ("CLOCK: &lt;far off&gt;", "&lt;Sat&gt;", "G&amp;G", "computationally authenticated", "17 sifted bits"):
        assert part in page
    assert "<far off>" not in page


def test_the_efficiency_of_a_dropped_packet_is_not_shown():
    assert efficiency_text({**PACKET, "status": "rejected"}) == "-"
    assert np.isfinite(float(efficiency_text(PACKET)))
