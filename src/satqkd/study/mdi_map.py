"""Where finite keys of measurement-device-independent QKD start: over loss, dark counts and source rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["finite_key_map", "largest_loss_db", "plot_finite_key_map"]

Array = NDArray[np.float64]
_SHARES: Final = (1.0, 0.5, 0.25)


def finite_key_map(
    *,
    loss_db: Sequence[float],
    p_dark: Sequence[float],
    pulse_rate_hz: Sequence[float],
    excess_a_db: ArrayLike = 0.0,
    excess_b_db: ArrayLike = 0.0,
    duration_s: float = 266.0,
    misalignment: float = 0.015,
    shares: Sequence[float] = _SHARES,
    **settings: Any,
) -> xr.Dataset:
    """Finite keys of a pass with optimised settings.

    Parameters
    ----------
    loss_db : sequence of float
        Sum of both links' losses at the best instant of the pass, ascending. [dB]
    p_dark : sequence of float
        Click probabilities of one detector without light. [1]
    pulse_rate_hz : sequence of float
        Pulse pairs per second. [1/s]
    excess_a_db, excess_b_db : array_like
        Losses of both links at equally spaced instants of the pass less half of ``loss_db``: 0 for constant, equal
        links. The smallest sum is shifted to 0. [dB]
    duration_s : float
        Length of the pass. [s]
    misalignment : float
        Probability that a bit is flipped. [1]
    shares : sequence of float
        Shares of the pass to try, those with the least loss: which one is a matter of the predicted orbit, so that the
        choice may be made before the pass. [1]
    **settings
        Everything else of :func:`satqkd.security.mdi_keys.optimise_keys`.

    Returns
    -------
    xarray.Dataset
        ``key_bits``, ``share``, ``p_z``, ``signal_a``, ... over (pulse_rate, p_dark, loss).

    Raises
    ------
    InputError
        If an axis is empty or not ascending, or a value is outside its range.

    Notes
    -----
    Each point starts from its neighbour with less loss; beyond the first loss without a key the key is 0, as it falls
    with the loss.
    """
    import xarray as xr

    axes = {"pulse_rate": pulse_rate_hz, "p_dark": p_dark, "loss": loss_db}
    for name, values in axes.items():
        if len(values) == 0:
            raise InputError(f"{name}: a map needs at least one value along each axis")
    if list(loss_db) != sorted(set(loss_db)) or not min(loss_db) >= 0.0:
        raise InputError("loss_db: must be ascending and not negative")
    if not duration_s > 0.0:
        raise InputError(f"duration_s = {duration_s!r}: must be above 0")
    if len(shares) == 0 or not all(0.0 < share <= 1.0 for share in shares):
        raise InputError(f"shares = {tuple(shares)!r}: must be above 0 and at most 1")
    given = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in (excess_a_db, excess_b_db)))
    total = np.asarray(given[0] + given[1])
    best_first = np.argsort(total, kind="stable")
    sides = [np.asarray(side[best_first] - 0.5 * total.min()) for side in given]
    shape = tuple(len(values) for values in axes.values())
    names = ("key_bits", "share", "p_z", "signal_a", "signal_b", "mu_a", "mu_b", "nu_a", "nu_b")
    fields = {name: np.zeros(shape) if name == "key_bits" else np.full(shape, np.nan) for name in names}
    step_s = duration_s / sides[0].size
    for i, rate in enumerate(pulse_rate_hz):
        for j, dark in enumerate(p_dark):
            receiver = {"p_dark": dark, "misalignment": misalignment, "pulses_per_s": rate, "step_s": step_s}
            _row(loss_db, sides, shares, {**receiver, **settings}, {n: f[i, j] for n, f in fields.items()})
    made = xr.Dataset(
        {name: (("pulse_rate", "p_dark", "loss"), field) for name, field in fields.items()},
        coords={
            "pulse_rate": ("pulse_rate", np.asarray(pulse_rate_hz, float), {"units": "Hz"}),
            "p_dark": ("p_dark", np.asarray(p_dark, float), {"units": "1"}),
            "loss": ("loss", np.asarray(loss_db, float), {"units": "dB", "long_name": "sum of both losses"}),
        },
        attrs={"duration_s": duration_s, "misalignment": misalignment},
    )
    made["key_bits"].attrs = {"units": "bit", "long_name": "finite key of the pass"}
    return made


def _row(
    loss_db: Sequence[float],
    sides: list[Array],
    shares: Sequence[float],
    settings: dict[str, Any],
    fields: dict[str, Array],
) -> None:
    """Keys of one source and one detector, with growing loss, into the rows of ``fields``."""
    from satqkd.security.mdi_keys import optimise_keys

    near: dict[float, Any] = dict.fromkeys(shares)
    for k, loss in enumerate(loss_db):
        eta = [10.0 ** (-0.1 * (0.5 * loss + side)) for side in sides]
        for share in list(near):
            count = max(1, round(share * eta[0].size))
            plan = optimise_keys(*(np.minimum(x[:count], 1.0) for x in eta), start=near[share], **settings)
            if plan.total_bits == 0.0:
                del near[share]
                continue
            near[share] = plan
            if plan.total_bits > fields["key_bits"][k]:
                found = (
                    plan.total_bits, share, plan.p_z[0], plan.signal_a[0], plan.signal_b[0], plan.intensities_a[0, 0],
                    plan.intensities_b[0, 0], plan.intensities_a[0, 1], plan.intensities_b[0, 1],
                )  # fmt: skip
                for field, value in zip(fields.values(), found, strict=True):
                    field[k] = value
        if not near:
            return


def largest_loss_db(found: xr.Dataset, *, key_bits: float = 1.0) -> xr.DataArray:
    """Largest loss on the grid at which the key of the pass is at least so long.

    Parameters
    ----------
    found : xarray.Dataset
        Of :func:`finite_key_map`.
    key_bits : float
        Key wanted. [bit]

    Returns
    -------
    xarray.DataArray
        Over (pulse_rate, p_dark); NaN where no loss of the grid has such a key. [dB]

    Raises
    ------
    InputError
        If no positive key is wanted.
    """
    if not key_bits > 0.0:
        raise InputError(f"key_bits = {key_bits!r}: must be above 0")
    return found["loss"].where(found["key_bits"] >= key_bits).max("loss")


def plot_finite_key_map(found: xr.Dataset) -> Figure:
    """Draw a map, one field per source rate.

    Parameters
    ----------
    found : xarray.Dataset
        Of :func:`finite_key_map`; loss and the logarithm of the dark counts evenly spread.

    Returns
    -------
    matplotlib.figure.Figure
        Key against loss and dark counts, grey where there is none.
    """
    from satqkd.plot.key_maps import key_maps

    fields = {f"{float(rate) / 1e9:g} GHz": found["key_bits"].sel(pulse_rate=rate).values for rate in found.pulse_rate}
    return key_maps(
        found["loss"].values,
        found["p_dark"].values,
        fields,
        title=f"Finite key of a pass of {found.attrs['duration_s']:g} s, settings optimised",
        x_label="least sum of both losses (dB)",
        y_label="dark counts per detector and pulse",
        colour_label="key (bit)",
        log_y=True,
    )
