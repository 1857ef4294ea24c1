"""Bytes of announcements and replies: there and back, size, damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.distillation.announcement import decode_announcement, encode_announcement, pack_codes, unpack_codes
from satqkd.errors import InputError


def leb128(number):
    """One number, from the definition."""
    out = []
    while True:
        out.append((number & 127) | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(out)


@given(st.lists(st.tuples(st.integers(0, 2**61 - 1), st.integers(0, 1)), max_size=30, unique_by=lambda x: x[0]))
def test_announcements_are_those_of_the_definition_and_come_back(detections):
    detections.sort()
    index = np.array([i for i, _ in detections], np.int64)
    basis = np.array([b for _, b in detections], np.uint8)
    data = encode_announcement(index, basis)
    steps = np.diff(index, prepend=0).tolist()
    assert data == leb128(index.size) + b"".join(leb128(2 * s + b) for s, b in zip(steps, basis.tolist(), strict=True))
    found = decode_announcement(data)
    assert found[0].tolist() == index.tolist()
    assert found[1].tolist() == basis.tolist()


def test_bytes_per_detection_at_the_rate_of_a_pass():
    rng = np.random.default_rng(1)
    index = np.cumsum(rng.geometric(15_000 / 625e6, 20_000))
    size = len(encode_announcement(index, rng.integers(0, 2, index.size, np.uint8)))
    # 2 * step + basis below 2^14 takes 2 bytes, below 2^21 three: 3 - (1 - exp(-8192 / 41667)), some have one
    assert size / index.size == pytest.approx(3.0 - (1.0 - np.exp(-8192 / 41_667)), abs=0.02)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_announcement_or_one_clear_line(data):
    try:
        index, basis = decode_announcement(data)
    except InputError as error:
        complaint = str(error)
    else:
        complaint = "announcement: "
        assert np.all(np.diff(index) > 0)
        assert set(basis.tolist()) <= {0, 1}
    assert complaint.startswith("announcement: ")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "ends within a number, it is truncated"),
        (b"\x01\x80", "ends within a number"),
        (b"\x02\x05", "says 2 detections and has 1"),
        (b"\x02\x05\x01", "the same pulse twice"),
        (b"\x01" + b"\xff" * 9 + b"\x01", "a number of 10 bytes"),
        (b"\x01" + b"\xff" * 8 + b"\x7f", "2\\^61 or more"),
    ],
)
def test_damaged_announcements_are_refused(data, complaint):
    with pytest.raises(InputError, match=complaint):
        decode_announcement(data)


def test_every_truncation_is_noticed():
    rng = np.random.default_rng(3)
    index = np.cumsum(rng.integers(1, 10**6, 50))
    data = encode_announcement(index, rng.integers(0, 2, 50, np.uint8))
    for length in range(len(data)):
        with pytest.raises(InputError, match="announcement"):
            decode_announcement(data[:length])


@pytest.mark.parametrize(
    ("index", "basis"), [([3, 3], [0, 0]), ([4, 3], [0, 0]), ([-1], [0]), ([1], [0, 1]), ([2**61], [0])]
)
def test_indices_that_cannot_be_announced_are_refused(index, basis):
    with pytest.raises(InputError):
        encode_announcement(np.array(index), np.array(basis, np.uint8))


@given(st.lists(st.integers(0, 3), max_size=50))
def test_codes_come_back_from_a_quarter_byte_each(codes):
    data = pack_codes(np.array(codes, np.uint8))
    assert len(data) == -(-len(codes) // 4)
    assert unpack_codes(data, len(codes)).tolist() == codes
    assert data == bytes(
        int("".join(f"{c:02b}" for c in codes[i : i + 4]).ljust(8, "0"), 2) for i in range(0, len(codes), 4)
    )


def test_a_reply_of_another_size_is_refused():
    with pytest.raises(InputError, match="2 bytes, 9 detections need 3"):
        unpack_codes(b"ab", 9)
