"""Random bytes for secrets and names: from the operating system, nowhere else."""

from __future__ import annotations

import secrets

__all__ = ["fresh_bytes"]


def fresh_bytes(count: int) -> bytes:
    """``count`` bytes that nobody can predict.

    Examples
    --------
    >>> len(fresh_bytes(8))
    8
    """
    return secrets.token_bytes(count)
