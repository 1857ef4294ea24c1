"""The vector decoder against a plain float64 sum-product, and its building blocks against NumPy."""

import itertools
import math

import numpy as np
import pytest

from satqkd.distillation._ldpc_kernels import certainties, doubts
from satqkd.distillation.ldpc_codes import load_code, make_code
from satqkd.distillation.ldpc_decoder import PacketDecoder
from satqkd.errors import InputError


def test_doubt_against_numpy():
    x = np.concatenate([np.geomspace(1e-6, 86.0, 100_001), np.linspace(0.0, 40.0, 100_001)]).astype(np.float32)
    found = np.empty_like(x)
    doubts(x, found)
    e = np.exp(-x.astype(float))
    # polynomial of degree 5 for 2^f: 5e-6
    np.testing.assert_allclose(found, 2.0 * e / (1.0 + e), rtol=8e-6)


def test_certainty_against_numpy():
    a = np.concatenate([np.geomspace(3e-38, 1.0, 100_001), np.linspace(1e-6, 1.0, 100_001)]).astype(np.float32)
    found = np.empty_like(a)
    certainties(a, found)
    expected = np.log((2.0 - a.astype(float)) / a)
    # five terms of the series: 3e-6; float32 of 2 - a: 1e-7
    np.testing.assert_allclose(found, expected, rtol=5e-6, atol=3e-6)


def test_certainty_inverts_doubt_far_beyond_the_digits_of_tanh():
    x = np.linspace(0.01, 86.0, 10_001).astype(np.float32)
    a, back = np.empty_like(x), np.empty_like(x)
    doubts(x, a)
    certainties(a, back)
    # 8e-6 of the doubt is 8e-6 of log-likelihood; below 1, float32 of 1 - tanh: 1e-6
    np.testing.assert_allclose(back, x, atol=3e-5)


def layered_sum_product(code, parities, split, qber, sweeps):
    """Posteriors of the textbook algorithm in float64, checks one after the other."""
    posterior = np.full(code.bits, math.log((1.0 - qber) / qber))
    is_split = np.isin(np.arange(code.rows), code.split_order[:split])
    messages: dict[tuple[int, int], float] = {}
    for _ in range(sweeps):
        for row, place in itertools.product(range(code.rows), range(code.circulant)):
            first, middle, last = code.row_start[row], code.row_middle[row], code.row_start[row + 1]
            both = parities[0, row, place] ^ parities[1, row, place]
            checks = [(first, last, both)]
            if is_split[row]:
                checks = [(first, middle, parities[0, row, place]), (middle, last, parities[1, row, place])]
            for low, high, parity in checks:
                edges = range(low, high)
                z = code.circulant
                at = [int(code.column[e] * z + (code.shift[e] + place) % z) for e in edges]
                inner = np.array([posterior[p] - messages.get((e, place), 0.0) for e, p in zip(edges, at, strict=True)])
                t = np.tanh(inner / 2.0)
                for k, (e, p) in enumerate(zip(edges, at, strict=True)):
                    product = np.prod(np.delete(t, k)) * (-1.0 if parity else 1.0)
                    messages[e, place] = 2.0 * math.atanh(product)
                    posterior[p] = inner[k] + messages[e, place]
    return posterior


@pytest.mark.parametrize("split", [0, 5, 12])
def test_posteriors_against_float64(small_code, split):
    rng = np.random.default_rng(split)
    pattern = (rng.random((1, small_code.bits)) < 0.06).astype(np.uint8)
    parities = small_code.half_parities(pattern)[0]
    decoder = PacketDecoder(small_code, parities, qber=0.06, split=split)
    for _ in range(2):
        decoder.sweep()
    expected = layered_sum_product(small_code, parities, split, 0.06, 2)
    # float32 through 2 sweeps; 1e-5 per function, amplified where messages cancel
    np.testing.assert_allclose(decoder.posterior(), expected, rtol=1e-4, atol=1e-3)


