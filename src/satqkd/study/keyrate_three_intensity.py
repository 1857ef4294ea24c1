"""Tables of the analysis of Li et al. for :mod:`satqkd.study.keyrate`: blocks from counts, a size or a link."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from satqkd.detection import weak_pulse
from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import three_intensity
from satqkd.security._three_intensity import BASES, MODES
from satqkd.security.bounds import BOUNDS
from satqkd.security.leakage import LEAKAGE
from satqkd.security.margin import margin_db
from satqkd.security.result import KeyLength
from satqkd.security.tails import MOST_COUNTED
from satqkd.study.keyrate import Column, TableAnalysis
from satqkd.study.keyrate_link import (
    LINK,
    NEEDED,
    PREDICTED,
    SETTING,
    link_arguments,
    link_names,
)
from satqkd.study.keyrate_slopes import SENSITIVITIES, margin_and_slopes

__all__ = ["THREE_INTENSITY"]

_COUNTS = (
    Column("n_key", "sifted detections of signal, decoy, vacuum pulses in the Z basis", "numbers", size=3),
    Column("n_test", "the same in the X basis, which gives a key too", "numbers", size=3),
    Column("m_key", "errors among n_key", "numbers", size=3),
    Column("m_test", "errors among n_test", "numbers", size=3),
)
_BLOCK = (
    Column("block_bits", "sifted signal and decoy bits of the block, both bases", high=2.0**52),
    Column("block_qber", "error rate of the signals", high=1.0),
    Column("background_share", "share of background among the signals' detections; 0 if empty", high=1.0),
    Column("p_z", "share of the Z basis in the block; 0.5 if empty", high=1.0),
)
_OPTIONS = (
    Column("mode", "composable if empty", "text", allowed=tuple(MODES)),
    Column("bound", "concentration inequality; chernoff-implicit if empty", "text", allowed=tuple(BOUNDS)),
    Column("xi", "failure probability of each bound in paper mode; 1e-10 if empty", low=1e-100, high=0.1),
    Column("eps_secrecy", "secrecy parameter of both keys; 1e-9 if empty", low=1e-100, high=0.1),
    Column("eps_correctness", "correctness parameter; 1e-15 if empty", low=1e-100, high=0.1),
    Column("leakage", "error-correction model; achievable if empty", "text", allowed=tuple(LEAKAGE)),
    Column("f_ec", "error-correction inefficiency; 1.16 if empty", low=1.0, high=1000.0),
    Column("packet_bits", "sifted bits verified together; 100000 if empty", low=1.0),
    Column("tags_per_packet", "authentication tags per packet; 2 if empty"),
    Column("message_bytes", "longest authenticated message; 62500 if empty"),
)
_DISCLOSED = Column("leak_ec_bits", "bits disclosed in the Z and the X basis, instead of a model", "numbers", size=2)
_PASS = (
    Column("packets", "packets of a pass that is made of blocks like this one", high=1e9),
    Column("packets_per_block", "packets in a block; 5 if empty", low=1.0, high=9.0),
    Column("multiple_bits", "the key of each block is cut to a multiple of this; 1 if empty", low=1.0, high=1e6),
)
_BASIS_SHARE = Column("p_key_basis", "probability of Z with a link, both parties'; 0.5 if empty", high=1.0)

_FROM_COUNTS = tuple(column.name for column in _COUNTS)
_FROM_BLOCK = {"block_bits": "sifted_bits", "block_qber": "qber", "background_share": "background_share", "p_z": "p_z"}
_PER_BASIS = (
    "vacuum_yield", "single_yield", "n1_signal_lower", "n1_decoy_lower", "m1_decoy_upper", "phase_error_upper",
    "leak_ec_bits", "constant_bits", "key_bits_raw",
)  # fmt: skip
_BOTH = (
    "sifted_bits", "qber", "n1_key_lower", "n1_test_lower", "m1_test_upper", "phase_error_upper", "leak_ec_bits",
)  # fmt: skip
_DETAILS = ("eps_per_bound", *(f"{name}_{basis}" for basis in BASES for name in _PER_BASIS))


def _check_header(names: Sequence[str], optimise: bool) -> None:
    if optimise:
        raise InputError("three-intensity has no optimiser: leave out --optimise and give the settings in the table")
    missing: list[str] = []
    sources = 0
    if any(name in names for name in _FROM_COUNTS):
        sources += 1
        missing += [name for name in _FROM_COUNTS if name not in names]
    if any(name in names for name in _FROM_BLOCK):
        sources += 1
        missing += [name for name in ("block_bits", "block_qber") if name not in names]
    if link_names(names):
        sources += 1
        missing += [name for name in NEEDED if name not in names]
        if not {"transmittance", "loss_db"} & set(names):
            missing.append("transmittance (or loss_db)")
    if not sources:
        missing.append("n_key, n_test, m_key, m_test (or block_bits, block_qber, or a link)")
    missing += [column.name for column in SETTING if column.name not in names]
    if missing:
        raise InputError(f"missing columns: {', '.join(missing)}")


def _compute(values: Mapping[str, Any], optimise: bool) -> dict[str, Any]:
    del optimise  # refused with the header
    for column in SETTING:
        if column.name not in values:
            raise InputError(f'column "{column.name}": is empty')
    setting = {column.name: values[column.name] for column in SETTING}
    options = {column.name: values[column.name] for column in _OPTIONS if column.name in values}
    observed = _observed(values)
    block, link = any(name in values for name in _FROM_BLOCK), bool(link_names(values))
    if block and link:
        raise InputError("the row has a block and a link: only one of them can be the prediction")
    if not (observed or block or link):
        raise InputError("the row has neither counts nor a block nor a link")
    if _DISCLOSED.name in values and not observed:
        raise InputError(f'column "{_DISCLOSED.name}": only counts have disclosed bits')

    def key_of(counts: SiftedCounts, **more: Any) -> KeyLength:
        return three_intensity.key_length(counts, **setting, **options, **more)

    found: dict[str, Any] = {}
    counts, disclosed = SiftedCounts((), (), (), ()), None
    if block:
        counts = _of_block(values, setting)
    if link:
        counts_of, fixed = _of_link(values, setting)
        counts = counts_of()
        found |= margin_and_slopes(
            lambda **changes: key_of(counts_of(**changes)).key_bits_raw,
            fixed["transmittance"],
            ("qber_intrinsic", fixed["qber_intrinsic"]),
            ("p_extraneous", fixed["p_extraneous"]),
        )
    if observed:
        if block or link:
            predicted = key_of(counts)
            found |= dict(zip(PREDICTED, (predicted.key_bits, predicted.sifted_bits, predicted.qber), strict=True))
        counts, disclosed = SiftedCounts(**observed), values.get(_DISCLOSED.name)
    key = key_of(counts, leak_ec_bits=disclosed)
    return found | {
        "key_bits": key.key_bits,
        "pass_key_bits": _pass_key(key, values),
        "key_bits_raw": key.key_bits_raw,
        "reason": key.reason,
        "margin_counts_db": _margin_counts_db(key_of, counts, disclosed),
        "eps_total": key.epsilon.total,
        **{name: getattr(key, name) for name in _BOTH},
        **{name: key.intermediate[name] for name in _DETAILS},
    }


def _observed(values: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: values[name] for name in _FROM_COUNTS if name in values}
    if counts and len(counts) < len(_FROM_COUNTS):
        raise InputError(f'column "{next(n for n in _FROM_COUNTS if n not in counts)}": is empty')
    return counts


def _of_block(values: Mapping[str, Any], setting: Mapping[str, Any]) -> SiftedCounts:
    for name in ("block_bits", "block_qber"):
        if name not in values:
            raise InputError(f'column "{name}": is empty')
    given = {argument: values[name] for name, argument in _FROM_BLOCK.items() if name in values}
    return three_intensity.expected_counts(**given, **setting)


def _of_link(
    values: Mapping[str, Any], setting: Mapping[str, Any]
) -> tuple[Callable[..., SiftedCounts], dict[str, Any]]:
    fixed = link_arguments({column.name: values[column.name] for column in LINK if column.name in values})
    share = values.get(_BASIS_SHARE.name, 0.5)

    def counts(**changes: float) -> SiftedCounts:
        return weak_pulse.expected_counts(**{**fixed, **changes}, **setting, p_key_basis=share)

    return counts, fixed


def _pass_key(key: KeyLength, values: Mapping[str, Any]) -> int | None:
    given = {column.name: values[column.name] for column in _PASS if column.name in values}
    if not given:
        return None
    if "packets" not in given:
        raise InputError(f'column "packets": is empty, {" and ".join(given)} need it')
    return three_intensity.pass_key_bits(key, **given)


def _margin_counts_db(
    key_of: Callable[..., KeyLength], counts: SiftedCounts, disclosed: tuple[float, float] | None
) -> float:
    """How many times fewer counts at the same error rates still give a key, in dB; negative: as many more."""

    def raw(factor: float) -> float:
        leak = None if disclosed is None else tuple(factor * bits for bits in disclosed)
        return key_of(counts.scaled(factor), leak_ec_bits=leak).key_bits_raw

    largest = max(*counts.n_key, *counts.n_test)
    if not largest > 0.0:
        return -math.inf
    most = min(60.0, 10.0 * math.log10(MOST_COUNTED / largest))
    return margin_db(raw, max_gain_db=max(0.0, most), tolerance_db=0.01)


THREE_INTENSITY = TableAnalysis(
    columns=(*_COUNTS, *_BLOCK, *LINK, _BASIS_SHARE, *SETTING, *_OPTIONS, _DISCLOSED, *_PASS),
    results=(
        "key_bits", "pass_key_bits", "key_bits_raw", "reason", "margin_counts_db", "margin_db", *SENSITIVITIES, *_BOTH,
        "eps_total", *_DETAILS, *PREDICTED,
    ),
    check_header=_check_header,
    compute=_compute,
)  # fmt: skip
"""BB84 with signal, decoy and vacuum states and keys from both bases."""
