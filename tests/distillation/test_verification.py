"""Universal-hash tags against arithmetic with Python integers, and their collision bound against counting."""

import math

import numpy as np
import pytest

from satqkd.distillation.verification import collision_bound, tag_bits, tags_equal, verification_tag
from satqkd.errors import InputError

MODULUS = (1 << 128) | 0x87


def carry_less(a: int, b: int) -> int:
    """Product in GF(2^128), schoolbook: all shifts first, then long division by the modulus."""
    product = 0
    for shift in range(b.bit_length()):
        if b >> shift & 1:
            product ^= a << shift
    while product.bit_length() > 128:
        product ^= MODULUS << (product.bit_length() - 129)
    return product


def expected_tag(bits, key: bytes, length: int) -> bytes:
    """The hash as a sum of powers, not by Horner's rule."""
    text = "".join(map(str, bits))
    text += "0" * (-len(text) % 128)
    words = [int(text[i : i + 128], 2) for i in range(0, len(text), 128)] + [len(bits)]
    name, power, total = int.from_bytes(key, "big"), 1, 0
    for word in reversed(words):
        power = carry_less(power, name)
        total ^= carry_less(word, power)
    leading = format(total, "0128b")[:length]
    return bytes(int(leading[i : i + 8].ljust(8, "0"), 2) for i in range(0, length, 8))


@pytest.mark.parametrize(("size", "length"), [(1, 128), (127, 64), (128, 1), (129, 65), (1000, 53), (3001, 127)])
def test_tag_is_the_polynomial(size, length):
    generator = np.random.default_rng(size)
    bits, key = generator.integers(0, 2, size), generator.bytes(16)
    assert verification_tag(bits, key=key, tag_bits=length) == expected_tag(bits, key, length)


def test_known_product():
    # x^127 times K^2 with K = x, reduced, plus the length 1 times K
    tag = verification_tag([1], key=(2).to_bytes(16, "big"), tag_bits=128)
    first = carry_less(1 << 127, carry_less(2, 2))
    assert int.from_bytes(tag, "big") == first ^ 2


def test_short_tags_collide_as_often_as_random_ones_do():
    generator = np.random.default_rng(5)
    one = generator.integers(0, 2, 300)
    other = one.copy()
    other[17] ^= 1
    tries, length = 20_000, 4
    hits = 0
    for _ in range(tries):
        key = generator.bytes(16)
        hits += verification_tag(one, key=key, tag_bits=length) == verification_tag(other, key=key, tag_bits=length)
    sigma = math.sqrt(tries * 2.0**-length * (1 - 2.0**-length))
    assert hits == pytest.approx(tries * 2.0**-length, abs=5.0 * sigma)  # 5 standard deviations, seed fixed


def test_every_single_error_and_length_changes_the_tag():
    bits = np.random.default_rng(1).integers(0, 2, 260)
    key = bytes(range(16))
    tags = {verification_tag(bits, key=key, tag_bits=64)}
    for position in range(len(bits)):
        changed = bits.copy()
        changed[position] ^= 1
        tags.add(verification_tag(changed, key=key, tag_bits=64))
    for cut in (259, 258, 128):
        tags.add(verification_tag(bits[:cut], key=key, tag_bits=64))
    tags.add(verification_tag(np.append(bits, 0), key=key, tag_bits=64))  # filled up with the zero that padding has
    assert len(tags) == 1 + 260 + 4


def test_bound_and_length_belong_together():
    for packets, size, eps in [(1, 1000, 1e-10), (20, 100_000, 1e-15), (9, 100_000, 1e-20)]:
        length = tag_bits(packets=packets, packet_bits=size, eps_correctness=eps)
        assert packets * collision_bound(packet_bits=size, tag_bits=length) <= eps
        assert packets * collision_bound(packet_bits=size, tag_bits=length - 1) > eps
    words = 100_000 / 128  # 781.25: 782 words and the length
    assert collision_bound(packet_bits=100_000, tag_bits=64) == pytest.approx((words + 1.75) * 2.0**-64, rel=1e-12)


def test_tags_are_compared():
    assert tags_equal(b"ab", b"ab")
    assert not tags_equal(b"ab", b"ac")
    assert not tags_equal(b"ab", b"abc")


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: verification_tag([0, 2], key=bytes(16), tag_bits=64), "zeros and ones"),
        (lambda: verification_tag([0.0, 1.0], key=bytes(16), tag_bits=64), "zeros and ones"),
        (lambda: verification_tag([0, 1], key=bytes(15), tag_bits=64), "15 bytes"),
        (lambda: verification_tag([0, 1], key=bytes(16), tag_bits=129), "1 to 128"),
        (lambda: tag_bits(packets=0, packet_bits=1, eps_correctness=0.1), "at least 1"),
        (lambda: tag_bits(packets=1, packet_bits=1, eps_correctness=0.0), r"\(0, 1\)"),
        (lambda: tag_bits(packets=1, packet_bits=10**6, eps_correctness=1e-36), "at most 128"),
    ],
)
def test_misuse_is_one_line(call, complaint):
    with pytest.raises(InputError, match=complaint):
        call()
