"""Tables of the analyses of Lim et al. 2014 for :mod:`satqkd.study.keyrate`: points, counts, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.errors import InputError
from satqkd.security import lim2014, lim2014_variants
from satqkd.security.bounds import BOUNDS
from satqkd.security.leakage import LEAKAGE
from satqkd.security.optimise import best
from satqkd.security.result import KeyLength
from satqkd.security.sampling import SAMPLING
from satqkd.study.keyrate import Column, TableAnalysis
from satqkd.study.keyrate_link import (
    COUNTS,
    LINK,
    NEEDED,
    PREDICTED,
    SETTING,
    link_arguments,
    link_names,
)
from satqkd.study.keyrate_slopes import SENSITIVITIES, margin_and_slopes

__all__ = ["LIM2014", "LIM2014_STANDARD"]

_OPTIONS = (
    Column("eps_correctness", "correctness parameter; 1e-15 if empty", low=1e-100, high=0.1),
    Column("eps_secrecy", "secrecy parameter; 1e-9 if empty", low=1e-100, high=0.1),
    Column("passes", "identical passes in one block; 1 if empty", low=1.0),
    Column("f_ec", "error-correction inefficiency; 1.16 if empty", low=1.0, high=1000.0),
    Column("bound", "concentration inequality; chernoff if empty", "text", allowed=tuple(BOUNDS)),
    Column("sampling", "phase-error bound; exact-smooth if empty", "text", allowed=tuple(SAMPLING)),
    Column("leakage", "error-correction model; achievable if empty", "text", allowed=tuple(LEAKAGE)),
)
_FROM_COUNTS = tuple(column.name for column in COUNTS)
_BOUNDS = (
    "sifted_bits", "qber", "n0_key_lower", "n1_key_lower", "n1_test_lower", "m1_test_upper", "phase_error_upper",
    "leak_ec_bits",
)  # fmt: skip


@dataclass(frozen=True)
class _Variant:
    """Key-length function and the name of its third setting."""

    name: str
    function: Callable[..., KeyLength]
    share: str

    @property
    def settings(self) -> tuple[str, ...]:
        return ("intensities", "intensity_probabilities", self.share)

    def check_header(self, names: Sequence[str], optimise: bool) -> None:
        """Raise InputError if columns are missing."""
        counts = [name for name in _FROM_COUNTS if name in names]
        link = link_names(names)
        missing: list[str] = []
        if counts:
            missing += [name for name in _FROM_COUNTS if name not in names]
        if link or not counts:
            missing += [name for name in NEEDED if name not in names]
            if not {"transmittance", "loss_db"} & set(names):
                missing.append("transmittance (or loss_db)")
        needed = ("intensities", "intensity_probabilities") if not link else self.settings
        if counts or not optimise:
            missing += [name for name in needed if name not in names]
        if missing:
            raise InputError(f"missing columns: {', '.join(missing)}")

    def compute(self, values: Mapping[str, Any], optimise: bool) -> dict[str, Any]:
        """Results of a row."""
        given = dict(values)
        counts = {name: given.pop(name) for name in _FROM_COUNTS if name in given}
        setting = {name: given.pop(name) for name in self.settings if name in given}
        has_link = bool(link_names(given))
        if counts and len(counts) < len(_FROM_COUNTS):
            raise InputError(f'column "{next(n for n in _FROM_COUNTS if n not in counts)}": is empty')
        if not counts and not has_link:
            raise InputError("the row has neither a link nor counts")
        found: dict[str, Any] = {}
        if has_link:
            fixed = link_arguments(given)
            free = [name for name in self.settings if name not in setting]
            if free and (counts or not optimise):
                raise InputError(f'column "{free[0]}": is empty (with --optimise and without counts it is optimised)')
            if free:
                optimum = best(self.name, fixed={**fixed, **setting})
                setting = dict(optimum.parameters)
                found |= {"evaluations": optimum.evaluations, "converged": optimum.converged}
                key = optimum.key
            else:
                key = self.function(**fixed, **setting)
            found |= margin_and_slopes(
                lambda **changes: self.function(**{**fixed, **changes}, **setting).key_bits_raw,
                fixed["transmittance"],
                ("qber_intrinsic", fixed["qber_intrinsic"]),
                ("p_extraneous", fixed["p_extraneous"]),
            )
            found |= {f"used_{name}": setting[name] for name in self.settings}
        if counts and has_link:
            found |= dict(zip(PREDICTED, (key.key_bits, key.sifted_bits, key.qber), strict=True))
        if counts:
            options = {name: value for name, value in given.items() if name in {c.name for c in _OPTIONS}}
            for name in ("intensities", "intensity_probabilities"):
                if name not in setting:
                    raise InputError(f'column "{name}": is empty')
                options[name] = setting[name]
            key = lim2014.key_length_from_counts(SiftedCounts(**counts), **options)
        found |= {
            "key_bits": key.key_bits,
            "key_bits_raw": key.key_bits_raw,
            "reason": key.reason,
            "eps_total": key.epsilon.total,
            **{name: getattr(key, name) for name in _BOUNDS},
        }
        return found

    def table(self) -> TableAnalysis:
        """Columns and functions."""
        standard = self.share == "revealed_fraction"
        meaning = "share of each basis that is revealed" if standard else "probability of the key basis"
        return TableAnalysis(
            columns=(
                *LINK, *SETTING, Column(self.share, meaning, high=1.0), *_OPTIONS, *(() if standard else COUNTS)
            ),
            results=(
                "key_bits", "key_bits_raw", "reason", "margin_db", *SENSITIVITIES, *_BOUNDS, "eps_total",
                *(f"used_{name}" for name in self.settings), "evaluations", "converged", *PREDICTED,
            ),
            check_header=self.check_header,
            compute=self.compute,
        )  # fmt: skip


LIM2014 = _Variant("lim2014", lim2014.key_length, "p_key_basis").table()
"""Efficient BB84 with two decoys."""

LIM2014_STANDARD = _Variant("lim2014-standard", lim2014_variants.standard_key_length, "revealed_fraction").table()
"""Standard BB84 with two decoys."""
