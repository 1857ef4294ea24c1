"""Clouds: what they take from the direct beam, and how often the sky is clear, thinly or thickly covered.

References
----------
.. [1] V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706 (App. H.11.1: classes of cloud, Eq. 170).
.. [2] X. Wang et al., "Exploiting potentialities for space-based quantum communication network: downlink quantum
   key distribution modelling and scheduling analysis" (Eq. 3).
.. [3] G. L. Stephens, "Radiation profiles in extended water clouds. II", J. Atmos. Sci. 35, 2123 (1978).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.constants import WANG_OPAQUE_THICKNESS
from satqkd.errors import InputError

__all__ = [
    "CLASS_CUTS", "CLOUD_CITATIONS", "CLOUD_MODELS", "REPRESENTATIVE_THICKNESS", "CloudModel", "SkyFractions",
    "beer_lambert_cloud_transmittance", "expectation", "fractions_of_bins", "fractions_of_exceedance",
    "fractions_of_samples", "linear_cloud_transmittance", "liquid_water_thickness",
]  # fmt: skip

FloatArray = NDArray[np.float64]

CLASS_CUTS: Final = (0.05, 1.3, 3.6)
"""Optical thickness above which a sky is not clear, not thin, not thick any more (then: opaque). The upper two are
bounds of the ISCCP histogram; its first bin reaches down to a retrieval's limit, which the first cut stands for."""

REPRESENTATIVE_THICKNESS: Final[Mapping[str, float]] = MappingProxyType({"clear": 0.0, "thin": 0.65, "thick": 2.45})
"""Optical thickness that stands for a class: the middle of its histogram bin (Mannalath et al., App. H.11.1)."""

_LEAST_THICKNESS: Final = 1e-5
"""What an exceedance map's zero counts as where thickness is interpolated in its logarithm; fitted: with it the ITU-R
maps give Madrid a clear fraction of 0.64 (0.63 with 1e-4, 0.65 with 1e-6; they bound it to 0.51 .. 0.70 only)."""

_ROUNDING: Final = 1e-5
"""By how much fractions in single precision, or printed to six digits, may miss their sum."""

_WATER_DENSITY_KG_M3: Final = 1000.0


class CloudModel(Protocol):
    """From a cloud's thickness, on the model's own scale, to its transmittance."""

    def __call__(self, thickness: ArrayLike, /, *, elevation_rad: ArrayLike) -> FloatArray:
        """Transmittance in [0, 1], of the broadcast shape. [1]"""


def beer_lambert_cloud_transmittance(optical_thickness: ArrayLike, /, *, elevation_rad: ArrayLike) -> FloatArray:
    r"""Part of the direct beam that passes a plane cloud layer.

    Parameters
    ----------
    optical_thickness : array_like
        :math:`\tau` of the layer at zenith, 0 or more; infinite: opaque. [1]
    elevation_rad : array_like
        Elevation above the horizon in (0, pi/2], broadcast against the thickness. [rad]

    Returns
    -------
    ndarray
        :math:`\exp(-\tau / \sin\theta)`. [1]

    Raises
    ------
    InputError
        For a thickness that is negative or not a number, or an elevation at or below the horizon.

    Notes
    -----
    Extinction of the unscattered beam only: drops scatter into some degrees, far beyond a telescope's field of view, so
    that scattered light is not counted. The extinction of drops of 10 um hardly depends on the wavelength here: their
    thickness in the visible serves within 1.4 % at 656 and 854 nm and within 5 % at 1550 nm.
    """
    tau, elevation = np.asarray(optical_thickness, dtype=np.float64), np.asarray(elevation_rad, dtype=np.float64)
    if not np.all(tau >= 0.0):
        raise InputError("optical thickness of clouds must be at least 0 everywhere")
    if not np.all(elevation > 0.0):
        lowest = float(np.degrees(np.min(elevation)))
        raise InputError(f"an optical thickness of clouds needs elevations above 0 deg, the lowest is {lowest:.2f} deg")
    return np.asarray(np.exp(-tau / np.sin(elevation)))


def linear_cloud_transmittance(thickness: ArrayLike, /, *, elevation_rad: ArrayLike | None = None) -> FloatArray:
    r"""Transmittance of a cloud on the integer scale of Wang et al., Eq. 3 as printed.

    Parameters
    ----------
    thickness : array_like
        :math:`\alpha` from 0 (cloudless) to 150 (opaque), any shape. [1]
    elevation_rad : array_like or None
        Not used: the formula knows no slant path. Here so that all models are called alike. [rad]

    Returns
    -------
    ndarray
        :math:`(150 - \alpha) / 150`. [1]

    Raises
    ------
    InputError
        For a value outside 0 .. 150 or not a number.

    Notes
    -----
    The paper's :math:`\alpha` is the optical thickness of the Himawari-8 product, but the formula is not Beer and
    Lambert's: for :math:`\tau = 2.45` at zenith it gives 0.07 dB, :func:`beer_lambert_cloud_transmittance` 10.6 dB.
    """
    alpha = np.asarray(thickness, dtype=np.float64)
    if not np.all((alpha >= 0.0) & (alpha <= WANG_OPAQUE_THICKNESS)):
        raise InputError(f"cloud thickness must be from 0 to {WANG_OPAQUE_THICKNESS:g}")
    return np.asarray((WANG_OPAQUE_THICKNESS - alpha) / WANG_OPAQUE_THICKNESS)


