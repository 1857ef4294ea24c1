"""Tags: Poly1305 against its arithmetic, its bound against counting, and every way to misuse them."""

import math
import sys

import numpy as np
import pytest

from satqkd.distillation.authentication import (
    AuthenticationError,
    PadAuthenticator,
    SignatureAuthenticator,
    forgery_probability,
)
from satqkd.distillation.key_pool import KeyPool, PoolExhaustedError
from satqkd.distillation.signatures import ALGORITHMS, SigningIdentity, verify
from satqkd.errors import InputError

SECRET = np.random.default_rng(11).bytes(320)
CONTEXT = b"session 7/block"


def poly1305(key: bytes, message: bytes) -> bytes:
    """The definition: a polynomial in r modulo 2^130 - 5, plus s modulo 2^128."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for start in range(0, len(message), 16):
        total = (total + int.from_bytes(message[start : start + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


@pytest.fixture
def pools(tmp_path):
    with KeyPool.create(tmp_path / "a", SECRET) as one, KeyPool.create(tmp_path / "b", SECRET) as other:
        yield one, other


@pytest.fixture
def pair(pools):
    return PadAuthenticator(pools[0], "satellite"), PadAuthenticator(pools[1], "ground")


@pytest.fixture(params=["pads", *ALGORITHMS])
def any_pair(request, pools):
    if request.param == "pads":
        return PadAuthenticator(pools[0], "satellite"), PadAuthenticator(pools[1], "ground")
    one, other = (SigningIdentity.generate(request.param) for _ in range(2))
    return (
        SignatureAuthenticator(one, other.public_bytes, "satellite"),
        SignatureAuthenticator(other, one.public_bytes, "ground"),
    )


def test_tag_is_poly1305_with_a_fresh_value(pair):
    satellite, _ = pair
    r, pads = SECRET[:16], [SECRET[16:32], SECRET[32:48]]
    for number, pad in enumerate(pads):
        blob = satellite.seal(b"syndrome", context=CONTEXT)
        bound = len(CONTEXT).to_bytes(4, "big") + b"\x00" + CONTEXT + b"syndrome"
        assert blob == number.to_bytes(8, "big") + poly1305(r + pad, bound)


def test_genuine_messages_pass_in_both_directions(any_pair):
    satellite, ground = any_pair
    blob = satellite.seal(b"down", context=CONTEXT)
    ground.check(b"down", blob, context=CONTEXT)
    ground.check(b"down", blob, context=CONTEXT)  # a repeat
    ground.retire(blob)
    answer = ground.seal(b"up", context=CONTEXT)
    satellite.check(b"up", answer, context=CONTEXT)


def test_any_changed_byte_is_found(any_pair):
    satellite, ground = any_pair
    message = bytes(range(40))
    blob = satellite.seal(message, context=CONTEXT)
    for position in range(len(message)):
        changed = bytearray(message)
        changed[position] ^= 0x10
        with pytest.raises(AuthenticationError):
            ground.check(bytes(changed), blob, context=CONTEXT)
    for position in [*range(min(len(blob), 24)), len(blob) - 1]:
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(AuthenticationError):
            ground.check(message, bytes(changed), context=CONTEXT)
    for wrong in (message[:-1], message + b"\x00", b""):
        with pytest.raises(AuthenticationError):
            ground.check(wrong, blob, context=CONTEXT)
    with pytest.raises(AuthenticationError):
        ground.check(message, blob, context=b"session 8/block")
    with pytest.raises(AuthenticationError):
        ground.check(message, blob[:-1], context=CONTEXT)
    ground.check(message, blob, context=CONTEXT)


def test_a_message_sent_back_is_not_the_other_sides(any_pair):
    satellite, ground = any_pair
    blob = satellite.seal(b"mirror", context=CONTEXT)
    with pytest.raises(AuthenticationError):
        satellite.check(b"mirror", blob, context=CONTEXT)
    ground.check(b"mirror", blob, context=CONTEXT)


def test_what_was_retired_does_not_pass(pair):
    satellite, ground = pair
    first, second = (satellite.seal(text, context=CONTEXT) for text in (b"1", b"2"))
    ground.check(b"2", second, context=CONTEXT)
    ground.retire(second)
    with pytest.raises(AuthenticationError):
        ground.check(b"1", first, context=CONTEXT)


def test_wrong_secret(pools, tmp_path):
    with KeyPool.create(tmp_path / "c", bytes(320)) as stranger:
        blob = PadAuthenticator(pools[0], "satellite").seal(b"x", context=CONTEXT)
        with pytest.raises(AuthenticationError, match="another secret"):
            PadAuthenticator(stranger, "ground").check(b"x", blob, context=CONTEXT)


def test_pool_runs_dry(pair):
    satellite, _ = pair
    for _ in range(9):
        satellite.seal(b"again", context=CONTEXT)
    with pytest.raises(PoolExhaustedError):
        satellite.seal(b"again", context=CONTEXT)
    assert (satellite.tags, satellite.bits_spent) == (9, 9 * 128)


def test_epsilon_adds_up_over_different_messages(pair):
    satellite, ground = pair
    for length in (0, 100, 5000):
        message = bytes(length)
        blob = satellite.seal(message, context=b"")
        ground.check(message, blob, context=b"")
        ground.check(message, blob, context=b"")
    expected = sum(8 * math.ceil((length + 5) / 16) for length in (0, 100, 5000)) / 2**106
    assert ground.epsilon == pytest.approx(expected, rel=1e-12)
    assert satellite.epsilon == pytest.approx(expected, rel=1e-12)
    assert ground.tags == 3


def test_bound_of_forgery():
    assert math.log2(forgery_probability(62_500)) == pytest.approx(math.log2(8 * 3907) - 106, rel=1e-12)
    assert forgery_probability(0) == forgery_probability(16)
    assert forgery_probability(17) == 2 * forgery_probability(16)
    assert forgery_probability(10**40) == 1.0


def test_differential_probability_counted():
    """Poly1305's structure with a toy prime: for two messages, no tag difference has more than L of the p keys."""
    prime, modulus = 1009, 64
    first, second = [3, 900, 41], [77, 5, 500]
    differences = np.zeros(modulus, dtype=int)
    for r in range(prime):
        a = b = 0
        for x, y in zip(first, second, strict=True):
            a, b = (a + x) * r % prime, (b + y) * r % prime
        differences[(a - b) % modulus] += 1
    # a - b takes each residue at no more than 3 keys, and 2 p / 64 + 2 residues fall on one difference modulo 64
    assert differences.max() <= 3 * (2 * prime // modulus + 2)
    assert differences.sum() == prime


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_identities_are_kept(algorithm, tmp_path):
    identity = SigningIdentity.generate(algorithm)
    identity.save(tmp_path / "identity")
    again = SigningIdentity.load(tmp_path / "identity")
    assert again.public_bytes == identity.public_bytes
    verify(identity.public_bytes, b"hello", again.sign(b"hello"))
    assert "_key" not in repr(identity) or "object at" in repr(identity)
    (tmp_path / "identity").chmod(0o640)
    with pytest.raises(InputError, match="must be 600"):
        SigningIdentity.load(tmp_path / "identity")


def test_an_identity_that_the_installation_cannot_use_says_why(tmp_path, monkeypatch):
    SigningIdentity.generate("ml-dsa-65").save(tmp_path / "identity")
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)
    with pytest.raises(InputError, match="needs a newer release of the package cryptography"):
        SigningIdentity.load(tmp_path / "identity")


def test_misuse(tmp_path, pools):
    with pytest.raises(InputError, match="ed25519, ml-dsa-65"):
        SigningIdentity.generate("rsa")
    for content in (b"", b"\x09" + bytes(32), b"\x01" + bytes(31)):
        (tmp_path / "bad").write_bytes(content)
        (tmp_path / "bad").chmod(0o600)
        with pytest.raises(InputError, match="not a signature key"):
            SigningIdentity.load(tmp_path / "bad")
    with pytest.raises(InputError, match="no such file"):
        SigningIdentity.load(tmp_path / "none")
    with pytest.raises(InputError, match="has 31 bytes, must have 33"):
        verify(b"\x01" + bytes(30), b"m", bytes(64))
    with pytest.raises(InputError, match="satellite, ground"):
        PadAuthenticator(pools[0], "moon")
    with pytest.raises(InputError, match="at least 0"):
        forgery_probability(-1)
