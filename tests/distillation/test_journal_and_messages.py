"""The journal survives being cut short; a message that is no message says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satqkd.distillation import journal as record
from satqkd.distillation.journal import FileJournal, Record
from satqkd.distillation.messages import KINDS, MalformedMessage, decode, encode, pack_many, unpack_many
from satqkd.errors import InputError

EVENTS = [Record(record.GO, b""), Record(record.MESSAGE, bytes(3000)), Record(record.DRAWN, b"seed")]


def filled(path):
    journal = FileJournal(path)
    for event in EVENTS:
        journal.append(*event)
    journal.close()


def test_events_come_back(tmp_path):
    filled(tmp_path / "j")
    again = FileJournal(tmp_path / "j")
    assert again.records() == EVENTS
    again.append(record.RELEASED, b"0 5")
    again.close()
    assert FileJournal(tmp_path / "j").records() == [*EVENTS, Record(record.RELEASED, b"0 5")]
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("missing", [1, 3, 8, 12, 13, 14, 2000, 3020, 3030, 3050])
def test_a_journal_cut_short_keeps_its_whole_events(tmp_path, missing):
    path = tmp_path / "j"
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - missing])
    journal = FileJournal(path)
    kept = journal.records()
    assert kept == EVENTS[: len(kept)]
    journal.append(record.CONTROL, b"next")
    journal.close()
    assert FileJournal(path).records() == [*kept, Record(record.CONTROL, b"next")]


def test_another_file_is_no_journal(tmp_path):
    (tmp_path / "j").write_bytes(b"something else, rather long")
    with pytest.raises(InputError, match="not the journal"):
        FileJournal(tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == b"something else, rather long"


@given(st.sampled_from(KINDS), st.dictionaries(st.text(), st.integers() | st.text()), st.lists(st.binary()))
def test_messages_come_back(kind, head, parts):
    assert decode(encode(kind, head, *parts)) == (kind, head, parts)


@given(st.binary(max_size=200))
def test_noise_is_no_message_or_a_harmless_one(noise):
    try:
        message = decode(noise)
    except MalformedMessage:
        return
    assert message.kind in KINDS
    with pytest.raises(MalformedMessage):
        message.get("no such entry", int)


@given(st.lists(st.binary()), st.integers(1, 3))
def test_a_list_that_is_cut_short(parts, missing):
    data = pack_many([*parts, bytes(3)])
    with pytest.raises(MalformedMessage):
        unpack_many(data[:-missing])


@pytest.mark.parametrize("value", [-1, True, "1", None, 1.0])
def test_entries_have_their_types(value):
    with pytest.raises(MalformedMessage):
        decode(encode("start", {"block": value})).get("block", int)
