"""Whole sessions in virtual time: whatever happens, both ends hold identical keys or none."""

import sys
from pathlib import Path

import numpy as np
import pytest

from satqkd.distillation import frames
from satqkd.distillation.link import LinkModel
from satqkd.distillation.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))
from session_tools import SMALL, MemoryPool, Side, both, changing, check_keys, small_pass, talk, torture


@pytest.fixture(scope="module")
def quiet_pass():
    """Four blocks of two packets without trouble."""
    return small_pass(1)


BLOCKS = 4
"""Blocks of the quiet pass that give a key."""


def code(side):
    return side.end.failure.code if side.end.failure else None


def test_a_quiet_pass(quiet_pass):
    ground, satellite = both(quiet_pass)
    took = talk(ground, satellite)
    check_keys(ground, satellite)
    assert (ground.end.party.state, satellite.end.party.state) == ("closed", "closed")
    assert code(ground) is code(satellite) is None
    assert len(ground.keys.keys) == BLOCKS
    # some round trips of 9 ms, then the second and a half for which the satellite waits
    assert took == pytest.approx(1.6, abs=0.1)
    blocks = [event for event in ground.events if event["event"] == "block"]
    for event in blocks:
        key = event["key"]
        spent = sum(key[f"{name}_bits"] for name in (
            "correction", "verification", "checksum", "authentication", "amplification", "rounding"
        ))  # fmt: skip
        assert 8 * key["key_bytes"] == pytest.approx(key["secret_bits"] - spent, abs=1e-6)  # rounding of floats
        assert key["correction_bits"] == pytest.approx(sum(p["revealed_bits"] for p in event["packets"]))
    assert len({bytes(key) for key in ground.keys.keys.values()}) == BLOCKS


@pytest.mark.parametrize("seed", range(12))
def test_loss_reordering_and_duplication(quiet_pass, seed):
    rng = np.random.default_rng(seed)
    model = LinkModel(loss=0.5 * seed / 11, duplication=rng.uniform(0, 0.3), reordering=rng.uniform(0, 0.5))
    ground, satellite = both(quiet_pass)
    talk(ground, satellite, model=model, seed=seed)
    check_keys(ground, satellite)
    assert len(ground.keys.keys) == BLOCKS
    assert code(ground) is code(satellite) is None


@pytest.mark.parametrize("seed", range(12))
def test_killed_and_started_again(quiet_pass, seed):
    rng = np.random.default_rng(seed)
    times = sorted(rng.uniform(0.0, 0.15, rng.integers(1, 5)))
    crashes = [(time, ("ground", "satellite")[rng.integers(2)], int(rng.integers(4))) for time in times]
    ground, satellite = both(quiet_pass)
    talk(ground, satellite, model=LinkModel(loss=rng.uniform(0, 0.4)), seed=seed, crashes=crashes)
    check_keys(ground, satellite)
    assert len(ground.keys.keys) == BLOCKS
    assert code(ground) is code(satellite) is None


HEADER = frames.LARGEST_DATAGRAM - frames.PAYLOAD_BYTES - 4


@pytest.mark.parametrize("seed", range(40))
def test_a_changed_message_is_found(quiet_pass, seed):
    """Without loss every fragment is needed when it first arrives, so a change is never overlooked."""
    rng = np.random.default_rng(1000 + seed)
    way = ("tamper_up", "tamper_down")[seed % 2]
    which, change = int(rng.integers(0, 38 if seed % 2 else 60)), int(rng.integers(1, 256))
    tamper = changing(which, lambda n: int(rng.integers(HEADER, n - 4)), change, (frames.DATA,))
    ground, satellite = both(quiet_pass)
    talk(ground, satellite, **{way: tamper})
    check_keys(ground, satellite)
    assert {code(ground), code(satellite)} & {"AUTHENTICATION", "SECRET"}


@pytest.mark.parametrize("seed", range(20))
def test_any_changed_byte_leaves_identical_keys(quiet_pass, seed):
    """Header bytes too, acknowledgements and last words, on a bad link: found, or without effect."""
    rng = np.random.default_rng(2000 + seed)
    way = ("tamper_up", "tamper_down")[seed % 2]
    tamper = changing(
        int(rng.integers(0, 100)), lambda n: int(rng.integers(0, n - 4)), int(rng.integers(1, 256)),
        (frames.DATA, frames.ACKNOWLEDGE, frames.CONTROL),
    )  # fmt: skip
    ground, satellite = both(quiet_pass)
    talk(ground, satellite, model=LinkModel(loss=0.2, reordering=0.2), seed=seed, **{way: tamper})
    check_keys(ground, satellite)
    found = {code(ground), code(satellite)} - {None}
    assert found & {"AUTHENTICATION", "SECRET"} or (not found and len(ground.keys.keys) == BLOCKS)