def test_turns_lead_from_row_to_row():
    """Turned edge after edge, every column begins with the bit of its row, and ends where the places say it began."""
    code = load_code(11)
    turn, place = code.turns
    column, copies = np.divmod(place.reshape(code.columns, code.circulant), 2 * code.circulant)
    np.testing.assert_array_equal(column, np.arange(code.columns)[:, None].repeat(code.circulant, axis=1))
    np.testing.assert_array_equal(np.sort(copies, axis=1), np.arange(code.circulant)[None].repeat(code.columns, axis=0))
    begins_with = np.argmin(copies, axis=1)
    now = begins_with.copy()
    for edge in range(code.column.size):
        now[code.column[edge]] = (now[code.column[edge]] + turn[edge]) % code.circulant
        assert now[code.column[edge]] == code.shift[edge]
    np.testing.assert_array_equal(now, begins_with)


def test_violated_checks_are_counted(small_code):
    """Without information from the syndrome nothing turns: every check that is 1 is violated in the first sweep."""
    parities = np.zeros((2, small_code.rows, small_code.circulant), np.uint8)
    parities[:, 2, 4] = 1
    assert PacketDecoder(small_code, parities, qber=1e-6).sweep() == 0
    assert PacketDecoder(small_code, parities, qber=1e-6, split=small_code.rows).sweep() == 2
    parities[1, 2, 4] = 0
    assert PacketDecoder(small_code, parities, qber=1e-6).sweep() == 1


def test_splitting_keeps_the_state(small_code):
    """A warm restart ends at the pattern, and posteriors do not begin anew."""
    rng = np.random.default_rng(21)
    pattern = (rng.random((1, small_code.bits)) < 0.045).astype(np.uint8)
    parities = small_code.half_parities(pattern)[0]
    decoder = PacketDecoder(small_code, parities, qber=0.045)
    for _ in range(10):
        decoder.sweep()
    before = decoder.posterior()
    decoder.set_parities(parities, split=small_code.rows)
    np.testing.assert_array_equal(decoder.posterior(), before)
    violated = [decoder.sweep() for _ in range(40)]
    np.testing.assert_array_equal(decoder.pattern(), pattern[0])
    assert violated[-1] == 0


def test_revealed_bits_stay(small_code):
    rng = np.random.default_rng(4)
    pattern = (rng.random((1, small_code.bits)) < 0.1).astype(np.uint8)
    decoder = PacketDecoder(small_code, small_code.half_parities(pattern)[0], qber=0.1)
    positions = np.arange(0, small_code.bits, 2)
    decoder.reveal(positions, pattern[0, positions])
    for _ in range(20):
        decoder.sweep()
    np.testing.assert_array_equal(decoder.pattern()[positions], pattern[0, positions])


def test_strong_posteriors_are_not_clamped():
    """Where tanh in float32 is 1 already, certainty goes on growing and no bit turns wrong."""
    code = load_code(20)
    pattern = (np.random.default_rng(6).random((1, code.bits)) < 0.01).astype(np.uint8)
    decoder = PacketDecoder(code, code.half_parities(pattern)[0], qber=0.01)
    for _ in range(25):
        decoder.sweep()
    np.testing.assert_array_equal(decoder.pattern(), pattern[0])
    assert float(np.median(decoder.posterior())) > 40.0
    assert np.isfinite(decoder.posterior()).all()


@pytest.mark.parametrize("qber", [0.0, 0.5, -0.1])
def test_bad_qber(small_code, qber):
    with pytest.raises(InputError, match="allowed is above 0 and below"):
        PacketDecoder(small_code, np.zeros((2, 12, 50), np.uint8), qber=qber)


def test_other_circulants():
    edges = np.zeros(2, np.int64)
    table = {"row_start": np.array([0, 2]), "row_middle": np.array([1]), "column": np.array([0, 1]), "shift": edges}
    code = make_code("other", table, columns=2, circulant=13)
    with pytest.raises(InputError, match="code: circulants of 13; allowed are those of 50"):
        PacketDecoder(code, np.zeros((2, 1, 13), np.uint8), qber=0.1)