CLOUD_MODELS: Final[Mapping[str, CloudModel]] = MappingProxyType(
    {"optical-thickness": beer_lambert_cloud_transmittance, "wang": linear_cloud_transmittance}
)
"""Name in ``clouds.model`` -> model."""

CLOUD_CITATIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "optical-thickness": (
            "V. Mannalath, V. Zapatero, M. Curty, arXiv:2605.29706 (clouds by their optical thickness, App. H.11.1)",
        ),
        "wang": (
            "X. Wang et al., Exploiting potentialities for space-based quantum communication network: downlink quantum "
            "key distribution modelling and scheduling analysis (clouds, Eq. 3)",
        ),
    }
)
"""What to cite for each model."""


@dataclass(frozen=True)
class SkyFractions:
    """Fractions of time with a clear, thinly or thickly clouded sky; the rest is opaque.

    Parameters
    ----------
    clear, thin, thick : ndarray
        In [0, 1], of one shape, their sum at most 1. [1]
    """

    clear: FloatArray
    thin: FloatArray
    thick: FloatArray

    def __post_init__(self) -> None:
        """Refuse what is no set of fractions."""
        parts = np.stack(np.broadcast_arrays(self.clear, self.thin, self.thick))
        if not np.all((parts >= 0.0) & (parts <= 1.0)):
            raise InputError("fractions of clear, thin and thick must be from 0 to 1 everywhere")
        if not np.all(parts.sum(axis=0) <= 1.0 + _ROUNDING):
            raise InputError(f"fractions of clear, thin and thick sum to {parts.sum(axis=0).max():.6g}, more than 1")

    @property
    def opaque(self) -> FloatArray:
        """Fraction of time with clouds too thick for any key. [1]"""
        return np.asarray(np.maximum(1.0 - self.clear - self.thin - self.thick, 0.0))


def fractions_of_samples(
    optical_thickness: ArrayLike, *, cuts: tuple[float, float, float] = CLASS_CUTS
) -> SkyFractions:
    """Count samples of optical thickness into classes.

    Parameters
    ----------
    optical_thickness : array_like
        Samples along the last axis; NaN: no data, left out of the count. [1]
    cuts : tuple of float
        Largest thickness that counts as clear, thin, thick. [1]

    Returns
    -------
    SkyFractions
        Shape of the samples without their last axis.

    Raises
    ------
    InputError
        For a negative sample, cuts that do not increase, or a place without any data.
    """
    samples = np.asarray(optical_thickness, dtype=np.float64)
    _check_cuts(cuts)
    if np.any(samples < 0.0):
        raise InputError("optical thickness of clouds must be at least 0 everywhere")
    known = np.count_nonzero(~np.isnan(samples), axis=-1)
    if not np.all(known > 0):
        raise InputError("no data: all samples of optical thickness are missing at one place or more")
    # a comparison with NaN is False: what is missing is below no cut
    below = [np.count_nonzero(samples <= cut, axis=-1) / known for cut in cuts]
    return SkyFractions(clear=below[0], thin=below[1] - below[0], thick=below[2] - below[1])


def fractions_of_bins(cot_fraction: ArrayLike) -> SkyFractions:
    """Classes from the fractions of a histogram's bins of optical thickness, Eq. 170 of Mannalath et al.

    Parameters
    ----------
    cot_fraction : array_like
        Fraction of time in each bin along the last axis, thinnest first, two bins or more (CRAAS has six). [1]

    Returns
    -------
    SkyFractions
        Clear is what no bin holds, thin the first bin, thick the second; shape without the last axis.

    Raises
    ------
    InputError
        For fractions outside 0 .. 1, sums above 1, or fewer than two bins.
    """
    bins = np.asarray(cot_fraction, dtype=np.float64)
    if bins.ndim == 0 or bins.shape[-1] < 2:
        raise InputError("a histogram of optical thickness needs at least two bins")
    if not np.all((bins >= 0.0) & (bins <= 1.0)):
        raise InputError("fractions of a histogram must be from 0 to 1 everywhere")
    total = bins.sum(axis=-1)
    if np.any(total > 1.0 + _ROUNDING):
        raise InputError(f"fractions of a histogram sum to {total.max():.6g}, more than 1")
    return SkyFractions(clear=np.asarray(np.maximum(1.0 - total, 0.0)), thin=bins[..., 0], thick=bins[..., 1])


