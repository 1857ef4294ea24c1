"""Annual statistics of cloud liquid water from the maps of Recommendation ITU-R P.840, by the package itur.

The maps are files of that package; nothing is downloaded.

References
----------
.. [1] Recommendation ITU-R P.840, "Attenuation due to clouds and fog": maps of the reduced columnar liquid water.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError, MissingExtraError

__all__ = ["PROBABILITIES", "exceeded_liquid_water"]

PROBABILITIES: Final = (
    0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
)  # fmt: skip
"""Fractions of an average year for which there is a map."""


def exceeded_liquid_water(*, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.float64]:
    """Columnar liquid water that is exceeded in an average year for given fractions of time.

    Parameters
    ----------
    latitude_deg, longitude_deg : array_like
        Places, shape (n,), north and east positive. [deg]

    Returns
    -------
    ndarray
        Shape (n, 18), one column per :data:`PROBABILITIES`, interpolated bilinearly in the maps. [kg/m^2]

    Raises
    ------
    MissingExtraError
        If itur is not installed.
    InputError
        For a place where the maps have no value.

    Notes
    -----
    Liquid water reduced to 0 deg C, from a numerical weather model: no ice, so no cirrus.
    """
    try:
        from itur.models import itu840
    except ImportError:
        raise MissingExtraError("the ITU-R P.840 statistics of clouds", "clouds") from None
    latitude, longitude = np.broadcast_arrays(
        np.atleast_1d(np.asarray(latitude_deg, dtype=np.float64)),
        np.atleast_1d(np.asarray(longitude_deg, dtype=np.float64)),
    )
    maps = [itu840.columnar_content_reduced_liquid(latitude, longitude, round(100.0 * p, 1)) for p in PROBABILITIES]
    water = np.stack([np.ravel(values.to_value("kg/m2")) for values in maps], axis=-1)
    bad = ~np.isfinite(water).all(axis=-1)
    if bad.any():
        raise InputError(
            f"the ITU-R P.840 maps have no value at {latitude[bad][0]:.2f} deg N, {longitude[bad][0]:.2f} deg E"
        )
    return np.asarray(water, dtype=np.float64)
