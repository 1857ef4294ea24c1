r"""Authentication of messages: information-theoretic tags from one-time values, or signatures for a first contact.

References
----------
.. [1] M. N. Wegman, J. L. Carter, J. Comput. Syst. Sci. 22, 265 (1981).
.. [2] D. J. Bernstein, "The Poly1305-AES message-authentication code", FSE 2005, LNCS 3557, 32 (2005), Theorem 3.3.
"""

from __future__ import annotations

import math
import struct

from satqkd.distillation.key_pool import DIRECTIONS, PAD_BYTES, KeyPool
from satqkd.distillation.signatures import AuthenticationError, SigningIdentity, verify
from satqkd.errors import InputError

__all__ = ["PAD_BITS", "AuthenticationError", "PadAuthenticator", "SignatureAuthenticator", "forgery_probability"]

PAD_BITS = 8 * PAD_BYTES
"""Key that one tag uses up. [bit]"""

_TAG_BYTES = 16


def forgery_probability(message_bytes: int) -> float:
    r"""Largest probability that a changed message passes as genuine, whatever the forger computes.

    Parameters
    ----------
    message_bytes : int
        Length of the longer message, at least 0. [byte]

    Returns
    -------
    float
        :math:`8\lceil L/16\rceil/2^{106}`, at most 1. [1]

    Raises
    ------
    InputError
        If the length is negative.

    References
    ----------
    .. [1] D. J. Bernstein, FSE 2005, Theorem 3.3.

    Examples
    --------
    >>> math.log2(forgery_probability(62_500)) < -91
    True
    """
    if message_bytes < 0:
        raise InputError(f"message_bytes = {message_bytes}: must be at least 0")
    return min(math.ldexp(8 * math.ceil(max(message_bytes, 1) / 16), -106), 1.0)


def _bound_message(message: bytes, context: bytes, direction: str) -> bytes:
    """Message with who says it, and where: a tag of one session, direction or label never fits another."""
    return struct.pack(">IB", len(context), DIRECTIONS.index(direction)) + context + message


def _other(side: str) -> str:
    """The other of :data:`DIRECTIONS`."""
    if side not in DIRECTIONS:
        raise InputError(f"side = {side!r}: must be one of {', '.join(DIRECTIONS)}")
    return DIRECTIONS[1 - DIRECTIONS.index(side)]


class PadAuthenticator:
    r"""Tags Poly1305(r || s): one kept key r for each direction, a fresh one-time s for each message.

    Parameters
    ----------
    pool : KeyPool
        Where the one-time values come from.
    side : {"satellite", "ground"}
        Which of the two parties this is.

    Notes
    -----
    :math:`\mathrm{tag} = \mathrm{Poly1305}_r(m) + s \bmod 2^{128}` with *s* used once hides everything about *r*, so
    *r* may be kept [1]_. Both come from the pool and are secret, uniform bits, so the bound of
    :func:`forgery_probability` holds against unlimited computing power.

    References
    ----------
    .. [1] M. N. Wegman, J. L. Carter, J. Comput. Syst. Sci. 22, 265 (1981), Section 4.
    """

    kind = "pads"

    def __init__(self, pool: KeyPool, side: str) -> None:
        self._pool = pool
        self._own, self._peer = side, _other(side)
        self._sealed: dict[int, float] = {}
        self._checked: dict[int, float] = {}

    @property
    def tags(self) -> int:
        """Messages sealed, and different messages checked."""
        return len(self._sealed) + len(self._checked)

    @property
    def bits_spent(self) -> int:
        """Key used up by them. [bit]"""
        return PAD_BITS * self.tags

    @property
    def epsilon(self) -> float:
        """Probability that any of them was forged: the sum of their :func:`forgery_probability`. [1]"""
        return math.fsum([*self._sealed.values(), *self._checked.values()])

    def _key(self, direction: str, pad: bytes) -> bytes:
        return self._pool.poly_key(direction) + pad

    def seal(self, message: bytes, *, context: bytes) -> bytes:
        """Tag for a message of this side, with a one-time value that is used up before this returns.

        Parameters
        ----------
        message : bytes
            What is said. To send it again, keep the tag: a second call uses up a second value.
        context : bytes
            Name of the session and of the kind of message.

        Returns
        -------
        bytes
            24 bytes: number of the one-time value, tag.

        Raises
        ------
        PoolExhaustedError
            If no one-time value is left.
        """
        from cryptography.hazmat.primitives.poly1305 import Poly1305

        number, pad = self._pool.take_pad(self._own)
        bound = _bound_message(message, context, self._own)
        self._sealed[number] = forgery_probability(len(bound))
        return struct.pack(">Q", number) + Poly1305.generate_tag(self._key(self._own, pad), bound)

    def check(self, message: bytes, blob: bytes, *, context: bytes) -> None:
        """Make sure that a message is the other side's.

        Parameters
        ----------
        message, blob : bytes
            What arrived, and the tag that came with it.
        context : bytes
            As given to :meth:`seal`.

        Raises
        ------
        AuthenticationError
            If not. One failure must end the session: each try has a chance.

        Notes
        -----
        Uses nothing up: a repeated message passes again until :meth:`retire`.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.poly1305 import Poly1305

        bound = _bound_message(message, context, self._peer)
        if len(blob) != 8 + _TAG_BYTES:
            raise AuthenticationError(f"the tag has {len(blob)} bytes, must have {8 + _TAG_BYTES}")
        number = self._number(blob)
        try:
            pad = self._pool.peek_pad(self._peer, number)
            Poly1305.verify_tag(self._key(self._peer, pad), bound, blob[8:])
        except (InputError, InvalidSignature):
            raise AuthenticationError("the tag does not fit: forged, changed, or made with another secret") from None
        self._checked[number] = forgery_probability(len(bound))

    def retire(self, blob: bytes) -> None:
        """Use up the value of a checked tag, and all before it; call when the message is safely dealt with."""
        self._pool.retire(self._peer, self._number(blob))

    @staticmethod
    def _number(blob: bytes) -> int:
        return int.from_bytes(blob[:8], "big")


class SignatureAuthenticator:
    """Signatures in place of one-time values, for a first contact without a shared secret.

    Parameters
    ----------
    own : SigningIdentity
        This side's private key.
    peer : bytes
        The other side's public key.
    side : {"satellite", "ground"}
        Which of the two parties this is.

    Notes
    -----
    Same surface as :class:`PadAuthenticator`. Security is computational: ``epsilon`` has no term for it, and reports
    say so by ``kind``. Repeats within a session are for the session to recognise.
    """

    kind = "signatures"
    bits_spent = 0
    epsilon = 0.0

    def __init__(self, own: SigningIdentity, peer: bytes, side: str) -> None:
        self._identity, self._public = own, bytes(peer)
        self._own, self._peer = side, _other(side)
        self.tags = 0

    def seal(self, message: bytes, *, context: bytes) -> bytes:
        """Signature of a message of this side; parameters as in :meth:`PadAuthenticator.seal`."""
        self.tags += 1
        return self._identity.sign(_bound_message(message, context, self._own))

    def check(self, message: bytes, blob: bytes, *, context: bytes) -> None:
        """Make sure that a message is the other side's; as :meth:`PadAuthenticator.check`."""
        verify(self._public, _bound_message(message, context, self._peer), blob)
        self.tags += 1

    def retire(self, blob: bytes) -> None:
        """Nothing is used up."""
