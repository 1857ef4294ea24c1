"""Orbits as ephemeris messages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from satqkd.errors import InputError
from satqkd.formats.oem import parse_oem
from satqkd.orbit.build import propagators
from satqkd.scenario.model import Scenario
from satqkd.study.ephemeris import ephemeris

Change = Callable[..., Scenario]


def test_message_reads_back_to_the_orbit(changed: Change) -> None:
    scenario = changed("micius-china-week", {"study.end": "2016-09-19T06:00:00Z"})
    found = parse_oem(ephemeris(scenario, step_s=600.0))
    assert found.object_id == "2016-051A"
    assert found.times[0] == np.datetime64("2016-09-19T00:00:00")
    assert found.times[-1] == np.datetime64("2016-09-19T06:00:00")
    position_m, velocity_m_s = propagators(scenario)[0].states_ecef(found.times)
    np.testing.assert_allclose(found.position_m, position_m, atol=1e-4)  # printed to 0.1 mm
    np.testing.assert_allclose(found.velocity_m_s, velocity_m_s, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"satellite": "Mozi"}, "known are Micius"), ({"step_s": 0.0}, "step of 0 s"), ({"step_s": 1e9}, "not allowed")],
)
def test_bad_choice_is_one_line(changed: Change, arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        ephemeris(changed("micius-china-week", {}), **arguments)
    assert "\n" not in str(caught.value)
