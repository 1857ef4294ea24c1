"""The encrypted store: what goes in comes out once, and only with its key."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.distillation import key_store
from satqkd.distillation.key_store import KeyStore, StoredKey, new_key_file
from satqkd.errors import InputError


@pytest.fixture
def files(tmp_path):
    new_key_file(tmp_path / "store.key")
    return tmp_path / "keys", tmp_path / "store.key"


def test_kept_and_given_out_in_order(files):
    with KeyStore(*files) as store:
        assert store.add("pass 1", b"a" * 40)
        assert store.add("pass 2", b"b" * 40)
        assert not store.add("pass 1", b"c" * 40)
        assert store.take(30) == b"a" * 30
    with KeyStore(*files) as store:
        assert store.available_bytes == 50
        assert store.take(20) == b"a" * 10 + b"b" * 10
        assert store.entries() == [StoredKey("pass 1", 40, 40), StoredKey("pass 2", 40, 10)]
        with pytest.raises(InputError, match="the store has 30"):
            store.take(31)
        assert store.take(30) == b"b" * 30
        with pytest.raises(InputError, match="the store has 0"):
            store.take(1)


def test_nothing_readable(files):
    material = os.urandom(64)
    with KeyStore(*files) as store:
        store.add("a pass", material)
        store.take(3)
    content = files[0].read_bytes()
    assert material[:16] not in content
    assert b"a pass" not in content
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[1].stat().st_mode) == 0o600


def test_any_damage_is_found(files):
    with KeyStore(*files) as store:
        store.add("one", bytes(20))
        store.add("two", bytes(20))
    sound = files[0].read_bytes()
    for position in range(0, 24 + 60):  # head and first entry; a wrong length may look like an unfinished entry
        broken = bytearray(sound)
        broken[position] ^= 0x40
        files[0].write_bytes(broken)
        try:
            with KeyStore(*files) as store:
                assert store.entries() == []
            kept = files[0].with_name("keys.unfinished-1")
            assert kept.read_bytes() == bytes(broken[24:])  # cut off, but not lost
        except InputError:
            assert files[0].read_bytes() == bytes(broken)
    # entries changed places: the second entry has other sizes of head, so swap whole records
    first = 4 + int.from_bytes(sound[24:28], "big")
    files[0].write_bytes(sound[:24] + sound[24 + first :] + sound[24 : 24 + first])
    with pytest.raises(InputError, match="does not open"):
        KeyStore(*files)


def test_other_key_file(files, tmp_path):
    with KeyStore(*files) as store:
        store.add("one", bytes(20))
    new_key_file(tmp_path / "other.key")
    with pytest.raises(InputError, match="another key file"):
        KeyStore(files[0], tmp_path / "other.key")


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 400), takes=st.lists(st.integers(1, 9), max_size=6))
def test_unfinished_last_entry(tmp_path_factory, cut, takes):
    """The file ends anywhere in its last entry: all before it is there, and nothing is given out twice."""
    folder = tmp_path_factory.mktemp("stores")
    new_key_file(folder / "key")
    with KeyStore(folder / "store", folder / "key") as store:
        store.add("k", bytes(range(100)))
        given_out = b"".join(store.take(n) for n in takes)
        before = (folder / "store").stat().st_size
        store.add("last", bytes(300))
    size = (folder / "store").stat().st_size
    os.truncate(folder / "store", max(before, size - 1 - cut))
    with KeyStore(folder / "store", folder / "key") as store:
        assert [entry.key_id for entry in store.entries()] == ["k"]
        assert given_out + store.take(100 - len(given_out)) == bytes(range(100))


def test_crash_between_writing_and_giving_out(files, monkeypatch):
    with KeyStore(*files) as store:
        store.add("k", bytes(range(50)))
        append = store._append

        def dies(*arguments):
            append(*arguments)
            raise KeyboardInterrupt

        monkeypatch.setattr(store, "_append", dies)
        with pytest.raises(KeyboardInterrupt):
            store.take(10)
    with KeyStore(*files) as store:
        assert store.take(5) == bytes(range(10, 15))


def test_misuse(files, tmp_path):
    with KeyStore(*files) as store:
        with pytest.raises(InputError, match="in use by another process"):
            KeyStore(*files)
        with pytest.raises(InputError, match="0 bytes, must be from 1"):
            store.add("empty", b"")
        with pytest.raises(InputError, match="ask for 1"):
            store.take(0)
    with pytest.raises(InputError, match="closed"):
        store.take(1)
    with pytest.raises(InputError, match="exists already"):
        new_key_file(files[1])
    (tmp_path / "short").write_bytes(bytes(31))
    (tmp_path / "short").chmod(0o600)
    with pytest.raises(InputError, match="31 bytes"):
        KeyStore(files[0], tmp_path / "short")
    with pytest.raises(InputError, match="no such file"):
        KeyStore(files[0], tmp_path / "none")
    with pytest.raises(InputError, match="does not exist"):
        KeyStore(tmp_path / "no" / "keys", files[1])
    (tmp_path / "text").write_bytes(b"hello, this is text and no store")
    (tmp_path / "text").chmod(0o600)
    with pytest.raises(InputError, match="not a key store"):
        KeyStore(tmp_path / "text", files[1])
    assert key_store.KEY_FILE_BYTES == 32
