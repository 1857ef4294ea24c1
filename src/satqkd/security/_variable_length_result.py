"""Packs the analysis of :mod:`satqkd.security.variable_length` into a result, and says why there is no key."""

from __future__ import annotations

import math
from dataclasses import replace

from satqkd.detection.receivers import ReceiverCounts
from satqkd.detection.weak_pulse import SiftedCounts
from satqkd.security._variable_length import Analysis, Setup, analyse, asymptotic_secret, scaled
from satqkd.security.entropy import binary_entropy_scalar
from satqkd.security.reasons import explain_no_key
from satqkd.security.result import KeyLength

__all__ = ["CITATIONS", "pack"]

CITATIONS = (
    "V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706 (2026)",
    "V. Mannalath, V. Zapatero, M. Curty, Phys. Rev. Lett. 135, 020803 (2025)",
)


def pack(
    counts: SiftedCounts, parts: list[Analysis], setup: Setup, model: dict[str, object], options: dict[str, str]
) -> KeyLength:
    """Result of a block; ``parts``: one analysis per basis that gives a key."""
    first = parts[0]
    key_bits = sum(max(0, math.floor(part.raw)) for part in parts)
    dark = options.pop("dark", None) is not None
    intermediate: dict[str, float | tuple[float, ...]] = {
        "n1_key_upper": first.values["n_key_upper"],
        "n1_test_upper": first.values["n_test_upper"],
        "m1_test_lower": first.values["m_test_lower"],
        **{name: x for name, x in first.values.items() if name.split("_")[0] not in ("n", "m")},
        "eps_per_bound": setup.eps_bound,
        "bounds": float(setup.n_bounds),
        "pulses_key": float(setup.sizes[1]),
        "pulses_test": float(setup.sizes[2]),
        "multi_clicks": float(getattr(counts, "multi_clicks", 0.0)),
        "constant_bits": setup.penalty,
        "key_bits_raw_per_basis": tuple(part.raw for part in parts),
    }
    for s, name in enumerate(("n_key", "n_test", "m_test")):
        intermediate[f"{name}_tail"] = first.values[f"{name}_tail"]
        intermediate[f"{name}_lower"] = tuple(first.ends[s, 0].tolist())
        intermediate[f"{name}_upper"] = tuple(first.ends[s, 1].tolist())
    return KeyLength(
        key_bits=key_bits,
        key_bits_raw=math.fsum(part.raw for part in parts),
        reason=None if key_bits else _reason(counts, first, setup, dark),
        sifted_bits=math.fsum(counts.n_key),
        qber=first.qber,
        n0_key_lower=0.0,
        n1_key_lower=first.values["n_key_lower"],
        n1_test_lower=first.values["n_test_lower"],
        m1_test_upper=first.values["m_test_upper"],
        phase_error_upper=first.values["phase_error"],
        leak_ec_bits=first.leak,
        n_key=counts.n_key,
        n_test=counts.n_test,
        m_key=counts.m_key,
        m_test=counts.m_test,
        epsilon=setup.budget,
        parameters={
            "pulses": setup.pulses,
            "intensities": tuple(setup.intensities.tolist()),
            "intensity_probabilities": tuple(setup.probabilities.tolist()),
            "p_test_basis": setup.p_test_basis,
            "split": setup.split if setup.receiver == "asymmetric-passive" else None,
            "disclosure": setup.disclosure if setup.bases == 2 else None,
            **model,
            "p_dark": setup.p_dark,
            "detector_efficiency": setup.detector_efficiency,
            "f_ec": setup.f_ec,
            "eps_total": setup.eps_total,
            "photon_cut": setup.photon_cut,
        },
        options={
            "receiver": setup.receiver,
            "program": setup.program,
            "counts": setup.counts,
            "convention": setup.convention,
            **options,
        },
        citations=CITATIONS,
        intermediate=intermediate,
    )


def _reason(counts: SiftedCounts, found: Analysis, setup: Setup, dark: bool) -> str:
    if dark:
        return "NO_COUNTS: the transmittance is 0; a key needs light"
    if not found.feasible:
        return (
            "INFEASIBLE_COUNTS: no photon-number statistics give these counts per intensity within the confidence "
            "bounds; check that intensities and intensity_probabilities are those of the source"
        )
    counted = counts if isinstance(counts, ReceiverCounts) else ReceiverCounts(
        counts.n_key, counts.n_test, counts.m_key, counts.m_test
    )  # fmt: skip
    sifted = math.fsum(counted.n_key)
    shannon = sifted * binary_entropy_scalar(min(found.qber, 0.5))
    # the leak may be the real one: what follows scales it like the counts
    quick = replace(setup, program="reduced", f_ec=found.leak / shannon if shannon > 0.0 else setup.f_ec)

    def with_errors(factor: float) -> ReceiverCounts:
        m_key, m_test = (tuple(factor * m for m in errors) for errors in (counted.m_key, counted.m_test))
        return replace(counted, m_key=m_key, m_test=m_test)

    def limit(factor: float) -> float:
        rate = min(factor * found.qber, 0.5)
        leak = quick.f_ec * sifted * binary_entropy_scalar(rate)
        return asymptotic_secret(with_errors(factor), setup)[0] - leak

    return explain_no_key(
        sifted_bits=sifted,
        test_detections=math.fsum(counted.n_test),
        qber=found.qber,
        phase_error=asymptotic_secret(counted, setup)[1],
        key_of_counts=lambda factor: analyse(counted.scaled(factor), scaled(quick, factor), qber=found.qber).raw,
        asymptotic_key_of_errors=limit,
    )
