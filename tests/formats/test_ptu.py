"""PicoQuant PTU files that the test builds from the published layout: HydraHarp 2, mode T2."""

import struct
import sys

import numpy as np
import pytest

from satqkd.detection.pass_model import PassModel
from satqkd.detection.pulses import SeededChoices, seed_bytes
from satqkd.detection.sampling import simulate_pass
from satqkd.distillation.synchronisation import synchronise
from satqkd.errors import InputError, MissingExtraError
from satqkd.formats.ptu import read_ptu

pytest.importorskip("ptufile")

INT8, FLOAT8, EMPTY8 = 0x10000008, 0x20000008, 0xFFFF0008
HYDRAHARP2_T2, HYDRAHARP2_T3 = 0x01010204, 0x01010304
WRAP = 1 << 25
WHO = {"pass_id": "ptu", "start_unix_ns": 0, "slot_period_ps": 1600.0}


def ptu(events, *, record_type=HYDRAHARP2_T2, resolution_s=1e-12):
    """Bytes of a file; events: (time in units of the resolution, input from 1) or (time, -marker), ascending."""
    records, wraps = [], 0
    for time, channel in events:
        while time - wraps * WRAP >= WRAP:
            ahead = min((time - wraps * WRAP) // WRAP, WRAP - 1)
            records.append((0x3F << 25 | ahead) | 1 << 31)  # overflow: how many times the counter went round
            wraps += ahead
        rest = time - wraps * WRAP
        special, code = (1, -channel) if channel < 0 else (0, channel - 1)
        records.append(special << 31 | code << 25 | rest)

    def tag(name, kind, value):
        data = struct.pack("<d" if kind == FLOAT8 else "<q", value)
        return name.encode().ljust(32, b"\0") + struct.pack("<iI", -1, kind) + data

    tags = [
        tag("MeasDesc_GlobalResolution", FLOAT8, resolution_s),
        tag("MeasDesc_Resolution", FLOAT8, resolution_s),
        tag("Measurement_Mode", INT8, 2 if record_type == HYDRAHARP2_T2 else 3),
        tag("Measurement_SubMode", INT8, 0),
        tag("TTResultFormat_TTTRRecType", INT8, record_type),
        tag("TTResult_NumberOfRecords", INT8, len(records)),
        tag("TTResultFormat_BitsPerRecord", INT8, 32),
        tag("TTResult_SyncRate", INT8, 0),
        tag("Header_End", EMPTY8, 0),
    ]
    return b"PQTTTR\0\0" + b"1.0.00\0\0" + b"".join(tags) + np.array(records, "<u4").tobytes()


def test_times_and_channels_of_a_small_file(tmp_path):
    words = [(k * 26_214_400 + 10, 5) for k in range(4)]  # 4-ps units: 104.8576 us
    events = sorted([(100, 1), (200, 2), (30_000_000, 3), (90_000_000, 4), (90_000_001, 7), *words])
    path = tmp_path / "small.ptu"
    path.write_bytes(ptu(events, resolution_s=4e-12))
    record = read_ptu(path, channels={0: 0, 1: 1, 2: 2, 3: 3}, sync_channel=4, first_sync_number=17, **WHO)
    assert record.detections.tag_ps.tolist() == [400, 800, 120_000_000, 360_000_000]
    assert record.detections.channel.tolist() == [0, 1, 2, 3]
    assert record.sync.tag_ps.tolist() == [4 * t for t, _ in words]
    assert record.sync.number.tolist() == [17, 18, 19, 20]
    assert (record.pass_id, record.receiver) == ("ptu", "passive")


def test_a_simulated_pass_comes_through_a_file(tmp_path):
    model = PassModel(
        transmittance=4e-5, background_hz=1000.0, misalignment=0.01, slant_range_m=np.array([8e5, 8e5 + 500.0]),
        range_rate_m_s=5000.0, step_s=0.1,
    )  # fmt: skip
    choices = SeededChoices(seed=seed_bytes(1, "sender"))
    sent = simulate_pass(model, choices, seed=2)
    clicks = zip(sent.detections.tag_ps.tolist(), (sent.detections.channel + 1).tolist(), strict=True)
    events = sorted([*clicks, *((t, -2) for t in sent.sync.tag_ps.tolist())])
    path = tmp_path / "pass.ptu"
    path.write_bytes(ptu(events))
    record = read_ptu(path, channels={c: c for c in range(4)}, sync_marker=2, **WHO)
    assert record.detections.tag_ps.tolist() == sent.detections.tag_ps.tolist()
    assert record.detections.channel.tolist() == sent.detections.channel.tolist()
    assert record.sync.number.tolist() == sent.sync.number.tolist()
    ours = synchronise(record, sender_start_unix_ns=0, pulses=sent.pulses)
    at = choices.at(ours.pulse_index)
    same = at.basis == ours.channel // 2
    assert np.mean(at.bit[same] != ours.channel[same] % 2) == pytest.approx(0.02, abs=0.015)


@pytest.mark.parametrize(
    ("data", "options", "complaint"),
    [
        (b"nothing", {}, "is no PTU file"),
        (b"", {}, "is no PTU file"),
        (ptu([(5, 1)], record_type=HYDRAHARP2_T3), {}, "is a file of T3 mode, T2 is needed"),
        (ptu([(5, 1)]), {"sync_marker": 1}, "give one of the two"),
        (ptu([(5, 1)]), {"channels": {}}, "channels = {}"),
        (ptu([(5, 1)]), {"channels": {0: 4}}, "must give detectors 0 to 3"),
    ],
)
def test_files_and_options_that_cannot_be_used_are_refused(tmp_path, data, options, complaint):
    path = tmp_path / "x.ptu"
    path.write_bytes(data)
    with pytest.raises(InputError, match=complaint):
        read_ptu(path, **{"channels": {0: 0}, "sync_channel": 4, **WHO, **options})


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_ptu(tmp_path / "none.ptu", channels={0: 0}, sync_channel=4, **WHO)


def test_without_ptufile_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ptufile", None)
    with pytest.raises(MissingExtraError, match=r"satqkd\[ptu\]"):
        read_ptu(tmp_path / "x.ptu", channels={0: 0}, sync_channel=4, **WHO)
