r"""Uplink budget: every transmittance between the station's telescope and a click on the satellite.

References
----------
.. [1] X. Wang, C. Dong, S. Zhao, Y. Liu, X. Liu, H. Zhu, "Feasibility of space-based measurement-device-independent
   quantum key distribution", Eqs. 1-3 and Table I.
.. [2] L. C. Andrews, R. L. Phillips, *Laser Beam Propagation through Random Media*, 2nd ed., SPIE, 2005, ch. 12.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from satqkd.channel._inputs import choice, in_range, positive
from satqkd.channel._path import optical_wavelength_m
from satqkd.channel.adaptive_optics import strehl_ratio
from satqkd.channel.beam import annular_collected_fraction, diffraction_radius_m, waist_radius_m
from satqkd.channel.budget import Array, LinkBudget, _Focus, coupled_fraction
from satqkd.channel.pointing import pointing_transmittance
from satqkd.channel.turbulence import (
    TurbulenceProfile,
    fried_parameter_m,
    fried_parameter_spherical_m,
    greenwood_frequency_hz,
    tracking_frequency_hz,
    turbulence_profile,
)
from satqkd.channel.uplink import PUBLISHED_WAIST_FRACTION, UPLINK_SPREADS, UplinkBeam
from satqkd.errors import InputError

__all__ = ["uplink"]


def uplink(
    *,
    slant_range_m: ArrayLike,
    zenith_rad: ArrayLike,
    wavelength_m: ArrayLike,
    tx_aperture_diameter_m: ArrayLike,
    rx_aperture_diameter_m: ArrayLike,
    beam_quality: ArrayLike = 1.0,
    waist_fraction: ArrayLike = PUBLISHED_WAIST_FRACTION,
    site: str | TurbulenceProfile,
    jitter_rad: ArrayLike = 0.0,
    coupling: str | ArrayLike = "free-space",
    atmosphere: ArrayLike,
    receiver: ArrayLike,
    detector: ArrayLike,
    spread: str = "long-term",
    divergence_rad: ArrayLike | None = None,
    greenwood_lower_height: str = "ground",
    slew_rad_s: ArrayLike = 0.0,
    bias_rad: ArrayLike = 0.0,
    jitter_reading: str = "per-axis",
    obscuration_ratio: float = 0.0,
    field_of_view_half_angle_rad: ArrayLike | None = None,
) -> LinkBudget:
    r"""Budget of a ground-to-satellite link, with the fields of a downlink's.

    Parameters
    ----------
    slant_range_m : array_like
        Distance of satellite and station, beyond the turbulence; this and all other arrays broadcast. [m]
    zenith_rad : array_like
        Zenith angle of the satellite in [0, pi/2). [rad]
    wavelength_m : array_like
        Vacuum wavelength, 100 nm to 20 micrometres. [m]
    tx_aperture_diameter_m : array_like
        Diameter of the station's transmitter. [m]
    rx_aperture_diameter_m : array_like
        Diameter of the satellite's receiver. [m]
    beam_quality : array_like, default 1
        :math:`M^2`, at least 1. [1]
    waist_fraction : array_like, default 0.316
        :math:`1/e^2` radius of the beam per transmitter diameter; the default is that of Eq. 2 [1]. [1]
    site : str or TurbulenceProfile
        Turbulence and wind of the station, by the name of a preset or as a profile.
    jitter_rad : array_like, default 0
        Standard deviation of the transmitter's pointing per axis. [rad]
    coupling : str or array_like, default "free-space"
        Model by name, see :data:`satqkd.channel.budget.COUPLINGS`, or the transmittance itself. [1]
    atmosphere, receiver, detector : array_like
        Transmittances in [0, 1] of the air, of all optics and of the detectors. [1]
    spread : str, default "long-term"
        Reading of the spot's size, a name of :data:`satqkd.channel.uplink.UPLINK_SPREADS`.
    divergence_rad : array_like, optional
        Far-field radius per distance, for ``spread="fixed-divergence"`` only. [rad]
    greenwood_lower_height : {"ground", "published"}, default "ground"
        Where the integrals of wavefront and tilt frequency begin.
    slew_rad_s : array_like, default 0
        Angular rate of the line of sight. [rad/s]
    bias_rad : array_like, default 0
        Constant pointing offset. [rad]
    jitter_reading : {"per-axis", "radial"}, default "per-axis"
        What ``jitter_rad`` means.
    obscuration_ratio : float, default 0
        Diameter of the receiver's central obscuration per aperture diameter, in [0, 1). [1]
    field_of_view_half_angle_rad : array_like, optional
        Half angle of the receiver's field of view, for couplings that have one. [rad]

    Returns
    -------
    LinkBudget
        As of a downlink, with three lengths at the other end: ``fried_m`` is at the *transmitter*, whose turbulence
        spreads the beam; ``fried_corrected_m`` that of the wave which arrives at the satellite, a spherical wave that
        left the turbulence far behind (metres and more); the frequencies are those of the transmitter's tilt.

    Raises
    ------
    InputError
        For a satellite at or below the horizon or within the turbulence, a length that is not positive, a wavelength
        that is not in metres, a transmittance outside 0 to 1, a divergence below that of diffraction, or an unknown
        name.

    Notes
    -----
    Long-term means, beam wander included in the spot (``tilt-corrected``: left out). Scintillation about them is in
    :mod:`satqkd.channel.scintillation`.

    Examples
    --------
    The Micius uplink at its closest, with the divergence and losses of Table I:

    >>> link = uplink(
    ...     slant_range_m=499.5e3, zenith_rad=np.radians(14.0), wavelength_m=780e-9, site="hv-5-7",
    ...     tx_aperture_diameter_m=0.13, rx_aperture_diameter_m=0.30, coupling=10**-0.59, atmosphere=1.0,
    ...     receiver=10**-0.3, detector=10**-0.3, spread="fixed-divergence", divergence_rad=14e-6,
    ... )
    >>> f"{link.loss_db('geometric'):.2f} {link.loss_db():.2f}"
    '30.36 42.26'
    """
    profile = turbulence_profile(site)
    radius_of = choice("spread", spread, UPLINK_SPREADS)
    if divergence_rad is not None and spread != "fixed-divergence":
        raise InputError(
            f"divergence_rad: spread {spread!r} has its own divergence, allowed with fixed-divergence only"
        )
    wavelength = optical_wavelength_m(wavelength_m)
    distance = positive("slant_range_m", slant_range_m)
    aperture = positive("rx_aperture_diameter_m", rx_aperture_diameter_m)
    ratio = float(in_range("obscuration_ratio", obscuration_ratio, 0.0, np.nextafter(1.0, 0.0)))
    optics = {
        name: in_range(name, value, 0.0, 1.0)
        for name, value in (("atmosphere", atmosphere), ("receiver", receiver), ("detector", detector))
    }
    waist = waist_radius_m(tx_aperture_diameter_m, waist_fraction=waist_fraction)
    vacuum = diffraction_radius_m(distance, wavelength_m=wavelength, waist_radius_m=waist, beam_quality=beam_quality)
    path: dict[str, Any] = {"profile": profile, "wavelength_m": wavelength, "zenith_rad": zenith_rad}
    fried = fried_parameter_m(**path)
    arriving = fried_parameter_spherical_m(**path, slant_range_m=distance, source="ground")
    spot = radius_of(
        UplinkBeam(
            slant_range_m=distance,
            zenith_rad=np.asarray(zenith_rad, dtype=np.float64),
            wavelength_m=wavelength,
            tx_aperture_diameter_m=np.asarray(tx_aperture_diameter_m, dtype=np.float64),
            waist_radius_m=waist,
            vacuum_radius_m=vacuum,
            fried_m=fried,
            profile=profile,
            divergence_rad=None if divergence_rad is None else np.asarray(divergence_rad, dtype=np.float64),
        )
    )
    least = np.sqrt(vacuum**2 - waist**2) / distance
    if divergence_rad is not None and np.any(np.asarray(divergence_rad) < least):
        raise InputError(
            f"divergence_rad: below diffraction, which spreads this beam by {float(np.max(least)):.3g} rad"
        )
    pointing = pointing_transmittance(
        distance, beam_radius_m=spot, jitter_rad=jitter_rad, bias_x_rad=bias_rad, reading=jitter_reading
    )
    strehl = strehl_ratio(aperture_diameter_m=aperture, fried_m=arriving)
    seen: dict[str, Any] = {**path, "lower_height": greenwood_lower_height, "slew_rad_s": slew_rad_s}
    fields: dict[str, Array] = {
        "geometric": annular_collected_fraction(
            spot, aperture_diameter_m=aperture, obscuration_diameter_m=ratio * aperture
        ),
        "pointing": pointing,
        "coupling": coupled_fraction(
            coupling,
            _Focus(
                wavelength_m=wavelength,
                aperture_m=aperture,
                fried_m=arriving,
                strehl=strehl,
                half_angle_rad=field_of_view_half_angle_rad,
                obscuration_ratio=ratio,
            ),
        ),
        **optics,
        "waist_radius_m": waist,
        "diffraction_radius_m": vacuum,
        "spot_radius_m": spot,
        "broadening": np.asarray((spot / vacuum) ** 2 - 1.0),
        "fried_m": fried,
        "fried_corrected_m": arriving,
        "greenwood_hz": greenwood_frequency_hz(**seen),
        "tracking_hz": tracking_frequency_hz(**seen, aperture_diameter_m=tx_aperture_diameter_m),
        "strehl": strehl,
    }
    fields["total"] = fields["geometric"] * pointing * fields["coupling"]
    for transmittance in optics.values():
        fields["total"] = fields["total"] * transmittance
    return LinkBudget(**dict(zip(fields, np.broadcast_arrays(*fields.values()), strict=True)))