@pytest.mark.parametrize("seed", range(6))
def test_changed_and_killed(quiet_pass, seed):
    rng = np.random.default_rng(3000 + seed)
    tamper = changing(int(rng.integers(20, 60)), lambda n: int(rng.integers(HEADER, n - 4)), 1, (frames.DATA,))
    crashes = [(float(rng.uniform(0.0, 0.2)), side, int(rng.integers(4))) for side in ("ground", "satellite")]
    ground, satellite = both(quiet_pass)
    talk(ground, satellite, model=LinkModel(loss=0.3), seed=seed, tamper_up=tamper, crashes=crashes)
    check_keys(ground, satellite)


def test_an_end_that_does_not_come_back_keeps_what_the_other_released(quiet_pass):
    """Killed for a week, then started again: both converge to the same keys."""
    ground, satellite = both(quiet_pass)
    for side in (ground, satellite):
        side.end.patience_s = 1.0
    dead = {"now": False}

    def swallow(_, datagram):
        dead["now"] = dead["now"] or len(ground.keys.keys) == 2
        return b"" if dead["now"] else datagram

    talk(ground, satellite, tamper_up=swallow)
    assert code(ground) == code(satellite) == "SILENT"
    ours, theirs = ground.keys.keys, satellite.keys.keys
    assert 1 <= len(ours) < BLOCKS
    assert theirs.items() <= ours.items()
    ground.crash()
    satellite.crash()
    talk(ground, satellite)
    check_keys(ground, satellite)
    assert len(ours) == BLOCKS


def test_different_secrets(quiet_pass):
    ground = Side("ground", quiet_pass)
    satellite = Side("satellite", quiet_pass, secret=bytes(reversed(range(256))) * 2)
    talk(ground, satellite, model=LinkModel(loss=0.3))
    assert code(ground) == code(satellite) == "SECRET"
    check_keys(ground, satellite)
    assert not ground.keys.keys
    assert not satellite.journal.records()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"settings": Settings(**{**SMALL.to_dict(), "packets_per_block": 3})}, "SETTINGS"), ({"pass_id": "p2"}, "PASS")],
)
def test_ends_that_do_not_fit(quiet_pass, changes, expected):
    ground, satellite = Side("ground", quiet_pass), Side("satellite", quiet_pass, **changes)
    talk(ground, satellite)
    assert code(ground) == code(satellite) == expected
    assert not ground.keys.keys
    assert not satellite.keys.keys


def test_a_noisy_packet_is_dropped_and_the_pass_goes_on():
    ground, satellite = both(small_pass(5, detections=100_000, noisy=(8000, 22_000, 0.3)))
    talk(ground, satellite)
    check_keys(ground, satellite)
    states = [p["status"] for e in ground.events if e["event"] == "block" for p in e["packets"]]
    assert "rejected" in states
    assert states.count("corrected") >= 4
    assert len(ground.keys.keys) >= 2
    assert code(ground) is None


def test_an_empty_pass():
    ground, satellite = both(small_pass(5, detections=0))
    talk(ground, satellite)
    assert code(ground) == "EMPTY"
    assert "EMPTY" in str(satellite.end.failure)
    assert not ground.keys.keys


def test_an_exhausted_pool_ends_the_session_cleanly(quiet_pass):
    secret = bytes(range(128))  # three one-time values for each direction: too few for a block
    ground, satellite = (Side(side, quiet_pass, pool=MemoryPool(secret)) for side in ("ground", "satellite"))
    talk(ground, satellite)
    check_keys(ground, satellite)
    assert code(ground) == "POOL_EXHAUSTED"
    assert "POOL_EXHAUSTED" in str(satellite.end.failure)
    assert not ground.keys.keys
    assert satellite.end.party.state == ground.end.party.state == "closed"


def test_the_pool_is_paid_back(quiet_pass):
    ground, satellite = both(quiet_pass)
    before = {way: ground.pool.remaining(way) for way in ("ground", "satellite")}
    talk(ground, satellite)
    # four values a block, two for each direction: the ground seals twice, the satellite once
    expected = {"ground": before["ground"], "satellite": before["satellite"] + BLOCKS}
    for way in before:
        # half of a key at most goes back, so that a debt of three values may be left
        assert ground.pool.remaining(way) == pytest.approx(expected[way], abs=3)
        # the values of the last words are crossed out by the other end only when the next session begins
        assert satellite.pool.remaining(way) == pytest.approx(ground.pool.remaining(way), abs=2)


def test_a_sample_is_disclosed_and_leaves_the_key(quiet_pass):
    settings = Settings(**{**SMALL.to_dict(), "sample_share": 0.1})
    ground, satellite = both(quiet_pass, settings=settings)
    talk(ground, satellite)
    check_keys(ground, satellite)
    plain, other = both(quiet_pass)
    talk(plain, other)
    packets = [sum(len(e["packets"]) for e in side.events if e["event"] == "block") for side in (ground, plain)]
    assert packets[0] == pytest.approx(0.9 * packets[1], abs=1)  # a tenth of the bits makes no packets
    assert packets[0] < packets[1]


@pytest.mark.parametrize("seed", range(24))
def test_everything_at_once(quiet_pass, seed):
    """The trial of tools/soak.py: bad link, kills, a changed byte."""
    what, keys = torture(quiet_pass, seed)
    assert keys == BLOCKS or "found" in what
