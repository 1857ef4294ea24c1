"""What every finite-key analysis returns: a key length, its intermediate bounds, its epsilon budget."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from satqkd.errors import InputError

__all__ = ["EpsilonBudget", "KeyLength", "mission_epsilon"]


@dataclass(frozen=True, slots=True)
class EpsilonBudget:
    """How the security parameter of one key is spent.

    Attributes
    ----------
    eps_secrecy, eps_correctness : float
        Distance from a secret key, and probability that the parties' keys differ. [1]
    terms : mapping of str to float
        The failure probabilities that were added up, by name. [1]
    """

    eps_secrecy: float
    eps_correctness: float
    terms: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        claimed, spent = self.eps_secrecy + self.eps_correctness, math.fsum(self.terms.values())
        if self.terms and not math.isclose(spent, claimed, rel_tol=1e-9):
            raise InputError(f"epsilon budget: the terms add up to {spent!r}, must be {claimed!r}")

    @property
    def total(self) -> float:
        """Sum of all the terms: the key is ``total``-secure. [1]"""
        return math.fsum(self.terms.values()) if self.terms else self.eps_secrecy + self.eps_correctness


def mission_epsilon(budgets: Iterable[EpsilonBudget]) -> float:
    """Security parameter of several keys used together.

    Parameters
    ----------
    budgets : iterable of EpsilonBudget
        Budgets of the keys, one per block.

    Returns
    -------
    float
        Their sum (composability: a union bound over the keys). [1]

    Examples
    --------
    >>> mission_epsilon([EpsilonBudget(1e-9, 1e-15)] * 150)
    1.5000015e-07
    """
    return math.fsum(budget.total for budget in budgets)


@dataclass(frozen=True, slots=True)
class KeyLength:
    """A secret key length with everything it was made of.

    Counts per intensity are tuples in the order of the intensities and totals over the whole block.

    Attributes
    ----------
    key_bits : int
        Length of the key, floor of the whole block, never negative. [bit]
    key_bits_raw : float
        The same before floor and clamp, for optimisers and margins; ``lim2014`` gives it per pass. [bit]
    reason : str or None
        Why there is no key, starting with a code word and naming the number that would suffice; None with a key.
    sifted_bits, qber : float
        Sifted key-basis detections, and their error rate. [bit], [1]
    n0_key_lower, n1_key_lower : float
        Lower bounds on vacuum and single-photon events in the key basis. [1]
    n1_test_lower, m1_test_upper : float
        Single-photon events in the test basis (lower bound) and errors among them (upper bound). [1]
    phase_error_upper : float
        Upper bound on the phase error rate of the key's single photons. [1]
    leak_ec_bits : float
        Bits disclosed by error correction. [bit]
    n_key, n_test, m_key, m_test : tuple of float
        Detections and errors per intensity in the key and the test basis. [1]
    epsilon : EpsilonBudget
        Security parameters and what they are spent on.
    parameters, options : mapping
        Protocol parameters, and the models chosen by name.
    citations : tuple of str
        Sources of the models used.
    intermediate : mapping
        Further named intermediate values of the analysis.
    """

    key_bits: int
    key_bits_raw: float
    reason: str | None
    sifted_bits: float
    qber: float
    n0_key_lower: float
    n1_key_lower: float
    n1_test_lower: float
    m1_test_upper: float
    phase_error_upper: float
    leak_ec_bits: float
    n_key: tuple[float, ...]
    n_test: tuple[float, ...]
    m_key: tuple[float, ...]
    m_test: tuple[float, ...]
    epsilon: EpsilonBudget
    parameters: Mapping[str, object]
    options: Mapping[str, str]
    citations: tuple[str, ...] = ()
    intermediate: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("key", f"{self.key_bits} bit")]
        if self.reason is not None:
            rows.append(("reason", self.reason))
        rows += [
            ("sifted", f"{self.sifted_bits:.6g} bit"),
            ("QBER", f"{100.0 * self.qber:.4g} %"),
            ("phase error, at most", f"{100.0 * self.phase_error_upper:.4g} %"),
            ("vacuum events, at least", f"{self.n0_key_lower:.6g}"),
            ("single photons in the key, at least", f"{self.n1_key_lower:.6g}"),
            ("single photons in the test, at least", f"{self.n1_test_lower:.6g}"),
            ("errors among them, at most", f"{self.m1_test_upper:.6g}"),
            ("leaked by error correction", f"{self.leak_ec_bits:.6g} bit"),
            ("epsilon", f"{self.epsilon.total:.3g}"),
            ("models", ", ".join(f"{name}={value}" for name, value in self.options.items())),
        ]
        return rows

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(name) for name, _ in rows)
        return "KeyLength\n" + "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in self._rows()
        )
        return f"<table><caption>KeyLength</caption>{cells}</table>"
