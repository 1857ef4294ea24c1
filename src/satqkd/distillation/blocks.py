"""Key length of a block that was distilled: what was really counted, revealed and spent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from satqkd.distillation.settings import Settings

if TYPE_CHECKING:
    from satqkd.detection.weak_pulse import SiftedCounts
    from satqkd.security.result import KeyLength

__all__ = [
    "CHECKSUM_BITS",
    "PAD_BYTES",
    "SEALS_PER_BLOCK",
    "SEALS_PER_SESSION",
    "BlockKey",
    "block_key",
    "none_kept",
]

CHECKSUM_BITS: Final = 32
"""The integrity check of the finished key is sent in clear. [bit]"""

SEALS_PER_BLOCK: Final = 4
"""One-time values that a block's key gives back to the pool, 16 bytes each: its own three tags and a spare one."""

SEALS_PER_SESSION: Final = 4
"""The same for the beginning and the end of a session."""

PAD_BYTES: Final = 16
"""One one-time value. [byte]"""


_GRAIN: Final = 32  # the pool takes as much for one direction as for the other


@dataclass(frozen=True)
class BlockKey:
    """How the key of a block comes about; every number of bits is an integer.

    Attributes
    ----------
    key_bytes : int
        Key that is handed out. [byte]
    refill_bytes : int
        Key that goes back to the pool of one-time values. [byte]
    secret_bits : float
        Secret bits before anything is revealed, of both bases.
    correction_bits, verification_bits, checksum_bits, authentication_bits, amplification_bits : float
        What is subtracted from them: error correction and acknowledgements, tags, check of the key, refill of the pool,
        price of the amplification's failure probability.
    rounding_bits : float
        Cut off to have whole bytes.
    reason : str or None
        Why there is no key.
    analysis : KeyLength
        Bounds, counts and budget.
    """

    key_bytes: int
    refill_bytes: int
    secret_bits: float
    correction_bits: float
    verification_bits: float
    checksum_bits: float
    authentication_bits: float
    amplification_bits: float
    rounding_bits: float
    reason: str | None
    analysis: KeyLength

    def to_dict(self) -> dict[str, Any]:
        """Plain values for records and reports."""
        names = ("key_bytes", "refill_bytes", "secret_bits", "correction_bits", "verification_bits", "checksum_bits",
                 "authentication_bits", "amplification_bits", "rounding_bits", "reason")  # fmt: skip
        a = self.analysis
        return {name: getattr(self, name) for name in names} | {
            "sifted_bits": a.sifted_bits,
            "qber": a.qber,
            "phase_error_upper": a.phase_error_upper,
            "n1_key_lower": a.n1_key_lower,
            "n_z": list(a.n_key), "m_z": list(a.m_key), "n_x": list(a.n_test), "m_x": list(a.m_test),
            "epsilon": dict(a.epsilon.terms),
            "eps_total": a.epsilon.total,
            "citations": list(a.citations),
        }  # fmt: skip


def block_key(
    counts: SiftedCounts,
    *,
    revealed_bits: Sequence[float],
    tags: int,
    tag_bits: int,
    refill: int,
    transcript_bytes: int,
    settings: Settings,
    source: Mapping[str, Any],
) -> BlockKey:
    r"""Length of the key of a block.

    Parameters
    ----------
    counts : SiftedCounts
        Detections and errors of the packets that are kept.
    revealed_bits : sequence of float
        Bits that the correction revealed of each basis, acknowledgements included. [bit]
    tags, tag_bits : int
        Verification tags, and the length of one. [1], [bit]
    refill : int
        Key that is owed to the pool; half of the key at most is given to it. [byte]
    transcript_bytes : int
        All that was said about the block, which its tags cover. [byte]
    settings : Settings
        Mode, bound and security parameters.
    source : mapping
        ``intensities`` and ``intensity_probabilities``.

    Returns
    -------
    BlockKey
        In whole bytes.

    Notes
    -----
    One hash makes one key of both bases, so the secret bits of both are added, also where one of them alone would not
    pay for its share of the correction: :math:`\ell = \sum_b s_{1,b}(1-h(e_{1,b})) - L_{ec} - L_{tags} - L_{crc} -
    L_{auth} - 2\log_2\frac{1}{2\varepsilon_{PA}}`. The analysis' own model of tags is replaced by those in use. Its
    term for authentication is an upper bound: for each basis two tags over the whole transcript (there are three, two
    of them over less than all of it).
    """
    from satqkd.security import three_intensity

    packet_bits = max(1, math.ceil(max(counts.n_key[0], counts.n_test[0])))  # one model packet for each basis
    analysis = three_intensity.key_length(
        counts,
        intensities=source["intensities"],
        intensity_probabilities=source["intensity_probabilities"],
        mode=settings.mode,
        bound=settings.bound,
        eps_secrecy=settings.eps_secrecy,
        eps_correctness=settings.eps_correctness,
        leak_ec_bits=revealed_bits,
        packet_bits=packet_bits,
        tags_per_packet=2,
        message_bytes=transcript_bytes,
    )
    found = analysis.intermediate
    per_basis = {
        name: [_number(found[f"{name}_{basis}"]) for basis in ("z", "x")] for name in ("key_bits_raw", "constant_bits")
    }
    correction = math.fsum(revealed_bits)
    secret = math.fsum([*per_basis["key_bits_raw"], *per_basis["constant_bits"], correction])
    amplification = 0.0
    if settings.mode == "composable" and settings.bound != "asymptotic":
        amplification = 2.0 * math.log2(0.5 / analysis.epsilon.terms["privacy amplification of 2 keys"])
    verification = float(tags * tag_bits)
    rest = secret - correction - verification - CHECKSUM_BITS - amplification
    whole_bytes = max(0, math.floor(rest / 8.0))
    given = min(refill, whole_bytes // 2) // _GRAIN * _GRAIN
    key_bytes = whole_bytes - given
    reason = None
    if key_bytes == 0:
        reason = analysis.reason or (
            f"TOO_FEW_COUNTS: {secret:,.0f} secret bits of both bases together, of which the error correction revealed "
            f"{correction:,.0f}; tags and fixed costs take {secret - correction - rest:,.0f}"
        )
    return BlockKey(
        key_bytes=key_bytes,
        refill_bytes=given,
        secret_bits=secret,
        correction_bits=correction,
        verification_bits=verification,
        checksum_bits=float(CHECKSUM_BITS),
        authentication_bits=8.0 * given,
        amplification_bits=amplification,
        rounding_bits=rest - 8.0 * whole_bytes if key_bytes else 0.0,
        reason=reason,
        analysis=analysis,
    )


def none_kept(packets: Sequence[Mapping[str, Any]]) -> str:
    """Why a block has no key when none of its packets, given as told of them, stayed in it."""
    ended = Counter(packet["status"] for packet in packets)
    how = ", ".join(f"{count} {status}" for status, count in ended.items())
    qber = math.fsum(packet["qber"] for packet in packets) / len(packets)
    return f"NO_PACKET_KEPT: no packet of the block could be kept ({how}; mean QBER {100.0 * qber:.2g} %)"


def _number(value: float | tuple[float, ...]) -> float:
    assert not isinstance(value, tuple)
    return float(value)
