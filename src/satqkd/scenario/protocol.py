"""The protocol, its security analysis, and the plan."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from satqkd.scenario.base import Duration, Model
from satqkd.scenario.units import Quantity, problem

__all__ = ["Planning", "Protocol"]

Intensity = Annotated[float, Quantity("ratio", "", 0.0, 10.0)]
OpenProbability = Annotated[float, Quantity("ratio", "", 0.0, 1.0, exclusive_minimum=True)]
Epsilon = Annotated[float, Quantity("ratio", "", 0.0, 0.1, exclusive_minimum=True)]


class Protocol(Model):
    """Decoy-state BB84 with three intensities and its security parameters."""

    intensities: tuple[Intensity, Intensity, Intensity] = Field(
        description="mean photon numbers, descending: signal, decoy, vacuum"
    )
    intensity_probabilities: tuple[OpenProbability, OpenProbability, OpenProbability] = Field(
        description="how often each is sent; they sum to 1"
    )
    p_key_basis: Annotated[float, Quantity("ratio", "", 0.0, 1.0, exclusive_minimum=True)] = Field(
        description="probability of the key basis, for sender and receiver"
    )
    sifting: OpenProbability | None = Field(
        None,
        description="q of the asymptotic rate (GLLP); left out: the square of p_key_basis, for all pulses a signal",
    )
    f_ec: Annotated[float, Quantity("ratio", "", 1.0, 5.0)] = Field(1.16, description="error-correction efficiency")
    eps_secrecy: Epsilon = Field(1e-9, description="secrecy parameter of each pass's key")
    eps_correctness: Epsilon = Field(1e-15, description="correctness parameter of each pass's key")
    bound: Literal["chernoff", "chernoff-implicit", "hoeffding", "asymptotic"] = Field(
        "chernoff", description="concentration inequality for the counts; asymptotic: none, no security claim"
    )
    sampling: Literal["exact-smooth", "exact", "lim2014"] = Field(
        "exact-smooth",
        description="bound on the phase error: exact hypergeometric with its term of the budget as smoothing or as "
        "probability, or the closed form of Lim et al. 2014",
    )
    leakage: Literal["achievable", "finite", "published", "published-eq9", "satquma", "block"] = Field(
        "achievable", description="model of the bits that error correction discloses"
    )

    @property
    def asymptotic_sifting(self) -> float:
        """Share of the pulses that the asymptotic rate counts as sifted: ``sifting``, or ``p_key_basis`` squared."""
        return self.p_key_basis**2 if self.sifting is None else self.sifting

    @field_validator("intensities")
    @classmethod
    def _descending(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        mu1, mu2, mu3 = value
        if not (mu1 > mu2 > mu3 >= 0.0 and mu1 > mu2 + mu3):
            raise problem(f"{list(value)} must descend, signal > decoy > vacuum >= 0, and signal > decoy + vacuum")
        if mu2 > 0.98 * mu1:
            raise problem(f"{list(value)}: decoy must be at most 0.98 of the signal")
        return value

    @field_validator("p_key_basis")
    @classmethod
    def _biased(cls, value: float) -> float:
        if value >= 1.0:
            raise problem("1 leaves no test basis: allowed is below 1")
        return value

    @model_validator(mode="after")
    def _sum(self) -> Protocol:
        total = sum(self.intensity_probabilities)
        if abs(total - 1.0) > 1e-9:
            raise problem(f"intensity_probabilities sum to {total:.6g}, not to 1")
        return self


class Planning(Model):
    """How the satellite's time is given to stations."""

    interval: Duration = Field(10.0, description="length of an interval that is given to one station")
    switch_intervals: int = Field(1, ge=0, le=1000, description="idle intervals needed to turn to another station")
