"""Least loss and finite key of a pass in common view over the telescopes on both sides and the beam between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from satqkd.errors import InputError
from satqkd.scenario.model import Scenario

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["aperture_keys"]

_HOPELESS_DB = 45.0
"""Least loss of both links above which no key is looked for: with 1e10 pairs per second keys end at 40 dB."""


def aperture_keys(
    scenario: Scenario | str,
    *,
    tx_diameter_m: Sequence[float],
    rx_diameter_m: Sequence[float],
    spreads: Sequence[str] = ("long-term", "tilt-corrected", "vacuum"),
    pulse_rate_hz: Sequence[float] = (1e9, 1e10),
    p_dark: float = 1e-7,
    shares: Sequence[float] = (1.0, 0.5, 0.25),
    stations: Sequence[str] | None = None,
) -> xr.Dataset:
    """What larger telescopes, a better beam and a faster source do for a measurement-device-independent link.

    Parameters
    ----------
    scenario : Scenario or str
        Mission with two uplinks, or a preset's name; its longest common view is taken.
    tx_diameter_m, rx_diameter_m : sequence of float
        Telescopes on the ground and in orbit. [m]
    spreads : sequence of str
        Models of the beam, see :func:`satqkd.channel.uplink_budget.uplink`.
    pulse_rate_hz : sequence of float
        Pulse pairs per second, up to 1e10. [1/s]
    p_dark : float
        Click probability of one detector without light. [1]
    shares : sequence of float
        Shares of the pass to try, those with the least loss.
    stations : sequence of str, optional
        Two names; default: the scenario's only two.

    Returns
    -------
    xarray.Dataset
        ``least_loss_db`` of both links together over (spread, tx_diameter, rx_diameter), and ``key_bits`` of the pass
        with optimised settings, also over pulse_rate.

    Raises
    ------
    InputError
        If the scenario has no such pass, an axis is empty, or a pulse rate is too high.
    """
    import xarray as xr

    from satqkd.scenario.load import load_scenario, with_values
    from satqkd.study.mdi_map import finite_key_map
    from satqkd.study.mdi_pass import common_link

    axes = {"spread": spreads, "tx_diameter": tx_diameter_m, "rx_diameter": rx_diameter_m, "pulse_rate": pulse_rate_hz}
    for name, values in axes.items():
        if len(values) == 0:
            raise InputError(f"{name}: a study needs at least one value along each axis")
    if max(pulse_rate_hz) > 1e10:
        raise InputError(f"pulse_rate_hz = {max(pulse_rate_hz):g}: must be at most 1e10")
    base = load_scenario(scenario) if isinstance(scenario, str) else scenario
    least = np.zeros([len(axis) for axis in list(axes.values())[:3]])
    keys = np.zeros([len(axis) for axis in axes.values()])
    for at in np.ndindex(least.shape):
        spread, sender, receiver = spreads[at[0]], tx_diameter_m[at[1]], rx_diameter_m[at[2]]
        changes: dict[str, Any] = {
            "terminal.aperture": f"{sender!r} m",
            "receiver.aperture": f"{receiver!r} m",
            "terminal.divergence": None,  # the beam's own
            "channel.spread": spread,
        }
        link, _ = common_link(with_values(base, changes), stations=stations)
        loss = link.loss_total_db.values.reshape(2, -1)
        least[at] = loss.sum(axis=0).min()
        if least[at] > _HOPELESS_DB:
            continue
        duration_s = base.study.step * loss.shape[1]
        found = finite_key_map(
            loss_db=(float(least[at]),), p_dark=(p_dark,), pulse_rate_hz=pulse_rate_hz, duration_s=duration_s,
            excess_a_db=loss[0] - 0.5 * least[at], excess_b_db=loss[1] - 0.5 * least[at], shares=shares,
            misalignment=base.detector.misalignment,
        )  # fmt: skip
        keys[at] = found["key_bits"].values[:, 0, 0]
    made = xr.Dataset(
        {"least_loss_db": (tuple(axes)[:3], least), "key_bits": (tuple(axes), keys)},
        coords={
            "spread": list(spreads),
            "tx_diameter": ("tx_diameter", np.asarray(tx_diameter_m, float), {"units": "m"}),
            "rx_diameter": ("rx_diameter", np.asarray(rx_diameter_m, float), {"units": "m"}),
            "pulse_rate": ("pulse_rate", np.asarray(pulse_rate_hz, float), {"units": "Hz"}),
        },
        attrs={"p_dark": p_dark},
    )
    made["least_loss_db"].attrs = {"units": "dB", "long_name": "least sum of both losses in the pass"}
    made["key_bits"].attrs = {"units": "bit", "long_name": "finite key of the pass"}
    return made
