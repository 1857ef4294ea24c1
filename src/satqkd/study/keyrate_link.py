"""Columns of a link and of settings that tables of :mod:`satqkd.study.keyrate` share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from satqkd.errors import InputError
from satqkd.study.keyrate import Column

__all__ = ["COUNTS", "LINK", "NEEDED", "PREDICTED", "SETTING", "link_arguments", "link_names"]

LINK: Final = (
    Column("transmittance", "whole system's transmittance, receiver and detector included", high=1.0),
    Column("loss_db", "the same as a loss [dB]; one of the two"),
    Column("pulses", "pulses sent in the block (times passes)"),
    Column("p_extraneous", "dark and background counts per pulse and detector", high=0.5),
    Column("qber_intrinsic", "error rate of signal photons", high=0.5),
    Column("p_afterpulse", "afterpulse probability; 0 if empty", high=0.999),
)
SETTING: Final = (
    Column("intensities", "mean photon numbers of signal, decoy, weakest, descending", "numbers", size=3),
    Column("intensity_probabilities", "how often each is sent, adding up to 1", "numbers", high=1.0, size=3),
)
COUNTS: Final = (
    Column("n_key", "sifted detections per intensity in the key basis", "numbers", size=3),
    Column("n_test", "the same in the test basis", "numbers", size=3),
    Column("m_key", "errors among n_key", "numbers", size=3),
    Column("m_test", "errors among n_test", "numbers", size=3),
)
NEEDED: Final = ("pulses", "p_extraneous", "qber_intrinsic")
PREDICTED: Final = ("predicted_key_bits", "predicted_sifted_bits", "predicted_qber")


def link_names(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that say that there is a link."""
    there = set(names)
    return [name for name in (*NEEDED, "transmittance", "loss_db") if name in there]


def link_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the function that makes counts or a key of a link.

    Parameters
    ----------
    given : mapping
        Values by column, those of :data:`LINK` and any others.

    Returns
    -------
    dict
        The same with ``transmittance`` and ``pulses_per_slot``.

    Raises
    ------
    InputError
        If a column is empty, or both or none of transmittance and loss are there.
    """
    link = dict(given)
    for name in NEEDED:
        if name not in link:
            raise InputError(f'column "{name}": is empty')
    if ("loss_db" in link) == ("transmittance" in link):
        raise InputError('columns "transmittance" and "loss_db": exactly one of them must be filled in')
    if "loss_db" in link:
        link["transmittance"] = 10.0 ** (-link.pop("loss_db") / 10.0)
    link["pulses_per_slot"] = link.pop("pulses")
    return link
