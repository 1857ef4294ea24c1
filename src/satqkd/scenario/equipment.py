"""Hardware on board and on the ground."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from satqkd.scenario.base import Length, Model, Probability, Transmittance
from satqkd.scenario.units import Quantity, problem

__all__ = ["CouplingName", "Detector", "Receiver", "Source", "Terminal"]

CouplingName = Literal["single-mode-fibre", "free-space", "free-space-seeing"]
SmallAngle = Annotated[float, Quantity("angle", "urad", 0.0, 1e5)]


class Source(Model):
    """Pulsed laser source."""

    wavelength: Annotated[float, Quantity("length", "nm", 200.0, 20_000.0)] = Field(description="vacuum wavelength")
    pulse_rate: Annotated[float, Quantity("frequency", "MHz", 0.0, 1e6, exclusive_minimum=True)] = Field(
        description="pulses per second"
    )
    laser: str | None = Field(
        None,
        description='laser of the catalogue, such as "solstis": must cover the wavelength; its limit of M^2 is '
        "terminal.beam_quality of a Gaussian beam, where that is not written",
    )


class Terminal(Model):
    """Transmitting telescope and its pointing: the satellite's in a downlink, the station's in an uplink."""

    divergence: Annotated[float, Quantity("angle", "urad", 0.0, 1e5, exclusive_minimum=True)] | None = Field(
        None,
        description="far-field angle phi of Wang et al., Eq. 2: beam radius per distance; needed by the "
        'fixed-divergence channels and by channel.spread = "fixed-divergence"',
    )
    pointing: Transmittance = Field(1.0, description='fixed pointing efficiency, such as "2 dB"')
    aperture: Length | None = Field(None, description="clear diameter; gaussian-beam")
    beam_quality: Annotated[float, Quantity("ratio", "", 1.0, 100.0)] | None = Field(
        None, description="M^2; left out: 1.2 in a downlink, 1 in an uplink; gaussian-beam"
    )
    waist_fraction: Annotated[float, Quantity("ratio", "", 1e-3, 1.0)] | None = Field(
        None, description="1/e^2 radius of the beam per aperture; left out: 0.25, in an uplink 0.316; gaussian-beam"
    )
    jitter: SmallAngle | None = Field(
        None, description="standard deviation of the pointing per axis; left out: none; gaussian-beam"
    )
    bias: SmallAngle | None = Field(None, description="constant pointing offset; left out: none; gaussian-beam")
    optics: Transmittance | None = Field(
        None, description='of the transmitting optics after the source, such as "1.5 dB"; gaussian-beam'
    )


class Receiver(Model):
    """Receiving telescope down to the detectors: the station's in a downlink, the satellite's in an uplink."""

    aperture: Length = Field(description="clear diameter")
    coupling: CouplingName | Transmittance = Field(
        1.0,
        description='fixed coupling efficiency, such as "3 dB"; or, for gaussian-beam, what the light is focused into',
    )
    obscuration: Length | None = Field(None, description="diameter of the central obscuration; gaussian-beam")
    field_of_view: Annotated[float, Quantity("angle", "urad", 0.0, 1e6, exclusive_minimum=True)] | None = Field(
        None,
        description="half angle; left out: the fibre's own, in free space that of the Airy disk; gaussian-beam",
    )
    optics: Transmittance | None = Field(
        None, description="of the receiving optics and filters, without coupling and detectors; gaussian-beam"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Receiver:
        if self.obscuration is not None and self.obscuration >= self.aperture:
            raise problem(
                f"obscuration of {self.obscuration:g} m must be smaller than the aperture of {self.aperture:g} m"
            )
        if self.coupling == "single-mode-fibre" and self.field_of_view is not None:
            raise problem("field_of_view: a single-mode fibre has its own, leave it out")
        if self.coupling == "free-space-seeing":
            if self.field_of_view is None:
                raise problem('coupling "free-space-seeing" needs a field_of_view (half angle)')
            if self.obscuration is not None:
                raise problem('coupling "free-space-seeing" is for an aperture without obscuration')
        return self


class Detector(Model):
    """Single-photon detectors and the noise in their gate."""

    device: str | None = Field(
        None,
        description='detector of the catalogue, such as "snspd-spec-b": its efficiency and afterpulse at the source\'s '
        "wavelength, where they are not written here",
    )
    efficiency: Transmittance = Field(1.0, description='detection efficiency, such as "3 dB" or 0.5')
    background_yield: Annotated[float, Quantity("ratio", "", 0.0, 1.0)] | None = Field(
        None,
        description="Y0: probability per pulse of a click without any signal photon (background and dark counts); "
        "needed unless [background] gives the light from which it follows",
    )
    dark_count_rate: Annotated[float, Quantity("frequency", "Hz", 0.0, 1e9)] | None = Field(
        None, description="dark counts per second of one detector; needed by [background]"
    )
    misalignment: Annotated[float, Quantity("ratio", "", 0.0, 0.5)] = Field(
        description="probability that a signal photon hits the wrong detector (e_d, also called intrinsic QBER)"
    )
    background_error: Probability = Field(0.5, description="e0: error probability of a background click")
    afterpulse: Annotated[float, Quantity("ratio", "", 0.0, 0.5)] = Field(
        0.0, description="after-pulse probability per detection"
    )
