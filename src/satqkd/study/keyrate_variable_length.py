"""Tables of the variable-length analysis for :mod:`satqkd.study.keyrate`: points, counts, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from satqkd.detection.receivers import NOISE, RECEIVERS, ReceiverCounts
from satqkd.errors import InputError
from satqkd.security import variable_length
from satqkd.security.optimise import best
from satqkd.study.keyrate import Column, TableAnalysis
from satqkd.study.keyrate_slopes import SENSITIVITIES, margin_and_slopes

__all__ = ["VARIABLE_LENGTH"]

_LINK = (
    Column("transmittance", "whole system's transmittance, receiver and detector included", high=1.0),
    Column("loss_db", "the same as a loss [dB]; one of the two"),
    Column("misalignment", "fraction of the light that goes to the wrong detector", high=0.5),
    Column("noise", "what p_noise means; received-light if empty", "text", allowed=tuple(NOISE)),
    Column("p_noise", "noise-click probability of a detector per gate", high=0.999),
    Column("p_noise_z", "explicit value of the detectors of the key basis", high=0.999),
    Column("p_noise_x", "explicit value of the detectors of the test basis", high=0.999),
    Column("p_afterpulse", "afterpulse probability; 0 if empty", high=0.999),
)
_SETTING = (
    Column("intensities", "mean photon numbers of signal, decoy, weakest, descending", "numbers", size=3),
    Column("intensity_probabilities", "how often each is sent, adding up to 1", "numbers", high=1.0, size=3),
    Column("p_test_basis", "probability of the test basis (0.5 if symmetric passive and empty)", high=1.0),
    Column("split", "fraction of the light in the test arm (asymmetric passive)", high=1.0),
    Column("disclosure", "fraction of detections disclosed (symmetric passive)", high=1.0),
)
_OPTIONS = (
    Column("receiver", "receiver; active if empty", "text", allowed=tuple(RECEIVERS)),
    Column("p_dark", "dark-count probability per gate; 1e-10 if empty", high=0.499),
    Column("detector_efficiency", "detector efficiency; 0.95 if empty", low=1e-6, high=1.0),
    Column("f_ec", "error-correction inefficiency; 1.16 if empty", low=1.0, high=1000.0),
    Column("eps_total", "security parameter of the whole key; 1e-8 if empty", low=1e-100, high=0.1),
    Column("photon_cut", "largest photon number in the programs; 20 if empty", low=2.0, high=100.0),
    Column("program", "linear program; reduced if empty", "text", allowed=("reduced", "full")),
    Column("convention", "share of eps_total of two keys; composable if empty", "text",
           allowed=("composable", "published")),
)  # fmt: skip
_SETS = ("n_key", "n_test", "m_key", "m_test")
_MEANINGS = (
    "sifted detections per intensity in the key basis", "the same in the test basis", "errors among n_key",
    "errors among n_test",
)  # fmt: skip
_COUNTS = (
    *(Column(name, text, "numbers", size=3) for name, text in zip(_SETS, _MEANINGS, strict=True)),
    *(
        Column(f"{name}_second", f"second key of a symmetric passive receiver: {text}", "numbers", size=3)
        for name, text in zip(_SETS, _MEANINGS, strict=True)
    ),
    Column("multi_clicks", "multi-clicks of an asymmetric passive receiver"),
)
_OWN = {
    "active": ("p_test_basis",),
    "asymmetric-passive": ("p_test_basis", "split"),
    "symmetric-passive": ("disclosure",),
}
_LINK_NAMES = tuple(column.name for column in _LINK)
_SHARED = ("intensities", "intensity_probabilities")
_BOUNDS = (
    "sifted_bits", "qber", "n1_key_lower", "n1_test_lower", "m1_test_upper", "phase_error_upper", "leak_ec_bits",
)  # fmt: skip
_PREDICTED = ("predicted_key_bits", "predicted_sifted_bits", "predicted_qber")


def _check_header(names: Sequence[str], optimise: bool) -> None:
    """Raise InputError if columns are missing that every row needs."""
    has_counts = bool(set(_SETS) & set(names))
    has_link = bool(set(_LINK_NAMES) & set(names))
    missing = [] if "pulses" in names else ["pulses"]
    if has_counts:
        missing += [name for name in _SETS if name not in names]
    if has_link or not has_counts:
        if not {"transmittance", "loss_db"} & set(names):
            missing.append("transmittance (or loss_db)")
        if "misalignment" not in names:
            missing.append("misalignment")
        if not ({"p_noise"} & set(names) or {"p_noise_z", "p_noise_x"} <= set(names)):
            missing.append("p_noise")
    if has_counts or not optimise:
        missing += [name for name in _SHARED if name not in names]
    if missing:
        raise InputError(f"missing columns: {', '.join(missing)}")


def _observed(given: dict[str, Any], receiver: str) -> list[ReceiverCounts]:
    """Sets of counts of a row, taken out of it."""
    found = []
    for suffix in ("", "_second"):
        names = [f"{name}{suffix}" for name in _SETS]
        there = {name: given.pop(name) for name in names if name in given}
        if there and len(there) < len(names):
            raise InputError(f'column "{next(n for n in names if n not in there)}": is empty')
        if there:
            values = {name.removesuffix("_second"): value for name, value in there.items()}
            found.append(ReceiverCounts(**values, multi_clicks=0.0))
    multi = given.pop("multi_clicks", None)
    if receiver == "asymmetric-passive" and found:
        if multi is None:
            raise InputError('column "multi_clicks": is empty, an asymmetric passive receiver has them')
        found = [ReceiverCounts(one.n_key, one.n_test, one.m_key, one.m_test, multi_clicks=multi) for one in found]
    elif multi is not None:
        raise InputError('column "multi_clicks": only an asymmetric passive receiver has them; leave it empty')
    needed = 2 if receiver == "symmetric-passive" else 1
    if found and len(found) != needed:
        raise InputError(f"the row has {len(found)} sets of counts, a {receiver} receiver needs {needed}")
    return found


def _link_of(given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the link, taken out of the row."""
    link = {name: given.pop(name) for name in _LINK_NAMES if name in given}
    if not link:
        return link
    if ("loss_db" in link) == ("transmittance" in link):
        raise InputError('columns "transmittance" and "loss_db": exactly one of them must be filled in')
    if "loss_db" in link:
        link["transmittance"] = 10.0 ** (-link.pop("loss_db") / 10.0)
    if "misalignment" not in link:
        raise InputError('column "misalignment": is empty')
    return link


