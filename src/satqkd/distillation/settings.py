"""What both ends of a session must agree on, and why a session ends without a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from satqkd.errors import InputError, SatqkdError

__all__ = ["REASONS", "SessionError", "Settings"]

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AUTHENTICATION": "a message was changed on the way, or is not from the other end",
        "SECRET": "the two ends do not hold the same secret, or the first message was changed on the way",
        "SETTINGS": "the two ends are set differently",
        "PASS": "the records are of different passes",
        "CLOCK": "the ground's clock could not be tied to the satellite's",
        "EMPTY": "no detection lies within the gates",
        "POOL_EXHAUSTED": "no one-time value is left to authenticate messages",
        "INTEGRITY": "the two ends computed different keys",
        "SILENT": "nothing was heard from the other end",
        "PEER": "the other end gave the session up",
    }
)
"""Code words of a session that was given up, and what they mean."""

_POSITIVE: Final = ("packet_bits", "packets_per_block", "announce", "ahead")


class SessionError(SatqkdError):
    """The session cannot go on.

    Parameters
    ----------
    code : str
        One of :data:`REASONS`.
    detail : str
        What happened.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


@dataclass(frozen=True)
class Settings:
    """Settings of a session, the same at both ends.

    Attributes
    ----------
    packet_bits : int
        Sifted bits that are corrected together. [bit]
    packets_per_block : int
        Packets that are amplified together, 1 to 9.
    sample_share : float
        Share of the signals that is disclosed to estimate the error rate (Li et al.: 0.1); 0: the syndrome does. [1]
    qber_threshold : float
        Packets above this error rate leave the block. [1]
    mode, bound : str
        Of :func:`satqkd.security.three_intensity.key_length`.
    eps_secrecy, eps_correctness : float
        Security parameters of the key of a block. [1]
    disclosure : str
        Which bits are disclosed when a packet is not corrected at once.
    announce : int
        Detections in one message.
    ahead : int
        Such messages on their way at a time.
    """

    packet_bits: int = 100_000
    packets_per_block: int = 5
    sample_share: float = 0.0
    qber_threshold: float = 0.08
    mode: str = "composable"
    bound: str = "chernoff-implicit"
    eps_secrecy: float = 1e-9
    eps_correctness: float = 1e-15
    disclosure: str = "public"
    announce: int = 20_000
    ahead: int = 6

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)}: must be at least 1")
        if self.packets_per_block > 9:
            raise InputError(f"packets_per_block = {self.packets_per_block}: must be 1 to 9")
        if not 0.0 <= self.sample_share < 1.0:
            raise InputError(f"sample_share = {self.sample_share!r}: must be at least 0 and below 1")
        if not 0.0 < self.qber_threshold < 0.5:
            raise InputError(f"qber_threshold = {self.qber_threshold!r}: must be between 0 and 0.5")

    def to_dict(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)

    def difference(self, other: object) -> str | None:
        """First entry in which another end's :meth:`to_dict` differs; None if it does not."""
        if not isinstance(other, dict):
            return "settings are missing"
        own = self.to_dict()
        for name in sorted({*own, *map(str, other)}):
            if own.get(name) != other.get(name):
                return f"{name} is {own.get(name)!r} here and {other.get(name)!r} there"
        return None
