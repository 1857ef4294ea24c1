"""Files of recorded passes: byte by byte, there and back, damage."""

import hashlib
import stat
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from satqkd.detection.pulses import RecordedChoices, SeededChoices, pack_choices, seed_bytes
from satqkd.detection.records import Detections, GroundRecord, SenderRecord, SyncWords
from satqkd.errors import InputError
from satqkd.formats import detections
from satqkd.formats.detections import read_ground, read_sender, write_ground, write_sender

START = 1_664_116_200_000_000_001
GROUND = GroundRecord(
    "jinan-1 ä", START, 1600.0, "active",
    Detections(np.array([-5, 7, 7, 2**62], np.int64), np.array([0, 3, 1, 2], np.uint8)),
    SyncWords(np.array([10, 104_857_610]), np.array([0, 2**32 - 1])),
)  # fmt: skip
SEEDED = SenderRecord(
    "jinan-1 ä", START, 1600.0, 187_500_000_000, (0.8, 0.1, 0.001), (0.5, 0.25, 0.25), 0.6,
    SeededChoices(seed=seed_bytes(1, "sender"), p_key_basis=0.6),
)  # fmt: skip


def recorded(pulses=1001, first=64):
    choices = SEEDED.choices.at(np.arange(pulses))
    return replace(
        SEEDED, pulses=pulses, choices=RecordedChoices(pack_choices(choices), pulses=pulses, first_pulse=first)
    )


def test_ground_file_is_the_documented_bytes(tmp_path):
    write_ground(tmp_path / "g.sqd", GROUND)
    header = b"SATQKDGR" + struct.pack("<HHIQQqd", 1, 1, 128, 4, 2, START, 1600.0)
    header += "jinan-1 ä".encode().ljust(64, b"\0") + bytes(12)
    body = b"".join(struct.pack("<qB", t, c) for t, c in ((-5, 0), (7, 3), (7, 1), (2**62, 2)))
    body += struct.pack("<qI", 10, 0) + struct.pack("<qI", 104_857_610, 2**32 - 1)
    whole = header + struct.pack("<I", zlib.crc32(header)) + body
    assert (tmp_path / "g.sqd").read_bytes() == whole + hashlib.sha256(whole).digest()


def test_sender_file_is_the_documented_bytes(tmp_path):
    write_sender(tmp_path / "s.sqc", SEEDED)
    header = b"SATQKDSE" + struct.pack("<HHIQqqd", 1, 0, 256, 187_500_000_000, 0, START, 1600.0)
    header += "jinan-1 ä".encode().ljust(64, b"\0")
    header += struct.pack("<7d", 0.8, 0.1, 0.001, 0.5, 0.25, 0.25, 0.6) + bytes(84)
    whole = header + struct.pack("<I", zlib.crc32(header)) + seed_bytes(1, "sender")
    assert (tmp_path / "s.sqc").read_bytes() == whole + hashlib.sha256(whole).digest()


@pytest.mark.parametrize("chunk", [1, 999, 1_000_000])
def test_ground_is_read_part_by_part(tmp_path, monkeypatch, chunk):
    rng = np.random.default_rng(5)
    sent = replace(
        GROUND,
        detections=Detections(np.sort(rng.integers(-(2**62), 2**62, 5000)), rng.integers(0, 4, 5000, np.uint8)),
        sync=SyncWords(np.sort(rng.integers(0, 2**62, 1500)), rng.integers(0, 2**32, 1500)),
    )
    write_ground(tmp_path / "g.sqd", sent)
    monkeypatch.setattr(detections, "_CHUNK", chunk)
    found = read_ground(tmp_path / "g.sqd")
    for part, name in (("detections", "tag_ps"), ("detections", "channel"), ("sync", "tag_ps"), ("sync", "number")):
        there, back = getattr(getattr(sent, part), name), getattr(getattr(found, part), name)
        assert back.tolist() == there.tolist()
        assert back.dtype == there.dtype
        assert back.flags.c_contiguous


def test_ground_comes_back(tmp_path):
    write_ground(tmp_path / "g.sqd", GROUND)
    found = read_ground(tmp_path / "g.sqd")
    for name in ("pass_id", "start_unix_ns", "slot_period_ps", "receiver"):
        assert getattr(found, name) == getattr(GROUND, name)
    assert found.detections.tag_ps.tolist() == GROUND.detections.tag_ps.tolist()
    assert found.detections.channel.tolist() == GROUND.detections.channel.tolist()
    assert found.sync.tag_ps.tolist() == GROUND.sync.tag_ps.tolist()
    assert found.sync.number.tolist() == GROUND.sync.number.tolist()


@pytest.mark.parametrize("record", [SEEDED, recorded()], ids=["seed", "recorded"])
def test_sender_comes_back_with_its_choices(tmp_path, record):
    write_sender(tmp_path / "s.sqc", record)
    found = read_sender(tmp_path / "s.sqc")
    for name in ("pass_id", "start_unix_ns", "pulses", "intensities", "intensity_probabilities", "p_key_basis"):
        assert getattr(found, name) == getattr(record, name)
    index = np.array([64, 1064, 500])
    for ours, theirs in zip(found.choices.at(index), record.choices.at(index), strict=True):
        assert ours.tolist() == theirs.tolist()


