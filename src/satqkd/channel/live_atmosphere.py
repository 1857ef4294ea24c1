"""Radiative transfer with sasktran2 (extra ``atmosphere``), fed with this project's own optical properties.

Everything that the solver needs is handed over as numbers; its databases, which are downloaded when first used, are
never touched.

References
----------
.. [1] D. Zawada et al., sasktran2, University of Saskatchewan (MIT licence).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.channel.atmosphere_layers import AtmosphereLayers
from satqkd.channel.atmosphere_tables import check_in_range
from satqkd.constants import MEAN_EARTH_RADIUS_M
from satqkd.errors import InputError, MissingExtraError

__all__ = ["live_radiance", "live_transmittance"]

FloatArray = NDArray[np.float64]

MOMENTS = 128
"""Legendre coefficients of the phase function in single scattering."""

HIGHEST_VIEW_ZENITH_RAD = np.radians(89.0)
HIGHEST_SUN_ZENITH_RAD = np.radians(95.0)


def _sasktran2() -> Any:
    try:
        import sasktran2
    except ImportError:
        raise MissingExtraError("the live radiative-transfer solver", "atmosphere") from None
    return sasktran2


def _solve(layers: AtmosphereLayers, config: Any, sun_zenith_rad: float, rays: list[Any], albedo: float) -> FloatArray:
    solver = _sasktran2()
    geometry = solver.Geometry1D(
        float(np.cos(sun_zenith_rad)),
        0.0,
        MEAN_EARTH_RADIUS_M + layers.station_altitude_m,
        layers.altitude_m,
        solver.InterpolationMethod.LinearInterpolation,
        solver.GeometryType.Spherical,
    )
    viewing = solver.ViewingGeometry()
    for ray in rays:
        viewing.add_ray(ray)
    atmosphere = solver.Atmosphere(
        geometry, config, wavelengths_nm=np.array([layers.wavelength_m * 1e9]), calculate_derivatives=False
    )
    atmosphere["everything"] = solver.constituent.Manual(
        layers.extinction_per_m[:, None].copy(),
        layers.single_scattering_albedo[:, None].copy(),
        layers.legendre_moments(config.num_singlescatter_moments)[:, :, None],
    )
    atmosphere["ground"] = solver.constituent.LambertianSurface(albedo)
    result = solver.Engine(config, geometry, viewing).calculate_radiance(atmosphere)
    return np.asarray(result["radiance"].values, dtype=np.float64).ravel()


def live_transmittance(layers: AtmosphereLayers, *, zenith_rad: ArrayLike) -> FloatArray:
    """Direct transmittance by the solver's ray tracing through spherical shells.

    Parameters
    ----------
    layers : AtmosphereLayers
        The atmosphere.
    zenith_rad : array_like
        Zenith angle at the station from 0 to 89 deg, any shape. [rad]

    Returns
    -------
    ndarray
        Transmittance in [0, 1], Beer's law for all components. [1]

    Raises
    ------
    MissingExtraError
        If sasktran2 is not installed.
    InputError
        For a zenith angle out of range.
    """
    solver = _sasktran2()
    degree = float(np.degrees(1.0))
    zenith = check_in_range(
        zenith_rad, 0.0, float(HIGHEST_VIEW_ZENITH_RAD), what="zenith angle", unit="deg", scale=degree
    )
    config = solver.Config()
    config.num_streams = 2
    config.num_singlescatter_moments = 4
    config.num_threads = 1
    config.single_scatter_source = solver.SingleScatterSource.NoSource
    config.multiple_scatter_source = solver.MultipleScatterSource.NoSource
    config.occultation_source = solver.OccultationSource.Standard
    rays = [solver.SolarAnglesObserverLocation(1.0, 0.0, float(np.cos(z)), 0.0) for z in zenith.ravel()]
    return _solve(layers, config, 0.0, rays, 0.0).reshape(zenith.shape)


def live_radiance(
    layers: AtmosphereLayers,
    *,
    sun_zenith_rad: float,
    view_zenith_rad: ArrayLike,
    relative_azimuth_rad: ArrayLike,
    albedo: float = 0.0,
    streams: int = 16,
) -> FloatArray:
    """Sky radiance at the station relative to the irradiance above the atmosphere, all orders of scattering.

    Parameters
    ----------
    layers : AtmosphereLayers
        The atmosphere.
    sun_zenith_rad : float
        Zenith angle of the Sun from 0 to 95 deg. [rad]
    view_zenith_rad : array_like
        Zenith angle of the line of sight from 0 to 89 deg. [rad]
    relative_azimuth_rad : array_like
        Azimuth of the line of sight minus that of the Sun, broadcast against the zenith angle; 0 looks towards the
        Sun's side. [rad]
    albedo : float
        Of the ground, Lambertian, from 0 to 1. [1]
    streams : int
        Discrete ordinates of the full sphere, even, at least 4.

    Returns
    -------
    ndarray
        Radiance per irradiance of a surface that faces the Sun, the angles' broadcast shape. [1/sr]

    Raises
    ------
    MissingExtraError
        If sasktran2 is not installed.
    InputError
        For an angle, albedo or number of streams out of range.

    Notes
    -----
    Exact single scattering along the spherical path, multiple scattering by discrete ordinates with delta-M scaling in
    the solver's pseudo-spherical approximation. The Sun is a point: within its disc and aureole of about 1 deg the
    radiance depends on the number of Legendre moments and means nothing.
    """
    solver = _sasktran2()
    degree = float(np.degrees(1.0))
    check_in_range(sun_zenith_rad, 0.0, float(HIGHEST_SUN_ZENITH_RAD), what="Sun zenith", unit="deg", scale=degree)
    view = check_in_range(
        view_zenith_rad, 0.0, float(HIGHEST_VIEW_ZENITH_RAD), what="view zenith", unit="deg", scale=degree
    )
    check_in_range(albedo, 0.0, 1.0, what="ground albedo", unit="")
    if streams < 4 or streams % 2:
        raise InputError(f"streams: {streams}, must be even and at least 4")
    view, azimuth = np.broadcast_arrays(view, np.asarray(relative_azimuth_rad, dtype=np.float64))
    config = solver.Config()
    config.num_streams = streams
    config.num_singlescatter_moments = MOMENTS
    config.delta_m_scaling = True
    config.num_threads = 1
    config.multiple_scatter_source = solver.MultipleScatterSource.DiscreteOrdinates
    config.single_scatter_source = solver.SingleScatterSource.Exact
    cos_sun = float(np.cos(sun_zenith_rad))
    rays = [
        solver.SolarAnglesObserverLocation(cos_sun, float(a), float(np.cos(z)), 0.0)
        for z, a in zip(view.ravel(), azimuth.ravel(), strict=True)
    ]
    return _solve(layers, config, float(sun_zenith_rad), rays, albedo).reshape(view.shape)
