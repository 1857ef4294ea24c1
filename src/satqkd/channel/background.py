r"""Background light in a gate: from the sky's radiance to the noise-click probability of a detector.

Mannalath, Zapatero and Curty, arXiv:2605.29706, App. B, D and H.13 (Eqs. 43, 87-90, 172); the receiver's part is in
:mod:`satqkd.channel.acceptance`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel._inputs import choice, in_range, positive
from satqkd.channel.acceptance import acceptance_m3_s_sr, field_of_view_sr, filter_width_m, photon_flux
from satqkd.errors import InputError

__all__ = ["ARMS", "NoiseLevel", "critical_radiance", "noise"]

FloatArray = NDArray[np.float64]


def _share_active(split: FloatArray | None) -> FloatArray:
    if split is not None:
        raise InputError("split: only a passive receiver splits its light; give arm='z' or arm='x', or no split")
    return np.asarray(1.0)


def _given(split: FloatArray | None) -> FloatArray:
    if split is None:
        raise InputError("split: missing; arm='z' and arm='x' need the fraction of the light in the X arm")
    return in_range("split", split, 0.0, 1.0)


ARMS: Final[Mapping[str, Callable[[FloatArray | None], FloatArray]]] = MappingProxyType(
    {"active": _share_active, "z": lambda split: 1.0 - _given(split), "x": lambda split: _given(split)}
)
"""Fraction of the received light in the detector's arm, from the split."""


@dataclass(frozen=True, slots=True)
class NoiseLevel:
    """Background and dark counts of one detector in one gate.

    Attributes
    ----------
    photons_per_gate : ndarray
        Mean number of background photons that enter the telescope within field of view, filter and gate, Eq. 172;
        both polarisations, all arms. [1]
    p_noise : ndarray
        Probability that the detector clicks without signal, Eqs. 43, 89, 90. [1]
    p_dark : ndarray
        Its part by dark counts alone. [1]
    solid_angle_sr : ndarray
        Field of view. [sr]
    """

    photons_per_gate: FloatArray
    p_noise: FloatArray
    p_dark: FloatArray
    solid_angle_sr: FloatArray


def _share(arm: str, split: ArrayLike | None) -> FloatArray:
    return choice("arm", arm, ARMS)(None if split is None else np.asarray(split, dtype=np.float64))


def noise(
    *,
    radiance_mw_m2_nm_sr: ArrayLike,
    wavelength_m: ArrayLike,
    filter_hz: ArrayLike,
    gate_s: ArrayLike,
    rx_aperture_diameter_m: ArrayLike,
    coupling: str,
    receiver: ArrayLike,
    detector: ArrayLike,
    dark_count_hz: ArrayLike,
    arm: str = "active",
    split: ArrayLike | None = None,
    field_of_view_half_angle_rad: ArrayLike | None = None,
    obscuration_ratio: ArrayLike = 0.0,
    constants: str = "published",
) -> NoiseLevel:
    r"""Background photons per gate and noise-click probability of one detector.

    Parameters
    ----------
    radiance_mw_m2_nm_sr : array_like
        Spectral radiance of the sky in the direction of view. [mW m-2 nm-1 sr-1]
    wavelength_m : array_like
        Vacuum wavelength. [m]
    filter_hz : array_like
        Full width of the filter in frequency. [Hz]
    gate_s : array_like
        Detection gate. [s]
    rx_aperture_diameter_m : array_like
        Clear diameter of the receiver. [m]
    coupling : {"single-mode-fibre", "free-space", "free-space-seeing", "diffraction-limited"}
        Field of view, :data:`~satqkd.channel.acceptance.FIELDS_OF_VIEW`.
    receiver : array_like
        Transmittance of the receiver's optics and filter. [1]
    detector : array_like
        Detection efficiency. [1]
    dark_count_hz : array_like
        Dark-count rate of the detector. [1/s]
    arm : {"active", "z", "x"}
        Detector of an active receiver, or of an arm of a passive one.
    split : array_like, optional
        Fraction of the light in the X arm; needed for ``z`` and ``x`` (symmetric passive: 0.5). [1]
    field_of_view_half_angle_rad : array_like, optional
        Half angle of a free-space receiver; the first dark Airy ring if not given (``free-space``). [rad]
    obscuration_ratio : array_like
        Diameter of the central obscuration per diameter of the receiver, 0 to 1. [1]
    constants : {"published", "si"}
        :data:`~satqkd.channel.acceptance.CONSTANTS`.

    Returns
    -------
    NoiseLevel
        Arrays of the arguments' common shape.

    Raises
    ------
    InputError
        A value is outside its range or a name is unknown.

    Notes
    -----
    :math:`\bar n_B = H\,\Gamma_R` and :math:`p = 1 - \exp(-s\,\eta_R\eta_D\bar n_B/2)(1-p_d)` with the share
    :math:`s` of the light in the arm (1 in an active receiver) and 2 for the polarising beam splitter. Dark counts
    are a Poisson process, :math:`1-p_d = \exp(-R\,\Delta t)`.

    References
    ----------
    .. [1] arXiv:2605.29706, Eqs. 43, 87-90, 172-174.

    Examples
    --------
    >>> day = noise(
    ...     radiance_mw_m2_nm_sr=4.18, wavelength_m=854.445e-9, filter_hz=10e9, gate_s=1e-9,
    ...     rx_aperture_diameter_m=1.5, coupling="single-mode-fibre", receiver=10**-0.4, detector=0.95,
    ...     dark_count_hz=0.1,
    ... )
    >>> f"{day.p_noise:.2g}"
    '7.6e-08'
    """  # fmt: skip
    view_sr = field_of_view_sr(
        coupling=coupling,
        wavelength_m=wavelength_m,
        rx_aperture_diameter_m=rx_aperture_diameter_m,
        half_angle_rad=field_of_view_half_angle_rad,
    )
    gate = positive("gate_s", gate_s)
    dark = in_range("dark_count_hz", dark_count_hz, 0.0, np.inf) * gate
    efficiency = in_range("receiver", receiver, 0.0, 1.0) * in_range("detector", detector, 0.0, 1.0)
    admitted = 0.5 * _share(arm, split) * efficiency
    photons = photon_flux(radiance_mw_m2_nm_sr, wavelength_m, constants=constants) * acceptance_m3_s_sr(
        width_m=filter_width_m(filter_hz, wavelength_m, constants=constants),
        gate_s=gate,
        view_sr=view_sr,
        rx_aperture_diameter_m=rx_aperture_diameter_m,
        obscuration_ratio=obscuration_ratio,
    )
    p_noise = -np.expm1(-(admitted * photons + dark))
    shaped = np.broadcast_arrays(photons, p_noise, -np.expm1(-dark), view_sr)
    return NoiseLevel(*(np.array(array) for array in shaped))


