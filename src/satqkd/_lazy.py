"""Submodules that are imported when they are first used, so that ``import satqkd`` stays quick."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["lazy"]


def lazy(
    package: str, *submodules: str, names: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Module-level ``__getattr__`` and ``__dir__`` for a package.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    *submodules : str
        Names of its submodules.
    names : mapping of str to str, optional
        Further names and the modules that define them.

    Returns
    -------
    tuple of callable
        ``__getattr__`` and ``__dir__``.
    """
    table = dict(names or {})

    def get(name: str) -> Any:
        if name in table:
            return getattr(importlib.import_module(table[name]), name)
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted([*submodules, *table])
