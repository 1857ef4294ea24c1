"""Losses of the geostationary downlink of Mannalath, Zapatero and Curty: Figs. 3, 15, 17, 22 and 28."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from satqkd.channel.budget import LinkBudget
from satqkd.channel.published_radiance import WAVELENGTHS_M
from satqkd.study.reproduce_004_link import budget, nanometres
from satqkd.study.reproduction import Table

__all__ = ["AO_BANDWIDTHS_HZ", "SYSTEMS", "apertures", "loss_terms", "pointing_errors", "spot_radius", "system"]

AO_BANDWIDTHS_HZ: Final = (0.0, 130.0, 500.0)
"""Columns of Fig. 28: none, low, strong; Fig. 3 has the first and the last at 854 and 1550 nm. [Hz]"""

SYSTEMS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "System 1": {"family": "apd-spec-a", "tx_aperture_diameter_m": 0.5, "rx_aperture_diameter_m": 1.0,
                     "jitter_rad": 2e-6, "ao_bandwidth_hz": 130.0},
        "System 2": {"family": "apd-spec-b", "tx_aperture_diameter_m": 0.75, "rx_aperture_diameter_m": 1.5,
                     "jitter_rad": 1e-6, "ao_bandwidth_hz": 200.0},
        "System 3": {"family": "snspd-spec-a", "tx_aperture_diameter_m": 1.0, "rx_aperture_diameter_m": 2.0,
                     "jitter_rad": 0.5e-6, "ao_bandwidth_hz": 500.0},
    }
)  # fmt: skip
"""Bundled systems of Fig. 17, urban."""

_TX_APERTURES_M: Final = (0.4, 0.6, 0.8)


def detector_name(family: str, wavelength_m: float) -> str:
    """Name in the catalogue: APDs are of silicon below 1000 nm and of InGaAs above."""
    if not family.startswith("apd"):
        return family
    return ("si-" if wavelength_m < 1e-6 else "ingaas-") + family


def apertures(points: int = 33) -> Table:
    """Figs. 3 and 28: loss over receiver and transmitter aperture.

    Parameters
    ----------
    points : int
        Values per axis; 33 are steps of 5 cm along the receiver's.

    Returns
    -------
    Table
        System loss by wavelength, bandwidth of the adaptive optics and apertures.
    """
    rx_m, tx_m = np.linspace(0.4, 2.0, points), np.linspace(0.2, 1.0, points)
    rows = []
    for wavelength_m in WAVELENGTHS_M:
        for bandwidth_hz in AO_BANDWIDTHS_HZ:
            loss_db = budget(
                wavelength_m=wavelength_m,
                rx_aperture_diameter_m=rx_m,
                tx_aperture_diameter_m=tx_m[:, None],
                ao_bandwidth_hz=bandwidth_hz,
            ).loss_db()
            names = {
                "wavelength": nanometres(wavelength_m),
                "adaptive_optics": f"{bandwidth_hz:g} Hz" if bandwidth_hz else "none",
            }
            rows += [
                {**names, "rx_aperture_m": rx, "tx_aperture_m": tx, "loss_db": loss_db[j, i].item()}
                for j, tx in enumerate(tx_m.tolist())
                for i, rx in enumerate(rx_m.tolist())
            ]
    title = "Figs. 3 and 28: loss over the apertures, urban, 60 deg"
    note = (
        "Fig. 3 is the first and last column of 854 and 1550 nm. Without adaptive optics a larger receiver gains "
        "nothing: the fibre loses what the aperture collects."
    )
    return Table("fig3_fig28", title, "rx_aperture_m", "wavelength", tuple(rows), ordinate="tx_aperture_m", note=note)


def pointing_errors(points: int = 33) -> Table:
    """Fig. 22: loss over receiver aperture and pointing error.

    Parameters
    ----------
    points : int
        Values per axis.

    Returns
    -------
    Table
        System loss by wavelength, transmitter aperture, receiver aperture and jitter.
    """
    rx_m, jitter_rad = np.linspace(0.4, 2.0, points), np.linspace(0.1e-6, 2e-6, points)
    rows = []
    for tx_m in _TX_APERTURES_M:
        for wavelength_m in WAVELENGTHS_M:
            loss_db = budget(
                wavelength_m=wavelength_m,
                rx_aperture_diameter_m=rx_m,
                tx_aperture_diameter_m=tx_m,
                jitter_rad=jitter_rad[:, None],
            ).loss_db()
            names = {"tx_aperture": f"{tx_m:g} m", "wavelength": nanometres(wavelength_m)}
            rows += [
                {**names, "rx_aperture_m": rx, "jitter_urad": 1e6 * jitter, "loss_db": loss_db[j, i].item()}
                for j, jitter in enumerate(jitter_rad.tolist())
                for i, rx in enumerate(rx_m.tolist())
            ]
    title = "Fig. 22: loss over receiver aperture and pointing error, urban, 60 deg, 130 Hz"
    note = (
        "Range of the errors: that of Table 1. The error counts per axis, which is what Eq. 155 is the formula of; the "
        "text calls it radial."
    )
    return Table("fig22", title, "rx_aperture_m", "wavelength", tuple(rows), ordinate="jitter_urad", note=note)


def spot_radius(zenith_deg: tuple[float, ...] = tuple(range(0, 81, 2))) -> Table:
    """Fig. 15: radius of the spot on the ground, coastal, transmitter of 1 m.

    Parameters
    ----------
    zenith_deg : tuple of float
        Zenith angles. [deg]

    Returns
    -------
    Table
        Radius in vacuum and with turbulence, and the parameter T between the two.
    """
    rows = []
    for wavelength_m in WAVELENGTHS_M:
        link = budget(
            wavelength_m=wavelength_m, zenith_rad=np.radians(zenith_deg), site="coastal", tx_aperture_diameter_m=1.0
        )
        columns = (zenith_deg, link.diffraction_radius_m, link.spot_radius_m, link.broadening)
        rows += [
            {"wavelength": nanometres(wavelength_m), "zenith_deg": float(zenith), "vacuum_m": float(vacuum),
             "turbulence_m": float(spot), "broadening": float(broadening)}
            for zenith, vacuum, spot, broadening in zip(*columns, strict=True)
        ]  # fmt: skip
    return Table("fig15", "Fig. 15: spot radius, coastal, transmitter of 1 m", "zenith_deg", "wavelength", tuple(rows))


def system(name: str, wavelength_m: float, zenith_deg: tuple[float, ...]) -> LinkBudget:
    """Budget of a system of Fig. 17.

    Parameters
    ----------
    name : str
        Name in :data:`SYSTEMS`.
    wavelength_m : float
        One of Table 1's. [m]
    zenith_deg : tuple of float
        Zenith angles. [deg]

    Returns
    -------
    LinkBudget
        Every term.
    """
    changes = dict(SYSTEMS[name])
    detector = detector_name(changes.pop("family"), wavelength_m)
    return budget(wavelength_m=wavelength_m, zenith_rad=np.radians(zenith_deg), detector=detector, **changes)


def loss_terms(zenith_deg: tuple[float, ...] = tuple(range(0, 81, 5))) -> Table:
    """Fig. 17: loss by term, three systems and wavelengths.

    Parameters
    ----------
    zenith_deg : tuple of float
        Zenith angles. [deg]

    Returns
    -------
    Table
        Losses in dB, receiver and detector together.
    """
    rows = []
    for wavelength_m in WAVELENGTHS_M:
        for name in SYSTEMS:
            link = system(name, wavelength_m, zenith_deg)
            terms = {term: link.loss_db(term) for term in ("geometric", "pointing", "coupling", "atmosphere")}
            terms["receiver_detector"] = link.loss_db("receiver") + link.loss_db("detector")
            rows += [
                {"wavelength": nanometres(wavelength_m), "system": name, "zenith_deg": float(zenith),
                 **{f"{term}_db": float(loss[i]) for term, loss in terms.items()},
                 "total_db": float(link.loss_db()[i])}
                for i, zenith in enumerate(zenith_deg)
            ]  # fmt: skip
    note = (
        "The terms stand on each other, their top is the total; the paper draws them as separate curves on a "
        "logarithmic axis. Above 70 deg our spherical air has less loss than plane layers."
    )
    return Table("fig17", "Fig. 17: loss budget of three urban systems", "zenith_deg", "system", tuple(rows), note=note)
