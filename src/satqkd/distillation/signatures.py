"""Signing identities for the first contact of two parties that share no secret yet.

Signatures are computationally secure: enough for authentication if nobody can forge them *now*, since what QKD makes
from there stays secret even if the scheme is broken later. Ed25519 falls to a quantum computer, ML-DSA is made not to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from satqkd.distillation.private_files import read_private, wipe, write_private
from satqkd.errors import InputError, SatqkdError

__all__ = ["ALGORITHMS", "AuthenticationError", "SigningIdentity", "verify"]

ALGORITHMS: Mapping[str, tuple[int, int]] = MappingProxyType({"ed25519": (1, 32), "ml-dsa-65": (2, 1952)})
"""Signature schemes: number in files, and bytes of a public key."""


class AuthenticationError(SatqkdError):
    """A message is not from whom it should be, or was changed on its way."""


def _classes(algorithm: str) -> tuple[Any, Any]:
    """Private and public key classes of a scheme."""
    if algorithm == "ed25519":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

        return Ed25519PrivateKey, Ed25519PublicKey
    if algorithm == "ml-dsa-65":
        try:
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
        except ImportError:
            raise InputError("algorithm = 'ml-dsa-65': needs a newer release of the package cryptography") from None

        return MLDSA65PrivateKey, MLDSA65PublicKey
    raise InputError(f"algorithm = {algorithm!r}: must be one of {', '.join(ALGORITHMS)}")


def _algorithm(number: int, where: str) -> str:
    """Name of the scheme with this number."""
    for name, (known, _) in ALGORITHMS.items():
        if known == number:
            return name
    raise InputError(f"{where}: not a signature key of this package")


@dataclass(frozen=True, slots=True, repr=False)
class SigningIdentity:
    """A private signing key and its public half.

    Attributes
    ----------
    algorithm : {"ed25519", "ml-dsa-65"}
        Scheme of :data:`ALGORITHMS`.
    """

    algorithm: str
    _key: Any

    @classmethod
    def generate(cls, algorithm: str = "ed25519") -> SigningIdentity:
        """New identity of a scheme of :data:`ALGORITHMS`."""
        return cls(algorithm, _classes(algorithm)[0].generate())

    @classmethod
    def load(cls, path: str | Path) -> SigningIdentity:
        """Identity from a file of :meth:`save`, which nobody else may read."""
        data = read_private(path)
        try:
            algorithm = _algorithm(data[0] if data else 0, str(path))
            private = _classes(algorithm)[0]
            load = getattr(private, "from_private_bytes", None) or private.from_seed_bytes
            return cls(algorithm, load(bytes(data[1:])))
        except InputError:  # says itself what is wrong, such as a scheme that this installation lacks
            raise
        except ValueError:
            raise InputError(f"{path}: not a signature key of this package") from None
        finally:
            wipe(data)

    def save(self, path: str | Path) -> None:
        """Write the private key to ``path``, mode 600."""
        raw = bytearray(self._key.private_bytes_raw())
        write_private(path, bytearray([ALGORITHMS[self.algorithm][0]]) + raw)
        wipe(raw)

    @property
    def public_bytes(self) -> bytes:
        """Public key, its scheme included, to be given to the other side by a way that nobody can change."""
        return bytes([ALGORITHMS[self.algorithm][0]]) + bytes(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Signature of ``message``."""
        return bytes(self._key.sign(message))


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature.

    Parameters
    ----------
    public : bytes
        :attr:`SigningIdentity.public_bytes` of the signer.
    message, signature : bytes
        What was signed, and the signature.

    Raises
    ------
    AuthenticationError
        If the signature does not fit.
    InputError
        If the public key is none.
    """
    from cryptography.exceptions import InvalidSignature

    algorithm = _algorithm(public[0] if public else 0, "public key")
    if len(public) != ALGORITHMS[algorithm][1] + 1:
        raise InputError(f"public key: has {len(public)} bytes, must have {ALGORITHMS[algorithm][1] + 1}")
    try:
        key = _classes(algorithm)[1].from_public_bytes(public[1:])
        key.verify(signature, message)
    except InvalidSignature:
        raise AuthenticationError("the signature does not fit: forged, changed, or signed by another key") from None
