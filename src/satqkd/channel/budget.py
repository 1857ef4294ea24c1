r"""Downlink budget: every transmittance between the satellite's telescope and a click.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706, Sec. IV (Eq. 3) and App. H (Eqs. 149-171).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel import coupling as _coupling
from satqkd.channel._inputs import choice, in_range, positive
from satqkd.channel.adaptive_optics import corrected_fried_m, strehl_ratio
from satqkd.channel.beam import (
    annular_collected_fraction,
    broadened_radius_m,
    diffraction_radius_m,
    on_axis_truncation,
    turbulence_broadening,
    waist_radius_m,
)
from satqkd.channel.divergence import loss_db
from satqkd.channel.pointing import pointing_transmittance
from satqkd.channel.turbulence import (
    TurbulenceProfile,
    fried_parameter_m,
    greenwood_frequency_hz,
    tracking_frequency_hz,
    turbulence_profile,
)
from satqkd.errors import InputError

__all__ = ["COUPLINGS", "TERMS", "LinkBudget", "downlink"]

Array = NDArray[np.float64]

TERMS: Final = ("geometric", "pointing", "coupling", "atmosphere", "receiver", "detector")
"""The factors of the total, in the order of Eq. 3."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinkBudget:
    """Transmittances and lengths of a link, arrays of one common shape.

    Attributes
    ----------
    geometric : ndarray
        Collected by the receiver's aperture, pointing perfect. [1]
    pointing : ndarray
        Left by pointing jitter and bias. [1]
    coupling : ndarray
        Into the fibre or the field of view. [1]
    atmosphere, receiver, detector : ndarray
        As given. [1]
    total : ndarray
        Product of the six. [1]
    waist_radius_m : ndarray
        1/e^2 radius in the transmitter's aperture. [m]
    diffraction_radius_m : ndarray
        1/e^2 radius at the receiver in vacuum. [m]
    spot_radius_m : ndarray
        The same with turbulence, long-term. [m]
    broadening : ndarray
        Turbulence parameter T between the two. [1]
    fried_m : ndarray
        Fried parameter of the seeing. [m]
    fried_corrected_m : ndarray
        That behind adaptive optics; infinite for a perfect loop. [m]
    greenwood_hz, tracking_hz : ndarray
        Frequencies of wavefront and tilt. [Hz]
    strehl : ndarray
        Strehl ratio of the corrected wavefront. [1]
    """

    geometric: Array
    pointing: Array
    coupling: Array
    atmosphere: Array
    receiver: Array
    detector: Array
    total: Array
    waist_radius_m: Array
    diffraction_radius_m: Array
    spot_radius_m: Array
    broadening: Array
    fried_m: Array
    fried_corrected_m: Array
    greenwood_hz: Array
    tracking_hz: Array
    strehl: Array

    def loss_db(self, term: str = "total") -> Array:
        """Loss of one term.

        Parameters
        ----------
        term : str, default "total"
            A name of :data:`TERMS`, or ``"total"``.

        Returns
        -------
        ndarray
            Loss, non-negative. [dB]

        Raises
        ------
        InputError
            For an unknown term.
        """
        choice("term", term, dict.fromkeys((*TERMS, "total")))
        return loss_db(getattr(self, term))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Focus:
    """What arrives in the focus of the receiver."""

    wavelength_m: Array
    aperture_m: Array
    fried_m: Array
    strehl: Array
    half_angle_rad: ArrayLike | None
    obscuration_ratio: float


def _single_mode_fibre(focus: _Focus) -> Array:
    """Eq. 165: limit of the fibre times Strehl ratio."""
    if focus.half_angle_rad is not None:
        raise InputError("field_of_view_half_angle_rad: a single-mode fibre has its own field of view, leave it out")
    limit = _coupling.FIBRE_LIMIT
    if focus.obscuration_ratio:
        limit *= _coupling.fibre_overlap(obscuration_ratio=focus.obscuration_ratio) / _coupling.fibre_overlap()
    return np.asarray(limit * focus.strehl)


def _within_field(focus: _Focus) -> Array:
    """Eq. 157 in the given field of view; in that of the Airy disk the rounded limit of Table 1."""
    aperture = {"wavelength_m": focus.wavelength_m, "aperture_diameter_m": focus.aperture_m}
    if focus.half_angle_rad is not None:
        return _coupling.encircled_energy(focus.half_angle_rad, **aperture, obscuration_ratio=focus.obscuration_ratio)
    if not focus.obscuration_ratio:
        return np.asarray(_coupling.FREE_SPACE_LIMIT)
    # the ring's angle in units of wavelength per diameter is the same for all
    unit = {"wavelength_m": 1e-6, "aperture_diameter_m": 1.0}
    ring = _coupling.airy_half_angle_rad(**unit)
    obscured = _coupling.encircled_energy(ring, **unit, obscuration_ratio=focus.obscuration_ratio)
    return np.asarray(_coupling.FREE_SPACE_LIMIT * obscured / _coupling.encircled_energy(ring, **unit))


