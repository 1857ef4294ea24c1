"""Shipped quasi-cyclic parity-check codes for packets of 100,000 bits, and their syndromes.

Every code is a table of circulants, made by ``tools/design_ldpc.py``. A row of circulants has two halves with parities
of their own: the syndrome holds the parity of whole rows, and revealing the parity of one half splits a check in two
without wasting anything that is known already (docs/reconciliation.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PACKET_BITS = 100_000
"""Sifted bits of a packet."""

CIRCULANT = 50
"""Bits of a circulant, the unit in which parities are revealed."""

Bits = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LdpcCode:
    """A parity-check code; ``row_start``, ``row_middle``: first edges of rows and of their second halves."""

    name: str
    columns: int
    circulant: int
    row_start: NDArray[np.int32]
    row_middle: NDArray[np.int32]
    column: NDArray[np.int32]
    shift: NDArray[np.int32]
    split_order: NDArray[np.int32]

    @property
    def rows(self) -> int:
        """Rows of circulants."""
        return self.row_middle.size

    @property
    def bits(self) -> int:
        """Bits of a packet."""
        return self.columns * self.circulant

    @property
    def checks(self) -> int:
        """Bits of the syndrome."""
        return self.rows * self.circulant

    def column_degrees(self) -> NDArray[np.int64]:
        """Ones per column of circulants."""
        return np.bincount(self.column, minlength=self.columns)

    def row_degrees(self) -> NDArray[np.int64]:
        """Ones per row of circulants."""
        return np.diff(self.row_start).astype(np.int64)

    @cached_property
    def turns(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Layout in which the bits of a row of circulants are neighbours; for the decoder.

        Returns
        -------
        tuple of ndarray of int32
            By how much every edge's circulant is turned since its column's edge before (for the first: since the
            last); where every bit is between two sweeps: each column is kept twice, one copy after the other, from the
            bit on that its last row begins with.
        """
        by_column = np.argsort(self.column, kind="stable")
        last = np.cumsum(self.column_degrees()) - 1
        first = np.concatenate([[0], last[:-1] + 1])
        shift = self.shift[by_column]
        before = np.roll(shift, 1)
        before[first] = shift[last]
        turn = np.empty_like(shift)
        turn[by_column] = (shift - before) % self.circulant
        here = (np.arange(self.circulant) - shift[last][:, None]) % self.circulant
        place = (here + 2 * self.circulant * np.arange(self.columns)[:, None]).ravel().astype(np.int32)
        turn.flags.writeable = place.flags.writeable = False
        return turn, place

    def half_parities(self, bits: ArrayLike) -> Bits:
        """Parities of both halves of every row: (packets, 2, rows, circulant) of ``bits`` (packets, n)."""
        from satqkd.distillation._ldpc_kernels import half_parities

        bits = checked_bits(bits, self.bits)
        out = np.zeros((bits.shape[0], 2, self.rows, self.circulant), np.uint8)
        half_parities(bits, self.row_start, self.row_middle, self.column, self.shift, self.circulant, out)
        return out

    def syndrome(self, bits: ArrayLike) -> Bits:
        """Syndromes (packets, checks) of ``bits`` (packets, n)."""
        halves = self.half_parities(bits)
        return (halves[:, 0] ^ halves[:, 1]).reshape(halves.shape[0], self.checks)

    def matrix(self, *, split: int = 0) -> csr_array:
        """Parity-check matrix; the first ``split`` rows of the order are two, with their second halves at the end."""
        from scipy.sparse import csr_array

        is_split = np.zeros(self.rows, bool)
        is_split[self.split_order[:split]] = True
        extra = np.full(self.rows, -1)
        extra[self.split_order[:split]] = self.rows + np.arange(split)
        row = np.repeat(np.arange(self.rows), np.diff(self.row_start))
        second = np.arange(self.column.size) >= self.row_middle[row]
        row = np.where(second & is_split[row], extra[row], row)
        place = np.arange(self.circulant)
        i = (row[:, None] * self.circulant + place).ravel()
        j = (self.column[:, None] * self.circulant + (self.shift[:, None] + place) % self.circulant).ravel()
        shape = ((self.rows + split) * self.circulant, self.bits)
        return csr_array((np.ones(i.size, np.uint8), (i, j)), shape=shape)


def checked_bits(bits: ArrayLike, length: int) -> Bits:
    """Bits as a contiguous uint8 array (packets, length), or InputError."""
    array = np.ascontiguousarray(bits)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != length:
        raise InputError(f"bits: {array.dtype} array of shape {array.shape}; allowed is uint8 (packets, {length})")
    if array.size and array.max() > 1:
        raise InputError("bits: values above 1; allowed are 0 and 1")
    return array


def make_code(name: str, table: dict[str, NDArray[np.int64]], *, columns: int, circulant: int) -> LdpcCode:
    """Code from its table of edges; the order of splitting is fixed by it.

    Parameters
    ----------
    name : str
        Any.
    table : dict
        ``row_start``, ``row_middle``, ``column``, ``shift``.
    columns, circulant : int
        Columns of circulants and their size.

    Returns
    -------
    LdpcCode
        With its arrays read-only.
    """
    arrays = {key: np.ascontiguousarray(table[key], np.int32) for key in ("row_start", "row_middle", "column", "shift")}
    degrees = np.diff(arrays["row_start"])
    # heaviest checks first, otherwise evenly over the rows: multiples of the golden section of their number
    spread = np.argsort(np.modf(np.arange(degrees.size) * 0.5 * (np.sqrt(5.0) - 1.0))[0], kind="stable")
    order = spread[np.argsort(-degrees[spread], kind="stable")].astype(np.int32)
    for array in (*arrays.values(), order):
        array.flags.writeable = False
    return LdpcCode(name=name, columns=columns, circulant=circulant, split_order=order, **arrays)


@cache
def _tables() -> dict[str, NDArray[np.int64]]:
    path = resources.files("satqkd.distillation") / "data" / "ldpc_codes.npz"
    with path.open("rb") as file, np.load(file) as tables:
        return dict(tables)


@cache
def code_rows() -> tuple[int, ...]:
    """Rows of circulants of every shipped code, ascending; code k of a message is entry k."""
    return tuple(int(rows) for rows in _tables()["rows"])


@cache
def load_code(index: int) -> LdpcCode:
    """Shipped code by its index, ascending in the number of checks.

    Parameters
    ----------
    index : int
        0 to ``len(code_rows()) - 1``.

    Returns
    -------
    LdpcCode
        For packets of 100,000 bits.

    Raises
    ------
    InputError
        If there is no such code.
    """
    rows = code_rows()
    if not 0 <= index < len(rows):
        raise InputError(f"code: {index}; allowed are 0 to {len(rows) - 1}")
    tables = _tables()
    table = {key: tables[f"{key}_{index}"] for key in ("row_start", "row_middle", "column", "shift")}
    return make_code(f"qc{rows[index]:04d}", table, columns=PACKET_BITS // CIRCULANT, circulant=CIRCULANT)
