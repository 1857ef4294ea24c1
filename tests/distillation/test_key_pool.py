"""The pool gives each value once, whatever breaks in between."""

import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.distillation import key_pool
from satqkd.distillation.key_pool import DIRECTIONS, KeyPool, PoolExhaustedError
from satqkd.errors import InputError

SECRET = bytes(range(256))  # seven pads and the kept key for each direction


@pytest.fixture
def pool(tmp_path):
    with KeyPool.create(tmp_path / "pool", SECRET) as opened:
        yield opened


def test_both_directions_from_one_secret(pool):
    assert [pool.remaining(direction) for direction in DIRECTIONS] == [7, 7]
    assert pool.poly_key("satellite") == SECRET[:16]
    assert pool.poly_key("ground") == SECRET[128:144]
    assert pool.take_pad("satellite") == (0, SECRET[16:32])
    assert pool.peek_pad("ground", 1) == SECRET[160:176]
    assert pool.remaining("satellite") == 6


def test_exhausted(pool):
    pads = [pool.take_pad("ground") for _ in range(7)]
    assert [number for number, _ in pads] == list(range(7))
    assert len({pad for _, pad in pads}) == 7
    with pytest.raises(PoolExhaustedError, match="messages of the ground"):
        pool.take_pad("ground")
    assert pool.deposit("block 1", bytes(range(32)))
    assert pool.take_pad("ground") == (7, bytes(range(16, 32)))


def test_a_deposit_counts_once(pool):
    assert pool.deposit("block 1", bytes(64))
    assert not pool.deposit("block 1", bytes(64))
    assert pool.remaining("satellite") == 9
    assert dict(pool.deposits) == {"block 1": 64}


def test_used_values_are_overwritten_and_no_longer_check(pool, tmp_path):
    _, pad = pool.take_pad("satellite")
    later = pool.peek_pad("ground", 2)
    pool.retire("ground", 2)
    pool.retire("ground", 1)  # already done
    pool.close()
    content = b"".join((tmp_path / "pool" / f"{direction}.pads").read_bytes() for direction in DIRECTIONS)
    assert pad not in content
    assert later not in content
    with KeyPool.open(tmp_path / "pool") as again:
        assert again.peek_pad("ground", 3) == SECRET[192:208]
        for number in (0, 1, 2, 7):
            with pytest.raises(InputError, match="used up or not in the pool"):
                again.peek_pad("ground", number)
        with pytest.raises(InputError, match="used up"):
            again.peek_pad("satellite", 0)


class Crash(BaseException):
    """The process dies here."""


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["take", "deposit", "retire"]), st.integers(0, 5), st.booleans()), max_size=12
    )
)
def test_no_value_twice_across_crashes(tmp_path_factory, steps):
    """Each step may die before or after any of its writes; what follows is another process."""
    folder = tmp_path_factory.mktemp("pools") / "pool"
    KeyPool.create(folder, os.urandom(2048)).close()
    seen, floor = [], 0
    for number, (action, dies_at, before) in enumerate(steps):
        count = 0

        def dying(original, dies_at=dies_at, before=before):
            def write(*arguments):
                nonlocal count
                if count == dies_at and before:
                    raise Crash
                original(*arguments)
                count += 1
                if count == dies_at + 1 and not before:
                    raise Crash

            return write

        with KeyPool.open(folder) as pool, pytest.MonkeyPatch.context() as patch:
            patch.setattr(key_pool, "write_private", dying(key_pool.write_private))
            patch.setattr(pool, "_write", dying(pool._write))
            try:
                if action == "take":
                    seen.append(pool.take_pad("satellite"))
                elif action == "deposit":
                    pool.deposit(f"deposit {number}", os.urandom(64))
                else:
                    floor = max(floor, number)
                    pool.retire("ground", number)
            except Crash:
                pass
    with KeyPool.open(folder) as pool:
        seen += [pool.take_pad("satellite") for _ in range(3)]
        assert len({number for number, _ in seen}) == len(seen)
        assert len({pad for _, pad in seen}) == len(seen)
        assert bytes(16) not in {pad for _, pad in seen}  # none that was overwritten
        content = (folder / "satellite.pads").read_bytes()
        assert not any(pad in content for _, pad in seen)
        assert len(content) == 1024 + 32 * len(pool.deposits)


def test_private(pool, tmp_path):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "pool").iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "pool").stat().st_mode) == 0o700


def test_one_process_at_a_time(pool, tmp_path):
    code = (
        "from satqkd.distillation.key_pool import KeyPool\n"
        f"try:\n    KeyPool.open({str(tmp_path / 'pool')!r})\nexcept Exception as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "in use by another process" in done.stdout


def test_misuse(pool, tmp_path):
    for length in (0, 32, 65, 100):
        with pytest.raises(InputError, match="multiple of 32"):
            KeyPool.create(tmp_path / "other", bytes(length))
    with pytest.raises(InputError, match="file exists"):
        KeyPool.create(tmp_path / "pool", SECRET)
    with pytest.raises(InputError, match="no key pool"):
        KeyPool.open(tmp_path)
    with pytest.raises(InputError, match="multiple of 32"):
        pool.deposit("odd", bytes(33))
    with pytest.raises(InputError, match="satellite, ground"):
        pool.take_pad("moon")
    with pytest.raises(InputError, match="not in the pool"):
        pool.retire("ground", 7)
    pool.close()
    with pytest.raises(InputError, match="closed"):
        pool.take_pad("ground")
    state = tmp_path / "pool" / "state.json"
    sound = state.read_text()
    for broken in ("", "{}", sound.replace('"used": 0', '"used": -1'), sound.replace('"version": 1', '"version": 9')):
        state.write_text(broken)
        with pytest.raises(InputError, match="not the state of a key pool"):
            KeyPool.open(tmp_path / "pool")
    state.write_text(sound)
    (tmp_path / "pool" / "ground.pads").write_bytes(SECRET[:100])
    with pytest.raises(InputError, match="damaged"):
        KeyPool.open(tmp_path / "pool")
    (tmp_path / "pool" / "ground.pads").chmod(0o644)
    with pytest.raises(InputError, match="must be 600"):
        KeyPool.open(tmp_path / "pool")
