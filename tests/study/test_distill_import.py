"""Time tags into records: the same pass through a file, and files and options that cannot be used."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from satqkd.cli.main import app
from satqkd.detection.pass_model import PassModel
from satqkd.detection.pulses import SeededChoices, seed_bytes
from satqkd.detection.sampling import simulate_pass
from satqkd.errors import InputError
from satqkd.formats.detections import read_ground
from satqkd.study.distill_import import import_time_tags

INPUTS = [3, 1, 7, 0]
"""Of Z0, Z1, X0, X1; the words are on 12, and 5 is not connected to anything that counts."""

WHO = {"pass_id": "p", "start": "2022-09-25T14:00:00Z", "slot_period_ps": 1600.0, "inputs": INPUTS, "sync_input": 12}


@pytest.fixture(scope="module")
def recorded():
    model = PassModel(
        transmittance=4e-5, background_hz=1000.0, misalignment=0.01, slant_range_m=np.array([8e5, 8e5 + 500.0]),
        range_rate_m_s=5000.0, step_s=0.1,
    )  # fmt: skip
    return simulate_pass(model, SeededChoices(seed=seed_bytes(1, "sender")), seed=2)


@pytest.fixture(scope="module")
def tags(recorded, tmp_path_factory):
    """The pass as a CSV file, one line after the other as an instrument with two buffers would write it."""
    clicks = zip(recorded.detections.tag_ps, np.array(INPUTS)[recorded.detections.channel], strict=True)
    words = [(t, 12) for t in recorded.sync.tag_ps]
    lines = [f"{t},{i}" for t, i in [*words, (5, 5), *clicks]]
    path = tmp_path_factory.mktemp("tags") / "pass.csv"
    path.write_text("tag_ps,input\n" + "\n".join(lines) + "\n")
    return path


def test_a_pass_comes_through_a_file(recorded, tags, tmp_path):
    told = import_time_tags(tags, tmp_path / "out.sqd", **WHO, first_sync_number=int(recorded.sync.number[0]))
    record = read_ground(tmp_path / "out.sqd")
    np.testing.assert_array_equal(record.detections.tag_ps, recorded.detections.tag_ps)
    np.testing.assert_array_equal(record.detections.channel, recorded.detections.channel)
    np.testing.assert_array_equal(record.sync.tag_ps, recorded.sync.tag_ps)
    np.testing.assert_array_equal(record.sync.number, recorded.sync.number)
    assert (record.pass_id, record.start_unix_ns, record.receiver) == ("p", 1_664_114_400_000_000_000, "passive")
    assert told["detections"] == np.bincount(recorded.detections.channel, minlength=4).tolist()
    assert told["sync_words"] + told["missing_words"] == np.ptp(recorded.sync.number) + 1
    assert told["rate_hz"] * told["duration_s"] == pytest.approx(recorded.detections.tag_ps.size)
    assert (tmp_path / "out.sqd").stat().st_mode & 0o777 == 0o600


def test_the_command_says_what_it_found(recorded, tags, tmp_path):
    given = [
        "distill", "import", tags, "--pass", "p", "--start", "2022-09-25T22:00:00+08:00", "--period", 1600,
        "--inputs", "3,1,7,0", "--sync-input", 12, "-o",
    ]  # fmt: skip
    done = CliRunner().invoke(app, [*map(str, given), str(tmp_path / "1")])
    assert done.exit_code == 0, done.output
    assert f"Z0 {int((recorded.detections.channel == 0).sum()):,}, Z1" in done.stdout
    found = json.loads(CliRunner().invoke(app, [*map(str, given), str(tmp_path / "2"), "--json"]).stdout)
    assert found["sync_words"] == recorded.sync.tag_ps.size
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize(
    ("content", "changes", "says"),
    [
        ("time,channel\n1,2\n", {}, 'x.csv: line 1 is "time,channel", must be "tag_ps,input"'),
        ("tag_ps,input\n1,2\n3\n", {}, "after the header"),
        ("tag_ps,input\n1,2\n3,x\n", {}, "after the header"),
        ("tag_ps,input\n1.5,2\n", {}, "after the header"),
        ("tag_ps,input\n1,2,3\n", {}, "3 columns, must be 2"),
        ("tag_ps,input\n99999999999999999999,2\n", {}, "after the header"),
        ("tag_ps,input\n9223372036854775807,3\n", {}, "a time beyond"),
        ("tag_ps,input\n", {}, "no detection on inputs 3, 1, 7, 0; inputs with time tags: none"),
        ("tag_ps,input\n1,2\n5,12\n", {}, "no detection on inputs 3, 1, 7, 0; inputs with time tags: 2, 12"),
        ("tag_ps,input\n1,3\n5,1\n", {}, "no synchronisation word where they should be; inputs with time tags: 1, 3"),
        ("tag_ps,input\n1,3\n5,12\n900000000,12\n", {}, "periods apart"),
        ("", {"inputs": [0, 1, 2]}, "must be four different inputs"),
        ("", {"inputs": [0, 1, 2, 2]}, "must be four different inputs"),
        ("", {"inputs": [0, 1, 2, 12]}, "input 12 is that of a detector"),
        ("", {"sync_marker": 1}, "give one of the two"),
        ("", {"sync_marker": 1, "sync_input": None}, "only PTU files have markers"),
        ("", {"start": "yesterday"}, "--start"),
        ("tag_ps,input\n1,3\n5,12\n", {"start": "9999-12-31T00:00:00Z"}, "must be from 1678 to 2261"),
        ("", {"start": "2022-09-25T14:00:00"}, '--start "2022-09-25T14:00:00": must be a time with Z or an offset'),
        ("tag_ps,input\n1,3\n5,12\n", {"slot_period_ps": -1.0}, "period"),
        ("tag_ps,input\n1,3\n5,12\n", {"receiver": "both"}, "receiver"),
        (None, {}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_leaves_nothing(tmp_path, content, changes, says):
    if content is not None:
        (tmp_path / "x.csv").write_text(content)
    with pytest.raises(InputError, match=says):
        import_time_tags(tmp_path / "x.csv", tmp_path / "out.sqd", **{**WHO, **changes})
    assert not (tmp_path / "out.sqd").exists()


def test_a_byte_order_mark_and_line_ends_of_other_systems(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbftag_ps,input\r\n100,3\r\n200,12\r\n300,1\r\n")
    assert import_time_tags(tmp_path / "x.csv", tmp_path / "out.sqd", **WHO)["detections"] == [1, 1, 0, 0]


def test_no_text_other_files_and_what_is_there(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "there").write_text("kept")
    for path, output, says in (
        ("x.csv", "out", "is no text file"), ("x.bin", "out", "must end in .ptu or .csv"), ("x.csv", "there", "exists"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=says):
            import_time_tags(tmp_path / path, tmp_path / output, **WHO)
    assert (tmp_path / "there").read_text() == "kept"
    with pytest.raises(InputError, match="must be four whole numbers"):
        CliRunner().invoke(
            app,
            ["distill", "import", str(tmp_path / "x.csv"), "-o", str(tmp_path / "o"), "--pass", "p", "--start",
             "2022-01-01T00:00Z", "--period", "1600", "--inputs", "a,b", "--sync-input", "4"],
            catch_exceptions=False,
        )  # fmt: skip