def _compute(values: Mapping[str, Any], optimise: bool) -> dict[str, Any]:
    """Results of a row."""
    given = dict(values)
    receiver = given.setdefault("receiver", "active")
    settings = (*_SHARED, *_OWN[receiver])
    if "pulses" not in given:
        raise InputError('column "pulses": is empty')
    if "photon_cut" in given:
        if given["photon_cut"] % 1.0:
            raise InputError(f'column "photon_cut": {given["photon_cut"]!r} must be a whole number')
        given["photon_cut"] = int(given["photon_cut"])
    counts, link = _observed(given, receiver), _link_of(given)
    setting = {name: given.pop(name) for name in settings if name in given}
    if not counts and not link:
        raise InputError("the row has neither a link nor counts")
    free = [name for name in settings if name not in setting]
    if free and (counts or not optimise):
        raise InputError(f'column "{free[0]}": is empty (with --optimise and without counts it is optimised)')
    if receiver == "symmetric-passive":
        given.setdefault("p_test_basis", 0.5)
    found: dict[str, Any] = {}
    if link:
        fixed = {**given, **link}
        if free:
            optimum = best("variable-length", fixed={**fixed, **setting})
            setting = dict(optimum.parameters)
            found |= {"evaluations": optimum.evaluations, "converged": optimum.converged}
            key = optimum.key
        else:
            key = variable_length.key_length(**fixed, **setting)
        found |= margin_and_slopes(
            lambda **changes: variable_length.key_length(**{**fixed, **changes}, **setting).key_bits_raw,
            fixed["transmittance"],
            ("misalignment", fixed["misalignment"]),
            ("p_noise", fixed["p_noise"]) if fixed.get("p_noise", 0.0) > fixed.get("p_dark", 1e-10) * 1.1 else None,
        )
    if counts and link:
        found |= dict(zip(_PREDICTED, (key.key_bits, key.sifted_bits, key.qber), strict=True))
    if counts:
        key = variable_length.key_length_from_counts(counts, **given, **setting)
    return found | {
        "key_bits": key.key_bits,
        "key_bits_raw": key.key_bits_raw,
        "reason": key.reason,
        "eps_total": key.epsilon.total,
        **{name: getattr(key, name) for name in _BOUNDS},
        **{f"used_{name}": value for name, value in setting.items()},
    }


VARIABLE_LENGTH = TableAnalysis(
    columns=(Column("pulses", "pulses sent in the block", low=1.0, high=1e15), *_LINK, *_SETTING, *_OPTIONS, *_COUNTS),
    results=(
        "key_bits", "key_bits_raw", "reason", "margin_db", *SENSITIVITIES, *_BOUNDS, "eps_total",
        *(f"used_{column.name}" for column in _SETTING), "evaluations", "converged", *_PREDICTED,
    ),
    check_header=_check_header,
    compute=_compute,
)  # fmt: skip
"""Decoy-state BB84 of three receivers with exact statistics and linear programs."""