def test_empty_pass_comes_back(tmp_path):
    none = np.empty(0, np.int64)
    write_ground(
        tmp_path / "g.sqd",
        replace(GROUND, detections=Detections(none, none.astype(np.uint8)), sync=SyncWords(none, none)),
    )
    assert read_ground(tmp_path / "g.sqd").detections.tag_ps.size == 0
    assert (tmp_path / "g.sqd").stat().st_size == 128 + 32


def test_files_are_private_and_replaced_whole(tmp_path):
    for _ in range(2):
        write_ground(tmp_path / "g.sqd", GROUND)
        write_sender(tmp_path / "s.sqc", SEEDED)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.sqd", "s.sqc"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_record_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="detection 1 is earlier"):
        write_ground(
            tmp_path / "g.sqd", replace(GROUND, detections=Detections(np.array([5, 4]), np.zeros(2, np.uint8)))
        )
    with pytest.raises(InputError, match="cannot be written"):
        write_ground(tmp_path / "missing" / "g.sqd", GROUND)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["ground", "sender", "recorded"])
def test_every_truncation_is_refused_with_what_is_missing(tmp_path, kind):
    path = tmp_path / "file"
    write, read, record = {
        "ground": (write_ground, read_ground, GROUND),
        "sender": (write_sender, read_sender, SEEDED),
        "recorded": (write_sender, read_sender, recorded(33)),
    }[kind]
    write(path, record)
    whole = path.read_bytes()
    header = 128 if kind == "ground" else 256
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError) as caught:
            read(path)
        text = str(caught.value)
        assert "\n" not in text
        if length >= header:
            assert f"truncated: {len(whole) - length} of {len(whole)} bytes are missing" in text
        elif length > 0:
            assert f"truncated: the header has {length} of {header} bytes" in text


def test_truncation_says_how_many_detections_are_there(tmp_path):
    path = tmp_path / "g.sqd"
    write_ground(path, GROUND)
    path.write_bytes(path.read_bytes()[: 128 + 9 * 2 + 3])
    with pytest.raises(InputError, match="it holds 2 of 4 detections"):
        read_ground(path)


@pytest.mark.parametrize("kind", ["ground", "sender"])
def test_every_changed_byte_is_refused(tmp_path, kind):
    path = tmp_path / "file"
    write, read, record = {
        "ground": (write_ground, read_ground, GROUND),
        "sender": (write_sender, read_sender, SEEDED),
    }[kind]
    write(path, record)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(InputError, match=r"damaged|is no"):
            read(path)


def with_header(whole, at, data):
    header = whole[:at] + data + whole[at + len(data) : 124]
    body = header + struct.pack("<I", zlib.crc32(header)) + whole[128:-32]
    return body + hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    ("at", "data", "complaint"),
    [
        (8, b"\x07\0", "version 7 of the format, can be read: 1"),
        (10, b"\x05\0", "receiver 5: must be 0"),
        (40, struct.pack("<d", float("nan")), "slot_period_ps = nan"),
        (48, b"\xff", "pass_id is no UTF-8"),
        (16, struct.pack("<Q", 3), "9 bytes too many"),
    ],
)
def test_a_header_with_impossible_values_is_refused(tmp_path, at, data, complaint):
    path = tmp_path / "g.sqd"
    write_ground(path, GROUND)
    path.write_bytes(with_header(path.read_bytes(), at, data))
    with pytest.raises(InputError, match=complaint):
        read_ground(path)


def test_files_of_the_other_side_are_refused(tmp_path):
    write_ground(tmp_path / "g.sqd", GROUND)
    write_sender(tmp_path / "s.sqc", SEEDED)
    with pytest.raises(InputError, match="is no recorded detections: begins with b'SATQKDSE'"):
        read_ground(tmp_path / "s.sqc")
    with pytest.raises(InputError, match="is no recorded choices of a sender"):
        read_sender(tmp_path / "g.sqd")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_ground(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"pass_id": ""}, "must have 1 to 64 bytes"),
        ({"pass_id": "x" * 65}, "must have 1 to 64 bytes"),
        ({"receiver": "six"}, "receiver 'six'"),
        ({"slot_period_ps": 0.0}, "slot_period_ps = 0.0"),
        ({"detections": Detections(np.array([1]), np.array([4], np.uint8))}, "channel 4: must be 0 to 3"),
        ({"detections": Detections(np.array([1]), np.zeros(2, np.uint8))}, "as many channels as time tags"),
        ({"sync": SyncWords(np.array([1]), np.array([2**32]))}, "below 2\\^32"),
    ],
)
def test_records_that_break_the_format_are_refused(tmp_path, change, complaint):
    with pytest.raises(InputError, match=complaint):
        write_ground(tmp_path / "g.sqd", replace(GROUND, **change))


def test_choices_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(InputError, match="choices of type object"):
        write_sender(tmp_path / "s", replace(SEEDED, choices=object()))
    with pytest.raises(InputError, match="5 pulses, choices are recorded for 1001"):
        write_sender(tmp_path / "s", replace(recorded(), pulses=5))
