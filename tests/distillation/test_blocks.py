"""Accounting of a block's key against the analysis it rests on."""

import math
import re

import pytest

from satqkd.distillation.blocks import CHECKSUM_BITS, block_key, none_kept
from satqkd.distillation.settings import Settings
from satqkd.errors import InputError
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.three_intensity import JINAN1, expected_counts, key_length

COUNTS = expected_counts(sifted_bits=500_000, qber=0.01, **JINAN1)
LEAKS = tuple(1.15 * n[0] * binary_entropy_scalar(0.01) for n in (COUNTS.n_key, COUNTS.n_test))


def made(counts=COUNTS, leaks=LEAKS, **changes):
    options = {"tags": 5, "tag_bits": 62, "refill": 64, "transcript_bytes": 4_000_000, "settings": Settings()}
    return block_key(counts, revealed_bits=leaks, source=JINAN1, **{**options, **changes})


@pytest.mark.parametrize("mode", ["paper", "composable"])
def test_the_key_is_what_is_left(mode):
    found = made(settings=Settings(mode=mode))
    spent = (
        found.correction_bits + found.verification_bits + found.checksum_bits + found.authentication_bits
        + found.amplification_bits + found.rounding_bits
    )  # fmt: skip
    assert 8 * found.key_bytes == pytest.approx(found.secret_bits - spent, abs=1e-6)  # rounding of floats
    assert 8 * (found.key_bytes + found.refill_bytes) == pytest.approx(
        found.secret_bits - found.correction_bits - 5 * 62 - CHECKSUM_BITS - found.amplification_bits, abs=8.0
    )  # whole bytes
    assert found.refill_bytes == 64


def test_paper_mode_is_the_analysis_less_tags_and_checksum():
    found = made(settings=Settings(mode="paper"), refill=0)
    whole = key_length(COUNTS, mode="paper", leak_ec_bits=LEAKS, **JINAN1)
    # whole bytes, and the floor of each basis
    assert 8 * found.key_bytes == pytest.approx(whole.key_bits - 5 * 62 - CHECKSUM_BITS, abs=10.0)


def test_composable_mode_replaces_the_model_of_tags():
    """Against the analysis with tags that cost nothing: only the verification of its two model packets is left."""
    found = made(refill=0, transcript_bytes=1000)
    whole = key_length(COUNTS, leak_ec_bits=LEAKS, tags_per_packet=0, packet_bits=1e6, **JINAN1)
    model_tags = sum(math.ceil(math.log2(math.ceil(n[0] / 64) / 0.5e-15)) for n in (COUNTS.n_key, COUNTS.n_test))
    amplification = 2 * 2 * math.log2(0.5 / 0.5e-10)  # the analysis amplifies two keys
    expected = whole.key_bits + model_tags + amplification - 5 * 62 - CHECKSUM_BITS - found.amplification_bits
    assert 8 * found.key_bytes == pytest.approx(expected, abs=10.0)  # whole bytes, and the floor of each basis


def test_how_the_leak_is_split_does_not_matter():
    total = sum(LEAKS)
    assert made(leaks=(total, 0.0)).key_bytes == pytest.approx(made().key_bytes, abs=1)
    # a basis that cannot pay alone is paid for by the other, not forgiven
    huge = made(leaks=(1.2 * made().secret_bits / 2 + total, 0.0))
    assert huge.key_bytes == pytest.approx(made().key_bytes - 1.2 * made().secret_bits / 16, abs=2)


def test_each_revealed_bit_costs_one_bit():
    more = made(leaks=(LEAKS[0] + 8000.0, LEAKS[1]))
    assert made().key_bytes - more.key_bytes == pytest.approx(1000, abs=1)


def test_the_pool_gets_half_of_a_short_key_at_most():
    small = expected_counts(sifted_bits=40_000, qber=0.005, **JINAN1)
    leaks = [1.2 * n[0] * binary_entropy_scalar(0.005) for n in (small.n_key, small.n_test)]
    asymptotic = Settings(bound="asymptotic")
    plain = made(small, leaks, refill=0, settings=asymptotic)
    found = made(small, leaks, refill=1_000_000, settings=asymptotic)
    assert found.key_bytes + found.refill_bytes == plain.key_bytes
    assert found.refill_bytes % 32 == 0
    assert found.refill_bytes == pytest.approx(plain.key_bytes / 2, abs=32)


def test_no_key_says_why():
    small = expected_counts(sifted_bits=5_000, qber=0.01, **JINAN1)
    found = made(small, (500.0, 500.0))
    assert found.key_bytes == found.refill_bytes == 0
    assert found.reason.startswith("TOO_FEW_COUNTS")
    # one basis alone would have a key, both together do not
    uneven = made(leaks=(LEAKS[0], LEAKS[1] + 8.0 * made().key_bytes + 2_000.0))
    assert uneven.key_bytes == 0
    assert uneven.correction_bits > 0.8 * uneven.secret_bits
    assert re.fullmatch(
        r"TOO_FEW_COUNTS: [\d,]+ secret bits of both bases together, of which the error correction revealed [\d,]+; "
        r"tags and fixed costs take 4\d\d",  # 5 tags of 62 bits, 32 of the check, 64 of the amplification
        uneven.reason,
    )
    noisy = expected_counts(sifted_bits=500_000, qber=0.12, **JINAN1)
    assert made(noisy, (140_000.0, 140_000.0)).reason


def test_authentication_is_in_the_budget():
    terms = made().analysis.epsilon.terms
    assert terms["authentication"] == pytest.approx(4 * 8 * math.ceil(4_000_000 / 16) / 2.0**106, rel=1e-12)
    assert sum(terms.values()) == pytest.approx(1e-9 + 1e-15, rel=1e-12)


@pytest.mark.parametrize(
    "changes",
    [{"packet_bits": 0}, {"packets_per_block": 10}, {"sample_share": 1.0}, {"qber_threshold": 0.5}, {"ahead": 0}],
)
def test_impossible_settings(changes):
    with pytest.raises(InputError):
        Settings(**changes)


def test_the_first_difference_is_named():
    one, other = Settings(), Settings(packets_per_block=3)
    assert one.difference(one.to_dict()) is None
    assert "packets_per_block is 5 here and 3 there" in one.difference(other.to_dict())
    assert one.difference(None)
    assert one.difference({**one.to_dict(), "more": 1})


def test_a_block_without_packets_says_what_became_of_them():
    packets = [{"status": "rejected", "qber": 0.11}, {"status": "abandoned", "qber": 0.03}]
    reason = none_kept([*packets, packets[0]])
    assert reason.startswith("NO_PACKET_KEPT: ")
    assert "2 rejected, 1 abandoned; mean QBER 8.3 %" in reason
