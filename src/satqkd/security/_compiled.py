"""Compilation by Numba, cached on disk; import this module inside functions or in compiled modules only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit, types

__all__ = ["FLOAT", "FUNCTION", "INT", "MATRIX", "THREE", "VECTOR", "VOID", "compiled"]

Function = TypeVar("Function", bound=Callable[..., Any])

FLOAT: Any = types.float64
INT: Any = types.int64
VOID: Any = types.void
VECTOR: Any = types.float64[::1]
MATRIX: Any = types.float64[:, ::1]
THREE: Any = types.UniTuple(types.float64, 3)  # type: ignore[no-untyped-call]
FUNCTION: Any = types.FunctionType(FLOAT(VECTOR, VECTOR))
"""An objective: called through its address, so that compiled code that takes one can be cached."""


def compiled(signature: Any) -> Callable[[Function], Function]:
    """Compile for one signature, at import; division follows NumPy (no exception), threads run side by side."""
    made: Callable[[Function], Function] = njit(signature, cache=True, error_model="numpy", nogil=True)
    return made