def _free_space(focus: _Focus) -> Array:
    """Eq. 163: light within the field of view times Strehl ratio."""
    return np.asarray(_within_field(focus) * focus.strehl)


def _free_space_seeing(focus: _Focus) -> Array:
    """All light within the field of view, long-exposure seeing included."""
    if focus.obscuration_ratio:
        raise InputError("obscuration_ratio: coupling free-space-seeing is for an unobscured aperture, 0 only")
    if focus.half_angle_rad is None:
        raise InputError("field_of_view_half_angle_rad: coupling free-space-seeing needs it, in radians")
    return _coupling.seeing_encircled_energy(
        focus.half_angle_rad,
        wavelength_m=focus.wavelength_m,
        aperture_diameter_m=focus.aperture_m,
        fried_m=focus.fried_m,
    )


COUPLINGS: Final[Mapping[str, Callable[[_Focus], Array]]] = MappingProxyType(
    {
        "single-mode-fibre": _single_mode_fibre,
        "free-space": _free_space,
        "free-space-seeing": _free_space_seeing,
    }
)
"""Name of a coupling -> model: Eq. 165, Eq. 163, and the long-exposure image in a field of view."""


def coupled_fraction(coupling: str | ArrayLike, focus: _Focus) -> Array:
    """Coupling by a model's name, or as given. [1]"""
    if isinstance(coupling, str):
        return choice("coupling", coupling, COUPLINGS)(focus)
    if focus.half_angle_rad is not None:
        raise InputError("field_of_view_half_angle_rad: the coupling is given as a number, leave it out")
    return in_range("coupling", coupling, 0.0, 1.0)


