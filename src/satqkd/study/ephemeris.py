"""Orbits of a scenario as CCSDS orbit ephemeris messages."""

from __future__ import annotations

import numpy as np

from satqkd.errors import InputError
from satqkd.scenario.model import Scenario

__all__ = ["ephemeris"]


def ephemeris(scenario: Scenario, *, satellite: str | None = None, step_s: float = 60.0) -> str:
    """Earth-fixed state vectors of a satellite over the scenario's window.

    Parameters
    ----------
    scenario : Scenario
        The mission.
    satellite : str, optional
        Which one; may be left out if there is only one.
    step_s : float
        Time between states; the window's end is included if a step meets it. [s]

    Returns
    -------
    str
        CCSDS OEM, version 2, as key-value text.

    Raises
    ------
    InputError
        For an unknown satellite, several without a choice, or a step that is not positive or longer than the window.
    """
    from satqkd.formats.oem import write_oem
    from satqkd.orbit.build import propagators, to_datetime64

    flights = {flight.name: flight for flight in propagators(scenario)}
    if satellite is None and len(flights) > 1:
        raise InputError(f"scenario has {len(flights)} satellites: choose one of {', '.join(list(flights)[:6])}")
    name = satellite or next(iter(flights))
    if name not in flights:
        raise InputError(f'satellite "{name}" is not in the scenario: known are {", ".join(list(flights)[:6])}')
    start, end = to_datetime64(scenario.study.start), to_datetime64(scenario.study.end)
    length_s = (end - start) / np.timedelta64(1, "s")
    if not 1e-3 <= step_s <= length_s:
        raise InputError(f"step of {step_s:g} s is not allowed: from 0.001 s to the window's {length_s:g} s")
    times = np.arange(start, end + np.timedelta64(1, "ns"), np.timedelta64(round(step_s * 1e9), "ns"))
    position_m, velocity_m_s = flights[name].states_ecef(times)
    elements = getattr(flights[name], "elements", None)
    return write_oem(
        times,
        position_m,
        velocity_m_s,
        object_name=name,
        object_id=elements.object_id if elements is not None else "",
    )
