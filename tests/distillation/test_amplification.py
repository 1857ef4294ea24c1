"""Toeplitz products: two algorithms against each other and against the matrix written out."""

import secrets
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satqkd.distillation.amplification import (
    BLOCK_BITS,
    METHODS,
    fft,
    integrity_checksum,
    pack_key,
    random_seed,
    seed_bits,
    toeplitz_hash,
    unpack_bits,
)
from satqkd.errors import InputError


def matrix_product(bits, diagonals, rows):
    """Each entry by its definition, summed in whole numbers."""
    n = len(bits)
    row, column = np.ogrid[:rows, :n]
    return (diagonals[row - column + n - 1].astype(np.int64) @ bits.astype(np.int64)) % 2


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_both_algorithms_are_the_matrix(n, data):
    rows = data.draw(st.integers(1, n))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    bits, seed = (
        generator.integers(0, 2, n, dtype=np.uint8),
        generator.bytes(-(-seed_bits(input_bits=n, output_bits=rows) // 8)),
    )
    expected = matrix_product(bits, unpack_bits(seed, n + rows - 1), rows)
    for method in METHODS:
        np.testing.assert_array_equal(toeplitz_hash(bits, seed=seed, output_bits=rows, method=method), expected)


@pytest.mark.parametrize("n", [100_000, 99_991, 131_072, 300_007, 900_000])
@pytest.mark.parametrize("kind", ["random", "ones", "single"])
def test_long_blocks_are_bit_identical(n, kind):
    rows = n // 3
    generator = np.random.default_rng(n)
    bits = np.ones(n, dtype=np.uint8) if kind == "ones" else np.zeros(n, dtype=np.uint8)
    if kind == "random":
        bits = generator.integers(0, 2, n, dtype=np.uint8)
    if kind == "single":
        bits[n // 7] = 1
    length = seed_bits(input_bits=n, output_bits=rows)
    # All sums as large as they get, where rounding is worst, or random.
    seed = b"\xff" * (-(-length // 8)) if kind == "ones" else generator.bytes(-(-length // 8))
    one, other = (toeplitz_hash(bits, seed=seed, output_bits=rows, method=method) for method in METHODS)
    np.testing.assert_array_equal(one, other)
    if kind == "single":  # one column of the matrix: a window of the seed
        start = n - 1 - n // 7
        np.testing.assert_array_equal(one, unpack_bits(seed, length)[start : start + rows])
    if kind == "ones":
        assert set(one.tolist()) == {n % 2}
    if kind == "random":
        assert one.mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(rows))  # 5 standard deviations


def test_linear():
    generator = np.random.default_rng(3)
    a, b = generator.integers(0, 2, (2, 5000), dtype=np.uint8)
    seed = random_seed(7499)
    whole = toeplitz_hash(a ^ b, seed=seed, output_bits=2500)
    np.testing.assert_array_equal(
        whole, toeplitz_hash(a, seed=seed, output_bits=2500) ^ toeplitz_hash(b, seed=seed, output_bits=2500)
    )


def test_two_universal_over_all_seeds():
    """Over all 2^(n+l-1) matrices, two different inputs agree exactly for a share of 2^-l."""
    n, rows = 5, 3
    length = seed_bits(input_bits=n, output_bits=rows)
    one, other = np.array([1, 0, 1, 1, 0], dtype=np.uint8), np.array([0, 0, 1, 0, 1], dtype=np.uint8)
    agree = 0
    for number in range(2**length):
        seed = (number << (-length % 8)).to_bytes(-(-length // 8), "big")
        a, b = (toeplitz_hash(bits, seed=seed, output_bits=rows) for bits in (one, other))
        agree += bool(np.array_equal(a, b))
    assert agree == 2 ** (length - rows)


def test_doubtful_rounding_is_an_error(monkeypatch):
    import scipy.fft

    exact = scipy.fft.irfft
    monkeypatch.setattr(scipy.fft, "irfft", lambda *arguments: exact(*arguments) + 0.01)
    with pytest.raises(ArithmeticError, match="rounding"):
        fft(np.ones(8, dtype=np.uint8), np.ones(11, dtype=np.uint8), 4)


def test_packing_and_checksum():
    bits = np.array([1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1], dtype=np.uint8)
    assert pack_key(bits) == bytearray([0x81])
    np.testing.assert_array_equal(unpack_bits(b"\x81", 5), [1, 0, 0, 0, 0])
    key = secrets.token_bytes(100)
    assert integrity_checksum(key) == zlib.crc32(key)
    assert BLOCK_BITS[0] == 100_000
    assert BLOCK_BITS[-1] == 900_000
    assert len(random_seed(9)) == 2


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: toeplitz_hash([1, 0], seed=b"\x00", output_bits=3), "from 1 to input_bits = 2"),
        (lambda: toeplitz_hash([1, 0], seed=b"\x00", output_bits=0), "from 1 to input_bits"),
        (lambda: toeplitz_hash([1] * 9, seed=b"\x00", output_bits=2), "fewer than 10 bits"),
        (lambda: toeplitz_hash([1, 3], seed=b"\x00", output_bits=1), "zeros and ones"),
        (lambda: toeplitz_hash([1, 0], seed=b"\x00", output_bits=1, method="ntt"), "must be one of fft"),
    ],
)
def test_misuse_is_one_line(call, complaint):
    with pytest.raises(InputError, match=complaint):
        call()
