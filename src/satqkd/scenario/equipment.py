"""Hardware on board and on the ground."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from satqkd.scenario.base import Length, Model, Probability, Transmittance
from satqkd.scenario.units import Quantity

__all__ = ["Detector", "Receiver", "Source", "Terminal"]


class Source(Model):
    """Pulsed laser source."""

    wavelength: Annotated[float, Quantity("length", "nm", 200.0, 20_000.0)] = Field(description="vacuum wavelength")
    pulse_rate: Annotated[float, Quantity("frequency", "MHz", 0.0, 1e6, exclusive_minimum=True)] = Field(
        description="pulses per second"
    )


class Terminal(Model):
    """Transmitting telescope and its pointing."""

    divergence: Annotated[float, Quantity("angle", "urad", 0.0, 1e5, exclusive_minimum=True)] = Field(
        description="far-field angle phi of Wang et al., Eq. 2: beam radius per distance"
    )
    pointing: Transmittance = Field(1.0, description='fixed pointing efficiency, such as "2 dB"')


class Receiver(Model):
    """Receiving telescope down to the detectors."""

    aperture: Length = Field(description="clear diameter")
    coupling: Transmittance = Field(1.0, description='fixed coupling efficiency, such as "3 dB"')


class Detector(Model):
    """Single-photon detectors and the noise in their gate."""

    device: str | None = Field(
        None,
        description='detector of the catalogue, such as "snspd-spec-b": its efficiency and afterpulse at the source\'s '
        "wavelength, where they are not written here",
    )
    efficiency: Transmittance = Field(1.0, description='detection efficiency, such as "3 dB" or 0.5')
    background_yield: Annotated[float, Quantity("ratio", "", 0.0, 1.0)] = Field(
        description="Y0: probability per pulse of a click without any signal photon (background and dark counts)"
    )
    misalignment: Annotated[float, Quantity("ratio", "", 0.0, 0.5)] = Field(
        description="probability that a signal photon hits the wrong detector (e_d, also called intrinsic QBER)"
    )
    background_error: Probability = Field(0.5, description="e0: error probability of a background click")
    afterpulse: Annotated[float, Quantity("ratio", "", 0.0, 0.5)] = Field(
        0.0, description="after-pulse probability per detection"
    )
