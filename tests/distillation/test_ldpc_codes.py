"""Shipped codes: structure, syndromes, order of splitting."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from satqkd.distillation.ldpc_codes import CIRCULANT, PACKET_BITS, code_rows, load_code
from satqkd.errors import InputError

CODES = range(len(code_rows()))


def dense_rank(matrix: np.ndarray) -> int:
    """Rank over GF(2) by elimination."""
    rows = np.packbits(matrix, axis=1)
    rank = 0
    for column in range(matrix.shape[1]):
        byte, bit = divmod(column, 8)
        ones = np.nonzero(rows[rank:, byte] & (128 >> bit))[0]
        if ones.size:
            rows[[rank, rank + ones[0]]] = rows[[rank + ones[0], rank]]
            below = np.nonzero(rows[rank + 1 :, byte] & (128 >> bit))[0] + rank + 1
            rows[below] ^= rows[rank]
            rank += 1
            if rank == matrix.shape[0]:
                break
    return rank


def test_family_covers_the_rates_in_even_steps():
    rows = np.array(code_rows())
    assert rows.size == 49
    assert rows[0] * CIRCULANT / PACKET_BITS == pytest.approx(0.03)
    assert rows[-1] * CIRCULANT / PACKET_BITS == pytest.approx(0.5)
    # equal ratios, to the rounding of the smallest: half a row of 60 on either side
    np.testing.assert_allclose(rows[1:] / rows[:-1], (rows[-1] / rows[0]) ** (1 / (rows.size - 1)), rtol=1 / 60)


@pytest.mark.parametrize("index", CODES)
def test_no_cycle_of_four(index):
    """Two rows of circulants meet in no two columns with the same difference of shifts, nor twice in one column."""
    code = load_code(index)
    row = np.repeat(np.arange(code.rows), code.row_degrees())
    by_column = np.lexsort((row, code.column))
    row, column, shift = row[by_column], code.column[by_column], code.shift[by_column]
    start = np.searchsorted(column, np.arange(code.columns + 1))
    keys = []
    for first, last in itertools.pairwise(start):
        a, b = np.triu_indices(last - first, 1)
        r, s = row[first:last], shift[first:last].astype(np.int64)
        keys.append((r[a] * code.rows + r[b]) * code.circulant + (s[a] - s[b]) % code.circulant)
        assert np.unique(r).size == r.size
    pairs = np.concatenate(keys)
    assert np.unique(pairs).size == pairs.size


@pytest.mark.parametrize("index", CODES)
def test_degrees(index):
    code = load_code(index)
    assert code.bits == PACKET_BITS
    assert code.checks == code_rows()[index] * CIRCULANT
    rows, columns = code.row_degrees(), code.column_degrees()
    assert rows.sum() == columns.sum() == code.column.size
    assert int(columns.min()) == 2
    # concentrated checks; in matrices of few rows the last edges go where there is room
    assert rows.max() - rows.min() <= max(4, 0.1 * rows.mean())
    halves = code.row_middle - code.row_start[:-1]
    np.testing.assert_array_equal(halves, -(-rows // 2))
    assert code.shift.min() >= 0
    assert code.shift.max() < code.circulant


@pytest.mark.parametrize("index", CODES)
def test_columns_of_degree_two_close_no_cycle(index):
    """As edges between rows they are a forest: their sums are no codewords, however many are taken."""
    code = load_code(index)
    row = np.repeat(np.arange(code.rows), code.row_degrees())
    parent = list(range(code.rows))

    def root(r: int) -> int:
        while parent[r] != r:
            r = parent[r]
        return r

    for column in np.nonzero(code.column_degrees() == 2)[0]:
        a, b = (root(int(r)) for r in row[code.column == column])
        assert a != b
        parent[a] = b


@pytest.mark.parametrize("index", [0])
def test_rows_are_independent(index):
    """All parities count as leak, and none is implied by the others: independent on a part of the columns already."""
    code = load_code(index)
    part = code.matrix().toarray()[:, ::16]
    assert dense_rank(part) == code.checks


def test_light_columns_are_spread_over_the_packet():
    """A QBER that drifts within a packet meets all degrees alike."""
    degrees = load_code(10).column_degrees()
    quarters = degrees.reshape(4, -1).mean(1)
    # standard error of the mean of 500 degrees with deviation 7
    np.testing.assert_allclose(quarters, degrees.mean(), atol=4 * degrees.std() / math.sqrt(500))


def test_syndrome_against_dense_matrix(small_code):
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (5, small_code.bits), np.uint8)
    dense = np.zeros((small_code.checks, small_code.bits), int)
    for row in range(small_code.rows):
        for e in range(small_code.row_start[row], small_code.row_start[row + 1]):
            block = np.roll(np.eye(small_code.circulant, dtype=int), small_code.shift[e], axis=1)
            rows = slice(row * small_code.circulant, (row + 1) * small_code.circulant)
            column = small_code.column[e]
            dense[rows, column * small_code.circulant : (column + 1) * small_code.circulant] += block
    np.testing.assert_array_equal(small_code.syndrome(bits), bits.astype(int) @ dense.T % 2)
    np.testing.assert_array_equal(small_code.matrix().toarray(), dense)


@pytest.mark.parametrize("index", [0, 20, 48])
def test_syndrome_against_sparse_matrix(index):
    code = load_code(index)
    bits = np.random.default_rng(2).integers(0, 2, (2, code.bits), np.uint8)
    expected = (code.matrix().astype(np.int64) @ bits.T.astype(np.int64)).T % 2
    np.testing.assert_array_equal(code.syndrome(bits), expected)


def test_syndrome_is_linear():
    code = load_code(5)
    a, b = np.random.default_rng(3).integers(0, 2, (2, 1, code.bits), np.uint8)
    np.testing.assert_array_equal(code.syndrome(a ^ b), code.syndrome(a) ^ code.syndrome(b))


@pytest.mark.parametrize("split", [0, 3, 12])
def test_split_rows_are_the_halves_of_whole_ones(small_code, split):
    whole, parts = small_code.matrix().toarray(), small_code.matrix(split=split).toarray()
    z = small_code.circulant
    assert parts.shape[0] == whole.shape[0] + split * z
    rebuilt = parts[: whole.shape[0]].copy()
    for k, row in enumerate(small_code.split_order[:split]):
        rebuilt[row * z : (row + 1) * z] += parts[whole.shape[0] + k * z : whole.shape[0] + (k + 1) * z]
    np.testing.assert_array_equal(rebuilt, whole)


@pytest.mark.parametrize("index", CODES)
def test_order_of_splitting(index):
    """A permutation, fixed by the code, heaviest checks first, and every part of it spread over the rows."""
    code = load_code(index)
    order = code.split_order
    np.testing.assert_array_equal(np.sort(order), np.arange(code.rows))
    assert np.all(np.diff(code.row_degrees()[order]) <= 0)
    np.testing.assert_array_equal(order, load_code.__wrapped__(index).split_order)


def test_order_of_splitting_is_even():
    code = load_code(30)
    largest = Counter(code.row_degrees().tolist()).most_common(1)[0][0]
    order = code.split_order[code.row_degrees()[code.split_order] == largest]
    count = order.size // 4
    # golden-section points fill an interval evenly: quarters differ by a few points
    ranks = np.searchsorted(np.sort(order), order[:count])
    quarters = np.histogram(ranks, bins=4, range=(0, order.size))[0]
    np.testing.assert_allclose(quarters, count / 4, atol=0.35 * count / 4 + 3)


@pytest.mark.parametrize(
    ("bits", "complaint"),
    [
        (np.zeros((1, 99), np.uint8), "allowed is uint8"),
        (np.zeros((1, PACKET_BITS), bool), "allowed is uint8"),
        (np.full((1, PACKET_BITS), 2, np.uint8), "values above 1"),
    ],
)
def test_bad_bits(bits, complaint):
    with pytest.raises(InputError, match=complaint):
        load_code(3).syndrome(bits)


@pytest.mark.parametrize("index", [-1, 49])
def test_unknown_code(index):
    with pytest.raises(InputError, match="allowed are 0 to 48"):
        load_code(index)


def test_tables_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        load_code(0).column[0] = 1
