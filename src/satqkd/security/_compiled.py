"""Compilation by Numba, cached on disk; import this module inside functions or in compiled modules only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit, types

__all__ = ["FLOAT", "FOUR", "FUNCTION", "INT", "MATRIX", "SIX", "THREE", "TWO", "VECTOR", "VOID", "compiled", "helper"]

Function = TypeVar("Function", bound=Callable[..., Any])

FLOAT: Any = types.float64
INT: Any = types.int64
VOID: Any = types.void
VECTOR: Any = types.float64[::1]
MATRIX: Any = types.float64[:, ::1]
TWO: Any = types.UniTuple(types.float64, 2)  # type: ignore[no-untyped-call]
FOUR: Any = types.UniTuple(types.float64, 4)  # type: ignore[no-untyped-call]
THREE: Any = types.UniTuple(types.float64, 3)  # type: ignore[no-untyped-call]
SIX: Any = types.UniTuple(types.float64, 6)  # type: ignore[no-untyped-call]
FUNCTION: Any = types.FunctionType(FLOAT(VECTOR, VECTOR))
"""An objective: called through its address, so that compiled code that takes one can be cached."""


def compiled(signature: Any, *, allocates: bool = True) -> Callable[[Function], Function]:
    """Compile for one signature, at import; division follows NumPy (no exception), threads run side by side.

    A function that makes no array says so: it then counts no references, which costs more than its arithmetic.
    """
    options: dict[str, Any] = {"cache": True, "error_model": "numpy", "nogil": True, "_nrt": allocates}
    made: Callable[[Function], Function] = njit(signature, **options)
    return made


def helper(signature: Any, *, reorder: bool = False) -> Callable[[Function], Function]:
    """Compile a function that makes no array and that only compiled ones call, so without an entry from Python.

    ``reorder`` allows sums in any order, which lets the processor add several terms at once.
    """
    options: dict[str, Any] = {
        "cache": True,
        "error_model": "numpy",
        "fastmath": {"reassoc", "contract", "nsz"} if reorder else False,
        "_nrt": False,
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
    }
    made: Callable[[Function], Function] = njit(signature, **options)
    return made