def critical_radiance(
    *,
    p_noise: ArrayLike,
    wavelength_m: ArrayLike,
    filter_hz: ArrayLike,
    gate_s: ArrayLike,
    rx_aperture_diameter_m: ArrayLike,
    coupling: str = "diffraction-limited",
    receiver: ArrayLike,
    detector: ArrayLike,
    dark_count_hz: ArrayLike = 0.0,
    arm: str = "active",
    split: ArrayLike | None = None,
    field_of_view_half_angle_rad: ArrayLike | None = None,
    obscuration_ratio: ArrayLike = 0.0,
    constants: str = "published",
) -> FloatArray:
    r"""Sky radiance at which a detector's noise-click probability reaches a value: the inverse of :func:`noise`.

    Parameters
    ----------
    p_noise : array_like
        Noise-click probability in (0, 1), above that of the dark counts. [1]
    wavelength_m, filter_hz, gate_s, rx_aperture_diameter_m : array_like
        As in :func:`noise`.
    coupling : {"diffraction-limited", "single-mode-fibre", "free-space", "free-space-seeing"}
        Field of view; the default is the estimate of Sec. V.2.
    receiver, detector : array_like
        As in :func:`noise`; positive.
    dark_count_hz : array_like
        As in :func:`noise`; 0: the background alone reaches ``p_noise``. [1/s]
    arm, split, field_of_view_half_angle_rad, obscuration_ratio, constants : str, array_like
        As in :func:`noise`.

    Returns
    -------
    ndarray
        :math:`\tilde H_{crit}`. [mW m-2 nm-1 sr-1]

    Raises
    ------
    InputError
        A value is outside its range, or the dark counts alone exceed ``p_noise``.
    """
    one = noise(
        radiance_mw_m2_nm_sr=1.0,
        wavelength_m=wavelength_m,
        filter_hz=filter_hz,
        gate_s=gate_s,
        rx_aperture_diameter_m=rx_aperture_diameter_m,
        coupling=coupling,
        receiver=receiver,
        detector=detector,
        dark_count_hz=dark_count_hz,
        arm=arm,
        split=split,
        field_of_view_half_angle_rad=field_of_view_half_angle_rad,
        obscuration_ratio=obscuration_ratio,
        constants=constants,
    )
    target = in_range("p_noise", p_noise, 0.0, np.nextafter(1.0, 0.0))
    dark = np.asarray(dark_count_hz, dtype=np.float64) * np.asarray(gate_s, dtype=np.float64)
    light = -np.log1p(-target) - dark
    if not np.all(light > 0.0):
        raise InputError(f"p_noise: {float(target.min()):g} is not allowed, the dark counts alone give as much")
    efficiency = np.asarray(receiver, float) * np.asarray(detector, float) * _share(arm, split)
    per_radiance = positive("receiver * detector * share", efficiency) / 2.0 * one.photons_per_gate
    return np.asarray(light / positive("open aperture", per_radiance))