def downlink(
    *,
    slant_range_m: ArrayLike,
    zenith_rad: ArrayLike,
    wavelength_m: ArrayLike,
    tx_aperture_diameter_m: ArrayLike,
    rx_aperture_diameter_m: ArrayLike,
    beam_quality: ArrayLike = 1.2,
    waist_fraction: ArrayLike = 0.25,
    site: str | TurbulenceProfile,
    ao_bandwidth_hz: ArrayLike = 0.0,
    tip_tilt_bandwidth_hz: ArrayLike = 60.0,
    jitter_rad: ArrayLike,
    coupling: str | ArrayLike = "single-mode-fibre",
    atmosphere: ArrayLike,
    receiver: ArrayLike,
    detector: ArrayLike,
    greenwood_lower_height: str = "ground",
    slew_rad_s: ArrayLike = 0.0,
    bias_rad: ArrayLike = 0.0,
    jitter_reading: str = "per-axis",
    obscuration_ratio: float = 0.0,
    field_of_view_half_angle_rad: ArrayLike | None = None,
    truncated: bool = False,
) -> LinkBudget:
    r"""Budget of a satellite-to-ground link, Eq. 3.

    Parameters
    ----------
    slant_range_m : array_like
        Distance of satellite and station; this and all other arrays broadcast. [m]
    zenith_rad : array_like
        Zenith angle of the satellite in [0, pi/2). [rad]
    wavelength_m : array_like
        Vacuum wavelength. [m]
    tx_aperture_diameter_m : array_like
        Transmitter diameter. [m]
    rx_aperture_diameter_m : array_like
        Receiver diameter. [m]
    beam_quality : array_like, default 1.2
        :math:`M^2`, at least 1. [1]
    waist_fraction : array_like, default 0.25
        :math:`1/e^2` radius of the beam per transmitter diameter. [1]
    site : str or TurbulenceProfile
        Turbulence and wind of the station, by the name of a preset or as a profile.
    ao_bandwidth_hz : array_like, default 0
        Closed-loop bandwidth of the adaptive optics, 0 = none. [Hz]
    tip_tilt_bandwidth_hz : array_like, default 60
        That of its tip-tilt mirror. [Hz]
    jitter_rad : array_like
        Standard deviation of the transmitter's pointing per axis. [rad]
    coupling : str or array_like, default "single-mode-fibre"
        Model by name, see :data:`COUPLINGS`, or the transmittance itself. [1]
    atmosphere, receiver, detector : array_like
        Transmittances in [0, 1] of the air, of the receiver's optics and of the detectors. [1]
    greenwood_lower_height : {"ground", "published"}, default "ground"
        Where the integrals of Eqs. 167-168 begin.
    slew_rad_s : array_like, default 0
        Angular rate of the line of sight: pseudo-wind of a satellite that moves across the sky. [rad/s]
    bias_rad : array_like, default 0
        Constant pointing offset. [rad]
    jitter_reading : {"per-axis", "radial"}, default "per-axis"
        What ``jitter_rad`` means.
    obscuration_ratio : float, default 0
        Diameter of the receiver's central obscuration per aperture diameter, in [0, 1). [1]
    field_of_view_half_angle_rad : array_like, optional
        Half angle of a free-space detector's field of view; left out, the Airy disk's. [rad]
    truncated : bool, default False
        Whether the transmitter's aperture clips the beam (0.16 dB at ``waist_fraction`` 0.25) or, as published, not.

    Returns
    -------
    LinkBudget
        Every factor, length and frequency, in the common shape.

    Raises
    ------
    InputError
        For a satellite at or below the horizon, a length that is not positive, a transmittance outside 0 to 1, an
        obscuration as large as the aperture, or an unknown name.

    Notes
    -----
    Long-term means: fluctuations of the turbulence around them are not included.

    Examples
    --------
    >>> link = downlink(
    ...     slant_range_m=38_611_500.0, zenith_rad=np.radians(60.0), wavelength_m=854.445e-9, site="urban",
    ...     tx_aperture_diameter_m=0.75, rx_aperture_diameter_m=1.5, ao_bandwidth_hz=130.0, jitter_rad=0.5e-6,
    ...     atmosphere=0.354, receiver=0.398, detector=0.95,
    ... )
    >>> f"{link.loss_db('geometric'):.2f} {link.loss_db('coupling'):.2f} {link.loss_db():.1f}"
    '36.05 3.11 49.1'
    """
    profile = turbulence_profile(site)
    wavelength = positive("wavelength_m", wavelength_m)
    aperture = positive("rx_aperture_diameter_m", rx_aperture_diameter_m)
    ratio = float(in_range("obscuration_ratio", obscuration_ratio, 0.0, np.inf))
    if ratio >= 1.0:
        raise InputError(
            f"obscuration_ratio: {ratio:g} is not allowed, the obscuration must be smaller than the aperture"
        )
    optics = {
        name: in_range(name, value, 0.0, 1.0)
        for name, value in (("atmosphere", atmosphere), ("receiver", receiver), ("detector", detector))
    }
    waist = waist_radius_m(tx_aperture_diameter_m, waist_fraction=waist_fraction)
    vacuum = diffraction_radius_m(
        slant_range_m, wavelength_m=wavelength, waist_radius_m=waist, beam_quality=beam_quality
    )
    broadening = turbulence_broadening(
        slant_range_m, profile=profile, wavelength_m=wavelength, zenith_rad=zenith_rad, beam_radius_m=vacuum
    )
    spot = broadened_radius_m(vacuum, broadening=broadening)
    geometric = annular_collected_fraction(spot, aperture_diameter_m=aperture, obscuration_diameter_m=ratio * aperture)
    if truncated:
        geometric = geometric * on_axis_truncation(waist_radius_m=waist, tx_aperture_diameter_m=tx_aperture_diameter_m)
    pointing = pointing_transmittance(
        slant_range_m, beam_radius_m=spot, jitter_rad=jitter_rad, bias_x_rad=bias_rad, reading=jitter_reading
    )
    fried = fried_parameter_m(profile=profile, wavelength_m=wavelength, zenith_rad=zenith_rad)
    greenwood = greenwood_frequency_hz(
        profile=profile,
        wavelength_m=wavelength,
        zenith_rad=zenith_rad,
        lower_height=greenwood_lower_height,
        slew_rad_s=slew_rad_s,
    )
    tracking = tracking_frequency_hz(
        profile=profile,
        wavelength_m=wavelength,
        zenith_rad=zenith_rad,
        aperture_diameter_m=aperture,
        lower_height=greenwood_lower_height,
        slew_rad_s=slew_rad_s,
    )
    corrected = corrected_fried_m(
        fried_m=fried,
        aperture_diameter_m=aperture,
        greenwood_hz=greenwood,
        tracking_hz=tracking,
        ao_bandwidth_hz=ao_bandwidth_hz,
        tip_tilt_bandwidth_hz=tip_tilt_bandwidth_hz,
    )
    strehl = strehl_ratio(aperture_diameter_m=aperture, fried_m=corrected)
    coupled = coupled_fraction(
        coupling,
        _Focus(
            wavelength_m=wavelength,
            aperture_m=aperture,
            fried_m=corrected,
            strehl=strehl,
            half_angle_rad=field_of_view_half_angle_rad,
            obscuration_ratio=ratio,
        ),
    )
    fields = {
        "geometric": geometric,
        "pointing": pointing,
        "coupling": coupled,
        **optics,
        "total": geometric * pointing * coupled * optics["atmosphere"] * optics["receiver"] * optics["detector"],
        "waist_radius_m": waist,
        "diffraction_radius_m": vacuum,
        "spot_radius_m": spot,
        "broadening": broadening,
        "fried_m": fried,
        "fried_corrected_m": corrected,
        "greenwood_hz": greenwood,
        "tracking_hz": tracking,
        "strehl": strehl,
    }
    return LinkBudget(**dict(zip(fields, np.broadcast_arrays(*fields.values()), strict=True)))
