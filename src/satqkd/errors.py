"""Errors and warnings that a user can cause, each one clear line.

Everything a user's input can make go wrong is an :class:`InputError`; the command line prints its text
without a traceback and ends with exit code 2. Anything else that is raised is a defect of the program.
"""

from __future__ import annotations

__all__ = ["ElementsAgeWarning", "InputError", "MissingExtraError", "SatqkdError", "SatqkdWarning"]


class SatqkdError(Exception):
    """Base of all errors raised on purpose by this package."""


class InputError(SatqkdError, ValueError):
    """Input that cannot be used: says what, where, and what is allowed."""


class MissingExtraError(SatqkdError, ImportError):
    """A feature needs an optional dependency that is not installed.

    Parameters
    ----------
    feature : str
        What the user asked for.
    extra : str
        Name of the extra that provides it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency: pip install 'satqkd[{extra}]'")


class SatqkdWarning(UserWarning):
    """Base of all warnings issued on purpose by this package."""


class ElementsAgeWarning(SatqkdWarning):
    """Orbital elements are used far from their epoch."""