def fractions_of_exceedance(
    optical_thickness: ArrayLike, *, probability: ArrayLike, cuts: tuple[float, float, float] = CLASS_CUTS
) -> SkyFractions:
    """Classes from the thickness that is exceeded with given probabilities.

    Parameters
    ----------
    optical_thickness : array_like
        Thickness exceeded with each probability along the last axis, not increasing. [1]
    probability : array_like
        Increasing, in (0, 1), one per thickness. [1]
    cuts : tuple of float
        Largest thickness that counts as clear, thin, thick; above 1e-5. [1]

    Returns
    -------
    SkyFractions
        Shape of the thickness without its last axis.

    Raises
    ------
    InputError
        For values out of order or range, or a cut that the curve does not reach.

    Notes
    -----
    The probability is interpolated linearly in the logarithm of the thickness. A zero of the curve counts as 1e-5: a
    number fitted to the clear fraction of Madrid, which matters only where a cut lies between a zero and the last value
    above it.
    """
    curve, chance = np.asarray(optical_thickness, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    _check_cuts(cuts)
    if cuts[0] <= _LEAST_THICKNESS:
        raise InputError(f"the first cut must be above {_LEAST_THICKNESS:g}, given is {cuts[0]:g}")
    if chance.ndim != 1 or chance.size < 2 or curve.ndim == 0 or curve.shape[-1] != chance.size:
        raise InputError("an exceedance curve needs one thickness for each of at least two probabilities")
    if not (np.all(np.diff(chance) > 0.0) and chance[0] > 0.0 and chance[-1] < 1.0):
        raise InputError("probabilities of an exceedance curve must increase within 0 .. 1")
    if not (np.all(curve >= 0.0) and np.all(np.diff(curve, axis=-1) <= 0.0)):
        raise InputError("thicknesses of an exceedance curve must be numbers of at least 0 that do not increase")
    if np.any(curve[..., 0] < cuts[-1]) or np.any(curve[..., -1] > cuts[0]):
        raise InputError(f"an exceedance curve does not reach over all of {cuts[0]:g} .. {cuts[-1]:g}")
    rows = np.log(np.maximum(curve.reshape(-1, chance.size), _LEAST_THICKNESS))
    # np.interp wants increasing abscissae: thickness falls along a row
    exceeded = np.array([np.interp(np.log(cuts), row[::-1], chance[::-1]) for row in rows])
    above = exceeded.reshape(*curve.shape[:-1], 3)
    return SkyFractions(
        clear=1.0 - above[..., 0], thin=above[..., 0] - above[..., 1], thick=above[..., 1] - above[..., 2]
    )


def liquid_water_thickness(columnar_liquid_kg_m2: ArrayLike, *, effective_radius_m: float = 10e-6) -> FloatArray:
    r"""Optical thickness of a water cloud from its liquid water, :math:`\tau = 3L / 2\rho r_e` (Stephens 1978).

    Parameters
    ----------
    columnar_liquid_kg_m2 : array_like
        :math:`L`, liquid water above a unit area, 0 or more. [kg/m^2]
    effective_radius_m : float
        :math:`r_e` of the drops, above 0. [m]

    Returns
    -------
    ndarray
        Optical thickness, for an extinction efficiency of 2 (drops much larger than the wavelength). [1]

    Raises
    ------
    InputError
        For a negative or missing amount of water, or a radius that is not positive.
    """
    liquid = np.asarray(columnar_liquid_kg_m2, dtype=np.float64)
    if not np.all(liquid >= 0.0):
        raise InputError("liquid water of clouds must be a number of at least 0 kg/m^2 everywhere")
    if not effective_radius_m > 0.0:
        raise InputError(f"effective radius of drops must be above 0 m, given is {effective_radius_m:g} m")
    return np.asarray(1.5 * liquid / (_WATER_DENSITY_KG_M3 * effective_radius_m))


def expectation(fractions: SkyFractions, *, clear: ArrayLike, thin: ArrayLike, thick: ArrayLike) -> FloatArray:
    """Mean of something that is known under each class of sky, and zero under opaque clouds.

    Parameters
    ----------
    fractions : SkyFractions
        How often each class occurs.
    clear, thin, thick : array_like
        Value under each class, such as the bits of a key, broadcast against the fractions.

    Returns
    -------
    ndarray
        Values weighted by the fractions, in their unit.

    Notes
    -----
    Weight keys, not transmittances: the key at the mean transmittance is not the mean key.

    Examples
    --------
    >>> sky = SkyFractions(clear=np.array([0.64, 0.29]), thin=np.array([0.06, 0.14]), thick=np.array([0.06, 0.10]))
    >>> expectation(sky, clear=2.0e6, thin=[9.0e5, 5.0e5], thick=0.0)
    array([1334000.,  650000.])
    """
    values = (np.asarray(value, dtype=np.float64) for value in (clear, thin, thick))
    weights = (fractions.clear, fractions.thin, fractions.thick)
    return np.asarray(sum(weight * value for weight, value in zip(weights, values, strict=True)))


def _check_cuts(cuts: tuple[float, float, float]) -> None:
    if not 0.0 <= cuts[0] < cuts[1] < cuts[2] < np.inf:
        raise InputError(f"cuts between classes must increase from at least 0, given are {cuts}")
