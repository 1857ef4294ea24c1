"""Contended constellations by a seed, to measure planning on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satqkd.channel.divergence import beam_radius_m, collected_fraction, slab_loss_db
from satqkd.orbit.circular import walker
from satqkd.orbit.frames import geodetic_to_ecef, look_angles
from satqkd.orbit.site import ElevationMask, Site
from satqkd.security.gllp import key_rate

__all__ = ["Samples", "polar_constellation"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

EPOCH = np.datetime64("2026-03-20T00:00:00", "ns")
STEP = np.timedelta64(10, "s")
_ELEVATION_MIN_RAD = np.radians(10.0)


@dataclass(frozen=True)
class Samples:
    """What each satellite could deliver to each station in each interval, where that is not nothing.

    Attributes
    ----------
    satellite, interval, station : ndarray of int, shape (n,)
        Indices.
    bits : ndarray, shape (n,)
        Secret bits, whole numbers. [bit]
    shape : tuple of int
        Numbers of satellites and stations.
    """

    satellite: Integers
    interval: Integers
    station: Integers
    bits: Floats
    shape: tuple[int, int]

    @property
    def contested(self) -> float:
        """Share of the station intervals with any key that two or more satellites want."""
        _, wanted = np.unique(self.interval * self.shape[1] + self.station, return_counts=True)
        return float(np.mean(wanted > 1)) if len(wanted) else 0.0


def interval_bits(elevation_rad: Floats, slant_range_m: Floats) -> Floats:
    """Asymptotic secret bits of 10 s: fixed divergence, slab atmosphere, two decoys.

    Parameters
    ----------
    elevation_rad : ndarray
        Elevation, above 0. [rad]
    slant_range_m : ndarray
        Distance. [m]

    Returns
    -------
    ndarray
        Whole bits.

    Notes
    -----
    850 nm, 10 urad, 1 m aperture, 3 dB in the zenith and 3 dB at the receiver, 100 MHz, intensities 0.5 and 0.1,
    background 1e-6, misalignment 1 %: a plain downlink, as only its dependence on elevation matters here.
    """
    radius_m = beam_radius_m(slant_range_m, wavelength_m=850e-9, divergence_rad=10e-6)
    loss_db = slab_loss_db(elevation_rad, zenith_loss_db=3.0) + 3.0
    transmittance = collected_fraction(radius_m, aperture_diameter_m=1.0) * 10.0 ** (-0.1 * loss_db)
    rate = key_rate(transmittance, mu=0.5, nu=0.1, y0=1e-6, misalignment=0.01, f_ec=1.16, sifting=0.5)
    return np.floor(rate * 100e6 * 10.0)


def polar_constellation(seed: int, *, hours: float = 24.0) -> Samples:
    """Walker 97.4 deg: 20/5/1 at 500 km above 60 random stations between 60 and 80 deg north, 0 and 20 deg east.

    Parameters
    ----------
    seed : int
        Of the stations' positions.
    hours : float
        Length of the plan from the epoch, in intervals of 10 s. [h]

    Returns
    -------
    Samples
        By day and by night, above 10 deg of elevation.

    Notes
    -----
    At these latitudes the orbital planes meet: 61 to 64 % of the station intervals are wanted by two satellites or
    more. The same box around 50 deg north has 1 %, around 60 deg 26 %.
    """
    rng = np.random.default_rng(seed)
    mask = ElevationMask.constant(float(_ELEVATION_MIN_RAD))
    sites = [
        Site(f"station {k}", float(latitude), float(longitude), 0.0, mask)
        for k, (latitude, longitude) in enumerate(
            np.radians(rng.uniform([60.0, 0.0], [80.0, 20.0], size=(60, 2))).tolist()
        )
    ]
    flights = walker(float(np.radians(97.4)), 20, 5, 1, 500e3, EPOCH)
    index = np.arange(round(hours * 360.0))
    places = np.stack([geodetic_to_ecef(site.latitude_rad, site.longitude_rad, 0.0) for site in sites])
    up = places / np.linalg.norm(places, axis=1, keepdims=True)
    found: list[tuple[Integers, ...]] = []
    bits: list[Floats] = []
    for number, flight in enumerate(flights):
        position, velocity = flight.states_ecef(EPOCH + index * STEP)
        outward = position / np.linalg.norm(position, axis=1, keepdims=True)
        for station, site in enumerate(sites):
            near = np.flatnonzero(outward @ up[station] > np.cos(np.radians(20.0)))  # 10 deg of elevation: within 15
            angles = look_angles(position[near], velocity[near], site)
            seen = np.flatnonzero(angles.elevation_rad >= _ELEVATION_MIN_RAD)
            own = interval_bits(angles.elevation_rad[seen], angles.slant_range_m[seen])
            useful = seen[own > 0.0]
            found.append((np.full(len(useful), number), index[near[useful]], np.full(len(useful), station)))
            bits.append(own[own > 0.0])
    satellite, interval, at = (np.concatenate(each) for each in zip(*found, strict=True))
    return Samples(satellite, interval, at, np.concatenate(bits), (len(flights), len(sites)))
