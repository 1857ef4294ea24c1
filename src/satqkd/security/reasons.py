"""Why a key has length zero, in one line, with the number that would suffice."""

from __future__ import annotations

from collections.abc import Callable

from satqkd.security.margin import counts_needed

__all__ = ["explain_no_key"]

_MAX_COUNTS = 1e15  # beyond it whole numbers are no longer exact in floating point


def _count(value: float) -> str:
    """Count to four digits, as people write it."""
    return f"{float(f'{value:.4g}'):,.0f}" if value >= 100.0 else f"{value:.3g}"


def explain_no_key(
    *,
    sifted_bits: float,
    test_detections: float,
    qber: float,
    phase_error: float,
    key_of_counts: Callable[[float], float],
    asymptotic_key_of_errors: Callable[[float], float],
) -> str:
    """Reason for a key of length zero.

    Parameters
    ----------
    sifted_bits, test_detections : float
        Detections in the key and the test basis. [1]
    qber, phase_error : float
        Error rate of the key basis; phase error rate without statistical fluctuations. [1]
    key_of_counts : callable
        Un-clamped key length as a function of a factor on all the counts. [bit]
    asymptotic_key_of_errors : callable
        Asymptotic key length as a function of a factor on all the error counts. [bit]

    Returns
    -------
    str
        ``NO_COUNTS``, ``TOO_FEW_COUNTS`` (more pulses at the same rates help: how many), ``QBER_TOO_HIGH`` (they do
        not: the error rate that would do) or ``NO_SINGLES`` (the decoy estimate fails at any error rate), followed
        by the numbers.
    """
    if sifted_bits <= 0.0:
        return "NO_COUNTS: nothing was detected in the key basis; a key needs pulses and light in at least one slot"
    if asymptotic_key_of_errors(1.0) > 0.0:
        have = f"{_count(sifted_bits)} sifted bits and {_count(test_detections)} test detections"
        limit = max(2.0, min(1e9, _MAX_COUNTS / (sifted_bits + test_detections)))
        factor = counts_needed(key_of_counts, limit=limit)
        if factor is None:
            return f"TOO_FEW_COUNTS: {have}; not even {limit:.3g} times as many pulses at the same rates give a key"
        return (
            f"TOO_FEW_COUNTS: {have}; about {factor:.3g} times as many pulses at the same rates "
            f"({_count(factor * sifted_bits)} sifted bits) give a key"
        )
    have = f"QBER {100 * qber:.3g} %, phase error {100 * phase_error:.3g} % even without statistical fluctuations"
    if asymptotic_key_of_errors(0.0) <= 0.0:
        return (
            f"NO_SINGLES: {have}; the counts per intensity leave no single photons in the key or the test basis at "
            "any error rate: check intensities, their probabilities and the share of the test basis"
        )
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if asymptotic_key_of_errors(middle) > 0.0 else (low, middle)
    return (
        f"QBER_TOO_HIGH: {have}; with these counts a key needs a QBER below about {100 * low * qber:.3g} % "
        f"(both error rates {low:.3g} times as large)"
    )
