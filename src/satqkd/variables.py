"""Nomenclature: every output variable's name, units, meaning and symbol, in one table.

Datasets get their attributes from here (:func:`describe`) when they leave a stage, and the documentation's
nomenclature page is made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LOSS_TERMS", "VARIABLES", "Variable", "describe"]


@dataclass(frozen=True)
class Variable:
    """Meaning of one output variable.

    Parameters
    ----------
    units : str
        UDUNITS string; empty for text, ``1`` for pure numbers.
    long_name : str
        Meaning in a few words.
    symbol : str
        Symbol in the documentation, if it has one.
    kind : str
        Type of its values: ``float``, ``int``, ``bool``, ``text`` or ``time``.
    """

    units: str
    long_name: str
    symbol: str = ""
    kind: str = "float"


LOSS_TERMS: Final = (
    "loss_transmitter_db", "loss_geometric_db", "loss_atmosphere_db", "loss_cloud_db", "loss_pointing_db",
    "loss_coupling_db", "loss_receiver_db", "loss_detector_db", "loss_measured_db", "loss_offset_db",
)  # fmt: skip
"""Terms a link budget can have, in the order light meets them; a model gives those it knows."""

VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        # coordinates and identities
        "pass": Variable("1", "number of the pass, from 0 in order of start", kind="int"),
        "satellite": Variable("", "satellite", kind="text"),
        "station": Variable("", "ground station", kind="text"),
        "time": Variable("", "UTC time", kind="time"),
        "interval": Variable("1", "number of the planning interval, from the window's start", kind="int"),
        "day": Variable("", "UTC date of the pass's start", kind="text"),
        # passes
        "start": Variable("", "start of the usable pass (UTC)", kind="time"),
        "end": Variable("", "end of the usable pass (UTC)", kind="time"),
        "culmination": Variable("", "time of highest elevation within the pass (UTC)", kind="time"),
        "start_limit": Variable("", "what begins the pass: elevation, darkness, eclipse or window", kind="text"),
        "end_limit": Variable("", "what ends the pass: elevation, darkness, eclipse or window", kind="text"),
        "max_elevation_deg": Variable("degree", "highest elevation of the pass", "θ_max"),
        "min_slant_range_km": Variable("km", "shortest distance of the pass"),
        "duration_s": Variable("s", "duration of the usable pass"),
        "truncated": Variable("1", "whether the window's start or end cuts the pass", kind="bool"),
        "elements_age_d": Variable("d", "age of the orbital elements at the pass (negative: before their epoch)"),
        # link
        "pass_number": Variable("1", "pass that the sample belongs to, -1 outside passes", kind="int"),
        "elevation": Variable("degree", "elevation of the satellite, without refraction", "θ"),
        "azimuth": Variable("degree", "azimuth of the satellite from north over east"),
        "slant_range": Variable("m", "distance between station and satellite", "L"),
        "range_rate": Variable("m s-1", "rate of change of the distance, positive when receding"),
        "doppler": Variable("Hz", "first-order Doppler shift of the signal, positive when approaching"),
        "light_time": Variable("s", "one-way light time"),
        "point_ahead": Variable("rad", "point-ahead angle"),
        "sun_elevation": Variable("degree", "geometric elevation of the Sun at the station"),
        "satellite_latitude": Variable("degree", "geodetic latitude of the sub-satellite point"),
        "satellite_longitude": Variable("degree", "longitude of the sub-satellite point, east positive"),
        "loss_transmitter_db": Variable("dB", "transmitting optics after the source"),
        "loss_geometric_db": Variable("dB", "beam spreading beyond the receiver aperture", "Λ_G"),
        "loss_atmosphere_db": Variable("dB", "absorption and scattering", "Λ_A"),
        "loss_cloud_db": Variable("dB", "clouds", "Λ_C"),
        "loss_pointing_db": Variable("dB", "pointing", "Λ_P"),
        "loss_coupling_db": Variable("dB", "coupling into the detection optics"),
        "loss_receiver_db": Variable("dB", "receiving optics and filters"),
        "loss_detector_db": Variable("dB", "detection efficiency"),
        "loss_measured_db": Variable("dB", "measured link efficiency at this elevation, whole system"),
        "loss_offset_db": Variable("dB", "constant offset to the measured efficiency"),
        "loss_total_db": Variable("dB", "whole link, source to click"),
        "transmittance": Variable("1", "probability that a photon sent gives a click", "η"),
        "p_noise": Variable("1", "click probability per pulse without signal", "Y_0"),
        "background": Variable("s-1", "noise clicks per second in all gates"),
        "background_photons": Variable("s-1", "background photons per second in filter, field of view and all gates"),
        "sky_radiance": Variable("mW m-2 nm-1 sr-1", "spectral radiance that the receiver sees", "H"),
        "usable": Variable("1", "whether the sample is used: no Sun, Moon, twilight or noise forbids it", kind="bool"),
        "spot_radius": Variable("m", "1/e2 radius of the beam at the receiver, long-term", "w"),
        "fried_parameter": Variable("m", "Fried parameter at the station", "r_0"),
        "rate_asymptotic": Variable("s-1", "asymptotic secret bits per second", "f_s R"),
        # keys
        "pulses": Variable("1", "pulses sent", "N"),
        "sifted_bits": Variable("1", "detections in the key basis", "n_X"),
        "qber": Variable("1", "error rate in the key basis", "Q"),
        "vacuum_lower": Variable("1", "lower bound on key detections of empty pulses", "s_X,0"),
        "single_photon_lower": Variable("1", "lower bound on key detections of single photons", "s_X,1"),
        "single_photon_test_lower": Variable("1", "lower bound on test detections of single photons", "s_Z,1"),
        "single_photon_errors_upper": Variable("1", "upper bound on their errors", "v_Z,1"),
        "phase_error_upper": Variable("1", "upper bound on the single-photon phase error rate", "φ_X"),
        "leak_ec_bits": Variable("1", "bits revealed by error correction", "λ_EC"),
        "key_bits": Variable("1", "finite secret key of the pass", "ℓ", kind="int"),
        "key_bits_asymptotic": Variable("1", "asymptotic secret key of the pass, sum of rates", "K", kind="int"),
        "reason": Variable("", "why there is no finite key, empty if there is one", kind="text"),
        "margin_db": Variable("dB", "extra loss that the finite key survives; negative: loss to be saved for a key"),
        "mean_loss_db": Variable("dB", "loss of the mean transmittance over the pass"),
        "mu_signal": Variable("1", "mean photon number of the signal", "μ_1"),
        "mu_decoy": Variable("1", "mean photon number of the decoy", "μ_2"),
        "mu_vacuum": Variable("1", "mean photon number of the weakest state", "μ_3"),
        "p_signal": Variable("1", "probability of the signal", "p_1"),
        "p_decoy": Variable("1", "probability of the decoy", "p_2"),
        "p_vacuum": Variable("1", "probability of the weakest state", "p_3"),
        "p_key_basis": Variable("1", "probability of the key basis", "p_X"),
        "eps_secrecy": Variable("1", "secrecy parameter of the pass's key", "ε_sec"),
        "eps_correctness": Variable("1", "correctness parameter of the pass's key", "ε_cor"),
        # schedule
        "interval_start": Variable("", "start of the planning interval (UTC)", kind="time"),
        "assigned": Variable("", "station served, or idle, or switching", kind="text"),
        "interval_bits": Variable("1", "asymptotic secret bits delivered in the interval"),
        "delivered_bits": Variable("1", "asymptotic secret bits delivered over the window"),
        "block_key_bits": Variable("1", "finite secret key of the blocks of a block-aware plan"),
        "promised_bits": Variable("1", "asymptotic secret bits that the additive plan delivers"),
        "additive_key_bits": Variable("1", "finite secret key that the additive plan ends with"),
        "available_bits": Variable("1", "asymptotic secret bits if the satellite served this station alone"),
        "kl_max": Variable("nat", "largest divergence of the delivered shares from the weights"),
        "kl": Variable("nat", "divergence of the delivered shares from the weights", "D_KL"),
        "total_bits": Variable("1", "secret bits delivered to all the stations"),
        "bound_bits": Variable("1", "secret bits that no schedule exceeds"),
        "gap": Variable("1", "(bound - value) / bound"),
    }
)  # fmt: skip
"""The nomenclature."""


def describe(dataset: xr.Dataset) -> xr.Dataset:
    """Give every variable its attributes; raise ``KeyError`` for one that the table does not know.

    Parameters
    ----------
    dataset : xarray.Dataset
        Any stage's output.

    Returns
    -------
    xarray.Dataset
        The same data with ``units`` and ``long_name`` set from :data:`VARIABLES` and no other variable attributes.
    """
    result = dataset.copy()
    for name in result.variables:
        variable = VARIABLES[str(name)]
        attributes = {"long_name": variable.long_name}
        if variable.units:
            attributes["units"] = variable.units
        if variable.symbol:
            attributes["symbol"] = variable.symbol
        result[name].attrs = attributes
    return result
