"""Extended Data Table 3 and the distilled pass of Li et al."""

import math
from dataclasses import replace

import numpy as np
import pytest

from satqkd.detection.pass_model import expected_pass_counts
from satqkd.distillation.link import LinkModel
from satqkd.distillation.settings import Settings
from satqkd.study import reproduce_002, reproduce_002_pass
from satqkd.study.reproduce_002_pass import NOISE_FREE, PassChoice
from satqkd.study.reproduce_002_relay import FRAME_BITS, implied_qber, pairs, pass_key, relay, relay_keys, relayed_bits
from satqkd.study.reproduce_002_table1 import block_key, pass_keys, passes


def test_the_table_as_printed():
    """Common passes have the keys of Table 1; sizes divide as the text of the module says, and not by more."""
    known = {(one.date, one.station): one for one in passes()}
    rows = [one for pair in pairs() for one in pair]
    common = [(one, known[one.date, one.station]) for one in rows if (one.date, one.station) in known]
    assert len(rows) == 10
    assert len(common) == 4
    assert all((a.key_bits, a.packets, a.qber) == (b.key_bits, b.packets, b.qber) for a, b in common)
    assert math.gcd(*(one.key_bits for one in rows)) == 128
    assert math.gcd(*(pair[0].one_time_pad_bits for pair in pairs()[:4])) == FRAME_BITS
    assert all(first.one_time_pad_bits == second.one_time_pad_bits for first, second in pairs())


def test_most_that_can_be_relayed():
    """Brute force: the most frames that neither key is too short for."""
    rng = np.random.default_rng(5)
    for a, b in rng.integers(0, 30_000, (200, 2)).tolist():
        most = max(n for n in range(20) if n * FRAME_BITS <= a and n * FRAME_BITS <= b)
        assert relayed_bits(a, b) == relayed_bits(b, a) == most * FRAME_BITS
    for row in relay().rows:
        assert math.isnan(row["share_of_most"]) or 0.0 < row["share_of_most"] < 1.0


def test_exclusive_or_relays_as_much():
    """The relay itself: as many bits as counted reach the second station, and they are the first one's key."""
    first, second = pairs()[0]
    rng = np.random.default_rng(6)
    key_a, key_b = (rng.integers(0, 2, one.key_bits, dtype=np.uint8) for one in (first, second))
    frames = [key_a[i : i + FRAME_BITS] ^ key_b[i : i + FRAME_BITS]
              for i in range(0, min(len(key_a), len(key_b)) - FRAME_BITS + 1, FRAME_BITS)]  # fmt: skip
    sent = np.concatenate(frames)
    assert len(sent) == relayed_bits(first.key_bits, second.key_bits)
    assert np.array_equal(sent ^ key_b[: len(sent)], key_a[: len(sent)])


def test_our_keys_are_those_of_table_1():
    ours = {(one.date, one.station): key for one, key in zip(passes(), pass_keys("paper"), strict=True)}
    rows = [one for pair in pairs() for one in pair]
    assert [pass_key(one, "paper") for one in rows] == [ours.get((one.date, one.station)) for one in rows]


def test_implied_error_rate():
    """Put back in it gives the printed key; below the printed error rate where our key is too short."""
    for one, row in zip((one for pair in pairs() for one in pair), relay_keys().rows, strict=True):
        found = implied_qber(one)
        blocks = one.packets // 5
        # 1e-6 of error rate is 6 bits of a block
        assert blocks * block_key(found, "paper").key_bits == pytest.approx(one.key_bits, abs=10 * blocks)
        if not math.isnan(one.qber):
            assert (found < one.qber) == (row["paper_ratio"] < 1.0)


@pytest.fixture(scope="module")
def short():
    """The study with a pass of two packets, a block each."""
    with pytest.MonkeyPatch.context() as patch:
        choice = PassChoice(8.0, 0.0, 4, LinkModel(), Settings(packets_per_block=1, mode="paper"))
        patch.setattr(reproduce_002_pass, "PASS", choice)
        reproduce_002_pass._distilled.cache_clear()
        yield reproduce_002_pass.record()
        reproduce_002_pass._distilled.cache_clear()


def test_counts_and_range(short):
    rows = reproduce_002_pass.counts().rows
    assert len(rows) == 8
    sync = short["synchronisation"]
    inside = sync["detections"] - sync["outside_gate"] - sync["in_gaps"] - sync["outside_pass"]
    # several detectors in one pulse count once: some of 10,000 counts
    assert sum(row["counts_per_s"] for row in rows) == pytest.approx(inside, rel=1e-3)
    # Earth's radius 6370 km, 500 km above it: distance from the elevation by the law of cosines, an ellipsoid aside
    for row in rows:
        s = 6370.0 * math.sin(math.radians(row["elevation_deg"]))
        assert row["slant_range_km"] == pytest.approx(math.sqrt(s**2 + 6870.0**2 - 6370.0**2) - s, rel=0.01)


def test_errors_of_packets(short):
    """The noise comes back when it is put back; each block's key is counted once."""
    for row in reproduce_002_pass.noise().rows:
        share, clean = row["noise_share"], row["qber_without_noise"]
        assert 0.0 < share < 0.05
        assert (1.0 - share) * clean + 0.5 * share == pytest.approx(row["qber"], rel=1e-12)  # rounding
        assert NOISE_FREE[0] < clean < NOISE_FREE[1]
    rows = reproduce_002_pass.errors().rows
    assert sum({row["block"]: row["block_key_bits"] for row in rows}.values()) == 8 * short["key_bytes"] > 0


def test_fitted_background(short):
    """Counts are linear in the background but for dead time, 1e-4 here: two of them give the share."""
    model, _ = reproduce_002_pass._distilled()
    p = tuple(short["source"]["intensity_probabilities"])
    n, m = [], []
    for share in (0.0, 1.0):
        found = expected_pass_counts(
            replace(model, background_hz=share * model.background_hz), intensity_probabilities=p
        )
        n.append(found.n_key[0] + found.n_test[0])
        m.append(found.m_key[0] + found.m_test[0])
    share, counts = reproduce_002_pass.fitted_background()
    q = reproduce_002_pass.PRINTED["qber"]
    assert share == pytest.approx((q * n[0] - m[0]) / (m[1] - m[0] - q * (n[1] - n[0])), rel=1e-3)
    assert (counts.m_key[0] + counts.m_test[0]) / (counts.n_key[0] + counts.n_test[0]) == pytest.approx(q, rel=1e-5)


def test_checks_and_pictures(short):
    checks = reproduce_002_pass.checks()
    assert {name for row in checks for name in row} == set(reproduce_002.STUDY.check_columns)
    found = {(row["quantity"], row["reading"]): row for row in checks}
    key = next(row for (quantity, _), row in found.items() if quantity == "distilled key [bit]")
    assert key["paper"] == 8 * short["key_bytes"] > key["composable"]
    for table in (reproduce_002_pass.noise(), reproduce_002_pass.counts(), reproduce_002_pass.errors()):
        picture = reproduce_002.figure(table)
        assert picture is not None
        axes = [one for one in picture.axes if one.get_legend() is not None]
        texts = [text.get_text() for one in axes for text in one.get_legend().get_texts()]
        assert ("published range" in texts) == (table.name != "fig4b")
    assert reproduce_002.figure(relay()) is None
